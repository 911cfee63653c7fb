//! The audit of a checkout: what is left of Compose and of the removed executors, and the Kubernetes way to do the same.
//!
//! The rules are those of contract section 7.10. An edge reads the files and cuts them into passages that say how a text speaks (a command,
//! prose, a comment, …); [`judge`](judge::judge) says what each means.

pub mod baseline;
pub mod judge;
pub mod leftovers;
mod legacy;
pub mod place;
mod words;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It starts, or tells people to start, something that is gone.
    Error,
    /// Worth a look; nothing runs because of it.
    Notice,
    /// Kept on purpose.
    Allowed,
}

impl Level {
    /// The word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Notice => "notice",
            Self::Allowed => "allowed",
        }
    }
}

/// What was looked for; contract section 7.10, a row each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A Compose file.
    ComposeFile,
    /// A command of Compose that is run, or that somebody is told to run.
    ComposeCommand,
    /// Compose by name, without an instruction.
    ComposeMention,
    /// A removed executor, as a file, an import or a name.
    RemovedExecutor,
    /// One of the ten settings that are gone, or its variable.
    RemovedSetting,
    /// A provider other than Kubernetes.
    OtherProvider,
    /// A variable that no code reads.
    DeadVariable,
    /// The Docker socket inside a workload.
    DockerSocket,
    /// Building of images, which stays.
    ImageBuild,
    /// A container, network or volume that Compose made and that is still there.
    Leftover,
}

impl Rule {
    /// Every rule, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::ComposeFile,
        Self::ComposeCommand,
        Self::ComposeMention,
        Self::RemovedExecutor,
        Self::RemovedSetting,
        Self::OtherProvider,
        Self::DeadVariable,
        Self::DockerSocket,
        Self::ImageBuild,
        Self::Leftover,
    ];

    /// The id in documents.
    pub fn id(self) -> &'static str {
        match self {
            Self::ComposeFile => "compose-file",
            Self::ComposeCommand => "compose-command",
            Self::ComposeMention => "compose-mention",
            Self::RemovedExecutor => "removed-executor",
            Self::RemovedSetting => "removed-setting",
            Self::OtherProvider => "other-provider",
            Self::DeadVariable => "dead-variable",
            Self::DockerSocket => "docker-socket",
            Self::ImageBuild => "image-build",
            Self::Leftover => "leftover",
        }
    }

    /// One sentence for people.
    pub fn about(self) -> &'static str {
        match self {
            Self::ComposeFile => "A Compose file in the checkout",
            Self::ComposeCommand => "A command of Compose that is run or recommended",
            Self::ComposeMention => "Compose named without an instruction",
            Self::RemovedExecutor => "A removed executor, as a file, an import or a name",
            Self::RemovedSetting => {
                "An executor setting that was removed, or its environment variable"
            }
            Self::OtherProvider => "A provider other than kubernetes",
            Self::DeadVariable => "An environment variable that no code reads any more",
            Self::DockerSocket => "The Docker socket mounted into a workload",
            Self::ImageBuild => "Building of images, kept on purpose",
            Self::Leftover => "A container, network or volume that Compose left on this machine",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub rule: Rule,
    pub level: Level,
    /// Relative to the checkout, with `/`; for a leftover the kind and name of the object.
    pub path: String,
    /// From 1; 0 where the whole file, or no file, is meant.
    pub line: usize,
    /// The line, shortened, without secrets.
    pub excerpt: String,
    pub why: String,
    /// The Kubernetes way; empty where nothing is to be done.
    pub instead: String,
}

/// A file that was not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    pub path: String,
    pub why: String,
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// By path and line.
    pub findings: Vec<Finding>,
    pub skipped: Vec<Skipped>,
    /// Files that were read.
    pub files: usize,
    /// Findings that a baseline accepts; they are not among the others.
    pub accepted: usize,
}

impl Report {
    /// Findings of that level.
    pub fn count(&self, level: Level) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }

    /// Whether something is there that is as bad as `level` or worse.
    pub fn has(&self, level: Level) -> bool {
        self.findings.iter().any(|finding| finding.level <= level)
    }

    /// Brings the findings into the order in which they are shown.
    pub fn sort(&mut self) {
        self.findings
            .sort_by(|a, b| (&a.path, a.line, a.rule).cmp(&(&b.path, b.line, b.rule)));
        self.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

/// How a text speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// It is run: a line of a script, a recipe, a step of CI, a block of shell in a document.
    Command,
    /// Quoted as code within a sentence.
    Inline,
    /// A sentence.
    Prose,
    /// A comment of a program, a script or a manifest.
    Comment,
    /// Source code.
    Code,
    /// Keys and values: a manifest, a configuration, an environment file.
    Data,
}

/// A piece of text that speaks in one voice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Where it begins, from 1.
    pub line: usize,
    pub voice: Voice,
    /// One line, continuations joined.
    pub text: String,
    /// The sentence around it, where it is quoted in one.
    pub around: String,
}

/// A Compose file's service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    pub name: String,
    /// From 1.
    pub line: usize,
    pub image: Option<String>,
}

/// What the structure of a YAML file says, anchors and merges resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// Present in a Compose file.
    pub services: Option<Vec<Service>>,
    /// Lines that mount the Docker socket.
    pub sockets: Vec<usize>,
    /// Variables with their values and lines, in whatever form the file sets them.
    pub variables: Vec<(String, String, usize)>,
}

/// One file as an edge read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Relative to the checkout, with `/`.
    pub path: String,
    pub passages: Vec<Passage>,
    /// Present in YAML that can be read.
    pub structure: Option<Structure>,
}

/// How many findings each rule has at a level.
pub fn tally(findings: &[Finding]) -> BTreeMap<(Rule, Level), usize> {
    let mut tally = BTreeMap::new();
    for finding in findings {
        *tally.entry((finding.rule, finding.level)).or_default() += 1;
    }
    tally
}
