//! A plan: what applying an overlay would do to each object, before anything is done.

use super::objects::{ObjectRef, Objects};
use super::progress::ApplyOptions;
use serde::Serialize;
use serde_json::Value;

/// One field that differs. Values of Secrets are masked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// `spec.template.spec.containers[studio].image`.
    pub path: String,
    /// What the cluster has; absent: nothing.
    pub before: Option<Value>,
    /// What it would have; absent: nothing.
    pub after: Option<Value>,
}

/// Fields that another field manager owns and the overlay sets to something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ownership {
    /// Who owns them: `kubectl-edit`, `kube-controller-manager`…
    pub owner: String,
    pub fields: Vec<String>,
}

/// What would happen to one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "change", content = "detail")]
pub enum ChangeKind {
    Create,
    Update,
    Same,
    /// Refused unless ownership is taken; [`Change::fields`] says what taking it would change.
    Conflict(Vec<Ownership>),
    /// Applied by this overlay earlier and not in it any more; goes only when pruning is asked for.
    Prunable {
        /// Identity of the very object that would go; another one of the same name stays.
        uid: String,
    },
    /// The cluster refuses it; why, and what to do.
    Failed(String),
}

/// One object of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    pub object: ObjectRef,
    #[serde(flatten)]
    pub kind: ChangeKind,
    pub fields: Vec<FieldChange>,
}

/// How many objects of a plan go which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub create: usize,
    pub update: usize,
    pub same: usize,
    pub conflict: usize,
    pub prunable: usize,
    pub failed: usize,
}

/// Why a plan is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else owns fields; the way out is to take them, or to leave them out of the overlay.
    Conflict(String),
    /// The cluster refuses an object.
    Failed(String),
}

/// What applying an overlay would do, with the very objects that would be sent: what was looked at is what is applied.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    pub overlay: String,
    /// Namespaces its objects live in, sorted.
    pub namespaces: Vec<String>,
    /// In the order of applying; prunable objects last.
    pub changes: Vec<Change>,
    /// What the comparison could not see, in sentences.
    pub notes: Vec<String>,
    /// Objects in the cluster carry this overlay's name.
    pub applied: bool,
    #[serde(skip)]
    pub objects: Objects,
}

impl Plan {
    /// How many objects go which way.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            *match change.kind {
                ChangeKind::Create => &mut counts.create,
                ChangeKind::Update => &mut counts.update,
                ChangeKind::Same => &mut counts.same,
                ChangeKind::Conflict(_) => &mut counts.conflict,
                ChangeKind::Prunable { .. } => &mut counts.prunable,
                ChangeKind::Failed(_) => &mut counts.failed,
            } += 1;
        }
        counts
    }

    /// `2 create · 1 change · 36 same · 1 would be pruned`; parts that are zero are left out.
    pub fn summary(&self) -> String {
        let counts = self.counts();
        let parts = [
            (counts.create, "create"),
            (counts.update, "change"),
            (counts.same, "same"),
            (counts.conflict, "in conflict"),
            (counts.failed, "refused"),
            (counts.prunable, "would be pruned"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| format!("{n} {word}"))
            .collect();
        if parts.is_empty() {
            "nothing in it".into()
        } else {
            parts.join(" · ")
        }
    }

    /// Applying it would write nothing that can be seen, pruning aside.
    pub fn is_in_sync(&self) -> bool {
        self.changes
            .iter()
            .all(|change| matches!(change.kind, ChangeKind::Same | ChangeKind::Prunable { .. }))
    }

    /// Nothing of it is in the cluster, its namespaces aside.
    pub fn is_first(&self) -> bool {
        let mut creates = 0;
        for change in &self.changes {
            match change.kind {
                ChangeKind::Create => creates += 1,
                _ if change.object.kind == "Namespace" => {}
                _ => return false,
            }
        }
        creates > 0
    }

    /// The objects in the way of applying, with the owner of their fields.
    pub fn conflicts(&self) -> impl Iterator<Item = (&ObjectRef, &[Ownership])> {
        self.changes.iter().filter_map(|change| match &change.kind {
            ChangeKind::Conflict(owners) => Some((&change.object, owners.as_slice())),
            _ => None,
        })
    }

    /// Why it cannot be applied that way, when it cannot: nothing is written then.
    pub fn refusal(&self, options: ApplyOptions) -> Option<Refusal> {
        let failed: Vec<(&ObjectRef, &str)> = self
            .changes
            .iter()
            .filter_map(|change| match &change.kind {
                ChangeKind::Failed(why) => Some((&change.object, why.as_str())),
                _ => None,
            })
            .collect();
        if let Some((object, why)) = failed.first() {
            let others = match failed.len() - 1 {
                0 => String::new(),
                n => format!(" (and {n} more)"),
            };
            return Some(Refusal::Failed(format!("{object}: {why}{others}")));
        }
        let (object, owners) = self.conflicts().next().filter(|_| !options.force)?;
        let owner = owners
            .first()
            .map_or("somebody else", |one| one.owner.as_str());
        let field = owners.first().and_then(|one| one.fields.first());
        let what = match (field, self.counts().conflict) {
            (Some(field), 1) => format!("{field} of {object} is owned by {owner}"),
            (_, n) => format!("{n} objects have fields that others own, {object} of {owner} first"),
        };
        Some(Refusal::Conflict(what))
    }

    /// The objects that pruning would remove.
    pub fn prunable(&self) -> impl Iterator<Item = &ObjectRef> {
        self.changes
            .iter()
            .filter(|change| matches!(change.kind, ChangeKind::Prunable { .. }))
            .map(|change| &change.object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::overlays::Standing;

    fn plan(kinds: Vec<(&str, ChangeKind)>) -> Plan {
        Plan {
            overlay: "minikube".into(),
            namespaces: vec!["llmctl".into()],
            changes: kinds
                .into_iter()
                .enumerate()
                .map(|(n, (kind_name, kind))| Change {
                    object: ObjectRef {
                        api_version: "v1".into(),
                        kind: kind_name.into(),
                        namespace: None,
                        name: format!("o{n}"),
                    },
                    kind,
                    fields: Vec::new(),
                })
                .collect(),
            notes: Vec::new(),
            applied: false,
            objects: Objects::default(),
        }
    }

    #[test]
    fn a_plan_says_how_its_overlay_stands() {
        use ChangeKind::{Conflict, Create, Failed, Same, Update};
        let prunable = || ChangeKind::Prunable { uid: "u".into() };
        let cases = [
            (
                vec![("Namespace", Create), ("ConfigMap", Create)],
                Standing::Never,
                "2 create",
            ),
            (
                vec![("Namespace", Same), ("ConfigMap", Create)],
                Standing::Never,
                "1 create · 1 same",
            ),
            (
                vec![("ConfigMap", Same), ("ConfigMap", Create)],
                Standing::Changed(1),
                "1 create · 1 same",
            ),
            (
                vec![("ConfigMap", Update), ("ConfigMap", Create)],
                Standing::Changed(2),
                "1 create · 1 change",
            ),
            (vec![("ConfigMap", Same)], Standing::InSync, "1 same"),
            (vec![("Namespace", Same)], Standing::InSync, "1 same"),
            (
                vec![("ConfigMap", Same), ("ConfigMap", prunable())],
                Standing::InSync,
                "1 same · 1 would be pruned",
            ),
            (
                vec![("ConfigMap", Update), ("ConfigMap", Conflict(vec![]))],
                Standing::Conflict(1),
                "1 change · 1 in conflict",
            ),
            (
                vec![
                    ("ConfigMap", Failed("no".into())),
                    ("ConfigMap", Conflict(vec![])),
                ],
                Standing::Refused(1),
                "1 in conflict · 1 refused",
            ),
            (vec![], Standing::InSync, "nothing in it"),
        ];
        for (kinds, standing, summary) in cases {
            let plan = plan(kinds);
            assert_eq!(Standing::of(&plan), standing);
            assert_eq!(plan.summary(), summary);
            assert_eq!(plan.is_in_sync(), standing == Standing::InSync);
        }
    }
}
