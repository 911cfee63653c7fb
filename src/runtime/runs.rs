//! Runs: created, followed, kept, cancelled and removed in the cluster; recorded in the history.

use super::World;
use crate::app::Msg;
use crate::app::notices::Notice;
use crate::app::runs::again::{Then, Unread};
use crate::app::runs::{Effect, Msg as RunsMsg};
use crate::cluster::error::Kind;
use crate::cluster::jobs::Propagation;
use crate::domain::cancel::CancelPlan;
use crate::domain::manifest::RunPlan;
use crate::domain::runs::lifecycle::GivenUp;
use crate::domain::runs::{Run, RunId, Ttl};
use crate::files::samples;
use futures::StreamExt as _;
use std::path::Path;
use tokio::sync::mpsc;

impl World {
    pub(super) fn perform_runs(&mut self, effect: Effect) {
        match effect {
            Effect::Create { run, plan } => self.create(run, plan),
            Effect::FollowLog {
                run,
                pod,
                container_id,
            } => self.follow_log(run, pod, container_id),
            Effect::Record(run) => self.record(*run),
            Effect::Cancel { run, job, plan } => self.cancel(run, job, plan),
            Effect::Remove { run, job } => self.remove(run, job),
            Effect::GiveUp { run, job } => self.give_up(run, job),
            Effect::Keep { run, job, ttl } => self.keep(run, job, ttl),
            Effect::FindOrphans => self.find_orphans(),
            Effect::RemoveOrphans(orphans) => self.remove_orphans(orphans),
            Effect::FetchManifest { run, job, whole } => self.fetch_manifest(run, job, whole),
            Effect::ReadRequest { run, job, then } => self.read_request(run, job, then),
            Effect::KeptLog(effect) => self.perform_kept_log(effect),
            Effect::Preview(plan) => self.preview(*plan),
            Effect::Preflight(place) => self.look_before_a_run(place, RunsMsg::Preflighted),
            Effect::PreflightAgain(place) => self.look_before_a_run(place, RunsMsg::LookedAgain),
            Effect::WritePayload { document, language } => self.write_payload(&document, language),
            Effect::ReadPayload { text, revision } => self.read_payload(text, revision),
        }
    }

    /// Reads the samples and the history: what a session knows before the cluster answers.
    pub fn recall(&mut self) {
        let directory = self.paths.samples_dir();
        let history = self.history.clone();
        let out = self.out.clone();
        self.streams.spawn(async move {
            if tell_samples(&out, &directory).await.is_err() {
                return;
            }
            let Some(history) = history else { return };
            let (runs, problems) = history.load();
            for problem in problems {
                let _ = out
                    .send(Msg::Noticed(Notice::warning(problem.to_string())))
                    .await;
            }
            let _ = out.send(Msg::Runs(RunsMsg::Restored(runs))).await;
        });
    }

    fn create(&mut self, run: RunId, plan: Box<RunPlan>) {
        let cluster = self.cluster.clone();
        self.write(async move {
            Some(Msg::Runs(match cluster.create_run(&plan).await {
                Ok(job) => RunsMsg::Accepted {
                    run,
                    job: Box::new(job),
                },
                Err(error) if error.kind() == Kind::Unknown => RunsMsg::Unanswered {
                    run,
                    why: error.to_string(),
                },
                Err(error) => RunsMsg::Refused {
                    run,
                    why: error.to_string(),
                },
            }))
        });
    }

    fn follow_log(&mut self, run: RunId, pod: String, container_id: String) {
        let mut events = self
            .cluster
            .follow_log(&self.namespace, &pod, &container_id);
        let (out, history) = (self.out.clone(), self.history.clone());
        self.streams.spawn(async move {
            let mut told = false;
            while let Some(event) = events.next().await {
                // On disk before on screen: what was seen once is never lost.
                if let Some(history) = &history
                    && let Err(error) = history.keep(&run, &event)
                    && !std::mem::replace(&mut told, true)
                {
                    let text = format!("the log of a run is not kept: {error}");
                    let _ = out.send(Msg::Noticed(Notice::bad(text))).await;
                }
                let msg = Msg::Runs(RunsMsg::Log {
                    run: run.clone(),
                    event,
                });
                if out.send(msg).await.is_err() {
                    return;
                }
            }
        });
    }

    fn record(&mut self, run: Run) {
        let Some(history) = self.history.clone() else {
            return;
        };
        if self.records.add(run) {
            let records = self.records.clone();
            self.write(async move {
                records
                    .write(&history)
                    .await
                    .map(|problem| Msg::Noticed(Notice::bad(problem)))
            });
        }
    }

    fn cancel(&mut self, run: RunId, job: String, plan: CancelPlan) {
        let mut steps = self.cluster.cancel(&self.namespace, &job, plan);
        let out = self.out.clone();
        self.streams.spawn(async move {
            while let Some(step) = steps.next().await {
                let msg = Msg::Runs(RunsMsg::CancelStepped {
                    run: run.clone(),
                    step,
                });
                if out.send(msg).await.is_err() {
                    return;
                }
            }
        });
    }

    fn remove(&mut self, run: RunId, job: String) {
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        self.write(async move {
            let removed = cluster
                .delete_job(&namespace, &job, Some(&run.0), Propagation::Foreground)
                .await;
            Some(Msg::Noticed(match removed {
                Ok(()) => Notice::good(format!("Job {job} is being removed; its log stays here")),
                Err(error) => Notice::bad(error.to_string()),
            }))
        });
    }

    fn give_up(&mut self, run: RunId, job: String) {
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        self.write(async move {
            let outcome = cluster.give_up(&namespace, &job, &run.0).await;
            let outcome = outcome.unwrap_or_else(|error| GivenUp::Failed {
                why: error.to_string(),
            });
            Some(Msg::Runs(RunsMsg::GivenUp { run, outcome }))
        });
    }

    fn keep(&mut self, run: RunId, job: String, ttl: Ttl) {
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        self.write(async move {
            let kept = cluster.keep_job(&namespace, &job, Some(&run.0), ttl).await;
            Some(match kept {
                Ok(_) => Msg::Runs(RunsMsg::Kept { run, ttl }),
                Err(error) if error.kind() == Kind::NotFound => {
                    Msg::Noticed(Notice::warning(format!(
                        "too late to keep Job {job}: it is gone; its log and timeline stay here"
                    )))
                }
                Err(error) => Msg::Noticed(Notice::bad(error.to_string())),
            })
        });
    }

    fn fetch_manifest(&mut self, run: RunId, job: String, whole: bool) {
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        self.read(async move {
            let yaml = if whole {
                cluster.whole_manifest(&namespace, &job).await
            } else {
                cluster.manifest(&namespace, &job).await
            };
            match yaml {
                Ok(yaml) => Msg::Runs(RunsMsg::ManifestFetched { run, yaml }),
                Err(error) => Msg::Noticed(Notice::bad(error.to_string())),
            }
        });
    }

    fn read_request(&mut self, run: RunId, job: String, then: Then) {
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        self.read(async move {
            let asked = cluster.asked(&namespace, &job, &run.0).await;
            let asked = asked.map_err(|error| match error.kind() {
                Kind::NotFound => Unread::Gone,
                _ => Unread::Failed(error.to_string()),
            });
            Msg::Runs(RunsMsg::RequestRead {
                run,
                then,
                asked: Box::new(asked),
            })
        });
    }

    fn preview(&mut self, plan: RunPlan) {
        self.read(async move {
            let documents = plan.shown();
            let yaml: Result<Vec<String>, _> =
                documents.iter().map(serde_saphyr::to_string).collect();
            match yaml {
                Ok(documents) => Msg::Runs(RunsMsg::Previewed {
                    yaml: documents.join("---\n"),
                }),
                Err(error) => Msg::Noticed(Notice::bad(format!(
                    "the objects of {} cannot be shown: {error}",
                    plan.job_name
                ))),
            }
        });
    }
}

/// Reads the samples and tells which there are, and which files are none.
pub(super) async fn tell_samples(
    out: &mpsc::Sender<Msg>,
    directory: &Path,
) -> Result<(), mpsc::error::SendError<Msg>> {
    let found = samples::load(Some(directory));
    for problem in found.problems {
        out.send(Msg::Noticed(Notice::warning(problem.to_string())))
            .await?;
    }
    out.send(Msg::Runs(RunsMsg::SamplesRead(found.samples)))
        .await
}
