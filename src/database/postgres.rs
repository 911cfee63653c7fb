//! A connection to a PostgreSQL: by address, or over a stream that somebody else opened.

use super::address::{Address, Host, socket};
use super::error::Error;
use super::password::Password;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls, Transaction};

/// Longest wait for a server to let somebody in.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest wait for a connection to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// The lock that Studio's own schema steps and migrations take (contract 3.8).
pub const STUDIO_LOCK: i64 = 958_203_417;

/// How long to wait for [`STUDIO_LOCK`] unless [`Postgres::with_lock_patience`] says otherwise.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// An open connection. Dropped, it is closed, and the server rolls back what was not committed.
pub struct Postgres {
    client: Client,
    /// Moves the bytes; the client does nothing without it.
    mover: Mover,
    place: String,
    lock_patience: Duration,
}

/// Ends its task when it is dropped.
struct Mover(JoinHandle<()>);

impl Drop for Mover {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Postgres {
    /// Connects by TCP or a local socket. Without a password a server that wants one is [`Error::PasswordMissing`].
    ///
    /// # Errors
    /// When the server cannot be reached within 10 s or lets this user not in.
    pub async fn connect(address: &Address, password: Option<&Password>) -> Result<Self, Error> {
        let place = address.place();
        let unreachable = |e: std::io::Error| Error::Unreachable {
            place: place.clone(),
            reason: e.to_string(),
        };
        match &address.host {
            Host::Tcp(host) => {
                let stream = TcpStream::connect((host.as_str(), address.port));
                let stream = in_time(&place, stream).await?.map_err(unreachable)?;
                Self::over(stream, address, password, &place).await
            }
            Host::Unix(directory) => {
                let stream = UnixStream::connect(socket(directory, address.port));
                let stream = in_time(&place, stream).await?.map_err(unreachable)?;
                Self::over(stream, address, password, &place).await
            }
        }
    }

    /// Connects over an open stream, such as a port-forward; of the address only the user and the database count.
    /// `place` is how messages name the database.
    ///
    /// # Errors
    /// When the server does not answer within 10 s or lets this user not in.
    pub async fn over<S>(
        stream: S,
        address: &Address,
        password: Option<&Password>,
        place: &str,
    ) -> Result<Self, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut config = Config::new();
        config
            .user(&address.user)
            .dbname(&address.database)
            .application_name("llmctl-dev");
        if let Some(password) = password {
            config.password(password.reveal());
        }
        let (client, connection) = in_time(place, config.connect_raw(stream, NoTls))
            .await?
            .map_err(|e| Error::while_connecting(place, &address.user, &e))?;
        let mover = Mover(tokio::spawn(async move {
            // Its end is told to whoever uses the client.
            let _ = connection.await;
        }));
        Ok(Self {
            client,
            mover,
            place: place.to_owned(),
            lock_patience: LOCK_PATIENCE,
        })
    }

    /// Waits so long for [`STUDIO_LOCK`].
    #[must_use]
    pub fn with_lock_patience(mut self, patience: Duration) -> Self {
        self.lock_patience = patience;
        self
    }

    /// See [`Postgres::with_lock_patience`].
    pub(in crate::database) fn lock_patience(&self) -> Duration {
        self.lock_patience
    }

    /// How messages name the database.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The driver's client, for the rest of this edge.
    pub(in crate::database) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Says goodbye to the server; without it the server notices the end by itself.
    pub async fn close(self) {
        let Self {
            client, mut mover, ..
        } = self;
        drop(client);
        let _ = tokio::time::timeout(GOODBYE, &mut mover.0).await;
    }

    /// Who holds a lock that could not be had, as far as the server tells.
    pub(in crate::database) async fn holder(&self) -> String {
        let asked = "SELECT a.pid, a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
             WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = $1::bigint::oid \
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1";
        match self.client.query_opt(asked, &[&STUDIO_LOCK]).await {
            Ok(Some(row)) => match row.get::<_, Option<String>>(1).unwrap_or_default().as_str() {
                "" => format!("process {}", row.get::<_, i32>(0)),
                name => format!("process {} ({name})", row.get::<_, i32>(0)),
            },
            _ => "somebody".to_owned(),
        }
    }

    /// The error of a lock that could not be had in time.
    pub(in crate::database) async fn locked(&self) -> Error {
        Error::Locked {
            place: self.place.clone(),
            holder: self.holder().await,
            seconds: self.lock_patience.as_secs(),
        }
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Postgres").field(&self.place).finish()
    }
}

/// Takes [`STUDIO_LOCK`] until the transaction ends; false when somebody else held it all the time. The transaction
/// can then only be rolled back; [`Postgres::locked`] says who holds it.
pub(in crate::database) async fn lock(
    transaction: &Transaction<'_>,
    patience: Duration,
) -> Result<bool, tokio_postgres::Error> {
    // A server may be busy with one statement for long: it looks whether we are still there, and gives all locks back when we went.
    let wait = format!(
        "SET LOCAL lock_timeout = '{}ms'; \
         SELECT set_config('client_connection_check_interval', '500', true) \
         WHERE current_setting('server_version_num')::int >= 140000",
        patience.as_millis().max(1)
    );
    transaction.batch_execute(&wait).await?;
    let asked = "SELECT pg_advisory_xact_lock($1)";
    match transaction.execute(asked, &[&STUDIO_LOCK]).await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn in_time<T>(place: &str, work: impl Future<Output = T>) -> Result<T, Error> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .map_err(|_| Error::Unreachable {
            place: place.to_owned(),
            reason: format!("no answer within {} s", PATIENCE.as_secs()),
        })
}
