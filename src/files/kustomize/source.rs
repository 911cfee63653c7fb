//! Files of kustomizations: paths, reading with a record of what was read, YAML with the line of a mistake.

use super::Read;
use crate::domain::overlays::Problem;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io;

/// Reads files and remembers which.
pub(super) struct Source<'a> {
    read: &'a Read<'a>,
    files: BTreeSet<String>,
}

impl<'a> Source<'a> {
    pub(super) fn new(read: &'a Read<'a>) -> Self {
        Self {
            read,
            files: BTreeSet::new(),
        }
    }

    /// Every path that was looked for.
    pub(super) fn into_files(self) -> Vec<String> {
        self.files.into_iter().collect()
    }

    /// The bytes of a file; absent when there is no such file or it is a directory.
    pub(super) fn bytes(&mut self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.files.insert(path.to_owned());
        match (self.read)(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if is_absence(e.kind()) => Ok(None),
            Err(e) => Err(problem(
                path,
                None,
                format!("cannot be read: {e}"),
                "make it readable",
            )),
        }
    }

    /// The text of a file.
    pub(super) fn text(&mut self, path: &str) -> Result<Option<String>, Problem> {
        let Some(bytes) = self.bytes(path)? else {
            return Ok(None);
        };
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| problem(path, None, "is not UTF-8 text".into(), "save it as UTF-8"))
    }
}

fn is_absence(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory
    )
}

pub(super) fn problem(file: &str, line: Option<u64>, what: String, next: &str) -> Problem {
    Problem {
        file: file.to_owned(),
        line,
        what,
        next: next.to_owned(),
    }
}

/// `path` as seen from directory `dir`, without `.`, `..` and doubled slashes.
pub(super) fn join(dir: &str, path: &str) -> String {
    let whole = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{dir}/{path}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if whole.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if whole.starts_with('/') && !dir.is_empty() || path.starts_with('/') {
        format!("/{joined}")
    } else {
        joined
    }
}

/// All documents of a YAML text, empty ones left out, with scalars as kustomize reads them: `0755` is octal, `yes` is
/// text. (A bare date stays text here, where kustomize makes a time of it.)
pub(super) fn documents(file: &str, text: &str) -> Result<Vec<Value>, Problem> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, strict_booleans: true };
    serde_saphyr::from_multiple_with_options::<Value>(text, options)
        .map(|all| all.into_iter().filter(|one| !one.is_null()).collect())
        .map_err(|e| yaml_problem(file, &e))
}

/// One YAML document as a `T`.
pub(super) fn typed<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Problem> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|e| yaml_problem(file, &e))
}

fn yaml_problem(file: &str, error: &serde_saphyr::Error) -> Problem {
    let line = error
        .location()
        .map(|at| at.line())
        .filter(|line| *line > 0);
    let plain = error.without_snippet().to_string();
    let first = plain.lines().next().unwrap_or_default();
    let what = first.split(" at line ").next().unwrap_or(first).trim();
    // All the fields there are would bury the one that is wrong.
    let what = match what.split_once(", expected one of") {
        Some((what, all)) if all.len() > 100 => what,
        _ => what,
    };
    let next = if what.contains("unknown field") {
        "correct the name, or take the field out: llmctl-dev renders the common part of kustomize only"
    } else {
        "correct the YAML"
    };
    problem(file, line, what.to_owned(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_cleaned() {
        for (dir, path, whole) in [
            ("/a/b", "c.yaml", "/a/b/c.yaml"),
            ("/a/b", "../c/./d", "/a/c/d"),
            ("/a", "../../x", "/x"),
            ("a/b", "../c", "a/c"),
            ("a", ".", "a"),
            ("a", "/etc//x", "/etc/x"),
            ("a", "../../x", "../x"),
            ("/", ".", "/"),
        ] {
            assert_eq!(join(dir, path), whole, "{dir} {path}");
        }
    }

    #[test]
    fn old_octal_numbers_and_words_read_as_kustomize_reads_them() {
        let all = documents("f", "a: 0755\nb: yes\n---\n# nothing\n---\nc: 1\n").unwrap();
        assert_eq!(
            all,
            [
                serde_json::json!({"a": 493, "b": "yes"}),
                serde_json::json!({"c": 1})
            ]
        );
    }

    #[test]
    fn a_mistake_has_its_line() {
        let problem = documents("f.yaml", "a: 1\nb: [\n").unwrap_err();
        assert!(problem.line.is_some(), "{problem:?}");
        assert_eq!(problem.file, "f.yaml");
    }
}
