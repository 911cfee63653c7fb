//! The checks, messages and keys in, effects out.

use super::super::action::Action as A;
use super::*;
use crate::app::{Effect as AnyEffect, Msg as AnyMsg, State, settings, update};
use crate::domain::migration::runs::{Column, RunChange};
use crate::domain::migration::settings::{Fate, SettingChange, SettingRow};
use crate::domain::target::Target;
use tui_input::InputRequest;

pub(crate) fn named(eager: bool) -> Named {
    Named {
        place: "file old.sqlite3".into(),
        name: "old.sqlite3".into(),
        flags: "--sqlite old.sqlite3".into(),
        eager,
    }
}

pub(crate) fn plan() -> Plan {
    let mut plan = Plan::default();
    plan.settings.changes.push(SettingChange {
        row: SettingRow {
            id: 1,
            key: "provider".into(),
            value: "docker".into(),
        },
        fate: Fate::Becomes {
            key: "provider".into(),
            value: "kubernetes".into(),
        },
        why: "there is one provider".into(),
    });
    plan.runs.looked_at = 3;
    plan.runs.changed = 2;
    plan.runs.rows = (7..9)
        .map(|id| RunChange {
            id,
            status: "succeeded".into(),
            cells: vec![(
                Column::SelectedProvider,
                Some("docker".into()),
                Some("kubernetes".into()),
            )],
        })
        .collect();
    plan
}

fn state() -> State {
    let now = "2026-11-24T14:00:00Z".parse().unwrap();
    State::new(
        Target::sandbox(),
        "llmctl".into(),
        now,
        settings::Slice::default(),
    )
}

fn send(state: &mut State, msg: Msg) -> Vec<AnyEffect> {
    update(state, AnyMsg::Checks(msg))
}

fn act(state: &mut State, action: A) -> Vec<AnyEffect> {
    update(state, AnyMsg::Do(action))
}

fn write(state: &mut State, text: &str) {
    for c in text.chars() {
        update(state, AnyMsg::Edit(InputRequest::InsertChar(c)));
    }
}

fn with_plan() -> State {
    let mut state = state();
    let effects = send(&mut state, Msg::Database(Ok(named(true))));
    assert_eq!(
        effects,
        [AnyEffect::Checks(Effect::Look { raise: false })],
        "what costs nothing is looked at unasked"
    );
    send(&mut state, Msg::Looked(Ok(plan())));
    act(&mut state, A::ShowMigration);
    state
}

#[test]
fn a_port_forward_is_not_opened_unasked() {
    let mut state = state();
    assert!(!state.checks.has_news());
    assert_eq!(send(&mut state, Msg::Database(Ok(named(false)))), []);
    assert!(state.checks.has_news());
    let effects = act(&mut state, A::ShowMigration);
    assert_eq!(effects, [AnyEffect::Checks(Effect::Look { raise: false })]);
    // Somebody who looks twice waits for the same answer.
    assert_eq!(act(&mut state, A::CheckAgain), []);
}

#[test]
fn a_migration_wants_the_name_typed_and_begins_with_what_was_shown() {
    let mut state = with_plan();
    assert_eq!(act(&mut state, A::ApplyMigration), []);
    assert_eq!(state.context(), Context::QuestionText);
    write(&mut state, "old");
    assert_eq!(act(&mut state, A::Accept), [], "half a name is no answer");
    write(&mut state, ".sqlite3");
    let effects = act(&mut state, A::Accept);
    let shown = Box::new(plan());
    assert_eq!(
        effects,
        [AnyEffect::Checks(Effect::Migrate {
            plan: shown,
            raise: false
        })]
    );
    assert!(state.checks.work.is_some());

    // Escape rolls back, once, and the list stays until the end is known.
    let stop = [AnyEffect::Checks(Effect::Stop)];
    assert_eq!(act(&mut state, A::Dismiss), stop);
    assert_eq!(act(&mut state, A::Dismiss), []);
    assert_eq!(state.dialogs, [Dialog::Checks]);
    let again = send(&mut state, Msg::Migrated(Err("interrupted".into())));
    assert_eq!(again, [AnyEffect::Checks(Effect::Look { raise: false })]);
    assert_eq!(
        state.checks.outcome,
        Some(Outcome::Failed("interrupted".into()))
    );
    act(&mut state, A::Dismiss);
    assert!(state.dialogs.is_empty());
}

#[test]
fn an_empty_plan_is_not_applied() {
    let mut state = state();
    send(&mut state, Msg::Database(Ok(named(true))));
    act(&mut state, A::ShowMigration);
    act(&mut state, A::ApplyMigration);
    send(&mut state, Msg::Looked(Ok(Plan::default())));
    act(&mut state, A::ApplyMigration);
    assert_eq!(state.dialogs, [Dialog::Checks]);
}

#[test]
fn rows_are_filtered_by_what_is_in_them_and_behind_them() {
    let mut state = with_plan();
    assert_eq!(state.checks.list.len(), 3);
    act(&mut state, A::Filter);
    write(&mut state, "one provider");
    let list = &state.checks.list;
    assert_eq!((list.len(), list.total()), (1, 3));
    assert_eq!(
        list.current().unwrap().mark,
        items::Mark::Changed,
        "{list:?}"
    );
    act(&mut state, A::Accept);
    act(&mut state, A::Dismiss);
    assert_eq!(state.checks.list.len(), 3, "escape clears the filter first");
    assert_eq!(state.dialogs, [Dialog::Checks]);
}

#[test]
fn the_old_timeout_is_raised_when_asked_for() {
    let mut state = with_plan();
    let effects = act(&mut state, A::RaiseTimeout);
    assert_eq!(effects, [AnyEffect::Checks(Effect::Look { raise: true })]);
}

#[test]
fn a_cluster_that_comes_back_is_asked_again_for_its_database() {
    let mut state = state();
    send(&mut state, Msg::Database(Err("no answer".into())));
    let mut turn = Turn::new(state.now);
    state.checks.linked(true, &mut turn);
    assert_eq!(turn.effects, [AnyEffect::Checks(Effect::Find)]);
}
