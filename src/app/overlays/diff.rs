//! The diff of one overlay, and an apply under way.

use super::super::action::Action;
use super::super::notices::Notice;
use super::super::question::Question;
use super::super::text::Field;
use super::super::{Dialog, Turn};
use super::{Effect, Row, Slice};
use crate::domain::overlays::Standing;
use crate::domain::overlays::lines::Line;
use crate::domain::overlays::plan::{Plan, Refusal};
use crate::domain::overlays::progress::{Applied, ApplyOptions, Outcome, Progress, Report};

/// The diff dialog.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// The overlay that it shows.
    pub name: String,
    pub options: ApplyOptions,
    /// Line with the cursor, counted among those that the filter lets through.
    pub at: usize,
    pub filter: Field,
    /// The filter is being typed.
    pub filtering: bool,
    /// What the last apply from here came to, when it was not whole.
    pub report: Option<Report>,
}

/// An apply under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applying {
    pub name: String,
    pub done: usize,
    pub total: usize,
    /// What is done, in the order in which it was done.
    pub applied: Vec<Applied>,
}

impl Applying {
    pub(super) fn take(&mut self, progress: Progress) {
        self.done = progress.done;
        self.total = progress.total;
        self.applied.push(progress.applied);
    }
}

impl Diff {
    pub(super) fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The lines of `row` that belong to objects that the filter lets through.
    pub fn lines<'a>(&self, row: &'a Row) -> Vec<&'a Line> {
        let wanted = self.filter.text().trim().to_lowercase();
        if wanted.is_empty() {
            return row.lines.iter().collect();
        }
        let matches = |line: &Line| line.text.to_lowercase().contains(&wanted);
        let objects: Vec<Option<usize>> = row
            .lines
            .iter()
            .filter(|line| matches(line))
            .map(|line| line.change)
            .collect();
        row.lines
            .iter()
            .filter(|line| objects.contains(&line.change))
            .collect()
    }
}

impl Slice {
    pub(super) fn act_diff(&mut self, action: Action, page: usize, place: &str, turn: &mut Turn) {
        let count = self.diff_lines();
        let Some(diff) = &mut self.diff else {
            return;
        };
        let last = count.saturating_sub(1);
        match action {
            Action::Down => diff.at = (diff.at + 1).min(last),
            Action::Up => diff.at = diff.at.min(last).saturating_sub(1),
            Action::PageDown => diff.at = (diff.at + page).min(last),
            Action::PageUp => diff.at = diff.at.min(last).saturating_sub(page),
            Action::Top => diff.at = 0,
            Action::Bottom => diff.at = last,
            Action::Filter => diff.filtering = true,
            Action::Accept if diff.filtering => diff.filtering = false,
            Action::Dismiss if diff.filtering || !diff.filter.text().is_empty() => {
                diff.filtering = false;
                diff.filter = Field::default();
                diff.at = 0;
            }
            Action::Dismiss => {
                self.diff = None;
                turn.close = true;
            }
            Action::TakeOwnership => self.toggle_force(turn),
            Action::PruneOverlay => self.toggle_prune(turn),
            Action::Accept | Action::ApplyOverlay => self.apply(place, turn),
            _ => {}
        }
    }

    /// Lines that the cursor can be on: what the last apply could not do, and the plan.
    fn diff_lines(&self) -> usize {
        let Some(diff) = &self.diff else {
            return 0;
        };
        let failed = match &diff.report {
            // A head before them and a blank line behind.
            Some(report) => report.failures().count() + 2,
            None => 0,
        };
        failed + self.row(&diff.name).map_or(0, |row| diff.lines(row).len())
    }

    /// The plan that the dialog shows.
    fn shown_plan(&self) -> Option<&Plan> {
        self.row(&self.diff.as_ref()?.name)?.plan.as_ref()
    }

    fn toggle_force(&mut self, turn: &mut Turn) {
        let has_conflicts = self
            .shown_plan()
            .is_some_and(|plan| plan.conflicts().next().is_some());
        match &mut self.diff {
            Some(diff) if has_conflicts => diff.options.force = !diff.options.force,
            _ => turn.notice(Notice::info("nobody else owns a field of this overlay")),
        }
    }

    fn toggle_prune(&mut self, turn: &mut Turn) {
        let has_leftovers = self
            .shown_plan()
            .is_some_and(|plan| plan.prunable().next().is_some());
        match &mut self.diff {
            Some(diff) if has_leftovers => diff.options.prune = !diff.options.prune,
            _ => turn.notice(Notice::info("nothing is left over from this overlay")),
        }
    }

    /// Applies what the dialog shows, or says why not; asks when more than the diff is at stake.
    fn apply(&mut self, place: &str, turn: &mut Turn) {
        let Some(diff) = &self.diff else {
            return;
        };
        let (name, options) = (diff.name.clone(), diff.options);
        let Some(row) = self.row(&name) else {
            return;
        };
        if let Some(applying) = &self.applying {
            let busy = &applying.name;
            return turn.notice(Notice::warning(format!(
                "overlay {busy} is being applied: wait for its end"
            )));
        }
        if !self.live {
            return turn.notice(Notice::warning(
                "not connected: nothing is applied until the cluster answers again",
            ));
        }
        if let Standing::Broken(problem) = &row.overlay.standing {
            return turn.notice(Notice::bad(problem.to_string()));
        }
        let Some(plan) = row.plan.as_ref().filter(|_| !row.comparing) else {
            return turn.notice(Notice::info(format!(
                "overlay {name} is still being compared"
            )));
        };
        match plan.refusal(options) {
            Some(Refusal::Conflict(what)) => {
                return turn.notice(Notice::warning(format!(
                    "not applied: {what}; f takes the ownership, or leave the field out of the overlay"
                )));
            }
            Some(Refusal::Failed(what)) => {
                return turn.notice(Notice::bad(format!(
                    "not applied: the cluster refuses {what}; correct the overlay"
                )));
            }
            None => {}
        }
        let gone: Vec<String> = plan.prunable().map(ToString::to_string).collect();
        let prunes = options.prune && !gone.is_empty();
        if plan.is_in_sync() && plan.applied && !prunes {
            return turn.notice(Notice::good(format!(
                "overlay {name} is in sync: nothing to apply"
            )));
        }
        let takes = plan.conflicts().count();
        let effect = super::super::Effect::Overlays(Effect::Apply {
            plan: plan.clone(),
            options,
        });
        let question = if prunes {
            let text = format!(
                "Apply overlay {name} to {place} and remove {}?",
                gone.join(", ")
            );
            Some(Question::typed(text, name.clone(), vec![effect.clone()]))
        } else if options.force && takes > 0 {
            let text = format!(
                "Apply overlay {name} to {place} and take the fields of {} over from their owners?",
                owners(plan)
            );
            Some(Question::yes_no(text, vec![effect.clone()]))
        } else {
            None
        };
        if let Some(question) = question {
            turn.open = Some(Dialog::Question(Box::new(question)));
            return;
        }
        if let super::super::Effect::Overlays(effect) = &effect {
            self.leaving(effect);
        }
        turn.effects.push(effect);
    }

    /// An effect is about to be performed: an apply begins.
    pub fn leaving(&mut self, effect: &Effect) {
        if let Effect::Apply { plan, options } = effect {
            let leftovers = if options.prune {
                plan.prunable().count()
            } else {
                0
            };
            self.applying = Some(Applying {
                name: plan.overlay.clone(),
                done: 0,
                total: plan.objects.all().len() + leftovers,
                applied: Vec::new(),
            });
            if let Some(diff) = &mut self.diff {
                diff.report = None;
            }
        }
    }

    pub(super) fn applied(&mut self, name: &str, result: Result<Report, String>, turn: &mut Turn) {
        self.applying = None;
        let is_shown = self.diff.as_ref().is_some_and(|diff| diff.name == name);
        match result {
            Ok(report) if report.is_whole() => {
                turn.notice(Notice::good(format!(
                    "overlay {name} applied: {}",
                    report.summary()
                )));
                if let Some(diff) = self.diff.as_mut().filter(|_| is_shown) {
                    diff.options = ApplyOptions::default();
                    diff.report = None;
                    diff.at = 0;
                }
            }
            Ok(report) => {
                let first = report.failures().next();
                let why =
                    first.map_or_else(String::new, |(object, why)| format!(": {object}: {why}"));
                turn.notice(Notice::bad(format!(
                    "overlay {name} is applied in part ({}){why}",
                    report.summary()
                )));
                if let Some(diff) = self.diff.as_mut().filter(|_| is_shown) {
                    diff.report = Some(report);
                }
            }
            Err(why) => turn.notice(Notice::bad(why)),
        }
        if let Some(row) = self.row_mut(name) {
            row.changed_on_disk = false;
        }
        // What one overlay changed may be what another one has too.
        self.compare_all(turn);
    }
}

fn owners(plan: &Plan) -> String {
    let mut names: Vec<String> = plan
        .conflicts()
        .map(|(object, _)| object.to_string())
        .collect();
    names.dedup();
    names.join(", ")
}

/// The outcome of one object in a word.
pub fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "unchanged",
        Outcome::Pruned => "pruned",
        Outcome::Failed(_) => "refused",
        Outcome::Skipped(_) => "not tried",
    }
}
