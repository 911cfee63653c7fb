//! The Job controller: pods from the template, counts from the pods, and a verdict in the two steps that Kubernetes takes.
//!
//! Not imitated: indexed completion, success policies, pod failure policies, per-index back-off, adoption of stray pods.

mod count;
mod pods;
mod verdict;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::admission;
use super::controllers::Controller;
use super::events::{Reporter, Tone};
use super::kinds::Kind;
use super::object::{Key, drop_finalizer, has_finalizer, is_deleting, meta, put, uid, until};
use super::store::{Change, Changed, DeleteOptions, Store};
use super::work::Work;
use count::Count;
use pods::{job_of, pod};
pub(crate) use verdict::finished_at;
use verdict::{Verdict, condition, has_condition};

/// Holds a pod until its end is counted in its Job.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// Changes of pods are taken together over this time, as the real controller does (over a second).
const BATCH: Duration = Duration::from_millis(200);

/// The wait before a failed pod is replaced: this long, doubled with every failure in a row.
const POD_BACK_OFF: Duration = Duration::from_secs(10);
const POD_BACK_OFF_LIMIT: Duration = Duration::from_mins(10);

/// The wait before a refused pod is tried again, doubled with every refusal.
const CREATE_BACK_OFF: Duration = Duration::from_secs(1);
const CREATE_BACK_OFF_LIMIT: Duration = Duration::from_mins(1);

/// What the controller works on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    Job(Key),
    /// A pod whose Job may be gone, so that nobody will count it.
    Stray(Key),
}

#[derive(Debug)]
pub(crate) struct Jobs {
    store: Store,
    events: Reporter,
    /// The uids of the Jobs that are there, with the failures that their pods had in a row.
    known: HashMap<String, Failures>,
    /// The names of each Job's pods, by its uid.
    pods: HashMap<String, BTreeSet<String>>,
}

/// What holds up the next pod of a Job.
#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    in_a_row: u32,
    last: Option<jiff::Timestamp>,
    refused: u32,
    /// When a refused pod may be tried again.
    again: Option<Instant>,
}

impl Jobs {
    pub(crate) fn new(store: Store, events: Reporter) -> Self {
        Self {
            store,
            events,
            known: HashMap::new(),
            pods: HashMap::new(),
        }
    }
}

impl Controller for Jobs {
    type Key = Task;

    fn looks_at(kind: Kind) -> bool {
        matches!(kind, Kind::Job | Kind::Pod)
    }

    fn observe(&mut self, change: &Change, work: &mut Work<Task>) {
        let object = &change.object;
        match (change.kind, change.what) {
            (Kind::Job, Changed::Deleted) => {
                self.known.remove(uid(object));
                for name in self.pods.get(uid(object)).into_iter().flatten() {
                    work.now(Task::Stray(Key {
                        namespace: meta(object, "namespace").into(),
                        name: name.as_str().into(),
                    }));
                }
            }
            (Kind::Job, _) => {
                self.known.entry(uid(object).to_owned()).or_default();
                work.now(Task::Job(Key::of(object)));
            }
            (Kind::Pod, what) => {
                let Some(owner) = job_of(object) else { return };
                let pods = self.pods.entry(owner.uid.to_owned()).or_default();
                if what == Changed::Deleted {
                    pods.remove(meta(object, "name"));
                    if pods.is_empty() {
                        self.pods.remove(owner.uid);
                    }
                } else {
                    pods.insert(meta(object, "name").to_owned());
                    work.now(Task::Stray(Key::of(object)));
                }
                let namespace = meta(object, "namespace").into();
                work.after(
                    Task::Job(Key {
                        namespace,
                        name: owner.name.into(),
                    }),
                    BATCH,
                );
            }
            _ => {}
        }
    }

    fn sync(&mut self, task: Task, work: &mut Work<Task>) {
        match task {
            Task::Stray(key) => self.release_stray(&key),
            Task::Job(key) => {
                if let Some(job) = self.store.find(Kind::Job, &key.namespace, &key.name) {
                    self.sync_job(&key, &job, work);
                }
            }
        }
    }
}

impl Jobs {
    fn release_stray(&self, key: &Key) {
        let Some(pod) = self.store.find(Kind::Pod, &key.namespace, &key.name) else {
            return;
        };
        let known = job_of(&pod).is_some_and(|owner| self.known.contains_key(owner.uid));
        if !known {
            self.release(&pod);
        }
    }

    fn sync_job(&mut self, key: &Key, job: &Value, work: &mut Work<Task>) {
        let pods: Vec<Arc<Value>> = self
            .pods
            .get(uid(job))
            .into_iter()
            .flatten()
            .filter_map(|name| self.store.find(Kind::Pod, &key.namespace, name))
            .collect();
        if finished_at(&job["status"]).is_some() {
            for pod in &pods {
                self.release(pod);
            }
            return;
        }
        let suspended = job["spec"]["suspend"] == true;
        let mut status = job["status"].clone();
        if !status["startTime"].is_string() && !suspended {
            put(&mut status, "startTime", self.store.clock().stamp().into());
        }
        let mut count = Count::of(&pods, &status, TRACKING);
        self.note_failures(job, &count);
        let verdict = Verdict::of(job, &status, &count, self.store.clock());
        if let Some(verdict) = &verdict {
            let announced = verdict.announced(&status, &self.store.clock().stamp());
            put(&mut status, "conditions", announced);
            self.delete(job, &count.active, false);
            count.all_active_end(true);
        } else if !is_deleting(job) {
            self.manage(key, job, suspended, &mut status, &mut count, work);
        }
        count.write(&mut status);
        self.write(job, &status);
        for pod in &count.finished {
            self.release(pod);
        }
        self.settle(job, status, verdict.as_ref(), &count);
        if verdict.is_none()
            && !suspended
            && let Some(seconds) = job["spec"]["activeDeadlineSeconds"].as_i64()
        {
            let start = self
                .store
                .find(Kind::Job, &key.namespace, &key.name)
                .map(|job| job["status"]["startTime"].clone());
            if let Some(left) = start.and_then(|start| until(self.store.clock(), &start, seconds)) {
                work.after(Task::Job(key.clone()), left);
            }
        }
    }

    /// The second step: what was uncounted is counted, and a verdict with nothing left running is final.
    fn settle(&self, job: &Value, mut status: Value, verdict: Option<&Verdict>, count: &Count) {
        count.fold(&mut status);
        let end = verdict.filter(|_| count.terminating == 0);
        if let Some(end) = end {
            let now = self.store.clock().stamp();
            let done = end.done(&status, &now);
            put(&mut status, "conditions", done);
            if end.success {
                put(&mut status, "completionTime", now.into());
            }
        }
        if self.write(job, &status)
            && let Some(end) = end
        {
            if end.success {
                self.events
                    .tell(job, Tone::Normal, "Completed", "Job completed");
            } else {
                self.events
                    .tell(job, Tone::Warning, &end.reason, &end.message);
            }
        }
    }

    /// Makes and deletes pods, so that as many run as should.
    fn manage(
        &mut self,
        key: &Key,
        job: &Value,
        suspended: bool,
        status: &mut Value,
        count: &mut Count,
        work: &mut Work<Task>,
    ) {
        let now = self.store.clock().stamp();
        let was_suspended = has_condition(status, "Suspended");
        if suspended {
            self.delete(job, &count.active, true);
            count.all_active_end(false);
            if !was_suspended {
                let suspended =
                    condition("Suspended", "True", "JobSuspended", "Job suspended", &now);
                put(status, "conditions", verdict::replaced(status, suspended));
                self.events
                    .tell(job, Tone::Normal, "Suspended", "Job suspended");
            }
            return;
        }
        if was_suspended {
            let resumed = condition("Suspended", "False", "JobResumed", "Job resumed", &now);
            put(status, "conditions", verdict::replaced(status, resumed));
            put(status, "startTime", now.into());
        }
        self.fill_up(key, job, count, work);
        if was_suspended {
            self.events
                .tell(job, Tone::Normal, "Resumed", "Job resumed");
        }
    }

    /// Makes pods until as many run as should, and deletes what is too much.
    fn fill_up(&mut self, key: &Key, job: &Value, count: &mut Count, work: &mut Work<Task>) {
        let wanted = count.wanted(&job["spec"]);
        let running = count.active.len();
        if running > wanted {
            let surplus = count.active.split_off(wanted);
            self.delete(job, &surplus, true);
            count.terminating += surplus.len();
            return;
        }
        if running == wanted {
            return;
        }
        if let Some(wait) = self.hold_up(job) {
            work.after(Task::Job(key.clone()), wait);
            return;
        }
        for _ in running..wanted {
            match admission::create_pod(&self.store, pod(job)) {
                Ok(pod) => {
                    self.events.tell(
                        job,
                        Tone::Normal,
                        "SuccessfulCreate",
                        &format!("Created pod: {}", meta(&pod, "name")),
                    );
                    count.active.push(pod);
                    self.failures(job).refused = 0;
                }
                Err(refused) => {
                    self.events.tell(
                        job,
                        Tone::Warning,
                        "FailedCreate",
                        &format!("Error creating: {refused}"),
                    );
                    let failures = self.failures(job);
                    let wait = doubled(CREATE_BACK_OFF, failures.refused, CREATE_BACK_OFF_LIMIT);
                    failures.refused += 1;
                    failures.again = Some(Instant::now() + wait);
                    work.after(Task::Job(key.clone()), wait);
                    return;
                }
            }
        }
    }

    fn failures(&mut self, job: &Value) -> &mut Failures {
        self.known.entry(uid(job).to_owned()).or_default()
    }

    fn note_failures(&mut self, job: &Value, count: &Count) {
        if count.new_failed.is_empty() && count.new_succeeded.is_empty() {
            return;
        }
        let now = self.store.clock().now();
        let failures = self.failures(job);
        if count.new_succeeded.is_empty() {
            failures.in_a_row += u32::try_from(count.new_failed.len()).unwrap_or(u32::MAX);
            failures.last = Some(count.last_end.unwrap_or(now));
        } else {
            failures.in_a_row = 0;
        }
    }

    /// How long the next pod has to wait because of earlier failures or a refusal.
    fn hold_up(&mut self, job: &Value) -> Option<Duration> {
        let now = self.store.clock().now();
        let failures = self.failures(job);
        if let Some(again) = failures.again.filter(|again| *again > Instant::now()) {
            return Some(again - Instant::now());
        }
        let last = failures.last.filter(|_| failures.in_a_row > 0)?;
        let wait = doubled(POD_BACK_OFF, failures.in_a_row - 1, POD_BACK_OFF_LIMIT);
        let passed = Duration::try_from(now.duration_since(last)).unwrap_or_default();
        wait.checked_sub(passed).filter(|left| !left.is_zero())
    }

    /// Deletes pods; `uncounted` ones are let go first, so that their end does not count as a failure.
    fn delete(&self, job: &Value, pods: &[Arc<Value>], uncounted: bool) {
        for pod in pods {
            if uncounted {
                self.release(pod);
            }
            let key = Key::of(pod);
            if self
                .store
                .delete(
                    Kind::Pod,
                    &key.namespace,
                    &key.name,
                    &DeleteOptions::default(),
                )
                .is_ok()
            {
                self.events.tell(
                    job,
                    Tone::Normal,
                    "SuccessfulDelete",
                    &format!("Deleted pod: {}", key.name),
                );
            }
        }
    }

    fn release(&self, pod: &Value) {
        if has_finalizer(pod, TRACKING) {
            // A pod that is gone needs no release.
            let _ = self.store.modify(
                Kind::Pod,
                meta(pod, "namespace"),
                meta(pod, "name"),
                |pod| drop_finalizer(pod, TRACKING),
            );
        }
    }

    /// Writes the status; true when the Job is there and it was news.
    fn write(&self, job: &Value, status: &Value) -> bool {
        let mut news = false;
        let written = self.store.modify(
            Kind::Job,
            meta(job, "namespace"),
            meta(job, "name"),
            |stored| {
                if uid(stored) == uid(job) && stored["status"] != *status {
                    stored["status"] = status.clone();
                    news = true;
                }
            },
        );
        written.is_ok() && news
    }
}

fn doubled(first: Duration, times: u32, limit: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(limit)
}
