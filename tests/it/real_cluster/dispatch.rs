//! Dispatch on a real cluster: what is seen before a run, what is refused, what is sent, and what ends a run that cannot start.

use super::Place;
use crate::support::real::Use;
use serde_json::{Value, json};

const SETTINGS: &str = "config/llmctl-dev/executor.toml";

fn row<'a>(document: &'a Value, name: &str) -> &'a Value {
    let rows = document["rows"].as_array().unwrap();
    let found = rows.iter().find(|row| row["name"] == name);
    found.unwrap_or_else(|| panic!("no row {name}: {document:#}"))
}

fn says<'a>(document: &'a Value, name: &str) -> &'a str {
    row(document, name)["says"].as_str().unwrap()
}

/// Nothing may be in the namespace after a refusal.
fn no_run(place: &Place) {
    assert_eq!(place.document("runs list")["runs"], json!([]));
}

#[test]
fn what_a_run_needs_is_looked_for_and_nothing_is_created_when_it_is_not_there() {
    let Some(place) = Place::prepared("preflight", Use::Shared) else {
        return;
    };
    let document = place.document("run hello --check");
    assert_eq!(document["ready"], true, "{document:#}");
    for name in [
        "namespace",
        "service account",
        "node",
        "quota",
        "clock",
        "image",
    ] {
        assert_eq!(row(&document, name)["mark"], "ok", "{document:#}");
    }
    assert!(says(&document, "image").contains(" is on "), "{document:#}");

    // Another digest than the node's, an image that is nowhere, more GPUs than there are, code that is not mounted.
    let pinned = format!("llmctl-executor-frontier@sha256:{}", "0".repeat(64));
    let document = place.document(&format!("run hello --check --image {pinned} --gpu 1"));
    assert_eq!(row(&document, "image")["mark"], "warns", "{document:#}");
    assert_eq!(row(&document, "GPU")["mark"], "warns", "{document:#}");
    let document = place.document("run hello --check --image nowhere.invalid/absent:1");
    assert!(
        says(&document, "image").contains("no node tells of"),
        "{document:#}"
    );
    let document = place.document("run start-node --check");
    assert_eq!(row(&document, "live code")["mark"], "warns", "{document:#}");
    place.home.write(
        SETTINGS,
        "k8s_live_code_enabled = true\nk8s_live_code_host_path = \"/nowhere/checkout\"\n",
    );
    let document = place.document("run start-node --check");
    // No API shows the files of a node.
    assert_eq!(
        row(&document, "live code")["mark"],
        "unknown",
        "{document:#}"
    );

    place
        .home
        .write(SETTINGS, "k8s_service_account = \"absent\"\n");
    let ran = place.say("run hello --check");
    assert!(
        ran.ended(4).out.contains("refuses service account"),
        "{ran:?}"
    );
    let ran = place.say("run hello --wait");
    assert!(
        ran.ended(4)
            .err
            .contains("nothing was created: service account"),
        "{ran:?}"
    );
    no_run(&place);

    // A quota without room for a pod's memory.
    place.home.write(SETTINGS, "");
    let namespace = place.home.path().join("overlays/mine/kustomization.yaml");
    let overlay = std::fs::read_to_string(namespace).unwrap();
    let overlay = overlay.replace("[../executor]", "[../executor, quota.yaml]");
    place
        .home
        .write("overlays/mine/kustomization.yaml", &overlay);
    place.home.write(
        "overlays/mine/quota.yaml",
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: tight}\nspec: {hard: {limits.memory: 64Mi, pods: \"0\"}}\n",
    );
    place.say("overlays apply mine --yes").ended(0);
    let ran = place.say("run hello --check");
    assert!(ran.ended(4).out.contains("refuses quota"), "{ran:?}");
    let ran = place.say("run hello --wait");
    assert!(
        ran.ended(4).err.contains("nothing was created: quota"),
        "{ran:?}"
    );
    no_run(&place);

    // Started all the same, it never gets a pod: its dispatch clock ends it, and nothing ran for certain.
    place.home.write(SETTINGS, "dispatch_timeout_seconds = 5\n");
    let document = place
        .say("run hello --no-check --wait -o json")
        .ended(6)
        .json();
    assert_eq!(
        (
            &document["verdict"],
            &document["uncertain"],
            &document["phase"]
        ),
        (&json!("timeout"), &json!(false), &json!("retained")),
        "{document:#}"
    );
    let why = document["why"]["sentence"].as_str().unwrap();
    assert!(
        why.contains("dispatch time-out of 5 s") && why.ends_with("Nothing ran."),
        "{why}"
    );
}

#[test]
fn what_is_sent_is_what_was_asked_for_and_a_known_request_is_refused() {
    let Some(place) = Place::prepared("dispatch", Use::Shared) else {
        return;
    };
    let payload = json!({"contract_version": "v1", "command": ["/bin/sh", "-c", "echo \"$GREETING from $WHO\""], "env": {"GREETING": "moin"}});
    let file = place.home.write("own.json", &payload.to_string());
    let line = format!(
        "run --payload {} --set env.WHO=here --class vllm --image llmctl-executor-frontier:latest --timeout 60 --ttl 90 --execution 70",
        file.display()
    );
    let dry = place.say(&format!("{line} --dry-run"));
    let dry = dry.ended(0);
    assert!(dry.out.contains("ttlSecondsAfterFinished: 90"), "{dry:?}");
    assert!(
        !dry.out.contains("moin"),
        "a value of the environment: {dry:?}"
    );
    no_run(&place);

    let document = place.say(&format!("{line} --wait -o json")).ended(0).json();
    assert_eq!(document["verdict"], "success", "{document:#}");
    assert_eq!(document["ttl"]["seconds"], 90, "{document:#}");
    let log = place.say("runs logs last");
    assert!(log.ended(0).out.contains("moin from here"), "{log:?}");

    let again = place.say(&format!("{line} --wait"));
    assert!(
        again.ended(4).err.contains("was this very request"),
        "{again:?}"
    );
    let next = place
        .say(&format!("{line} --again --wait -o json"))
        .ended(0)
        .json();
    assert_ne!(next["job"], document["job"]);
    let second = format!("{}.2", document["run"].as_str().unwrap());
    assert_eq!(next["run"], second, "the second pass of the same run");
}

/// The clock ends what waits for its image, and keeps it; it leaves alone what has begun, however long that takes.
#[test]
fn the_dispatch_clock_ends_what_cannot_start_and_nothing_else() {
    let Some(place) = Place::prepared("clock", Use::Shared) else {
        return;
    };
    place.home.write(SETTINGS, "dispatch_timeout_seconds = 5\n");
    let (waits, runs) = std::thread::scope(|scope| {
        let runs = scope.spawn(|| place.say("run slow --timeout 15 --execution 7 --wait -o json"));
        let waits =
            place.say("run hello --image nowhere.invalid/absent:1 --execution 8 --wait -o json");
        (waits, runs.join().unwrap())
    });
    let document = waits.ended(6).json();
    assert_eq!(
        (
            &document["verdict"],
            &document["uncertain"],
            &document["phase"]
        ),
        (&json!("timeout"), &json!(false), &json!("retained")),
        "{document:#}"
    );
    assert!(waits.err.contains("was given up"), "{waits:?}");
    let document = runs.ended(6).json();
    assert!(document["executor"].is_object(), "{document:#}");
    let log = place.say("runs logs 7");
    assert!(log.ended(0).out.contains("second 8 of 60"), "{log:?}");
}
