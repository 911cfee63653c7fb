//! What is usual for a sample: the medians of its earlier runs, to compare a run's phases with.

use super::lifecycle::Runs;
use super::{Run, Step, Stretch};
use jiff::{SignedDuration, Timestamp};

/// Most earlier runs that are looked at; older ones tell of another program.
const RUNS: usize = 20;

/// How long a step took in earlier runs of the same sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual {
    pub step: Step,
    pub median: SignedDuration,
    /// So many runs had that step.
    pub runs: usize,
}

impl Runs {
    /// The medians of the steps of earlier runs of the sample of `run`, in this session and in the history; none for a run that is of
    /// no sample or is the first.
    pub fn usual(&self, run: &Run) -> Vec<Usual> {
        let Some(sample) = &run.sample else {
            return Vec::new();
        };
        let earlier: Vec<&Run> = self
            .iter()
            .filter(|other| other.id != run.id && other.created <= run.created)
            .filter(|other| other.sample.as_ref() == Some(sample) && other.verdict.is_final())
            .take(RUNS)
            .collect();
        steps(&run.timeline)
            .into_iter()
            .filter_map(|step| {
                let mut took: Vec<SignedDuration> = earlier
                    .iter()
                    .filter_map(|other| length(&other.timeline, step))
                    .collect();
                took.sort_unstable();
                let median = *took.get(took.len() / 2)?;
                let runs = took.len();
                Some(Usual { step, median, runs })
            })
            .collect()
    }
}

/// How long a step lasted in all; none when it is not in the timeline or still lasts.
pub fn length(timeline: &[Stretch], step: Step) -> Option<SignedDuration> {
    let mut all = None;
    for stretch in timeline.iter().filter(|stretch| stretch.step == step) {
        let took = stretch.to?.duration_since(stretch.from);
        all = Some(all.unwrap_or(SignedDuration::ZERO) + took);
    }
    all
}

/// The steps of a timeline that are worth a comparison, each once: how long a Job is retained is no achievement.
fn steps(timeline: &[Stretch]) -> Vec<Step> {
    let mut steps = Vec::new();
    for stretch in timeline {
        if stretch.step != Step::Retained && !steps.contains(&stretch.step) {
            steps.push(stretch.step);
        }
    }
    steps
}

/// Which of several stretches took longest until `now`; none when there is nothing to compare. Those that last as long as they want
/// to are not counted: a Job that is retained, and work that goes on.
pub fn slowest(timeline: &[Stretch], now: Timestamp) -> Option<usize> {
    let counts = |stretch: &Stretch| match stretch.step {
        Step::Retained => false,
        Step::Running => stretch.to.is_some(),
        _ => true,
    };
    let over: Vec<(usize, SignedDuration)> = timeline
        .iter()
        .enumerate()
        .filter(|(_, stretch)| counts(stretch))
        .map(|(at, stretch)| (at, stretch.to.unwrap_or(now).duration_since(stretch.from)))
        .filter(|(_, took)| *took > SignedDuration::ZERO)
        .collect();
    if over.len() < 2 {
        return None;
    }
    over.into_iter()
        .max_by_key(|(_, took)| *took)
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runs::RunId;
    use crate::domain::verdict::Verdict;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn run(n: i64, sample: &str, steps: &[(Step, i64)]) -> Run {
        let mut run = Run::new(
            RunId(format!("u{n}")),
            &format!("job-{n}"),
            "llmctl",
            at(n * 100),
        );
        run.sample = Some(sample.into());
        run.verdict = Verdict::Success;
        let mut from = run.created;
        for (step, seconds) in steps {
            let to = from + SignedDuration::from_secs(*seconds);
            run.timeline.push(Stretch {
                step: *step,
                from,
                to: Some(to),
            });
            from = to;
        }
        run
    }

    #[test]
    fn medians_are_of_earlier_runs_of_the_same_sample() {
        use Step::{Pulling, Queued, Retained, Running, Starting};
        let mut runs = Runs::default();
        let mut odd = run(4, "hello", &[(Starting, 3)]);
        odd.timeline[0].to = None;
        odd.verdict = Verdict::Pending;
        let newest = run(
            5,
            "hello",
            &[
                (Queued, 1),
                (Starting, 1),
                (Pulling, 9),
                (Starting, 2),
                (Running, 5),
                (Retained, 90),
            ],
        );
        runs.restore(
            vec![
                run(
                    1,
                    "hello",
                    &[(Queued, 4), (Starting, 2), (Starting, 1), (Running, 3)],
                ),
                run(2, "hello", &[(Queued, 2), (Starting, 9), (Running, 7)]),
                run(3, "slow", &[(Queued, 50), (Starting, 60)]),
                odd,
                newest.clone(),
                run(6, "hello", &[(Queued, 70)]),
                run(0, "hello", &[(Queued, 3)]),
            ],
            at(1000),
        );
        let usual: Vec<(Step, i64, usize)> = runs
            .usual(&newest)
            .into_iter()
            .map(|usual| (usual.step, usual.median.as_secs(), usual.runs))
            .collect();
        assert_eq!(usual, [(Queued, 3, 3), (Starting, 9, 2), (Running, 7, 2)]);
        assert_eq!(
            slowest(&newest.timeline, at(1000)),
            Some(2),
            "pulling, not retained"
        );
        assert_eq!(slowest(&newest.timeline[..1], at(1000)), None);
        let mut pulling = newest.timeline.clone();
        pulling.truncate(3);
        assert_eq!(pulling[2].step, Pulling);
        let begun = pulling[2].from;
        pulling[2].to = None;
        let after = |seconds| begun + SignedDuration::from_secs(seconds);
        assert_ne!(slowest(&pulling, after(0)), Some(2));
        assert_eq!(
            slowest(&pulling, after(900)),
            Some(2),
            "it lasts, and is slow"
        );
        pulling[2].step = Running;
        assert_ne!(slowest(&pulling, after(900)), Some(2), "work goes on");
        assert!(runs.usual(&run(7, "new", &[(Queued, 1)])).is_empty());
    }
}
