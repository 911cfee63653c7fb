//! The start screen: there is nothing to connect to. It says why, and never chooses by itself.

use super::pane;
use super::text;
use super::theme::{Theme, Tone};
use super::too_small;
use crate::sanitize::sanitize;
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

/// What was looked for, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub found: bool,
    /// `minikube`, `kubeconfig`.
    pub what: String,
    /// `not on PATH`, `no context named llmctl`.
    pub why: String,
    /// The next step; empty when it was found.
    pub then: String,
}

/// What a person can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Start the Minikube profile.
    StartProfile,
    /// Open the demo on the sandbox.
    Demo,
    /// Work on the selected context.
    UseContext,
    /// Look again.
    Retry,
    Quit,
}

/// A context of the kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextRow {
    pub name: String,
    pub server: String,
    /// Why it is not worked on; none when it looks local.
    pub refused: Option<String>,
}

/// State of the start screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    pub findings: Vec<Finding>,
    /// `profile llmctl (4 CPU, 8192 MB, docker)`.
    pub profile: String,
    /// Why the profile cannot be started; none when it can.
    pub profile_needs: Option<String>,
    pub contexts: Vec<ContextRow>,
    /// The list of contexts is open; the row that is selected.
    pub choosing: Option<usize>,
    /// What is being done, or what failed.
    pub doing: Option<String>,
}

impl Start {
    /// Takes a key; gives what was chosen by it, if it was a choice.
    pub fn take(&mut self, event: &Event) -> Option<Choice> {
        let Event::Key(key) = event else { return None };
        if key.kind == KeyEventKind::Release {
            return None;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return (key.code == KeyCode::Char('c')).then_some(Choice::Quit);
        }
        if let Some(selected) = self.choosing {
            return self.take_in_list(key.code, selected);
        }
        match key.code {
            KeyCode::Char('s') if self.profile_needs.is_none() => Some(Choice::StartProfile),
            KeyCode::Char('s') => {
                self.doing = self
                    .profile_needs
                    .as_ref()
                    .map(|needs| format!("Minikube cannot be started: {needs}"));
                None
            }
            KeyCode::Char('d') => Some(Choice::Demo),
            KeyCode::Char('k') => {
                self.choosing = Some(0);
                None
            }
            KeyCode::Char('r') => Some(Choice::Retry),
            KeyCode::Char('q') | KeyCode::Esc => Some(Choice::Quit),
            _ => None,
        }
    }

    fn take_in_list(&mut self, code: KeyCode, selected: usize) -> Option<Choice> {
        let last = self.contexts.len().saturating_sub(1);
        match code {
            KeyCode::Down | KeyCode::Char('j') => self.choosing = Some((selected + 1).min(last)),
            KeyCode::Up | KeyCode::Char('k') => self.choosing = Some(selected.saturating_sub(1)),
            KeyCode::Enter => match self.contexts.get(selected) {
                Some(row) => match &row.refused {
                    None => return Some(Choice::UseContext),
                    Some(why) => self.doing = Some(format!("{} is not worked on: {why}", row.name)),
                },
                None => self.choosing = None,
            },
            KeyCode::Esc | KeyCode::Char('q') => self.choosing = None,
            _ => {}
        }
        None
    }

    /// The context that is selected in the list.
    pub fn context(&self) -> Option<&ContextRow> {
        self.contexts.get(self.choosing?)
    }
}

/// Draws the start screen.
pub fn draw(start: &Start, theme: &Theme, frame: &mut Frame) {
    let area = frame.area();
    if too_small::is(area) {
        too_small::draw(frame, area);
        return;
    }
    let room = usize::from(area.width).saturating_sub(4);
    let lines = if start.choosing.is_some() {
        contexts(start, theme, room)
    } else {
        findings(start, theme, room)
    };
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = Rect {
        x: area.x + 2,
        width: area.width - 4,
        y: area.y + area.height.saturating_sub(height).min(4) / 2,
        height: area.height - area.height.saturating_sub(height).min(4) / 2,
    };
    let _ = pane::page(frame, theme, place, &lines, 0);
}

fn heading(theme: &Theme, words: &'static str) -> Vec<Line<'static>> {
    vec![
        Line::from(vec![
            Span::styled("llmctl-dev", theme.key()),
            Span::styled("  develop llmctl on Kubernetes", theme.muted()),
        ]),
        Line::default(),
        Line::styled(words, theme.strong()),
        Line::default(),
    ]
}

fn findings(start: &Start, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let glyphs = theme.glyphs();
    let mut lines = heading(theme, "No Kubernetes to work on yet.");
    for finding in &start.findings {
        let (glyph, tone) = if finding.found {
            (glyphs.good, Tone::Good)
        } else {
            (glyphs.bad, Tone::Bad)
        };
        let what = text::pad(&sanitize(&finding.what), 13, glyphs.ellipsis);
        lines.push(pane::cut(
            Line::from(vec![
                Span::styled(format!("{glyph} "), theme.tone(tone)),
                Span::raw(what),
                Span::raw(sanitize(&finding.why).into_owned()),
            ]),
            room,
            glyphs.ellipsis,
        ));
        for part in text::wrap(&sanitize(&finding.then), room.saturating_sub(15)) {
            if !part.is_empty() {
                let part = format!("{}{part}", " ".repeat(15));
                lines.push(Line::styled(part, theme.muted()));
            }
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled("What now?", theme.strong()));
    lines.push(Line::default());
    let can_start = start.profile_needs.is_none();
    let start_text = format!("start Minikube {}", start.profile);
    let needs = start.profile_needs.clone().unwrap_or_default();
    let mut choice = |key: &str, words: &str, note: &str, possible: bool| {
        let style = if possible {
            theme.plain()
        } else {
            theme.muted()
        };
        let key_style = if possible { theme.key() } else { theme.muted() };
        lines.push(pane::cut(
            Line::from(vec![
                Span::styled(format!("  {key}  "), key_style),
                Span::styled(sanitize(words).into_owned(), style),
                Span::styled(format!("   {}", sanitize(note)), theme.muted()),
            ]),
            room,
            glyphs.ellipsis,
        ));
    };
    choice("s", &start_text, &needs, can_start);
    choice(
        "d",
        "open the demo",
        "a sandbox inside this program, no cluster needed",
        true,
    );
    choice(
        "k",
        "use another context",
        "lists them, refuses those that do not look local",
        true,
    );
    choice("r", "look again", "", true);
    choice("q", "quit", "", true);
    lines.extend(doing(start, theme, room));
    lines
}

fn contexts(start: &Start, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let glyphs = theme.glyphs();
    let mut lines = heading(theme, "Which context?");
    if start.contexts.is_empty() {
        lines.push(Line::styled(
            "No kubeconfig with a context was found: KUBECONFIG and ~/.kube/config name none.",
            theme.muted(),
        ));
    }
    for (at, row) in start.contexts.iter().enumerate() {
        let selected = start.choosing == Some(at);
        let mark = if selected { glyphs.mark } else { " " };
        let (glyph, tone, note) = match &row.refused {
            None => (glyphs.good, Tone::Good, "looks local"),
            Some(why) => (glyphs.bad, Tone::Bad, why.as_str()),
        };
        let mut line = pane::cut(
            Line::from(vec![
                Span::raw(format!("{mark} ")),
                Span::styled(format!("{glyph} "), theme.tone(tone)),
                Span::raw(text::pad(&sanitize(&row.name), 20, glyphs.ellipsis)),
                Span::raw(" "),
                Span::styled(
                    text::pad(&sanitize(&row.server), 28, glyphs.ellipsis),
                    theme.muted(),
                ),
                Span::raw(" "),
                Span::styled(sanitize(note).into_owned(), theme.tone(tone)),
            ]),
            room,
            glyphs.ellipsis,
        );
        if selected {
            line.style = Style::default().add_modifier(Modifier::BOLD);
        }
        lines.push(line);
    }
    lines.push(Line::default());
    lines.push(Line::from(vec![
        Span::styled("enter", theme.key()),
        Span::raw(" use it   "),
        Span::styled("esc", theme.key()),
        Span::raw(" back"),
    ]));
    lines.extend(doing(start, theme, room));
    lines
}

fn doing(start: &Start, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let Some(doing) = &start.doing else {
        return Vec::new();
    };
    let mut lines = vec![Line::default()];
    lines.extend(
        text::wrap(&sanitize(doing), room)
            .into_iter()
            .map(|part| Line::styled(part, theme.tone(Tone::Warning))),
    );
    lines
}
