//! What happens to a run that a person wants to hear of while they look elsewhere.

use super::runs::Run;
use super::target::Target;
use jiff::{SignedDuration, Timestamp};

/// An end that was longer ago when it was first seen is history and no news: a session that begins does not announce the past.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// It got its verdict.
    Ended,
    /// Its TTL removes it soon.
    Expiring,
}

impl What {
    /// The word that a command gets.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Expiring => "expiring",
        }
    }
}

/// Something that happened to one run, with what there is to say about it. All of it is text from a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occasion {
    pub what: What,
    /// One short line: "run 208 hello: failed".
    pub line: String,
    /// Names of variables and their values, for a command.
    pub facts: Vec<(&'static str, String)>,
}

impl Occasion {
    /// The end of a run at `now`; none when it is no news.
    pub fn ended(run: &Run, target: &Target, now: Timestamp) -> Option<Self> {
        let at = run
            .finished_at
            .or(run.removal.map(|removal| removal.at))
            .unwrap_or(run.created);
        let fresh = now.duration_since(at) <= FRESH;
        fresh.then(|| Self::of(What::Ended, run, target, now))
    }

    /// The TTL of a run is nearly over.
    pub fn expiring(run: &Run, target: &Target, now: Timestamp) -> Self {
        Self::of(What::Expiring, run, target, now)
    }

    fn of(what: What, run: &Run, target: &Target, now: Timestamp) -> Self {
        let verdict = run.verdict.word();
        let sample = run.sample.as_deref().unwrap_or("studio");
        let left = run
            .expires_at()
            .map(|due| due.duration_since(now).as_secs().max(0));
        let name = format!("run {} {sample}", run.label());
        let line = match what {
            What::Ended => format!("{name}: {verdict}"),
            What::Expiring => format!("{name} is removed in {} s", left.unwrap_or_default()),
        };
        let exit = run.verdict.exit_code();
        let number = |value: Option<String>| value.unwrap_or_default();
        Self {
            what,
            line,
            facts: vec![
                ("LLMCTL_EVENT", what.word().to_owned()),
                ("LLMCTL_EVENT_RUN", run.label()),
                ("LLMCTL_EVENT_JOB", run.job.clone()),
                ("LLMCTL_EVENT_NAMESPACE", run.namespace.clone()),
                ("LLMCTL_EVENT_UID", run.id.0.clone()),
                ("LLMCTL_EVENT_SAMPLE", sample.to_owned()),
                ("LLMCTL_EVENT_VERDICT", verdict.to_owned()),
                (
                    "LLMCTL_EVENT_EXIT",
                    number(exit.map(|code| code.to_string())),
                ),
                ("LLMCTL_EVENT_UNCERTAIN", run.uncertain.to_string()),
                ("LLMCTL_EVENT_WHY", run.why.clone()),
                (
                    "LLMCTL_EVENT_REMOVED_IN",
                    number(left.map(|seconds| seconds.to_string())),
                ),
                ("LLMCTL_EVENT_TARGET", target.badge()),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runs::{RunId, Ttl};
    use crate::domain::verdict::Verdict;

    #[test]
    fn the_past_is_no_news() {
        let now: Timestamp = "2026-11-24T14:00:00Z".parse().unwrap();
        let mut run = Run::new(
            RunId("u".into()),
            "j",
            "n",
            now - SignedDuration::from_hours(1),
        );
        run.execution = Some(7);
        run.sample = Some("hello".into());
        run.verdict = Verdict::Failed;
        run.ttl = Some(Ttl(60));
        run.finished_at = Some(now - SignedDuration::from_secs(31));
        assert_eq!(Occasion::ended(&run, &Target::sandbox(), now), None);
        run.finished_at = Some(now - SignedDuration::from_secs(20));
        let ended = Occasion::ended(&run, &Target::sandbox(), now).unwrap();
        assert_eq!(ended.line, "run 7 hello: failed");
        let fact = |name: &str| {
            let found = ended.facts.iter().find(|(known, _)| *known == name);
            found.unwrap().1.clone()
        };
        assert_eq!(fact("LLMCTL_EVENT_VERDICT"), "failed");
        assert_eq!(fact("LLMCTL_EVENT_EXIT"), "1");
        assert_eq!(fact("LLMCTL_EVENT_REMOVED_IN"), "40");
        let soon = Occasion::expiring(&run, &Target::sandbox(), now);
        assert_eq!(soon.line, "run 7 hello is removed in 40 s");
    }
}
