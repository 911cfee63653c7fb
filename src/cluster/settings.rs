//! Executor settings in a ConfigMap: what it holds, and writing our keys of it by server-side apply.

mod restart;

use super::Cluster;
use super::apply::conflict;
use super::apply::exchange::Answer;
use super::error::{Error, Kind};
use super::rest::{Asked, FIELD_MANAGER, Resource};
use crate::domain::overlays::plan::Ownership;
use crate::domain::settings::held::{CONFIG_MAPS, Held};
use crate::domain::settings::key::Key;
use crate::domain::settings::push::{MANAGER, Push, Pushed};
use serde_json::{Map, Value, json};

/// Why settings were not written. The ConfigMap is as it was.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error(
        "there is no ConfigMap {configmap} in namespace {namespace}; apply an overlay that has it (`llmctl-dev overlays apply executor`)"
    )]
    Missing {
        namespace: String,
        configmap: String,
    },
    #[error(
        "ConfigMap {configmap} changed since it was looked at: {}; nothing was written, look at it again", keys.join(", ")
    )]
    Moved {
        configmap: String,
        keys: Vec<String>,
    },
    #[error(
        "ConfigMap {configmap} is not written: {}; leave them out, or take them",
        owned(owners)
    )]
    Conflict {
        configmap: String,
        owners: Vec<Ownership>,
    },
    #[error(transparent)]
    Cluster(#[from] Error),
}

fn owned(owners: &[Ownership]) -> String {
    let one = |one: &Ownership| format!("{} owned by {}", one.fields.join(", "), one.owner);
    owners.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl Cluster {
    /// What the settings ConfigMaps of a namespace hold; those that are not there are not in the answer.
    ///
    /// # Errors
    /// When the cluster does not answer within 15 s, or does not let us look.
    pub async fn settings_maps(&self, namespace: &str) -> Result<Vec<Held>, Error> {
        let [studio, overlay] = CONFIG_MAPS;
        let (studio, overlay) = futures::try_join!(
            self.settings_map(namespace, studio),
            self.settings_map(namespace, overlay)
        )?;
        Ok(studio.into_iter().chain(overlay).collect())
    }

    /// What one ConfigMap holds of the settings; `None` when it is not there.
    ///
    /// # Errors
    /// When the cluster does not answer within 15 s, or does not let us look.
    pub async fn settings_map(&self, namespace: &str, name: &str) -> Result<Option<Held>, Error> {
        let found: Result<Value, Error> = self.get(Resource::ConfigMaps, namespace, name).await;
        match found {
            Ok(map) => {
                let data = map["data"].as_object().into_iter().flatten();
                let pairs = data.filter_map(|(name, text)| Some((&name[..], text.as_str()?)));
                Ok(Some(Held::of_variables(name, pairs)))
            }
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes changes of settings by server-side apply: our keys of before stay ours, nobody else's are in the request.
    /// What only an overlay of this program owns is taken, and told; what others own is taken when the push says so.
    /// A dry run does all but the writing.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn push_settings(&self, push: &Push, dry_run: bool) -> Result<Pushed, PushError> {
        let (namespace, configmap) = (&push.namespace, &push.configmap);
        let asked = Asked::object("apply", Resource::ConfigMaps, namespace, configmap);
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/{configmap}");
        let live = self
            .exchange(&asked, http::Request::get(&path), Vec::new())
            .await?;
        if live.code == 404 {
            let (namespace, configmap) = (namespace.clone(), configmap.clone());
            return Err(PushError::Missing {
                namespace,
                configmap,
            });
        }
        let live = live.good(&asked, self.label())?;
        let keys = moved(&live, push);
        if !keys.is_empty() {
            let configmap = configmap.clone();
            return Err(PushError::Moved { configmap, keys });
        }
        let body = body(&live, push);
        let send = async |force: bool| {
            let dry = if dry_run { "&dryRun=All" } else { "" };
            let uri = format!("{path}?fieldManager={MANAGER}&force={force}{dry}");
            let request = http::Request::patch(uri)
                .header(http::header::CONTENT_TYPE, "application/apply-patch+yaml");
            self.exchange(&asked, request, body.to_string().into_bytes())
                .await
        };
        let first = send(false).await?;
        let owners = conflict::owners(&first);
        if owners.is_empty() {
            self.written(&first, &asked, push)?;
            return Ok(Pushed::default());
        }
        let ours = owners.iter().all(|one| one.owner == FIELD_MANAGER);
        if !push.force && !ours {
            let configmap = configmap.clone();
            return Err(PushError::Conflict { configmap, owners });
        }
        self.written(&send(true).await?, &asked, push)?;
        Ok(Pushed { taken: owners })
    }

    fn written(&self, answer: &Answer, asked: &Asked, push: &Push) -> Result<(), PushError> {
        match answer.code {
            ..400 => Ok(()),
            // Another write came between our look and this one.
            409 => Err(PushError::Moved {
                configmap: push.configmap.clone(),
                keys: push
                    .changes
                    .iter()
                    .map(|change| change.key.to_string())
                    .collect(),
            }),
            _ => Err(answer.error(asked, self.label()).into()),
        }
    }
}

/// Keys of the push that hold something else than when it was looked at.
fn moved(live: &Value, push: &Push) -> Vec<String> {
    let stored = |key: Key| live["data"][key.variable()?].as_str();
    let changes = push.changes.iter();
    changes
        .filter(|change| stored(change.key) != change.from.as_deref())
        .map(|change| change.key.to_string())
        .collect()
}

/// The object to apply: the changes, and what is ours already as it is, because an apply takes away what it leaves out.
fn body(live: &Value, push: &Push) -> Value {
    let mut data: Map<String, Value> = ours(live)
        .filter_map(|name| Some((name.to_owned(), live["data"].get(name)?.clone())))
        .collect();
    for change in &push.changes {
        let Some(variable) = change.key.variable() else {
            continue;
        };
        match &change.to {
            Some(text) => data.insert(variable, text.as_str().into()),
            None => data.remove(&variable),
        };
    }
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": push.configmap,
            "namespace": push.namespace,
            // Refused when somebody writes between the look and this.
            "resourceVersion": live["metadata"]["resourceVersion"],
        },
        "data": data,
    })
}

/// Data keys that our manager applied earlier.
fn ours(live: &Value) -> impl Iterator<Item = &str> {
    let entries = live["metadata"]["managedFields"].as_array();
    entries
        .into_iter()
        .flatten()
        .filter(|entry| entry["manager"] == MANAGER && entry["operation"] == "Apply")
        .filter_map(|entry| entry["fieldsV1"]["f:data"].as_object())
        .flat_map(|fields| fields.keys())
        .filter_map(|field| field.strip_prefix("f:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::held::StoredChange;

    const TTL: &str = "LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS";
    const GPU: &str = "LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT";

    fn live() -> Value {
        json!({
            "metadata": {
                "resourceVersion": "7",
                "managedFields": [
                    {"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:data": {(format!("f:{GPU}")): {}, "f:GONE": {}}}},
                    {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {(format!("f:{TTL}")): {}, "f:FLASK_PORT": {}}}},
                ],
            },
            "data": {TTL: "1800", GPU: "1", "FLASK_PORT": "5155"},
        })
    }

    fn push(from: Option<&str>) -> Push {
        Push {
            namespace: "llmctl".into(),
            configmap: "m".into(),
            changes: vec![StoredChange {
                key: Key::K8sJobTtlSeconds,
                from: from.map(Into::into),
                to: Some("60".into()),
            }],
            force: false,
        }
    }

    #[test]
    fn only_our_keys_are_sent_with_the_version_that_was_read() {
        let sent = body(&live(), &push(Some("1800")));
        assert_eq!(sent["data"], json!({TTL: "60", GPU: "1"}));
        assert_eq!(sent["metadata"]["resourceVersion"], "7");
    }

    #[test]
    fn what_changed_since_the_look_is_named() {
        assert!(moved(&live(), &push(Some("1800"))).is_empty());
        for from in [Some("900"), None] {
            assert_eq!(moved(&live(), &push(from)), ["k8s_job_ttl_seconds"]);
        }
    }
}
