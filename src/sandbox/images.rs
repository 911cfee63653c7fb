//! Which images the node has, what pulling the others says, and how long to wait before trying again.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha1::{Digest, Sha1};

/// The repositories whose images run the executor contract, with the flavour each one announces in `LLMCTL_EXECUTOR_FLAVOR`.
const KNOWN: [(&str, &str); 2] = [
    ("llmctl-executor-frontier", "frontier"),
    ("llmctl-executor-vllm", "vllm"),
];

/// How long the first pull of a known image takes.
pub(crate) const PULL: Duration = Duration::from_millis(800);

/// What a pull of a known image says its size is, in bytes.
pub(crate) const SIZE: u64 = 184_573_210;

/// What is wrong with an image that cannot be one.
pub(crate) fn fault(image: &str) -> String {
    const FORM: &str = "invalid reference format";
    let name = image.rsplit_once(':').map_or(image, |(name, _)| name);
    if Reference::parse(&image.to_ascii_lowercase()).is_none() {
        return FORM.to_owned();
    }
    let home = if name.contains('/') { "" } else { "library/" };
    format!("{FORM}: repository name ({home}{name}) must be lowercase")
}

/// An image reference with its parts filled in the way containerd reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// `docker.io/library/name:tag`, with `latest` for a missing tag.
    pub(crate) full: String,
    repository: String,
    latest: bool,
}

impl Reference {
    /// Reads a reference; `None` when it cannot be one.
    pub(crate) fn parse(image: &str) -> Option<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "./:@_-".contains(c);
        if image.is_empty() || !image.chars().all(fits) {
            return None;
        }
        let (host, rest) = match image.split_once('/') {
            // What cannot be a repository is taken for a host.
            Some((host, rest))
                if host.contains(['.', ':'])
                    || host == "localhost"
                    || host.contains(|c: char| c.is_ascii_uppercase()) =>
            {
                (host, rest)
            }
            _ => ("docker.io", image),
        };
        let (named, digest) = match rest.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (rest, None),
        };
        let (path, tag) = match named.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (named, None),
        };
        if path.is_empty() || path.chars().any(|c| c.is_ascii_uppercase()) || tag == Some("") {
            return None;
        }
        let path = if host == "docker.io" && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        let repository = format!("{host}/{path}");
        let full = match (tag, digest) {
            (_, Some(digest)) => format!("{repository}@{digest}"),
            (tag, None) => format!("{repository}:{}", tag.unwrap_or("latest")),
        };
        let latest = digest.is_none() && tag.is_none_or(|tag| tag == "latest");
        Some(Self {
            full,
            repository,
            latest,
        })
    }

    /// The pull policy of a container that names none.
    pub(crate) fn default_policy(&self) -> &'static str {
        if self.latest {
            "Always"
        } else {
            "IfNotPresent"
        }
    }

    /// The executor flavour of a known image, `None` for every other one.
    pub(crate) fn flavor(&self) -> Option<&'static str> {
        let name = self.repository.strip_prefix("docker.io/library/")?;
        KNOWN
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, flavor)| *flavor)
    }

    /// The id that a container of this image reports: stable for a reference, shaped as a content digest.
    pub(crate) fn id(&self) -> String {
        let mut id = String::from("sha256:");
        for half in ["manifest", "config"] {
            for byte in Sha1::digest(format!("{half} {}", self.full)) {
                let _ = write!(id, "{byte:02x}");
            }
        }
        id.truncate("sha256:".len() + 64);
        id
    }

    /// The names under which the node has it: by digest, and by tag unless it was pulled by its digest.
    pub(crate) fn names(&self) -> Vec<String> {
        if self.full.contains('@') {
            return vec![self.full.clone()];
        }
        vec![
            format!("{}@{}", self.repository, self.id()),
            self.full.clone(),
        ]
    }

    /// What the runtime answers to a pull of an image that nobody has.
    pub(crate) fn not_found(&self) -> String {
        let full = &self.full;
        format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{full}\": failed to resolve reference \"{full}\": {full}: not found"
        )
    }
}

/// The images that were pulled onto the node. Clones share one set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Images(Arc<Mutex<HashSet<String>>>);

impl Images {
    /// Whether the image is on the node.
    pub(crate) fn has(&self, reference: &Reference) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&reference.full)
    }

    /// Notes a pulled image.
    pub(crate) fn add(&self, reference: &Reference) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(reference.full.clone());
    }
}

/// The kubelet's back-off: 10 s, doubled with every failure, at most 300 s.
pub(crate) fn back_off(failures: u32) -> Duration {
    let doubled = 10_u64.saturating_mul(1 << failures.saturating_sub(1).min(10));
    Duration::from_secs(doubled.min(300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_filled_in() {
        for (image, full, policy) in [
            ("nosuch", "docker.io/library/nosuch:latest", "Always"),
            ("nosuch:1", "docker.io/library/nosuch:1", "IfNotPresent"),
            ("a/b:latest", "docker.io/a/b:latest", "Always"),
            ("ghcr.io/a/b", "ghcr.io/a/b:latest", "Always"),
            ("localhost:5000/x:2", "localhost:5000/x:2", "IfNotPresent"),
            (
                "x@sha256:ab",
                "docker.io/library/x@sha256:ab",
                "IfNotPresent",
            ),
        ] {
            let reference = Reference::parse(image).unwrap();
            assert_eq!(reference.full, full);
            assert_eq!(reference.default_policy(), policy, "{image}");
        }
        for image in ["", "UPPER:1", "a b", "x:"] {
            assert_eq!(Reference::parse(image), None, "{image}");
        }
    }

    #[test]
    fn only_the_executor_images_are_known() {
        for (image, flavor) in [
            ("llmctl-executor-frontier:dev", Some("frontier")),
            (
                "docker.io/library/llmctl-executor-vllm:latest",
                Some("vllm"),
            ),
            ("llmctl-executor-frontier", Some("frontier")),
            ("ghcr.io/library/llmctl-executor-frontier:dev", None),
            ("llmctl-executor-frontier-x:dev", None),
            ("busybox:local", None),
        ] {
            assert_eq!(Reference::parse(image).unwrap().flavor(), flavor, "{image}");
        }
    }

    #[test]
    fn ids_look_like_digests_and_differ() {
        let one = Reference::parse("a:1").unwrap().id();
        assert_eq!(one.len(), 71);
        assert_ne!(one, Reference::parse("a:2").unwrap().id());
    }

    #[test]
    fn back_off_doubles_to_its_limit() {
        let waits: Vec<_> = (1..=7).map(|n| back_off(n).as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300]);
    }
}
