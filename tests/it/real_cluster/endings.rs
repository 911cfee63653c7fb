//! `run --wait` ends on a real cluster as it does on the sandbox ([`crate::endings`]), each ending with its exit code and
//! its document. What ends by itself is in [`super::commands`] (success, failure, deadline, no result, no start) and
//! [`super::dispatch`] (the dispatch clock); what needs a part of the cluster stopped is in [`super::outage`].

use super::Place;
use crate::support::home::Ran;
use crate::support::real::Use;
use crate::support::terminal::PATIENCE;
use crate::support::wire::Wire;
use llmctl_dev::cluster::jobs::Propagation;
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A run of six seconds: long enough to do something to it.
const SHORT: &str = r#"
summary = "takes six seconds"
command = ["/bin/sh", "-c", "echo second 1; sleep 2; echo second 3; sleep 2; echo second 5; sleep 2; echo over"]
"#;

/// Runs that fill the disk of their node: one whose executor still says a word when it has to go, and one that does not.
const FILL: &str = r#"
summary = "writes more than it may"
command = ["/bin/sh", "-c", "echo second 1; head -c 32000000 /dev/zero > /tmp/filling; sleep 120"]
"#;
const FILL_DEAF: &str = r#"
summary = "writes more than it may, and does not listen"
command = ["true"]
container_command = ["/bin/sh", "-c", """
trap '' TERM
echo LLMCTL_EXECUTOR_STARTED
head -c 32000000 /dev/zero > /tmp/filling
while :; do sleep 1; done
"""]
"#;

/// Waits for a run on the command line, and does something to it once it has begun.
pub(super) fn while_it_waits(place: &Place, line: &str, interfere: impl FnOnce(&Value)) -> Ran {
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| place.say(&format!("{line} --wait -o json")));
        let begin = Instant::now();
        while !place.say("runs logs last").out.contains("second 1") {
            assert!(begin.elapsed() < PATIENCE, "the log stays empty");
        }
        interfere(&place.document("runs show last"));
        waits.join().unwrap()
    })
}

/// Ended with that code and these parts of its document.
#[track_caller]
pub(super) fn is(ran: &Ran, code: i32, parts: &Value) -> Value {
    let document = ran.ended(code).json();
    for (key, expected) in parts.as_object().unwrap() {
        assert_eq!(&document[key], expected, "{key}: {document:#}");
    }
    assert_eq!(document["schema"], "llmctl-dev/run/v1");
    assert_eq!(document["exit"], code, "{document:#}");
    document
}

fn name(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn cancelled() {
    let Some(place) = Place::prepared("cancelled", Use::Shared) else {
        return;
    };
    let ran = while_it_waits(&place, "run slow", |_| {
        place.say("runs cancel last --grace 10").ended(0);
    });
    let document = is(
        &ran,
        1,
        &json!({"verdict": "cancelled", "uncertain": false, "phase": "retained", "kubernetes": "failed"}),
    );
    assert_eq!(document["executor"]["status"], "cancelled", "{document:#}");
}

#[test]
fn its_ttl_fired_before_it_was_read() {
    let Some(place) = Place::prepared("ttl", Use::Shared) else {
        return;
    };
    let (wire, on_the_wire) = wire(&place);
    let real = place.real.as_ref().unwrap();
    let job = |name: &str| place.runtime.block_on(real.job(name));
    place
        .home
        .write("config/llmctl-dev/samples/short.toml", SHORT);
    let ran = while_it_waits(&place, &format!("{on_the_wire} run short"), |run| {
        wire.cut();
        place.runtime.block_on(real.set_ttl(name(&run["job"]), 0));
        let begin = Instant::now();
        while job(name(&run["job"])).is_some() {
            assert!(begin.elapsed() < PATIENCE, "the TTL does not fire");
            sleep(Duration::from_millis(100));
        }
        wire.mend();
    });
    is(
        &ran,
        7,
        &json!({"verdict": "gone", "kubernetes": "gone", "phase": "removed"}),
    );
}

#[test]
fn deleted_by_somebody() {
    let Some(place) = Place::prepared("deleted", Use::Shared) else {
        return;
    };
    let real = place.real.as_ref().unwrap();
    let (cluster, namespace) = (&real.cluster, &real.namespace);
    let ran = while_it_waits(&place, "run slow", |run| {
        let deletion =
            cluster.delete_job(namespace, name(&run["job"]), None, Propagation::Background);
        place.runtime.block_on(deletion).unwrap();
    });
    // Whether its last words were read before its pod went is a matter of moments; that it ends is not.
    let verdict = ran.json()["verdict"].clone();
    let code = match name(&verdict) {
        "cancelled" => 1,
        "gone" => 7,
        _ => 8,
    };
    let document = is(
        &ran,
        code,
        &json!({"phase": "removed", "kubernetes": "gone", "uncertain": code != 1}),
    );
    assert_eq!(
        document["ttl"]["removed_by"], "someone_else",
        "{document:#}"
    );
}

/// Under a node that lives: it still asks the executor to end.
#[test]
fn its_pod_is_deleted_by_somebody() {
    let Some(place) = Place::prepared("deleted-pod", Use::Shared) else {
        return;
    };
    let real = place.real.as_ref().unwrap();
    let (cluster, namespace) = (&real.cluster, &real.namespace);
    let ran = while_it_waits(&place, "run slow", |run| {
        let deletion = cluster.delete_pod(namespace, name(&run["pod"]["name"]), None, 0);
        place.runtime.block_on(deletion).unwrap();
    });
    let verdict = ran.json()["verdict"].clone();
    let code = if verdict == "cancelled" { 1 } else { 8 };
    is(
        &ran,
        code,
        &json!({"phase": "retained", "kubernetes": "failed", "uncertain": code == 8}),
    );
}

/// The kubelet itself does it, as the pod outgrows what its namespace allows.
#[test]
fn evicted() {
    let Some(place) = Place::prepared("evicted", Use::Shared) else {
        return;
    };
    let real = place.real.as_ref().unwrap();
    let path = format!("api/v1/namespaces/{}/limitranges/small", real.namespace);
    let limits = json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"},
        "spec": {"limits": [{"type": "Container", "default": {"ephemeral-storage": "8Mi"}}]},
    });
    place
        .runtime
        .block_on(real.apply_as("somebody", &path, &limits));
    for (sample, text) in [("fill", FILL), ("fill-deaf", FILL_DEAF)] {
        let file = format!("config/llmctl-dev/samples/{sample}.toml");
        place.home.write(&file, text);
    }
    let [hears, deaf] = std::thread::scope(|scope| {
        ["run fill --wait -o json", "run fill-deaf --wait -o json"]
            .map(|line| {
                scope.spawn({
                    let place = &place;
                    move || place.say(line)
                })
            })
            .map(|ran| ran.join().unwrap())
    });
    let parts = json!({"verdict": "uncertain", "uncertain": true, "kubernetes": "failed", "phase": "retained", "executor": null});
    let deaf = is(&deaf, 8, &parts);
    // It has a second for its last words: said in time, they count.
    let hears = if hears.code == 8 {
        is(&hears, 8, &parts)
    } else {
        is(
            &hears,
            1,
            &json!({"verdict": "cancelled", "uncertain": false, "kubernetes": "failed", "phase": "retained"}),
        )
    };
    for document in [hears, deaf] {
        assert_eq!(document["reason"]["word"], "Evicted", "{document:#}");
        let why = name(&document["why"]["sentence"]);
        assert!(why.contains("storage"), "{why}");
        let fix = name(&document["why"]["fix"]);
        assert!(fix.contains("describe node"), "{fix}");
    }
}

#[test]
fn watches_are_closed_under_it() {
    let Some(place) = Place::prepared("shaken", Use::Shared) else {
        return;
    };
    let (wire, on_the_wire) = wire(&place);
    place
        .home
        .write("config/llmctl-dev/samples/short.toml", SHORT);
    let ran = while_it_waits(&place, &format!("{on_the_wire} run short"), |_| {
        for _ in 0..4 {
            wire.shake();
            sleep(Duration::from_millis(300));
        }
    });
    let document = is(
        &ran,
        0,
        &json!({"verdict": "success", "uncertain": false, "kubernetes": "complete"}),
    );
    assert_eq!(document["log"]["lines"], 7, "{document:#}");
    assert_eq!(document["log"]["state"], "whole", "{document:#}");
}

/// A wire to the cluster, and the arguments of a command that goes by it.
fn wire(place: &Place) -> (Wire, String) {
    let real = place.real.as_ref().unwrap();
    let file = place.home.path().join("wire.kubeconfig");
    let laid = Wire::to(real.kubeconfig(), &real.target.name, &file);
    let wire = place.runtime.block_on(laid);
    (wire, format!("--kubeconfig {}", file.display()))
}
