//! The structure, held: who may use whom, how long a file may be, how it begins.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Top-level modules and the modules of this crate that each may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("merge", &[]),
    ("sanitize", &[]),
    ("executor", &[]),
    ("app", &["domain"]),
    ("ui", &["domain", "app", "sanitize"]),
    ("cluster", &["domain"]),
    ("minikube", &["domain"]),
    ("files", &["domain", "merge"]),
    ("database", &["domain"]),
    ("docker", &["domain"]),
    ("sandbox", &["executor", "merge"]),
    (
        "runtime",
        &[
            "domain", "app", "cluster", "minikube", "docker", "files", "database", "sandbox",
            "sanitize",
        ],
    ),
    ("tui", &["domain", "app", "ui", "runtime"]),
    (
        "cli",
        &[
            "domain", "app", "ui", "tui", "runtime", "cluster", "minikube", "files", "database",
            "sandbox", "executor", "sanitize",
        ],
    ),
    ("lib", &["cli"]),
    ("main", &[]),
];

/// Crates that only some top-level modules may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("kube", &["cluster"]),
    ("k8s_openapi", &["cluster"]),
    ("ratatui", &["ui", "tui"]),
    ("ratatui_table", &["ui"]),
    ("crossterm", &["ui", "tui"]),
    ("notify", &["files"]),
    ("notify_debouncer_full", &["files"]),
    ("toml_edit", &["files"]),
    ("rusqlite", &["database"]),
    ("tokio_postgres", &["database"]),
    ("aes", &["database"]),
    ("cbc", &["database"]),
    ("hmac", &["database"]),
    ("ignore", &["files"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("hyper", &["sandbox", "docker"]),
    ("color_eyre", &["cli"]),
];

/// The crates that `domain` may name.
const DOMAIN_CRATES: &[&str] = &[
    "std",
    "core",
    "serde",
    "serde_json",
    "jiff",
    "sha1",
    "similar",
];

struct Source {
    path: PathBuf,
    /// Top-level module.
    module: String,
    text: String,
}

impl Source {
    /// The lines before the unit tests; none of a file that is for tests only.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let tests = |at: &usize| {
            lines[*at] == "#[cfg(test)]"
                && lines.get(at + 1).is_some_and(|line| line.ends_with('{'))
        };
        let end = if self.is_for_tests() {
            0
        } else {
            (0..lines.len()).find(tests).unwrap_or(lines.len())
        };
        (1..).zip(lines.into_iter().take(end))
    }

    /// In a folder `tests`, a file `tests.rs`, or declared under `#[cfg(test)]` by the module above.
    fn is_for_tests(&self) -> bool {
        let inside = self.path.with_extension("");
        if inside.components().any(|part| part.as_os_str() == "tests") {
            return true;
        }
        let (Some(folder), Some(name)) = (inside.parent(), inside.file_name()) else {
            return false;
        };
        let declared = format!("#[cfg(test)]\nmod {};", name.to_string_lossy());
        fs::read_to_string(folder.with_extension("rs")).is_ok_and(|above| above.contains(&declared))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let inside = path.strip_prefix(&root).unwrap();
                let first = inside.components().next().unwrap();
                let module = Path::new(first.as_os_str())
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source { path, module, text });
            }
        }
    }
    assert!(found.len() > 30, "the sources were not found");
    found
}

/// Names that follow `prefix` in a line of code: `crate::domain::…` gives `domain`.
fn named_after<'a>(line: &'a str, prefix: &str) -> Vec<&'a str> {
    line.match_indices(prefix)
        .filter(|(at, _)| {
            !line[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
        })
        .map(|(at, _)| {
            let rest = &line[at + prefix.len()..];
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            &rest[..end]
        })
        .collect()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

#[test]
fn modules_use_only_what_the_map_allows() {
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(module, _)| *module).collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = MAY_USE.iter().find(|(m, _)| *m == source.module) else {
            wrong.push(format!("{}: not on the map", source.path.display()));
            continue;
        };
        for (n, line) in source.code().filter(|(_, line)| !is_comment(line)) {
            for used in named_after(line, "crate::") {
                let fine = used == source.module || allowed.contains(&used);
                if known.contains(used) && !fine {
                    wrong.push(format!(
                        "{}:{n}: {} may not use {used}",
                        source.path.display(),
                        source.module
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (n, line) in source.code().filter(|(_, line)| !is_comment(line)) {
            for (name, rooms) in ONLY_IN {
                let used = line.trim_start().starts_with(&format!("use {name}::"))
                    || !named_after(line, &format!("{name}::")).is_empty();
                if used && !rooms.contains(&source.module.as_str()) {
                    wrong.push(format!(
                        "{}:{n}: {name} is not for {}",
                        source.path.display(),
                        source.module
                    ));
                }
            }
            if source.module == "domain" {
                let line = line.trim_start().trim_start_matches("pub ");
                let first = line
                    .strip_prefix("use ")
                    .and_then(|rest| rest.split("::").next());
                let ours = ["crate", "super", "self"];
                if let Some(first) = first
                    && !DOMAIN_CRATES.contains(&first)
                    && !ours.contains(&first)
                    && first.chars().next().is_some_and(char::is_lowercase)
                    && !source
                        .path
                        .with_extension("")
                        .join(format!("{first}.rs"))
                        .exists()
                {
                    wrong.push(format!(
                        "{}:{n}: domain may not use {first}",
                        source.path.display()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_hold() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.code().count();
        if lines > 400 {
            wrong.push(format!(
                "{}: {lines} lines of code; split it by noun",
                source.path.display()
            ));
        }
        if !source.text.starts_with("//! ") {
            wrong.push(format!(
                "{}: begins without a `//!` line",
                source.path.display()
            ));
        }
        if source.path.ends_with("mod.rs") {
            wrong.push(format!(
                "{}: name it after its folder",
                source.path.display()
            ));
        }
    }
    let main = sources().into_iter().find(|s| s.module == "main").unwrap();
    if main.text.lines().count() > 15 {
        wrong.push("src/main.rs: more than 15 lines".into());
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_undone_or_silenced() {
    let marks = [
        "todo!(",
        "unimplemented!(",
        "dbg!(",
        "TODO",
        "FIXME",
        "XXX",
        "#[ignore",
    ];
    let mut wrong = Vec::new();
    for source in sources() {
        for (n, line) in source.text.lines().enumerate() {
            let silent = line.contains("allow(")
                && line.trim_start().starts_with('#')
                && !line.contains("reason");
            if silent || marks.iter().any(|mark| line.contains(mark)) {
                wrong.push(format!(
                    "{}:{}: {}",
                    source.path.display(),
                    n + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
