//! What an overlay left in the cluster when it stopped having it.

use super::super::Cluster;
use super::super::error::{Error, Kind as ErrorKind};
use super::super::rest::{Asked, FIELD_MANAGER};
use super::Wanted;
use super::kinds::{Kind, Kinds};
use crate::domain::overlays::OVERLAY_LABEL;
use crate::domain::overlays::objects::ObjectRef;
use serde_json::Value;
use std::collections::BTreeSet;

const METADATA_ONLY: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// Kinds that are never left over: they take others with them, or are made by the cluster from labelled objects.
const SPARED: &[&str] = &[
    "Namespace",
    "CustomResourceDefinition",
    "Event",
    "Endpoints",
    "EndpointSlice",
];

/// An object that the overlay has not any more.
pub(super) struct Leftover {
    pub(super) reference: ObjectRef,
    pub(super) uid: String,
}

impl Cluster {
    /// What carries the overlay's name in its namespaces, or in none, and is not wanted; and what could not be looked at.
    pub(super) async fn leftovers(
        &self,
        overlay: &str,
        wanted: &[Wanted],
        namespaces: &BTreeSet<String>,
        kinds: &Kinds,
    ) -> Result<(Vec<Leftover>, Vec<String>), Error> {
        let listable = kinds.once().filter(|kind| {
            kind.can("list") && kind.can("delete") && !SPARED.contains(&kind.name.as_str())
        });
        let places: Vec<(&Kind, Option<&str>)> = listable
            .flat_map(|kind| {
                let within: Vec<Option<&str>> = if kind.namespaced {
                    namespaces.iter().map(|name| Some(name.as_str())).collect()
                } else {
                    vec![None]
                };
                within.into_iter().map(move |namespace| (kind, namespace))
            })
            .collect();
        let lists: Vec<_> = places
            .into_iter()
            .map(|(kind, namespace)| self.labelled(overlay, kind, namespace))
            .collect();
        let found = super::all(lists).await?;
        let mut left = Vec::new();
        let mut unseen: Vec<&str> = Vec::new();
        for one in found {
            match one {
                Ok(objects) => left.extend(objects),
                Err(kind) => unseen.push(&kind.plural),
            }
        }
        left.retain(|one: &Leftover| {
            !wanted
                .iter()
                .any(|kept| kept.reference.is_same(&one.reference))
        });
        let notes = if unseen.is_empty() {
            Vec::new()
        } else {
            vec![format!(
                "leftovers were not looked for among {}: not allowed to list them",
                unseen.join(", ")
            )]
        };
        Ok((left, notes))
    }

    /// The labelled objects of one kind in one place; the kind when it may not be listed.
    async fn labelled<'a>(
        &self,
        overlay: &str,
        kind: &'a Kind,
        namespace: Option<&str>,
    ) -> Result<Result<Vec<Leftover>, &'a Kind>, Error> {
        let place = namespace.unwrap_or_default();
        let asked = Asked::of_kind("list", &kind.name, &kind.plural, place, &kind.plural);
        let uri = format!(
            "{}?labelSelector={}%3D{overlay}",
            kind.path(namespace),
            OVERLAY_LABEL.replace('/', "%2F")
        );
        let request = http::Request::get(uri).header(http::header::ACCEPT, METADATA_ONLY);
        let answer = self.exchange(&asked, request, Vec::new()).await?;
        match answer.good(&asked, self.label()) {
            Ok(list) => {
                let items = list.get("items").and_then(Value::as_array);
                Ok(Ok(items
                    .into_iter()
                    .flatten()
                    .filter_map(|item| leftover(item, kind))
                    .collect()))
            }
            Err(error) if error.kind() == ErrorKind::Unreachable => Err(error),
            // A kind that went away since it was discovered leaves nothing.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Ok(Vec::new())),
            Err(_) => Ok(Err(kind)),
        }
    }
}

/// An item of a list as something left over, when it is ours, nobody's child and not on its way out.
fn leftover(item: &Value, kind: &Kind) -> Option<Leftover> {
    let metadata = item.get("metadata")?;
    let text = |field: &str| metadata.get(field).and_then(Value::as_str);
    let list = |field: &str| {
        metadata
            .get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let is_ours = list("managedFields").any(|entry| {
        let is = |field: &str, word: &str| entry.get(field).and_then(Value::as_str) == Some(word);
        is("manager", FIELD_MANAGER) && is("operation", "Apply")
    });
    let is_child = list("ownerReferences").next().is_some();
    if !is_ours || is_child || text("deletionTimestamp").is_some() {
        return None;
    }
    Some(Leftover {
        reference: ObjectRef {
            api_version: kind.api_version(),
            kind: kind.name.clone(),
            namespace: text("namespace").map(str::to_owned),
            name: text("name")?.to_owned(),
        },
        uid: text("uid")?.to_owned(),
    })
}
