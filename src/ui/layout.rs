//! Where everything is, for a wide and for a narrow terminal.

use crate::app::{Pane, State};
use ratatui::layout::{Constraint, Layout, Rect};

/// From this many columns all panes stand side by side.
pub(crate) const WIDE: u16 = 100;

/// The rows of a screen from top to bottom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    pub(crate) header: Rect,
    pub(crate) banner: Rect,
    pub(crate) body: Rect,
    pub(crate) last: Rect,
}

/// Divides the screen into its rows; the banner takes `banner` of them, the message `last`.
pub(crate) fn rows(area: Rect, banner: u16, last: u16) -> Rows {
    let [header, banner, body, last] = area.layout(&Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(banner),
        Constraint::Fill(1),
        Constraint::Length(last),
    ]));
    Rows {
        header,
        banner,
        body,
        last,
    }
}

/// The panes that are in sight and their places.
#[derive(Clone, Debug)]
pub(crate) struct Panes(Vec<(Pane, Rect)>);

impl Panes {
    /// The panes in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Pane, Rect)> {
        self.0.iter().copied()
    }

    /// The line with the names of the panes, on a narrow terminal.
    pub(crate) fn tab_line(body: Rect) -> Option<Rect> {
        (body.width < WIDE).then_some(Rect { height: 1, ..body })
    }
}

/// Places the panes in the body of the screen.
pub(crate) fn panes(state: &State, body: Rect) -> Panes {
    if body.width < WIDE {
        narrow(state.focus, body)
    } else {
        wide(state.focus, state.checks.has_news(), body)
    }
}

/// Rows of the checks, beside others.
const CHECKS: u16 = 6;
/// From this many rows on there is room for them.
const HIGH: u16 = 24;

fn wide(focus: Pane, news: bool, body: Rect) -> Panes {
    let left_columns = if body.width < 120 { 32 } else { 36 };
    let [left, right] = body.layout(&Layout::horizontal([
        Constraint::Length(left_columns),
        Constraint::Fill(1),
    ]));
    let shows = focus == Pane::Checks || (news && left.height >= HIGH);
    let checks = if !shows {
        0
    } else if left.height >= HIGH {
        CHECKS
    } else {
        left.height / 3
    };
    let [left, checks] = left.layout(&Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(checks),
    ]));
    let [overlays, settings] = left.layout(&Layout::vertical([
        // All settings are in sight where that leaves the overlays enough.
        Constraint::Length(
            (left.height / 3)
                .min(9)
                .max(left.height.saturating_sub(25).min(14)),
        ),
        Constraint::Fill(1),
    ]));
    let [runs, detail] = right.layout(&Layout::vertical([
        Constraint::Length((right.height * 2 / 5).max(6)),
        Constraint::Fill(1),
    ]));
    let mut panes = vec![(Pane::Overlays, overlays), (Pane::Settings, settings)];
    if shows {
        panes.push((Pane::Checks, checks));
    }
    panes.extend([(Pane::Runs, runs), (Pane::Detail, detail)]);
    Panes(panes)
}

fn narrow(focus: Pane, body: Rect) -> Panes {
    let [_, rest] = body.layout(&Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
    ]));
    if matches!(focus, Pane::Overlays | Pane::Settings | Pane::Checks) {
        return Panes(vec![(focus, rest)]);
    }
    // Where the keys are, there is more to see.
    let list = if focus == Pane::Detail {
        (rest.height / 4).max(4)
    } else {
        (rest.height * 2 / 5).max(5)
    };
    let [runs, detail] = rest.layout(&Layout::vertical([
        Constraint::Length(list),
        Constraint::Fill(1),
    ]));
    Panes(vec![(Pane::Runs, runs), (Pane::Detail, detail)])
}

/// A place of this size in the middle of `area`, as large as it fits.
pub(crate) fn middle(area: Rect, columns: u16, rows: u16) -> Rect {
    let width = columns.min(area.width);
    let height = rows.min(area.height);
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

/// First row in sight of a list: `top` as it was, moved no further than it takes to see `selected`.
pub(crate) fn top_for(top: usize, selected: usize, rows: usize, height: usize) -> usize {
    let height = height.max(1);
    let top = top.min(rows.saturating_sub(height));
    top.min(selected).max((selected + 1).saturating_sub(height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_selected_row_is_in_sight(top in 0usize..200, selected in 0usize..100, rows in 1usize..100, height in 1usize..40) {
            let selected = selected.min(rows - 1);
            let first = top_for(top, selected, rows, height);
            prop_assert!(first <= selected && selected < first + height);
        }

        #[test]
        fn panes_lie_within_the_body_and_apart(width in 60u16..300, height in 13u16..120) {
            let body = Rect::new(0, 1, width, height);
            for (focus, news) in [
                (Pane::Overlays, true),
                (Pane::Settings, false),
                (Pane::Runs, true),
                (Pane::Detail, false),
                (Pane::Checks, false),
            ] {
                let panes = if width < WIDE { narrow(focus, body) } else { wide(focus, news, body) };
                let all: Vec<_> = panes.iter().collect();
                prop_assert!(all.iter().any(|(pane, _)| *pane == focus));
                for (at, (_, place)) in all.iter().enumerate() {
                    prop_assert_eq!(body.intersection(*place), *place);
                    for (_, other) in &all[at + 1..] {
                        prop_assert!(!place.intersects(*other));
                    }
                }
            }
        }
    }
}
