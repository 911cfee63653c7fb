//! What runs left behind, looked for and removed.

use super::World;
use crate::app::Msg;
use crate::app::notices::Notice;
use crate::app::runs::Msg as RunsMsg;
use crate::domain::orphans::Orphan;

impl World {
    pub(super) fn find_orphans(&mut self) {
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        let now = self.now();
        self.read(async move {
            match cluster.orphans(&namespace, now).await {
                Ok(found) => Msg::Runs(RunsMsg::OrphansFound(found)),
                Err(error) => Msg::Noticed(Notice::bad(error.to_string())),
            }
        });
    }

    pub(super) fn remove_orphans(&mut self, orphans: Vec<Orphan>) {
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        let now = self.now();
        let out = self.out.clone();
        self.write(async move {
            let mut removed = 0;
            let mut failed = None;
            for orphan in &orphans {
                match cluster.remove_orphan(&namespace, orphan).await {
                    Ok(()) => removed += 1,
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            let notice = match failed {
                None => Notice::good(format!("{removed} objects were removed")),
                Some(error) => Notice::bad(format!(
                    "{removed} of {} objects were removed: {error}",
                    orphans.len()
                )),
            };
            let _ = out.send(Msg::Noticed(notice)).await;
            let found = cluster.orphans(&namespace, now).await.ok()?;
            Some(Msg::Runs(RunsMsg::OrphansFound(found)))
        });
    }
}
