//! What must hold at every size: no panic, nothing half drawn, the cursor inside.

use super::super::stage::theme;
use super::super::view;
use super::states::{busy, chatty};
use crate::app::Msg;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const PLACES: [&[&str]; 12] = [
    &[],
    &["l", "t", "w"],
    &["enter", "right", "right"],
    &["enter", "left"],
    &["/", "f"],
    &["r", "tab"],
    &["c"],
    &["?", "G"],
    &[":", "r"],
    &["!"],
    &["2", "e"],
    &["1", "v"],
];

#[test]
fn a_page_scrolled_past_its_end_moves_back_at_once() {
    let mut stage = busy();
    stage.press(&["?"]).shot(80, 24);
    stage.press(&["G"]);
    let end = stage.shot(80, 24);
    stage.press(&["j", "j", "ctrl-d"]);
    assert_eq!(stage.shot(80, 24), end);
    stage.press(&["k"]);
    assert_ne!(stage.shot(80, 24), end);
}

#[test]
fn a_log_scrolled_past_its_end_moves_back_at_once() {
    let mut stage = chatty();
    stage.press(&["l", "w"]).shot(80, 24);
    stage.press(&["g"]).shot(80, 24);
    for _ in 0..40 {
        stage.press(&["ctrl-d"]).shot(80, 24);
    }
    let end = stage.shot(80, 24);
    assert!(end.contains("line 199"), "{end}");
    stage.press(&["j"]);
    assert_eq!(stage.shot(80, 24), end);
    stage.press(&["k"]);
    assert_ne!(stage.shot(80, 24), end);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn it_draws_at_every_size_one_after_another(
        place in 0..PLACES.len(),
        sizes in prop::collection::vec((1u16..200, 1u16..70), 1..6),
    ) {
        let mut stage = busy();
        stage.press(PLACES[place]);
        for (columns, rows) in sizes {
            stage.send(Msg::Resized(columns, rows));
            stage.state.settle();
            let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
            terminal
                .draw(|frame| view(&stage.state, &theme(), &mut stage.scroll, frame))
                .unwrap();
            let shown = super::super::stage::text(terminal.backend().buffer());
            let header = shown.lines().next().unwrap_or_default();
            let big = columns >= 60 && rows >= 15;
            prop_assert_eq!(header.contains("MINIKUBE llmctl"), big, "{}", shown);
        }
    }
}
