//! A checkout, read for its audit: every file that Git would keep, cut into passages by how it speaks.

mod markup;
mod shape;
mod source;
mod yaml;

use crate::domain::audit::judge::judge;
use crate::domain::audit::{Page, Report, Skipped};
use ignore::WalkBuilder;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// A longer file is nothing that a person wrote.
const LONGEST: u64 = 4 * 1024 * 1024;

/// So much of a file is looked at to tell text from the rest.
const HEAD: usize = 8 * 1024;

/// A checkout that cannot be audited.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("{}: {reason}; name the root of a checkout", path.display())]
    NoDirectory { path: PathBuf, reason: String },
}

/// Reads the checkout at `root` and judges every file in it, `.gitignore` honoured.
///
/// # Errors
/// When `root` is no directory. A file that cannot be read is told in the report.
pub fn audit(root: &Path) -> Result<Report, AuditError> {
    let no_directory = |reason: String| AuditError::NoDirectory {
        path: root.to_owned(),
        reason,
    };
    let about = root
        .metadata()
        .map_err(|error| no_directory(error.to_string()))?;
    if !about.is_dir() {
        return Err(no_directory("it is not a directory".into()));
    }
    let mut report = Report::default();
    let walk = WalkBuilder::new(root)
        // `.env` and `.github` count; the repository's own store does not.
        .hidden(false)
        // A copy without its repository has the same files.
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in walk {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                file(root, entry.path(), &mut report);
            }
            Ok(_) => {}
            Err(error) => report.skipped.push(Skipped {
                path: String::new(),
                why: error.to_string(),
            }),
        }
    }
    report.sort();
    Ok(report)
}

fn file(root: &Path, path: &Path, report: &mut Report) {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let name = relative.to_string_lossy().replace('\\', "/");
    match read(path) {
        Ok(Contents::Text(text)) => {
            report.files += 1;
            report.findings.extend(judge(&page(&name, &text)));
        }
        Ok(Contents::Binary) => report.skipped.push(Skipped {
            path: name,
            why: "not text".into(),
        }),
        Ok(Contents::Long(bytes)) => report.skipped.push(Skipped {
            path: name,
            why: format!("{} MiB long", bytes / 1024 / 1024),
        }),
        Err(error) => report.skipped.push(Skipped {
            path: name,
            why: error.to_string(),
        }),
    }
}

enum Contents {
    Text(String),
    Binary,
    Long(u64),
}

fn read(path: &Path) -> io::Result<Contents> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut bytes)?;
    if bytes.contains(&0) {
        return Ok(Contents::Binary);
    }
    if length > LONGEST {
        return Ok(Contents::Long(length));
    }
    // It may have grown since.
    file.take(LONGEST).read_to_end(&mut bytes)?;
    if bytes.contains(&0) {
        return Ok(Contents::Binary);
    }
    Ok(Contents::Text(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }))
}

/// One file, cut into passages.
pub fn page(path: &str, text: &str) -> Page {
    let shape = shape::Shape::of(path, text);
    // Most files say nothing of what is looked for: a look at the bytes is enough.
    if !shape.matters_by_itself() && !mentions_something(text) {
        return Page {
            path: path.into(),
            ..Page::default()
        };
    }
    let structure = match shape {
        shape::Shape::Yaml | shape::Shape::Workflow => yaml::structure(text),
        _ => None,
    };
    let passages = match shape {
        shape::Shape::Script => source::script(text),
        shape::Shape::Makefile => source::makefile(text),
        shape::Shape::Workflow => source::workflow(text),
        shape::Shape::Program(comment) => source::program(text, comment),
        shape::Shape::Yaml | shape::Shape::Settings => source::data(text, true),
        shape::Shape::Json => source::data(text, false),
        shape::Shape::Markdown => markup::markdown(text),
        shape::Shape::Rest => markup::rest(text),
    };
    Page {
        path: path.into(),
        passages,
        structure,
    }
}

/// Whether the text has any of the words that a rule looks for.
fn mentions_something(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        "ompose",
        "OMPOSE",
        "NODE_EXECUTOR",
        "ocker_executor",
        "orkspace_executor",
        "DockerExecutor",
        "WorkspaceExecutor",
        "docker.sock",
        "allback_",
    ];
    const SETTINGS: [&str; 2] = ["docker_", "workspace_root"];
    WORDS
        .iter()
        .chain(&SETTINGS)
        .any(|word| text.contains(word))
}
