//! Bytes to lines: split at line feeds, with a limit on the length, made valid UTF-8, the node's time taken off the front.

use crate::domain::logs::LogLine;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::fmt::Write as _;

/// Bytes of a line that are kept; the rest is counted and cut. The longest lines are results: two captured streams of up to 10 000 000
/// bytes each (contract 5.2), escaped. A result that is cut is none.
pub(super) const LONGEST: usize = 32 << 20;
/// Longest time stamp that a node writes: RFC 3339 with nanoseconds and an offset.
const STAMP: usize = 35;

/// Collects bytes and gives lines.
#[derive(Default)]
pub(super) struct Lines {
    ready: VecDeque<LogLine>,
    open: Vec<u8>,
    /// Bytes of the open line beyond the limit.
    cut: usize,
}

impl Lines {
    /// Takes what the server sent next.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            if self.open.is_empty() && end <= LONGEST {
                self.ready.push_back(line(&bytes[..end], 0));
            } else {
                self.extend(&bytes[..end]);
                self.close();
            }
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes);
    }

    /// The next complete line.
    pub(super) fn pop(&mut self) -> Option<LogLine> {
        self.ready.pop_front()
    }

    /// The line that no line feed ended, if there is one.
    pub(super) fn finish(&mut self) -> Option<LogLine> {
        if self.open.is_empty() {
            return None;
        }
        self.close();
        self.ready.pop_back()
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = LONGEST - self.open.len();
        let (kept, rest) = bytes.split_at(bytes.len().min(room));
        self.open.extend_from_slice(kept);
        self.cut += rest.len();
    }

    fn close(&mut self) {
        self.ready.push_back(line(&self.open, self.cut));
        self.open.clear();
        self.cut = 0;
    }
}

fn line(bytes: &[u8], cut: usize) -> LogLine {
    let space = bytes.iter().take(STAMP + 1).position(|b| *b == b' ');
    let stamp = space.and_then(|at| {
        std::str::from_utf8(&bytes[..at])
            .ok()?
            .parse::<Timestamp>()
            .ok()
    });
    let text = match (stamp, space) {
        (Some(_), Some(at)) => &bytes[at + 1..],
        _ => bytes,
    };
    let mut text = String::from_utf8_lossy(text).into_owned();
    if cut > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, " \u{2026} ({cut} more bytes cut)");
    }
    LogLine { at: stamp, text }
}

/// The node's own word, in place of a log that it does not have.
pub(super) fn is_lost(line: &LogLine) -> bool {
    line.at.is_none()
        && line
            .text
            .starts_with("unable to retrieve container logs for ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(lines: &mut Lines) -> Vec<LogLine> {
        std::iter::from_fn(|| lines.pop()).collect()
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::default();
        lines.push(bytes);
        let mut got = all(&mut lines);
        got.extend(lines.finish());
        got.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn the_nodes_time_is_taken_off() {
        let mut lines = Lines::default();
        lines.push(b"2026-11-24T08:00:00.123456789Z hello  world\n2026-11-24T10:00:00+02:00 \nno time here\n2026-11-24T08:00:00Z\n");
        let got = all(&mut lines);
        assert_eq!(
            got[0],
            LogLine {
                at: Some("2026-11-24T08:00:00.123456789Z".parse().unwrap()),
                text: "hello  world".into()
            }
        );
        assert_eq!(
            got[1],
            LogLine {
                at: Some("2026-11-24T08:00:00Z".parse().unwrap()),
                text: String::new()
            }
        );
        assert_eq!(
            got[2],
            LogLine {
                at: None,
                text: "no time here".into()
            }
        );
        assert_eq!(got[3].at, None);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_nothing_else_is() {
        assert_eq!(
            texts(b"a\xffb\n\x1b[31mred\r\n"),
            ["a\u{fffd}b", "\u{1b}[31mred\r"]
        );
    }

    #[test]
    fn a_line_without_end_is_cut_with_a_mark_and_the_next_one_is_whole() {
        let mut bytes = vec![b'x'; LONGEST + 5];
        bytes.extend(b"\nnext\n");
        let got = texts(&bytes);
        assert_eq!(got[0].len(), LONGEST + " \u{2026} (5 more bytes cut)".len());
        assert!(got[0].ends_with("(5 more bytes cut)"));
        assert_eq!(got[1], "next");
    }

    #[test]
    fn the_nodes_excuse_is_known() {
        let mut lines = Lines::default();
        lines.push(b"unable to retrieve container logs for containerd://abc\n2026-11-24T08:00:00Z unable to retrieve container logs for x\n");
        let got = all(&mut lines);
        assert!(is_lost(&got[0]) && !is_lost(&got[1]));
    }

    proptest! {
        #[test]
        fn how_the_bytes_arrive_does_not_matter(text in "[a-z \\n\u{e9}]{0,200}", cuts in proptest::collection::vec(0usize..400, 0..8)) {
            let bytes = text.as_bytes();
            let mut lines = Lines::default();
            let mut at: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            at.sort_unstable();
            let mut from = 0;
            for cut in at.into_iter().chain([bytes.len()]) {
                lines.push(&bytes[from..cut]);
                from = cut;
            }
            let mut got = all(&mut lines);
            got.extend(lines.finish());
            let got: Vec<String> = got.into_iter().map(|l| l.text).collect();
            let expected: Vec<String> = text.lines().map(str::to_owned).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
