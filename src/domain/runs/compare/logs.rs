//! Two logs of any length, compared line by line: a window of each at a time, so that neither is ever in memory as a whole.

use crate::domain::contract::Line;
use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::VecDeque;
use std::hash::Hash;

/// Whose line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Both,
    Left,
    Right,
    /// No line: it says what is left out here.
    Neither,
}

/// One line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogRow {
    pub side: Side,
    pub text: String,
}

/// How two logs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDiff {
    pub rows: Vec<LogRow>,
    /// Every line is the same.
    pub same: bool,
}

/// What is held and shown at most.
#[derive(Clone, Copy)]
struct Bounds {
    /// Lines of one window, and bytes.
    window: usize,
    window_bytes: usize,
    /// Of a stretch of lines that are the same, so many are shown at its beginning, and at its end.
    around: usize,
    /// Lines that differ, and bytes of all that is shown; the rest is counted.
    shown: usize,
    shown_bytes: usize,
}

const BOUNDS: Bounds = Bounds {
    window: 2000,
    window_bytes: 4 << 20,
    around: 10,
    shown: 2000,
    shown_bytes: 8 << 20,
};

/// Compares what the work of two runs wrote, given by the lines of their logs: not the marker and not the result, which are compared by
/// themselves.
///
/// # Errors
/// The first one of the lines.
pub fn diff<S: AsRef<str> + Eq + Ord + Hash, E>(
    left: impl Iterator<Item = Result<S, E>>,
    right: impl Iterator<Item = Result<S, E>>,
) -> Result<LogDiff, E> {
    within(left, right, BOUNDS)
}

fn within<S: AsRef<str> + Eq + Ord + Hash, E>(
    left: impl Iterator<Item = Result<S, E>>,
    right: impl Iterator<Item = Result<S, E>>,
    bounds: Bounds,
) -> Result<LogDiff, E> {
    let (mut left, mut right) = (Half::new(left, bounds), Half::new(right, bounds));
    let mut shown = Shown::new(bounds);
    loop {
        let more = left.fill()? | right.fill()?;
        // Where both go on alike there is nothing to find out.
        let mut alike = false;
        while left.window.front().is_some() && left.window.front() == right.window.front() {
            alike = true;
            right.pop();
            shown.both(left.pop());
        }
        if alike {
            continue;
        }
        if left.window.is_empty() && right.window.is_empty() {
            return Ok(shown.end());
        }
        if shown.is_full() {
            let (one, two) = (left.rest()?, right.rest()?);
            shown.leave_out(&format!("{one} and {two} more lines are not compared"));
            return Ok(shown.end());
        }
        let windows = (
            left.window.make_contiguous(),
            right.window.make_contiguous(),
        );
        let steps = capture_diff_slices(Algorithm::Myers, windows.0, windows.1);
        // What stands behind the last line that is the same may go on in the next window.
        let same = |step: &DiffOp| matches!(step, DiffOp::Equal { .. });
        let sure = match steps.iter().rposition(same) {
            Some(at) if more => at + 1,
            _ => steps.len(),
        };
        for step in &steps[..sure] {
            if same(step) {
                for _ in step.old_range() {
                    right.pop();
                    shown.both(left.pop());
                }
                continue;
            }
            for _ in step.old_range() {
                shown.one(Side::Left, left.pop());
            }
            for _ in step.new_range() {
                shown.one(Side::Right, right.pop());
            }
        }
    }
}

/// One of the logs: the lines that are looked at, and those behind them.
struct Half<S, I> {
    lines: I,
    window: VecDeque<S>,
    bytes: usize,
    ended: bool,
    bounds: Bounds,
}

impl<S: AsRef<str>, E, I: Iterator<Item = Result<S, E>>> Half<S, I> {
    fn new(lines: I, bounds: Bounds) -> Self {
        Self {
            lines,
            window: VecDeque::new(),
            bytes: 0,
            ended: false,
            bounds,
        }
    }

    /// The next line that the work wrote.
    fn next(&mut self) -> Result<Option<S>, E> {
        for line in &mut self.lines {
            let line = line?;
            if Line::of(line.as_ref()) == Line::Output {
                return Ok(Some(line));
            }
        }
        self.ended = true;
        Ok(None)
    }

    /// Says whether there may be more behind the window.
    fn fill(&mut self) -> Result<bool, E> {
        while !self.ended
            && self.window.len() < self.bounds.window
            && self.bytes < self.bounds.window_bytes
        {
            if let Some(line) = self.next()? {
                self.bytes += line.as_ref().len();
                self.window.push_back(line);
            }
        }
        Ok(!self.ended)
    }

    fn pop(&mut self) -> Option<S> {
        let line = self.window.pop_front()?;
        self.bytes -= line.as_ref().len();
        Some(line)
    }

    /// Lines that are left, in the window and behind it.
    fn rest(&mut self) -> Result<usize, E> {
        let mut rest = self.window.len();
        while self.next()?.is_some() {
            rest += 1;
        }
        Ok(rest)
    }
}

/// What is shown so far.
struct Shown<S> {
    rows: Vec<LogRow>,
    bytes: usize,
    differ: usize,
    whole: bool,
    /// Lines of the stretch that is the same at the moment.
    stretch: usize,
    /// The last ones of it that are not shown yet, and how many were left out before them.
    last: VecDeque<S>,
    left_out: usize,
    bounds: Bounds,
}

impl<S: AsRef<str>> Shown<S> {
    fn new(bounds: Bounds) -> Self {
        Self {
            rows: Vec::new(),
            bytes: 0,
            differ: 0,
            whole: true,
            stretch: 0,
            last: VecDeque::new(),
            left_out: 0,
            bounds,
        }
    }

    fn is_full(&self) -> bool {
        self.differ >= self.bounds.shown || self.bytes >= self.bounds.shown_bytes
    }

    fn both(&mut self, line: Option<S>) {
        let Some(line) = line else { return };
        self.stretch += 1;
        if self.stretch <= self.bounds.around {
            return self.push(Side::Both, line.as_ref());
        }
        self.last.push_back(line);
        if self.last.len() > self.bounds.around {
            self.last.pop_front();
            self.left_out += 1;
        }
    }

    fn one(&mut self, side: Side, line: Option<S>) {
        let Some(line) = line else { return };
        self.end_stretch();
        self.differ += 1;
        self.push(side, line.as_ref());
    }

    fn end_stretch(&mut self) {
        match std::mem::take(&mut self.left_out) {
            0 => {}
            1 => self.push(Side::Neither, "1 line is the same"),
            lines => self.push(Side::Neither, &format!("{lines} lines are the same")),
        }
        for line in std::mem::take(&mut self.last) {
            self.push(Side::Both, line.as_ref());
        }
        self.stretch = 0;
    }

    fn leave_out(&mut self, words: &str) {
        self.end_stretch();
        self.whole = false;
        self.push(Side::Neither, words);
    }

    fn push(&mut self, side: Side, text: &str) {
        self.bytes += text.len();
        self.rows.push(LogRow {
            side,
            text: text.to_owned(),
        });
    }

    fn end(mut self) -> LogDiff {
        self.end_stretch();
        LogDiff {
            same: self.whole && self.differ == 0,
            rows: self.rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    const SMALL: Bounds = Bounds {
        window: 5,
        window_bytes: 1000,
        around: 2,
        shown: 1000,
        shown_bytes: 1 << 20,
    };

    fn compared<'a>(left: &'a [String], right: &'a [String], bounds: Bounds) -> LogDiff {
        let lines =
            |lines: &'a [String]| lines.iter().map(|line| Ok::<_, Infallible>(line.as_str()));
        within(lines(left), lines(right), bounds).unwrap()
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn shown(diff: &LogDiff) -> String {
        let row = |row: &LogRow| match row.side {
            Side::Both => format!(" {}", row.text),
            Side::Left => format!("-{}", row.text),
            Side::Right => format!("+{}", row.text),
            Side::Neither => format!(" ({})", row.text),
        };
        diff.rows.iter().map(row).collect()
    }

    #[test]
    fn logs_are_compared_line_by_line() {
        let rows = [
            ("a b c", "a b c", " a b c"),
            ("a b c", "a x c", " a-b+x c"),
            ("", "a b", "+a+b"),
            ("a b", "", "-a-b"),
            ("a b c d", "b d e", "-a b-c d+e"),
            (
                "a b c d e f",
                "a b c d e g",
                " a b (1 line is the same) d e-f+g",
            ),
            (
                "a b c d e f",
                "a b c d e f",
                " a b (2 lines are the same) e f",
            ),
        ];
        for (left, right, expected) in rows {
            let diff = compared(&words(left), &words(right), SMALL);
            assert_eq!(shown(&diff), expected);
            assert_eq!(diff.same, left == right);
        }
    }

    #[test]
    fn markers_and_results_are_no_output() {
        let left = words("LLMCTL_EXECUTOR_STARTED one LLMCTL_EXECUTOR_RESULT_JSON={} two");
        let diff = compared(&left, &words("one two"), BOUNDS);
        assert_eq!((shown(&diff).as_str(), diff.same), (" one two", true));
    }

    #[test]
    fn a_line_in_the_middle_of_many_is_found_and_all_behind_it_is_compared_too() {
        let left: Vec<String> = (0..100_000).map(|n| format!("line {n}")).collect();
        let mut right = left.clone();
        right.insert(70_000, "one more".into());
        right[90_000] = "another".into();
        let diff = compared(&left, &right, BOUNDS);
        let rows = diff.rows.iter().filter(|row| row.side != Side::Both);
        let texts: Vec<&str> = rows.map(|row| row.text.as_str()).collect();
        let expected = [
            "69980 lines are the same",
            "one more",
            "19979 lines are the same",
            "line 89999",
            "another",
            "9980 lines are the same",
        ];
        assert_eq!(texts, expected);
        assert!(!diff.same && diff.rows.len() < 70, "{}", diff.rows.len());
    }

    #[test]
    fn logs_that_have_nothing_in_common_are_shown_in_part_and_counted_whole() {
        let lines = |word: &str| (0..50_000).map(|n| format!("{word} {n}")).collect();
        let (left, right): (Vec<String>, Vec<String>) = (lines("one"), lines("two"));
        let diff = compared(&left, &right, BOUNDS);
        let last = diff.rows.last().unwrap();
        assert_eq!(last.side, Side::Neither);
        assert_eq!(last.text, "48000 and 48000 more lines are not compared");
        assert_eq!(diff.rows.len(), 4001);
    }

    proptest! {
        #[test]
        fn each_side_can_be_read_back(
            left in "[abc]{0,40}", right in "[abc]{0,40}", window in 1usize..12
        ) {
            let split = |text: &str| -> Vec<String> { text.chars().map(String::from).collect() };
            let (left, right) = (split(&left), split(&right));
            let bounds = Bounds { window, around: 100, ..SMALL };
            let diff = compared(&left, &right, bounds);
            let of = |gone: Side| -> Vec<String> {
                let rows = diff.rows.iter().filter(|row| row.side != gone);
                rows.map(|row| row.text.clone()).collect()
            };
            prop_assert_eq!(of(Side::Right), left.clone());
            prop_assert_eq!(of(Side::Left), right.clone());
            prop_assert_eq!(diff.same, left == right);
        }
    }
}
