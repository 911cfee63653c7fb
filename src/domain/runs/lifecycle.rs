//! The reducer: facts in, runs out. Total, and free of clock and IO.

mod dispatch;

use super::entry::{Change, Entry};
use super::index::Index;
use super::strays::Strays;
use super::{Phase, Run, RunId};
use crate::domain::logs::LogEvent;
use crate::domain::logs::page::Page;
use crate::domain::observed::{JobSeen, PodSeen, Seen};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

pub use super::index::Counts;
pub use dispatch::GivenUp;

/// How long a verdict waits for the log of an ended Job, unless the settings say otherwise (`log_collection_timeout_seconds`).
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// How long a list may have been read before a Job was created that it therefore does not hold.
const LIST_LAG: SignedDuration = SignedDuration::from_secs(30);

/// Most bytes of log lines and results in memory, of all runs together.
const MEMORY: usize = 64 * 1024 * 1024;

/// What a fact asks the caller to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// Follow the log of this container from its beginning, once per container id.
    FollowLog {
        run: RunId,
        pod: String,
        container_id: String,
    },
    /// The run changed in a way that the history on disk must keep.
    Record(RunId),
    /// The run got its verdict, or another one because more became known.
    Ended(RunId),
    /// The run left the cluster.
    Removed(RunId),
    /// Its dispatch clock ran out before its container ran: stop it, unless it has begun by now, and tell
    /// [`Runs::given_up`] what came of it.
    GiveUp(RunId),
}

/// All runs of a namespace by id, living and gone.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// None: Jobs of every namespace are told of.
    namespace: Option<String>,
    patience: Option<SignedDuration>,
    index: Index,
    strays: Strays,
    dispatched: u64,
    /// What logs and results take.
    memory: usize,
    /// A full list of Jobs was seen: a Job that nobody knows is not in the cluster.
    listed: bool,
}

impl Runs {
    /// No runs yet; only Jobs of `namespace` will be taken as absent when a list does not name them.
    pub fn of(namespace: impl Into<String>) -> Self {
        Self {
            namespace: Some(namespace.into()),
            ..Self::default()
        }
    }

    /// How long verdicts wait for the log of an ended Job (contract 3.1 `log_collection_timeout_seconds`).
    pub fn set_patience(&mut self, seconds: u32) {
        self.patience = Some(SignedDuration::from_secs(seconds.into()));
    }

    /// Takes one fact at `now`.
    pub fn observe(&mut self, seen: Seen, now: Timestamp) -> Vec<Want> {
        let mut wants = Vec::new();
        match seen {
            Seen::JobsPage(jobs) => {
                for job in jobs {
                    self.job(job, now, &mut wants);
                }
            }
            Seen::JobsListed(uids) => self.jobs_listed(&uids, now, &mut wants),
            Seen::Job(job) => self.job(*job, now, &mut wants),
            Seen::JobGone(job) => {
                let id = RunId(job.uid.clone());
                self.job(*job, now, &mut wants);
                self.change(&id, now, &mut wants, |entry| entry.job_gone(now, true));
            }
            Seen::PodsPage(pods) => {
                for pod in pods {
                    self.pod(pod, now, &mut wants);
                }
            }
            Seen::PodsListed(uids) => self.pods_listed(&uids, now, &mut wants),
            Seen::Pod(pod) => self.pod(*pod, now, &mut wants),
            Seen::PodGone(pod) => match self.index.of_pod(&pod) {
                Some(id) => self.change(&id, now, &mut wants, |entry| entry.pod_gone(*pod, now)),
                None => self.strays.pod_gone(&pod),
            },
            Seen::Event(event) => match self.index.of_event(&event) {
                Some(id) => self.change(&id, now, &mut wants, |entry| entry.event(*event, now)),
                None if matches!(event.kind.as_str(), "Job" | "Pod") => self.strays.event(*event),
                None => {}
            },
        }
        wants
    }

    /// Takes one piece of a run's log.
    pub fn log(&mut self, run: &RunId, event: LogEvent, now: Timestamp) -> Vec<Want> {
        let mut wants = Vec::new();
        let Some(entry) = self.index.entry_mut(run) else {
            return wants;
        };
        let before = entry.weight();
        let learnt = entry.log(event);
        self.memory = self.memory + entry.weight() - before;
        if learnt {
            self.change(run, now, &mut wants, |_| {});
        }
        self.bound_memory();
        wants
    }

    /// Takes runs of earlier sessions from the history; what the cluster shows goes before what they say, whether it was
    /// seen before them or comes later. Runs of other namespaces are left out.
    pub fn restore(&mut self, runs: Vec<Run>, now: Timestamp) -> Vec<Want> {
        let mut wants = Vec::new();
        for run in runs {
            let id = run.id.clone();
            if let Some(entry) = self.index.entry_mut(&id) {
                let before = entry.weight();
                entry.merge(run);
                self.memory = self.memory + entry.weight() - before;
                continue;
            }
            if !self.is_here(&run) {
                continue;
            }
            let absent = self.listed && self.expected(&run);
            let entry = Entry::restored(run, now);
            self.memory += entry.weight();
            self.index.insert(entry);
            if absent {
                self.change(&id, now, &mut wants, |entry| entry.job_gone(now, false));
            }
        }
        self.bound_memory();
        wants
    }

    /// Time passed: gives up on logs that did not come within the collection time-out, and on runs that this session dispatched and
    /// that did not start within the dispatch time-out.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Want> {
        let mut wants = self.tick_dispatch(now);
        for id in self.index.due(now) {
            self.change(&id, now, &mut wants, |_| {});
        }
        wants
    }

    /// All runs, newest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Run> {
        self.index.entries().rev().map(|entry| &entry.run)
    }

    /// The run of that id, or of the id it had while it was dispatched.
    pub fn find(&self, id: &RunId) -> Option<&Run> {
        self.index.entry(id).map(|entry| &entry.run)
    }

    /// Puts lines that the history kept back into the log of a run that ended; they are the newest of it.
    pub fn recall(&mut self, id: &RunId, kept: Page) {
        if let Some(entry) = self.index.entry_mut(id) {
            let before = entry.weight();
            entry.run.log.recall(kept);
            self.memory = self.memory + entry.weight() - before;
        }
    }

    /// A number that changes when a run comes or goes: as long as it is the same, [`Runs::iter`] names the same ids in the same order.
    pub fn membership(&self) -> u64 {
        self.index.membership()
    }

    /// The retained runs whose TTL ends after `from` and not after `until`, the next one first.
    pub fn due_between(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = &Run> {
        let entries = self.index.expiring(from, until);
        entries.map(|entry| &entry.run)
    }

    /// How many of what; `now` decides which expire soon.
    pub fn counts(&self, now: Timestamp) -> Counts {
        self.index.counts(now)
    }

    /// The number for a new run: one more than the highest execution id seen.
    pub fn next_execution(&self) -> u64 {
        self.index.highest_execution() + 1
    }

    /// When a text about runs changes next by time alone; none when nothing counts.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.index.next_change(now)
    }

    fn job(&mut self, job: JobSeen, now: Timestamp, wants: &mut Vec<Want>) {
        let uid = RunId(job.uid.clone());
        if self.index.entry(&uid).is_none() {
            if let Some(id) = self.index.dispatching(&job.name) {
                self.adopt(&id, &uid, &job, now);
            } else if let Some(older) = self.index.of_job(&job.name) {
                // Another Job has the name now, so that the older one is gone, whether its end was told or not.
                self.change(&older, now, wants, |entry| entry.job_gone(now, false));
            }
        }
        self.job_of(&uid, job, true, now, wants);
    }

    fn job_of(
        &mut self,
        uid: &RunId,
        job: JobSeen,
        watched: bool,
        now: Timestamp,
        wants: &mut Vec<Want>,
    ) {
        if self.index.entry(uid).is_none() {
            self.index.insert(Entry::of(&job, now));
        }
        let pods = self.strays.take_pods(&job.name, &job.uid);
        let mut events = self.strays.take_events(&job.name);
        for pod in &pods {
            self.index.know_pod(pod, uid);
            events.append(&mut self.strays.take_events(&pod.name));
        }
        self.index.know_job(&job.name, uid);
        self.change(uid, now, wants, |entry| {
            entry.watched |= watched;
            entry.job(job, now);
            for pod in pods {
                entry.pod(pod, now);
            }
            for event in events {
                entry.event(event, now);
            }
        });
    }

    fn jobs_listed(&mut self, uids: &BTreeSet<String>, now: Timestamp, wants: &mut Vec<Want>) {
        self.listed = true;
        let absent: Vec<RunId> = self
            .index
            .entries()
            .filter(|entry| {
                let run = &entry.run;
                // A list that began before a Job was accepted does not hold it.
                let new = !entry.watched && now.duration_since(run.created) < LIST_LAG;
                self.expected(run) && !new && !uids.contains(&run.id.0)
            })
            .map(|entry| entry.run.id.clone())
            .collect();
        for id in absent {
            self.change(&id, now, wants, |entry| entry.job_gone(now, false));
        }
    }

    /// A full list would hold the run's Job, as far as is known.
    fn expected(&self, run: &Run) -> bool {
        let there = !matches!(
            run.phase,
            Phase::Dispatching | Phase::NotDispatched | Phase::Removed
        );
        there && self.is_here(run)
    }

    /// The history of a cluster holds the runs of all its namespaces.
    fn is_here(&self, run: &Run) -> bool {
        self.namespace
            .as_ref()
            .is_none_or(|namespace| *namespace == run.namespace)
    }

    fn pod(&mut self, pod: PodSeen, now: Timestamp, wants: &mut Vec<Want>) {
        let Some(id) = self.index.of_pod(&pod) else {
            self.strays.pod(pod);
            return;
        };
        self.index.know_pod(&pod, &id);
        let events = self.strays.take_events(&pod.name);
        self.change(&id, now, wants, |entry| {
            entry.pod(pod, now);
            for event in events {
                entry.event(event, now);
            }
        });
    }

    fn pods_listed(&mut self, uids: &BTreeSet<String>, now: Timestamp, wants: &mut Vec<Want>) {
        let exists = |uid: &str| uids.contains(uid);
        self.strays.retain_pods(exists);
        let living: Vec<RunId> = self
            .index
            .entries()
            .filter(|entry| !matches!(entry.run.phase, Phase::Dispatching | Phase::NotDispatched))
            .filter(|entry| entry.run.phase != Phase::Removed || !entry.run.verdict.is_final())
            .map(|entry| entry.run.id.clone())
            .collect();
        for id in living {
            self.change(&id, now, wants, |entry| entry.pods_listed(exists));
        }
    }

    /// Changes one run and says what follows from it.
    fn change(
        &mut self,
        id: &RunId,
        now: Timestamp,
        wants: &mut Vec<Want>,
        with: impl FnOnce(&mut Entry),
    ) {
        let patience = self.patience.unwrap_or(PATIENCE);
        let mut changed = None;
        self.index.update(id, |entry| {
            let before = entry.state();
            with(entry);
            let change = entry.refresh(before, now, patience);
            changed = Some((entry.run.id.clone(), change));
        });
        let Some((run, change)) = changed else {
            return;
        };
        let Change {
            follow,
            record,
            ended,
            removed,
        } = change;
        if let Some((pod, container_id)) = follow {
            let run = run.clone();
            wants.push(Want::FollowLog {
                run,
                pod,
                container_id,
            });
        }
        if record {
            wants.push(Want::Record(run.clone()));
        }
        if ended {
            wants.push(Want::Ended(run.clone()));
        }
        if removed {
            wants.push(Want::Removed(run));
        }
    }

    /// When logs and results take too much, the oldest ones are dropped until half of the memory is free; the history has them.
    fn bound_memory(&mut self) {
        if self.memory <= MEMORY {
            return;
        }
        for entry in self.index.entries_mut() {
            if self.memory <= MEMORY / 2 {
                break;
            }
            self.memory -= entry.weight();
            entry.slim();
            self.memory += entry.weight();
        }
    }
}

#[cfg(test)]
mod tests;
