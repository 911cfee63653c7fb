//! The card for every state: objects as a real API server gave them, states of the fixtures, and logs.

use super::*;
use crate::domain::logs::{LogEvent, LogLine};
use crate::domain::observed::{Seen, from_json};
use crate::domain::runs::{RunId, Runs};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn target(kind: TargetKind) -> Target {
    Target {
        kind,
        name: "llmctl".into(),
        server: "https://192.168.49.2:8443".into(),
    }
}

/// A good while after everything that the fixtures tell.
fn later() -> Timestamp {
    "2026-12-24T00:00:00Z".parse().unwrap()
}

fn seen(case: &Value) -> (Runs, RunId) {
    let now: Timestamp = "2026-11-24T12:45:30Z".parse().unwrap();
    let mut runs = Runs::default();
    let job = from_json::job(&case["job"]);
    let id = RunId(job.uid.clone());
    runs.observe(Seen::Job(Box::new(job)), now);
    let none = Vec::new();
    let pods: Vec<_> = if case["pod"].is_object() {
        vec![from_json::pod(&case["pod"])]
    } else {
        let pods = case["pods"].as_array().unwrap_or(&none);
        pods.iter().map(from_json::pod).collect()
    };
    let uids: BTreeSet<String> = pods.iter().map(|pod| pod.uid.clone()).collect();
    runs.observe(Seen::PodsPage(pods), now);
    runs.observe(Seen::PodsListed(uids), now);
    for event in case["events"].as_array().unwrap_or(&none) {
        runs.observe(Seen::Event(Box::new(from_json::event(event))), now);
    }
    (runs, id)
}

/// As [`seen`], after the wait for a log that did not come.
fn settled(case: &Value) -> (Runs, RunId) {
    let (mut runs, id) = seen(case);
    runs.tick("2026-11-24T12:50:00Z".parse().unwrap());
    (runs, id)
}

/// Case, a part of the sentence, the command on Minikube.
const REAL: &[(&str, &str, &str)] = &[
    (
        "account",
        "no service account `absent`",
        "kubectl --context llmctl -n follow-why create serviceaccount absent",
    ),
    (
        "badname",
        "is no valid name",
        "llmctl-dev run hello --image llmctl-executor-frontier:0.1.0",
    ),
    (
        "claim",
        "persistentvolumeclaim \"absent\" not found",
        "kubectl --context llmctl -n follow-why get persistentvolumeclaims",
    ),
    (
        "cpu",
        "No node has enough cpu and memory",
        "kubectl --context llmctl -n follow-why describe nodes",
    ),
    (
        "deadline",
        "stopped by its deadline",
        "llmctl-dev run hello --timeout 60",
    ),
    (
        "evicted",
        "Usage of EmptyDir volume \"v\" exceeds the limit",
        "kubectl --context llmctl -n follow-why describe node llmctl",
    ),
    ("exit", "exit code 7", "llmctl-dev runs logs 7"),
    (
        "gpu",
        "No node has enough nvidia.com/gpu",
        "llmctl-dev run hello --gpu 0",
    ),
    (
        "jobdeadline",
        "stopped by its deadline",
        "llmctl-dev run hello --timeout 60",
    ),
    (
        "livecode",
        "/workspace/llmctl-absent is not a directory",
        "minikube -p llmctl mount \"$PWD\":/workspace/llmctl-absent",
    ),
    (
        "never",
        "must not be pulled",
        "minikube -p llmctl image load llmctl-executor-none:0",
    ),
    (
        "nocommand",
        "stat /no/such/program: no such file or directory",
        "kubectl --context llmctl -n follow-why describe pod nocommand-fscvs",
    ),
    ("oom", "killed (SIGKILL", "llmctl-dev runs logs 7"),
    (
        "payload",
        "the payload ConfigMap is missing",
        "llmctl-dev runs remove 7",
    ),
    (
        "psa",
        "violates PodSecurity",
        "kubectl --context llmctl -n follow-psa label namespace follow-psa pod-security.kubernetes.io/enforce=baseline --overwrite",
    ),
    (
        "pull",
        "its registry refuses the connection",
        "minikube -p llmctl image load registry.example:5000/llmctl-executor:9",
    ),
    (
        "quota",
        "quota leaves no room",
        "kubectl --context llmctl -n follow-quota edit resourcequota small",
    ),
    (
        "root",
        "container has runAsNonRoot",
        "llmctl-dev run hello --image llmctl-executor-frontier:0.1.0",
    ),
    (
        "secret",
        "secret \"absent\" not found",
        "kubectl --context llmctl -n follow-why create secret generic absent --from-literal=KEY=VALUE",
    ),
    (
        "secretkey",
        "couldn't find key k in Secret",
        "kubectl --context llmctl -n follow-why patch secret half -p '{\"stringData\":{\"k\":\"VALUE\"}}'",
    ),
    (
        "selector",
        "didn't match Pod's node affinity/selector",
        "kubectl --context llmctl -n follow-why describe nodes",
    ),
    (
        "suspended",
        "suspended",
        "kubectl --context llmctl -n follow-why patch job suspended -p '{\"spec\":{\"suspend\":false}}'",
    ),
];

#[test]
fn every_way_not_to_get_on_has_a_sentence_and_a_command() {
    let fixture = include_str!("../../../tests/it/fixtures/why.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let cases = fixture["cases"].as_object().unwrap();
    assert_eq!(cases.len(), REAL.len());
    let mut wrong = Vec::new();
    for (name, case) in cases {
        let (runs, id) = settled(case);
        let card = Why::of(
            runs.find(&id).unwrap(),
            &target(TargetKind::Minikube),
            later(),
        );
        let (_, part, command) = REAL.iter().find(|(row, ..)| row == name).unwrap();
        let namespace = case["job"]["metadata"]["namespace"].as_str().unwrap();
        let command = command.replace("llmctl-dev ", &format!("llmctl-dev -n {namespace} "));
        if !card.sentence.contains(part) || card.fix.as_ref() != Some(&command) {
            wrong.push(format!("{name}: {} | {:?}", card.sentence, card.fix));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// States of the contract's fixture, without a log; none where nothing is wrong.
const STATES: &[(&str, Option<&str>)] = &[
    ("created_no_status", None),
    ("pod_unschedulable", Some("settings set k8s_gpu_limit 0")),
    ("image_pull_backoff", Some("image load")),
    ("err_image_never_pull", Some("image load")),
    ("container_creating", None),
    ("running", None),
    ("complete", Some("runs logs 111")),
    ("complete_with_success_criteria", Some("runs logs 111")),
    ("failed_exit_code", Some("runs logs 111")),
    ("failed_with_failure_target", Some("runs logs 111")),
    ("failure_target_only", None),
    ("failed_oom_killed", Some("describe pod")),
    (
        "failed_pod_deadline",
        Some("settings set execution_timeout_seconds 60"),
    ),
    (
        "failed_job_deadline",
        Some("settings set execution_timeout_seconds 60"),
    ),
    ("pod_evicted", Some("describe nodes")),
    ("pod_gone_job_complete", Some("runs logs 111")),
    ("suspended", Some("suspend")),
    ("deleting", None),
];

#[test]
fn w11_the_card_goes_by_the_pod_and_not_by_the_jobs_condition() {
    let fixture = include_str!("../../../tests/it/fixtures/cluster-objects.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), STATES.len());
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let (_, expected) = STATES.iter().find(|(row, _)| *row == name).unwrap();
        let (runs, id) = seen(case);
        let card = Why::of(
            runs.find(&id).unwrap(),
            &target(TargetKind::Minikube),
            later(),
        );
        match (expected, &card.fix) {
            (None, None) => {}
            (Some(part), Some(fix)) if fix.contains(part) => {}
            (_, found) => panic!("{name}: {found:?} ({})", card.sentence),
        }
    }
}

/// What a log makes of a finished Job: lines, a part of the sentence, the command, the last line.
#[test]
fn what_the_executor_said_decides() {
    let fixture = include_str!("../../../tests/it/fixtures/why.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let result = |json: &str| format!("LLMCTL_EXECUTOR_RESULT_JSON={json}");
    let started = "LLMCTL_EXECUTOR_STARTED".to_owned();
    let table: Vec<(Vec<String>, &str, &str, Option<&str>)> = vec![
        (
            vec![started.clone(), "cannot open the door".into()],
            "without a result",
            "llmctl-dev --context llmctl -n follow-why runs logs 7",
            Some("cannot open the door"),
        ),
        (
            vec![started.clone(), "well".into(), result("{broken")],
            "that cannot be used",
            "llmctl-dev --context llmctl -n follow-why runs logs 7 --grep LLMCTL_EXECUTOR_RESULT_JSON",
            Some("well"),
        ),
        (
            vec![result(r#"{"status": "success", "stdout": "a\nb\n"}"#)],
            "no start marker came before it",
            "llmctl-dev --context llmctl -n follow-why runs logs 7",
            Some("b"),
        ),
        (
            vec![result(
                r#"{"status": "infra_error", "exit_code": 2, "error": {"code": "validation_error", "message": "contract_version must be v1"}}"#,
            )],
            "refused the payload: contract_version must be v1",
            "llmctl-dev --context llmctl -n follow-why runs show 7 -o json",
            None,
        ),
        (
            vec![
                started.clone(),
                result(
                    r#"{"status": "success", "output_state": {"node_type": " "}, "routing_state": {}}"#,
                ),
            ],
            "output_state.node_type must be a text that is not blank",
            "llmctl-dev --context llmctl -n follow-why runs show 7 -o json",
            None,
        ),
        (
            vec![
                started.clone(),
                result(
                    r#"{"status": "failed", "exit_code": 1, "stderr": "Traceback\nModuleNotFoundError: No module named 'services'\n", "error": {"code": "execution_error", "message": "No module named 'services'"}}"#,
                ),
            ],
            "switch live code on",
            "llmctl-dev --context llmctl -n follow-why settings set k8s_live_code_enabled true",
            Some("ModuleNotFoundError: No module named 'services'"),
        ),
        (
            vec![
                started,
                result(
                    r#"{"status": "failed", "exit_code": 3, "stdout": "out", "stderr": "no key\n\n", "error": {"code": "execution_error", "message": "Command exited with non-zero code 3."}}"#,
                ),
            ],
            "non-zero code 3",
            "llmctl-dev --context llmctl -n follow-why runs logs 7",
            Some("no key"),
        ),
    ];
    for (lines, part, command, last) in table {
        let (mut runs, id) = seen(&fixture["cases"]["exit"]);
        let container_id = runs.find(&id).unwrap().pod.clone().unwrap().container_id;
        let lines: Vec<LogLine> = lines
            .into_iter()
            .map(|text| LogLine { at: None, text })
            .collect();
        let now = Timestamp::UNIX_EPOCH;
        for event in [
            LogEvent::Opened { container_id },
            LogEvent::Lines(lines),
            LogEvent::Whole,
        ] {
            runs.log(&id, event, now);
        }
        let card = Why::of(
            runs.find(&id).unwrap(),
            &target(TargetKind::Context),
            later(),
        );
        assert!(card.sentence.contains(part), "{part}: {}", card.sentence);
        assert_eq!(card.fix.as_deref(), Some(command), "{part}");
        assert_eq!(card.last_line.as_deref(), last, "{part}");
    }
}

#[test]
fn on_the_sandbox_a_command_names_the_sandbox() {
    let fixture = include_str!("../../../tests/it/fixtures/why.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let (runs, id) = seen(&fixture["cases"]["pull"]);
    let card = Why::of(runs.find(&id).unwrap(), &Target::sandbox(), later());
    assert_eq!(
        card.fix.as_deref(),
        Some("llmctl-dev --sandbox -n follow-why run hello --image llmctl-executor-frontier:0.1.0")
    );
}

#[test]
fn a_success_wants_nothing() {
    let fixture = include_str!("../../../tests/it/fixtures/why.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let (runs, id) = seen(&fixture["cases"]["exit"]);
    let mut run = runs.find(&id).unwrap().record();
    run.verdict = Verdict::Success;
    let card = Why::of(&run, &Target::sandbox(), later());
    assert_eq!((card.fix, card.last_line), (None, None));
}

#[test]
fn a_run_in_its_own_place_needs_no_flags() {
    let fixture = include_str!("../../../tests/it/fixtures/cluster-objects.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let (runs, id) = settled(&fixture["cases"][8]);
    let run = runs.find(&id).unwrap();
    let card = Why::of(run, &target(TargetKind::Minikube), later());
    assert_eq!(card.fix.as_deref(), Some("llmctl-dev runs logs 111"));
    let pod = "llmctl-exec-12-111-task-222-4d0a70f302-x7k2p";
    for (part, command) in [
        (
            Part::Job,
            "describe job llmctl-exec-12-111-task-222-4d0a70f302".to_owned(),
        ),
        (Part::Log, format!("logs {pod} -c executor --timestamps")),
        (
            Part::Result,
            format!("logs {pod} -c executor | grep '^LLMCTL_EXECUTOR_RESULT_JSON='"),
        ),
        (
            Part::Events,
            format!(
                "get events --sort-by=.lastTimestamp --field-selector involvedObject.name={pod}"
            ),
        ),
        (
            Part::Manifest,
            "get job llmctl-exec-12-111-task-222-4d0a70f302 -o yaml".to_owned(),
        ),
    ] {
        assert_eq!(
            kubectl_for(run, &target(TargetKind::Context), part),
            format!("kubectl --context llmctl -n llmctl {command}")
        );
    }
}

/// The pod of a fixture, changed; and the seconds after its scheduling that the card is asked.
fn card_of(change: impl Fn(&mut Value), seconds: i64) -> Why {
    let fixture = include_str!("../../../tests/it/fixtures/cluster-objects.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    let mut case = cases
        .iter()
        .find(|case| case["name"] == "running")
        .unwrap()
        .clone();
    case["pod"]["spec"]["nodeName"] = json!("minikube");
    change(&mut case);
    let (runs, id) = seen(&case);
    let scheduled = runs.find(&id).unwrap().marks.scheduled.unwrap();
    let now = scheduled + SignedDuration::from_secs(seconds);
    Why::of(runs.find(&id).unwrap(), &target(TargetKind::Minikube), now)
}

#[test]
fn a_pod_that_its_node_does_not_take_up_is_looked_into_at_the_node() {
    let untaken = |case: &mut Value| {
        case["pod"]["status"] = json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-24T12:00:00Z"}
        ]});
    };
    let early = card_of(untaken, 1);
    assert_eq!(
        early.sentence,
        "Node minikube has not taken the pod up yet."
    );
    assert_eq!(early.fix, None);
    let late = card_of(untaken, 5);
    let look = "kubectl --context llmctl -n llmctl describe node minikube";
    assert_eq!(late.fix.as_deref(), Some(look));
}

#[test]
fn a_running_pod_of_a_silent_node_says_so() {
    let condition = |ready: &'static str| {
        move |case: &mut Value| {
            case["pod"]["status"]["conditions"] = json!([
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-24T12:00:00Z"},
                {"type": "Ready", "status": ready},
            ]);
        }
    };
    let well = card_of(condition("True"), 60);
    assert_eq!(well.fix, None);
    let card = card_of(condition("False"), 60);
    assert!(
        card.sentence
            .starts_with("Nothing is heard of node minikube any more"),
        "{}",
        card.sentence
    );
    let look = "kubectl --context llmctl -n llmctl describe node minikube";
    assert_eq!(card.fix.as_deref(), Some(look));
    // It is being ended: that it is not ready is no news.
    let ending = card_of(
        |case| {
            condition("False")(case);
            case["pod"]["metadata"]["deletionTimestamp"] = json!("2026-11-24T12:01:00Z");
        },
        60,
    );
    assert_eq!(ending.fix, None);
}

#[test]
fn a_pull_that_lasts_names_the_image_and_how_to_bring_it() {
    let pulling = |case: &mut Value| {
        case["pod"]["status"] = json!({"phase": "Pending", "startTime": "2026-11-24T12:00:00Z", "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-24T12:00:00Z"}
        ]});
        case["events"] = json!([{
            "metadata": {"uid": "e"}, "type": "Normal", "reason": "Pulling", "message": "Pulling image",
            "involvedObject": {"kind": "Pod", "name": case["pod"]["metadata"]["name"].clone(), "uid": case["pod"]["metadata"]["uid"].clone()},
            "firstTimestamp": "2026-11-24T12:00:00Z", "lastTimestamp": "2026-11-24T12:00:00Z", "count": 1
        }]);
    };
    let card = card_of(pulling, 2);
    assert!(
        card.sentence.starts_with("The node pulls image "),
        "{}",
        card.sentence
    );
    assert_eq!(card.fix, None);
    let fix = card_of(pulling, 6).fix.unwrap();
    assert!(fix.starts_with("minikube -p llmctl image load "), "{fix}");
}

#[test]
fn an_image_is_brought_in_the_way_of_its_cluster() {
    let fixture = include_str!("../../../tests/it/fixtures/why.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    for (context, never, pull) in [
        (
            "kind-dev",
            "kind load docker-image llmctl-executor-none:0 --name dev",
            "kind load docker-image registry.example:5000/llmctl-executor:9 --name dev",
        ),
        (
            "k3d-dev",
            "k3d image import llmctl-executor-none:0 -c dev",
            "k3d image import registry.example:5000/llmctl-executor:9 -c dev",
        ),
        (
            "other",
            "docker save llmctl-executor-none:0 | ctr -n k8s.io images import -",
            "docker push registry.example:5000/llmctl-executor:9",
        ),
    ] {
        let target = Target {
            name: context.into(),
            ..target(TargetKind::Context)
        };
        for (case, command) in [("never", never), ("pull", pull)] {
            let (runs, id) = seen(&fixture["cases"][case]);
            let card = Why::of(runs.find(&id).unwrap(), &target, later());
            assert_eq!(card.fix.as_deref(), Some(command), "{context} {case}");
        }
    }
}
