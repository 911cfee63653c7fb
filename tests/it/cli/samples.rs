//! Each sample to its end on `--sandbox`: the document, the exit code, and what the history keeps.

use crate::support::home::{Home, Ran};
use crate::support::processes::{all_end, below};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

/// Sample, further arguments, exit code, and a part of the document.
type Row = (&'static str, &'static [&'static str], i32, Value);

fn rows() -> Vec<Row> {
    vec![
        (
            "hello",
            &[],
            0,
            json!({"phase": "retained", "kubernetes": "complete", "verdict": "success", "exit": 0, "uncertain": false}),
        ),
        (
            "fail",
            &[],
            1,
            json!({"phase": "retained", "kubernetes": "failed", "verdict": "failed", "exit": 1, "uncertain": false}),
        ),
        (
            "timeout",
            &[],
            6,
            json!({"kubernetes": "failed", "verdict": "timeout", "exit": 6}),
        ),
        (
            "slow",
            &["--timeout", "5"],
            6,
            json!({"kubernetes": "failed", "verdict": "timeout", "exit": 6}),
        ),
        (
            "noisy",
            &[],
            0,
            json!({"kubernetes": "complete", "verdict": "success", "exit": 0}),
        ),
        (
            "silent",
            &[],
            8,
            json!({"kubernetes": "complete", "verdict": "uncertain", "exit": 8, "uncertain": true}),
        ),
        (
            "crash",
            &[],
            8,
            json!({"kubernetes": "failed", "verdict": "uncertain", "exit": 8, "uncertain": true, "executor": null}),
        ),
        (
            "start-node",
            &[],
            1,
            json!({"kubernetes": "failed", "verdict": "failed", "exit": 1}),
        ),
        (
            "bad-image",
            &["--wait-timeout", "4"],
            6,
            json!({"kubernetes": "pending", "verdict": "pending", "exit": null, "executor": null}),
        ),
    ]
}

const KEYS: [&str; 13] = [
    "schema",
    "target",
    "run",
    "job",
    "namespace",
    "phase",
    "kubernetes",
    "executor",
    "verdict",
    "exit",
    "timeline",
    "ttl",
    "log",
];

fn check((sample, more, code, part): &Row) {
    let home = Home::new();
    let mut arguments = vec![
        "--sandbox",
        "run",
        sample,
        "--wait",
        "--ttl",
        "600",
        "-o",
        "json",
    ];
    arguments.extend(*more);
    let ran = home.run(&arguments);
    ran.ended(*code);
    let document = ran.json();
    for key in KEYS {
        assert!(document.get(key).is_some(), "{sample}: no {key}");
    }
    for (key, value) in part.as_object().unwrap() {
        assert_eq!(&document[key], value, "{sample}: {key}: {document:#}");
    }
    assert_eq!(document["schema"], "llmctl-dev/run/v1");
    assert_eq!(
        document["target"],
        json!({"kind": "sandbox", "name": "demo", "server": "in-process"})
    );
    assert_eq!(document["sample"], *sample);
    assert_eq!(document["ours"], true);
    assert_eq!(document["ttl"]["seconds"], 600);
    let ended = !document["exit"].is_null();
    assert_eq!(document["finished"].is_string(), ended, "{sample}");
    assert_eq!(
        document["ttl"]["remaining_seconds"].is_number(),
        ended,
        "{sample}"
    );
    let steps: Vec<&str> = document["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stretch| stretch["step"].as_str().unwrap())
        .collect();
    if ended {
        assert!(
            steps.contains(&"running") && steps.contains(&"pulling"),
            "{sample}: {steps:?}: {document:#}"
        );
        assert_eq!(document["log"]["state"], "whole", "{sample}");
    }
    // Progress is told, and elsewhere.
    assert!(ran.err.contains("Job llmctl-exec-"), "{ran:?}");
}

#[test]
fn every_sample_ends_as_it_says() {
    std::thread::scope(|scope| {
        for row in rows() {
            scope.spawn(move || check(&row));
        }
    });
}

#[test]
fn the_executor_part_is_the_result_that_was_printed() {
    let document = Home::new()
        .run(&["--sandbox", "run", "fail", "--wait", "-o", "json"])
        .json();
    let result = &document["executor"];
    assert_eq!(result["status"], "failed");
    assert_eq!(result["exit_code"], 3);
    assert_eq!(result["stdout"], "about to fail\n");
    assert_eq!(result["stderr"], "no such luck\n");
    assert_eq!(result["provider_metadata"]["provider"], "kubernetes");
}

#[test]
fn a_followed_log_is_whole_and_in_order_on_standard_output() {
    let ran = Home::new().run(&["--sandbox", "run", "noisy", "--follow"]);
    ran.ended(0);
    let numbers: Vec<u32> = ran
        .out
        .lines()
        .filter_map(|line| {
            line.strip_prefix("line ")?
                .strip_suffix(" of 100000")?
                .parse()
                .ok()
        })
        .collect();
    assert_eq!(numbers.len(), 100_000);
    assert!(
        numbers
            .iter()
            .zip(1..)
            .all(|(number, expected)| *number == expected)
    );
    assert_eq!(ran.out.lines().next(), Some("LLMCTL_EXECUTOR_STARTED"));
}

#[test]
fn formats_are_one_document_each() {
    let home = Home::new();
    let yaml = home.run(&["--sandbox", "run", "hello", "--wait", "-o", "yaml"]);
    let yaml: Value = serde_saphyr::from_str(&yaml.ended(0).out).unwrap();
    assert_eq!(yaml["verdict"], "success");
    let line = home.run(&["--sandbox", "run", "hello", "--wait", "-o", "jsonl"]);
    assert_eq!(line.ended(0).out.lines().count(), 1);
    assert_eq!(line.json()["run"], "2");
    let text = home.run(&["--sandbox", "run", "hello", "--wait"]);
    assert!(
        text.out
            .starts_with("run 3 hello: retained, success, took 0."),
        "{text:?}"
    );
    let list = home.run(&["--sandbox", "runs", "list", "-o", "jsonl"]);
    assert_eq!(list.ended(0).out.lines().count(), 3);
    for line in list.out.lines() {
        let document: Value = serde_json::from_str(line).unwrap();
        assert_eq!(document["target"]["kind"], "sandbox");
    }
}

#[test]
fn what_the_sandbox_took_along_is_in_the_history() {
    let home = Home::new();
    let say = |arguments: &[&str]| -> Ran {
        let mut all = vec!["--sandbox", "runs"];
        all.extend(arguments);
        home.run(&all)
    };
    home.run(&["--sandbox", "run", "hello", "--wait"]).ended(0);
    home.run(&["--sandbox", "run", "fail", "--wait"]).ended(1);
    let list = say(&["list"]);
    let rows: Vec<&str> = list.ended(0).out.lines().collect();
    assert!(
        rows[1].starts_with("2 ") && rows[1].contains("fail") && rows[1].contains("removed"),
        "{list:?}"
    );
    assert!(
        rows[2].starts_with("1 ") && rows[2].contains("success"),
        "{list:?}"
    );

    let shown = say(&["show", "1", "-o", "json"]).ended(0).json();
    assert_eq!(
        (&shown["phase"], &shown["verdict"]),
        (&json!("removed"), &json!("success"))
    );
    assert_eq!(shown["executor"]["status"], "success");
    assert_eq!(
        say(&["show", shown["job"].as_str().unwrap(), "-o", "json"]).json()["run"],
        "1"
    );
    assert_eq!(say(&["show", "last", "-o", "json"]).json()["run"], "2");

    let log = say(&["logs", "1"]);
    let lines: Vec<&str> = log.ended(0).out.lines().collect();
    assert_eq!(&lines[2..5], ["hello", "from an executor pod", "bye"]);
    let stamped = say(&["logs", "1", "--timestamps"]).out;
    let at = stamped.lines().nth(2).unwrap().split_once(' ').unwrap().0;
    assert!(at.parse::<jiff::Timestamp>().is_ok(), "{at}");

    say(&["watch", "2"]).ended(1);
    for verb in ["cancel", "keep", "remove"] {
        say(&[verb, "1"]).ended(7);
    }
    say(&["keep", "1", "--ttl", "5"]).ended(5);
}

#[test]
fn a_sample_of_ones_own_is_run_by_its_name() {
    let home = Home::new();
    home.write(
        "config/llmctl-dev/samples/mine.toml",
        "summary = \"mine\"\ncommand = [\"/bin/sh\", \"-c\", \"echo of my own; exit 4\"]\n",
    );
    let document = home
        .run(&["--sandbox", "run", "mine", "--wait", "-o", "json"])
        .ended(1)
        .json();
    assert_eq!(document["executor"]["stdout"], "of my own\n");
    assert_eq!(document["executor"]["exit_code"], 4);
}

#[test]
fn settings_reach_the_run() {
    let home = Home::new();
    home.run(&["settings", "set", "k8s_job_ttl_seconds", "90"])
        .ended(0);
    let document = home
        .run(&["--sandbox", "run", "hello", "-o", "json"])
        .ended(0)
        .json();
    assert_eq!(document["ttl"]["seconds"], 90);
    assert_eq!(document["exit"], Value::Null);
}

#[test]
fn a_signal_ends_the_command_with_130_and_everything_in_it() {
    std::thread::scope(|scope| {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            scope.spawn(move || interrupted_by(signal));
        }
    });
}

fn interrupted_by(signal: Signal) {
    let home = Home::new();
    let mut child = home
        .command(&["--sandbox", "run", "slow", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "second 1 of 60"));
    let id = i32::try_from(child.id()).unwrap();
    let processes = below(id);
    assert!(processes.len() >= 2, "{processes:?}");
    kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{signal:?}");
    all_end(&processes);
    assert_eq!(std::fs::read_dir(home.temporary()).unwrap().count(), 0);
}
