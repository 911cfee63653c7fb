//! What is looked for in a log, and whether a line has it: the same for lines in memory, lines that come, and lines in a file.

use super::super::contract::Line;
use super::is_error;
use super::text::{holds, without_styles};

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A text as a person sees it: upper and lower case alike, colours left out.
    Text(String),
    /// The executor's start marker.
    Marker,
    /// The executor's result line.
    Result,
    /// A line that tells of an error.
    Error,
}

impl Wanted {
    /// The line has it.
    pub fn is_in(&self, line: &str) -> bool {
        match self {
            Self::Text(wanted) => holds(&without_styles(line), wanted),
            Self::Marker => matches!(Line::of(line), Line::Started | Line::StartedEvent(_)),
            Self::Result => matches!(Line::of(line), Line::Result(_)),
            Self::Error => is_error(line),
        }
    }

    /// Bytes that two parts of a line must share, so that nothing is missed between them.
    pub fn overlap(&self) -> usize {
        match self {
            // A character may have another length in the other case.
            Self::Text(wanted) => wanted.len() * 3 + 64,
            Self::Marker | Self::Result | Self::Error => 64,
        }
    }

    /// Begins to look at one line.
    pub fn look(&self) -> Look<'_> {
        Look {
            wanted: self,
            hit: false,
            closed: false,
            first: true,
        }
    }
}

/// A look at one line that comes in parts, each beginning with the last [`Wanted::overlap`] bytes of the one before.
pub struct Look<'a> {
    wanted: &'a Wanted,
    hit: bool,
    /// What comes can change nothing.
    closed: bool,
    first: bool,
}

impl Look<'_> {
    /// Takes the next part.
    pub fn part(&mut self, part: &str) {
        let first = std::mem::replace(&mut self.first, false);
        if self.hit || self.closed {
            return;
        }
        self.hit = self.wanted.is_in(part);
        self.closed = match self.wanted {
            Wanted::Text(_) => false,
            // What the executor prints for machines begins with it.
            Wanted::Marker | Wanted::Result => true,
            Wanted::Error => first && Line::of(part) != Line::Output,
        };
    }

    /// The line, as far as it came, has what is wanted.
    pub fn is_hit(&self) -> bool {
        self.hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn in_parts(wanted: &Wanted, line: &str, size: usize) -> bool {
        let chars: Vec<char> = line.chars().collect();
        let shared = wanted.overlap();
        let mut look = wanted.look();
        let mut from = 0;
        loop {
            let to = (from + shared + size).min(chars.len());
            look.part(&chars[from..to].iter().collect::<String>());
            if to == chars.len() {
                return look.is_hit();
            }
            from = to - shared;
        }
    }

    #[test]
    fn each_is_found_in_its_lines() {
        let marker = "LLMCTL_EXECUTOR_STARTED";
        let result = "LLMCTL_EXECUTOR_RESULT_JSON={\"error\": null}";
        let coloured = "\u{1b}[31mTime\u{1b}[1mout\u{1b}[0m of 31";
        let table = [
            (Wanted::Text("TIMEOUT".into()), vec![coloured]),
            (Wanted::Text("31m".into()), vec![]),
            (Wanted::Text("31".into()), vec![coloured]),
            (Wanted::Text("Ä".into()), vec!["ValueError: ä"]),
            (Wanted::Marker, vec![marker]),
            (Wanted::Result, vec![result]),
            (Wanted::Error, vec!["ValueError: ä"]),
        ];
        for (wanted, expected) in table {
            let lines = [marker, result, coloured, "ValueError: ä", "plain"];
            let found: Vec<&str> = lines
                .into_iter()
                .filter(|line| wanted.is_in(line))
                .collect();
            assert_eq!(found, expected, "{wanted:?}");
        }
    }

    #[test]
    fn the_words_inside_a_long_result_are_no_error() {
        let line = format!("LLMCTL_EXECUTOR_RESULT_JSON={{{}error", " ".repeat(1000));
        assert!(!in_parts(&Wanted::Error, &line, 100));
        assert!(in_parts(&Wanted::Result, &line, 100));
        assert!(in_parts(&Wanted::Error, &line[3..], 100));
    }

    proptest! {
        #[test]
        fn a_line_in_parts_is_found_as_the_whole_line(
            before in "[abä ]{0,300}", after in "[abä ]{0,300}", wanted in "[abÄ]{1,6}", size in 1usize..90
        ) {
            let wanted = Wanted::Text(wanted);
            let line = format!("{before}abä{after}");
            prop_assert_eq!(in_parts(&wanted, &line, size), wanted.is_in(&line));
        }
    }
}
