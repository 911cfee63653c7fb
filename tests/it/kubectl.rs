//! `llmctl-dev sandbox` under the hands of kubectl: a client that nobody here wrote.
//!
//! Where there is no kubectl this is said and skipped; in CI (`CI=true`) it is a failure.

mod apply;
mod entrance;
mod jobs;
mod objects;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::home::{Home, Ran};

/// The image that runs a container's command on the sandbox.
const IMAGE: &str = "llmctl-executor-frontier:latest";

/// The real program that serves, and kubectl with the kubeconfig that it wrote.
struct Served {
    home: Home,
    kubectl: PathBuf,
    kubeconfig: PathBuf,
    child: Child,
}

impl Served {
    /// None on a machine without kubectl.
    fn start() -> Option<Self> {
        let Ok(kubectl) = which::which("kubectl") else {
            let ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(!ci, "there is no kubectl on this CI machine");
            eprintln!("SKIPPED: there is no kubectl on this machine");
            return None;
        };
        let home = Home::new();
        let kubeconfig = home.path().join("sandbox.kubeconfig");
        let file = kubeconfig.to_str().unwrap();
        let mut child = home
            .command(&["sandbox", "--listen", "127.0.0.1:0", "--kubeconfig", file])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, format!("export KUBECONFIG={file}\n"));
        Some(Self {
            home,
            kubectl,
            kubeconfig,
            child,
        })
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.kubectl);
        command
            .args(words(line))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null());
        command
    }

    /// kubectl with the words of a line; `'…'` holds words together.
    fn run(&self, line: &str) -> Ran {
        Ran::of(&mut self.command(line))
    }

    /// What it prints when it succeeds.
    #[track_caller]
    fn ok(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, 0, "kubectl {line}: {ran:?}");
        ran.out
    }

    /// What it complains of when it fails.
    #[track_caller]
    fn fails(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_ne!(ran.code, 0, "kubectl {line}: {ran:?}");
        ran.err
    }

    /// [`Self::run`] with standard input, which `-f -` reads.
    fn given(&self, line: &str, input: &str) -> Ran {
        let mut child = self
            .command(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// [`Self::ok`] with standard input.
    #[track_caller]
    fn ok_given(&self, line: &str, input: &str) -> String {
        let ran = self.given(line, input);
        assert_eq!(ran.code, 0, "kubectl {line}: {ran:?}");
        ran.out
    }

    /// Makes a Job of one container that runs a shell script.
    #[track_caller]
    fn job(&self, name: &str, script: &str, more: &str) {
        let job = format!(
            r#"
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}, labels: {{team: a}}}}
spec:
  backoffLimit: 0
  {more}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers:
      - name: executor
        image: {IMAGE}
        imagePullPolicy: IfNotPresent
        command: [sh, -c, "{script}"]
"#
        );
        let said = self.ok_given("apply --server-side -f -", &job);
        assert_eq!(said, format!("job.batch/{name} serverside-applied\n"));
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
            let _ = self.child.wait();
        }
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The words of a table's rows, without its head.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect()
}

/// The columns of a table by its head.
fn head(table: &str) -> Vec<&str> {
    table
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect()
}
