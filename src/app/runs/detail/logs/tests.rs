//! Keys in a log whose earlier lines are in the history only, and what the history answers.

use super::super::super::super::action::Action;
use super::super::super::super::settings;
use super::super::super::super::{Effect, Msg, Pane, State, update};
use super::super::super::{Effect as RunsEffect, Msg as RunsMsg};
use super::kept::{Effect as Ask, Msg as Answer};
use crate::domain::logs::page::{Page, Spot};
use crate::domain::logs::quest::{Findings, Reading};
use crate::domain::logs::wanted::Wanted;
use crate::domain::logs::{LogEvent, LogLine};
use crate::domain::runs::{Run, RunId};
use crate::domain::target::Target;
use jiff::{SignedDuration, Timestamp};
use tui_input::InputRequest;

const LINES: u64 = 1000;

fn line(number: u64) -> LogLine {
    let at = SignedDuration::from_secs(i64::try_from(number).unwrap());
    LogLine {
        at: Some(Timestamp::UNIX_EPOCH + at),
        // Memory holds some four hundred of them.
        text: format!("line {number}.{}", " ".repeat(10_000)),
    }
}

fn page(numbers: std::ops::Range<u64>) -> Page {
    Page {
        first: numbers.start,
        lines: numbers.map(line).collect(),
    }
}

/// A person at a log.
struct Desk {
    state: State,
    asked: Vec<Ask>,
}

impl Desk {
    /// At the end of a log of a thousand lines.
    fn at_a_long_log() -> Self {
        let now = Timestamp::UNIX_EPOCH;
        let settings = settings::Slice::default();
        let mut desk = Self {
            state: State::new(Target::sandbox(), "n".into(), now, settings),
            asked: Vec::new(),
        };
        let run = Run::new(RunId("u".into()), "j", "n", now);
        desk.take(Msg::Runs(RunsMsg::Restored(vec![run])));
        desk.state.settle();
        desk.state.focus = Pane::Detail;
        desk.log(LogEvent::Opened {
            container_id: "c".into(),
        });
        desk.log(LogEvent::Lines((0..LINES).map(line).collect()));
        desk.press(Action::Logs);
        desk.state.runs.log_view.rows = 20;
        assert!((100..900).contains(&desk.first()), "{}", desk.first());
        assert!(desk.asked.is_empty(), "{:?}", desk.asked);
        desk
    }

    fn take(&mut self, msg: Msg) {
        for effect in update(&mut self.state, msg) {
            if let Effect::Runs(RunsEffect::KeptLog(ask)) = effect {
                self.asked.push(ask);
            }
        }
    }

    fn press(&mut self, action: Action) {
        self.take(Msg::Do(action));
    }

    fn search(&mut self, text: &str) {
        self.press(Action::Search);
        for c in text.chars() {
            self.take(Msg::Edit(InputRequest::InsertChar(c)));
        }
        self.press(Action::Accept);
    }

    fn log(&mut self, event: LogEvent) {
        let run = RunId("u".into());
        self.take(Msg::Runs(RunsMsg::Log { run, event }));
    }

    fn answer(&mut self, answer: Answer) {
        self.take(Msg::Runs(RunsMsg::KeptLog(answer)));
    }

    /// Number of the first line in memory.
    fn first(&self) -> u64 {
        self.state.runs.current().unwrap().log.first()
    }

    /// Top and mark of the view; none while it follows.
    fn place(&self) -> Option<(u64, Option<u64>)> {
        let view = &self.state.runs.log_view;
        (!view.follow).then_some((view.top, view.mark))
    }

    /// The question for a page: its number, and around which line.
    fn asked_page(&mut self) -> (u64, u64) {
        match self.asked.pop() {
            Some(Ask::ReadPage {
                ask, around, upto, ..
            }) => {
                assert!(upto >= LINES);
                (ask, around)
            }
            other => panic!("no page was asked for: {other:?}"),
        }
    }

    fn asked_seek(&mut self) -> (u64, Wanted) {
        match self.asked.pop() {
            Some(Ask::Seek {
                ask, wanted, upto, ..
            }) => {
                assert_eq!(upto, LINES);
                (ask, wanted)
            }
            other => panic!("nothing was looked for: {other:?}"),
        }
    }

    fn found(&mut self, ask: u64, hits: &[u64], read: u64, reading: Reading) {
        let findings = Findings {
            hits: hits.to_vec(),
            read,
            reading,
        };
        self.answer(Answer::Sought { ask, findings });
    }

    fn notice(&self) -> &str {
        let notice = self.state.notices.iter().next();
        notice.map_or("", |(_, notice)| notice.text.as_str())
    }
}

#[test]
fn a_search_finds_what_left_the_memory() {
    let mut desk = Desk::at_a_long_log();
    desk.search("line 99");
    let (ask, wanted) = desk.asked_seek();
    assert_eq!(wanted, Wanted::Text("line 99".into()));
    assert_eq!(desk.place(), None, "memory has hits, but not the first one");
    desk.found(ask, &[], 50, Reading::UnderWay);
    assert_eq!(desk.place(), None);
    desk.found(ask, &[99], 120, Reading::UnderWay);
    // What was in sight stays there until the lines are here.
    assert_eq!(desk.place(), Some((LINES - 20, Some(99))));
    let (page_ask, around) = desk.asked_page();
    assert_eq!(around, 97);
    desk.answer(Answer::PageRead {
        ask: page_ask,
        page: Ok(page(0..200)),
    });
    assert_eq!(desk.place(), Some((97, Some(99))));
    // The next one is not known before the file is read.
    desk.press(Action::NextMatch);
    assert_eq!(desk.place(), Some((97, Some(99))));
    desk.found(ask, &[], LINES, Reading::Done);
    assert_eq!(desk.place(), Some((988, Some(990))));
    desk.press(Action::NextMatch);
    assert_eq!(desk.place(), Some((989, Some(991))));
    for _ in 0..2 {
        desk.press(Action::PreviousMatch);
    }
    assert_eq!(desk.place(), Some((97, Some(99))), "the page is here still");
    desk.press(Action::PreviousMatch);
    assert_eq!(desk.notice(), "there is no match above; n goes down");
    let quest = desk.state.runs.log_view.quests.search().unwrap();
    assert_eq!(quest.count(0..LINES), 11);
}

#[test]
fn hits_that_come_while_the_file_is_read_are_counted_once() {
    let mut desk = Desk::at_a_long_log();
    desk.search("line 1000");
    let (ask, _) = desk.asked_seek();
    desk.log(LogEvent::Lines((1000..1010).map(line).collect()));
    desk.found(ask, &[], LINES, Reading::Done);
    assert_eq!(desk.place(), Some((998, Some(1000))));
    // A long line is looked at as it came and not as it is kept.
    let long = LogLine {
        at: None,
        text: format!("{}line 1000", "x".repeat(1 << 20)),
    };
    desk.log(LogEvent::Lines(vec![long]));
    let quest = desk.state.runs.log_view.quests.search().unwrap();
    assert_eq!(quest.count(0..2000), 2);
}

#[test]
fn a_slow_answer_to_an_older_search_is_left_alone() {
    let mut desk = Desk::at_a_long_log();
    desk.search("line 5.");
    let (older, _) = desk.asked_seek();
    desk.search("\u{20}");
    let (newer, _) = desk.asked_seek();
    desk.found(older, &[5], LINES, Reading::Done);
    assert_eq!(desk.place(), None);
    desk.found(newer, &[], LINES, Reading::Done);
    assert_eq!(desk.place(), None, "there is no such line");
}

#[test]
fn marker_result_and_errors_are_found_in_the_file() {
    let jumps = [
        (Action::ToMarker, Wanted::Marker, "there is no start marker"),
        (Action::ToResult, Wanted::Result, "there is no result line"),
        (Action::NextError, Wanted::Error, "there is no error below"),
        (
            Action::PreviousError,
            Wanted::Error,
            "there is no error above",
        ),
    ];
    for (action, expected, vain) in jumps {
        let mut desk = Desk::at_a_long_log();
        desk.press(action);
        let (ask, wanted) = desk.asked_seek();
        assert_eq!(wanted, expected);
        desk.found(ask, &[7], LINES, Reading::Done);
        assert_eq!(desk.asked_page().1, 5, "{action:?}");

        let mut desk = Desk::at_a_long_log();
        desk.press(action);
        let (ask, _) = desk.asked_seek();
        desk.found(ask, &[], LINES, Reading::Done);
        assert_eq!(desk.notice(), vain);
        // What is known is not looked for again.
        desk.press(action);
        assert!(desk.asked.is_empty());
    }
}

#[test]
fn going_up_goes_on_in_the_file_and_reads_ahead() {
    let mut desk = Desk::at_a_long_log();
    let first = desk.first();
    while desk.place().is_none_or(|(top, _)| top > first) {
        desk.press(Action::PageUp);
        desk.press(Action::Up);
        if desk.asked.last().is_some() {
            // The lines above are asked for before they are in sight.
            let (ask, around) = desk.asked_page();
            assert!(around + 20 >= first, "{around}");
            let page = Ok(page(first - 100..first + 50));
            desk.answer(Answer::PageRead { ask, page });
        }
    }
    let (top, _) = desk.place().unwrap();
    assert!(top < first && top > first - 100, "{top}");
    // To the first line of all.
    desk.asked.clear();
    desk.press(Action::Top);
    assert_eq!(desk.place(), Some((top, None)));
    let (ask, around) = desk.asked_page();
    assert_eq!(around, 0);
    // Somebody turns back before it is there.
    desk.press(Action::Bottom);
    assert_eq!(desk.place(), None);
    let page = Ok(page(0..100));
    desk.answer(Answer::PageRead { ask, page });
    assert_eq!(desk.place(), None);
    desk.press(Action::Top);
    assert_eq!(desk.place(), Some((0, None)), "the page is here still");
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_memory_is_still_searched() {
    let mut desk = Desk::at_a_long_log();
    desk.search("line 99");
    let (ask, _) = desk.asked_seek();
    let why = || "/h/u.log: Permission denied".to_owned();
    desk.found(ask, &[], 0, Reading::Failed(why()));
    assert_eq!(
        desk.notice(),
        "only the lines in memory were looked at: /h/u.log: Permission denied"
    );
    assert_eq!(desk.place(), Some((988, Some(990))));
    desk.press(Action::Top);
    let (ask, _) = desk.asked_page();
    desk.answer(Answer::PageRead {
        ask,
        page: Err(why()),
    });
    let first = desk.first();
    assert_eq!(desk.place(), Some((first, None)), "as far as one can go");
    assert!(
        desk.notice()
            .starts_with("earlier lines cannot be shown: /h/u.log")
    );
}

#[test]
fn what_is_in_sight_stays_when_its_lines_leave_the_memory() {
    let mut desk = Desk::at_a_long_log();
    desk.press(Action::PageUp);
    let (top, _) = desk.place().unwrap();
    desk.log(LogEvent::Lines((1000..1400).map(line).collect()));
    assert!(top < desk.first() + 600);
    let (ask, around) = desk.asked_page();
    assert_eq!(around, top);
    let page = Ok(page(top - 100..top + 100));
    desk.answer(Answer::PageRead { ask, page });
    desk.log(LogEvent::Lines((1400..2000).map(line).collect()));
    assert!(top < desk.first());
    assert_eq!(desk.place(), Some((top, None)));
    assert!(desk.asked.is_empty(), "{:?}", desk.asked);
}

#[test]
fn the_last_minutes_may_begin_in_the_file() {
    let mut desk = Desk::at_a_long_log();
    let first = |desk: &Desk| {
        let run = desk.state.runs.current().unwrap();
        desk.state.runs.log_view.first(&run.log)
    };
    // A minute is in memory, fifteen of them are not.
    desk.press(Action::LogSince);
    assert_eq!(first(&desk), LINES - 61);
    assert!(desk.asked.is_empty());
    for _ in 0..2 {
        desk.press(Action::LogSince);
    }
    assert_eq!(first(&desk), desk.first(), "as far as is known");
    let Some(Ask::FindSince {
        ask, from, spot, ..
    }) = desk.asked.pop()
    else {
        panic!("it was not asked for");
    };
    assert_eq!((from.as_second(), spot), (99, Spot::default()));
    let spot = Spot {
        line: 99,
        offset: 990,
    };
    desk.answer(Answer::SinceFound {
        ask,
        spot: Ok(spot),
    });
    assert_eq!(first(&desk), 99);
    // As time goes on it is found from there.
    desk.log(LogEvent::Lines(vec![line(1000)]));
    desk.take(Msg::Ticked(Timestamp::UNIX_EPOCH));
    let Some(Ask::FindSince {
        ask, spot: from, ..
    }) = desk.asked.pop()
    else {
        panic!("it was not asked for again");
    };
    assert_eq!(from, spot);
    desk.answer(Answer::SinceFound {
        ask,
        spot: Err("gone".into()),
    });
    assert!(
        desk.notice().ends_with("in memory: gone"),
        "{}",
        desk.notice()
    );
    desk.log(LogEvent::Lines(vec![line(1001)]));
    desk.take(Msg::Ticked(Timestamp::UNIX_EPOCH));
    assert!(desk.asked.is_empty(), "it is told once");
}

#[test]
fn a_log_that_begins_anew_is_looked_at_anew() {
    let mut desk = Desk::at_a_long_log();
    desk.search("line 99");
    let (before, _) = desk.asked_seek();
    desk.log(LogEvent::Opened {
        container_id: "c".into(),
    });
    desk.log(LogEvent::Lines((0..100).map(line).collect()));
    desk.found(before, &[5], LINES, Reading::Done);
    let quest = desk.state.runs.log_view.quests.search().unwrap();
    assert_eq!(
        (quest.count(0..LINES), quest.reading()),
        (1, &Reading::Done)
    );
}
