//! The start screen: what it shows, and what its keys choose.

use super::super::stage::{text, theme};
use super::super::start::{Choice, ContextRow, Finding, Start, draw};
use super::keep;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn nothing() -> Start {
    Start {
        findings: vec![
            Finding {
                found: false,
                what: "minikube".into(),
                why: "not on PATH".into(),
                then: "install it, or set `minikube.path` in the configuration".into(),
            },
            Finding {
                found: false,
                what: "kubeconfig".into(),
                why: "no context named llmctl".into(),
                then: "start the profile, or name a context with --context".into(),
            },
        ],
        profile: "profile llmctl (4 CPU, 8192 MB, docker)".into(),
        profile_needs: Some("needs minikube".into()),
        contexts: vec![
            ContextRow {
                name: "kind-dev".into(),
                server: "https://127.0.0.1:6443".into(),
                refused: None,
            },
            ContextRow {
                name: "production".into(),
                server: "https://203.0.113.7:6443".into(),
                refused: Some("its server is not local".into()),
            },
        ],
        ..Start::default()
    }
}

fn press(start: &mut Start, code: KeyCode) -> Option<Choice> {
    start.take(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn shot(start: &Start, columns: u16, rows: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(start, &theme(), frame)).unwrap();
    text(terminal.backend().buffer())
}

fn keep_both(name: &str, start: &Start) {
    keep(&format!("{name}_120x40"), &shot(start, 120, 40));
    keep(&format!("{name}_80x24"), &shot(start, 80, 24));
}

#[test]
fn nothing_to_connect_to() {
    let mut start = nothing();
    keep_both("start", &start);
    assert_eq!(press(&mut start, KeyCode::Char('s')), None);
    keep_both("start_profile_cannot_start", &start);
}

#[test]
fn contexts_are_listed_and_those_that_are_not_local_refused() {
    let mut start = nothing();
    assert_eq!(press(&mut start, KeyCode::Char('k')), None);
    assert_eq!(press(&mut start, KeyCode::Down), None);
    assert_eq!(press(&mut start, KeyCode::Enter), None);
    keep_both("start_contexts", &start);
    assert_eq!(press(&mut start, KeyCode::Up), None);
    assert_eq!(press(&mut start, KeyCode::Enter), Some(Choice::UseContext));
    assert_eq!(
        start.context().map(|row| row.name.as_str()),
        Some("kind-dev")
    );
    assert_eq!(press(&mut start, KeyCode::Esc), None);
    assert_eq!(start.choosing, None);
}

#[test]
fn nothing_is_chosen_unasked() {
    let mut start = nothing();
    for (code, choice) in [
        (KeyCode::Enter, None),
        (KeyCode::Char('x'), None),
        (KeyCode::Char('d'), Some(Choice::Demo)),
        (KeyCode::Char('r'), Some(Choice::Retry)),
        (KeyCode::Char('q'), Some(Choice::Quit)),
        (KeyCode::Esc, Some(Choice::Quit)),
    ] {
        assert_eq!(press(&mut start, code), choice, "{code:?}");
    }
    start.profile_needs = None;
    assert_eq!(
        press(&mut start, KeyCode::Char('s')),
        Some(Choice::StartProfile)
    );
}

#[test]
fn it_draws_at_every_size() {
    let mut start = nothing();
    for choosing in [None, Some(1)] {
        start.choosing = choosing;
        for columns in (1..130).step_by(7) {
            for rows in (1..45).step_by(4) {
                shot(&start, columns, rows);
            }
        }
    }
}
