//! The migration of an SQLite file: results, restores, and files that are used, closed to writing, full or damaged.

use super::{nowhere, quoted, recorded, request};
use llmctl_dev::database::migration::Request;
use llmctl_dev::database::migration::error::Error;
use llmctl_dev::database::migration::sqlite::{apply, plan, restore};
use llmctl_dev::domain::migration::Plan;
use llmctl_dev::domain::migration::backup::Line;
use llmctl_dev::files::backup::{Backup, Writer};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const LEGACY: &str = include_str!("../fixtures/legacy-sqlite.sql");

/// A file of its own with the recorded tables, in a directory of its own.
fn recorded_file() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("llmctl-studio.sqlite3");
    Connection::open(&path)
        .unwrap()
        .execute_batch(LEGACY)
        .unwrap();
    (home, path)
}

/// Everything in a file: every definition in its order, and every row with the kinds of its values.
pub(super) fn dump(path: &Path) -> Vec<String> {
    let open = Connection::open(path).unwrap();
    let rows = |sql: &str| -> Vec<String> {
        let mut statement = open.prepare(sql).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| {
            let values: Vec<Value> = (0..count).map(|at| row.get(at).unwrap()).collect();
            Ok(format!("{values:?}"))
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    let mut all = rows("SELECT rowid, type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid");
    let mut tables = open
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
        .unwrap();
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for name in names {
        all.extend(rows(&format!(
            "SELECT rowid, * FROM \"{name}\" ORDER BY rowid"
        )));
    }
    all
}

pub(super) fn planned(path: &Path) -> Plan {
    plan(path, &request(), &mut |_| ()).unwrap()
}

pub(super) fn migrated(path: &Path, backup: &Path) -> Result<Plan, Error> {
    let mut writer = Writer::new(backup);
    let stop = AtomicBool::new(false);
    apply(
        path,
        &request(),
        None,
        &mut |line| writer.take(line),
        &mut |_| (),
        &stop,
    )
}

pub(super) fn restored(path: &Path, backup: &Path, force: bool) -> Result<u64, Error> {
    let backup = Backup::open(backup).unwrap();
    let header = backup.header().clone();
    let stop = AtomicBool::new(false);
    restore(
        path,
        &header,
        backup.rows(),
        force,
        Duration::from_secs(10),
        &mut |_| (),
        &stop,
    )
}

#[test]
fn the_recorded_file_migrates_once_and_comes_back_exactly() {
    let (home, path) = recorded_file();
    let open = Connection::open(&path).unwrap();
    // What a rebuild could lose: a foreign key to the table, an index, a trigger.
    open.execute_batch(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, task INTEGER REFERENCES agent_tasks (id));
         INSERT INTO notes VALUES (1, 3);
         CREATE INDEX ix_agent_tasks_status ON agent_tasks (status);
         CREATE TRIGGER t AFTER DELETE ON agent_tasks BEGIN DELETE FROM notes WHERE task = old.id; END;",
    )
    .unwrap();
    drop(open);
    let bytes = std::fs::read(&path).unwrap();
    let before = dump(&path);
    let shown = planned(&path);
    assert_eq!(
        std::fs::read(&path).unwrap(),
        bytes,
        "a plan touches nothing"
    );
    assert_eq!((shown.runs.looked_at, shown.runs.changed), (5, 4));
    let backup = home.path().join("backup.jsonl");
    assert_eq!(migrated(&path, &backup).unwrap(), shown);
    assert!(planned(&path).is_empty(), "{:?}", planned(&path));

    let open = Connection::open(&path).unwrap();
    let mut statement = open
        .prepare("SELECT id || '|' || selected_provider || '|' || final_provider || '|' || coalesce(provider_dispatch_id, '-') || '|' || dispatch_status || '|' || fallback_attempted || '|' || coalesce(fallback_reason, '-') FROM node_runs ORDER BY id")
        .unwrap();
    let rows: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    drop(statement);
    assert_eq!(
        rows,
        [
            "1|kubernetes|kubernetes|kubernetes:legacy-1|dispatch_confirmed|0|-",
            "2|kubernetes|kubernetes|kubernetes:legacy-2|dispatch_confirmed|0|-",
            "3|kubernetes|kubernetes|kubernetes:legacy-3|dispatch_confirmed|0|-",
            "4|kubernetes|kubernetes|-|dispatch_pending|0|-",
            "5|kubernetes|kubernetes|kubernetes:default/llmctl-exec-7-106|dispatch_failed|0|-",
        ]
    );
    let fresh = "INSERT INTO agent_tasks (status, created_at, updated_at) VALUES ('queued', 'now', 'now') RETURNING selected_provider || final_provider";
    let fresh: String = open.query_row(fresh, [], |row| row.get(0)).unwrap();
    assert_eq!(fresh, "kuberneteskubernetes");
    for refused in [
        "UPDATE agent_tasks SET selected_provider = 'docker' WHERE id = 1",
        "UPDATE agent_tasks SET dispatch_status = 'fallback_started', fallback_reason = 'unknown' WHERE id = 1",
        "UPDATE agent_tasks SET provider_dispatch_id = 'docker:1' WHERE id = 1",
    ] {
        assert!(open.execute(refused, []).is_err(), "{refused}");
    }
    open.execute("DELETE FROM agent_tasks WHERE id = 6", [])
        .unwrap();
    drop(open);
    restored(&path, &backup, false).unwrap();
    assert_eq!(dump(&path), before);
}

#[test]
fn every_recorded_table_of_settings_becomes_what_is_stated() {
    for recorded in recorded() {
        let (home, path) = recorded_file();
        let open = Connection::open(&path).unwrap();
        open.execute_batch("DELETE FROM integration_settings; INSERT INTO integration_settings VALUES (1, 'chat', 'provider', 'workspace', 'then', 'then')")
            .unwrap();
        for (key, value) in &recorded.before {
            let sql = format!(
                "INSERT INTO integration_settings (provider, key, value, created_at, updated_at) VALUES ('node_executor', {}, {}, 'then', 'then')",
                quoted(key),
                quoted(value)
            );
            open.execute_batch(&sql).unwrap();
        }
        let before = dump(&path);
        let backup = home.path().join("backup.jsonl");
        migrated(&path, &backup).unwrap();
        let mut rows = open
            .prepare("SELECT key, CASE WHEN key = 'k8s_kubeconfig' AND updated_at != 'then' THEN substr(value, 1, 7) ELSE value END FROM integration_settings WHERE provider = 'node_executor'")
            .unwrap();
        let after: std::collections::BTreeMap<String, String> = rows
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(after, recorded.after, "{}", recorded.name);
        restored(&path, &backup, false).unwrap();
        assert_eq!(dump(&path), before, "{}", recorded.name);
    }
}

#[test]
fn a_file_that_another_connection_writes_is_left_alone_and_one_that_is_only_open_is_migrated() {
    let (home, path) = recorded_file();
    let before = dump(&path);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let impatient = Request {
        patience: Duration::from_millis(20),
        ..request()
    };
    let stop = AtomicBool::new(false);
    let error = apply(&path, &impatient, None, &mut nowhere, &mut |_| (), &stop).unwrap_err();
    assert!(matches!(error, Error::FileInUse { .. }), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(dump(&path), before);
    migrated(&path, &home.path().join("backup.jsonl")).unwrap();
    // The other one sees the new definition at once.
    assert!(
        other
            .execute("UPDATE agent_tasks SET selected_provider = 'docker'", [])
            .is_err()
    );
}

#[test]
fn files_that_are_closed_damaged_missing_or_something_else_are_named() {
    let (home, path) = recorded_file();
    let backup = home.path().join("backup.jsonl");
    let refused = |path: &Path| migrated(path, &backup).unwrap_err();
    let missing = home.path().join("missing");
    assert!(matches!(refused(&missing), Error::NoFile { .. }));
    assert!(!missing.exists());
    let text = home.path().join("text");
    std::fs::write(
        &text,
        "no database, but long enough to look at ".repeat(100),
    )
    .unwrap();
    assert!(matches!(refused(&text), Error::BrokenFile { .. }));
    let empty = home.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    assert!(matches!(refused(&empty), Error::NotAStudio { .. }));
    let cut = home.path().join("cut");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 3]).unwrap();
    let error = refused(&cut);
    assert!(matches!(error, Error::BrokenFile { .. }), "{error:?}");
    assert!(!backup.exists());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    // Root may write whatever it wants.
    if !rustix::process::geteuid().is_root() {
        assert!(matches!(refused(&path), Error::ReadOnlyFile { .. }));
    }
    assert!(!planned(&path).is_empty(), "reading is enough for a plan");
}

#[test]
fn views_survive_the_rebuild_and_one_that_asks_for_what_is_gone_is_told() {
    let (home, path) = recorded_file();
    let open = Connection::open(&path).unwrap();
    open.execute_batch(
        "CREATE VIEW mine AS SELECT id FROM agent_tasks WHERE final_provider = 'docker';
         CREATE VIEW done AS SELECT id FROM agent_tasks WHERE status = 'succeeded';",
    )
    .unwrap();
    drop(open);
    let before = dump(&path);
    let plan = planned(&path);
    assert_eq!(plan.views, ["mine"]);
    assert!(
        plan.for_a_person()
            .iter()
            .any(|line| line.contains("view mine")),
        "{plan:?}"
    );
    let backup = home.path().join("backup.jsonl");
    migrated(&path, &backup).unwrap();
    let open = Connection::open(&path).unwrap();
    let count = |view: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {view}");
        open.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    let counts = ["tasks", "node_runs", "done", "mine"].map(count);
    assert_eq!(counts, [5, 5, 3, 0]);
    let of_old: i64 = open
        .query_row(
            "SELECT count(*) FROM node_runs WHERE selected_provider <> 'kubernetes'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(of_old, 0, "the views show the new form");
    drop(open);
    restored(&path, &backup, false).unwrap();
    assert_eq!(dump(&path), before);
}

#[test]
fn a_file_in_wal_mode_migrates_and_comes_back_too() {
    let (home, path) = recorded_file();
    let open = Connection::open(&path).unwrap();
    let mode: String = open
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    open.execute("UPDATE agent_tasks SET prompt = 'only in the log'", [])
        .unwrap();
    let before = dump(&path);
    let backup = home.path().join("backup.jsonl");
    migrated(&path, &backup).unwrap();
    assert!(planned(&path).is_empty());
    restored(&path, &backup, false).unwrap();
    assert_eq!(dump(&path), before);
}

#[test]
fn a_stop_or_a_backup_that_cannot_be_written_leaves_the_file_as_it_was() {
    let (_home, path) = recorded_file();
    let bytes = std::fs::read(&path).unwrap();
    for at in 0..12 {
        let stop = AtomicBool::new(false);
        let mut lines = 0;
        let mut keep = |_: Line<'_>| {
            lines += 1;
            stop.store(lines > at, Ordering::Relaxed);
            Ok(())
        };
        let error = apply(&path, &request(), None, &mut keep, &mut |_| (), &stop).unwrap_err();
        assert!(matches!(error, Error::Interrupted), "{error}");
        let mut left = at;
        let mut full = |_: Line<'_>| {
            left -= 1;
            if left < 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
            }
            Ok(())
        };
        let stop = AtomicBool::new(false);
        let error = apply(&path, &request(), None, &mut full, &mut |_| (), &stop).unwrap_err();
        assert!(matches!(error, Error::Backup { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "at {at}");
    }
}

#[test]
fn rows_that_changed_since_are_not_overwritten_unless_forced() {
    let (home, path) = recorded_file();
    let before = dump(&path);
    let backup = home.path().join("backup.jsonl");
    migrated(&path, &backup).unwrap();
    let open = Connection::open(&path).unwrap();
    open.execute(
        "UPDATE agent_tasks SET dispatch_status = 'dispatch_failed' WHERE id = 4",
        [],
    )
    .unwrap();
    let changed = dump(&path);
    let error = restored(&path, &backup, false).unwrap_err();
    assert!(matches!(error, Error::Conflict { rows: 1, .. }), "{error}");
    assert_eq!(dump(&path), changed);
    restored(&path, &backup, true).unwrap();
    assert_eq!(dump(&path), before);
}
