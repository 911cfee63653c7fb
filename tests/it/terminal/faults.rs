//! The API away in the middle of a run.

use super::{demo, start};
use crate::support::home::Home;
use crate::support::processes::Process;
use crate::support::terminal::{CTRL_S, ENTER};
use std::time::{Duration, Instant};

#[test]
fn half_a_minute_without_the_api_loses_nothing() {
    let home = Home::new();
    let mut terminal = demo(&home);
    start(&mut terminal, "slow");
    terminal.press("l");
    terminal.wait_for("second 2 of 60");
    let lost = Instant::now();
    terminal.press(":");
    terminal.press("API down");
    terminal.wait_for("sandbox fault: API down");
    terminal.press(ENTER);
    terminal.wait_for("✗ lost");
    terminal.wait_for("retry in");
    terminal.wait_for("as of");
    // What would write says that it cannot.
    terminal.press("3");
    terminal.press("r");
    terminal.wait_for("not connected to SANDBOX demo");
    assert!(!terminal.text().contains("Run a sample"));

    let program = Process::find(terminal.pid().as_raw_nonzero().get()).unwrap();
    let (before, begin) = (program.busy(), Instant::now());
    terminal.wait_for("● live");
    let (busy, passed) = (program.busy().saturating_sub(before), begin.elapsed());
    assert!(lost.elapsed() > Duration::from_secs(25), "{lost:?}");
    assert!(
        busy < passed / 20,
        "{busy:?} of {passed:?} on a processor while there was nothing to do"
    );

    terminal.gone("as of");
    terminal.wait_for_row(&["slow", "● running"]);
    terminal.press("l");
    terminal.wait_for("second 36 of 60");
    terminal.press(CTRL_S);
    terminal.wait_for("log saved to");
    let text = home.saved_log();
    let seconds: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once("second ")?.1.strip_suffix(" of 60"))
        .collect();
    let expected: Vec<String> = (1..=seconds.len()).map(|n| n.to_string()).collect();
    assert!(seconds.len() >= 36, "{text}");
    assert_eq!(seconds, expected);
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}
