//! What a cluster has for a run, read before anything is created: five requests side by side, none of which writes.

use super::Cluster;
use super::error::{Error, Kind, innermost};
use super::rest::Asked;
use super::wire;
use crate::domain::preflight::{Facts, Known, NodeFacts, Presence, QuotaFacts};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

impl Cluster {
    /// Looks at everything that runs in `namespace` with `account` need. `clock` tells this machine's time, to compare it with the
    /// server's. The live code is not looked at: no API shows a node's files.
    pub async fn preflight(
        &self,
        namespace: &str,
        account: &str,
        clock: impl Fn() -> Timestamp,
    ) -> Facts {
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}");
        let quotas = format!("/api/v1/namespaces/{namespace}/resourcequotas");
        let (presence, account, nodes, quotas, skew) = tokio::join!(
            self.presence(namespace),
            self.look::<wire::Bare>("serviceaccount", account, &accounts),
            self.look::<wire::List<Node>>("nodes", "of the cluster", "/api/v1/nodes"),
            self.look::<wire::List<Quota>>("resourcequotas", namespace, &quotas),
            self.skew(clock),
        );
        Facts {
            namespace: presence,
            account: account.map(|found| found.is_some()),
            nodes: nodes.map(|list| all(list, Node::facts)),
            quotas: quotas.map(|list| all(list, Quota::facts)),
            skew,
            live_code: None,
        }
    }

    async fn presence(&self, namespace: &str) -> Known<Presence> {
        let path = format!("/api/v1/namespaces/{namespace}");
        let found: Option<wire::Bare> = self.look("namespace", namespace, &path).await?;
        Ok(match found {
            None => Presence::Missing,
            Some(found) if found.metadata.deletion_timestamp.is_some() => Presence::Going,
            Some(_) => Presence::There,
        })
    }

    /// An object or a list; none when there is none of that name.
    async fn look<T: DeserializeOwned>(
        &self,
        resource: &'static str,
        name: &str,
        path: &str,
    ) -> Known<Option<T>> {
        let asked = Asked::of_kind("read", resource, resource, "", name);
        let request = Request::get(path)
            .body(Vec::new())
            .map_err(|error| error.to_string())?;
        match self.request(&asked, request).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(brief(&error)),
        }
    }

    /// This machine's clock minus the server's, from the `Date` of an answer: the server's second began somewhere between half a
    /// second before and after what it says, and the answer was written between our question and its arrival.
    async fn skew(&self, clock: impl Fn() -> Timestamp) -> Option<SignedDuration> {
        let asked = Asked::path("read", "the time", "/version");
        let request = Request::get("/version")
            .body(kube::client::Body::empty())
            .ok()?;
        let before = clock();
        let answer = self
            .within(&asked, self.client().send(request))
            .await
            .ok()?;
        let took = clock().duration_since(before);
        let date = answer.headers().get(http::header::DATE)?.to_str().ok()?;
        let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
        let middle = before.checked_add(took / 2).ok()?;
        let theirs = theirs.checked_add(SignedDuration::from_millis(500)).ok()?;
        Some(middle.duration_since(theirs))
    }
}

fn all<T, F>(list: Option<wire::List<T>>, facts: fn(T) -> F) -> Vec<F> {
    list.map_or_else(Vec::new, |list| list.items.into_iter().map(facts).collect())
}

/// Only why: the row says what was looked at.
fn brief(error: &Error) -> String {
    match error {
        Error::Denied { verb, resource, .. } => {
            format!("the account may not {verb} {resource}")
        }
        Error::Unreachable { reason, .. } | Error::Other { reason, .. } => reason.clone(),
        other => innermost(other),
    }
}

#[derive(Clone, Debug, Deserialize)]
struct Node {
    #[serde(default)]
    metadata: wire::Meta,
    #[serde(default)]
    spec: NodeSpec,
    #[serde(default)]
    status: NodeStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct NodeSpec {
    unschedulable: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct NodeStatus {
    allocatable: BTreeMap<String, String>,
    conditions: Vec<Condition>,
    images: Option<Vec<Image>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Image {
    names: Option<Vec<String>>,
}

impl Node {
    fn facts(self) -> NodeFacts {
        let gpus = self.status.allocatable.get("nvidia.com/gpu");
        NodeFacts {
            name: self.metadata.name,
            ready: self
                .status
                .conditions
                .iter()
                .any(|condition| condition.kind == "Ready" && condition.status == "True"),
            schedulable: !self.spec.unschedulable,
            images: self
                .status
                .images
                .unwrap_or_default()
                .into_iter()
                .map(|image| image.names.unwrap_or_default())
                .collect(),
            gpus: gpus
                .and_then(|count| count.parse().ok())
                .unwrap_or_default(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
struct Quota {
    #[serde(default)]
    metadata: wire::Meta,
    #[serde(default)]
    status: QuotaStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct QuotaStatus {
    hard: BTreeMap<String, String>,
    used: BTreeMap<String, String>,
}

impl Quota {
    fn facts(self) -> QuotaFacts {
        QuotaFacts {
            name: self.metadata.name,
            hard: self.status.hard,
            used: self.status.used,
        }
    }
}
