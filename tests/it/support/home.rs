//! A person's directories, apart from everybody else's, and the real program run in them.

use super::terminal::Terminal;
use portable_pty::CommandBuilder;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_llmctl-dev");

/// A person with an empty home and no cluster.
pub(crate) struct Home {
    root: tempfile::TempDir,
    more: Vec<(OsString, OsString)>,
}

/// What a command that has ended left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["config", "state", "tmp"] {
            std::fs::create_dir(root.path().join(directory)).unwrap();
        }
        Self {
            root,
            more: Vec::new(),
        }
    }

    /// With one more variable for every program.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.more.push((name.into(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// Where programs of this person put temporary files.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.path().join("tmp")
    }

    /// The executor settings file of this person.
    pub(crate) fn settings(&self) -> PathBuf {
        self.path().join("config/llmctl-dev/executor.toml")
    }

    /// Writes a file below the home, with the directories on the way.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }

    /// The one log that a program saved where it was started.
    pub(crate) fn saved_log(&self) -> String {
        let mut logs = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "log"));
        let log = logs.next().unwrap();
        assert!(logs.next().is_none());
        std::fs::read_to_string(log).unwrap()
    }

    /// Everything that a program of this person finds in its environment: nothing of this machine's but `PATH`.
    fn variables(&self) -> Vec<(OsString, OsString)> {
        let at = |name: &str| self.path().join(name).into_os_string();
        let mut all: Vec<(OsString, OsString)> = vec![
            ("PATH".into(), std::env::var_os("PATH").unwrap_or_default()),
            ("HOME".into(), at("")),
            ("XDG_CONFIG_HOME".into(), at("config")),
            ("XDG_STATE_HOME".into(), at("state")),
            ("TMPDIR".into(), at("tmp")),
            ("KUBECONFIG".into(), at("no-kubeconfig")),
            ("TERM".into(), "xterm-256color".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("TZ".into(), "UTC".into()),
        ];
        all.extend(self.more.iter().cloned());
        all
    }

    /// The program with arguments, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .env_clear()
            .envs(self.variables())
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// The program on a terminal of 120 columns and 40 rows.
    pub(crate) fn terminal(&self, arguments: &[&str]) -> Terminal {
        self.on_a_terminal(PROGRAM, arguments, &[])
    }

    /// Any program on a terminal of 120 columns and 40 rows, with more variables.
    pub(crate) fn on_a_terminal(
        &self,
        program: impl AsRef<OsStr>,
        arguments: &[&str],
        more: &[(&str, &str)],
    ) -> Terminal {
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        for (name, value) in more {
            command.env(name, value);
        }
        command.cwd(self.path());
        Terminal::start(command, (120, 40))
    }
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            // A signal has no code; no test expects this one.
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output as the one document that it must be.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Ended with this code.
    #[track_caller]
    pub(crate) fn ended(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}
