//! The rows through the program's own edge.

use crate::support::postgres::relay::Relay;
use crate::support::postgres::{Database, PASSWORD};
use jiff::Timestamp;
use llmctl_dev::database::address::Address;
use llmctl_dev::database::crypto::Secret;
use llmctl_dev::database::error::Error;
use llmctl_dev::database::password::Password;
use llmctl_dev::database::postgres::Postgres;
use llmctl_dev::domain::hidden::Hidden;
use llmctl_dev::domain::settings::Settings;
use llmctl_dev::domain::settings::held::{Held, StoredChange};
use llmctl_dev::domain::settings::key::Key;
use llmctl_dev::domain::settings::value::Value;
use proptest::prelude::*;

/// The table as Studio makes it (contract 3.8).
pub(super) const TABLE: &str = "CREATE TABLE integration_settings (
    id serial PRIMARY KEY, provider varchar(32) NOT NULL, key varchar(64) NOT NULL, value text NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    CONSTRAINT uq_integration_provider_key UNIQUE (provider, key));
    CREATE INDEX ix_integration_settings_provider ON integration_settings (provider);";

const OLD: &str = "2026-02-01T00:00:00Z";

/// A Studio's database with these rows of the executor.
pub(super) fn studio(test: &str, rows: &[(&str, &str)]) -> Option<Database> {
    let database = Database::new(test)?;
    database.sql(TABLE);
    for (key, value) in rows {
        put(&database, "node_executor", key, value);
    }
    Some(database)
}

fn put(database: &Database, provider: &str, key: &str, value: &str) {
    database.sql(&format!(
        "INSERT INTO integration_settings (provider, key, value, created_at, updated_at)
         VALUES ('{provider}', '{key}', '{value}', '{OLD}', '{OLD}')"
    ));
}

/// The executor's rows as `key=value` in order.
pub(super) fn rows(database: &Database) -> String {
    database.sql(
        "SELECT key || '=' || value FROM integration_settings WHERE provider = 'node_executor' ORDER BY key",
    )
}

fn change(key: Key, from: Option<&str>, to: &str) -> StoredChange {
    StoredChange {
        key,
        from: from.map(Into::into),
        to: Some(to.into()),
    }
}

fn now() -> Timestamp {
    "2026-03-04T05:06:07Z".parse().unwrap()
}

#[tokio::test]
async fn a_change_writes_a_row_inserts_a_missing_one_and_takes_a_blank_one_out() {
    let before = [
        ("k8s_gpu_limit", "1"),
        ("k8s_frontier_image_tag", "7"),
        ("k8s_namespace", "llmctl"),
        ("something_new", "kept"),
    ];
    let Some(database) = studio("changes", &before) else {
        return;
    };
    put(&database, "github", "k8s_gpu_limit", "another subsystem");
    let mut open = database.connect().await;
    let seen = open.settings().await.unwrap();
    assert_eq!(seen.held.says(Key::K8sGpuLimit), Some(&Value::Whole(1)));
    let changes = [
        change(Key::K8sGpuLimit, Some("1"), "2"),
        change(Key::K8sJobTtlSeconds, None, "60"),
        change(Key::K8sFrontierImageTag, Some("7"), ""),
    ];
    open.write_settings(&seen.held, &changes, now())
        .await
        .unwrap();
    assert_eq!(
        rows(&database),
        "k8s_gpu_limit=2\nk8s_job_ttl_seconds=60\nk8s_namespace=llmctl\nsomething_new=kept"
    );
    let times = database.sql(
        "SELECT key, created_at AT TIME ZONE 'UTC', updated_at AT TIME ZONE 'UTC' FROM integration_settings ORDER BY provider, key",
    );
    assert_eq!(
        times,
        "k8s_gpu_limit|2026-02-01 00:00:00|2026-02-01 00:00:00\n\
         k8s_gpu_limit|2026-02-01 00:00:00|2026-03-04 05:06:07\n\
         k8s_job_ttl_seconds|2026-03-04 05:06:07|2026-03-04 05:06:07\n\
         k8s_namespace|2026-02-01 00:00:00|2026-02-01 00:00:00\n\
         something_new|2026-02-01 00:00:00|2026-02-01 00:00:00"
    );
    open.close().await;
}

#[tokio::test]
async fn a_row_that_changed_since_it_was_read_stops_the_write() {
    let Some(database) = studio("conflict", &[("k8s_gpu_limit", "1")]) else {
        return;
    };
    let mut open = database.connect().await;
    let seen = open.settings().await.unwrap().held;
    let ours = [change(Key::K8sJobTtlSeconds, None, "60")];
    for theirs in [
        "UPDATE integration_settings SET value = '3' WHERE key = 'k8s_gpu_limit'",
        "DELETE FROM integration_settings WHERE key = 'k8s_gpu_limit'",
    ] {
        database.sql(theirs);
        let dump = database.dump();
        let error = open.write_settings(&seen, &ours, now()).await.unwrap_err();
        assert!(
            matches!(&error, Error::Changed { keys, .. } if keys == &["k8s_gpu_limit"]),
            "{error}"
        );
        assert!(error.to_string().contains("read it again"), "{error}");
        assert_eq!(database.dump(), dump);
    }
    // What is not ours to know may change.
    put(&database, "node_executor", "k8s_gpu_limit", "1");
    put(&database, "node_executor", "something_new", "x");
    open.write_settings(&seen, &ours, now()).await.unwrap();
}

#[tokio::test]
async fn who_holds_the_lock_is_named_when_the_wait_is_over() {
    let Some(database) = studio("locked", &[("k8s_gpu_limit", "1")]) else {
        return;
    };
    let patience = std::time::Duration::from_millis(300);
    let mut open = database.connect().await.with_lock_patience(patience);
    let mut other = database.connect().await;
    let seen = open.settings().await.unwrap().held;
    // The other one holds the lock in a transaction of its own.
    let changes = [change(Key::K8sGpuLimit, Some("1"), "2")];
    let address = database.address();
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(address.port)
        .user(&address.user)
        .password(PASSWORD);
    config
        .dbname(&address.database)
        .application_name("another migrator");
    let (mut holder, moving) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let moving = tokio::spawn(moving);
    let held = holder.transaction().await.unwrap();
    held.execute("SELECT pg_advisory_xact_lock(958203417)", &[])
        .await
        .unwrap();
    let error = open
        .write_settings(&seen, &changes, now())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert!(error.to_string().contains("another migrator"), "{error}");
    assert_eq!(rows(&database), "k8s_gpu_limit=1");
    // A lock that is given back while somebody waits lets the write through; so does the same connection later.
    let write = other.write_settings(&seen, &changes, now());
    let (written, given_back) = tokio::join!(write, async {
        let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        while held.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
        held.rollback().await
    });
    given_back.unwrap();
    written.unwrap();
    assert_eq!(rows(&database), "k8s_gpu_limit=2");
    moving.abort();
}

#[tokio::test]
async fn a_connection_cut_at_any_moment_leaves_all_or_nothing() {
    let before = [("k8s_gpu_limit", "1"), ("k8s_frontier_image_tag", "7")];
    let Some(database) = studio("cut", &before) else {
        return;
    };
    let address = database.address();
    let was = rows(&database);
    let will = "k8s_gpu_limit=2\nk8s_job_ttl_seconds=60";
    let changes = [
        change(Key::K8sGpuLimit, Some("1"), "2"),
        change(Key::K8sJobTtlSeconds, None, "60"),
        change(Key::K8sFrontierImageTag, Some("7"), ""),
    ];
    let seen = database.connect().await.settings().await.unwrap().held;
    let mut cuts = 0;
    for times in 0.. {
        let relay = Relay::start(address.port, times).await;
        let through = Address {
            port: relay.port,
            ..address.clone()
        };
        let open = Postgres::connect(&through, Some(&Password::new(PASSWORD))).await;
        let Ok(mut open) = open else { continue };
        let written = open.write_settings(&seen, &changes, now()).await;
        drop(open);
        match written {
            Ok(()) => {
                assert_eq!(rows(&database), will);
                assert!(relay.heard() >= cuts);
                break;
            }
            Err(error @ (Error::Lost { .. } | Error::Uncertain { .. })) => {
                cuts += 1;
                assert!(!format!("{error} {error:?}").contains("s3cret"));
                assert_eq!(rows(&database), was, "after {times} turns");
            }
            Err(other) => panic!("{other:?} after {times} turns"),
        }
    }
    assert!(cuts > 6, "the connection was cut {cuts} times");
}

#[tokio::test]
async fn ten_thousand_rows_of_others_are_not_touched() {
    let Some(database) = studio("foreign", &[("k8s_gpu_limit", "1")]) else {
        return;
    };
    database.sql(&format!(
        "INSERT INTO integration_settings (provider, key, value, created_at, updated_at)
         SELECT 'other_' || n % 7, 'k8s_gpu_limit_' || n, 'value ' || n, '{OLD}', '{OLD}' FROM generate_series(1, 10000) n"
    ));
    let theirs = "SELECT count(*), md5(string_agg(t::text || xmin::text, ',' ORDER BY id)) FROM integration_settings t WHERE provider <> 'node_executor'";
    let before = database.sql(theirs);
    assert!(before.starts_with("10000|"), "{before}");
    let mut open = database.connect().await;
    let seen = open.settings().await.unwrap().held;
    let changes = [
        change(Key::K8sGpuLimit, Some("1"), "2"),
        change(Key::K8sNamespace, None, "llmctl"),
    ];
    open.write_settings(&seen, &changes, now()).await.unwrap();
    assert_eq!(database.sql(theirs), before);
    assert_eq!(rows(&database), "k8s_gpu_limit=2\nk8s_namespace=llmctl");
}

#[tokio::test]
async fn another_database_than_a_studios_is_told() {
    let Some(database) = Database::new("empty") else {
        return;
    };
    let error = database.connect().await.settings().await.unwrap_err();
    assert!(
        matches!(&error, Error::NoTable { table, .. } if table == "integration_settings"),
        "{error}"
    );
}

#[tokio::test]
async fn a_kubeconfig_is_stored_encrypted_and_read_with_the_right_secret_only() {
    let Some(database) = studio("kubeconfig", &[]) else {
        return;
    };
    let (right, wrong) = (Secret::new("replace-me"), Secret::new("dev"));
    let text = Hidden::new("apiVersion: v1 # planted-kubeconfig\n");
    let mut open = database.connect().await;
    open.write_kubeconfig(None, Some((&text, &right)), now())
        .await
        .unwrap();
    let stored = rows(&database);
    assert!(
        stored.starts_with("k8s_kubeconfig=enc:v1:gAAAA"),
        "{stored}"
    );
    let seen = open.settings().await.unwrap();
    assert!(!format!("{seen:?}").contains("enc:v1:"), "{seen:?}");
    let sealed = seen.kubeconfig.unwrap();
    let told = sealed.stored(&right);
    assert!(told.encrypted && told.unreadable.is_none());
    assert_eq!(told.updated_at, now());
    let told = sealed.stored(&wrong);
    assert!(told.fingerprint.is_none() && told.unreadable.unwrap().contains("FLASK_SECRET_KEY"));
    // A push of settings leaves its bytes as they are.
    let change = [change(Key::K8sGpuLimit, None, "1")];
    open.write_settings(&seen.held, &change, now())
        .await
        .unwrap();
    assert_eq!(rows(&database), format!("k8s_gpu_limit=1\n{stored}"));
    // Somebody else stored one meanwhile.
    let error = open
        .write_kubeconfig(None, Some((&text, &right)), now())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
    open.write_kubeconfig(Some(&sealed), None, now())
        .await
        .unwrap();
    assert_eq!(rows(&database), "k8s_gpu_limit=1");
}

/// Any valid set of what Studio keeps.
fn settings() -> impl Strategy<Value = Settings> {
    let image = "[a-z0-9]{1,8}(/[a-z0-9]{1,6}){0,2}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,8})?(@sha256:[a-f0-9]{64})?";
    let texts = (
        "[A-Za-z0-9]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9])?",
        "[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?",
        "([a-z0-9]{1,9}(\\.[a-z0-9]{1,9}){0,2})?",
        prop::option::of(image),
        prop::option::of(image),
        "([A-Za-z0-9_][A-Za-z0-9_.-]{0,9})?",
        "([A-Za-z0-9_][A-Za-z0-9_.-]{0,9})?",
    );
    let numbers = (
        5..=3600_u32,
        30..=86_400_u32,
        1..=600_u32,
        1..=300_u32,
        60..=86_400_u32,
        0..=8_u32,
    );
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let secrets = prop::collection::btree_set("[a-z0-9]{1,12}", 0..4);
    (texts, numbers, flags, secrets).prop_map(|(texts, numbers, flags, secrets)| {
        let mut settings = Settings {
            workspace_identity: texts.0,
            namespace: texts.1,
            service_account: texts.2,
            ..Settings::default()
        };
        settings.frontier.reference = texts.3.unwrap_or(settings.frontier.reference);
        settings.vllm.reference = texts.4.unwrap_or(settings.vllm.reference);
        (settings.frontier.tag, settings.vllm.tag) = (texts.5, texts.6);
        settings.dispatch_timeout = numbers.0;
        settings.execution_timeout = numbers.1;
        settings.log_collection_timeout = numbers.2;
        settings.cancel_grace_timeout = numbers.3;
        settings.job_ttl.0 = numbers.4;
        settings.gpu_limit = numbers.5;
        (
            settings.agent_runtime_cutover,
            settings.cancel_force_kill,
            settings.in_cluster,
        ) = flags;
        settings.pull_secrets = secrets.into_iter().collect();
        settings
    })
}

/// What a dispatcher makes of the rows: they over the defaults.
fn loaded(held: &Held) -> Settings {
    let mut settings = Settings::default();
    for (key, value) in &held.layer.values {
        settings.put(*key, value);
    }
    settings
}

#[test]
fn what_is_saved_is_loaded_again_and_saving_it_once_more_writes_nothing() {
    let Some(database) = studio("round", &[]) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let open = std::cell::RefCell::new(runtime.block_on(database.connect()));
    let save = |wanted: &Settings| {
        let mut open = open.borrow_mut();
        runtime.block_on(async {
            let seen = open.settings().await.unwrap().held;
            let changes = seen.changes(wanted, &Key::ALL);
            open.write_settings(&seen, &changes, now()).await.unwrap();
            (changes.len(), open.settings().await.unwrap().held)
        })
    };
    runner
        .run(&settings(), |wanted| {
            let (_, held) = save(&wanted);
            prop_assert!(held.layer.remarks.is_empty(), "{:?}", held.layer.remarks);
            prop_assert_eq!(&loaded(&held), &wanted);
            let (again, _) = save(&wanted);
            prop_assert_eq!(again, 0);
            Ok(())
        })
        .unwrap();
}
