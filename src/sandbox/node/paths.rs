//! Where a container's paths are on this machine.
//!
//! A sandbox container sees the machine's own file system: there is no root of its own to mount things in. So everything that its
//! pod mounts lies below a temporary directory, and the texts that name such places are rewritten before the process starts: the
//! values of environment variables, the arguments, and in an executor payload its `cwd` and the values of its `env`. A path that a
//! program makes up by itself is not rewritten; that is the difference to a real container.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Places that the executor contract uses without a mount; two runs must not meet there either.
const OWN: [&str; 2] = ["/tmp/llmctl", "/tmp/llmctl-workspace"];

/// The paths of one container.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    root: PathBuf,
    moved: Vec<String>,
}

impl Paths {
    /// The container's places lie below `root`; `mounts` are the paths where volumes are mounted.
    pub(crate) fn new(root: PathBuf, mounts: impl IntoIterator<Item = String>) -> Self {
        let mut moved: Vec<String> = mounts
            .into_iter()
            .map(|path| path.trim_end_matches('/').to_owned())
            .collect();
        moved.extend(OWN.map(str::to_owned));
        moved.retain(|path| path.starts_with('/'));
        Self { root, moved }
    }

    /// Where `path` of the container is here; `None` when it is no path that was moved.
    pub(crate) fn here(&self, path: &str) -> Option<PathBuf> {
        let inside = |place: &String| {
            path.strip_prefix(place.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let climbs = Path::new(path)
            .components()
            .any(|part| part == std::path::Component::ParentDir);
        (!climbs && self.moved.iter().any(inside)).then(|| self.place(path))
    }

    /// Where an absolute path of the container would be below its root.
    pub(crate) fn place(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The text with a moved path in its place; a list of paths separated by colons is one too.
    pub(crate) fn text(&self, text: &str) -> String {
        if text.trim_start().starts_with('{') {
            return self.payload(text).unwrap_or_else(|| text.to_owned());
        }
        let one = |part: &str| {
            self.here(part)
                .map_or_else(|| part.to_owned(), |here| here.display().to_string())
        };
        if text.starts_with('/') {
            text.split(':').map(one).collect::<Vec<_>>().join(":")
        } else {
            text.to_owned()
        }
    }

    /// An executor payload with its places moved; `None` when the text is no payload.
    pub(crate) fn payload(&self, text: &str) -> Option<String> {
        let mut payload: Value = serde_json::from_str(text).ok()?;
        payload.get("contract_version")?;
        if let Some(cwd) = payload.get_mut("cwd") {
            self.rewrite(cwd);
        }
        for value in payload
            .get_mut("env")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(|env| env.values_mut())
        {
            self.rewrite(value);
        }
        let paths = payload
            .get_mut("node_execution")
            .and_then(|node| node.get_mut("python_paths"));
        for value in paths.and_then(Value::as_array_mut).into_iter().flatten() {
            self.rewrite(value);
        }
        Some(payload.to_string())
    }

    fn rewrite(&self, value: &mut Value) {
        if let Some(text) = value.as_str() {
            *value = self.text(text).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths() -> Paths {
        Paths::new(
            PathBuf::from("/s"),
            ["/tmp/llmctl/payload".to_owned(), "/app/".to_owned()],
        )
    }

    #[test]
    fn only_moved_places_move() {
        for (text, here) in [
            (
                "/tmp/llmctl/payload/payload.json",
                "/s/tmp/llmctl/payload/payload.json",
            ),
            ("/tmp/llmctl/runtime/exec-1", "/s/tmp/llmctl/runtime/exec-1"),
            ("/app", "/s/app"),
            (
                "/app/a:/usr/bin:/application",
                "/s/app/a:/usr/bin:/application",
            ),
            ("/application", "/application"),
            ("/app/../etc/passwd", "/app/../etc/passwd"),
            ("/usr/bin/env", "/usr/bin/env"),
            ("postgres://app/x", "postgres://app/x"),
            ("hello /app", "hello /app"),
        ] {
            assert_eq!(paths().text(text), here);
        }
    }

    #[test]
    fn payloads_move_their_places_and_nothing_else() {
        let payload = json!({
            "contract_version": "v1", "cwd": "/tmp/llmctl/runtime/exec-1", "shell_command": "cat /app/x",
            "env": {"DATA": "/tmp/llmctl/runtime/exec-1/data", "OTHER": "1", "N": 3},
            "metadata": {"executor_runtime_root": "/tmp/llmctl/runtime/exec-1"},
        });
        let moved: Value = serde_json::from_str(&paths().text(&payload.to_string())).unwrap();
        assert_eq!(moved["cwd"], "/s/tmp/llmctl/runtime/exec-1");
        assert_eq!(
            moved["env"],
            json!({"DATA": "/s/tmp/llmctl/runtime/exec-1/data", "OTHER": "1", "N": 3})
        );
        assert_eq!(moved["shell_command"], payload["shell_command"]);
        assert_eq!(moved["metadata"], payload["metadata"]);
        assert_eq!(paths().payload("{\"cwd\": \"/app\"}"), None);
        assert_eq!(paths().text("{not json"), "{not json");
    }
}
