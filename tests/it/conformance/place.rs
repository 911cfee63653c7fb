//! Where a case happens: the sandbox or a real cluster, and namespaces that are the case's own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::Client;
use kube::api::{Api, DeleteParams, PostParams};
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::{Config, Sandbox};
use serde_json::json;

use crate::support::real::{Real, Use};

/// Longer than anything here takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

pub(super) struct Place {
    pub(super) client: Client,
    /// The namespace of the case.
    pub(super) namespace: String,
    side: Side,
    made: AtomicU32,
}

enum Side {
    Sandbox(Sandbox),
    Real(Real),
}

impl Place {
    pub(super) async fn sandbox() -> Self {
        let sandbox = Sandbox::start(Config {
            executor: vec![env!("CARGO_BIN_EXE_llmctl-dev").into(), "executor".into()],
            base: jiff::Timestamp::now(),
            faults: Faults::default(),
        })
        .unwrap();
        let client = Client::new(sandbox.service(), "default");
        make_namespace(&client, "conformance").await;
        Self {
            client,
            namespace: "conformance".to_owned(),
            side: Side::Sandbox(sandbox),
            made: AtomicU32::new(0),
        }
    }

    /// None where there is no cluster, which is said.
    pub(super) async fn real(name: &str) -> Option<Self> {
        let name = name.replace('_', "-");
        let real = Real::find(&format!("conf-{name}"), Use::Shared).await?;
        Some(Self {
            client: real.client(),
            namespace: real.namespace.clone(),
            side: Side::Real(real),
            made: AtomicU32::new(0),
        })
    }

    /// One more namespace, which goes when the case is told.
    pub(super) async fn another(&self) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = self.further(number);
        make_namespace(&self.client, &name).await;
        name
    }

    fn further(&self, number: u32) -> String {
        format!("{}-{number}", self.namespace)
    }

    /// Forgets the history, where one can have that wish fulfilled.
    pub(super) fn compact(&self) -> bool {
        match &self.side {
            Side::Sandbox(sandbox) => {
                sandbox.store().compact();
                true
            }
            Side::Real(_) => false,
        }
    }

    /// Removes what the case made; does not wait for it.
    pub(super) async fn clear(self) {
        match self.side {
            Side::Sandbox(sandbox) => sandbox.stop().await,
            Side::Real(ref real) => {
                let namespaces: Api<Namespace> = Api::all(real.client());
                for number in 0..self.made.load(Ordering::Relaxed) {
                    // It may have deleted its namespace itself.
                    let _ = namespaces
                        .delete(&self.further(number), &DeleteParams::default())
                        .await;
                }
                let _ = namespaces
                    .delete(&self.namespace, &DeleteParams::default())
                    .await;
            }
        }
    }
}

async fn make_namespace(client: &Client, name: &str) {
    let object = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
    Api::<Namespace>::all(client.clone())
        .create(&PostParams::default(), &object)
        .await
        .unwrap();
    // Pods are refused until the namespace has its service account.
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), name);
    while accounts.get_opt("default").await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
