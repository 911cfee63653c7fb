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

mod diff;
mod known;
mod list;
mod review;

use super::{count, fit_end, is_image, state as state_word, value};
use crate::app::State;
use crate::app::settings::Slice;
use crate::app::settings::form::{Form, Typing, matches};
use crate::domain::settings::key::{Group, Key};
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
    let what = match form.review {
        Some(_) => "Save",
        None if form.diff => "Changes",
        None => "Settings",
    };
    let of = match form.review {
        Some(_) if slice.known.is_known() => slice.known.place.clone(),
        _ => slice.file_name(),
    };
    let title = format!("{what} {} {}", theme.glyphs().dot, sanitize(&of));
    let inside = Pane::dialog(theme, title, slice.context())
        .count(count(slice, theme))
        .draw(frame, place);
    if let Some(shown) = &form.review {
        return review::draw(slice, shown, theme, frame, pane::padded(inside));
    }
    if form.diff {
        return diff::draw(slice, form, theme, frame, pane::padded(inside));
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
    if let Typing::List { page, .. } = &form.typing {
        let place = pane::padded(below);
        return list::draw(slice, page, &mut scroll.settings_list, theme, frame, place);
    }
    known::draw(state, theme, frame, pane::padded(below));
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
        let cell = cell.intersection(place);
        field::draw(typed, true, theme, frame, cell);
        if slice.drafts.wrong().any(|(wrong, _)| wrong == key) {
            frame.buffer_mut().set_style(cell, theme.tone(Tone::Bad));
        }
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

#[cfg(test)]
mod tests {
    use super::super::tests::{act, screen, state, type_text};
    use super::*;
    use crate::app::action::Action;
    use crate::app::settings::review::Obstacle;
    use crate::app::{Msg, settings, update};
    use crate::domain::overlays::plan::Ownership;
    use crate::domain::settings::held::Held;
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

    /// The cluster answers with Studio's ConfigMap, which says something else of two keys.
    fn look(state: &mut State) {
        let held = Held::of_variables(
            "llmctl-studio-config",
            [
                ("LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS", "1800"),
                ("LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT", "1"),
                ("LLMCTL_NODE_EXECUTOR_K8S_NAMESPACE", "llmctl"),
                (
                    "LLMCTL_NODE_EXECUTOR_K8S_SERVICE_ACCOUNT",
                    "llmctl-executor",
                ),
            ],
        );
        let answer = settings::Msg::Looked {
            place: "llmctl @ SANDBOX demo".into(),
            result: Ok(vec![held]),
        };
        update(state, Msg::Settings(answer));
    }

    #[test]
    fn with_what_the_cluster_has() {
        let mut state = open();
        look(&mut state);
        act(&mut state, &[Action::Filter]);
        type_text(&mut state, "ttl");
        act(&mut state, &[Action::Accept]);
        snapshots("drift", &state);
    }

    #[test]
    fn the_review_before_saving_to_places() {
        let mut state = open();
        act(&mut state, &[Action::ReviewSettings]);
        insta::assert_snapshot!("form_review_unknown_80", screen(&state, (80, 22), draw));
        act(&mut state, &[Action::Dismiss]);
        look(&mut state);
        act(&mut state, &[Action::Filter]);
        type_text(&mut state, "ttl");
        act(
            &mut state,
            &[Action::Accept, Action::Right, Action::ReviewSettings],
        );
        snapshots("review", &state);
        let owned = settings::Msg::Checked {
            configmap: "llmctl-studio-config".into(),
            result: Err(Obstacle::Owned(vec![Ownership {
                owner: "kubectl-edit".into(),
                fields: vec![".data.LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS".into()],
            }])),
        };
        update(&mut state, Msg::Settings(owned));
        act(&mut state, &[Action::Down, Action::ToggleTarget]);
        snapshots("review_conflict", &state);
    }

    #[test]
    fn a_list_is_typed_one_item_on_a_line() {
        let mut state = open();
        act(&mut state, &[Action::Filter]);
        type_text(&mut state, "pull");
        act(&mut state, &[Action::Accept, Action::Accept]);
        type_text(&mut state, "regcred\nTwo");
        snapshots("list", &state);
    }

    #[test]
    fn what_became_of_each_place_and_another_file() {
        let mut state = open();
        look(&mut state);
        act(&mut state, &[Action::Right, Action::ReviewSettings]);
        let checked = settings::Msg::Checked {
            configmap: "llmctl-studio-config".into(),
            result: Ok(crate::domain::settings::push::Pushed::default()),
        };
        update(&mut state, Msg::Settings(checked));
        act(
            &mut state,
            &[Action::Down, Action::ToggleTarget, Action::Accept],
        );
        let pushed = settings::Msg::Pushed {
            configmap: "llmctl-studio-config".into(),
            count: 1,
            result: Ok(Vec::new()),
        };
        update(&mut state, Msg::Settings(pushed));
        let failed = settings::Msg::SaveFailed("the disk of /home/me is full".into());
        update(&mut state, Msg::Settings(failed));
        act(&mut state, &[Action::SaveElsewhere]);
        type_text(&mut state, "/tmp/executor.toml");
        snapshots("review_failed", &state);
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
