//! Makes text from a cluster or a log harmless to a terminal, and shows what was harmful in it.
//!
//! | in the text | shown as |
//! |---|---|
//! | tab | spaces to the next multiple of eight columns |
//! | colour and style (`ESC [ … m`) | nothing; [`sgr`] gives them as styles |
//! | any other control character or sequence | caret notation: `^[` for escape, `^G`, `^?`; `\x9b` for the eight-bit ones |
//! | carriage return at the end | nothing |
//! | characters that reorder or hide text | their code: `<U+202E>` |

pub mod sgr;

use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar;

const TAB: usize = 8;

/// The line as it may be written to a terminal: printable characters only. Takes one line; a line feed inside is shown as `^J`.
/// What needs no change is borrowed.
pub fn sanitize(line: &str) -> Cow<'_, str> {
    show(line, |_, _| {})
}

/// Makes a line harmless; `style` is told of each colour or style sequence, with what was shown before it and its parameters.
fn show(line: &str, mut style: impl FnMut(&Shown, &str)) -> Cow<'_, str> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Cow::Borrowed(line);
    }
    if line.chars().all(is_plain) {
        return Cow::Borrowed(line);
    }
    let mut shown = Shown {
        text: String::with_capacity(line.len() + 16),
        column: 0,
    };
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\u{1b}' => {
                if let Some((parameters, after)) = after_style(after) {
                    style(&shown, parameters);
                    after
                } else {
                    shown.push_str("^[");
                    after
                }
            }
            '\t' => {
                shown.tab();
                after
            }
            c if is_plain(c) => {
                shown.push(c);
                after
            }
            c => {
                shown.code(c);
                after
            }
        };
    }
    Cow::Owned(shown.text)
}

/// Several lines, each made harmless; the line feeds between them stay.
pub fn sanitize_lines(text: &str) -> String {
    text.lines().map(sanitize).collect::<Vec<_>>().join("\n")
}

/// A text of JSON whose strings hold no character that acts on a terminal: each is written as its escape, which means the same. Line
/// feeds stay, which stand between its parts only.
pub fn json(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c == '\n' || is_plain(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if c == '\n' || is_plain(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    Cow::Owned(out)
}

struct Shown {
    text: String,
    column: usize,
}

impl Shown {
    fn push(&mut self, c: char) {
        self.text.push(c);
        self.column += c.width().unwrap_or(0);
    }

    fn push_str(&mut self, ascii: &str) {
        self.text.push_str(ascii);
        self.column += ascii.len();
    }

    fn tab(&mut self) {
        let spaces = TAB - self.column % TAB;
        self.text.extend(std::iter::repeat_n(' ', spaces));
        self.column += spaces;
    }

    fn code(&mut self, c: char) {
        let before = self.text.len();
        let code = u32::from(c);
        // Writing to a string cannot fail.
        let _ = match code {
            0..0x20 => write!(self.text, "^{}", char::from_u32(code + 0x40).unwrap_or('?')),
            0x7f => write!(self.text, "^?"),
            0x80..0xa0 => write!(self.text, "\\x{code:02x}"),
            _ => write!(self.text, "<U+{code:04X}>"),
        };
        self.column += self.text.len() - before;
    }
}

/// The parameters of a colour or style sequence and what follows it, whose escape character was just read.
fn after_style(after_escape: &str) -> Option<(&str, &str)> {
    let parameters = after_escape.strip_prefix('[')?;
    let end = parameters.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
    let after = parameters[end..].strip_prefix('m')?;
    Some((&parameters[..end], after))
}

/// Shown as it is: no control character, nothing that reorders or hides text. The joiners and selectors that scripts and emoji need stay.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_shown() {
        let table = [
            ("", ""),
            (
                "plain text, ümläut, 漢字, 👍🏽, 👩‍💻",
                "plain text, ümläut, 漢字, 👍🏽, 👩‍💻",
            ),
            (
                "\u{1b}[1;31mred\u{1b}[0m and \u{1b}[38:5:208morange\u{1b}[m",
                "red and orange",
            ),
            ("a\tb\t\tc", "a       b               c"),
            ("漢\tx", "漢      x"),
            ("\u{1b}[31m12345678\tx", "12345678        x"),
            ("clear \u{1b}[2J\u{1b}[H", "clear ^[[2J^[[H"),
            ("title \u{1b}]0;evil\u{7}", "title ^[]0;evil^G"),
            (
                "link \u{1b}]8;;http://x\u{1b}\\text",
                "link ^[]8;;http://x^[\\text",
            ),
            ("unfinished \u{1b}[31", "unfinished ^[[31"),
            ("\u{1b}", "^["),
            ("crlf\r", "crlf"),
            ("10%\r20%\r\n", "10%^M20%"),
            ("a\nb", "a^Jb"),
            (
                "nul \0 bell \u{7} del \u{7f} back \u{8}",
                "nul ^@ bell ^G del ^? back ^H",
            ),
            ("csi \u{9b}31m", "csi \\x9b31m"),
            (
                "bidi \u{202e}gpj.exe\u{2069}",
                "bidi <U+202E>gpj.exe<U+2069>",
            ),
            (
                "hidden\u{200b}\u{feff}\u{ad}",
                "hidden<U+200B><U+FEFF><U+00AD>",
            ),
            ("line\u{2028}separator", "line<U+2028>separator"),
        ];
        for (text, shown) in table {
            assert_eq!(sanitize(text), shown, "{text:?}");
        }
    }

    #[test]
    fn what_needs_no_change_is_borrowed() {
        for text in ["plain", "ümläut", "crlf\r\n"] {
            assert!(matches!(sanitize(text), Cow::Borrowed(_)), "{text:?}");
        }
    }

    #[test]
    fn json_means_the_same_and_does_nothing_to_a_terminal() {
        let text = "a\u{9b}31m\u{7f}\u{202e}\u{1b}\u{e0001}é\n";
        let written = serde_json::to_string_pretty(&[text]).unwrap();
        let harmless = json(&written);
        assert!(
            harmless.chars().all(|c| c == '\n' || is_plain(c)),
            "{harmless:?}"
        );
        let read: Vec<String> = serde_json::from_str(&harmless).unwrap();
        assert_eq!(read, [text]);
        assert!(matches!(json("[1]\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(sanitize_lines("a\u{1b}[31m\r\nb\tc"), "a\nb       c");
    }

    proptest! {
        #[test]
        fn nothing_harmful_passes_and_nothing_changes_twice(text in "(\\PC|[\\x00-\\x1f\\x7f-\\x9f]|\\x1b\\[[0-9;]{0,6}[a-zA-Z]|[\u{200b}-\u{206f}]){0,60}") {
            let once = sanitize(&text).into_owned();
            prop_assert!(once.chars().all(is_plain), "{once:?}");
            prop_assert_eq!(sanitize(&once), once.as_str());
        }

        #[test]
        fn printable_text_is_not_touched(text in "[ -~\u{a1}-\u{ac}\u{ae}-\u{2ff}]{0,80}") {
            prop_assert_eq!(sanitize(&text), text.as_str());
        }
    }
}
