//! Studio's database, opened: directly by its address, or through the cluster by a port-forward.

use crate::cluster::Cluster;
use crate::cluster::error::Error as ClusterError;
use crate::cluster::studio::StudioError;
use crate::database::address::{Address, Host};
use crate::database::crypto::{DEFAULT_SECRET, Secret};
use crate::database::error::Error as DatabaseError;
use crate::database::password::Password;
use crate::database::postgres::Postgres;
use crate::domain::hidden::Hidden;
use crate::domain::settings::held::Held;

/// The variable with the secret under which Studio encrypts.
pub const SECRET_VARIABLE: &str = "FLASK_SECRET_KEY";

/// Why Studio's database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Studio(#[from] StudioError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// An open database of a Studio, and what its secrets are encrypted with.
#[derive(Debug)]
pub struct Studio {
    pub database: Postgres,
    pub secret: Secret,
    /// Nobody named a secret: it is Studio's default.
    pub default_secret: bool,
}

impl Studio {
    /// Opens the database of that address. The secret comes from the environment.
    ///
    /// # Errors
    /// As [`Postgres::connect`].
    pub async fn direct(
        address: &Address,
        password: Option<&Password>,
    ) -> Result<Self, DatabaseError> {
        let database = Postgres::connect(address, password).await?;
        let secret = std::env::var(SECRET_VARIABLE).ok();
        Ok(Self::with(database, secret.map(Hidden::new)))
    }

    /// Opens the database of the stack in that namespace, with the stack's own credentials.
    ///
    /// # Errors
    /// What is missing in the cluster, or that the database does not let us in.
    pub async fn of_stack(cluster: &Cluster, namespace: &str) -> Result<Self, OpenError> {
        let found = cluster.studio_database(namespace).await?;
        let stream = cluster.forward_to(&found).await?;
        let place = found.place();
        // Only its user and database are used over a stream.
        let address = Address {
            host: Host::Tcp(found.pod.clone()),
            port: found.port,
            user: found.user.clone(),
            database: found.database.clone(),
        };
        let password = Password::new(found.password.reveal());
        let database = Postgres::over(stream, &address, Some(&password), &place).await?;
        Ok(Self::with(database, found.flask_secret))
    }

    /// What the database of the stack holds of the settings; none where the namespace has no such database.
    ///
    /// # Errors
    /// As [`Studio::of_stack`].
    pub async fn rows_of_stack(
        cluster: &Cluster,
        namespace: &str,
    ) -> Result<Option<Held>, OpenError> {
        if !cluster.has_studio_database(namespace).await? {
            return Ok(None);
        }
        let mut studio = Self::of_stack(cluster, namespace).await?;
        let rows = studio.database.settings().await;
        studio.database.close().await;
        Ok(Some(rows?.held))
    }

    fn with(database: Postgres, secret: Option<Hidden>) -> Self {
        let named = secret.filter(|secret| !secret.reveal().trim().is_empty());
        Self {
            database,
            secret: Secret::new(named.as_ref().map_or(DEFAULT_SECRET, Hidden::reveal)),
            default_secret: named.is_none(),
        }
    }
}
