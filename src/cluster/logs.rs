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
    /// Follows the log of `container_id`, the container `executor` of `pod`. The stream says
    /// [`LogEvent::Opened`] once it is known to be open, and ends after [`LogEvent::Whole`] or [`LogEvent::Gone`].
    pub fn follow_log(
        &self,
        namespace: &str,
        pod: &str,
        container_id: &str,
    ) -> impl Stream<Item = LogEvent> + Send + Unpin + use<> {
        let source = Source::new(self, namespace, pod, container_id);
        task::stream(move |out| source.run(out))
    }

    /// Reads what the log of `container_id` holds now, and ends; with [`LogEvent::Gone`] when it cannot be read.
    pub fn read_log(
        &self,
        namespace: &str,
        pod: &str,
        container_id: &str,
    ) -> impl Stream<Item = LogEvent> + Send + Unpin + use<> {
        let source = Source::new(self, namespace, pod, container_id);
        task::stream(move |out| source.once(out))
    }
}

/// One log.
struct Source {
    cluster: Cluster,
    namespace: String,
    pod: String,
    container_id: String,
}

/// What was said of the connection last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Open,
    Broken,
}

/// How one reading ended.
enum End {
    /// The server ended it as it should.
    Clean,
    /// Nothing came for a while; the connection may be dead.
    Silent,
    /// The container has not begun.
    NotYet,
    Broken(String),
    /// The pod is gone, or its node has no such log any more.
    Lost(String),
}

/// What became of the container.
enum Fate {
    Running,
    Ended,
    /// The pod is gone or has another container by now.
    Lost(String),
    Unknown(Error),
}

impl Source {
    fn new(cluster: &Cluster, namespace: &str, pod: &str, container_id: &str) -> Self {
        Self {
            cluster: cluster.clone(),
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            container_id: container_id.to_owned(),
        }
    }

    async fn once(self, out: mpsc::Sender<LogEvent>) {
        let (mut resume, mut told) = (Resume::default(), Told::Nothing);
        if let End::Broken(reason) | End::Lost(reason) =
            self.read(false, &mut resume, &mut told, &out).await
        {
            let _ = out.send(LogEvent::Gone { reason }).await;
        }
    }

    async fn run(self, out: mpsc::Sender<LogEvent>) {
        let mut resume = Resume::default();
        let mut told = Told::Nothing;
        let mut pauses = Pauses::new();
        let mut soon = SOON;
        // The latest reading was ended by the server, and the server still stood when asked afterwards.
        let mut clean = false;
        let last = loop {
            let end = self.read(true, &mut resume, &mut told, &out).await;
            match &end {
                End::Clean => clean = true,
                End::Silent | End::Broken(_) => clean = false,
                End::NotYet => {}
                End::Lost(reason) => break self.verdict(clean, reason.clone()).await,
            }
            let fate = self.fate().await;
            if matches!(fate, Fate::Unknown(_)) {
                clean = false;
            }
            let broken = match (end, fate) {
                (_, Fate::Ended) => match self.read(false, &mut resume, &mut told, &out).await {
                    End::Clean => break LogEvent::Whole,
                    End::Lost(reason) => break self.verdict(clean, reason).await,
                    End::Broken(reason) => Some(reason),
                    End::Silent | End::NotYet => None,
                },
                (_, Fate::Lost(reason)) => break self.verdict(clean, reason).await,
                (_, Fate::Unknown(error)) => Some(error.to_string()),
                (End::Broken(reason), Fate::Running) => Some(reason),
                (_, Fate::Running) => None,
            };
            if let Some(reason) = broken {
                if told == Told::Open {
                    told = Told::Broken;
                }
                self.pause(reason, &mut pauses, &out).await;
            } else {
                pauses.reset();
                // It is read again when the watch tells the end, which usually comes a moment after the log's.
                self.cluster.endings.wait(&self.container_id, soon).await;
                soon = (soon * 2).min(SOON_AT_MOST);
            }
        };
        // Nobody listens any more only when the stream is dropped, and this future with it.
        let _ = out.send(last).await;
    }

    /// The log cannot be read any more. It was read whole when it ended by itself and the container is known to have ended:
    /// a pod that is deleted takes its log along before anybody can look again.
    async fn verdict(&self, clean: bool, reason: String) -> LogEvent {
        if clean
            && self
                .cluster
                .endings
                .wait(&self.container_id, WATCH_LAG)
                .await
        {
            LogEvent::Whole
        } else {
            LogEvent::Gone { reason }
        }
    }

    fn gone(&self) -> String {
        format!("pod {} is gone; the end of its log was not seen", self.pod)
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
                Some(container) if container.id != self.container_id => {
                    Fate::Lost(format!("pod {} has another container by now", self.pod))
                }
                Some(container) if matches!(container.state, ContainerState::Terminated { .. }) => {
                    self.cluster.endings.saw(&container.id);
                    Fate::Ended
                }
                _ => Fate::Running,
            },
            Err(error) if error.kind() == Kind::NotFound => Fate::Lost(self.gone()),
            Err(error) => Fate::Unknown(error),
        }
    }

    /// Reads once, from where the last reading stopped.
    async fn read(
        &self,
        follow: bool,
        resume: &mut Resume,
        told: &mut Told,
        out: &mpsc::Sender<LogEvent>,
    ) -> End {
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
                    Kind::NotFound => End::Lost(self.gone()),
                    Kind::Invalid => End::NotYet,
                    _ => End::Broken(error.to_string()),
                };
            }
        };
        let reading = Reading {
            out,
            container_id: &self.container_id,
            told,
            replay: resume.replay(),
            resume,
            batch: Vec::new(),
            follow,
        };
        reading.run(Box::pin(stream)).await
    }
}

/// One reading in progress.
struct Reading<'a> {
    out: &'a mpsc::Sender<LogEvent>,
    container_id: &'a str,
    told: &'a mut Told,
    replay: Replay,
    resume: &'a mut Resume,
    batch: Vec<LogLine>,
    follow: bool,
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
        // A line without its end is the last one only of a container that ended; a server that shuts down may cut anywhere.
        let end = match (end, lines.finish()) {
            (End::Clean, Some(rest)) if !self.follow => {
                self.admit(rest).await.unwrap_or(End::Clean)
            }
            // The node's excuse comes without a line feed.
            (End::Clean, Some(rest)) if lines::is_lost(&rest) => End::Lost(rest.text),
            (end, _) => end,
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
            return Some(End::Lost(line.text));
        }
        match self.replay.admit(&line) {
            Admission::Known => return None,
            Admission::New => {}
            Admission::AfterGap => {
                self.open().await;
                self.flush().await;
                let reason = "the node rotated the log while the connection was down".to_owned();
                let _ = self.out.send(LogEvent::Gap { reason }).await;
            }
        }
        self.open().await;
        self.resume.deliver(&line);
        self.batch.push(line);
        if self.batch.len() >= BATCH {
            self.flush().await;
        }
        None
    }

    /// Says that the stream is open, once something proves it: what was kept of the log before is given up for it, and a node that lost
    /// the log answers with a line too.
    async fn open(&mut self) {
        let event = match std::mem::replace(self.told, Told::Open) {
            Told::Nothing => LogEvent::Opened {
                container_id: self.container_id.to_owned(),
            },
            Told::Broken => LogEvent::Resumed,
            Told::Open => return,
        };
        let _ = self.out.send(event).await;
    }

    async fn flush(&mut self) {
        if !self.batch.is_empty() {
            let lines = std::mem::take(&mut self.batch);
            let _ = self.out.send(LogEvent::Lines(lines)).await;
        }
    }
}
