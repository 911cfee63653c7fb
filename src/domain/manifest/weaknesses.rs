//! What the Python dispatcher's objects got wrong, each as a test that its objects would fail (contract 6.5).

use super::*;
use std::collections::BTreeMap;

fn settings() -> RunSettings {
    RunSettings {
        namespace: "llmctl".into(),
        workspace_identity: "default".into(),
        frontier_image: "frontier:1".into(),
        vllm_image: "vllm:1".into(),
        service_account: Some("llmctl-executor".into()),
        image_pull_secrets: Vec::new(),
        gpu_limit: 2,
        ttl_seconds: 1800,
        dispatch_timeout_seconds: 300,
        execution_timeout_seconds: 7200,
        cancel_grace_seconds: 15,
        agent_runtime_cutover: false,
        argocd_app: None,
        live_code_path: Some("/src".into()),
    }
}

fn node() -> Sample {
    serde_json::from_str(r#"{"name": "n", "summary": "s", "node": {"type": "start"}}"#).unwrap()
}

fn planned(sample: &Sample, settings: &RunSettings) -> Result<RunPlan, Refusal> {
    plan_run(sample, 7, settings, &RunOptions::default())
}

fn pod(plan: &RunPlan) -> &Value {
    &plan.job["spec"]["template"]["spec"]
}

#[test]
fn w20_the_payload_belongs_to_its_job() {
    let plan = planned(&node(), &settings()).unwrap();
    let owner = &plan.configmap("u-1")["metadata"]["ownerReferences"][0];
    assert_eq!(owner["kind"], "Job");
    assert_eq!(
        (&owner["uid"], &owner["name"]),
        (&json!("u-1"), &json!(plan.job_name))
    );
}

#[test]
fn w21_a_job_that_never_starts_has_an_end() {
    let plan = planned(&node(), &settings()).unwrap();
    // Both clocks fit into it, so that it cuts neither short (W1, W2).
    let deadline = plan.job["spec"]["activeDeadlineSeconds"].as_u64().unwrap();
    assert_eq!(deadline, 300 + 7200 + 60);
    assert_eq!(pod(&plan)["activeDeadlineSeconds"], 7200);
}

#[test]
fn w22_no_secret_stands_in_a_job_and_a_payload_has_a_limit() {
    let mut sample = node();
    sample.env = Hidden(BTreeMap::from([("OPENAI_API_KEY".into(), "s3cret".into())]));
    let plan = planned(&sample, &settings()).unwrap();
    assert!(!plan.job.to_string().contains("s3cret"));
    let container = &pod(&plan)["containers"][0];
    assert_eq!(
        container["envFrom"][1]["secretRef"]["name"],
        "llmctl-studio-secrets"
    );
    assert_eq!(container["env"].as_array().unwrap().len(), 1);

    sample.stdin = Some(Hidden("x".repeat(1 << 20)));
    let refusal = planned(&sample, &settings()).unwrap_err();
    assert_eq!(refusal.field, "payload");
}

#[test]
fn w23_service_variables_stay_out() {
    let plan = planned(&node(), &settings()).unwrap();
    assert_eq!(pod(&plan)["enableServiceLinks"], false);
}

#[test]
fn w24_what_kubernetes_would_refuse_is_refused_with_its_field() {
    type Spoil = fn(&mut RunSettings);
    let table: &[(&str, Spoil)] = &[
        ("workspace_identity_key", |s| {
            s.workspace_identity = "a".repeat(64);
        }),
        ("workspace_identity_key", |s| {
            s.workspace_identity = "main.".into();
        }),
        ("k8s_namespace", |s| {
            s.namespace = "Llmctl".into();
        }),
        ("k8s_service_account", |s| {
            s.service_account = Some("a_b".into());
        }),
        ("k8s_image_pull_secrets_json", |s| {
            s.image_pull_secrets = vec!["x y".into()];
        }),
    ];
    for (field, spoil) in table {
        let mut settings = settings();
        spoil(&mut settings);
        assert_eq!(planned(&node(), &settings).unwrap_err().field, *field);
    }
}

#[test]
fn w25_a_pod_holds_no_key_and_the_checkout_is_not_written() {
    let plan = planned(&node(), &settings()).unwrap();
    let pod = pod(&plan);
    assert_eq!(pod["automountServiceAccountToken"], false);
    let container = &pod["containers"][0];
    assert_eq!(
        container["securityContext"]["allowPrivilegeEscalation"],
        false
    );
    let mounts = container["volumeMounts"].as_array().unwrap();
    let code = mounts
        .iter()
        .find(|mount| mount["name"] == "project-code")
        .unwrap();
    assert_eq!(code["readOnly"], true);
}

#[test]
fn w26_argo_cd_is_named_only_where_there_is_one() {
    let without = planned(&node(), &settings()).unwrap();
    assert!(!without.job.to_string().contains("argocd.argoproj.io"));
    let with = RunSettings {
        argocd_app: Some("studio".into()),
        ..settings()
    };
    let with = planned(&node(), &with).unwrap();
    assert!(with.job.to_string().contains("studio:batch/Job:llmctl/"));
}

#[test]
fn w28_a_frontier_job_asks_for_no_gpu_and_a_vllm_job_does() {
    let limits = |class: ImageClass| {
        let options = RunOptions {
            class: Some(class),
            ..RunOptions::default()
        };
        let plan = plan_run(&node(), 7, &settings(), &options).unwrap();
        pod(&plan)["containers"][0]["resources"]["limits"]["nvidia.com/gpu"].clone()
    };
    assert_eq!(limits(ImageClass::Frontier), Value::Null);
    assert_eq!(limits(ImageClass::Vllm), "2");
}
