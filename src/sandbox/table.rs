//! The printed tables that `kubectl get` asks for.

mod plain;
mod pods;
mod workloads;

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::kinds::Kind;

/// What a row carries of its object besides the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Include {
    Nothing,
    Metadata,
    Object,
}

/// A Table of objects; a watch leaves the columns out after its first event.
pub(super) fn table(
    kind: Kind,
    meta: &Value,
    objects: &[&Value],
    include: Include,
    columns: bool,
    now: Timestamp,
) -> Value {
    let definitions: Vec<Value> = columns_of(kind)
        .split('|')
        .map(|column| {
            let (name, wide) = column
                .strip_prefix('*')
                .map_or((column, 0), |name| (name, 1));
            json!({
                "name": name, "type": "string", "format": if name == "Name" { "name" } else { "" },
                "description": "", "priority": wide,
            })
        })
        .collect();
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| row(kind, object, include, now))
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
        "columnDefinitions": if columns { definitions } else { Vec::new() }, "rows": rows,
    })
}

/// One row of a table.
pub(super) fn row(kind: Kind, object: &Value, include: Include, now: Timestamp) -> Value {
    let mut row = json!({"cells": cells(kind, object, now)});
    match include {
        Include::Nothing => {}
        Include::Metadata => {
            row["object"] = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]});
        }
        Include::Object => row["object"] = object.clone(),
    }
    row
}

/// The columns of a kind, in order, between bars; a star marks those of the wide form.
fn columns_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Namespace => "Name|Status|Age",
        Kind::ConfigMap => "Name|Data|Age",
        Kind::Secret => "Name|Type|Data|Age",
        Kind::ServiceAccount => "Name|Secrets|Age",
        Kind::Event => {
            "Last Seen|Type|Reason|Object|*Subobject|*Source|Message|*First Seen|*Count|*Name"
        }
        Kind::Node => {
            "Name|Status|Roles|Age|Version|*Internal-IP|*External-IP|*OS-Image|*Kernel-Version|*Container-Runtime"
        }
        Kind::Pod => "Name|Ready|Status|Restarts|Age|*IP|*Node|*Nominated Node|*Readiness Gates",
        Kind::Service => "Name|Type|Cluster-IP|External-IP|Port(s)|Age|*Selector",
        Kind::Endpoints => "Name|Endpoints|Age",
        Kind::PersistentVolumeClaim => {
            "Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|*VolumeMode"
        }
        Kind::ResourceQuota => "Name|Request|Limit|Age",
        Kind::Deployment => "Name|Ready|Up-to-date|Available|Age|*Containers|*Images|*Selector",
        Kind::ReplicaSet => "Name|Desired|Current|Ready|Age|*Containers|*Images|*Selector",
        Kind::Job => "Name|Status|Completions|Duration|Age|*Containers|*Images|*Selector",
        Kind::Lease => "Name|Holder|Age",
        Kind::Ingress => "Name|Class|Hosts|Address|Ports|Age",
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            "Name|Role|Age|*Users|*Groups|*ServiceAccounts"
        }
        Kind::Role | Kind::ClusterRole | Kind::LimitRange => "Name|Created At",
    }
}

/// The cells of an object's row, one for each column.
fn cells(kind: Kind, object: &Value, now: Timestamp) -> Vec<Value> {
    let name = object["metadata"]["name"].clone();
    let created = &object["metadata"]["creationTimestamp"];
    let age = Value::from(age(created, now));
    match kind {
        Kind::Pod => pods::cells(object, now, name, age),
        Kind::Job => workloads::job(object, now, name, age),
        Kind::Deployment => workloads::deployment(object, name, age),
        Kind::ReplicaSet => workloads::replica_set(object, name, age),
        Kind::Event => plain::event(object, now, name),
        Kind::Node => plain::node(object, name, age),
        Kind::Service => plain::service(object, name, age),
        Kind::Ingress => plain::ingress(object, name, age),
        Kind::PersistentVolumeClaim => plain::claim(object, name, age),
        Kind::RoleBinding | Kind::ClusterRoleBinding => plain::binding(object, name, age),
        Kind::Namespace => vec![name, object["status"]["phase"].clone(), age],
        Kind::ConfigMap => vec![
            name,
            (size(&object["data"]) + size(&object["binaryData"])).into(),
            age,
        ],
        Kind::Secret => vec![
            name,
            object["type"].clone(),
            size(&object["data"]).into(),
            age,
        ],
        Kind::ServiceAccount => vec![name, size(&object["secrets"]).into(), age],
        Kind::Endpoints => vec![name, plain::endpoints(object).into(), age],
        Kind::ResourceQuota => plain::quota(object, name, age),
        Kind::Lease => vec![name, text(&object["spec"]["holderIdentity"]).into(), age],
        Kind::Role | Kind::ClusterRole | Kind::LimitRange => vec![name, created.clone()],
    }
}

/// A text, or an empty one.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A text, or a word for its absence.
fn text_or<'a>(value: &'a Value, absent: &'a str) -> &'a str {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .unwrap_or(absent)
}

/// A count, or zero.
fn count(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// How many entries a list or an object has.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    }
}

/// The items of a list that may be absent.
fn each(value: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn joined<'a>(parts: impl Iterator<Item = &'a str>, with: &str) -> String {
    parts.collect::<Vec<_>>().join(with)
}

/// How long ago a time was, in kubectl's short form.
fn age(at: &Value, now: Timestamp) -> String {
    match at.as_str().and_then(|text| text.parse::<Timestamp>().ok()) {
        Some(at) => human((now.as_second() - at.as_second()).max(0)),
        None => "<unknown>".to_owned(),
    }
}

/// Seconds as kubectl prints durations: fewer digits the longer it is.
fn human(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let mut out = String::new();
    let mut two = |large: i64, large_unit: char, small: i64, small_unit: char| {
        let _ = write!(out, "{large}{large_unit}");
        if small > 0 {
            let _ = write!(out, "{small}{small_unit}");
        }
        std::mem::take(&mut out)
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, 'd', hours % 24, 'h'),
        () if days < 730 => format!("{days}d"),
        () if days < 2920 => two(days / 365, 'y', days % 365, 'd'),
        () => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let now = Timestamp::UNIX_EPOCH;
        for kind in Kind::all() {
            let columns = columns_of(kind).split('|').count();
            assert_eq!(
                cells(kind, &json!({"metadata": {"name": "x"}}), now).len(),
                columns,
                "{kind}"
            );
        }
    }

    #[test]
    fn durations_as_kubectl_prints_them() {
        let table = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (150, "2m30s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (11_000, "3h3m"),
            (100_000, "27h"),
            (200_000, "2d7h"),
            (800_000, "9d"),
        ];
        for (seconds, text) in table {
            assert_eq!(human(seconds), text, "{seconds}");
        }
    }
}
