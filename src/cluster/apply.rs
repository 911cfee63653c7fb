//! Overlays and a cluster: what applying would change, applying it, and removing what is left over.
//!
//! Writes are server-side applies with the field manager `llmctl-dev`; what would change is what a dry run of the same
//! request answers, so defaults and webhooks are in it. What belongs to an overlay carries the label
//! `llmctl.dev/overlay`. To find what is left over, every kind that the cluster can list is asked for that label, metadata
//! only: some fifty small answers, but nothing to keep in step. (kubectl's `ApplySet` asks fewer kinds because it keeps a
//! list of them in an object of its own, which can be lost or be out of date.) Left over is only what has the label, was
//! applied by this program, has no owner, and is neither a namespace nor a kind of its own: those take others with them.

mod compare;
pub(in crate::cluster) mod conflict;
pub(in crate::cluster) mod exchange;
pub(in crate::cluster) mod kinds;
mod leftovers;
mod send;

pub(in crate::cluster) use kinds::Cache;

use super::Cluster;
use super::error::Error;
use super::rest::Asked;
use crate::domain::overlays::objects::{ObjectRef, Objects, labelled};
use crate::domain::overlays::plan::{Change, ChangeKind, Plan, Refusal};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use kinds::{Kind, Kinds};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Requests under way at one time.
const AT_ONCE: usize = 8;

/// Why an apply did not begin; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The plan says that it would fail, or take what others own.
    #[error("overlay {overlay} is not applied: {}", refusal_text(refusal))]
    Refused { overlay: String, refusal: Refusal },
    #[error(transparent)]
    Cluster(#[from] Error),
}

fn refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Conflict(what) => {
            format!("{what}; take the ownership, or leave the field out of the overlay")
        }
        Refusal::Failed(what) => format!("the cluster refuses {what}; correct the overlay"),
    }
}

/// An object of an overlay with its place in the cluster.
struct Wanted {
    object: Value,
    reference: ObjectRef,
    /// Absent: the cluster does not know the kind.
    kind: Option<Kind>,
}

impl Wanted {
    /// The namespace it lives in, when its kind lives in one.
    fn namespace(&self) -> Option<&str> {
        self.reference.namespace.as_deref()
    }
}

impl Cluster {
    /// What applying `objects` as overlay `overlay` would do. Objects that say no namespace go to `namespace`.
    ///
    /// # Errors
    /// When the cluster does not answer. What is wrong with single objects is in the plan.
    pub async fn plan(
        &self,
        overlay: &str,
        objects: &Objects,
        namespace: &str,
    ) -> Result<Plan, Error> {
        let mut kinds = self.kinds(false).await?;
        let mut wanted = place(overlay, objects, namespace, &kinds);
        if wanted.iter().any(|one| one.kind.is_none()) {
            // A kind may have come since the cluster was asked.
            kinds = self.kinds(true).await?;
            wanted = place(overlay, objects, namespace, &kinds);
        }
        let existing = self.existing_namespaces(&wanted).await?;
        let (promised, coming) = (promised_kinds(&wanted), promised_namespaces(&wanted));
        let comparisons: Vec<_> = wanted
            .iter()
            .map(|one| async {
                let namespace_is_there = one.namespace().is_none_or(|n| existing.contains(n));
                match &one.kind {
                    None if promised.contains(&key(&one.reference)) => Ok(compare::created()),
                    None => Ok(compare::unknown_kind(&one.reference)),
                    Some(_) if namespace_is_there => self.compare(one).await,
                    Some(_) if one.namespace().is_some_and(|n| coming.contains(n)) => {
                        Ok(compare::created())
                    }
                    Some(_) => Ok(compare::no_namespace(&one.reference)),
                }
            })
            .collect();
        let compared = all(comparisons).await?;
        let applied = compared
            .iter()
            .any(|one| one.overlay.as_deref() == Some(overlay));
        let mut changes: Vec<Change> = wanted
            .iter()
            .zip(compared)
            .map(|(one, compared)| Change {
                object: one.reference.clone(),
                kind: compared.kind,
                fields: compared.fields,
            })
            .collect();
        let (left, notes) = self.leftovers(overlay, &wanted, &existing, &kinds).await?;
        changes.extend(left.into_iter().map(|one| Change {
            object: one.reference,
            kind: ChangeKind::Prunable { uid: one.uid },
            fields: Vec::new(),
        }));
        let namespaces: BTreeSet<&str> = wanted.iter().filter_map(Wanted::namespace).collect();
        Ok(Plan {
            overlay: overlay.to_owned(),
            namespaces: namespaces.into_iter().map(str::to_owned).collect(),
            changes,
            notes,
            applied,
            objects: Objects::new(wanted.into_iter().map(|one| one.object).collect()),
        })
    }

    /// Which of the namespaces that `wanted` needs are there.
    async fn existing_namespaces(&self, wanted: &[Wanted]) -> Result<BTreeSet<String>, Error> {
        let names: BTreeSet<&str> = wanted.iter().filter_map(Wanted::namespace).collect();
        let questions: Vec<_> = names
            .into_iter()
            .map(|name| async move { Ok((name, self.namespace_exists(name).await?)) })
            .collect();
        let found = all(questions).await?;
        Ok(found
            .into_iter()
            .filter(|(_, exists)| *exists)
            .map(|(name, _)| name.to_owned())
            .collect())
    }

    /// The kinds that the cluster serves, asked once, or anew.
    pub(in crate::cluster) async fn kinds(&self, anew: bool) -> Result<Arc<Kinds>, Error> {
        let mut cached = self.kinds.lock().await;
        match &*cached {
            Some(kinds) if !anew => Ok(kinds.clone()),
            _ => {
                let kinds = Arc::new(self.discover().await?);
                *cached = Some(kinds.clone());
                Ok(kinds)
            }
        }
    }
}

/// All answers in their order, a few requests at a time; the first error ends it. (A list of futures, because a stream
/// that makes them from references cannot be sent to another thread.)
async fn all<T>(requests: Vec<impl Future<Output = Result<T, Error>>>) -> Result<Vec<T>, Error> {
    stream::iter(requests).buffered(AT_ONCE).try_collect().await
}

/// Puts the objects in their places: the label on, the namespace said, the kind looked up.
fn place(overlay: &str, objects: &Objects, namespace: &str, kinds: &Kinds) -> Vec<Wanted> {
    let place = |object: &Value| {
        let mut object = labelled(object, overlay);
        let mut reference = ObjectRef::of(&object)?;
        let kind = kinds.find(&reference.api_version, &reference.kind).cloned();
        if kind.as_ref().is_some_and(|kind| kind.namespaced) {
            let namespace = reference
                .namespace
                .get_or_insert_with(|| namespace.to_owned());
            object["metadata"]["namespace"] = Value::String(namespace.clone());
        } else if kind.is_some() {
            reference.namespace = None;
        }
        Some(Wanted {
            object,
            reference,
            kind,
        })
    };
    objects.all().iter().filter_map(place).collect()
}

fn key(reference: &ObjectRef) -> (String, String) {
    (reference.group().to_owned(), reference.kind.clone())
}

/// Kinds that the overlay itself brings.
fn promised_kinds(wanted: &[Wanted]) -> BTreeSet<(String, String)> {
    wanted
        .iter()
        .filter(|one| one.reference.kind == "CustomResourceDefinition")
        .filter_map(|one| {
            let text = |pointer| one.object.pointer(pointer)?.as_str().map(str::to_owned);
            Some((text("/spec/group")?, text("/spec/names/kind")?))
        })
        .collect()
}

/// Namespaces that the overlay itself brings.
fn promised_namespaces(wanted: &[Wanted]) -> BTreeSet<&str> {
    wanted
        .iter()
        .filter(|one| one.reference.kind == "Namespace" && one.reference.group().is_empty())
        .map(|one| one.reference.name.as_str())
        .collect()
}

/// What was asked, in words, of an object of any kind.
fn asked(verb: &'static str, reference: &ObjectRef, kind: &Kind) -> Asked {
    let place = reference.namespace.as_deref().unwrap_or_default();
    Asked::of_kind(verb, &reference.kind, &kind.plural, place, &reference.name)
}

/// Groups by owner, in the order of the owners' names.
type ByOwner = BTreeMap<String, Vec<String>>;
