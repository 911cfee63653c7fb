//! The minikube program, a child process that speaks JSON.
//!
//! It runs in a process group of its own and never reads the terminal; whoever drops the work ends the whole group.

mod events;
mod group;
mod node;
mod status;

use crate::domain::profile::{ProfileState, StartError, StartOptions, StartStep};
use events::Event;
use futures::Stream;
use group::Group;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{ChildStderr, ChildStdout, Command};

/// Longest wait for `minikube status`; it asks the driver, which may hang.
const STATUS_PATIENCE: Duration = Duration::from_secs(30);
/// What is kept of the standard error of a failed start.
const STDERR_KEPT: usize = 2000;

/// The program, once found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minikube {
    program: PathBuf,
}

impl Minikube {
    /// Finds the program: `configured`, a path or a name (`minikube.path` of the config file), else `minikube` on PATH.
    pub fn find(configured: Option<&Path>) -> Option<Self> {
        let program = which::which(configured.unwrap_or(Path::new("minikube"))).ok()?;
        Some(Self { program })
    }

    /// Where it was found.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The state of a profile. What cannot be found out is [`ProfileState::Broken`] with the reason.
    pub async fn profile_status(&self, profile: &str) -> ProfileState {
        let mut command = self.command(profile);
        command
            .args(["status", "-o", "json"])
            .stderr(Stdio::piped());
        let mut group = match Group::spawn(command) {
            Ok(group) => group,
            Err(error) => {
                return ProfileState::Broken(format!(
                    "cannot run {}: {error}",
                    self.program.display()
                ));
            }
        };
        match tokio::time::timeout(STATUS_PATIENCE, group.output()).await {
            Ok(Ok(output)) => status::read(
                profile,
                output.status.code(),
                &output.stdout,
                &output.stderr,
            ),
            Ok(Err(error)) => {
                ProfileState::Broken(format!("cannot run {}: {error}", self.program.display()))
            }
            Err(_) => ProfileState::Broken(format!(
                "`minikube -p {profile} status` gave no answer within {} s: is its driver running?",
                STATUS_PATIENCE.as_secs()
            )),
        }
    }

    /// Starts a profile; makes it when there is none. The stream ends with [`StartStep::Done`] or [`StartStep::Failed`]; dropping it ends minikube.
    pub fn start(
        &self,
        profile: &str,
        options: &StartOptions,
    ) -> impl Stream<Item = StartStep> + Send + Unpin + use<> {
        let mut command = self.command(profile);
        command
            .args(["start", "-o", "json"])
            .args(arguments(options))
            .stderr(Stdio::piped());
        let first = match Start::spawn(command) {
            Ok(start) => State::Going(Box::new(start)),
            Err(error) => State::Stillborn(StartError {
                text: format!("cannot run {}: {error}", self.program.display()),
                ..StartError::default()
            }),
        };
        Box::pin(futures::stream::unfold(first, State::next))
    }

    fn command(&self, profile: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["-p", profile])
            .env("MINIKUBE_WANTUPDATENOTIFICATION", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }
}

fn arguments(options: &StartOptions) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut flag = |name: &str, value: Option<String>| {
        arguments.extend(value.map(|value| format!("--{name}={value}")));
    };
    flag("driver", options.driver.clone());
    flag("cpus", options.cpus.map(|n| n.to_string()));
    flag("memory", options.memory_mb.map(|n| format!("{n}mb")));
    flag("kubernetes-version", options.kubernetes_version.clone());
    flag(
        "mount-string",
        options
            .mount
            .as_ref()
            .map(|(host, node)| format!("{host}:{node}")),
    );
    if options.mount.is_some() {
        arguments.push("--mount".to_owned());
    }
    arguments.extend(options.more.iter().cloned());
    arguments
}

enum State {
    Stillborn(StartError),
    Going(Box<Start>),
    Over,
}

impl State {
    async fn next(self) -> Option<(StartStep, Self)> {
        match self {
            Self::Stillborn(error) => Some((StartStep::Failed(error), Self::Over)),
            Self::Over => None,
            Self::Going(mut start) => {
                let step = start.next().await;
                let next = match step {
                    StartStep::Done | StartStep::Failed(_) => Self::Over,
                    _ => Self::Going(start),
                };
                Some((step, next))
            }
        }
    }
}

/// A start in progress.
struct Start {
    group: Group,
    lines: Option<Lines<BufReader<ChildStdout>>>,
    stderr: Option<ChildStderr>,
    said: VecDeque<u8>,
    failure: Option<StartError>,
}

impl Start {
    fn spawn(command: Command) -> std::io::Result<Self> {
        let mut group = Group::spawn(command)?;
        Ok(Self {
            lines: group
                .child
                .stdout
                .take()
                .map(|out| BufReader::new(out).lines()),
            stderr: group.child.stderr.take(),
            said: VecDeque::new(),
            failure: None,
            group,
        })
    }

    async fn next(&mut self) -> StartStep {
        while let Some(line) = self.line().await {
            match events::read(&line) {
                Event::Step(step) => return step,
                Event::Failure(error) => self.failure = Some(error),
                Event::Nothing => {}
            }
        }
        self.end().await
    }

    /// The next line of standard output; standard error is read beside it, so that neither pipe fills up.
    async fn line(&mut self) -> Option<String> {
        let mut buffer = [0; 1024];
        loop {
            let lines = self.lines.as_mut()?;
            let Some(stderr) = &mut self.stderr else {
                return lines.next_line().await.ok().flatten();
            };
            tokio::select! {
                biased;
                line = lines.next_line() => return line.ok().flatten(),
                read = stderr.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => self.stderr = None,
                    Ok(n) => {
                        self.said.extend(&buffer[..n]);
                        self.said.drain(..self.said.len().saturating_sub(STDERR_KEPT));
                    }
                },
            }
        }
    }

    async fn end(&mut self) -> StartStep {
        self.lines = None;
        let status = match self.group.child.wait().await {
            Ok(status) if status.success() => return StartStep::Done,
            Ok(status) => status,
            Err(error) => {
                return StartStep::Failed(StartError {
                    text: format!("minikube was lost: {error}"),
                    ..StartError::default()
                });
            }
        };
        if let Some(stderr) = &mut self.stderr {
            let mut rest = Vec::new();
            // What cannot be read is not there; the exit status tells enough.
            let _ =
                tokio::time::timeout(Duration::from_secs(1), stderr.read_to_end(&mut rest)).await;
            self.said.extend(rest);
            self.said
                .drain(..self.said.len().saturating_sub(STDERR_KEPT));
        }
        let mut error = self.failure.take().unwrap_or_else(|| {
            let said = String::from_utf8_lossy(self.said.make_contiguous())
                .trim()
                .to_owned();
            let text = if said.is_empty() {
                format!("minikube ended with {status}")
            } else {
                said
            };
            StartError {
                text,
                ..StartError::default()
            }
        });
        error.exit = status.code();
        StartStep::Failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_arguments() {
        assert!(arguments(&StartOptions::default()).is_empty());
        let options = StartOptions {
            driver: Some("docker".into()),
            cpus: Some(4),
            memory_mb: Some(8192),
            kubernetes_version: Some("v1.34.4".into()),
            mount: Some(("/src".into(), "/node".into())),
            more: vec!["--force".into()],
        };
        assert_eq!(
            arguments(&options),
            [
                "--driver=docker",
                "--cpus=4",
                "--memory=8192mb",
                "--kubernetes-version=v1.34.4",
                "--mount-string=/src:/node",
                "--mount",
                "--force"
            ]
        );
    }
}
