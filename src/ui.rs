//! What a person sees: a view of the state. [`view`] draws a frame; `keys` is the one key table, `theme` every style.
//!
//! ```text
//! header    target, link, namespace, version, overlay, clock: on every screen, under no dialog
//! banner    only while the connection is lost
//! panes     Overlays, Settings, Checks | Runs, detail (80 columns: one list, its detail below)
//! last line the newest message, the keys that hold anywhere
//! dialogs   over the panes, one per file
//! ```

pub mod announce;
pub mod keys;
pub mod start;
pub mod theme;

mod banner;
mod checks;
mod compare;
mod detail;
mod field;
mod footer;
mod found;
mod gauge;
mod header;
mod help;
mod layout;
mod lines;
mod messages;
mod orphans;
mod overlays;
mod palette;
mod pane;
mod question;
mod run_dialog;
mod runs;
mod said;
mod settings;
mod text;
mod too_small;

#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod stage;

use crate::app::limits::Limits;
use crate::app::{Dialog, Pane, State};
use layout::Panes;
use ratatui::Frame;
use ratatui::layout::Rect;
use theme::Theme;

/// What the view remembers between frames: where each list begins. It is no state of the program; losing it only
/// scrolls.
#[derive(Debug, Default)]
pub struct Scroll {
    pub(crate) runs: ratatui_table::TableState,
    pub(crate) overlays: usize,
    pub(crate) settings: usize,
    pub(crate) settings_form: usize,
    /// Of the list being typed in the form.
    pub(crate) settings_list: usize,
    pub(crate) diff: usize,
    pub(crate) palette: usize,
    pub(crate) checks: usize,
    pub(crate) samples: usize,
    /// Of what is left over.
    pub(crate) orphans: usize,
    /// Of the payload being edited.
    pub(crate) payload: usize,
    limits: Limits,
}

impl Scroll {
    /// How far what the last frame showed can be scrolled.
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

/// Draws one frame of the state.
pub fn view(state: &State, theme: &Theme, scroll: &mut Scroll, frame: &mut Frame) {
    scroll.limits = Limits::default();
    let area = frame.area();
    if too_small::is(area) {
        too_small::draw(frame, area);
        return;
    }
    let rows = layout::rows(
        area,
        banner::height(state, theme, area.width),
        footer::height(state, theme, area),
    );
    header::draw(state, theme, frame, rows.header);
    banner::draw(state, theme, frame, rows.banner);
    footer::draw_last_line(state, theme, frame, rows.last);
    for (pane, place) in layout::panes(state, rows.body).iter() {
        draw_pane(pane, state, theme, scroll, frame, place);
        if pane::is_stale(state) {
            pane::grey(theme, frame, place);
        }
    }
    if let Some(tabs) = Panes::tab_line(rows.body) {
        header::draw_tabs(state, theme, frame, tabs);
    }
    for dialog in &state.dialogs {
        // What lies below steps back, so that the dialog stands out without a shadow.
        frame.buffer_mut().set_style(rows.body, theme.behind());
        draw_dialog(dialog, state, theme, scroll, frame, rows.body);
    }
}

fn draw_pane(
    pane: Pane,
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    match pane {
        Pane::Overlays => overlays::draw(state, theme, scroll, frame, area),
        Pane::Settings => settings::draw(state, theme, scroll, frame, area),
        Pane::Runs => runs::draw(state, theme, scroll, frame, area),
        Pane::Detail => detail::draw(state, theme, &mut scroll.limits, frame, area),
        Pane::Checks => checks::draw(state, theme, frame, area),
    }
}

fn draw_dialog(
    dialog: &Dialog,
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    match dialog {
        Dialog::Run => run_dialog::draw(state, theme, scroll, frame, area),
        Dialog::Settings => settings::draw_form(state, theme, scroll, frame, area),
        Dialog::Diff => overlays::draw_diff(state, theme, scroll, frame, area),
        Dialog::Question(question) => question::draw(question, theme, frame, area),
        Dialog::Help => help::draw(state, theme, &mut scroll.limits, frame, area),
        Dialog::Palette => palette::draw(state, theme, scroll, frame, area),
        Dialog::Messages => messages::draw(state, theme, &mut scroll.limits, frame, area),
        Dialog::Orphans => orphans::draw(state, theme, &mut scroll.orphans, frame, area),
        Dialog::Checks => checks::draw_list(state, theme, scroll, frame, area),
        Dialog::Compare => compare::draw(state, theme, &mut scroll.limits, frame, area),
    }
}
