//! The settings form: every key in its group, what is known of the selected one, and the changes as a diff.
//!
//! ```text
//! ╭ Settings · executor.toml ───────────────────────── 1 ✎ ╮
//! │  Clean-up                                              │
//! │▸ Job TTL          60 s          60–86400    ✎ not saved│
//! │ …                                                      │
//! │────────────────────────────────────────────────────────│
//! │ k8s_job_ttl_seconds · 60–86400 s · default 1800        │
//! │ How long a finished Job and its pod stay …             │
//! ╰ enter edit  → more  s save  u undo ────────────────────╯
//! ```

use super::{count, fit_end, is_image, state as state_word, value};
use crate::app::State;
use crate::app::settings::Slice;
use crate::app::settings::draft::{Disk, Draft, Wanted};
use crate::app::settings::form::{Form, Typing, matches};
use crate::domain::settings::images::ImageClass;
use crate::domain::settings::key::{Group, Key};
use crate::domain::settings::layers::Origin;
use crate::domain::settings::value::Value;
use crate::sanitize::sanitize;
use crate::ui::pane::{self, Pane};
use crate::ui::theme::{Theme, Tone};
use crate::ui::{Scroll, field, found, layout, text};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Rows of what is known of the selected key, with the rule above it.
const KNOWN: u16 = 7;
const LABEL: usize = 20;
/// The column of rules, on a wide terminal.
const RULE: usize = 30;
const STATE: usize = 12;

/// A line of the list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Heading(Group),
    Key(Key),
}

/// Draws the form over `area`.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let slice = &state.settings;
    let Some(form) = &slice.form else { return };
    // Groups, keys, what is known of one, borders.
    let rows = u16::try_from(rows().len()).unwrap_or(u16::MAX) + KNOWN + 2;
    let place = layout::middle(area, area.width.saturating_sub(2).min(110), rows);
    let what = if form.diff { "Changes" } else { "Settings" };
    let title = format!(
        "{what} {} {}",
        theme.glyphs().dot,
        sanitize(&slice.file_name())
    );
    let inside = Pane::dialog(theme, title, slice.context())
        .count(count(slice, theme))
        .draw(frame, place);
    if form.diff {
        return draw_diff(slice, form, theme, frame, pane::padded(inside));
    }
    let known = KNOWN.min(inside.height / 2);
    let list = Rect {
        height: inside.height - known,
        ..inside
    };
    draw_list(slice, form, theme, scroll, frame, list);
    let rule = Rect {
        y: list.bottom(),
        height: 1.min(known),
        ..inside
    };
    draw_rule(form, theme, frame, rule);
    let below = Rect {
        y: rule.bottom(),
        height: known.saturating_sub(1),
        ..inside
    };
    draw_known(slice, theme, frame, pane::padded(below));
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut group = None;
    for key in Key::ALL {
        let own = key.facts().group;
        if group != Some(own) {
            rows.push(Row::Heading(own));
            group = Some(own);
        }
        rows.push(Row::Key(key));
    }
    rows
}

fn draw_list(
    slice: &Slice,
    form: &Form,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    list: Rect,
) {
    let rows = rows();
    let at = rows
        .iter()
        .position(|row| *row == Row::Key(slice.selected))
        .unwrap_or(0);
    let height = usize::from(list.height);
    scroll.settings_form = layout::top_for(scroll.settings_form, at, rows.len(), height);
    // The first key of a group comes with its heading.
    if at == scroll.settings_form && at > 0 && matches!(rows[at - 1], Row::Heading(_)) {
        scroll.settings_form = at - 1;
    }
    let visible = rows.iter().skip(scroll.settings_form);
    for (row, y) in visible.zip(list.top()..list.bottom()) {
        let place = Rect {
            y,
            height: 1,
            ..list
        };
        match row {
            Row::Heading(group) => {
                let heading = Span::styled(format!(" {}", group.title()), theme.muted());
                frame.render_widget(heading, place);
            }
            Row::Key(key) => draw_key(slice, form, theme, frame, place, *key),
        }
    }
    pane::scrollbar(theme, frame, list, scroll.settings_form, rows.len());
}

fn draw_key(slice: &Slice, form: &Form, theme: &Theme, frame: &mut Frame, place: Rect, key: Key) {
    let glyphs = theme.glyphs();
    let selected = key == slice.selected;
    let mark = if selected { glyphs.mark } else { " " };
    let room = usize::from(place.width);
    let rule = if room >= 90 { RULE } else { 0 };
    let middle = room.saturating_sub(2 + LABEL + rule + STATE + 3);
    let value = value(slice, theme, key);
    let shown = if is_image(key) {
        fit_end(&value.content, middle, glyphs.ellipsis)
    } else {
        text::fit(&value.content, middle, glyphs.ellipsis)
    };
    let state = state_word(slice, theme, key);
    let label = Line::from(text::pad(key.facts().label, LABEL, glyphs.ellipsis));
    let mut spans = vec![Span::styled(format!("{mark} "), theme.accent())];
    spans.extend(mark_found(form, label, theme));
    spans.push(Span::styled(
        text::pad(&shown, middle, glyphs.ellipsis),
        value.style,
    ));
    if rule > 0 {
        let rule_text = text::pad(&key.rule(), rule, glyphs.ellipsis);
        spans.push(Span::raw(" "));
        spans.push(Span::styled(rule_text, theme.muted()));
    }
    let word = text::fit(&state.long, STATE, glyphs.ellipsis);
    spans.push(Span::raw(" "));
    spans.push(Span::styled(
        format!("{word:>STATE$}"),
        theme.tone(state.tone),
    ));
    frame.render_widget(Line::from(spans), place);
    let typing = match &form.typing {
        Typing::Value { field, .. } if selected => Some(field),
        _ => None,
    };
    if let Some(typed) = typing {
        let from = u16::try_from(2 + LABEL).unwrap_or(u16::MAX);
        let cell = Rect {
            x: place.x + from.min(place.width),
            width: u16::try_from(middle).unwrap_or(u16::MAX).min(place.width),
            ..place
        };
        field::draw(typed, true, theme, frame, cell.intersection(place));
    } else if selected {
        let focused = !matches!(form.typing, Typing::Jump { .. });
        frame.buffer_mut().set_style(place, theme.selected(focused));
    }
}

fn mark_found(form: &Form, label: Line<'static>, theme: &Theme) -> Vec<Span<'static>> {
    let Typing::Jump { field, .. } = &form.typing else {
        return label.spans;
    };
    let places = found::in_lines(field.text(), std::iter::once(Some(label.to_string())));
    match places.into_iter().next() {
        Some(places) => found::mark(label, &places, theme).spans,
        None => label.spans,
    }
}

/// The rule between the list and what is known of the selected key; the jump is typed into it.
fn draw_rule(form: &Form, theme: &Theme, frame: &mut Frame, area: Rect) {
    if area.is_empty() {
        return;
    }
    let glyphs = theme.glyphs();
    let line = glyphs.rule.repeat(usize::from(area.width));
    frame.render_widget(Span::styled(line, theme.muted()), area);
    let Typing::Jump { field: typed, .. } = &form.typing else {
        return;
    };
    let found = format!(" {} of {} ", matches(typed.text()).len(), Key::ALL.len());
    let lead = " jump to ";
    let columns = |text: &str| u16::try_from(text::columns(text)).unwrap_or(u16::MAX);
    frame.render_widget(
        Span::styled(lead, theme.key()),
        Rect {
            x: area.x + 1,
            ..area
        }
        .intersection(area),
    );
    let cell = Rect {
        x: area.x + 1 + columns(lead),
        width: 24,
        ..area
    };
    field::draw(typed, true, theme, frame, cell.intersection(area));
    let after = Rect {
        x: cell.right(),
        ..area
    };
    frame.render_widget(Span::styled(found, theme.muted()), after.intersection(area));
}

/// What is known of the selected key, the most urgent of it first when there is little room.
fn draw_known(slice: &Slice, theme: &Theme, frame: &mut Frame, area: Rect) {
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
fn urgent(slice: &Slice, theme: &Theme, key: Key) -> Vec<(String, Tone)> {
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
fn plain(theme: &Theme, key: Key, value: Option<&Value>) -> String {
    let unit = key.facts().unit;
    match value.map(Value::text) {
        None => "nothing".into(),
        Some(text) if text.is_empty() => theme.glyphs().none.into(),
        Some(text) if unit.is_empty() => sanitize(&text).into_owned(),
        Some(text) => format!("{} {unit}", sanitize(&text)),
    }
}

fn draw_diff(slice: &Slice, form: &Form, theme: &Theme, frame: &mut Frame, area: Rect) {
    if slice.drafts.count() == 0 {
        let then = "esc goes back to the form";
        return pane::empty(frame, area, theme, "No setting is changed.", then);
    }
    let room = usize::from(area.width);
    let mut lines: Vec<Line> = Vec::new();
    for (key, draft) in slice.drafts.iter() {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        let facts = key.facts();
        lines.push(Line::from(vec![
            Span::styled(facts.label, theme.strong()),
            Span::styled(format!("  {}", facts.name), theme.muted()),
        ]));
        for (said, tone) in changes(slice, theme, key, draft) {
            let wrapped = text::wrap(&said, room.saturating_sub(2));
            let styled = |line| Line::styled(format!("  {line}"), theme.tone(tone));
            lines.extend(wrapped.into_iter().map(styled));
        }
    }
    pane::page(frame, theme, area, &lines, form.top);
}

fn changes(slice: &Slice, theme: &Theme, key: Key, draft: &Draft) -> Vec<(String, Tone)> {
    let from = match &draft.base {
        Some(_) => plain(theme, key, draft.base.as_ref()),
        None => format!("{} (default)", plain(theme, key, key.default().as_ref())),
    };
    let to = match &draft.to {
        Wanted::Value(value) => plain(theme, key, Some(value)),
        Wanted::Default => format!("{} (default)", plain(theme, key, key.default().as_ref())),
        Wanted::Wrong { text, .. } => sanitize(text).into_owned(),
    };
    let wrong = matches!(draft.to, Wanted::Wrong { .. });
    let tone = if wrong { Tone::Warning } else { Tone::Good };
    let mut said = vec![(format!("- {from}"), Tone::Bad), (format!("+ {to}"), tone)];
    said.extend(urgent(slice, theme, key));
    if !wrong {
        said.push((
            format!("takes effect {}", key.facts().takes_effect),
            Tone::Muted,
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::super::tests::{act, screen, state, type_text};
    use super::*;
    use crate::app::action::Action;
    use crate::app::{Msg, settings, update};
    use crate::domain::settings::layers::Layer;
    use crate::domain::settings::problem::Place;

    const SIZES: [((u16, u16), &str); 2] = [((80, 22), "80"), ((120, 38), "120")];

    fn snapshots(name: &str, state: &State) {
        for (size, suffix) in SIZES {
            insta::assert_snapshot!(format!("form_{name}_{suffix}"), screen(state, size, draw));
        }
    }

    fn open() -> State {
        let mut state = state();
        act(&mut state, &[Action::EditSettings]);
        state
    }

    #[test]
    fn as_opened() {
        snapshots("default", &open());
    }

    #[test]
    fn with_changes_and_their_diff() {
        let mut state = open();
        act(&mut state, &[Action::Right, Action::Down, Action::Accept]);
        type_text(
            &mut state,
            "registry.example.test:5000/llmctl-executor-frontier:0.2.0",
        );
        act(&mut state, &[Action::Accept]);
        snapshots("unsaved", &state);
        act(&mut state, &[Action::ShowSettingsDiff]);
        snapshots("diff", &state);
    }

    #[test]
    fn with_a_wrong_value_while_it_is_typed() {
        let mut state = open();
        act(&mut state, &[Action::Accept]);
        type_text(&mut state, "30");
        snapshots("wrong", &state);
        let mut typed = screen(&state, (80, 22), draw);
        typed.assert_cursor_position((26, 12));
    }

    #[test]
    fn with_a_conflict() {
        let mut state = open();
        act(&mut state, &[Action::Right]);
        let mut file = Layer::default();
        file.take(Key::K8sJobTtlSeconds, "120", Place::Typed);
        update(&mut state, Msg::Settings(settings::Msg::Loaded(file)));
        snapshots("conflict", &state);
        act(&mut state, &[Action::ShowSettingsDiff]);
        insta::assert_snapshot!("form_conflict_diff_80", screen(&state, (80, 22), draw));
    }

    #[test]
    fn at_a_key_that_the_environment_sets_and_while_jumping() {
        let mut state = open();
        act(&mut state, &[Action::Filter]);
        type_text(&mut state, "gpu");
        snapshots("jump", &state);
        act(&mut state, &[Action::Accept]);
        insta::assert_snapshot!("form_environment_80", screen(&state, (80, 22), draw));
    }

    #[test]
    fn nothing_changed_has_an_empty_diff_that_says_so() {
        let mut state = open();
        act(&mut state, &[Action::ShowSettingsDiff]);
        insta::assert_snapshot!("form_diff_empty_80", screen(&state, (80, 22), draw));
    }

    #[test]
    fn it_is_drawn_at_any_size() {
        let mut state = open();
        for (columns, rows) in [(60, 15), (20, 5), (1, 1), (3, 3), (200, 60)] {
            for actions in [
                &[][..],
                &[Action::Bottom],
                &[Action::Filter],
                &[Action::Dismiss],
                &[Action::ShowSettingsDiff],
                &[Action::Dismiss],
            ] {
                act(&mut state, actions);
                screen(&state, (columns, rows), draw);
            }
        }
    }
}
