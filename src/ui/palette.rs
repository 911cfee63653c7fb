//! The palette: every action by name, what was typed highlighted in it, its key and its CLI line.

use super::pane::{self, Pane};
use super::theme::Theme;
use super::{Scroll, field, keys, layout, text};
use crate::app::State;
use crate::app::action::Context;
use crate::app::palette::{Entry, Palette};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
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
    let rows = u16::try_from(palette.rows.len() + 5).unwrap_or(u16::MAX);
    let mut place = layout::middle(area, columns, rows.clamp(8, 26));
    // The line being typed stays where it is while the list below it shrinks.
    place.y = area.y + (area.height.saturating_sub(26) / 2).min(3);
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
        height: inside.height.saturating_sub(2),
        ..inside
    };
    draw_rows(palette, theme, scroll, frame, list);
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
        let line = line(entry, found, selected, usize::from(list.width), theme);
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
    pane::scrollbar(theme, frame, list, scroll.palette, palette.rows.len());
}

fn line(entry: &Entry, found: &[u32], selected: bool, room: usize, theme: &Theme) -> Line<'static> {
    let glyphs = theme.glyphs();
    let mark = if selected { glyphs.mark } else { " " };
    let key = keys::key_of(entry.action, Context::Palette).unwrap_or_default();
    let mut spans = vec![
        Span::raw(format!("{mark} ")),
        Span::styled(text::pad(&key, 8, glyphs.ellipsis), theme.key()),
    ];
    let name = highlighted(entry.name, found, theme.plain(), theme);
    let used: usize = text::columns(entry.name);
    spans.extend(name);
    let column = 40;
    let gap = column_gap(used, column);
    spans.push(Span::raw(" ".repeat(gap)));
    let left = room.saturating_sub(10 + used + gap);
    spans.push(Span::styled(
        text::fit(entry.cli, left, glyphs.ellipsis),
        theme.muted(),
    ));
    Line::from(spans)
}

fn column_gap(used: usize, column: usize) -> usize {
    column.saturating_sub(used).max(2)
}

/// The text with the characters at `found` (counted in characters) highlighted.
pub(crate) fn highlighted(
    shown: &str,
    found: &[u32],
    style: Style,
    theme: &Theme,
) -> Vec<Span<'static>> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut run = String::new();
    let mut run_is_found = false;
    for (at, c) in shown.chars().enumerate() {
        let is_found = u32::try_from(at).is_ok_and(|at| found.contains(&at));
        if is_found != run_is_found && !run.is_empty() {
            spans.push(piece(std::mem::take(&mut run), run_is_found, style, theme));
        }
        run_is_found = is_found;
        run.push(c);
    }
    if !run.is_empty() {
        spans.push(piece(run, run_is_found, style, theme));
    }
    spans
}

fn piece(text: String, found: bool, style: Style, theme: &Theme) -> Span<'static> {
    Span::styled(
        text,
        if found {
            style.patch(theme.found())
        } else {
            style
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::theme::Colors;
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn highlights_split_a_text_and_lose_nothing() {
        let theme = Theme::new(Colors::Sixteen, false, TimeZone::UTC);
        let spans = highlighted("héllo", &[1, 2, 4], Style::new(), &theme);
        let texts: Vec<_> = spans.iter().map(|span| span.content.as_ref()).collect();
        assert_eq!(texts, ["h", "él", "l", "o"]);
        assert_eq!(spans[1].style, theme.found());
        assert_eq!(spans[2].style, Style::new());
    }
}
