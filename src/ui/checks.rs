//! The checks: a line on Studio's database, a line on the checkout.
//!
//! ```text
//! ╭ 5 Checks ────────────────────────╮
//! │▸! Database   migration due       │
//! │    9 settings, 4 of 5 runs       │
//! │ ✗ Checkout   3 errors            │
//! │    2 notices in 214 files        │
//! ╰ enter open ──────────────────────╯
//! ```

mod list;

pub(crate) use list::draw as draw_list;

use super::pane::{self, Pane};
use super::text;
use super::theme::{Theme, Tone};
use crate::app::checks::{Look, Slice, Subject};
use crate::app::{self, State};
use crate::domain::audit::Level;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// What is known of a subject: glyph, tone, the state in a few words, and more of it.
struct Known {
    glyph: &'static str,
    tone: Tone,
    word: String,
    more: String,
}

/// Draws the pane.
pub(crate) fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let slice = &state.checks;
    let pane = Pane::new(state, theme, app::Pane::Checks);
    let focused = pane.is_focused();
    let inside = pane.draw(frame, area);
    let room = usize::from(inside.width);
    let per = (inside.height / 2).clamp(2, 5);
    for (subject, at) in Subject::ALL.into_iter().zip(0..) {
        let known = match subject {
            Subject::Database => database(slice, theme),
            Subject::Checkout => checkout(slice, theme),
        };
        let selected = slice.selected == subject;
        let place = Rect {
            y: inside.y + at * per,
            height: per.min(inside.height.saturating_sub(at * per)),
            ..inside
        };
        let mark = if selected { theme.glyphs().mark } else { " " };
        let ellipsis = theme.glyphs().ellipsis;
        let head = Line::from(vec![
            Span::styled(
                format!("{mark}{} {} ", known.glyph, subject.title()),
                theme.tone(known.tone),
            ),
            Span::styled(known.word.clone(), theme.tone(known.tone)),
        ]);
        let mut lines = vec![pane::cut(head, room, ellipsis)];
        let width = room.saturating_sub(4).max(8);
        let wrapped = text::wrap(&sanitize(&known.more), width);
        let left = usize::from(place.height).saturating_sub(1);
        let cut = wrapped.len() > left;
        for (n, line) in wrapped.into_iter().take(left).enumerate() {
            let line = if cut && n + 1 == left {
                text::fit(&format!("{line}{ellipsis}"), width, ellipsis)
            } else {
                line
            };
            lines.push(Line::styled(format!("   {line}"), theme.muted()));
        }
        for (line, y) in lines.into_iter().zip(place.top()..place.bottom()) {
            let row = Rect {
                y,
                height: 1,
                ..place
            };
            frame.render_widget(line, row);
            if selected && focused && y == place.top() {
                frame.buffer_mut().set_style(row, theme.selected(true));
            }
        }
    }
}

fn database(slice: &Slice, theme: &Theme) -> Known {
    let glyphs = theme.glyphs();
    let place = slice.database.as_ref().map(|named| named.place.clone());
    let (glyph, tone, word, more) = match (&slice.planned, place) {
        _ if slice.work.is_some() => (
            glyphs.running,
            Tone::Busy,
            "being migrated",
            place_of(slice),
        ),
        (_, None) if slice.no_database.is_empty() => {
            (glyphs.pending, Tone::Muted, "looked for", String::new())
        }
        (_, None) => (
            glyphs.none,
            Tone::Muted,
            "none here",
            slice.no_database.clone(),
        ),
        (Look::NotYet, Some(place)) => (
            glyphs.uncertain,
            Tone::Uncertain,
            "not looked at",
            format!("enter looks for old rows in {place}"),
        ),
        (Look::Looking, Some(place)) => (glyphs.running, Tone::Busy, "being read", place),
        (Look::Failed(why), Some(_)) => (glyphs.bad, Tone::Bad, "not readable", why.clone()),
        (Look::Done(planned), Some(place)) if planned.plan.is_empty() => {
            let waits = planned.plan.for_a_person().len();
            if waits > 0 {
                let more = format!(
                    "{} for you to settle in {place}",
                    text::count(waits, "thing")
                );
                (glyphs.warning, Tone::Warning, "up to date", more)
            } else {
                (glyphs.good, Tone::Good, "up to date", place)
            }
        }
        (Look::Done(planned), Some(place)) => {
            let more = format!(
                "{}, {} of {} runs in {place}",
                text::count(planned.plan.settings.changes.len(), "setting"),
                planned.plan.runs.changed,
                planned.plan.runs.looked_at
            );
            (glyphs.warning, Tone::Warning, "migration due", more)
        }
    };
    Known {
        glyph,
        tone,
        word: word.to_owned(),
        more,
    }
}

fn place_of(slice: &Slice) -> String {
    slice
        .database
        .as_ref()
        .map(|named| named.place.clone())
        .unwrap_or_default()
}

fn checkout(slice: &Slice, theme: &Theme) -> Known {
    let glyphs = theme.glyphs();
    let place = slice
        .checkout
        .as_ref()
        .map_or_else(|| "the checkout".to_owned(), |named| named.place.clone());
    let (glyph, tone, word, more) = match &slice.audited {
        Look::NotYet => (
            glyphs.uncertain,
            Tone::Uncertain,
            "not looked at".to_owned(),
            format!("enter audits {place}"),
        ),
        Look::Looking => (glyphs.running, Tone::Busy, "being read".to_owned(), place),
        Look::Failed(why) => (
            glyphs.bad,
            Tone::Bad,
            "not readable".to_owned(),
            why.clone(),
        ),
        Look::Done(report) => {
            let (errors, notices) = (report.count(Level::Error), report.count(Level::Notice));
            let more = format!(
                "{}, {} allowed in {}, {place}",
                text::count(notices, "notice"),
                report.count(Level::Allowed),
                text::count(report.files, "file")
            );
            match errors {
                0 => (glyphs.good, Tone::Good, "clean".to_owned(), more),
                n => (glyphs.bad, Tone::Bad, text::count(n, "error"), more),
            }
        }
    };
    Known {
        glyph,
        tone,
        word,
        more,
    }
}

#[cfg(test)]
mod tests;
