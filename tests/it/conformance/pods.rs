//! Pods that wait, and why: images, mounts, variables, a node that has no room.

use serde_json::{Value, json};

use super::place::Place;
use super::scene::{Scene, conditions, waits};

const PULLED_ELSEWHERE: &str = "localhost:1/nowhere/image:1";

fn states(scene: &Scene<'_>, pod: &str) -> Vec<String> {
    let mut lines = vec![format!("--- {pod}")];
    let states = scene.states("Pod", pod, |pod| {
        let status = &pod["status"];
        format!(
            "{} {}",
            status["phase"].as_str().unwrap_or_default(),
            waits(pod)
        )
    });
    lines.extend(states);
    lines
}

pub(super) async fn wait(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    scene
        .pod("gpu", "true", |spec| {
            spec["containers"][0]["resources"] = json!({"limits": {"nvidia.com/gpu": "1"}});
        })
        .await;
    scene
        .pod("elsewhere", "true", |spec| {
            spec["nodeSelector"] = json!({"moon": "yes"});
        })
        .await;
    scene
        .pod("mount", "true", |spec| {
            spec["volumes"] = json!([{"name": "v", "configMap": {"name": "missing"}}]);
            spec["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
        })
        .await;
    scene
        .pod("secret", "true", |spec| {
            spec["volumes"] = json!([{"name": "v", "secret": {"secretName": "missing"}}]);
            spec["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
        })
        .await;
    scene
        .pod("host", "true", |spec| {
            spec["volumes"] =
                json!([{"name": "v", "hostPath": {"path": "/no/such/place", "type": "Directory"}}]);
            spec["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
        })
        .await;
    scene
        .pod("variable", "true", |spec| {
            spec["containers"][0]["env"] = json!([{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "missing", "key": "k"}}}]);
        })
        .await;
    for pod in ["gpu", "elsewhere"] {
        scene.until_event(pod, "FailedScheduling").await;
    }
    for pod in ["mount", "secret", "host"] {
        scene.until_event(pod, "FailedMount").await;
    }
    scene
        .until_waiting("variable", "CreateContainerConfigError")
        .await;
    scene.until_event("variable", "Failed").await;
    let mut lines = Vec::new();
    for pod in ["gpu", "elsewhere", "mount", "secret", "host", "variable"] {
        let now = scene.done("GET", &format!("pods/{pod}"), Value::Null).await;
        lines.extend(states(&scene, pod));
        lines.extend(scene.events(pod));
        if now["spec"]["nodeName"].is_null() {
            lines.extend(conditions(&now));
        }
        let message = &now["status"]["containerStatuses"][0]["state"]["waiting"]["message"];
        lines.push(scene.plain(format!("message {message}").into()));
    }
    // What was missing comes, and the pod goes on.
    scene
        .done(
            "POST",
            "configmaps",
            json!({"metadata": {"name": "missing"}, "data": {"k": "v"}}),
        )
        .await;
    scene.until_phase("variable", "Succeeded").await;
    lines.push("variable goes on".to_owned());
    lines
}

pub(super) async fn images(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    let image = |image: &'static str, policy: &'static str| {
        move |spec: &mut Value| {
            spec["containers"][0]["image"] = image.into();
            spec["containers"][0]["imagePullPolicy"] = policy.into();
        }
    };
    scene
        .pod("never", "true", image(PULLED_ELSEWHERE, "Never"))
        .await;
    scene
        .pod("pull", "true", image(PULLED_ELSEWHERE, "IfNotPresent"))
        .await;
    scene
        .pod("bad-name", "true", image("UPPERCASE", "IfNotPresent"))
        .await;
    scene.pod("here", "sleep 2", |_| ()).await;
    scene.until_waiting("never", "ErrImageNeverPull").await;
    scene.until_waiting("pull", "ErrImagePull").await;
    scene.until_waiting("pull", "ImagePullBackOff").await;
    scene.until_waiting("bad-name", "InvalidImageName").await;
    scene.until_event("pull", "BackOff").await;
    scene.until_event("bad-name", "InspectFailed").await;
    scene.until_event("never", "ErrImageNeverPull").await;
    scene.until_phase("here", "Succeeded").await;
    scene.settle().await;
    let mut lines = Vec::new();
    for pod in ["never", "bad-name", "here", "pull"] {
        let told = states(&scene, pod);
        if pod == "pull" {
            // It goes to and fro between the two as long as it is there.
            lines.extend(told.into_iter().take(4));
            // What a registry says is the registry's.
            let events = scene.events(pod).into_iter().map(|line| {
                let end = line.find(": ").unwrap_or(line.len());
                line[..end].to_owned()
            });
            let mut events: Vec<String> = events.collect();
            events.dedup();
            lines.extend(events);
            continue;
        }
        lines.extend(told);
        lines.extend(scene.events(pod));
        let now = scene.done("GET", &format!("pods/{pod}"), Value::Null).await;
        let message = &now["status"]["containerStatuses"][0]["state"]["waiting"]["message"];
        lines.push(scene.plain(format!("message {message}").into()));
    }
    lines
}
