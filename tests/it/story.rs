//! Stories through the real loop on the sandbox: keys in, frames out, the world in between, and a clock that can be paused.

mod again;
mod form;
mod long_log;
mod payload;
mod removal;
mod settings;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use llmctl_dev::app::{Effect, Msg, State, overlays, settings::Slice, update};
use llmctl_dev::domain::settings::layers::{Layer, Layered};
use llmctl_dev::files::history::Bounds;
use llmctl_dev::files::paths::Paths;
use llmctl_dev::files::settings::load;
use llmctl_dev::runtime::World;
use llmctl_dev::runtime::open::{Choice, Place};
use llmctl_dev::ui::theme::{Colors, Theme};
use llmctl_dev::ui::{self, Scroll};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;

/// Longest wait for the next thing to happen: of the wall's time, and of the cluster's once that is paused.
const PATIENCE: Duration = Duration::from_mins(1);
const LONG: Duration = Duration::from_hours(4);

/// A session on a fresh sandbox, as the terminal UI has it.
struct Story {
    world: World,
    state: State,
    scroll: Scroll,
    theme: Theme,
    terminal: Terminal<TestBackend>,
    paused: bool,
}

impl Story {
    /// Opens the session of the person who lives at `home`.
    async fn open(home: &Path) -> Self {
        let paths = Paths::under(home);
        let file = paths.settings_file();
        let mut world = World::open(Choice {
            place: Place::Sandbox,
            kubeconfig: None,
            allowed: Vec::new(),
            namespace: "llmctl".into(),
            paths,
            overlays: None,
            program: env!("CARGO_BIN_EXE_llmctl-dev").into(),
            bounds: Bounds::default(),
            on_event: None,
        })
        .await
        .unwrap();
        let layered = Layered::new(&file, load(&file).unwrap(), Layer::default());
        let mut state = State::new(
            world.target().clone(),
            world.namespace().to_owned(),
            world.now(),
            Slice::new(layered),
        );
        state.size = (120, 40);
        world.recall();
        world.watch();
        world.perform(Effect::Overlays(overlays::Effect::List));
        let mut story = Self {
            world,
            state,
            scroll: Scroll::default(),
            theme: Theme::new(Colors::Many, false, TimeZone::UTC),
            terminal: Terminal::new(TestBackend::new(120, 40)).unwrap(),
            paused: false,
        };
        story
            .until("live", |screen| screen.contains("● live"))
            .await;
        story.until("samples", |_| true).await;
        story
    }

    /// From now on the cluster's time stands still while there is something to do, and jumps to the next thing to do.
    fn pause(&mut self) {
        tokio::time::pause();
        self.paused = true;
    }

    fn take(&mut self, msg: Msg) {
        self.state.now = self.world.now();
        for effect in update(&mut self.state, msg) {
            self.world.perform(effect);
        }
    }

    /// Presses plain keys, one per character; `\n` is enter, `\x1b` escape, `\x13` ctrl-s.
    fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\x1b' => KeyCode::Esc,
                '\x08' => KeyCode::Backspace,
                '\u{2193}' => KeyCode::Down,
                '\u{2192}' => KeyCode::Right,
                '\u{21e4}' => KeyCode::BackTab,
                key => KeyCode::Char(key),
            };
            let (code, held) = match code {
                KeyCode::Char('\x13') => (KeyCode::Char('s'), KeyModifiers::CONTROL),
                code => (code, KeyModifiers::NONE),
            };
            let event = Event::Key(KeyEvent::new(code, held));
            if let Some(msg) = ui::keys::message(&self.state, &event) {
                self.take(msg);
            }
            // Where something opens, the next key is for it.
            self.screen();
        }
    }

    /// The frame as text.
    fn screen(&mut self) -> String {
        self.state.settle();
        let (state, theme, scroll) = (&self.state, &self.theme, &mut self.scroll);
        self.terminal
            .draw(|frame| ui::view(state, theme, scroll, frame))
            .unwrap();
        self.state.limit(self.scroll.limits());
        let buffer = self.terminal.backend().buffer();
        let area = buffer.area;
        let row = |y| -> String { (0..area.width).map(|x| buffer[(x, y)].symbol()).collect() };
        let rows: Vec<String> = (0..area.height).map(row).collect();
        rows.join("\n")
    }

    /// Goes on until the frame is as it should be.
    async fn until(&mut self, what: &str, fits: impl Fn(&str) -> bool) {
        let patience = if self.paused { LONG } else { PATIENCE };
        let gone_on = async {
            loop {
                let screen = self.screen();
                if fits(&screen) {
                    return;
                }
                let msg = self.world.next().await.unwrap();
                self.take(msg);
                let tick = Msg::Ticked(self.world.now());
                self.take(tick);
            }
        };
        let over = timeout(patience, gone_on).await.is_err();
        assert!(!over, "waited for {what}, the screen is\n{}", self.screen());
    }

    /// Goes on until a row of the frame holds all of `parts`.
    async fn until_row(&mut self, parts: &[&str]) {
        self.until(&parts.join(" … "), |screen| {
            screen
                .lines()
                .any(|row| parts.iter().all(|part| row.contains(part)))
        })
        .await;
    }

    /// Starts a sample by the dialog.
    async fn start(&mut self, sample: &str) {
        let at = self
            .state
            .runs
            .samples
            .iter()
            .position(|one| one.name == sample);
        self.press("r");
        self.press(&"\u{2193}".repeat(at.unwrap()));
        let screen = self.screen();
        assert!(screen.contains(&format!("▸ {sample} ")), "{screen}");
        self.press("\n");
        self.until_row(&[sample, "…"]).await;
    }

    /// On the heap: a story is large.
    fn close(self) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async move {
            if self.paused {
                tokio::time::resume();
            }
            self.world.close().await;
        })
    }
}
