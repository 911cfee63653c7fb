//! What the output contract says of a run's result, by the type of the node that was to run (contract 5.7).

use super::Run;
use crate::domain::contract::checks::Check;
use crate::domain::identity;
use crate::domain::nodes::TYPES;
use crate::domain::payload::NodeRequest;

/// Passes through a node that are looked through.
const PASSES: u64 = 100;

impl Run {
    /// The rules that apply to its result, held or broken; none without a result.
    pub fn checks(&self) -> Vec<Check> {
        let Some(result) = &self.executor else {
            return Vec::new();
        };
        result.checks(self.asked_type())
    }

    /// The type of the node that was to run: the name of a Job holds a hash of it (contract 4.1).
    fn asked_type(&self) -> Option<&'static str> {
        let (_, rest) = self.job.split_once("-task-")?;
        let request = NodeRequest {
            node_id: self.node_id?,
            execution_id: self.execution?,
            execution_task_id: rest.split('-').next()?.parse().ok(),
            ..NodeRequest::default()
        };
        let made = |name: &str, pass: u64| {
            let request = NodeRequest {
                node_type: name.to_owned(),
                execution_index: pass,
                ..request.clone()
            };
            identity::job_name(&request) == self.job
        };
        (1..=PASSES)
            .find_map(|pass| TYPES.iter().find(|kind| made(kind.name, pass)))
            .map(|kind| kind.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contract::ExecutorResult;
    use crate::domain::runs::RunId;
    use jiff::Timestamp;

    #[test]
    fn the_name_of_a_job_tells_the_type_of_its_node() {
        for (kind, pass, task) in [("plan", 1, None), ("llm_call", 7, Some(222))] {
            let request = NodeRequest {
                node_id: 12,
                node_type: kind.into(),
                execution_id: 111,
                execution_task_id: task,
                execution_index: pass,
                ..NodeRequest::default()
            };
            let job = identity::job_name(&request);
            let mut run = Run::new(RunId("u".into()), &job, "llmctl", Timestamp::UNIX_EPOCH);
            assert_eq!(run.asked_type(), None, "it needs its labels");
            (run.node_id, run.execution) = (Some(12), Some(111));
            assert_eq!(run.asked_type(), Some(kind));
            run.executor = ExecutorResult::parse(
                r#"{"status": "success", "output_state": {"node_type": "Task"}, "routing_state": {},
                    "provider_metadata": {"execution_mode": "node_execution"}}"#,
            )
            .ok();
            let checks = run.checks();
            let violation = checks.iter().find_map(Check::violation).unwrap();
            assert_eq!(
                violation,
                format!("output_state.node_type must be {kind}, which was to run, it is \"Task\"")
            );
        }
        let other = Run::new(
            RunId("u".into()),
            "by-hand",
            "llmctl",
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(other.asked_type(), None);
    }
}
