//! What a client asks before it asks for objects: which groups, versions and resources there are, the server's version and health.

use http::{Method, Response, header};
use serde_json::{Value, json};

use super::kinds::{EVENTS_GROUP, Kind, Row};
use super::openapi;
use super::requests::Request;
use super::respond::{self, Body};
use super::status::Status;

/// The version that the server says it is; the sandbox imitates this one.
pub(super) const GIT_VERSION: &str = "v1.34.4-sandbox";

/// Answers everything that is not about objects.
pub(super) fn answer(request: &Request) -> Result<Response<Body>, Status> {
    if request.method != Method::GET && request.method != Method::HEAD {
        return Err(Status::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ));
    }
    let parts: Vec<&str> = request
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let aggregated = wants_aggregated(request);
    let document = match parts.as_slice() {
        [] => json!({"paths": paths()}),
        ["version"] => version(),
        ["healthz" | "livez" | "readyz", ..] => return Ok(health(request, parts[0])),
        ["openapi", "v3"] => openapi::index(&all_groups()),
        ["openapi", "v3", "api", "v1"] => openapi::document(&rows("")),
        ["openapi", "v3", "apis", name, "v1"] if groups().contains(name) => {
            openapi::document(&rows(name))
        }
        ["api"] if aggregated => return Ok(aggregated_list(&[""])),
        ["apis"] if aggregated => return Ok(aggregated_list(&groups())),
        ["api"] => {
            json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        }
        ["apis"] => {
            let groups: Vec<Value> = groups().iter().map(|name| group(name)).collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
        ["api", "v1"] => resources("", "v1"),
        ["apis", name] if groups().contains(name) => {
            let mut group = group(name);
            group["kind"] = "APIGroup".into();
            group["apiVersion"] = "v1".into();
            group
        }
        ["apis", name, "v1"] if groups().contains(name) => resources(name, &format!("{name}/v1")),
        // A version that there is not, of a group that there is.
        ["api", _, ..] => return Err(Status::no_such_path()),
        ["apis", name, _, ..] if groups().contains(name) => return Err(Status::no_such_path()),
        _ => return Ok(respond::text(404, "404 page not found\n")),
    };
    Ok(respond::json(200, &document))
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "gitVersion": GIT_VERSION, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc", "platform": "linux/amd64",
    })
}

fn health(request: &Request, which: &str) -> Response<Body> {
    if request.parameter("verbose").is_some() || request.path.contains("verbose") {
        return respond::text(
            200,
            format!("[+]ping ok\n[+]store ok\n{which} check passed\n"),
        );
    }
    respond::text(200, "ok")
}

/// The groups besides the core one.
fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = Vec::new();
    for row in Kind::all().map(Kind::row) {
        if !row.group.is_empty() && !groups.contains(&row.group) {
            groups.push(row.group);
        }
    }
    groups.push(EVENTS_GROUP);
    groups
}

fn all_groups() -> Vec<&'static str> {
    let mut all = vec![""];
    all.extend(groups());
    all
}

fn paths() -> Vec<String> {
    let mut paths: Vec<String> = [
        "/api", "/api/v1", "/apis", "/healthz", "/livez", "/readyz", "/version",
    ]
    .map(str::to_owned)
    .to_vec();
    for group in groups() {
        paths.push(format!("/apis/{group}"));
        paths.push(format!("/apis/{group}/v1"));
    }
    paths.sort();
    paths
}

fn group(name: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

/// The rows that a group serves.
fn rows(group: &str) -> Vec<&'static Row> {
    Kind::all()
        .map(Kind::row)
        .filter(|row| row.group == group || (group == EVENTS_GROUP && row.kind == Kind::Event))
        .collect()
}

const SUBRESOURCE_VERBS: &[&str] = &["get", "patch", "update"];

fn subresource_verbs(name: &str) -> &'static [&'static str] {
    match name {
        "log" => &["get"],
        "finalize" => &["update"],
        _ => SUBRESOURCE_VERBS,
    }
}

fn resources(group: &str, group_version: &str) -> Value {
    let mut list = Vec::new();
    for row in rows(group) {
        let mut entry = json!({
            "name": row.plural, "singularName": row.singular, "namespaced": row.namespaced, "kind": row.name, "verbs": row.verbs,
        });
        if !row.short.is_empty() {
            entry["shortNames"] = json!(row.short);
        }
        if !row.categories.is_empty() {
            entry["categories"] = json!(row.categories);
        }
        list.push(entry);
        for name in row.subresources {
            let mut entry = json!({
                "name": format!("{}/{name}", row.plural), "singularName": "", "namespaced": row.namespaced,
                "kind": subresource_kind(row, name), "verbs": subresource_verbs(name),
            });
            if *name == "scale" {
                entry["group"] = "autoscaling".into();
                entry["version"] = "v1".into();
            }
            list.push(entry);
        }
    }
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list})
}

fn subresource_kind(row: &Row, name: &str) -> &'static str {
    if name == "scale" { "Scale" } else { row.name }
}

fn wants_aggregated(request: &Request) -> bool {
    let accept = request.header(header::ACCEPT);
    accept.split(',').any(|media| {
        media.trim().starts_with("application/json")
            && media.contains("as=APIGroupDiscoveryList")
            && media.contains("v=v2")
            && !media.contains("v=v2beta1")
    })
}

fn aggregated_list(names: &[&str]) -> Response<Body> {
    let items: Vec<Value> = names.iter().map(|name| aggregated(name)).collect();
    let document = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    let mut response = respond::json(200, &document);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        ),
    );
    response
}

fn aggregated(group: &str) -> Value {
    let kind_of = |row: &Row, kind: &str| {
        let group = if kind == "Scale" {
            "autoscaling"
        } else {
            group
        };
        let _ = row;
        json!({"group": group, "version": "v1", "kind": kind})
    };
    let resources: Vec<Value> = rows(group)
        .into_iter()
        .map(|row| {
            let subresources: Vec<Value> = row
                .subresources
                .iter()
                .map(|name| {
                    json!({
                        "subresource": name, "responseKind": kind_of(row, subresource_kind(row, name)),
                        "verbs": subresource_verbs(name),
                    })
                })
                .collect();
            let mut entry = json!({
                "resource": row.plural, "responseKind": kind_of(row, row.name), "singularResource": row.singular,
                "scope": if row.namespaced { "Namespaced" } else { "Cluster" }, "verbs": row.verbs,
            });
            for (field, words) in [("shortNames", row.short), ("categories", row.categories)] {
                if !words.is_empty() {
                    entry[field] = json!(words);
                }
            }
            if !subresources.is_empty() {
                entry["subresources"] = subresources.into();
            }
            entry
        })
        .collect();
    let mut meta = json!({"creationTimestamp": null});
    if !group.is_empty() {
        meta["name"] = group.into();
    }
    json!({"metadata": meta, "versions": [{"version": "v1", "resources": resources, "freshness": "Current"}]})
}
