//! The open edges, and the only spawner of tasks: [`World`] performs effects and hands every answer back as one message.

mod announce;
pub mod audit;
mod checks;
mod faults;
mod logs;
pub mod look;
pub mod migration;
pub mod open;
mod orphans;
pub mod overlays;
pub mod payload;
pub mod preflight;
mod records;
pub mod runs;
pub mod settings;
pub mod studio;
mod watching;

use crate::app::link::LinkMsg;
use crate::app::notices::Notice;
use crate::app::{Effect, Msg};
use crate::cluster::Cluster;
use crate::cluster::watch::Observation;
use crate::domain::target::Target;
use crate::files::history::History;
use crate::files::paths::Paths;
use crate::sandbox::Sandbox;
use announce::OnEvent;
use checks::Checks;
use futures::StreamExt as _;
use jiff::Timestamp;
use records::Records;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// So many messages wait at most; a sender waits then, and so does the cluster behind it.
const WAITING: usize = 1024;

/// Longest wait for what is being written when the program ends.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// One session's connection to everything outside of it.
pub struct World {
    target: Target,
    namespace: String,
    cluster: Cluster,
    sandbox: Option<Sandbox>,
    paths: Paths,
    /// Directory of overlays that the person named, before those inside the program.
    overlays: Option<PathBuf>,
    /// Absent where it could not be opened, which was said.
    history: Option<Arc<History>>,
    records: Records,
    on_event: Option<OnEvent>,
    checks: Checks,
    seeks: logs::Seeks,
    out: mpsc::Sender<Msg>,
    inbox: mpsc::Receiver<Msg>,
    /// What reads: ended with the session.
    streams: JoinSet<()>,
    /// What writes: waited for.
    writes: JoinSet<()>,
}

impl World {
    /// The cluster that this session works on.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Namespace of the executor Jobs.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The connection to the cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The history of runs, where it could be opened.
    pub fn history(&self) -> Option<&Arc<History>> {
        self.history.as_ref()
    }

    /// The target's own time: the sandbox lives on the clock of its runtime, every other cluster on the wall's.
    pub fn now(&self) -> Timestamp {
        match &self.sandbox {
            Some(sandbox) => sandbox.clock().now(),
            None => Timestamp::now(),
        }
    }

    /// Starts what watches: the cluster's namespace. From now on [`World::next`] tells what is seen.
    pub fn watch(&mut self) {
        let out = self.out.clone();
        let mut seen = self.cluster.watch(&self.namespace);
        self.watch_faults();
        self.streams.spawn(async move {
            while let Some(observation) = seen.next().await {
                let msg = match observation {
                    Observation::Seen(seen) => Msg::Seen(seen),
                    Observation::NoEvents { reason } => Msg::Noticed(Notice::warning(reason)),
                    Observation::Connected { version } => Msg::Link(LinkMsg::Connected { version }),
                    Observation::Lost {
                        reason,
                        retry_in,
                        attempt,
                    } => Msg::Link(LinkMsg::Lost {
                        reason,
                        retry_in_ms: u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX),
                        attempt,
                    }),
                };
                if out.send(msg).await.is_err() {
                    return;
                }
            }
        });
    }

    /// The next message. Safe to drop while it waits.
    ///
    /// # Errors
    /// When a task panicked: its report was printed, the session cannot be trusted any more.
    pub async fn next(&mut self) -> io::Result<Msg> {
        loop {
            tokio::select! {
                biased;
                Some(ended) = self.streams.join_next() => sound(ended)?,
                Some(ended) = self.writes.join_next() => sound(ended)?,
                Some(msg) = self.inbox.recv() => return Ok(msg),
            }
        }
    }

    /// A message that is there already.
    pub fn ready(&mut self) -> Option<Msg> {
        self.inbox.try_recv().ok()
    }

    /// Does what an effect says; the answer comes as a message.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Runs(effect) => self.perform_runs(effect),
            Effect::Settings(effect) => self.perform_settings(effect),
            Effect::Overlays(effect) => self.perform_overlays(effect),
            Effect::Checks(effect) => self.perform_checks(effect),
            Effect::Announce { occasion, .. } => self.announce(*occasion),
            Effect::Fault(fault) => self.fault(fault),
            // The clipboard is the terminal's, and only the terminal UI has one.
            Effect::Copy(_) => {}
        }
    }

    /// Says something at once.
    fn tell(&mut self, notice: Notice) {
        let out = self.out.clone();
        self.streams.spawn(async move {
            let _ = out.send(Msg::Noticed(notice)).await;
        });
    }

    /// Runs something that reads, and hands its answer back.
    fn read(&mut self, work: impl Future<Output = Msg> + Send + 'static) {
        let out = self.out.clone();
        self.streams.spawn(async move {
            let _ = out.send(work.await).await;
        });
    }

    /// Runs something that writes, and hands its answer back; the end of the session waits for it.
    fn write(&mut self, work: impl Future<Output = Option<Msg>> + Send + 'static) {
        let out = self.out.clone();
        self.writes.spawn(async move {
            if let Some(msg) = work.await {
                let _ = out.send(msg).await;
            }
        });
    }

    /// Ends the session: what is being written is finished, what reads is ended, the sandbox stops with all its children.
    pub async fn close(mut self) {
        // Nobody reads any more: an answer must not hold up the work behind it.
        self.inbox.close();
        self.checks.end();
        let writes = async { while self.writes.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_WRITES, writes).await;
        self.streams.shutdown().await;
        self.writes.shutdown().await;
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.stop().await;
        }
    }
}

fn sound(ended: Result<(), tokio::task::JoinError>) -> io::Result<()> {
    match ended {
        Err(error) if error.is_panic() => Err(io::Error::other("a task of the program panicked")),
        _ => Ok(()),
    }
}
