//! One line of a log as it is shown: its time, its text wrapped, cut or laid out, in the colours it asks for, what was searched marked.

use super::super::super::text;
use super::super::super::theme::Theme;
use crate::app::runs::detail::logs::{Json, LogView};
use crate::domain::contract::{Line as Said, RESULT_PREFIX};
use crate::domain::logs::LogLine;
use crate::domain::logs::text::occurrences;
use crate::sanitize::sanitize;
use crate::sanitize::sgr::{Sgr, styled};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use std::fmt::Write as _;
use std::ops::Range;

/// Bytes of one line that are shown; the log as saved has all of it.
const SHOWN: usize = 16 * 1024;
/// Lines that one line of JSON is laid out on at most.
const LAID_OUT: usize = 200;

/// The line in `room` columns.
pub(super) fn lines(
    line: &LogLine,
    view: &LogView,
    theme: &Theme,
    room: usize,
) -> Vec<Line<'static>> {
    let time = match (view.times, line.at) {
        (false, _) => String::new(),
        (true, Some(at)) => format!("{} ", theme.clock_millis(at)),
        (true, None) => " ".repeat(13),
    };
    let room = room.saturating_sub(time.len());
    let machine = !matches!(Said::of(&line.text), Said::Output);
    let laid_out = match view.json {
        Json::LaidOut => pretty(&line.text),
        Json::AsPrinted => None,
    };
    let parts = match laid_out {
        Some(parts) => parts
            .into_iter()
            .map(|part| {
                let part = text::fit(&sanitize(&part), room, theme.glyphs().ellipsis);
                marked(&part, &[], view, theme)
            })
            .collect(),
        // What machines read is cut: wrapped, the result line alone would fill the page.
        None => plain(&line.text, view.wrap && !machine, view, theme, room),
    };
    let mut shown = Vec::with_capacity(parts.len());
    for (n, mut spans) in parts.into_iter().enumerate() {
        if !time.is_empty() {
            let blank = " ".repeat(time.len());
            let time = if n == 0 { time.clone() } else { blank };
            spans.insert(0, Span::styled(time, theme.muted()));
        }
        let mut line = Line::from(spans);
        if machine {
            line.style = theme.muted();
        }
        shown.push(line);
    }
    shown
}

fn plain(
    line: &str,
    wrap: bool,
    view: &LogView,
    theme: &Theme,
    room: usize,
) -> Vec<Vec<Span<'static>>> {
    let cut = (0..=SHOWN.min(line.len()))
        .rev()
        .find(|at| line.is_char_boundary(*at))
        .unwrap_or(0);
    let shown = styled(&line[..cut]);
    let mut whole = shown.text.into_owned();
    if cut < line.len() {
        // Writing to a string cannot fail.
        let _ = write!(whole, " … ({} more bytes)", line.len() - cut);
    }
    let ellipsis = theme.glyphs().ellipsis;
    let parts = if wrap {
        text::wrap(&whole, room)
    } else {
        vec![text::fit(&whole, room, ellipsis)]
    };
    let mut from = 0;
    parts
        .iter()
        .map(|part| {
            // A part is a piece of the whole, but for the mark of a cut and blanks that a break took.
            let piece = part.strip_suffix(ellipsis).unwrap_or(part);
            let found = whole[from..].find(piece).map(|at| from + at);
            let at = found.unwrap_or(from);
            // Where a character was too wide for the line and left out, it is no piece.
            from = found.map_or(from, |at| at + piece.len());
            let styles: Vec<(Range<usize>, Sgr)> = within(&shown.styles, at, part.len());
            marked(part, &styles, view, theme)
        })
        .collect()
}

/// The styles of a piece that begins at `at` of its line, as ranges of the piece.
fn within(styles: &[(usize, Sgr)], at: usize, length: usize) -> Vec<(Range<usize>, Sgr)> {
    let end_of = |n: usize| styles.get(n + 1).map_or(usize::MAX, |(from, _)| *from);
    styles
        .iter()
        .enumerate()
        .filter_map(|(n, (from, style))| {
            let from = from.saturating_sub(at).min(length);
            let to = end_of(n).saturating_sub(at).min(length);
            (from < to).then_some((from..to, *style))
        })
        .collect()
}

/// The text in its styles, with what is searched marked over them.
fn marked(
    shown: &str,
    styles: &[(Range<usize>, Sgr)],
    view: &LogView,
    theme: &Theme,
) -> Vec<Span<'static>> {
    let hits = occurrences(shown, view.search.text());
    let mut edges: Vec<usize> = vec![0, shown.len()];
    edges.extend(
        styles
            .iter()
            .flat_map(|(range, _)| [range.start, range.end]),
    );
    edges.extend(hits.iter().flat_map(|hit| [hit.start, hit.end]));
    edges.retain(|at| shown.is_char_boundary(*at));
    edges.sort_unstable();
    edges.dedup();
    edges
        .windows(2)
        .map(|edge| {
            let (from, to) = (edge[0], edge[1]);
            let style = styles.iter().find(|(range, _)| range.contains(&from));
            let mut style = style.map_or_else(Style::default, |(_, sgr)| theme.printed(sgr));
            if hits.iter().any(|hit| hit.contains(&from)) {
                style = style.patch(theme.found());
            }
            Span::styled(shown[from..to].to_owned(), style)
        })
        .collect()
}

/// A line that is an object or an array of JSON, or a result of the executor, on several lines; none for others.
fn pretty(line: &str) -> Option<Vec<String>> {
    let body = line.trim();
    let (lead, json) = match body.strip_prefix(RESULT_PREFIX) {
        Some(json) => (Some(RESULT_PREFIX), json),
        None => (None, body),
    };
    if !json.starts_with(['{', '[']) {
        return None;
    }
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    let laid_out = serde_json::to_string_pretty(&value).ok()?;
    let all = laid_out.lines().count();
    let mut lines: Vec<String> = lead.into_iter().map(str::to_owned).collect();
    lines.extend(laid_out.lines().take(LAID_OUT).map(str::to_owned));
    if all > LAID_OUT {
        lines.push(format!("… {} more", text::count(all - LAID_OUT, "line")));
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::super::super::super::theme::Colors;
    use super::*;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;
    use ratatui::style::Modifier;

    fn shown(text: &str, view: &LogView, room: usize) -> Vec<Line<'static>> {
        let theme = Theme::new(Colors::Many, false, TimeZone::UTC);
        let line = LogLine {
            at: None,
            text: text.into(),
        };
        lines(&line, view, &theme, room)
    }

    #[test]
    fn colours_stay_with_their_words_across_a_wrap() {
        let view = LogView {
            wrap: true,
            ..LogView::default()
        };
        let lines = shown("one \u{1b}[1mtwo three\u{1b}[0m four", &view, 8);
        let bold: Vec<(String, bool)> = lines
            .iter()
            .flat_map(|line| &line.spans)
            .map(|span| {
                let bold = span.style.add_modifier.contains(Modifier::BOLD);
                (span.content.to_string(), bold)
            })
            .collect();
        let expected = [
            ("one ", false),
            ("two", true),
            ("three", true),
            ("four", false),
        ];
        assert_eq!(bold, expected.map(|(text, bold)| (text.to_owned(), bold)));
    }

    #[test]
    fn json_is_laid_out_and_whitespace_kept() {
        let view = LogView {
            json: Json::LaidOut,
            ..LogView::default()
        };
        let texts = |text: &str| -> Vec<String> {
            let lines = shown(text, &view, 80);
            lines.iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            texts("{\"a\": [1]}"),
            ["{", "  \"a\": [", "    1", "  ]", "}"]
        );
        assert_eq!(
            texts("LLMCTL_EXECUTOR_RESULT_JSON={}"),
            ["LLMCTL_EXECUTOR_RESULT_JSON=", "{}"]
        );
        assert_eq!(
            texts("  two  spaces\tand a tab"),
            ["  two  spaces   and a tab"]
        );
        assert_eq!(texts("{broken"), ["{broken"]);
    }

    #[test]
    fn a_line_of_a_mebibyte_is_cut_with_a_mark() {
        let view = LogView {
            wrap: true,
            ..LogView::default()
        };
        let lines = shown(&"x".repeat(1 << 20), &view, 100);
        assert!(lines.len() <= SHOWN / 100 + 2);
        let all: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let all = all.join(" ");
        assert!(all.ends_with("… (1032192 more bytes)"), "{all}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_added_by_styles(
            text in "(\\PC|\\x1b\\[[0-9;]{0,4}m|[ \\t]){0,60}", room in 1usize..40, wrap: bool
        ) {
            let view = LogView { wrap, ..LogView::default() };
            let theme = Theme::new(Colors::Many, false, TimeZone::UTC);
            let plain = sanitize(&text);
            let expected = if wrap {
                text::wrap(&plain, room)
            } else {
                vec![text::fit(&plain, room, theme.glyphs().ellipsis)]
            };
            let lines = shown(&text, &view, room);
            // What machines read is not wrapped.
            prop_assume!(matches!(Said::of(&text), Said::Output));
            prop_assert_eq!(lines.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        }
    }
}
