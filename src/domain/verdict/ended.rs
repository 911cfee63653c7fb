//! The verdict over a run that has ended (contract 2.6, 2.7).

use super::waiting::{brief, explain, never_ran};
use super::{Judgement, Kubernetes, Verdict, by_the_node};
use crate::domain::contract::ExecutorResult;
use crate::domain::contract::checks::Check;
use crate::domain::runs::{Dispatch, Ran, Reason, Run};
use jiff::SignedDuration;

pub(super) fn judge(run: &Run) -> Judgement {
    let reason = reason(run);
    let mut judgement = match (&run.refusal, &run.executor) {
        (Some(refusal), None) if run.pod.as_ref().is_none_or(|pod| pod.ran != Ran::Yes) => of(
            Verdict::NotDispatched,
            false,
            Dispatch::DispatchFailed,
            refusal.clone(),
        ),
        (_, Some(result)) => by_result(run, result, &reason),
        (_, None) => without_result(run, &reason),
    };
    judgement.disagreement = run
        .executor
        .as_ref()
        .and_then(|result| disagreement(run, result, &reason));
    judgement.reason = reason;
    judgement
}

fn of(verdict: Verdict, uncertain: bool, dispatch: Dispatch, why: String) -> Judgement {
    Judgement {
        verdict,
        uncertain,
        dispatch,
        reason: Reason::default(),
        why,
        disagreement: None,
    }
}

/// What the pod says goes before what the Job says: `BackoffLimitExceeded` hides `OOMKilled`, `Evicted` and `DeadlineExceeded` (W11).
fn reason(run: &Run) -> Reason {
    let empty = Reason::default();
    let (own, waited) = run
        .pod
        .as_ref()
        .map_or((&empty, &empty), |pod| (&pod.reason, &pod.waited));
    let says_nothing = |reason: &Reason| {
        matches!(
            reason.word.as_str(),
            "" | "Error" | "Completed" | "ContainerStatusUnknown" | "ContainerCreating"
        )
    };
    if !says_nothing(own) {
        own.clone()
    } else if run.kubernetes == Kubernetes::Complete {
        empty
    } else if never_ran(run) && !waited.is_empty() {
        waited.clone()
    } else if !run.job_reason.is_empty() {
        run.job_reason.clone()
    } else {
        own.clone()
    }
}

/// An executor that printed a result was there, whatever else happened.
fn by_result(run: &Run, result: &ExecutorResult, reason: &Reason) -> Judgement {
    let confirmed = Dispatch::DispatchConfirmed;
    let started = run.marker_at.is_some();
    match result.status.as_str() {
        "success" => success(run, result, reason),
        // A deadline ends the pod with SIGTERM, which the executor reports as a cancellation: the cause is the time.
        "cancelled" if is_deadline(run) => of(
            Verdict::Timeout,
            false,
            confirmed,
            format!(
                "The run was stopped by its deadline ({}): give it a longer time-out.",
                reason.word
            ),
        ),
        "cancelled" => of(
            Verdict::Cancelled,
            false,
            confirmed,
            match run.cancel_asked {
                Some(_) => {
                    "Cancelled as you asked; the executor ended its work and said so.".into()
                }
                None if by_the_node(reason) => format!(
                    "The node ended the pod ({}: {}); the executor ended its work and said so.",
                    reason.word,
                    brief(&reason.message)
                ),
                None => format!("Cancelled by somebody else: {}.", message(result)),
            },
        ),
        "timeout" => of(
            Verdict::Timeout,
            false,
            confirmed,
            format!("{}.", message(result)),
        ),
        "dispatch_uncertain" => of(
            Verdict::Uncertain,
            true,
            Dispatch::DispatchFailed,
            format!(
                "The executor itself does not know the outcome: {}.",
                message(result)
            ),
        ),
        // No marker, but a result: the payload was refused before anything ran, and its message is the truth (W8). Any other status
        // is a failure and final (2.7, rule 5).
        _ => {
            let (code, _) = result.error().unwrap_or_default();
            let (message, exit) = (message(result), result.exit_code.to_string());
            let why = if message.contains("No module named") && !result.is_command() {
                // Both images come without the backend's code (W36).
                format!(
                    "{message}: the image lacks it; switch live code on in the settings, or use an image that has it."
                )
            } else if !started && code == "validation_error" {
                format!("The executor refused the payload: {message}.")
            } else if message.contains(&exit) {
                format!("{message}.")
            } else {
                format!("{message} (exit {exit}).")
            };
            of(Verdict::Failed, false, confirmed, why)
        }
    }
}

/// A success is one only with its start marker before it and its output in order (2.7, rule 1).
fn success(run: &Run, result: &ExecutorResult, reason: &Reason) -> Judgement {
    if run.marker_at.is_none() {
        // Also when the payload itself switched the markers off, as the sample `silent` does: the contract makes no difference, and
        // Studio calls it uncertain too.
        let because = if result.is_silent() {
            "the payload switched the start marker off"
        } else {
            "no start marker came before it"
        };
        return of(
            Verdict::Uncertain,
            true,
            Dispatch::DispatchFailed,
            format!(
                "The executor reports success, but {because}: without it nothing is proven. Check what it did before running it again."
            ),
        );
    }
    let checks = run.checks();
    let violations: Vec<String> = checks.iter().filter_map(Check::violation).collect();
    if !violations.is_empty() {
        return of(
            Verdict::Failed,
            false,
            Dispatch::DispatchConfirmed,
            format!("The node reports success, but {}.", violations.join("; ")),
        );
    }
    // The process said success and then did not end as one that succeeds: something killed it, or the line was not its own.
    let exit = run.pod.as_ref().and_then(|pod| pod.exit);
    if run.kubernetes == Kubernetes::Failed && exit != Some(0) {
        return of(
            Verdict::Uncertain,
            true,
            Dispatch::DispatchConfirmed,
            format!(
                "The executor reports success, but Kubernetes saw the Job fail ({}): read the log before believing either.",
                word(reason)
            ),
        );
    }
    of(
        Verdict::Success,
        false,
        Dispatch::DispatchConfirmed,
        "The executor reports success.".into(),
    )
}

/// Every end without a result leaves the outcome unknown (2.7, extension), unless somebody saw that nothing ever ran.
fn without_result(run: &Run, reason: &Reason) -> Judgement {
    let idle = never_ran(run);
    let uncertain = !idle;
    let dispatch = if run.marker_at.is_some() {
        Dispatch::DispatchConfirmed
    } else {
        Dispatch::DispatchFailed
    };
    let tail = if uncertain {
        " What it did until then is not known: check before running it again."
    } else {
        " Nothing ran."
    };
    let gone = run.kubernetes == Kubernetes::Gone;
    if was_cancelled(run) && run.kubernetes != Kubernetes::Complete {
        let exit = run.pod.as_ref().and_then(|pod| pod.exit);
        let (verdict, how) = match exit {
            _ if idle => (Verdict::Cancelled, "Cancelled as you asked.".to_owned()),
            Some(137) => (
                Verdict::Cancelled,
                "Cancelled as you asked; it did not end by itself and was killed (exit code 137), without a result.".into(),
            ),
            Some(exit) => (
                Verdict::Cancelled,
                format!("Cancelled as you asked; it ended with exit code {exit}, without a result."),
            ),
            // Contract 6.2 e: whether it ended at all is not known.
            None => (
                Verdict::Uncertain,
                "It was asked to end, but its end was not observed and no result came.".into(),
            ),
        };
        return of(verdict, uncertain, dispatch, format!("{how}{tail}"));
    }
    if run.gave_up.is_some() && !gone && run.kubernetes != Kubernetes::Complete {
        return of(
            Verdict::Timeout,
            uncertain,
            dispatch,
            not_started(run, reason, tail),
        );
    }
    if gone {
        let why = format!("The Job was removed before anybody saw its outcome.{tail}");
        return of(Verdict::Gone, uncertain, dispatch, why);
    }
    if run.kubernetes == Kubernetes::Failed && is_deadline(run) {
        let why = if idle && is_waiting(reason) {
            format!(
                "The deadline passed before it could start. {}",
                explain(reason, run)
            )
        } else {
            format!("The run was stopped by its deadline.{tail}")
        };
        return of(Verdict::Timeout, uncertain, dispatch, why);
    }
    if idle {
        // The cause stands at the end of what the runtime says.
        let cause = reason.message.trim_end_matches(": unknown");
        let cause = cause
            .rsplit_once("process: ")
            .map_or_else(|| brief(cause), |(_, last)| brief(last));
        let cause = if cause.is_empty() {
            word(reason).to_owned()
        } else {
            format!("{}: {cause}", word(reason))
        };
        let what = if run.pod.is_some() {
            "The pod ended before its container ran"
        } else {
            "The Job ended before a pod was made"
        };
        let why = format!("{what} ({cause}).{tail}");
        return of(Verdict::Failed, false, dispatch, why);
    }
    of(Verdict::Uncertain, true, dispatch, lost(run, reason))
}

/// Its dispatch clock ran out: within which time, and what it waited for.
fn not_started(run: &Run, reason: &Reason, tail: &str) -> String {
    let within = run
        .settings
        .as_ref()
        .and_then(|used| used.get("dispatch_timeout_seconds")?.as_u64())
        .map_or_else(String::new, |seconds| format!(" of {seconds} s"));
    let cause = match reason.word.as_str() {
        "" | "BackoffLimitExceeded" | "DeadlineExceeded" => String::new(),
        _ => format!(" {}", explain(reason, run)),
    };
    format!("It did not start within its dispatch time-out{within} and was given up.{cause}{tail}")
}

/// Why there is no result although something may have run.
fn lost(run: &Run, reason: &Reason) -> String {
    let step = "check what it did before running it again";
    if let Some(malformed) = &run.malformed {
        return format!("A result was printed that cannot be used, for {malformed}: {step}.");
    }
    if run.kubernetes == Kubernetes::Complete {
        return format!(
            "Kubernetes reports success, but no result of the executor was read: {step}."
        );
    }
    let what = match reason.word.as_str() {
        "OOMKilled" => "The container used more memory than its limit and was killed".to_owned(),
        "Evicted" => format!("The node evicted the pod ({})", brief(&reason.message)),
        _ => match run.pod.as_ref().and_then(|pod| pod.exit) {
            // Not every runtime tells which of its processes the kernel's memory killer took.
            Some(137) => "The container was killed (SIGKILL, exit code 137; too much memory is the usual cause)".to_owned(),
            Some(exit) => format!(
                "The container ended with exit code {exit} ({})",
                word(reason)
            ),
            None => format!("The pod ended ({})", word(reason)),
        },
    };
    format!("{what} without a result: {step}.")
}

fn disagreement(run: &Run, result: &ExecutorResult, reason: &Reason) -> Option<String> {
    match (run.kubernetes, result.is_success()) {
        (Kubernetes::Complete, false) => Some(format!(
            "Kubernetes: complete; executor: {}.",
            result.status
        )),
        (Kubernetes::Failed, true) => Some(format!(
            "Kubernetes: failed ({}); executor: success.",
            word(reason)
        )),
        _ => None,
    }
}

/// The error message of a result as the beginning of a sentence.
fn message(result: &ExecutorResult) -> String {
    match result.error() {
        Some((_, message)) if !message.trim().is_empty() => brief(message),
        _ => format!("The executor reports {}", result.status),
    }
}

fn word(reason: &Reason) -> &str {
    if reason.is_empty() {
        "no reason given"
    } else {
        &reason.word
    }
}

/// Pod or Job was active for longer than it may be.
fn is_deadline(run: &Run) -> bool {
    let deadline = |reason: &Reason| reason.word == "DeadlineExceeded";
    deadline(&run.job_reason) || run.pod.as_ref().is_some_and(|pod| deadline(&pod.reason))
}

fn is_waiting(reason: &Reason) -> bool {
    reason.word != "DeadlineExceeded" && !reason.is_empty()
}

/// The end was asked for while the run was not over; the finish time has whole seconds.
fn was_cancelled(run: &Run) -> bool {
    run.cancel_asked.is_some_and(|asked| {
        run.finished_at
            .is_none_or(|finished| asked < finished + SignedDuration::from_secs(1))
    })
}
