//! Whatever a table of old holds: a migration leaves nothing to migrate, loses no row, touches no other, and can be undone.

use super::sqlite::{dump, migrated, planned, restored};
use proptest::prelude::*;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

const TABLES: &str = "
    CREATE TABLE integration_settings (id INTEGER PRIMARY KEY, provider VARCHAR(32) NOT NULL, \"key\" VARCHAR(64) NOT NULL,
      value TEXT NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL, UNIQUE (provider, \"key\"));
    CREATE TABLE agent_tasks (id INTEGER PRIMARY KEY, status VARCHAR(32) NOT NULL, selected_provider VARCHAR(32) DEFAULT 'workspace',
      final_provider VARCHAR(32) DEFAULT 'workspace', provider_dispatch_id VARCHAR(255), workspace_identity VARCHAR(128),
      dispatch_status VARCHAR(32), fallback_attempted BOOLEAN, fallback_reason VARCHAR(64), dispatch_uncertain BOOLEAN,
      api_failure_category VARCHAR(64), cli_fallback_used BOOLEAN, cli_preflight_passed BOOLEAN, output TEXT);
    CREATE UNIQUE INDEX uq ON agent_tasks (provider_dispatch_id) WHERE provider_dispatch_id IS NOT NULL;";

fn text(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop_oneof![
        1 => Just(Value::Null),
        6 => proptest::sample::select(words).prop_map(|word| Value::Text(word.into())),
        1 => "[a-z:/ '-]{0,12}".prop_map(Value::Text),
    ]
    .boxed()
}

fn flag() -> BoxedStrategy<Value> {
    prop_oneof![
        1 => Just(Value::Null),
        6 => (0..=1_i64).prop_map(Value::Integer),
        1 => Just(Value::Integer(7)),
        1 => Just(Value::Text("true".into())),
    ]
    .boxed()
}

fn run() -> impl Strategy<Value = Vec<Value>> {
    let providers = &["workspace", "docker", "kubernetes", "kubernetes"];
    (
        proptest::sample::select(
            &[
                "queued",
                "running",
                "succeeded",
                "failed",
                "canceled",
                "odd",
            ][..],
        ),
        text(providers),
        text(providers),
        text(&[
            "workspace:w",
            "docker:d",
            "kubernetes:n/j",
            "kubernetes:legacy-2",
            "kubernetes:legacy-kubernetes-3",
            "",
        ]),
        text(&["default", "team-a", "/srv/ws", " ", "a\\b"]),
        text(&[
            "dispatch_pending",
            "dispatch_submitted",
            "dispatch_confirmed",
            "dispatch_failed",
            "fallback_started",
        ]),
        flag(),
        text(&["unknown", "create_failed", "free text", " "]),
        flag(),
        text(&["timeout", "bogus"]),
        flag(),
        (flag(), text(&["output", "{}"])),
    )
        .prop_map(|(status, a, b, c, d, e, f, g, h, i, j, (k, output))| {
            vec![
                Value::Text(status.into()),
                a,
                b,
                c,
                d,
                e,
                f,
                g,
                h,
                i,
                j,
                k,
                output,
            ]
        })
}

fn setting() -> impl Strategy<Value = (String, String, String)> {
    let keys = &[
        "provider",
        "fallback_provider",
        "docker_host",
        "docker_env_json",
        "workspace_root",
        "dispatch_timeout_seconds",
        "cancel_force_kill_enabled",
        "workspace_identity_key",
        "k8s_image",
        "k8s_image_tag",
        "k8s_frontier_image",
        "k8s_frontier_image_tag",
        "k8s_vllm_image",
        "k8s_gpu_limit",
        "k8s_kubeconfig",
        "k8s_image_pull_secrets_json",
        "unknown_key",
    ][..];
    let values = &[
        "kubernetes",
        "docker",
        "60",
        "300",
        "-5",
        "99999",
        "yes",
        "true",
        "r.test:5000/x:7",
        "r.test/x@sha256:bad",
        "latest",
        "llmctl-executor:latest",
        "llmctl-executor-frontier:latest",
        "{not json",
        "[]",
        "/srv",
        "bad image",
        "0.0.3",
        " ",
        "a",
    ][..];
    (
        proptest::sample::select(&["node_executor", "node_executor", "chat"][..]),
        proptest::sample::select(keys),
        proptest::sample::select(values),
    )
        .prop_map(|(provider, key, value)| (provider.into(), key.into(), value.into()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_table_of_old(
        runs in proptest::collection::vec(run(), 0..12),
        settings in proptest::collection::vec(setting(), 0..12),
    ) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("studio.sqlite3");
        let open = Connection::open(&path).unwrap();
        open.execute_batch(TABLES).unwrap();
        open.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
        for run in runs {
            // A dispatch id that another row has already is refused, and the row left out.
            let marks = vec!["?"; run.len()].join(", ");
            let _ = open.execute(&format!("INSERT INTO agent_tasks VALUES (NULL, {marks})"), params_from_iter(run));
        }
        for (provider, key, value) in settings {
            let sql = "INSERT OR IGNORE INTO integration_settings VALUES (NULL, ?1, ?2, ?3, 'then', 'then')";
            open.execute(sql, [provider, key, value]).unwrap();
        }
        open.execute_batch("COMMIT").unwrap();
        drop(open);

        let before = dump(&path);
        let shown = planned(&path);
        let backup = home.path().join("backup.jsonl");
        let done = migrated(&path, &backup).unwrap();
        prop_assert_eq!(&done, &shown);
        let again = planned(&path);
        prop_assert!(again.is_empty(), "{:?}", again);

        // No row is lost but the settings that go, and what no change names is what it was.
        let after = dump(&path);
        let rows = |dump: &[String]| dump.iter().filter(|line| !line.contains("Text(\"table\")")).count();
        let gone = shown.settings.changes.iter().filter(|change| change.fate == llmctl_dev::domain::migration::settings::Fate::Delete).count();
        prop_assert_eq!(rows(&after) + gone, rows(&before));
        let same = before.iter().filter(|line| after.contains(line)).count();
        let changed = u64::try_from(before.len() - same).unwrap();
        let tables = u64::from(!shown.schema.is_empty());
        prop_assert!(changed <= shown.runs.changed + shown.settings.changes.len() as u64 + tables);

        if backup.exists() {
            restored(&path, &backup, false).unwrap();
        }
        prop_assert_eq!(dump(&path), before);
    }
}
