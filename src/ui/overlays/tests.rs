//! The named states of the pane and the diff.

use super::super::stage::{Stage, theme};
use super::super::theme::{Colors, Theme, Tone};
use crate::app::Msg as AnyMsg;
use crate::app::overlays::{Effect, Msg};
use crate::domain::overlays::objects::{ObjectRef, Objects};
use crate::domain::overlays::plan::{Change, ChangeKind, FieldChange, Ownership, Plan};
use crate::domain::overlays::progress::{Applied, Outcome, Progress, Report};
use crate::domain::overlays::{Origin, Overlay, Problem, Standing};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

fn overlays() -> Vec<Overlay> {
    let about = |name: &str, about: &str, path: &str| {
        let mut overlay = Overlay::found(name, Origin::Directory(path.into()));
        overlay.about = about.into();
        overlay.files = vec![format!("{path}/kustomization.yaml")];
        overlay
    };
    let mut broken = about("studio", "The whole Studio.", "/src/llmctl/overlays/studio");
    broken.standing = Standing::Broken(Problem {
        file: "/src/llmctl/overlays/studio/kustomization.yaml".into(),
        line: Some(7),
        what: "unknown field `vars`".into(),
        next: "correct the name, or take the field out: llmctl-dev renders the common part of kustomize only".into(),
    });
    vec![
        about(
            "executor",
            "What executor Jobs need in any cluster.",
            "/src/llmctl/overlays/executor",
        ),
        about(
            "minikube",
            "The executor overlay for one Minikube node, with images that are built inside it and never pulled.",
            "/src/llmctl/overlays/minikube",
        ),
        about(
            "minikube-live-code",
            "The same, with the checkout mounted.",
            "/src/llmctl/overlays/minikube-live-code",
        ),
        broken,
    ]
}

fn object(kind: &str, name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "v1".into(),
        kind: kind.into(),
        namespace: Some("llmctl".into()),
        name: name.into(),
    }
}

fn change(kind: &str, name: &str, what: ChangeKind, fields: &[(&str, Value, Value)]) -> Change {
    let some = |v: &Value| (!v.is_null()).then(|| v.clone());
    Change {
        object: object(kind, name),
        kind: what,
        fields: fields
            .iter()
            .map(|(path, before, after)| FieldChange {
                path: (*path).into(),
                before: some(before),
                after: some(after),
            })
            .collect(),
    }
}

fn plan(name: &str, changes: Vec<Change>, applied: bool) -> Plan {
    Plan {
        overlay: name.into(),
        namespaces: vec!["llmctl".into()],
        objects: Objects::new(changes.iter().map(|_| json!({})).collect()),
        changes,
        notes: Vec::new(),
        applied,
    }
}

fn same(count: usize) -> Vec<Change> {
    (0..count)
        .map(|n| change("ConfigMap", &format!("same-{n}"), ChangeKind::Same, &[]))
        .collect()
}

/// What `screens.md` calls the diff before apply, and the hostile text that a cluster may send.
fn changes() -> Plan {
    let owners = vec![Ownership {
        owner: "kubectl-edit".into(),
        fields: vec![".spec.replicas".into()],
    }];
    let mut changes = vec![
        change(
            "ConfigMap",
            "llmctl-executor-settings",
            ChangeKind::Create,
            &[],
        ),
        change(
            "Deployment",
            "llmctl-studio-backend",
            ChangeKind::Update,
            &[
                (
                    "spec.template.spec.containers[studio].image",
                    json!("llmctl-studio-backend:0.1.0"),
                    json!("llmctl-studio-backend:0.2.0"),
                ),
                (
                    "spec.template.spec.containers[studio].env[NOTE].value",
                    Value::Null,
                    json!("red \u{1b}[31mtext\u{202e} and 日本語"),
                ),
                (
                    "spec.template.spec.containers[studio].args[0]",
                    json!("0"),
                    Value::Null,
                ),
            ],
        ),
        change(
            "Secret",
            "llmctl-studio-secrets",
            ChangeKind::Update,
            &[("data.FLASK_SECRET_KEY", json!("***"), json!("***"))],
        ),
        change(
            "Deployment",
            "llmctl-redis",
            ChangeKind::Conflict(owners),
            &[("spec.replicas", json!(2), json!(1))],
        ),
        change(
            "ConfigMap",
            "llmctl-old",
            ChangeKind::Prunable { uid: "u".into() },
            &[],
        ),
    ];
    changes.extend(same(36));
    plan("minikube", changes, true)
}

fn listed() -> Stage {
    let mut stage = Stage::minikube();
    stage.send(AnyMsg::Overlays(Msg::Listed(overlays())));
    stage.press(&["1"]);
    stage
}

fn send(stage: &mut Stage, msg: Msg) {
    stage.send(AnyMsg::Overlays(msg));
}

fn compared() -> Stage {
    let mut stage = listed();
    for plan in [
        plan("executor", same(6), false),
        changes(),
        plan(
            "minikube-live-code",
            vec![change("ConfigMap", "x", ChangeKind::Create, &[])],
            false,
        ),
    ] {
        send(
            &mut stage,
            Msg::Planned {
                name: plan.overlay.clone(),
                result: Ok(plan),
            },
        );
    }
    stage
}

fn diff() -> Stage {
    let mut stage = compared();
    stage.press(&["j", "v"]);
    send(
        &mut stage,
        Msg::Planned {
            name: "minikube".into(),
            result: Ok(changes()),
        },
    );
    stage
}

fn applying(done: usize) -> Stage {
    let mut stage = listed();
    let plan = plan(
        "executor",
        [
            "Namespace",
            "ServiceAccount",
            "Role",
            "RoleBinding",
            "ConfigMap",
        ]
        .iter()
        .map(|kind| change(kind, "llmctl", ChangeKind::Create, &[]))
        .collect(),
        false,
    );
    send(
        &mut stage,
        Msg::Planned {
            name: "executor".into(),
            result: Ok(plan.clone()),
        },
    );
    stage.press(&["a"]);
    send(
        &mut stage,
        Msg::Planned {
            name: "executor".into(),
            result: Ok(plan.clone()),
        },
    );
    stage.press(&["enter"]);
    assert!(
        stage
            .effects
            .iter()
            .any(|effect| matches!(effect, crate::app::Effect::Overlays(Effect::Apply { .. })))
    );
    for (at, change) in plan.changes.iter().take(done).enumerate() {
        let outcome = if change.object.kind == "Role" {
            Outcome::Failed("roles.rbac.authorization.k8s.io \"llmctl\" is forbidden: attempting to grant permissions not currently held".into())
        } else {
            Outcome::Created
        };
        let applied = Applied {
            object: change.object.clone(),
            outcome,
        };
        send(
            &mut stage,
            Msg::Progressed {
                name: "executor".into(),
                progress: Progress {
                    done: at + 1,
                    total: 5,
                    applied,
                },
            },
        );
    }
    stage
}

fn applied_in_part() -> Stage {
    let mut stage = applying(5);
    let applied = stage
        .state
        .overlays
        .applying
        .as_ref()
        .unwrap()
        .applied
        .clone();
    let report = Report {
        overlay: "executor".into(),
        applied,
        lost: false,
    };
    send(
        &mut stage,
        Msg::Applied {
            name: "executor".into(),
            result: Ok(report),
        },
    );
    let mut left = same(4);
    left.push(change("Role", "llmctl", ChangeKind::Create, &[]));
    let left = plan("executor", left, true);
    send(
        &mut stage,
        Msg::Planned {
            name: "executor".into(),
            result: Ok(left),
        },
    );
    stage
}

fn keep(name: &str, stage: &mut Stage) {
    for (columns, rows) in [(120, 40), (80, 24)] {
        let shown = stage.shot(columns, rows);
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{202e}'),
            "{shown}"
        );
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), shown);
    }
}

macro_rules! snapshots {
    ($($name:ident: $stage:expr;)*) => {
        $(#[test]
        fn $name() {
            keep(stringify!($name), &mut $stage);
        })*
    };
}

snapshots! {
    list_being_read: { let mut stage = Stage::minikube(); stage.press(&["1"]); stage };
    list_empty: {
        let mut stage = Stage::minikube();
        send(&mut stage, Msg::Listed(Vec::new()));
        stage.press(&["1"]);
        stage
    };
    list_being_compared: listed();
    list: compared();
    list_with_changed_files: {
        let mut stage = compared();
        stage.press(&["j"]);
        send(&mut stage, Msg::FilesChanged(vec!["/src/llmctl/overlays/minikube/kustomization.yaml".into()]));
        stage
    };
    list_filtered: {
        let mut stage = compared();
        stage.press(&["/"]).write("live");
        stage
    };
    list_of_a_broken_one: { let mut stage = compared(); stage.press(&["G"]); stage };
    diff_being_compared: { let mut stage = listed(); stage.press(&["v"]); stage };
    diff_in_sync: { let mut stage = compared(); stage.press(&["v"]); send(&mut stage, Msg::Planned { name: "executor".into(), result: Ok(plan("executor", same(6), true)) }); stage };
    diff_with_everything: diff();
    diff_with_a_conflict_refused: { let mut stage = diff(); stage.press(&["enter"]); stage };
    diff_taking_and_pruning: { let mut stage = diff(); stage.press(&["f", "p", "G"]); stage };
    diff_question: { let mut stage = diff(); stage.press(&["f", "p", "enter"]); stage };
    diff_filtered: { let mut stage = diff(); stage.press(&["/"]).write("redis"); stage };
    diff_of_a_broken_one: { let mut stage = compared(); stage.press(&["G", "v"]); stage };
    apply_under_way: applying(3);
    apply_in_part: applied_in_part();
}

#[test]
fn it_reads_without_colours_and_without_unicode() {
    let mut stage = diff();
    let theme = Theme::new(Colors::None, true, TimeZone::UTC);
    let shown = super::super::stage::text(&stage.buffer(120, 40, &theme));
    // What is not ASCII is the text of the cluster and the arrow of the title.
    let odd: Vec<char> = shown
        .chars()
        .filter(|c| !c.is_ascii() && !"日本語→·".contains(*c))
        .collect();
    assert_eq!(odd, Vec::<char>::new(), "{shown}");
}

#[test]
fn colours_say_what_words_say() {
    let mut stage = diff();
    let buffer = stage.buffer(120, 40, &theme());
    let style_of = |wanted: &str| {
        for y in 0..buffer.area.height {
            let row: String = (0..buffer.area.width)
                .map(|x| buffer[(x, y)].symbol())
                .collect();
            if let Some(at) = row.find(wanted) {
                let column = row[..at].chars().count();
                return buffer[(u16::try_from(column).unwrap(), y)].style();
            }
        }
        panic!("{wanted} is not shown");
    };
    let fg = |tone| theme().tone(tone).fg;
    assert_eq!(style_of("+ llmctl-studio-backend:0.2.0").fg, fg(Tone::Good));
    assert_eq!(style_of("- llmctl-studio-backend:0.1.0").fg, fg(Tone::Bad));
    assert_eq!(style_of("! Deployment/llmctl-redis").fg, fg(Tone::Bad));
}
