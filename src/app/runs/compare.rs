//! Which two runs are compared, and how their logs differ.

use super::super::notices::Notice;
use super::super::{Dialog, Turn};
use super::Slice;
use super::detail::logs::kept;
use crate::domain::runs::compare::logs::LogDiff;
use crate::domain::runs::{Run, RunId};

/// Two runs side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    pub left: RunId,
    pub right: RunId,
    pub logs: Logs,
}

/// How far the comparison of their logs is.
#[derive(Clone, Debug, PartialEq)]
pub enum Logs {
    /// Both are in memory; how they differ is seen as they are shown.
    InMemory,
    /// The history was asked; the number of the question.
    Asked(u64),
    Differ(LogDiff),
    Failed(String),
}

impl Slice {
    /// The two marked runs, the older one first; with one mark, that one and the selected one; with none the selected one
    /// and the one before it of the same sample.
    fn pair(&self) -> Result<(RunId, RunId), String> {
        let mut chosen: Vec<&Run> = self
            .all
            .iter()
            .filter(|run| self.marked.contains(&run.id))
            .collect();
        if let Some(run) = self.current()
            && chosen.len() < 2
            && !chosen.iter().any(|one| one.id == run.id)
        {
            chosen.push(run);
        }
        if let [run] = chosen.as_slice() {
            let older = self
                .all
                .iter()
                .skip_while(|other| other.id != run.id)
                .skip(1)
                .find(|other| other.sample == run.sample);
            chosen.extend(older);
        }
        chosen.sort_by_key(|run| (run.created, run.execution, run.pass));
        match chosen.as_slice() {
            [one, two] => Ok((one.id.clone(), two.id.clone())),
            [] => Err("no run is selected".into()),
            [run] => Err(format!(
                "there is no earlier run of the sample of run {}; mark two runs with space",
                run.label()
            )),
            many => Err(format!("{} runs are marked; two are compared", many.len())),
        }
    }

    pub(super) fn compare(&mut self, turn: &mut Turn) {
        let pair = match self.pair() {
            Ok(pair) => pair,
            Err(why) => return turn.notice(Notice::warning(why)),
        };
        let logs = self.compare_logs(&pair, turn);
        let (left, right) = pair;
        self.compared = Some(Compared { left, right, logs });
        turn.open = Some(Dialog::Compare);
    }
    /// Logs that are in memory are compared as they are there; others from the history, beside all this.
    fn compare_logs(&mut self, pair: &(RunId, RunId), turn: &mut Turn) -> Logs {
        let (Some(left), Some(right)) = (self.all.find(&pair.0), self.all.find(&pair.1)) else {
            return Logs::InMemory;
        };
        if left.log.is_in_memory() && right.log.is_in_memory() {
            return Logs::InMemory;
        }
        let of = |run: &Run| (run.id.clone(), run.log.total());
        let (left, right) = (of(left), of(right));
        let ask = self.log_view.next_ask();
        turn.ask_log(kept::Effect::Compare { ask, left, right });
        Logs::Asked(ask)
    }

    /// Takes how two logs differ.
    pub(super) fn logs_compared(&mut self, ask: u64, diff: Result<LogDiff, String>) {
        if let Some(compared) = &mut self.compared
            && compared.logs == Logs::Asked(ask)
        {
            compared.logs = match diff {
                Ok(diff) => Logs::Differ(diff),
                Err(why) => Logs::Failed(why),
            };
        }
    }
}
