//! 100 000 lines of one run through the reducer, in the batches of a follower: kept in memory and read for the contract. And the keys of a
//! search among them, and the search of a million lines in the history.

use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use llmctl_dev::app::action::Action;
use llmctl_dev::app::{Msg, Pane, State, runs, settings, update};
use llmctl_dev::domain::logs::quest::Reading;
use llmctl_dev::domain::logs::wanted::Wanted;
use llmctl_dev::domain::logs::{LogEvent, LogLine};
use llmctl_dev::domain::observed::{JobSeen, Seen};
use llmctl_dev::domain::runs::{RunId, Runs};
use llmctl_dev::domain::target::Target;
use llmctl_dev::files::history::{Bounds, History};
use llmctl_dev::ui::theme::{Colors, Theme};
use llmctl_dev::ui::{Scroll, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::collections::BTreeMap;
use std::io;
use std::iter::once;
use tempfile::TempDir;
use tui_input::InputRequest;

const LINES: usize = 100_000;
const BATCH: usize = 4096;

fn main() {
    divan::main();
}

fn events() -> Vec<LogEvent> {
    let lines: Vec<LogLine> = (0..LINES)
        .map(|n| LogLine {
            at: Some(Timestamp::UNIX_EPOCH),
            text: match n {
                0 => "LLMCTL_EXECUTOR_STARTED".into(),
                _ if n + 1 == LINES => {
                    r#"LLMCTL_EXECUTOR_RESULT_JSON={"status": "success", "exit_code": 0}"#.into()
                }
                _ => format!("line {n} of {LINES}, with some more text as a log line has it"),
            },
        })
        .collect();
    let opened = LogEvent::Opened {
        container_id: "containerd://1".into(),
    };
    let batches = lines
        .chunks(BATCH)
        .map(|chunk| LogEvent::Lines(chunk.to_vec()));
    once(opened)
        .chain(batches)
        .chain(once(LogEvent::Whole))
        .collect()
}

fn job() -> Seen {
    Seen::Job(Box::new(JobSeen {
        name: "job".into(),
        namespace: "llmctl".into(),
        uid: "u".into(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        created: Timestamp::UNIX_EPOCH,
        started: None,
        finish: None,
        finishing: false,
        suspended: false,
        active: 1,
        ended: 0,
        ttl: None,
        deadline: None,
        deleting: None,
        image: String::new(),
    }))
}

fn runs() -> Runs {
    let mut runs = Runs::default();
    runs.observe(job(), Timestamp::UNIX_EPOCH);
    runs
}

#[divan::bench]
fn ingest(bencher: Bencher) {
    let id = RunId("u".into());
    bencher
        .counter(ItemsCount::new(LINES))
        .with_inputs(|| (runs(), events()))
        .bench_values(|(mut runs, events)| {
            for event in events {
                runs.log(&id, event, Timestamp::UNIX_EPOCH);
            }
            runs
        });
}

/// Two keys of a search, each with its frame, the log as full as it gets in memory: of a text that is nowhere, and of one that many
/// lines have.
#[divan::bench(args = ["zzzz", "of 1"])]
fn search_key(bencher: Bencher, text: &str) {
    let run = RunId("u".into());
    let now = Timestamp::UNIX_EPOCH;
    let settings = settings::Slice::default();
    let mut state = State::new(Target::sandbox(), "llmctl".into(), now, settings);
    update(&mut state, Msg::Resized(120, 40));
    update(&mut state, Msg::Seen(job()));
    for event in events() {
        let run = run.clone();
        update(&mut state, Msg::Runs(runs::Msg::Log { run, event }));
    }
    state.settle();
    state.focus = Pane::Detail;
    for action in [Action::Logs, Action::Search] {
        update(&mut state, Msg::Do(action));
    }
    let theme = Theme::new(Colors::Many, false, TimeZone::UTC);
    let mut scroll = Scroll::default();
    let Ok(mut terminal) = Terminal::new(TestBackend::new(120, 40));
    let (before, last) = text.split_at(text.len() - 1);
    for c in before.chars() {
        update(&mut state, Msg::Edit(InputRequest::InsertChar(c)));
    }
    let key = last.chars().next().unwrap_or(' ');
    bencher.counter(ItemsCount::new(2_u32)).bench_local(|| {
        for request in [InputRequest::InsertChar(key), InputRequest::DeletePrevChar] {
            update(&mut state, Msg::Edit(request));
            let Ok(_) = terminal.draw(|frame| view(&state, &theme, &mut scroll, frame));
        }
    });
}

/// A million lines that the history keeps, looked through to the end: for a text, and for errors.
#[divan::bench(args = [Wanted::Text("timeout".into()), Wanted::Error])]
fn search_of_a_million_lines(bencher: Bencher, wanted: &Wanted) {
    let (_directory, history, run) = kept();
    bencher.counter(ItemsCount::new(MILLION)).bench_local(|| {
        let Ok(mut search) = history.search(&run, wanted.clone(), MILLION) else {
            panic!("there is no log");
        };
        let mut hits = 0;
        loop {
            let findings = search.part();
            hits += findings.hits.len();
            if findings.reading != Reading::UnderWay {
                assert_eq!((findings.reading, hits), (Reading::Done, 0));
                break;
            }
        }
    });
}

/// The page around the last of a million lines: the one that is farthest from the beginning.
#[divan::bench]
fn page_of_a_million_lines(bencher: Bencher) {
    let (_directory, history, run) = kept();
    bencher.bench_local(|| {
        let Ok(page) = history.page(&run, MILLION - 1, MILLION) else {
            panic!("the line is not there");
        };
        assert_eq!(page.end(), MILLION);
        page
    });
}

const MILLION: u64 = 1_000_000;

fn kept() -> (TempDir, History, RunId) {
    let run = RunId("u".into());
    let bounds = Bounds {
        log_bytes: 1 << 30,
        ..Bounds::default()
    };
    let begun = tempfile::tempdir().and_then(|directory| {
        let history = History::open(directory.path().into(), bounds);
        Ok((directory, history.map_err(io::Error::other)?))
    });
    let Ok((directory, history)) = begun else {
        panic!("there is no place for a log");
    };
    let opened = LogEvent::Opened {
        container_id: "containerd://1".into(),
    };
    let at = Some(Timestamp::UNIX_EPOCH);
    let batches = (0..MILLION / 1000).map(|batch| {
        let text = |n| format!("line {n}, with some more text as a log line has it");
        let numbers = batch * 1000..(batch + 1) * 1000;
        LogEvent::Lines(numbers.map(|n| LogLine { at, text: text(n) }).collect())
    });
    for event in once(opened).chain(batches) {
        assert!(history.keep(&run, &event).is_ok(), "the log is not kept");
    }
    (directory, history, run)
}
