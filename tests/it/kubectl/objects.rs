//! Everything besides Jobs: discovery, making and changing objects, in whatever form kubectl sends them.

use super::{Served, head, rows};

#[test]
fn what_there_is() {
    let Some(sandbox) = Served::start() else {
        return;
    };
    let version = sandbox.ok("version");
    assert!(
        version.contains("Server Version: v1.34.4-sandbox"),
        "{version}"
    );
    assert!(sandbox.ok("cluster-info").contains("is running at"));
    let resources = sandbox.ok("api-resources");
    assert_eq!(
        head(&resources),
        ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    );
    for row in [
        ["jobs", "batch/v1", "true", "Job"].as_slice(),
        &["pods", "po", "v1", "true", "Pod"],
        &["namespaces", "ns", "v1", "false", "Namespace"],
        &["deployments", "deploy", "apps/v1", "true", "Deployment"],
        &[
            "ingresses",
            "ing",
            "networking.k8s.io/v1",
            "true",
            "Ingress",
        ],
    ] {
        assert!(
            rows(&resources).iter().any(|one| one == row),
            "{row:?}: {resources}"
        );
    }
    assert!(
        sandbox
            .ok("api-versions")
            .contains("rbac.authorization.k8s.io/v1")
    );
    assert!(
        sandbox
            .ok("explain job.spec.backoffLimit")
            .contains("FIELD: backoffLimit")
    );
    assert_eq!(sandbox.ok("get --raw /readyz"), "ok");
    let nodes = sandbox.ok("get nodes");
    assert_eq!(rows(&nodes).len(), 1, "{nodes}");
    assert_eq!(rows(&nodes)[0][1], "Ready", "{nodes}");
    assert!(sandbox.ok("describe node").contains("Allocatable:"));
    let widgets = sandbox.fails("get widgets");
    assert!(
        widgets.contains("the server doesn't have a resource type \"widgets\""),
        "{widgets}"
    );
    let missing = sandbox.fails("get --raw /apis/apps/v1/statefulsets");
    assert!(
        missing.contains("the sandbox does not imitate"),
        "{missing}"
    );
}

#[test]
fn what_kubectl_creates_and_changes() {
    let Some(sandbox) = Served::start() else {
        return;
    };
    assert_eq!(sandbox.ok("create ns demo"), "namespace/demo created\n");
    let taken = sandbox.fails("create ns demo");
    assert!(
        taken.contains(r#"Error from server (AlreadyExists): namespaces "demo" already exists"#),
        "{taken}"
    );
    let made = sandbox.ok("create configmap x -n demo --from-literal=a=b");
    assert_eq!(made, "configmap/x created\n");
    sandbox.ok("create secret generic s -n demo --from-literal=p=q");
    sandbox.ok("create serviceaccount robot -n demo");
    sandbox.ok("create role r -n demo --verb=get --resource=pods");
    sandbox.ok("create rolebinding rb -n demo --role=r --serviceaccount=demo:robot");
    sandbox.ok("create quota q -n demo --hard=pods=5");
    sandbox.ok("create deployment d -n demo --image=nowhere.invalid/x:1 --replicas=2");
    sandbox.ok("expose deployment d -n demo --port=80");
    sandbox.ok("create ingress i -n demo --rule=a.example/*=d:80");
    assert_eq!(
        sandbox.ok("get secret s -n demo -o jsonpath={.data.p}"),
        "cQ=="
    );
    let replicas = || sandbox.ok("get deployment d -n demo -o jsonpath={.spec.replicas}");
    assert_eq!(replicas(), "2");
    assert_eq!(
        sandbox.ok("scale deployment d -n demo --replicas=0"),
        "deployment.apps/d scaled\n"
    );
    assert_eq!(replicas(), "0");
    let all =
        sandbox.ok("get deploy,rs,svc,ing,cm,secret,sa,role,rolebinding,quota -n demo -o name");
    for name in [
        "deployment.apps/d",
        "service/d",
        "ingress.networking.k8s.io/i",
        "configmap/x",
        "secret/s",
        "serviceaccount/robot",
        "resourcequota/q",
    ] {
        assert!(all.lines().any(|line| line == name), "{name}: {all}");
    }

    assert_eq!(
        sandbox.ok("label cm x -n demo k=v"),
        "configmap/x labeled\n"
    );
    let labels = || sandbox.ok("get cm x -n demo -o jsonpath={.metadata.labels}");
    assert_eq!(labels(), r#"{"k":"v"}"#);
    let refused = sandbox.fails("label cm x -n demo k=w");
    assert!(
        refused.contains("already has a value (v), and --overwrite is false"),
        "{refused}"
    );
    assert_eq!(
        sandbox.ok("label cm x -n demo k-"),
        "configmap/x unlabeled\n"
    );
    assert_eq!(labels(), "");
    assert_eq!(
        sandbox.ok("annotate cm x -n demo note=1"),
        "configmap/x annotated\n"
    );
    assert_eq!(
        sandbox.ok("get cm x -n demo -o jsonpath={.metadata.annotations.note}"),
        "1"
    );
    for (kind, patch) in [
        ("strategic", r#"{"data":{"b":"1"}}"#),
        ("merge", r#"{"data":{"a":null}}"#),
        ("json", r#"[{"op":"add","path":"/data/c","value":"2"}]"#),
    ] {
        let said = sandbox.ok(&format!("patch cm x -n demo --type={kind} -p '{patch}'"));
        assert_eq!(said, "configmap/x patched\n");
    }
    assert_eq!(
        sandbox.ok("get cm x -n demo -o jsonpath={.data}"),
        r#"{"b":"1","c":"2"}"#
    );
    let same = sandbox.ok(r#"patch cm x -n demo -p '{"data":{"b":"1"}}'"#);
    assert_eq!(same, "configmap/x patched (no change)\n");
    let wrong = sandbox.fails(r#"patch deployment d -n demo -p '{"spec":{"replicas":"x"}}'"#);
    assert!(wrong.contains("patch: Invalid value"), "{wrong}");

    assert_eq!(
        sandbox
            .ok("delete cm,secret --all -n demo --timeout=90s")
            .lines()
            .count(),
        3
    );
    assert_eq!(
        sandbox.ok("delete ns demo --timeout=90s"),
        "namespace \"demo\" deleted\n"
    );
}
