//! The real program against a real cluster, with a namespace of its own: on the command line and on a terminal.

mod commands;
mod dispatch;
mod endings;
mod migration;
mod outage;
mod session;
mod settings;
mod studio;

use crate::support::home::{Home, Ran};
use crate::support::real::{Real, Use};
use serde_json::Value;
use std::path::Path;
use tokio::runtime::Runtime;

/// The cluster, and a person who works in a namespace that an overlay of theirs makes.
pub(crate) struct Place {
    pub(crate) home: Home,
    /// Absent only while it is dropped.
    real: Option<Real>,
    runtime: Runtime,
}

impl Place {
    /// None where there is no cluster, which was said.
    fn find(name: &str, how: Use) -> Option<Self> {
        let runtime = Runtime::new().unwrap();
        let real = runtime.block_on(Real::without_namespace(name, how))?;
        let home = Home::new();
        let overlays = home.path().join("overlays");
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("overlays/executor");
        std::fs::create_dir_all(overlays.join("executor")).unwrap();
        for entry in std::fs::read_dir(shipped).unwrap() {
            let file = entry.unwrap();
            let copy = overlays.join("executor").join(file.file_name());
            std::fs::copy(file.path(), copy).unwrap();
        }
        home.write(
            "overlays/mine/kustomization.yaml",
            &format!("namespace: {}\nresources: [../executor]\n", real.namespace),
        );
        let home = home
            .with("KUBECONFIG", real.kubeconfig())
            .with("LLMCTL_DEV_CONTEXT", &real.target.name)
            .with("LLMCTL_DEV_NAMESPACE", &real.namespace)
            .with("LLMCTL_DEV_OVERLAYS", &overlays);
        Some(Self {
            home,
            real: Some(real),
            runtime,
        })
    }

    /// With what runs need, made by the overlay.
    pub(crate) fn prepared(name: &str, how: Use) -> Option<Self> {
        let place = Self::find(name, how)?;
        place.say("overlays apply mine --yes").ended(0);
        Some(place)
    }

    pub(crate) fn say(&self, line: &str) -> Ran {
        self.home.run(&line.split(' ').collect::<Vec<_>>())
    }

    /// The document that a command prints.
    pub(crate) fn document(&self, line: &str) -> Value {
        self.say(&format!("{line} -o json")).json()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            self.runtime.block_on(real.clean());
        }
    }
}
