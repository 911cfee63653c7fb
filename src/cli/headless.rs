//! A session without a screen: the same world and the same reducer as the terminal UI, followed by a command.

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::output;
use super::session::{self, Setup};
use crate::app::link::LinkMsg;
use crate::app::runs::{Effect as RunsEffect, Msg as RunsMsg};
use crate::app::{Effect, Msg};
use crate::domain::logs::LogEvent;
use crate::domain::observed::Seen;
use crate::domain::occasion::Occasion;
use crate::domain::runs::lifecycle::Want;
use crate::domain::runs::{Ran, Run, RunId, Runs};
use crate::domain::target::TargetKind;
use crate::runtime::World;
use crate::tui::signals::Signals;
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};

/// Longest wait for the rest of a log.
const COLLECTED: Duration = Duration::from_secs(10);

/// Longest wait for the start marker of a run that may have written none.
const CAUGHT_UP: Duration = Duration::from_secs(1);

/// An open session and what it knows of runs.
pub struct Headless {
    pub world: World,
    pub runs: Runs,
    pub signals: Signals,
    /// Logs that could be followed and are not.
    unread: HashMap<RunId, Want>,
    watches: bool,
    /// Since when the cluster does not answer.
    lost_since: Option<Instant>,
    /// Time passes for verdicts that wait for a log which does not come.
    ticks: Interval,
}

/// What a message was about, after it was taken in.
#[derive(Debug, PartialEq)]
pub enum News {
    /// Jobs, pods or events.
    Cluster,
    Log {
        run: RunId,
        event: LogEvent,
    },
    Other,
}

impl Headless {
    /// Opens the session that `globals` ask for: history read, the namespace listed once.
    ///
    /// # Errors
    /// When there is no cluster, it does not answer, or it may not be listed.
    pub async fn open(globals: &Globals, setup: &Setup) -> Result<Self, Failure> {
        let world = session::open(globals, setup).await?;
        let mut headless = Self::offline(world)?;
        headless
            .runs
            .set_patience(setup.settings.effective().log_collection_timeout);
        for seen in headless
            .world
            .cluster()
            .snapshot(&setup.namespace(globals))
            .await?
        {
            headless.observe(seen, false);
        }
        Ok(headless)
    }

    /// A session that knows the history only.
    ///
    /// # Errors
    /// When signals cannot be caught.
    pub fn offline(world: World) -> Result<Self, Failure> {
        let mut runs = Runs::of(world.namespace());
        if let Some(history) = world.history() {
            let (restored, aside) = history.load();
            for problem in aside {
                output::progress(&problem.to_string());
            }
            // Nothing was listed yet, so that nothing follows from it.
            let _ = runs.restore(restored, world.now());
        }
        Ok(Self {
            world,
            runs,
            signals: caught()?,
            unread: HashMap::new(),
            watches: false,
            lost_since: None,
            ticks: ticks(),
        })
    }

    /// Since when the cluster does not answer; none while it does.
    pub fn lost_since(&self) -> Option<Instant> {
        self.lost_since
    }

    /// The target's time.
    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    fn observe(&mut self, seen: Seen, follow: bool) {
        let now = self.now();
        let wants = self.runs.observe(seen, now);
        self.want(wants, follow);
    }

    /// Does what the reducer asks for; logs are followed only where somebody reads them.
    pub fn want(&mut self, wants: Vec<Want>, follow: bool) {
        for want in wants {
            match want {
                Want::FollowLog {
                    run,
                    pod,
                    container_id,
                } if follow => self.world.perform(Effect::Runs(RunsEffect::FollowLog {
                    run,
                    pod,
                    container_id,
                })),
                Want::Record(id) => {
                    if let Some(run) = self.runs.find(&id) {
                        let record = RunsEffect::Record(Box::new(run.record()));
                        self.world.perform(Effect::Runs(record));
                    }
                }
                Want::FollowLog { ref run, .. } => {
                    self.unread.insert(run.clone(), want);
                }
                Want::Ended(id) if self.watches => {
                    let (target, now) = (self.world.target(), self.now());
                    let run = self.runs.find(&id);
                    let news = run.and_then(|run| Occasion::ended(run, target, now));
                    if let Some(occasion) = news {
                        self.world.perform(Effect::Announce {
                            occasion: Box::new(occasion),
                            loud: false,
                        });
                    }
                }
                Want::Ended(_) | Want::Removed(_) => {}
                Want::GiveUp(id) => {
                    if let Some(run) = self.runs.find(&id) {
                        let (run, job) = (run.id.clone(), run.job.clone());
                        self.world
                            .perform(Effect::Runs(RunsEffect::GiveUp { run, job }));
                    }
                }
            }
        }
    }

    /// Follows the log of a run that was seen before anybody wanted to read it.
    pub fn follow(&mut self, run: &RunId) {
        if let Some(want) = self.unread.remove(run) {
            self.want(vec![want], true);
        }
    }

    /// Watches the namespace from now on.
    pub fn watch(&mut self) {
        if !std::mem::replace(&mut self.watches, true) {
            self.world.watch();
        }
    }

    /// Watches the namespace and follows the log of one run.
    pub fn read(&mut self, run: &RunId) {
        self.watch();
        self.follow(run);
    }

    /// Waits for the rest of the log of a run that has ended and is [read](Self::read), and for the verdict that follows
    /// from it; not for long.
    ///
    /// # Errors
    /// [`Exit::Interrupted`] on a signal.
    pub async fn collect(&mut self, id: &RunId) -> Result<(), Failure> {
        let whole = async {
            while let Some(run) = self.runs.find(id) {
                let ran = run.pod.as_ref().is_some_and(|pod| pod.ran != Ran::No);
                if !ran || run.log.is_over() {
                    return Ok(());
                }
                self.next(|run| run == id).await?;
            }
            Ok(())
        };
        timeout(COLLECTED, whole).await.unwrap_or(Ok(()))
    }

    /// Waits for what the log of a run that is [read](Self::read) has to say by now: its verdict when it has ended, its start marker
    /// while it runs.
    ///
    /// # Errors
    /// [`Exit::Interrupted`] on a signal.
    pub async fn catch_up(&mut self, id: &RunId) -> Result<(), Failure> {
        let ended = |run: &Run| run.finished_at.is_some() || run.removal.is_some();
        if self.runs.find(id).is_some_and(ended) {
            return self.collect(id).await;
        }
        let started = async {
            while self
                .runs
                .find(id)
                .is_some_and(|run| run.marker_at.is_none())
            {
                self.next(|run| run == id).await?;
            }
            Ok(())
        };
        timeout(CAUGHT_UP, started).await.unwrap_or(Ok(()))
    }

    /// What a person reads who ended the command in the middle of it.
    pub fn interrupted(&self) -> Failure {
        let what = match self.world.target().kind {
            TargetKind::Sandbox => "the sandbox ended, and all runs in it",
            _ => "a run that was started goes on",
        };
        Failure::new(Exit::Interrupted, format!("interrupted; {what}"))
    }

    /// Waits for the next message and takes it in. Ctrl-C, SIGTERM and SIGHUP end the wait.
    ///
    /// # Errors
    /// [`Exit::Interrupted`] on a signal.
    pub async fn next(&mut self, follow: impl Fn(&RunId) -> bool) -> Result<News, Failure> {
        let msg = tokio::select! {
            msg = self.world.next() => msg.map_err(|error| Failure::other(error.to_string()))?,
            () = self.signals.any() => return Err(self.interrupted()),
            _ = self.ticks.tick() => {
                let now = self.now();
                let wants = self.runs.tick(now);
                self.want(wants, false);
                return Ok(News::Other);
            }
        };
        let now = self.now();
        match msg {
            Msg::Link(LinkMsg::Connected { .. }) => {
                self.lost_since = None;
                Ok(News::Other)
            }
            Msg::Seen(seen) => {
                let wants = self.runs.observe(seen, now);
                let read = |want: &Want| matches!(want, Want::FollowLog { run, .. } if follow(run));
                let (read, rest): (Vec<Want>, Vec<Want>) = wants.into_iter().partition(read);
                self.want(rest, false);
                self.want(read, true);
                Ok(News::Cluster)
            }
            Msg::Runs(RunsMsg::Log { run, event }) => {
                let wants = self.runs.log(&run, event.clone(), now);
                self.want(wants, true);
                Ok(News::Log { run, event })
            }
            Msg::Runs(RunsMsg::GivenUp { run, outcome }) => {
                let wants = self.runs.given_up(&run, &outcome, now);
                self.want(wants, false);
                if let Some(said) = self.runs.find(&run).and_then(|run| outcome.said(run)) {
                    output::progress(&said);
                }
                Ok(News::Other)
            }
            Msg::Link(LinkMsg::Lost {
                reason,
                retry_in_ms,
                ..
            }) => {
                self.lost_since.get_or_insert_with(Instant::now);
                output::progress(&format!(
                    "connection lost: {reason}; next try in {:.1} s",
                    std::time::Duration::from_millis(retry_in_ms).as_secs_f64()
                ));
                Ok(News::Other)
            }
            Msg::Noticed(notice) => {
                output::progress(&notice.text);
                Ok(News::Other)
            }
            _ => Ok(News::Other),
        }
    }

    /// The run that a person names by its number, its Job, its UID or `last`.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn named(&self, name: &str) -> Result<&Run, Failure> {
        let fits = |run: &&Run| {
            run.id.0 == name
                || run.job == name
                || run.label() == name
                || (name.len() >= 8 && run.id.0.starts_with(name))
        };
        if name == "last" {
            return self.runs.iter().next().ok_or_else(|| {
                Failure::invalid("there is no run yet; `llmctl-dev run hello` starts one")
            });
        }
        let mut found = self.runs.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(run), None) => Ok(run),
            (Some(one), Some(two)) => Err(Failure::invalid(format!(
                "`{name}` names more than one run, such as Jobs {} and {}; name the Job or its UID",
                one.job, two.job
            ))),
            (None, _) => Err(Failure::invalid(format!(
                "there is no run `{name}` in namespace {} at {}; `llmctl-dev runs list` shows those that are known",
                self.world.namespace(),
                self.world.target().badge()
            ))),
        }
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The signals that end a command in order.
///
/// # Errors
/// When they cannot be caught.
pub fn caught() -> Result<Signals, Failure> {
    Signals::catch().map_err(|error| Failure::other(format!("cannot watch for signals: {error}")))
}
