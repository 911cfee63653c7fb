//! Jobs that live two seconds, several at once: the kept log of each is whole, every line once and in its order.

use crate::real_cluster::Place;
use crate::support::home::{Home, Ran};
use crate::support::real::Use;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Two seconds of lines; the last ones come right before the end, when a reader that is late finds nothing any more.
const SAMPLE: &str = r#"
summary = "prints 200 lines in two seconds"
command = ["true"]
container_command = ["/bin/sh", "-c", """
echo LLMCTL_EXECUTOR_STARTED
i=0
while [ $i -lt 200 ]; do
  i=$((i+1)); echo "line $i"
  [ $((i % 50)) != 0 ] || [ $i = 200 ] || sleep 0.66
done
echo 'LLMCTL_EXECUTOR_RESULT_JSON={"contract_version": "v1", "status": "success", "exit_code": 0, "provider_metadata": {"execution_mode": "command"}}'
"""]
"#;

/// So many runs: `LLMCTL_DEV_WHOLE_LOGS=200` for the full measure, a few in the suite.
fn count(usual: usize) -> usize {
    let asked = std::env::var("LLMCTL_DEV_WHOLE_LOGS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// What is wrong with a log; nothing when it is whole.
fn flaw(ran: &Ran) -> Option<String> {
    let read: Vec<&str> = ran.out.lines().collect();
    let lines = (1..=200).map(|n| format!("line {n}"));
    let right = read.len() == 202
        && read[0] == "LLMCTL_EXECUTOR_STARTED"
        && read[1..201].iter().copied().eq(lines)
        && read[201].starts_with("LLMCTL_EXECUTOR_RESULT_JSON=");
    (!right).then(|| format!("{} lines: {}", read.len(), ran.err))
}

/// Does `run` so many times, `parallel` at once, and gives what was wrong.
fn each(count: usize, parallel: usize, run: impl Fn() -> Option<String> + Sync) -> Vec<String> {
    let left = AtomicUsize::new(count);
    let take = || {
        let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        taken.is_ok()
    };
    thread::scope(|scope| {
        let worker = || {
            let mut flaws = Vec::new();
            while take() {
                flaws.extend(run());
            }
            flaws
        };
        let workers: Vec<_> = (0..parallel).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    })
}

#[test]
fn w06_a_two_second_jobs_log_is_whole_on_the_sandbox() {
    let count = count(8);
    let flaws = each(count, (count / 12).max(4), || {
        let home = Home::new();
        home.write("config/llmctl-dev/samples/two-seconds.toml", SAMPLE);
        let ran = home.run(&["--sandbox", "run", "two-seconds", "--wait"]);
        if ran.code != 0 {
            return Some(format!("exit {}: {}", ran.code, ran.err));
        }
        flaw(&home.run(&["--sandbox", "runs", "logs", "last"]))
    });
    assert!(flaws.is_empty(), "{} of {count}: {flaws:#?}", flaws.len());
    println!("{count} of {count} logs whole");
}

#[test]
fn w06_a_two_second_jobs_log_is_whole_on_a_cluster() {
    let Some(place) = Place::prepared("whole", Use::Shared) else {
        return;
    };
    place
        .home
        .write("config/llmctl-dev/samples/two-seconds.toml", SAMPLE);
    let count = count(20);
    let flaws = each(count, 4, || {
        let document = place.document("run two-seconds --wait");
        if document["verdict"] != "success" {
            return Some(document["why"].to_string());
        }
        // The UID, as runs that start at the same time may take one number.
        flaw(&place.say(&format!("runs logs {}", document["uid"].as_str().unwrap())))
    });
    assert!(flaws.is_empty(), "{} of {count}: {flaws:#?}", flaws.len());
    println!("{count} of {count} logs whole");
}
