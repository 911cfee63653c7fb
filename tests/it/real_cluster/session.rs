//! A person at the terminal.

use super::Place;
use crate::support::real::Use;
use crate::support::terminal::{ENTER, RIGHT};
use crate::terminal::start;

#[test]
fn a_run_is_watched_from_its_dispatch_to_its_countdown_and_kept() {
    let Some(place) = Place::prepared("session", Use::Shared) else {
        return;
    };
    let mut terminal = place.home.terminal(&[]);
    terminal.wait_for("CONTEXT");
    terminal.wait_for("● live");
    terminal.press("r");
    terminal.wait_for("Run a sample");
    terminal.press(ENTER);
    terminal.wait_for_row(&["1 ", "hello", "●", "…"]);
    terminal.wait_for_row(&["1 ", "hello", "retained", "✓ success", "29:5"]);
    terminal.wait_for_row(&["1 ", "hello", "retained", "✓ success", "29:4"]);
    terminal.press(RIGHT);
    terminal.wait_for("▸Logs");
    terminal.wait_for("from an executor pod");
    terminal.press("K");
    terminal.wait_for("is kept for 24 h");
    terminal.until("a longer countdown", |screen| {
        screen.contains("23:59") || screen.contains("23h") || screen.contains("24h")
    });

    // The overlay that made the namespace is in sync, and says so.
    terminal.press("1");
    terminal.wait_for_row(&["mine", "in sync"]);
    terminal.press("3");
    start(&mut terminal, "slow");
    terminal.wait_for_row(&["slow", "● running"]);
    terminal.press("c");
    terminal.wait_for("Cancel");
    terminal.press("y");
    terminal.wait_for_row(&["slow", "cancelled"]);
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}
