//! The migration of a real PostgreSQL: results, second runs, restores, locks, and connections that break.

use super::{nowhere, quoted, recorded, request};
use crate::support::postgres::{Database, PASSWORD};
use llmctl_dev::database::error::Error as DatabaseError;
use llmctl_dev::database::migration::Request;
use llmctl_dev::database::migration::error::Error;
use llmctl_dev::database::migration::postgres::{apply, plan, restore};
use llmctl_dev::database::password::Password;
use llmctl_dev::database::postgres::Postgres;
use llmctl_dev::domain::migration::backup::Line;
use llmctl_dev::domain::migration::{Plan, Step};
use llmctl_dev::files::backup::{Backup, Writer};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const LEGACY: &str = include_str!("../fixtures/legacy-postgres.sql");

async fn planned(postgres: &mut Postgres) -> Plan {
    plan(postgres, &request(), &mut |_| ()).await.unwrap()
}

async fn migrated(postgres: &mut Postgres, backup: &Path) -> Plan {
    let mut writer = Writer::new(backup);
    apply(
        postgres,
        &request(),
        None,
        &mut |line| writer.take(line),
        &mut |_| (),
    )
    .await
    .unwrap()
    .commit()
    .await
    .unwrap()
}

async fn restored(postgres: &mut Postgres, backup: &Path, force: bool) -> Result<u64, Error> {
    let backup = Backup::open(backup).unwrap();
    let header = backup.header().clone();
    let patience = Duration::from_secs(10);
    restore(
        postgres,
        &header,
        backup.rows(),
        force,
        patience,
        &mut |_| (),
    )
    .await
}

/// A dump whose rows are sorted: where a row lies in its table means nothing.
pub(crate) fn dump(database: &Database) -> String {
    let mut sorted = Vec::new();
    let mut rows: Option<Vec<String>> = None;
    for line in database.dump().lines() {
        match rows.take() {
            Some(mut table) if line == "\\." => {
                table.sort();
                sorted.append(&mut table);
            }
            Some(mut table) => {
                table.push(line.to_owned());
                rows = Some(table);
                continue;
            }
            None => {}
        }
        sorted.push(line.to_owned());
        if line.starts_with("COPY ") {
            rows = Some(Vec::new());
        }
    }
    sorted.join("\n")
}

const RUNS: &str = "SELECT id, status, selected_provider, final_provider, coalesce(provider_dispatch_id, '-'), workspace_identity, \
     dispatch_status, fallback_attempted, coalesce(fallback_reason, '-'), dispatch_uncertain, coalesce(api_failure_category, '-'), \
     cli_fallback_used, coalesce(cli_preflight_passed::text, '-') FROM agent_tasks ORDER BY id";

/// What Studio's own migration was seen to make of the eight rows; here it is the same.
const MIGRATED: &str = "\
1|succeeded|kubernetes|kubernetes|kubernetes:legacy-1|default|dispatch_confirmed|f|-|f|-|f|-
2|succeeded|kubernetes|kubernetes|kubernetes:legacy-2|default|dispatch_confirmed|f|-|f|-|t|true
3|succeeded|kubernetes|kubernetes|kubernetes:legacy-3|default|dispatch_confirmed|f|-|f|socket_missing|f|-
4|running|kubernetes|kubernetes|-|default|dispatch_pending|f|-|f|-|f|-
5|failed|kubernetes|kubernetes|kubernetes:default/llmctl-exec-7-105|team-a|dispatch_failed|f|-|f|-|f|-
6|failed|kubernetes|kubernetes|kubernetes:default/llmctl-exec-7-106|team-a|dispatch_failed|f|-|t|-|f|-
7|queued|kubernetes|kubernetes|-|default|dispatch_pending|f|-|f|-|f|-
8|running|kubernetes|kubernetes|kubernetes:legacy-8|default|dispatch_submitted|f|-|f|-|f|-";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_database_migrates_once_and_comes_back_exactly() {
    let Some(database) = Database::new("migrates") else {
        return;
    };
    database.sql(LEGACY);
    // A run that fell back and ended, and one with the marker that newer revisions write.
    database.sql(
        "INSERT INTO agent_tasks (status, selected_provider, final_provider, dispatch_status, fallback_attempted, fallback_reason, created_at, updated_at) VALUES
         ('succeeded', 'docker', 'workspace', 'fallback_started', TRUE, 'unknown', now(), now()),
         ('failed', 'docker', 'workspace', 'fallback_started', TRUE, 'unknown', now(), now()),
         ('succeeded', 'kubernetes', 'kubernetes', 'dispatch_pending', TRUE, 'switched to plain mode', now(), now())",
    );
    let before = dump(&database);
    let mut open = database.connect().await;
    let shown = planned(&mut open).await;
    assert_eq!(dump(&database), before, "a plan touches nothing");
    assert_eq!((shown.runs.looked_at, shown.runs.changed), (11, 9));
    assert_eq!(shown.runs.newer_markers, 1);
    assert_eq!(shown.schema.len(), 2 + 13);

    let home = tempfile::tempdir().unwrap();
    let backup = home.path().join("backup.jsonl");
    let done = migrated(&mut open, &backup).await;
    assert_eq!(done, shown);
    let rows = database.sql(RUNS);
    let (recorded, ours) = rows.split_at(MIGRATED.len());
    assert_eq!(recorded, MIGRATED);
    assert_eq!(
        ours.trim(),
        "9|succeeded|kubernetes|kubernetes|kubernetes:legacy-9|default|dispatch_confirmed|f|-|f|-|f|-\n\
         10|failed|kubernetes|kubernetes|-|default|dispatch_failed|f|-|f|-|f|-\n\
         11|succeeded|kubernetes|kubernetes|-|default|dispatch_pending|t|switched to plain mode|f|-|f|-"
    );
    let settings = "SELECT provider, key, value FROM integration_settings WHERE key IN ('provider', 'k8s_frontier_image', 'k8s_image', 'docker_host', 'provider_enabled_codex') ORDER BY key";
    assert_eq!(
        database.sql(settings),
        "node_executor|k8s_frontier_image|registry.example.test:5000/llmctl-executor:7\n\
         node_executor|provider|kubernetes\n\
         llm|provider_enabled_codex|true"
    );
    let validated =
        "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'ck_node_runs_%' AND convalidated";
    assert_eq!(database.sql(validated), "13");
    let fresh = "INSERT INTO agent_tasks (status, created_at, updated_at) VALUES ('queued', now(), now()) RETURNING selected_provider, final_provider";
    assert_eq!(database.sql(fresh), "kubernetes|kubernetes");
    database.sql("DELETE FROM agent_tasks WHERE id = 12");
    database.sql("SELECT setval('agent_tasks_id_seq', 11)");

    let again = planned(&mut open).await;
    assert!(again.is_empty(), "{again:?}");
    let after = dump(&database);
    let second = home.path().join("second.jsonl");
    migrated(&mut open, &second).await;
    assert_eq!(dump(&database), after, "a second migration changes nothing");
    assert!(!second.exists(), "and needs no backup");

    let text = std::fs::read_to_string(&backup).unwrap();
    for original in [
        "docker:0f3c9b7a1d22",
        "image_pull_failed",
        "/srv/ws",
        "unix:///var/run/docker.sock",
    ] {
        assert!(text.contains(original), "{original} stays readable");
    }
    assert_eq!(
        restored(&mut open, &backup, false).await.unwrap(),
        9 + done.settings.changes.len() as u64
    );
    assert_eq!(dump(&database), before, "a restore puts everything back");
    // Once more is the same.
    restored(&mut open, &backup, false).await.unwrap();
    assert_eq!(dump(&database), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_table_of_settings_becomes_what_is_stated() {
    let Some(database) = Database::new("settings tables") else {
        return;
    };
    database.sql(LEGACY);
    let mut open = database.connect().await;
    let home = tempfile::tempdir().unwrap();
    for (n, recorded) in recorded().iter().enumerate() {
        let values: String = recorded
            .before
            .iter()
            .map(|(key, value)| {
                format!(
                    ", ('node_executor', {}, {}, now(), now())",
                    quoted(key),
                    quoted(value)
                )
            })
            .collect();
        database.sql(&format!(
            "DELETE FROM integration_settings; INSERT INTO integration_settings (provider, key, value, created_at, updated_at) \
             VALUES ('chat', 'provider', 'workspace', now(), now()){values}"
        ));
        let before = dump(&database);
        let backup = home.path().join(format!("{n}.jsonl"));
        migrated(&mut open, &backup).await;
        let rows = database.sql(
            "SELECT json_object_agg(key, CASE WHEN key = 'k8s_kubeconfig' AND updated_at = '2026-03-01T12:00:00Z' THEN left(value, 7) ELSE value END) \
             FROM integration_settings WHERE provider = 'node_executor'",
        );
        let rows = if rows.is_empty() {
            "{}".to_owned()
        } else {
            rows
        };
        let after: std::collections::BTreeMap<String, String> =
            serde_json::from_str(&rows).unwrap();
        assert_eq!(after, recorded.after, "{}", recorded.name);
        assert_eq!(
            database.sql("SELECT value FROM integration_settings WHERE provider = 'chat'"),
            "workspace",
            "another subsystem's rows are not touched"
        );
        assert!(planned(&mut open).await.is_empty(), "{}", recorded.name);
        if backup.exists() {
            restored(&mut open, &backup, false).await.unwrap();
        }
        assert_eq!(dump(&database), before, "{}", recorded.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_changed_since_are_not_overwritten_unless_forced() {
    let Some(database) = Database::new("conflict") else {
        return;
    };
    database.sql(LEGACY);
    let before = dump(&database);
    let mut open = database.connect().await;
    let home = tempfile::tempdir().unwrap();
    let backup = home.path().join("backup.jsonl");
    migrated(&mut open, &backup).await;
    database.sql("UPDATE agent_tasks SET dispatch_status = 'dispatch_confirmed', provider_dispatch_id = 'kubernetes:llmctl/new' WHERE id = 4");
    database
        .sql("UPDATE integration_settings SET value = 'x/y:1' WHERE key = 'k8s_frontier_image'");
    let changed = dump(&database);
    let error = restored(&mut open, &backup, false).await.unwrap_err();
    let Error::Conflict { rows: 2, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(dump(&database), changed);
    restored(&mut open, &backup, true).await.unwrap();
    assert_eq!(
        database.sql("SELECT value FROM integration_settings WHERE key = 'k8s_image'"),
        "registry.example.test:5000/llmctl-executor:7"
    );
    // The id that Studio wrote since stays with its row: the migration never changed it.
    database.sql("UPDATE agent_tasks SET provider_dispatch_id = NULL WHERE id = 4");
    assert_eq!(dump(&database), before);
}

/// A connection of somebody else.
async fn somebody(database: &Database) -> tokio_postgres::Client {
    let address = database.address();
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(address.port)
        .user(&address.user)
        .dbname(&address.database)
        .application_name("studio")
        .password(PASSWORD);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_somebody_holds_is_waited_for_and_named() {
    let Some(database) = Database::new("locked") else {
        return;
    };
    database.sql(LEGACY);
    let before = dump(&database);
    let impatient = Request {
        patience: Duration::from_millis(50),
        ..request()
    };
    let mut open = database.connect().await;
    let studio = somebody(&database).await;
    studio
        .batch_execute("SELECT pg_advisory_lock(958203417)")
        .await
        .unwrap();
    let error = apply(&mut open, &impatient, None, &mut nowhere, &mut |_| ())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Database(DatabaseError::Locked { holder, .. }) if holder.contains("(studio)")),
        "{error}"
    );
    studio
        .batch_execute("SELECT pg_advisory_unlock(958203417)")
        .await
        .unwrap();
    // Tables that somebody uses are waited for too.
    studio
        .batch_execute("BEGIN; SELECT count(*) FROM agent_tasks")
        .await
        .unwrap();
    let error = apply(&mut open, &impatient, None, &mut nowhere, &mut |_| ())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TablesInUse { .. }), "{error}");
    // Somebody who ends in time is only waited for.
    let mut steps = Vec::new();
    let mut told = |step| steps.push(step);
    let asked = request();
    let mut keep = nowhere;
    let work = apply(&mut open, &asked, None, &mut keep, &mut told);
    let (ready, ended) = tokio::join!(work, studio.batch_execute("ROLLBACK"));
    ended.unwrap();
    // Not committed, it is rolled back.
    drop(ready.unwrap());
    assert_eq!(steps[0], Step::Waiting);
    assert_eq!(dump(&database), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_is_no_longer_true_is_not_applied() {
    let Some(database) = Database::new("moved") else {
        return;
    };
    database.sql(LEGACY);
    let mut open = database.connect().await;
    let shown = planned(&mut open).await;
    database.sql("UPDATE agent_tasks SET selected_provider = 'docker' WHERE id = 7");
    let before = dump(&database);
    let error = apply(
        &mut open,
        &request(),
        Some(&shown),
        &mut nowhere,
        &mut |_| (),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, Error::Moved { .. }), "{error}");
    assert_eq!(dump(&database), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_something_else_is_refused() {
    let Some(database) = Database::new("no studio") else {
        return;
    };
    let mut open = database.connect().await;
    let error = plan(&mut open, &request(), &mut |_| ()).await.unwrap_err();
    assert!(matches!(error, Error::NotAStudio { .. }), "{error}");
    // One that never had an executor has nothing to migrate.
    database.sql("CREATE TABLE agent_tasks (id serial PRIMARY KEY, status varchar(32) NOT NULL)");
    let plan = planned(&mut open).await;
    assert!(plan.is_empty());
    assert_eq!(plan.remarks.len(), 2, "{:?}", plan.remarks);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_cannot_be_written_stops_it_before_anything_changes() {
    let Some(database) = Database::new("no backup") else {
        return;
    };
    database.sql(LEGACY);
    let before = dump(&database);
    let mut open = database.connect().await;
    for lines in [0, 3, 20] {
        let mut left = lines;
        let mut full = |_: Line<'_>| {
            left -= 1;
            if left < 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
            }
            Ok(())
        };
        let error = apply(&mut open, &request(), None, &mut full, &mut |_| ())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Backup { .. }), "{error}");
        assert_eq!(dump(&database), before);
    }
}

/// What a test compares after every cut: all rows, and what the table allows.
const STATE: &str = "SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM agent_tasks t
    UNION ALL SELECT md5(string_agg(s::text, '|' ORDER BY id)) FROM integration_settings s
    UNION ALL SELECT count(*)::text FROM pg_constraint WHERE conname LIKE 'ck_node_runs%'
    UNION ALL SELECT string_agg(pg_get_expr(adbin, adrelid), '|' ORDER BY adnum) FROM pg_attrdef WHERE adrelid = 'agent_tasks'::regclass";

/// A migration over a connection that breaks when the program sends for the `cut`th time.
async fn cut(database: &Database, cut: usize) -> Result<Plan, Error> {
    let address = database.address();
    let server = tokio::net::TcpStream::connect(("127.0.0.1", address.port))
        .await
        .unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_us, mut to_us) = tokio::io::split(theirs);
    let up = async move {
        let mut buffer = vec![0; 1 << 16];
        for _ in 1..cut {
            let n = from_us.read(&mut buffer).await.unwrap_or(0);
            if n == 0 || to_server.write_all(&buffer[..n]).await.is_err() {
                return;
            }
        }
        let _ = from_us.read(&mut buffer).await;
    };
    let proxy = tokio::spawn(async move {
        tokio::select! {
            () = up => {}
            _ = tokio::io::copy(&mut from_server, &mut to_us) => {}
        }
    });
    let password = Password::new(PASSWORD);
    let migrate = async {
        let mut open = Postgres::over(ours, &address, Some(&password), "cut").await?;
        let ready = apply(&mut open, &request(), None, &mut nowhere, &mut |_| ()).await?;
        ready.commit().await
    };
    let result = migrate.await;
    let _ = proxy.await;
    result
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_at_any_statement_leaves_the_database_as_it_was() {
    let Some(database) = Database::new("cut") else {
        return;
    };
    database.sql(LEGACY);
    database.sql("DELETE FROM agent_tasks WHERE id > 3");
    database.sql("DELETE FROM integration_settings WHERE key NOT IN ('provider', 'docker_host', 'k8s_image')");
    // Reading waits for the lock of a server that did not see yet that nobody is there any more.
    let looker = somebody(&database).await;
    let state = async || -> Vec<Option<String>> {
        let rows = looker.query(STATE, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    let before = state().await;
    let mut at = 1;
    while let Err(error) = cut(&database, at).await {
        assert_eq!(state().await, before, "cut at {at}: {error}");
        at += 1;
    }
    assert!(at > 60, "only {at} statements");
    assert_ne!(state().await, before, "uncut, it is done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_during_the_commit_is_told_as_uncertain() {
    let Some(database) = Database::new("uncertain") else {
        return;
    };
    database.sql(LEGACY);
    let mut open = database.connect().await;
    let ready = apply(&mut open, &request(), None, &mut nowhere, &mut |_| ())
        .await
        .unwrap();
    database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let error = ready.commit().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Database(DatabaseError::Uncertain { .. } | DatabaseError::Lost { .. })
        ),
        "{error}"
    );
}
