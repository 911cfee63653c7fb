//! A real signal in the middle of a real migration, and a password that is typed.

use crate::support::home::Home;
use crate::support::postgres::{Database, PASSWORD};
use crate::support::terminal::ENTER;
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, Command, Stdio};

const LEGACY_FILE: &str = include_str!("../fixtures/legacy-sqlite.sql");
const LEGACY: &str = include_str!("../fixtures/legacy-postgres.sql");

/// A migration that was started, and what it says of itself.
struct Started {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Started {
    fn new(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// Reads on until it begins with that step.
    fn until(&mut self, step: &str) {
        let mut line = String::new();
        while !line.starts_with(step) {
            line.clear();
            let read = self.said.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended before {step:?}");
        }
    }

    /// Presses Ctrl-C, as a terminal does; gives the exit code and what it said last.
    fn interrupt(mut self) -> (Option<i32>, String) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT).unwrap();
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

#[track_caller]
fn rolled_back(home: &Home, ended: (Option<i32>, String)) {
    let (code, said) = ended;
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("all of it was rolled back"), "{said}");
    // Nothing was changed, so there is nothing to put back.
    let kept = home.path().join("state");
    let mut folders = vec![kept];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert!(
                path.extension().is_none_or(|end| end != "jsonl"),
                "{}",
                path.display()
            );
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
}

#[test]
fn an_interrupted_migration_of_a_file_leaves_every_byte() {
    let home = Home::new();
    let path = home.path().join("old.sqlite3");
    let open = Connection::open(&path).unwrap();
    open.execute_batch(LEGACY_FILE).unwrap();
    // Enough of them that a signal comes in between.
    open.execute_batch(
        "INSERT INTO agent_tasks (id, status, selected_provider, provider_dispatch_id, created_at, updated_at)
         WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 60100)
         SELECT i, 'queued', 'docker', 'docker:' || i, 'then', 'then' FROM n",
    )
    .unwrap();
    drop(open);
    let before = std::fs::read(&path).unwrap();
    let file = path.to_str().unwrap();
    let mut started = Started::new(home.command(&["migrate", "apply", "--yes", "--sqlite", file]));
    started.until("backing up");
    rolled_back(&home, started.interrupt());
    // A journal that was left would be played back here.
    Connection::open(&path)
        .unwrap()
        .execute_batch("SELECT count(*) FROM agent_tasks")
        .unwrap();
    assert!(std::fs::read(&path).unwrap() == before, "a byte differs");
}

#[test]
fn an_interrupted_migration_of_a_postgresql_leaves_every_row() {
    let Some(database) = Database::new("interrupted") else {
        return;
    };
    database.sql(LEGACY);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let held = runtime.block_on(database.hold_runs());
    let before = database.dump();
    let home = Home::new().with("LLMCTL_POSTGRES_PASSWORD", PASSWORD);
    let started =
        Started::new(home.command(&["migrate", "apply", "--yes", "--postgres", &database.uri()]));
    database.wait_for_writes(1);
    rolled_back(&home, started.interrupt());
    // The server notices in the middle of its statement that nobody is there any more.
    database.wait_for_writes(0);
    drop(held);
    assert_eq!(database.dump(), before);
}

#[test]
fn a_password_is_typed_unseen() {
    let Some(database) = Database::new("typed") else {
        return;
    };
    database.sql(LEGACY);
    let home = Home::new();
    let uri = database.uri();
    let mut terminal = home.terminal(&["migrate", "plan", "--postgres", &uri]);
    terminal.wait_for("Password of llmctl");
    terminal.press(&format!("{PASSWORD}{ENTER}"));
    assert_eq!(terminal.exit(), 1, "there is something to migrate");
    let raw = terminal.raw();
    assert!(raw.contains("run rows"), "{raw}");
    assert!(!raw.contains("s3cret"), "{raw}");
    // Nobody is there to be asked.
    let ran = home.run(&["migrate", "plan", "--postgres", &uri]);
    assert!(
        ran.code != 0 && ran.err.contains("LLMCTL_POSTGRES_PASSWORD"),
        "{ran:?}"
    );
}

#[test]
fn a_file_that_may_not_be_written_is_planned_and_left() {
    let home = Home::new();
    let path = home.path().join("old.sqlite3");
    let open = Connection::open(&path).unwrap();
    open.execute_batch(LEGACY_FILE).unwrap();
    drop(open);
    let bytes = std::fs::read(&path).unwrap();
    let allow = |path: &std::path::Path, mode: &str| {
        let done = Command::new("chmod").arg("-R").arg(mode).arg(path).status();
        assert!(done.unwrap().success());
    };
    allow(home.path(), "a+rwX");
    allow(&path, "0444");
    let file = path.to_str().unwrap();
    let run = |what: &[&str]| {
        let mut command = home.command(&[&["migrate"], what, &["--sqlite", file]].concat());
        if rustix::process::geteuid().is_root() {
            // Root may write whatever it wants, so nobody does it.
            command.uid(65_534).gid(65_534);
        }
        command.output()
    };
    let planned = match run(&["plan"]) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            eprintln!("SKIPPED: nobody but root may start the program here");
            return;
        }
        planned => planned.unwrap(),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(planned.status.code(), Some(1), "{}", text(&planned.stderr));
    let applied = run(&["apply", "--yes"]).unwrap();
    let said = text(&applied.stderr);
    assert_eq!(applied.status.code(), Some(1), "{said}");
    assert!(said.contains("may not be written"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
