//! Runs as text.

use crate::domain::contract::checks::Check;
use crate::domain::orphans::{Orphan, size};
use crate::domain::runs::compare::Section;
use crate::domain::runs::usual::{self, Usual};
use crate::domain::runs::{Phase, RemovedBy, Run, Step};
use crate::domain::target::Target;
use crate::domain::verdict::Verdict;
use crate::domain::why::Why;
use crate::sanitize::sanitize;
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr as _;

/// The state of a run in one or two words.
pub(super) fn state(run: &Run) -> String {
    let word = match &run.phase {
        Phase::Dispatching => "dispatching",
        Phase::NotDispatched => "not dispatched",
        Phase::Queued | Phase::Pending if !run.reason.word.is_empty() => &run.reason.word,
        Phase::Queued => "queued",
        Phase::Pending => "pending",
        Phase::Running => "running",
        Phase::Started => "started",
        Phase::Retained => "retained",
        Phase::Deleting => "deleting",
        Phase::Removed => match run.removal.map(|removal| removal.by) {
            Some(RemovedBy::Ttl) => "removed (TTL)",
            Some(RemovedBy::You) => "removed (you)",
            Some(RemovedBy::SomeoneElse) => "removed (early)",
            Some(RemovedBy::Unobserved) => "removed (unseen)",
            None => "removed",
        },
    };
    word.to_owned()
}

/// The verdict; a dash while there is none.
fn verdict(run: &Run) -> String {
    match run.verdict {
        Verdict::Pending => "-".to_owned(),
        verdict => verdict.words(),
    }
}

/// One line about a run as it is at `now`.
pub fn sentence(run: &Run, now: Timestamp) -> String {
    let mut line = format!(
        "run {} {}: {}",
        run.label(),
        run.sample.as_deref().unwrap_or(&run.job),
        state(run)
    );
    if run.verdict != Verdict::Pending {
        let _ = write!(line, ", {}", verdict(run));
    }
    if let Some(took) = run.took(now) {
        let _ = write!(line, ", took {}", seconds(took));
    }
    if let (Some(at), None) = (run.expires_at(), run.removal) {
        let left = at.duration_since(now).as_secs().max(0);
        let kept = if run.kept { "kept, " } else { "" };
        let _ = write!(line, ", {kept}removed in {left} s");
    }
    if !run.why.is_empty() {
        let _ = write!(line, " - {}", run.why);
    }
    sanitize(&line).into_owned()
}

/// The list, newest first.
pub(super) fn table<'a>(runs: impl Iterator<Item = &'a Run>, now: Timestamp) -> String {
    let head = [
        "RUN",
        "SAMPLE",
        "STATE",
        "VERDICT",
        "AGE",
        "TOOK",
        "REMOVED IN",
        "JOB",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(runs.map(|run| {
        [
            run.label(),
            run.sample.clone().unwrap_or_else(|| "(studio)".into()),
            state(run),
            verdict(run),
            age(now.duration_since(run.created)),
            run.took(now).map_or("-".into(), seconds),
            match (run.expires_at(), run.removal) {
                (Some(at), None) if run.kept => {
                    format!("{} (kept)", age(at.duration_since(now)))
                }
                (Some(at), None) => age(at.duration_since(now)),
                _ => "-".into(),
            },
            run.job.clone(),
        ]
        .map(|cell| sanitize(&cell).into_owned())
    }));
    if rows.len() == 1 {
        return "no runs yet; `llmctl-dev run hello` starts one\n".into();
    }
    aligned(&rows)
}

/// Two runs side by side, what differs marked.
pub(super) fn comparison(left: &Run, right: &Run, sections: &[Section]) -> String {
    let mut text = String::new();
    for (n, section) in sections.iter().enumerate() {
        let mut rows = Vec::new();
        if n == 0 {
            let names = [
                section.name.to_owned(),
                left.label(),
                right.label(),
                String::new(),
            ];
            rows.push(names.map(|cell| sanitize(&cell).into_owned()));
        } else {
            text.push('\n');
            rows.push([section.name, "", "", ""].map(str::to_owned));
        }
        rows.extend(section.rows.iter().map(|row| {
            let cell = |value: &str| {
                let value = sanitize(value).replace('\n', " ");
                let mut cut: String = value.chars().take(60).collect();
                if cut.len() < value.len() {
                    cut.push('…');
                }
                if cut.is_empty() { "-".to_owned() } else { cut }
            };
            let differs = if row.is_same() { "" } else { "≠" };
            let name = format!("  {}", sanitize(&row.name));
            [name, cell(&row.left), cell(&row.right), differs.to_owned()]
        }));
        text.push_str(&aligned(&rows));
    }
    text
}

/// What runs left behind.
pub(super) fn orphans(orphans: &[Orphan], namespace: &str, now: Timestamp) -> String {
    if orphans.is_empty() {
        return format!(
            "nothing is left over in namespace {}\n",
            sanitize(namespace)
        );
    }
    let mut rows = vec![["KIND", "NAME", "AGE", "SIZE", "WHY"].map(str::to_owned)];
    rows.extend(orphans.iter().map(|one| {
        [
            one.kind.to_string(),
            one.name.clone(),
            age(now.duration_since(one.created)),
            size(one.bytes),
            one.why.sentence().to_owned(),
        ]
        .map(|cell| sanitize(&cell).into_owned())
    }));
    aligned(&rows)
}

fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: Vec<usize> = (0..N)
        .map(|column| {
            rows.iter()
                .map(|row| row[column].width())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width + 2 - cell.width()));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Seconds with one digit behind the point: runs of less than one are common.
fn seconds(duration: SignedDuration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}

fn age(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Everything about one run.
pub(super) fn detail(run: &Run, usual: &[Usual], target: &Target, now: Timestamp) -> String {
    let mut text = format!("{}\n\n", sentence(run, now));
    let why = Why::of(run, target, now);
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<12} {}", sanitize(value));
        }
    };
    row("job", &format!("{}/{}", run.namespace, run.job));
    row("uid", &run.id.0);
    row("image", &run.image);
    if let Some(pod) = &run.pod {
        row("pod", &pod.name);
        row("node", &pod.node);
    }
    row(
        "kubernetes",
        &format!("{:?}", run.kubernetes).to_lowercase(),
    );
    if let Some(result) = &run.executor {
        row(
            "executor",
            &format!("{}, exit {}", result.status, result.exit_code),
        );
    }
    row("verdict", &verdict(run));
    row("why", &why.sentence);
    row("last line", why.last_line.as_deref().unwrap_or_default());
    row("then", why.fix.as_deref().unwrap_or_default());
    row("disagrees", run.disagreement.as_deref().unwrap_or_default());
    row(
        "log",
        &format!(
            "{} lines, {} bytes",
            run.log.total(),
            run.log.summary().bytes
        ),
    );
    if let Some(at) = run.finished_at {
        row("finished", &at.to_string());
    }
    if let Some(removal) = run.removal {
        row(
            "removed",
            &format!("{} by {}", removal.at, remover(removal.by)),
        );
    }
    if !run.timeline.is_empty() {
        text.push_str("\ntimeline\n");
        let slowest = usual::slowest(&run.timeline, now);
        for (at, stretch) in run.timeline.iter().enumerate() {
            let seconds = stretch.to.unwrap_or(now).duration_since(stretch.from);
            let _ = write!(
                text,
                "  {:<11} {:>9.1} s  from {}",
                step(stretch.step),
                seconds.as_secs_f64(),
                stretch.from
            );
            if let Some(usual) = usual.iter().find(|usual| usual.step == stretch.step) {
                let (median, runs) = (usual.median.as_secs_f64(), usual.runs);
                let _ = write!(text, "  median {median:.1} s of {runs}");
            }
            text.push_str(if slowest == Some(at) {
                "  slowest\n"
            } else {
                "\n"
            });
        }
    }
    let checks = run.checks();
    let broken: Vec<String> = checks.iter().filter_map(Check::violation).collect();
    if !broken.is_empty() {
        text.push_str("\nbroken rules of the output contract\n");
        for line in broken {
            let _ = writeln!(text, "  {}", sanitize(&line));
        }
    }
    if !run.events.is_empty() {
        text.push_str("\nevents\n");
        for event in &run.events {
            let line = format!(
                "{} {} {}/{}: {}",
                event.last, event.reason, event.kind, event.name, event.message
            );
            let _ = writeln!(text, "  {}", sanitize(&line));
        }
    }
    text
}

fn remover(by: RemovedBy) -> &'static str {
    match by {
        RemovedBy::Ttl => "the TTL, when it was due",
        RemovedBy::You => "you",
        RemovedBy::SomeoneElse => "somebody else, before it was due",
        RemovedBy::Unobserved => "nobody knows whom: it went while nobody watched",
    }
}

fn step(step: Step) -> &'static str {
    match step {
        Step::Queued => "queued",
        Step::Pulling => "pulling",
        Step::Starting => "starting",
        Step::Running => "running",
        Step::Collecting => "collecting",
        Step::Retained => "retained",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_for_people() {
        let table = [
            (403, "0.4s"),
            (2_002, "2.0s"),
            (61_960, "62.0s"),
            (1, "0.0s"),
        ];
        for (milliseconds, text) in table {
            assert_eq!(seconds(SignedDuration::from_millis(milliseconds)), text);
        }
        assert_eq!(age(SignedDuration::from_secs(3_725)), "1h2m");
    }
}
