//! One child process and everything it starts: run it, watch the clock and the signals, and leave nothing behind.

use std::future::Future;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Pid;
use tokio::time::{Instant, sleep_until, timeout};

use super::family::Family;
use super::stop::{Stop, Stops};
use super::stream::{Outlets, Pump};

/// How long the output of a child that has ended may stay open before what holds it is told to go: a shell's
/// background job keeps the pipe, and a run ends with its command.
const LINGER: Duration = Duration::from_secs(1);
/// How long output is waited for when not all of its writers could be ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What bounds a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) timeout: Duration,
    /// Between asking to end and killing.
    pub(super) grace: Duration,
    /// Bytes kept of each stream.
    pub(super) capture: usize,
}

/// What made a run end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The child ended, or had said all it had to say.
    Ended,
    TimedOut,
    /// The executor was told to stop.
    Stopped(Stop),
}

/// How the child went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Code(i32),
    Signal(i32),
}

/// A run that is over: no process of it is left.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) cause: Cause,
    pub(super) exit: Exit,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Exit {
    /// As Python's `returncode`: negative for a signal.
    pub(super) fn returncode(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => -signal,
        }
    }

    /// SIGTERM and SIGINT are how people and clusters stop a process; any other signal is an accident.
    pub(super) fn was_cancelled(self) -> bool {
        matches!(self, Self::Signal(2 | 15))
    }
}

/// Runs `command` in a process group of its own until it ends, its time is up, or the executor is told to stop. When
/// `answered` completes, the child has done its work and only the grace period is left to it.
///
/// # Errors
/// The program could not be started.
pub(super) async fn run(
    mut command: Command,
    limits: Limits,
    outlets: &Outlets,
    stop: &mut Stops,
    answered: impl Future<Output = ()>,
) -> io::Result<Ended> {
    let mut family = Family::prepare()?;
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn()?;
    family.adopt(Pid::from_child(&child));
    // The command still holds our copies of the child's pipe ends.
    drop(command);
    let mut pumps = Vec::with_capacity(2);
    if let Some(stdout) = child.stdout.take() {
        pumps.push(Pump::start(
            stdout,
            Arc::clone(&outlets.stdout),
            limits.capture,
        )?);
    }
    if let Some(stderr) = child.stderr.take() {
        pumps.push(Pump::start(
            stderr,
            Arc::clone(&outlets.stderr),
            limits.capture,
        )?);
    }

    let cause = watch(&mut family, limits, stop, answered).await;
    let quiet = cause == Cause::Ended
        && family.exit().is_some()
        && timeout(LINGER, drained(&mut pumps)).await.is_ok();
    if !quiet {
        // A second signal means: now.
        tokio::select! {
            () = family.ask_to_end(limits.grace) => {}
            _ = stop.next() => {}
        }
    }
    if family.end().await {
        drained(&mut pumps).await;
    } else {
        let _ = timeout(LAST_WORDS, drained(&mut pumps)).await;
    }
    let mut texts = pumps.iter().map(|pump| pump.text(limits.capture));
    Ok(Ended {
        cause,
        // One that even SIGKILL did not end in time is as good as killed.
        exit: family.exit().unwrap_or(Exit::Signal(9)),
        stdout: texts.next().unwrap_or_default(),
        stderr: texts.next().unwrap_or_default(),
    })
}

async fn watch(
    family: &mut Family,
    limits: Limits,
    stop: &mut Stops,
    answered: impl Future<Output = ()>,
) -> Cause {
    let mut answered = pin!(answered);
    let mut has_answer = false;
    let mut until = Instant::now() + limits.timeout;
    loop {
        if family.exit().is_some() {
            return Cause::Ended;
        }
        tokio::select! {
            () = family.changed() => {}
            stop = stop.next() => return Cause::Stopped(stop),
            () = sleep_until(until) => return if has_answer { Cause::Ended } else { Cause::TimedOut },
            () = &mut answered, if !has_answer => {
                has_answer = true;
                until = Instant::now() + limits.grace;
            }
        }
    }
}

async fn drained(pumps: &mut [Pump]) {
    for pump in pumps {
        pump.finished().await;
    }
}
