//! What is asked of the marked runs, or of the selected one when none is marked.

use super::super::notices::Notice;
use super::super::question::Question;
use super::super::{Dialog, Turn};
use super::cancel::Cancel;
use super::{Around, Effect, Slice};
use crate::domain::runs::lifecycle::GivenUp;
use crate::domain::runs::{Phase, Run, RunId, Ttl};

/// Seconds that one press of the key adds to a time to live.
const MORE: u32 = 3600;

/// So many names stand in a question about many runs.
const NAMED: usize = 4;

impl Slice {
    /// Marks the selected run, or takes its mark away.
    pub(super) fn mark(&mut self) {
        let Some(id) = self.current().map(|run| run.id.clone()) else {
            return;
        };
        if !self.marked.remove(&id) {
            self.marked.insert(id);
        }
    }

    /// Marks every run that the list shows; when all of them are marked already, takes all marks away.
    pub(super) fn mark_all(&mut self) {
        self.settle();
        if self.visible.iter().all(|id| self.marked.contains(id)) {
            self.marked.clear();
        } else {
            self.marked.extend(self.visible.iter().cloned());
        }
    }

    /// The runs that an action is about.
    fn targets(&self) -> Vec<&Run> {
        if self.marked.is_empty() {
            return self.current().into_iter().collect();
        }
        let marked = |run: &&Run| self.marked.contains(&run.id);
        self.all.iter().filter(marked).collect()
    }

    pub(super) fn ask_cancel(&mut self, around: &Around, turn: &mut Turn) {
        let targets = self.targets();
        let lives = |run: &&&Run| {
            matches!(
                run.phase,
                Phase::Queued | Phase::Pending | Phase::Running | Phase::Started
            )
        };
        let living: Vec<&Run> = targets.iter().filter(lives).copied().collect();
        let effects = living
            .iter()
            .map(|run| {
                super::super::Effect::Runs(Effect::Cancel {
                    run: run.id.clone(),
                    job: run.job.clone(),
                    plan: around.cancel,
                })
            })
            .collect();
        let grace = around.cancel.grace;
        let question = match living.as_slice() {
            [] => {
                if let Some(why) = nothing_to("cancel", &targets) {
                    turn.notice(Notice::info(why));
                }
                return;
            }
            [run] => Question::yes_no(
                format!(
                    "Cancel run {}? Job {} in {} gets {grace} s to end.",
                    run.label(),
                    run.job,
                    around.place
                ),
                effects,
            ),
            many => Question::typed(
                format!(
                    "Cancel {} runs ({}) in {}? Each gets {grace} s to end. Type the namespace's name.",
                    many.len(),
                    names(many),
                    around.place
                ),
                around.settings.namespace.clone(),
                effects,
            ),
        };
        turn.open = Some(Dialog::Question(Box::new(question)));
    }

    pub(super) fn ask_remove(&mut self, around: &Around, turn: &mut Turn) {
        let targets = self.targets();
        let there: Vec<&Run> = targets.iter().filter(|run| has_job(run)).copied().collect();
        let effects = there
            .iter()
            .map(|run| {
                super::super::Effect::Runs(Effect::Remove {
                    run: run.id.clone(),
                    job: run.job.clone(),
                })
            })
            .collect();
        let question = match there.as_slice() {
            [] => {
                if let Some(why) = nothing_to("remove", &targets) {
                    turn.notice(Notice::info(why));
                }
                return;
            }
            [run] => Question::yes_no(
                format!(
                    "Remove Job {} with its pods from {} now? Its log stays here.",
                    run.job, around.place
                ),
                effects,
            ),
            many => Question::typed(
                format!(
                    "Remove the Jobs of {} runs ({}) with their pods from {} now? Their logs stay here. Type the namespace's name.",
                    many.len(),
                    names(many),
                    around.place
                ),
                around.settings.namespace.clone(),
                effects,
            ),
        };
        turn.open = Some(Dialog::Question(Box::new(question)));
    }

    /// Keeps as long as can be.
    pub(super) fn keep(&mut self, turn: &mut Turn) {
        self.lengthen(|_| Some(Ttl::MAX), turn);
    }

    /// Keeps an hour longer.
    pub(super) fn extend(&mut self, turn: &mut Turn) {
        let longer = |run: &Run| {
            let ttl = run.ttl?.0;
            Some(Ttl(ttl.saturating_add(MORE).min(Ttl::MAX.0)))
        };
        self.lengthen(longer, turn);
    }

    fn lengthen(&mut self, longer: impl Fn(&Run) -> Option<Ttl>, turn: &mut Turn) {
        for run in self.targets() {
            let name = run.label();
            let too_late = matches!(run.phase, Phase::Deleting | Phase::Removed)
                || run.expires_at().is_some_and(|at| at <= turn.now);
            if too_late || !has_job(run) {
                turn.notice(Notice::warning(format!(
                    "too late to keep run {name}: its Job is gone; its log and timeline stay here"
                )));
                continue;
            }
            match longer(run) {
                None => turn.notice(Notice::info(format!(
                    "run {name} has no TTL: it stays until somebody removes it"
                ))),
                Some(ttl) if run.kept && run.ttl == Some(ttl) => turn.notice(Notice::info(
                    format!("run {name} is kept already, for as long as a TTL can be"),
                )),
                Some(ttl) => turn.effects.push(super::super::Effect::Runs(Effect::Keep {
                    run: run.id.clone(),
                    job: run.job.clone(),
                    ttl,
                })),
            }
        }
        self.marked.clear();
    }

    /// The cluster has the longer time to live.
    pub(super) fn kept(&self, run: &RunId, ttl: Ttl, turn: &mut Turn) {
        let name = self.all.find(run).map_or_else(String::new, Run::label);
        turn.notice(Notice::good(format!(
            "run {name} is kept for {} h from its end; Studio's pruner passes it by",
            ttl.0.div_ceil(3600)
        )));
    }

    pub(super) fn given_up(&mut self, run: &RunId, outcome: &GivenUp, turn: &mut Turn) {
        let wants = self.all.given_up(run, outcome, turn.now);
        self.stale = true;
        self.want(wants, turn);
        if let Some(said) = self.all.find(run).and_then(|run| outcome.said(run)) {
            turn.notice(Notice::warning(said));
        }
    }

    /// An effect leaves after a yes: what follows the end of a run is its user's doing.
    pub fn leaving(&mut self, effect: &Effect, turn: &mut Turn) {
        if let Effect::Cancel { run, .. } | Effect::Remove { run, .. } = effect {
            self.marked.remove(run);
            let wants = self.all.cancel_asked(run, turn.now);
            self.want(wants, turn);
        }
        if let Effect::RemoveOrphans(orphans) = effect {
            for orphan in orphans {
                let wants = self.all.cancel_asked(&orphan.run(), turn.now);
                self.want(wants, turn);
            }
        }
        if let Effect::Cancel { run, plan, .. } = effect {
            self.cancels.retain(|cancel| cancel.run != *run);
            self.cancels.push(Cancel::of(run.clone(), *plan));
        }
    }
}

/// There is an object in the cluster, as far as is known.
pub(super) fn has_job(run: &Run) -> bool {
    !matches!(
        run.phase,
        Phase::Dispatching | Phase::NotDispatched | Phase::Removed
    )
}

/// Why nothing can be done to any of them.
fn nothing_to(verb: &str, targets: &[&Run]) -> Option<String> {
    let [run] = targets else {
        let none = format!("none of the {} marked runs can be", targets.len());
        let done = if verb == "cancel" {
            "cancelled: all have ended"
        } else {
            "removed: they have no Jobs"
        };
        return (!targets.is_empty()).then(|| format!("{none} {done}"));
    };
    let name = run.label();
    Some(if has_job(run) {
        format!("run {name} has ended; there is nothing to {verb}")
    } else if verb == "cancel" && run.phase == Phase::Removed {
        format!("run {name} has ended; there is nothing to cancel")
    } else {
        format!("run {name} has no Job to {verb}")
    })
}

fn names(runs: &[&Run]) -> String {
    let mut names: Vec<String> = runs.iter().take(NAMED).map(|run| run.label()).collect();
    if runs.len() > NAMED {
        names.push(format!("{} more", runs.len() - NAMED));
    }
    names.join(", ")
}
