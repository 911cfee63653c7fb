//! What runs left behind in a namespace: looked for in one list of each kind, and removed one by one.

use super::error::{Error, Kind as ErrorKind};
use super::rest::Resource;
use super::watch::EXECUTOR_LABEL;
use super::{Cluster, jobs, wire};
use crate::domain::orphans::{JobFacts, Kind, Orphan, PayloadFacts, find};
use jiff::Timestamp;
use kube::api::{DeleteParams, ListParams};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

/// The label of payloads (contract 4.2).
const PAYLOAD_LABEL: &str = "llmctl.payload=true";
/// Objects in one page of a list.
const PAGE: u32 = 250;

impl Cluster {
    /// Looks for what is left over in `namespace` at `now`, the oldest first.
    ///
    /// # Errors
    /// When Jobs, pods or `ConfigMaps` may not be listed, or the cluster does not answer.
    pub async fn orphans(&self, namespace: &str, now: Timestamp) -> Result<Vec<Orphan>, Error> {
        // Payloads first: one whose Job is made meanwhile is not taken for one without.
        let mut payloads = Vec::new();
        self.each(
            Resource::ConfigMaps,
            namespace,
            PAYLOAD_LABEL,
            |object: Value| {
                payloads.extend(payload(&object));
            },
        )
        .await?;
        let mut with_pods = BTreeSet::new();
        self.each(
            Resource::Pods,
            namespace,
            EXECUTOR_LABEL,
            |pod: wire::Bare| {
                let owners = pod.metadata.owner_references.into_iter();
                with_pods.extend(owners.map(|owner| owner.uid));
            },
        )
        .await?;
        let mut jobs = Vec::new();
        self.each(
            Resource::Jobs,
            namespace,
            EXECUTOR_LABEL,
            |object: Value| {
                jobs.extend(job(&object, &with_pods));
            },
        )
        .await?;
        Ok(find(&payloads, &jobs, now))
    }

    /// Removes one of them, and nothing else that has its name by now. Gone already is as good.
    ///
    /// # Errors
    /// When it may not be removed, or the cluster does not answer.
    pub async fn remove_orphan(&self, namespace: &str, orphan: &Orphan) -> Result<(), Error> {
        let resource = match orphan.kind {
            Kind::ConfigMap => Resource::ConfigMaps,
            Kind::Job => Resource::Jobs,
        };
        let params = jobs::only(DeleteParams::background(), Some(&orphan.uid));
        match self
            .delete(resource, namespace, &orphan.name, &params)
            .await
        {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    async fn each<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        labels: &str,
        mut take: impl FnMut(T),
    ) -> Result<(), Error> {
        let mut params = ListParams {
            label_selector: Some(labels.to_owned()),
            limit: Some(PAGE),
            ..ListParams::default()
        };
        loop {
            let page: wire::List<T> = self.page(resource, namespace, &params).await?;
            page.items.into_iter().for_each(&mut take);
            if page.metadata.next.is_empty() {
                return Ok(());
            }
            params.continue_token = Some(page.metadata.next);
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn bytes(object: &Value) -> u64 {
    object.to_string().len() as u64
}

/// None for an object without a creation time, which no server sends.
fn payload(object: &Value) -> Option<PayloadFacts> {
    let meta = &object["metadata"];
    Some(PayloadFacts {
        name: text(&meta["name"]),
        uid: text(&meta["uid"]),
        created: meta["creationTimestamp"].as_str()?.parse().ok()?,
        bytes: bytes(object),
        owned: meta["ownerReferences"]
            .as_array()
            .is_some_and(|all| !all.is_empty()),
        going: !meta["deletionTimestamp"].is_null(),
    })
}

fn job(object: &Value, with_pods: &BTreeSet<String>) -> Option<JobFacts> {
    let (meta, spec, status) = (&object["metadata"], &object["spec"], &object["status"]);
    let uid = text(&meta["uid"]);
    let finished = |condition: &Value| {
        condition["status"] == "True"
            && (condition["type"] == "Complete" || condition["type"] == "Failed")
    };
    let counted = |field: &str| status[field].as_u64().is_some_and(|number| number > 0);
    Some(JobFacts {
        name: text(&meta["name"]),
        created: meta["creationTimestamp"].as_str()?.parse().ok()?,
        bytes: bytes(object),
        finished: status["conditions"]
            .as_array()
            .is_some_and(|all| all.iter().any(finished)),
        has_ttl: !spec["ttlSecondsAfterFinished"].is_null(),
        suspended: spec["suspend"] == true,
        pods: counted("active") || with_pods.contains(&uid),
        going: !meta["deletionTimestamp"].is_null(),
        uid,
    })
}
