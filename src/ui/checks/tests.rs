//! The named states of the pane and of its lists.

use super::super::stage::Stage;
use crate::app::Msg as AnyMsg;
use crate::app::checks::{Migrated, Msg, Named};
use crate::domain::audit::{Finding, Level, Report, Rule, Skipped};
use crate::domain::migration::runs::{Column, RunChange};
use crate::domain::migration::settings::{Fate, Kept, SettingChange, SettingRow};
use crate::domain::migration::{Plan, SchemaChange, Step};

fn send(stage: &mut Stage, msg: Msg) {
    stage.send(AnyMsg::Checks(msg));
}

fn named(eager: bool) -> Named {
    Named {
        place: "llmctl-studio.sqlite3, a sample of the sandbox".into(),
        name: "llmctl-studio.sqlite3".into(),
        flags: "--sqlite /tmp/demo/llmctl-studio.sqlite3".into(),
        eager,
    }
}

fn change(id: i64, key: &str, value: &str, fate: Fate) -> SettingChange {
    SettingChange {
        row: SettingRow {
            id,
            key: key.into(),
            value: value.into(),
        },
        fate,
        why: "belonged to the executors that are gone".into(),
    }
}

fn plan() -> Plan {
    let mut plan = Plan::default();
    plan.settings.changes = vec![
        change(
            1,
            "provider",
            "docker",
            Fate::Becomes {
                key: "provider".into(),
                value: "kubernetes".into(),
            },
        ),
        change(
            2,
            "docker_host",
            "red \u{1b}[31mtext\u{202e} 日本語",
            Fate::Delete,
        ),
    ];
    plan.settings.kept = vec![
        Kept {
            key: "k8s_image_pull_secrets_json".into(),
            why: "is no JSON array and is kept as it is".into(),
            needs_person: true,
        },
        Kept {
            key: "own".into(),
            why: "no key of the executor; kept as it is".into(),
            needs_person: false,
        },
    ];
    plan.schema = vec![SchemaChange::Default {
        column: Column::SelectedProvider,
        before: Some("'workspace'".into()),
    }];
    plan.runs.looked_at = 60;
    plan.runs.changed = 40;
    plan.runs.rows = (1..=40)
        .map(|id| RunChange {
            id,
            status: "succeeded".into(),
            cells: vec![
                (
                    Column::SelectedProvider,
                    Some("docker".into()),
                    Some("kubernetes".into()),
                ),
                (
                    Column::DispatchStatus,
                    Some("fallback_started".into()),
                    Some("dispatch_confirmed".into()),
                ),
                (Column::FallbackReason, Some("unknown".into()), None),
            ],
        })
        .collect();
    plan
}

fn due() -> Stage {
    let mut stage = Stage::demo();
    let checkout = Named {
        place: "/src/llmctl".into(),
        name: String::new(),
        flags: "/src/llmctl".into(),
        eager: false,
    };
    send(&mut stage, Msg::Checkout(checkout));
    send(&mut stage, Msg::Database(Ok(named(true))));
    send(&mut stage, Msg::Looked(Ok(plan())));
    stage.press(&["5"]);
    stage
}

fn listed() -> Stage {
    let mut stage = due();
    stage.press(&["enter"]);
    stage
}

fn migrating(step: Step) -> Stage {
    let mut stage = listed();
    stage.press(&["a"]).write("llmctl-studio.sqlite3");
    stage.press(&["enter"]);
    send(&mut stage, Msg::Stepped(step));
    stage
}

fn finding(level: Level, rule: Rule, line: usize, excerpt: &str) -> Finding {
    Finding {
        rule,
        level,
        path: "scripts/start.sh".into(),
        line,
        excerpt: excerpt.into(),
        why: "Compose is not part of llmctl any more".into(),
        instead: "llmctl-dev overlays apply minikube".into(),
    }
}

fn audited() -> Stage {
    let mut stage = due();
    stage.press(&["j", "enter"]);
    let report = Report {
        findings: vec![
            finding(Level::Notice, Rule::DeadVariable, 103, "export OLD=1"),
            finding(
                Level::Error,
                Rule::ComposeCommand,
                9,
                "docker compose up -d",
            ),
        ],
        skipped: vec![Skipped {
            path: "data/big.bin".into(),
            why: "it is binary".into(),
        }],
        files: 214,
        accepted: 0,
    };
    send(&mut stage, Msg::Audited(Ok(report)));
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
    nothing_known: { let mut stage = Stage::minikube(); stage.press(&["5"]); stage };
    no_database: {
        let mut stage = Stage::minikube();
        send(&mut stage, Msg::Database(Err("namespace llmctl has no llmctl-postgres; name another in config.toml, as studio.database".into())));
        stage.press(&["5"]);
        stage
    };
    migration_due: due();
    up_to_date: { let mut stage = due(); send(&mut stage, Msg::Looked(Ok(Plan::default()))); stage };
    plan_listed: listed();
    plan_filtered: { let mut stage = listed(); stage.press(&["/"]).write("docker_host"); stage };
    plan_not_readable: { let mut stage = listed(); send(&mut stage, Msg::Looked(Err("there is no file old.sqlite3".into()))); stage };
    migration_question: { let mut stage = listed(); stage.press(&["a"]); stage };
    migration_under_way: migrating(Step::Changing { rows: 25, of: 60 });
    migration_rolling_back: { let mut stage = migrating(Step::Schema); stage.press(&["esc"]); stage };
    migration_done: {
        let mut stage = migrating(Step::Schema);
        send(&mut stage, Msg::Migrated(Ok(Migrated {
            summary: "2 changes of settings rows, 40 of 60 run rows, 1 change of the schema".into(),
            backup: "/tmp/demo/migrations/20261124T140231.jsonl".into(),
            restore: "llmctl-dev migrate restore /tmp/demo/migrations/20261124T140231.jsonl --sqlite /tmp/demo/llmctl-studio.sqlite3".into(),
        })));
        send(&mut stage, Msg::Looked(Ok(Plan::default())));
        stage
    };
    migration_failed: {
        let mut stage = migrating(Step::Schema);
        send(&mut stage, Msg::Migrated(Err("interrupted: all of it was rolled back".into())));
        send(&mut stage, Msg::Looked(Ok(plan())));
        stage
    };
    audit_listed: audited();
}
