//! A real Minikube profile: found without a flag, and worked on.
//!
//! `LLMCTL_DEV_TEST_MINIKUBE` names the profile; `MINIKUBE_HOME`, `KUBECONFIG` and `PATH` lead to it.

use crate::support::home::Home;
use crate::support::terminal::ENTER;
use std::time::{Duration, Instant};

/// A person whose Minikube profile has the default name; none where there is no Minikube, which is said.
fn person(test: &str) -> Option<Home> {
    match std::env::var("LLMCTL_DEV_TEST_MINIKUBE") {
        Ok(profile) if !profile.is_empty() => {
            assert_eq!(
                profile, "llmctl",
                "the profile that is found without a flag"
            );
        }
        _ => {
            eprintln!("SKIPPED {test}: no real Minikube, LLMCTL_DEV_TEST_MINIKUBE is not set");
            return None;
        }
    }
    let mut home = Home::new();
    for name in ["KUBECONFIG", "MINIKUBE_HOME", "MINIKUBE_FORCE"] {
        if let Some(value) = std::env::var_os(name) {
            home = home.with(name, value);
        }
    }
    Some(home)
}

#[test]
fn the_profile_is_found_without_a_flag_and_runs_a_sample() {
    let Some(home) = person("real minikube") else {
        return;
    };
    home.run(&["overlays", "apply", "executor", "--yes"])
        .ended(0);
    home.run(&["overlays", "diff", "executor"]).ended(0);
    let document = home
        .run(&["run", "hello", "--wait", "--ttl", "60", "-o", "json"])
        .ended(0)
        .json();
    assert_eq!(document["verdict"], "success");
    assert_eq!(document["namespace"], "llmctl");
    assert_eq!(document["target"]["kind"], "minikube");
    assert_eq!(document["target"]["name"], "llmctl");
    let number = document["run"].as_str().unwrap();

    let mut terminal = home.terminal(&[]);
    terminal.wait_for("MINIKUBE llmctl");
    terminal.wait_for("● live");
    terminal.wait_for_row(&[&format!("{number} "), "hello", "✓ success"]);
    terminal.press("r");
    terminal.wait_for("Run a sample");
    terminal.press(ENTER);
    terminal.gone("Run a sample");
    terminal.wait_for_row(&["hello", "retained", "✓ success", "29:5"]);
    terminal.press("l");
    terminal.wait_for("from an executor pod");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
    home.run(&["runs", "remove", "last"]).ended(0);
}

/// Its node is a machine that can be asked for its files, and its images have names without digests.
#[test]
fn what_a_run_needs_is_looked_for_on_its_node() {
    let Some(home) = person("real minikube, before a run") else {
        return;
    };
    home.run(&["overlays", "apply", "executor", "--yes"])
        .ended(0);
    let checked = |more: &[&str], code: i32| {
        let line = [&["run"], more, &["--check", "-o", "json"]].concat();
        home.run(&line).ended(code).json()
    };
    let row = |document: &serde_json::Value, name: &str| {
        let mut rows = document["rows"].as_array().unwrap().iter();
        let found = rows.rfind(|row| row["name"] == name);
        found.cloned().unwrap_or_default()
    };
    // The image may have been loaded a moment ago: a kubelet tells of it within a minute.
    let begin = Instant::now();
    let document = loop {
        let document = checked(&["hello"], 0);
        if row(&document, "image")["mark"] == "ok" || begin.elapsed() > Duration::from_secs(90) {
            break document;
        }
        std::thread::sleep(Duration::from_secs(1));
    };
    for name in ["namespace", "service account", "node", "clock", "image"] {
        assert_eq!(row(&document, name)["mark"], "ok", "{document:#}");
    }
    let document = checked(&["hello", "--image", "absent:1"], 0);
    let image = row(&document, "image");
    assert_eq!(image["mark"], "warns", "{document:#}");
    let fix = image["fix"].as_str().unwrap();
    assert!(
        fix.contains("minikube -p llmctl image load absent:1"),
        "{fix}"
    );

    home.write(
        "config/llmctl-dev/executor.toml",
        "k8s_live_code_enabled = true\nk8s_live_code_host_path = \"/nowhere/checkout\"\n",
    );
    let document = checked(&["start-node"], 4);
    let code = row(&document, "live code");
    assert_eq!(code["mark"], "refuses", "{document:#}");
    let fix = code["fix"].as_str().unwrap();
    assert!(fix.contains("minikube -p llmctl mount"), "{fix}");
    let ran = home.run(&["run", "start-node"]);
    let ran = ran.ended(4);
    assert!(
        ran.err.contains("nothing was created: live code"),
        "{ran:?}"
    );
    // `/` is a directory of every node.
    home.write(
        "config/llmctl-dev/executor.toml",
        "k8s_live_code_enabled = true\nk8s_live_code_host_path = \"/usr\"\n",
    );
    let document = checked(&["start-node"], 0);
    assert_eq!(row(&document, "live code")["mark"], "ok", "{document:#}");
}
