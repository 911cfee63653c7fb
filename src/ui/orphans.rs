//! What runs left behind, with age and size.
//!
//! ```text
//! ╭ Left over in llmctl ─────────────────────────────────────── 2 · 7.9 KiB ╮
//! │   KIND       NAME                        AGE   SIZE     WHY             │
//! │   ConfigMap  llmctl-exec-1-7-…-payload   3d    0.9 KiB  its Job is gone │
//! ╰ x remove all  esc close ────────────────────────────────────────────────╯
//! ```

use super::pane::{self, Pane};
use super::text;
use super::theme::Theme;
use crate::app::State;
use crate::app::action::Context;
use crate::app::limits::Limits;
use crate::domain::orphans::{Orphan, size};
use crate::sanitize::sanitize;
use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns of everything but the name.
const BESIDE: usize = 11 + 6 + 10;

/// Draws the page over `area`, scrolled to `state.page_top`.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    limits: &mut Limits,
    frame: &mut Frame,
    area: Rect,
) {
    let found = state.runs.orphans.as_deref();
    let all = found.unwrap_or_default();
    // Each object has two rows: what it is, and why it is left over.
    let rows = u16::try_from(all.len() * 2 + 3).unwrap_or(u16::MAX).max(7);
    let place = super::layout::middle(area, area.width.min(110), rows);
    let title = format!("Left over in {}", sanitize(&state.namespace));
    let mut pane = Pane::dialog(theme, title, Context::Orphans);
    if !all.is_empty() {
        let bytes = size(all.iter().map(|one| one.bytes).sum());
        let count = format!("{} {} {bytes}", all.len(), theme.glyphs().dot);
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
    let mut lines = vec![Line::styled(
        row("KIND", "NAME", "AGE", "SIZE", room, theme),
        theme.muted(),
    )];
    for one in all {
        lines.extend(object(one, state.now, room, theme));
    }
    limits.page = pane::page(frame, theme, page, &lines, state.page_top);
}

fn row(kind: &str, name: &str, age: &str, size: &str, room: usize, theme: &Theme) -> String {
    let ellipsis = theme.glyphs().ellipsis;
    let width = room.saturating_sub(BESIDE);
    let name = text::fit_middle(name, width, ellipsis);
    format!(
        "{}{} {}{size:>9}",
        text::pad(kind, 11, ellipsis),
        text::pad(&name, width.saturating_sub(1), ellipsis),
        text::pad(age, 6, ellipsis)
    )
}

fn object(one: &Orphan, now: Timestamp, room: usize, theme: &Theme) -> [Line<'static>; 2] {
    let age = text::age(text::between(one.created, now));
    let kind = one.kind.to_string();
    let name = sanitize(&one.name);
    [
        Line::raw(row(&kind, &name, &age, &size(one.bytes), room, theme)),
        Line::styled(format!("{:11}{}", "", one.why.sentence()), theme.muted()),
    ]
}
