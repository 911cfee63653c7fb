//! One object of an overlay beside the one in the cluster.

use super::super::Cluster;
use super::super::error::Error;
use super::exchange::{Answer, Apply};
use super::{Wanted, asked, conflict};
use crate::domain::overlays::OVERLAY_LABEL;
use crate::domain::overlays::diff::diff;
use crate::domain::overlays::objects::ObjectRef;
use crate::domain::overlays::plan::{ChangeKind, FieldChange};
use serde_json::Value;

/// What comparing one object found.
pub(super) struct Compared {
    pub(super) kind: ChangeKind,
    pub(super) fields: Vec<FieldChange>,
    /// The overlay whose name the object in the cluster carries.
    pub(super) overlay: Option<String>,
}

fn plain(kind: ChangeKind) -> Compared {
    Compared {
        kind,
        fields: Vec::new(),
        overlay: None,
    }
}

/// It is not there, and a dry run has nothing to run in yet.
pub(super) fn created() -> Compared {
    plain(ChangeKind::Create)
}

/// The cluster has no such kind.
pub(super) fn unknown_kind(reference: &ObjectRef) -> Compared {
    plain(ChangeKind::Failed(format!(
        "the cluster has no kind {} in {}; install what brings it, or correct apiVersion and kind",
        reference.kind, reference.api_version
    )))
}

/// Its namespace is not there and the overlay does not bring it.
pub(super) fn no_namespace(reference: &ObjectRef) -> Compared {
    let namespace = reference.namespace.as_deref().unwrap_or_default();
    plain(ChangeKind::Failed(format!(
        "namespace {namespace} does not exist; add a Namespace to the overlay or create it"
    )))
}

impl Cluster {
    /// Compares by a dry run: what would come out is what the API server says would come out.
    pub(super) async fn compare(&self, wanted: &Wanted) -> Result<Compared, Error> {
        let Wanted {
            object,
            reference,
            kind: Some(kind),
        } = wanted
        else {
            return Ok(unknown_kind(&wanted.reference));
        };
        let asked = asked("compare", reference, kind);
        let send = |force| {
            let how = Apply {
                dry_run: true,
                force,
            };
            self.send_apply(&asked, reference, kind, object, how)
        };
        let (live, dry) = futures::try_join!(self.live(&asked, reference, kind), send(false))?;
        let before = match live.code {
            404 => None,
            _ => Some(live.good(&asked, self.label())?),
        };
        let overlay = before
            .as_ref()
            .and_then(|live| {
                live.pointer("/metadata/labels")?
                    .get(OVERLAY_LABEL)?
                    .as_str()
            })
            .map(str::to_owned);
        let owners = conflict::owners(&dry);
        let (kind, fields) = if !owners.is_empty() {
            let forced = send(true).await?;
            (
                ChangeKind::Conflict(owners),
                changed(before.as_ref(), &forced),
            )
        } else if dry.code >= 400 {
            if !dry.is_about_the_object() {
                return Err(dry.error(&asked, self.label()));
            }
            (ChangeKind::Failed(dry.message()), Vec::new())
        } else if before.is_none() {
            (ChangeKind::Create, Vec::new())
        } else {
            let fields = changed(before.as_ref(), &dry);
            let kind = if fields.is_empty() {
                ChangeKind::Same
            } else {
                ChangeKind::Update
            };
            (kind, fields)
        };
        Ok(Compared {
            kind,
            fields,
            overlay,
        })
    }
}

fn changed(before: Option<&Value>, after: &Answer) -> Vec<FieldChange> {
    match before {
        Some(before) if after.code < 400 => diff(before, &after.body),
        _ => Vec::new(),
    }
}
