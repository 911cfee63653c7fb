//! A run asked for once more: the same request as the next pass through its node, or its request as a beginning of another one.

use super::super::Turn;
use super::super::notices::Notice;
use super::dialog::Cloned;
use super::{Around, Effect, Slice};
use crate::domain::manifest::RunOptions;
use crate::domain::manifest::asked::Asked;
use crate::domain::preflight::{Facts, Needs, Place, Preflight};
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

/// A request that is sent again once the cluster was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct OnceMore {
    run: RunId,
    base: Sample,
    execution: u64,
    options: RunOptions,
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

    /// Looks at what the run needs of its cluster before it is sent again.
    fn again(
        &mut self,
        id: &RunId,
        base: &Sample,
        options: &RunOptions,
        around: &Around,
        turn: &mut Turn,
    ) {
        let Some(run) = self.all.find(id) else { return };
        let execution = run.execution.unwrap_or_else(|| self.all.next_execution());
        let plan = match around.plan(base, execution, options) {
            Ok(plan) => plan,
            Err(why) => return not_again(&run.label(), &why, turn),
        };
        let mut place = Place::of(&around.settings);
        if !Needs::of(&plan).node {
            // Only a node's payload mounts it, and looking for it may take a second.
            place.live_code = None;
        }
        self.once_more.push(OnceMore {
            run: id.clone(),
            base: base.clone(),
            execution,
            options: options.clone(),
        });
        let look = Effect::PreflightAgain(place);
        turn.effects.push(super::super::Effect::Runs(look));
    }

    /// The cluster was looked at: what can work of that which waited for it is sent.
    pub(super) fn looked_again(&mut self, facts: &Facts, around: &Around, turn: &mut Turn) {
        for more in std::mem::take(&mut self.once_more) {
            let label = self
                .all
                .find(&more.run)
                .map_or_else(String::new, Run::label);
            if let Err(why) = self.send_again(&more, facts, around, turn) {
                not_again(&label, &why, turn);
            }
        }
    }

    fn send_again(
        &mut self,
        more: &OnceMore,
        facts: &Facts,
        around: &Around,
        turn: &mut Turn,
    ) -> Result<(), String> {
        let Some(run) = self.all.find(&more.run) else {
            return Err("it is not known any more".to_owned());
        };
        let plan = around.plan(&more.base, more.execution, &more.options)?;
        let preflight = Preflight::of(&Needs::of(&plan), facts, &around.target);
        if let Some(row) = preflight.refusal() {
            return Err(format!("{}: {}", row.name, row.sentence()));
        }
        let options = RunOptions {
            index: Some(self.all.next_pass(&plan.request, run, turn.now)),
            ..more.options.clone()
        };
        self.start(&more.base, more.execution, &options, around, turn)?;
        for row in preflight.warnings() {
            let said = format!("{}: {}", row.name, row.sentence());
            turn.notice(Notice::warning(said));
        }
        Ok(())
    }
}

fn not_again(label: &str, why: &str, turn: &mut Turn) {
    turn.notice(Notice::bad(format!(
        "run {label} was not started again: {why}"
    )));
}
