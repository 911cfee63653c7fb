//! The tables in the sandbox's documentation say what its code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::kinds::{self, Kind};
use llmctl_dev::sandbox::{Config, Sandbox};
use serde_json::Value;
use tower::ServiceExt as _;

const ALL: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn documentation() -> Vec<String> {
    let text = fs::read_to_string(source().join("sandbox.rs")).unwrap();
    text.lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.trim().to_owned())
        .collect()
}

fn rows<'a>(documentation: &'a [String], header: &str) -> Vec<&'a str> {
    let table = documentation
        .iter()
        .skip_while(|line| !line.starts_with(header));
    table
        .skip(2)
        .map(String::as_str)
        .take_while(|line| line.starts_with('|'))
        .collect()
}

#[test]
fn every_kind_is_in_the_table_with_what_it_can() {
    let documentation = documentation();
    let or_none = |names: &[&str]| {
        if names.is_empty() {
            "-".to_owned()
        } else {
            names.join(", ")
        }
    };
    let expected: Vec<String> = Kind::all()
        .map(|kind| {
            let row = kind.row();
            let missing: Vec<&str> = ALL
                .into_iter()
                .filter(|verb| !row.verbs.contains(verb))
                .collect();
            let verbs = match missing.as_slice() {
                [] => "all".to_owned(),
                few @ ([_] | [_, _]) => format!("all but {}", few.join(", ")),
                _ => row.verbs.join(", "),
            };
            let group = if row.group.is_empty() {
                "core"
            } else {
                row.group
            };
            format!(
                "| {kind} | {group} | {verbs} | {} | {} |",
                or_none(row.subresources),
                or_none(kinds::known_subresources(kind)),
            )
        })
        .collect();
    assert_eq!(rows(&documentation, "| kind |"), expected);
    let known: Vec<String> = kinds::known()
        .map(|known| match known {
            ("", plural) => plural.unwrap_or_default().to_owned(),
            (group, plural) => format!("{}.{group}", plural.unwrap_or("*")),
        })
        .collect();
    let line = format!("Resources that are answered 501: {}.", known.join(", "));
    assert!(documentation.contains(&line), "not there: {line}");
}

#[test]
fn every_controller_is_in_the_table() {
    let mut controllers = BTreeSet::from(["health".to_owned()]);
    for entry in fs::read_dir(source().join("sandbox")).unwrap() {
        let path = entry.unwrap().path();
        let is_controller = || {
            fs::read_to_string(&path)
                .unwrap()
                .lines()
                .any(|line| line.starts_with("impl Controller for"))
        };
        if path.is_file() && is_controller() {
            controllers.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    let documentation = documentation();
    let told: BTreeSet<String> = rows(&documentation, "| controller |")
        .into_iter()
        .map(|row| row.split('|').nth(1).unwrap().trim().to_owned())
        .collect();
    assert_eq!(told, controllers);
}

#[tokio::test]
async fn what_is_not_imitated_is_said_with_verb_and_path() {
    let sandbox = Sandbox::start(Config {
        executor: vec!["/bin/false".into()],
        base: "2026-11-24T08:00:00Z".parse().unwrap(),
        faults: Faults::default(),
    })
    .unwrap();
    let ask = async |method: &str, path: &str| {
        let request = http::Request::builder().method(method).uri(path);
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let answer = sandbox.service().oneshot(request).await.unwrap();
        let code = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let status = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        (code, status)
    };
    let root = |group: &str| match group {
        "" => "/api/v1".to_owned(),
        group => format!("/apis/{group}/v1"),
    };
    let mut paths: Vec<String> = kinds::known()
        .map(|(group, plural)| format!("{}/{}", root(group), plural.unwrap_or("widgets")))
        .collect();
    for kind in Kind::all() {
        let row = kind.row();
        let namespace = if row.namespaced {
            "namespaces/default/"
        } else {
            ""
        };
        for subresource in kinds::known_subresources(kind) {
            paths.push(format!(
                "{}/{namespace}{}/x/{subresource}",
                root(row.group),
                row.plural
            ));
        }
        let listed = ask("GET", &format!("{}/{}", root(row.group), row.plural)).await;
        assert_eq!(listed.0, 200, "{kind}: {}", listed.1);
    }
    for path in paths {
        for method in ["GET", "POST"] {
            let (code, status) = ask(method, &path).await;
            assert_eq!(
                (code, &status["code"]),
                (501, &501.into()),
                "{method} {path}"
            );
            let message = status["message"].as_str().unwrap();
            assert!(message.contains(&format!("{method} {path}")), "{message}");
        }
    }
    for path in [
        "/api/v1/widgets",
        "/apis/batch/v1/namespaces/default/widgets",
        "/api/v1/namespaces/default/pods/x/widgets",
        "/apis/batch/v1beta1/jobs",
    ] {
        assert_eq!(ask("GET", path).await.0, 404, "{path}");
    }
}
