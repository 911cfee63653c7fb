//! The terminal: taken over, drawn to, and given back in every case.

use crate::app::State;
use crate::ui::start::Start;
use crate::ui::theme::Theme;
use crate::ui::{self, Scroll};
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use ratatui::DefaultTerminal;
use std::io::{self, stdout};

/// The terminal in raw mode on the alternate screen.
pub struct Screen {
    terminal: DefaultTerminal,
    open: bool,
}

impl Screen {
    /// Takes the terminal over. A panic from now on gives it back before its report is printed.
    ///
    /// # Errors
    /// When standard output is no terminal or cannot be set up.
    pub fn open() -> io::Result<Self> {
        let terminal = ratatui::try_init()?;
        let screen = Self {
            terminal,
            open: true,
        };
        execute!(stdout(), EnableBracketedPaste)?;
        Ok(screen)
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

    /// Gives the terminal back.
    pub fn close(&mut self) {
        if std::mem::take(&mut self.open) {
            let _ = execute!(stdout(), DisableBracketedPaste);
            let _ = ratatui::try_restore();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}
