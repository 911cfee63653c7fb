//! The logs of the node's containers: what their processes wrote, kept with times, read whole or followed live.

mod record;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::clock::Clock;
use super::kinds::Kind;
use super::status::Status;
use super::store::Store;
pub(crate) use record::Record;

/// Which part of a log to read, and how: the query parameters of the `log` subresource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on until the container has ended and all it wrote is sent.
    pub follow: bool,
    /// Only so many of the newest lines.
    pub tail_lines: Option<u64>,
    /// Only what was written at this time or later.
    pub since_time: Option<Timestamp>,
    /// Only what was written in the last so many seconds; stands before `since_time`.
    pub since_seconds: Option<i64>,
    /// Begin each line with its time.
    pub timestamps: bool,
    /// Stop after so many bytes, in the middle of a line if need be.
    pub limit_bytes: Option<u64>,
    /// The container's last instance before the present one.
    pub previous: bool,
}

/// The bytes of a log, in pieces. Ends by itself, also when its pod goes.
pub type LogStream = BoxStream<'static, Bytes>;

/// The logs of every container on the node. Clones share them.
#[derive(Clone, Debug)]
pub struct Logs {
    store: Store,
    clock: Clock,
    kept: Arc<Mutex<HashMap<Place, Kept>>>,
}

/// A pod's uid and a container's name.
type Place = (String, String);

#[derive(Debug, Default)]
struct Kept {
    current: Option<Record>,
    previous: Option<Record>,
}

impl Logs {
    /// No logs yet, of the pods in `store`.
    pub fn new(store: Store) -> Self {
        let clock = store.clock().clone();
        Self {
            store,
            clock,
            kept: Arc::default(),
        }
    }

    /// Reads the log of a container; with no container named, the pod's only one.
    ///
    /// # Errors
    /// 404 for a pod that is not there; 400 for a container that is not in it, or that has written nothing because it is yet to start.
    pub fn read(
        &self,
        namespace: &str,
        pod: &str,
        container: Option<&str>,
        options: &LogOptions,
    ) -> Result<LogStream, Status> {
        let found = self
            .store
            .find(Kind::Pod, namespace, pod)
            .ok_or_else(|| Status::not_found(Kind::Pod, pod))?;
        let container = choose(&found, pod, container)?;
        if found["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
            return Err(Status::bad_request(format!(
                "pod {pod} does not have a host assigned"
            )));
        }
        let Some(record) = self.record(&found, &container, options.previous) else {
            let status = container_status(&found, &container);
            return Err(not_there(pod, &container, status, options.previous));
        };
        Ok(self.stream(record, options))
    }

    /// Whether a pod has a node that could have a log of it.
    ///
    /// # Errors
    /// 404 for a pod that is not there.
    pub fn is_placed(&self, namespace: &str, pod: &str) -> Result<bool, Status> {
        let found = self
            .store
            .find(Kind::Pod, namespace, pod)
            .ok_or_else(|| Status::not_found(Kind::Pod, pod))?;
        Ok(found["spec"]["nodeName"]
            .as_str()
            .is_some_and(|node| !node.is_empty()))
    }

    /// Begins the log of a new instance of a container.
    pub(crate) fn begin(&self, uid: &str, container: &str) -> Record {
        let record = Record::new(self.clock.clone());
        let mut kept = self.lock();
        let entry = kept
            .entry((uid.to_owned(), container.to_owned()))
            .or_default();
        entry.previous = entry.current.replace(record.clone());
        record
    }

    /// Forgets the logs of a pod; whoever follows one gets the rest of it.
    pub(crate) fn forget(&self, uid: &str) {
        self.lock().retain(|(of, _), kept| {
            if of == uid {
                for record in [kept.current.take(), kept.previous.take()]
                    .into_iter()
                    .flatten()
                {
                    record.end();
                }
            }
            of != uid
        });
    }

    fn record(&self, pod: &Value, container: &str, previous: bool) -> Option<Record> {
        let uid = pod["metadata"]["uid"].as_str()?;
        let kept = self.lock();
        let entry = kept.get(&(uid.to_owned(), container.to_owned()))?;
        if previous {
            entry.previous.clone()
        } else {
            entry.current.clone()
        }
    }

    fn stream(&self, record: Record, options: &LogOptions) -> LogStream {
        let since = match options.since_seconds {
            Some(seconds) => self
                .clock
                .now()
                .checked_sub(SignedDuration::from_secs(seconds))
                .ok(),
            None => options.since_time,
        };
        let mut reader = record.reader(options.follow, options.timestamps, since);
        if let Some(lines) = options.tail_lines {
            reader.tail(lines);
        }
        let chunks = stream::unfold(reader, |mut reader| async move {
            let chunk = reader.next().await?;
            Some((chunk, reader))
        });
        match options.limit_bytes {
            None => chunks.boxed(),
            Some(limit) => limited(chunks.boxed(), limit),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts a stream after `limit` bytes.
fn limited(chunks: LogStream, limit: u64) -> LogStream {
    stream::unfold((chunks, limit), |(mut chunks, left)| async move {
        if left == 0 {
            return None;
        }
        let mut chunk = chunks.next().await?;
        chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let left = left - chunk.len() as u64;
        Some((chunk, (chunks, left)))
    })
    .boxed()
}

/// The container that is meant.
fn choose(pod: &Value, name: &str, container: Option<&str>) -> Result<String, Status> {
    let names = |field: &str| -> Vec<&str> {
        pod["spec"][field]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["name"].as_str())
            .collect()
    };
    let (inits, mains) = (names("initContainers"), names("containers"));
    match container.filter(|wanted| !wanted.is_empty()) {
        Some(wanted) if inits.contains(&wanted) || mains.contains(&wanted) => Ok(wanted.to_owned()),
        Some(wanted) => Err(Status::bad_request(format!(
            "container {wanted} is not valid for pod {name}"
        ))),
        None => {
            if let ([only], true) = (mains.as_slice(), inits.is_empty()) {
                return Ok((*only).to_owned());
            }
            let mut choice = format!("[{}]", mains.join(" "));
            if !inits.is_empty() {
                choice = format!(
                    "{choice} or one of the init containers: [{}]",
                    inits.join(" ")
                );
            }
            Err(Status::bad_request(format!(
                "a container name must be specified for pod {name}, choose one of: {choice}"
            )))
        }
    }
}

fn container_status<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    ["containerStatuses", "initContainerStatuses"]
        .into_iter()
        .filter_map(|field| pod["status"][field].as_array())
        .flatten()
        .find(|status| status["name"] == container)
}

/// Why there is no log, in the kubelet's words.
fn not_there(pod: &str, container: &str, status: Option<&Value>, previous: bool) -> Status {
    if previous {
        return Status::bad_request(format!(
            "previous terminated container {container:?} in pod {pod:?} not found"
        ));
    }
    let Some(status) = status else {
        return Status::bad_request(format!(
            "container {container:?} in pod {pod:?} is not available"
        ));
    };
    if status["state"]["terminated"].is_object() {
        return Status::bad_request(format!(
            "container {container:?} in pod {pod:?} is terminated"
        ));
    }
    let why = match status["state"]["waiting"]["reason"].as_str() {
        Some("ErrImagePull" | "ImagePullBackOff") => "trying and failing to pull image",
        Some(reason) => reason,
        None => "ContainerCreating",
    };
    Status::bad_request(format!(
        "container {container:?} in pod {pod:?} is waiting to start: {why}"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(state: Value) -> Value {
        json!({
            "metadata": {"namespace": "n", "name": "p"},
            "spec": {"nodeName": "sandbox", "containers": [{"name": "executor"}]},
            "status": {"containerStatuses": [{"name": "executor", "state": state}]},
        })
    }

    fn logs(object: Value) -> (Logs, String) {
        let store = Store::new(Clock::new("2026-11-24T08:00:00Z".parse().unwrap()));
        store
            .create(Kind::Namespace, json!({"metadata": {"name": "n"}}))
            .unwrap();
        let status = object["status"].clone();
        let made = store.create(Kind::Pod, object).unwrap();
        store
            .modify(Kind::Pod, "n", "p", |pod| pod["status"] = status)
            .unwrap();
        let uid = made["metadata"]["uid"].as_str().unwrap().to_owned();
        (Logs::new(store), uid)
    }

    async fn text(stream: LogStream) -> String {
        let bytes = stream.fold(Vec::new(), |mut all, chunk| async move {
            all.extend_from_slice(&chunk);
            all
        });
        String::from_utf8(bytes.await).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn every_option_cuts_as_documented() {
        let (logs, uid) = logs(pod(json!({"running": {}})));
        let record = logs.begin(&uid, "executor");
        for second in 0..4 {
            record.line(format!("line {second}").as_bytes());
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
        }
        let read = |options: LogOptions| text(logs.read("n", "p", None, &options).unwrap());
        let all = LogOptions::default();
        assert_eq!(read(all.clone()).await, "line 0\nline 1\nline 2\nline 3\n");
        assert_eq!(
            read(LogOptions {
                tail_lines: Some(2),
                ..all.clone()
            })
            .await,
            "line 2\nline 3\n"
        );
        assert_eq!(
            read(LogOptions {
                tail_lines: Some(0),
                ..all.clone()
            })
            .await,
            ""
        );
        assert_eq!(
            read(LogOptions {
                since_seconds: Some(2),
                ..all.clone()
            })
            .await,
            "line 2\nline 3\n"
        );
        let since = Some("2026-11-24T08:00:03Z".parse().unwrap());
        assert_eq!(
            read(LogOptions {
                since_time: since,
                ..all.clone()
            })
            .await,
            "line 3\n"
        );
        assert_eq!(
            read(LogOptions {
                limit_bytes: Some(9),
                ..all.clone()
            })
            .await,
            "line 0\nli"
        );
        let times = LogOptions {
            tail_lines: Some(1),
            timestamps: true,
            ..all.clone()
        };
        assert_eq!(read(times).await, "2026-11-24T08:00:03.000000000Z line 3\n");
    }

    #[tokio::test(start_paused = true)]
    async fn a_follow_ends_with_its_container_and_with_its_pod() {
        let (logs, uid) = logs(pod(json!({"running": {}})));
        let record = logs.begin(&uid, "executor");
        record.line(b"early");
        let options = LogOptions {
            follow: true,
            ..LogOptions::default()
        };
        let follow = tokio::spawn(text(
            logs.read("n", "p", Some("executor"), &options).unwrap(),
        ));
        tokio::task::yield_now().await;
        record.line(b"late");
        record.end();
        assert_eq!(follow.await.unwrap(), "early\nlate\n");

        let again = logs.begin(&uid, "executor");
        let follow = tokio::spawn(text(logs.read("n", "p", None, &options).unwrap()));
        tokio::task::yield_now().await;
        again.line(b"last words");
        logs.forget(&uid);
        assert_eq!(follow.await.unwrap(), "last words\n");
        assert!(logs.read("n", "p", None, &options).is_err());
    }

    #[test]
    fn a_missing_log_is_explained() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let cases = [
            (
                json!({"waiting": {"reason": "ContainerCreating"}}),
                r#"container "executor" in pod "p" is waiting to start: ContainerCreating"#,
            ),
            (
                json!({"waiting": {"reason": "ImagePullBackOff"}}),
                r#"container "executor" in pod "p" is waiting to start: trying and failing to pull image"#,
            ),
            (
                json!({"waiting": {"reason": "CreateContainerConfigError"}}),
                r#"container "executor" in pod "p" is waiting to start: CreateContainerConfigError"#,
            ),
        ];
        for (state, message) in cases {
            let (logs, _) = logs(pod(state));
            let refused = logs
                .read("n", "p", None, &LogOptions::default())
                .err()
                .unwrap();
            assert_eq!((refused.code, refused.message.as_str()), (400, message));
        }
        let (logs, _) = logs(pod(json!({"running": {}})));
        let refused = |container, previous| {
            let options = LogOptions {
                previous,
                ..LogOptions::default()
            };
            logs.read("n", "p", container, &options)
                .err()
                .unwrap()
                .message
        };
        assert_eq!(
            refused(Some("x"), false),
            "container x is not valid for pod p"
        );
        assert_eq!(
            refused(None, true),
            r#"previous terminated container "executor" in pod "p" not found"#
        );
        assert_eq!(
            logs.read("n", "q", None, &LogOptions::default())
                .err()
                .unwrap()
                .code,
            404
        );
    }
}
