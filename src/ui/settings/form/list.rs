//! A list being typed below the keys: its items, one on a line, and what is wrong with them.

use crate::app::page::Page;
use crate::app::settings::Slice;
use crate::sanitize::sanitize;
use crate::ui::theme::{Theme, Tone};
use crate::ui::{lines, pane, text};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the list of the selected key into `area`; `top` is the first line in sight.
pub(super) fn draw(
    slice: &Slice,
    page: &Page,
    top: &mut usize,
    theme: &Theme,
    frame: &mut Frame,
    area: Rect,
) {
    let glyphs = theme.glyphs();
    let room = usize::from(area.width);
    let head = Line::from(vec![
        Span::styled(slice.selected.facts().name, theme.strong()),
        Span::styled(format!(" {} one name on a line", glyphs.dot), theme.muted()),
    ]);
    let wrong = slice.drafts.wrong().find(|(key, _)| *key == slice.selected);
    let fit = |said: &str| text::fit(&sanitize(said), room.saturating_sub(2), glyphs.ellipsis);
    let said = if let Some((_, problem)) = wrong {
        let said = fit(&problem.broken.to_string());
        Line::styled(format!("{} {said}", glyphs.bad), theme.tone(Tone::Bad))
    } else {
        let value = slice.file_value(slice.selected);
        let said = match &value.map(|value| value.text()).unwrap_or_default()[..] {
            "" => "no names".to_owned(),
            names => fit(names),
        };
        Line::styled(format!("{} {said}", glyphs.good), theme.tone(Tone::Good))
    };
    let row = |y| {
        Rect {
            y,
            height: 1,
            ..area
        }
        .intersection(area)
    };
    frame.render_widget(pane::cut(head, room, glyphs.ellipsis), row(area.y));
    frame.render_widget(said, row(area.bottom().saturating_sub(1)));
    let between = Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(2),
        ..area
    };
    lines::draw(page, top, theme, frame, between);
}
