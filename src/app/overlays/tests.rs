//! Keys and answers in, what is shown and asked of the world out.

use super::super::notices::Weight;
use super::super::question::Question;
use super::super::{Dialog, Effect as AnyEffect};
use super::*;
use crate::domain::overlays::Origin;
use crate::domain::overlays::objects::{ObjectRef, Objects};
use crate::domain::overlays::plan::{Change, ChangeKind, Ownership};
use crate::domain::overlays::progress::{Applied, Outcome};
use serde_json::json;

fn overlay(name: &str, files: &[&str]) -> Overlay {
    let mut overlay = Overlay::found(name, Origin::BuiltIn);
    overlay.files = files.iter().map(|f| (*f).to_owned()).collect();
    overlay
}

fn plan(name: &str, kinds: Vec<ChangeKind>) -> Plan {
    let changes: Vec<Change> = kinds
        .into_iter()
        .enumerate()
        .map(|(n, kind)| Change {
            object: ObjectRef {
                api_version: "v1".into(),
                kind: "ConfigMap".into(),
                namespace: Some("llmctl".into()),
                name: format!("o{n}"),
            },
            kind,
            fields: Vec::new(),
        })
        .collect();
    Plan {
        overlay: name.into(),
        namespaces: vec!["llmctl".into()],
        objects: Objects::new(changes.iter().map(|_| json!({})).collect()),
        changes,
        notes: Vec::new(),
        applied: true,
    }
}

struct Told {
    slice: Slice,
    effects: Vec<AnyEffect>,
    notices: Vec<Notice>,
    question: Option<Question>,
    closed: bool,
}

impl Told {
    fn new() -> Self {
        let mut told = Self {
            slice: Slice::default(),
            effects: Vec::new(),
            notices: Vec::new(),
            question: None,
            closed: false,
        };
        told.turn(|slice, turn| slice.linked(true, turn));
        told.msg(Msg::Listed(vec![
            overlay("executor", &[]),
            overlay("minikube", &["/o/minikube/k.yaml"]),
        ]));
        told
    }

    fn turn(&mut self, f: impl FnOnce(&mut Slice, &mut Turn)) {
        let mut turn = Turn::new("2026-11-24T08:00:00Z".parse().unwrap());
        f(&mut self.slice, &mut turn);
        self.effects.extend(turn.effects);
        self.notices.extend(turn.notices);
        self.closed |= turn.close;
        if let Some(Dialog::Question(question)) = turn.open {
            self.question = Some(*question);
        }
    }

    fn msg(&mut self, msg: Msg) {
        self.turn(|slice, turn| slice.update(msg, turn));
    }

    fn press(&mut self, action: Action) {
        self.turn(|slice, turn| slice.act(action, 10, "llmctl @ SANDBOX demo", turn));
    }

    fn planned(&mut self, plan: Plan) {
        self.msg(Msg::Planned {
            name: plan.overlay.clone(),
            result: Ok(plan),
        });
    }

    fn taken(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
            .into_iter()
            .map(|effect| match effect {
                AnyEffect::Overlays(effect) => effect,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn standing(&self, name: &str) -> String {
        self.slice.row(name).unwrap().overlay.standing.words()
    }
}

fn asks_plan(name: &str) -> Effect {
    Effect::Plan { name: name.into() }
}

#[test]
fn what_is_listed_is_compared_once_the_cluster_answers() {
    let mut told = Told::new();
    assert_eq!(told.taken(), [asks_plan("executor"), asks_plan("minikube")]);
    assert!(told.slice.row("executor").unwrap().comparing);
    told.planned(plan("executor", vec![ChangeKind::Same]));
    assert_eq!(told.standing("executor"), "in sync");
    // Lost and found again: compared anew; what was known stays meanwhile.
    told.turn(|slice, turn| slice.linked(false, turn));
    assert!(told.taken().is_empty());
    told.turn(|slice, turn| slice.linked(true, turn));
    assert_eq!(told.taken().len(), 2);
    assert_eq!(told.standing("executor"), "in sync");
}

#[test]
fn changed_files_are_marked_listed_and_compared_again() {
    let mut told = Told::new();
    told.taken();
    told.msg(Msg::FilesChanged(vec!["/o/other/k.yaml".into()]));
    assert!(!told.slice.row("minikube").unwrap().changed_on_disk);
    told.msg(Msg::FilesChanged(vec!["/o/minikube/k.yaml".into()]));
    assert!(told.slice.row("minikube").unwrap().changed_on_disk);
    assert_eq!(told.taken(), [Effect::List, Effect::List]);
    told.msg(Msg::Listed(vec![overlay(
        "minikube",
        &["/o/minikube/k.yaml"],
    )]));
    assert_eq!(told.taken(), [asks_plan("minikube")]);
    assert!(
        told.slice.row("minikube").unwrap().changed_on_disk,
        "until it is looked at"
    );
    assert!(told.slice.row("executor").is_none());
    told.press(Action::DiffOverlay);
    assert!(!told.slice.row("minikube").unwrap().changed_on_disk);
}

#[test]
fn files_that_change_under_the_diff_take_the_switches_back() {
    let leftover = || ChangeKind::Prunable { uid: "u".into() };
    let mut told = Told::new();
    told.press(Action::DiffOverlay);
    told.planned(plan("executor", vec![ChangeKind::Same, leftover()]));
    told.press(Action::PruneOverlay);
    assert!(told.slice.diff.as_ref().unwrap().options.prune);
    told.planned(plan("executor", vec![ChangeKind::Same, leftover()]));
    assert!(told.notices.is_empty(), "the same again is no news");
    told.planned(plan(
        "executor",
        vec![ChangeKind::Same, ChangeKind::Create, leftover()],
    ));
    assert!(!told.slice.diff.as_ref().unwrap().options.prune);
    assert!(told.notices.pop().unwrap().text.contains("changed"));
}

#[test]
fn looking_compares_again_but_not_at_every_glance() {
    let mut told = Told::new();
    told.taken();
    told.turn(Slice::looked_at);
    assert!(told.taken().is_empty());
    told.turn(|slice, turn| {
        turn.now = "2026-11-24T08:00:11Z".parse().unwrap();
        slice.looked_at(turn);
    });
    assert_eq!(told.taken().len(), 2);
}

#[test]
fn a_plain_apply_is_the_diff_and_enter() {
    let mut told = Told::new();
    told.press(Action::Down);
    told.press(Action::ApplyOverlay);
    told.taken();
    told.press(Action::Accept);
    assert!(
        told.taken().is_empty()
            && told
                .notices
                .pop()
                .unwrap()
                .text
                .contains("still being compared")
    );
    let shown = plan("minikube", vec![ChangeKind::Create, ChangeKind::Same]);
    told.planned(shown.clone());
    told.press(Action::Accept);
    assert_eq!(
        told.taken(),
        [Effect::Apply {
            plan: shown,
            options: ApplyOptions::default()
        }]
    );
    assert_eq!(told.slice.applying.as_ref().unwrap().total, 2);
    told.press(Action::Accept);
    assert!(told.taken().is_empty(), "one apply at a time");

    let done = Applied {
        object: ObjectRef {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: None,
            name: "o0".into(),
        },
        outcome: Outcome::Created,
    };
    told.msg(Msg::Progressed {
        name: "minikube".into(),
        progress: Progress {
            done: 1,
            total: 2,
            applied: done.clone(),
        },
    });
    assert_eq!(told.slice.applying.as_ref().unwrap().applied.len(), 1);
    let report = Report {
        overlay: "minikube".into(),
        applied: vec![done],
        lost: false,
    };
    told.msg(Msg::Applied {
        name: "minikube".into(),
        result: Ok(report),
    });
    assert!(told.slice.applying.is_none());
    assert_eq!(
        told.notices.pop().unwrap(),
        Notice::good("overlay minikube applied: 1 created")
    );
    assert_eq!(told.taken(), [asks_plan("executor"), asks_plan("minikube")]);
}

#[test]
fn conflicts_are_taken_only_when_asked_for_and_confirmed() {
    let owners = vec![Ownership {
        owner: "kubectl-edit".into(),
        fields: vec![".data.a".into()],
    }];
    let shown = plan("executor", vec![ChangeKind::Conflict(owners)]);
    let mut told = Told::new();
    told.press(Action::DiffOverlay);
    told.planned(shown.clone());
    told.taken();
    told.press(Action::Accept);
    let notice = told.notices.pop().unwrap();
    assert!(
        notice
            .text
            .contains(".data.a of ConfigMap/o0 is owned by kubectl-edit; f takes"),
        "{notice:?}"
    );
    assert!(told.taken().is_empty());
    told.press(Action::TakeOwnership);
    told.press(Action::Accept);
    let question = told.question.take().unwrap();
    assert_eq!(question.wants, None);
    assert!(
        question.text.contains("ConfigMap/o0") && question.text.contains("llmctl @ SANDBOX demo")
    );
    let options = ApplyOptions {
        force: true,
        prune: false,
    };
    let effect = Effect::Apply {
        plan: shown,
        options,
    };
    assert_eq!(question.effects, [AnyEffect::Overlays(effect.clone())]);
    assert!(
        told.slice.applying.is_none(),
        "nothing begins before the answer"
    );
    told.slice.leaving(&effect);
    assert!(told.slice.applying.is_some());
}

#[test]
fn pruning_asks_for_the_name() {
    let shown = plan(
        "executor",
        vec![ChangeKind::Same, ChangeKind::Prunable { uid: "u".into() }],
    );
    let mut told = Told::new();
    told.press(Action::DiffOverlay);
    told.planned(shown);
    told.taken();
    told.press(Action::Accept);
    assert!(
        told.notices
            .pop()
            .unwrap()
            .text
            .contains("nothing to apply")
    );
    told.press(Action::PruneOverlay);
    told.press(Action::Accept);
    let question = told.question.take().unwrap();
    assert_eq!(question.wants.as_deref(), Some("executor"));
    assert!(question.text.contains("remove ConfigMap/o1"));
}

#[test]
fn switches_that_do_nothing_say_so() {
    let mut told = Told::new();
    told.press(Action::DiffOverlay);
    told.planned(plan("executor", vec![ChangeKind::Same]));
    told.press(Action::TakeOwnership);
    told.press(Action::PruneOverlay);
    assert_eq!(told.notices.len(), 2);
    assert_eq!(
        told.slice.diff.as_ref().unwrap().options,
        ApplyOptions::default()
    );
}

#[test]
fn failures_are_told_with_their_reason() {
    let mut told = Told::new();
    told.press(Action::DiffOverlay);
    for name in ["executor", "minikube"] {
        let why = "cannot compare: no answer within 15 s".to_owned();
        told.msg(Msg::Planned {
            name: name.into(),
            result: Err(PlanFailure::Cluster(why)),
        });
    }
    assert_eq!(told.notices.len(), 1, "once for all");
    assert_eq!(told.standing("minikube"), "unknown");
    let problem = Problem {
        file: "k.yaml".into(),
        line: Some(2),
        what: "unknown field `x`".into(),
        next: "correct it".into(),
    };
    told.msg(Msg::Planned {
        name: "executor".into(),
        result: Err(PlanFailure::Broken(problem)),
    });
    assert_eq!(told.standing("executor"), "broken");
    told.press(Action::Accept);
    assert_eq!(
        told.notices.last().unwrap().text,
        "k.yaml:2: unknown field `x`; correct it"
    );
    told.msg(Msg::Applied {
        name: "executor".into(),
        result: Err("refused".into()),
    });
    assert_eq!(told.notices.last().unwrap().weight, Weight::Bad);
}

#[test]
fn the_filter_narrows_and_escape_steps_back() {
    let mut told = Told::new();
    told.press(Action::Filter);
    assert_eq!(told.slice.list_context(), Context::OverlaysFilter);
    for c in "mini".chars() {
        told.slice.edit(&InputRequest::InsertChar(c));
    }
    assert_eq!(told.slice.selected.as_deref(), Some("minikube"));
    told.press(Action::Accept);
    assert_eq!(told.slice.visible().count(), 1);
    told.press(Action::DiffOverlay);
    told.planned(plan(
        "minikube",
        vec![ChangeKind::Create, ChangeKind::Create],
    ));
    told.press(Action::Filter);
    told.slice.edit(&InputRequest::InsertChar('1'));
    let lines = |told: &Told| {
        let diff = told.slice.diff.as_ref().unwrap();
        diff.lines(told.slice.row("minikube").unwrap()).len()
    };
    assert_eq!(lines(&told), 1);
    told.press(Action::Dismiss);
    assert_eq!((lines(&told), told.closed), (2, false));
    told.press(Action::Dismiss);
    assert!(told.closed && told.slice.diff.is_none());
}
