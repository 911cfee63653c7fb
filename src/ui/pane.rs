//! The frame of a pane or a dialog: number, title, count, the keys at its bottom; and what a pane says when it is empty.

use super::footer;
use super::text;
use super::theme::Theme;
use crate::app::action::Context;
use crate::app::link::Link;
use crate::app::{self, State};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Widget};

/// A pane about to be drawn.
///
/// ```text
/// ╭ 3 Runs ──────────────── 12 · 1 running ╮
/// │                                        │
/// ╰ r run  c cancel  l logs ───────────────╯
/// ```
#[derive(Debug)]
pub(crate) struct Pane<'a> {
    theme: &'a Theme,
    number: Option<char>,
    title: Vec<Span<'a>>,
    count: Vec<Span<'a>>,
    context: Option<Context>,
    focused: bool,
}

impl<'a> Pane<'a> {
    /// A pane of the main screen. It has the keys when it has the focus and no dialog lies over it.
    pub(crate) fn new(state: &'a State, theme: &'a Theme, pane: app::Pane) -> Self {
        let (number, title, context) = match pane {
            app::Pane::Overlays => (Some('1'), "Overlays", Context::Overlays),
            app::Pane::Settings => (Some('2'), "Settings", Context::Settings),
            app::Pane::Runs => (Some('3'), "Runs", Context::Runs),
            app::Pane::Detail => (None, "", Context::Detail),
            app::Pane::Checks => (Some('5'), "Checks", Context::Checks),
        };
        let focused = state.focus == pane && state.dialogs.is_empty();
        Self {
            theme,
            number,
            title: vec![Span::raw(title)],
            count: as_of(state, theme).into_iter().collect(),
            context: Some(if focused { state.context() } else { context }),
            focused,
        }
    }

    /// A dialog; the keys of `context` stand at its bottom.
    pub(crate) fn dialog(theme: &'a Theme, title: impl Into<String>, context: Context) -> Self {
        Self {
            theme,
            number: None,
            title: vec![Span::raw(title.into())],
            count: Vec::new(),
            context: Some(context),
            focused: true,
        }
    }

    /// Another title.
    pub(crate) fn title(mut self, title: impl IntoIterator<Item = Span<'a>>) -> Self {
        self.title = title.into_iter().collect();
        self
    }

    /// What stands at the right of the title, such as a count; added to what is there.
    pub(crate) fn count(mut self, count: impl IntoIterator<Item = Span<'a>>) -> Self {
        let mut count: Vec<Span<'a>> = count.into_iter().collect();
        if !count.is_empty() && !self.count.is_empty() {
            count.push(Span::raw(format!(" {} ", self.theme.glyphs().dot)));
        }
        count.append(&mut self.count);
        self.count = count;
        self
    }

    /// The pane has the keys.
    pub(crate) fn is_focused(&self) -> bool {
        self.focused
    }

    /// Draws the frame over whatever is there and returns the place inside.
    pub(crate) fn draw(self, frame: &mut Frame, area: Rect) -> Rect {
        let glyphs = self.theme.glyphs();
        let style = self.theme.border(self.focused);
        let set = if self.focused {
            glyphs.border_focused
        } else {
            glyphs.border
        };
        let room = usize::from(area.width.saturating_sub(4));
        let mut title: Vec<Span> = vec![Span::raw(" ")];
        if let Some(number) = self.number {
            title.push(Span::styled(format!("{number} "), self.theme.key()));
        }
        for mut span in self.title {
            if span.style == Style::default() {
                span.style = title_style(self.theme, self.focused);
            }
            title.push(span);
        }
        title.push(Span::raw(" "));
        let title = cut(Line::from(title), room, glyphs.ellipsis);
        let left = room.saturating_sub(title.width() + 1);
        let mut block = Block::bordered()
            .border_set(set)
            .border_style(style)
            .title(title);
        if !self.count.is_empty() && left > 6 {
            let mut count = vec![Span::raw(" ")];
            count.extend(self.count.into_iter().map(|mut span| {
                // The border would lend its own style.
                span.style = self.theme.on_border().patch(span.style);
                span
            }));
            count.push(Span::raw(" "));
            let count = cut(Line::from(count), left, glyphs.ellipsis);
            block = block.title(count.right_aligned());
        }
        if let Some(context) = self.context {
            let hints = footer::hints(context, self.theme, self.focused, room);
            if hints.width() > 0 {
                block = block.title_bottom(hints);
            }
        }
        let inside = block.inner(area);
        frame.render_widget(Clear, area);
        frame.render_widget(block, area);
        inside
    }
}

fn title_style(theme: &Theme, focused: bool) -> Style {
    if focused { theme.key() } else { theme.strong() }
}

/// A line cut to so many columns, its styles kept.
pub(crate) fn cut<'a>(line: Line<'a>, limit: usize, ellipsis: &str) -> Line<'a> {
    if line.width() <= limit {
        return line;
    }
    let mut left = limit;
    let mut spans = Vec::new();
    let alignment = line.alignment;
    for span in line.spans {
        let width = span.width();
        // The last piece that fits leaves a column for the ellipsis.
        if width < left {
            left -= width;
            spans.push(span);
        } else {
            let style = span.style;
            let content = format!(
                "{}{ellipsis}",
                text::head(&span.content, left.saturating_sub(1))
            );
            if left > 0 {
                spans.push(Span::styled(content, style));
            }
            break;
        }
    }
    let mut line = Line::from(spans);
    line.alignment = alignment;
    line
}

/// What is shown may not be true any more.
pub(crate) fn is_stale(state: &State) -> bool {
    matches!(&state.link, Link::Lost { version, .. } if !version.is_empty())
}

fn as_of<'a>(state: &State, theme: &'a Theme) -> Option<Span<'a>> {
    match &state.link {
        Link::Lost { since, version, .. } if !version.is_empty() => Some(Span::styled(
            format!("as of {}", theme.clock(*since)),
            theme.tone(super::theme::Tone::Warning),
        )),
        _ => None,
    }
}

/// The place without one column at each side.
pub(crate) fn padded(area: Rect) -> Rect {
    area.inner(ratatui::layout::Margin::new(1, 0))
}

/// Greys the inside of a pane.
pub(crate) fn grey(theme: &Theme, frame: &mut Frame, area: Rect) {
    let inside = Block::bordered().inner(area);
    frame.buffer_mut().set_style(inside, theme.stale());
}

/// What an empty place says: why it is empty, and what fills it. In the middle, wrapped.
pub(crate) fn empty(frame: &mut Frame, area: Rect, theme: &Theme, why: &str, then: &str) {
    let room = usize::from(area.width.saturating_sub(4)).max(1);
    let mut lines: Vec<Line> = text::wrap(why, room)
        .into_iter()
        .map(|line| Line::styled(line, theme.muted()))
        .collect();
    if !then.is_empty() {
        lines.extend(text::wrap(then, room).into_iter().map(Line::raw));
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = super::layout::middle(area, area.width, height);
    Paragraph::new(lines)
        .centered()
        .render(place, frame.buffer_mut());
}

/// A page of lines from line `top` on, no further than its end, with a scrollbar at the border. Gives the last
/// possible `top`.
pub(crate) fn page(
    frame: &mut Frame,
    theme: &Theme,
    area: Rect,
    lines: &[Line],
    top: usize,
) -> usize {
    let height = usize::from(area.height);
    let last = lines.len().saturating_sub(height);
    let top = top.min(last);
    for (line, y) in lines.iter().skip(top).zip(area.top()..area.bottom()) {
        let place = Rect {
            y,
            height: 1,
            ..area
        };
        frame.render_widget(line, place);
    }
    // The thumb stands on the border, which is one blank column away.
    let inside = Rect {
        width: area.width + 1,
        ..area
    };
    scrollbar(theme, frame, inside, top, lines.len());
    last
}

/// A thumb at the right border of a list that has more rows than it shows.
pub(crate) fn scrollbar(theme: &Theme, frame: &mut Frame, area: Rect, top: usize, rows: usize) {
    let height = usize::from(area.height);
    if rows <= height || height == 0 {
        return;
    }
    let size = (height * height / rows).max(1);
    let room = height - size;
    let from = (top * room).div_ceil((rows - height).max(1)).min(room);
    let x = area.right();
    for row in 0..size {
        let y = area.y + u16::try_from(from + row).unwrap_or(0);
        if let Some(cell) = frame.buffer_mut().cell_mut((x, y)) {
            cell.set_symbol(theme.glyphs().thumb);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_within_its_limit() {
        let line = || Line::from(vec![Span::raw("ab"), Span::raw("日本"), Span::raw("cd")]);
        for limit in 0..=8 {
            let shown = cut(line(), limit, "…");
            assert!(shown.width() <= limit, "{limit}: {shown:?}");
        }
        assert_eq!(cut(line(), 8, "…"), line());
        assert_eq!(cut(line(), 5, "…").to_string(), "ab日…");
    }
}
