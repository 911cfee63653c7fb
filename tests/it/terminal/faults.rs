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

#[test]
fn every_fault_of_the_palette_comes_and_says_so() {
    let home = Home::new();
    let mut terminal = demo(&home);
    let faults = [
        ("slow image pulls", "every image pull takes 20 s"),
        ("clock 1 h ahead", "the clock is off by +3600 s"),
        ("node silent", "nothing is heard of the node for 120 s"),
        ("newest pod out of memory", "no pod is running that could"),
        ("compact history", "old resource versions are forgotten"),
        ("drop all watches", "all watches were dropped"),
        ("500 for the next", "the next 5 requests get 500"),
        ("429 for the next", "the next 5 requests get 429"),
        ("503 for the next", "the next 5 requests get 503"),
        ("slow answers", "every answer comes 2 s late"),
        ("end all faults", "all is well again"),
    ];
    let offered = llmctl_dev::app::palette::ENTRIES.iter();
    let offered = offered.filter(|entry| entry.name.starts_with("sandbox fault: "));
    // And the one of the test above.
    assert_eq!(offered.count(), faults.len() + 1);
    for (name, said) in faults {
        terminal.press(":");
        terminal.press(name);
        terminal.wait_for(&format!("sandbox fault: {name}"));
        terminal.press(ENTER);
        terminal.wait_for(said);
    }
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

#[test]
fn a_demo_goes_wrong_as_its_command_line_says() {
    let home = Home::new();
    let faults = [
        "demo",
        "--fault",
        "slow-pulls=20",
        "--fault",
        "clock=3600@0.5",
    ];
    let mut terminal = home.terminal(&faults);
    terminal.wait_for_row(&["fault", "pulls take 20 s", "clock +3600 s"]);
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}
