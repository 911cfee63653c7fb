//! A session in which nothing happens.

use super::{demo, start};
use crate::support::home::Home;
use crate::support::processes::Process;
use std::time::{Duration, Instant};

#[test]
fn ten_finished_runs_that_count_down_cost_nearly_nothing() {
    let home = Home::new();
    let mut terminal = demo(&home);
    for _ in 0..10 {
        start(&mut terminal, "hello");
    }
    terminal.until("ten verdicts", |screen| {
        screen.matches("✓ success ").count() >= 10
    });
    // The log collection and what else follows a verdict.
    terminal.wait_for("29:5");
    let program = Process::find(terminal.pid().as_raw_nonzero().get()).unwrap();
    let (before, begin) = (program.busy(), Instant::now());
    // The time is what is measured: nothing else tells that nothing happens.
    std::thread::sleep(Duration::from_secs(10));
    let (busy, passed) = (program.busy().saturating_sub(before), begin.elapsed());
    println!("{busy:?} of {passed:?}");
    assert!(busy < passed / 50, "{busy:?} of {passed:?} on a processor");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}
