//! The table of types.

use super::{Field, NodeType, Reference, Shape};

const fn must(name: &'static str, shape: Shape, example: &'static str) -> Field {
    Field {
        name,
        shape,
        required: true,
        example,
    }
}

const fn may(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: false,
        example: "null",
    }
}

const fn id_of(what: &'static str, required: bool) -> Reference {
    Reference { what, required }
}

const ID: Shape = Shape::Whole(1, u64::MAX);
const RETRIES: Shape = Shape::Whole(0, 5);

macro_rules! types {
    ($($name:literal $summary:literal needs $needs:literal, $reference:expr, [$($field:expr),* $(,)?];)*) => {
        &[$(NodeType { name: $name, summary: $summary, needs: $needs, reference: $reference, fields: &[$($field),*] }),*]
    };
}

/// Nine types of flowcharts, then three that only an executor runs.
#[rustfmt::skip]
pub const TYPES: &[NodeType] = types! {
    "start" "begins a flowchart and says so" needs "the backend's code", None, [];
    "end" "ends a flowchart" needs "the backend's code", None, [];
    "flowchart" "starts another flowchart" needs "the database and a Celery broker", Some(id_of("flowchart id", true)), [];
    "task" "lets a model work on a prompt" needs "a node row, a model and its provider's credentials", None, [
        must("task_prompt", Shape::Text, r#""Say hello.""#),
        may("agent_id", ID),
    ];
    "plan" "changes a plan" needs "a node row and a plan row", Some(id_of("plan id", false)), [
        must("mode", Shape::Choice(&["llm_guided", "deterministic"]), r#""deterministic""#),
        must("store_mode", Shape::Choice(&["append", "replace", "update"]), r#""update""#),
        may("patch", Shape::Object), may("additive_prompt", Shape::Text),
        may("retry_count", RETRIES), may("fallback_enabled", Shape::Flag),
    ];
    "milestone" "changes a milestone" needs "a node row and a milestone row", Some(id_of("milestone id", false)), [
        must("action", Shape::Choice(&["create_or_update", "mark_complete"]), r#""mark_complete""#),
        may("patch", Shape::Object), may("terminate_always", Shape::Flag), may("terminate_on_complete", Shape::Flag),
        may("loop_exit_after_runs", Shape::Whole(0, u64::MAX)),
    ];
    "memory" "stores or finds memories" needs "a node row", Some(id_of("memory id", false)), [
        may("action", Shape::Choice(&["", "add", "retrieve"])),
        may("mode", Shape::Choice(&["", "llm_guided", "deterministic"])),
        may("text", Shape::Text),
        may("retry_count", RETRIES), may("fallback_enabled", Shape::Flag),
    ];
    "decision" "chooses the way on by conditions" needs "an idempotency record in the database", None, [
        may("decision_conditions", Shape::List), may("route_field_path", Shape::Text),
    ];
    "rag" "indexes collections or answers from them" needs "Chroma and a provider", None, [
        must("mode", Shape::Choice(&["fresh_index", "delta_index", "query"]), r#""fresh_index""#),
        must("collections", Shape::List, r#"["docs"]"#),
        may("question_prompt", Shape::Text), may("top_k", Shape::Whole(1, 20)), may("model_provider", Shape::Text),
    ];
    "agent_task" "runs a stored task of an agent" needs "the task's row", None, [
        may("agent_task_id", ID),
    ];
    "llm_call" "asks a model once" needs "its provider's credentials", None, [
        must("provider", Shape::Text, r#""codex""#),
        may("prompt", Shape::Text), may("system_prompt", Shape::Text),
        may("mcp_configs", Shape::Object), may("model_config", Shape::Object),
    ];
    "rag_chat_completion" "answers a conversation" needs "its provider's credentials", None, [
        must("messages", Shape::List, r#"[{"role": "user", "content": "Hello"}]"#),
    ];
};
