//! 100 000 lines of one run through the reducer, in the batches of a follower: kept in memory and read for the contract.

use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::Timestamp;
use llmctl_dev::domain::logs::{LogEvent, LogLine};
use llmctl_dev::domain::observed::{JobSeen, Seen};
use llmctl_dev::domain::runs::{RunId, Runs};
use std::collections::BTreeMap;
use std::iter::once;

const LINES: usize = 100_000;
const BATCH: usize = 4096;

fn main() {
    divan::main();
}

fn events() -> Vec<LogEvent> {
    let lines: Vec<LogLine> = (0..LINES)
        .map(|n| LogLine {
            at: Some(Timestamp::UNIX_EPOCH),
            text: match n {
                0 => "LLMCTL_EXECUTOR_STARTED".into(),
                _ if n + 1 == LINES => {
                    r#"LLMCTL_EXECUTOR_RESULT_JSON={"status": "success", "exit_code": 0}"#.into()
                }
                _ => format!("line {n} of {LINES}, with some more text as a log line has it"),
            },
        })
        .collect();
    let opened = LogEvent::Opened {
        container_id: "containerd://1".into(),
    };
    let batches = lines
        .chunks(BATCH)
        .map(|chunk| LogEvent::Lines(chunk.to_vec()));
    once(opened)
        .chain(batches)
        .chain(once(LogEvent::Whole))
        .collect()
}

fn runs() -> Runs {
    let mut runs = Runs::default();
    let job = JobSeen {
        name: "job".into(),
        namespace: "llmctl".into(),
        uid: "u".into(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        created: Timestamp::UNIX_EPOCH,
        started: None,
        finish: None,
        finishing: false,
        suspended: false,
        active: 1,
        ended: 0,
        ttl: None,
        deadline: None,
        deleting: None,
        image: String::new(),
    };
    runs.observe(Seen::Job(Box::new(job)), Timestamp::UNIX_EPOCH);
    runs
}

#[divan::bench]
fn ingest(bencher: Bencher) {
    let id = RunId("u".into());
    bencher
        .counter(ItemsCount::new(LINES))
        .with_inputs(|| (runs(), events()))
        .bench_values(|(mut runs, events)| {
            for event in events {
                runs.log(&id, event, Timestamp::UNIX_EPOCH);
            }
            runs
        });
}
