//! Reading stored legacy values as Studio did, clamped and replaced, but with a notice for each change (contract 3.3, 3.7).
//! Only the migration and imports of stored rows go through here; what a person writes goes through [`Key::parse`].

use super::key::{Key, Kind};
use super::rules;
use super::value::Value;

/// Keys of llmctl before the Kubernetes-only cut that mean nothing any more (contract 3.7).
pub const REMOVED_KEYS: [&str; 10] = [
    "fallback_provider",
    "fallback_enabled",
    "fallback_on_dispatch_error",
    "workspace_root",
    "docker_host",
    "docker_image",
    "docker_network",
    "docker_pull_policy",
    "docker_env_json",
    "docker_api_stall_seconds",
];

/// Keys that one image had before there were two (contract 3.2).
pub const SINGLE_IMAGE_KEYS: [&str; 2] = ["k8s_image", "k8s_image_tag"];

/// What a key of old means today, to follow its name; `None` for a name that never was a key.
pub fn says(name: &str) -> Option<&'static str> {
    if REMOVED_KEYS.contains(&name) {
        Some("belonged to the workspace and docker executors, which are gone; it has no effect")
    } else if SINGLE_IMAGE_KEYS.contains(&name) {
        Some("has no effect: there are two images now, k8s_frontier_image and k8s_vllm_image")
    } else {
        None
    }
}

/// A stored value made usable, and what had to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalised {
    pub value: Value,
    /// A sentence for the person; `None` when the value was right as it was.
    pub notice: Option<String>,
}

/// Makes a stored value usable: numbers are clamped, what cannot be read becomes the default. `None` for the kubeconfig.
pub fn normalise(key: Key, text: &str) -> Option<Normalised> {
    let default = key.default()?;
    let problem = match key.parse(text) {
        Ok(value) => {
            return Some(Normalised {
                value,
                notice: None,
            });
        }
        Err(problem) => problem,
    };
    let value = match key.facts().kind {
        Kind::Whole { min, max } => clamp(text.trim(), min, max).map_or(default, Value::Whole),
        Kind::PullSecrets => Value::Names(readable_names(text)),
        _ => default,
    };
    // A blank row is how Studio says "not set": nothing was changed.
    let notice = (!text.trim().is_empty()).then(|| format!("{problem}; now {:?}", value.text()));
    Some(Normalised { value, notice })
}

fn clamp(text: &str, min: u32, max: u32) -> Option<u32> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let groups: Vec<&str> = digits.split('_').collect();
    let is_number = groups
        .iter()
        .all(|g| !g.is_empty() && g.bytes().all(|b| b.is_ascii_digit()));
    if !is_number {
        return None;
    }
    let number = groups.concat().parse().unwrap_or(u32::MAX);
    Some(if negative {
        min
    } else {
        number.clamp(min, max)
    })
}

/// The names that a Job builder of old would have used, without those that Kubernetes refuses.
fn readable_names(text: &str) -> Vec<String> {
    let items = match serde_json::from_str(text) {
        Ok(serde_json::Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let mut names: Vec<String> = Vec::new();
    for item in items {
        let name = item
            .as_str()
            .or_else(|| item.get("name").and_then(serde_json::Value::as_str))
            .unwrap_or_default()
            .trim();
        if rules::is_dns_subdomain(name) && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
