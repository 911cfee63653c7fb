//! The last line of the screen, and the keys at the bottom of a pane.

use super::keys::{self, Binding, TABLE};
use super::pane::cut;
use super::theme::{Theme, Tone};
use crate::app::State;
use crate::app::action::{Action, Context};
use crate::app::notices::Weight;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The footer keys of a context, as many as fit whole into `room` columns; dimmed in a pane that has not the keys. The
/// way out is among them however little room there is.
pub(crate) fn hints<'a>(context: Context, theme: &Theme, focused: bool, room: usize) -> Line<'a> {
    let mut spans: Vec<Span> = Vec::new();
    let rows: Vec<&Binding> = TABLE
        .iter()
        .filter(|row| row.in_footer && row.contexts.contains(&context))
        .collect();
    let width =
        |row: &Binding| key_text(row, theme).chars().count() + row.label.chars().count() + 3;
    let is_way_out = |row: &&&Binding| row.action == Action::Dismiss;
    let mut kept: usize = rows.iter().rfind(is_way_out).map_or(0, |row| width(row));
    let mut used = 1;
    let mut is_full = false;
    for row in rows {
        if row.action == Action::Dismiss {
            kept = 0;
        } else if is_full {
            continue;
        }
        let key = key_text(row, theme);
        if used + width(row) + kept > room {
            is_full = true;
            continue;
        }
        used += width(row);
        let (key_style, label_style) = if focused {
            (theme.key(), theme.on_border())
        } else {
            (theme.muted(), theme.muted())
        };
        spans.push(Span::styled(format!(" {key}"), key_style));
        spans.push(Span::styled(format!(" {} ", row.label), label_style));
    }
    Line::from(spans)
}

/// The key of a row as a footer shows it: arrows as arrows, and both where there are two directions.
fn key_text(row: &Binding, theme: &Theme) -> String {
    let glyphs = theme.glyphs();
    match row.action {
        Action::NextTab => format!("{}{}", glyphs.left, glyphs.right),
        _ => row.shown(),
    }
}

/// Draws the newest message at the left and the keys that hold anywhere at the right.
pub(crate) fn draw_last_line(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let mut right: Vec<Span> = Vec::new();
    let context = state.context();
    for (action, label) in [
        (Action::Messages, "messages"),
        (Action::Palette, "palette"),
        (Action::Help, "help"),
        (Action::Quit, "quit"),
    ] {
        if let Some(key) = keys::key_of(action, context) {
            right.push(Span::styled(format!("  {key}"), theme.key()));
            right.push(Span::styled(format!(" {label}"), theme.muted()));
        }
    }
    right.push(Span::raw(" "));
    let mut right = Line::from(right);
    let notice = state.notices.current();
    if notice.is_some() && area.width < super::layout::WIDE {
        // A message needs the room more than the reminder does.
        right = Line::from(vec![
            Span::styled("  ?", theme.key()),
            Span::styled(" help ", theme.muted()),
        ]);
    }
    let room = usize::from(area.width).saturating_sub(right.width());
    if let Some(notice) = notice {
        let glyphs = theme.glyphs();
        let (glyph, tone) = match notice.weight {
            Weight::Good => (glyphs.good, Tone::Good),
            Weight::Info => (glyphs.info, Tone::Accent),
            Weight::Warning => (glyphs.warning, Tone::Warning),
            Weight::Bad => (glyphs.bad, Tone::Bad),
        };
        let line = Line::from(vec![
            Span::styled(format!(" {glyph} "), theme.tone(tone)),
            Span::styled(sanitize(&notice.text).into_owned(), theme.plain()),
        ]);
        frame.render_widget(cut(line, room, glyphs.ellipsis), area);
    }
    frame.render_widget(right.right_aligned(), area);
}
