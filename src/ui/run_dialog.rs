//! The dialog that starts a sample run, and the preview of what it would create.
//!
//! ```text
//! ╭ Run a sample ────────────────────────────────────────── 1 of 9 ╮
//! │ ▸ hello       prints three lines and succeeds                  │
//! │   slow        prints a line a second                           │
//! │                                                                │
//! │ Runs      command · execution 209 · index 1                    │
//! │ Checks    ✓ namespace  ✓ node  ! image  ✓ GPU 0 of 0           │
//! │           image: no node tells of … yet: …                     │
//! │ Timeout   [1800 ] s    TTL   [60 ] s    GPU   [0 ]             │
//! │ Image     [llmctl-executor-frontier:0.1.0  ]  Class ‹as asked› │
//! │ Env       [NAME=value                                        ] │
//! ╰ enter start  p preview  f fields  esc close ───────────────────╯
//! ```

mod checks;
mod editor;
mod fields;
mod form;

use super::detail::yaml_lines;
use super::layout::{self, middle};
use super::pane::{self, Pane};
use super::theme::{Theme, Tone};
use super::{Scroll, text};
use crate::app::State;
use crate::app::action::Context;
use crate::app::runs::Slice;
use crate::app::runs::dialog::Spot;
use crate::domain::payload::own::Own;
use crate::domain::samples::Sample;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Rows below the list of samples: a blank one, two of facts, the checks, three of fields, the problem.
const BELOW: u16 = 7 + checks::ROWS;
const LABEL: usize = 11;
/// Columns of the names in the list.
const NAME: usize = 24;

/// Draws the dialog over `area`.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let runs = &state.runs;
    let samples = u16::try_from(runs.offers()).unwrap_or(u16::MAX);
    let rows = samples.clamp(1, 12) + BELOW + 2;
    let place = middle(area, area.width.saturating_sub(4).min(92), rows);
    let count = format!(
        "{} of {}",
        (runs.dialog.sample + 1).min(runs.offers()),
        runs.offers()
    );
    let inside = Pane::dialog(theme, "Run a sample", state.runs.dialog_context())
        .count([Span::raw(count)])
        .draw(frame, place);
    let inside = pane::padded(inside);
    let list = Rect {
        height: inside.height.saturating_sub(BELOW).max(1),
        ..inside
    };
    draw_samples(runs, theme, scroll, frame, list);
    let below = Rect {
        y: list.bottom().min(inside.bottom()),
        height: inside.height.saturating_sub(list.height),
        ..inside
    };
    draw_choice(state, theme, frame, below);
    if let Some(editor) = &runs.dialog.editor {
        let name = runs.offered(runs.dialog.sample);
        let name = name.as_ref().map_or("", |sample| sample.name.as_str());
        editor::draw(editor, name, &mut scroll.payload, theme, frame, area);
    }
    if let Some(form) = &runs.dialog.form {
        form::draw(form, theme, frame, area);
    }
    if let Some(yaml) = &runs.dialog.preview {
        let top = runs.dialog.preview_top;
        scroll.limits.preview = draw_preview(yaml, top, theme, frame, area);
    }
}

fn draw_samples(runs: &Slice, theme: &Theme, scroll: &mut Scroll, frame: &mut Frame, list: Rect) {
    let dialog = &runs.dialog;
    let focused = dialog.spot == Spot::Sample;
    let height = usize::from(list.height);
    scroll.samples = layout::top_for(scroll.samples, dialog.sample, runs.offers(), height);
    let offers = (0..runs.offers()).filter_map(|at| Some((at, runs.offered(at)?)));
    let visible = offers.skip(scroll.samples);
    let glyphs = theme.glyphs();
    for ((at, sample), y) in visible.zip(list.top()..list.bottom()) {
        let place = Rect {
            y,
            height: 1,
            ..list
        };
        let selected = at == dialog.sample;
        let mark = if selected { glyphs.mark } else { " " };
        // The types after the samples are told from samples of such a name.
        let name = match &sample.node {
            _ if runs.cloned(at).is_some() => {
                let of = runs.cloned(at).map_or("", |cloned| &cloned.of);
                format!("run {} once more", sanitize(of))
            }
            Some(node) if at >= runs.samples.len() => format!("node {}", node.kind),
            _ => sanitize(&sample.name).into_owned(),
        };
        let name = text::pad(&name, NAME, glyphs.ellipsis);
        let room = usize::from(list.width).saturating_sub(NAME + 3);
        let summary = text::fit(&sanitize(&sample.summary), room, glyphs.ellipsis);
        let line = Line::from(vec![
            Span::raw(format!("{mark} ")),
            Span::styled(name, theme.strong()),
            Span::raw(" "),
            Span::raw(summary),
        ]);
        frame.render_widget(line, place);
        if selected {
            frame.buffer_mut().set_style(place, theme.selected(focused));
        }
    }
    // The thumb stands on the border, one blank column away.
    let bar = Rect {
        width: list.width + 1,
        ..list
    };
    pane::scrollbar(theme, frame, bar, scroll.samples, runs.offers());
}

fn draw_choice(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let runs = &state.runs;
    let dialog = &runs.dialog;
    let glyphs = theme.glyphs();
    let Some(sample) = runs.offered(dialog.sample) else {
        return;
    };
    let sample = dialog.own.as_ref().map_or(&*sample, |own| own.sample());
    let room = usize::from(area.width);
    let fact = |label: &str, value: String| {
        let value = text::fit_middle(&value, room.saturating_sub(LABEL), glyphs.ellipsis);
        Line::from(vec![
            Span::styled(text::pad(label, LABEL, ""), theme.muted()),
            Span::raw(value),
        ])
    };
    let dot = glyphs.dot;
    let numbers = dialog.own.as_ref().map(Own::numbers).unwrap_or_default();
    let as_it_was = runs
        .cloned(dialog.sample)
        .is_some_and(|cloned| Some(&cloned.asked.payload) == dialog.own.as_ref());
    let edited = if as_it_was {
        format!(" {dot} payload as it was")
    } else if dialog.own.is_some() {
        format!(" {dot} payload edited")
    } else {
        String::new()
    };
    let runs_line = format!(
        "{} {dot} execution {} {dot} index {}{edited}",
        kind(sample),
        numbers.execution.unwrap_or(dialog.execution),
        dialog.index.or(numbers.index).unwrap_or(1),
    );
    let place = format!("{} @ {}", state.namespace, state.target.badge());
    let mut lines = vec![
        Line::default(),
        fact("Runs", runs_line),
        fact("In", sanitize(&place).into_owned()),
    ];
    let label = Span::styled(text::pad("Checks", LABEL, ""), theme.muted());
    lines.extend(checks::lines(dialog.preflight.as_ref(), label, room, theme));
    for (line, y) in lines.into_iter().zip(area.top()..area.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        frame.render_widget(line, row);
    }
    let row = |n: u16| Rect {
        y: area.y + n,
        height: u16::from(area.height > n),
        ..area
    };
    fields::draw(dialog, theme, frame, |line| row(3 + checks::ROWS + line));
    let last = row(6 + checks::ROWS);
    if let Some(problem) = &dialog.problem {
        let line = Line::from(vec![
            Span::styled(format!("{} ", glyphs.bad), theme.tone(Tone::Bad)),
            Span::styled(sanitize(problem).into_owned(), theme.tone(Tone::Bad)),
        ]);
        frame.render_widget(pane::cut(line, room, glyphs.ellipsis), last);
    } else {
        let line = Line::from(vec![
            Span::styled(format!("{} ", glyphs.good), theme.tone(Tone::Good)),
            Span::raw("enter starts it   "),
            Span::styled("tab", theme.key()),
            Span::styled(" goes from field to field", theme.muted()),
        ]);
        frame.render_widget(pane::cut(line, room, glyphs.ellipsis), last);
    }
}

fn kind(sample: &Sample) -> String {
    match &sample.node {
        Some(node) => format!("node of type {}", sanitize(&node.kind)),
        None if sample.shell_command.is_some() => "shell command".into(),
        None => "command".into(),
    }
}

fn draw_preview(yaml: &str, top: usize, theme: &Theme, frame: &mut Frame, area: Rect) -> usize {
    let place = middle(area, area.width.saturating_sub(4).min(100), area.height);
    let inside = Pane::dialog(theme, "What would be created", Context::Help).draw(frame, place);
    let inside = pane::padded(inside);
    let lines = yaml_lines(yaml, usize::from(inside.width), theme);
    pane::page(frame, theme, inside, &lines, top)
}
