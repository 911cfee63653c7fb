//! A quest: which lines of a whole log have what is wanted, those in memory, those that come, and those that only the history file has.
//!
//! Lines in memory and lines that come are looked at on the spot. The file is read beside that, from its first line, and its findings come
//! in [`Findings`]. One bit a line is kept, so that each hit can be gone to and counted at once, however many there are.

use super::wanted::Wanted;
use super::{Log, LogLine};
use std::ops::Range;

/// Which lines have what is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Quest {
    wanted: Wanted,
    hits: Hits,
    /// The lines of the file before this number were looked at.
    read: u64,
    /// The lines from this number on were looked at, in memory or as they came.
    seen: u64,
    /// The file was to be read up to here.
    upto: u64,
    reading: Reading,
}

/// How far the reading of the file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    UnderWay,
    /// All that the file has was read, or nothing is to be read from it.
    Done,
    /// Why it cannot be read.
    Failed(String),
}

/// What a part of the file had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Numbers of lines that have what is wanted.
    pub hits: Vec<u64>,
    /// Lines looked at so far, from the first.
    pub read: u64,
    pub reading: Reading,
}

impl Findings {
    /// Nothing could be read.
    pub fn failed(why: String) -> Self {
        Self {
            hits: Vec::new(),
            read: 0,
            reading: Reading::Failed(why),
        }
    }
}

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Down,
    Up,
}

/// What lies that way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    At(u64),
    Nowhere,
    /// The part of the file where it may be was not read yet.
    Unknown,
}

impl Quest {
    /// Looks at the lines in memory. Where [`Quest::upto`] is more than none, so many lines of the file are to be read for the rest.
    pub fn begin(wanted: Wanted, log: &Log) -> Self {
        let mut hits = Hits::default();
        for (number, line) in log.lines() {
            if wanted.is_in(&line.text) {
                hits.add(number);
            }
        }
        let upto = if log.is_in_memory() { 0 } else { log.total() };
        Self {
            wanted,
            hits,
            read: 0,
            seen: if log.lines().len() == 0 {
                upto
            } else {
                log.first()
            },
            upto,
            reading: if upto == 0 {
                Reading::Done
            } else {
                Reading::UnderWay
            },
        }
    }

    /// What is wanted.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// So many lines of the file are to be read, from its first; none when memory has all of it.
    pub fn upto(&self) -> u64 {
        self.upto
    }

    /// How far the reading of the file is.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// How much of the file was read, in percent.
    pub fn percent(&self) -> u64 {
        (self.read * 100).checked_div(self.upto).unwrap_or(100)
    }

    /// Lines that neither memory nor the file has, once the file was read: it was not to grow any longer, or somebody cut it.
    pub fn lacking(&self) -> u64 {
        match self.reading {
            Reading::UnderWay => 0,
            Reading::Done | Reading::Failed(_) => self.unknown().end - self.unknown().start,
        }
    }

    /// Lines came, the first of them with that number.
    pub fn came(&mut self, first: u64, lines: &[LogLine]) {
        for (number, line) in (first..).zip(lines) {
            if self.wanted.is_in(&line.text) {
                self.hits.add(number);
            }
        }
    }

    /// A part of the file was read.
    pub fn take(&mut self, findings: Findings) {
        for number in findings.hits {
            self.hits.add(number);
        }
        self.read = findings.read;
        self.reading = findings.reading;
    }

    /// The nearest hit among the lines `within`, seen from line `from` (from either end when there is none). `here` counts that line too.
    pub fn next(&self, within: Range<u64>, from: Option<u64>, way: Way, here: bool) -> Next {
        let (start, end) = match (way, from) {
            (_, None) => (within.start, within.end),
            (Way::Down, Some(from)) => (within.start.max(from + u64::from(!here)), within.end),
            (Way::Up, Some(from)) => (within.start, within.end.min(from + u64::from(here))),
        };
        let hit = match way {
            Way::Down => self.hits.first(start, end),
            Way::Up => self.hits.last(start, end),
        };
        let between = match (way, hit) {
            (_, None) => start..end,
            (Way::Down, Some(hit)) => start..hit,
            (Way::Up, Some(hit)) => hit + 1..end,
        };
        let unknown = self.unknown();
        let hidden = between.start.max(unknown.start) < between.end.min(unknown.end);
        match hit {
            _ if hidden && self.reading == Reading::UnderWay => Next::Unknown,
            Some(hit) => Next::At(hit),
            None => Next::Nowhere,
        }
    }

    /// Hits among the lines `within` that are known so far.
    pub fn count(&self, within: Range<u64>) -> u64 {
        self.hits.count(within.start, within.end)
    }

    /// That line has it, as far as is known.
    pub fn has(&self, line: u64) -> bool {
        self.count(line..line + 1) > 0
    }

    /// Lines that nobody looked at.
    fn unknown(&self) -> Range<u64> {
        self.read.min(self.seen)..self.seen
    }
}

/// Line numbers, a bit for each line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Hits(Vec<u64>);

impl Hits {
    fn add(&mut self, number: u64) {
        let Ok(word) = usize::try_from(number / 64) else {
            return;
        };
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    /// The words that hold the numbers from `start` to before `end`, with the number of their first bit; other bits are off.
    fn words(&self, start: u64, end: u64) -> impl DoubleEndedIterator<Item = (u64, u64)> {
        let index = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let to = index(end.div_ceil(64)).min(self.0.len());
        let from = index(start / 64).min(to);
        self.0[from..to].iter().enumerate().map(move |(n, word)| {
            let first = (from + n) as u64 * 64;
            let mut word = *word;
            if start > first {
                word &= u64::MAX << (start - first).min(63);
            }
            if end < first + 64 {
                word &= !(u64::MAX << end.saturating_sub(first));
            }
            (first, word)
        })
    }

    fn first(&self, start: u64, end: u64) -> Option<u64> {
        let mut words = self.words(start, end);
        let (first, word) = words.find(|(_, word)| *word != 0)?;
        Some(first + u64::from(word.trailing_zeros()))
    }

    fn last(&self, start: u64, end: u64) -> Option<u64> {
        let mut words = self.words(start, end).rev();
        let (first, word) = words.find(|(_, word)| *word != 0)?;
        Some(first + 63 - u64::from(word.leading_zeros()))
    }

    fn count(&self, start: u64, end: u64) -> u64 {
        let ones = |(_, word): (u64, u64)| u64::from(word.count_ones());
        self.words(start, end).map(ones).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::LogEvent;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn text(wanted: &str) -> Wanted {
        Wanted::Text(wanted.into())
    }

    fn lines(numbers: Range<u64>) -> Vec<LogLine> {
        numbers
            .map(|n| LogLine {
                at: None,
                // Long enough that memory holds some hundred of them.
                text: format!("line {n}{}", " ".repeat(10_000)),
            })
            .collect()
    }

    /// A log of which only the end is in memory.
    fn spilled(count: u64) -> Log {
        let mut log = Log::default();
        log.take(LogEvent::Opened {
            container_id: "c".into(),
        });
        log.take(LogEvent::Lines(lines(0..count)));
        assert!(log.first() > 200, "{}", log.first());
        log
    }

    fn found(numbers: impl IntoIterator<Item = u64>, read: u64, reading: Reading) -> Findings {
        Findings {
            hits: numbers.into_iter().collect(),
            read,
            reading,
        }
    }

    #[test]
    fn a_log_in_memory_needs_no_file() {
        let mut log = Log::default();
        log.take(LogEvent::Lines(lines(0..30)));
        let mut quest = Quest::begin(text("line 2"), &log);
        assert_eq!((quest.upto(), quest.reading()), (0, &Reading::Done));
        assert_eq!(quest.count(0..30), 11);
        quest.came(30, &lines(200..203));
        assert_eq!(quest.count(0..33), 14);
        assert_eq!(quest.next(0..33, Some(29), Way::Down, false), Next::At(30));
        assert_eq!(quest.next(0..33, Some(32), Way::Down, false), Next::Nowhere);
        assert_eq!(quest.next(0..33, Some(32), Way::Down, true), Next::At(32));
        assert_eq!(quest.next(21..33, Some(21), Way::Up, false), Next::Nowhere);
        assert_eq!(quest.next(0..33, None, Way::Up, false), Next::At(32));
        assert!(quest.has(29) && !quest.has(19));
    }

    #[test]
    fn what_the_file_may_have_is_waited_for_and_nothing_else() {
        let log = spilled(1000);
        let first = log.first();
        let mut quest = Quest::begin(text("line 99"), &log);
        let end = log.total();
        assert_eq!((quest.upto(), quest.percent()), (1000, 0));
        // Memory has 990 to 999; the file may have others before them.
        assert_eq!(quest.next(0..end, None, Way::Down, false), Next::Unknown);
        assert_eq!(
            quest.next(0..end, Some(990), Way::Down, false),
            Next::At(991)
        );
        assert_eq!(quest.next(0..end, Some(990), Way::Up, false), Next::Unknown);
        assert_eq!(
            quest.next(first..end, Some(990), Way::Up, false),
            Next::Nowhere
        );
        quest.take(found([99], 150, Reading::UnderWay));
        assert_eq!(quest.next(0..end, None, Way::Down, false), Next::At(99));
        assert_eq!(
            quest.next(0..end, Some(99), Way::Down, false),
            Next::Unknown
        );
        assert_eq!(quest.next(0..end, Some(150), Way::Up, false), Next::At(99));
        assert_eq!(quest.percent(), 15);
        quest.take(found([], 1000, Reading::Done));
        assert_eq!(
            quest.next(0..end, Some(99), Way::Down, false),
            Next::At(990)
        );
        assert_eq!(quest.next(0..end, Some(990), Way::Up, false), Next::At(99));
        assert_eq!((quest.count(0..end), quest.lacking()), (11, 0));
        assert_eq!(quest.count(0..100) + quest.count(100..end), 11);
    }

    #[test]
    fn a_file_that_ends_early_or_cannot_be_read_is_told() {
        let log = spilled(1000);
        let first = log.first();
        let begun = Quest::begin(text("line 99"), &log);
        let mut short = begun.clone();
        short.take(found([99], 120, Reading::Done));
        assert_eq!(short.lacking(), first - 120);
        assert_eq!(
            short.next(0..1000, Some(99), Way::Down, false),
            Next::At(990)
        );
        let mut failed = begun;
        failed.take(found([], 0, Reading::Failed("no".into())));
        assert_eq!((failed.lacking(), failed.count(0..1000)), (first, 10));
        assert_eq!(failed.next(0..1000, None, Way::Down, false), Next::At(990));
    }

    #[test]
    fn a_log_on_disk_only_is_read_whole() {
        let mut log = spilled(1000);
        log.forget();
        let mut quest = Quest::begin(Wanted::Marker, &log);
        assert_eq!(quest.next(0..1000, None, Way::Down, true), Next::Unknown);
        quest.take(found([0], 1000, Reading::Done));
        assert_eq!(quest.next(0..1000, None, Way::Down, true), Next::At(0));
        assert_eq!(quest.lacking(), 0);
    }

    proptest! {
        #[test]
        fn bits_are_a_set(
            numbers in prop::collection::btree_set(0u64..300, 0..40), start in 0u64..310, end in 0u64..310
        ) {
            let mut hits = Hits::default();
            for number in &numbers {
                hits.add(*number);
                hits.add(*number);
            }
            let within: BTreeSet<u64> = numbers.into_iter().filter(|n| (start..end).contains(n)).collect();
            prop_assert_eq!(hits.count(start, end), within.len() as u64);
            prop_assert_eq!(hits.first(start, end), within.first().copied());
            prop_assert_eq!(hits.last(start, end), within.last().copied());
        }
    }
}
