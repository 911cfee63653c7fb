//! Overlays: rendered as kubectl renders them, compared with and applied to the sandbox and, where there is one, a real
//! cluster.

mod cli;

use llmctl_dev::domain::overlays::diff::diff;
use llmctl_dev::files::kustomize;
use llmctl_dev::files::overlays::Shelf;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn documents(yaml: &str) -> Vec<Value> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, strict_booleans: true };
    serde_saphyr::from_multiple_with_options(yaml, options).unwrap()
}

/// 1, 1.0 and 1e0 are one number.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(n) => match n.as_f64() {
            #[allow(
                clippy::float_cmp,
                clippy::cast_possible_truncation,
                reason = "whole numbers only"
            )]
            Some(f) if n.is_f64() && f == f.trunc() && f.abs() < 1e15 => Value::from(f as i64),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), normal(v))).collect(),
        other => other.clone(),
    }
}

fn render(dir: &Path) -> Vec<Value> {
    let rendering = kustomize::render(&dir.to_string_lossy(), &|path| std::fs::read(path));
    rendering
        .result
        .unwrap_or_else(|problem| panic!("{}: {problem}", dir.display()))
}

fn assert_same(what: &str, ours: &[Value], theirs: &[Value]) {
    let name = |v: &Value| format!("{}/{}", v["kind"], v["metadata"]["name"]).replace('"', "");
    let names = |all: &[Value]| all.iter().map(name).collect::<Vec<_>>();
    assert_eq!(names(ours), names(theirs), "{what}: names and order");
    for (a, b) in ours.iter().zip(theirs) {
        let found = diff(&normal(b), &normal(a));
        assert!(
            found.is_empty(),
            "{what}: {}: theirs and ours differ: {found:#?}",
            name(a)
        );
    }
}

/// `kubectl kustomize DIR`; absent, and said, where there is no kubectl.
fn kubectl_kustomize(dir: &Path) -> Option<Vec<Value>> {
    let Ok(out) = Command::new("kubectl").arg("kustomize").arg(dir).output() else {
        eprintln!("skipped: no kubectl to compare {} with", dir.display());
        return None;
    };
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    Some(documents(&String::from_utf8(out.stdout).unwrap()))
}

#[test]
fn renders_what_kubectl_recorded() {
    let fixtures = root().join("tests/it/fixtures/kustomize");
    let mut cases = 0;
    for entry in std::fs::read_dir(&fixtures).unwrap() {
        let dir = entry.unwrap().path();
        let Ok(golden) = std::fs::read_to_string(dir.join("golden.yaml")) else {
            continue;
        };
        cases += 1;
        assert_same(&dir.to_string_lossy(), &render(&dir), &documents(&golden));
    }
    assert_eq!(cases, 9);
}

#[test]
fn renders_what_this_machine_s_kubectl_says() {
    let fixtures = root().join("tests/it/fixtures/kustomize");
    let mut dirs: Vec<PathBuf> = std::fs::read_dir(&fixtures)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    dirs.extend(["executor", "minikube"].map(|name| root().join("overlays").join(name)));
    for dir in dirs {
        let Some(theirs) = kubectl_kustomize(&dir) else {
            return;
        };
        assert_same(&dir.to_string_lossy(), &render(&dir), &theirs);
    }
}

#[test]
fn the_shipped_overlays_need_no_directory() {
    let minikube = Shelf::default().render("minikube").objects.unwrap();
    assert_same(
        "minikube",
        minikube.all(),
        &render(&root().join("overlays/minikube")),
    );
}

mod sandboxed {
    use super::*;
    use llmctl_dev::cluster::Cluster;
    use llmctl_dev::cluster::apply::ApplyError;
    use llmctl_dev::domain::overlays::Standing;
    use llmctl_dev::domain::overlays::objects::Objects;
    use llmctl_dev::domain::overlays::plan::{ChangeKind, Plan, Refusal};
    use llmctl_dev::domain::overlays::progress::{ApplyOptions, Outcome, Report};
    use llmctl_dev::domain::target::Target;
    use llmctl_dev::sandbox::faults::Faults;
    use llmctl_dev::sandbox::{Config, Sandbox};
    use serde_json::json;
    use std::sync::Mutex;

    pub(super) const PLAIN: ApplyOptions = ApplyOptions {
        force: false,
        prune: false,
    };

    fn cluster() -> (Sandbox, Cluster) {
        let sandbox = Sandbox::start(Config {
            executor: vec!["/bin/false".into()],
            base: "2026-11-24T08:00:00Z".parse().unwrap(),
            faults: Faults::default(),
        })
        .unwrap();
        let cluster = Cluster::from_service(sandbox.service(), &Target::sandbox());
        (sandbox, cluster)
    }

    pub(super) fn line(plan: &Plan, name: &str) -> String {
        let change = plan.changes.iter().find(|c| c.object.name == name).unwrap();
        let fields: Vec<&str> = change.fields.iter().map(|f| f.path.as_str()).collect();
        format!("{:?} {}", change.kind, fields.join(" "))
    }

    /// The whole life of an overlay: never, created, in sync, changed, in conflict, taken, pruned.
    pub(super) async fn life(cluster: &Cluster, client: &kube::Client, namespace: &str) {
        let map = |name: &str, data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data});
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runner"}});
        let space =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"token": "hunter2"}});
        let first = Objects::new(vec![
            space.clone(),
            account.clone(),
            map("one", json!({"a": "1"})),
            map("two", json!({})),
            secret.clone(),
        ]);

        let plan = cluster.plan("life", &first, namespace).await.unwrap();
        assert_eq!(Standing::of(&plan), Standing::Never, "{plan:#?}");
        assert_eq!(plan.summary(), "5 create");
        assert_eq!(plan.namespaces, [namespace]);
        assert!(!plan.applied);

        let told = Mutex::new(Vec::new());
        let report = cluster
            .apply(&plan, PLAIN, |progress| told.lock().unwrap().push(progress))
            .await
            .unwrap();
        assert_eq!(report.summary(), "5 created", "{report:#?}");
        let told = told.into_inner().unwrap();
        assert_eq!(told.len(), 5);
        assert_eq!(
            (
                told[0].applied.object.kind.as_str(),
                told[4].done,
                told[4].total
            ),
            ("Namespace", 5, 5)
        );

        let plan = cluster.plan("life", &first, namespace).await.unwrap();
        assert_eq!(plan.summary(), "5 same", "{plan:#?}");
        assert!(plan.applied);
        let report = cluster.apply(&plan, PLAIN, |_| {}).await.unwrap();
        assert_eq!(report.summary(), "5 unchanged");

        // Another name of the same objects is in sync too, and not the one that was applied.
        let other = cluster.plan("other", &first, namespace).await.unwrap();
        assert_eq!(
            (Standing::of(&other), other.applied),
            (Standing::InSync, false)
        );

        let new_secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"token": "hunter3"}});
        let second = Objects::new(vec![
            space.clone(),
            account.clone(),
            map("one", json!({"a": "2", "b": "x"})),
            new_secret,
        ]);
        let plan = cluster.plan("life", &second, namespace).await.unwrap();
        assert_eq!(
            plan.summary(),
            "2 change · 2 same · 1 would be pruned",
            "{plan:#?}"
        );
        assert_eq!(line(&plan, "one"), "Update data.a data.b");
        assert!(
            line(&plan, "keys").starts_with("Update data.token"),
            "{}",
            line(&plan, "keys")
        );
        assert!(line(&plan, "two").starts_with("Prunable"));
        let shown = format!("{plan:?}{}", serde_json::to_string(&plan).unwrap());
        assert!(
            !shown.contains("hunter") && !shown.contains("aHVudGVy"),
            "{shown}"
        );
        let report = cluster.apply(&plan, PLAIN, |_| {}).await.unwrap();
        assert_eq!(report.summary(), "2 updated · 2 unchanged");

        // Somebody else takes a field.
        let theirs = Objects::new(vec![map("one", json!({"a": "theirs"}))]);
        take_as(client, "kubectl-edit", namespace, &theirs.all()[0]).await;
        let plan = cluster.plan("life", &second, namespace).await.unwrap();
        assert_eq!(Standing::of(&plan), Standing::Conflict(1), "{plan:#?}");
        let (object, owners) = plan.conflicts().next().unwrap();
        assert_eq!(
            (object.name.as_str(), owners[0].owner.as_str()),
            ("one", "kubectl-edit")
        );
        assert_eq!(owners[0].fields, [".data.a"]);
        assert!(
            line(&plan, "one").ends_with(" data.a"),
            "{}",
            line(&plan, "one")
        );
        match cluster.apply(&plan, PLAIN, |_| {}).await {
            Err(ApplyError::Refused {
                refusal: Refusal::Conflict(what),
                ..
            }) => {
                assert_eq!(what, ".data.a of ConfigMap/one is owned by kubectl-edit");
            }
            other => panic!("{other:?}"),
        }

        let options = ApplyOptions {
            force: true,
            prune: true,
        };
        let report = cluster.apply(&plan, options, |_| {}).await.unwrap();
        assert_eq!(
            report.summary(),
            "1 updated · 3 unchanged · 1 pruned",
            "{report:#?}"
        );
        let plan = cluster.plan("life", &second, namespace).await.unwrap();
        assert_eq!(plan.summary(), "4 same", "{plan:#?}");
    }

    /// A server-side apply by another manager, with force.
    async fn take_as(client: &kube::Client, manager: &str, namespace: &str, object: &Value) {
        let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> =
            kube::Api::namespaced(client.clone(), namespace);
        let params = kube::api::PatchParams::apply(manager).force();
        let name = object["metadata"]["name"].as_str().unwrap();
        maps.patch(name, &params, &kube::api::Patch::Apply(object))
            .await
            .unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_overlay_lives_on_the_sandbox() {
        let (sandbox, cluster) = cluster();
        let client = kube::Client::new(sandbox.service(), "default");
        life(&cluster, &client, "team").await;
        sandbox.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_shipped_overlays_apply_to_a_new_cluster() {
        let (sandbox, cluster) = cluster();
        for name in ["minikube", "executor"] {
            let objects = Shelf::default().render(name).objects.unwrap();
            let plan = cluster.plan(name, &objects, "default").await.unwrap();
            let report = cluster.apply(&plan, PLAIN, |_| {}).await.unwrap();
            assert!(report.is_whole(), "{report:#?}");
            let plan = cluster.plan(name, &objects, "default").await.unwrap();
            assert!(plan.is_in_sync() && plan.applied, "{plan:#?}");
            assert_eq!(plan.summary(), "6 same");
        }
        sandbox.stop().await;
    }

    /// What a plan says of objects that cannot be applied; `strict` are those that only validation finds.
    pub(super) async fn refusals(cluster: &Cluster, strict: Vec<Value>) {
        let mut all = vec![
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "good"}, "data": {}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "lost", "namespace": "nowhere"}}),
            json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}),
        ];
        all.extend(strict.clone());
        let plan = cluster
            .plan("bad", &Objects::new(all), "default")
            .await
            .unwrap();
        assert_eq!(plan.counts().failed, 2 + strict.len(), "{plan:#?}");
        assert_eq!(line(&plan, "good"), "Create ");
        assert!(line(&plan, "lost").contains("namespace nowhere does not exist"));
        assert!(line(&plan, "w").contains("no kind Widget in example.com/v1"));
        let refused = cluster.apply(&plan, PLAIN, |_| {}).await;
        assert!(
            matches!(
                refused,
                Err(ApplyError::Refused {
                    refusal: Refusal::Failed(_),
                    ..
                })
            ),
            "{refused:?}"
        );
        let only_good = Objects::new(plan.objects.all()[..1].to_vec());
        let plan = cluster.plan("bad", &only_good, "default").await.unwrap();
        assert_eq!(plan.summary(), "1 create");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_cluster_refuses_is_said_before_anything_is_written() {
        let (sandbox, cluster) = cluster();
        refusals(&cluster, Vec::new()).await;
        sandbox.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_cluster_lost_on_the_way_leaves_a_report_of_what_was_done() {
        let (sandbox, cluster) = cluster();
        let objects = Shelf::default().render("executor").objects.unwrap();
        let plan = cluster.plan("executor", &objects, "default").await.unwrap();
        let faults = sandbox.faults().clone();
        let report: Report = cluster
            .apply(&plan, PLAIN, |progress| {
                if progress.applied.object.kind == "Namespace" {
                    faults.api_down(std::time::Duration::from_mins(10));
                }
            })
            .await
            .unwrap();
        assert_eq!(report.applied.len(), plan.changes.len());
        assert_eq!(report.applied[0].outcome, Outcome::Created, "{report:#?}");
        assert!(!report.is_whole());
        assert_eq!(
            report.failures().count(),
            plan.changes.len() - 1,
            "{report:#?}"
        );
        let again = cluster.plan("executor", &objects, "default").await;
        assert!(again.is_err());
        sandbox.stop().await;
    }

    #[test]
    fn kinds_of_change_are_told_apart_in_documents() {
        let change = serde_json::to_value(ChangeKind::Prunable { uid: "u".into() }).unwrap();
        assert_eq!(
            change,
            json!({"change": "prunable", "detail": {"uid": "u"}})
        );
    }
}

/// The same on a real cluster: the context `LLMCTL_DEV_TEST_CONTEXT` of `LLMCTL_DEV_TEST_KUBECONFIG`.
mod real {
    use super::sandboxed::{PLAIN, life, refusals};
    use super::*;
    use k8s_openapi::api::core::v1::Namespace;
    use kube::api::DeleteParams;
    use llmctl_dev::cluster::Cluster;
    use llmctl_dev::cluster::connect::Connect;
    use llmctl_dev::domain::guard::Wanted;
    use llmctl_dev::domain::overlays::Standing;

    struct Real {
        cluster: Cluster,
        client: kube::Client,
    }

    async fn real() -> Option<Real> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let (Some(kubeconfig), Some(context)) = (
            variable("LLMCTL_DEV_TEST_KUBECONFIG"),
            variable("LLMCTL_DEV_TEST_CONTEXT"),
        ) else {
            eprintln!(
                "skipped: LLMCTL_DEV_TEST_KUBECONFIG and LLMCTL_DEV_TEST_CONTEXT name no cluster"
            );
            return None;
        };
        let connect = Connect {
            kubeconfig: Some(kubeconfig.clone().into()),
            wanted: Wanted::Context(context.clone()),
            allowed: Vec::new(),
        };
        let (cluster, _) = Cluster::connect(&connect).await.unwrap();
        let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
        let options = kube::config::KubeConfigOptions {
            context: Some(context),
            ..Default::default()
        };
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .unwrap();
        config.proxy_url = None;
        let client = kube::Client::try_from(config).unwrap();
        Some(Real { cluster, client })
    }

    /// A namespace name of this process, and its removal whatever happens.
    async fn in_namespace<F: Future<Output = ()> + Send + 'static>(
        client: &kube::Client,
        word: &str,
        test: impl FnOnce(String) -> F,
    ) {
        let name = format!("llmctl-dev-it-{word}-{}", std::process::id());
        let outcome = tokio::spawn(test(name.clone())).await;
        let namespaces: kube::Api<Namespace> = kube::Api::all(client.clone());
        let _ = namespaces.delete(&name, &DeleteParams::background()).await;
        outcome.unwrap();
    }

    #[tokio::test]
    async fn an_overlay_lives_on_a_real_cluster() {
        let Some(Real { cluster, client }) = real().await else {
            return;
        };
        let inner = client.clone();
        in_namespace(&client, "overlay-life", |name| async move {
            life(&cluster, &inner, &name).await;
        })
        .await;
    }

    #[tokio::test]
    async fn a_real_cluster_refuses_before_anything_is_written() {
        let Some(Real { cluster, .. }) = real().await else {
            return;
        };
        let odd = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd"}, "dta": {"a": "1"}});
        let name = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "Bad Name"}});
        refusals(&cluster, vec![odd, name]).await;
    }

    #[tokio::test]
    async fn the_minikube_overlay_applies_and_kubectl_agrees() {
        let Some(Real { cluster, client }) = real().await else {
            return;
        };
        in_namespace(&client, "overlay-ship", |namespace| async move {
            let dir = tempfile::tempdir().unwrap();
            let shipped = root().join("overlays");
            std::fs::write(
                dir.path().join("kustomization.yaml"),
                format!(
                    "namespace: {namespace}\nresources:\n  - {}/minikube\n",
                    shipped.display()
                ),
            )
            .unwrap();
            let shelf = Shelf::new(vec![dir.path().to_owned()]);
            let name = shelf.list().remove(0).name;
            let objects = shelf.render(&name).objects.unwrap();
            let plan = cluster.plan(&name, &objects, "default").await.unwrap();
            assert_eq!(Standing::of(&plan), Standing::Never, "{plan:#?}");
            let report = cluster.apply(&plan, PLAIN, |_| {}).await.unwrap();
            assert!(report.is_whole(), "{report:#?}");
            let started = std::time::Instant::now();
            let plan = cluster.plan(&name, &objects, "default").await.unwrap();
            eprintln!(
                "planned {} objects in {:?}",
                plan.changes.len(),
                started.elapsed()
            );
            assert_eq!(Standing::of(&plan), Standing::InSync, "{plan:#?}");
            // What kubectl would apply is what is there.
            let kubeconfig = std::env::var("LLMCTL_DEV_TEST_KUBECONFIG").unwrap();
            let context = std::env::var("LLMCTL_DEV_TEST_CONTEXT").unwrap();
            let out = Command::new("kubectl")
                .args(["--kubeconfig", &kubeconfig, "--context", &context])
                .args([
                    "diff",
                    "--server-side",
                    "--field-manager",
                    "llmctl-dev",
                    "-k",
                ])
                .arg(relative(dir.path(), &shipped, &namespace))
                .output();
            match out {
                Ok(out) => {
                    let text = String::from_utf8_lossy(&out.stdout).into_owned();
                    let changed = text.lines().filter(|l| {
                        (l.starts_with("+ ") || l.starts_with("- "))
                            && !l.contains("llmctl.dev/overlay")
                            && !l.trim_end().ends_with("labels:")
                            && !l.contains("generation")
                            && !l.contains("resourceVersion")
                    });
                    assert_eq!(
                        changed.count(),
                        0,
                        "{text}{}",
                        String::from_utf8_lossy(&out.stderr)
                    );
                }
                Err(_) => eprintln!("skipped: no kubectl to compare with"),
            }
        })
        .await;
    }

    /// kubectl wants relative paths to directories.
    fn relative(dir: &Path, shipped: &Path, namespace: &str) -> PathBuf {
        let up = "../".repeat(dir.components().count());
        let path = format!("{up}{}", shipped.strip_prefix("/").unwrap().display());
        std::fs::write(
            dir.join("kustomization.yaml"),
            format!("namespace: {namespace}\nresources:\n  - {path}/minikube\n"),
        )
        .unwrap();
        dir.to_owned()
    }
}
