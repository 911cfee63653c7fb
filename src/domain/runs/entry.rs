//! One run in the reducer: the facts of its Job, pods, events and log, and what follows from them.

mod earlier;
mod record;

use super::pod::{mark, pod_facts};
use super::removal::removal;
use super::timeline::timeline;
use super::{Phase, Ran, Reason, Run, RunId};
use crate::domain::logs::LogEvent;
use crate::domain::manifest::{
    EXECUTOR, KEPT, OURS, PASS_ANNOTATION, SAMPLE_ANNOTATION, SETTINGS_ANNOTATION,
};
use crate::domain::observed::{EventSeen, JobSeen, PodSeen};
use crate::domain::verdict::{Kubernetes, Verdict, judge};
use jiff::{SignedDuration, Timestamp};

/// Most events kept of one run; a pod that cannot start makes them for hours.
const EVENTS_MAX: usize = 100;

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) run: Run,
    /// When this program first knew of it.
    first_seen: Timestamp,
    /// A watch or a list has shown the Job, and not only the answer to its creation.
    pub(super) watched: bool,
    deleting: Option<Timestamp>,
    suspended: bool,
    /// Pods of the Job that are in the cluster; nearly always one.
    pods: Vec<PodSeen>,
    /// A full list of pods held none of it.
    no_pods: bool,
    /// The container whose log is followed in this session.
    followed: Option<String>,
    /// The verdict does not wait longer than this for the log.
    pub(super) collect_by: Option<Timestamp>,
    /// How long its dispatch may take, when this session dispatched it.
    pub(super) patience: Option<SignedDuration>,
    /// It is given up when its container does not run by then.
    pub(super) start_by: Option<Timestamp>,
    recorded: u64,
}

/// What a fact changed.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Pod and container whose log is to be followed.
    pub(super) follow: Option<(String, String)>,
    pub(super) record: bool,
    pub(super) ended: bool,
    pub(super) removed: bool,
}

type State = (Verdict, Phase);

impl Entry {
    pub(super) fn new(run: Run, now: Timestamp) -> Self {
        Self {
            run,
            first_seen: now,
            watched: false,
            deleting: None,
            suspended: false,
            pods: Vec::new(),
            no_pods: false,
            followed: None,
            collect_by: None,
            patience: None,
            start_by: None,
            recorded: 0,
        }
    }

    /// A Job that was not known, with what decides its place among the runs.
    pub(super) fn of(job: &JobSeen, now: Timestamp) -> Self {
        let uid = RunId(job.uid.clone());
        let mut run = Run::new(uid, &job.name, &job.namespace, job.created);
        identify(&mut run, job);
        Self::new(run, now)
    }

    /// Dispatched in this session, and to be given up when it does not start within `patience`.
    pub(super) fn patient(self, patience: SignedDuration) -> Self {
        Self {
            patience: Some(patience),
            ..self
        }
    }

    /// A run of an earlier session: its record on disk is up to date.
    pub(super) fn restored(run: Run, now: Timestamp) -> Self {
        let mut entry = Self::new(run, now);
        entry.watched = true;
        entry.recorded = entry.fingerprint();
        entry
    }

    /// Takes the state of the Job.
    pub(super) fn job(&mut self, job: JobSeen, now: Timestamp) {
        let run = &mut self.run;
        identify(run, &job);
        if let Some(used) = job.annotations.get(SETTINGS_ANNOTATION) {
            run.settings = serde_json::from_str(used).ok();
        }
        run.ttl = job.ttl;
        run.kept = job.labels.get(EXECUTOR).is_some_and(|value| value == KEPT);
        run.image = job.image;
        mark(&mut run.marks.accepted, job.created, now);
        if let Some(finish) = job.finish {
            run.finished_at = Some(finish.at);
            run.kubernetes = if finish.complete {
                Kubernetes::Complete
            } else {
                Kubernetes::Failed
            };
            run.job_reason = Reason::new(finish.reason, finish.message);
            run.pods_ended = Some(job.ended);
        }
        // It is there after all: the truth of the cluster goes before what was concluded.
        run.removal = None;
        self.suspended = job.suspended;
        self.deleting = job.deleting;
    }

    /// The Job is no longer there.
    pub(super) fn job_gone(&mut self, now: Timestamp, seen: bool) {
        if self.run.removal.is_none() {
            self.run.removal = Some(removal(&self.run, self.deleting, now, seen));
        }
    }

    /// Takes the state of a pod of the Job.
    pub(super) fn pod(&mut self, pod: PodSeen, now: Timestamp) {
        self.no_pods = false;
        self.pods.retain(|other| other.uid != pod.uid);
        self.pods.push(pod);
        self.read_pod(now);
    }

    /// Takes the last state of a pod that left the cluster.
    pub(super) fn pod_gone(&mut self, pod: PodSeen, now: Timestamp) {
        let uid = pod.uid.clone();
        self.pod(pod, now);
        self.forget_pods(|other| other == uid);
    }

    /// The pods that a full list does not hold are gone; whether it held any is remembered.
    pub(super) fn pods_listed(&mut self, exists: impl Fn(&str) -> bool) {
        self.forget_pods(|uid| !exists(uid));
        self.no_pods = self.pods.is_empty();
    }

    fn forget_pods(&mut self, gone: impl Fn(&str) -> bool) {
        self.pods.retain(|pod| !gone(&pod.uid));
        if let Some(facts) = &mut self.run.pod
            && (gone(&facts.uid) || self.pods.is_empty())
        {
            facts.leave();
        }
    }

    /// Of several pods the one with the latest start counts (contract 4.2).
    fn read_pod(&mut self, now: Timestamp) {
        let Some(pod) = self
            .pods
            .iter()
            .max_by_key(|pod| (pod.started, pod.created))
        else {
            return;
        };
        let before = self
            .run
            .pod
            .take()
            .filter(|facts| facts.uid == pod.uid)
            .unwrap_or_default();
        self.run.pod = Some(pod_facts(pod, before, &mut self.run.marks, now));
    }

    /// Takes an event about the Job or its pod.
    pub(super) fn event(&mut self, event: EventSeen, now: Timestamp) {
        let marks = &mut self.run.marks;
        match event.reason.as_str() {
            // The scheduler's events have fractions of a second.
            "Scheduled" => mark(&mut marks.scheduled, event.first, now),
            "Pulling" if marks.pulling.is_none() => mark(&mut marks.pulling, event.first, now),
            "Pulled" if marks.pulling.is_some() => mark(&mut marks.pulled, event.last, now),
            _ => {}
        }
        let events = &mut self.run.events;
        // Told again, it may have another time and place.
        events.retain(|known| known.uid != event.uid);
        let at = events.partition_point(|known| known.order() <= event.order());
        events.insert(at, event);
        if events.len() > EVENTS_MAX {
            events.remove(0);
        }
    }

    /// Takes a piece of the log. Gives whether more than lines came.
    pub(super) fn log(&mut self, event: LogEvent) -> bool {
        if let LogEvent::Opened { container_id } = &event
            && *container_id != self.run.log.summary().container_id
            && !self.run.log.summary().container_id.is_empty()
        {
            // Another container: what the old one said does not count.
            self.run.executor = None;
            self.run.malformed = None;
            self.run.marker_at = None;
        }
        if !self.run.log.take(event) {
            return false;
        }
        let reader = self.run.log.reader();
        if let Some(started) = reader.started() {
            let at = started.at.or(self.run.marks.started);
            self.run.marker_at = self.run.marker_at.or(at).or(Some(self.run.created));
        }
        if let Some(result) = reader.result() {
            self.run.executor = Some(result.clone());
        }
        if let Some(malformed) = reader.malformed() {
            self.run.malformed = Some(malformed.to_owned());
        }
        true
    }

    /// Brings everything that follows from the facts up to date.
    pub(super) fn refresh(
        &mut self,
        before: State,
        now: Timestamp,
        patience: SignedDuration,
    ) -> Change {
        if !self.accepted() {
            return self.changed(before);
        }
        let follow = self.follow();
        self.run.phase = self.phase();
        if !self.waits_for_its_start() {
            self.start_by = None;
        }
        self.run.kubernetes = self.kubernetes();
        let over = self.run.finished_at.is_some() || self.run.removal.is_some();
        self.collect_by = match self.collect_by {
            _ if !over => None,
            None => now.checked_add(patience).ok(),
            set => set,
        };
        let collected = &mut self.run.marks.collected;
        if !over {
            *collected = None;
        }
        let late = self.collect_by.is_some_and(|by| now >= by);
        // What comes after a settled verdict may change it, but does not take it back.
        let settled = over && (collected.is_some() || late || !self.may_say_more());
        if settled && self.run.marks.collected.is_none() {
            self.run.marks.collected = Some(self.collected(now));
        }
        if settled {
            self.collect_by = None;
        } else if self.suspended {
            self.run.reason = Reason::new("Suspended", "");
        } else {
            self.run.reason = Reason::default();
        }
        let judgement = judge(&self.run, settled);
        let run = &mut self.run;
        run.verdict = judgement.verdict;
        run.uncertain = judgement.uncertain;
        run.dispatch = judgement.dispatch;
        run.reason = judgement.reason;
        run.why = judgement.why;
        run.disagreement = judgement.disagreement;
        run.timeline = timeline(run);
        Change {
            follow,
            ..self.changed(before)
        }
    }

    /// The dispatch clock runs: nothing has begun, and nobody has another end in mind (W1).
    fn waits_for_its_start(&self) -> bool {
        let waits = matches!(self.run.phase, Phase::Queued | Phase::Pending);
        let ran = self.run.marks.started.is_some() || self.run.marker_at.is_some();
        waits && !ran && !self.suspended && self.run.cancel_asked.is_none()
    }

    /// What a change is measured against.
    pub(super) fn state(&self) -> State {
        (self.run.verdict, self.run.phase)
    }

    fn accepted(&self) -> bool {
        self.run.marks.accepted.is_some()
    }

    /// The container to follow: once per container, as soon as it runs or has run.
    fn follow(&mut self) -> Option<(String, String)> {
        let pod = self.run.pod.as_ref()?;
        let known = self.run.log.summary();
        let whole = self.run.log.is_over() && known.container_id == pod.container_id;
        if pod.ran != Ran::Yes
            || pod.gone
            || pod.container_id.is_empty()
            || whole
            || self.followed.as_ref() == Some(&pod.container_id)
        {
            return None;
        }
        self.followed = Some(pod.container_id.clone());
        Some((pod.name.clone(), pod.container_id.clone()))
    }

    fn phase(&self) -> Phase {
        let run = &self.run;
        let pod = run.pod.as_ref();
        if run.removal.is_some() {
            Phase::Removed
        } else if self.deleting.is_some() {
            Phase::Deleting
        } else if run.finished_at.is_some() {
            Phase::Retained
        } else if pod.is_some_and(|pod| pod.ran == Ran::Yes) {
            if run.marker_at.is_some() {
                Phase::Started
            } else {
                Phase::Running
            }
        } else if pod.is_some_and(|pod| !pod.node.is_empty() || !pod.reason.is_empty()) {
            Phase::Pending
        } else {
            Phase::Queued
        }
    }

    fn kubernetes(&self) -> Kubernetes {
        let run = &self.run;
        match run.kubernetes {
            Kubernetes::Complete | Kubernetes::Failed => run.kubernetes,
            _ if run.removal.is_some() => Kubernetes::Gone,
            _ if run.pod.as_ref().is_some_and(|pod| pod.ran == Ran::Yes) => Kubernetes::Running,
            _ => Kubernetes::Pending,
        }
    }

    /// Whether more may be learnt of a run whose Job is over: its log is still read, or its pod has not shown its end yet.
    fn may_say_more(&self) -> bool {
        if self.run.log.is_over() {
            return false;
        }
        if self.followed.is_some() {
            return true;
        }
        match &self.run.pod {
            // A container can end without having been seen running, and a failing pod may not have shown its end yet.
            Some(pod) => !pod.gone && !pod.over,
            None => !self.no_pods && !self.run.is_podless() && self.run.removal.is_none(),
        }
    }

    /// When the verdict could be given: now, or when the Job finished if that was before this program looked.
    fn collected(&self, now: Timestamp) -> Timestamp {
        match self.run.finished_at {
            Some(finished) if self.first_seen > finished + SignedDuration::from_secs(1) => finished,
            _ => now,
        }
    }
}

/// Which execution, node and pass it is, of which sample and by whom: what a Job is told when it is made.
fn identify(run: &mut Run, job: &JobSeen) {
    let number = |key: &str| job.labels.get(key).and_then(|text| text.parse().ok());
    run.execution = number("llmctl.flowchart.execution_id");
    run.node_id = number("llmctl.flowchart.node_id");
    run.ours = job.labels.get(OURS.0).is_some_and(|by| by == OURS.1);
    if let Some(sample) = job.annotations.get(SAMPLE_ANNOTATION) {
        run.sample = Some(sample.clone());
    }
    if let Some(pass) = job.annotations.get(PASS_ANNOTATION) {
        run.pass = pass.parse().ok();
    }
}
