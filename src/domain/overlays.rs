//! Overlays: named sets of Kubernetes objects, what applying one would change and what it did change.

pub mod diff;
pub mod lines;
pub mod objects;
pub mod plan;
pub mod progress;
pub mod quantity;

use plan::Plan;
use serde::Serialize;

/// Field manager of every server-side apply of this program; conflicts name the others.
pub const FIELD_MANAGER: &str = "llmctl-dev";

/// Label on every applied object; its value is the overlay that applied it last. What carries it and is not in the
/// overlay any more can be pruned.
pub const OVERLAY_LABEL: &str = "llmctl.dev/overlay";

/// Where an overlay comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "path")]
pub enum Origin {
    /// Shipped inside the program.
    BuiltIn,
    /// The directory with its kustomization file.
    Directory(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Directory(path) => f.write_str(path),
        }
    }
}

/// Why an overlay cannot be used: where, what, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file at fault; empty when it is not one file's.
    pub file: String,
    /// Line in that file, from 1.
    pub line: Option<u64>,
    pub what: String,
    /// The next step, as an imperative sentence part.
    pub next: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}", self.file)?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}; {}", self.what, self.next)
    }
}

/// How an overlay stands to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "detail")]
pub enum Standing {
    /// Not compared yet, or the cluster cannot be asked.
    Unknown,
    /// Nothing of it is in the cluster, its namespace aside.
    Never,
    InSync,
    /// So many objects would be created or changed.
    Changed(usize),
    /// So many objects have fields that somebody else owns.
    Conflict(usize),
    /// So many objects the cluster refuses.
    Refused(usize),
    /// It cannot be rendered.
    Broken(Problem),
}

impl Standing {
    /// The words of the pane; the glyph and the colour are the theme's.
    pub fn words(&self) -> String {
        match self {
            Self::Unknown => "unknown".into(),
            Self::Never => "never applied".into(),
            Self::InSync => "in sync".into(),
            Self::Changed(n) => format!("{n} changed"),
            Self::Conflict(1) => "1 conflict".into(),
            Self::Conflict(n) => format!("{n} conflicts"),
            Self::Refused(n) => format!("{n} refused"),
            Self::Broken(_) => "broken".into(),
        }
    }

    /// What a plan says of its overlay.
    pub fn of(plan: &Plan) -> Self {
        let counts = plan.counts();
        if counts.failed > 0 {
            Self::Refused(counts.failed)
        } else if counts.conflict > 0 {
            Self::Conflict(counts.conflict)
        } else if plan.is_first() {
            Self::Never
        } else if counts.create + counts.update > 0 {
            Self::Changed(counts.create + counts.update)
        } else {
            Self::InSync
        }
    }
}

/// One overlay as a list shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overlay {
    pub name: String,
    pub origin: Origin,
    /// One sentence: the first comment of its kustomization file; empty when there is none.
    pub about: String,
    #[serde(flatten)]
    pub standing: Standing,
    /// The objects of the cluster carry its name: it is the one that was applied last.
    pub applied: bool,
    /// Files it is made of, for noticing changes; empty for a built-in one.
    #[serde(skip)]
    pub files: Vec<String>,
}

impl Overlay {
    /// An overlay that nothing is known of but where it is.
    pub fn found(name: impl Into<String>, origin: Origin) -> Self {
        Self {
            name: name.into(),
            origin,
            about: String::new(),
            standing: Standing::Unknown,
            applied: false,
            files: Vec::new(),
        }
    }

    /// Takes over what a comparison with the cluster found.
    pub fn compared(&mut self, plan: &Plan) {
        self.standing = Standing::of(plan);
        self.applied = plan.applied;
    }
}
