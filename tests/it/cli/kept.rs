//! How much of past runs the program keeps, by its config.toml, and what it does with a record that it cannot read.

use crate::support::home::Home;
use serde_json::Value;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// A person with these bounds.
fn home(bounds: &str) -> Home {
    let home = Home::new();
    home.write(
        "config/llmctl-dev/config.toml",
        &format!("[history]\n{bounds}\n"),
    );
    home
}

/// Runs a sample on a sandbox of its own; gives its UID.
fn run(home: &Home, sample: &str) -> String {
    let ran = home.run(&["--sandbox", "run", sample, "--wait", "-o", "json"]);
    ran.json()["uid"].as_str().unwrap().to_owned()
}

/// The UIDs of the runs that are known, newest first.
fn known(home: &Home) -> Vec<String> {
    let listed = home.run(&["--sandbox", "runs", "list", "-o", "json"]);
    let listed = listed.ended(0).json();
    let runs = listed["runs"].as_array().unwrap();
    let uid = |run: &Value| run["uid"].as_str().unwrap().to_owned();
    runs.iter().map(uid).collect()
}

/// The files of a run in the history.
fn files(home: &Home, uid: &str) -> Vec<PathBuf> {
    let history = home.path().join("state/llmctl-dev/history");
    let clusters = std::fs::read_dir(history).unwrap();
    let files = clusters.flat_map(|cluster| std::fs::read_dir(cluster.unwrap().path()).unwrap());
    let files = files.map(|file| file.unwrap().path());
    files
        .filter(|file| file.file_name().unwrap().to_string_lossy().starts_with(uid))
        .collect()
}

#[test]
fn no_more_runs_than_are_wanted() {
    let home = home("runs = 2");
    let uids: Vec<String> = (0..3).map(|_| run(&home, "hello")).collect();
    assert_eq!(known(&home), [uids[2].clone(), uids[1].clone()]);
    assert!(files(&home, &uids[0]).is_empty());
}

#[test]
fn no_older_runs_than_are_wanted() {
    let home = home("days = 2");
    let (old, new) = (run(&home, "hello"), run(&home, "hello"));
    let age = |days: u64| {
        let at = SystemTime::now() - Duration::from_secs(days * 86_400 + 60);
        for file in files(&home, &old) {
            let file = File::options().write(true).open(file).unwrap();
            file.set_modified(at).unwrap();
        }
    };
    age(1);
    assert_eq!(known(&home), [new.clone(), old.clone()]);
    age(2);
    assert_eq!(known(&home), [new]);
    assert!(files(&home, &old).is_empty());
}

#[test]
fn no_more_bytes_than_are_wanted() {
    let home = home("megabytes = 1");
    let (old, new) = (run(&home, "hello"), run(&home, "hello"));
    assert_eq!(known(&home), [new.clone(), old.clone()]);
    let files_of = files(&home, &old);
    let log = files_of
        .iter()
        .find(|file| file.extension().is_some_and(|end| end == "log"));
    let log = File::options().write(true).open(log.unwrap()).unwrap();
    log.set_len(1024 * 1024).unwrap();
    log.set_modified(SystemTime::now() - Duration::from_mins(1))
        .unwrap();
    for file in files_of {
        let file = File::options().write(true).open(file).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_mins(1))
            .unwrap();
    }
    assert_eq!(known(&home), [new], "the older one goes first");
    assert!(files(&home, &old).is_empty());
}

#[test]
fn no_longer_log_than_is_wanted() {
    let home = home("log_megabytes = 1");
    let noisy = run(&home, "noisy");
    let bytes: u64 = files(&home, &noisy)
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "log"))
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert!((900_000..1_100_000).contains(&bytes), "{bytes}");
    let log = home.run(&["--sandbox", "runs", "logs", "last", "--tail", "1"]);
    assert_eq!(
        log.ended(0).out,
        "[llmctl-dev] the log is longer than 1048576 bytes; the rest is not kept\n"
    );
}

#[test]
fn a_record_that_cannot_be_read_is_set_aside_and_told_of() {
    let home = Home::new();
    let (broken, whole) = (run(&home, "hello"), run(&home, "hello"));
    let record = files(&home, &broken)
        .into_iter()
        .find(|file| file.extension().is_some_and(|end| end == "json"))
        .unwrap();
    std::fs::write(&record, "{\"id\": \u{1b}[2J").unwrap();
    let mut terminal = home.terminal(&["demo"]);
    terminal.wait_for("was set aside");
    terminal.wait_for_row(&["hello", "✓ success"]);
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
    assert!(files(&home, &broken).contains(&record.with_extension("json.corrupt")));
    // And a command says so as well, and goes on.
    std::fs::write(&record, "[]").unwrap();
    let listed = home.run(&["--sandbox", "runs", "list", "-o", "json"]);
    assert!(listed.err.contains("was set aside"), "{listed:?}");
    let listed = listed.ended(0).json();
    assert_eq!(listed["runs"][0]["uid"], whole.as_str());
    // What is left can be exported, a document a line.
    let exported = home.run(&["--sandbox", "runs", "export", "--logs"]);
    let lines: Vec<Value> = exported
        .ended(0)
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].to_string().contains("from an executor pod"));
}
