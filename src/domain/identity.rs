//! Names of the Kubernetes objects of a run (contract 2.3, 4.1).

use super::payload::NodeRequest;
use sha1::{Digest, Sha1};
use std::fmt::Write as _;

/// Longest name of an object whose name becomes a label value or a host name.
pub const NAME_MAX: usize = 63;

/// Makes text a DNS label of at most 63 characters, as contract 4.1 does it, but for ASCII only.
///
/// The Python side keeps letters such as `ü`, which the API server then refuses; here they become `-`. Names of a run never
/// contain such letters (they are made of numbers and hex digits), so that both sides still build the same names.
pub fn sanitise(text: &str) -> String {
    let dashed: String = text
        .trim()
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let name = dashed.trim_matches('-');
    let name = &name[..name.len().min(NAME_MAX)];
    match name.trim_end_matches('-') {
        "" => "llmctl-executor".to_owned(),
        name => name.to_owned(),
    }
}

/// The text whose SHA-1 makes the name of a run unique (contract 4.1).
pub fn hash_material(request: &NodeRequest) -> String {
    let task = task(request, "None");
    format!(
        "{}|{}|{}|{task}|{}",
        request.node_type, request.node_id, request.execution_id, request.execution_index
    )
}

/// Name of the Job: the same request gives the same name.
pub fn job_name(request: &NodeRequest) -> String {
    let digest = Sha1::digest(hash_material(request).as_bytes());
    let mut suffix = String::with_capacity(10);
    for byte in digest.iter().take(5) {
        let _ = write!(suffix, "{byte:02x}"); // writing to a String cannot fail
    }
    sanitise(&format!(
        "llmctl-exec-{}-{}-task-{}-{suffix}",
        request.node_id,
        request.execution_id,
        task(request, "none")
    ))
}

/// Name of the ConfigMap that holds the payload of a Job; long names lose their end.
pub fn configmap_name(job: &str) -> String {
    sanitise(&format!("{job}-payload"))
}

/// Directory in the pod that a node works in.
pub fn runtime_root(request: &NodeRequest) -> String {
    let name = sanitise(&format!(
        "exec-{}-idx-{}-task-{}",
        request.execution_id.max(1),
        request.execution_index.max(1),
        task(request, "none")
    ));
    format!("/tmp/llmctl/runtime/{name}")
}

/// `kubernetes:<namespace>/<job>` (contract 2.3).
pub fn dispatch_id(namespace: &str, job: &str) -> String {
    format!("kubernetes:{namespace}/{job}")
}

/// Whether text is a dispatch id: `kubernetes:`, an alphanumeric, then at most 511 of `A-Z a-z 0-9 _ . : / -` (contract 2.3).
/// Empty text means "not dispatched" and is none.
pub fn is_dispatch_id(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("kubernetes:") else {
        return false;
    };
    rest.len() <= 512
        && rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        && rest
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.:/-".contains(c))
}

/// Namespace and name of the Job of a dispatch id; migrated ids such as `kubernetes:legacy-7` have no Job.
pub fn job_of_dispatch(id: &str) -> Option<(&str, &str)> {
    is_dispatch_id(id).then_some(())?;
    id.split_once(':')?.1.split_once('/')
}

fn task(request: &NodeRequest, none: &str) -> String {
    request
        .execution_task_id
        .map_or_else(|| none.to_owned(), |id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn fixture() -> Value {
        serde_json::from_str(include_str!("../../tests/it/fixtures/job-identity.json")).unwrap()
    }

    fn request(value: &Value) -> NodeRequest {
        NodeRequest {
            node_id: value["node_id"].as_u64().unwrap(),
            node_type: value["node_type"].as_str().unwrap().to_owned(),
            execution_id: value["execution_id"].as_u64().unwrap(),
            execution_task_id: value["execution_task_id"].as_u64(),
            execution_index: value["execution_index"].as_u64().unwrap(),
            ..NodeRequest::default()
        }
    }

    #[test]
    fn names_are_those_of_the_python_dispatcher() {
        let fixture = fixture();
        let cases = fixture["names"].as_array().unwrap();
        assert_eq!(cases.len(), 7);
        for case in cases {
            let request = request(&case["request"]);
            let job = job_name(&request);
            assert_eq!(case["hash_material"], hash_material(&request));
            assert_eq!(case["job_name"], job);
            assert_eq!(case["configmap_name"], configmap_name(&job));
            assert_eq!(case["runtime_root"], runtime_root(&request));
            let id = dispatch_id("llmctl", &job);
            assert_eq!(case["dispatch_id"], id);
            assert!(is_dispatch_id(&id));
            assert_eq!(job_of_dispatch(&id), Some(("llmctl", job.as_str())));
        }
    }

    #[test]
    fn sanitising_follows_the_table_but_for_letters_outside_ascii() {
        let fixture = fixture();
        let cases = fixture["sanitise"].as_array().unwrap();
        assert_eq!(cases.len(), 6);
        for case in cases {
            let text = case["in"].as_str().unwrap();
            // Python's isalnum() keeps `ü` and `ï`, and no Kubernetes name may hold them: we give a name that can be created.
            let expected = if text.is_ascii() {
                case["out"].as_str().unwrap()
            } else {
                "n-code-1"
            };
            assert_eq!(sanitise(text), expected, "{text:?}");
        }
    }

    #[test]
    fn dispatch_ids_are_told_from_other_text() {
        for (text, yes) in [
            (
                "kubernetes:llmctl/llmctl-exec-1-2-task-none-0000000000",
                true,
            ),
            ("kubernetes:legacy-7", true),
            ("kubernetes:", false),
            ("kubernetes:-x", false),
            ("kubernetes:a b", false),
            ("Kubernetes:a", false),
            ("docker:0123", false),
            ("", false),
        ] {
            assert_eq!(is_dispatch_id(text), yes, "{text}");
        }
        assert!(is_dispatch_id(&format!("kubernetes:{}", "a".repeat(512))));
        assert!(!is_dispatch_id(&format!("kubernetes:{}", "a".repeat(513))));
        assert_eq!(job_of_dispatch("kubernetes:legacy-7"), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_in_a_name_comes_out(text in "\\PC{0,90}") {
            let name = sanitise(&text);
            prop_assert!((1..=NAME_MAX).contains(&name.len()));
            prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!name.starts_with('-') && !name.ends_with('-'));
            prop_assert_eq!(sanitise(&name), name);
        }
    }
}
