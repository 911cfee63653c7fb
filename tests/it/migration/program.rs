//! `llmctl-dev migrate`, the real program on a real file: exit codes, documents, and what it never says.

use rusqlite::Connection;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_llmctl-dev");

fn at(home: &Path, command: &mut Command) -> Output {
    command
        .env("LLMCTL_DEV_CONFIG_DIR", home.join("config"))
        .env("LLMCTL_DEV_STATE_DIR", home.join("state"))
        .env("HOME", home)
        .env_remove("FLASK_SECRET_KEY")
        .env_remove("LLMCTL_STUDIO_DATABASE_URI")
        .output()
        .unwrap()
}

fn migrate(home: &Path, args: &[&str]) -> Output {
    at(home, Command::new(PROGRAM).arg("migrate").args(args))
}

#[track_caller]
fn said(output: &Output, code: i32) -> String {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    out.into_owned()
}

fn file(home: &Path) -> String {
    let path = home.join("llmctl-studio.sqlite3");
    let open = Connection::open(&path).unwrap();
    open.execute_batch(include_str!("../fixtures/legacy-sqlite.sql"))
        .unwrap();
    path.display().to_string()
}

#[test]
fn a_file_is_planned_migrated_verified_and_restored() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = file(home);
    let on_file = ["--sqlite", &file];
    let run = |what: &str, more: &[&str]| migrate(home, &[&[what], &on_file[..], more].concat());

    let text = said(&run("plan", &[]), 1);
    for part in [
        "fallback_provider",
        "run 3 (succeeded)",
        "ck_node_runs_dispatch_status_allowed",
        "dispatch_status",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: Value = serde_json::from_str(&said(&run("plan", &["-o", "json"]), 1)).unwrap();
    assert_eq!(json["schema"], "llmctl-dev/migration-plan/v1");
    assert_eq!(json["plan"]["runs"]["changed"], 4);
    assert_eq!(
        json["plan"]["runs"]["rows"][0]["changes"][0]["before"],
        "workspace"
    );
    said(&run("verify", &[]), 1);
    // Nobody can be asked here.
    said(&run("apply", &[]), 2);
    said(&run("verify", &[]), 1);
    let json: Value =
        serde_json::from_str(&said(&run("apply", &["--yes", "-o", "json"]), 0)).unwrap();
    let backup = json["backup"].as_str().unwrap().to_owned();
    assert!(Path::new(&backup).starts_with(home.join("state")));
    said(&run("verify", &[]), 0);
    said(&run("plan", &[]), 0);
    let again: Value =
        serde_json::from_str(&said(&run("apply", &["--yes", "-o", "json"]), 0)).unwrap();
    assert_eq!(again["backup"], Value::Null);
    said(
        &migrate(home, &["restore", &backup, "--yes", "--sqlite", &file]),
        0,
    );
    said(&run("verify", &[]), 1);
}

#[test]
fn wrong_sources_are_refused_and_a_password_in_an_argument_is_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    said(&migrate(home, &["plan"]), 2);
    said(&migrate(home, &["plan", "--sqlite", "nowhere"]), 5);
    said(&migrate(home, &["plan", "--sqlite", "a", "--stack"]), 2);
    said(
        &migrate(home, &["restore", "nowhere", "--sqlite", "a", "--yes"]),
        5,
    );
    let refused = migrate(
        home,
        &["plan", "--postgres", "postgresql://u:s3cret@127.0.0.1:1/d"],
    );
    said(&refused, 2);
    assert!(!String::from_utf8_lossy(&refused.stderr).contains("s3cret"));
    said(
        &migrate(
            home,
            &["plan", "--postgres", "postgresql+psycopg://u@127.0.0.1:1/d"],
        ),
        3,
    );
}

#[test]
fn a_disk_that_is_full_leaves_the_file_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = file(home);
    let open = Connection::open(&file).unwrap();
    let filling = "x".repeat(2_000);
    for id in 100..400 {
        let sql = "INSERT INTO agent_tasks (id, status, selected_provider, provider_dispatch_id, output, created_at, updated_at) VALUES (?1, 'queued', 'docker', 'docker:' || ?1, ?2, 'then', 'then')";
        open.execute(sql, rusqlite::params![id, filling]).unwrap();
    }
    drop(open);
    let before = std::fs::read(&file).unwrap();
    // No file may grow beyond 128 blocks of 512 bytes: neither the journal nor the backup has room.
    let limited = "trap '' XFSZ; ulimit -f 128; exec \"$0\" migrate apply --yes --sqlite \"$1\"";
    let output = at(
        home,
        Command::new("sh").args(["-c", limited, PROGRAM, &file]),
    );
    said(&output, 1);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("nothing was changed")
            || String::from_utf8_lossy(&output.stderr).contains("rolled back")
    );
    Connection::open(&file)
        .unwrap()
        .execute_batch("SELECT count(*) FROM agent_tasks")
        .unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), before);
}
