//! The rules of contract 3.3, and the stricter ones that Kubernetes or a container runtime enforces later anyway.
//! A value is right or a [`Problem`]; nothing is clamped or replaced (W48).

use super::images::Parts;
use super::key::{Key, Kind};
use super::problem::{Broken, ImageFault, Problem};
use super::value::Value;

impl Key {
    /// Reads a value as it is typed, stored in a row or set in a variable. White space around it does not count; a
    /// blank text of a key that may not be blank is its default.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(self, text: &str) -> Result<Value, Problem> {
        let trimmed = text.trim();
        self.read(trimmed)
            .map_err(|broken| Problem::of(self, trimmed, broken))
    }

    fn read(self, text: &str) -> Result<Value, Broken> {
        let facts = self.facts();
        let plain = |ok: bool, broken: Broken| {
            if ok {
                Ok(Value::Text(text.into()))
            } else {
                Err(broken)
            }
        };
        if facts.kind != Kind::Secret && text.chars().any(char::is_control) {
            return Err(Broken::ControlCharacter);
        }
        match facts.kind {
            Kind::Whole { min, max } => whole(text, min, max, facts.unit).map(Value::Whole),
            Kind::Flag => flag(text).map(Value::Flag).ok_or(Broken::NotABoolean),
            Kind::Choice(words) => {
                let lower = text.to_ascii_lowercase();
                let word = if lower.is_empty() { words[0] } else { &lower };
                if words.contains(&word) {
                    Ok(Value::Text(word.into()))
                } else {
                    Err(Broken::NotKubernetes)
                }
            }
            Kind::Identity | Kind::Namespace if text.is_empty() => {
                self.default().ok_or(Broken::WriteOnly)
            }
            Kind::Identity if text.contains(['/', '\\']) => Err(Broken::APathAsIdentity),
            Kind::Identity => plain(is_label_value(text), Broken::NotALabelValue),
            Kind::Namespace => plain(is_dns_label(text), Broken::NotADnsLabel),
            Kind::Account => plain(
                text.is_empty() || is_dns_subdomain(text),
                Broken::NotADnsSubdomain,
            ),
            Kind::AppName => plain(
                text.is_empty() || is_label_value(text),
                Broken::NotALabelValue,
            ),
            Kind::Image => image(text).map_or_else(
                |fault| Err(Broken::Image(fault)),
                |()| plain(true, Broken::NotATag),
            ),
            Kind::Tag => plain(text.is_empty() || is_tag(text), Broken::NotATag),
            Kind::HostPath => plain(
                text.starts_with('/') && !text.split('/').any(|part| part == ".."),
                Broken::NotAnAbsolutePath,
            ),
            Kind::PullSecrets => pull_secrets(text).map(Value::Names),
            Kind::Secret => Err(Broken::WriteOnly),
        }
    }
}

/// A DNS label: what names a namespace.
pub fn is_dns_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| edge(Some(b)) || *b == b'-')
}

/// A DNS subdomain: what names a service account or a Secret.
pub fn is_dns_subdomain(text: &str) -> bool {
    // Kubernetes' own rule for subdomains has no limit of 63 per part.
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let part = |part: &[u8]| {
        edge(part.first()) && edge(part.last()) && part.iter().all(|b| edge(Some(b)) || *b == b'-')
    };
    text.len() <= 253 && text.as_bytes().split(|b| *b == b'.').all(part)
}

/// A label value that is not blank.
pub fn is_label_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    text.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b))
}

/// A tag that is not blank.
pub fn is_tag(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.len() <= 128
        && bytes
            .first()
            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b))
}

/// A whole number as Python's `int` reads one, so that what Studio accepts is accepted here: a sign, and `_` between digits.
fn whole(text: &str, min: u32, max: u32, unit: &'static str) -> Result<u32, Broken> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let groups = || digits.split('_');
    let is_number =
        groups().all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()));
    if !is_number {
        return Err(Broken::NotANumber { min, max, unit });
    }
    // A number too large for the type is out of range like any other.
    let number = groups().collect::<String>().parse().unwrap_or(u64::MAX);
    let number = if negative && number > 0 {
        None
    } else {
        u32::try_from(number).ok()
    };
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or(Broken::OutOfRange { min, max, unit })
}

/// A boolean word, in any case.
pub fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Checks an image reference; blank is right.
fn image(text: &str) -> Result<(), ImageFault> {
    if text.is_empty() {
        return Ok(());
    }
    if text.contains(char::is_whitespace) {
        return Err(ImageFault::Space);
    }
    let parts = Parts::of(text);
    if let Some(digest) = parts.digest {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64
            || !hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        {
            return Err(ImageFault::Digest);
        }
    }
    if parts.repository.is_empty() {
        return Err(ImageFault::NoRepository);
    }
    repository(parts.repository)?;
    match parts.tag {
        Some("") => Err(ImageFault::TrailingColon),
        Some(tag) if !is_tag(tag) => Err(ImageFault::Tag),
        _ => Ok(()),
    }
}

fn repository(repository: &str) -> Result<(), ImageFault> {
    let segments: Vec<&str> = repository.split('/').collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return Err(ImageFault::EmptySegment);
    }
    if repository.contains(|c: char| c.is_ascii_uppercase()) {
        return Err(ImageFault::UpperCase);
    }
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let fine = |segment: &str| {
        let bytes = segment.as_bytes();
        edge(bytes.first())
            && edge(bytes.last())
            && bytes.iter().all(|b| edge(Some(b)) || b"._-".contains(b))
    };
    let (first, rest) = segments.split_first().ok_or(ImageFault::NoRepository)?;
    // Only a registry may have a port, and only what has a path behind it is a registry.
    let host = match first.rsplit_once(':') {
        Some((host, port)) if !rest.is_empty() && port.parse::<u16>().is_ok() => host,
        _ => first,
    };
    if fine(host) && rest.iter().all(|segment| fine(segment)) {
        Ok(())
    } else {
        Err(ImageFault::Character)
    }
}

/// Names of pull secrets from JSON: texts or objects with `name`. A repeated name counts once, as it means nothing more.
fn pull_secrets(text: &str) -> Result<Vec<String>, Broken> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|e| Broken::PullSecretsNotJson(e.to_string()))?;
    let items = json.as_array().ok_or(Broken::PullSecretsNotAnArray)?;
    let mut names: Vec<String> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let name = item
            .as_str()
            .or_else(|| item.get("name").and_then(serde_json::Value::as_str))
            .map(str::trim)
            .filter(|name| is_dns_subdomain(name))
            .ok_or(Broken::PullSecretName { at: at + 1 })?;
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}
