//! The real API server stopped in the middle of a run.

use super::Place;
use crate::support::home::Home;
use crate::support::processes::Process;
use crate::support::real::{Real, Use};
use crate::support::terminal::{CTRL_S, Terminal};
use crate::terminal::start;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Starts the API server again, whatever happens to the test.
struct Outage {
    scripts: PathBuf,
}

impl Outage {
    fn begin(scripts: &Path) -> Self {
        script(scripts, "restart", &["--stop", "kube-apiserver"]);
        Self {
            scripts: scripts.to_owned(),
        }
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        script(&self.scripts, "up", &[]);
    }
}

fn script(scripts: &Path, name: &str, arguments: &[&str]) {
    let ended = Command::new(scripts.join(name)).args(arguments).output();
    let output = ended.unwrap();
    assert!(output.status.success(), "{name}: {output:?}");
}

#[test]
fn half_a_minute_without_the_api_server_loses_nothing() {
    let Some(scripts) = Real::scripts("outage") else {
        return;
    };
    let Some(place) = Place::prepared("outage", Use::Alone) else {
        return;
    };
    let mut terminal = place.home.terminal(&[]);
    terminal.wait_for("● live");
    start(&mut terminal, "slow");
    terminal.press("l");
    terminal.wait_for("second 2 of 60");

    let outage = Outage::begin(&scripts);
    let begin = Instant::now();
    terminal.wait_for("✗ lost");
    terminal.wait_for("retry in");
    terminal.wait_for("as of");
    terminal.press("3r");
    terminal.wait_for("not connected to");
    let program = Process::find(terminal.pid().as_raw_nonzero().get()).unwrap();
    let (before, from) = (program.busy(), Instant::now());
    // Thirty seconds of an outage are what is tested; nothing else tells when they are over.
    std::thread::sleep(Duration::from_secs(30).saturating_sub(begin.elapsed()));
    let (busy, passed) = (program.busy().saturating_sub(before), from.elapsed());
    assert!(
        busy < passed / 20,
        "{busy:?} of {passed:?} on a processor while there was nothing to do"
    );
    drop(outage);

    terminal.wait_for("● live");
    terminal.gone("as of");
    terminal.within(Duration::from_mins(2), "the verdict", |screen| {
        screen
            .lines()
            .any(|row| row.contains("slow") && row.contains("✓ success"))
    });
    whole_log(&mut terminal, &place.home);
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

#[test]
fn a_wait_ends_when_the_api_server_stays_away() {
    let Some(scripts) = Real::scripts("away") else {
        return;
    };
    let Some(place) = Place::prepared("away", Use::Alone) else {
        return;
    };
    let ran = std::thread::scope(|scope| {
        let line = "run slow --wait --unreachable-timeout 5 -o json";
        let waits = scope.spawn(|| place.say(line));
        let begin = Instant::now();
        while !place.say("runs logs last").out.contains("second 1 of 60") {
            assert!(begin.elapsed() < Duration::from_mins(1), "no log");
        }
        let outage = Outage::begin(&scripts);
        let ran = waits.join().unwrap();
        drop(outage);
        ran
    });
    let document = ran.ended(8).json();
    assert_eq!(document["verdict"], "uncertain", "{document:#}");
    assert_eq!(document["exit"], 8);
}

/// All sixty seconds, each once.
fn whole_log(terminal: &mut Terminal, home: &Home) {
    terminal.press("l");
    terminal.wait_for("second 60 of 60");
    terminal.press(CTRL_S);
    terminal.wait_for("log saved to");
    let seconds: Vec<String> = home
        .saved_log()
        .lines()
        .filter_map(|line| {
            Some(
                line.split_once("second ")?
                    .1
                    .strip_suffix(" of 60")?
                    .to_owned(),
            )
        })
        .collect();
    let expected: Vec<String> = (1..=60).map(|n| n.to_string()).collect();
    assert_eq!(seconds, expected);
}
