//! The checks of a session: which database and which checkout, the look at each, and the migration.

use super::World;
use super::audit::audit;
use super::migration::{Open, Stop, backup_path};
use super::studio::Studio;
use crate::app::Msg;
use crate::app::checks::{Effect, Migrated, Msg as ChecksMsg, Named};
use crate::app::notices::Notice;
use crate::cluster::Cluster;
use crate::cluster::studio::DATABASE;
use crate::database::address::{Address, Written};
use crate::database::migration::{Request, sqlite};
use crate::database::password::Password;
use crate::domain::hidden::Hidden;
use crate::domain::migration::{Options, Plan, ROWS_SHOWN, Step};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Longest wait for somebody else's lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a session checks.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// The database that a person named.
    named: Option<Hidden>,
    /// The checkout that a person named.
    checkout: Option<PathBuf>,
    /// Where the sandbox's sample of an old database lies.
    sample: Option<TempDir>,
    /// Ends the migration under way.
    stop: Stop,
}

impl Checks {
    /// Nothing that was begun is to last: the session ends.
    pub(super) fn end(&self) {
        self.stop.pull();
    }
}

/// Where a database is.
#[derive(Clone)]
enum Source {
    Sqlite(PathBuf),
    Direct(Box<Written>),
    Stack(Cluster, String),
}

impl Source {
    /// A database as a person names it: an address, or a file.
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            // `sqlite:///relative` and `sqlite:////absolute`, as Studio's own variable has it.
            return Ok(Self::Sqlite(path.strip_prefix('/').unwrap_or(path).into()));
        }
        if text.contains("://") {
            let written = Address::parse(text).map_err(|error| error.to_string())?;
            return Ok(Self::Direct(Box::new(written)));
        }
        Ok(Self::Sqlite(text.into()))
    }

    async fn open(&self) -> Result<Open, String> {
        let studio = match self {
            Self::Sqlite(path) => return Ok(Open::Sqlite(path.clone())),
            Self::Direct(written) => {
                let password = written.password.clone().or_else(Password::of_environment);
                let studio = Studio::direct(&written.address, password.as_ref()).await;
                studio.map_err(|error| error.to_string())?
            }
            Self::Stack(cluster, namespace) => {
                let studio = Studio::of_stack(cluster, namespace).await;
                studio.map_err(|error| error.to_string())?
            }
        };
        Ok(Open::Postgres(Box::new(studio)))
    }

    /// The command line that puts a backup back; a stack is one of a cluster.
    fn restore(&self, on_cluster: &str, backup: &Path) -> String {
        let program = match self {
            Self::Stack(..) => on_cluster,
            Self::Sqlite(_) | Self::Direct(_) => "llmctl-dev",
        };
        format!(
            "{program} migrate restore {} {}",
            backup.display(),
            self.flags()
        )
    }

    /// The words of a command line.
    fn flags(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("--sqlite {}", path.display()),
            Self::Direct(written) => format!("--postgres {}", written.address.uri()),
            Self::Stack(..) => "--stack".to_owned(),
        }
    }
}

impl World {
    /// The database and the checkout that a person named for the checks.
    pub fn check(&mut self, database: Option<Hidden>, checkout: Option<PathBuf>) {
        self.checks.named = database;
        self.checks.checkout = checkout;
    }

    pub(super) fn perform_checks(&mut self, effect: Effect) {
        match effect {
            Effect::Find => self.find_checks(),
            Effect::Look { raise } => self.look_at_database(raise),
            Effect::Migrate { plan, raise } => self.migrate(*plan, raise),
            Effect::Stop => self.checks.stop.pull(),
            Effect::Audit => self.audit_checkout(),
        }
    }

    fn checkout(&self) -> PathBuf {
        let named = self.checks.checkout.clone();
        named
            .or_else(|| std::env::current_dir().ok())
            .unwrap_or_else(|| ".".into())
    }

    fn find_checks(&mut self) {
        let path = self.checkout();
        let checkout = Named {
            place: path.display().to_string(),
            name: String::new(),
            flags: path.display().to_string(),
            eager: self.checks.checkout.is_some(),
        };
        self.read(async move { Msg::Checks(ChecksMsg::Checkout(checkout)) });
        let place = format!("{DATABASE} in {} @ {}", self.namespace, self.target.badge());
        let source = self.source();
        let is_sandbox = self.sandbox.is_some();
        self.read(async move {
            let found = match source {
                Ok(source) => find(source, place, is_sandbox).await,
                Err(why) => Err(why),
            };
            Msg::Checks(ChecksMsg::Database(found))
        });
    }

    /// The database of this session. The sandbox has a sample of its own and never touches another.
    fn source(&mut self) -> Result<Source, String> {
        if self.sandbox.is_some() {
            if self.checks.sample.is_none() {
                let made = tempfile::Builder::new()
                    .prefix("llmctl-dev-demo-")
                    .tempdir();
                let made = made.map_err(|error| format!("no place for a sample: {error}"))?;
                self.checks.sample = Some(made);
            }
            let folder = self.checks.sample.as_ref().map(TempDir::path);
            let folder = folder.unwrap_or(Path::new("."));
            return Ok(Source::Sqlite(folder.join("llmctl-studio.sqlite3")));
        }
        match &self.checks.named {
            Some(named) => Source::parse(named.reveal()),
            None => Ok(Source::Stack(self.cluster.clone(), self.namespace.clone())),
        }
    }

    fn look_at_database(&mut self, raise: bool) {
        let source = self.source();
        let now = self.now();
        self.read(async move {
            let looked = async {
                let mut open = source?.open().await?;
                let request = request(raise, Duration::ZERO, &open, now);
                let plan = open.plan(&request, Box::new(|_| ())).await;
                open.close().await;
                plan.map_err(|error| error.to_string())
            };
            Msg::Checks(ChecksMsg::Looked(looked.await))
        });
    }

    fn migrate(&mut self, plan: Plan, raise: bool) {
        let source = self.source();
        let now = self.now();
        let folder = match &self.checks.sample {
            Some(sample) => sample.path().to_owned(),
            None => self.paths.state_dir().to_owned(),
        };
        let backup = backup_path(&folder, now);
        let line = format!("llmctl-dev {} -n {}", self.target.flags(), self.namespace);
        self.checks.stop = Stop::default();
        let stop = self.checks.stop.clone();
        let out = self.out.clone();
        let tell = move |step: Step| drop(out.try_send(Msg::Checks(ChecksMsg::Stepped(step))));
        self.write(async move {
            let done = async {
                let source = source?;
                let mut open = source.open().await?;
                let request = request(raise, PATIENCE, &open, now);
                let done = open
                    .apply(&request, plan, backup.clone(), Box::new(tell), &stop)
                    .await;
                open.close().await;
                let done = done.map_err(|error| error.to_string())?;
                Ok(Migrated {
                    summary: done.summary(),
                    restore: source.restore(&line, &backup),
                    backup: backup.display().to_string(),
                })
            };
            Some(Msg::Checks(ChecksMsg::Migrated(done.await)))
        });
    }

    fn audit_checkout(&mut self) {
        let path = self.checkout();
        let out = self.out.clone();
        self.read(async move {
            let result = match audit(&path, true).await {
                Ok(done) => {
                    if let Some(why) = done.silent_engine {
                        let text = format!("{why}; what Compose left on this machine is not told");
                        let _ = out.send(Msg::Noticed(Notice::warning(text))).await;
                    }
                    Ok(done.report)
                }
                Err(error) => Err(error.to_string()),
            };
            Msg::Checks(ChecksMsg::Audited(result))
        });
    }
}

fn request(raise: bool, patience: Duration, open: &Open, now: jiff::Timestamp) -> Request {
    Request {
        options: Options {
            raise_dispatch_timeout: raise,
            rows: ROWS_SHOWN,
        },
        secret: open.secret(),
        now,
        patience,
    }
}

/// What names a database, once it is there.
async fn find(source: Source, stack: String, is_sandbox: bool) -> Result<Named, String> {
    let flags = source.flags();
    let (place, name, eager) = match &source {
        Source::Sqlite(path) => {
            if is_sandbox && !path.exists() {
                let path = path.clone();
                let made = tokio::task::spawn_blocking(move || sqlite::sample(&path)).await;
                made.map_err(|error| error.to_string())?
                    .map_err(|error| error.to_string())?;
            }
            let name = path.file_name().unwrap_or(path.as_os_str());
            let name = name.to_string_lossy().into_owned();
            let place = if is_sandbox {
                format!("{name}, a sample of the sandbox")
            } else {
                sqlite::place(path)
            };
            (place, name, true)
        }
        Source::Direct(written) => {
            let address = &written.address;
            (address.place(), address.database.clone(), true)
        }
        Source::Stack(cluster, namespace) => {
            let has = cluster.has_studio_database(namespace).await;
            if !has.map_err(|error| error.to_string())? {
                return Err(format!(
                    "namespace {namespace} has no {DATABASE}; name another in config.toml, as studio.database"
                ));
            }
            (stack, DATABASE.to_owned(), false)
        }
    };
    Ok(Named {
        place,
        name,
        flags,
        eager,
    })
}
