//! What a filter or a search found, highlighted in what is shown.

use super::theme::Theme;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::text::{Line, Span};

/// Where a fuzzy filter matches the cells of a row: for each cell the positions of its characters that were found.
/// Cells that are absent are not searched. Nothing is found when the row as shown does not match as a whole.
pub(crate) fn in_lines(filter: &str, cells: impl Iterator<Item = Option<String>>) -> Vec<Vec<u32>> {
    let cells: Vec<Option<String>> = cells.collect();
    let mut found = vec![Vec::new(); cells.len()];
    if filter.trim().is_empty() {
        return found;
    }
    let mut row = String::new();
    // For each character of the row: which cell it is of and its position there.
    let mut origin: Vec<Option<(usize, u32)>> = Vec::new();
    for (cell, text) in cells.iter().enumerate() {
        for (at, c) in text.iter().flat_map(|text| text.chars().enumerate()) {
            row.push(c);
            origin.push(u32::try_from(at).ok().map(|at| (cell, at)));
        }
        row.push(' ');
        origin.push(None);
    }
    let pattern = Pattern::parse(filter, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let chars: Vec<char> = row.chars().collect();
    let mut positions = Vec::new();
    if pattern
        .indices(Utf32Str::Unicode(&chars), &mut matcher, &mut positions)
        .is_some()
    {
        for position in positions {
            let at = usize::try_from(position).ok().and_then(|at| origin.get(at));
            if let Some(Some((cell, at))) = at {
                found[*cell].push(*at);
            }
        }
    }
    found
}

/// The line with the characters at `found` (counted in characters over all its pieces) highlighted.
pub(crate) fn mark(line: Line<'static>, found: &[u32], theme: &Theme) -> Line<'static> {
    if found.is_empty() {
        return line;
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut at = 0u32;
    for span in line.spans {
        let mut piece = String::new();
        let mut piece_is_found = false;
        let mut push = |piece: &mut String, is_found: bool| {
            if !piece.is_empty() {
                let style = if is_found {
                    span.style.patch(theme.found())
                } else {
                    span.style
                };
                spans.push(Span::styled(std::mem::take(piece), style));
            }
        };
        for c in span.content.chars() {
            let is_found = found.contains(&at);
            if is_found != piece_is_found {
                push(&mut piece, piece_is_found);
                piece_is_found = is_found;
            }
            piece.push(c);
            at += 1;
        }
        push(&mut piece, piece_is_found);
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::super::theme::Colors;
    use super::*;
    use jiff::tz::TimeZone;
    use ratatui::style::Style;

    #[test]
    fn highlights_split_a_line_and_lose_nothing() {
        let theme = Theme::new(Colors::Sixteen, false, TimeZone::UTC);
        let line = mark(Line::from("héllo"), &[1, 2, 4], &theme);
        let texts: Vec<_> = line.spans.iter().map(|s| s.content.as_ref()).collect();
        assert_eq!(texts, ["h", "él", "l", "o"]);
        assert_eq!(line.spans[1].style, theme.found());
        assert_eq!(line.spans[2].style, Style::new());
    }

    #[test]
    fn a_filter_is_found_across_cells() {
        let cells = || [Some("207".to_owned()), None, Some("fail".to_owned())].into_iter();
        assert_eq!(
            in_lines("fail 7", cells()),
            [vec![2], vec![], vec![0, 1, 2, 3]]
        );
        assert_eq!(in_lines("zzz", cells()), vec![Vec::<u32>::new(); 3]);
        assert_eq!(in_lines("", cells()), vec![Vec::<u32>::new(); 3]);
    }
}
