//! Keys that mean something else in each place: they go to the dialog on top, or to the pane with the focus.

use super::action::Action;
use super::notices::Notice;
use super::turn::Turn;
use super::{Dialog, Effect, Pane, State, palette, question};
use tui_input::InputRequest;

/// Actions that mean something else in each place go to the place with the keys.
pub(super) fn act(state: &mut State, action: Action, turn: &mut Turn) {
    let page = state.page();
    let around = state.around();
    match state.dialogs.last_mut() {
        Some(Dialog::Orphans) => state.runs.act_orphans(action, page, &around, turn),
        Some(Dialog::Help | Dialog::Messages | Dialog::Compare) => {
            turn_page(state, action, turn);
        }
        Some(Dialog::Palette) => match state.palette.act(action, page) {
            palette::Outcome::Stay => {}
            palette::Outcome::Close => turn.close = true,
            palette::Outcome::Copy(entry) => {
                let line = entry.cli_line(state);
                turn.notice(Notice::info(format!("copied: {line}")));
                turn.effects.push(Effect::Copy(line));
            }
            palette::Outcome::Run(chosen) => {
                state.dialogs.pop();
                super::act(state, chosen, turn);
            }
        },
        Some(Dialog::Question(question)) => match question.act(action) {
            question::Answer::Waiting => {}
            question::Answer::No => turn.close = true,
            question::Answer::Yes(effects) => {
                turn.close = true;
                for effect in &effects {
                    match effect {
                        Effect::Runs(effect) => state.runs.leaving(effect, turn),
                        Effect::Overlays(effect) => state.overlays.leaving(effect),
                        Effect::Checks(effect) => state.checks.leaving(effect),
                        _ => {}
                    }
                }
                turn.effects.extend(effects);
            }
        },
        Some(Dialog::Run) => state.runs.act_dialog(action, page, &around, turn),
        Some(Dialog::Settings) => state.settings.act(action, page, turn),
        Some(Dialog::Diff) => state.overlays.act(action, page, &around.place, turn),
        Some(Dialog::Checks) => state.checks.act(action, page, turn),
        None => match action.noun() {
            Some(Pane::Overlays) => state.overlays.act(action, page, &around.place, turn),
            Some(Pane::Settings) => state.settings.act(action, page, turn),
            Some(Pane::Runs) => state.runs.act(action, page, &around, turn),
            Some(Pane::Detail) => state.runs.act_detail(action, page, &state.target, turn),
            Some(Pane::Checks) => state.checks.act(action, page, turn),
            None => match state.focus {
                Pane::Overlays => state.overlays.act(action, page, &around.place, turn),
                Pane::Settings => state.settings.act(action, page, turn),
                Pane::Runs => state.runs.act(action, page, &around, turn),
                Pane::Detail => state.runs.act_detail(action, page, &state.target, turn),
                Pane::Checks => state.checks.act(action, page, turn),
            },
        },
    }
}

fn turn_page(state: &mut State, action: Action, turn: &mut Turn) {
    let page = state.page();
    state.page_top = match action {
        Action::Down => state.page_top.saturating_add(1),
        Action::Up => state.page_top.saturating_sub(1),
        Action::PageDown => state.page_top.saturating_add(page),
        Action::PageUp => state.page_top.saturating_sub(page),
        Action::Top => 0,
        // As far as it goes: the next frame says how far that is.
        Action::Bottom => usize::MAX,
        Action::Dismiss | Action::Accept => {
            turn.close = true;
            0
        }
        _ => state.page_top,
    };
}

/// Takes one editing key, in the place with the keys.
pub(super) fn edit(state: &mut State, request: &InputRequest, turn: &mut Turn) {
    match state.dialogs.last_mut() {
        Some(Dialog::Palette) => state.palette.edit(request),
        Some(Dialog::Question(question)) => question.edit(request),
        Some(Dialog::Run) => {
            let around = state.around();
            state.runs.edit_dialog(request, &around, turn);
        }
        Some(Dialog::Settings) => state.settings.edit(request, turn),
        Some(Dialog::Diff) => state.overlays.edit(request),
        Some(Dialog::Checks) => state.checks.edit(request),
        Some(Dialog::Help | Dialog::Messages | Dialog::Orphans | Dialog::Compare) => {}
        None => match state.focus {
            Pane::Runs => state.runs.edit_filter(request),
            Pane::Detail => state.runs.edit_search(request, turn),
            Pane::Overlays => state.overlays.edit(request),
            Pane::Settings => state.settings.edit(request, turn),
            Pane::Checks => {}
        },
    }
}
