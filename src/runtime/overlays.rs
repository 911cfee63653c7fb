//! Overlays: found, rendered, compared with the cluster and applied.

use super::World;
use crate::app::Msg;
use crate::app::overlays::{Effect, Msg as OverlaysMsg, PlanFailure};
use crate::files::overlays::Shelf;

impl World {
    /// Where overlays are looked for.
    pub fn shelf(&self) -> Shelf {
        Shelf::new(self.overlays.iter().cloned().collect())
    }

    pub(super) fn perform_overlays(&mut self, effect: Effect) {
        let shelf = self.shelf();
        match effect {
            Effect::List => {
                self.read(async move { Msg::Overlays(OverlaysMsg::Listed(shelf.list())) })
            }
            Effect::Plan { name } => self.read(async move {
                Msg::Overlays(OverlaysMsg::Planned {
                    name,
                    result: Err(PlanFailure::Cluster("not yet".into())),
                })
            }),
            Effect::Apply { .. } => {}
        }
    }
}
