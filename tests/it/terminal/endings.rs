//! However the program ends: the terminal is as it was, nothing of it runs on, and what it saw is kept.

use super::{demo, start};
use crate::support::home::Home;
use crate::support::processes::{Process, all_end, below};
use crate::support::terminal::{CTRL_C, Terminal};
use rustix::process::Signal;
use std::path::Path;
use std::time::{Duration, Instant};

/// The demo with a run at work, and the processes of that run.
fn busy(home: &Home) -> (Terminal, Vec<Process>) {
    let mut terminal = demo(home);
    start(&mut terminal, "slow");
    terminal.press("l");
    terminal.wait_for("second 2 of 60");
    let processes = below(terminal.pid().as_raw_nonzero().get());
    // The executor, and the shell that it runs.
    assert!(processes.len() >= 2, "{processes:?}");
    (terminal, processes)
}

/// Nothing runs on, nothing lies around, and the next program knows the run with its log.
fn nothing_is_left(home: &Home, processes: &[Process]) {
    all_end(processes);
    let left: Vec<_> = files(&home.temporary());
    assert!(left.is_empty(), "{left:?}");
    the_history_is_whole(home);
}

fn the_history_is_whole(home: &Home) {
    let mut terminal = demo(home);
    terminal.wait_for_row(&["slow", "removed"]);
    terminal.press("l");
    terminal.wait_for("second 1 of 60");
    terminal.wait_for("second 2 of 60");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

fn files(directory: &Path) -> Vec<String> {
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect()
}

/// The signals that end a program in order, all at the same time.
fn each_signal(story: impl Fn(Signal) + Sync) {
    std::thread::scope(|scope| {
        for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
            let story = &story;
            scope.spawn(move || story(signal));
        }
    });
}

#[test]
fn quit_in_the_middle_of_a_run_leaves_nothing() {
    let home = Home::new();
    let (mut terminal, processes) = busy(&home);
    terminal.press(CTRL_C);
    assert_eq!(terminal.exit_and_restore(), 0);
    nothing_is_left(&home, &processes);
}

#[test]
fn signals_end_the_program_and_its_runs() {
    each_signal(|signal| {
        let home = Home::new();
        let (mut terminal, processes) = busy(&home);
        terminal.signal(signal);
        assert_eq!(terminal.exit_and_restore(), 130, "{signal:?}");
        nothing_is_left(&home, &processes);
    });
}

#[test]
fn a_closed_terminal_ends_the_program_and_its_runs() {
    let home = Home::new();
    let (mut terminal, processes) = busy(&home);
    terminal.close();
    assert_eq!(terminal.exit(), 130);
    nothing_is_left(&home, &processes);
}

#[test]
fn a_killed_program_takes_its_runs_along_and_leaves_its_history() {
    let home = Home::new();
    let (mut terminal, processes) = busy(&home);
    terminal.signal(Signal::KILL);
    assert!(terminal.end().signal().is_some());
    all_end(&processes);
    the_history_is_whole(&home);
}

#[test]
fn a_signal_to_the_start_screen_gives_the_terminal_back() {
    each_signal(|signal| {
        let home = Home::new();
        let mut terminal = home.terminal(&[]);
        terminal.wait_for("No Kubernetes to work on yet");
        terminal.signal(signal);
        assert_eq!(terminal.exit_and_restore(), 130, "{signal:?}");
    });
}

/// Set in the child of [`a_panic_gives_the_terminal_back`], which is this test binary once more.
const PANICS: &str = "LLMCTL_DEV_TEST_PANICS";

#[test]
fn a_panic_gives_the_terminal_back() {
    if std::env::var_os(PANICS).is_some() {
        let mut screen = llmctl_dev::tui::screen::Screen::open().unwrap();
        let theme = llmctl_dev::ui::theme::Theme::new(
            llmctl_dev::ui::theme::Colors::Many,
            false,
            jiff::tz::TimeZone::UTC,
        );
        let start = llmctl_dev::ui::start::Start::default();
        screen.draw_start(&start, &theme).unwrap();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(1) {
            screen.draw_start(&start, &theme).unwrap();
        }
        panic!("a mistake in the program");
    }
    let home = Home::new();
    let me = std::env::current_exe().unwrap();
    let mut terminal = home.on_a_terminal(
        me,
        &[
            "--exact",
            "--nocapture",
            "terminal::endings::a_panic_gives_the_terminal_back",
        ],
        &[(PANICS, "1")],
    );
    terminal.wait_for("No Kubernetes");
    assert_ne!(terminal.exit_and_restore(), 0);
    // The report is on the screen that the person is left with, after the alternate one.
    assert!(
        terminal.text().contains("a mistake in the program"),
        "{}",
        terminal.text()
    );
    let raw = terminal.raw();
    assert!(raw.find("\x1b[?1049l").unwrap() < raw.find("a mistake in the program").unwrap());
}
