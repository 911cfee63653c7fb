//! A burst of runs: every verdict is right, and nothing is left when it is over.

use crate::support::ground::Ground;
use crate::support::home::Home;
use crate::support::processes::{all_end, below};
use llmctl_dev::sandbox::kinds::Kind;
use llmctl_dev::sandbox::store::{DeleteOptions, Propagation};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::runtime::Handle;

/// So many runs: `LLMCTL_DEV_BURST=1000` for the full measure, a few in the suite.
fn count() -> usize {
    let asked = std::env::var("LLMCTL_DEV_BURST").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(40)
}

/// Four of five end well and one does not, so that a verdict could be another run's.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_runs_ends_right_and_leaves_nothing() {
    let ground = Ground::new().await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let (wrong, at_once) = (count() / 5, (count() / 20).clamp(10, 50));
    let right = count() - wrong;
    let (less, more) = (at_once / 5, at_once - at_once / 5);
    let well = ground.say(&format!(
        "run hello --count {right} --parallel {more} -o json"
    ));
    let ill = ground.say(&format!(
        "run fail --count {wrong} --parallel {less} -o json"
    ));
    let (well, ill) = (well.await.unwrap(), ill.await.unwrap());
    let (well, ill) = (well.ended(0).json(), ill.ended(1).json());
    assert_eq!(well["verdicts"], json!({"success": right}));
    assert_eq!(ill["verdicts"], json!({"failed": wrong}));
    let runs: Vec<&Value> = [&well, &ill]
        .iter()
        .flat_map(|document| document["runs"].as_array().unwrap())
        .collect();
    for run in &runs {
        assert_eq!(run["log"]["state"], "whole", "{run:#}");
        let lines = if run["sample"] == "hello" { 6 } else { 5 };
        assert_eq!(run["log"]["lines"], lines, "{run:#}");
    }
    let mut names: Vec<&str> = runs.iter().filter_map(|run| run["job"].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count(), "a run took the number of another");
    assert_eq!(ground.objects(Kind::Job).len(), count());

    let left = ground.say("runs prune --dry-run -o json").await.unwrap();
    assert_eq!(left.ended(0).json()["orphans"], json!([]));
    let background = DeleteOptions {
        propagation: Some(Propagation::Background),
        ..DeleteOptions::default()
    };
    let store = ground.sandbox.store();
    for name in names {
        let deleted = store.delete(Kind::Job, "llmctl", name, &background);
        deleted.unwrap();
    }
    ground
        .until("pods and payloads to go with their Jobs", || {
            let payload = |one: &Value| one["metadata"]["labels"]["llmctl.payload"] == "true";
            let payloads = ground.objects(Kind::ConfigMap);
            let gone = !payloads.iter().any(|one| payload(one));
            (ground.objects(Kind::Pod).is_empty() && gone).then_some(())
        })
        .await;
    ground
        .until("as many tasks as before", || {
            (tasks() <= before).then_some(())
        })
        .await;
    let files = std::fs::read_dir(ground.home.temporary()).unwrap();
    assert_eq!(files.count(), 0, "the program left files behind");
    ground.sandbox.stop().await;
}

/// The whole program with a sandbox of its own: nothing of it is there any more when it has ended.
#[test]
fn a_burst_in_a_sandbox_of_its_own_leaves_no_process_and_no_file() {
    let home = Home::new();
    let line = "--sandbox run fail --count 6 --parallel 3 -o json";
    let mut child = home
        .command(&line.split(' ').collect::<Vec<_>>())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let id = i32::try_from(child.id()).unwrap();
    let reader = std::thread::spawn({
        let mut out = child.stdout.take().unwrap();
        move || std::io::read_to_string(&mut out).unwrap()
    });
    let mut children = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        children.extend(below(id));
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(1));
    let document: Value = serde_json::from_str(&reader.join().unwrap()).unwrap();
    assert_eq!(document["verdicts"], json!({"failed": 6}));
    assert!(!children.is_empty());
    all_end(&children);
    assert_eq!(std::fs::read_dir(home.temporary()).unwrap().count(), 0);
}
