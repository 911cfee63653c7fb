//! What is known of the selected key: its rule, its default, what is wrong with it, what it does and when.

use crate::app::State;
use crate::app::settings::Slice;
use crate::app::settings::draft::{Disk, Draft, Wanted};
use crate::domain::settings::held::Held;
use crate::domain::settings::images::ImageClass;
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::Origin;
use crate::domain::settings::value::Value;
use crate::sanitize::sanitize;
use crate::ui::theme::{Theme, Tone};
use crate::ui::{pane, text};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// What is known of the selected key, the most urgent of it first when there is little room.
pub(super) fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let slice = &state.settings;
    let key = slice.selected;
    let facts = key.facts();
    let room = usize::from(area.width);
    let dot = theme.glyphs().dot;
    let mut lines: Vec<Line> = Vec::new();
    let unit = if facts.unit.is_empty() { "" } else { " " };
    let mut about = format!(" {dot} {}{unit}{}", key.rule(), facts.unit);
    if let Some(default) = key.default() {
        about = format!(
            "{about} {dot} default {}",
            plain(theme, key, Some(&default))
        );
    }
    let head = Line::from(vec![
        Span::styled(facts.name, theme.strong()),
        Span::styled(about, theme.muted()),
    ]);
    lines.push(pane::cut(head, room, theme.glyphs().ellipsis));
    let urgent = urgent(slice, theme, key);
    for (said, tone) in &urgent {
        let wrapped = text::wrap(said, room);
        lines.extend(
            wrapped
                .into_iter()
                .map(|line| Line::styled(line, theme.tone(*tone))),
        );
    }
    // The default of llmctl is not where llmctl-dev works when nothing is set.
    if key == Key::K8sNamespace && state.namespace != slice.effective().namespace {
        let here = format!(
            "this session works in namespace {}",
            sanitize(&state.namespace)
        );
        lines.push(Line::styled(here, theme.accent()));
    }
    for (said, tone) in elsewhere(slice, theme, key) {
        let line = Line::styled(said, theme.tone(tone));
        lines.push(pane::cut(line, room, theme.glyphs().ellipsis));
    }
    lines.extend(text::wrap(facts.help, room).into_iter().map(Line::raw));
    let takes = format!("takes effect {}", facts.takes_effect);
    lines.push(Line::styled(takes, theme.muted()));
    if let Some(image) = image(slice, key) {
        let shown = format!("runs {}", sanitize(&image));
        lines.push(Line::raw(text::fit_middle(
            &shown,
            room,
            theme.glyphs().ellipsis,
        )));
    }
    if let Some(variable) = key.variable() {
        let variable = format!("variable {variable}");
        lines.push(Line::styled(variable, theme.muted()));
    }
    for (line, y) in lines.into_iter().zip(area.top()..area.bottom()) {
        frame.render_widget(
            line,
            Rect {
                y,
                height: 1,
                ..area
            },
        );
    }
}

/// What is wrong with a key, or stands in the way of its change.
pub(super) fn urgent(slice: &Slice, theme: &Theme, key: Key) -> Vec<(String, Tone)> {
    let glyphs = theme.glyphs();
    let mut said = Vec::new();
    let draft = slice.drafts.of(key);
    if let Some(Wanted::Wrong { problem, .. }) = draft.map(|draft| &draft.to) {
        said.push((
            format!("{} {}", glyphs.bad, sanitize(&problem.broken.to_string())),
            Tone::Bad,
        ));
    } else if let Some(problem) = slice.layered().problem(key) {
        let now = plain(theme, key, slice.effective().value(key).as_ref());
        let problem = problem.to_string();
        said.push((
            format!("{} {} (in use: {now})", glyphs.bad, sanitize(&problem)),
            Tone::Bad,
        ));
    }
    if let Some(Draft {
        disk: Disk::Changed(now),
        ..
    }) = draft
    {
        let now = plain(theme, key, now.as_ref());
        let text = format!(
            "{} the file says {now} now: undo takes it, save asks",
            glyphs.warning
        );
        said.push((text, Tone::Warning));
    }
    let (frontier, vllm) = (Key::K8sFrontierImageTag, Key::K8sVllmImageTag);
    let preview = slice.preview();
    if (key == frontier && preview.frontier.ignores_tag())
        || (key == vllm && preview.vllm.ignores_tag())
    {
        let text = format!(
            "{} no effect: the image is pinned by its digest",
            glyphs.warning
        );
        said.push((text, Tone::Warning));
    }
    if slice.layered().origin(key) == Origin::Environment {
        let variable = key.variable().unwrap_or_default();
        let text = format!(
            "{} {variable} is set and wins over the file",
            glyphs.warning
        );
        said.push((text, Tone::Warning));
    }
    said
}

/// What other places say of a key, where it is not what runs here use.
fn elsewhere(slice: &Slice, theme: &Theme, key: Key) -> Vec<(String, Tone)> {
    let tone = if slice.is_drift(key) {
        Tone::Warning
    } else {
        Tone::Muted
    };
    let say = |held: &Held| {
        let theirs = match held.texts.get(&key) {
            None => "does not set it".to_owned(),
            Some(text) if text.is_empty() => format!("has {}", theme.glyphs().none),
            Some(text) => format!("has {}", sanitize(text)),
        };
        (format!("{} {theirs}", sanitize(&held.to_string())), tone)
    };
    slice.drifting(key).into_iter().map(say).collect()
}

/// The image that results from an image key, its tag and the changes.
fn image(slice: &Slice, key: Key) -> Option<String> {
    let class = match key {
        Key::K8sFrontierImage | Key::K8sFrontierImageTag => ImageClass::Frontier,
        Key::K8sVllmImage | Key::K8sVllmImageTag => ImageClass::Vllm,
        _ => return None,
    };
    Some(slice.preview().image(class))
}

/// A value with its unit, or the word for none.
pub(super) fn plain(theme: &Theme, key: Key, value: Option<&Value>) -> String {
    let unit = key.facts().unit;
    match value.map(Value::text) {
        None => "nothing".into(),
        Some(text) if text.is_empty() => theme.glyphs().none.into(),
        Some(text) if unit.is_empty() => sanitize(&text).into_owned(),
        Some(text) => format!("{} {unit}", sanitize(&text)),
    }
}
