//! Watches: what they begin with, what they tell, how they end and go on.

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::place::{PATIENCE, Place};
use super::scene::{Scene, send};

/// The lines of a watch to its end: what happened, to which object.
async fn heard(scene: &Scene<'_>, query: &str) -> Vec<String> {
    let path = scene.path(&format!("secrets?watch=1&{query}"));
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    let lines = scene.place.client.request_stream(request).await.unwrap();
    let all = async {
        let mut heard = Vec::new();
        let mut lines = lines.lines();
        while let Some(line) = lines.try_next().await.unwrap() {
            let line: Value = serde_json::from_str(&line).unwrap();
            let object = &line["object"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            heard.push(match text(&line["type"]).as_str() {
                "BOOKMARK" => format!(
                    "BOOKMARK {} version {} {}",
                    text(&object["kind"]),
                    object["metadata"]["resourceVersion"].is_string(),
                    object["metadata"]["annotations"]
                ),
                "ERROR" => scene.plain(
                    format!(
                        "ERROR {} {} {}",
                        object["code"],
                        text(&object["reason"]),
                        text(&object["message"])
                    )
                    .into(),
                ),
                what => format!(
                    "{what} {} {}",
                    text(&object["metadata"]["name"]),
                    object["metadata"]["labels"]
                ),
            });
        }
        // A server may send a plain bookmark at any time; a client can rely on those with an annotation only.
        heard.retain(|line: &String| !(line.starts_with("BOOKMARK") && line.ends_with(" null")));
        heard
    };
    timeout(PATIENCE, all)
        .await
        .expect("a watch ends in its time")
}

async fn version(scene: &Scene<'_>) -> String {
    let list = scene.done("GET", "secrets", Value::Null).await;
    list["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(super) async fn tell(place: &Place) -> Vec<String> {
    let scene = Scene::open(place).await;
    let start = version(&scene).await;
    let label = |value: Value| json!({"metadata": {"labels": {"a": value}}});
    scene
        .done("POST", "secrets", json!({"metadata": {"name": "one"}}))
        .await;
    scene.done("PATCH", "secrets/one", label("b".into())).await;
    let middle = version(&scene).await;
    scene.done("PATCH", "secrets/one", label("c".into())).await;
    scene
        .done(
            "POST",
            "secrets",
            json!({"metadata": {"name": "two", "labels": {"a": "b"}}}),
        )
        .await;
    scene.done("PATCH", "secrets/two", label("b".into())).await;
    scene.done("DELETE", "secrets/one", Value::Null).await;
    let queries = [
        format!("resourceVersion={start}&timeoutSeconds=1"),
        format!("resourceVersion={middle}&timeoutSeconds=1"),
        format!("resourceVersion={start}&timeoutSeconds=1&labelSelector=a%3Db"),
        format!("resourceVersion={start}&timeoutSeconds=1&labelSelector=a%3Dc"),
        format!("resourceVersion={start}&timeoutSeconds=1&fieldSelector=metadata.name%3Dtwo"),
        "timeoutSeconds=1".to_owned(),
        "resourceVersion=0&timeoutSeconds=1".to_owned(),
        "timeoutSeconds=1&labelSelector=a%3Dc".to_owned(),
        "timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true".to_owned(),
        "timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan".to_owned(),
        format!("resourceVersion={start}&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"),
        "timeoutSeconds=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan".to_owned(),
    ];
    let heard_all = queries.iter().map(|query| heard(&scene, query));
    let heard_all = futures::future::join_all(heard_all).await;
    let mut lines = Vec::new();
    for (query, heard) in queries.iter().zip(heard_all) {
        let query = query
            .replace(&format!("={start}&"), "=$start&")
            .replace(&format!("={middle}&"), "=$middle&");
        lines.push(format!("--- {query}"));
        lines.extend(heard);
    }
    lines
}

/// Bookmarks of a watch that asked for them come before its end; a watch goes on from one without loss.
pub(super) async fn bookmarks(place: &Place) -> Vec<String> {
    let scene = Scene::open(place).await;
    let start = version(&scene).await;
    scene
        .done("POST", "secrets", json!({"metadata": {"name": "one"}}))
        .await;
    let path = scene.path(&format!(
        "secrets?watch=1&resourceVersion={start}&timeoutSeconds=5&allowWatchBookmarks=true"
    ));
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    let mut heard = place.client.request_stream(request).await.unwrap().lines();
    let mut lines = Vec::new();
    let mut marked = String::new();
    while let Some(line) = heard.try_next().await.unwrap() {
        let line: Value = serde_json::from_str(&line).unwrap();
        let what = line["type"].as_str().unwrap().to_owned();
        if what == "BOOKMARK" {
            line["object"]["metadata"]["resourceVersion"]
                .as_str()
                .unwrap()
                .clone_into(&mut marked);
        }
        lines.push(what);
    }
    lines.dedup();
    scene
        .done("POST", "secrets", json!({"metadata": {"name": "two"}}))
        .await;
    lines.push("--- from the bookmark".to_owned());
    lines.extend(
        super::watches::heard(
            &scene,
            &format!("resourceVersion={marked}&timeoutSeconds=1"),
        )
        .await,
    );
    lines
}

/// History that is forgotten; nothing is told by a cluster that is too young to have forgotten any.
pub(super) async fn forgotten(place: &Place) -> Vec<String> {
    let scene = Scene::open(place).await;
    scene
        .done("POST", "secrets", json!({"metadata": {"name": "one"}}))
        .await;
    place.compact();
    let exact = "secrets?resourceVersion=1&resourceVersionMatch=Exact&limit=1";
    let (code, answer) = scene.ask("GET", exact, Value::Null).await;
    if code == 200 {
        return Vec::new();
    }
    let mut lines = vec![
        scene.plain(format!("list: {code} {} {}", answer["reason"], answer["message"]).into()),
    ];
    lines.push("watch:".to_owned());
    lines.extend(heard(&scene, "resourceVersion=1&timeoutSeconds=1").await);
    // {"v":"meta.k8s.io/v1","rv":1,"start":"x\u0000"}
    let token = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJ4XHUwMDAwIn0";
    let path = scene.path(&format!("secrets?limit=1&continue={token}"));
    let (code, answer) = send(place, "GET", &path, Value::Null).await;
    lines.push(
        scene.plain(
            format!(
                "page: {code} {} {} | goes on {}",
                answer["reason"],
                answer["message"],
                answer["metadata"]["continue"].is_string()
            )
            .into(),
        ),
    );
    lines
}
