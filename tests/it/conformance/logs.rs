//! Logs: what of them, of whom, and what is said when there are none.

use serde_json::Value;

use super::place::Place;
use super::scene::Scene;

pub(super) async fn options(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    scene
        .pod(
            "talks",
            "for n in 1 2 3 4 5; do echo line $n; done; printf 'no end'",
            |_| (),
        )
        .await;
    scene.pod("silent", "true", |_| ()).await;
    scene
        .pod("follow", "sleep 2; echo one; sleep 2; echo two", |_| ())
        .await;
    scene
        .pod("waits", "true", |spec| {
            spec["nodeSelector"] = serde_json::json!({"moon": "yes"});
        })
        .await;
    scene
        .pod("never", "true", |spec| {
            spec["containers"][0]["image"] = "localhost:1/nowhere/image:1".into();
        })
        .await;
    scene
        .pod("pair", "echo first", |spec| {
            let mut second = spec["containers"][0].clone();
            second["name"] = "d".into();
            second["command"][2] = "echo second".into();
            spec["containers"].as_array_mut().unwrap().push(second);
        })
        .await;
    scene.until_running("follow").await;
    let mut lines = Vec::new();
    let followed = scene
        .done("GET", "pods/follow/log?follow=true", Value::Null)
        .await;
    lines.push(format!("follow to the end: {followed}"));
    for pod in ["talks", "silent", "follow", "pair"] {
        scene.until_phase(pod, "Succeeded").await;
    }
    scene.until_waiting("never", "ErrImageNeverPull").await;
    let asked = [
        "talks/log",
        "talks/log?tailLines=2",
        "talks/log?tailLines=0",
        "talks/log?tailLines=100",
        "talks/log?limitBytes=10",
        "talks/log?tailLines=2&limitBytes=3",
        "talks/log?sinceSeconds=600",
        "talks/log?sinceTime=2001-01-01T00:00:00Z&tailLines=1",
        "talks/log?sinceTime=2101-01-01T00:00:00Z",
        "talks/log?timestamps=true&tailLines=3",
        "talks/log?follow=true&tailLines=1",
        "talks/log?previous=true",
        "talks/log?container=other",
        "talks/log?container=c&tailLines=1",
        "talks/log?tailLines=-1",
        "talks/log?tailLines=x",
        "talks/log?limitBytes=0",
        "talks/log?sinceSeconds=0",
        "talks/log?sinceTime=yesterday",
        "talks/log?sinceSeconds=5&sinceTime=2001-01-01T00:00:00Z",
        "silent/log",
        "waits/log",
        "never/log",
        "pair/log",
        "pair/log?container=d",
        "nobody/log",
    ];
    for path in asked {
        let (code, answer) = scene.ask("GET", &format!("pods/{path}"), Value::Null).await;
        let told = if answer["kind"] == "Status" {
            format!(
                "{} {} {}",
                answer["reason"], answer["message"], answer["details"]
            )
        } else {
            answer.to_string()
        };
        lines.push(scene.plain(format!("{path}: {code} {told}").into()));
    }
    lines
}
