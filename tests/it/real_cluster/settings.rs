//! Settings pushed into a namespace where somebody else owns a key and a workload reads them.

use super::Place;
use crate::support::real::Use;
use crate::support::terminal::{ENTER, ESC};
use serde_json::{Value, json};

const TTL: &str = "LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS";
const MAP: &str = "llmctl-executor-settings";

#[test]
fn a_push_meets_an_owner_takes_over_when_told_and_restarts_who_reads_it() {
    let Some(place) = Place::prepared("push", Use::Shared) else {
        return;
    };
    let real = place.real.as_ref().unwrap();
    let apply = |path: &str, object: Value| {
        place
            .runtime
            .block_on(real.apply_as("kubectl-edit", path, &object));
    };
    let map = format!("api/v1/namespaces/{}/configmaps/{MAP}", real.namespace);
    apply(
        &map,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": MAP}, "data": {TTL: "900"}}),
    );
    let labels = json!({"app": "reader"});
    apply(
        &format!(
            "apis/apps/v1/namespaces/{}/deployments/reader",
            real.namespace
        ),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "reader"}, "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [{
                    "name": "c", "image": "llmctl-executor-frontier:latest", "imagePullPolicy": "IfNotPresent",
                    "command": ["sh", "-c", "while true; do sleep 1; done"],
                    "envFrom": [{"configMapRef": {"name": MAP}}],
                }],
            }},
        }}),
    );
    place.say("settings set k8s_job_ttl_seconds 60").ended(0);
    let drift = |document: &Value| {
        let keys = document["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["key"] == "k8s_job_ttl_seconds");
        key.unwrap()["elsewhere"][0]["drift"].clone()
    };
    assert_eq!(drift(&place.document("settings show --origin")), true);

    let refused = place.say("settings push --to configmap --yes");
    assert!(refused.ended(4).err.contains("kubectl-edit"), "{refused:?}");
    assert!(refused.err.contains(TTL), "{refused:?}");
    assert_eq!(drift(&place.document("settings show --origin")), true);

    let pushed = place.say("settings push --to configmap --yes --force --restart -o json");
    assert!(
        pushed.ended(0).err.contains("Deployment/reader: 1/1 ready"),
        "{pushed:?}"
    );
    let document: Value = serde_json::from_str(&pushed.out).unwrap();
    assert_eq!(document["configmap"], MAP);
    assert_eq!(document["taken"][0]["owner"], "kubectl-edit");
    assert_eq!(
        document["restart_needed_by"],
        json!([{"kind": "Deployment", "name": "reader"}])
    );
    assert_eq!(drift(&place.document("settings show --origin")), false);
    let pod = place.runtime.block_on(real.pods("app=reader"));
    assert!(pod.iter().any(|pod| {
        pod["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"].is_string()
    }));
    let same = place.say("settings push --to configmap --yes");
    assert!(same.ended(0).out.contains("says the same"), "{same:?}");

    // The same by a person in the form, after somebody took the key back.
    apply(
        &map,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": MAP}, "data": {TTL: "900"}}),
    );
    let mut terminal = place.home.terminal(&[]);
    terminal.wait_for("● live");
    terminal.wait_for("drift!");
    terminal.press("2S");
    terminal.wait_for_row(&["[x] ConfigMap", MAP, "1 change"]);
    terminal.wait_for("conflict: ");
    terminal.press(ENTER);
    terminal.wait_for("not saved: kubectl-edit owns keys");
    terminal.press("f");
    terminal.wait_for_row(&["takes", TTL]);
    terminal.press(ENTER);
    terminal.wait_for("Restart now?");
    terminal.press("y");
    terminal.wait_for("Deployment/reader has restarted");
    terminal.gone("drift!");
    terminal.press(ESC);
    terminal.gone("Settings · executor.toml");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}
