//! Golden objects of the Python dispatcher, and every refusal.

use super::*;
use crate::domain::samples::SampleNode;
use std::collections::BTreeMap;

const FIXTURE: &str = include_str!("../../../tests/it/fixtures/job-identity.json");

fn settings() -> RunSettings {
    RunSettings {
        namespace: "llmctl".into(),
        workspace_identity: "default".into(),
        frontier_image: "llmctl-executor-frontier:latest".into(),
        vllm_image: "llmctl-executor-vllm:latest".into(),
        service_account: None,
        image_pull_secrets: Vec::new(),
        gpu_limit: 0,
        ttl_seconds: 60,
        dispatch_timeout_seconds: 300,
        execution_timeout_seconds: 1800,
        cancel_grace_seconds: 15,
        agent_runtime_cutover: false,
        argocd_app: None,
        live_code_path: None,
    }
}

fn sample(text: &str) -> Sample {
    serde_json::from_str(text).unwrap()
}

fn command() -> Sample {
    sample(r#"{"name": "hello", "summary": "s", "command": ["true"]}"#)
}

/// The start node of the golden objects, as execution 111 of task 222; samples have no task, so the request is made here.
fn golden(settings: &RunSettings, timeout: u32, gpu: u32) -> RunPlan {
    let sample = Sample {
        node: Some(SampleNode {
            kind: "start".into(),
            ..SampleNode::default()
        }),
        command: None,
        node_id: 12,
        ..command()
    };
    let request = NodeRequest {
        execution_task_id: Some(222),
        ..sample.request(111)
    };
    plan(&Wanted {
        request,
        work: Work::Node,
        node_payload: true,
        sample: &sample,
        image: &settings.frontier_image,
        gpu,
        ttl: settings.ttl_seconds,
        timeout,
        settings,
        own: None,
    })
    .unwrap()
}

/// Takes `key` out of an object and checks what it was.
fn take(object: &mut Value, key: &str, expected: &Value) {
    let taken = object.as_object_mut().unwrap().remove(key);
    assert_eq!(taken.as_ref(), Some(expected), "{key}");
}

/// Removes what this tool does better than the Python dispatcher, each checked as it goes; the rest must be the golden object.
fn without_improvements(mut job: Value, deadline: u32) -> Value {
    take(&mut job["spec"], "activeDeadlineSeconds", &json!(deadline));
    let annotations = &mut job["metadata"]["annotations"];
    take(annotations, SAMPLE_ANNOTATION, &json!("hello"));
    let used = annotations
        .as_object_mut()
        .unwrap()
        .remove(SETTINGS_ANNOTATION)
        .unwrap();
    let used: Value = serde_json::from_str(used.as_str().unwrap()).unwrap();
    assert_eq!(used["cancel_grace_timeout_seconds"], 15);
    for path in ["/metadata/labels", "/spec/template/metadata/labels"] {
        take(job.pointer_mut(path).unwrap(), OURS.0, &json!(OURS.1));
    }
    let pod = &mut job["spec"]["template"]["spec"];
    take(pod, "enableServiceLinks", &json!(false));
    take(pod, "automountServiceAccountToken", &json!(false));
    take(pod, "terminationGracePeriodSeconds", &json!(15));
    let container = &mut pod["containers"][0];
    take(
        container,
        "securityContext",
        &json!({
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }),
    );
    take(
        container,
        "envFrom",
        &json!([
            {"configMapRef": {"name": "llmctl-studio-config", "optional": true}},
            {"secretRef": {"name": "llmctl-studio-secrets", "optional": true}},
        ]),
    );
    for mount in container["volumeMounts"].as_array_mut().unwrap() {
        if mount["name"] == "project-code" {
            take(mount, "readOnly", &json!(true));
        }
    }
    job
}

#[test]
fn the_full_job_is_the_golden_one_but_for_the_improvements() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let settings = RunSettings {
        frontier_image: "registry.example.test/llmctl-executor-frontier:0.1.0".into(),
        service_account: Some("llmctl-executor".into()),
        image_pull_secrets: vec!["llmctl-harbor-regcred".into()],
        ttl_seconds: 1800,
        argocd_app: Some("llmctl-studio".into()),
        live_code_path: Some("/workspace/llmctl".into()),
        ..settings()
    };
    let plan = golden(&settings, 1800, 1);
    assert_eq!(
        without_improvements(plan.job.clone(), 300 + 1800 + 60),
        fixture["job_full"]
    );

    // The ConfigMap: owned by the Job, and one label more.
    let mut configmap = plan.configmap("0000-1");
    take(
        &mut configmap["metadata"],
        "ownerReferences",
        &json!([{"apiVersion": "batch/v1", "kind": "Job", "name": plan.job_name, "uid": "0000-1"}]),
    );
    take(&mut configmap["metadata"]["labels"], OURS.0, &json!(OURS.1));
    let mut expected = fixture["configmap"].clone();
    let read = |map: &Value| -> Value {
        serde_json::from_str(map["data"]["payload.json"].as_str().unwrap()).unwrap()
    };
    assert_eq!(read(&configmap), read(&expected));
    let text = configmap["data"]["payload.json"].as_str().unwrap();
    assert!(!text.contains(": "), "the payload is compact");
    // Keys are sorted here and in Python's order there; the documents were just compared.
    configmap["data"] = json!(null);
    expected["data"] = json!(null);
    assert_eq!(configmap, expected);
}

#[test]
fn the_minimal_job_is_the_golden_one_but_for_the_improvements() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let plan = golden(&settings(), 5, 0);
    assert_eq!(
        without_improvements(plan.job, 300 + 5 + 60),
        fixture["job_minimal_clamped"]
    );
}

#[test]
fn a_command_payload_gets_neither_studio_s_secrets_nor_its_code() {
    let settings = RunSettings {
        live_code_path: Some("/workspace/llmctl".into()),
        ..settings()
    };
    let plan = plan_run(&command(), 7, &settings, &RunOptions::default()).unwrap();
    let text = plan.job.to_string();
    assert!(
        !text.contains("envFrom") && !text.contains("project-code"),
        "{text}"
    );
    assert_eq!(plan.job_name, "llmctl-exec-1-7-task-none-78963e23f0");
    assert_eq!(
        plan.dispatch_id,
        "kubernetes:llmctl/llmctl-exec-1-7-task-none-78963e23f0"
    );
}

#[test]
fn the_cutover_travels_in_a_node_s_configuration_and_nowhere_else() {
    let settings = RunSettings {
        agent_runtime_cutover: true,
        ..settings()
    };
    let node = sample(r#"{"name": "n", "summary": "s", "node": {"type": "start"}}"#);
    let plan = plan_run(&node, 1, &settings, &RunOptions::default()).unwrap();
    assert_eq!(
        plan.payload.0["node_execution"]["request"]["node_config"],
        json!({"__agent_runtime_cutover_enabled": "true"})
    );
    let plan = plan_run(&command(), 1, &settings, &RunOptions::default()).unwrap();
    assert!(!plan.payload.0.to_string().contains("cutover"));
}

#[test]
fn a_gpu_is_asked_for_by_its_image_class_or_by_a_person() {
    let settings = RunSettings {
        gpu_limit: 2,
        ..settings()
    };
    let vllm = Sample {
        image_class: Some(ImageClass::Vllm),
        ..command()
    };
    let gpu = |sample: &Sample, gpu| {
        let options = RunOptions {
            gpu,
            ..RunOptions::default()
        };
        let plan = plan_run(sample, 1, &settings, &options).unwrap();
        let container = &plan.job["spec"]["template"]["spec"]["containers"][0];
        (
            container["image"].clone(),
            container["resources"]["limits"]
                .get("nvidia.com/gpu")
                .cloned(),
        )
    };
    let frontier = json!("llmctl-executor-frontier:latest");
    assert_eq!(gpu(&command(), None), (frontier.clone(), None));
    assert_eq!(gpu(&command(), Some(1)), (frontier, Some(json!("1"))));
    assert_eq!(gpu(&vllm, None).1, Some(json!("2")));
    assert_eq!(gpu(&vllm, Some(0)).1, None);
}

#[test]
fn a_digest_stays_and_the_nearest_choice_of_image_wins() {
    let pinned = format!("registry.test:5000/a/b@sha256:{}", "0".repeat(64));
    let settings = RunSettings {
        frontier_image: pinned.clone(),
        ..settings()
    };
    let image = |sample: &Sample, image: Option<&str>| {
        let options = RunOptions {
            image: image.map(str::to_owned),
            ..RunOptions::default()
        };
        plan_run(sample, 1, &settings, &options).unwrap().image
    };
    assert_eq!(image(&command(), None), pinned);
    let own = Sample {
        image: Some("own:1".into()),
        ..command()
    };
    assert_eq!(image(&own, None), "own:1");
    assert_eq!(image(&own, Some("asked:2")), "asked:2");
}

#[test]
fn the_shorter_time_out_counts() {
    let sample = Sample {
        timeout_seconds: Some(60),
        ..command()
    };
    let seconds = |timeout_seconds| {
        let options = RunOptions {
            timeout_seconds,
            ..RunOptions::default()
        };
        let plan = plan_run(&sample, 1, &settings(), &options).unwrap();
        (
            plan.payload.0["timeout_seconds"].clone(),
            plan.job["spec"]["template"]["spec"]["activeDeadlineSeconds"].clone(),
        )
    };
    assert_eq!(seconds(None), (json!(60), json!(1800)));
    assert_eq!(seconds(Some(10)), (json!(10), json!(10)));
}

#[test]
fn what_is_shown_holds_no_value_of_the_environment() {
    let sample = Sample {
        env: Hidden(BTreeMap::from([(
            "API_KEY".to_owned(),
            "s3cret".to_owned(),
        )])),
        ..command()
    };
    let plan = plan_run(&sample, 1, &settings(), &RunOptions::default()).unwrap();
    assert!(plan.configmap("u").to_string().contains("s3cret"));
    assert!(!format!("{plan:?} {sample:?}").contains("s3cret"));
    let shown = json!(plan.shown()).to_string();
    assert!(!shown.contains("s3cret"));
    assert!(shown.contains("API_KEY"));
}

type Change = fn(&mut Sample, &mut RunSettings, &mut RunOptions);

#[test]
fn each_refusal_names_the_field_and_the_value() {
    let cases: &[(&str, &str, Change)] = &[
        ("sample", "Hello", |s, _, _| {
            s.name = "Hello".into();
        }),
        ("k8s_namespace", "no_dns", |_, s, _| {
            s.namespace = "no_dns".into();
        }),
        ("k8s_namespace", "", |_, s, _| {
            s.namespace = String::new();
        }),
        ("k8s_service_account", "-x", |_, s, _| {
            s.service_account = Some("-x".into());
        }),
        ("k8s_image_pull_secrets_json", "a b", |_, s, _| {
            s.image_pull_secrets = vec!["a b".into()];
        }),
        ("workspace_identity_key", "team-", |_, s, _| {
            s.workspace_identity = "team-".into();
        }),
        ("argocd_app", "a/b", |_, s, _| {
            s.argocd_app = Some("a/b".into());
        }),
        ("live_code_path", "src", |_, s, _| {
            s.live_code_path = Some("src".into());
        }),
        ("live_code_path", "/a/../b", |_, s, _| {
            s.live_code_path = Some("/a/../b".into());
        }),
        ("image", "", |_, _, o| {
            o.image = Some(String::new());
        }),
        ("image", "a b", |_, _, o| {
            o.image = Some("a b".into());
        }),
        ("image", "Upper/case:1", |_, _, o| {
            o.image = Some("Upper/case:1".into());
        }),
        ("image", "a:", |_, _, o| {
            o.image = Some("a:".into());
        }),
        ("image", "a@sha256:12", |_, _, o| {
            o.image = Some("a@sha256:12".into());
        }),
        ("image", "a//b", |_, _, o| {
            o.image = Some("a//b".into());
        }),
        ("ttl", "59", |_, _, o| {
            o.ttl_seconds = Some(59);
        }),
        ("ttl", "86401", |_, s, _| {
            s.ttl_seconds = 86_401;
        }),
        ("timeout", "4", |_, _, o| {
            o.timeout_seconds = Some(4);
        }),
        ("gpu", "9", |_, _, o| {
            o.gpu = Some(9);
        }),
        ("dispatch_timeout_seconds", "4000000000", |_, s, _| {
            s.dispatch_timeout_seconds = 4_000_000_000;
        }),
        ("cancel_grace_timeout_seconds", "0", |_, s, _| {
            s.cancel_grace_seconds = 0;
        }),
        ("timeout_seconds of the sample", "0", |s, _, _| {
            s.timeout_seconds = Some(0);
        }),
        ("env", "A=B", |s, _, _| {
            s.env.0.insert("A=B".into(), String::new());
        }),
        ("env", "A", |s, _, _| {
            s.env.0.insert("A".into(), "x\0".into());
        }),
        ("container_command", "", |s, _, _| {
            s.container_command = Some(vec![]);
        }),
        ("command", "", |s, _, _| {
            s.command = Some(vec![]);
        }),
    ];
    for (field, value, change) in cases {
        let (mut sample, mut settings, mut options) =
            (command(), settings(), RunOptions::default());
        change(&mut sample, &mut settings, &mut options);
        let refusal = plan_run(&sample, 1, &settings, &options).unwrap_err();
        assert_eq!(
            (refusal.field.as_str(), refusal.value.as_str()),
            (*field, *value),
            "{refusal}"
        );
        assert!(!refusal.rule.is_empty());
    }
}

#[test]
fn a_payload_that_no_config_map_can_hold_is_refused_before_anything_exists() {
    let with = |bytes: usize| Sample {
        stdin: Some(Hidden("x".repeat(bytes))),
        ..command()
    };
    let plan = |sample: &Sample| plan_run(sample, 1, &settings(), &RunOptions::default());
    let frame = plan(&with(0)).unwrap().payload.0.to_string().len() + "payload.json".len();
    let most = 1_048_576 - frame;
    assert!(plan(&with(most)).is_ok());
    let refusal = plan(&with(most + 1)).unwrap_err();
    assert_eq!(refusal.field, "payload");
    assert_eq!(refusal.value, "1048577 bytes");
}
