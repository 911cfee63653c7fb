//! The `scale` subresource: a workload seen as nothing but a number of replicas.

use http::Response;
use serde_json::{Value, json};

use super::requests::{Request, Target};
use super::respond::{self, Body};
use super::status::{Cause, Status};
use super::store::Store;
use super::writer::Writer;
use crate::merge::patch;

/// Answers a get.
pub(super) fn get(store: &Store, target: &Target) -> Result<Response<Body>, Status> {
    let found = store
        .find(target.kind, target.namespace(), target.name())
        .ok_or_else(|| Status::not_found(target.kind, target.name()))?;
    Ok(respond::json(200, &scale(&found)))
}

/// Answers an update, or a patch that merges.
pub(super) fn set(
    store: &Store,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    let writer = Writer::of(request, target)?;
    let merges = match request.content_type() {
        "application/merge-patch+json" | "application/strategic-merge-patch+json" => true,
        "application/json" | "" => false,
        _ => return Err(Status::not_imitated(request.method.as_str(), &request.path)),
    };
    let given: Value = serde_json::from_slice(&request.body)
        .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
    let changed = store.try_modify(
        target.kind,
        target.namespace(),
        target.name(),
        request.dry_run()?,
        |stored| {
            let old = stored.clone();
            let mut wanted = if merges { scale(&old) } else { json!({}) };
            patch::apply(&mut wanted, &given);
            let replicas = wanted["spec"]["replicas"].as_i64().unwrap_or(0);
            if replicas < 0 {
                let cause = Cause::invalid(
                    "spec.replicas",
                    &replicas.into(),
                    "must be greater than or equal to 0",
                );
                let mut refused = Status::invalid_as("Scale.autoscaling", target.name(), &[cause]);
                refused.details["kind"] = "Scale".into();
                refused.details["group"] = "autoscaling".into();
                return Err(refused);
            }
            if let Some(version) = wanted["metadata"]["resourceVersion"].as_str() {
                stored["metadata"]["resourceVersion"] = version.into();
            }
            stored["spec"]["replicas"] = replicas.into();
            writer.admit_change(&old, stored, store.clock())
        },
    )?;
    Ok(respond::json(200, &scale(&changed)))
}

fn scale(object: &Value) -> Value {
    let meta = &object["metadata"];
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let selector: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"],
        },
        // None is left out, as a zero is on the wire.
        "spec": match object["spec"]["replicas"].as_i64() {
            None | Some(0) => json!({}),
            Some(replicas) => json!({"replicas": replicas}),
        },
        "status": {"replicas": object["status"]["replicas"].as_i64().unwrap_or(0), "selector": selector.join(",")},
    })
}
