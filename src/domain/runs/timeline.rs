//! The time bar of a run: its moments as stretches that follow one another.

use super::{Run, Step, Stretch};
use jiff::Timestamp;

/// The stretches of a run so far, oldest first: each begins where the one before ended, the last one may still last. Steps that took
/// no time are left out, but for the one that lasts.
pub fn timeline(run: &Run) -> Vec<Stretch> {
    let marks = &run.marks;
    let over = run.removal.map(|removal| removal.at);
    let Some(accepted) = marks.accepted else {
        return Vec::new();
    };
    let mut bar = Bar {
        stretches: Vec::new(),
        from: accepted,
    };
    // When the Job finished without its container having come so far, the step it was in ends there and collecting begins.
    let cut = |mark: Option<Timestamp>| mark.or(marks.ended).or(run.finished_at).or(over);
    // Kubernetes tells the second in which the container began; its marker may be written before that is over.
    let began = |at: Timestamp| run.marker_at.map_or(at, |marker| at.min(marker));
    let started = marks.started.map(began);
    // A watch may have missed a moment that a later one proves.
    let scheduled = marks.scheduled.or(marks.pulling).or(started);
    bar.step(Step::Queued, cut(scheduled));
    if scheduled.is_some() {
        if marks.pulling.is_some() {
            bar.step(Step::Starting, marks.pulling);
            bar.step(Step::Pulling, cut(marks.pulled.or(started)));
        }
        bar.step(Step::Starting, cut(started));
    }
    if started.is_some() {
        bar.step(Step::Running, cut(marks.ended));
    }
    let collected = match (run.finished_at, marks.collected) {
        (Some(finished), Some(collected)) => Some(collected.max(finished)),
        _ => over,
    };
    if marks.ended.is_some() || run.finished_at.is_some() {
        bar.step(Step::Collecting, collected);
    }
    if run.finished_at.is_some() {
        bar.step(Step::Retained, over);
    }
    bar.stretches
}

struct Bar {
    stretches: Vec<Stretch>,
    from: Timestamp,
}

impl Bar {
    /// Adds a step that lasts until `to`. Clocks of three machines and whole seconds meet here: a moment never lies before the one
    /// that came before it. After a step without end nothing is added.
    fn step(&mut self, step: Step, to: Option<Timestamp>) {
        let lasts = |stretch: &Stretch| stretch.to.is_none();
        if self.stretches.last().is_some_and(lasts) {
            return;
        }
        let to = to.map(|to| to.max(self.from));
        if to != Some(self.from) {
            let from = self.from;
            self.stretches.push(Stretch { step, from, to });
        }
        self.from = to.unwrap_or(self.from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runs::{Marks, Removal, RemovedBy, RunId};
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn run() -> Run {
        let mut run = Run::new(RunId("u".into()), "j", "n", at(0));
        run.marks.accepted = Some(at(0));
        run
    }

    fn steps(run: &Run) -> Vec<(Step, i64, Option<i64>)> {
        let second = |t: Timestamp| t.as_second() - 1_800_000_000;
        timeline(run)
            .iter()
            .map(|s| (s.step, second(s.from), s.to.map(second)))
            .collect()
    }

    #[test]
    fn a_whole_life_is_one_bar_without_holes() {
        let mut run = run();
        run.marks = Marks {
            accepted: Some(at(0)),
            scheduled: Some(at(1)),
            pulling: Some(at(1)),
            pulled: Some(at(4)),
            started: Some(at(5)),
            ended: Some(at(9)),
            collected: Some(at(11)),
        };
        run.finished_at = Some(at(10));
        assert_eq!(
            steps(&run),
            [
                (Step::Queued, 0, Some(1)),
                (Step::Pulling, 1, Some(4)),
                (Step::Starting, 4, Some(5)),
                (Step::Running, 5, Some(9)),
                (Step::Collecting, 9, Some(11)),
                (Step::Retained, 11, None),
            ]
        );
        run.removal = Some(Removal {
            at: at(70),
            by: RemovedBy::Ttl,
        });
        assert_eq!(steps(&run).last(), Some(&(Step::Retained, 11, Some(70))));
    }

    #[test]
    fn a_marker_proves_that_the_container_runs() {
        let mut run = run();
        run.marks.scheduled = Some(at(1));
        run.marks.started = Some(at(4));
        run.marker_at = Some(at(3));
        assert_eq!(
            steps(&run),
            [
                (Step::Queued, 0, Some(1)),
                (Step::Starting, 1, Some(3)),
                (Step::Running, 3, None),
            ]
        );
    }

    #[test]
    fn what_lasts_has_no_end() {
        let mut run = run();
        assert_eq!(steps(&run), [(Step::Queued, 0, None)]);
        run.marks.scheduled = Some(at(0));
        assert_eq!(steps(&run), [(Step::Starting, 0, None)]);
        run.marks.pulling = Some(at(2));
        assert_eq!(
            steps(&run),
            [(Step::Starting, 0, Some(2)), (Step::Pulling, 2, None)]
        );
        run.marks.started = Some(at(5));
        run.marks.ended = Some(at(6));
        assert_eq!(steps(&run).last(), Some(&(Step::Collecting, 6, None)));
    }

    #[test]
    fn a_job_that_never_ran_goes_from_its_step_to_retained() {
        let mut run = run();
        run.finished_at = Some(at(30));
        run.marks.collected = Some(at(30));
        assert_eq!(
            steps(&run),
            [(Step::Queued, 0, Some(30)), (Step::Retained, 30, None)]
        );
    }

    proptest! {
        #[test]
        fn stretches_follow_one_another_whatever_the_clocks_say(
            marks in prop::array::uniform9(prop::option::of(0_i64..100)),
        ) {
            let mark = |n: usize| marks[n].map(at);
            let mut run = run();
            run.marks = Marks {
                accepted: mark(0), scheduled: mark(1), pulling: mark(2), pulled: mark(3),
                started: mark(4), ended: mark(5), collected: mark(6),
            };
            run.finished_at = mark(7);
            run.removal = mark(8).map(|at| Removal { at, by: RemovedBy::Ttl });
            let bar = timeline(&run);
            prop_assert!(marks[0].is_some() || bar.is_empty());
            prop_assert!(bar.iter().rev().skip(1).all(|stretch| stretch.to.is_some()));
            for pair in bar.windows(2) {
                prop_assert_eq!(pair[0].to, Some(pair[1].from));
                prop_assert!(pair[0].from < pair[1].from);
            }
            // What is gone does not last.
            if run.removal.is_some() {
                prop_assert!(bar.iter().all(|stretch| stretch.to.is_some()));
            }
        }
    }
}
