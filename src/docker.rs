//! The Docker Engine of this machine, read only: what Compose left behind is told by its labels.

use crate::domain::audit::leftovers::{Kind, Leftover};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// Label of everything that Compose makes.
const PROJECT: &str = "com.docker.compose.project";

/// Longest wait for the engine's answer to one request.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer that is read.
const LONGEST: usize = 32 * 1024 * 1024;

/// An engine that does not tell.
#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    #[error("the Docker Engine at {} cannot be reached: {reason}", socket.display())]
    Unreachable { socket: PathBuf, reason: String },
    #[error("the Docker Engine at {} answered {answer}", socket.display())]
    Refused { socket: PathBuf, answer: String },
}

/// The engine's socket on this machine: that of `DOCKER_HOST`, else the usual one; none where it is not there or not local.
pub fn socket() -> Option<PathBuf> {
    let named = std::env::var("DOCKER_HOST").unwrap_or_default();
    let path = match named.strip_prefix("unix://") {
        Some(path) => PathBuf::from(path),
        None if named.is_empty() => PathBuf::from("/var/run/docker.sock"),
        None => return None,
    };
    path.exists().then_some(path)
}

/// Every container, network and volume that carries Compose's labels.
///
/// # Errors
/// When the engine cannot be reached or refuses.
pub async fn leftovers(socket: &Path) -> Result<Vec<Leftover>, DockerError> {
    let filter = "filters=%7B%22label%22%3A%5B%22com.docker.compose.project%22%5D%7D";
    let mut found = Vec::new();
    let containers = ask(socket, &format!("/containers/json?all=true&{filter}")).await?;
    for one in items(&containers) {
        let name = one["Names"][0].as_str().unwrap_or_default();
        let labels = &one["Labels"];
        found.push(Leftover {
            kind: Kind::Container,
            name: name.trim_start_matches('/').to_owned(),
            running: one["State"] == "running",
            service: text(labels, "com.docker.compose.service"),
            directory: text(labels, "com.docker.compose.project.working_dir"),
            project: text(labels, PROJECT).unwrap_or_default(),
        });
    }
    let networks = ask(socket, &format!("/networks?{filter}")).await?;
    found.extend(items(&networks).map(|one| plain(Kind::Network, one)));
    let volumes = ask(socket, &format!("/volumes?{filter}")).await?;
    found.extend(items(&volumes["Volumes"]).map(|one| plain(Kind::Volume, one)));
    Ok(found)
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(labels: &Value, key: &str) -> Option<String> {
    labels.get(key).and_then(Value::as_str).map(Into::into)
}

fn plain(kind: Kind, one: &Value) -> Leftover {
    Leftover {
        kind,
        name: one["Name"].as_str().unwrap_or_default().to_owned(),
        project: text(&one["Labels"], PROJECT).unwrap_or_default(),
        service: None,
        directory: None,
        running: false,
    }
}

async fn ask(socket: &Path, path: &str) -> Result<Value, DockerError> {
    let unreachable = |reason: String| DockerError::Unreachable {
        socket: socket.to_owned(),
        reason,
    };
    let (status, body) = tokio::time::timeout(PATIENCE, exchange(socket, path))
        .await
        .map_err(|_| unreachable("no answer".into()))?
        .map_err(|error| unreachable(error.to_string()))?;
    if !status.is_success() {
        return Err(DockerError::Refused {
            socket: socket.to_owned(),
            answer: status.to_string(),
        });
    }
    serde_json::from_slice(&body).map_err(|error| DockerError::Refused {
        socket: socket.to_owned(),
        answer: format!("something that is no JSON: {error}"),
    })
}

async fn exchange(socket: &Path, path: &str) -> io::Result<(http::StatusCode, Bytes)> {
    let stream = TokioIo::new(UnixStream::connect(socket).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream)
        .await
        .map_err(io::Error::other)?;
    let request = http::Request::get(path)
        .header("Host", "docker")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let answer = async {
        let answer = sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LONGEST)
            .collect()
            .await
            .map_err(io::Error::other)?;
        Ok((status, body.to_bytes()))
    };
    // The connection lives as long as the question: both are polled here, no task is left.
    tokio::pin!(answer, connection);
    tokio::select! {
        answer = &mut answer => answer,
        ended = &mut connection => {
            ended.map_err(io::Error::other)?;
            answer.await
        }
    }
}
