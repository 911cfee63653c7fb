//! The overlays in the UI: the pane, the diff before an apply, the apply itself.

pub mod diff;
pub mod list;

use super::Turn;
use super::action::{Action, Context};
use super::notices::Notice;
use super::text::Field;
use crate::domain::overlays::lines::{self, Line};
use crate::domain::overlays::plan::Plan;
use crate::domain::overlays::progress::{ApplyOptions, Progress, Report};
use crate::domain::overlays::{Overlay, Problem, Standing};
use diff::{Applying, Diff};
use jiff::{SignedDuration, Timestamp};
use tui_input::InputRequest;

/// One overlay with what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub overlay: Overlay,
    /// The last comparison with the cluster.
    pub plan: Option<Plan>,
    /// The lines of `plan`.
    pub lines: Vec<Line>,
    /// It is being compared.
    pub comparing: bool,
    /// Its files changed since it was last looked at or applied.
    pub changed_on_disk: bool,
    /// Why it could not be compared.
    pub failure: Option<String>,
}

/// State of the overlays pane and the diff.
#[derive(Debug, Default)]
pub struct Slice {
    pub rows: Vec<Row>,
    /// They were listed once; before that an empty list says nothing.
    pub listed: bool,
    /// Name of the selected overlay.
    pub selected: Option<String>,
    pub filter: Field,
    /// The filter is being typed.
    pub filtering: bool,
    /// The diff, while its dialog is open.
    pub diff: Option<Diff>,
    /// An apply under way; there is one at a time.
    pub applying: Option<Applying>,
    /// The cluster answers.
    live: bool,
    /// When all were compared with the cluster.
    compared_at: Option<Timestamp>,
}

/// So long a comparison is taken to be true.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// Why a comparison came to nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanFailure {
    /// The overlay cannot be rendered.
    Broken(Problem),
    /// The cluster did not answer; what failed and the next step.
    Cluster(String),
}

/// What happened to overlays.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// All overlays that there are; answers [`Effect::List`].
    Listed(Vec<Overlay>),
    /// An overlay was rendered and compared with the cluster; answers [`Effect::Plan`].
    Planned {
        name: String,
        result: Result<Plan, PlanFailure>,
    },
    /// Files below an overlay directory changed on disk; no paths: any of them may have.
    FilesChanged(Vec<String>),
    /// One object of an apply is done.
    Progressed { name: String, progress: Progress },
    /// An apply ended; answers [`Effect::Apply`]. An error says what failed before any object was sent.
    Applied {
        name: String,
        result: Result<Report, String>,
    },
}

/// What overlays ask of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Find all overlays.
    List,
    /// Render one from its files as they are now and compare it with the cluster.
    Plan { name: String },
    /// Apply exactly what `plan` shows.
    Apply { plan: Plan, options: ApplyOptions },
}

impl Slice {
    /// Where keys are looked up while the pane has the focus.
    pub fn list_context(&self) -> Context {
        if self.filtering {
            Context::OverlaysFilter
        } else {
            Context::Overlays
        }
    }

    /// Where keys are looked up while the diff is open.
    pub fn context(&self) -> Context {
        match &self.diff {
            Some(diff) if diff.filtering => Context::DiffFilter,
            _ => Context::Diff,
        }
    }

    /// Takes one action, in the pane or in the diff; a page is `page` rows, `place` is how questions name the cluster.
    pub fn act(&mut self, action: Action, page: usize, place: &str, turn: &mut Turn) {
        if self.diff.is_some() {
            self.act_diff(action, page, place, turn);
        } else {
            self.act_list(action, page, turn);
        }
    }

    /// Takes one editing key.
    pub fn edit(&mut self, request: &InputRequest) {
        match &mut self.diff {
            Some(diff) if diff.filtering => {
                diff.filter.edit(request);
                diff.at = 0;
            }
            Some(_) => {}
            None => {
                self.filter.edit(request);
                self.keep_selection();
            }
        }
    }

    /// The cluster began or ceased to answer.
    pub fn linked(&mut self, live: bool, turn: &mut Turn) {
        let came = live && !self.live;
        self.live = live;
        if came && self.listed {
            self.compare_all(turn);
        }
    }

    /// Takes an answer of the world.
    pub fn update(&mut self, msg: Msg, turn: &mut Turn) {
        match msg {
            Msg::Listed(overlays) => self.take_list(overlays, turn),
            Msg::Planned { name, result } => self.planned(&name, result, turn),
            Msg::FilesChanged(paths) => self.files_changed(&paths, turn),
            Msg::Progressed { name, progress } => {
                if let Some(applying) = self.applying.as_mut().filter(|one| one.name == name) {
                    applying.take(progress);
                }
            }
            Msg::Applied { name, result } => self.applied(&name, result, turn),
        }
    }

    /// The row of an overlay.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.overlay.name == name)
    }

    fn row_mut(&mut self, name: &str) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.overlay.name == name)
    }

    /// The overlay that is applied, when the cluster says so; of several the one with the most objects.
    pub fn applied_row(&self) -> Option<&Row> {
        let objects = |row: &&Row| row.plan.as_ref().map_or(0, |plan| plan.objects.all().len());
        self.rows
            .iter()
            .filter(|row| row.overlay.applied)
            .max_by_key(objects)
    }

    /// Somebody looks at the pane: what was compared some time ago is compared again, for the cluster may have changed.
    pub fn looked_at(&mut self, turn: &mut Turn) {
        let is_old = self
            .compared_at
            .is_none_or(|at| turn.now.duration_since(at) > FRESH);
        if self.listed && is_old {
            self.compare_all(turn);
        }
    }

    fn compare(&mut self, name: &str, turn: &mut Turn) {
        let live = self.live;
        if let Some(row) = self.row_mut(name)
            && live
        {
            row.comparing = true;
            let name = name.to_owned();
            turn.effects
                .push(super::Effect::Overlays(Effect::Plan { name }));
        }
    }

    fn compare_all(&mut self, turn: &mut Turn) {
        self.compared_at = Some(turn.now);
        let names: Vec<String> = self
            .rows
            .iter()
            .filter(|row| !matches!(row.overlay.standing, Standing::Broken(_)))
            .map(|row| row.overlay.name.clone())
            .collect();
        for name in names {
            self.compare(&name, turn);
        }
    }

    fn take_list(&mut self, overlays: Vec<Overlay>, turn: &mut Turn) {
        let mut before = std::mem::take(&mut self.rows);
        self.rows = overlays
            .into_iter()
            .map(|mut overlay| {
                let at = before
                    .iter()
                    .position(|row| row.overlay.name == overlay.name);
                let Some(mut row) = at.map(|at| before.swap_remove(at)) else {
                    return Row::new(overlay);
                };
                // What the cluster said stays on the screen until it says something else.
                if overlay.standing == Standing::Unknown
                    && !matches!(row.overlay.standing, Standing::Broken(_))
                {
                    overlay.standing = row.overlay.standing;
                    overlay.applied = row.overlay.applied;
                } else {
                    row.plan = None;
                    row.lines.clear();
                }
                row.overlay = overlay;
                row
            })
            .collect();
        self.listed = true;
        self.keep_selection();
        self.compare_all(turn);
    }

    fn planned(&mut self, name: &str, result: Result<Plan, PlanFailure>, turn: &mut Turn) {
        let is_shown = self.diff.as_ref().is_some_and(|diff| diff.name == name);
        let Some(row) = self.row_mut(name) else {
            return;
        };
        row.comparing = false;
        row.failure = None;
        match result {
            Ok(plan) => {
                let is_other = row
                    .plan
                    .as_ref()
                    .is_some_and(|before| before.objects != plan.objects);
                row.overlay.compared(&plan);
                row.lines = lines::of(&plan);
                row.plan = Some(plan);
                if is_shown {
                    row.changed_on_disk = false;
                }
                if let Some(diff) = self.diff.as_mut().filter(|_| is_shown && is_other) {
                    // What was agreed to was another plan.
                    diff.options = ApplyOptions::default();
                    turn.notice(Notice::warning(format!(
                        "the files of overlay {name} changed: this is what they say now"
                    )));
                }
            }
            Err(PlanFailure::Broken(problem)) => {
                row.plan = None;
                row.lines.clear();
                row.overlay.standing = Standing::Broken(problem);
            }
            Err(PlanFailure::Cluster(why)) => {
                // Told once: the others fail for the same reason.
                let is_news = self
                    .rows
                    .iter()
                    .all(|row| row.failure.as_ref() != Some(&why));
                if let Some(row) = self.row_mut(name) {
                    row.failure = Some(why.clone());
                    row.overlay.standing = Standing::Unknown;
                    row.plan = None;
                    row.lines.clear();
                }
                if is_news {
                    turn.notice(Notice::bad(format!("overlay {name}: {why}")));
                }
            }
        }
    }

    fn files_changed(&mut self, paths: &[String], turn: &mut Turn) {
        for row in &mut self.rows {
            let is_touched = |path: &String| row.overlay.files.contains(path);
            if (paths.is_empty() && !row.overlay.files.is_empty()) || paths.iter().any(is_touched) {
                row.changed_on_disk = true;
            }
        }
        turn.effects.push(super::Effect::Overlays(Effect::List));
    }
}

impl Row {
    fn new(overlay: Overlay) -> Self {
        Self {
            overlay,
            plan: None,
            lines: Vec::new(),
            comparing: false,
            changed_on_disk: false,
            failure: None,
        }
    }
}

#[cfg(test)]
mod tests;
