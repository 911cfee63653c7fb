//! A kubeconfig for somebody else's machine: one context, with every file that it refers to inside of it (contract 3.5).

use super::connect::read;
use super::error::Error;
use crate::domain::hidden::Hidden;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use kube::config::{AuthInfo, Cluster, Kubeconfig};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A kubeconfig of one context, complete in itself.
#[derive(Debug)]
pub struct Minimal {
    pub text: Hidden,
    /// The API server, as the kubeconfig names it.
    pub server: String,
}

/// Makes one of the context of that name.
///
/// # Errors
/// When there is no such context, a file that it refers to cannot be read, or its user logs in by a program of this machine.
pub fn minimal(kubeconfig: Option<&Path>, context: &str) -> Result<Minimal, Error> {
    build(&read(kubeconfig)?, context)
}

/// Looks at a kubeconfig that is to be stored: whether it can be used elsewhere. Gives its API server.
///
/// # Errors
/// Says what is wrong, never what stands there.
pub fn check(text: &Hidden) -> Result<String, Error> {
    let parsed: Kubeconfig = serde_saphyr::from_str(text.reveal())
        .map_err(|_| unusable("it is no kubeconfig: it cannot be read as YAML of that form"))?;
    let context = parsed
        .current_context
        .clone()
        .or_else(|| parsed.contexts.first().map(|first| first.name.clone()))
        .ok_or_else(|| unusable("it has no context"))?;
    let (cluster, user) = parts(&parsed, &context)?;
    let files = [
        ("certificate-authority", &cluster.certificate_authority),
        ("client-certificate", &user.client_certificate),
        ("client-key", &user.client_key),
        ("tokenFile", &user.token_file),
    ];
    if let Some((name, _)) = files.iter().find(|(_, file)| file.is_some()) {
        return Err(unusable(&format!(
            "its {name} is a file of this machine: make a complete one with `settings kubeconfig from-profile`, or with `kubectl config view --flatten --minify --raw`"
        )));
    }
    by_itself(user)?;
    cluster
        .server
        .clone()
        .ok_or_else(|| unusable("its cluster has no server"))
}

/// Whether a server's address means this machine, and so nothing inside of a pod.
pub fn is_loopback(server: &str) -> bool {
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]")
}

fn build(all: &Kubeconfig, context: &str) -> Result<Minimal, Error> {
    let (cluster, user) = parts(all, context)?;
    by_itself(user)?;
    let server = cluster
        .server
        .clone()
        .ok_or_else(|| unusable("its cluster has no server"))?;
    let mut target = json!({"server": server});
    put(
        &mut target,
        "certificate-authority-data",
        embedded(
            cluster.certificate_authority_data.as_ref(),
            cluster.certificate_authority.as_ref(),
        )?,
    );
    put(
        &mut target,
        "insecure-skip-tls-verify",
        cluster.insecure_skip_tls_verify,
    );
    put(
        &mut target,
        "tls-server-name",
        cluster.tls_server_name.as_ref(),
    );
    // Secrets of the crate are texts only when they are written out.
    let written = serde_json::to_value(user).unwrap_or_default();
    let text = |name: &str| written[name].as_str().map(str::to_owned);
    let mut login = json!({});
    put(
        &mut login,
        "client-certificate-data",
        embedded(
            user.client_certificate_data.as_ref(),
            user.client_certificate.as_ref(),
        )?,
    );
    put(
        &mut login,
        "client-key-data",
        embedded(text("client-key-data").as_ref(), user.client_key.as_ref())?,
    );
    let token = match (text("token"), &user.token_file) {
        (None, Some(file)) => Some(String::from_utf8_lossy(&content(file)?).trim().to_owned()),
        (token, _) => token,
    };
    put(&mut login, "token", token);
    put(&mut login, "username", user.username.as_ref());
    put(&mut login, "password", text("password"));
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": target}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
        "users": [{"name": context, "user": login}],
    });
    let text = serde_saphyr::to_string(&document).map_err(|_| unusable("it cannot be written"))?;
    Ok(Minimal {
        text: Hidden::new(text),
        server,
    })
}

fn parts<'a>(all: &'a Kubeconfig, context: &str) -> Result<(&'a Cluster, &'a AuthInfo), Error> {
    let found = all.contexts.iter().find(|one| one.name == context);
    let entry = found.and_then(|one| one.context.as_ref()).ok_or_else(|| {
        unusable(&format!(
            "it has no context {context}: is the profile started?"
        ))
    })?;
    let cluster = all.clusters.iter().find(|one| one.name == entry.cluster);
    let user = all
        .auth_infos
        .iter()
        .find(|one| Some(&one.name) == entry.user.as_ref());
    match (
        cluster.and_then(|one| one.cluster.as_ref()),
        user.and_then(|one| one.auth_info.as_ref()),
    ) {
        (Some(cluster), Some(user)) => Ok((cluster, user)),
        _ => Err(unusable(&format!(
            "context {context} names a cluster or a user that it does not have"
        ))),
    }
}

/// A dispatcher has neither this machine's programs nor its files.
fn by_itself(user: &AuthInfo) -> Result<(), Error> {
    if user.exec.is_some() || user.auth_provider.is_some() {
        return Err(unusable(
            "its user logs in by a program of this machine, which a dispatcher does not have: use a context with a certificate or a token",
        ));
    }
    Ok(())
}

/// What is inside already, or the content of the file.
fn embedded(data: Option<&String>, file: Option<&String>) -> Result<Option<String>, Error> {
    match (data, file) {
        (Some(data), _) => Ok(Some(data.clone())),
        (None, Some(file)) => Ok(Some(BASE64_STANDARD.encode(content(file)?))),
        (None, None) => Ok(None),
    }
}

fn content(file: &str) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|source| Error::KubeconfigFile {
        path: PathBuf::from(file),
        source,
    })
}

fn put<T: serde::Serialize>(object: &mut Value, name: &str, value: Option<T>) {
    if let Some(value) = value {
        object[name] = json!(value);
    }
}

fn unusable(reason: &str) -> Error {
    Error::Kubeconfig {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"
apiVersion: v1
kind: Config
current-context: other
clusters:
- name: llmctl
  cluster:
    server: https://192.168.49.2:8443
    certificate-authority: ca.crt
    extensions: [{name: cluster_info, extension: {provider: minikube.sigs.k8s.io}}]
- {name: other, cluster: {server: "https://127.0.0.1:1"}}
contexts:
- {name: llmctl, context: {cluster: llmctl, user: llmctl, namespace: x}}
- {name: other, context: {cluster: other, user: plugin}}
users:
- {name: llmctl, user: {client-certificate: client.crt, client-key: client.key}}
- {name: plugin, user: {exec: {command: login, apiVersion: client.authentication.k8s.io/v1}}}
"#;

    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("config", CONFIG),
            ("ca.crt", "CA"),
            ("client.crt", "CERT"),
            ("client.key", "planted-key"),
        ] {
            fs::write(directory.path().join(name), text).unwrap();
        }
        directory
    }

    #[test]
    fn one_context_with_its_files_inside_is_all_there_is() {
        let directory = directory();
        let made = minimal(Some(&directory.path().join("config")), "llmctl").unwrap();
        let parsed: Value = serde_saphyr::from_str(made.text.reveal()).unwrap();
        assert_eq!(
            parsed,
            json!({
                "apiVersion": "v1", "kind": "Config", "current-context": "llmctl",
                "clusters": [{"name": "llmctl", "cluster": {"server": "https://192.168.49.2:8443", "certificate-authority-data": "Q0E="}}],
                "contexts": [{"name": "llmctl", "context": {"cluster": "llmctl", "user": "llmctl"}}],
                "users": [{"name": "llmctl", "user": {"client-certificate-data": "Q0VSVA==", "client-key-data": "cGxhbnRlZC1rZXk="}}],
            })
        );
        assert!(!format!("{made:?}").contains("cGxhbnRlZC1rZXk="));
        assert_eq!(check(&made.text).unwrap(), "https://192.168.49.2:8443");
    }

    #[test]
    fn what_cannot_be_used_elsewhere_is_refused_and_never_quoted() {
        let directory = directory();
        let file = directory.path().join("config");
        let told = |error: Error| format!("{error} {error:?}");
        let error = told(minimal(Some(&file), "other").unwrap_err());
        assert!(error.contains("logs in by a program"), "{error}");
        let error = told(minimal(Some(&file), "nosuch").unwrap_err());
        assert!(error.contains("no context nosuch"), "{error}");
        fs::remove_file(directory.path().join("client.key")).unwrap();
        let error = told(minimal(Some(&file), "llmctl").unwrap_err());
        assert!(error.contains("client.key"), "{error}");
        let by_file = CONFIG.replace("current-context: other", "current-context: llmctl");
        for (text, part) in [
            (by_file.as_str(), "certificate-authority"),
            ("planted: [", "YAML"),
            ("{}", "no context"),
        ] {
            let error = told(check(&Hidden::new(text)).unwrap_err());
            assert!(
                error.contains(part) && !error.contains("planted"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_address_of_this_machine_is_known() {
        assert!(is_loopback("https://127.0.0.1:8443") && is_loopback("https://localhost:1"));
        assert!(!is_loopback("https://192.168.49.2:8443"));
    }
}
