//! What Compose left on this machine: objects that carry its labels.

use super::legacy;
use super::{Finding, Level, Rule};

/// The kind of an object of a container engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Container,
    Network,
    Volume,
}

impl Kind {
    /// The word for people, and for the engine's own command.
    pub fn word(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Network => "network",
            Self::Volume => "volume",
        }
    }
}

/// One object with Compose's labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    pub kind: Kind,
    pub name: String,
    pub project: String,
    /// The service of a container.
    pub service: Option<String>,
    /// Directory of the project, where the label says it.
    pub directory: Option<String>,
    pub running: bool,
}

/// Volumes that Compose made for llmctl.
const VOLUMES: [&str; 3] = ["postgres_data", "chroma_data", "harbor_registry_data"];

/// Those that belong to llmctl: a known service or volume, or a project that lies in the checkout. What other projects left is
/// none of our business.
pub fn judge(found: &[Leftover], checkout: &str) -> Vec<Finding> {
    let is_known = |left: &Leftover| {
        left.service
            .as_deref()
            .is_some_and(|service| legacy::moved(service).is_some())
            || left.directory.as_deref().is_some_and(|directory| {
                directory == checkout || directory.starts_with(&format!("{checkout}/"))
            })
    };
    let projects: Vec<&str> = found
        .iter()
        .filter(|left| is_known(left))
        .map(|left| left.project.as_str())
        .collect();
    found
        .iter()
        .filter(|left| {
            let volume = left.kind == Kind::Volume
                && VOLUMES
                    .iter()
                    .any(|name| left.name == format!("{}_{name}", left.project));
            is_known(left) || volume || projects.contains(&left.project.as_str())
        })
        .map(finding)
        .collect()
}

fn finding(left: &Leftover) -> Finding {
    let kind = left.kind.word();
    let (level, why) = match left.kind {
        Kind::Container if left.running => (Level::Error, "Compose started it and it still runs"),
        Kind::Container => (Level::Notice, "Compose made it; it does not run"),
        Kind::Network => (Level::Notice, "Compose made it"),
        Kind::Volume => (
            Level::Notice,
            "Compose made it; it may hold data that nothing else has",
        ),
    };
    let instead = match left.kind {
        Kind::Container => format!("`docker rm -f {}`", left.name),
        Kind::Network => format!("`docker network rm {}`", left.name),
        Kind::Volume => format!("save what is in it, then `docker volume rm {}`", left.name),
    };
    Finding {
        rule: Rule::Leftover,
        level,
        path: format!("{kind}/{}", left.name),
        line: 0,
        excerpt: left.service.as_deref().map_or_else(
            || format!("project {}", left.project),
            |service| format!("service {service} of project {}", left.project),
        ),
        why: why.into(),
        instead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_llmctls_is_told() {
        let left = |kind, name: &str, project: &str, service: Option<&str>| Leftover {
            kind,
            name: name.into(),
            project: project.into(),
            service: service.map(Into::into),
            directory: None,
            running: kind == Kind::Container,
        };
        let found = [
            left(
                Kind::Container,
                "docker-llmctl-redis-1",
                "docker",
                Some("llmctl-redis"),
            ),
            left(Kind::Network, "docker_default", "docker", None),
            left(Kind::Volume, "old_postgres_data", "old", None),
            left(Kind::Container, "blog-web-1", "blog", Some("web")),
            left(Kind::Network, "blog_default", "blog", None),
        ];
        let findings = judge(&found, "/src/llmctl");
        let told: Vec<(&str, Level)> = findings
            .iter()
            .map(|f| (f.path.as_str(), f.level))
            .collect();
        assert_eq!(
            told,
            [
                ("container/docker-llmctl-redis-1", Level::Error),
                ("network/docker_default", Level::Notice),
                ("volume/old_postgres_data", Level::Notice),
            ]
        );
    }
}
