//! Rules of Jobs.

use serde_json::Value;

use super::{immutable, not_negative, one_of, pods, text, workloads};
use crate::sandbox::status::Cause;

pub(super) fn check(job: &Value) -> Vec<Cause> {
    let spec = &job["spec"];
    let mut causes = generated_selector(job);
    let numbers = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "maxFailedIndexes",
    ];
    causes.extend(
        numbers
            .into_iter()
            .filter_map(|field| not_negative(spec, "spec", field)),
    );
    causes.extend(one_of(
        &spec["completionMode"],
        "spec.completionMode".to_owned(),
        &["NonIndexed", "Indexed"],
    ));
    causes.extend(one_of(
        &spec["podReplacementPolicy"],
        "spec.podReplacementPolicy".to_owned(),
        &["Failed", "TerminatingOrFailed"],
    ));
    if spec["completionMode"] == "Indexed" && spec["completions"].is_null() {
        causes.push(Cause::required(
            "spec.completions",
            "when completion mode is Indexed",
        ));
    }
    causes.extend(pods::check_template(&spec["template"], "spec.template"));
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if !matches!(text(policy), "OnFailure" | "Never") {
        // Its default, Always, is not for Jobs, so here it must be said.
        let path = "spec.template.spec.restartPolicy";
        causes.push(match text(policy) {
            "" | "Always" => Cause::required(path, "valid values: \"OnFailure\", \"Never\""),
            _ => Cause::unsupported(path, policy, &["OnFailure", "Never"]),
        });
    }
    if !workloads::selects(&spec["selector"], &spec["template"]["metadata"]["labels"]) {
        causes.push(workloads::does_not_match(
            &spec["template"]["metadata"]["labels"],
        ));
    }
    causes
}

/// The selector is the server's to make, unless the client took it over.
fn generated_selector(job: &Value) -> Vec<Cause> {
    let spec = &job["spec"];
    if spec["manualSelector"] == true || !spec.is_object() {
        return Vec::new();
    }
    let (uid, name) = (&job["metadata"]["uid"], &job["metadata"]["name"]);
    let labels = &spec["template"]["metadata"]["labels"];
    let wanted = [
        ("controller-uid", uid),
        ("batch.kubernetes.io/controller-uid", uid),
        ("job-name", name),
        ("batch.kubernetes.io/job-name", name),
    ];
    let mut causes: Vec<Cause> = wanted
        .into_iter()
        .filter(|(label, value)| labels[*label] != **value)
        .map(|(label, value)| {
            let path = format!("spec.template.metadata.labels[{label}]");
            Cause::invalid(path, labels, format!("must be '{}'", text(value)))
        })
        .collect();
    let only = serde_json::json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
    if spec["selector"] != only {
        causes.push(Cause::invalid(
            "spec.selector",
            &spec["selector"],
            "`selector` not auto-generated",
        ));
    }
    causes
}

/// Whether a new Job was given no labels, so that it has those that the server makes.
pub(super) fn has_no_labels_of_its_own(job: &Value) -> bool {
    let labels = job["metadata"]["labels"].as_object();
    labels.into_iter().flatten().all(|(name, _)| {
        let name = name.trim_start_matches("batch.kubernetes.io/");
        matches!(name, "controller-uid" | "job-name")
    })
}

pub(super) fn check_change(old: &Value, new: &Value) -> Vec<Cause> {
    let (old_spec, new_spec) = (&old["spec"], &new["spec"]);
    // An elastic Indexed Job may change its size, completions and parallelism together.
    let elastic = new_spec["completionMode"] == "Indexed"
        && new_spec["completions"] == new_spec["parallelism"];
    // A suspended Job that never started may still be told where to run.
    let startable = old_spec["suspend"] == true && old["status"]["startTime"].is_null();
    let mut causes = Vec::new();
    if !elastic {
        causes.extend(immutable(old_spec, new_spec, "spec", "completions"));
    }
    causes.extend(immutable(old_spec, new_spec, "spec", "selector"));
    if template(old_spec, startable) != template(new_spec, startable) {
        causes.extend(immutable(old_spec, new_spec, "spec", "template"));
    }
    let rest = [
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    ];
    causes.extend(
        rest.into_iter()
            .filter_map(|field| immutable(old_spec, new_spec, "spec", field)),
    );
    causes
}

fn template(spec: &Value, startable: bool) -> Value {
    let mut template = spec["template"].clone();
    if startable {
        for field in ["nodeSelector", "affinity", "tolerations", "schedulingGates"] {
            template["spec"]
                .as_object_mut()
                .map(|fields| fields.remove(field));
        }
        for field in ["labels", "annotations"] {
            template["metadata"]
                .as_object_mut()
                .map(|fields| fields.remove(field));
        }
    }
    template
}
