//! A run's log in memory: bounded lines, gaps, the state of the follow, and what the executor contract finds in it (contract 5.7).

pub mod page;
pub mod quest;
pub mod text;
pub mod wanted;

use super::contract::{Line, Reader};
use jiff::{SignedDuration, Timestamp};
use page::Page;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt::Write as _;

/// One piece of a followed log, in the order in which a follower sends them: `Opened` first, any number of the middle ones, `Whole` or `Gone` last.
#[derive(Clone, Debug, PartialEq)]
pub enum LogEvent {
    /// The stream is open from the container's first line; what was kept of this run's log before is replaced by what comes.
    Opened {
        container_id: String,
    },
    Lines(Vec<LogLine>),
    /// The connection dropped; it is resumed without loss where the server still has the lines.
    Broken {
        reason: String,
    },
    /// The dropped connection is back, at the line after the last one.
    Resumed,
    /// Lines were lost and cannot be had again.
    Gap {
        reason: String,
    },
    /// The container ended and every line was read.
    Whole,
    /// Nothing more can be read, and it is not known whether this was all: the pod is gone.
    Gone {
        reason: String,
    },
}

/// One line as the container wrote it (bytes made valid UTF-8, nothing else changed; sanitised when shown).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: Option<Timestamp>,
    pub text: String,
}

impl LogLine {
    /// Cuts a text that is longer than [`LINE_MAX`], with a mark that says how much more there is: what is cut here, and the `unread`
    /// bytes of the line that the text is without already. Says whether it did.
    pub fn cut(&mut self, unread: usize) -> bool {
        if self.text.len() <= LINE_MAX && unread == 0 {
            return false;
        }
        let boundary = |at: &usize| self.text.is_char_boundary(*at);
        let cut = (0..=LINE_MAX.min(self.text.len())).rev().find(boundary);
        let cut = cut.unwrap_or(0);
        let more = self.text.len() - cut + unread;
        self.text.truncate(cut);
        // Writing to a string cannot fail.
        let _ = write!(self.text, "… ({more} more bytes in the history file)");
        self.text.shrink_to_fit();
        true
    }
}

/// How far the reading of a log is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum Follow {
    /// No container has run yet, or the stream is not open yet.
    #[default]
    Waiting,
    Following,
    /// Dropped, being resumed.
    Broken(String),
    /// Every line is here.
    Whole,
    /// What is here is all there will be, complete or not.
    Gone(String),
}

/// Lines lost between line `before - 1` and line `before`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Number of the first line after the loss, counted from 0.
    pub before: u64,
    pub reason: String,
}

/// What is known of a log without its lines; this is what a run's record on disk holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSummary {
    /// The container whose log it is; empty when none was read.
    pub container_id: String,
    /// Lines read in all.
    pub lines: u64,
    /// Bytes read in all, line breaks not counted.
    pub bytes: u64,
    pub follow: Follow,
    pub gaps: Vec<Gap>,
}

/// Most bytes of lines that one run keeps in memory.
pub const MEMORY: usize = 4 * 1024 * 1024;

/// Most bytes of one line in memory; the rest of a longer line is in the history file only.
pub const LINE_MAX: usize = 256 * 1024;

/// Most gaps that are kept; a log with more is hopeless anyway.
const GAPS_MAX: usize = 100;

/// The lines of one run: the newest ones in memory, the numbers of all.
///
/// Lines are numbered from 0 in the order they were read. Lines before [`Log::first`] are no longer in memory; the history file has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "LogSummary", into = "LogSummary")]
pub struct Log {
    summary: LogSummary,
    lines: VecDeque<LogLine>,
    /// What `lines` take, their overhead included.
    memory: usize,
    /// Lines after those in memory, of a log that was put back and whose end the history did not keep.
    lacking: u64,
    /// A line of those in memory was cut.
    cut: bool,
    reader: Reader,
}

impl Log {
    /// The numbers of the whole log, without its lines.
    pub fn summary(&self) -> &LogSummary {
        &self.summary
    }

    /// How far the reading is.
    pub fn follow(&self) -> &Follow {
        &self.summary.follow
    }

    /// Nothing more will come.
    pub fn is_over(&self) -> bool {
        matches!(self.summary.follow, Follow::Whole | Follow::Gone(_))
    }

    /// Lines that were lost.
    pub fn gaps(&self) -> &[Gap] {
        &self.summary.gaps
    }

    /// Lines read in all, in memory or not.
    pub fn total(&self) -> u64 {
        self.summary.lines
    }

    /// Number of the oldest line in memory; [`Log::end`] when there is none.
    pub fn first(&self) -> u64 {
        self.end() - self.lines.len() as u64
    }

    /// Number after the newest line that there is: [`Log::total`], unless the history kept only the beginning.
    pub fn end(&self) -> u64 {
        self.summary.lines - self.lacking
    }

    /// Every line is in memory as it was read.
    pub fn is_in_memory(&self) -> bool {
        self.first() == 0 && !self.cut
    }

    /// Bytes that the lines take in memory.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// The lines in memory with their numbers, oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = (u64, &LogLine)> + ExactSizeIterator {
        let first = self.first();
        self.lines
            .iter()
            .enumerate()
            .map(move |(n, line)| (first + n as u64, line))
    }

    /// The line of that number, if it is in memory.
    pub fn line(&self, number: u64) -> Option<&LogLine> {
        let at = number.checked_sub(self.first())?;
        self.lines.get(usize::try_from(at).ok()?)
    }

    /// Number of the first line in memory that is not older than `span` before the newest one.
    pub fn since(&self, span: SignedDuration) -> u64 {
        let Some(from) = self.before_newest(span) else {
            return self.first();
        };
        let older = |line: &LogLine| line.at.is_some_and(|at| at < from);
        self.first() + self.lines.partition_point(older) as u64
    }

    /// The moment `span` before the newest line in memory; none when no line has a time.
    pub fn before_newest(&self, span: SignedDuration) -> Option<Timestamp> {
        let newest = self.lines.iter().rev().find_map(|line| line.at);
        newest?.checked_sub(span).ok()
    }

    /// What the contract found in the lines read in this session.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Takes one piece. Says whether more than lines came: a marker, a result, another state of the follow.
    pub fn take(&mut self, event: LogEvent) -> bool {
        match event {
            LogEvent::Opened { container_id } => {
                *self = Self::default();
                self.summary.container_id = container_id;
                self.summary.follow = Follow::Following;
            }
            LogEvent::Lines(lines) => {
                let was = std::mem::replace(&mut self.summary.follow, Follow::Following);
                return self.append(lines) || was != Follow::Following;
            }
            LogEvent::Broken { reason } => self.summary.follow = Follow::Broken(reason),
            LogEvent::Resumed => self.summary.follow = Follow::Following,
            LogEvent::Gap { reason } => self.gap(reason),
            LogEvent::Whole => self.summary.follow = Follow::Whole,
            LogEvent::Gone { reason } => self.summary.follow = Follow::Gone(reason),
        }
        true
    }

    /// Puts back the newest lines that the history kept; they are not read for the contract again.
    pub fn recall(&mut self, kept: Page) {
        self.forget();
        self.summary.lines = self.summary.lines.max(kept.end());
        self.lacking = self.summary.lines - kept.end();
        for line in kept.lines {
            self.keep(line);
        }
    }

    /// Drops the lines from memory and keeps the numbers.
    pub fn forget(&mut self) {
        self.lines = VecDeque::new();
        (self.memory, self.lacking, self.cut) = (0, 0, false);
    }

    fn append(&mut self, lines: Vec<LogLine>) -> bool {
        let mut learnt = false;
        if self.lacking > 0 {
            // What comes does not follow on what is here.
            self.forget();
        }
        for line in lines {
            learnt |= self.reader.take(&line.text, line.at);
            self.summary.lines += 1;
            self.summary.bytes += line.text.len() as u64;
            self.keep(line);
        }
        learnt
    }

    fn keep(&mut self, mut line: LogLine) {
        self.cut |= line.cut(0);
        self.memory += weight(&line);
        self.lines.push_back(line);
        while self.memory > MEMORY {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.memory -= weight(&oldest);
        }
    }

    fn gap(&mut self, reason: String) {
        let before = self.summary.lines;
        let gaps = &mut self.summary.gaps;
        if let Some(last) = gaps.last_mut().filter(|last| last.before == before) {
            last.reason = reason;
        } else if gaps.len() < GAPS_MAX {
            gaps.push(Gap { before, reason });
        }
    }
}

/// A line that tells of an error, as far as a line by itself can tell.
pub fn is_error(text: &str) -> bool {
    const WORDS: [&str; 7] = [
        "error",
        "exception",
        "traceback",
        "fatal",
        "panic",
        "failed",
        "critical",
    ];
    let bytes = text.as_bytes();
    let begins = |at: usize, word: &str| {
        bytes
            .get(at..at + word.len())
            .is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    // The result line of the executor has such words as the names of its fields.
    if Line::of(text) != Line::Output {
        return false;
    }
    bytes.iter().enumerate().any(|(at, byte)| {
        matches!(byte.to_ascii_lowercase(), b'e' | b't' | b'f' | b'p' | b'c')
            && WORDS.iter().any(|word| begins(at, word))
    })
}

/// What a line takes in memory.
fn weight(line: &LogLine) -> usize {
    line.text.len() + size_of::<LogLine>()
}

impl From<LogSummary> for Log {
    fn from(summary: LogSummary) -> Self {
        Self {
            summary,
            ..Self::default()
        }
    }
}

impl From<Log> for LogSummary {
    fn from(log: Log) -> Self {
        log.summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(texts: impl IntoIterator<Item = String>) -> LogEvent {
        LogEvent::Lines(
            texts
                .into_iter()
                .map(|text| LogLine { at: None, text })
                .collect(),
        )
    }

    fn opened(id: &str) -> LogEvent {
        LogEvent::Opened {
            container_id: id.into(),
        }
    }

    #[test]
    fn the_state_follows_the_events_and_a_gap_has_its_place() {
        let mut log = Log::default();
        assert_eq!(log.follow(), &Follow::Waiting);
        assert!(log.take(opened("c")));
        assert!(!log.take(lines(["a".into(), "b".into()])), "lines only");
        let broken = LogEvent::Broken {
            reason: "reset".into(),
        };
        assert!(log.take(broken));
        assert_eq!(log.follow(), &Follow::Broken("reset".into()));
        assert!(
            log.take(lines(["c".into()])),
            "lines after a break: it is back"
        );
        assert!(log.take(LogEvent::Gap {
            reason: "rotated".into()
        }));
        log.take(lines(["f".into()]));
        log.take(LogEvent::Whole);
        assert!(log.is_over());
        assert_eq!((log.total(), log.summary().bytes), (4, 4));
        let gap = Gap {
            before: 3,
            reason: "rotated".into(),
        };
        assert_eq!(log.gaps(), [gap]);
        assert_eq!(log.line(3).unwrap().text, "f");
        assert_eq!(log.line(4), None);
    }

    #[test]
    fn opening_again_replaces_what_was_there() {
        let mut log = Log::default();
        log.take(opened("c"));
        log.take(lines(["LLMCTL_EXECUTOR_STARTED".into()]));
        assert!(log.reader().started().is_some());
        log.take(opened("c"));
        assert_eq!(log.total(), 0);
        assert!(log.reader().started().is_none());
    }

    #[test]
    fn a_record_has_the_numbers_and_gets_its_newest_lines_back() {
        let mut log = Log::default();
        log.take(opened("c"));
        log.take(lines((0..10).map(|n| n.to_string())));
        let record = serde_json::to_string(&log).unwrap();
        let mut restored: Log = serde_json::from_str(&record).unwrap();
        assert_eq!(restored.summary(), log.summary());
        assert_eq!((restored.total(), restored.first()), (10, 10));
        let LogEvent::Lines(newest) = lines(["8".into(), "9".into()]) else {
            unreachable!()
        };
        restored.recall(Page {
            first: 8,
            lines: newest,
        });
        assert_eq!(restored.first(), 8);
        assert_eq!(restored.line(9).unwrap().text, "9");
        assert_eq!((restored.total(), restored.end()), (10, 10));
    }

    #[test]
    fn a_history_that_kept_only_the_beginning_has_its_numbers() {
        let mut log = Log::default();
        log.take(opened("c"));
        log.take(lines((0..10).map(|n| n.to_string())));
        let LogEvent::Lines(kept) = lines(["3".into(), "cut here".into()]) else {
            unreachable!()
        };
        log.recall(Page {
            first: 3,
            lines: kept,
        });
        assert_eq!((log.first(), log.end(), log.total()), (3, 5, 10));
        assert_eq!(log.line(3).unwrap().text, "3");
        assert_eq!(log.line(9), None);
        // And one that has more than the record knew of.
        log.recall(Page {
            first: 11,
            lines: vec![LogLine {
                at: None,
                text: "11".into(),
            }],
        });
        assert_eq!((log.first(), log.end(), log.total()), (11, 12, 12));
    }

    #[test]
    fn a_line_without_end_is_cut_in_memory_at_a_character() {
        let mut log = Log::default();
        log.take(lines(["ä".repeat(LINE_MAX)]));
        let (_, line) = log.lines().next().unwrap();
        assert!(line.text.len() <= LINE_MAX + 60);
        let mark = format!("ä… ({LINE_MAX} more bytes in the history file)");
        assert!(line.text.ends_with(&mark));
        assert_eq!(log.summary().bytes, 2 * LINE_MAX as u64);
    }

    #[test]
    fn since_counts_from_the_newest_line() {
        let mut log = Log::default();
        log.take(opened("c"));
        let line = |second: Option<i64>| LogLine {
            at: second.map(|second| Timestamp::from_second(second).unwrap()),
            text: String::new(),
        };
        let times = [Some(0), Some(100), Some(150), Some(200), None];
        log.take(LogEvent::Lines(times.map(line).into()));
        for (seconds, first) in [(0, 3), (50, 2), (100, 1), (1000, 0)] {
            assert_eq!(
                log.since(SignedDuration::from_secs(seconds)),
                first,
                "{seconds}"
            );
        }
    }

    #[test]
    fn lines_that_tell_of_an_error() {
        for text in [
            "ERROR x",
            "ValueError: y",
            "Traceback (most recent",
            "it Failed",
            "panicked at",
        ] {
            assert!(is_error(text), "{text}");
        }
        for text in [
            "fine",
            "",
            "terror?",
            "LLMCTL_EXECUTOR_RESULT_JSON={\"error\": null}",
            "e",
        ] {
            assert_eq!(is_error(text), text == "terror?", "{text}");
        }
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_numbers_stay_whole(sizes in prop::collection::vec(0_usize..200_000, 1..80)) {
            let mut log = Log::default();
            log.take(opened("c"));
            for size in &sizes {
                log.take(lines(["x".repeat(*size)]));
            }
            prop_assert!(log.memory() <= MEMORY);
            prop_assert_eq!(log.memory(), log.lines().map(|(_, line)| weight(line)).sum::<usize>());
            prop_assert_eq!(log.total(), sizes.len() as u64);
            prop_assert_eq!(log.first() + log.lines().len() as u64, log.total());
            for (number, line) in log.lines() {
                prop_assert_eq!(line.text.len(), sizes[usize::try_from(number).unwrap()]);
            }
        }
    }
}
