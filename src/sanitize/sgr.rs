//! The colours and styles that a log line asks for, and nothing else of what it asks of a terminal.

use super::{Shown, show};
use std::borrow::Cow;
use std::fmt::Write as _;

/// A colour of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// One of the sixteen that a terminal has names for.
    Base(u8),
    /// One of the 256.
    Many(u8),
    /// Red, green, blue.
    True(u8, u8, u8),
}

/// A style as a program set it with `ESC [ … m`. To hide or to blink is not among what is done for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sgr {
    pub ground: Option<Colour>,
    pub text: Option<Colour>,
    flags: u8,
}

/// A switch of a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    Bold,
    Dim,
    Italic,
    Underline,
    Reverse,
    Struck,
}

impl Flag {
    /// All of them with the code that switches each on.
    pub const ALL: [(Self, u16); 6] = [
        (Self::Bold, 1),
        (Self::Dim, 2),
        (Self::Italic, 3),
        (Self::Underline, 4),
        (Self::Reverse, 7),
        (Self::Struck, 9),
    ];

    fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

impl Sgr {
    /// Whether it has that switch on.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags & flag.bit() != 0
    }

    /// Takes the parameters of one sequence; what is not known changes nothing.
    fn take(&mut self, parameters: &str) {
        // Colons group the parts of one parameter; read as a list they come out the same, but for the colour space of `38:2::r:g:b`.
        let plain = parameters.replace(":2::", ":2:");
        let codes: Vec<u16> = plain
            .split([';', ':'])
            .map(|code| code.parse().unwrap_or(0))
            .collect();
        let mut rest = codes.as_slice();
        while let Some((code, after)) = rest.split_first() {
            rest = after;
            match code {
                0 => *self = Self::default(),
                22 => self.off(&[Flag::Bold, Flag::Dim]),
                23 => self.off(&[Flag::Italic]),
                24 => self.off(&[Flag::Underline]),
                27 => self.off(&[Flag::Reverse]),
                29 => self.off(&[Flag::Struck]),
                30..=37 => self.text = base(code - 30),
                90..=97 => self.text = base(code - 90 + 8),
                39 => self.text = None,
                40..=47 => self.ground = base(code - 40),
                100..=107 => self.ground = base(code - 100 + 8),
                49 => self.ground = None,
                38 => (self.text, rest) = chosen(rest),
                48 => (self.ground, rest) = chosen(rest),
                code => {
                    if let Some((flag, _)) = Flag::ALL.iter().find(|(_, on)| on == code) {
                        self.flags |= flag.bit();
                    }
                }
            }
        }
    }

    fn off(&mut self, flags: &[Flag]) {
        for flag in flags {
            self.flags &= !flag.bit();
        }
    }

    /// The style without what would hide the text: a ground of the same colour.
    fn readable(mut self) -> Self {
        if self.text.is_some() && self.text == self.ground {
            self.ground = None;
        }
        self
    }

    /// The sequence that sets exactly this style.
    fn sequence(&self) -> String {
        let mut out = "\u{1b}[0".to_owned();
        for (flag, code) in Flag::ALL {
            if self.has(flag) {
                // Writing to a string cannot fail.
                let _ = write!(out, ";{code}");
            }
        }
        for (colour, ground) in [(self.text, false), (self.ground, true)] {
            let plus = if ground { 10 } else { 0 };
            let _ = match colour {
                None => Ok(()),
                Some(Colour::Base(n @ 0..8)) => write!(out, ";{}", 30 + plus + n),
                Some(Colour::Base(n)) => write!(out, ";{}", 90 + plus + n - 8),
                Some(Colour::Many(n)) => write!(out, ";{};5;{n}", 38 + plus),
                Some(Colour::True(r, g, b)) => write!(out, ";{};2;{r};{g};{b}", 38 + plus),
            };
        }
        out.push('m');
        out
    }
}

fn base(n: u16) -> Option<Colour> {
    u8::try_from(n).ok().map(Colour::Base)
}

/// What follows 38 or 48: `5;n` or `2;r;g;b`.
fn chosen(codes: &[u16]) -> (Option<Colour>, &[u16]) {
    let byte = |n: &u16| u8::try_from(*n).unwrap_or(u8::MAX);
    match codes {
        [5, n, rest @ ..] => (Some(Colour::Many(byte(n))), rest),
        [2, r, g, b, rest @ ..] => (Some(Colour::True(byte(r), byte(g), byte(b))), rest),
        _ => (None, &[]),
    }
}

/// A harmless line with its styles.
#[derive(Clone, Debug, PartialEq)]
pub struct Styled<'a> {
    /// The same as [`super::sanitize`] gives.
    pub text: Cow<'a, str>,
    /// From which byte of the text on which style holds, in order; plain before the first.
    pub styles: Vec<(usize, Sgr)>,
}

/// The line as [`super::sanitize`] makes it, and the styles that it asked for.
pub fn styled(line: &str) -> Styled<'_> {
    let mut styles: Vec<(usize, Sgr)> = Vec::new();
    let mut now = Sgr::default();
    let text = show(line, |shown: &Shown, parameters| {
        now.take(parameters);
        let at = shown.text.len();
        styles.retain(|(from, _)| *from < at);
        styles.push((at, now.readable()));
    });
    let length = text.len();
    styles.retain(|(from, _)| *from < length);
    Styled { text, styles }
}

/// The line for a terminal that may be coloured: harmless, with its styles, and back to plain at its end.
pub fn coloured(line: &str) -> Cow<'_, str> {
    let Styled { text, styles } = styled(line);
    if styles.is_empty() {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16 * styles.len());
    let mut from = 0;
    for (at, style) in &styles {
        out.push_str(&text[from..*at]);
        out.push_str(&style.sequence());
        from = *at;
    }
    out.push_str(&text[from..]);
    out.push_str("\u{1b}[0m");
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::sanitize;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_are_kept_and_nothing_else() {
        for (line, expected) in [
            ("plain", "plain"),
            (
                "\u{1b}[31mred\u{1b}[0m.",
                "\u{1b}[0;31mred\u{1b}[0m.\u{1b}[0m",
            ),
            ("\u{1b}[1;38;5;208mx", "\u{1b}[0;1;38;5;208mx\u{1b}[0m"),
            ("\u{1b}[48:2::1:2:3mx", "\u{1b}[0;48;2;1;2;3mx\u{1b}[0m"),
            ("\u{1b}[97;104mx", "\u{1b}[0;97;104mx\u{1b}[0m"),
            // Hidden text, by the code for it or by one colour on itself, is shown.
            ("\u{1b}[8mpassword", "\u{1b}[0mpassword\u{1b}[0m"),
            ("\u{1b}[30;40mx", "\u{1b}[0;30mx\u{1b}[0m"),
            (
                "\u{1b}[31ma\u{1b}[2Jb\u{7}",
                "\u{1b}[0;31ma^[[2Jb^G\u{1b}[0m",
            ),
            (
                "\u{1b}[4;9mx\u{1b}[24my",
                "\u{1b}[0;4;9mx\u{1b}[0;9my\u{1b}[0m",
            ),
            ("x\u{1b}[0m", "x"),
            ("\u{1b}[38;5mx", "\u{1b}[0mx\u{1b}[0m"),
        ] {
            assert_eq!(coloured(line), expected, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn the_text_is_the_plain_one_and_only_styles_are_sent(
            line in "(\\PC|[\\x00-\\x1f\\x7f-\\x9f]|\\x1b\\[[0-9;:]{0,8}m|\\x1b\\[[0-9;]{0,6}[A-Za-z]){0,40}"
        ) {
            let plain = sanitize(&line);
            prop_assert_eq!(&styled(&line).text, &plain);
            let sent = coloured(&line);
            prop_assert_eq!(sanitize(&sent), plain);
            let (escapes, styles) = (sent.matches('\u{1b}').count(), sent.matches("\u{1b}[0").count());
            prop_assert_eq!(escapes, styles);
        }
    }
}
