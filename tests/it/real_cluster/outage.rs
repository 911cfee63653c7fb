//! A part of the real cluster stopped in the middle of a run: the API server, or the node's kubelet.

use super::Place;
use super::endings::{is, while_it_waits};
use crate::support::home::Home;
use crate::support::processes::Process;
use crate::support::real::{Real, Use};
use crate::support::terminal::{CTRL_S, Terminal};
use crate::terminal::start;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Starts what it stopped again, whatever happens to the test.
struct Outage {
    scripts: PathBuf,
}

impl Outage {
    fn begin(scripts: &Path, part: &str) -> Self {
        script(scripts, "restart", &["--stop", part]);
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

    let outage = Outage::begin(&scripts, "kube-apiserver");
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
    let mut outage = None;
    let line = "run slow --unreachable-timeout 5";
    let ran = while_it_waits(&place, line, |_| {
        outage = Some(Outage::begin(&scripts, "kube-apiserver"));
    });
    drop(outage);
    let document = is(&ran, 8, &json!({"verdict": "uncertain", "uncertain": true}));
    let why = document["why"]["sentence"].as_str().unwrap();
    assert!(why.contains("out of reach for 5 s"), "{why}");
}

/// Nothing is heard of the node any more, and its pods are removed as the collector of pods does it then.
#[test]
fn a_wait_ends_when_the_node_is_gone() {
    let Some(scripts) = Real::scripts("node-gone") else {
        return;
    };
    let Some(place) = Place::prepared("node-gone", Use::Alone) else {
        return;
    };
    place.home.write(
        "config/llmctl-dev/executor.toml",
        "log_collection_timeout_seconds = 5\n",
    );
    let real = place.real.as_ref().unwrap();
    let mut outage = None;
    let ran = while_it_waits(&place, "run slow", |run| {
        outage = Some(Outage::begin(&scripts, "kubelet"));
        let pod = run["pod"]["name"].as_str().unwrap();
        let deletion = real.cluster.delete_pod(&real.namespace, pod, None, 0);
        place.runtime.block_on(deletion).unwrap();
    });
    drop(outage);
    let document = is(
        &ran,
        8,
        &json!({"verdict": "uncertain", "uncertain": true, "kubernetes": "failed", "phase": "retained", "executor": null}),
    );
    assert_eq!(document["pod"]["exit_code"], json!(null), "{document:#}");
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
