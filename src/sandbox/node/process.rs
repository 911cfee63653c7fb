//! A container's process: its own process group, its output as lines of a log, and nothing of it left when it is over.

mod family;
mod output;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Pid;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use super::environment::Environment;
use crate::sandbox::logs::Record;
use family::Family;
pub(crate) use family::kill_marked;
use output::Output;

/// The variable that marks every process of a container with the container's id, whatever group it moved to.
pub(crate) const MARK: &str = "LLMCTL_SANDBOX_CONTAINER";

/// How long output is still waited for after the end of everything that could write it.
const DRAIN: Duration = Duration::from_secs(1);

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
    output: Output,
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
        let (out, out_reader) = pipe::pipe()?;
        let (err, err_reader) = pipe::pipe()?;
        let output = Output::new(out_reader, err_reader, record);
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(&launch.env)
            .env(MARK, &launch.id)
            .current_dir(&launch.dir)
            .stdin(Stdio::null())
            .stdout(out.into_blocking_fd()?)
            .stderr(err.into_blocking_fd()?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let leader = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Self {
            output,
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
        if tokio::time::timeout(DRAIN, self.output.all())
            .await
            .is_err()
        {
            tracing::debug!(
                mark = self.family.mark,
                "output is still held open after the end of the container"
            );
        }
        self.output.flush();
        code
    }

    /// Asks it to end, which it hears only when it listens for that.
    pub(crate) fn terminate(&self) {
        self.family.terminate();
    }

    /// Ends everything at once.
    pub(crate) fn kill(&self) {
        self.family.kill();
    }

    async fn until_exit(&mut self) -> i32 {
        loop {
            tokio::select! {
                biased;
                () = self.output.some(), if self.output.is_open() => {}
                status = self.child.wait() => {
                    use std::os::unix::process::ExitStatusExt as _;
                    let Ok(status) = status else { return 255 };
                    return status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use serde_json::json;

    use super::family::marked;
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
        assert_eq!(bench.log().await, "ready\nasked\n");
    }

    #[tokio::test]
    async fn a_request_is_not_heard_by_who_does_not_listen() {
        for script in [
            "echo ready; sleep 1000",
            "echo ready; exec sleep 1000",
            "trap '' TERM; echo ready; while :; do sleep 0.01; done",
        ] {
            let bench = Bench::new();
            let mut process = bench.start(script);
            while bench.log().await.is_empty() {
                tokio::select! {
                    _ = process.wait() => panic!("it ended early"),
                    () = tokio::time::sleep(Duration::from_millis(5)) => {}
                }
            }
            process.terminate();
            let ended = tokio::time::timeout(Duration::from_millis(50), process.wait()).await;
            assert!(ended.is_err(), "{script}: {ended:?}");
            process.kill();
            assert_eq!(process.wait().await, 137, "{script}");
        }
    }

    #[tokio::test]
    async fn both_streams_are_logged_in_the_order_of_writing() {
        let orders = [
            ("echo 1; echo 2 >&2", "1\n2\n"),
            ("echo 1 >&2; echo 2", "1\n2\n"),
            ("echo 1; echo 2 >&2; sleep 0.2; echo 3", "1\n2\n3\n"),
            ("echo 1 >&2; echo 2; sleep 0.2; echo 3 >&2", "1\n2\n3\n"),
        ];
        for (script, log) in orders {
            for _ in 0..5 {
                let bench = Bench::new();
                assert_eq!(bench.start(script).wait().await, 0);
                assert_eq!(bench.log().await, log, "{script}");
            }
        }
    }

    #[tokio::test]
    async fn a_late_reader_still_learns_who_wrote_first() {
        for (script, log) in [
            ("echo 1; sleep 0.01; echo 2 >&2", "1\n2\n"),
            ("echo 1 >&2; sleep 0.01; echo 2", "1\n2\n"),
        ] {
            let bench = Bench::new();
            let mut process = bench.start(&format!("{script}; echo done >flag"));
            // Now it is known who waits for both.
            assert!(futures::FutureExt::now_or_never(process.wait()).is_none());
            // This thread is the one that would read.
            while !bench.dir.path().join("flag").exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(process.wait().await, 0);
            assert_eq!(bench.log().await, log, "{script}");
        }
    }
}
