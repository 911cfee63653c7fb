//! Stops a run whose dispatch clock ran out, and never one whose container began (W1): what goes is the very pod that was seen waiting,
//! or the time of a Job without a pod. The Job fails by itself and stays, with its evidence, until its TTL (W17).

use super::error::{Error, Kind};
use super::rest::Resource;
use super::{Cluster, convert, wire};
use crate::domain::observed::{ContainerState, PodSeen};
use crate::domain::runs::lifecycle::GivenUp;
use kube::api::{DeleteParams, ListParams, Preconditions};
use serde_json::json;

/// So often it is looked at again because something changed meanwhile.
const LOOKS: usize = 5;

impl Cluster {
    /// Stops the run of `job`, unless its container began or it is over. Whatever changed between the look and the request makes the
    /// request fail, and it is looked at again.
    ///
    /// # Errors
    /// The cluster does not answer, or the account may not.
    pub async fn give_up(&self, namespace: &str, job: &str, uid: &str) -> Result<GivenUp, Error> {
        let mut last = None;
        for _ in 0..LOOKS {
            let found: wire::Job = match self.get(Resource::Jobs, namespace, job).await {
                Err(error) if error.kind() == Kind::NotFound => return Ok(GivenUp::Over),
                found => found?,
            };
            let version = found.metadata.resource_version.clone();
            let seen = convert::job(found);
            if seen.uid != uid || seen.finish.is_some() || seen.deleting.is_some() {
                return Ok(GivenUp::Over);
            }
            let pods = self.pods_of(namespace, job).await?;
            if pods.iter().any(|(_, pod)| began(pod)) {
                return Ok(GivenUp::Started);
            }
            let waiting = pods.iter().find(|(_, pod)| pod.deleting.is_none());
            let stopped = match (waiting, pods.is_empty()) {
                (Some((version, pod)), _) => self.delete_waiting(namespace, pod, version).await,
                (None, true) => {
                    // Its time ends with the next look of the Job controller.
                    let patch = json!({
                        "metadata": {"resourceVersion": version},
                        "spec": {"activeDeadlineSeconds": 1},
                    });
                    self.merge::<wire::Bare>(Resource::Jobs, namespace, job, &patch)
                        .await
                        .map(drop)
                }
                // It goes already.
                (None, false) => Ok(()),
            };
            match stopped {
                Ok(()) => return Ok(GivenUp::Stopped),
                Err(error) if matches!(error.kind(), Kind::Conflict | Kind::NotFound) => {
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        last.map_or(Ok(GivenUp::Over), Err)
    }

    /// The pods of a Job, each with the version that was seen.
    async fn pods_of(&self, namespace: &str, job: &str) -> Result<Vec<(String, PodSeen)>, Error> {
        let params = ListParams {
            label_selector: Some(format!("job-name={job}")),
            ..ListParams::default()
        };
        let list: wire::List<wire::Pod> = self.page(Resource::Pods, namespace, &params).await?;
        let pods = list.items.into_iter();
        Ok(pods
            .map(|pod| (pod.metadata.resource_version.clone(), convert::pod(pod)))
            .collect())
    }

    async fn delete_waiting(
        &self,
        namespace: &str,
        pod: &PodSeen,
        version: &str,
    ) -> Result<(), Error> {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(pod.uid.clone()),
                resource_version: Some(version.to_owned()),
            }),
            ..DeleteParams::default()
        };
        self.delete(Resource::Pods, namespace, &pod.name, &params)
            .await
    }
}

/// Its container runs, or has run.
fn began(pod: &PodSeen) -> bool {
    let container = pod.container.as_ref();
    container.is_some_and(|c| !matches!(c.state, ContainerState::Waiting { .. }))
        || !matches!(pod.phase.as_str(), "Pending" | "")
}
