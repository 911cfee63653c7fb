//! The real program on a real terminal, its screen read back: on the sandbox, with no cluster on this machine.

pub(crate) mod checks;
mod endings;
mod faults;
mod idle;
mod notify;
mod secrets;
mod session;
mod settings;
mod start;

use crate::support::home::Home;
use crate::support::terminal::{DOWN, ENTER, Terminal};

/// The demo, once it is connected.
pub(crate) fn demo(home: &Home) -> Terminal {
    let terminal = home.terminal(&["demo"]);
    terminal.wait_for("● live");
    terminal
}

/// Opens the run dialog with a sample chosen.
pub(crate) fn choose(terminal: &mut Terminal, sample: &str) {
    terminal.press("r");
    terminal.wait_for("Run a sample");
    let samples = llmctl_dev::files::samples::load(None).samples;
    let at = samples.iter().position(|known| known.name == sample);
    terminal.wait_for("▸ hello ");
    terminal.press(&DOWN.repeat(at.unwrap()));
    terminal.wait_for(&format!("▸ {sample} "));
}

/// Starts a sample by the run dialog.
pub(crate) fn start(terminal: &mut Terminal, sample: &str) {
    choose(terminal, sample);
    terminal.press(ENTER);
    terminal.gone("Run a sample");
}
