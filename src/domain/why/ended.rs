//! What to type after a run that did not succeed.

use super::{Place, waiting};
use crate::domain::contract::ExecutorResult;
use crate::domain::runs::{Ran, Reason, Run};
use crate::domain::verdict::{Verdict, by_the_node};

/// Longest execution time-out (contract 3.1), in seconds.
const LONGEST: i64 = 86_400;

/// The command for the end of a run.
pub(super) fn fix(place: &Place) -> Option<String> {
    let run = place.run;
    match run.verdict {
        Verdict::Pending | Verdict::Success => None,
        Verdict::NotDispatched => refused(place),
        // Nothing is wrong with it: somebody wanted it.
        Verdict::Cancelled if !run.uncertain && !by_the_node(&run.reason) => place.again(""),
        Verdict::Timeout if never_ran(run) => hindrance(place),
        Verdict::Timeout => Some(more_time(place)),
        Verdict::Failed if run.executor.is_none() => hindrance(place),
        Verdict::Failed => run.executor.as_ref().map(|result| failed(place, result)),
        Verdict::Cancelled | Verdict::Uncertain | Verdict::Gone => Some(uncertain(place)),
    }
}

/// It never ran: what kept it from running is what has to be mended.
fn hindrance(place: &Place) -> Option<String> {
    let run = place.run;
    let waited = run
        .pod
        .as_ref()
        .map(|pod| &pod.waited)
        .filter(|reason| !reason.is_empty());
    let warned = run.events.iter().rev().find(|event| {
        event.level == "Warning" && !matches!(event.reason.as_str(), "DeadlineExceeded" | "BackOff")
    });
    let warned = warned.map(|event| Reason::new(&event.reason, &event.message));
    let reason = waited.or(warned.as_ref()).unwrap_or(&run.reason);
    match reason.word.as_str() {
        "" | "DeadlineExceeded" | "BackoffLimitExceeded" | "Failed" => Some(place.describe_pod()),
        _ => waiting::fix(place, reason),
    }
}

/// The API server took nothing: what its refusal names.
fn refused(place: &Place) -> Option<String> {
    let refusal = place.run.refusal.as_deref()?.to_lowercase();
    let missing = refusal.contains("not found") || refusal.contains("does not exist");
    if refusal.contains("namespace") && missing || refusal.contains("service account") {
        return Some(place.own("overlays apply executor"));
    }
    if refusal.contains("quota") {
        return Some(place.kubectl("describe resourcequota"));
    }
    if refusal.contains("forbidden") || refusal.contains("not allowed") {
        return Some(place.kubectl("auth can-i create jobs"));
    }
    place.again("")
}

/// Twice of what it had, in whole minutes.
fn more_time(place: &Place) -> String {
    let run = place.run;
    let end = run.marks.ended.or(run.finished_at);
    let took = run
        .marks
        .started
        .zip(end)
        .map_or(0, |(from, to)| to.duration_since(from).as_secs());
    let longer = (took * 2 / 60 + 1).saturating_mul(60).clamp(60, LONGEST);
    place
        .again(&format!("--timeout {longer}"))
        .unwrap_or_else(|| place.own(&format!("settings set execution_timeout_seconds {longer}")))
}

fn failed(place: &Place, result: &ExecutorResult) -> String {
    let (code, message) = result.error().unwrap_or_default();
    if message.contains("No module named") && !result.is_command() {
        return place.own("settings set k8s_live_code_enabled true");
    }
    let broken = place
        .run
        .checks()
        .iter()
        .any(|check| check.broken.is_some());
    if broken || code == "validation_error" {
        return place.runs("show") + " -o json";
    }
    place.runs("logs")
}

/// Something may have happened: look before running it again.
fn uncertain(place: &Place) -> String {
    let run = place.run;
    match run.reason.word.as_str() {
        _ if by_the_node(&run.reason) => place.describe_node(),
        // The limit of an executor is fixed (W25): what it was, and what else the pod held, is on the pod.
        "OOMKilled" | "StartError" | "ContainerCannotRun" => place.describe_pod(),
        _ if run.malformed.is_some() => place.runs("logs") + " --grep LLMCTL_EXECUTOR_RESULT_JSON",
        _ => place.runs("logs"),
    }
}

fn never_ran(run: &Run) -> bool {
    run.marker_at.is_none() && run.pod.as_ref().is_some_and(|pod| pod.ran == Ran::No)
}
