//! Which database: a file, an address, or the running stack's.

use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::session::{self, Setup};
use crate::cli::studio;
use crate::cluster::studio::StudioError;
use crate::database::address::Address;
use crate::database::error::Error as DatabaseError;
use crate::database::migration::error::Error;
use crate::database::password::Password;
use crate::runtime::migration::Open;
use crate::runtime::studio::{OpenError, Studio};
use std::path::PathBuf;

/// Studio's own variable with the address of its database (contract 3.8).
pub(in crate::cli) const ADDRESS: &str = "LLMCTL_STUDIO_DATABASE_URI";

/// The database that a person names.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
    /// Studio's old SQLite file
    #[arg(long, value_name = "FILE", group = "database")]
    sqlite: Option<PathBuf>,
    /// Studio's PostgreSQL, such as `postgresql://USER@HOST/DATABASE`; the password comes from
    /// `LLMCTL_POSTGRES_PASSWORD`, --password-file or a question on the terminal [default: `LLMCTL_STUDIO_DATABASE_URI`]
    #[arg(long, value_name = "URI", group = "database")]
    postgres: Option<String>,
    /// The database of the running stack, through a port-forward
    #[arg(long, group = "database")]
    stack: bool,
    /// File whose first line is the password
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stack", "sqlite"])]
    password_file: Option<PathBuf>,
}

impl Source {
    /// Opens it.
    ///
    /// # Errors
    /// When none is named, or it cannot be reached.
    pub(super) async fn open(self, globals: &Globals) -> Result<Open, Failure> {
        if let Some(path) = self.sqlite {
            return Ok(Open::Sqlite(path));
        }
        if self.stack {
            let setup = Setup::read(globals)?;
            let namespace = setup.namespace(globals);
            let world = session::open(globals, &setup).await?;
            let studio = Studio::of_stack(world.cluster(), &namespace)
                .await
                .map_err(not_opened)?;
            return Ok(Open::Postgres(Box::new(studio)));
        }
        let file = self
            .password_file
            .as_deref()
            .map(Password::of_file)
            .transpose();
        let file = file.map_err(|error| Failure::invalid(error.to_string()))?;
        let written = if let Some(uri) = &self.postgres {
            let written = Address::parse(uri).map_err(Error::from)?;
            if written.password.is_some() {
                return Err(Failure::new(
                    Exit::Usage,
                    "the address holds a password, and everybody on this machine can read arguments: leave it out, and set LLMCTL_POSTGRES_PASSWORD, give --password-file, or type it when you are asked",
                ));
            }
            written
        } else {
            let uri = std::env::var(ADDRESS)
                .ok()
                .filter(|uri| !uri.trim().is_empty());
            let uri = uri.ok_or_else(|| {
                    Failure::new(
                        Exit::Usage,
                        format!("which database? Give --sqlite FILE, --postgres URI or --stack, or set {ADDRESS}"),
                    )
                })?;
            Address::parse(&uri).map_err(Error::from)?
        };
        let password = file.or(written.password).or_else(Password::of_environment);
        let studio = studio::direct(&written.address, password).await?;
        Ok(Open::Postgres(Box::new(studio)))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match &error {
            Error::Database(error) => of_database(error),
            Error::NotAStudio { .. }
            | Error::BackupRead { .. }
            | Error::OtherEngine { .. }
            | Error::NoFile { .. }
            | Error::BrokenFile { .. } => Exit::InvalidInput,
            Error::TablesInUse { .. } | Error::FileInUse { .. } => Exit::TimedOut,
            Error::Moved { .. } | Error::Conflict { .. } => Exit::Refused,
            Error::Interrupted => Exit::Interrupted,
            Error::Backup { .. }
            | Error::Seal { .. }
            | Error::NotSettled { .. }
            | Error::ReadOnlyFile { .. }
            | Error::DiskFull { .. }
            | Error::Sqlite { .. } => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

fn not_opened(error: OpenError) -> Failure {
    match error {
        OpenError::Cluster(error) | OpenError::Studio(StudioError::Cluster(error)) => error.into(),
        OpenError::Studio(error) => Failure::new(Exit::Unreachable, error.to_string()),
        OpenError::Database(error) => Error::from(error).into(),
    }
}

fn of_database(error: &DatabaseError) -> Exit {
    match error {
        DatabaseError::Address { .. } | DatabaseError::PasswordFile { .. } => Exit::InvalidInput,
        DatabaseError::Locked { .. } => Exit::TimedOut,
        DatabaseError::Uncertain { .. } => Exit::Uncertain,
        DatabaseError::Unreachable { .. } | DatabaseError::Lost { .. } => Exit::Unreachable,
        _ => Exit::Failed,
    }
}
