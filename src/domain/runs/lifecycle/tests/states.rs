//! Every state of Job and pod of the fixture, without a log.

use super::*;
use crate::domain::observed::from_json;
use Kubernetes as K;
use Phase as P;
use Verdict as V;
use serde_json::Value;

/// Phase, Kubernetes' verdict, ours, uncertain, the word, and a part of the sentence.
type Told = (P, K, V, bool, &'static str, &'static str);

/// Python sees only "terminal: complete, failed or none" and never looks at the pod for the reason; each row says more.
const TABLE: &[(&str, Told)] = &[
    (
        "created_no_status",
        (P::Queued, K::Pending, V::Pending, false, "", "not made yet"),
    ),
    (
        "pod_unschedulable",
        (
            P::Pending,
            K::Pending,
            V::Pending,
            false,
            "Unschedulable",
            "enough nvidia.com/gpu: set the GPU limit to 0",
        ),
    ),
    (
        "image_pull_backoff",
        (
            P::Pending,
            K::Pending,
            V::Pending,
            false,
            "ImagePullBackOff",
            "cannot be pulled",
        ),
    ),
    (
        "err_image_never_pull",
        (
            P::Pending,
            K::Pending,
            V::Pending,
            false,
            "ErrImageNeverPull",
            "not in the cluster",
        ),
    ),
    (
        "container_creating",
        (
            P::Pending,
            K::Pending,
            V::Pending,
            false,
            "ContainerCreating",
            "is being made",
        ),
    ),
    (
        "running",
        (
            P::Running,
            K::Running,
            V::Pending,
            false,
            "",
            "start marker has not come",
        ),
    ),
    // Finished, and no log can be read here: what the executor says is not known (2.7).
    (
        "complete",
        (
            P::Retained,
            K::Complete,
            V::Uncertain,
            true,
            "",
            "no result of the executor was read",
        ),
    ),
    (
        "complete_with_success_criteria",
        (
            P::Retained,
            K::Complete,
            V::Uncertain,
            true,
            "",
            "no result",
        ),
    ),
    (
        "failed_exit_code",
        (
            P::Retained,
            K::Failed,
            V::Uncertain,
            true,
            "BackoffLimitExceeded",
            "exit code 1",
        ),
    ),
    (
        "failed_with_failure_target",
        (
            P::Retained,
            K::Failed,
            V::Uncertain,
            true,
            "BackoffLimitExceeded",
            "exit code 1",
        ),
    ),
    // Failing is not failed: its pod still runs.
    (
        "failure_target_only",
        (P::Running, K::Running, V::Pending, false, "", ""),
    ),
    // W11: the pod's word and not the Job's.
    (
        "failed_oom_killed",
        (
            P::Retained,
            K::Failed,
            V::Uncertain,
            true,
            "OOMKilled",
            "more memory than its limit",
        ),
    ),
    (
        "failed_pod_deadline",
        (
            P::Retained,
            K::Failed,
            V::Timeout,
            true,
            "DeadlineExceeded",
            "stopped by its deadline",
        ),
    ),
    (
        "failed_job_deadline",
        (
            P::Retained,
            K::Failed,
            V::Timeout,
            true,
            "DeadlineExceeded",
            "stopped by its deadline",
        ),
    ),
    (
        "pod_evicted",
        (
            P::Retained,
            K::Failed,
            V::Uncertain,
            true,
            "Evicted",
            "low on resource: memory",
        ),
    ),
    (
        "pod_gone_job_complete",
        (
            P::Retained,
            K::Complete,
            V::Uncertain,
            true,
            "",
            "no result",
        ),
    ),
    (
        "suspended",
        (
            P::Queued,
            K::Pending,
            V::Pending,
            false,
            "Suspended",
            "suspended",
        ),
    ),
    (
        "deleting",
        (P::Deleting, K::Running, V::Pending, false, "", ""),
    ),
];

#[test]
fn every_state_is_told() {
    let fixture = include_str!("../../../../../tests/it/fixtures/cluster-objects.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), TABLE.len());
    let now: Timestamp = "2026-02-17T20:45:10Z".parse().unwrap();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let (_, told) = TABLE
            .iter()
            .find(|(row, _)| *row == name)
            .unwrap_or_else(|| panic!("{name}"));
        let mut runs = Runs::of("llmctl");
        let job = from_json::job(&case["job"]);
        let uid = RunId(job.uid.clone());
        runs.observe(Seen::Job(Box::new(job)), now);
        let mut pods = BTreeSet::new();
        if case["pod"].is_object() {
            let pod = from_json::pod(&case["pod"]);
            pods.insert(pod.uid.clone());
            runs.observe(Seen::PodsPage(vec![pod]), now);
        }
        runs.observe(Seen::PodsListed(pods), now);
        let run = runs.find(&uid).unwrap();
        let (phase, kubernetes, verdict, uncertain, word, part) = *told;
        assert_eq!((run.phase, run.kubernetes), (phase, kubernetes), "{name}");
        assert_eq!(
            (run.verdict, run.uncertain),
            (verdict, uncertain),
            "{name}: {}",
            run.why
        );
        assert_eq!(run.reason.word, word, "{name}");
        assert!(run.why.contains(part), "{name}: {}", run.why);

        // Kubernetes' own end is what Python saw, and it has a time to count from for failed Jobs too (W18).
        let terminal = match run.kubernetes {
            K::Complete => Some("complete"),
            K::Failed => Some("failed"),
            _ => None,
        };
        assert_eq!(case["python"]["terminal"].as_str(), terminal, "{name}");
        assert_eq!(run.expires_at().is_some(), terminal.is_some(), "{name}");
        if terminal.is_some() {
            let finished: Timestamp = "2026-02-17T20:15:09Z".parse().unwrap();
            assert_eq!(run.finished_at, Some(finished), "{name}");
            let due: Timestamp = "2026-02-17T20:45:09Z".parse().unwrap();
            assert_eq!(run.expires_at(), Some(due), "{name}");
        }
    }
}

#[test]
fn what_hinders_a_pod_is_found_in_the_events() {
    let event = |kind: &str, name: &str, reason: &str, message: &str| {
        Seen::Event(Box::new(crate::domain::observed::EventSeen {
            uid: format!("e-{reason}"),
            kind: kind.into(),
            name: name.into(),
            object_uid: String::new(),
            level: "Warning".into(),
            reason: reason.into(),
            message: message.into(),
            source: "kubelet".into(),
            count: 1,
            first: at(3),
            last: at(3),
        }))
    };
    let mut runs = Runs::default();
    // The event comes before the pod does.
    let missing = "MountVolume.SetUp failed for volume \"executor-payload\" : configmap \"x-payload\" not found";
    see(
        &mut runs,
        event("Pod", "pod-of-a", "FailedMount", missing),
        3,
    );
    see_job(&mut runs, job("a"), 3);
    see_pod(
        &mut runs,
        pod("a", "Pending", waiting("ContainerCreating")),
        4,
    );
    let run = runs.find(&id("a")).unwrap();
    assert_eq!(run.reason.word, "FailedMount");
    assert!(
        run.why.contains("the payload ConfigMap is missing"),
        "{}",
        run.why
    );
    // Once it runs, that is history.
    see_pod(&mut runs, pod("a", "Running", running()), 5);
    assert_eq!(runs.find(&id("a")).unwrap().reason.word, "");

    let mut runs = Runs::default();
    see_job(&mut runs, job("b"), 3);
    let quota = "Error creating: pods \"x\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1";
    see(
        &mut runs,
        event("Job", &job("b").name, "FailedCreate", quota),
        4,
    );
    let run = runs.find(&id("b")).unwrap();
    assert_eq!(
        (run.phase, run.reason.word.as_str()),
        (Phase::Queued, "FailedCreate")
    );
    assert!(run.why.contains("quota leaves no room"), "{}", run.why);
}
