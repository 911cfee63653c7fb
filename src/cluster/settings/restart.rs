//! Who reads a ConfigMap when its pods start, and restarting them: environment variables reach only new pods.

use super::super::Cluster;
use super::super::apply::kinds::Kind;
use super::super::error::Error;
use super::super::rest::Asked;
use crate::domain::settings::push::{MANAGER, Rollout, Workload};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often a rollout is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// How long a rollout is followed.
const LONGEST: Duration = Duration::from_mins(10);

/// Kinds that replace their pods when their template changes.
const KINDS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// The annotation that kubectl sets for the same purpose, so that both see each other's restarts.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

impl Cluster {
    /// The workloads of a namespace whose pods take variables or files from a ConfigMap, sorted.
    ///
    /// # Errors
    /// When the cluster does not answer within 15 s, or does not let us look.
    pub async fn readers_of(
        &self,
        namespace: &str,
        configmap: &str,
    ) -> Result<Vec<Workload>, Error> {
        let kinds = self.kinds(false).await?;
        let mut readers = Vec::new();
        for name in KINDS {
            let Some(kind) = kinds.find("apps/v1", name) else {
                continue;
            };
            let asked = Asked::of_kind("list", name, &kind.plural, namespace, "objects");
            let request = http::Request::get(kind.path(Some(namespace)));
            let answer = self.exchange(&asked, request, Vec::new()).await?;
            let list = answer.good(&asked, self.label())?;
            for item in list["items"].as_array().into_iter().flatten() {
                if reads(&item["spec"]["template"]["spec"], configmap) {
                    readers.push(Workload {
                        kind: name.to_owned(),
                        name: item["metadata"]["name"]
                            .as_str()
                            .unwrap_or_default()
                            .to_owned(),
                    });
                }
            }
        }
        readers.sort();
        Ok(readers)
    }

    /// Has a workload replace its pods, as `kubectl rollout restart` does.
    ///
    /// # Errors
    /// When it is not there, or the cluster refuses.
    pub async fn restart(
        &self,
        namespace: &str,
        workload: &Workload,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (asked, path) = self.place_of("restart", namespace, workload).await?;
        let patch = json!({"spec": {"template": {"metadata": {"annotations": {
            RESTARTED_AT: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }}}}});
        let request = http::Request::patch(format!("{path}?fieldManager={MANAGER}"))
            .header(http::header::CONTENT_TYPE, "application/merge-patch+json");
        let answer = self
            .exchange(&asked, request, patch.to_string().into_bytes())
            .await?;
        answer.good(&asked, self.label()).map(drop)
    }

    /// How far a workload has replaced its pods.
    ///
    /// # Errors
    /// When it is not there, or the cluster does not answer.
    pub async fn rollout(&self, namespace: &str, workload: &Workload) -> Result<Rollout, Error> {
        let (asked, path) = self.place_of("look at", namespace, workload).await?;
        let answer = self
            .exchange(&asked, http::Request::get(path), Vec::new())
            .await?;
        Ok(rollout(&answer.good(&asked, self.label())?))
    }

    /// Follows a restart until it is done, is stuck, or has had its time (10 minutes); tells every step that is new.
    ///
    /// # Errors
    /// As [`Cluster::rollout`].
    pub async fn follow_rollout(
        &self,
        namespace: &str,
        workload: &Workload,
        told: impl Fn(&Rollout),
    ) -> Result<Rollout, Error> {
        let end = Instant::now() + LONGEST;
        let mut last = None;
        loop {
            let now = self.rollout(namespace, workload).await?;
            if last.as_ref() != Some(&now) {
                told(&now);
            }
            if now.done || now.stuck.is_some() || Instant::now() >= end {
                return Ok(now);
            }
            last = Some(now);
            sleep(EVERY).await;
        }
    }

    async fn place_of(
        &self,
        verb: &'static str,
        namespace: &str,
        workload: &Workload,
    ) -> Result<(Asked, String), Error> {
        let kinds = self.kinds(false).await?;
        let plural = workload.kind.to_ascii_lowercase() + "s";
        let found = kinds.find("apps/v1", &workload.kind);
        let path = found.map_or_else(
            || format!("/apis/apps/v1/namespaces/{namespace}/{plural}"),
            |kind: &Kind| kind.path(Some(namespace)),
        );
        let asked = Asked::of_kind(verb, &workload.kind, &plural, namespace, &workload.name);
        Ok((asked, format!("{path}/{}", workload.name)))
    }
}

/// A pod of this template looks into the ConfigMap when it starts.
fn reads(pod: &Value, configmap: &str) -> bool {
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let is_it = |name: &Value| name == configmap;
    let container = |one: &Value| {
        let whole = items(&one["envFrom"]);
        let single = items(&one["env"]);
        whole
            .iter()
            .any(|from| is_it(&from["configMapRef"]["name"]))
            || single
                .iter()
                .any(|one| is_it(&one["valueFrom"]["configMapKeyRef"]["name"]))
    };
    let volume = |one: &Value| {
        let projected = items(&one["projected"]["sources"]);
        is_it(&one["configMap"]["name"])
            || projected
                .iter()
                .any(|source| is_it(&source["configMap"]["name"]))
    };
    items(&pod["containers"]).iter().any(container)
        || items(&pod["initContainers"]).iter().any(container)
        || items(&pod["volumes"]).iter().any(volume)
}

fn rollout(object: &Value) -> Rollout {
    let status = &object["status"];
    let number = |name: &str| status[name].as_u64().unwrap_or(0);
    let is_daemon = object["kind"] == "DaemonSet";
    let wanted = if is_daemon {
        number("desiredNumberScheduled")
    } else {
        object["spec"]["replicas"].as_u64().unwrap_or(1)
    };
    let (updated, ready, old) = if is_daemon {
        let updated = number("updatedNumberScheduled");
        let all = number("currentNumberScheduled");
        (
            updated,
            number("numberAvailable"),
            all.saturating_sub(updated),
        )
    } else if object["kind"] == "StatefulSet" {
        // When all are replaced the status stops to count them.
        let same = status["currentRevision"] == status["updateRevision"];
        let updated = if same {
            wanted
        } else {
            number("updatedReplicas")
        };
        let old = wanted.saturating_sub(updated);
        (updated, number("readyReplicas"), old)
    } else {
        let updated = number("updatedReplicas");
        let old = number("replicas").saturating_sub(updated);
        (updated, number("availableReplicas"), old)
    };
    let seen =
        number("observedGeneration") >= object["metadata"]["generation"].as_u64().unwrap_or(0);
    Rollout {
        wanted,
        updated: if seen { updated } else { 0 },
        ready: ready.min(wanted),
        old,
        done: seen && updated >= wanted && ready >= wanted && old == 0,
        stuck: stuck(status).filter(|_| seen),
    }
}

fn stuck(status: &Value) -> Option<String> {
    let conditions = status["conditions"].as_array()?;
    let failed = conditions.iter().find(|one| {
        one["reason"] == "ProgressDeadlineExceeded" || one["type"] == "ReplicaFailure"
    })?;
    Some(
        failed["message"]
            .as_str()
            .unwrap_or("no progress")
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_found_by_environment_and_volumes() {
        let container = |part: Value| json!({"containers": [part]});
        for (pod, expected) in [
            (
                container(json!({"envFrom": [{"configMapRef": {"name": "m"}}]})),
                true,
            ),
            (
                container(json!({"envFrom": [{"secretRef": {"name": "m"}}]})),
                false,
            ),
            (
                container(json!({"envFrom": [{"configMapRef": {"name": "n"}}]})),
                false,
            ),
            (
                json!({"initContainers": [{"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}]}]}),
                true,
            ),
            (json!({"volumes": [{"configMap": {"name": "m"}}]}), true),
            (
                json!({"volumes": [{"projected": {"sources": [{"configMap": {"name": "m"}}]}}]}),
                true,
            ),
            (json!({}), false),
        ] {
            assert_eq!(reads(&pod, "m"), expected, "{pod}");
        }
    }

    #[test]
    fn a_rollout_is_done_when_all_are_new_and_ready_and_none_is_old() {
        let deployment = |observed: u64, status: Value| {
            let mut object = json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status});
            object["status"]["observedGeneration"] = observed.into();
            rollout(&object)
        };
        let done = json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        assert!(deployment(2, done.clone()).done);
        // The controller has not seen the restart yet: these are the numbers of before.
        assert!(!deployment(1, done).done);
        let old = json!({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3});
        let left = deployment(2, old);
        assert_eq!(
            (left.done, left.to_string()),
            (false, "2/2 ready, 1 old to end".into())
        );
        let few = deployment(
            2,
            json!({"replicas": 2, "updatedReplicas": 1, "availableReplicas": 2}),
        );
        assert_eq!(few.to_string(), "1/2 replaced");
        let failed =
            json!({"conditions": [{"reason": "ProgressDeadlineExceeded", "message": "no image"}]});
        assert_eq!(deployment(2, failed).stuck.as_deref(), Some("no image"));
        let daemon = json!({"kind": "DaemonSet", "metadata": {}, "status": {
            "desiredNumberScheduled": 1, "currentNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1}});
        assert!(rollout(&daemon).done);
        let set = json!({"kind": "StatefulSet", "metadata": {}, "spec": {"replicas": 1}, "status": {
            "currentRevision": "a", "updateRevision": "b", "readyReplicas": 1}});
        assert!(!rollout(&set).done);
    }
}
