//! One container from its image to its end: pulls, starts, restarts, stops.

mod launch;
mod pull;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Context;
use super::environment::{self, Environment};
use super::process::Process;
use super::status::{Container, Ended, State};
use super::volumes::Volumes;
use crate::sandbox::events::Tone;
use crate::sandbox::images::{Reference, back_off};
use crate::sandbox::object::{meta, uid};
use launch::container_id;

/// How often the kubelet looks again at a container that it cannot start, and says so.
const AGAIN: Duration = Duration::from_secs(12);

/// Between the failed pull and the first word of the back-off.
const SETTLE: Duration = Duration::from_millis(100);

/// When to be dead; none as long as the container may live.
pub(crate) type Stop = watch::Receiver<Option<Instant>>;

/// The container is to stop.
struct Stopped;

/// Runs one container of a pod.
pub(crate) struct Runner {
    pub(crate) context: Arc<Context>,
    pub(crate) pod: Arc<Value>,
    pub(crate) volumes: Arc<Volumes>,
    /// The pod's own directory.
    pub(crate) dir: PathBuf,
    pub(crate) index: usize,
    pub(crate) container: Container,
    /// Where every change of the container is told.
    pub(crate) news: mpsc::UnboundedSender<(usize, Container)>,
    pub(crate) stop: Stop,
}

impl Runner {
    /// Runs to the last end, or until it is stopped.
    pub(crate) async fn run(mut self) {
        // Being stopped is told by the state that was told last.
        let _ = self.instances().await;
    }

    async fn instances(&mut self) -> Result<(), Stopped> {
        let mut failures = 0;
        loop {
            let reference = self.image().await?;
            let environment = self.environment().await?;
            let began = Instant::now();
            let ended = self.instance(&reference, environment).await?;
            let failed = ended.exit_code != 0;
            self.set(State::Terminated(ended));
            if !self.restarts(failed) {
                return Ok(());
            }
            if began.elapsed() > Duration::from_mins(10) {
                failures = 0;
            }
            failures += 1;
            // The first restart is free.
            if failures > 1 {
                self.crash_loop(back_off(failures - 1)).await?;
            }
            self.container.restarts += 1;
        }
    }

    fn restarts(&self, failed: bool) -> bool {
        match self.pod["spec"]["restartPolicy"]
            .as_str()
            .unwrap_or("Always")
        {
            "Never" => false,
            "OnFailure" => failed,
            _ => failed || !self.container.init,
        }
    }

    async fn crash_loop(&mut self, wait: Duration) -> Result<(), Stopped> {
        let (name, namespace) = (meta(&self.pod, "name"), meta(&self.pod, "namespace"));
        let place = format!("{name}_{namespace}({})", uid(&self.pod));
        let container = self.container.name().to_owned();
        let event = format!("Back-off restarting failed container {container} in pod {place}");
        let message = format!(
            "back-off {} restarting failed container={container} pod={place}",
            go_duration(wait)
        );
        self.pause(SETTLE).await?;
        self.tell(Tone::Warning, "BackOff", &event);
        if let State::Terminated(ended) = &self.container.state {
            self.container.last = Some(ended.clone());
        }
        self.set(State::Waiting {
            reason: "CrashLoopBackOff".to_owned(),
            message: Some(message),
        });
        self.pause(wait).await
    }

    /// The environment, as soon as everything it refers to is there.
    async fn environment(&mut self) -> Result<Environment, Stopped> {
        let mut configuration = self.context.configuration.subscribe();
        loop {
            configuration.mark_unchanged();
            let why =
                match environment::of_spec(&self.context.store, &self.pod, &self.container.spec) {
                    Ok(environment) => return Ok(environment),
                    Err(why) => why,
                };
            self.tell(Tone::Warning, "Failed", &format!("Error: {why}"));
            self.set(State::Waiting {
                reason: "CreateContainerConfigError".to_owned(),
                message: Some(why),
            });
            tokio::select! {
                paused = Self::wait(&mut self.stop, AGAIN) => paused?,
                _ = configuration.changed() => {}
            }
        }
    }

    /// One life of the container.
    async fn instance(
        &mut self,
        reference: &Reference,
        environment: Environment,
    ) -> Result<Ended, Stopped> {
        let id = container_id();
        self.container.id = Some(format!("containerd://{id}"));
        self.container.image = Some((reference.full.clone(), reference.id()));
        if let State::Terminated(ended) = &self.container.state {
            self.container.last = Some(ended.clone());
        }
        let record = self
            .context
            .logs
            .begin(uid(&self.pod), self.container.name());
        let started = self.context.store.clock().now();
        let launched = self
            .launch(reference, environment, &id)
            .and_then(|launch| Process::start(launch, &record));
        let name = self.container.name().to_owned();
        self.tell(
            Tone::Normal,
            "Created",
            &format!("Created container: {name}"),
        );
        let mut process = match launched {
            Ok(process) => process,
            Err(error) => {
                record.end();
                return Ok(self.start_error(&error));
            }
        };
        self.tell(
            Tone::Normal,
            "Started",
            &format!("Started container {name}"),
        );
        self.set(State::Running { since: started });
        let (exit_code, reason) = self.watch(&mut process).await;
        record.end();
        Ok(Ended {
            exit_code,
            reason: reason.to_owned(),
            message: None,
            started: Some(started),
            finished: Some(self.context.store.clock().now()),
            container_id: self.container.id.clone(),
        })
    }

    /// Waits for the end of the process, and brings it about when the container is to stop.
    async fn watch(&mut self, process: &mut Process) -> (i32, &'static str) {
        let mut memory = self.context.memory.subscribe();
        let mut asked = false;
        let mut out_of_memory = false;
        let code = loop {
            let limit = *self.stop.borrow_and_update();
            if limit.is_some() && !asked {
                asked = true;
                self.tell(
                    Tone::Normal,
                    "Killing",
                    &format!("Stopping container {}", self.container.name()),
                );
                process.terminate();
            }
            tokio::select! {
                biased;
                code = process.wait() => break code,
                Ok(victim) = memory.recv() => {
                    if victim == uid(&self.pod) {
                        out_of_memory = true;
                        process.kill();
                    }
                }
                changed = self.stop.changed() => if changed.is_err() {
                    process.kill();
                    break process.wait().await;
                },
                () = crate::sandbox::controllers::sleep_until(limit) => {
                    process.kill();
                    break process.wait().await;
                }
            }
        };
        match code {
            _ if out_of_memory => (137, "OOMKilled"),
            0 => (0, "Completed"),
            code => (code, "Error"),
        }
    }

    fn set(&mut self, state: State) {
        self.container.state = state;
        // The worker that listens is what runs this.
        let _ = self.news.send((self.index, self.container.clone()));
    }

    fn tell(&self, tone: Tone, reason: &str, message: &str) {
        self.context.events.tell_of_container(
            &self.pod,
            self.container.name(),
            tone,
            reason,
            message,
        );
    }

    async fn pause(&mut self, time: Duration) -> Result<(), Stopped> {
        Self::wait(&mut self.stop, time).await
    }

    async fn wait(stop: &mut Stop, time: Duration) -> Result<(), Stopped> {
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => Err(Stopped),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }
}

/// A duration as Go prints it: `10s`, `1m20s`, `5m0s`.
fn go_duration(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}
