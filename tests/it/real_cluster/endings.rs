//! A wait ends whatever is done to its run. What runs end with by themselves is in [`super::commands`].

use super::Place;
use crate::support::home::Ran;
use crate::support::real::Use;
use crate::support::terminal::PATIENCE;
use llmctl_dev::cluster::jobs::Propagation;
use serde_json::Value;
use std::time::Instant;

/// Starts a run of a minute, waits for it on the command line, and does something to it once it has begun.
fn while_it_waits(place: &Place, interfere: impl FnOnce(&Value)) -> Ran {
    let before = place.document("runs list")["runs"]
        .as_array()
        .map_or(0, Vec::len);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| place.say("run slow --wait -o json"));
        let begin = Instant::now();
        loop {
            let list = place.document("runs list");
            let runs = list["runs"].as_array().unwrap();
            if runs.len() > before {
                let logs = format!("runs logs {}", name(&runs[0]["job"]));
                if place.say(&logs).out.contains("second 1 of 60") {
                    break;
                }
            }
            assert!(begin.elapsed() < PATIENCE, "the log stays empty: {list:#}");
        }
        interfere(&place.document("runs show last"));
        waits.join().unwrap()
    })
}

fn name(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn cancelled_deleted_or_killed_with_its_node() {
    let Some(place) = Place::prepared("endings", Use::Shared) else {
        return;
    };
    let cancelled = while_it_waits(&place, |_| {
        place.say("runs cancel last --grace 10").ended(0);
    });
    let document = cancelled.ended(1).json();
    assert_eq!(document["verdict"], "cancelled", "{document:#}");

    let real = place.real.as_ref().unwrap();
    let (cluster, namespace) = (&real.cluster, &real.namespace);
    let deleted = while_it_waits(&place, |run| {
        let job = name(&run["job"]);
        let deletion = cluster.delete_job(namespace, job, None, Propagation::Background);
        place.runtime.block_on(deletion).unwrap();
    });
    let document = deleted.json();
    assert_eq!(document["phase"], "removed", "{document:#}");
    assert_eq!(document["ttl"]["removed_by"], "someone_else");
    // Whether its last words were read before its pod went is a matter of moments; that it ends is not.
    assert!([1, 7, 8].contains(&deleted.code), "{document:#}");
    assert_eq!(document["exit"], deleted.code);

    // As a pod goes whose node is gone: at once, and nobody sees its end.
    let killed = while_it_waits(&place, |run| {
        let deletion = cluster.delete_pod(namespace, name(&run["pod"]["name"]), None, 0);
        place.runtime.block_on(deletion).unwrap();
    });
    // A living node still asks the executor to end, and what it said of it counts if it was read; otherwise nobody knows.
    let document = killed.json();
    let ended = (killed.code, document["verdict"].as_str().unwrap());
    assert!(
        [(1, "cancelled"), (8, "uncertain")].contains(&ended),
        "{document:#}"
    );
}
