//! The log of a container, followed from its first line to its last over dropped connections, without loss or repetition.
//!
//! The whole log is claimed only when the container is known to have ended and the log was read to its end after that.

mod lines;
mod resume;

use super::error::{Error, Kind, innermost};
use super::pauses::Pauses;
use super::rest::{Asked, Resource};
use super::{Cluster, convert, task, wire};
use crate::domain::logs::{LogEvent, LogLine};
use crate::domain::observed::ContainerState;
use futures::{AsyncBufRead, AsyncBufReadExt, Stream};
use kube::api::LogParams;
use lines::Lines;
use resume::{Admission, Replay, Resume};
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Lines in one event at most, and how long the first of them waits for others.
const BATCH: usize = 4096;
const BATCH_TIME: Duration = Duration::from_millis(16);
/// A stream that is silent for so long is asked whether it is still alive.
const SILENCE: Duration = Duration::from_secs(30);
/// How long the pod watch may lag behind the log.
const WATCH_LAG: Duration = Duration::from_secs(3);
/// Pauses while the container is not there yet, or its end is not told yet.
const SOON: Duration = Duration::from_millis(200);
const SOON_AT_MOST: Duration = Duration::from_secs(5);

impl Cluster {
    /// Follows the log of `container_id`, the container `executor` of `pod`. The stream ends after [`LogEvent::Whole`] or [`LogEvent::Gap`].
    pub fn follow_log(
        &self,
        namespace: &str,
        pod: &str,
        container_id: &str,
    ) -> impl Stream<Item = LogEvent> + Send + Unpin + use<> {
        let source = Source {
            cluster: self.clone(),
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            container_id: container_id.to_owned(),
        };
        task::stream(move |out| source.run(out))
    }
}

/// One log.
struct Source {
    cluster: Cluster,
    namespace: String,
    pod: String,
    container_id: String,
}

/// How one reading ended.
enum End {
    /// The server ended it as it should.
    Clean,
    /// Nothing came for a while; the connection may be dead.
    Silent,
    /// The container has not begun.
    NotYet,
    /// The pod is gone.
    NoPod,
    Broken(String),
    /// The node says that it has no such log.
    NoLog(String),
}

/// What became of the container.
enum Fate {
    Running,
    Ended,
    /// The pod has another container by now.
    Replaced,
    NoPod,
    Unknown(Error),
}

impl Source {
    async fn run(self, out: mpsc::Sender<LogEvent>) {
        let mut resume = Resume::default();
        let mut pauses = Pauses::new();
        let mut soon = SOON;
        let last = loop {
            let end = self.read(true, &mut resume, &out).await;
            match &end {
                End::NoPod => break gone(&self.pod),
                End::NoLog(reason) => {
                    break LogEvent::Gap {
                        reason: reason.clone(),
                    };
                }
                End::Clean | End::Silent | End::NotYet | End::Broken(_) => {}
            }
            let fate = self.fate().await;
            let broken = match (&end, &fate) {
                (_, Fate::Unknown(error)) => Some(error.to_string()),
                (End::Broken(reason), _) => Some(reason.clone()),
                _ => None,
            };
            match fate {
                Fate::Ended => match self.read(false, &mut resume, &out).await {
                    End::Clean => break LogEvent::Whole,
                    End::NoPod if matches!(end, End::Clean) => break LogEvent::Whole,
                    End::NoPod => break gone(&self.pod),
                    End::NoLog(reason) => break LogEvent::Gap { reason },
                    End::Broken(reason) => self.pause(reason, &mut pauses, &out).await,
                    End::Silent | End::NotYet => sleep(SOON).await,
                },
                Fate::NoPod
                    if matches!(end, End::Clean)
                        && self
                            .cluster
                            .endings
                            .wait(&self.container_id, WATCH_LAG)
                            .await =>
                {
                    break LogEvent::Whole;
                }
                Fate::NoPod => break gone(&self.pod),
                Fate::Replaced => {
                    let reason = format!("pod {} has another container by now", self.pod);
                    break LogEvent::Gap { reason };
                }
                Fate::Running | Fate::Unknown(_) => match broken {
                    Some(reason) => self.pause(reason, &mut pauses, &out).await,
                    None => {
                        pauses.reset();
                        self.cluster.endings.wait(&self.container_id, soon).await;
                        soon = (soon * 2).min(SOON_AT_MOST);
                    }
                },
            }
            if matches!(end, End::Silent) {
                soon = SOON;
            }
        };
        // Nobody listens any more only when the stream is dropped, and this future with it.
        let _ = out.send(last).await;
    }

    async fn pause(&self, reason: String, pauses: &mut Pauses, out: &mpsc::Sender<LogEvent>) {
        let _ = out.send(LogEvent::Broken { reason }).await;
        tokio::select! {
            () = sleep(pauses.next()) => {}
            () = self.cluster.wake.notified() => {}
        }
    }

    async fn fate(&self) -> Fate {
        match self
            .cluster
            .get::<wire::Pod>(Resource::Pods, &self.namespace, &self.pod)
            .await
        {
            Ok(pod) => match convert::pod(pod).container {
                Some(container) if container.id.is_empty() => Fate::Running,
                Some(container) if container.id != self.container_id => Fate::Replaced,
                Some(container) if matches!(container.state, ContainerState::Terminated { .. }) => {
                    self.cluster.endings.saw(&container.id);
                    Fate::Ended
                }
                _ => Fate::Running,
            },
            Err(error) if error.kind() == Kind::NotFound => Fate::NoPod,
            Err(error) => Fate::Unknown(error),
        }
    }

    /// Reads once, from where the last reading stopped.
    async fn read(&self, follow: bool, resume: &mut Resume, out: &mpsc::Sender<LogEvent>) -> End {
        let asked = Asked::object(
            "read the log of",
            Resource::Pods,
            &self.namespace,
            &self.pod,
        );
        let params = LogParams {
            container: Some(convert::CONTAINER.to_owned()),
            follow,
            timestamps: true,
            since_time: resume.since(),
            ..LogParams::default()
        };
        let request = match Resource::Pods
            .request(&self.namespace)
            .logs(&self.pod, &params)
        {
            Ok(request) => request,
            Err(error) => return End::Broken(innermost(&error)),
        };
        let client = self.cluster.client();
        let stream = match self
            .cluster
            .within(&asked, client.request_stream(request))
            .await
        {
            Ok(stream) => stream,
            Err(error) => {
                return match error.kind() {
                    Kind::NotFound => End::NoPod,
                    Kind::Invalid => End::NotYet,
                    _ => End::Broken(error.to_string()),
                };
            }
        };
        let reading = Reading {
            out,
            replay: resume.replay(),
            resume,
            batch: Vec::new(),
        };
        reading.run(Box::pin(stream)).await
    }
}

fn gone(pod: &str) -> LogEvent {
    LogEvent::Gap {
        reason: format!("pod {pod} is gone; the end of its log was not seen"),
    }
}

/// One reading in progress.
struct Reading<'a> {
    out: &'a mpsc::Sender<LogEvent>,
    replay: Replay,
    resume: &'a mut Resume,
    batch: Vec<LogLine>,
}

impl Reading<'_> {
    async fn run(mut self, mut stream: Pin<Box<impl AsyncBufRead>>) -> End {
        let mut lines = Lines::default();
        let mut flush_at: Option<Instant> = None;
        let end = loop {
            let chunk = tokio::select! {
                biased;
                () = sleep_until(flush_at.unwrap_or_else(Instant::now)), if flush_at.is_some() => {
                    self.flush().await;
                    flush_at = None;
                    continue;
                }
                chunk = timeout(SILENCE, stream.fill_buf()) => chunk,
            };
            let taken = match chunk {
                Err(_) => break End::Silent,
                Ok(Err(error)) => break End::Broken(innermost(&error)),
                Ok(Ok([])) => break End::Clean,
                Ok(Ok(bytes)) => {
                    lines.push(bytes);
                    bytes.len()
                }
            };
            stream.as_mut().consume_unpin(taken);
            if let Some(end) = self.take(&mut lines).await {
                break end;
            }
            if self.batch.is_empty() {
                flush_at = None;
            } else {
                flush_at.get_or_insert_with(|| Instant::now() + BATCH_TIME);
            }
        };
        // A line without its end is complete only when the server ended the stream.
        let end = match (lines.finish(), end) {
            (Some(rest), End::Clean) => self.admit(rest).await.unwrap_or(End::Clean),
            (_, end) => end,
        };
        self.flush().await;
        end
    }

    async fn take(&mut self, lines: &mut Lines) -> Option<End> {
        while let Some(line) = lines.pop() {
            if let Some(end) = self.admit(line).await {
                return Some(end);
            }
        }
        None
    }

    async fn admit(&mut self, line: LogLine) -> Option<End> {
        if lines::is_lost(&line) {
            return Some(End::NoLog(line.text));
        }
        match self.replay.admit(&line) {
            Admission::Known => return None,
            Admission::New => {}
            Admission::AfterGap => {
                self.flush().await;
                let reason = "the node rotated the log while the connection was down".to_owned();
                let _ = self.out.send(LogEvent::Gap { reason }).await;
            }
        }
        self.resume.deliver(&line);
        self.batch.push(line);
        if self.batch.len() >= BATCH {
            self.flush().await;
        }
        None
    }

    async fn flush(&mut self) {
        if !self.batch.is_empty() {
            let lines = std::mem::take(&mut self.batch);
            let _ = self.out.send(LogEvent::Lines(lines)).await;
        }
    }
}
