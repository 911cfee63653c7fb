//! The detail of the selected run, in tabs.
//!
//! ```text
//! ╭ Run 208 hello ── ▸Timeline │ Logs │ Result │ Events │ Manifest ──╮
//! │                                                                  │
//! ╰ right next tab  y copy  ctrl-s save log  esc back ───────────────╯
//! ```

mod bars;
mod events;
mod logs;
mod manifest;
mod result;
mod timeline;

use super::pane::{self, Pane};
use super::text;
use super::theme::Theme;
use crate::app::State;
use crate::app::limits::Limits;
use crate::app::link::Link;
use crate::app::runs::detail::Tab;
use crate::domain::runs::Run;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Span;

pub(crate) use manifest::yaml_lines;

/// Draws the pane.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    limits: &mut Limits,
    frame: &mut Frame,
    area: Rect,
) {
    let pane = Pane::new(state, theme, crate::app::Pane::Detail);
    let Some(run) = state.runs.current() else {
        let inside = pane.title([Span::raw("Run")]).draw(frame, area);
        let (why, then) = emptiness(state);
        pane::empty(frame, inside, theme, why, then);
        return;
    };
    let tab = state.runs.tab;
    let roomy = area.width > 80;
    let title = title(run, tab, roomy, theme);
    let count = match tab {
        Tab::Logs => logs::count(state, run, area.width, theme),
        Tab::Events => events::count(run),
        Tab::Timeline | Tab::Result | Tab::Manifest => Vec::new(),
    };
    let inside = pane.title(title).count(count).draw(frame, area);
    let place = pane::padded(inside);
    match tab {
        Tab::Timeline => timeline::draw(state, run, theme, limits, frame, place),
        Tab::Logs => logs::draw(state, run, theme, limits, frame, inside),
        Tab::Result => result::draw(state, run, theme, limits, frame, place),
        Tab::Events => events::draw(state, run, theme, limits, frame, place),
        Tab::Manifest => manifest::draw(state, run, theme, limits, frame, place),
    }
}

fn title(run: &Run, current: Tab, roomy: bool, theme: &Theme) -> Vec<Span<'static>> {
    let glyphs = theme.glyphs();
    let name = sanitize(&run.label()).into_owned();
    let name = text::fit_middle(&name, 24, glyphs.ellipsis);
    let mut spans = vec![Span::raw(format!("Run {name} "))];
    if roomy {
        spans.push(Span::styled(format!("{0}{0} ", glyphs.rule), theme.muted()));
    }
    for (at, tab) in Tab::ALL.into_iter().enumerate() {
        if at > 0 {
            spans.push(Span::styled(format!(" {} ", glyphs.divider), theme.muted()));
        }
        spans.push(if tab == current {
            Span::styled(
                format!("{}{}", glyphs.mark, tab.title()),
                theme.key().add_modifier(Modifier::UNDERLINED),
            )
        } else {
            Span::styled(tab.title(), theme.muted())
        });
    }
    spans
}

fn emptiness(state: &State) -> (&'static str, &'static str) {
    let shown = !state.runs.visible.is_empty();
    match &state.link {
        _ if shown => (
            "No run is selected.",
            "j and k choose one in the list above.",
        ),
        Link::Live { .. } if state.runs.filter.text().is_empty() => (
            "A run's timeline, log, result, events and manifest are shown here.",
            "r starts a sample run.",
        ),
        Link::Live { .. } => ("No run matches the filter.", "esc clears it."),
        Link::Connecting { .. } | Link::Lost { .. } => ("No run was read yet.", ""),
    }
}
