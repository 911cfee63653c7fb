//! The last line of the screen, and the keys at the bottom of a pane.

use super::keys::{self, Binding, TABLE};
use super::text;
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

/// Rows that a message may take on a low screen, and on others.
const FEW: usize = 2;
const MANY: usize = 3;
/// From this many rows on there is room for more of a message.
const HIGH: u16 = 30;
/// Columns before the words of a message.
const LEAD: usize = 3;

/// Rows that the last line takes: a message that is longer than the line goes on in the next one.
pub(crate) fn height(state: &State, theme: &Theme, screen: Rect) -> u16 {
    let lines = message(state, theme, screen.width).len();
    let most = if screen.height < HIGH { FEW } else { MANY };
    u16::try_from(lines.clamp(1, most)).unwrap_or(1)
}

/// Draws the newest message at the left and the keys that hold anywhere at the right.
pub(crate) fn draw_last_line(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let mut lines = message(state, theme, area.width);
    let rows = usize::from(area.height);
    if lines.len() > rows {
        // The message history has all of it.
        let rest = lines.split_off(rows.saturating_sub(1)).join(" ");
        let room = room(state, theme, area.width);
        lines.push(text::fit(&rest, room, theme.glyphs().ellipsis));
    }
    if let Some(notice) = state.notices.current() {
        let glyphs = theme.glyphs();
        let (glyph, tone) = match notice.weight {
            Weight::Good => (glyphs.good, Tone::Good),
            Weight::Info => (glyphs.info, Tone::Accent),
            Weight::Warning => (glyphs.warning, Tone::Warning),
            Weight::Bad => (glyphs.bad, Tone::Bad),
        };
        for ((n, words), row) in lines.into_iter().enumerate().zip(area.rows()) {
            let lead = if n == 0 { glyph } else { " " };
            let line = Line::from(vec![
                Span::styled(format!(" {lead} "), theme.tone(tone)),
                Span::styled(words, theme.plain()),
            ]);
            frame.render_widget(line, row);
        }
    }
    if let Some(last) = area.rows().next_back() {
        frame.render_widget(reminder(state, theme, area.width).right_aligned(), last);
    }
}

/// The newest message, broken into lines; the last one leaves room for the reminder.
fn message(state: &State, theme: &Theme, width: u16) -> Vec<String> {
    let Some(notice) = state.notices.current() else {
        return Vec::new();
    };
    let words = sanitize(&notice.text);
    let room = room(state, theme, width);
    if text::columns(&words) <= room {
        return vec![words.into_owned()];
    }
    let mut lines = text::wrap(&words, usize::from(width).saturating_sub(LEAD));
    if lines.last().is_some_and(|last| text::columns(last) > room) {
        lines.push(String::new());
    }
    lines
}

/// Columns for the words of a message beside the reminder.
fn room(state: &State, theme: &Theme, width: u16) -> usize {
    usize::from(width).saturating_sub(LEAD + reminder(state, theme, width).width())
}

/// The keys that hold anywhere.
fn reminder<'a>(state: &State, theme: &Theme, width: u16) -> Line<'a> {
    let context = state.context();
    if state.notices.current().is_some() && width < super::layout::WIDE {
        // A message needs the room more than the reminder does.
        return Line::from(vec![
            Span::styled("  ?", theme.key()),
            Span::styled(" help ", theme.muted()),
        ]);
    }
    let mut right: Vec<Span> = Vec::new();
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
    Line::from(right)
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use crate::app::notices::Notice;

    #[test]
    fn a_message_that_is_longer_than_the_line_goes_on_in_the_next() {
        let long = "mark two runs with space, or select one that has an earlier run of its sample before it, to compare them";
        for (columns, rows) in [(80, 24), (120, 40)] {
            let mut stage = Stage::minikube();
            stage.notice(Notice::info(long));
            let shot = stage.shot(columns, rows);
            let last: Vec<&str> = shot.lines().rev().take(3).collect();
            let said: Vec<&str> = last.iter().rev().flat_map(|line| line.split(' ')).collect();
            let said = said.join(" ");
            for word in long.split(' ') {
                assert!(said.contains(word), "{word}: {shot}");
            }
            assert!(
                last[0]
                    .trim_end()
                    .ends_with(if columns < 100 { "? help" } else { "q quit" }),
                "{shot}"
            );
        }
    }

    #[test]
    fn a_message_leaves_the_screen_to_the_panes() {
        let mut stage = Stage::minikube();
        stage.notice(Notice::bad("many words ".repeat(60)));
        let shot = stage.shot(80, 24);
        let last: Vec<&str> = shot.lines().collect();
        assert!(last[23].contains('…'), "{shot}");
        assert!(last[21].starts_with('╰'), "{shot}");
        assert!(
            stage
                .notice(Notice::good("done"))
                .shot(80, 24)
                .lines()
                .nth(22)
                .unwrap()
                .starts_with('╰')
        );
    }
}
