//! How a Job and its pods know each other.

use serde_json::{Value, json};

use super::TRACKING;
use crate::sandbox::object::{controller, meta, owners, put, uid};

/// The Job that controls a pod.
pub(super) struct Owner<'a> {
    pub(super) uid: &'a str,
    pub(super) name: &'a str,
}

/// The Job that a pod belongs to.
pub(super) fn job_of(pod: &Value) -> Option<Owner<'_>> {
    let uid = controller(pod)?;
    let owner = owners(pod).find(|owner| owner["uid"] == uid && owner["kind"] == "Job")?;
    Some(Owner {
        uid,
        name: owner["name"].as_str()?,
    })
}

/// A new pod of a Job, with everything but its name.
pub(super) fn pod(job: &Value) -> Value {
    let template = &job["spec"]["template"];
    let mut labels = template["metadata"]["labels"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    for (label, value) in [
        ("batch.kubernetes.io/controller-uid", uid(job)),
        ("batch.kubernetes.io/job-name", meta(job, "name")),
        ("controller-uid", uid(job)),
        ("job-name", meta(job, "name")),
    ] {
        labels.entry(label).or_insert_with(|| value.into());
    }
    let mut pod = json!({
        "metadata": {
            "generateName": format!("{}-", meta(job, "name")),
            "namespace": meta(job, "namespace"),
            "labels": labels,
            "finalizers": [TRACKING],
            "ownerReferences": [{
                "apiVersion": "batch/v1", "kind": "Job", "name": meta(job, "name"), "uid": uid(job),
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": template["spec"],
    });
    put(
        &mut pod["metadata"],
        "annotations",
        template["metadata"]["annotations"].clone(),
    );
    pod
}
