//! The checks on a real terminal: a migration that is due, looked through, done and put back; an audit.

use super::demo;
use crate::support::home::Home;
use crate::support::terminal::{ENTER, ESC};

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
    let shown = terminal.text();
    let at = shown.find("put back with: llmctl-dev ").unwrap();
    let words: Vec<&str> = shown[at..]
        .split_whitespace()
        .map(|word| word.trim_matches('│'))
        .filter(|word| !word.is_empty())
        .skip(4)
        .take(5)
        .collect();
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
