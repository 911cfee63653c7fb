//! Telling somebody who looks elsewhere: the bell, a notification of the terminal, its title.

use crate::sanitize::sanitize;
use std::fmt::Write as _;

/// How a terminal shows notifications; none where it is not known to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Desktop {
    /// Whatever this terminal is known for.
    #[default]
    Auto,
    /// `OSC 9`: iTerm2, `WezTerm`, kitty, Ghostty, Windows Terminal.
    Osc9,
    /// `OSC 777`: VTE terminals, foot, rxvt.
    Osc777,
    Off,
}

/// How a person wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    pub bell: bool,
    pub desktop: Desktop,
    pub title: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            bell: true,
            desktop: Desktop::Auto,
            title: true,
        }
    }
}

impl Manner {
    /// With what `Auto` means for the terminal that these variables describe.
    #[must_use]
    pub fn on(self, variable: impl Fn(&str) -> Option<String>) -> Self {
        let desktop = match self.desktop {
            Desktop::Auto => of_terminal(variable),
            set => set,
        };
        Self { desktop, ..self }
    }

    /// What is written to the terminal for one line of news. The line may come from a cluster: no control character of it
    /// gets through.
    pub fn bytes(self, line: &str) -> String {
        let line: String = sanitize(line).chars().filter(|c| !c.is_control()).collect();
        let mut out = String::new();
        if self.title {
            let _ = write!(out, "\x1b]2;llmctl-dev: {line}\x07");
        }
        match self.desktop {
            Desktop::Osc9 => {
                let _ = write!(out, "\x1b]9;{line}\x07");
            }
            Desktop::Osc777 => {
                // A semicolon separates title and text.
                let line = line.replace(';', ",");
                let _ = write!(out, "\x1b]777;notify;llmctl-dev;{line}\x07");
            }
            Desktop::Auto | Desktop::Off => {}
        }
        if self.bell {
            out.push('\x07');
        }
        out
    }
}

fn of_terminal(variable: impl Fn(&str) -> Option<String>) -> Desktop {
    let is = |name: &str, values: &[&str]| {
        variable(name).is_some_and(|value| values.iter().any(|known| value.starts_with(known)))
    };
    // A multiplexer keeps such sequences to itself, or passes them on to a terminal that is not known here.
    if is("TERM", &["tmux", "screen"]) {
        Desktop::Off
    } else if is("TERM_PROGRAM", &["iTerm", "WezTerm", "ghostty"])
        || is("TERM", &["xterm-kitty", "xterm-ghostty"])
        || variable("WT_SESSION").is_some()
    {
        Desktop::Osc9
    } else if variable("VTE_VERSION").is_some() || is("TERM", &["foot", "rxvt"]) {
        Desktop::Osc777
    } else {
        Desktop::Off
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_terminal_gets_what_it_knows() {
        let table: [(&[(&str, &str)], Desktop); 6] = [
            (&[("TERM", "xterm-256color")], Desktop::Off),
            (&[("TERM", "xterm-kitty")], Desktop::Osc9),
            (&[("TERM_PROGRAM", "iTerm.app")], Desktop::Osc9),
            (&[("TERM", "foot")], Desktop::Osc777),
            (
                &[("VTE_VERSION", "7600"), ("TERM", "xterm-256color")],
                Desktop::Osc777,
            ),
            (
                &[("VTE_VERSION", "7600"), ("TERM", "tmux-256color")],
                Desktop::Off,
            ),
        ];
        for (variables, desktop) in table {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(
                Manner::default().on(variable).desktop,
                desktop,
                "{variables:?}"
            );
        }
    }

    #[test]
    fn no_sequence_of_the_text_gets_through() {
        let manner = Manner {
            bell: true,
            desktop: Desktop::Osc777,
            title: true,
        };
        let bytes = manner.bytes("run 1 a;b\x1b]0;evil\x07\x1b[2J\u{9c}\n: failed");
        assert_eq!(bytes.matches('\x1b').count(), 2, "{bytes:?}");
        assert_eq!(bytes.matches('\x07').count(), 3, "{bytes:?}");
        assert!(
            !bytes.contains('\u{9c}') && !bytes.contains('\n'),
            "{bytes:?}"
        );
        let silent = Manner {
            bell: false,
            desktop: Desktop::Off,
            title: false,
        };
        assert_eq!(silent.bytes("x"), "");
    }
}
