//! 100 000 lines of one run through the reducer, in the batches of a follower: kept in memory and read for the contract. And the keys of a
//! search among them.

use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use llmctl_dev::app::action::Action;
use llmctl_dev::app::{Msg, Pane, State, runs, settings, update};
use llmctl_dev::domain::logs::{LogEvent, LogLine};
use llmctl_dev::domain::observed::{JobSeen, Seen};
use llmctl_dev::domain::runs::{RunId, Runs};
use llmctl_dev::domain::target::Target;
use llmctl_dev::ui::theme::{Colors, Theme};
use llmctl_dev::ui::{Scroll, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::collections::BTreeMap;
use std::iter::once;
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
