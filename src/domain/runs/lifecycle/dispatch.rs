//! What this tool's user asks for: a run, its end, its removal; and what the API server answered.

use super::{Runs, Want};
use crate::domain::manifest::RunPlan;
use crate::domain::observed::JobSeen;
use crate::domain::runs::entry::Entry;
use crate::domain::runs::{Dispatch, Phase, Run, RunId};
use crate::domain::verdict::Verdict;
use jiff::{SignedDuration, Timestamp};

/// When the cluster could not be asked to stop a run that does not start, it is asked again so much later.
const AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// What came of giving a run up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// Its pod goes, or none will be made: the Job fails and stays, with its evidence, until its TTL (W17).
    Stopped,
    /// Its container runs, or has run: it goes on (W1).
    Started,
    /// It is finished or gone already.
    Over,
    /// The cluster could not be asked.
    Failed { why: String },
}

impl GivenUp {
    /// What a person is told of it; nothing when there is nothing to tell.
    pub fn said(&self, run: &Run) -> Option<String> {
        let name = run.label();
        match self {
            Self::Stopped => Some(format!(
                "run {name} did not start within its dispatch time-out and was given up; its Job stays until its TTL"
            )),
            Self::Started => Some(format!("run {name} started in the last moment and goes on")),
            Self::Over => None,
            Self::Failed { why } => Some(format!(
                "run {name} did not start in time and cannot be given up now, which is tried again: {why}"
            )),
        }
    }
}

impl Runs {
    /// A person asked for this run; it is listed before the API server answers. Gives its id, which stays valid for [`Runs::find`] once
    /// the Job has a UID.
    pub fn dispatching(&mut self, plan: &RunPlan, now: Timestamp) -> (RunId, Vec<Want>) {
        self.dispatched += 1;
        let id = RunId(format!(
            "dispatch-{}-{}",
            now.as_millisecond(),
            self.dispatched
        ));
        let mut run = Run::new(id.clone(), &plan.job_name, &plan.namespace, now);
        run.execution = Some(plan.request.execution_id);
        let pass = plan.request.execution_index;
        run.pass = (pass > 1).then_some(pass);
        run.node_id = Some(plan.request.node_id);
        run.sample = Some(plan.sample.clone());
        run.ours = true;
        run.ttl = Some(plan.ttl);
        run.image.clone_from(&plan.image);
        run.why = "The API server has not answered yet.".into();
        let patience = SignedDuration::from_secs(plan.dispatch_timeout_seconds.into());
        self.index.insert(Entry::new(run, now).patient(patience));
        (id, Vec::new())
    }

    /// The API server accepted the Job.
    pub fn accepted(&mut self, id: &RunId, job: JobSeen, now: Timestamp) -> Vec<Want> {
        let mut wants = Vec::new();
        let uid = RunId(job.uid.clone());
        self.adopt(id, &uid, &job, now);
        // The watch may have told more already than this older answer does.
        let newer = self.index.entry(&uid).is_some_and(|entry| entry.watched);
        if !newer {
            self.job_of(&uid, job, false, now, &mut wants);
        }
        wants
    }

    /// It could not be dispatched: the API server refused it or was out of reach, or the ConfigMap of an accepted Job could not be made.
    /// `why` names what failed and the next step.
    pub fn refused(&mut self, id: &RunId, why: String, now: Timestamp) -> Vec<Want> {
        let mut wants = Vec::new();
        self.change(id, now, &mut wants, |entry| {
            let run = &mut entry.run;
            if run.phase == Phase::Dispatching {
                run.phase = Phase::NotDispatched;
                run.dispatch = Dispatch::DispatchFailed;
                run.verdict = Verdict::NotDispatched;
                run.why.clone_from(&why);
            } else {
                // Its Job was there for a moment, and this tool takes it away again.
                run.cancel_asked.get_or_insert(now);
            }
            run.refusal = Some(why);
        });
        wants
    }

    /// Nobody knows whether the API server accepted it: the run is uncertain, and not to be tried again unasked. When its Job shows up
    /// after all, the run goes on as an accepted one.
    pub fn unanswered(&mut self, id: &RunId, why: String, now: Timestamp) -> Vec<Want> {
        let mut wants = Vec::new();
        self.change(id, now, &mut wants, |entry| {
            let run = &mut entry.run;
            if run.phase == Phase::Dispatching {
                run.verdict = Verdict::Uncertain;
                run.uncertain = true;
                run.why = why;
            }
        });
        wants
    }

    /// This tool's user asked for the end of the run (cancel or remove): what follows is theirs.
    pub fn cancel_asked(&mut self, id: &RunId, now: Timestamp) -> Vec<Want> {
        let mut wants = Vec::new();
        self.change(id, now, &mut wants, |entry| {
            let run = &mut entry.run;
            let asked = if run.finished_at.is_none() {
                &mut run.cancel_asked
            } else {
                &mut run.remove_asked
            };
            asked.get_or_insert(now);
        });
        wants
    }

    /// What came of a run that was to be given up ([`Want::GiveUp`]).
    pub fn given_up(&mut self, id: &RunId, outcome: &GivenUp, now: Timestamp) -> Vec<Want> {
        let mut wants = Vec::new();
        self.change(id, now, &mut wants, |entry| match outcome {
            GivenUp::Stopped => {}
            GivenUp::Started | GivenUp::Over => entry.run.gave_up = None,
            GivenUp::Failed { .. } => {
                entry.run.gave_up = None;
                entry.start_by = now.checked_add(AGAIN).ok();
            }
        });
        wants
    }

    /// When the run is given up, if its container does not run by then; none for runs that this session did not dispatch.
    pub fn gives_up_at(&self, id: &RunId) -> Option<Timestamp> {
        self.index.entry(id)?.start_by
    }

    /// The clocks of runs that do not start. It is noted before the cluster is asked: the end may be seen before the answer is.
    pub(super) fn tick_dispatch(&mut self, now: Timestamp) -> Vec<Want> {
        let mut wants = Vec::new();
        for id in self.index.overdue(now) {
            self.change(&id, now, &mut wants, |entry| {
                entry.start_by = None;
                entry.run.gave_up = Some(now);
            });
            wants.push(Want::GiveUp(id));
        }
        wants
    }

    /// The run that was dispatched under `id` has the UID of its Job from now on.
    pub(super) fn adopt(&mut self, id: &RunId, uid: &RunId, job: &JobSeen, now: Timestamp) {
        let Some(asked) = self.index.take(id, Phase::Dispatching) else {
            return;
        };
        self.index.alias(id, uid);
        if self.index.entry(uid).is_none() {
            self.index.insert(Entry::of(job, now));
        }
        self.index.update(uid, |entry| {
            let by = asked
                .patience
                .and_then(|patience| now.checked_add(patience).ok());
            entry.start_by = by;
            entry.merge(asked.run);
        });
    }
}
