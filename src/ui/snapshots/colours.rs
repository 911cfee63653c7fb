//! Colours and other styles, where they carry a meaning.

use super::super::stage::{Stage, text, theme};
use super::super::theme::{Colors, Theme, Tone};
use super::states::busy;
use jiff::tz::TimeZone;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// The first cell of the first place that shows `wanted`.
fn cell<'a>(buffer: &'a Buffer, wanted: &str) -> &'a Cell {
    let shown = text(buffer);
    for (y, line) in shown.lines().enumerate() {
        if let Some(at) = line.find(wanted) {
            let x = super::super::text::columns(&line[..at]);
            return &buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())];
        }
    }
    panic!("{wanted} is not shown:\n{shown}");
}

#[test]
fn sandbox_is_reversed_on_every_screen() {
    for keys in [&[][..], &["?"], &[":"], &["!"], &["r"], &["2"], &["1"]] {
        for (columns, rows) in [(120, 40), (80, 24), (60, 15)] {
            let mut stage = Stage::demo();
            stage.press(keys);
            let buffer = stage.buffer(columns, rows, &theme());
            let badge = cell(&buffer, "SANDBOX demo");
            assert!(badge.modifier.contains(Modifier::REVERSED), "{keys:?}");
            assert_eq!(badge.fg, theme().badge(true).fg.unwrap(), "{keys:?}");
        }
    }
}

#[test]
fn a_cluster_is_not_reversed() {
    let mut stage = Stage::minikube();
    let buffer = stage.buffer(120, 40, &theme());
    let badge = cell(&buffer, "MINIKUBE llmctl");
    assert!(!badge.modifier.contains(Modifier::REVERSED));
}

#[test]
fn states_have_their_colours() {
    let mut stage = busy();
    stage.press(&["1"]);
    let theme = theme();
    let buffer = stage.buffer(120, 40, &theme);
    let color = |wanted| cell(&buffer, wanted).fg;
    let tone = |tone| theme.tone(tone).fg.unwrap();
    assert_eq!(color("✗ failed"), tone(Tone::Bad));
    assert_eq!(color("◔ retained"), tone(Tone::Good));
    assert_eq!(color("◌ ImagePullBackOff"), tone(Tone::Warning));
    assert_eq!(color("⌫ removed (TTL)"), tone(Tone::Muted));
}

#[test]
fn the_selected_row_is_one_bar_where_the_keys_are() {
    let mut stage = busy();
    stage.select(207);
    let buffer = stage.buffer(120, 40, &theme());
    let row = text(&buffer)
        .lines()
        .position(|line| line.contains("▸ 207"))
        .unwrap();
    let row = u16::try_from(row).unwrap();
    let colors: Vec<Color> = (40..110).map(|x| buffer[(x, row)].fg).collect();
    assert!(
        colors.windows(2).all(|pair| pair[0] == pair[1]),
        "{colors:?}"
    );
    assert!(buffer[(60, row)].modifier.contains(Modifier::REVERSED));
    stage.press(&["1"]);
    let buffer = stage.buffer(120, 40, &theme());
    assert!(!buffer[(60, row)].modifier.contains(Modifier::REVERSED));
}

#[test]
fn stale_rows_are_grey_and_the_banner_is_reversed() {
    let mut stage = busy();
    stage.lose("connection refused", 4000, 1).tick(3.0);
    let theme = theme();
    let buffer = stage.buffer(120, 40, &theme);
    let muted = theme.muted().fg.unwrap();
    assert_eq!(cell(&buffer, "✗ failed").fg, muted);
    assert_eq!(cell(&buffer, "hello").fg, muted);
    let banner = cell(&buffer, "No connection to");
    assert!(banner.modifier.contains(Modifier::REVERSED));
    assert_eq!(
        cell(&buffer, "as of 14:02:31").fg,
        theme.tone(Tone::Warning).fg.unwrap()
    );
}

#[test]
fn a_match_of_the_filter_is_highlighted() {
    let mut stage = busy();
    stage.press(&["/"]).write("hello").press(&["enter", "1"]);
    let buffer = stage.buffer(120, 40, &theme());
    // The filter itself stands in the line above.
    let found = cell(&buffer, "hello          ◔");
    assert!(found.modifier.contains(Modifier::UNDERLINED));
    assert_eq!(found.fg, theme().found().fg.unwrap());
}

#[test]
fn without_colour_there_is_no_colour() {
    let mono = Theme::new(Colors::None, false, TimeZone::UTC);
    for keys in [&[][..], &["?"], &[":"], &["r"], &["c"], &["l"]] {
        let mut stage = busy();
        stage.press(keys);
        let buffer = stage.buffer(120, 40, &mono);
        for cell in &buffer.content {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{keys:?}");
        }
    }
}
