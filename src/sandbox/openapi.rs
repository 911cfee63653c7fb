//! The `OpenAPI` v3 documents, by which kubectl checks fields, explains types and builds its patches.
//!
//! They tell the types, their merge keys and the parameters of writes; they hold no descriptions.

use serde_json::{Map, Value, json};

use super::discovery::GIT_VERSION;
use super::kinds::Row;
use crate::merge::schema::{self, Form, ListKind, Schema};

/// The index: which document is where.
pub(super) fn index(groups: &[&str]) -> Value {
    let mut paths = Map::new();
    for group in groups {
        let name = if group.is_empty() {
            "api/v1".to_owned()
        } else {
            format!("apis/{group}/v1")
        };
        let place = json!({"serverRelativeURL": format!("/openapi/v3/{name}?hash={GIT_VERSION}")});
        paths.insert(name, place);
    }
    json!({"paths": paths})
}

/// The document of one group.
pub(super) fn document(rows: &[&'static Row]) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for name in schema::type_names() {
        schemas.insert(name.to_owned(), definition(name));
    }
    for row in rows {
        let root = if row.group.is_empty() {
            "/api/v1".to_owned()
        } else {
            format!("/apis/{}/v1", row.group)
        };
        let home = if row.namespaced {
            "/namespaces/{namespace}"
        } else {
            ""
        };
        let collection = format!("{root}{home}/{}", row.plural);
        let kind = json!({"group": row.group, "version": "v1", "kind": row.name});
        paths.insert(
            format!("{collection}/{{name}}"),
            json!({
                "get": operation("get", &kind, &[], row.name),
                "put": operation("put", &kind, WRITE, row.name),
                "patch": operation("patch", &kind, PATCH, row.name),
                "delete": operation("delete", &kind, &["dryRun", "gracePeriodSeconds", "propagationPolicy"], row.name),
            }),
        );
        paths.insert(
            collection,
            json!({
                "get": operation("list", &kind, &["continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "watch"], row.name),
                "post": operation("post", &kind, WRITE, row.name),
            }),
        );
        if let Some(schema) = schemas.get_mut(row.name) {
            schema["x-kubernetes-group-version-kind"] = json!([kind]);
        }
    }
    json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": GIT_VERSION}, "paths": paths, "components": {"schemas": schemas}})
}

const WRITE: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
const PATCH: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];

fn operation(action: &str, kind: &Value, parameters: &[&str], name: &str) -> Value {
    let reference = json!({"schema": {"$ref": format!("#/components/schemas/{name}")}});
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}}))
        .collect();
    let mut operation = json!({
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "content": {"application/json": reference}}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": kind,
    });
    let bodies: &[&str] = match action {
        "patch" => &[
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        ],
        "put" | "post" => &["*/*"],
        _ => &[],
    };
    if !bodies.is_empty() {
        let content: Map<String, Value> = bodies
            .iter()
            .map(|media| {
                (
                    (*media).to_owned(),
                    if action == "patch" {
                        json!({"schema": {"type": "object"}})
                    } else {
                        reference.clone()
                    },
                )
            })
            .collect();
        operation["requestBody"] = json!({"content": content, "required": true});
    }
    operation
}

fn definition(name: &str) -> Value {
    let properties: Map<String, Value> = schema::type_named(name)
        .into_iter()
        .flatten()
        .map(|(field, place)| (field.to_owned(), property(place)))
        .collect();
    json!({"type": "object", "properties": properties})
}

fn property(place: Schema) -> Value {
    let mut property = match place.form() {
        Form::String | Form::Quantity => json!({"type": "string"}),
        Form::Bytes => json!({"type": "string", "format": "byte"}),
        Form::Time => json!({"type": "string", "format": "date-time"}),
        Form::Integer => json!({"type": "integer", "format": "int32"}),
        Form::Long => json!({"type": "integer", "format": "int64"}),
        Form::Number => json!({"type": "number"}),
        Form::Boolean => json!({"type": "boolean"}),
        Form::IntOrString => json!({"type": "string", "format": "int-or-string"}),
        Form::Any => json!({"type": "object"}),
        Form::Object => {
            let reference = format!(
                "#/components/schemas/{}",
                place.type_name().unwrap_or_default()
            );
            json!({"default": {}, "allOf": [{"$ref": reference}]})
        }
        Form::Map => json!({"type": "object", "additionalProperties": place.item().map(property)}),
        Form::List => json!({"type": "array", "items": place.item().map(property)}),
    };
    if place.form() == Form::List {
        property["x-kubernetes-list-type"] = match place.list_kind() {
            ListKind::Atomic => "atomic".into(),
            ListKind::Set => "set".into(),
            ListKind::Keyed(keys) => {
                property["x-kubernetes-list-map-keys"] = json!(keys);
                "map".into()
            }
        };
    }
    match place.merge_key() {
        Some(key) => {
            property["x-kubernetes-patch-strategy"] = if place.retains_keys() {
                "merge,retainKeys"
            } else {
                "merge"
            }
            .into();
            if !key.is_empty() {
                property["x-kubernetes-patch-merge-key"] = key.into();
            }
        }
        None if place.retains_keys() => {
            property["x-kubernetes-patch-strategy"] = "retainKeys".into();
        }
        None => {}
    }
    property
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::kinds::Kind;

    #[test]
    fn every_kind_can_be_patched_and_is_described() {
        for kind in Kind::all() {
            let row = kind.row();
            let document = document(&[row]);
            let paths = document["paths"].as_object().unwrap();
            let patch = paths.values().find_map(|path| path.get("patch")).unwrap();
            assert!(
                patch["parameters"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|one| one["name"] == "fieldValidation")
            );
            assert!(
                document["components"]["schemas"][row.name]["properties"].is_object(),
                "{kind}"
            );
        }
        let containers = &document(&[Kind::Pod.row()])["components"]["schemas"]["PodSpec"]["properties"]
            ["containers"];
        assert_eq!(containers["x-kubernetes-patch-merge-key"], "name");
    }
}
