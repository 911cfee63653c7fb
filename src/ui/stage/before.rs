//! What was seen in the cluster before a run.

use super::Stage;
use crate::app::Msg;
use crate::app::runs;
use crate::domain::preflight::{Facts, NodeFacts, Presence};
use jiff::SignedDuration;

impl Stage {
    /// The cluster was looked at; without its namespace it takes no run.
    pub(in crate::ui) fn looked_before_a_run(&mut self, namespace: bool) -> &mut Self {
        let image = "docker.io/library/llmctl-executor-frontier";
        let facts = Facts {
            namespace: Ok(if namespace {
                Presence::There
            } else {
                Presence::Missing
            }),
            account: Ok(namespace),
            nodes: Ok(vec![NodeFacts {
                name: "minikube".into(),
                ready: true,
                schedulable: true,
                images: vec![vec![
                    format!("{image}@sha256:{}", "0123456789abcdef".repeat(4)),
                    format!("{image}:0.1.0"),
                ]],
                gpus: 0,
            }]),
            quotas: Ok(Vec::new()),
            skew: Some(SignedDuration::from_millis(300)),
            live_code: None,
        };
        self.send(Msg::Runs(runs::Msg::Preflighted(Box::new(facts))));
        self
    }
}
