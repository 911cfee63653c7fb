//! What goes with what: propagation, garbage, grace, namespaces.

use serde_json::{Value, json};

use super::place::{PATIENCE, Place};
use super::scene::{Scene, send};

pub(super) async fn propagation(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    let policies = ["Background", "Foreground", "Orphan"];
    for policy in policies {
        scene.job(&policy.to_lowercase(), "sleep 600", |_| ()).await;
    }
    scene.job("unsaid", "sleep 600", |_| ()).await;
    for name in ["background", "foreground", "orphan", "unsaid"] {
        scene.until_running(name).await;
    }
    for policy in policies {
        let path = format!("jobs/{}?propagationPolicy={policy}", policy.to_lowercase());
        scene.done("DELETE", &path, Value::Null).await;
    }
    scene.done("DELETE", "jobs/unsaid", Value::Null).await;
    for name in ["background", "foreground", "orphan", "unsaid"] {
        scene.until_gone("Job", name).await;
    }
    for name in ["background", "foreground"] {
        scene.until_gone("Pod", name).await;
    }
    scene.settle().await;
    let mut lines = Vec::new();
    for name in ["background", "foreground", "orphan", "unsaid"] {
        lines.push(format!("--- {name}"));
        let mut states = scene.states("Job", name, |job| {
            let meta = &job["metadata"];
            format!(
                "job deleted {} finalizers {}",
                meta["deletionTimestamp"].is_string(),
                meta["finalizers"]
            )
        });
        states.retain(|line| line != "job deleted false finalizers null");
        lines.extend(states);
        let order: Vec<&str> = scene
            .gone()
            .into_iter()
            .filter(|seen| {
                let found = seen.object["metadata"]["name"].as_str().unwrap();
                seen.kind != "Event" && found.starts_with(name)
            })
            .map(|seen| seen.kind)
            .collect();
        lines.push(format!("gone in this order: {order:?}"));
        let pods = scene
            .done(
                "GET",
                &format!("pods?labelSelector=job-name={name}"),
                Value::Null,
            )
            .await;
        for pod in pods["items"].as_array().unwrap() {
            lines.push(format!(
                "pod stays: phase {} owners {} finalizers {}",
                pod["status"]["phase"],
                pod["metadata"]["ownerReferences"],
                pod["metadata"]["finalizers"]
            ));
        }
    }
    lines
}

pub(super) async fn garbage(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    let owned = |name: &str, owner: &str, uid: &str, blocks: bool| {
        json!({"metadata": {"name": name, "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uid, "blockOwnerDeletion": blocks}]}})
    };
    let make = async |scene: &Scene<'_>, body: Value| {
        let made = scene.done("POST", "configmaps", body).await;
        made["metadata"]["uid"].as_str().unwrap().to_owned()
    };
    let root = make(&scene, json!({"metadata": {"name": "root"}})).await;
    let child = make(&scene, owned("child", "root", &root, false)).await;
    make(&scene, owned("grandchild", "child", &child, false)).await;
    let other = make(&scene, json!({"metadata": {"name": "other"}})).await;
    make(&scene, owned("blocks", "other", &other, true)).await;
    let third = make(&scene, json!({"metadata": {"name": "third"}})).await;
    make(&scene, owned("left", "third", &third, true)).await;
    let mut two = owned("two-owners", "other", &other, false);
    two["metadata"]["ownerReferences"]
        .as_array_mut()
        .unwrap()
        .push(json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "stays", "uid": make(&scene, json!({"metadata": {"name": "stays"}})).await}));
    make(&scene, two).await;
    let gone = "00000000-0000-4000-8000-000000000000";
    make(&scene, owned("stray", "nobody", gone, false)).await;
    scene.until_gone("ConfigMap", "stray").await;
    scene.done("DELETE", "configmaps/root", Value::Null).await;
    scene.until_gone("ConfigMap", "grandchild").await;
    scene
        .done(
            "DELETE",
            "configmaps/other?propagationPolicy=Foreground",
            Value::Null,
        )
        .await;
    scene.until_gone("ConfigMap", "other").await;
    scene
        .done(
            "DELETE",
            "configmaps/third?propagationPolicy=Orphan",
            Value::Null,
        )
        .await;
    scene.until_gone("ConfigMap", "third").await;
    scene.settle().await;
    let order: Vec<&str> = scene
        .gone()
        .into_iter()
        .filter(|seen| seen.kind == "ConfigMap")
        .filter_map(|seen| seen.object["metadata"]["name"].as_str())
        .collect();
    let mut lines = vec![format!("gone in this order: {order:?}")];
    let rest = scene.done("GET", "configmaps", Value::Null).await;
    for map in rest["items"].as_array().unwrap() {
        let owners: Vec<&str> = map["metadata"]["ownerReferences"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|owner| owner["name"].as_str())
            .collect();
        lines.push(format!(
            "left {} owners {owners:?}",
            map["metadata"]["name"]
        ));
    }
    lines
}

pub(super) async fn grace(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    let polite = "trap 'echo asked; exit 7' TERM; echo up; while true; do sleep 0.1; done";
    let deaf = "trap '' TERM; echo up; while true; do sleep 0.1; done";
    scene
        .pod("polite", polite, |spec| {
            spec["terminationGracePeriodSeconds"] = 20.into();
        })
        .await;
    scene
        .pod("deaf", deaf, |spec| {
            spec["terminationGracePeriodSeconds"] = 2.into();
        })
        .await;
    scene
        .pod("forced", deaf, |spec| {
            spec["terminationGracePeriodSeconds"] = 20.into();
        })
        .await;
    scene
        .pod("shorter", deaf, |spec| {
            spec["terminationGracePeriodSeconds"] = 60.into();
        })
        .await;
    let mut lines = Vec::new();
    let refused = scene
        .ask(
            "DELETE",
            "pods/polite",
            json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "other"}}),
        )
        .await;
    lines.push(format!(
        "another uid: {} {}",
        refused.0,
        scene.plain(refused.1["message"].clone())
    ));
    for pod in ["polite", "deaf", "forced", "shorter"] {
        scene.until_running(pod).await;
        // Its trap is set once it has written.
        let log = format!("pods/{pod}/log");
        while scene.done("GET", &log, Value::Null).await != "up\n" {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    let forced = scene
        .done("DELETE", "pods/forced?gracePeriodSeconds=0", Value::Null)
        .await;
    lines.push(format!(
        "forced answer: {} grace {}",
        forced["kind"], forced["metadata"]["deletionGracePeriodSeconds"]
    ));
    let gone = scene.ask("GET", "pods/forced", Value::Null).await;
    lines.push(format!("forced is gone at once: {}", gone.0));
    let answer = scene.done("DELETE", "pods/polite", Value::Null).await;
    lines.push(format!(
        "answer: {} {} grace {}",
        answer["kind"],
        answer["metadata"]["deletionTimestamp"].is_string(),
        answer["metadata"]["deletionGracePeriodSeconds"]
    ));
    scene.done("DELETE", "pods/deaf", Value::Null).await;
    scene.done("DELETE", "pods/shorter", Value::Null).await;
    scene
        .done("DELETE", "pods/shorter?gracePeriodSeconds=2", Value::Null)
        .await;
    for pod in ["polite", "deaf", "shorter"] {
        scene.until_gone("Pod", pod).await;
    }
    scene.settle().await;
    for pod in ["polite", "deaf", "shorter"] {
        lines.push(format!("--- {pod}"));
        lines.extend(
            scene
                .events(pod)
                .into_iter()
                .filter(|line| line.contains("Killing")),
        );
        let last = scene
            .seen
            .iter()
            .rev()
            .find(|seen| seen.kind == "Pod" && seen.object["metadata"]["name"] == pod)
            .unwrap();
        let ended = &last.object["status"]["containerStatuses"][0]["state"]["terminated"];
        lines.push(format!(
            "ended {} {} phase {}",
            ended["exitCode"], ended["reason"], last.object["status"]["phase"]
        ));
    }
    lines
}

/// Process 1 of a container hears no SIGTERM that it does not handle.
pub(super) async fn deaf_processes(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    let grace = |spec: &mut Value| spec["terminationGracePeriodSeconds"] = 2.into();
    scene.pod("shell", "sleep 600; echo on", grace).await;
    scene.pod("replaced", "exec sleep 600", grace).await;
    scene
        .pod("plain", "", |spec| {
            grace(spec);
            spec["containers"][0]["command"] = json!(["sleep", "600"]);
        })
        .await;
    let child = "trap 'exit 3' TERM; sleep 600 & echo up; wait";
    scene.pod("listens", child, grace).await;
    let pods = ["shell", "replaced", "plain", "listens"];
    for pod in pods {
        scene.until_running(pod).await;
    }
    while scene.done("GET", "pods/listens/log", Value::Null).await != "up\n" {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for pod in pods {
        scene
            .done("DELETE", &format!("pods/{pod}"), Value::Null)
            .await;
    }
    for pod in pods {
        scene.until_gone("Pod", pod).await;
    }
    pods.map(|pod| {
        let last = scene.seen.iter().rev();
        let mut last =
            last.filter(|seen| seen.kind == "Pod" && seen.object["metadata"]["name"] == pod);
        let last = &last.next().unwrap().object["status"];
        let ended = &last["containerStatuses"][0]["state"]["terminated"];
        format!(
            "{pod} ended {} {} phase {}",
            ended["exitCode"], ended["reason"], last["phase"]
        )
    })
    .to_vec()
}

pub(super) async fn namespaces(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    let name = scene.namespace.clone();
    let path = format!("/api/v1/namespaces/{name}");
    scene
        .done(
            "POST",
            "configmaps",
            json!({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}),
        )
        .await;
    scene
        .done("POST", "secrets", json!({"metadata": {"name": "s"}}))
        .await;
    scene.job("works", "sleep 600", |_| ()).await;
    scene.until_running("works").await;
    let (code, answer) = send(place, "DELETE", &path, Value::Null).await;
    let mut lines = vec![format!(
        "deleted: {code} {} phase {} finalizers {}",
        answer["kind"], answer["status"]["phase"], answer["spec"]["finalizers"]
    )];
    let (code, answer) = scene
        .ask("POST", "configmaps", json!({"metadata": {"name": "late"}}))
        .await;
    lines.push(scene.plain(format!("{code} {} {}", answer["message"], answer["details"]).into()));
    let again = send(place, "DELETE", &path, Value::Null).await;
    lines.push(
        scene.plain(
            format!(
                "again: {} {} {}",
                again.0, again.1["reason"], again.1["message"]
            )
            .into(),
        ),
    );
    scene.until_gone("Pod", "works").await;
    scene.until_gone("Job", "works").await;
    scene
        .done(
            "PATCH",
            "configmaps/held",
            json!({"metadata": {"finalizers": null}}),
        )
        .await;
    let end = async {
        while send(place, "GET", &path, Value::Null).await.0 != 404 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, end)
        .await
        .expect("the namespace goes");
    lines.push("gone".to_owned());
    lines
}
