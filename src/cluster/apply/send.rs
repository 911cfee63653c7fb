//! Applying a plan: stage by stage, so that what others need is there first; then what is left over goes.

use super::super::Cluster;
use super::super::error::Error;
use super::exchange::{Apply, path};
use super::kinds::Kind;
use super::{AT_ONCE, ApplyError, asked, conflict};
use crate::domain::overlays::objects::ObjectRef;
use crate::domain::overlays::plan::{Change, ChangeKind, Plan};
use crate::domain::overlays::progress::{Applied, ApplyOptions, Outcome, Progress, Report};
use futures::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a new namespace or kind has to become usable.
const SETTLING: Duration = Duration::from_secs(10);

/// Stages in which objects are sent.
const STAGES: usize = 4;

/// The stage of what has pods.
const RUNNING: usize = 2;

/// The stage of a kind: what gives others a place, what others refer to, what runs, what judges the rest.
fn stage(kind: &str) -> usize {
    match kind {
        "Namespace" | "CustomResourceDefinition" => 0,
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job"
        | "CronJob"
        | "Pod" => RUNNING,
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" | "APIService" => 3,
        _ => 1,
    }
}

impl Cluster {
    /// Applies exactly the objects of `plan`. Each result is told through `progress`; the report has every object of the
    /// plan, and the prunable ones when pruning was asked for. After a failure the others are still tried, but not when
    /// the cluster is lost, and nothing is pruned then.
    ///
    /// # Errors
    /// When the plan has conflicts that are not to be taken, or objects that the cluster refuses: nothing was written.
    pub async fn apply(
        &self,
        plan: &Plan,
        options: ApplyOptions,
        progress: impl Fn(Progress),
    ) -> Result<Report, ApplyError> {
        if let Some(refusal) = plan.refusal(options) {
            let overlay = plan.overlay.clone();
            return Err(ApplyError::Refused { overlay, refusal });
        }
        let leftovers: Vec<&Change> = plan
            .changes
            .iter()
            .filter(|change| matches!(change.kind, ChangeKind::Prunable { .. }) && options.prune)
            .collect();
        let sent = plan.objects.all();
        let mut tally = Tally {
            done: 0,
            total: sent.len() + leftovers.len(),
            outcomes: vec![None; sent.len()],
            progress: &progress,
        };
        let mut lost: Option<String> = None;
        for number in 0..STAGES {
            let members: Vec<usize> = (0..sent.len())
                .filter(|at| stage(&plan.changes[*at].object.kind) == number)
                .collect();
            let requests: Vec<_> = members
                .into_iter()
                .map(|at| {
                    let is_lost = lost.clone();
                    async move {
                        let answer = if let Some(why) = is_lost {
                            Ok(Outcome::Skipped(why))
                        } else {
                            let change = &plan.changes[at];
                            self.send_one(change, &sent[at], options.force).await
                        };
                        (at, answer)
                    }
                })
                .collect();
            let mut answers = stream::iter(requests).buffer_unordered(AT_ONCE);
            let mut lost_now = None;
            while let Some((at, answer)) = answers.next().await {
                let outcome = answer.unwrap_or_else(|error| {
                    lost_now.get_or_insert_with(|| format!("not tried: {error}"));
                    Outcome::Failed(error.to_string())
                });
                tally.note(at, plan.changes[at].object.clone(), outcome);
            }
            drop(answers);
            lost = lost.or(lost_now);
            if number == 0 && lost.is_none() {
                self.settle(plan, &tally.outcomes).await;
            }
        }
        let mut report = Report {
            overlay: plan.overlay.clone(),
            applied: tally.finished(plan),
            lost: lost.is_some(),
        };
        let is_whole = report.is_whole();
        for change in leftovers {
            let outcome = if is_whole {
                self.prune_one(change).await
            } else {
                Outcome::Skipped("not removed: something else failed".into())
            };
            let applied = Applied {
                object: change.object.clone(),
                outcome,
            };
            tally.tell(&applied);
            report.applied.push(applied);
        }
        Ok(report)
    }

    async fn kind_of(&self, reference: &ObjectRef) -> Result<Option<Kind>, Error> {
        let find =
            |kinds: &super::Kinds| kinds.find(&reference.api_version, &reference.kind).cloned();
        if let Some(kind) = find(&*self.kinds(false).await?) {
            return Ok(Some(kind));
        }
        Ok(find(&*self.kinds(true).await?))
    }

    /// Sends one object. An error means that the cluster is lost.
    async fn send_one(
        &self,
        change: &Change,
        object: &Value,
        force: bool,
    ) -> Result<Outcome, Error> {
        let reference = &change.object;
        let Some(kind) = self.kind_of(reference).await? else {
            return Ok(Outcome::Failed(format!(
                "the cluster has no kind {}",
                reference.kind
            )));
        };
        let asked = asked("apply", reference, &kind);
        let how = Apply {
            dry_run: false,
            force,
        };
        let answer = self
            .send_apply(&asked, reference, &kind, object, how)
            .await?;
        let owners = conflict::owners(&answer);
        if !owners.is_empty() {
            return Ok(Outcome::Failed(conflict::line(&owners)));
        }
        if answer.code >= 400 {
            return if answer.is_about_the_object() {
                Ok(Outcome::Failed(answer.message()))
            } else {
                Err(answer.error(&asked, self.label()))
            };
        }
        Ok(match (answer.code, &change.kind) {
            (201, _) => Outcome::Created,
            (_, ChangeKind::Same) => Outcome::Unchanged,
            _ => Outcome::Updated,
        })
    }

    /// Waits until new namespaces that get pods have their default account, and new kinds are served: what comes next
    /// needs them.
    async fn settle(&self, plan: &Plan, outcomes: &[Option<Outcome>]) {
        let until = Instant::now() + SETTLING;
        for (change, outcome) in plan.changes.iter().zip(outcomes) {
            if *outcome != Some(Outcome::Created) {
                continue;
            }
            let mut pause = Duration::from_millis(20);
            while Instant::now() < until && !self.is_usable(plan, &change.object).await {
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(500));
            }
        }
    }

    async fn is_usable(&self, plan: &Plan, new: &ObjectRef) -> bool {
        if new.kind == "Namespace" {
            let has_pods = plan.changes.iter().any(|change| {
                change.object.namespace.as_deref() == Some(&new.name)
                    && stage(&change.object.kind) == RUNNING
            });
            if !has_pods {
                return true;
            }
            let account = ObjectRef {
                api_version: "v1".into(),
                kind: "ServiceAccount".into(),
                namespace: Some(new.name.clone()),
                name: "default".into(),
            };
            let Ok(Some(kind)) = self.kind_of(&account).await else {
                return false;
            };
            let asked = asked("get", &account, &kind);
            return matches!(self.live(&asked, &account, &kind).await, Ok(answer) if answer.code == 200);
        }
        // Kinds that nothing of the overlay uses need no waiting for.
        let group = |object: &ObjectRef| object.group().to_owned();
        for change in plan
            .changes
            .iter()
            .filter(|c| new.name.ends_with(&format!(".{}", group(&c.object))))
        {
            if !matches!(self.kind_of(&change.object).await, Ok(Some(_))) {
                return false;
            }
        }
        true
    }

    async fn prune_one(&self, change: &Change) -> Outcome {
        let ChangeKind::Prunable { uid } = &change.kind else {
            return Outcome::Skipped("not left over".into());
        };
        let reference = &change.object;
        let kind = match self.kind_of(reference).await {
            Ok(Some(kind)) => kind,
            Ok(None) => return Outcome::Pruned,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let asked = asked("delete", reference, &kind);
        let body = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "propagationPolicy": "Background", "preconditions": {"uid": uid},
        });
        let request = http::Request::delete(path(reference, &kind))
            .header(http::header::CONTENT_TYPE, "application/json");
        match self
            .exchange(&asked, request, body.to_string().into_bytes())
            .await
        {
            Ok(answer) if answer.code < 400 || answer.code == 404 => Outcome::Pruned,
            Ok(answer) => Outcome::Failed(answer.message()),
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }
}

/// What is done so far.
struct Tally<'a, P> {
    done: usize,
    total: usize,
    outcomes: Vec<Option<Outcome>>,
    progress: &'a P,
}

impl<P: Fn(Progress)> Tally<'_, P> {
    fn note(&mut self, at: usize, object: ObjectRef, outcome: Outcome) {
        self.outcomes[at] = Some(outcome.clone());
        self.tell(&Applied { object, outcome });
    }

    fn tell(&mut self, applied: &Applied) {
        self.done += 1;
        (self.progress)(Progress {
            done: self.done,
            total: self.total,
            applied: applied.clone(),
        });
    }

    fn finished(&mut self, plan: &Plan) -> Vec<Applied> {
        let outcomes = std::mem::take(&mut self.outcomes);
        plan.changes
            .iter()
            .zip(outcomes)
            .map(|(change, outcome)| Applied {
                object: change.object.clone(),
                outcome: outcome.unwrap_or_else(|| Outcome::Skipped("not tried".into())),
            })
            .collect()
    }
}
