//! A run asked for once more: the same request as the next pass through its node, or its request as a beginning of another one.

use super::super::Turn;
use super::super::notices::Notice;
use super::dialog::Cloned;
use super::{Around, Effect, Slice};
use crate::domain::manifest::RunOptions;
use crate::domain::manifest::asked::Asked;
use crate::domain::runs::{Run, RunId};
use crate::domain::samples::Sample;

/// What is done with a request once it was read from the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The same request is sent again.
    Again,
    /// The run dialog opens with it.
    Clone,
}

/// Why a request could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Its objects are gone from the cluster.
    Gone,
    /// Anything else, in a sentence.
    Failed(String),
}

impl Slice {
    /// Begins with reading what the selected run asked for.
    pub(super) fn once_more(&mut self, then: Then, around: &Around, turn: &mut Turn) {
        let Some(run) = self.current() else {
            return turn.notice(Notice::info("no run is selected; r starts one"));
        };
        let (run, job) = (run.id.clone(), run.job.clone());
        if self.all.find(&run).is_some_and(super::acts::has_job) {
            let read = Effect::ReadRequest { run, job, then };
            turn.effects.push(super::super::Effect::Runs(read));
        } else {
            self.take_sample(&run, then, around, turn);
        }
    }

    /// What it asked for is there, or is not.
    pub(super) fn request_read(
        &mut self,
        run: &RunId,
        then: Then,
        asked: Result<Asked, Unread>,
        around: &Around,
        turn: &mut Turn,
    ) {
        match (asked, then) {
            (Ok(asked), Then::Again) => {
                let options = RunOptions {
                    payload: Some(asked.payload),
                    ..asked.options
                };
                self.again(run, &asked.base, &options, around, turn);
            }
            (Ok(asked), Then::Clone) => {
                let of = self.all.find(run).map_or_else(String::new, Run::label);
                self.open_clone(Cloned { of, asked }, around, turn);
            }
            (Err(Unread::Gone), _) => self.take_sample(run, then, around, turn),
            (Err(Unread::Failed(why)), _) => turn.notice(Notice::bad(why)),
        }
    }

    /// The payload of a run went with its Job: its sample as it is now, with what the run was given beside it.
    fn take_sample(&mut self, id: &RunId, then: Then, around: &Around, turn: &mut Turn) {
        let Some(run) = self.all.find(id) else { return };
        let label = run.label();
        let Some(name) = run.sample.clone() else {
            return turn.notice(Notice::warning(format!(
                "run {label} was started by Studio, and its payload is not in the cluster any more: only Studio can run it again"
            )));
        };
        let Some(at) = self.samples.iter().position(|s| s.name == name) else {
            return turn.notice(Notice::bad(format!(
                "the payload of run {label} went with its Job, and there is no sample {name} to take instead; r shows those that are there"
            )));
        };
        let options = Asked::of_settings(&run.image, run.settings.as_ref());
        turn.notice(Notice::info(format!(
            "the payload of run {label} went with its Job: taken is sample {name} as it is now"
        )));
        let sample = self.samples[at].clone();
        match then {
            Then::Again => self.again(id, &sample, &options, around, turn),
            Then::Clone => self.open_at(at, &options, around, turn),
        }
    }

    fn again(
        &mut self,
        id: &RunId,
        base: &Sample,
        options: &RunOptions,
        around: &Around,
        turn: &mut Turn,
    ) {
        let Some(run) = self.all.find(id) else { return };
        let label = run.label();
        let execution = run.execution.unwrap_or_else(|| self.all.next_execution());
        let pass = around
            .plan(base, execution, options)
            .map(|plan| self.all.next_pass(&plan.request, run, turn.now));
        let started = pass.and_then(|pass| {
            let options = RunOptions {
                index: Some(pass),
                ..options.clone()
            };
            self.start(base, execution, &options, around, turn)
        });
        if let Err(why) = started {
            turn.notice(Notice::bad(format!(
                "run {label} was not started again: {why}"
            )));
        }
    }
}
