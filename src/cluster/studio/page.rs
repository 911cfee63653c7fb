//! Studio's settings page by HTTP, through the API server's proxy to its Service (contract 8.3).

use super::super::Cluster;
use super::super::apply::exchange::Answer;
use super::super::error::{Error, Kind};
use super::super::rest::Asked;
use crate::domain::settings::held::{Held, StoredChange};
use crate::domain::settings::key::Key;
use http::header::CONTENT_TYPE;
use http::request::Builder;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Studio's Service with its port.
const BACKEND: &str = "llmctl-studio-backend:5155";
const READ: &str = "api/settings/runtime";
const WRITE: &str = "api/settings/runtime/node-executor";

/// Why Studio's page could not be used.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error(
        "what answers as Service {BACKEND} in namespace {namespace} is no Studio with executor settings ({found}); without --via http its database is used"
    )]
    NoStudio {
        namespace: String,
        /// The status; what it says is `found`.
        code: u16,
        found: String,
    },
    #[error("Studio refuses the settings: {reason}; nothing was changed")]
    Refused { reason: String },
    #[error("{} changed since it was read: nothing was written, read it again", keys.join(", "))]
    Changed { keys: Vec<String> },
    /// Sent, and not answered as a write that was made or refused is.
    #[error(
        "whether Studio took the settings is not known: {reason}; see with `settings pull --from studio --via http --dry-run`"
    )]
    Uncertain { reason: String },
    #[error("Studio took the settings, and made something else of {}: read it again", keys.join(", "))]
    Bent { keys: Vec<String> },
    #[error("{0}; without --via http its database is used")]
    Cluster(#[from] Error),
}

/// What the page holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub held: Held,
    namespace: String,
}

impl Cluster {
    /// Reads the page.
    ///
    /// # Errors
    /// When Studio does not answer within 15 s, or answers something else.
    pub async fn studio_page(&self, namespace: &str) -> Result<Page, PageError> {
        let asked = asked("read", namespace);
        let request = http::Request::get(path(namespace, READ));
        let body = self
            .studio_says(&asked, namespace, request, Vec::new())
            .await?;
        let held = held(&body["node_executor_settings"]).ok_or_else(|| PageError::NoStudio {
            namespace: namespace.to_owned(),
            code: 200,
            found: "it says nothing of node_executor_settings".to_owned(),
        })?;
        Ok(Page {
            held,
            namespace: namespace.to_owned(),
        })
    }

    /// Saves changes. Every field is sent: what is missing in a request Studio takes for blank or false (W47). The
    /// stored kubeconfig stays as it is.
    ///
    /// # Errors
    /// [`PageError::Changed`] when the page is not what it was; nothing was written then. Between that look and the
    /// writing somebody else can still come: only the database has a lock. [`PageError::Uncertain`] when the answer does
    /// not say whether it was written.
    pub async fn save_studio_page(
        &self,
        page: &Page,
        changes: &[StoredChange],
    ) -> Result<(), PageError> {
        let namespace = &page.namespace;
        let now = self.studio_page(namespace).await?.held;
        let keys = differing(&page.held.texts, &now.texts);
        if !keys.is_empty() {
            return Err(PageError::Changed { keys });
        }
        let asked = asked("write", namespace);
        let request =
            http::Request::post(path(namespace, WRITE)).header(CONTENT_TYPE, "application/json");
        let sent = fields(&page.held, changes);
        let body = Value::from(sent).to_string().into_bytes();
        let said = self.studio_says(&asked, namespace, request, body).await;
        let answer = said.map_err(uncertain)?;
        let after = held(&answer["node_executor_settings"]).unwrap_or(now);
        let bent = |change: &&StoredChange| {
            let wanted = change
                .key
                .parse(change.to.as_deref().unwrap_or_default())
                .ok();
            // A blank image or tag is filled in, and means the same.
            wanted.as_ref() != after.says(change.key) && change.to.as_deref() != Some("")
        };
        let keys: Vec<String> = changes
            .iter()
            .filter(bent)
            .map(|one| one.key.to_string())
            .collect();
        if keys.is_empty() {
            Ok(())
        } else {
            Err(PageError::Bent { keys })
        }
    }

    async fn studio_says(
        &self,
        asked: &Asked,
        namespace: &str,
        request: Builder,
        body: Vec<u8>,
    ) -> Result<Value, PageError> {
        let answer = self.exchange(asked, request, body).await?;
        let is_kubernetes = answer.body["kind"] == "Status";
        match answer {
            Answer { code: ..300, body } if body.is_object() && body["message"].is_null() => {
                Ok(body)
            }
            Answer {
                code: 400 | 409 | 422,
                body,
            } if body["error"].is_string() => Err(PageError::Refused {
                reason: body["error"].as_str().unwrap_or_default().to_owned(),
            }),
            answer if is_kubernetes => Err(answer.error(asked, self.label()).into()),
            answer => Err(PageError::NoStudio {
                namespace: namespace.to_owned(),
                code: answer.code,
                found: found(&answer),
            }),
        }
    }
}

/// A page of HTML says nothing to a person here, what it means does.
fn found(answer: &Answer) -> String {
    let code = answer.code;
    let text = answer.body["message"].as_str().unwrap_or_default();
    match code {
        300..=399 | 401 | 403 => format!("it asks for a login, status {code}"),
        _ if text.starts_with('<') => format!("it answers with a web page, status {code}"),
        _ => format!("status {code}"),
    }
}

/// What a write that was sent and not answered properly is: it may have been made.
fn uncertain(error: PageError) -> PageError {
    match error {
        PageError::Cluster(error) if matches!(error.kind(), Kind::Unreachable | Kind::Unknown) => {
            PageError::Uncertain {
                reason: error.to_string(),
            }
        }
        PageError::NoStudio {
            code: ..300 | 500..,
            found,
            ..
        } => PageError::Uncertain { reason: found },
        other => other,
    }
}

fn asked(verb: &'static str, namespace: &str) -> Asked {
    Asked::of_kind(
        verb,
        "the settings page of service",
        "services/proxy",
        namespace,
        "llmctl-studio-backend",
    )
}

fn path(namespace: &str, page: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/services/{BACKEND}/proxy/{page}")
}

fn held(settings: &Value) -> Option<Held> {
    let texts: BTreeMap<&str, String> = settings
        .as_object()?
        .iter()
        .filter_map(|(key, value)| Some((&key[..], text(value)?)))
        .collect();
    let rows = texts.iter().map(|(key, text)| (*key, &text[..]));
    Some(Held::of_rows("settings page", rows))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn differing(before: &BTreeMap<Key, String>, now: &BTreeMap<Key, String>) -> Vec<String> {
    let differs = |key: &Key| before.get(key) != now.get(key);
    Key::ALL
        .into_iter()
        .filter(differs)
        .map(|key| key.to_string())
        .collect()
}

/// Every field of the page with the changes in it.
fn fields(held: &Held, changes: &[StoredChange]) -> Map<String, Value> {
    let value = |key: Key| {
        let changed = changes.iter().find(|change| change.key == key);
        match changed {
            Some(change) => change.to.clone().unwrap_or_default(),
            None => held.texts.get(&key).cloned().unwrap_or_default(),
        }
    };
    let mut all: Map<String, Value> = Key::ALL
        .into_iter()
        .filter(|key| key.is_studio_row() && !key.is_secret())
        .map(|key| (key.name().to_owned(), value(key).into()))
        .collect();
    all.insert(Key::Provider.name().to_owned(), "kubernetes".into());
    // Blank keeps the stored one.
    all.insert(Key::K8sKubeconfig.name().to_owned(), "".into());
    all.insert("k8s_kubeconfig_clear".to_owned(), "false".into());
    all
}
