//! Executor images: the two classes, and the image that a reference and a tag make together (contract 3.6).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which executor image a request needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageClass {
    /// Models behind an API, and everything that needs no model.
    #[default]
    Frontier,
    /// Models served by vLLM.
    Vllm,
}

impl ImageClass {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Frontier => "frontier",
            Self::Vllm => "vllm",
        }
    }

    /// The class of a model provider; one that nobody knows is a frontier one.
    pub fn of_provider(provider: &str) -> Self {
        match provider.trim().to_ascii_lowercase().as_str() {
            "vllm_local" | "vllm_remote" => Self::Vllm,
            _ => Self::Frontier,
        }
    }

    /// The class of a node request: the first provider found at the places of contract 3.6 that a request itself has.
    pub fn of_request(node_config: &Value, input_context: &Value) -> Self {
        let places = [
            node_config.get("provider"),
            node_config.get("model_provider"),
            node_config.pointer("/model_config/provider"),
            input_context.pointer("/rag_quick_run/model_provider"),
        ];
        places
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .find(|text| !text.trim().is_empty())
            .map_or(Self::Frontier, Self::of_provider)
    }
}

/// An image as the settings hold it: a reference, and a tag of its own that may be blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageChoice {
    /// Repository with an optional tag and digest; blank: the program's default.
    pub reference: String,
    /// Blank: the tag of the reference.
    pub tag: String,
}

impl ImageChoice {
    /// A reference with no tag of its own.
    pub fn new(reference: &str) -> Self {
        Self {
            reference: reference.into(),
            tag: String::new(),
        }
    }

    /// The image to run. A digest wins over every tag, since a pinned image must stay pinned (W27); without digest
    /// and tag it is `latest`, said out loud. `default` stands for a blank reference.
    pub fn effective(&self, default: &str) -> String {
        let reference = match self.reference.trim() {
            "" => default,
            some => some,
        };
        let parts = Parts::of(reference);
        let own = self.tag.trim();
        match (parts.digest, own, parts.tag) {
            (Some(_), ..) => reference.to_owned(),
            (None, "", None) => format!("{}:latest", parts.repository),
            (None, "", Some(tag)) | (None, tag, _) => format!("{}:{tag}", parts.repository),
        }
    }

    /// The tag key has no effect, because the reference is pinned by digest.
    pub fn ignores_tag(&self) -> bool {
        !self.tag.trim().is_empty() && Parts::of(&self.reference).digest.is_some()
    }
}

/// An image reference taken apart; nothing is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    pub repository: &'a str,
    /// What follows a colon behind the last slash; may be empty.
    pub tag: Option<&'a str>,
    /// What follows the last `@`.
    pub digest: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Splits a reference.
    pub fn of(reference: &'a str) -> Self {
        let (name, digest) = match reference.rsplit_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (reference, None),
        };
        let last_slash = name.rfind('/').map_or(0, |at| at + 1);
        let (repository, tag) = match name[last_slash..].find(':') {
            Some(at) => (&name[..last_slash + at], Some(&name[last_slash + at + 1..])),
            None => (name, None),
        };
        Self {
            repository,
            tag,
            digest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_port_is_no_tag() {
        let parts = Parts::of("r.example.test:5000/team/x");
        assert_eq!(parts.repository, "r.example.test:5000/team/x");
        assert_eq!(parts.tag, None);
        let parts = Parts::of("r.example.test:5000/x:v1@sha256:ab");
        assert_eq!((parts.tag, parts.digest), (Some("v1"), Some("sha256:ab")));
    }

    #[test]
    fn the_class_follows_the_first_provider_found() {
        let none = json!({});
        for (config, context, class) in [
            (json!({}), json!({}), ImageClass::Frontier),
            (
                json!({"provider": " VLLM_local "}),
                json!({}),
                ImageClass::Vllm,
            ),
            (
                json!({"provider": "", "model_provider": "vllm_remote"}),
                json!({}),
                ImageClass::Vllm,
            ),
            (
                json!({"provider": "claude", "model_provider": "vllm_remote"}),
                none,
                ImageClass::Frontier,
            ),
            (
                json!({"model_config": {"provider": "vllm_local"}}),
                json!({}),
                ImageClass::Vllm,
            ),
            (
                json!({}),
                json!({"rag_quick_run": {"model_provider": "vllm_local"}}),
                ImageClass::Vllm,
            ),
            (
                json!({"provider": "something"}),
                json!({}),
                ImageClass::Frontier,
            ),
        ] {
            assert_eq!(
                ImageClass::of_request(&config, &context),
                class,
                "{config} {context}"
            );
        }
    }

    #[test]
    fn a_bare_repository_is_latest_and_a_blank_one_the_default() {
        assert_eq!(ImageChoice::new("x").effective("d:1"), "x:latest");
        assert_eq!(ImageChoice::new("").effective("d:1"), "d:1");
    }
}
