//! The writes of runs: create, remove, keep longer; and what is fetched of one run.

use super::Cluster;
use super::error::{Error, Kind};
use super::rest::Resource;
use super::{convert, wire};
use crate::domain::identity;
use crate::domain::manifest::asked::Asked;
use crate::domain::manifest::{EXECUTOR, KEPT, PRUNED, RunPlan};
use crate::domain::masking;
use crate::domain::observed::JobSeen;
use crate::domain::preflight::makes_namespace;
use crate::domain::runs::Ttl;
use kube::api::{DeleteParams, ListParams, Preconditions};
use serde_json::{Value, json};

/// What becomes of a Job's pods when the Job is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// The Job goes at once, its pods later.
    Background,
    /// The Job stays, marked as going, until its pods are gone.
    Foreground,
}

impl Cluster {
    /// Creates the objects of a run: the Job, then its payload `ConfigMap` owned by it, so that both go together (contract 4.6).
    /// When the second cannot be created the first is removed again.
    ///
    /// # Errors
    /// Nothing of the run exists then; [`Error::HalfDone`] when the Job could not be removed again.
    pub async fn create_run(&self, plan: &RunPlan) -> Result<JobSeen, Error> {
        let namespace = &plan.namespace;
        let created = self
            .create(Resource::Jobs, namespace, &plan.job_name, &plan.job)
            .await;
        let job: wire::Job = match created {
            Ok(job) => job,
            // Nothing else is looked up when a Job is created.
            Err(Error::NotFound { what, cluster, .. }) => {
                return Err(Error::NoNamespace {
                    what,
                    cluster,
                    step: makes_namespace(namespace),
                });
            }
            Err(error) if may_be_made(&error) => self.made_after_all(plan, error).await?,
            Err(error) => return Err(error),
        };
        let uid = job.metadata.uid.clone();
        let payload = plan.configmap(&uid);
        let created = self
            .create::<wire::Bare>(
                Resource::ConfigMaps,
                namespace,
                &plan.configmap_name,
                &payload,
            )
            .await;
        if let Err(error) = created {
            let undone = self
                .delete_job(
                    namespace,
                    &plan.job_name,
                    Some(&uid),
                    Propagation::Background,
                )
                .await;
            return Err(match undone {
                Ok(()) => error,
                Err(left) if left.kind() == Kind::NotFound => error,
                Err(left) => Error::HalfDone {
                    error: Box::new(error),
                    left: Box::new(left),
                },
            });
        }
        Ok(convert::job(job))
    }

    /// The Job of a request that was sent and not answered, when it was made all the same (W4: an outcome that nobody saw is not a
    /// failure, and not one to be tried again).
    async fn made_after_all(&self, plan: &RunPlan, error: Error) -> Result<wire::Job, Error> {
        let found = self
            .get::<wire::Job>(Resource::Jobs, &plan.namespace, &plan.job_name)
            .await;
        match found {
            Ok(job) => Ok(job),
            Err(answer) if answer.kind() == Kind::NotFound => Err(error),
            Err(_) => Err(Error::Unknown {
                what: format!("job {} in namespace {}", plan.job_name, plan.namespace),
                cluster: self.label().to_owned(),
                reason: match error {
                    Error::Unreachable { reason, .. } => reason,
                    other => other.to_string(),
                },
            }),
        }
    }

    /// Deletes a Job with its pods. With a UID only that very Job, and not another one of the same name.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it is gone already, [`Kind::Conflict`] when the name belongs to another Job by now.
    pub async fn delete_job(
        &self,
        namespace: &str,
        job: &str,
        uid: Option<&str>,
        propagation: Propagation,
    ) -> Result<(), Error> {
        let params = match propagation {
            // The default of the API leaves the pods behind.
            Propagation::Background => DeleteParams::background(),
            Propagation::Foreground => DeleteParams::foreground(),
        };
        self.delete(Resource::Jobs, namespace, job, &only(params, uid))
            .await
    }

    /// Deletes a pod, giving it `grace` seconds to end; 0 removes it by force, whatever its containers do.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it is gone already.
    pub async fn delete_pod(
        &self,
        namespace: &str,
        pod: &str,
        uid: Option<&str>,
        grace: u32,
    ) -> Result<(), Error> {
        let params = DeleteParams {
            grace_period_seconds: Some(grace),
            ..DeleteParams::default()
        };
        self.delete(Resource::Pods, namespace, pod, &only(params, uid))
            .await
    }

    /// Sets a Job's time to live, and takes it out of reach of Studio's pruner, which goes by its own time to live and not by the Job's
    /// (contract 4.7). The clock goes on from when the Job finished.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the Job is gone or going, [`Kind::Conflict`] when the name belongs to another Job by now.
    pub async fn keep_job(
        &self,
        namespace: &str,
        job: &str,
        uid: Option<&str>,
        ttl: Ttl,
    ) -> Result<JobSeen, Error> {
        let mut tries = 0;
        loop {
            let found: wire::Bare = self.get(Resource::Jobs, namespace, job).await?;
            if uid.is_some_and(|uid| uid != found.metadata.uid) {
                return Err(Error::Conflict {
                    what: format!("set the time to live of job {job} in namespace {namespace}"),
                    cluster: self.label().to_owned(),
                    reason: "another Job has that name by now".to_owned(),
                });
            }
            if found.metadata.deletion_timestamp.is_some() {
                return Err(Error::Going {
                    what: format!("keep job {job} in namespace {namespace}"),
                    cluster: self.label().to_owned(),
                });
            }
            let version = found.metadata.resource_version;
            let patch = json!({
                "metadata": {"resourceVersion": version, "labels": {EXECUTOR: KEPT}},
                "spec": {"ttlSecondsAfterFinished": ttl.0},
            });
            match self
                .merge::<wire::Job>(Resource::Jobs, namespace, job, &patch)
                .await
            {
                // Its status changed in between.
                Err(error) if error.kind() == Kind::Conflict && tries < 3 => tries += 1,
                other => return other.map(convert::job),
            }
        }
    }

    /// Names of the finished Jobs that Studio's pruner would see: those that it removes once its own time to live is over (contract 4.7).
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub async fn prunable(&self, namespace: &str) -> Result<Vec<String>, Error> {
        let params = ListParams {
            label_selector: Some(format!("{EXECUTOR}={PRUNED}")),
            ..ListParams::default()
        };
        let list: wire::List<wire::Job> = self.page(Resource::Jobs, namespace, &params).await?;
        let completed = |job: &wire::Job| job.status.completion_time.is_some();
        Ok(list
            .items
            .into_iter()
            .filter(completed)
            .map(|job| job.metadata.name)
            .collect())
    }

    /// The Job as the cluster has it, as YAML: managed fields folded to the names of their managers, secret values masked.
    ///
    /// # Errors
    /// When it is gone or may not be read.
    pub async fn manifest(&self, namespace: &str, job: &str) -> Result<String, Error> {
        let object: Value = self.get(Resource::Jobs, namespace, job).await?;
        let folded = masking::fold_managers(&object);
        self.yaml(job, object, folded.map(Value::String))
    }

    /// The same with its managed fields as they are.
    ///
    /// # Errors
    /// As [`Self::manifest`].
    pub async fn whole_manifest(&self, namespace: &str, job: &str) -> Result<String, Error> {
        let object: Value = self.get(Resource::Jobs, namespace, job).await?;
        // They hold the names of fields, and no value of one.
        let fields = object.pointer("/metadata/managedFields").cloned();
        self.yaml(job, object, fields)
    }

    fn yaml(&self, job: &str, mut object: Value, fields: Option<Value>) -> Result<String, Error> {
        masking::mask(&mut object);
        if let Some(fields) = fields {
            object["metadata"]["managedFields"] = fields;
        }
        serde_saphyr::to_string(&object).map_err(|error| Error::Other {
            what: format!("show job {job} as YAML"),
            cluster: self.label().to_owned(),
            reason: error.to_string(),
        })
    }

    /// What the run of a Job asked for; with a UID of that very Job only.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the Job or its payload is gone, [`Kind::Conflict`] when the name belongs to another Job by now.
    pub async fn asked(&self, namespace: &str, job: &str, uid: &str) -> Result<Asked, Error> {
        let object: Value = self.get(Resource::Jobs, namespace, job).await?;
        let what = || format!("read what job {job} in namespace {namespace} asked for");
        if object["metadata"]["uid"] != uid {
            return Err(Error::Conflict {
                what: what(),
                cluster: self.label().to_owned(),
                reason: "another Job has that name by now".to_owned(),
            });
        }
        let payload = self
            .payload(namespace, &identity::configmap_name(job))
            .await?
            .unwrap_or_default();
        Asked::read(&object, &payload).map_err(|reason| Error::Other {
            what: what(),
            cluster: self.label().to_owned(),
            reason,
        })
    }

    /// The payload that a run was given (contract 4.6): the text under `payload.json`.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the `ConfigMap` is gone, as Studio deletes its own when its wait ends.
    pub async fn payload(&self, namespace: &str, configmap: &str) -> Result<Option<String>, Error> {
        let object: Value = self.get(Resource::ConfigMaps, namespace, configmap).await?;
        Ok(object["data"]["payload.json"].as_str().map(str::to_owned))
    }
}

/// The request may have reached the server. One whose connection was refused did not.
fn may_be_made(error: &Error) -> bool {
    match error {
        Error::Unreachable { reason, .. } => !reason.to_lowercase().contains("refused"),
        _ => false,
    }
}

pub(super) fn only(params: DeleteParams, uid: Option<&str>) -> DeleteParams {
    DeleteParams {
        preconditions: uid.map(|uid| Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: None,
        }),
        ..params
    }
}
