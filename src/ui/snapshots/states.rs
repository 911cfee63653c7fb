//! The named states as snapshots.

use super::super::stage::{Stage, Told};
use super::keep;
use crate::app::Msg;
use crate::app::link::LinkMsg;
use crate::app::notices::Notice;
use crate::app::runs;
use crate::app::runs::detail::logs::kept;
use crate::domain::logs::page::Page;
use crate::domain::logs::quest::{Findings, Reading};
use crate::domain::logs::{LogEvent, LogLine};
use crate::domain::target::Target;

macro_rules! snapshots {
    ($($name:ident: $stage:expr;)*) => {
        $(#[test]
        fn $name() {
            let mut stage = $stage;
            keep(concat!(stringify!($name), "_120x40"), &stage.shot(120, 40));
            let mut stage = $stage;
            keep(concat!(stringify!($name), "_80x24"), &stage.shot(80, 24));
        })*
    };
}

/// Runs in every state of life.
pub(super) fn busy() -> Stage {
    let mut stage = Stage::minikube();
    let slow = Told::new(205, "slow", -1890);
    stage.running(&slow).ended(&slow, 62, 0).removed(&slow, 62);
    let studio = Told::by_studio(198, -1640);
    stage.running(&studio).ended(&studio, 20, 0);
    let hello = Told::new(206, "hello", -181);
    stage.running(&hello).ended(&hello, 4, 0);
    let fail = Told::new(207, "fail", -140);
    stage.running(&fail).ended(&fail, 4, 3);
    let bad = Told::new(208, "bad-image", -40);
    stage.cannot_pull(&bad);
    let running = Told::new(209, "slow", -8);
    stage.running(&running);
    stage.print(&running, -4.0, &["tick 1".into(), "tick 2".into()]);
    stage.tick(0.0);
    stage
}

fn of(number: u64, keys: &[&str]) -> Stage {
    let mut stage = busy();
    stage.select(number).press(keys);
    stage
}

pub(super) fn chatty() -> Stage {
    let mut stage = Stage::minikube();
    let told = Told::new(209, "noisy", -30);
    stage.running(&told);
    let lines: Vec<String> = (1..=200)
        .map(|n| match n % 40 {
            0 => format!("WARN  \u{1b}[31mqueue {n} is full\u{1b}[0m, waiting \u{202e}for room"),
            7 => format!("line {n} 日本語のログ行 with wide characters and more text than one line of a narrow terminal can ever hold at once"),
            _ => format!("line {n}"),
        })
        .collect();
    stage.print(&told, -20.0, &lines[..120]);
    stage.log(
        &told,
        LogEvent::Gap {
            reason: "the node rotated the log".into(),
        },
    );
    stage.print(&told, -10.0, &lines[120..]);
    stage.tick(0.0);
    stage.select(209);
    stage
}

/// At a hit that memory does not hold, of a log that is being written; the history answers `findings`, then that it has lines around.
fn spilled(findings: Findings) -> Stage {
    let mut stage = Stage::minikube();
    let told = Told::new(209, "noisy", -30);
    stage.running(&told);
    // Long enough that memory holds the half of them.
    let text = |n: u64| match n % 50 {
        9 => format!("step {n}: timeout, once more"),
        _ => format!("line {n} {}", "and so on ".repeat(1000)),
    };
    let lines: Vec<String> = (0..800).map(text).collect();
    stage.print(&told, -20.0, &lines);
    stage.tick(0.0);
    stage.select(209).press(&["l", "/"]).write("timeout");
    let kept = |msg| Msg::Runs(runs::Msg::KeptLog(msg));
    let ask = stage.state.runs.log_view.asks;
    stage.send(kept(kept::Msg::Sought { ask, findings }));
    let ask = stage.state.runs.log_view.asks;
    let lines = (0..200).map(|n| LogLine {
        at: None,
        text: text(n),
    });
    let page = Page {
        first: 0,
        lines: lines.collect(),
    };
    let page = Ok(page);
    stage.send(kept(kept::Msg::PageRead { ask, page }));
    stage.press(&["enter"]);
    stage
}

/// Runs that ended in every way there is.
fn ends() -> Stage {
    let mut stage = Stage::minikube();
    let silent = Told::new(301, "silent", -400);
    stage.running_without_marker(&silent);
    stage.print(&silent, -396.0, &["working without saying so".into()]);
    stage.finish(&silent, 6, 0, true);
    stage.log(&silent, LogEvent::Whole);
    let garbled = Told::new(302, "garbled", -300);
    stage.running(&garbled);
    stage.print(
        &garbled,
        -296.0,
        &[r#"LLMCTL_EXECUTOR_RESULT_JSON={"status": "succ"#.into()],
    );
    stage.finish(&garbled, 6, 0, true);
    stage.log(&garbled, LogEvent::Whole);
    let contradicted = Told::new(303, "crash", -200);
    stage.running(&contradicted).ended_against(&contradicted, 9);
    let mut due = Told::new(304, "hello", -70);
    due.ttl = 60;
    stage.running(&due).ended(&due, 4, 0);
    let early = Told::new(305, "日本語のとても長いサンプルの名前", -60);
    stage
        .running(&early)
        .ended(&early, 5, 0)
        .removed_after(&early, 5, 20);
    let unschedulable = Told::new(306, "huge", -12);
    stage.cannot_schedule(&unschedulable);
    stage.tick(0.0);
    stage
}

fn end(number: u64, keys: &[&str]) -> Stage {
    let mut stage = ends();
    stage.select(number).press(keys);
    stage
}

fn lost() -> Stage {
    let mut stage = busy();
    stage.lose("connection refused (192.168.49.2:8443)", 500, 1);
    stage.tick(12.0);
    stage.lose("connection refused (192.168.49.2:8443)", 4000, 3);
    stage
}

snapshots! {
    connecting: Stage::on(Target::sandbox());
    never_connected: {
        let mut stage = Stage::on(Target::sandbox());
        stage.lose("the API server answers nothing", 2000, 2).tick(5.0);
        stage
    };
    demo_empty: Stage::demo();
    runs_in_every_state: busy();
    lost_connection: lost();
    timeline_of_a_running_run: of(209, &[]);
    timeline_of_a_success: of(206, &["enter"]);
    timeline_of_a_failure: of(207, &["enter"]);
    timeline_of_a_bad_image: of(208, &["enter"]);
    timeline_of_a_removed_run: of(205, &["enter"]);
    timeline_of_a_run_by_studio: of(198, &["enter"]);
    runs_ended_in_every_way: ends();
    timeline_of_an_uncertain_run: end(301, &["enter"]);
    timeline_of_a_disagreement: end(303, &["enter"]);
    timeline_of_a_run_removed_early: end(305, &["enter"]);
    timeline_of_an_unschedulable_run: end(306, &["enter"]);
    result_that_cannot_be_read: end(302, &["enter", "right", "right"]);
    logs_following: of(209, &["l"]);
    logs_with_times_and_search: {
        let mut stage = chatty();
        stage.press(&["l", "t", "/"]).write("wide");
        stage
    };
    logs_with_a_gap_wrapped: {
        let mut stage = chatty();
        stage.press(&["l", "w", "g", "ctrl-d", "ctrl-d", "ctrl-d", "ctrl-d", "ctrl-d", "ctrl-d", "ctrl-d", "ctrl-d", "ctrl-d", "ctrl-d"]);
        stage
    };
    logs_at_a_hit_in_the_history: {
        let hits = vec![9, 59, 109, 159, 209, 259, 309, 359, 409];
        let mut stage = spilled(Findings { hits, read: 800, reading: Reading::Done });
        stage.press(&["n", "n"]);
        stage
    };
    logs_while_the_history_is_searched: spilled(Findings { hits: vec![9, 59], read: 100, reading: Reading::UnderWay });
    logs_whose_history_cannot_be_read: spilled(Findings::failed("Permission denied (os error 13) (/h/u-1.log)".into()));
    logs_of_a_removed_run: of(205, &["l"]);
    logs_waiting: of(208, &["l"]);
    result_of_a_success: of(206, &["enter", "right", "right"]);
    result_of_a_failure: of(207, &["enter", "right", "right"]);
    result_not_yet: of(209, &["enter", "right", "right"]);
    events: of(208, &["enter", "right", "right", "right"]);
    manifest_being_read: of(206, &["enter", "left"]);
    manifest_of_a_removed_run: of(205, &["enter", "left"]);
    filter_being_typed: {
        let mut stage = busy();
        stage.press(&["/"]).write("fail");
        stage
    };
    filter_without_a_match: {
        let mut stage = busy();
        stage.press(&["/"]).write("zebra").press(&["enter"]);
        stage
    };
    sorted_by_removal: {
        let mut stage = busy();
        stage.press(&["s", "s", "s"]);
        stage
    };
    run_dialog_looking: of(209, &["r"]);
    run_dialog: {
        let mut stage = of(209, &["r", "down"]);
        stage.looked_before_a_run(true);
        stage
    };
    run_dialog_refused: {
        let mut stage = of(209, &["r", "down", "down", "down", "down"]);
        stage.looked_before_a_run(false);
        stage
    };
    run_dialog_with_a_wrong_value: {
        let mut stage = busy();
        stage.press(&["r", "tab", "tab", "backspace", "backspace", "backspace"]);
        stage
    };
    run_dialog_with_an_image_and_a_class: {
        let mut stage = of(209, &["r", "tab", "tab", "tab", "tab"]);
        stage.write("here/executor:2");
        stage.press(&["tab", "right", "tab"]).write("A=1 GREETING=\"good morning\"");
        stage.looked_before_a_run(true);
        stage
    };
    run_form: {
        let mut stage = of(209, &["r", "G", "up", "up", "up", "up", "up", "up", "up", "f"]);
        stage.looked_before_a_run(true);
        stage
    };
    run_form_with_a_wrong_value: {
        let mut stage = of(209, &["r", "G", "up", "up", "up", "up", "up", "up", "up", "f", "down", "backspace", "backspace"]);
        stage.looked_before_a_run(true);
        stage
    };
    two_runs_compared: of(209, &["d"]);
    question_of_cancel: of(209, &["c"]);
    help: of(209, &["?"]);
    help_scrolled: of(209, &["?", "G", "ctrl-d", "ctrl-d", "ctrl-d", "ctrl-d", "ctrl-d", "ctrl-d"]);
    faults: {
        let mut stage = Stage::demo();
        stage.send(Msg::Faults(vec!["API down".to_owned(), "pulls take 20 s".to_owned()]));
        stage.press(&[":"]).write("fault");
        stage
    };
    palette: of(209, &[":"]);
    palette_searched: {
        let mut stage = Stage::demo();
        stage.press(&[":"]).write("runcan");
        stage
    };
    palette_without_a_match: {
        let mut stage = Stage::demo();
        stage.press(&[":"]).write("zebra");
        stage
    };
    messages: {
        let mut stage = Stage::demo();
        stage
            .notice(Notice::good("saved 2 settings to executor.toml; they take effect with the next run"))
            .tick(3.0)
            .notice(Notice::bad("run 209 was not created: Job llmctl-exec-209 in llmctl: jobs.batch is forbidden: User \"dev\" cannot create resource \"jobs\"; apply the overlay executor, which grants it"))
            .press(&["!"]);
        stage
    };
    messages_empty: {
        let mut stage = Stage::demo();
        stage.press(&["!"]);
        stage
    };
    a_failure_in_the_last_line: {
        let mut stage = Stage::demo();
        stage.notice(Notice::bad("run 209 was not created: Job llmctl-exec-209 in llmctl is forbidden"));
        stage
    };
    connected_again: {
        let mut stage = lost();
        stage.tick(30.0);
        stage.send(Msg::Link(LinkMsg::Connected { version: "v1.36.3".into() }));
        stage
    };
}

#[test]
fn too_small() {
    let mut stage = busy();
    keep("too_small_59x14", &stage.shot(59, 14));
    keep("too_small_20x5", &stage.shot(20, 5));
    keep("smallest_60x15", &stage.shot(60, 15));
}

#[test]
fn ascii() {
    use super::super::stage::text;
    use super::super::theme::{Colors, Theme};
    use jiff::tz::TimeZone;
    let theme = Theme::new(Colors::None, true, TimeZone::UTC);
    let mut stage = of(207, &["enter"]);
    let shown = text(&stage.buffer(120, 40, &theme));
    assert!(shown.is_ascii(), "{shown}");
    keep("ascii_120x40", &shown);
}
