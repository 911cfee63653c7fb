//! Applying from either side, our overlays, and what differs.

use super::Served;

#[test]
fn what_kubectl_applies_from_its_side() {
    let Some(sandbox) = Served::start() else {
        return;
    };
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: '1', b: '2'}\n";
    let changed = map.replace("b: '2'", "c: '3'");
    let apply = |input: &str| sandbox.ok_given("apply -f -", input);
    assert_eq!(apply(map), "configmap/x created\n");
    assert_eq!(apply(map), "configmap/x unchanged\n");
    let difference = sandbox.given("diff -f -", &changed);
    assert_eq!(difference.code, 1, "{difference:?}");
    assert!(
        difference.out.contains("-  b: \"2\"\n+  c: \"3\""),
        "{difference:?}"
    );
    assert_eq!(sandbox.given("diff -f -", map).code, 0);
    let dry = sandbox.ok_given("apply -f - --dry-run=server", &changed);
    assert_eq!(dry, "configmap/x configured (server dry run)\n");
    assert_eq!(apply(&changed), "configmap/x configured\n");
    assert_eq!(
        sandbox.ok("get cm x -o jsonpath={.data}"),
        r#"{"a":"1","c":"3"}"#
    );
    // Moving to server-side apply takes the fields over from client-side apply.
    let server_side =
        |more: &str, input: &str| sandbox.given(&format!("apply --server-side -f - {more}"), input);
    assert_eq!(
        server_side("", &changed).out,
        "configmap/x serverside-applied\n"
    );
    let refused = server_side("--field-manager=other", &changed.replace("'3'", "'4'"));
    assert_eq!(refused.code, 1);
    assert!(
        refused
            .err
            .contains("Apply failed with 1 conflict: conflict with \"kubectl\": .data.c"),
        "{refused:?}"
    );
    let forced = server_side(
        "--field-manager=other --force-conflicts",
        &changed.replace("'3'", "'4'"),
    );
    assert_eq!(forced.code, 0, "{forced:?}");
    let unknown = sandbox.given("apply -f -", &map.replace("\ndata:", "\ndate:"));
    assert!(
        unknown.err.contains("unknown field \"date\""),
        "{unknown:?}"
    );
}

#[test]
fn our_overlays() {
    let Some(sandbox) = Served::start() else {
        return;
    };
    for overlay in ["executor", "minikube"] {
        let path = format!("{}/overlays/{overlay}", env!("CARGO_MANIFEST_DIR"));
        // The namespace is part of the overlay, so a diff before it is there has to fail as it does on a real cluster.
        let said = sandbox.ok(&format!("apply --server-side -k {path}"));
        for object in [
            "namespace/llmctl",
            "serviceaccount/llmctl-executor",
            "serviceaccount/llmctl-studio-backend",
            "role.rbac.authorization.k8s.io/llmctl-studio-backend-executor-jobs",
            "rolebinding.rbac.authorization.k8s.io/llmctl-studio-backend-executor-jobs",
            "configmap/llmctl-executor-settings",
        ] {
            let line = format!("{object} serverside-applied");
            assert!(said.lines().any(|one| one == line), "{line}: {said}");
        }
        let same = sandbox.run(&format!("diff --server-side -k {path}"));
        assert_eq!(same.code, 0, "{same:?}");
    }
    let role = sandbox.ok("describe role -n llmctl llmctl-studio-backend-executor-jobs");
    assert!(role.contains("pods/log"), "{role}");
    assert_eq!(
        sandbox.ok("delete ns llmctl --timeout=90s"),
        "namespace \"llmctl\" deleted\n"
    );
    assert!(sandbox.fails("get ns llmctl").contains("NotFound"));
}
