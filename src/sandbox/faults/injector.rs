//! Makes things go wrong in a cluster that runs, at once or at their times.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::{Fault, Faults, Planned};
use crate::sandbox::kinds::Kind;
use crate::sandbox::object::{meta, uid};
use crate::sandbox::store::Store;

/// A hand on everything in a sandbox that can go wrong. Clones act on the same sandbox.
#[derive(Debug, Clone)]
pub struct Injector {
    pub(in crate::sandbox) store: Store,
    pub(in crate::sandbox) faults: Faults,
    /// Takes the uids of pods that run out of memory.
    pub(in crate::sandbox) memory: broadcast::Sender<String>,
}

impl Injector {
    /// Makes something go wrong, and says what was done.
    pub fn inject(&self, fault: Fault) -> String {
        let clock = self.store.clock();
        match fault {
            Fault::ApiDown(during) => self.faults.api_down(during),
            Fault::Slow(delay) => self.faults.slow(delay),
            Fault::Refuse(refusal, count) => self.faults.refuse(refusal, count),
            Fault::DropWatches => self.faults.drop_watches(),
            Fault::CompactHistory => self.store.compact(),
            Fault::NodeSilent(during) => self.faults.silence_node(during),
            Fault::SlowPulls(each) => {
                self.faults.slow_pulls((!each.is_zero()).then_some(each));
            }
            Fault::Clock(offset) => {
                clock.set_offset(offset);
                self.faults.note_offset(offset);
            }
            Fault::OutOfMemory => return self.starve_newest(),
            Fault::Nothing => {
                self.faults.clear();
                clock.set_offset(SignedDuration::ZERO);
            }
        }
        fault.to_string()
    }

    /// Injects each fault when its time has come since now, and hands on what was done. Does not end.
    pub async fn inject_in_time(&self, mut faults: Vec<Planned>, mut said: impl FnMut(String)) {
        let start = Instant::now();
        faults.sort_by_key(|planned| planned.after);
        for Planned { fault, after } in faults {
            tokio::time::sleep_until(start + after).await;
            said(self.inject(fault));
        }
        std::future::pending::<()>().await;
    }

    fn starve_newest(&self) -> String {
        let mut pods = self.store.list(Kind::Pod, None).1;
        pods.retain(|pod| pod["status"]["phase"] == "Running");
        let begun = |pod: &Arc<Value>| pod["status"]["startTime"].as_str().map(str::to_owned);
        let Some(pod) = pods.into_iter().max_by_key(begun) else {
            return "no pod is running that could run out of memory".to_owned();
        };
        // A node without a running container has none to kill.
        let _ = self.memory.send(uid(&pod).to_owned());
        format!("pod {} runs out of memory", meta(&pod, "name"))
    }
}
