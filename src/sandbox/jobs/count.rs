//! What a Job's pods add up to.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::object::{has_finalizer, is_deleting, put, uid};

/// The pods of a Job, sorted by what they mean for it.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// The ones that may still succeed.
    pub(super) active: Vec<Arc<Value>>,
    /// How many are being deleted and still run.
    pub(super) terminating: usize,
    /// The ones whose end is to be counted now.
    pub(super) finished: Vec<Arc<Value>>,
    /// The uids among them that were not noted as uncounted before.
    pub(super) new_succeeded: Vec<String>,
    pub(super) new_failed: Vec<String>,
    /// When the last of them ended.
    pub(super) last_end: Option<Timestamp>,
    /// How often containers of the active pods were restarted.
    pub(super) restarts: i64,
    ready: usize,
    uncounted_succeeded: Vec<String>,
    uncounted_failed: Vec<String>,
    counted_succeeded: usize,
    counted_failed: usize,
}

impl Count {
    /// Sorts the pods; `status` is the Job's, `tracking` the finalizer of a pod that is not counted yet.
    pub(super) fn of(pods: &[Arc<Value>], status: &Value, tracking: &str) -> Self {
        let number = |field: &str| {
            status[field]
                .as_u64()
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(0)
        };
        let mut count = Self {
            uncounted_succeeded: texts(&status["uncountedTerminatedPods"]["succeeded"]),
            uncounted_failed: texts(&status["uncountedTerminatedPods"]["failed"]),
            counted_succeeded: number("succeeded"),
            counted_failed: number("failed"),
            ..Self::default()
        };
        for pod in pods {
            count.sort(pod, tracking);
        }
        count
    }

    fn sort(&mut self, pod: &Arc<Value>, tracking: &str) {
        let phase = pod["status"]["phase"].as_str().unwrap_or_default();
        let succeeded = phase == "Succeeded";
        let over = succeeded || phase == "Failed";
        if !over && is_deleting(pod) {
            self.terminating += 1;
        }
        if !over && !is_deleting(pod) {
            self.ready += usize::from(is_ready(pod));
            self.restarts += restarts(pod);
            self.active.push(Arc::clone(pod));
            return;
        }
        // A pod on its way out counts as failed at once: nothing that it does any more can make it count as a success.
        if !has_finalizer(pod, tracking) {
            return;
        }
        self.finished.push(Arc::clone(pod));
        let id = uid(pod).to_owned();
        if self.uncounted_succeeded.contains(&id) || self.uncounted_failed.contains(&id) {
            return;
        }
        self.last_end = self.last_end.max(end(pod));
        if succeeded {
            self.new_succeeded.push(id);
        } else {
            self.new_failed.push(id);
        }
    }

    /// How many have succeeded, counted or not.
    pub(super) fn succeeded(&self) -> usize {
        self.counted_succeeded + self.uncounted_succeeded.len() + self.new_succeeded.len()
    }

    /// How many have failed, counted or not.
    pub(super) fn failed(&self) -> usize {
        self.counted_failed + self.uncounted_failed.len() + self.new_failed.len()
    }

    /// How many pods should be active.
    pub(super) fn wanted(&self, spec: &Value) -> usize {
        let number = |field: &str| spec[field].as_u64().and_then(|n| usize::try_from(n).ok());
        let parallelism = number("parallelism").unwrap_or(1);
        let wanted = match number("completions") {
            None if self.succeeded() > 0 => self.active.len().min(parallelism),
            None => parallelism,
            Some(completions) => completions
                .saturating_sub(self.succeeded())
                .min(parallelism),
        };
        if spec["podReplacementPolicy"] == "Failed" {
            wanted
                .saturating_sub(self.terminating)
                .max(self.active.len().min(wanted))
        } else {
            wanted
        }
    }

    /// The active pods were just deleted; when they are `failures`, each of them counts as one.
    pub(super) fn all_active_end(&mut self, failures: bool) {
        for pod in std::mem::take(&mut self.active) {
            self.terminating += 1;
            if failures {
                self.new_failed.push(uid(&pod).to_owned());
                self.finished.push(pod);
            }
        }
        self.ready = 0;
    }

    /// Writes the first step into the status: what is active, and whose end is yet to be counted.
    pub(super) fn write(&self, status: &mut Value) {
        put(
            status,
            "active",
            if self.active.is_empty() {
                Value::Null
            } else {
                self.active.len().into()
            },
        );
        put(status, "ready", self.ready.into());
        put(status, "terminating", self.terminating.into());
        let mut uncounted = json!({});
        for (field, old, new) in [
            ("succeeded", &self.uncounted_succeeded, &self.new_succeeded),
            ("failed", &self.uncounted_failed, &self.new_failed),
        ] {
            let all: Vec<&String> = old.iter().chain(new).collect();
            if !all.is_empty() {
                uncounted[field] = json!(all);
            }
        }
        put(status, "uncountedTerminatedPods", uncounted);
    }

    /// Writes the second step: everything is counted.
    pub(super) fn fold(&self, status: &mut Value) {
        for (field, number) in [("succeeded", self.succeeded()), ("failed", self.failed())] {
            put(
                status,
                field,
                if number == 0 {
                    Value::Null
                } else {
                    number.into()
                },
            );
        }
        put(status, "uncountedTerminatedPods", json!({}));
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect()
}

fn is_ready(pod: &Value) -> bool {
    pod["status"]["conditions"].as_array().is_some_and(|all| {
        all.iter()
            .any(|one| one["type"] == "Ready" && one["status"] == "True")
    })
}

fn restarts(pod: &Value) -> i64 {
    let statuses = pod["status"]["containerStatuses"].as_array();
    statuses
        .into_iter()
        .flatten()
        .filter_map(|status| status["restartCount"].as_i64())
        .sum()
}

/// When the last container of a pod ended.
fn end(pod: &Value) -> Option<Timestamp> {
    let statuses = pod["status"]["containerStatuses"].as_array();
    statuses
        .into_iter()
        .flatten()
        .filter_map(|status| {
            status["state"]["terminated"]["finishedAt"]
                .as_str()?
                .parse()
                .ok()
        })
        .max()
}
