//! The rows of the preflight in the run dialog: one mark and name each, and below them what the worst one says.

use crate::domain::preflight::{Mark, Preflight, Row};
use crate::sanitize::sanitize;
use crate::ui::text;
use crate::ui::theme::{Theme, Tone};
use ratatui::text::{Line, Span};

/// Rows that the block takes: two of marks, two of words.
pub(super) const ROWS: u16 = 4;

/// The block in at most `width` columns; `label` stands before the first line.
pub(super) fn lines(
    preflight: Option<&Preflight>,
    label: Span<'static>,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let indent = label.width();
    let room = width.saturating_sub(indent);
    let Some(preflight) = preflight else {
        let wait = Span::styled("looking at the cluster", theme.muted());
        return vec![Line::from(vec![label, wait])];
    };
    let mut lines = vec![vec![label]];
    let mut used = 0;
    for row in &preflight.rows {
        let spans = mark(row, theme);
        let columns: usize = spans.iter().map(Span::width).sum();
        if used + columns > room && used > 0 {
            lines.push(vec![Span::raw(" ".repeat(indent))]);
            used = 0;
        }
        used += columns;
        if let Some(line) = lines.last_mut() {
            line.extend(spans);
        }
    }
    let mut lines: Vec<Line> = lines.into_iter().map(Line::from).collect();
    lines.truncate(2);
    // What refuses stands as the dialog's problem already.
    let remark = preflight.remarks().find(|row| row.mark != Mark::Refuses);
    if let Some(row) = remark {
        let said = format!("{}: {}", row.name, row.sentence());
        let left = usize::from(ROWS) - lines.len();
        let mut wrapped = text::wrap(&sanitize(&said), room);
        if wrapped.len() > left {
            let rest = wrapped.split_off(left - 1).join(" ");
            wrapped.push(text::fit(&rest, room, theme.glyphs().ellipsis));
        }
        lines.extend(wrapped.into_iter().map(|line| {
            let indent = Span::raw(" ".repeat(indent));
            Line::from(vec![indent, Span::styled(line, theme.muted())])
        }));
    }
    lines
}

fn mark(row: &Row, theme: &Theme) -> [Span<'static>; 2] {
    let glyphs = theme.glyphs();
    let (glyph, tone) = match row.mark {
        Mark::Ok => (glyphs.good, Tone::Good),
        Mark::Warns => (glyphs.warning, Tone::Warning),
        Mark::Refuses => (glyphs.bad, Tone::Bad),
        Mark::Unknown => (glyphs.uncertain, Tone::Warning),
    };
    let name = match row.name {
        "GPU" => format!(" GPU {}  ", row.says.split(':').next().unwrap_or_default()),
        name => format!(" {name}  "),
    };
    [Span::styled(glyph, theme.tone(tone)), Span::raw(name)]
}
