//! The way to a Studio's database: by its address, or through the cluster that the stack runs in.

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::session::{self, Setup};
use crate::cluster::error::Kind;
use crate::cluster::studio::StudioError;
use crate::cluster::studio::page::PageError;
use crate::database::address::Address;
use crate::database::error::Error as DatabaseError;
use crate::database::password::Password;
use crate::domain::target::Target;
use crate::runtime::World;
use crate::runtime::studio::{OpenError, Studio};
use crate::tui::prompt;
use clap::ValueEnum;
use std::path::PathBuf;

/// Options of everything that works on a Studio's database.
#[derive(Clone, Debug, clap::Args)]
pub struct Reach {
    /// The database by its address instead of through the cluster: `postgresql://USER@HOST:PORT/DATABASE`. The password
    /// comes from `LLMCTL_POSTGRES_PASSWORD`, `PGPASSWORD`, `--password-file` or a prompt, never from the address
    #[arg(long, value_name = "URI")]
    postgres: Option<Uri>,
    /// File whose first line is the database's password
    #[arg(long, value_name = "FILE", requires = "postgres")]
    password_file: Option<PathBuf>,
}

/// The way to Studio's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Via {
    /// Its database, in one transaction under its lock
    Sql,
    /// Its HTTP endpoint in the cluster, with all fields
    Http,
}

/// An address as it was given. `Debug` hides it: somebody may have put a password into it.
#[derive(Clone)]
struct Uri(String);

impl From<String> for Uri {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Uri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Uri(***)")
    }
}

/// The variable of `--postgres`: what is in the environment may hold the password.
const VARIABLE: &str = "LLMCTL_DEV_POSTGRES";

/// An open database, and the session that it is reached through.
pub struct Door {
    pub studio: Studio,
    world: Option<World>,
}

impl Reach {
    /// Opens the database.
    ///
    /// # Errors
    /// When the address cannot be used, the database cannot be reached or does not let us in, or the stack has none.
    pub async fn open(&self, globals: &Globals, setup: &Setup) -> Result<Door, Failure> {
        let Some(uri) = &self.postgres else {
            let world = session::open(globals, setup).await?;
            return match Studio::of_stack(world.cluster(), world.namespace()).await {
                Ok(studio) => Ok(Door {
                    studio,
                    world: Some(world),
                }),
                Err(error) => {
                    world.close().await;
                    Err(error.into())
                }
            };
        };
        let written = Address::parse(&uri.0)?;
        let of_variable = std::env::var(VARIABLE).is_ok_and(|text| text == uri.0);
        if written.password.is_some() && !of_variable {
            return Err(Failure::new(
                Exit::Refused,
                format!(
                    "everybody on this machine can read the arguments of a program: take the password out of --postgres, and give it in LLMCTL_POSTGRES_PASSWORD, with --password-file or at the prompt (or the whole address in {VARIABLE})"
                ),
            ));
        }
        let password = match &self.password_file {
            Some(path) => Some(Password::of_file(path)?),
            None => Password::of_environment().or(written.password),
        };
        let studio = direct(&written.address, password).await?;
        Ok(Door {
            studio,
            world: None,
        })
    }
}

/// Asks for a password where the server wants one and somebody is there.
///
/// # Errors
/// As [`Studio::direct`].
pub(super) async fn direct(
    address: &Address,
    password: Option<Password>,
) -> Result<Studio, Failure> {
    let error = match Studio::direct(address, password.as_ref()).await {
        Err(error @ DatabaseError::PasswordMissing { .. }) if prompt::can_ask() => error,
        opened => return Ok(opened?),
    };
    let question = format!("Password of {} for {}:", address.user, address.place());
    let asked = prompt::hidden(&question).await;
    match asked {
        Ok(Some(typed)) => Ok(Studio::direct(address, Some(&Password::new(typed))).await?),
        _ => Err(error.into()),
    }
}

impl Door {
    /// The cluster that it is reached through; none when it is reached directly.
    pub fn target(&self) -> Option<&Target> {
        self.world.as_ref().map(World::target)
    }

    /// The place and the cluster for a sentence.
    pub fn place(&self) -> String {
        let place = self.studio.database.place();
        match self.target() {
            Some(target) => format!("{place} @ {}", target.badge()),
            None => place.to_owned(),
        }
    }

    /// Closes it and the session.
    pub async fn close(self) {
        self.studio.database.close().await;
        if let Some(world) = self.world {
            world.close().await;
        }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        use DatabaseError as E;
        let exit = match &error {
            E::Address { .. }
            | E::PasswordFile { .. }
            | E::NoDatabase { .. }
            | E::NoTable { .. } => Exit::InvalidInput,
            E::Unreachable { .. } | E::Lost { .. } => Exit::Unreachable,
            E::Locked { .. } => Exit::TimedOut,
            E::Uncertain { .. } => Exit::Uncertain,
            _ => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        let exit = match &error {
            PageError::NoStudio { .. } => Exit::Unreachable,
            PageError::Refused { .. } => Exit::InvalidInput,
            PageError::Uncertain { .. } => Exit::Uncertain,
            PageError::Changed { .. } | PageError::Bent { .. } => Exit::Failed,
            PageError::Cluster(error) if error.kind() == Kind::NotFound => Exit::Unreachable,
            PageError::Cluster(error) => Exit::of_cluster(error),
        };
        Self::new(exit, error.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Database(error) => error.into(),
            OpenError::Cluster(error) | OpenError::Studio(StudioError::Cluster(error)) => {
                error.into()
            }
            OpenError::Studio(error @ StudioError::NoPassword { .. }) => {
                Self::invalid(error.to_string())
            }
            OpenError::Studio(error) => Self::new(Exit::Unreachable, error.to_string()),
        }
    }
}
