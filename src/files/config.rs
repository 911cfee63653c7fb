//! `config.toml`: what this tool itself works with. Annotated in `config/config.toml`.

pub mod notify;

use super::history::Bounds;
use super::located::{self, Position, ReadError};
use crate::domain::settings::rules::is_dns_label;
use notify::Notify;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// The tool's own configuration. A relative path in the file is relative to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolConfig {
    /// Minikube profile, unless `--profile` names one.
    pub profile: String,
    /// Namespace of the executor Jobs, unless `--namespace` or the settings name one.
    pub namespace: Option<String>,
    /// The `minikube` program: a name to look for on PATH, or a path.
    pub minikube: PathBuf,
    /// Contexts that may be worked on although they do not look local.
    pub allowed_contexts: Vec<String>,
    /// Directory with overlays instead of those inside the program, unless `--overlays` names one.
    pub overlays: Option<PathBuf>,
    /// A checkout of llmctl, for overlays that refer to its manifests and for the live-code mount.
    pub checkout: Option<PathBuf>,
    /// Studio's database for the checks: an address without a password, or an SQLite file.
    pub studio: Option<String>,
    /// How a person hears of runs.
    pub notify: Notify,
    /// How much of past runs is kept.
    pub history: Bounds,
}

impl Default for ToolConfig {
    fn default() -> Self {
        Self {
            profile: "llmctl".into(),
            namespace: None,
            minikube: "minikube".into(),
            allowed_contexts: Vec::new(),
            overlays: None,
            checkout: None,
            studio: None,
            notify: Notify::default(),
            history: Bounds::default(),
        }
    }
}

/// What is wrong in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    pub path: PathBuf,
    pub at: Position,
    /// `context.allow`; empty for a mistake in the syntax.
    pub name: String,
    /// Continues a sentence that began with the name.
    pub rule: String,
}

impl std::fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            path,
            at,
            name,
            rule,
        } = self;
        let path = path.display();
        write!(f, "{path}:{}:{}: {name} {rule}", at.line, at.column)
    }
}

/// The configuration could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{}", lines(.0))]
    Wrong(Vec<ConfigProblem>),
}

/// What a file says, and sentences on what has no effect in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    pub config: ToolConfig,
    pub remarks: Vec<String>,
}

/// Reads the tool's configuration; a file that is not there says nothing.
///
/// # Errors
/// When it cannot be read; or every problem in it at once.
pub fn load(path: &Path) -> Result<Loaded, ConfigError> {
    let bytes = located::read(path)?.unwrap_or_default();
    let text = String::from_utf8(bytes).map_err(|_| ReadError {
        path: path.to_path_buf(),
        reason: "it is not UTF-8".into(),
    })?;
    parse(path, &text).map_err(ConfigError::Wrong)
}

fn parse(path: &Path, text: &str) -> Result<Loaded, Vec<ConfigProblem>> {
    let (table, mistakes) = located::parse(text);
    let mut reading = Reading {
        path,
        text,
        config: ToolConfig::default(),
        problems: Vec::new(),
        remarks: Vec::new(),
    };
    for mistake in mistakes {
        reading.problems.push(ConfigProblem {
            path: path.to_path_buf(),
            at: mistake.at,
            name: "not valid TOML:".into(),
            rule: mistake.reason,
        });
    }
    reading.table("", table.get_ref());
    if reading.problems.is_empty() {
        Ok(Loaded {
            config: reading.config,
            remarks: reading.remarks,
        })
    } else {
        reading.problems.sort_by_key(|problem| problem.at);
        Err(reading.problems)
    }
}

struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
    config: ToolConfig,
    problems: Vec<ConfigProblem>,
    remarks: Vec<String>,
}

impl Reading<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in located::in_order(table) {
            let full = format!("{prefix}{}", name.get_ref());
            let at = Position::of(self.text, value.span().start);
            match (full.as_str(), value.get_ref()) {
                (
                    "minikube" | "context" | "overlays" | "studio" | "notify" | "history",
                    DeValue::Table(inner),
                ) => {
                    self.table(&format!("{full}."), inner);
                }
                (_, value) => {
                    if let Err(rule) = self.take(&full, value) {
                        self.problems.push(ConfigProblem {
                            path: self.path.to_path_buf(),
                            at,
                            name: full,
                            rule,
                        });
                    }
                }
            }
        }
    }

    fn take(&mut self, name: &str, value: &DeValue<'_>) -> Result<(), String> {
        let config = &mut self.config;
        let taken = match name.split_once('.') {
            Some(("notify", name)) => config.notify.take(name, value),
            Some(("history", name)) => notify::take(&mut config.history, name, value),
            _ => None,
        };
        if let Some(taken) = taken {
            return taken;
        }
        match name {
            "profile" => config.profile = needed(value)?,
            "namespace" => {
                let text = self::text(value)?;
                if !text.is_empty() && !is_dns_label(&text) {
                    return Err("must be blank or a DNS label: at most 63 of a-z 0-9 -".into());
                }
                config.namespace = (!text.is_empty()).then_some(text);
            }
            "minikube.path" => {
                let program = PathBuf::from(needed(value)?);
                // A bare name is looked for on PATH and is no path yet.
                config.minikube = if program.components().count() > 1 {
                    beside(self.path, program)
                } else {
                    program
                };
            }
            "context.allow" => config.allowed_contexts = names(value)?,
            "overlays.directory" => config.overlays = directory(self.path, value)?,
            "overlays.checkout" => config.checkout = directory(self.path, value)?,
            "studio.database" => config.studio = database(self.path, value)?,
            "minikube" | "context" | "overlays" | "studio" | "notify" | "history" => {
                return Err(format!("must be a table, and is {}", located::kind(value)));
            }
            _ => self.remarks.push(format!(
                "{}: {name} is no setting of llmctl-dev and has no effect",
                self.path.display()
            )),
        }
        Ok(())
    }
}

fn text(value: &DeValue<'_>) -> Result<String, String> {
    let text = value
        .as_str()
        .ok_or_else(|| format!("must be a text, in quotes, and is {}", located::kind(value)))?
        .trim();
    if text.chars().any(char::is_control) {
        return Err("must not hold control characters".into());
    }
    Ok(text.to_owned())
}

fn needed(value: &DeValue<'_>) -> Result<String, String> {
    match text(value)? {
        text if text.is_empty() => Err("must not be blank; leave it out for the default".into()),
        text => Ok(text),
    }
}

fn names(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let wrong = || "must be an array of context names: [\"staging\"]".to_owned();
    let items = value.as_array().ok_or_else(wrong)?;
    items
        .iter()
        .map(|item| needed(item.get_ref()).map_err(|_| wrong()))
        .collect()
}

fn directory(file: &Path, value: &DeValue<'_>) -> Result<Option<PathBuf>, String> {
    let text = text(value)?;
    Ok((!text.is_empty()).then(|| beside(file, text.into())))
}

/// An address as it is, a file where the configuration means it. A password has no place in it.
fn database(file: &Path, value: &DeValue<'_>) -> Result<Option<String>, String> {
    let text = text(value)?;
    if text.is_empty() {
        return Ok(None);
    }
    let Some((_, rest)) = text.split_once("://") else {
        return Ok(Some(beside(file, text.into()).display().to_string()));
    };
    let login = rest.split_once('@').map_or("", |(login, _)| login);
    if login.contains(':') {
        return Err("must hold no password; set LLMCTL_POSTGRES_PASSWORD".into());
    }
    Ok(Some(text))
}

/// A path as the file means it: `~/` is the home, a relative one starts at the file's directory.
fn beside(file: &Path, path: PathBuf) -> PathBuf {
    if let (Ok(rest), Some(home)) = (
        path.strip_prefix("~"),
        directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf()),
    ) {
        return home.join(rest);
    }
    file.parent()
        .map_or(path.clone(), |parent| parent.join(path))
}

fn lines(problems: &[ConfigProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Loaded, Vec<ConfigProblem>> {
        parse(Path::new("/etc/x/config.toml"), text)
    }

    #[test]
    fn the_annotated_file_is_the_defaults() {
        let sample = include_str!("../../config/config.toml");
        assert_eq!(read(sample), Ok(Loaded::default()));
    }

    #[test]
    fn everything_is_read_and_paths_are_relative_to_the_file() {
        let loaded = read(
            "profile = 'dev'\nnamespace = 'other'\nminikube.path = 'bin/minikube'\n\
             context = { allow = ['a', 'b'] }\n[overlays]\ndirectory = 'o'\ncheckout = '/src/llmctl'\n[studio]\ndatabase = 'old.sqlite3'\n[own]\n\
             [notify]\nbell = false\ndesktop = 'osc9'\ntitle = false\nbefore_removal_seconds = 0\ncommand = 'x'\n\
             [history]\nruns = 5\ndays = 2\nmegabytes = 3\nlog_megabytes = 1\n",
        )
        .unwrap();
        let expected = ToolConfig {
            profile: "dev".into(),
            namespace: Some("other".into()),
            minikube: "/etc/x/bin/minikube".into(),
            allowed_contexts: vec!["a".into(), "b".into()],
            overlays: Some("/etc/x/o".into()),
            checkout: Some("/src/llmctl".into()),
            studio: Some("/etc/x/old.sqlite3".into()),
            notify: Notify {
                bell: false,
                desktop: notify::Way::Osc9,
                title: false,
                before_removal: None,
                command: Some("x".into()),
            },
            history: Bounds {
                runs: 5,
                age: std::time::Duration::from_hours(48),
                bytes: 3 << 20,
                log_bytes: 1 << 20,
            },
        };
        assert_eq!(loaded.config, expected);
        assert_eq!(loaded.remarks.len(), 1);
    }

    #[test]
    fn all_problems_come_at_once_with_their_places() {
        let problems = read(
            "profile = ''\nnamespace = 'Not_One'\nminikube = 3\n[context]\nallow = 'x'\n[notify]\nbell = 1\ndesktop = 'x'\n[history]\nruns = 0\nbroken = \n",
        )
        .unwrap_err();
        let names: Vec<&str> = problems.iter().map(|p| p.name.as_str()).collect();
        let wanted = [
            "profile",
            "namespace",
            "minikube",
            "context.allow",
            "notify.bell",
            "notify.desktop",
            "history.runs",
            "not valid TOML:",
        ];
        assert_eq!(names, wanted);
        assert!(
            problems[1]
                .to_string()
                .starts_with("/etc/x/config.toml:2:13: namespace must")
        );
    }
}
