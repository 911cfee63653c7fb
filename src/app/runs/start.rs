//! A run is started, and what its reducer wants of the world is passed on.

use super::super::{Pane, Turn};
use super::{Around, Effect, Slice};
use crate::domain::manifest::RunOptions;
use crate::domain::runs::lifecycle::Want;
use crate::domain::samples::Sample;

impl Slice {
    pub(super) fn want(&mut self, wants: Vec<Want>, turn: &mut Turn) {
        for want in wants {
            match want {
                Want::FollowLog {
                    run,
                    pod,
                    container_id,
                } => turn
                    .effects
                    .push(super::super::Effect::Runs(Effect::FollowLog {
                        run,
                        pod,
                        container_id,
                    })),
                Want::Record(id) => {
                    if let Some(run) = self.all.find(&id) {
                        let record = Effect::Record(Box::new(run.record()));
                        turn.effects.push(super::super::Effect::Runs(record));
                    }
                }
                Want::Ended(id) => self.ended(&id, turn),
                Want::Removed(_) => {}
                Want::GiveUp(id) => {
                    if let Some(run) = self.all.find(&id) {
                        let (run, job) = (run.id.clone(), run.job.clone());
                        let effect = Effect::GiveUp { run, job };
                        turn.effects.push(super::super::Effect::Runs(effect));
                    }
                }
            }
        }
    }

    /// Starts a run of `sample` as execution `execution`; a refusal is told and nothing is created.
    pub(super) fn start(
        &mut self,
        sample: &Sample,
        execution: u64,
        options: &RunOptions,
        around: &Around,
        turn: &mut Turn,
    ) -> Result<(), String> {
        let plan = around.plan(sample, execution, options)?;
        if let Some(known) = self.all.duplicate(&plan, turn.now) {
            return Err(known.known_already());
        }
        let (run, wants) = self.all.dispatching(&plan, turn.now);
        self.want(wants, turn);
        self.selected = Some(run.clone());
        self.stale = true;
        turn.effects
            .push(super::super::Effect::Runs(Effect::Create {
                run,
                plan: Box::new(plan),
            }));
        turn.focus = Some(Pane::Runs);
        Ok(())
    }
}
