//! The timeline tab: what came of the run and why, its phases on a scale of time, and the facts about its objects.

use super::super::runs::removal;
use super::super::theme::{Theme, Tone};
use super::super::{gauge, pane, said, text};
use super::bars;
use crate::app::State;
use crate::app::limits::Limits;
use crate::app::runs::cancel::Cancel;
use crate::domain::cancel::CancelStep;
use crate::domain::runs::{Phase, Run, Step, Stretch, usual};
use crate::domain::settings::key::Key;
use crate::domain::verdict::Verdict;
use crate::domain::why::Why;
use crate::sanitize::sanitize;
use jiff::{SignedDuration, Timestamp};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

const LABEL: usize = 11;

/// Draws the tab, scrolled to `detail_top`.
pub(super) fn draw(
    state: &State,
    run: &Run,
    theme: &Theme,
    limits: &mut Limits,
    frame: &mut Frame,
    area: Rect,
) {
    let room = usize::from(area.width);
    let mut lines = verdict(state, run, room, theme);
    let (timed, kept): (Vec<Stretch>, Vec<Stretch>) = run
        .timeline
        .iter()
        .partition(|stretch| stretch.step != Step::Retained);
    let bars = bars::lines(&timed, state.now, room, theme);
    if !bars.is_empty() {
        lines.push(Line::default());
        lines.extend(bars);
        lines.extend(compared(state, run, room, theme));
    }
    if let Some(kept) = kept.first() {
        lines.push(retention(run, kept, state.now, theme));
    }
    lines.push(Line::default());
    lines.extend(facts(state, run, room, theme));
    limits.detail = pane::page(frame, theme, area, &lines, state.runs.detail_top);
}

fn verdict(state: &State, run: &Run, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let dot = || Span::styled(format!(" {} ", theme.glyphs().dot), theme.muted());
    let said = said::outcome(run, theme);
    let word = Span::styled(
        said.text(),
        theme.tone(said.tone).add_modifier(Modifier::BOLD),
    );
    let executor = run.executor.as_ref().map_or_else(
        || {
            let still = run.verdict == Verdict::Pending;
            if still { "no result yet" } else { "no result" }.to_owned()
        },
        |result| format!("{} (exit {})", sanitize(&result.status), result.exit_code),
    );
    let mut first = vec![
        word,
        Span::raw("   "),
        Span::styled("Kubernetes ", theme.muted()),
        Span::raw(said::kubernetes(run.kubernetes)),
        dot(),
        Span::styled("executor ", theme.muted()),
        Span::raw(executor),
    ];
    if run.uncertain && run.verdict != Verdict::Uncertain {
        first.push(dot());
        first.push(Span::styled("uncertain", theme.tone(Tone::Uncertain)));
    }
    let mut lines = vec![pane::cut(Line::from(first), room, theme.glyphs().ellipsis)];
    let mut add = |sentence: &str, glyph: &str, tone: Tone| {
        for (n, part) in text::wrap(&sanitize(sentence), room.saturating_sub(2))
            .into_iter()
            .enumerate()
        {
            let lead = if n == 0 { glyph } else { " " };
            lines.push(Line::from(vec![
                Span::styled(format!("{lead} "), theme.tone(tone)),
                Span::raw(part),
            ]));
        }
    };
    let why = Why::of(run, &state.target, state.now);
    if !why.sentence.is_empty() {
        add(&why.sentence, " ", Tone::Plain);
    }
    if let Some(line) = &why.last_line {
        add(
            &format!("last line: {line}"),
            theme.glyphs().info,
            Tone::Muted,
        );
    }
    if let Some(fix) = &why.fix {
        add(&format!("$ {fix}"), theme.glyphs().mark, Tone::Accent);
    }
    // That the only attempt was the last one says nothing beside the executor's own account.
    let is_news = run.executor.is_none() || run.reason.word != "BackoffLimitExceeded";
    if is_news && !run.reason.message.is_empty() && !run.why.contains(&run.reason.message) {
        let glyph = theme.glyphs().info;
        add(
            &format!("{}: {}", run.reason.word, run.reason.message),
            glyph,
            Tone::Muted,
        );
    }
    if let Some(sentence) = &run.disagreement {
        add(sentence, theme.glyphs().warning, Tone::Warning);
    }
    if let Some(cancel) = state.runs.cancel_of(&run.id) {
        lines.extend(cancelled(cancel, state.now, room, theme));
    }
    lines
}

/// The steps of a cancel, and what is left of the grace.
fn cancelled(cancel: &Cancel, now: Timestamp, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let tone = |step: &CancelStep| match step {
        step if step.is_failure() => Tone::Bad,
        CancelStep::GraceOver { .. } | CancelStep::Forced { .. } => Tone::Warning,
        _ => Tone::Plain,
    };
    let label = |n: usize| {
        let word = if n == 0 { "cancel" } else { "" };
        Span::styled(text::pad(word, LABEL, ""), theme.tone(Tone::Warning))
    };
    if cancel.steps.is_empty() {
        lines.push(Line::from(vec![
            label(0),
            Span::raw("its pods are being looked for"),
        ]));
    }
    for (n, (at, step)) in cancel.steps.iter().enumerate() {
        let clock = format!("{} ", theme.clock(*at));
        let width = room.saturating_sub(LABEL + text::columns(&clock));
        for (part, words) in text::wrap(&sanitize(&step.to_string()), width)
            .into_iter()
            .enumerate()
        {
            let (first, clock) = if part == 0 {
                (label(n), clock.clone())
            } else {
                (label(1), " ".repeat(text::columns(&clock)))
            };
            lines.push(Line::from(vec![
                first,
                Span::styled(clock, theme.muted()),
                Span::styled(words, theme.tone(tone(step))),
            ]));
        }
    }
    if let Some(left) = cancel.left(now) {
        let grace = SignedDuration::from_secs(i64::from(cancel.grace()));
        let then = if cancel.plan.force {
            "then it is removed by force"
        } else {
            "removing it by force is switched off"
        };
        let words = if left.is_zero() {
            format!(" the grace is over: waiting for the node's word; {then}")
        } else {
            format!(" {} s of {} s left; {then}", left.as_secs(), cancel.grace())
        };
        lines.push(pane::cut(
            Line::from(vec![
                label(1),
                gauge::left(left, grace, 10, theme),
                Span::styled(words, theme.tone(Tone::Warning)),
            ]),
            room,
            theme.glyphs().ellipsis,
        ));
    }
    lines
}

/// The slowest phase beside what is usual for the sample, which the session and the history tell.
fn compared(state: &State, run: &Run, room: usize, theme: &Theme) -> Option<Line<'static>> {
    let slowest = run
        .timeline
        .get(usual::slowest(&run.timeline, state.now)?)?;
    let step = slowest.step;
    let lasts = slowest.to.is_none();
    let took = if lasts {
        text::between(slowest.from, state.now)
    } else {
        usual::length(&run.timeline, step)?
    };
    let usual = state.runs.all.usual(run);
    let usual = usual.iter().find(|usual| usual.step == step)?;
    let sample = run.sample.as_deref().unwrap_or_default();
    let (took, median) = (took.as_secs_f64(), usual.median.as_secs_f64());
    let (factor, tone) = match took / median {
        by if by >= 1.5 => (format!("{by:.1} times "), Tone::Warning),
        // It is not over: how it will compare is not known.
        _ if lasts => return None,
        by if by <= 0.67 => ("quicker than ".to_owned(), Tone::Good),
        _ => ("about ".to_owned(), Tone::Muted),
    };
    let words = format!(
        "{}: {factor}the median {} of {} of {sample}",
        bars::word(step),
        text::took(usual.median),
        text::count(usual.runs, "earlier run"),
    );
    let words = text::fit(
        &sanitize(&words),
        room.saturating_sub(LABEL),
        theme.glyphs().ellipsis,
    );
    Some(Line::from(vec![
        Span::raw(" ".repeat(LABEL)),
        Span::styled(words, theme.tone(tone)),
    ]))
}

/// The retained phase: far longer than the others, so it has a gauge of its own.
fn retention(run: &Run, kept: &Stretch, now: Timestamp, theme: &Theme) -> Line<'static> {
    let label = Span::styled(
        text::pad(bars::word(Step::Retained), LABEL, ""),
        theme.plain(),
    );
    if let Some(gone) = run.removal {
        let kept = text::took(text::between(kept.from, gone.at));
        return Line::from(vec![
            label,
            Span::raw(format!(
                "{kept}, then removed at {} ",
                theme.moment(gone.at, now)
            )),
            Span::raw(said::removed_by(gone)),
        ]);
    }
    let (Some(ttl), Some(due)) = (run.ttl, run.expires_at()) else {
        return Line::from(vec![
            label,
            Span::styled(
                "the Job has no TTL: it stays until somebody removes it",
                theme.tone(Tone::Warning),
            ),
        ]);
    };
    if run.phase == Phase::Deleting {
        return Line::from(vec![
            label,
            Span::styled("being removed now", theme.tone(Tone::Warning)),
        ]);
    }
    let whole = SignedDuration::from_secs(i64::from(ttl.0));
    let left = due.duration_since(now);
    let mut spans = vec![label, gauge::left(left, whole, 20, theme), Span::raw(" ")];
    spans.extend(removal(run, now, 0, theme).spans);
    let clock = theme.moment(due, now);
    spans.push(Span::styled(
        format!(" of {} left, until {clock}", text::took(whole)),
        theme.muted(),
    ));
    Line::from(spans)
}

/// The settings of a run that differ from run to run, in one line.
fn told(used: &serde_json::Map<String, serde_json::Value>) -> String {
    let said = [
        (Key::DispatchTimeoutSeconds, "dispatch", " s"),
        (Key::ExecutionTimeoutSeconds, "execution", " s"),
        (Key::CancelGraceTimeoutSeconds, "grace", " s"),
        (Key::K8sGpuLimit, "GPU", ""),
    ];
    let one = |(key, word, unit): (Key, &str, &str)| {
        let value = match used.get(key.name())? {
            serde_json::Value::String(text) if text.is_empty() => return None,
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(format!("{word} {value}{unit}"))
    };
    let words: Vec<String> = said.into_iter().filter_map(one).collect();
    words.join(", ")
}

/// What the start marker waits for; how long it may, when this session dispatched the run.
fn awaited(state: &State, run: &Run) -> String {
    let left = state.runs.all.gives_up_at(&run.id);
    let left = left.map_or_else(String::new, |at| {
        let left = text::countdown(text::between(state.now, at));
        format!("; given up in {left} if none does")
    });
    format!("not yet: no container runs{left}")
}

fn facts(state: &State, run: &Run, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut facts: Vec<(&str, String)> = Vec::new();
    let marker = match (run.marker_at.zip(run.to_marker()), &run.phase) {
        (Some((at, took)), _) => format!(
            "{}, {} after the Job was accepted",
            theme.moment_millis(at, state.now),
            text::took(took)
        ),
        (None, Phase::Dispatching | Phase::Queued | Phase::Pending) => awaited(state, run),
        (None, Phase::Running) => {
            "not seen yet: the container runs, the executor has not said so".into()
        }
        (None, Phase::Started) => "seen; its time is not known".into(),
        (None, _) => "never seen".into(),
    };
    facts.push(("marker", marker));
    if let Some(used) = &run.settings {
        facts.push(("settings", told(used)));
    }
    if let Some(pod) = &run.pod {
        let exit = match (pod.exit, pod.signal) {
            (_, Some(signal)) if signal != 0 => format!("   ended by signal {signal}"),
            (Some(exit), _) => format!("   exit {exit}"),
            _ => String::new(),
        };
        let gone = if pod.gone { "   gone" } else { "" };
        facts.push(("pod", format!("{}{exit}{gone}", pod.name)));
        if !pod.node.is_empty() {
            facts.push(("node", pod.node.clone()));
        }
    }
    facts.push(("image", run.image.clone()));
    if let Some(pod) = run.pod.as_ref().filter(|pod| !pod.image_id.is_empty()) {
        facts.push(("image id", pod.image_id.clone()));
    }
    facts.push(("job", format!("{}/{}", run.namespace, run.job)));
    let known = if run.uncertain {
        ", its outcome is not known"
    } else {
        ""
    };
    facts.push(("dispatch", format!("{}{known}", said::dispatch(run))));
    let by = if run.ours {
        "llmctl-dev".to_owned()
    } else {
        let node = run
            .node_id
            .map_or_else(String::new, |id| format!(", node {id}"));
        format!("Studio{node}")
    };
    facts.push(("made by", by));
    if let Some(ttl) = run.ttl {
        let kept = if run.kept {
            "; kept: Studio's pruner passes it by"
        } else {
            ""
        };
        facts.push(("TTL", format!("{} s after the finish{kept}", ttl.0)));
    }
    facts
        .into_iter()
        .map(|(label, value)| {
            let value = sanitize(&value);
            let value =
                text::fit_middle(&value, room.saturating_sub(LABEL), theme.glyphs().ellipsis);
            Line::from(vec![
                Span::styled(text::pad(label, LABEL, ""), theme.muted()),
                Span::raw(value),
            ])
        })
        .collect()
}
