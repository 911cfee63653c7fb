//! An apply under way and what it came to.

use super::objects::ObjectRef;
use super::plan::{ChangeKind, Plan};
use serde::Serialize;

/// How an apply is to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ApplyOptions {
    /// Take the ownership of fields that others own.
    pub force: bool,
    /// Remove what the plan lists as prunable.
    pub prune: bool,
}

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "why")]
pub enum Outcome {
    Created,
    Updated,
    Unchanged,
    Pruned,
    /// Refused by the cluster, and why.
    Failed(String),
    /// Not tried, and why.
    Skipped(String),
}

/// One object of an apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    pub object: ObjectRef,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What an apply tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Objects done, this one included.
    pub done: usize,
    pub total: usize,
    pub applied: Applied,
}

/// What an apply came to; every object of the plan is in it, prunable ones when they were to be pruned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub overlay: String,
    pub applied: Vec<Applied>,
    /// The cluster stopped answering on the way.
    #[serde(skip)]
    pub lost: bool,
}

impl Report {
    /// The report of a plan that has nothing to do.
    pub fn untouched(plan: &Plan) -> Self {
        let same = plan.changes.iter().filter(|c| c.kind == ChangeKind::Same);
        Self {
            overlay: plan.overlay.clone(),
            applied: same
                .map(|change| Applied {
                    object: change.object.clone(),
                    outcome: Outcome::Unchanged,
                })
                .collect(),
            lost: false,
        }
    }

    /// Every object is as the overlay says.
    pub fn is_whole(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The objects that were refused or not tried, with the reason.
    pub fn failures(&self) -> impl Iterator<Item = (&ObjectRef, &str)> {
        self.applied.iter().filter_map(|one| match &one.outcome {
            Outcome::Failed(why) | Outcome::Skipped(why) => Some((&one.object, why.as_str())),
            _ => None,
        })
    }

    /// `3 created · 1 updated · 35 unchanged`; parts that are zero are left out.
    pub fn summary(&self) -> String {
        let count = |wanted: fn(&Outcome) -> bool| {
            self.applied
                .iter()
                .filter(|one| wanted(&one.outcome))
                .count()
        };
        let parts: Vec<String> = [
            (count(|o| *o == Outcome::Created), "created"),
            (count(|o| *o == Outcome::Updated), "updated"),
            (count(|o| *o == Outcome::Unchanged), "unchanged"),
            (count(|o| *o == Outcome::Pruned), "pruned"),
            (count(|o| matches!(o, Outcome::Failed(_))), "refused"),
            (count(|o| matches!(o, Outcome::Skipped(_))), "not tried"),
        ]
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
        if parts.is_empty() {
            "nothing to do".into()
        } else {
            parts.join(" · ")
        }
    }
}
