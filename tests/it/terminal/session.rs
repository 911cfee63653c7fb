//! A person at the keyboard of `llmctl-dev demo`.

use super::{choose, demo, start};
use crate::support::home::Home;
use crate::support::terminal::{BACKSPACE, CTRL_S, DOWN, ENTER, ESC, RIGHT, TAB, Terminal};
use std::time::{Duration, Instant};

#[test]
fn a_run_goes_through_its_phases_to_the_countdown() {
    let home = Home::new();
    let begin = Instant::now();
    let mut terminal = home.terminal(&["demo"]);
    terminal.wait_for("SANDBOX demo");
    // The order of magnitude only: how quick it is is measured elsewhere, on a machine that does nothing else.
    assert!(begin.elapsed() < Duration::from_secs(5), "a slow frame");
    terminal.wait_for("● live");
    terminal.wait_for("executor ✓");
    terminal.press("r");
    terminal.wait_for("Run a sample");
    terminal.press(ENTER);
    terminal.wait_for_row(&["1 ", "hello", "◌", "…"]);
    terminal.wait_for_row(&["1 ", "hello", "● running", "…"]);
    terminal.wait_for_row(&["1 ", "hello", "retained", "✓ success", "29:5"]);
    terminal.wait_for_row(&["retained", "left, until"]);
    // The countdown counts.
    terminal.wait_for_row(&["1 ", "hello", "retained", "✓ success", "29:4"]);
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

#[test]
fn every_tab_of_a_run_tells_its_part() {
    let home = Home::new();
    let mut terminal = demo(&home);
    start(&mut terminal, "fail");
    terminal.wait_for_row(&["fail", "✗", "exit 3"]);
    terminal.wait_for("▸Timeline");
    terminal.press(RIGHT);
    terminal.wait_for("▸Logs");
    terminal.wait_for("about to fail");
    terminal.wait_for("no such luck");
    terminal.press(RIGHT);
    terminal.wait_for("▸Result");
    terminal.wait_for("execution_error");
    terminal.press(RIGHT);
    terminal.wait_for("▸Events");
    terminal.wait_for_row(&["Job", "BackoffLimitExceeded", "Job has reached"]);
    terminal.press(RIGHT);
    terminal.wait_for("▸Manifest");
    terminal.wait_for("apiVersion: batch/v1");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

#[test]
fn help_palette_messages_and_filter_are_a_key_away() {
    let home = Home::new();
    let mut terminal = demo(&home);
    start(&mut terminal, "hello");
    terminal.wait_for_row(&["hello", "✓ success"]);
    start(&mut terminal, "silent");
    terminal.wait_for_row(&["silent", "uncertain"]);

    terminal.press("?");
    terminal.wait_for("leave the program");
    terminal.press(ESC);
    terminal.gone("leave the program");

    terminal.press("!");
    terminal.wait_for("Messages");
    terminal.press(ESC);
    terminal.gone("Messages");

    terminal.press("/hel");
    terminal.wait_for("1 of 2 ╮");
    terminal.press(ENTER);
    terminal.press(ESC);
    terminal.gone("1 of 2 ╮");

    terminal.press(":");
    terminal.press("keys");
    terminal.wait_for_row(&["llmctl-dev", "--help"]);
    terminal.press(ENTER);
    terminal.wait_for("leave the program");
    // `q` closes what is open, and only then the program.
    terminal.press("q");
    terminal.gone("leave the program");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

#[test]
fn a_terminal_too_small_says_so_and_comes_back() {
    let home = Home::new();
    let mut terminal = demo(&home);
    start(&mut terminal, "hello");
    terminal.wait_for_row(&["hello", "✓ success"]);
    terminal.resize(20, 5);
    terminal.until("the size that is needed", |screen| {
        screen.contains("60") && !screen.contains("hello")
    });
    // Keys that nobody sees the effect of still do what they do.
    terminal.press("?");
    terminal.resize(80, 24);
    terminal.wait_for("leave the program");
    terminal.press("q");
    terminal.wait_for_row(&["hello", "✓ success"]);
    terminal.gone("leave the program");
    terminal.resize(120, 40);
    terminal.wait_for("▸Job TTL");
    terminal.wait_for_row(&["hello", "✓ success"]);
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

#[test]
fn a_key_that_comes_with_a_new_size_is_answered() {
    let home = Home::new();
    let mut terminal = demo(&home);
    for turn in 0..40 {
        let (columns, rows) = [(120, 40), (80, 24)][turn % 2];
        terminal.press("?");
        terminal.resize(columns, rows);
        terminal.wait_for("leave the program");
        terminal.press("q");
        terminal.gone("leave the program");
    }
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

/// Presses the key down until the settings form stands on a setting, one key after the answer to the other.
fn settings_row(terminal: &mut Terminal, name: &str) {
    let marked = |screen: &str| {
        let row = screen.lines().find(|line| line.contains("▸ "));
        row.map(|row| row.split("▸ ").skip(1).collect::<String>())
    };
    for _ in 0..40 {
        let before = marked(&terminal.text());
        if before.as_deref().is_some_and(|row| row.starts_with(name)) {
            return;
        }
        terminal.press(DOWN);
        terminal.until("the next setting", |screen| marked(screen) != before);
    }
    panic!("no {name} in\n{}", terminal.text());
}

#[test]
fn a_ttl_of_a_minute_removes_the_next_run_and_leaves_its_log() {
    let home = Home::new();
    let mut terminal = demo(&home);
    terminal.press("2e");
    terminal.wait_for("executor.toml");
    settings_row(&mut terminal, "Job TTL");
    terminal.press(ENTER);
    for _ in 0..6 {
        terminal.press(BACKSPACE);
    }
    terminal.press("30");
    // The rule shows while the wrong value is typed, and it cannot be saved.
    terminal.wait_for("60");
    terminal.press(BACKSPACE);
    terminal.press(BACKSPACE);
    terminal.press("60");
    terminal.press(CTRL_S);
    terminal.wait_for("saved 1 setting");
    terminal.press(ESC);
    terminal.gone("Settings · executor.toml");
    let saved = std::fs::read_to_string(home.settings()).unwrap();
    assert!(saved.contains("job_ttl_seconds = 60"), "{saved}");

    terminal.press("3");
    start(&mut terminal, "hello");
    terminal.wait_for_row(&["hello", "✓ success", "0:5"]);
    terminal.wait_for_row(&["hello", "removed (TTL)", "✓ success"]);
    terminal.press("l");
    terminal.wait_for("▸Logs");
    terminal.wait_for("from an executor pod");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);

    // And tomorrow, with another program.
    let mut terminal = demo(&home);
    terminal.wait_for_row(&["hello", "removed (TTL)", "✓ success"]);
    terminal.press("l");
    terminal.wait_for("from an executor pod");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

#[test]
fn a_run_is_cancelled_after_a_question_and_says_so() {
    let home = Home::new();
    let mut terminal = demo(&home);
    start(&mut terminal, "slow");
    terminal.wait_for_row(&["slow", "● running"]);
    terminal.press("l");
    terminal.wait_for("second 2 of 60");
    terminal.press("3");
    terminal.press("c");
    terminal.wait_for("Cancel");
    terminal.press("n");
    terminal.wait_for_row(&["slow", "● running"]);
    terminal.press("c");
    terminal.press("y");
    terminal.wait_for_row(&["slow", "cancelled"]);
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

#[test]
fn a_run_dialog_takes_a_ttl_and_a_kept_run_lives_longer() {
    let home = Home::new();
    let mut terminal = demo(&home);
    choose(&mut terminal, "hello");
    terminal.wait_for_row(&["Timeout", "TTL", "1800"]);
    // From the samples to the time-out to the TTL.
    terminal.press(TAB);
    terminal.press(TAB);
    for _ in 0..6 {
        terminal.press(BACKSPACE);
    }
    terminal.press("600");
    terminal.wait_for_row(&["Timeout", "TTL", "600"]);
    terminal.press(ENTER);
    terminal.wait_for_row(&["hello", "✓ success", "9:5"]);
    terminal.press("K");
    terminal.until("a longer countdown", |screen| {
        screen.contains("23:59") || screen.contains("23h") || screen.contains("24h")
    });
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}
