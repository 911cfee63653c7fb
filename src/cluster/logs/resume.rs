//! Where a log was left, and which lines of the next reading are known already.
//!
//! A server is asked for lines since a whole second and not since a line, so the next reading begins with some that were
//! delivered before, in the same order. They are told apart by their times; lines of the same time by their number.

use crate::domain::logs::LogLine;
use jiff::Timestamp;
use std::collections::VecDeque;

/// The two streams of a container are written by two writers: a line may be some moments older than the one before it.
const MARGIN_SECONDS: i64 = 1;

/// Times of the delivered lines that the next reading will repeat.
#[derive(Debug, Default)]
pub(super) struct Resume {
    newest: Option<Timestamp>,
    /// Times and how many lines in a row have them, in the order of delivery.
    times: VecDeque<(Timestamp, u64)>,
}

/// Whether a line of a reading is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Known,
    New,
    /// New, and some lines between it and the last delivered one may be lost.
    AfterGap,
}

/// What of a reading is still expected to be known.
#[derive(Debug)]
pub(super) struct Replay {
    expected: VecDeque<(Timestamp, u64)>,
    /// This reading does not begin at the beginning: it may begin with the rest of a line.
    resumed: bool,
}

impl Resume {
    /// The time to ask the server for; none before the first line. Whole seconds, rounded down: kube rounds to the nearest, which loses lines.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let second = self.newest?.as_second().checked_sub(MARGIN_SECONDS)?;
        Timestamp::from_second(second).ok()
    }

    /// A line was delivered.
    pub(super) fn deliver(&mut self, line: &LogLine) {
        // A line without a time cannot be recognised; it is only ever the node's own word.
        let Some(at) = line.at else { return };
        if self.newest.is_none_or(|newest| at > newest) {
            self.newest = Some(at);
            let since = self.since();
            // Older ones in the middle are dropped too: the server leaves them out wherever they stand.
            if self
                .times
                .front()
                .is_some_and(|(oldest, _)| Some(*oldest) < since)
            {
                self.times.retain(|(time, _)| Some(*time) >= since);
            }
        }
        if Some(at) < self.since() {
            return;
        }
        match self.times.back_mut() {
            Some((last, count)) if *last == at => *count += 1,
            _ => self.times.push_back((at, 1)),
        }
    }

    /// Begins the next reading.
    pub(super) fn replay(&self) -> Replay {
        Replay {
            expected: self.times.clone(),
            resumed: self.newest.is_some(),
        }
    }
}

impl Replay {
    /// Takes the next line of the reading.
    pub(super) fn admit(&mut self, line: &LogLine) -> Admission {
        let Some(at) = line.at else {
            // The rest of a long line whose beginning was delivered, or the node's own word.
            return if self.resumed {
                Admission::Known
            } else {
                Admission::New
            };
        };
        let begins = std::mem::replace(&mut self.resumed, false);
        if self.expected.is_empty() {
            return Admission::New;
        }
        let Some(place) = self.expected.iter().position(|(time, _)| *time == at) else {
            // A long line is written in pieces, each with its time, and a log may be rotated between them: the reading begins with
            // the rest of a line that was delivered, since known ones are still to come behind it.
            if begins && self.expected.iter().any(|(time, _)| *time > at) {
                return Admission::Known;
            }
            self.expected.clear();
            return Admission::AfterGap;
        };
        // What is skipped here has been rotated away; it was delivered before.
        self.expected.drain(..place);
        if let Some((_, count)) = self.expected.front_mut() {
            *count -= 1;
            if *count == 0 {
                self.expected.pop_front();
            }
        }
        Admission::Known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use proptest::prelude::*;

    fn line(nanoseconds: i64, text: usize) -> LogLine {
        let start: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        LogLine {
            at: Some(start + SignedDuration::from_nanos(nanoseconds)),
            text: text.to_string(),
        }
    }

    /// What a node serves: each line by itself must not be older than asked.
    fn served<'a>(file: &'a [LogLine], resume: &Resume) -> Vec<&'a LogLine> {
        let since = resume.since();
        file.iter()
            .filter(|line| since.is_none() || line.at >= since)
            .collect()
    }

    fn read(file: &[LogLine], lines: usize, resume: &mut Resume, got: &mut Vec<LogLine>) -> bool {
        let mut replay = resume.replay();
        let mut whole = true;
        for line in served(file, resume).into_iter().take(lines) {
            match replay.admit(line) {
                Admission::Known => continue,
                Admission::New => {}
                Admission::AfterGap => whole = false,
            }
            resume.deliver(line);
            got.push(line.clone());
        }
        whole
    }

    #[test]
    fn the_server_is_asked_for_a_whole_second_before() {
        let mut resume = Resume::default();
        assert_eq!(resume.since(), None);
        resume.deliver(&line(1_900_000_000, 0));
        assert_eq!(
            resume.since(),
            Some("2026-11-24T08:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn lines_of_one_instant_are_told_apart_by_their_number() {
        let file: Vec<_> = (0..10).map(|n| line(5, n)).collect();
        let (mut resume, mut got) = (Resume::default(), Vec::new());
        for lines in [3, 5, 10] {
            assert!(read(&file, lines, &mut resume, &mut got));
        }
        assert_eq!(got, file);
    }

    #[test]
    fn a_rotated_log_shows_its_gap_only_when_something_is_missing() {
        let file: Vec<_> = (0..10)
            .map(|n| line(i64::try_from(n).unwrap() * 1000, n))
            .collect();
        let (mut resume, mut got) = (Resume::default(), Vec::new());
        assert!(read(&file[..6], 6, &mut resume, &mut got));
        assert!(
            read(&file[4..], 10, &mut resume, &mut got),
            "the overlap was served: nothing is missing"
        );
        assert_eq!(got, file);

        let (mut resume, mut got) = (Resume::default(), Vec::new());
        assert!(read(&file[..6], 6, &mut resume, &mut got));
        assert!(
            !read(&file[7..], 10, &mut resume, &mut got),
            "line 6 is missing"
        );
        assert_eq!(got.len(), 9);
    }

    #[test]
    fn the_rest_of_a_long_line_is_not_taken_for_a_line() {
        let mut resume = Resume::default();
        resume.deliver(&line(0, 0));
        let mut replay = resume.replay();
        let rest = LogLine {
            at: None,
            text: "rest".into(),
        };
        assert_eq!(replay.admit(&rest), Admission::Known);
        assert_eq!(Resume::default().replay().admit(&rest), Admission::New);
    }

    #[test]
    fn the_rest_of_a_line_that_was_rotated_apart_is_known() {
        let file: Vec<_> = (0..4)
            .map(|n| line(n * 1000, usize::try_from(n).unwrap()))
            .collect();
        let (mut resume, mut got) = (Resume::default(), Vec::new());
        assert!(read(&file, 4, &mut resume, &mut got));
        // Line 1 was long: its second piece, with a later time, is the beginning of the new file.
        let mut rotated = vec![line(1500, 1)];
        rotated.extend_from_slice(&file[2..]);
        rotated.push(line(9000, 4));
        assert!(
            read(&rotated, 9, &mut resume, &mut got),
            "nothing is missing"
        );
        let texts: Vec<&str> = got.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["0", "1", "2", "3", "4"]);
    }

    proptest! {
        /// Wherever the connection breaks, and however close together or slightly out of order the lines are, each comes once and in order.
        #[test]
        fn nothing_is_lost_or_repeated(
            steps in proptest::collection::vec(prop_oneof![Just(0i64), 1..1000i64, 1_000_000..900_000_000i64, 900_000_000..4_000_000_000i64, -400_000_000..0i64], 1..60),
            readings in proptest::collection::vec((0usize..60, 0usize..60), 0..12),
        ) {
            let mut clock = 10_000_000_000i64;
            let mut newest = clock;
            let file: Vec<_> = steps.iter().enumerate().map(|(n, step)| {
                // At most 0.4 s behind the newest, as two writers of one file may be.
                clock = if *step < 0 { newest + step } else { newest.max(clock) + step };
                newest = newest.max(clock);
                line(clock, n)
            }).collect();
            let (mut resume, mut got) = (Resume::default(), Vec::new());
            let mut written = 0;
            for (more, lines) in readings {
                written = (written + more).min(file.len());
                prop_assert!(read(&file[..written], lines, &mut resume, &mut got));
            }
            prop_assert!(read(&file, file.len(), &mut resume, &mut got));
            prop_assert_eq!(got, file);
        }
    }
}
