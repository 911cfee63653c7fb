//! Every verb on a cluster that outlives the command: a sandbox that is served.

use crate::support::home::{Home, Ran};
use crate::support::terminal::PATIENCE;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::Instant;

/// A sandbox behind a port of this machine, until it is dropped.
struct Served {
    home: Home,
    child: Child,
    kubeconfig: String,
}

impl Served {
    fn start() -> Self {
        let home = Home::new();
        let mut child = home
            .command(&["sandbox", "-o", "jsonl"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(said["target"]["kind"], "sandbox");
        Self {
            home,
            child,
            kubeconfig: said["kubeconfig"].as_str().unwrap().to_owned(),
        }
    }

    /// A command on it.
    fn say(&self, line: &str) -> Ran {
        let text = std::fs::read_to_string(&self.kubeconfig).unwrap();
        let config: Value = serde_saphyr::from_str(&text).unwrap();
        let context = config["current-context"].as_str().unwrap();
        let mut arguments = vec!["--kubeconfig", &self.kubeconfig, "--context", context];
        arguments.extend(line.split(' '));
        self.home.run(&arguments)
    }

    fn run(&self, line: &str) -> Value {
        self.say(&format!("{line} -o json")).json()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).unwrap();
        let _ = kill_process(Pid::from_raw(id).unwrap(), Signal::TERM);
        let _ = self.child.wait();
    }
}

#[test]
fn runs_are_listed_kept_cancelled_and_removed() {
    let served = Served::start();
    // Nothing is there that runs need: that is said, and nothing is left half made.
    let ran = served.say("run hello --wait");
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("namespace"), "{ran:?}");

    served.say("overlays diff executor").ended(1);
    served.say("overlays apply executor --yes").ended(0);
    served.say("overlays diff executor").ended(0);
    let again = served.run("overlays apply executor --yes");
    assert_eq!(again["whole"], true, "{again:#}");

    let hello = served.run("run hello --wait --ttl 120");
    assert_eq!(hello["verdict"], "success", "{hello:#}");
    assert_eq!(hello["target"]["kind"], "context");
    assert!(
        hello["target"]["server"]
            .as_str()
            .unwrap()
            .starts_with("https://127.0.0.1:")
    );
    let number = hello["run"].as_str().unwrap().to_owned();
    assert_eq!(
        served.run(&format!("runs show {number}"))["phase"],
        "retained"
    );

    served
        .say(&format!("runs keep {number} --ttl 3600"))
        .ended(0);
    assert_eq!(
        served.run(&format!("runs show {number}"))["ttl"]["seconds"],
        3600
    );
    let log = served.say(&format!("runs logs {number}"));
    assert!(
        log.ended(0).out.contains("\nfrom an executor pod\n"),
        "{log:?}"
    );

    served.say(&format!("runs remove {number}")).ended(0);
    served.say(&format!("runs watch {number}")).ended(0);
    let gone = served.run(&format!("runs show {number}"));
    assert_eq!(
        (&gone["phase"], &gone["ttl"]["removed_by"]),
        (&json!("removed"), &json!("you")),
        "{gone:#}"
    );
    let log = served.say(&format!("runs logs {number}"));
    assert!(
        log.ended(0).out.contains("\nfrom an executor pod\n"),
        "{log:?}"
    );

    // Nobody followed it: its log is read when it is shown.
    let alone = served.run("run hello");
    let number = alone["run"].as_str().unwrap().to_owned();
    let begin = Instant::now();
    let shown = loop {
        let shown = served.run(&format!("runs show {number}"));
        if shown["phase"] == "retained" {
            break shown;
        }
        assert!(begin.elapsed() < PATIENCE, "{shown:#}");
    };
    assert_eq!(shown["verdict"], "success", "{shown:#}");

    let slow = served.run("run slow");
    let number = slow["run"].as_str().unwrap().to_owned();
    let watched = std::thread::scope(|scope| {
        let followed = scope.spawn(|| served.say(&format!("runs logs {number} --follow")));
        let begin = Instant::now();
        while !served
            .say(&format!("runs logs {number}"))
            .out
            .contains("second 1 of 60")
        {
            assert!(begin.elapsed() < PATIENCE, "the log stays empty");
        }
        served
            .say(&format!("runs cancel {number} --grace 5"))
            .ended(0);
        followed.join().unwrap()
    });
    assert!(watched.out.contains("second 1 of 60"), "{watched:?}");
    let cancelled = served.run(&format!("runs show {number}"));
    assert_eq!(cancelled["verdict"], "cancelled", "{cancelled:#}");
    assert_eq!(cancelled["executor"]["status"], "cancelled");
}
