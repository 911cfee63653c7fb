//! Exit codes: the one table that `--help`, the README and a test share.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Ok,
    /// The run failed, or differences were found.
    Failed,
    Usage,
    /// The cluster cannot be reached or is not running.
    Unreachable,
    /// Refused for safety.
    Refused,
    InvalidInput,
    TimedOut,
    /// Gone before a verdict.
    Gone,
    Uncertain,
    Interrupted,
    /// What a process said (`executor` ends as its payload's command did, contract 5.6).
    Process(u8),
}

/// Code and meaning, in the order of the codes.
pub const TABLE: &[(Exit, &str)] = &[
    (Exit::Ok, "ok"),
    (Exit::Failed, "the run failed, or differences were found"),
    (Exit::Usage, "wrong usage"),
    (Exit::Unreachable, "cluster unreachable or not running"),
    (Exit::Refused, "refused for safety"),
    (Exit::InvalidInput, "invalid input"),
    (Exit::TimedOut, "timed out"),
    (Exit::Gone, "gone before a verdict"),
    (Exit::Uncertain, "uncertain"),
    (Exit::Interrupted, "interrupted"),
];

impl Exit {
    /// The exit of that code; one that is not in the table is a process' own.
    pub fn of(code: u8) -> Self {
        TABLE
            .iter()
            .map(|(exit, _)| *exit)
            .find(|exit| exit.code() == code)
            .unwrap_or(Self::Process(code))
    }

    /// The process exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Refused => 4,
            Self::InvalidInput => 5,
            Self::TimedOut => 6,
            Self::Gone => 7,
            Self::Uncertain => 8,
            Self::Interrupted => 130,
            Self::Process(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table as the end of `--help`.
pub fn help() -> String {
    let rows: Vec<String> = TABLE
        .iter()
        .map(|(exit, meaning)| format!("  {:>3}  {meaning}", exit.code()))
        .collect();
    format!("Exit codes:\n{}", rows.join("\n"))
}

/// Why a command could not do its work: one message for the person and the exit code.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    /// Names the object and the next step; empty when there is nothing to say.
    pub message: String,
}

impl Failure {
    /// Whoever reads standard output has read what it wanted and went: the command ends early, in order and in peace.
    pub fn read_enough() -> Self {
        Self::new(Exit::Ok, "")
    }

    /// A failure with `exit`.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }

    /// Invalid input: exit 5.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Exit::InvalidInput, message)
    }

    /// A failure with no code of its own: exit 1.
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }
}
