//! How a run's state and verdict are said: glyph, word and tone, in this order of importance.

use super::text;
use super::theme::{Theme, Tone};
use crate::app::runs::cancel::Cancel;
use crate::domain::runs::{Dispatch, Phase, Removal, RemovedBy, Run};
use crate::domain::verdict::{Kubernetes, Verdict};
use crate::sanitize::sanitize;
use jiff::Timestamp;
use ratatui::text::Span;

/// Something said in glyph, word and tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) glyph: &'static str,
    pub(crate) word: String,
    pub(crate) tone: Tone,
    /// Stands before all of it, where no narrow column cuts it off: there is another opinion.
    doubted: Option<&'static str>,
}

impl Said {
    fn new(glyph: &'static str, word: impl Into<String>, tone: Tone) -> Self {
        Self {
            glyph,
            word: word.into(),
            tone,
            doubted: None,
        }
    }

    /// Glyph and word.
    pub(crate) fn text(&self) -> String {
        match (self.glyph, self.doubted.unwrap_or_default()) {
            ("", "") => self.word.clone(),
            (glyph, doubted) => format!("{doubted}{glyph} {}", self.word),
        }
    }

    /// Glyph and word in their colour.
    pub(crate) fn span(&self, theme: &Theme) -> Span<'static> {
        Span::styled(self.text(), theme.tone(self.tone))
    }
}

/// Waiting reasons that will not go away by waiting.
fn is_stuck(reason: &str) -> bool {
    !matches!(
        reason,
        "" | "ContainerCreating" | "PodInitializing" | "Pulling" | "Scheduled" | "Pulled"
    )
}

/// Where the run is in its life.
pub(crate) fn state(run: &Run, theme: &Theme) -> Said {
    let glyphs = theme.glyphs();
    match run.phase {
        Phase::Dispatching => Said::new(glyphs.pending, "dispatching", Tone::Busy),
        Phase::NotDispatched => Said::new(glyphs.bad, "not dispatched", Tone::Bad),
        Phase::Queued | Phase::Pending => {
            let reason = sanitize(&run.reason.word);
            let word = match (&run.phase, reason.as_ref()) {
                (Phase::Queued, "") => "queued",
                (_, "") => "pending",
                // Kubernetes' words for nothing out of the ordinary are no news.
                (_, "ContainerCreating" | "PodInitializing") => "starting",
                (_, reason) => reason,
            };
            let tone = if is_stuck(&reason) {
                Tone::Warning
            } else {
                Tone::Busy
            };
            Said::new(glyphs.pending, word, tone)
        }
        Phase::Running | Phase::Started => Said::new(glyphs.running, "running", Tone::Busy),
        Phase::Retained => retained(run, theme),
        Phase::Deleting => Said::new(glyphs.removed, "deleting", Tone::Warning),
        Phase::Removed => {
            let by = match run.removal.map(|removal| removal.by) {
                Some(RemovedBy::Ttl) => "removed (TTL)",
                Some(RemovedBy::You) => "removed (you)",
                Some(RemovedBy::SomeoneElse) => "removed (early)",
                Some(RemovedBy::Unobserved) => "removed (unseen)",
                None => "removed",
            };
            let tone = match run.removal.map(|removal| removal.by) {
                Some(RemovedBy::SomeoneElse) => Tone::Warning,
                _ => Tone::Muted,
            };
            Said::new(glyphs.removed, by, tone)
        }
    }
}

fn retained(run: &Run, theme: &Theme) -> Said {
    let glyphs = theme.glyphs();
    match run.verdict {
        Verdict::Success => Said::new(glyphs.retained, "retained", Tone::Good),
        Verdict::Failed | Verdict::NotDispatched => Said::new(glyphs.bad, "failed", Tone::Bad),
        Verdict::Timeout => Said::new(glyphs.bad, "timed out", Tone::Bad),
        Verdict::Cancelled => Said::new(glyphs.cancelled, "cancelled", Tone::Warning),
        Verdict::Uncertain => Said::new(glyphs.uncertain, "uncertain", Tone::Uncertain),
        Verdict::Gone => Said::new(glyphs.uncertain, "not seen", Tone::Uncertain),
        Verdict::Pending => Said::new(glyphs.pending, "collecting log", Tone::Busy),
    }
}

/// A run that was asked to end and has not yet.
pub(crate) fn ending(
    cancel: Option<&Cancel>,
    run: &Run,
    now: Timestamp,
    theme: &Theme,
) -> Option<Said> {
    let living = matches!(
        run.phase,
        Phase::Queued | Phase::Pending | Phase::Running | Phase::Started
    );
    let cancel = cancel.filter(|cancel| living && !cancel.is_over())?;
    let word = match cancel.left(now).map(|left| left.as_secs()) {
        None => "ending".to_owned(),
        Some(0) => "grace is over".to_owned(),
        Some(left) => format!("ending, {left} s"),
    };
    Some(Said::new(theme.glyphs().cancelled, word, Tone::Warning))
}

/// What came of it; a failure says how, as short as it can.
pub(crate) fn verdict(run: &Run, theme: &Theme) -> Said {
    let glyphs = theme.glyphs();
    let mut said = match run.verdict {
        Verdict::Pending => return Said::new("", glyphs.ellipsis, Tone::Muted),
        Verdict::Success => Said::new(glyphs.good, "success", Tone::Good),
        Verdict::Failed => Said::new(glyphs.bad, failure(run), Tone::Bad),
        Verdict::Cancelled => Said::new(glyphs.cancelled, "cancelled", Tone::Warning),
        Verdict::Timeout => Said::new(glyphs.bad, "timeout", Tone::Bad),
        Verdict::NotDispatched => Said::new(glyphs.bad, "not sent", Tone::Bad),
        Verdict::Uncertain => Said::new(glyphs.uncertain, "uncertain", Tone::Uncertain),
        Verdict::Gone => Said::new(glyphs.uncertain, "not seen", Tone::Uncertain),
    };
    if run.disagreement.is_some() {
        said.doubted = Some(glyphs.warning);
    }
    said
}

/// What came of it in a whole word, where there is room to say how beside it.
pub(crate) fn outcome(run: &Run, theme: &Theme) -> Said {
    match run.verdict {
        Verdict::Pending => state(run, theme),
        Verdict::Failed => Said::new(theme.glyphs().bad, "failed", Tone::Bad),
        Verdict::NotDispatched => Said::new(theme.glyphs().bad, "not dispatched", Tone::Bad),
        Verdict::Gone => Said::new(theme.glyphs().uncertain, "not seen", Tone::Uncertain),
        _ => verdict(run, theme),
    }
}

fn failure(run: &Run) -> String {
    if let Some(result) = &run.executor {
        return match result.status.as_str() {
            "failed" => format!("exit {}", result.exit_code),
            // It said so, and what it printed does not hold (contract 5.7).
            "success" => "bad result".into(),
            other => sanitize(other).into_owned(),
        };
    }
    let word = sanitize(&run.reason.word);
    if !word.is_empty() {
        return word.into_owned();
    }
    match run.pod.as_ref().and_then(|pod| pod.exit) {
        Some(exit) => format!("exit {exit}"),
        None => "failed".into(),
    }
}

/// Kubernetes' verdict in a word.
pub(crate) fn kubernetes(verdict: Kubernetes) -> &'static str {
    match verdict {
        Kubernetes::Pending => "pending",
        Kubernetes::Running => "running",
        Kubernetes::Complete => "complete",
        Kubernetes::Failed => "failed",
        Kubernetes::Gone => "gone",
    }
}

/// The dispatch status in a word (contract 2.1).
pub(crate) fn dispatch(run: &Run) -> &'static str {
    match run.dispatch {
        Dispatch::DispatchPending => "pending",
        Dispatch::DispatchSubmitted => "submitted",
        Dispatch::DispatchConfirmed => "confirmed",
        Dispatch::DispatchFailed => "failed",
    }
}

/// Who removed it, as a sentence's end.
pub(crate) fn removed_by(removal: Removal) -> &'static str {
    match removal.by {
        RemovedBy::Ttl => "by its TTL, when it was due",
        RemovedBy::You => "by you",
        RemovedBy::SomeoneElse => "by somebody else, before it was due",
        RemovedBy::Unobserved => "while nobody here watched",
    }
}

/// How long its container ran, or has run.
pub(crate) fn took(run: &Run, now: Timestamp) -> Option<String> {
    let started = run.marks.started?;
    let ended = run
        .marks
        .ended
        .or(run.finished_at)
        .or(run.removal.map(|removal| removal.at))
        .unwrap_or(now);
    Some(text::took(text::between(started, ended)))
}

/// The sample's name; the node of a run that Studio started.
pub(crate) fn sample(run: &Run) -> String {
    match (&run.sample, run.ours, run.node_id) {
        (Some(name), ..) => sanitize(name).into_owned(),
        (None, true, _) => "sample".into(),
        (None, false, Some(node)) => format!("studio node {node}"),
        (None, false, None) => "studio".into(),
    }
}
