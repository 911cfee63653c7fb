//! Which two runs are compared.

use super::super::notices::Notice;
use super::super::{Dialog, Turn};
use super::Slice;
use super::detail::logs::kept;
use crate::domain::runs::{Run, RunId};

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
        for id in [&pair.0, &pair.1] {
            let on_disk_only = self
                .all
                .find(id)
                .is_some_and(|run| run.log.total() > 0 && run.log.lines().len() == 0);
            if on_disk_only {
                turn.ask_log(kept::Effect::Recall { run: id.clone() });
            }
        }
        self.compared = Some(pair);
        turn.open = Some(Dialog::Compare);
    }
}
