//! Rows by what was seen.

use super::*;
use crate::domain::manifest::{RunOptions, RunSettings, plan_run};
use crate::domain::samples::Sample;

fn settings() -> RunSettings {
    RunSettings {
        namespace: "llmctl".into(),
        workspace_identity: "default".into(),
        frontier_image: "llmctl-executor-frontier:0.1.0".into(),
        vllm_image: "llmctl-executor-vllm:0.1.0".into(),
        service_account: Some("llmctl-executor".into()),
        image_pull_secrets: Vec::new(),
        gpu_limit: 0,
        ttl_seconds: 1800,
        dispatch_timeout_seconds: 300,
        execution_timeout_seconds: 1800,
        cancel_grace_seconds: 15,
        agent_runtime_cutover: false,
        argocd_app: None,
        live_code_path: None,
    }
}

fn needs(sample: &str, settings: &RunSettings, options: &RunOptions) -> Needs {
    let sample: Sample = serde_json::from_str(sample).unwrap();
    Needs::of(&plan_run(&sample, 1, settings, options).unwrap())
}

const COMMAND: &str = r#"{"name": "x", "summary": "s", "command": ["true"]}"#;
const NODE: &str = r#"{"name": "x", "summary": "s", "node": {"type": "start"}}"#;
const DIGEST: &str = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn good() -> Facts {
    Facts {
        namespace: Ok(Presence::There),
        account: Ok(true),
        nodes: Ok(vec![NodeFacts {
            name: "llmctl".into(),
            ready: true,
            schedulable: true,
            images: vec![vec![
                format!("docker.io/library/llmctl-executor-frontier@{DIGEST}"),
                "docker.io/library/llmctl-executor-frontier:0.1.0".into(),
            ]],
            gpus: 0,
        }]),
        quotas: Ok(Vec::new()),
        skew: Some(SignedDuration::from_millis(-700)),
        live_code: None,
    }
}

fn minikube() -> Target {
    Target {
        kind: TargetKind::Minikube,
        name: "llmctl".into(),
        server: "https://192.168.49.2:8443".into(),
    }
}

fn row(needs: &Needs, facts: &Facts, name: &str) -> Row {
    let all = Preflight::of(needs, facts, &minikube());
    let found = all.rows.iter().find(|row| row.name == name);
    found.unwrap().clone()
}

#[test]
fn a_cluster_with_everything_passes_every_row() {
    let needs = needs(COMMAND, &settings(), &RunOptions::default());
    let all = Preflight::of(&needs, &good(), &minikube());
    assert!(
        all.rows.iter().all(|row| row.mark == Mark::Ok),
        "{:#?}",
        all.rows
    );
    assert_eq!(all.refusal(), None);
    let says: Vec<&str> = all.rows.iter().map(|row| row.says.as_str()).collect();
    assert_eq!(
        says[3],
        "llmctl-executor-frontier:0.1.0 is on llmctl as sha256:001122334455"
    );
    assert_eq!(says[5], "0 of 0");
}

#[test]
fn what_is_missing_refuses_or_warns_and_names_its_fix() {
    type Spoil = fn(&mut Facts);
    let table: &[(&str, Mark, &str, &str, Spoil)] = &[
        (
            "namespace",
            Mark::Refuses,
            "is not there",
            "llmctl-dev overlays apply executor",
            |f| {
                f.namespace = Ok(Presence::Missing);
            },
        ),
        ("namespace", Mark::Refuses, "being removed", "wait", |f| {
            f.namespace = Ok(Presence::Going);
        }),
        (
            "service account",
            Mark::Refuses,
            "llmctl-executor is not there",
            "k8s_service_account",
            |f| {
                f.account = Ok(false);
            },
        ),
        (
            "node",
            Mark::Warns,
            "llmctl is cordoned",
            "kubectl uncordon llmctl",
            |f| {
                f.nodes.as_mut().unwrap()[0].schedulable = false;
            },
        ),
        (
            "node",
            Mark::Warns,
            "llmctl is not ready",
            "describe node",
            |f| {
                f.nodes.as_mut().unwrap()[0].ready = false;
            },
        ),
        (
            "image",
            Mark::Warns,
            "will be pulled",
            "minikube -p llmctl image load llmctl-executor-frontier:0.1.0",
            |f| {
                f.nodes.as_mut().unwrap()[0].images.clear();
            },
        ),
        (
            "quota",
            Mark::Refuses,
            "small leaves no room: pods 3 of 3 used",
            "edit quota small",
            |f| {
                f.quotas = Ok(vec![quota("pods", "3", "3")]);
            },
        ),
        (
            "quota",
            Mark::Refuses,
            "limits.memory 1536Mi of 2Gi used",
            "raise it",
            |f| {
                f.quotas = Ok(vec![quota("limits.memory", "1536Mi", "2Gi")]);
            },
        ),
        ("clock", Mark::Warns, "95 s behind", "timedatectl", |f| {
            f.skew = Some(SignedDuration::from_secs(-95));
        }),
        ("clock", Mark::Warns, "7 s ahead of", "timedatectl", |f| {
            f.skew = Some(SignedDuration::from_secs(7));
        }),
    ];
    let needs = needs(COMMAND, &settings(), &RunOptions::default());
    for (name, mark, says, fix, spoil) in table {
        let mut facts = good();
        spoil(&mut facts);
        let row = row(&needs, &facts, name);
        assert_eq!(row.mark, *mark, "{row:?}");
        assert!(row.says.contains(says), "{row:?}");
        assert!(
            row.fix.as_ref().is_some_and(|text| text.contains(fix)),
            "{row:?}"
        );
        let all = Preflight::of(&needs, &facts, &minikube());
        assert_eq!(all.refusal().is_some(), *mark == Mark::Refuses);
        assert_eq!(all.remarks().next(), Some(&row));
    }
}

fn quota(resource: &str, used: &str, hard: &str) -> QuotaFacts {
    let map = |text: &str| BTreeMap::from([(resource.to_owned(), text.to_owned())]);
    QuotaFacts {
        name: "small".into(),
        hard: map(hard),
        used: map(used),
    }
}

#[test]
fn a_quota_with_room_and_one_for_other_things_pass() {
    let needs = needs(COMMAND, &settings(), &RunOptions::default());
    let mut facts = good();
    facts.quotas = Ok(vec![
        quota("limits.memory", "1Gi", "2Gi"),
        quota("services", "9", "9"),
        quota("requests.nvidia.com/gpu", "1", "1"),
    ]);
    assert_eq!(row(&needs, &facts, "quota").mark, Mark::Ok);
}

#[test]
fn what_cannot_be_looked_at_is_said_and_refuses_nothing() {
    let needs = needs(COMMAND, &settings(), &RunOptions::default());
    let denied = || "not allowed".to_owned();
    let facts = Facts {
        namespace: Err(denied()),
        account: Err(denied()),
        nodes: Err(denied()),
        quotas: Err(denied()),
        skew: None,
        live_code: None,
    };
    let all = Preflight::of(&needs, &facts, &minikube());
    assert_eq!(all.refusal(), None);
    let unknown = all.rows.iter().filter(|row| row.mark == Mark::Unknown);
    assert_eq!(unknown.count(), 6);
}

#[test]
fn w27_a_pinned_image_is_looked_for_by_its_digest() {
    let pinned = |digest: &str| {
        let image = format!("llmctl-executor-frontier:0.1.0@{digest}");
        let settings = RunSettings {
            frontier_image: image,
            ..settings()
        };
        needs(COMMAND, &settings, &RunOptions::default())
    };
    assert_eq!(row(&pinned(DIGEST), &good(), "image").mark, Mark::Ok);
    let other = DIGEST.replace("0011", "ffee");
    let differs = row(&pinned(&other), &good(), "image");
    assert_eq!(differs.mark, Mark::Warns);
    assert!(
        differs
            .says
            .contains("pin sha256:ffee22334455, a node has sha256:001122334455"),
        "{differs:?}"
    );
}

#[test]
fn a_node_that_tells_of_fifty_images_may_have_more() {
    let needs = needs(COMMAND, &settings(), &RunOptions::default());
    let mut facts = good();
    facts.nodes.as_mut().unwrap()[0].images = vec![vec!["busybox:local".into()]; 50];
    assert_eq!(row(&needs, &facts, "image").mark, Mark::Unknown);
}

#[test]
fn w28_only_a_run_that_asks_for_a_gpu_waits_for_one() {
    let with_limit = RunSettings {
        gpu_limit: 1,
        ..settings()
    };
    let frontier = needs(COMMAND, &with_limit, &RunOptions::default());
    assert_eq!(row(&frontier, &good(), "GPU").mark, Mark::Ok);
    let options = RunOptions {
        gpu: Some(2),
        ..RunOptions::default()
    };
    let asking = needs(COMMAND, &with_limit, &options);
    let refused = row(&asking, &good(), "GPU");
    assert_eq!(refused.mark, Mark::Warns);
    assert!(refused.says.starts_with("2 of 0"), "{refused:?}");
    let mut facts = good();
    facts.nodes.as_mut().unwrap()[0].gpus = 2;
    assert_eq!(row(&asking, &facts, "GPU").mark, Mark::Ok);
}

#[test]
fn w36_a_node_payload_says_that_it_needs_the_backends_code() {
    let off = needs(NODE, &settings(), &RunOptions::default());
    let warned = row(&off, &good(), "live code");
    assert_eq!(warned.mark, Mark::Warns);
    assert!(warned.sentence().contains("k8s_live_code_enabled=true"));

    let mounted = RunSettings {
        live_code_path: Some("/src".into()),
        ..settings()
    };
    let on = needs(NODE, &mounted, &RunOptions::default());
    for (found, mark) in [
        (None, Mark::Unknown),
        (Some(true), Mark::Ok),
        (Some(false), Mark::Refuses),
    ] {
        let facts = Facts {
            live_code: found,
            ..good()
        };
        assert_eq!(row(&on, &facts, "live code").mark, mark);
    }
    // A command needs none of it.
    let command = needs(COMMAND, &mounted, &RunOptions::default());
    let all = Preflight::of(&command, &good(), &minikube());
    assert!(all.rows.iter().all(|row| row.name != "live code"));
}
