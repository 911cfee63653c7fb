//! A frame with 10 000 runs: what it costs to draw the whole screen.

use divan::Bencher;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use llmctl_dev::app::link::LinkMsg;
use llmctl_dev::app::{Msg, State, settings, update};
use llmctl_dev::domain::observed::{JobFinish, JobSeen, Seen};
use llmctl_dev::domain::runs::Ttl;
use llmctl_dev::domain::target::Target;
use llmctl_dev::ui::theme::{Colors, Theme};
use llmctl_dev::ui::{Scroll, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::collections::BTreeMap;

fn main() {
    divan::main();
}

fn job(n: u32, now: Timestamp) -> JobSeen {
    let age = SignedDuration::from_secs(i64::from(n % 1700) + 10);
    let created = now.checked_sub(age).unwrap_or(now);
    let finish = (!n.is_multiple_of(5)).then(|| JobFinish {
        at: created
            .checked_add(SignedDuration::from_secs(4))
            .unwrap_or(created),
        complete: !n.is_multiple_of(3),
        reason: "BackoffLimitExceeded".into(),
        message: "Job has reached the specified backoff limit".into(),
    });
    JobSeen {
        name: format!("llmctl-exec-{n}"),
        namespace: "llmctl".into(),
        uid: format!("uid-{n}"),
        labels: BTreeMap::from([
            ("llmctl.executor".into(), "true".into()),
            ("llmctl.flowchart.execution_id".into(), n.to_string()),
        ]),
        annotations: BTreeMap::new(),
        created,
        started: Some(created),
        finishing: false,
        suspended: false,
        active: u32::from(finish.is_none()),
        ended: 0,
        finish,
        ttl: Some(Ttl(1800)),
        deadline: None,
        deleting: None,
        image: "llmctl-executor-frontier:0.1.0".into(),
    }
}

fn state(runs: u32) -> State {
    let now = Timestamp::UNIX_EPOCH
        .checked_add(SignedDuration::from_secs(1_800_000_000))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let mut state = State::new(
        Target::sandbox(),
        "llmctl".into(),
        now,
        settings::Slice::default(),
    );
    update(
        &mut state,
        Msg::Link(LinkMsg::Connected {
            version: "v1.36.3".into(),
        }),
    );
    for n in 1..=runs {
        update(&mut state, Msg::Seen(Seen::Job(Box::new(job(n, now)))));
    }
    update(&mut state, Msg::Resized(120, 40));
    state.settle();
    assert_eq!(
        state.runs.visible.len(),
        runs as usize,
        "all runs are listed"
    );
    state
}

/// The whole screen at 120x40, the selection in the middle of the list.
#[divan::bench(args = [10, 10_000])]
fn frame_120x40(bencher: Bencher, runs: u32) {
    let mut state = state(runs);
    let middle = state.runs.visible.get(runs as usize / 2).cloned();
    state.runs.selected = middle;
    let theme = Theme::new(Colors::Many, false, TimeZone::UTC);
    let mut scroll = Scroll::default();
    let Ok(mut terminal) = Terminal::new(TestBackend::new(120, 40));
    bencher.bench_local(|| {
        let Ok(_) = terminal.draw(|frame| view(&state, &theme, &mut scroll, frame));
    });
}

/// As above with a filter that every run matches: the matches of the rows in sight are found anew each frame.
#[divan::bench]
fn frame_120x40_filtered(bencher: Bencher) {
    let mut state = state(10_000);
    state.runs.filter = llmctl_dev::app::text::Field::with("studio");
    let theme = Theme::new(Colors::Many, false, TimeZone::UTC);
    let mut scroll = Scroll::default();
    let Ok(mut terminal) = Terminal::new(TestBackend::new(120, 40));
    bencher.bench_local(|| {
        let Ok(_) = terminal.draw(|frame| view(&state, &theme, &mut scroll, frame));
    });
}
