//! The runs in their order, and every way to find one: by id, Job, pod, or what falls due.

use super::entry::Entry;
use super::{Phase, RunId};
use crate::domain::observed::{EventSeen, PodSeen};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most runs in memory; the oldest ones that are gone leave when there are more.
const RUNS_MAX: usize = 20_000;

/// "Expires soon" in the counts.
const SOON: SignedDuration = SignedDuration::from_mins(5);

/// How many runs there are of what kind; a run counts once in `running`, `pending`, `retained` or `gone`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub total: usize,
    /// Container running.
    pub running: usize,
    /// Asked for, queued or waiting for its container.
    pub pending: usize,
    /// Finished and still in the cluster, or being deleted.
    pub retained: usize,
    /// Removed, or never dispatched.
    pub gone: usize,
    /// Of the retained: those that the TTL removes within five minutes.
    pub expiring: usize,
}

/// Place of a run in the order: by creation, which Kubernetes tells by the second, then by its number and its pass. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    created: Timestamp,
    execution: u64,
    pass: u64,
    id: RunId,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    entries: BTreeMap<Key, Box<Entry>>,
    keys: HashMap<RunId, Key>,
    /// Ids that runs had while they were dispatched.
    aliases: HashMap<RunId, RunId>,
    /// The newest run of a Job's name.
    jobs: HashMap<String, RunId>,
    /// By the pod's UID and by its name.
    pods: HashMap<String, RunId>,
    tally: Tally,
    /// Moves when a run comes or goes; their order never changes otherwise.
    membership: u64,
}

/// What is counted over all runs and what falls due, kept true at each change of a run.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// When verdicts stop waiting for a log.
    collecting: BTreeSet<(Timestamp, RunId)>,
    /// When runs that do not start are given up.
    starting: BTreeSet<(Timestamp, RunId)>,
    /// When the TTL removes retained runs.
    expiring: BTreeSet<(Timestamp, RunId)>,
    counts: Counts,
    highest: u64,
}

impl Index {
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values().map(Box::as_ref)
    }

    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.values_mut().map(Box::as_mut)
    }

    pub(super) fn entry(&self, id: &RunId) -> Option<&Entry> {
        self.entries.get(self.key(id)?).map(Box::as_ref)
    }

    /// For what does not touch the place of a run in any index; else [`Index::update`].
    pub(super) fn entry_mut(&mut self, id: &RunId) -> Option<&mut Entry> {
        let id = self.aliases.get(id).unwrap_or(id);
        self.entries.get_mut(self.keys.get(id)?).map(Box::as_mut)
    }

    pub(super) fn insert(&mut self, entry: Entry) {
        let run = &entry.run;
        let key = Key {
            created: run.created,
            execution: run.execution.unwrap_or(0),
            pass: run.pass.unwrap_or(1),
            id: run.id.clone(),
        };
        if run.phase != Phase::Removed {
            self.jobs.insert(run.job.clone(), run.id.clone());
        }
        if let Some(pod) = &run.pod {
            self.pods.insert(pod.uid.clone(), run.id.clone());
            self.pods.insert(pod.name.clone(), run.id.clone());
        }
        self.keys.insert(run.id.clone(), key.clone());
        self.tally.enter(&entry);
        self.entries.insert(key, Box::new(entry));
        self.membership += 1;
        if self.entries.len() > RUNS_MAX {
            self.drop_oldest();
        }
    }

    /// Changes a run and keeps every index true.
    pub(super) fn update(&mut self, id: &RunId, with: impl FnOnce(&mut Entry)) {
        let id = self.aliases.get(id).unwrap_or(id);
        let entry = self.keys.get(id).and_then(|key| self.entries.get_mut(key));
        if let Some(entry) = entry {
            self.tally.leave(entry);
            with(entry);
            self.tally.enter(entry);
        }
    }

    /// Takes a run out, if it is in that phase.
    pub(super) fn take(&mut self, id: &RunId, phase: Phase) -> Option<Entry> {
        let key = self.key(id)?.clone();
        if self.entries.get(&key)?.run.phase != phase {
            return None;
        }
        let entry = self.entries.remove(&key)?;
        self.membership += 1;
        self.keys.remove(&key.id);
        self.tally.leave(&entry);
        if self.jobs.get(&entry.run.job) == Some(&key.id) {
            self.jobs.remove(&entry.run.job);
        }
        Some(*entry)
    }

    pub(super) fn alias(&mut self, old: &RunId, new: &RunId) {
        self.aliases.insert(old.clone(), new.clone());
    }

    pub(super) fn know_job(&mut self, name: &str, id: &RunId) {
        if self.jobs.get(name) != Some(id) {
            self.jobs.insert(name.to_owned(), id.clone());
        }
    }

    pub(super) fn know_pod(&mut self, pod: &PodSeen, id: &RunId) {
        if self.pods.get(&pod.uid) != Some(id) {
            self.pods.insert(pod.uid.clone(), id.clone());
            self.pods.insert(pod.name.clone(), id.clone());
        }
    }

    pub(super) fn of_job(&self, name: &str) -> Option<RunId> {
        self.accepted(self.jobs.get(name)?)
    }

    /// The run that is being dispatched under that Job name.
    pub(super) fn dispatching(&self, job: &str) -> Option<RunId> {
        let id = self.jobs.get(job)?;
        let entry = self.entry(id)?;
        (entry.run.phase == Phase::Dispatching).then(|| id.clone())
    }

    /// The run of a pod: by the UID of its Job, else by the Job's name.
    pub(super) fn of_pod(&self, pod: &PodSeen) -> Option<RunId> {
        if pod.job_uid.is_empty() {
            let id = self.jobs.get(&pod.job)?;
            return self.accepted(id);
        }
        let id = RunId(pod.job_uid.clone());
        self.keys.contains_key(&id).then_some(id)
    }

    /// The run of an event: by the UID of its object, else by the object's name.
    pub(super) fn of_event(&self, event: &EventSeen) -> Option<RunId> {
        let uid = &event.object_uid;
        match event.kind.as_str() {
            "Job" if uid.is_empty() => self.jobs.get(&event.name).and_then(|id| self.accepted(id)),
            "Job" => {
                let id = RunId(uid.clone());
                self.keys.contains_key(&id).then_some(id)
            }
            "Pod" if uid.is_empty() => self.pods.get(&event.name).cloned(),
            "Pod" => self.pods.get(uid).cloned(),
            _ => None,
        }
    }

    /// Runs whose verdict does not wait for a log any longer.
    pub(super) fn due(&self, now: Timestamp) -> Vec<RunId> {
        until(&self.tally.collecting, now)
    }

    /// Runs that should have started by now.
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<RunId> {
        until(&self.tally.starting, now)
    }

    pub(super) fn membership(&self) -> u64 {
        self.membership
    }

    pub(super) fn expiring(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = &Entry> {
        self.tally
            .expiring
            .iter()
            .skip_while(move |(at, _)| *at <= from)
            .take_while(move |(at, _)| *at <= until)
            .filter_map(|(_, id)| self.entry(id))
    }

    pub(super) fn counts(&self, now: Timestamp) -> Counts {
        let soon = now.checked_add(SOON).unwrap_or(Timestamp::MAX);
        Counts {
            total: self.entries.len(),
            expiring: self
                .tally
                .expiring
                .iter()
                .take_while(|(at, _)| *at <= soon)
                .count(),
            ..self.tally.counts
        }
    }

    pub(super) fn highest_execution(&self) -> u64 {
        self.tally.highest
    }

    /// Seconds count while something lives, counts down or is younger than two minutes; else ages change by the minute.
    pub(super) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let (newest, _) = self.entries.last_key_value()?;
        let seconds = self.tally.counts.running + self.tally.counts.pending > 0
            || !self.tally.expiring.is_empty()
            || now.duration_since(newest.created) < SignedDuration::from_mins(2);
        let step = if seconds { 1 } else { 60 };
        let next = now.as_second().div_euclid(step) * step + step;
        Timestamp::from_second(next).ok()
    }

    fn key(&self, id: &RunId) -> Option<&Key> {
        self.keys.get(self.aliases.get(id).unwrap_or(id))
    }

    fn accepted(&self, id: &RunId) -> Option<RunId> {
        let phase = self.entry(id)?.run.phase;
        let accepted = !matches!(phase, Phase::Dispatching | Phase::NotDispatched);
        accepted.then(|| id.clone())
    }

    /// Takes out the oldest run that is gone, if one of the oldest is.
    fn drop_oldest(&mut self) {
        let gone = |entry: &Entry| matches!(entry.run.phase, Phase::NotDispatched | Phase::Removed);
        let oldest = self.entries.iter().take(64).find(|(_, entry)| gone(entry));
        let Some(key) = oldest.map(|(key, _)| key.clone()) else {
            return;
        };
        if let Some(entry) = self.entries.remove(&key) {
            self.tally.leave(&entry);
            self.keys.remove(&key.id);
            if let Some(pod) = &entry.run.pod {
                self.pods.remove(&pod.uid);
                self.pods.remove(&pod.name);
            }
        }
    }
}

impl Tally {
    fn enter(&mut self, entry: &Entry) {
        *self.class(entry.run.phase) += 1;
        let id = &entry.run.id;
        if let Some(by) = entry.collect_by {
            self.collecting.insert((by, id.clone()));
        }
        if let Some(by) = entry.start_by {
            self.starting.insert((by, id.clone()));
        }
        if let Some(at) = expiry(entry) {
            self.expiring.insert((at, id.clone()));
        }
        self.highest = self.highest.max(entry.run.execution.unwrap_or(0));
    }

    fn leave(&mut self, entry: &Entry) {
        *self.class(entry.run.phase) -= 1;
        let id = &entry.run.id;
        if let Some(by) = entry.collect_by {
            self.collecting.remove(&(by, id.clone()));
        }
        if let Some(by) = entry.start_by {
            self.starting.remove(&(by, id.clone()));
        }
        if let Some(at) = expiry(entry) {
            self.expiring.remove(&(at, id.clone()));
        }
    }

    fn class(&mut self, phase: Phase) -> &mut usize {
        let counts = &mut self.counts;
        match phase {
            Phase::Dispatching | Phase::Queued | Phase::Pending => &mut counts.pending,
            Phase::Running | Phase::Started => &mut counts.running,
            Phase::Retained | Phase::Deleting => &mut counts.retained,
            Phase::NotDispatched | Phase::Removed => &mut counts.gone,
        }
    }
}

fn until(due: &BTreeSet<(Timestamp, RunId)>, now: Timestamp) -> Vec<RunId> {
    let passed = due.iter().take_while(|(at, _)| *at <= now);
    passed.map(|(_, id)| id.clone()).collect()
}

fn expiry(entry: &Entry) -> Option<Timestamp> {
    let run = &entry.run;
    (run.phase == Phase::Retained).then_some(())?;
    run.expires_at()
}
