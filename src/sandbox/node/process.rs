//! A container's process: its own process group, its output as lines of a log, and nothing of it left when it is over.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::environment::Environment;
use crate::sandbox::logs::Record;

/// The variable that marks every process of a container with the container's id, whatever group it moved to.
pub(crate) const MARK: &str = "LLMCTL_SANDBOX_CONTAINER";

/// A line is handed on in parts of this size when it has no end, as the container runtime does.
const PART: usize = 16 * 1024;

/// How long output is still waited for after the end of everything that could write it.
const DRAIN: Duration = Duration::from_secs(1);

/// How often a family is looked for at most until none of it is left, and the pause between two looks.
const LOOKS: u32 = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// What to start.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) argv: Vec<OsString>,
    pub(crate) env: Environment,
    pub(crate) dir: PathBuf,
    /// The container's id.
    pub(crate) id: String,
}

/// A running process with its descendants. Dropping it kills them.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    out: Pump<ChildStdout>,
    err: Pump<ChildStderr>,
    family: Family,
    exit: Option<i32>,
}

impl Process {
    /// Starts it; what it writes goes into `record`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) fn start(launch: Launch, record: &Record) -> io::Result<Self> {
        let Some((program, arguments)) = launch.argv.split_first() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "no command specified",
            ));
        };
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(&launch.env)
            .env(MARK, &launch.id)
            .current_dir(&launch.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let leader = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Self {
            out: Pump::new(child.stdout.take(), record),
            err: Pump::new(child.stderr.take(), record),
            child,
            family: Family {
                leader,
                mark: format!("{MARK}={}", launch.id),
            },
            exit: None,
        })
    }

    /// Waits for its end and for all of its output; gives the exit code, 128 and the signal's number for a killed one.
    /// May be called again after it was cancelled.
    pub(crate) async fn wait(&mut self) -> i32 {
        let code = match self.exit {
            Some(code) => code,
            None => self.until_exit().await,
        };
        self.exit = Some(code);
        // Whatever the process left behind goes with it, as everything in a container does.
        self.family.kill();
        self.family.leader = None;
        let (out, err) = (&mut self.out, &mut self.err);
        let rest = async { tokio::join!(out.all(), err.all()) };
        if tokio::time::timeout(DRAIN, rest).await.is_err() {
            tracing::debug!(
                mark = self.family.mark,
                "output is still held open after the end of the container"
            );
        }
        self.out.flush();
        self.err.flush();
        code
    }

    /// Asks the process group to end.
    pub(crate) fn terminate(&self) {
        self.family.signal_group(Signal::TERM);
    }

    /// Ends everything at once.
    pub(crate) fn kill(&self) {
        self.family.kill();
    }

    async fn until_exit(&mut self) -> i32 {
        loop {
            tokio::select! {
                // Errors before output, output before the end: so a line is never logged after one that it caused.
                biased;
                () = self.err.some(), if self.err.is_open() => {}
                () = self.out.some(), if self.out.is_open() => {}
                status = self.child.wait() => {
                    use std::os::unix::process::ExitStatusExt as _;
                    let Ok(status) = status else { return 255 };
                    return status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
                }
            }
        }
    }
}

/// Everything that descends from a container's first process.
#[derive(Debug)]
struct Family {
    /// The leader of the process group, until it was waited for.
    leader: Option<Pid>,
    mark: String,
}

impl Family {
    fn signal_group(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            // A group that is gone needs no signal.
            let _ = kill_process_group(leader, signal);
        }
    }

    fn kill(&self) {
        self.signal_group(Signal::KILL);
        kill_marked(&self.mark);
    }
}

/// Kills every process of this user that carries a mark.
pub(crate) fn kill_marked(mark: &str) {
    // An executor gives its command a group of its own, and orphans belong to nobody: their mark tells. Dying takes a moment, and
    // who is just starting another program shows no mark: gone is what two looks in a row did not find.
    let mut quiet = 0;
    for _ in 0..LOOKS {
        let found = marked(mark);
        if found.is_empty() {
            quiet += 1;
            if quiet == 2 {
                return;
            }
        } else {
            quiet = 0;
        }
        for pid in found {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if self.leader.is_some() {
            self.kill();
        }
    }
}

/// The live processes of this user that carry the mark; none where there is no `/proc`.
fn marked(mark: &str) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            // A zombie's environment is empty, so the dead are not found.
            let environment = std::fs::read(entry.path().join("environ")).ok()?;
            environment
                .split(|byte| *byte == 0)
                .any(|one| one == mark.as_bytes())
                .then_some(pid)
        })
        .collect()
}

/// Turns one stream of output into lines of a log.
#[derive(Debug)]
struct Pump<R> {
    source: Option<R>,
    buffer: BytesMut,
    record: Record,
}

impl<R: AsyncRead + Unpin> Pump<R> {
    fn new(source: Option<R>, record: &Record) -> Self {
        Self {
            source,
            buffer: BytesMut::with_capacity(PART),
            record: record.clone(),
        }
    }

    fn is_open(&self) -> bool {
        self.source.is_some()
    }

    /// Takes what comes next.
    async fn some(&mut self) {
        let Some(source) = &mut self.source else {
            return;
        };
        self.buffer.reserve(PART);
        match source.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => {
                self.source = None;
                self.flush();
            }
            Ok(_) => self.hand_on(),
        }
    }

    /// Takes everything to the end.
    async fn all(&mut self) {
        while self.is_open() {
            self.some().await;
        }
    }

    fn hand_on(&mut self) {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let mut line = self.buffer.split_to(end + 1).freeze();
            line.truncate(end);
            while line.len() > PART {
                self.record.part(&line[..PART]);
                line.advance(PART);
            }
            self.record.line(&line);
        }
        while self.buffer.len() >= PART {
            let part = self.buffer.split_to(PART);
            self.record.part(&part);
        }
    }

    /// What has no line break at the end is logged without one.
    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            let rest = self.buffer.split();
            self.record.part(&rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use serde_json::json;

    use super::*;
    use crate::sandbox::clock::Clock;
    use crate::sandbox::kinds::Kind;
    use crate::sandbox::logs::{LogOptions, Logs};
    use crate::sandbox::store::Store;

    struct Bench {
        logs: Logs,
        uid: String,
        dir: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            let store = Store::new(Clock::new(jiff::Timestamp::now()));
            store
                .create(Kind::Namespace, json!({"metadata": {"name": "n"}}))
                .unwrap();
            let pod = json!({"metadata": {"namespace": "n", "name": "p"}, "spec": {"nodeName": "sandbox", "containers": [{"name": "c"}]}});
            let pod = store.create(Kind::Pod, pod).unwrap();
            let uid = pod["metadata"]["uid"].as_str().unwrap().to_owned();
            Self {
                logs: Logs::new(store),
                uid,
                dir: tempfile::tempdir().unwrap(),
            }
        }

        fn start(&self, script: &str) -> Process {
            let argv = ["sh", "-c", script].map(OsString::from).to_vec();
            let env = Environment::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
            let launch = Launch {
                argv,
                env,
                dir: self.dir.path().to_owned(),
                id: self.uid.clone(),
            };
            Process::start(launch, &self.logs.begin(&self.uid, "c")).unwrap()
        }

        async fn log(&self) -> String {
            let stream = self
                .logs
                .read("n", "p", None, &LogOptions::default())
                .unwrap();
            let bytes: Vec<_> = stream.collect().await;
            String::from_utf8(bytes.concat()).unwrap()
        }

        fn alive(&self) -> usize {
            marked(&format!("{MARK}={}", self.uid)).len()
        }
    }

    #[tokio::test]
    async fn codes_and_output() {
        let bench = Bench::new();
        assert_eq!(
            bench
                .start("echo out; echo err >&2; printf rest; exit 3")
                .wait()
                .await,
            3
        );
        let mut lines: Vec<String> = bench.log().await.lines().map(str::to_owned).collect();
        lines.sort();
        assert_eq!(lines, ["err", "out", "rest"]);
        assert_eq!(bench.start("kill -9 $$").wait().await, 137);
        assert_eq!(bench.start("env | grep -c SECRET_OF_MINE").wait().await, 1);
    }

    #[tokio::test]
    async fn long_lines_and_many_lines_are_whole() {
        let bench = Bench::new();
        let mut process = bench.start("head -c 100000 /dev/zero | tr '\\0' x; echo; seq 1 50000");
        assert_eq!(process.wait().await, 0);
        let log = bench.log().await;
        let mut lines = log.lines();
        assert_eq!(lines.next().unwrap().len(), 100_000);
        assert_eq!(lines.clone().count(), 50_000);
        assert_eq!(lines.next_back().unwrap(), "50000");
    }

    #[tokio::test]
    async fn nothing_survives_the_first_process() {
        let bench = Bench::new();
        let mut process = bench.start("setsid sleep 1000 & sleep 1000 & echo ready");
        assert_eq!(process.wait().await, 0);
        assert_eq!(bench.alive(), 0);
    }

    #[tokio::test]
    async fn a_dropped_process_is_dead_with_its_family() {
        let bench = Bench::new();
        let mut process = bench.start("setsid sh -c 'echo ready; sleep 1000' & wait");
        while bench.log().await.is_empty() {
            tokio::select! {
                _ = process.wait() => panic!("it ended early"),
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
        assert!(bench.alive() >= 2);
        drop(process);
        assert_eq!(bench.alive(), 0);
    }

    #[tokio::test]
    async fn terminate_is_a_request() {
        let bench = Bench::new();
        let mut process =
            bench.start("trap 'echo asked; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        while bench.log().await.is_empty() {
            tokio::select! {
                _ = process.wait() => panic!("it ended early"),
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
        process.terminate();
        assert_eq!(process.wait().await, 7);
        // In between the shell may say that its own child was asked too.
        let log = bench.log().await;
        assert!(
            log.starts_with("ready\n") && log.ends_with("asked\n"),
            "{log}"
        );
    }
}
