//! A question whose answer is not shown: a password, asked on the terminal outside of the UI.

use super::input::Input;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal;
use std::io::{self, IsTerminal as _, Write as _};

/// Keys are not echoed while it lives.
struct Quiet;

impl Quiet {
    fn begin() -> io::Result<Self> {
        terminal::enable_raw_mode().map(|()| Self)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
        let _ = writeln!(io::stderr().lock());
    }
}

/// What one key did to the answer.
#[derive(Debug, PartialEq, Eq)]
enum Typed {
    More,
    Done,
    GivenUp,
}

/// Whether somebody is there to be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on standard error and reads the answer without showing it; none when the person gives up.
///
/// # Errors
/// When the terminal cannot be made quiet.
pub async fn hidden(question: &str) -> io::Result<Option<String>> {
    // Whoever types as soon as the question is there is not echoed either.
    let _quiet = Quiet::begin()?;
    let mut input = Input::open()?;
    let _ = write!(io::stderr().lock(), "{question} ");
    let _ = io::stderr().lock().flush();
    let mut answer = String::new();
    while let Some(event) = input.next().await {
        let typed = match event {
            Event::Key(key) if key.kind == KeyEventKind::Press => take(&mut answer, key),
            Event::Paste(text) => {
                answer.push_str(text.trim_end_matches(['\r', '\n']));
                Typed::More
            }
            _ => Typed::More,
        };
        match typed {
            Typed::More => {}
            Typed::Done => return Ok(Some(answer)),
            Typed::GivenUp => return Ok(None),
        }
    }
    Ok(None)
}

fn take(answer: &mut String, key: KeyEvent) -> Typed {
    let held = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Enter => return Typed::Done,
        KeyCode::Esc => return Typed::GivenUp,
        KeyCode::Char('c' | 'd') if held => return Typed::GivenUp,
        KeyCode::Char('u') if held => answer.clear(),
        KeyCode::Char(c) if !held => answer.push(c),
        KeyCode::Backspace => drop(answer.pop()),
        _ => {}
    }
    Typed::More
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_make_an_answer() {
        let mut answer = String::new();
        let mut press = |code, modifiers| take(&mut answer, KeyEvent::new(code, modifiers));
        for c in "xpa ss".chars() {
            assert_eq!(press(KeyCode::Char(c), KeyModifiers::NONE), Typed::More);
            if c == 'x' {
                press(KeyCode::Char('u'), KeyModifiers::CONTROL);
            }
        }
        press(KeyCode::Backspace, KeyModifiers::NONE);
        assert_eq!(
            press(KeyCode::Char('c'), KeyModifiers::CONTROL),
            Typed::GivenUp
        );
        assert_eq!(press(KeyCode::Esc, KeyModifiers::NONE), Typed::GivenUp);
        assert_eq!(press(KeyCode::Enter, KeyModifiers::NONE), Typed::Done);
        assert_eq!(answer, "pa s");
    }
}
