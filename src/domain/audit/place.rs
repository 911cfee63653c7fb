//! What kind of place a path is, which decides what a text in it means.

/// The kind of a file, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// History and what was built from documents: kept as it was.
    Archive,
    /// Makes images: stays.
    ImageBuild,
    /// Rewrites what older versions stored, and so must name it.
    Migration,
    /// Tests, which may name what is refused.
    Test,
    /// Texts that describe the skills of agents.
    Seed,
    Ordinary,
}

impl Place {
    /// The place of a path relative to the checkout.
    pub fn of(path: &str) -> Self {
        let lower = path.to_ascii_lowercase();
        let parts: Vec<&str> = lower.split('/').collect();
        let Some((name, folders)) = parts.split_last() else {
            return Self::Ordinary;
        };
        let within = |folder: &str| folders.contains(&folder);
        let is_archive = lower.starts_with("docs/planning/archive/")
            || within("_build")
            || lower.starts_with("docs/sphinx/build/")
            || (within("html") && within("build"))
            || within("archive")
            || name.starts_with("changelog");
        if is_archive {
            return Self::Archive;
        }
        if is_image_build(name, folders) {
            return Self::ImageBuild;
        }
        if name.contains("migration")
            || folders
                .iter()
                .any(|f| f.contains("migration") || *f == "alembic")
        {
            return Self::Migration;
        }
        if within("tests") || within("test") || name.starts_with("test_") {
            return Self::Test;
        }
        if lower.ends_with("core/seed.py") {
            return Self::Seed;
        }
        Self::Ordinary
    }
}

fn is_image_build(name: &str, folders: &[&str]) -> bool {
    if name == "dockerfile"
        || name.starts_with("dockerfile.")
        || name.ends_with(".dockerfile")
        || name == "containerfile"
        || name == ".dockerignore"
    {
        return true;
    }
    has_end(name, "sh") && (name.starts_with("build") || folders.ends_with(&["scripts", "build"]))
}

/// Whether `name` ends in `.end`.
pub(super) fn has_end(name: &str, end: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, last)| last.eq_ignore_ascii_case(end))
}

/// Whether that name is one of a Compose file.
pub fn is_compose_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let yaml = has_end(&name, "yml") || has_end(&name, "yaml");
    yaml && (name.starts_with("docker-compose") || name.starts_with("compose"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_by_path() {
        for (path, place) in [
            ("docs/planning/archive/OLD_PLAN.md", Place::Archive),
            ("docs/sphinx/_build/html/index.html", Place::Archive),
            ("app/llmctl-executor/Dockerfile", Place::ImageBuild),
            ("app/llmctl-executor/Dockerfile.base", Place::ImageBuild),
            (
                "app/llmctl-rag/docker/llmctl-rag.Dockerfile",
                Place::ImageBuild,
            ),
            ("app/llmctl-mcp/docker/build-mcp.sh", Place::ImageBuild),
            ("scripts/build/harbor.sh", Place::ImageBuild),
            ("scripts/build-minikube.sh", Place::ImageBuild),
            ("app/backend/src/core/migrations.py", Place::Migration),
            ("app/backend/tests/test_router.py", Place::Test),
            ("app/backend/src/core/seed.py", Place::Seed),
            ("AGENTS.md", Place::Ordinary),
            ("scripts/minikube/minikube-up.sh", Place::Ordinary),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
    }

    #[test]
    fn names_of_compose_files() {
        for path in [
            "docker/docker-compose.yml",
            "compose.yaml",
            "docker-compose.override.yaml",
            "compose-dev.yml",
        ] {
            assert!(is_compose_name(path), "{path}");
        }
        for path in ["docker/composer.json", "compose.md", "decompose.py"] {
            assert!(!is_compose_name(path), "{path}");
        }
    }
}
