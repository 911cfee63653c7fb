//! What runs left behind, with age and size.
//!
//! ```text
//! ╭ Left over in llmctl ─────────────────────────────────────── 2 · 7.9 KiB ╮
//! │   KIND       NAME                        AGE   SIZE                     │
//! │▸  ConfigMap  llmctl-exec-1-7-…-payload   3d    0.9 KiB                  │
//! │              its Job is gone and nothing owns it                        │
//! ╰ x remove  space mark  * mark all  esc close ────────────────────────────╯
//! ```

use super::layout;
use super::pane::{self, Pane};
use super::text;
use super::theme::{Theme, Tone};
use crate::app::State;
use crate::domain::orphans::{Orphan, size};
use crate::sanitize::sanitize;
use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns of everything but the name.
const BESIDE: usize = 11 + 6 + 10;

/// Columns before a row: whether it is selected, and whether it is marked.
const LEAD: usize = 3;

/// Draws the page over `area`; `top` is the first object in sight.
pub(crate) fn draw(state: &State, theme: &Theme, top: &mut usize, frame: &mut Frame, area: Rect) {
    let found = state.runs.orphans.as_deref();
    let all = found.unwrap_or_default();
    // Each object has two rows: what it is, and why it is left over.
    let rows = u16::try_from(all.len() * 2 + 3).unwrap_or(u16::MAX).max(7);
    let place = layout::middle(area, area.width.min(110), rows);
    let title = format!("Left over in {}", sanitize(&state.namespace));
    let mut pane = Pane::dialog(theme, title, state.runs.orphans_context());
    if !all.is_empty() {
        let bytes = size(all.iter().map(|one| one.bytes).sum());
        let dot = theme.glyphs().dot;
        let marked = match state.runs.left_over.marked.len() {
            0 => String::new(),
            n => format!(" {dot} {n} marked"),
        };
        let count = format!("{} {dot} {bytes}{marked}", all.len());
        pane = pane.count([Span::raw(count)]);
    }
    let inside = pane.draw(frame, place);
    if all.is_empty() {
        let (why, then) = match found {
            None => (
                "Looking.",
                "Payloads, Jobs and pods of the namespace are listed.",
            ),
            Some(_) => (
                "Nothing is left over.",
                "Every payload has its Job, every finished Job its TTL, every other one its pod.",
            ),
        };
        pane::empty(frame, inside, theme, why, then);
        return;
    }
    let page = pane::padded(inside);
    let room = usize::from(page.width);
    let header = format!(
        "{:LEAD$}{}",
        "",
        row(
            "KIND",
            "NAME",
            "AGE",
            "SIZE",
            room.saturating_sub(LEAD),
            theme
        )
    );
    let head = Rect {
        height: 1.min(page.height),
        ..page
    };
    frame.render_widget(Line::styled(header, theme.muted()), head);
    let list = Rect {
        y: page.y + head.height,
        height: page.height - head.height,
        ..page
    };
    let choice = &state.runs.left_over;
    let height = usize::from(list.height / 2);
    *top = layout::top_for(*top, choice.at, all.len(), height);
    let places = (list.top()..list.bottom()).step_by(2);
    for ((at, one), y) in all.iter().enumerate().skip(*top).zip(places) {
        let marked = choice.marked.contains(&one.uid);
        let selected = at == choice.at;
        let lines = object(one, selected, marked, state.now, room, theme);
        for (line, y) in lines.into_iter().zip(y..list.bottom()) {
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
    }
    let bar = Rect {
        width: list.width + 1,
        ..list
    };
    pane::scrollbar(theme, frame, bar, *top * 2, all.len() * 2);
}

fn row(kind: &str, name: &str, age: &str, size: &str, room: usize, theme: &Theme) -> String {
    let ellipsis = theme.glyphs().ellipsis;
    let width = room.saturating_sub(BESIDE + 1);
    let name = text::fit_middle(name, width, ellipsis);
    format!(
        "{}{} {}{size:>9}",
        text::pad(kind, 11, ellipsis),
        text::pad(&name, width, ellipsis),
        text::pad(age, 6, ellipsis)
    )
}

fn object(
    one: &Orphan,
    selected: bool,
    marked: bool,
    now: Timestamp,
    room: usize,
    theme: &Theme,
) -> [Line<'static>; 2] {
    let glyphs = theme.glyphs();
    let lead = format!(
        "{}{} ",
        if selected { glyphs.mark } else { " " },
        if marked { glyphs.ours } else { " " }
    );
    let room = room.saturating_sub(LEAD);
    let age = text::age(text::between(one.created, now));
    let kind = one.kind.to_string();
    let name = sanitize(&one.name);
    [
        Line::from(vec![
            Span::styled(lead, theme.tone(Tone::Accent)),
            Span::raw(row(&kind, &name, &age, &size(one.bytes), room, theme)),
        ]),
        Line::styled(
            format!("{:width$}{}", "", one.why.sentence(), width = LEAD + 11),
            theme.muted(),
        ),
    ]
}
