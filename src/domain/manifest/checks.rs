//! What the API server or the kubelet would refuse later, refused before anything is created (W22 to W26).

use super::{Refusal, Wanted};
use crate::domain::settings::images::Parts;
use crate::domain::settings::rules::{is_dns_label, is_dns_subdomain, is_label_value, is_tag};
use std::ops::RangeInclusive;

/// Most bytes of the data of a ConfigMap.
const CONFIGMAP_MAX: usize = 1024 * 1024;

pub(super) fn check(wanted: &Wanted) -> Result<(), Refusal> {
    let settings = wanted.settings;
    dns_label("sample", &wanted.sample.name)?;
    dns_label("k8s_namespace", &settings.namespace)?;
    if let Some(account) = &settings.service_account {
        dns_subdomain("k8s_service_account", account)?;
    }
    for secret in &settings.image_pull_secrets {
        dns_subdomain("k8s_image_pull_secrets_json", secret)?;
    }
    label_value("workspace_identity_key", &settings.workspace_identity)?;
    if let Some(app) = &settings.argocd_app {
        label_value("argocd_app", app)?;
    }
    if let Some(path) = &settings.live_code_path {
        host_path(path)?;
    }
    image(wanted.image)?;
    range("ttl", wanted.ttl, 60..=86_400)?;
    range("timeout", wanted.timeout, 5..=86_400)?;
    range("gpu", wanted.gpu, 0..=8)?;
    range(
        "dispatch_timeout_seconds",
        settings.dispatch_timeout_seconds,
        5..=3600,
    )?;
    range(
        "cancel_grace_timeout_seconds",
        settings.cancel_grace_seconds,
        1..=300,
    )?;
    if let Some(timeout) = wanted.sample.timeout_seconds {
        range("timeout_seconds of the sample", timeout, 1..=86_400)?;
    }
    for (name, value) in &wanted.sample.env.0 {
        environment(name, value)?;
    }
    if wanted
        .sample
        .container_command
        .as_ref()
        .is_some_and(Vec::is_empty)
    {
        return refuse("container_command", "", "needs at least one part");
    }
    Ok(())
}

/// The payload fits into a ConfigMap, whose data may hold 1 MiB with its key.
pub(super) fn check_size(payload: &str) -> Result<(), Refusal> {
    let bytes = payload.len() + "payload.json".len();
    if bytes > CONFIGMAP_MAX {
        return refuse(
            "payload",
            &format!("{bytes} bytes"),
            "a ConfigMap holds at most 1048576; pass large input by a volume or a URL",
        );
    }
    Ok(())
}

fn refuse<T>(field: &str, value: &str, rule: &str) -> Result<T, Refusal> {
    Err(Refusal::new(field, value, rule))
}

fn range(field: &str, value: u32, range: RangeInclusive<u32>) -> Result<(), Refusal> {
    if range.contains(&value) {
        return Ok(());
    }
    refuse(
        field,
        &value.to_string(),
        &format!("must be {} to {}", range.start(), range.end()),
    )
}

fn dns_label(field: &str, text: &str) -> Result<(), Refusal> {
    if is_dns_label(text) {
        return Ok(());
    }
    refuse(
        field,
        text,
        "must be a DNS label: 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
    )
}

fn dns_subdomain(field: &str, text: &str) -> Result<(), Refusal> {
    if is_dns_subdomain(text) {
        return Ok(());
    }
    refuse(
        field,
        text,
        "must be a DNS name: at most 253 of a-z, 0-9, - and ., each part beginning and ending with a letter or digit",
    )
}

fn label_value(field: &str, text: &str) -> Result<(), Refusal> {
    if is_label_value(text) {
        return Ok(());
    }
    refuse(
        field,
        text,
        "becomes a label: 1 to 63 of A-Z, a-z, 0-9, -, _ and ., beginning and ending with a letter or digit",
    )
}

fn host_path(path: &str) -> Result<(), Refusal> {
    if path.starts_with('/') && !path.split('/').any(|part| part == "..") {
        return Ok(());
    }
    refuse(
        "live_code_path",
        path,
        "must be an absolute path without ..",
    )
}

fn environment(name: &str, value: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() || name.contains(['=', '\0']) {
        return refuse(
            "env",
            name,
            "a name must not be blank and holds neither = nor NUL",
        );
    }
    if value.contains('\0') {
        // The value itself may be a secret and is not repeated.
        return refuse("env", name, "the value holds a NUL character");
    }
    Ok(())
}

/// The image rule of contract 3.3, and what a container runtime refuses besides: an empty tag and capitals in the repository.
fn image(text: &str) -> Result<(), Refusal> {
    let rule = if text.is_empty() {
        "must not be blank"
    } else if text.contains(char::is_whitespace) {
        "must not hold white space"
    } else {
        let Parts {
            repository,
            tag,
            digest,
        } = Parts::of(text);
        if !digest.is_none_or(is_digest) {
            "a digest is sha256: and 64 of 0-9 and a-f"
        } else if !is_repository(repository) {
            "the repository is lower case, does not begin or end with / and holds no //"
        } else if !tag.is_none_or(is_tag) {
            "a tag is 1 to 128 of A-Z, a-z, 0-9, _, . and -, not beginning with . or -"
        } else {
            return Ok(());
        }
    };
    refuse("image", text, rule)
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

fn is_repository(text: &str) -> bool {
    // A registry's host may be written in capitals, the path below it may not.
    let path = match text.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => text,
    };
    !path.is_empty()
        && path.split('/').all(|part| !part.is_empty())
        && path
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/-_.".contains(&b))
}
