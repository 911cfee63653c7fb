//! The rows of the key table.

use super::{Binding, Key};
use crate::app::Pane;
use crate::app::action::{Action, Context};
use crossterm::event::KeyCode;

const fn char(c: char) -> Key {
    Key::char(c)
}

const fn control(c: char) -> Key {
    Key::control(c)
}

const ENTER: Key = Key::plain(KeyCode::Enter);
const ESC: Key = Key::plain(KeyCode::Esc);
const TAB: Key = Key::plain(KeyCode::Tab);
const BACK_TAB: Key = Key::plain(KeyCode::BackTab);
const UP: Key = Key::plain(KeyCode::Up);
const DOWN: Key = Key::plain(KeyCode::Down);
const LEFT: Key = Key::plain(KeyCode::Left);
const RIGHT: Key = Key::plain(KeyCode::Right);
const HOME: Key = Key::plain(KeyCode::Home);
const END: Key = Key::plain(KeyCode::End);
const PAGE_UP: Key = Key::plain(KeyCode::PageUp);
const PAGE_DOWN: Key = Key::plain(KeyCode::PageDown);

const ANYWHERE: &[Context] = &[Context::Anywhere];
const MAIN: &[Context] = &[
    Context::Overlays,
    Context::Settings,
    Context::Runs,
    Context::Detail,
    Context::DetailLogs,
    Context::Checks,
];
const RUNS: &[Context] = &[Context::Runs];
const DETAIL: &[Context] = &[Context::Detail, Context::DetailLogs];
const LOGS: &[Context] = &[Context::DetailLogs];
const OVERLAYS: &[Context] = &[Context::Overlays];
const SETTINGS: &[Context] = &[Context::Settings];
const SETTINGS_BOTH: &[Context] = &[Context::Settings, Context::SettingsForm];
const SETTINGS_ALL: &[Context] = &[
    Context::Settings,
    Context::SettingsForm,
    Context::SettingsDiff,
];
const SETTINGS_DIFF: &[Context] = &[Context::SettingsDiff];
const REVIEW: &[Context] = &[Context::SettingsReview];
const FORM_BOTH: &[Context] = &[Context::SettingsForm, Context::SettingsDiff];
const FORM: &[Context] = &[Context::SettingsForm];
const LIST: &[Context] = &[Context::SettingsList];
const ELSEWHERE: &[Context] = &[Context::SettingsElsewhere];
const DIFF: &[Context] = &[Context::Diff];
const RUN_DIALOG: &[Context] = &[Context::RunDialog];
const PAYLOAD: &[Context] = &[Context::Payload];
const CHECKS: &[Context] = &[Context::Checks];
const MIGRATION: &[Context] = &[Context::Migration];
const FOUND: &[Context] = &[Context::Migration, Context::Audit];
const RUN_FORM: &[Context] = &[Context::RunForm];
const PALETTE: &[Context] = &[Context::Palette];

/// Plain places: `j`, `k` and their kind move.
const MOVABLE: &[Context] = &[
    Context::Overlays,
    Context::Settings,
    Context::Runs,
    Context::Detail,
    Context::DetailLogs,
    Context::RunDialog,
    Context::SettingsForm,
    Context::SettingsDiff,
    Context::SettingsReview,
    Context::Diff,
    Context::Help,
    Context::Messages,
    Context::Orphans,
    Context::Compare,
    Context::Checks,
    Context::Migration,
    Context::Audit,
];
/// Places with text: only the arrows move.
const TYPED: &[Context] = &[
    Context::RunForm,
    Context::OverlaysFilter,
    Context::RunsFilter,
    Context::RunDialogText,
    Context::Payload,
    Context::SettingsText,
    Context::SettingsList,
    Context::DiffFilter,
    Context::Palette,
    Context::ChecksFilter,
];
const PAGED: &[Context] = &[
    Context::RunDialog,
    Context::Overlays,
    Context::Settings,
    Context::Runs,
    Context::Detail,
    Context::DetailLogs,
    Context::SettingsForm,
    Context::SettingsDiff,
    Context::SettingsReview,
    Context::Diff,
    Context::Help,
    Context::Messages,
    Context::Orphans,
    Context::Compare,
    Context::Checks,
    Context::Migration,
    Context::Audit,
];
const PAGED_TYPED: &[Context] = &[
    Context::Payload,
    Context::OverlaysFilter,
    Context::RunsFilter,
    Context::DiffFilter,
    Context::Palette,
    Context::ChecksFilter,
];

const FIELDS: &[Context] = &[
    Context::RunForm,
    Context::RunDialog,
    Context::RunDialogText,
    Context::SettingsForm,
    Context::SettingsText,
    Context::SettingsList,
];

const fn row(
    contexts: &'static [Context],
    keys: &'static [Key],
    action: Action,
    label: &'static str,
    help: &'static str,
) -> Binding {
    Binding {
        contexts,
        keys,
        action,
        label,
        help,
        in_footer: false,
    }
}

const fn footer(
    contexts: &'static [Context],
    keys: &'static [Key],
    action: Action,
    label: &'static str,
    help: &'static str,
) -> Binding {
    Binding {
        in_footer: true,
        ..row(contexts, keys, action, label, help)
    }
}

#[rustfmt::skip]
pub(super) const ROWS: &[Binding] = &[
    // Runs
    footer(RUNS, &[char('r')], Action::NewRun, "run", "start a sample run"),
    row(&[Context::Overlays, Context::Settings, Context::Detail, Context::DetailLogs],
        &[char('r')], Action::NewRun, "run", "start a sample run"),
    footer(RUNS, &[char('R')], Action::RunAgain, "again", "send the selected run's request once more, as the next pass through its node"),
    footer(RUNS, &[char('c')], Action::CancelRun, "cancel", "cancel the selected run: its pod gets the grace of the settings to end"),
    footer(RUNS, &[char('K')], Action::KeepRun, "keep", "keep the selected run's Job longer: raise its TTL"),
    row(RUNS, &[char('+')], Action::ExtendRun, "extend", "keep the selected run's Job an hour longer"),
    row(RUNS, &[char(' ')], Action::Mark, "mark", "mark the run, or unmark it; cancel, keep and remove go by the marks"),
    row(RUNS, &[char('*')], Action::MarkAll, "mark all", "mark every run that is listed, or unmark all"),
    row(RUNS, &[char('d')], Action::Compare, "compare", "compare the two marked runs, or the selected one with the one before it of its sample"),
    row(RUNS, &[char('O')], Action::ShowOrphans, "left over", "show what runs left behind in the namespace, to remove it"),
    footer(&[Context::Orphans], &[char('x')], Action::RemoveOrphans, "remove", "remove what is marked, or else what is selected, once the namespace's name is typed"),
    footer(&[Context::Orphans], &[char(' ')], Action::Mark, "mark", "mark the object for its removal, or unmark it"),
    footer(&[Context::Orphans], &[char('*')], Action::MarkAll, "mark all", "mark all that is left over, or unmark all"),
    footer(&[Context::Orphans, Context::NothingLeft, Context::Compare], &[ESC, char('q'), ENTER], Action::Dismiss, "close", "close and go on"),
    row(RUNS, &[char('x')], Action::RemoveRun, "remove", "remove the selected run's finished Job now"),
    footer(RUNS, &[char('l')], Action::Logs, "logs", "show the log of the selected run"),
    footer(RUNS, &[char('/')], Action::Filter, "filter", "filter the list; matches are found anywhere in a row"),
    footer(RUNS, &[char('s')], Action::Sort, "sort", "sort the list by the next column"),
    row(RUNS, &[char('C')], Action::CloneRun, "clone", "open the run dialog with the request of the selected run, to change it"),
    row(RUNS, &[ENTER], Action::Accept, "open", "go to the detail of the selected run"),
    row(RUNS, &[char('y')], Action::Copy, "copy", "copy the name of the selected run's Job"),
    row(RUNS, &[ESC], Action::Dismiss, "clear", "clear the filter"),
    footer(&[Context::RunsFilter], &[ENTER], Action::Accept, "keep filter", "leave the filter and keep what it found"),
    footer(&[Context::RunsFilter], &[ESC], Action::Dismiss, "clear", "leave the filter and show all runs again"),

    // Run detail
    footer(DETAIL, &[RIGHT, char(']')], Action::NextTab, "tab", "show the next tab of the run"),
    row(DETAIL, &[LEFT, char('[')], Action::PreviousTab, "previous tab", "show the previous tab of the run"),
    row(RUNS, &[RIGHT, char(']')], Action::NextTab, "next tab", "show the next tab of the run below"),
    row(RUNS, &[LEFT, char('[')], Action::PreviousTab, "previous tab", "show the previous tab of the run below"),
    footer(LOGS, &[char('f')], Action::Follow, "follow", "keep the newest line in sight, or stop doing so"),
    footer(LOGS, &[char('t')], Action::Times, "times", "show or hide the time of each line"),
    footer(LOGS, &[char('w')], Action::Wrap, "wrap", "wrap long lines, or cut them"),
    footer(LOGS, &[char('/')], Action::Search, "search", "search the whole log; matches are marked and counted"),
    footer(LOGS, &[char('e')], Action::NextError, "error", "go to the next line that tells of an error"),
    row(LOGS, &[char('E')], Action::PreviousError, "error before", "go to the line before that tells of an error"),
    row(LOGS, &[char('m')], Action::ToMarker, "marker", "go to the executor's start marker"),
    row(LOGS, &[char('o')], Action::ToResult, "result", "go to the executor's result line"),
    row(LOGS, &[char('p')], Action::PrettyLog, "pretty", "lay out lines that are JSON, or show them as they are"),
    row(LOGS, &[char('s')], Action::LogSince, "since", "show the last 1, 5, 15 or 60 minutes of the log, then all again"),
    row(LOGS, &[char('n')], Action::NextMatch, "next match", "go to the next line that matches"),
    row(LOGS, &[char('N')], Action::PreviousMatch, "previous match", "go to the line before that matches"),
    footer(DETAIL, &[char('y')], Action::CopyKubectl, "kubectl", "copy the kubectl command that shows the same"),
    footer(DETAIL, &[char('c')], Action::Copy, "copy", "copy what this tab shows"),
    footer(DETAIL, &[control('s')], Action::SaveLog, "save log", "save the whole log to a file"),
    row(&[Context::Detail], &[char('u')], Action::Unfold, "unfold", "show the managed fields of the manifest as they are, or fold them again"),
    row(DETAIL, &[char('l')], Action::Logs, "logs", "show the log of the run"),
    row(DETAIL, &[char('R')], Action::RunAgain, "again", "send the run's request once more, as the next pass through its node"),
    row(DETAIL, &[char('C')], Action::CloneRun, "clone", "open the run dialog with the request of the run, to change it"),
    row(DETAIL, &[char('K')], Action::KeepRun, "keep", "keep the run's Job longer: raise its TTL"),
    footer(DETAIL, &[ESC], Action::Dismiss, "back", "go back to the list of runs"),
    footer(&[Context::LogSearch], &[ENTER], Action::Accept, "go", "go to the next match and leave the search field"),
    footer(&[Context::LogSearch], &[ESC], Action::Dismiss, "clear", "leave the search and take the marks away"),

    // Overlays
    footer(OVERLAYS, &[char('a')], Action::ApplyOverlay, "apply", "show what applying would change, then apply it"),
    footer(OVERLAYS, &[char('v'), ENTER], Action::DiffOverlay, "diff", "show how the overlay differs from the cluster"),
    footer(OVERLAYS, &[char('/')], Action::Filter, "filter", "filter the overlays"),
    row(OVERLAYS, &[ESC], Action::Dismiss, "clear", "clear the filter"),
    footer(&[Context::OverlaysFilter], &[ENTER], Action::Accept, "keep filter", "leave the filter and keep what it found"),
    footer(&[Context::OverlaysFilter], &[ESC], Action::Dismiss, "clear", "leave the filter and show all overlays again"),
    footer(DIFF, &[ENTER, char('a')], Action::Accept, "apply", "apply the overlay as shown"),
    footer(DIFF, &[char('f')], Action::TakeOwnership, "take ownership", "take over the fields that others own, when applying"),
    footer(DIFF, &[char('p')], Action::PruneOverlay, "prune too", "also remove what the overlay does not hold any more, when applying"),
    footer(DIFF, &[char('/')], Action::Filter, "filter", "filter the objects"),
    footer(DIFF, &[ESC, char('q')], Action::Dismiss, "close", "close without applying"),
    footer(&[Context::DiffFilter], &[ENTER], Action::Accept, "keep filter", "leave the filter and keep what it found"),
    footer(&[Context::DiffFilter], &[ESC], Action::Dismiss, "clear", "leave the filter and show all objects again"),

    // Settings
    footer(SETTINGS, &[char('e'), ENTER], Action::EditSettings, "edit", "open the settings form"),
    footer(FORM, &[ENTER, char('e'), char(' ')], Action::Accept, "edit", "type a new value, or switch it over"),
    footer(FORM, &[char('+'), RIGHT, char('l')], Action::Right, "more", "a number one step up, or switch over"),
    row(FORM, &[char('-'), LEFT, char('h')], Action::Left, "less", "a number one step down, or switch over"),
    footer(SETTINGS_ALL, &[char('s'), control('s')], Action::SaveSettings, "save", "save the settings to their file"),
    row(SETTINGS, &[char('S')], Action::ReviewSettings, "save to", "choose where to save: the file, the cluster; what changes in each is shown first"),
    footer(FORM_BOTH, &[char('S')], Action::ReviewSettings, "save to", "choose where to save: the file, the cluster; what changes in each is shown first"),
    footer(REVIEW, &[ENTER, char('s'), control('s')], Action::Accept, "save", "save to the chosen places"),
    footer(REVIEW, &[char(' ')], Action::ToggleTarget, "choose", "save to the selected place, or leave it"),
    footer(REVIEW, &[char('f')], Action::TakeOwnership, "take ownership", "take over the keys that others own, when saving"),
    footer(REVIEW, &[char('o')], Action::SaveElsewhere, "other file", "save the settings with their changes to another file: the disk is full, the file read-only"),
    footer(REVIEW, &[ESC, char('q')], Action::Dismiss, "back", "go back to the form; nothing is saved"),
    footer(SETTINGS_BOTH, &[char('u')], Action::UndoSetting, "undo", "undo the change of the selected setting"),
    footer(FORM, &[char('/')], Action::Filter, "jump", "go to a setting by a part of its name"),
    footer(SETTINGS_BOTH, &[char('D')], Action::ShowSettingsDiff, "diff", "show the changes that are not saved"),
    footer(SETTINGS_DIFF, &[char('U')], Action::UndoAllSettings, "undo all", "undo all changes that are not saved"),
    row(SETTINGS_BOTH, &[char('U')], Action::UndoAllSettings, "undo all", "undo all changes that are not saved"),
    footer(FORM, &[char('d')], Action::ResetSetting, "reset", "set the selected setting back to its default"),
    footer(FORM, &[ESC, char('q')], Action::Dismiss, "back", "leave the form; changes stay and are counted in the pane"),
    footer(SETTINGS_DIFF, &[ESC, char('q'), char('D'), ENTER], Action::Dismiss, "back", "go back to the form"),
    footer(&[Context::SettingsText], &[ENTER], Action::Accept, "take", "take the value as typed"),
    footer(&[Context::SettingsText], &[ESC], Action::Dismiss, "as before", "leave the field as it was before"),
    row(&[Context::SettingsText], &[control('s')], Action::SaveSettings, "save", "take the value and save the settings"),
    footer(LIST, &[ENTER], Action::Accept, "next, blank ends", "begin a new line; on a blank one, take the list"),
    footer(LIST, &[control('z')], Action::UndoEdit, "undo", "take the last change back"),
    footer(LIST, &[control('s')], Action::SaveSettings, "save", "take the list and save the settings"),
    footer(LIST, &[ESC], Action::Dismiss, "as before", "leave the list as it was before"),
    footer(ELSEWHERE, &[ENTER, control('s')], Action::Accept, "save there", "save the settings with their changes to that file, which must be new"),
    footer(ELSEWHERE, &[ESC], Action::Dismiss, "back", "go back to the places; nothing is saved"),

    // Checks
    footer(CHECKS, &[ENTER], Action::Accept, "open", "look at the database or the checkout, and show what was found"),
    footer(CHECKS, &[char('u')], Action::CheckAgain, "look again", "look at the database or the checkout once more"),
    row(CHECKS, &[char('r')], Action::NewRun, "run", "start a sample run"),
    footer(MIGRATION, &[char('a')], Action::ApplyMigration, "apply", "migrate as shown, once the database's name is typed; a backup first"),
    footer(MIGRATION, &[char('t')], Action::RaiseTimeout, "raise timeout", "also raise a dispatch timeout of exactly 60 s, the old default, or leave it"),
    footer(&[Context::Migrating], &[ESC], Action::Dismiss, "roll back", "end the migration: the database is as it was"),
    footer(FOUND, &[char('/')], Action::Filter, "filter", "filter the rows"),
    footer(FOUND, &[char('u')], Action::CheckAgain, "look again", "look at the database or the checkout once more"),
    footer(FOUND, &[char('y')], Action::Copy, "copy", "copy the selected row with what is behind it"),
    footer(FOUND, &[ESC, char('q')], Action::Dismiss, "close", "clear the filter, or close"),
    footer(&[Context::ChecksFilter], &[ENTER], Action::Accept, "keep filter", "leave the filter and keep what it found"),
    footer(&[Context::ChecksFilter], &[ESC], Action::Dismiss, "clear", "leave the filter and show all rows again"),

    // Run dialog
    footer(RUN_DIALOG, &[ENTER], Action::Accept, "start", "start the run"),
    footer(RUN_DIALOG, &[char('p')], Action::PreviewManifest, "preview", "show the ConfigMap and the Job before they are made"),
    footer(RUN_DIALOG, &[char('e')], Action::EditPayload, "edit payload", "edit the payload as YAML or JSON; what it breaks is told while typing"),
    row(RUN_DIALOG, &[char('o')], Action::OpenKnown, "open known run", "go to the run that was this very request already"),
    row(RUN_DIALOG, &[char('i')], Action::NextPass, "next pass", "run the request as the next pass through its node"),
    footer(RUN_DIALOG, &[char('f')], Action::FillForm, "fields", "fill in the fields of a node's request; what each wants stands with it"),
    footer(RUN_FORM, &[ENTER, control('s')], Action::TakePayload, "take", "take the fields as filled in, once nothing is wrong with them"),
    footer(RUN_FORM, &[control('t')], Action::NextChoice, "next choice", "the next of the words that the field may hold"),
    footer(RUN_FORM, &[ESC], Action::Dismiss, "leave", "leave the fields as they were before"),
    footer(PAYLOAD, &[control('s')], Action::TakePayload, "take", "take the payload as typed, once nothing is wrong with it"),
    footer(PAYLOAD, &[control('t')], Action::OtherLanguage, "JSON or YAML", "write the payload in the other language"),
    footer(PAYLOAD, &[control('z')], Action::UndoEdit, "undo", "take the last change back"),
    row(PAYLOAD, &[ENTER], Action::Accept, "new line", "begin a new line"),
    footer(PAYLOAD, &[ESC], Action::Dismiss, "leave", "leave the payload as it was before"),
    row(RUN_DIALOG, &[LEFT, char('h')], Action::Left, "previous", "choose the previous sample or image class"),
    row(RUN_DIALOG, &[RIGHT, char('l')], Action::Right, "next", "choose the next sample or image class"),
    footer(RUN_DIALOG, &[ESC, char('q')], Action::Dismiss, "close", "close without starting anything"),
    footer(&[Context::RunDialogText], &[ENTER], Action::Accept, "start", "take the value and start the run"),
    footer(&[Context::RunDialogText], &[ESC], Action::Dismiss, "close", "close without starting anything"),

    // Questions
    footer(&[Context::Question], &[char('y'), char('Y')], Action::Yes, "yes", "do what the question asks"),
    footer(&[Context::Question], &[char('n'), char('N'), ENTER], Action::No, "no (or enter)", "do nothing; enter says no as well"),
    row(&[Context::Question], &[ESC, char('q')], Action::Dismiss, "no", "do nothing and close"),
    footer(&[Context::QuestionText], &[ENTER], Action::Accept, "do it", "do what the question asks, once the name is typed"),
    footer(&[Context::QuestionText], &[ESC], Action::Dismiss, "no", "do nothing and close"),

    // Pages
    footer(&[Context::Help], &[ESC, char('q'), char('?'), ENTER], Action::Dismiss, "close", "close the help and go on"),
    footer(&[Context::Messages], &[ESC, char('q'), char('!'), ENTER], Action::Dismiss, "close", "close the message history"),
    footer(PALETTE, &[ENTER], Action::Accept, "do it", "do the selected action"),
    // Plain `y` is a letter of what is typed here.
    footer(PALETTE, &[control('y')], Action::Copy, "copy CLI line", "copy the command line that does the same"),
    footer(PALETTE, &[ESC, control('p')], Action::Dismiss, "close", "close the palette and do nothing"),

    // Movement
    row(MOVABLE, &[char('j'), DOWN], Action::Down, "down", "one row down"),
    row(MOVABLE, &[char('k'), UP], Action::Up, "up", "one row up"),
    row(TYPED, &[DOWN], Action::Down, "down", "one row down"),
    row(TYPED, &[UP], Action::Up, "up", "one row up"),
    row(PAGED, &[control('d'), PAGE_DOWN], Action::PageDown, "page down", "half a screen down"),
    row(PAGED, &[control('u'), PAGE_UP], Action::PageUp, "page up", "half a screen up"),
    row(PAGED_TYPED, &[PAGE_DOWN], Action::PageDown, "page down", "half a screen down"),
    row(PAGED_TYPED, &[PAGE_UP], Action::PageUp, "page up", "half a screen up"),
    row(PAGED, &[char('g'), HOME], Action::Top, "first", "to the first row"),
    row(PAGED, &[char('G'), END], Action::Bottom, "last", "to the last row"),
    row(FIELDS, &[TAB], Action::FocusNext, "next field", "to the next field"),
    row(FIELDS, &[BACK_TAB], Action::FocusPrevious, "previous field", "to the previous field"),

    // Everywhere
    row(MAIN, &[char('1')], Action::Focus(Pane::Overlays), "overlays", "go to the overlays"),
    row(MAIN, &[char('2')], Action::Focus(Pane::Settings), "settings", "go to the settings"),
    row(MAIN, &[char('3')], Action::Focus(Pane::Runs), "runs", "go to the runs"),
    row(MAIN, &[char('0')], Action::Focus(Pane::Detail), "detail", "go to the detail of the selected run"),
    row(MAIN, &[char('5')], Action::Focus(Pane::Checks), "checks", "go to the checks: Studio's database, the checkout"),
    row(MAIN, &[TAB], Action::FocusNext, "next pane", "go to the next pane"),
    row(MAIN, &[BACK_TAB], Action::FocusPrevious, "previous pane", "go to the pane before"),
    row(ANYWHERE, &[char(':'), control('p')], Action::Palette, "palette", "every action by name, with its CLI line"),
    row(ANYWHERE, &[char('!')], Action::Messages, "messages", "every message of this session"),
    row(ANYWHERE, &[char('?')], Action::Help, "help", "this page: every key"),
    row(MAIN, &[char('q')], Action::Quit, "quit", "leave the program; runs go on in the cluster"),
    row(ANYWHERE, &[control('c')], Action::Quit, "quit", "leave the program from wherever you are"),
];
