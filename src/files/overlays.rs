//! Overlays as they are found: those inside the program, those in directories on disk.

mod embedded;
mod layout;

use super::kustomize::{self, Rendering};
use crate::domain::overlays::objects::Objects;
use crate::domain::overlays::{Origin, Overlay, Problem, Standing};
use std::path::{Path, PathBuf};

/// Where overlays are looked for. Everything here reads the disk and blocks for as long as that takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    directories: Vec<PathBuf>,
}

/// An overlay, rendered.
#[derive(Debug)]
pub struct Rendered {
    /// Its objects in the order of applying.
    pub objects: Result<Objects, Problem>,
    /// Every file it is made of, missing ones too; empty for a built-in overlay.
    pub files: Vec<String>,
}

impl Shelf {
    /// Overlays of these directories: each an overlay itself, a directory of overlays, or a checkout of llmctl
    /// (contract 7.5, 7.8). With none, those inside the program.
    pub fn new(directories: Vec<PathBuf>) -> Self {
        Self { directories }
    }

    /// Directories whose files may change what [`Shelf::list`] and [`Shelf::render`] give.
    pub fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// All overlays, each rendered once, so that a broken one shows; nothing is compared with a cluster.
    pub fn list(&self) -> Vec<Overlay> {
        self.find()
            .into_iter()
            .map(|(name, place)| {
                let mut overlay = Overlay::found(name, place.origin());
                overlay.about = place.about();
                let rendering = place.render();
                if let Err(problem) = rendering.result {
                    overlay.standing = Standing::Broken(problem);
                }
                overlay.files = place.watched(rendering.files);
                overlay
            })
            .collect()
    }

    /// Renders the overlay of that name from its files as they are now.
    pub fn render(&self, name: &str) -> Rendered {
        let all = self.find();
        let Some((_, place)) = all.iter().find(|(found, _)| found == name) else {
            let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
            let next = if names.is_empty() {
                format!(
                    "no overlay is below {}: name another directory with --overlays",
                    self.places()
                )
            } else {
                format!("there are {}", names.join(", "))
            };
            return Rendered {
                objects: Err(Problem {
                    file: String::new(),
                    line: None,
                    what: format!("there is no overlay `{name}`"),
                    next,
                }),
                files: Vec::new(),
            };
        };
        let rendering = place.render();
        Rendered {
            objects: rendering.result.map(Objects::new),
            files: place.watched(rendering.files),
        }
    }

    fn places(&self) -> String {
        let all: Vec<String> = self
            .directories
            .iter()
            .map(|d| d.display().to_string())
            .collect();
        all.join(", ")
    }

    fn find(&self) -> Vec<(String, Place)> {
        if self.directories.is_empty() {
            return embedded::names()
                .into_iter()
                .map(|name| (name.to_owned(), Place::Embedded(name)))
                .collect();
        }
        layout::find(&self.directories)
            .into_iter()
            .map(|(name, path)| (name, Place::Disk(path)))
            .collect()
    }
}

/// Where one overlay is.
enum Place {
    Embedded(&'static str),
    Disk(PathBuf),
}

impl Place {
    fn origin(&self) -> Origin {
        match self {
            Self::Embedded(_) => Origin::BuiltIn,
            Self::Disk(path) => Origin::Directory(path.display().to_string()),
        }
    }

    fn render(&self) -> Rendering {
        match self {
            Self::Embedded(name) => kustomize::render(name, &embedded::read),
            Self::Disk(path) => {
                kustomize::render(&path.to_string_lossy(), &|path| std::fs::read(path))
            }
        }
    }

    fn watched(&self, files: Vec<String>) -> Vec<String> {
        match self {
            Self::Embedded(_) => Vec::new(),
            Self::Disk(_) => files,
        }
    }

    /// The first paragraph of the comment that the kustomization file begins with.
    fn about(&self) -> String {
        let text = kustomize::FILE_NAMES.iter().find_map(|file| match self {
            Self::Embedded(name) => embedded::read(&format!("{name}/{file}")).ok(),
            Self::Disk(path) => std::fs::read(Path::new(path).join(file)).ok(),
        });
        let text = String::from_utf8(text.unwrap_or_default()).unwrap_or_default();
        let words: Vec<&str> = text
            .lines()
            .map_while(|line| line.strip_prefix('#').map(str::trim))
            .take_while(|line| !line.is_empty())
            .collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_bare_program_has_its_overlays() {
        let all = Shelf::default().list();
        let names: Vec<&str> = all.iter().map(|o| o.name.as_str()).collect();
        assert_eq!(names, ["executor", "minikube"]);
        for overlay in all {
            assert_eq!(overlay.standing, Standing::Unknown, "{overlay:?}");
            assert_eq!(overlay.origin, Origin::BuiltIn);
            assert!(overlay.about.ends_with('.'), "{overlay:?}");
        }
    }

    #[test]
    fn the_ones_on_disk_are_the_ones_inside() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("overlays");
        let disk = Shelf::new(vec![here.clone()]);
        for name in embedded::names() {
            let inside = Shelf::default().render(name);
            let outside = disk.render(name);
            assert!(inside.files.is_empty());
            assert!(
                outside
                    .files
                    .iter()
                    .any(|f| f.ends_with("executor/accounts.yaml"))
            );
            assert_eq!(inside.objects.unwrap(), outside.objects.unwrap());
        }
        assert_eq!(disk.list().len(), embedded::names().len());
        // Nothing of the directory was left out of the program.
        for entry in walk(&here) {
            let path = entry
                .strip_prefix(&here)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            assert_eq!(
                embedded::read(&path).unwrap(),
                std::fs::read(&entry).unwrap(),
                "{path}"
            );
        }
    }

    fn walk(dir: &Path) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all.extend(walk(&path));
            } else {
                all.push(path);
            }
        }
        all
    }

    #[test]
    fn the_settings_of_the_overlay_are_the_defaults_but_for_three() {
        use crate::domain::settings::Settings;
        use crate::domain::settings::key::Key;
        let objects = Shelf::default().render("executor").objects.unwrap();
        let map = objects
            .all()
            .iter()
            .find(|o| o["kind"] == "ConfigMap")
            .and_then(|o| o["data"].as_object())
            .unwrap();
        let settings = Settings {
            namespace: "llmctl".into(),
            service_account: "llmctl-executor".into(),
            in_cluster: true,
            ..Settings::default()
        };
        let mut expected = serde_json::Map::new();
        for key in Key::ALL {
            let (Some(variable), Some(value)) = (key.variable(), settings.value(key)) else {
                continue;
            };
            let text = match (key, value.to_string()) {
                (Key::K8sImagePullSecretsJson, text) if text.is_empty() => "[]".to_owned(),
                (_, text) => text,
            };
            if !text.is_empty() {
                expected.insert(variable, Value::String(text));
            }
        }
        assert_eq!(Value::Object(map.clone()), Value::Object(expected));
    }

    #[test]
    fn an_unknown_name_says_which_there_are() {
        let problem = Shelf::default().render("minicube").objects.unwrap_err();
        assert_eq!(
            problem.to_string(),
            "there is no overlay `minicube`; there are executor, minikube"
        );
    }
}
