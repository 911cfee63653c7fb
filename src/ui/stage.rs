//! Builds states for tests as the program gets to them: facts and keys in, through the reducers.

mod before;
mod ends;
mod told;

use super::theme::{Colors, Theme};
use super::{Scroll, keys, view};
use crate::app::link::LinkMsg;
use crate::app::notices::Notice;
use crate::app::settings;
use crate::app::{Effect, Msg, State, runs, update};
use crate::domain::observed::Seen;
use crate::domain::samples::Sample;
use crate::domain::target::{Target, TargetKind};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use std::collections::BTreeSet;

pub(super) use told::Told;

const SAMPLES: [(&str, &str); 5] = [
    ("hello", include_str!("../../config/samples/hello.toml")),
    ("slow", include_str!("../../config/samples/slow.toml")),
    ("fail", include_str!("../../config/samples/fail.toml")),
    (
        "bad-image",
        include_str!("../../config/samples/bad-image.toml"),
    ),
    (
        "start-node",
        include_str!("../../config/samples/start-node.toml"),
    ),
];

/// A session in the middle of something.
pub(super) struct Stage {
    pub(super) state: State,
    pub(super) effects: Vec<Effect>,
    pub(super) scroll: Scroll,
    base: Timestamp,
}

impl Stage {
    /// The demo, its sandbox live.
    pub(super) fn demo() -> Self {
        Self::on(Target::sandbox()).connected()
    }

    /// A Minikube profile, live.
    pub(super) fn minikube() -> Self {
        Self::on(Target {
            kind: TargetKind::Minikube,
            name: "llmctl".into(),
            server: "https://192.168.49.2:8443".into(),
        })
        .connected()
    }

    /// A session that has not heard of its cluster yet.
    pub(super) fn on(target: Target) -> Self {
        let base: Timestamp = "2026-11-24T14:02:31.25Z".parse().unwrap();
        let mut stage = Self {
            state: State::new(target, "llmctl".into(), base, settings::Slice::default()),
            effects: Vec::new(),
            scroll: Scroll::default(),
            base,
        };
        stage.send(Msg::Runs(runs::Msg::SamplesRead(samples())));
        stage
    }

    fn connected(mut self) -> Self {
        self.send(Msg::Link(LinkMsg::Connected {
            version: "v1.36.3".into(),
        }));
        self.send(Msg::Seen(Seen::JobsListed(BTreeSet::new())));
        self
    }

    /// `seconds` after the beginning; before it when negative.
    pub(super) fn at(&self, seconds: f64) -> Timestamp {
        self.base
            .checked_add(SignedDuration::from_secs_f64(seconds))
            .unwrap()
    }

    pub(super) fn send(&mut self, msg: Msg) {
        let effects = update(&mut self.state, msg);
        self.effects.extend(effects);
    }

    /// Lets the clock show `seconds` after the beginning.
    pub(super) fn tick(&mut self, seconds: f64) -> &mut Self {
        self.send(Msg::Ticked(self.at(seconds)));
        self
    }

    pub(super) fn lose(&mut self, reason: &str, retry_in_ms: u64, attempt: u32) -> &mut Self {
        self.send(Msg::Link(LinkMsg::Lost {
            reason: reason.into(),
            retry_in_ms,
            attempt,
        }));
        self
    }

    pub(super) fn notice(&mut self, notice: Notice) -> &mut Self {
        self.send(Msg::Noticed(notice));
        self
    }

    /// Presses keys: single characters, or the names that the help shows.
    pub(super) fn press(&mut self, pressed: &[&str]) -> &mut Self {
        for name in pressed {
            let (code, modifiers) = match *name {
                "enter" => (KeyCode::Enter, KeyModifiers::NONE),
                "esc" => (KeyCode::Esc, KeyModifiers::NONE),
                "tab" => (KeyCode::Tab, KeyModifiers::NONE),
                "shift-tab" => (KeyCode::BackTab, KeyModifiers::NONE),
                "up" => (KeyCode::Up, KeyModifiers::NONE),
                "down" => (KeyCode::Down, KeyModifiers::NONE),
                "left" => (KeyCode::Left, KeyModifiers::NONE),
                "right" => (KeyCode::Right, KeyModifiers::NONE),
                "backspace" => (KeyCode::Backspace, KeyModifiers::NONE),
                name => {
                    let control = name.strip_prefix("ctrl-");
                    let c = control.unwrap_or(name).chars().next().unwrap();
                    let modifiers = if control.is_some() {
                        KeyModifiers::CONTROL
                    } else {
                        KeyModifiers::NONE
                    };
                    (KeyCode::Char(c), modifiers)
                }
            };
            self.state.settle();
            let event = Event::Key(KeyEvent::new(code, modifiers));
            if let Some(msg) = keys::message(&self.state, &event) {
                self.send(msg);
            }
        }
        self
    }

    /// Types a text, character by character.
    pub(super) fn write(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.press(&[&c.to_string()]);
        }
        self
    }

    pub(super) fn see(&mut self, seen: Seen) -> &mut Self {
        self.send(Msg::Seen(seen));
        self
    }

    /// Selects a run as a person would: by going through the list.
    pub(super) fn select(&mut self, number: u64) -> &mut Self {
        self.press(&["3", "g"]);
        for _ in 0..self.state.runs.visible.len() {
            if self
                .state
                .runs
                .current()
                .is_some_and(|run| run.execution == Some(number))
            {
                return self;
            }
            self.press(&["j"]);
        }
        panic!("no run {number} in the list");
    }

    /// The frame at this size.
    pub(super) fn buffer(&mut self, columns: u16, rows: u16, theme: &Theme) -> Buffer {
        self.send(Msg::Resized(columns, rows));
        self.state.settle();
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal
            .draw(|frame| view(&self.state, theme, &mut self.scroll, frame))
            .unwrap();
        self.state.limit(self.scroll.limits());
        terminal.backend().buffer().clone()
    }

    /// The text of the frame at this size.
    pub(super) fn shot(&mut self, columns: u16, rows: u16) -> String {
        text(&self.buffer(columns, rows, &theme()))
    }
}

/// Colours as most terminals have them, the clock in UTC.
pub(super) fn theme() -> Theme {
    Theme::new(Colors::Many, false, TimeZone::UTC)
}

pub(super) fn samples() -> Vec<Sample> {
    SAMPLES
        .iter()
        .map(|(name, text)| {
            let mut sample: Sample = toml::from_str(text).unwrap();
            if sample.name.is_empty() {
                sample.name = (*name).to_owned();
            }
            sample
        })
        .collect()
}

/// The characters of a buffer, line by line, without the blanks at the ends.
pub(super) fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut skip = 0;
        for x in area.left()..area.right() {
            let symbol = buffer[(x, y)].symbol();
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = super::text::columns(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

pub(super) fn seconds(whole: i64) -> f64 {
    f64::from(i32::try_from(whole).unwrap())
}
