//! What runs left behind and nothing will take away by itself: payloads of Jobs that are gone (W20), finished Jobs without a TTL, and
//! Jobs that wait for pods that never come.

use super::identity;
use super::runs::RunId;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

/// A dispatcher makes the payload before its Job; younger ones may still get theirs.
const SETTLED: SignedDuration = SignedDuration::from_mins(2);
/// A Job without a pod for so long does not get one by itself.
const STUCK: SignedDuration = SignedDuration::from_mins(5);

/// A payload `ConfigMap` (label `llmctl.payload=true`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadFacts {
    pub name: String,
    pub uid: String,
    pub created: Timestamp,
    /// Of the object as JSON.
    pub bytes: u64,
    /// An owner reference holds it: it goes with its Job.
    pub owned: bool,
    /// Its deletion was asked for.
    pub going: bool,
}

/// A Job with the executor's label.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "plain facts")]
pub struct JobFacts {
    pub name: String,
    pub uid: String,
    pub created: Timestamp,
    /// Of the object as JSON.
    pub bytes: u64,
    pub finished: bool,
    pub has_ttl: bool,
    pub suspended: bool,
    /// Pods that its controller counts, or that are there.
    pub pods: bool,
    pub going: bool,
}

/// Why something is left over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No Job reads this payload any more, and no owner takes it along.
    PayloadWithoutJob,
    /// Finished, and no TTL removes it.
    NoTtl,
    /// Not finished, not suspended, and without a pod for minutes.
    NoPod,
}

impl Why {
    /// For people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::PayloadWithoutJob => "its Job is gone and nothing owns it",
            Self::NoTtl => "finished, and without a TTL it stays for ever",
            Self::NoPod => "it has had no pod for minutes and is not finished",
        }
    }
}

/// What kind of object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Kind {
    ConfigMap,
    Job,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ConfigMap => "ConfigMap",
            Self::Job => "Job",
        })
    }
}

/// One object that is left over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Orphan {
    pub kind: Kind,
    pub name: String,
    pub uid: String,
    pub why: Why,
    pub created: Timestamp,
    pub bytes: u64,
}

impl Orphan {
    /// The run of its Job; no run has the id of another object.
    pub fn run(&self) -> RunId {
        RunId(self.uid.clone())
    }
}

/// What is left over at `now`, the oldest first.
pub fn find(payloads: &[PayloadFacts], jobs: &[JobFacts], now: Timestamp) -> Vec<Orphan> {
    let read: BTreeSet<String> = jobs
        .iter()
        .map(|job| identity::configmap_name(&job.name))
        .collect();
    let older = |created: Timestamp, than: SignedDuration| now.duration_since(created) >= than;
    let leaked = payloads
        .iter()
        .filter(|one| !one.owned && !one.going && !read.contains(&one.name))
        .filter(|one| older(one.created, SETTLED))
        .map(|one| Orphan {
            kind: Kind::ConfigMap,
            name: one.name.clone(),
            uid: one.uid.clone(),
            why: Why::PayloadWithoutJob,
            created: one.created,
            bytes: one.bytes,
        });
    let left = jobs.iter().filter_map(|job| {
        let stuck = !job.finished && !job.suspended && !job.pods && older(job.created, STUCK);
        let why = match () {
            () if job.going => return None,
            () if job.finished && !job.has_ttl => Why::NoTtl,
            () if stuck => Why::NoPod,
            () => return None,
        };
        Some(Orphan {
            kind: Kind::Job,
            name: job.name.clone(),
            uid: job.uid.clone(),
            why,
            created: job.created,
            bytes: job.bytes,
        })
    });
    let mut found: Vec<Orphan> = leaked.chain(left).collect();
    found.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
    found
}

/// Bytes as people read them.
pub fn size(bytes: u64) -> String {
    match bytes {
        ..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{}.{} KiB", bytes / 1024, bytes % 1024 * 10 / 1024),
        _ => {
            let mib = bytes / 1_048_576;
            format!("{mib}.{} MiB", bytes % 1_048_576 * 10 / 1_048_576)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T14:00:00Z".parse().unwrap()
    }

    fn ago(minutes: i64) -> Timestamp {
        now() - SignedDuration::from_mins(minutes)
    }

    fn payload(name: &str, minutes: i64) -> PayloadFacts {
        PayloadFacts {
            name: name.into(),
            uid: format!("uid-{name}"),
            created: ago(minutes),
            bytes: 900,
            owned: false,
            going: false,
        }
    }

    fn job(name: &str, minutes: i64) -> JobFacts {
        JobFacts {
            name: name.into(),
            uid: format!("uid-{name}"),
            created: ago(minutes),
            bytes: 7000,
            finished: false,
            has_ttl: true,
            suspended: false,
            pods: true,
            going: false,
        }
    }

    /// W20: a killed dispatcher leaves its payload for ever, with the prompts inside.
    #[test]
    fn w20_a_leaked_payload_is_found_and_one_in_use_is_not() {
        let payloads = [
            payload("leaked-payload", 60),
            payload("young-payload", 1),
            payload("used-payload", 60),
            PayloadFacts {
                owned: true,
                ..payload("owned-payload", 60)
            },
            PayloadFacts {
                going: true,
                ..payload("going-payload", 60)
            },
        ];
        let found = find(&payloads, &[job("used", 60)], now());
        let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["leaked-payload"]);
        assert_eq!(found[0].why, Why::PayloadWithoutJob);
    }

    #[test]
    fn jobs_that_nothing_takes_away_are_found_the_oldest_first() {
        let jobs = [
            JobFacts {
                finished: true,
                has_ttl: false,
                ..job("no-ttl", 30)
            },
            JobFacts {
                finished: true,
                ..job("ttl", 30)
            },
            JobFacts {
                pods: false,
                ..job("stuck", 40)
            },
            JobFacts {
                pods: false,
                ..job("new", 4)
            },
            JobFacts {
                pods: false,
                suspended: true,
                ..job("suspended", 40)
            },
            JobFacts {
                pods: false,
                going: true,
                ..job("going", 40)
            },
            job("runs", 40),
        ];
        let found = find(&[], &jobs, now());
        let all: Vec<(&str, Why)> = found.iter().map(|o| (o.name.as_str(), o.why)).collect();
        assert_eq!(all, [("stuck", Why::NoPod), ("no-ttl", Why::NoTtl)]);
    }

    #[test]
    fn sizes_for_people() {
        let rows = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (7 << 20, "7.0 MiB"),
        ];
        for (bytes, text) in rows {
            assert_eq!(size(bytes), text);
        }
    }
}
