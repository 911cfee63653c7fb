//! Where overlays are in a directory that somebody names: itself, below it, or in the places of a llmctl checkout.

use crate::files::kustomize::FILE_NAMES;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Directories of a checkout that are overlays or hold them: the layout since February 2026, the one before it (contract
/// 7.5, 7.8), and this project's own.
const PLACES: &[&str] = &[
    "kubernetes/llmctl-studio/overlays",
    "kubernetes/llmctl-studio/base",
    "kubernetes/overlays",
    "kubernetes-overlays",
    "kubernetes",
    "overlays",
];

/// Every overlay with its name, by name. Two of the same name get their parent directory in front.
pub(super) fn find(directories: &[PathBuf]) -> Vec<(String, PathBuf)> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for directory in directories {
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.clone());
        let mut candidates = vec![directory.clone()];
        candidates.extend(PLACES.iter().map(|place| directory.join(place)));
        for candidate in candidates {
            add(&candidate, &mut paths);
            for below in subdirectories(&candidate) {
                add(&below, &mut paths);
            }
        }
    }
    let mut named: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        named.entry(label(&path, 1)).or_default().push(path);
    }
    let mut all: Vec<(String, PathBuf)> = Vec::new();
    for (name, paths) in named {
        let is_alone = paths.len() == 1;
        for path in paths {
            let name = if is_alone {
                name.clone()
            } else {
                label(&path, 2)
            };
            let taken = all.iter().filter(|(other, _)| *other == name).count();
            all.push((
                if taken == 0 {
                    name
                } else {
                    format!("{name}-{}", taken + 1)
                },
                path,
            ));
        }
    }
    all
}

fn add(path: &Path, paths: &mut Vec<PathBuf>) {
    let has_file = FILE_NAMES.iter().any(|name| path.join(name).is_file());
    if has_file && !paths.iter().any(|known| known == path) {
        paths.push(path.to_owned());
    }
}

fn subdirectories(path: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    all.sort();
    all
}

/// The last `parts` of a path as a label value: an overlay's name is a label on its objects.
fn label(path: &Path, parts: usize) -> String {
    let names: Vec<String> = path
        .components()
        .rev()
        .take(parts)
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let joined: Vec<&str> = names.iter().rev().map(String::as_str).collect();
    let fits = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let text: String = joined.join("-").chars().map(fits).take(63).collect();
    let text = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if text.is_empty() {
        "overlay".into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layouts_of_a_checkout_are_known() {
        let root = tempfile::tempdir().unwrap();
        for dir in [
            "new/kubernetes/llmctl-studio/base",
            "new/kubernetes/llmctl-studio/overlays/dev",
            "old/kubernetes",
            "old/kubernetes-overlays/minikube-live-code",
            "old/kubernetes/not-one",
            "mine/overlays/dev",
            "single",
        ] {
            let dir = root.path().join(dir);
            std::fs::create_dir_all(&dir).unwrap();
            if !dir.ends_with("not-one") {
                std::fs::write(dir.join("kustomization.yaml"), "resources: []\n").unwrap();
            }
        }
        let names = |dirs: &[&str]| {
            let dirs: Vec<PathBuf> = dirs.iter().map(|d| root.path().join(d)).collect();
            find(&dirs)
                .into_iter()
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&["new"]), ["base", "dev"]);
        assert_eq!(names(&["old"]), ["kubernetes", "minikube-live-code"]);
        assert_eq!(names(&["single"]), ["single"]);
        assert_eq!(
            names(&["new", "mine"]),
            ["base", "overlays-dev", "overlays-dev-2"]
        );
        assert_eq!(names(&["nowhere"]), Vec::<String>::new());
    }

    #[test]
    fn a_name_is_a_label_value() {
        assert_eq!(label(Path::new("/a/my overlay!"), 1), "my-overlay");
        assert_eq!(label(Path::new("/"), 1), "overlay");
    }
}
