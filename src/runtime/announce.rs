//! The command of a person who wants to hear of runs: the facts go to it as variables, never as a part of its text.

use super::World;
use crate::app::Msg;
use crate::app::notices::Notice;
use crate::domain::occasion::Occasion;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// So many commands run at once; the others wait for their turn.
const AT_ONCE: usize = 4;
/// Longest time for one command.
const LONGEST: Duration = Duration::from_mins(1);

/// A command line for `/bin/sh -c`, which a person gave.
#[derive(Clone, Debug)]
pub(super) struct OnEvent {
    line: String,
    turns: Arc<Semaphore>,
}

impl OnEvent {
    pub(super) fn new(line: String) -> Self {
        Self {
            line,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Runs it for one occasion. Says what went wrong.
    async fn run(&self, occasion: &Occasion) -> Result<(), String> {
        let _turn = self.turns.acquire().await;
        // No value reaches the shell as text to be read: a name out of a cluster cannot become a command.
        let ended = Command::new("/bin/sh")
            .arg("-c")
            .arg(&self.line)
            .envs(occasion.facts.iter().map(|(name, value)| {
                // A variable ends at a NUL.
                (*name, value.replace('\0', ""))
            }))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .output();
        let output = timeout(LONGEST, ended)
            .await
            .map_err(|_| format!("it did not end within {} s", LONGEST.as_secs()))?
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or_default();
        Err(format!("{}: {said}", output.status))
    }
}

impl World {
    /// Runs the command of `--on-event`, if there is one.
    pub(super) fn announce(&mut self, occasion: Occasion) {
        let Some(command) = self.on_event.clone() else {
            return;
        };
        self.write(async move {
            let failed = command.run(&occasion).await.err()?;
            Some(Msg::Noticed(Notice::warning(format!(
                "the command of --on-event for \"{}\" failed: {failed}",
                occasion.line
            ))))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::occasion::What;

    fn occasion(why: &str) -> Occasion {
        Occasion {
            what: What::Ended,
            line: "run 1".into(),
            facts: vec![("LLMCTL_EVENT_WHY", why.to_owned())],
        }
    }

    #[tokio::test]
    async fn facts_are_variables_and_no_text_of_a_command() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("out");
        let line = format!("printf %s \"$LLMCTL_EVENT_WHY\" > '{}'", file.display());
        let hostile = "$(touch pwned); `id` '\" \n;rm -rf x\0y";
        OnEvent::new(line).run(&occasion(hostile)).await.unwrap();
        let written = std::fs::read_to_string(file).unwrap();
        assert_eq!(written, hostile.replace('\0', ""));
    }

    #[tokio::test]
    async fn a_command_that_fails_is_told() {
        let failed = OnEvent::new("echo no such thing >&2; exit 3".into())
            .run(&occasion(""))
            .await;
        assert_eq!(failed, Err("exit status: 3: no such thing".to_owned()));
    }
}
