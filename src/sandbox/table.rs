//! The printed tables that `kubectl get` asks for.

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

/// A column's name, and whether it shows only in the wide form.
type Column = (&'static str, bool);

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
        .iter()
        .map(|(name, wide)| {
            json!({
                "name": name, "type": "string", "format": if *name == "Name" { "name" } else { "" },
                "description": "", "priority": i32::from(*wide),
            })
        })
        .collect();
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let mut row = json!({"cells": cells(kind, object, now)});
            match include {
                Include::Nothing => {}
                Include::Metadata => {
                    row["object"] =
                        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]});
                }
                Include::Object => row["object"] = (*object).clone(),
            }
            row
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
        "columnDefinitions": if columns { definitions } else { Vec::new() }, "rows": rows,
    })
}

fn columns_of(_kind: Kind) -> &'static [Column] {
    &[("Name", false), ("Age", false)]
}

fn cells(_kind: Kind, object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        object["metadata"]["name"].clone(),
        age(&object["metadata"]["creationTimestamp"], now).into(),
    ]
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
