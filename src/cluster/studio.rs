//! Studio in the cluster: where its database is, and the credentials of it, which are never shown (contract 7.1–7.3).

pub mod page;

use super::Cluster;
use super::error::{Error, Kind};
use super::forward::Forward;
use super::rest::{Asked, Resource};
use crate::domain::hidden::Hidden;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use std::fmt::Write as _;

/// What names the database in the cluster: a Deployment, and the Service before it.
pub const DATABASE: &str = "llmctl-postgres";
/// Studio's environment without its secrets, and the secrets.
const CONFIG: &str = "llmctl-studio-config";
const SECRETS: &str = "llmctl-studio-secrets";

/// Why Studio's database in the cluster cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StudioError {
    #[error(
        "there is no Service {DATABASE} in namespace {namespace}: apply an overlay that has it, or name the database with --postgres"
    )]
    NoService { namespace: String },
    #[error(
        "no pod of Service {DATABASE} in namespace {namespace} is ready ({found}): look at it with `kubectl -n {namespace} get pods`, or name the database with --postgres"
    )]
    NotReady { namespace: String, found: String },
    #[error(
        "Secret {SECRETS} in namespace {namespace} has no LLMCTL_POSTGRES_PASSWORD: make it after llmctl's studio-secret.example.yaml, or name the database with --postgres"
    )]
    NoPassword { namespace: String },
    #[error(transparent)]
    Cluster(#[from] Error),
}

/// What the stack's own objects say of Studio's database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudioDatabase {
    pub user: String,
    pub database: String,
    pub password: Hidden,
    /// `FLASK_SECRET_KEY`, under which the kubeconfig is encrypted; absent: Studio uses its default.
    pub flask_secret: Option<Hidden>,
    /// A pod that is ready, and the port that it listens on.
    pub pod: String,
    pub port: u16,
    namespace: String,
}

impl StudioDatabase {
    /// For messages: `database llmctl_studio in pod llmctl-postgres-0 of llmctl`.
    pub fn place(&self) -> String {
        let Self {
            database,
            pod,
            namespace,
            ..
        } = self;
        format!("database {database} in pod {pod} of {namespace}")
    }
}

impl Cluster {
    /// Whether a namespace has a database for Studio, ready or not.
    ///
    /// # Errors
    /// When the cluster does not answer within 15 s, or does not let us look.
    pub async fn has_studio_database(&self, namespace: &str) -> Result<bool, Error> {
        let service = self
            .object("service", "services", namespace, DATABASE)
            .await?;
        Ok(service.is_some())
    }

    /// Finds Studio's database in a namespace.
    ///
    /// # Errors
    /// What is missing, with the next step.
    pub async fn studio_database(&self, namespace: &str) -> Result<StudioDatabase, StudioError> {
        let in_namespace = || namespace.to_owned();
        let (config, secrets) = futures::try_join!(
            self.data_of("configmap", "configmaps", namespace, CONFIG),
            self.data_of("secret", "secrets", namespace, SECRETS)
        )?;
        let plain = |name: &str, default: &str| match config[name].as_str() {
            Some(text) if !text.trim().is_empty() => text.trim().to_owned(),
            _ => default.to_owned(),
        };
        let secret = |name: &str| {
            let bytes = BASE64_STANDARD.decode(secrets[name].as_str()?).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            (!text.is_empty()).then(|| Hidden::new(text))
        };
        let password =
            secret("LLMCTL_POSTGRES_PASSWORD").ok_or_else(|| StudioError::NoPassword {
                namespace: in_namespace(),
            })?;
        let (pod, port) = self.database_pod(namespace).await?;
        Ok(StudioDatabase {
            user: plain("LLMCTL_POSTGRES_USER", "llmctl"),
            database: plain("LLMCTL_POSTGRES_DB", "llmctl_studio"),
            password,
            flask_secret: secret("FLASK_SECRET_KEY"),
            pod,
            port,
            namespace: in_namespace(),
        })
    }

    /// Opens a stream to it.
    ///
    /// # Errors
    /// As [`Cluster::forward`].
    pub async fn forward_to(&self, database: &StudioDatabase) -> Result<Forward, Error> {
        self.forward(&database.namespace, &database.pod, database.port)
            .await
    }

    /// The `data` of an object; none where it is not there.
    async fn data_of(
        &self,
        kind: &str,
        plural: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, Error> {
        let found = self.object(kind, plural, namespace, name).await?;
        Ok(found
            .map(|mut object| object["data"].take())
            .unwrap_or_default())
    }

    async fn object(
        &self,
        kind: &str,
        plural: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, Error> {
        let asked = Asked::of_kind("get", kind, plural, namespace, name);
        let path = format!("/api/v1/namespaces/{namespace}/{plural}/{name}");
        let answer = self
            .exchange(&asked, http::Request::get(path), Vec::new())
            .await?;
        match answer.good(&asked, self.label()) {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A ready pod behind the Service, and its port.
    async fn database_pod(&self, namespace: &str) -> Result<(String, u16), StudioError> {
        let service = self
            .object("service", "services", namespace, DATABASE)
            .await?;
        let service = service.ok_or_else(|| StudioError::NoService {
            namespace: namespace.to_owned(),
        })?;
        let asked = Asked::all("list", Resource::Pods, namespace);
        let selector = selector(&service["spec"]["selector"]);
        let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}");
        let answer = self
            .exchange(&asked, http::Request::get(path), Vec::new())
            .await?;
        let pods = answer.good(&asked, self.label())?;
        let pods: &[Value] = pods["items"].as_array().map_or(&[], Vec::as_slice);
        let ready = pods.iter().find(|pod| is_ready(pod));
        let Some(pod) = ready else {
            let states: Vec<String> = pods.iter().map(state).collect();
            let found = if states.is_empty() {
                "there is none".to_owned()
            } else {
                states.join(", ")
            };
            return Err(StudioError::NotReady {
                namespace: namespace.to_owned(),
                found,
            });
        };
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        Ok((name.to_owned(), port(&service, pod)))
    }
}

/// A Service's selector as a query.
fn selector(labels: &Value) -> String {
    let mut query = String::new();
    for (name, value) in labels.as_object().into_iter().flatten() {
        let comma = if query.is_empty() { "" } else { "%2C" };
        let _ = write!(
            query,
            "{comma}{}%3D{}",
            name.replace('/', "%2F"),
            value.as_str().unwrap_or_default()
        );
    }
    query
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    pod["metadata"]["deletionTimestamp"].is_null()
        && conditions.is_some_and(|all| {
            all.iter()
                .any(|one| one["type"] == "Ready" && one["status"] == "True")
        })
}

/// `llmctl-postgres-0 Pending`.
fn state(pod: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!(
        "{} {}",
        word(&pod["metadata"]["name"]),
        word(&pod["status"]["phase"])
    )
}

/// The port that the pod listens on for the Service's first one; a named one is looked up in the pod.
fn port(service: &Value, pod: &Value) -> u16 {
    const POSTGRES: u16 = 5432;
    let number = |value: &Value| value.as_u64().and_then(|number| u16::try_from(number).ok());
    let first = &service["spec"]["ports"][0];
    let named = first["targetPort"].as_str().and_then(|name| {
        let containers = pod["spec"]["containers"].as_array()?;
        let mut ports = containers
            .iter()
            .filter_map(|one| one["ports"].as_array())
            .flatten();
        number(&ports.find(|port| port["name"] == name)?["containerPort"])
    });
    named
        .or_else(|| number(&first["targetPort"]))
        .or_else(|| number(&first["port"]))
        .unwrap_or(POSTGRES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_selector_becomes_a_query() {
        let labels = json!({"app": "llmctl-postgres", "app.kubernetes.io/part": "x"});
        assert_eq!(
            selector(&labels),
            "app%3Dllmctl-postgres%2Capp.kubernetes.io%2Fpart%3Dx"
        );
    }

    #[test]
    fn the_port_is_the_pods_own() {
        let pod = json!({"spec": {"containers": [{"ports": [{"name": "postgres", "containerPort": 5433}]}]}});
        let service = |port| json!({"spec": {"ports": [port]}});
        assert_eq!(
            port(&service(json!({"port": 1, "targetPort": "postgres"})), &pod),
            5433
        );
        assert_eq!(port(&service(json!({"port": 1, "targetPort": 2})), &pod), 2);
        assert_eq!(port(&service(json!({"port": 1})), &pod), 1);
        assert_eq!(port(&json!({}), &pod), 5432);
    }
}
