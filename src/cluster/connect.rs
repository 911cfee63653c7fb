//! From a kubeconfig to a connection: which file, which context, whether it may be used, and a client without kube's surprises.

use super::Cluster;
use super::error::{Error, innermost};
use crate::domain::guard::{self, Context, Wanted};
use crate::domain::target::Target;
use kube::config::{
    Cluster as ClusterEntry, Config, Context as ContextEntry, ExecInteractiveMode,
    KubeConfigOptions, Kubeconfig, KubeconfigError, NamedExtension,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MINIKUBE_PROVIDER: &str = "minikube.sigs.k8s.io";

/// What to connect to.
#[derive(Clone, Debug)]
pub struct Connect {
    /// One file; without it the files of `KUBECONFIG`, or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    pub wanted: Wanted,
    /// Contexts that the config file allows wherever they are.
    pub allowed: Vec<String>,
}

impl Cluster {
    /// Reads the kubeconfig, chooses the context and makes a client. Sends nothing yet: a cluster that is down is noticed by the first request.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used, or [`guard::decide`] refuses.
    pub async fn connect(connect: &Connect) -> Result<(Self, Target), Error> {
        let kubeconfig = read(connect.kubeconfig.as_deref())?;
        let target = guard::decide(&contexts_of(&kubeconfig), &connect.wanted, &connect.allowed)?;
        let client = client(kubeconfig, &target).await?;
        Ok((Self::new(client, &target), target))
    }
}

/// The contexts of a kubeconfig, for a list to choose from.
///
/// # Errors
/// When the kubeconfig cannot be read.
pub fn contexts(kubeconfig: Option<&Path>) -> Result<Vec<Context>, Error> {
    read(kubeconfig).map(|kubeconfig| contexts_of(&kubeconfig))
}

pub(super) fn read(path: Option<&Path>) -> Result<Kubeconfig, Error> {
    let files: Vec<PathBuf> = match (path, std::env::var_os("KUBECONFIG")) {
        (Some(path), _) => return Kubeconfig::read_from(path).map_err(explain),
        (None, Some(list)) => std::env::split_paths(&list)
            .filter(|p| !p.as_os_str().is_empty())
            .collect(),
        (None, None) => Vec::new(),
    };
    if files.is_empty() {
        return match Kubeconfig::read() {
            Err(KubeconfigError::ReadConfig(source, _))
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(Kubeconfig::default())
            }
            other => other.map_err(explain),
        };
    }
    // As kubectl does and kube does not: a file of the list that is not there is no error, its contexts are just not there either.
    let mut merged = Kubeconfig::default();
    for file in files.iter().filter(|file| file.exists()) {
        let next = Kubeconfig::read_from(file).map_err(explain)?;
        merged = merged.merge(next).map_err(explain)?;
    }
    Ok(merged)
}

fn contexts_of(kubeconfig: &Kubeconfig) -> Vec<Context> {
    let describe = |name: &str, entry: Option<&ContextEntry>| {
        let cluster = entry.and_then(|entry| {
            let named = kubeconfig
                .clusters
                .iter()
                .find(|c| c.name == entry.cluster)?;
            named.cluster.as_ref()
        });
        Context {
            name: name.to_owned(),
            server: cluster.and_then(|c| c.server.clone()).unwrap_or_default(),
            minikube: is_minikube(entry, cluster),
            proxied: cluster.is_some_and(|c| c.proxy_url.is_some()),
        }
    };
    kubeconfig
        .contexts
        .iter()
        .map(|named| describe(&named.name, named.context.as_ref()))
        .collect()
}

/// Minikube leaves its name in the extensions of the context and of the cluster; older versions only their certificate's path.
fn is_minikube(context: Option<&ContextEntry>, cluster: Option<&ClusterEntry>) -> bool {
    let marked = |extensions: Option<&Vec<NamedExtension>>| {
        extensions.is_some_and(|all| {
            all.iter().any(|e| {
                e.extension.get("provider").and_then(|p| p.as_str()) == Some(MINIKUBE_PROVIDER)
            })
        })
    };
    let certificate = cluster
        .and_then(|c| c.certificate_authority.as_deref())
        .map(Path::new);
    marked(context.and_then(|c| c.extensions.as_ref()))
        || marked(cluster.and_then(|c| c.extensions.as_ref()))
        || certificate.is_some_and(|path| {
            path.components()
                .any(|part| part.as_os_str() == ".minikube")
        })
}

async fn client(kubeconfig: Kubeconfig, target: &Target) -> Result<kube::Client, Error> {
    // A no-op when it is installed already; without it rustls panics as soon as some dependency compiles in a second provider.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let proxied = contexts_of(&kubeconfig)
        .iter()
        .any(|c| c.name == target.name && c.proxied);
    let options = KubeConfigOptions {
        context: Some(target.name.clone()),
        ..KubeConfigOptions::default()
    };
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(explain)?;
    if !proxied {
        // kube takes HTTPS_PROXY from the environment and matches NO_PROXY against the proxy's own address.
        config.proxy_url = None;
    }
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // The default tries 15 times: minutes of silence on a paused cluster. Who retries here, says so.
    config.default_retry = false;
    if let Some(exec) = &mut config.auth_info.exec
        && exec.interactive_mode != Some(ExecInteractiveMode::Always)
    {
        // A plugin that reads the terminal would take keys from the UI and write over it.
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
    kube::Client::try_from(config).map_err(|error| Error::Kubeconfig {
        reason: format!(
            "context {} cannot be used: {}",
            target.name,
            innermost(&error)
        ),
    })
}

/// Says where the kubeconfig is wrong. Parser messages may quote the file, and the file holds keys: only the place is told.
fn explain(error: KubeconfigError) -> Error {
    let reason = match error {
        KubeconfigError::ReadConfig(source, path) => return Error::KubeconfigFile { path, source },
        KubeconfigError::Parse(parse) => match parse.location() {
            Some(at) => format!(
                "the kubeconfig is not valid: line {}, column {}",
                at.line(),
                at.column()
            ),
            None => "the kubeconfig is not valid".to_owned(),
        },
        KubeconfigError::LoadCertificateAuthority(e) => {
            format!("the certificate authority cannot be loaded: {e}")
        }
        KubeconfigError::LoadClientCertificate(e) => {
            format!("the client certificate cannot be loaded: {e}")
        }
        KubeconfigError::LoadClientKey(e) => format!("the client key cannot be loaded: {e}"),
        other => other.to_string(),
    };
    Error::Kubeconfig { reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::error::Kind;
    use crate::domain::target::TargetKind;

    const MINIKUBE: &str = r#"
apiVersion: v1
kind: Config
clusters:
- name: llmctl
  cluster:
    server: https://192.168.49.2:8443
    certificate-authority: ca.crt
    extensions:
    - name: cluster_info
      extension: {provider: minikube.sigs.k8s.io, version: v1.38.1}
- {name: kind-c, cluster: {server: "https://127.0.0.1:40000"}}
- {name: old, cluster: {server: "https://192.168.39.7:8443", certificate-authority: /home/me/.minikube/ca.crt}}
- {name: prod, cluster: {server: "https://api.example.com", proxy-url: "http://proxy.example.com"}}
contexts:
- {name: llmctl, context: {cluster: llmctl, user: llmctl}}
- {name: kind, context: {cluster: kind-c, user: kind}}
- {name: old, context: {cluster: old, user: kind}}
- {name: prod, context: {cluster: prod, user: kind}}
- {name: broken, context: {cluster: nosuch, user: kind}}
users:
- {name: kind, user: {token: very-secret-token}}
- {name: llmctl, user: {token: very-secret-token}}
"#;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn connect(file: &tempfile::NamedTempFile, wanted: Wanted) -> Connect {
        Connect {
            kubeconfig: Some(file.path().to_owned()),
            wanted,
            allowed: Vec::new(),
        }
    }

    #[test]
    fn contexts_are_described() {
        let file = file(MINIKUBE);
        let contexts = contexts(Some(file.path())).unwrap();
        let facts: Vec<_> = contexts
            .iter()
            .map(|c| (c.name.as_str(), c.minikube, c.proxied, c.server.is_empty()))
            .collect();
        assert_eq!(
            facts,
            [
                ("llmctl", true, false, false),
                ("kind", false, false, false),
                ("old", true, false, false),
                ("prod", false, true, false),
                ("broken", false, false, true),
            ]
        );
    }

    #[tokio::test]
    async fn a_named_local_context_connects_and_a_remote_one_does_not() {
        let file = file(MINIKUBE);
        let (cluster, target) = Cluster::connect(&connect(&file, Wanted::Context("kind".into())))
            .await
            .unwrap();
        assert_eq!(
            target,
            Target {
                kind: TargetKind::Context,
                name: "kind".into(),
                server: "https://127.0.0.1:40000".into()
            }
        );
        assert_eq!(format!("{cluster:?}"), "Cluster(\"CONTEXT kind\")");
        let error = Cluster::connect(&connect(&file, Wanted::Context("prod".into())))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{error}");
        let error = Cluster::connect(&connect(&file, Wanted::Context("nosuch".into())))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    }

    #[tokio::test]
    async fn certificates_are_looked_for_beside_the_kubeconfig() {
        let file = file(MINIKUBE);
        let error = Cluster::connect(&connect(&file, Wanted::Profile("llmctl".into())))
            .await
            .unwrap_err();
        let beside = file.path().with_file_name("ca.crt");
        assert!(
            error.to_string().contains(&beside.display().to_string()),
            "{error}"
        );
    }

    #[test]
    fn a_broken_kubeconfig_is_placed_and_not_quoted() {
        let file = file("users:\n- name: me\n  user: {token: very-secret-token\n");
        let error = contexts(Some(file.path())).unwrap_err();
        assert!(error.to_string().contains("line"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(error.kind(), Kind::Invalid);
        let missing = contexts(Some(Path::new("/nonexistent/kubeconfig"))).unwrap_err();
        assert!(
            missing.to_string().contains("/nonexistent/kubeconfig"),
            "{missing}"
        );
    }
}
