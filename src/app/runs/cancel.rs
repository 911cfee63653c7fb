//! A cancel while it goes on, and after it: its steps with their times, and what is left of the grace.

use super::super::Turn;
use super::super::notices::Notice;
use super::Slice;
use crate::domain::cancel::{CancelPlan, CancelStep};
use crate::domain::runs::{Run, RunId};
use jiff::{SignedDuration, Timestamp};

/// So many cancels of this session are remembered.
const REMEMBERED: usize = 50;

/// One cancel.
#[derive(Clone, Debug, PartialEq)]
pub struct Cancel {
    pub run: RunId,
    pub plan: CancelPlan,
    /// What was done so far, and when it was told.
    pub steps: Vec<(Timestamp, CancelStep)>,
}

impl Cancel {
    pub(super) fn of(run: RunId, plan: CancelPlan) -> Self {
        Self {
            run,
            plan,
            steps: Vec::new(),
        }
    }

    /// Seconds that its newest pod was given.
    pub fn grace(&self) -> u32 {
        let asked = self.steps.iter().rev().find_map(|(_, step)| match step {
            CancelStep::Asked { grace, .. } => Some(*grace),
            _ => None,
        });
        asked.unwrap_or(self.plan.grace)
    }

    /// Nothing comes any more.
    pub fn is_over(&self) -> bool {
        self.steps.last().is_some_and(|(_, step)| step.is_end())
    }

    /// What is left of the grace while a pod has it; zero when it ran out and the node has not told the end yet.
    pub fn left(&self, now: Timestamp) -> Option<SignedDuration> {
        let Some((at, CancelStep::Asked { grace, .. })) = self.steps.last() else {
            return None;
        };
        let grace = SignedDuration::from_secs(i64::from(*grace));
        Some((grace - now.duration_since(*at)).max(SignedDuration::ZERO))
    }
}

impl Slice {
    /// The newest cancel of a run in this session.
    pub fn cancel_of(&self, run: &RunId) -> Option<&Cancel> {
        self.cancels.iter().rev().find(|cancel| cancel.run == *run)
    }

    pub(super) fn cancel_stepped(&mut self, run: RunId, step: CancelStep, turn: &mut Turn) {
        let name = self.all.find(&run).map_or_else(String::new, Run::label);
        let text = format!("cancel of run {name}: {step}");
        turn.notice(if step.is_failure() {
            Notice::bad(text)
        } else {
            Notice::info(text)
        });
        let known = self
            .cancels
            .iter_mut()
            .rev()
            .find(|cancel| cancel.run == run);
        if let Some(cancel) = known {
            cancel.steps.push((turn.now, step));
        }
        if self.cancels.len() > REMEMBERED {
            let over = self.cancels.iter().position(Cancel::is_over);
            self.cancels.remove(over.unwrap_or(0));
        }
    }
}
