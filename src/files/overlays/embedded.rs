//! The overlays inside the program: the files of `overlays/`, so that a bare binary works.

use std::io;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/overlays/", $path)))),*]
    };
}

const FILES: &[(&str, &str)] = files![
    "executor/accounts.yaml",
    "executor/dispatcher.yaml",
    "executor/kustomization.yaml",
    "executor/namespace.yaml",
    "executor/settings.yaml",
    "minikube/kustomization.yaml",
    "minikube/settings.yaml",
];

/// Names of the overlays.
pub(super) fn names() -> Vec<&'static str> {
    FILES
        .iter()
        .filter_map(|(path, _)| path.strip_suffix("/kustomization.yaml"))
        .collect()
}

/// Reads one file by its path below `overlays/`.
pub(super) fn read(path: &str) -> io::Result<Vec<u8>> {
    FILES
        .iter()
        .find(|(name, _)| *name == path)
        .map(|(_, text)| text.as_bytes().to_vec())
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}
