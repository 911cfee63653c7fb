//! Restarting what reads the settings, and following it until it is ready.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::domain::settings::push::Workload;
use crate::runtime::World;

/// Restarts the workloads and follows them to the end; progress goes to standard error.
///
/// # Errors
/// When a restart is refused.
pub(super) async fn all(world: &World, workloads: &[Workload]) -> Result<Exit, Failure> {
    let (cluster, namespace) = (world.cluster(), world.namespace());
    for workload in workloads {
        cluster.restart(namespace, workload, world.now()).await?;
    }
    let mut exit = Exit::Ok;
    for workload in workloads {
        let told = |rollout: &_| output::progress(&format!("{workload}: {rollout}"));
        let ended = cluster.follow_rollout(namespace, workload, told).await?;
        if ended.stuck.is_some() {
            exit = Exit::Failed;
        } else if !ended.done {
            exit = Exit::TimedOut;
        }
    }
    Ok(exit)
}
