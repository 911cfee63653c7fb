//! Overlays: found, rendered, compared with the cluster and applied.

use super::World;
use super::open::OpenError;
use crate::app::Msg;
use crate::app::overlays::{Effect, Msg as OverlaysMsg, PlanFailure};
use crate::domain::overlays::plan::Plan;
use crate::domain::overlays::progress::ApplyOptions;
use crate::files::overlays::Shelf;
use tokio::sync::mpsc;

/// The overlay that a sandbox begins with: namespace, accounts and settings of the executor.
const EXECUTOR: &str = "executor";

impl World {
    /// Where overlays are looked for.
    pub fn shelf(&self) -> Shelf {
        Shelf::new(self.overlays.iter().cloned().collect())
    }

    pub(super) fn perform_overlays(&mut self, effect: Effect) {
        let shelf = self.shelf();
        match effect {
            Effect::List => {
                self.read(async move { Msg::Overlays(OverlaysMsg::Listed(shelf.list())) });
            }
            Effect::Plan { name } => {
                let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
                self.read(async move {
                    let result = match shelf.render(&name).objects {
                        Err(problem) => Err(PlanFailure::Broken(problem)),
                        Ok(objects) => cluster
                            .plan(&name, &objects, &namespace)
                            .await
                            .map_err(|error| PlanFailure::Cluster(error.to_string())),
                    };
                    Msg::Overlays(OverlaysMsg::Planned { name, result })
                });
            }
            Effect::Apply { plan, options } => self.apply(plan, options),
        }
    }

    fn apply(&mut self, plan: Plan, options: ApplyOptions) {
        let (cluster, out) = (self.cluster.clone(), self.out.clone());
        self.write(async move {
            let name = plan.overlay.clone();
            let (steps, mut told) = mpsc::unbounded_channel();
            let telling = async {
                while let Some(progress) = told.recv().await {
                    let name = name.clone();
                    let _ = out
                        .send(Msg::Overlays(OverlaysMsg::Progressed { name, progress }))
                        .await;
                }
            };
            let applying = async {
                let tell = move |progress| {
                    let _ = steps.send(progress);
                };
                cluster.apply(&plan, options, tell).await
            };
            let (result, ()) = tokio::join!(applying, telling);
            Some(Msg::Overlays(OverlaysMsg::Applied {
                result: result.map_err(|error| error.to_string()),
                name,
            }))
        });
    }

    /// Gives a fresh sandbox what runs need: the built-in overlay `executor`.
    pub(super) async fn prepare_sandbox(&self) -> Result<(), OpenError> {
        let broken = |why: String| OpenError::Sandbox(why);
        let objects = Shelf::default()
            .render(EXECUTOR)
            .objects
            .map_err(|problem| broken(problem.to_string()))?;
        let plan = self
            .cluster
            .plan(EXECUTOR, &objects, &self.namespace)
            .await?;
        let report = self
            .cluster
            .apply(&plan, ApplyOptions::default(), |_| {})
            .await
            .map_err(|error| broken(error.to_string()))?;
        match report.failures().next() {
            None => Ok(()),
            Some((object, why)) => Err(broken(format!("{object}: {why}"))),
        }
    }
}
