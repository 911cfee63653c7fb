//! The terminal: taken over, drawn to, and given back in every case.

use crate::app::State;
use crate::ui::announce::Manner;
use crate::ui::start::Start;
use crate::ui::theme::Theme;
use crate::ui::{self, Scroll};
use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::DefaultTerminal;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use std::io::{self, Write as _, stdout};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Puts the terminal's title on its stack, and takes it from there; a terminal without one ignores both.
const KEEP_TITLE: &str = "\x1b[22;2t";
const OLD_TITLE: &str = "\x1b[23;2t";

/// The terminal in raw mode on the alternate screen.
pub struct Screen {
    /// Never dropped: ratatui's own drop reports to standard error when the cursor cannot be shown, and where that is a
    /// terminal that went away, the report panics and so does the report of that.
    terminal: ManuallyDrop<DefaultTerminal>,
    taken: Taken,
    manner: Option<Manner>,
}

impl Screen {
    /// Takes the terminal over. A panic from now on, on whatever thread, gives it back before its report is printed.
    ///
    /// # Errors
    /// When standard output is no terminal or cannot be set up.
    pub fn open() -> io::Result<Self> {
        let taken = Taken::new();
        let hook = panic::take_hook();
        let shared = taken.clone();
        panic::set_hook(Box::new(move |report| {
            shared.give_back();
            hook(report);
        }));
        enable_raw_mode()?;
        stdout().write_all(KEEP_TITLE.as_bytes())?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        Ok(Self {
            terminal: ManuallyDrop::new(Terminal::new(CrosstermBackend::new(stdout()))?),
            taken,
            manner: None,
        })
    }

    /// The terminal was given back by a panic somewhere in the program: nothing may be drawn any more.
    pub fn is_lost(&self) -> bool {
        self.taken.is_given_back()
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// When the terminal does not tell.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Draws one frame; only what differs from the last one is written.
    ///
    /// # Errors
    /// When the terminal cannot be written to.
    pub fn draw(&mut self, state: &State, theme: &Theme, scroll: &mut Scroll) -> io::Result<()> {
        self.terminal
            .draw(|frame| ui::view(state, theme, scroll, frame))
            .map(|_| ())
    }

    /// Draws one frame of the start screen.
    ///
    /// # Errors
    /// When the terminal cannot be written to.
    pub fn draw_start(&mut self, start: &Start, theme: &Theme) -> io::Result<()> {
        self.terminal
            .draw(|frame| ui::start::draw(start, theme, frame))
            .map(|_| ())
    }

    /// Puts text on the terminal's clipboard (OSC 52: works over SSH too).
    pub fn copy(&mut self, text: &str) {
        // A terminal without a clipboard ignores the sequence; one that is gone ends the loop at the next frame.
        let _ = execute!(stdout(), CopyToClipboard::to_clipboard_from(text));
    }

    /// How news is told from now on; until then it is not.
    pub fn tell_by(&mut self, manner: Manner) {
        self.manner = Some(manner.on(|name| std::env::var(name).ok()));
    }

    /// Tells a line of news to somebody who looks elsewhere.
    pub fn announce(&mut self, line: &str) {
        if let Some(manner) = self.manner {
            let mut out = stdout();
            let _ = out
                .write_all(manner.bytes(line).as_bytes())
                .and_then(|()| out.flush());
        }
    }

    /// Gives the terminal back.
    pub fn close(&mut self) {
        self.taken.give_back();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

/// What has to be given back, once: leaving the alternate screen again would move the cursor over what was printed since.
#[derive(Clone)]
struct Taken(Arc<AtomicBool>);

impl Taken {
    fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    fn is_given_back(&self) -> bool {
        !self.0.load(Ordering::Acquire)
    }

    fn give_back(&self) {
        if self.0.swap(false, Ordering::AcqRel) {
            // A terminal that is gone needs nothing.
            let _ = stdout().write_all(OLD_TITLE.as_bytes());
            let _ = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
            let _ = disable_raw_mode();
        }
    }
}
