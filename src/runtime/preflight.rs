//! A look at what runs need, before one is created.

use super::World;
use crate::app::Msg;
use crate::app::runs::Msg as RunsMsg;
use crate::cluster::Cluster;
use crate::domain::preflight::{Facts, Place};
use crate::domain::target::TargetKind;
use crate::minikube::Minikube;
use crate::sandbox::clock::Clock;
use jiff::Timestamp;
use std::path::Path;

impl World {
    /// Looks at the cluster, and at the node's files where there is a way to: the sandbox's node is this machine, a Minikube
    /// node answers to `minikube ssh`.
    pub async fn preflight(&self, place: &Place) -> Facts {
        let clock = self.sandbox.as_ref().map(|sandbox| sandbox.clock().clone());
        look(&self.cluster, clock, self.profile(), place).await
    }

    pub(super) fn look_before_a_run(&mut self, place: Place, tell: fn(Box<Facts>) -> RunsMsg) {
        let cluster = self.cluster.clone();
        let clock = self.sandbox.as_ref().map(|sandbox| sandbox.clock().clone());
        let profile = self.profile();
        self.read(async move {
            let facts = look(&cluster, clock, profile, &place).await;
            Msg::Runs(tell(Box::new(facts)))
        });
    }

    /// The Minikube profile that this session works on.
    fn profile(&self) -> Option<String> {
        (self.target.kind == TargetKind::Minikube).then(|| self.target.name.clone())
    }
}

async fn look(
    cluster: &Cluster,
    sandbox: Option<Clock>,
    profile: Option<String>,
    place: &Place,
) -> Facts {
    let now = || match &sandbox {
        Some(clock) => clock.now(),
        None => Timestamp::now(),
    };
    let looked = cluster.preflight(&place.namespace, &place.account, now);
    let there = async {
        let path = place.live_code.as_deref()?;
        match profile {
            Some(profile) => Minikube::find(None)?.has_directory(&profile, path).await,
            None => sandbox.as_ref().map(|_| Path::new(path).is_dir()),
        }
    };
    let (facts, live_code) = tokio::join!(looked, there);
    Facts { live_code, ..facts }
}
