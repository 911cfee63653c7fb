//! The settings pane: what a run takes, where each value comes from, what is not saved.
//!
//! ```text
//! ╭ 2 Settings ─────────────── 1 ✎ ╮
//! │▸Job TTL           60 s    ✎ new│
//! │ Dispatch timeout  300 s default│
//! │ Frontier image    …:0.1.0  file│
//! ╰ e edit  s save  u undo ────────╯
//! ```

mod form;

pub(crate) use form::draw as draw_form;

use super::Scroll;
use super::layout;
use super::pane::{self, Pane};
use super::text;
use super::theme::{Theme, Tone};
use crate::app::State;
use crate::app::settings::draft::{Disk, Wanted};
use crate::app::settings::{PANE, Slice};
use crate::domain::settings::key::{Key, Kind};
use crate::domain::settings::layers::Origin;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the pane.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let slice = &state.settings;
    let pane = Pane::new(state, theme, crate::app::Pane::Settings).count(count(slice, theme));
    let focused = pane.is_focused();
    let inside = pane.draw(frame, area);
    let height = usize::from(inside.height);
    let at = PANE
        .iter()
        .position(|key| *key == slice.selected)
        .unwrap_or(0);
    scroll.settings = layout::top_for(scroll.settings, at, PANE.len(), height);
    let visible = PANE.iter().skip(scroll.settings);
    for (key, y) in visible.zip(inside.top()..inside.bottom()) {
        let place = Rect {
            y,
            height: 1,
            ..inside
        };
        let selected = *key == slice.selected;
        frame.render_widget(
            row(slice, theme, *key, selected, usize::from(inside.width)),
            place,
        );
        if selected {
            frame.buffer_mut().set_style(place, theme.selected(focused));
        }
    }
    pane::scrollbar(theme, frame, inside, scroll.settings, PANE.len());
}

fn row<'a>(slice: &Slice, theme: &Theme, key: Key, selected: bool, room: usize) -> Line<'a> {
    let glyphs = theme.glyphs();
    let mark = if selected { glyphs.mark } else { " " };
    let value = value(slice, theme, key);
    let state = state(slice, theme, key);
    // A wide pane gives the labels room, a narrow one the values.
    let (label, origin) = if room >= 60 { (20, 12) } else { (18, 7) };
    let middle = room.saturating_sub(1 + label + origin + 1);
    let shown = if is_image(key) {
        fit_end(&value.content, middle, glyphs.ellipsis)
    } else {
        text::fit(&value.content, middle, glyphs.ellipsis)
    };
    let word = if origin < 12 { state.short } else { state.long };
    Line::from(vec![
        Span::styled(mark, theme.accent()),
        Span::raw(text::pad(key.facts().label, label - 1, glyphs.ellipsis)),
        Span::raw(" "),
        Span::styled(text::pad(&shown, middle, glyphs.ellipsis), value.style),
        Span::raw(" "),
        Span::styled(
            format!("{:>origin$}", text::fit(&word, origin, glyphs.ellipsis)),
            theme.tone(state.tone),
        ),
    ])
}

fn is_image(key: Key) -> bool {
    key.facts().kind == Kind::Image
}

/// The end of a text in so many columns: the tag of an image says more than its registry.
fn fit_end(value: &str, limit: usize, ellipsis: &str) -> String {
    let columns = text::columns(value);
    if columns <= limit || limit == 0 {
        return text::fit(value, limit, ellipsis);
    }
    format!("{ellipsis}{}", text::tail(value, columns - limit + 1))
}

/// The value of a key as it is shown, with its unit: the change that is not saved, else the effective one.
fn value<'a>(slice: &Slice, theme: &Theme, key: Key) -> Span<'a> {
    let facts = key.facts();
    if key.is_secret() {
        return Span::styled("write-only", theme.muted());
    }
    let value = match slice.drafts.of(key) {
        Some(draft) => match &draft.to {
            Wanted::Wrong { text, .. } => {
                return Span::styled(sanitize(text).into_owned(), theme.tone(Tone::Bad));
            }
            _ => draft.value(key),
        },
        None => slice.effective().value(key),
    };
    match value.map(|value| value.text()).unwrap_or_default() {
        text if text.is_empty() => Span::styled(theme.glyphs().none, theme.muted()),
        text => {
            let unit = if facts.unit.is_empty() { "" } else { " " };
            Span::raw(format!("{}{unit}{}", sanitize(&text), facts.unit))
        }
    }
}

/// Where a value comes from, or what is to be said instead of that.
struct Word {
    long: String,
    short: String,
    tone: Tone,
}

fn state(slice: &Slice, theme: &Theme, key: Key) -> Word {
    let glyphs = theme.glyphs();
    let word = |glyph: &str, long: &str, short: &str, tone| Word {
        long: format!("{glyph} {long}"),
        short: format!("{glyph} {short}"),
        tone,
    };
    match slice.drafts.of(key) {
        Some(draft) if matches!(draft.to, Wanted::Wrong { .. }) => {
            word(glyphs.bad, "wrong", "wrong", Tone::Bad)
        }
        Some(draft) if draft.disk != Disk::AsBefore => {
            word(glyphs.warning, "conflict", "disk", Tone::Warning)
        }
        Some(_) => word(glyphs.edited, "not saved", "new", Tone::Warning),
        None if slice.layered().problem(key).is_some() => {
            word(glyphs.bad, "wrong", "wrong", Tone::Bad)
        }
        None if key.is_secret() => Word {
            long: "Studio only".into(),
            short: "Studio".into(),
            tone: Tone::Muted,
        },
        // In use elsewhere is another value than somebody set here.
        None if slice.is_drift(key) => {
            let word = |text: &str| text.to_owned();
            Word {
                long: word("drift!"),
                short: word("drift!"),
                tone: Tone::Warning,
            }
        }
        None => {
            let (long, short, tone) = match slice.layered().origin(key) {
                Origin::Default => ("default", "default", Tone::Muted),
                Origin::File => ("file", "file", Tone::Plain),
                Origin::Environment => ("environment", "env", Tone::Accent),
            };
            Word {
                long: long.into(),
                short: short.into(),
                tone,
            }
        }
    }
}

/// Changes that are not saved and values that are wrong, in numbers.
fn count<'a>(slice: &Slice, theme: &Theme) -> Vec<Span<'a>> {
    let glyphs = theme.glyphs();
    let wrong = slice.drafts.wrong().count() + slice.layered().problems().count();
    let mut spans = Vec::new();
    for (n, glyph, tone) in [
        (slice.drafts.count(), glyphs.edited, Tone::Warning),
        (
            slice.drafts.conflicts().len(),
            glyphs.warning,
            Tone::Warning,
        ),
        (wrong, glyphs.bad, Tone::Bad),
    ] {
        if n > 0 {
            if !spans.is_empty() {
                spans.push(Span::raw(" "));
            }
            spans.push(Span::styled(format!("{n} {glyph}"), theme.tone(tone)));
        }
    }
    spans
}

/// What the name of the pane carries on a narrow terminal: what is not saved or wrong.
pub(crate) fn in_tab<'a>(state: &State, theme: &Theme) -> Vec<Span<'a>> {
    let mut spans = count(&state.settings, theme);
    if !spans.is_empty() {
        spans.insert(0, Span::raw(" "));
    }
    spans
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::theme::Colors;
    use super::*;
    use crate::app::action::Action;
    use crate::app::{Msg, update};
    use crate::domain::settings::layers::{Layer, Layered};
    use crate::domain::settings::problem::Place;
    use crate::domain::target::Target;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    /// A state with a settings file that says a little, and one variable.
    pub(crate) fn state() -> State {
        let mut file = Layer::default();
        for (key, text) in [
            (Key::K8sJobTtlSeconds, "900"),
            (
                Key::K8sFrontierImage,
                "registry.example.test:5000/llmctl-executor-frontier:0.1.0",
            ),
            (Key::K8sNamespace, "llmctl"),
        ] {
            file.take(key, text, Place::Typed);
        }
        let variable = (
            "LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT".to_owned(),
            "1".to_owned(),
        );
        let layered = Layered::new(
            "/home/me/executor.toml",
            file,
            Layer::environment([variable]),
        );
        let mut state = State::new(
            Target::sandbox(),
            "llmctl".into(),
            Timestamp::UNIX_EPOCH,
            Slice::new(layered),
        );
        state.focus = crate::app::Pane::Settings;
        state
    }

    pub(crate) fn act(state: &mut State, actions: &[Action]) {
        for action in actions {
            update(state, Msg::Do(*action));
        }
    }

    pub(crate) fn type_text(state: &mut State, text: &str) {
        update(state, Msg::Edit(tui_input::InputRequest::DeleteLine));
        update(state, Msg::Paste(text.into()));
    }

    /// What `draw` puts on a screen of that size.
    pub(crate) fn screen(
        state: &State,
        (columns, rows): (u16, u16),
        draw: impl Fn(&State, &Theme, &mut Scroll, &mut Frame, Rect),
    ) -> TestBackend {
        let theme = Theme::new(Colors::Many, false, TimeZone::UTC);
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let mut scroll = Scroll::default();
        terminal
            .draw(|frame| draw(state, &theme, &mut scroll, frame, frame.area()))
            .unwrap();
        terminal.backend().clone()
    }

    #[test]
    fn the_pane_beside_others() {
        let mut state = state();
        insta::assert_snapshot!("pane_default", screen(&state, (36, 25), draw));
        act(
            &mut state,
            &[Action::EditSettings, Action::Right, Action::Dismiss],
        );
        act(
            &mut state,
            &[Action::Down, Action::EditSettings, Action::Accept],
        );
        type_text(&mut state, "2");
        act(&mut state, &[Action::Accept, Action::Dismiss]);
        insta::assert_snapshot!("pane_unsaved_and_wrong", screen(&state, (36, 8), draw));
    }

    #[test]
    fn the_pane_alone_on_a_narrow_terminal() {
        insta::assert_snapshot!("pane_80", screen(&state(), (80, 21), draw));
    }

    #[test]
    fn a_problem_in_the_file_is_counted_and_marked() {
        let mut state = state();
        let mut file = Layer::default();
        file.take(Key::K8sJobTtlSeconds, "30", Place::Typed);
        update(
            &mut state,
            Msg::Settings(crate::app::settings::Msg::Loaded(file)),
        );
        insta::assert_snapshot!("pane_problem", screen(&state, (36, 6), draw));
    }
}
