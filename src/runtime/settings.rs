//! Settings: read from and saved to their file, read from and pushed to the cluster.

use super::World;
use super::studio::{OpenError, Studio};
use crate::app::Msg;
use crate::app::settings::review::Obstacle;
use crate::app::settings::{Effect, Msg as SettingsMsg};
use crate::cluster::settings::PushError;
use crate::domain::settings::held::{Held, StoredChange};
use crate::domain::settings::push::{Push, Workload};
use crate::files::settings::{self, SaveError};
use std::path::PathBuf;

impl World {
    pub(super) fn perform_settings(&mut self, effect: Effect) {
        match effect {
            Effect::Reload { path } => self.read(async move {
                Msg::Settings(match settings::load(&path) {
                    Ok(layer) => SettingsMsg::Loaded(layer),
                    Err(error) => SettingsMsg::LoadFailed(error.to_string()),
                })
            }),
            Effect::Save { path, edits } => self.write(async move {
                let answer = match settings::save(&path, &edits) {
                    Ok(saved) => SettingsMsg::Saved {
                        layer: saved.layer,
                        edits,
                    },
                    Err(SaveError::Conflict { layer, .. }) => SettingsMsg::Conflicted(*layer),
                    Err(error) => SettingsMsg::SaveFailed(error.to_string()),
                };
                Some(Msg::Settings(answer))
            }),
            Effect::SaveCopy { path, copy, edits } => self.write(async move {
                let copy = below_home(copy);
                let saved = settings::save_copy(&path, &copy, &edits);
                let result = saved.map(|saved| saved.changed);
                Some(Msg::Settings(SettingsMsg::Copied {
                    copy,
                    result: result.map_err(|error| error.to_string()),
                }))
            }),
            Effect::Look => self.look_at_settings(),
            Effect::CheckPush { configmap, changes } => {
                let (cluster, push) = (
                    self.cluster.clone(),
                    self.push_of(&configmap, changes, false),
                );
                self.read(async move {
                    let result = cluster.push_settings(&push, true).await.map_err(obstacle);
                    Msg::Settings(SettingsMsg::Checked { configmap, result })
                });
            }
            Effect::Push {
                configmap,
                changes,
                force,
            } => self.push_settings(configmap, changes, force),
            Effect::PushToStudio { seen, changes } => self.push_to_studio(seen, changes),
            Effect::Restart { workloads } => {
                for workload in workloads {
                    self.restart(workload);
                }
            }
        }
    }

    fn look_at_settings(&mut self) {
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        let place = format!("{namespace} @ {}", self.target.badge());
        self.read(async move {
            let held = cluster.settings_maps(&namespace).await;
            let result = held.map_err(|error| error.to_string());
            Msg::Settings(SettingsMsg::Looked { place, result })
        });
        // A port-forward takes longer: the ConfigMaps do not wait for it.
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        self.read(async move {
            let held = Studio::rows_of_stack(&cluster, &namespace).await;
            let result = held.map_err(|error| error.to_string());
            Msg::Settings(SettingsMsg::LookedAtStudio(result))
        });
    }

    fn push_to_studio(&mut self, seen: Held, changes: Vec<StoredChange>) {
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        let now = self.now();
        self.write(async move {
            let pushed = async {
                let mut studio = Studio::of_stack(&cluster, &namespace).await?;
                let written = studio.database.write_settings(&seen, &changes, now).await;
                studio.database.close().await;
                written.map_err(OpenError::from)
            };
            let result = pushed.await.map_err(|error| error.to_string());
            Some(Msg::Settings(SettingsMsg::PushedToStudio {
                place: seen.name,
                count: changes.len(),
                result,
            }))
        });
    }

    fn push_of(&self, configmap: &str, changes: Vec<StoredChange>, force: bool) -> Push {
        Push {
            namespace: self.namespace.clone(),
            configmap: configmap.to_owned(),
            changes,
            force,
        }
    }

    fn push_settings(&mut self, configmap: String, changes: Vec<StoredChange>, force: bool) {
        let cluster = self.cluster.clone();
        let count = changes.len();
        let push = self.push_of(&configmap, changes, force);
        self.write(async move {
            let result = match cluster.push_settings(&push, false).await {
                // It is written: that nobody could be asked who reads it does not change that.
                Ok(_) => Ok(cluster
                    .readers_of(&push.namespace, &configmap)
                    .await
                    .unwrap_or_default()),
                Err(error) => Err(obstacle(error)),
            };
            Some(Msg::Settings(SettingsMsg::Pushed {
                configmap,
                count,
                result,
            }))
        });
    }

    /// Restarts one workload at once and follows it while the session lasts.
    fn restart(&mut self, workload: Workload) {
        let (cluster, namespace) = (self.cluster.clone(), self.namespace.clone());
        let (out, now) = (self.out.clone(), self.now());
        self.streams.spawn(async move {
            let (steps, mut told) = tokio::sync::mpsc::unbounded_channel();
            let following = async {
                let tell = move |step: &_| drop(steps.send(Clone::clone(step)));
                cluster.restart(&namespace, &workload, now).await?;
                cluster.follow_rollout(&namespace, &workload, tell).await
            };
            let say = |result| {
                let workload = workload.clone();
                out.send(Msg::Settings(SettingsMsg::Restarted { workload, result }))
            };
            let telling = async {
                while let Some(step) = told.recv().await {
                    let _ = say(Ok(step)).await;
                }
            };
            let (ended, ()) = tokio::join!(following, telling);
            if let Err(error) = ended {
                let _ = say(Err(error.to_string())).await;
            }
        });
    }
}

/// A path as a shell would have read it: `~/` is the home directory.
fn below_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path,
    }
}

fn obstacle(error: PushError) -> Obstacle {
    match error {
        PushError::Conflict { owners, .. } => Obstacle::Owned(owners),
        other => Obstacle::Other(other.to_string()),
    }
}
