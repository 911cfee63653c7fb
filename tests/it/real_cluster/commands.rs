//! Every verb, one after the other.

use super::Place;
use crate::support::real::Use;
use crate::support::terminal::PATIENCE;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Instant;

#[test]
fn an_overlay_is_compared_applied_and_then_the_same() {
    let Some(place) = Place::find("overlay", Use::Shared) else {
        return;
    };
    let diff = place.say("overlays diff mine");
    assert!(diff.ended(1).out.contains(": 6 create\n"), "{diff:?}");
    let applied = place.document("overlays apply mine --yes");
    assert_eq!(applied["whole"], true);
    assert_eq!(applied["applied"].as_array().unwrap().len(), 6);
    let same = place.say("overlays diff mine");
    assert!(same.ended(0).out.contains(": 6 same\n"), "{same:?}");
    let again = place.document("overlays apply mine --yes");
    assert_eq!(again["whole"], true, "{again:#}");
    place.say("overlays diff mine").ended(0);
}

#[test]
fn every_sample_ends_as_it_says_and_the_ttl_removes_the_first() {
    let Some(place) = Place::prepared("samples", Use::Shared) else {
        return;
    };
    let hello = place.document("run hello --wait --ttl 60");
    assert_eq!(hello["verdict"], "success", "{hello:#}");
    assert_eq!(hello["target"]["kind"], "context");
    assert_eq!(hello["ttl"]["seconds"], 60);
    let first = hello["run"].as_str().unwrap();
    std::thread::scope(|scope| {
        let watched = scope.spawn(|| place.say(&format!("runs watch {first} -o jsonl")));
        samples(&place);
        short_log(&place, first);
        let watched = watched.join().unwrap();
        // A watched run that is removed ends the watch with the exit code of its verdict.
        let last: Value =
            serde_json::from_str(watched.ended(0).out.lines().last().unwrap()).unwrap();
        removed_by_the_ttl(&last);
    });
    let kept = place.document(&format!("runs show {first}"));
    removed_by_the_ttl(&kept);
    short_log(&place, first);
}

fn samples(place: &Place) {
    let rows = [
        (
            "fail",
            "",
            1,
            json!({"kubernetes": "failed", "verdict": "failed"}),
        ),
        (
            "timeout",
            "",
            6,
            json!({"kubernetes": "failed", "verdict": "timeout"}),
        ),
        (
            "crash",
            "",
            8,
            json!({"kubernetes": "failed", "verdict": "uncertain", "executor": null}),
        ),
        (
            "silent",
            "",
            8,
            json!({"kubernetes": "complete", "verdict": "uncertain"}),
        ),
        (
            "start-node",
            "",
            1,
            json!({"kubernetes": "failed", "verdict": "failed"}),
        ),
        (
            "bad-image",
            " --wait-timeout 10",
            6,
            json!({"kubernetes": "pending", "verdict": "pending"}),
        ),
    ];
    for (sample, more, code, part) in rows {
        let ran = place.say(&format!("run {sample} --wait{more} -o json"));
        let document = ran.ended(code).json();
        for (key, value) in part.as_object().unwrap() {
            assert_eq!(&document[key], value, "{sample}: {key}: {document:#}");
        }
    }
    let waiting = place.document("runs show last");
    let why = waiting["why"]["sentence"].as_str().unwrap();
    assert!(why.contains("cannot be pulled"), "{waiting:#}");
    // Nothing ran: the cancel removes it.
    place.say("runs cancel last").ended(0);
}

/// The log of a run of half a second is there from its first line to its last.
fn short_log(place: &Place, run: &str) {
    let log = place.say(&format!("runs logs {run}"));
    let lines: Vec<&str> = log.ended(0).out.lines().collect();
    assert_eq!(lines.len(), 6, "{log:?}");
    assert_eq!(lines[0], "LLMCTL_EXECUTOR_STARTED");
    assert_eq!(&lines[2..5], ["hello", "from an executor pod", "bye"]);
    assert!(lines[5].starts_with("LLMCTL_EXECUTOR_RESULT_JSON={"));
}

fn removed_by_the_ttl(document: &Value) {
    assert_eq!(document["phase"], "removed", "{document:#}");
    assert_eq!(document["verdict"], "success");
    assert_eq!(document["ttl"]["removed_by"], "ttl", "{document:#}");
    let moment = |value: &Value| -> Timestamp { value.as_str().unwrap().parse().unwrap() };
    let lived =
        moment(&document["ttl"]["removed_at"]).duration_since(moment(&document["finished"]));
    let expected = SignedDuration::from_secs(58)..SignedDuration::from_secs(80);
    assert!(expected.contains(&lived), "{lived}");
}

#[test]
fn a_cancelled_run_says_so_and_a_kept_one_stays() {
    let Some(place) = Place::prepared("cancel", Use::Shared) else {
        return;
    };
    let slow = place.document("run slow");
    let number = slow["run"].as_str().unwrap();
    let begin = Instant::now();
    while !place
        .say(&format!("runs logs {number}"))
        .out
        .contains("second 2 of 60")
    {
        assert!(begin.elapsed() < PATIENCE, "the log stays empty");
    }
    place
        .say(&format!("runs cancel {number} --grace 10"))
        .ended(0);
    let cancelled = place.document(&format!("runs show {number}"));
    assert_eq!(cancelled["verdict"], "cancelled", "{cancelled:#}");
    let log = place.say(&format!("runs logs {number}"));
    assert!(log.ended(0).out.contains("second 2 of 60"), "{log:?}");

    let hello = place.document("run hello --wait");
    let number = hello["run"].as_str().unwrap();
    place
        .say(&format!("runs keep {number} --ttl 7200"))
        .ended(0);
    let kept = place.document(&format!("runs show {number}"));
    assert_eq!(kept["ttl"]["seconds"], 7200);
    place.say(&format!("runs remove {number}")).ended(0);
    place.say(&format!("runs watch {number}")).ended(0);
    let gone = place.document(&format!("runs show {number}"));
    assert_eq!(gone["ttl"]["removed_by"], "you", "{gone:#}");
}

#[test]
fn a_hundred_thousand_lines_come_in_order_and_two_programs_do_not_collide() {
    let Some(place) = Place::prepared("noisy", Use::Shared) else {
        return;
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| place.document("run hello --wait")))
            .collect();
        let noisy = place.say("run noisy --follow");
        let numbers: Vec<u32> = noisy
            .ended(0)
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
        for other in others {
            assert_eq!(other.join().unwrap()["verdict"], "success");
        }
    });
    let list = place.document("runs list");
    assert_eq!(list["runs"].as_array().unwrap().len(), 3, "{list:#}");
}
