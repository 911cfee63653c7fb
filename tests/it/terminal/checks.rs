//! The checks on a real terminal: a migration that is due, looked through, done and put back; an audit.

use super::demo;
use crate::migration::postgres::dump;
use crate::migration::{quoted, recorded};
use crate::support::ground::Ground;
use crate::support::home::{Home, PROGRAM, Ran};
use crate::support::postgres::{Database, PASSWORD};
use crate::support::terminal::{ENTER, ESC, Terminal};
use std::path::Path;

const LEGACY: &str = include_str!("../fixtures/legacy-postgres.sql");

/// The words of the line that puts a migration back, as the list shows it, however it is wrapped.
pub(crate) fn way_back(terminal: &Terminal) -> Vec<String> {
    let shown = terminal.text();
    let at = shown.find("put back with: llmctl-dev ").unwrap();
    let words = shown[at..]
        .lines()
        .map(|line| line.trim().trim_matches('│').trim())
        .take_while(|line| !line.is_empty() && *line != "nothing to migrate");
    let words: Vec<&str> = words.flat_map(str::split_whitespace).collect();
    words[4..].iter().map(|word| (*word).to_owned()).collect()
}

/// Says yes to the migration that is listed.
pub(crate) fn migrate(terminal: &mut Terminal, name: &str) {
    terminal.press("a");
    terminal.wait_for(&format!("Type {name} to go on"));
    terminal.press(&format!("{name}{ENTER}"));
    terminal.gone("to go on");
}

fn backups(home: &Path) -> usize {
    let folder = home.join("state/llmctl-dev/migrations");
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Rows of runs, and the recorded settings with the most rows.
fn fill(database: &Database) {
    database.sql(LEGACY);
    let mut tables = recorded();
    tables.sort_by_key(|table| table.before.len());
    database.sql("DELETE FROM integration_settings WHERE provider = 'node_executor'");
    for (key, value) in &tables.last().unwrap().before {
        database.sql(&format!(
            "INSERT INTO integration_settings (provider, key, value, created_at, updated_at) VALUES ('node_executor', {}, {}, now(), now())",
            quoted(key),
            quoted(value)
        ));
    }
}

/// Studio's PostgreSQL, named by its variable: begun and rolled back by a key, then done, then put back by the line that is shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_is_rolled_back_by_a_key_then_migrated_and_put_back() {
    let Some(database) = Database::new("pane") else {
        return;
    };
    fill(&database);
    let ground = Ground::new().await;
    let uri = database.uri();
    let more = [
        ("LLMCTL_STUDIO_DATABASE_URI", uri.as_str()),
        ("LLMCTL_POSTGRES_PASSWORD", PASSWORD),
    ];
    let held = database.hold_runs().await;
    let untouched = database.dump();
    let mut terminal = ground.home.on_a_terminal(PROGRAM, &[], &more);
    terminal.wait_for("● live");
    terminal.wait_for("migration due");
    terminal.press("5");
    terminal.press(ENTER);
    terminal.wait_for_row(&["Migration of database", database.name(), "rows"]);
    terminal.wait_for_row(&["delete", "docker_host"]);

    migrate(&mut terminal, database.name());
    terminal.wait_for("esc roll back");
    database.wait_for_writes(1);
    terminal.press(ESC);
    terminal.wait_for("all of it was rolled back");
    database.wait_for_writes(0);
    drop(held);
    assert!(database.dump() == untouched, "something differs");
    assert_eq!(backups(ground.home.path()), 0, "nothing is to be put back");
    terminal.wait_for_row(&["delete", "docker_host"]);

    database.sql("DROP FUNCTION wait() CASCADE");
    let before = dump(&database);
    migrate(&mut terminal, database.name());
    terminal.wait_for("migrated and verified");
    terminal.wait_for("nothing to migrate");
    assert_eq!(backups(ground.home.path()), 1);
    let say = |words: &[&str]| {
        let mut command = ground.home.command(words);
        Ran::of(command.envs(more))
    };
    say(&["migrate", "verify", "--postgres", &uri]).ended(0);
    let mut back = way_back(&terminal);
    back.push("--yes".into());
    let back: Vec<&str> = back.iter().map(String::as_str).collect();
    assert_eq!(back[..2], ["migrate", "restore"], "{back:?}");
    say(&back).ended(0);
    assert!(dump(&database) == before, "something differs");
    terminal.press("u");
    terminal.wait_for_row(&["delete", "docker_host"]);
    terminal.press(ESC);
    terminal.gone("Migration of");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
    assert!(!terminal.raw().contains("s3cret"));
    ground.sandbox.stop().await;
}

#[test]
fn a_due_migration_is_reviewed_done_and_put_back() {
    let home = Home::new();
    home.write("run.sh", "docker compose up -d\n");
    let mut terminal = demo(&home);
    terminal.wait_for("migration due");
    terminal.press("5");
    terminal.press(ENTER);
    terminal.wait_for("21 of 27 run rows");
    terminal.press("/image_pull");
    terminal.wait_for("4 of 47 rows");
    terminal.press(ESC);
    terminal.gone("4 of 47 rows");

    // A name that is not the database's does nothing.
    terminal.press("a");
    terminal.wait_for("Migrate llmctl-studio");
    terminal.press(&format!("llmctl{ENTER}"));
    terminal.press(ESC);
    terminal.gone("Migrate llmctl-studio");
    terminal.press("a");
    terminal.wait_for("Migrate llmctl-studio");
    terminal.press(&format!("llmctl-studio.sqlite3{ENTER}"));
    terminal.wait_for("migrated and verified");
    terminal.wait_for("nothing to migrate");

    // The line that it shows puts everything back.
    let words = way_back(&terminal);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(words[..2], ["migrate", "restore"], "{words:?}");
    home.run(&[&words[..], &["--yes"]].concat()).ended(0);
    terminal.press("u");
    terminal.wait_for("21 of 27 run rows");
    terminal.press(ESC);
    terminal.gone("Migration of");

    terminal.press(&format!("j{ENTER}"));
    terminal.wait_for("run.sh:1");
    terminal.press(ESC);
    terminal.gone("Audit of");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
    let left: Vec<_> = std::fs::read_dir(home.temporary()).unwrap().collect();
    assert!(
        left.is_empty(),
        "the sample goes with the session: {left:?}"
    );
}
