//! Where files live: one place that knows the directories of a person's configuration and state.

use std::path::{Path, PathBuf};

/// Overrides the configuration directory.
pub const CONFIG_VARIABLE: &str = "LLMCTL_DEV_CONFIG_DIR";
/// Overrides the state directory.
pub const STATE_VARIABLE: &str = "LLMCTL_DEV_STATE_DIR";

/// The two directories of this program. Nothing is created by asking for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    config: PathBuf,
    state: PathBuf,
}

/// No home directory, and no variable that stands in for it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no home directory is known: set HOME, or {CONFIG_VARIABLE} and {STATE_VARIABLE}")]
pub struct NoHome;

impl Paths {
    /// The directories of this user: the variables of this program, else the XDG ones, else those below the home.
    ///
    /// # Errors
    /// When neither a home directory nor both variables are there.
    pub fn discover() -> Result<Self, NoHome> {
        let own = |variable| {
            std::env::var_os(variable)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self::choose(own(CONFIG_VARIABLE), own(STATE_VARIABLE))
    }

    fn choose(config: Option<PathBuf>, state: Option<PathBuf>) -> Result<Self, NoHome> {
        if let (Some(config), Some(state)) = (&config, &state) {
            return Ok(Self {
                config: config.clone(),
                state: state.clone(),
            });
        }
        let user = directories::ProjectDirs::from("", "", "llmctl-dev").ok_or(NoHome)?;
        // There is no state directory off Linux: the local data directory is the nearest thing.
        let user_state = user.state_dir().unwrap_or_else(|| user.data_local_dir());
        Ok(Self {
            config: config.unwrap_or_else(|| user.config_dir().into()),
            state: state.unwrap_or_else(|| user_state.into()),
        })
    }

    /// Both directories below `root`.
    pub fn under(root: &Path) -> Self {
        Self {
            config: root.join("config"),
            state: root.join("state"),
        }
    }

    /// The executor settings, unless `--settings` names another file.
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("executor.toml")
    }

    /// The configuration of this tool itself.
    pub fn tool_config(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The user's own samples.
    pub fn samples_dir(&self) -> PathBuf {
        self.config.join("samples")
    }

    /// The user's own overlays.
    pub fn overlays_dir(&self) -> PathBuf {
        self.config.join("overlays")
    }

    /// Runs that are gone from their cluster.
    pub fn history_dir(&self) -> PathBuf {
        self.state.join("history")
    }

    /// Logs that a person saves.
    pub fn saved_logs_dir(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// The log of the program itself, unless `--log-file` names another.
    pub fn log_file(&self) -> PathBuf {
        self.state.join("llmctl-dev.log")
    }

    /// What was written by a person.
    pub fn config_dir(&self) -> &Path {
        &self.config
    }

    /// What was written by this program.
    pub fn state_dir(&self) -> &Path {
        &self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_variables_win_each_for_itself() {
        let both = Paths::choose(Some("/c".into()), Some("/s".into())).unwrap();
        assert_eq!(both.settings_file(), Path::new("/c/executor.toml"));
        assert_eq!(both.history_dir(), Path::new("/s/history"));
        let one = Paths::choose(Some("/c".into()), None).unwrap();
        assert_eq!(one.tool_config(), Path::new("/c/config.toml"));
        assert!(one.state_dir().ends_with("llmctl-dev"));
    }
}
