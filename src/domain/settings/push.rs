//! Settings on their way to the cluster: what is to be written to a ConfigMap, who reads it, and how their restart goes.

use super::held::StoredChange;
use crate::domain::overlays::plan::Ownership;
use serde::Serialize;

/// Who owns the keys that were pushed, as Kubernetes names writers. Not the overlays' manager: an apply of fewer fields
/// takes the others away, and the keys of an overlay must stay.
pub const MANAGER: &str = "llmctl-dev-settings";

/// Changes of one ConfigMap, as they were looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    pub namespace: String,
    pub configmap: String,
    pub changes: Vec<StoredChange>,
    /// Take keys that others own.
    pub force: bool,
}

/// What a push wrote, or would write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// Keys that were taken from others, by owner.
    pub taken: Vec<Ownership>,
}

/// A workload whose pods read a ConfigMap when they start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Workload {
    pub kind: String,
    pub name: String,
}

impl std::fmt::Display for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// How far the pods of a workload are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rollout {
    /// Pods that it wants.
    pub wanted: u64,
    /// Pods of the new kind.
    pub updated: u64,
    /// Pods of the new kind that can serve.
    pub ready: u64,
    /// Pods of the old kind that are still there.
    pub old: u64,
    /// Nothing is left to wait for.
    pub done: bool,
    /// It will not get further by itself; why.
    pub stuck: Option<String>,
}

impl std::fmt::Display for Rollout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { wanted, ready, .. } = self;
        match &self.stuck {
            Some(why) => write!(f, "{ready}/{wanted} ready, stuck: {why}"),
            None if self.done => write!(f, "{ready}/{wanted} ready"),
            None if self.updated < *wanted => {
                write!(f, "{}/{wanted} replaced", self.updated)
            }
            None if ready < wanted => write!(f, "{ready}/{wanted} ready"),
            None => write!(f, "{ready}/{wanted} ready, {} old to end", self.old),
        }
    }
}
