//! The palette: every action by name, what was typed highlighted in it, its key and its CLI line.

use super::pane::{self, Pane};
use super::theme::Theme;
use super::{Scroll, field, found, keys, layout, text};
use crate::app::State;
use crate::app::action::Context;
use crate::app::palette::{Entry, Palette};
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the palette over `area`.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let palette = &state.palette;
    let columns = area.width.saturating_sub(4).min(100);
    let rows = u16::try_from(palette.rows.len() + 6).unwrap_or(u16::MAX);
    let mut place = layout::middle(area, columns, rows.clamp(10, 28));
    // The line being typed stays where it is while the list below it shrinks.
    place.y = area.y + (area.height.saturating_sub(28) / 2).min(3);
    let place = place.intersection(area);
    let inside = Pane::dialog(theme, "Palette", Context::Palette)
        .count([Span::raw(format!(
            "{} of {}",
            palette.rows.len(),
            palette.total()
        ))])
        .draw(frame, place);
    let inside = pane::padded(inside);
    let typed = Rect {
        height: 1.min(inside.height),
        ..inside
    };
    frame.render_widget(Span::styled(": ", theme.key()), typed);
    let typing = Rect {
        x: typed.x + 2.min(typed.width),
        width: typed.width.saturating_sub(2),
        ..typed
    };
    field::draw(&palette.typed, true, theme, frame, typing);
    let list = Rect {
        y: inside.y + 2.min(inside.height),
        height: inside.height.saturating_sub(4),
        ..inside
    };
    draw_rows(palette, theme, scroll, frame, list);
    if let Some((entry, _)) = palette.rows.get(palette.selected) {
        let last = Rect {
            y: inside.bottom().saturating_sub(1),
            height: 1,
            ..inside
        };
        let line = entry.cli_line(state);
        frame.render_widget(cli_line(&line, usize::from(last.width), theme), last);
    }
}

fn draw_rows(palette: &Palette, theme: &Theme, scroll: &mut Scroll, frame: &mut Frame, list: Rect) {
    if palette.rows.is_empty() {
        pane::empty(
            frame,
            list,
            theme,
            "No action is called like that.",
            "Fewer letters find more; they need not stand side by side.",
        );
        return;
    }
    let height = usize::from(list.height);
    scroll.palette = layout::top_for(scroll.palette, palette.selected, palette.rows.len(), height);
    let visible = palette.rows.iter().enumerate().skip(scroll.palette);
    for ((at, (entry, found)), y) in visible.zip(list.top()..list.bottom()) {
        let selected = at == palette.selected;
        let line = line(entry, found, selected, theme);
        let place = Rect {
            y,
            height: 1,
            ..list
        };
        frame.render_widget(line, place);
        if selected {
            frame.buffer_mut().set_style(place, theme.selected(true));
        }
    }
    // The thumb stands on the border, one blank column away.
    let bar = Rect {
        width: list.width + 1,
        ..list
    };
    pane::scrollbar(theme, frame, bar, scroll.palette, palette.rows.len());
}

fn line(entry: &Entry, found: &[u32], selected: bool, theme: &Theme) -> Line<'static> {
    let glyphs = theme.glyphs();
    let mark = if selected { glyphs.mark } else { " " };
    // The key of the main screen: here, plain keys are text.
    let key = keys::key_of(entry.action, Context::Runs).unwrap_or_default();
    let mut spans = vec![
        Span::raw(format!("{mark} ")),
        Span::styled(text::pad(&key, 8, glyphs.ellipsis), theme.key()),
    ];
    spans.extend(found::mark(Line::from(entry.name), found, theme).spans);
    Line::from(spans)
}

/// The command line that does the same as the selected action.
fn cli_line(line: &str, room: usize, theme: &Theme) -> Line<'static> {
    if line.is_empty() {
        return Line::styled("only here: there is no command line for it", theme.muted());
    }
    let line = Line::from(vec![
        Span::styled("$ ", theme.muted()),
        Span::styled(sanitize(line).into_owned(), theme.accent()),
    ]);
    pane::cut(line, room, theme.glyphs().ellipsis)
}
