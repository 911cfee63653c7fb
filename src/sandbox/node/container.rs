//! One container from its image to its end: pulls, starts, restarts, stops.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Context;
use super::environment::{self, Environment};
use super::paths::Paths;
use super::process::{Launch, Process};
use super::status::{Container, Ended, State};
use super::volumes::{Volumes, private_dir};
use crate::sandbox::events::Tone;
use crate::sandbox::images::{PULL, Reference, SIZE, back_off};
use crate::sandbox::object::{meta, uid};

/// How often the kubelet looks again at a container that it cannot start, and says so.
const AGAIN: Duration = Duration::from_secs(12);

/// How long it takes to learn that an image is nowhere.
const MISS: Duration = Duration::from_millis(300);

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
            if began.elapsed() > Duration::from_secs(600) {
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

    /// Sees to it that the image is on the node.
    async fn image(&mut self) -> Result<Reference, Stopped> {
        let image = self.container.spec["image"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let Some(reference) = Reference::parse(&image) else {
            let why = format!(
                "Failed to apply default image tag {image:?}: couldn't parse image name {image:?}: invalid reference format"
            );
            return self
                .hopeless("InspectFailed", "InvalidImageName", &why)
                .await;
        };
        let policy = self.container.spec["imagePullPolicy"]
            .as_str()
            .unwrap_or(reference.default_policy())
            .to_owned();
        let known = reference.flavor().is_some();
        // A known image counts as loaded for whoever forbids to pull it.
        let here = self.context.images.has(&reference) || (policy == "Never" && known);
        if here && policy != "Always" {
            self.tell(
                Tone::Normal,
                "Pulled",
                &format!("Container image {image:?} already present on machine"),
            );
            return Ok(reference);
        }
        if policy == "Never" {
            let why = format!("Container image {image:?} is not present with pull policy of Never");
            return self
                .hopeless("ErrImageNeverPull", "ErrImageNeverPull", &why)
                .await;
        }
        if known {
            self.tell(Tone::Normal, "Pulling", &format!("Pulling image {image:?}"));
            let began = Instant::now();
            self.pause(if here { PULL / 10 } else { PULL }).await?;
            self.context.images.add(&reference);
            let took = format!("{}ms", began.elapsed().as_millis());
            let message = format!(
                "Successfully pulled image {image:?} in {took} ({took} including waiting). Image size: {SIZE} bytes."
            );
            self.tell(Tone::Normal, "Pulled", &message);
            return Ok(reference);
        }
        self.pull_in_vain(&image, &reference).await
    }

    /// Never comes back but by being stopped.
    async fn pull_in_vain(
        &mut self,
        image: &str,
        reference: &Reference,
    ) -> Result<Reference, Stopped> {
        let why = reference.not_found();
        for failures in 1.. {
            self.tell(Tone::Normal, "Pulling", &format!("Pulling image {image:?}"));
            self.pause(MISS).await?;
            self.tell(
                Tone::Warning,
                "Failed",
                &format!("Failed to pull image {image:?}: {why}"),
            );
            self.tell(Tone::Warning, "Failed", "Error: ErrImagePull");
            self.set(State::Waiting {
                reason: "ErrImagePull".to_owned(),
                message: Some(why.clone()),
            });
            self.pause(SETTLE).await?;
            let message = format!("Back-off pulling image {image:?}: ErrImagePull: {why}");
            let until = Instant::now() + back_off(failures);
            while Instant::now() < until {
                self.tell(
                    Tone::Normal,
                    "BackOff",
                    &format!("Back-off pulling image {image:?}"),
                );
                self.tell(Tone::Warning, "Failed", "Error: ImagePullBackOff");
                self.set(State::Waiting {
                    reason: "ImagePullBackOff".to_owned(),
                    message: Some(message.clone()),
                });
                self.pause(AGAIN.min(until - Instant::now())).await?;
            }
        }
        Err(Stopped)
    }

    /// Nothing but a new pod would help; the kubelet keeps saying so.
    async fn hopeless(
        &mut self,
        event: &str,
        reason: &str,
        why: &str,
    ) -> Result<Reference, Stopped> {
        loop {
            self.tell(Tone::Warning, event, why);
            self.tell(Tone::Warning, "Failed", &format!("Error: {reason}"));
            self.set(State::Waiting {
                reason: reason.to_owned(),
                message: Some(why.to_owned()),
            });
            self.pause(AGAIN).await?;
        }
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

    fn launch(
        &self,
        reference: &Reference,
        spec: Environment,
        id: &str,
    ) -> std::io::Result<Launch> {
        let container = &self.container.spec;
        let dir = self.dir.join("containers").join(format!(
            "{}-{}",
            self.container.name(),
            self.container.restarts
        ));
        let (root, home, scratch) = (dir.join("root"), dir.join("home"), dir.join("tmp"));
        for one in [&root, &home, &scratch] {
            private_dir(one)?;
        }
        let mounts = container["volumeMounts"].as_array().into_iter().flatten();
        let paths = Paths::new(
            root.clone(),
            mounts.filter_map(|mount| mount["mountPath"].as_str().map(str::to_owned)),
        );
        self.volumes.mount(container, &paths)?;

        let shown = |path: &std::path::Path| path.display().to_string();
        let mut env = Environment::from([
            (
                "PATH".to_owned(),
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            ),
            ("HOME".to_owned(), shown(&home)),
            ("TMPDIR".to_owned(), shown(&scratch)),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("HOSTNAME".to_owned(), meta(&self.pod, "name").to_owned()),
            (
                "LLMCTL_EXECUTOR_DEFAULT_CWD".to_owned(),
                shown(&paths.place("/tmp/llmctl-workspace")),
            ),
        ]);
        if let Some(flavor) = reference.flavor() {
            env.insert("LLMCTL_EXECUTOR_FLAVOR".to_owned(), flavor.to_owned());
        }
        env.extend(
            spec.iter()
                .map(|(name, value)| (name.clone(), paths.text(value))),
        );

        let words = |field: &str| -> Vec<OsString> {
            let all = container[field]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            all.map(|word| paths.text(&environment::expanded(word, &spec)).into())
                .collect()
        };
        let mut argv = words("command");
        if argv.is_empty() {
            argv.clone_from(&self.context.executor);
        }
        argv.extend(words("args"));
        let dir = match container["workingDir"]
            .as_str()
            .filter(|dir| !dir.is_empty())
        {
            Some(dir) => match paths.here(dir) {
                Some(here) => {
                    std::fs::create_dir_all(&here)?;
                    here
                }
                None => PathBuf::from(dir),
            },
            None => root,
        };
        Ok(Launch {
            argv,
            env,
            dir,
            id: id.to_owned(),
        })
    }

    fn start_error(&self, error: &std::io::Error) -> Ended {
        let program = self.container.spec["command"][0]
            .as_str()
            .unwrap_or("executor");
        let why = match error.kind() {
            std::io::ErrorKind::NotFound if program.contains('/') => {
                format!("exec: {program:?}: stat {program}: no such file or directory")
            }
            std::io::ErrorKind::NotFound => {
                format!("exec: {program:?}: executable file not found in $PATH")
            }
            std::io::ErrorKind::PermissionDenied => format!("exec: {program:?}: permission denied"),
            _ => error.to_string(),
        };
        let message = format!(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: {why}: unknown"
        );
        self.tell(Tone::Warning, "Failed", &format!("Error: {message}"));
        Ended {
            exit_code: 128,
            reason: "StartError".to_owned(),
            message: Some(message),
            started: Some(jiff::Timestamp::UNIX_EPOCH),
            finished: Some(self.context.store.clock().now()),
            container_id: self.container.id.clone(),
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

/// 64 random hex digits.
fn container_id() -> String {
    let mut bytes = [0_u8; 32];
    // Without randomness two containers could share an id; nothing is found by it but processes of this run.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A duration as Go prints it: `10s`, `1m20s`, `5m0s`.
fn go_duration(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}
