//! A one-line text field, scrolled so that its cursor is in sight.

use super::text;
use super::theme::Theme;
use crate::app::text::Field;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

/// What a field shows in a given room.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) span: Span<'static>,
    /// Column of the cursor within what is shown.
    pub(crate) cursor: usize,
}

/// The part of the field that fits into `room` columns.
pub(crate) fn shown(field: &Field, room: usize, typing: bool, theme: &Theme) -> Shown {
    let room = room.max(1);
    let skipped = if typing {
        (field.cursor() + 1).saturating_sub(room)
    } else {
        0
    };
    let rest = text::tail(field.text(), skipped);
    let style = if typing { theme.field() } else { theme.plain() };
    let visible = if typing {
        text::pad(text::head(&rest, room), room, "")
    } else {
        text::fit(&rest, room, theme.glyphs().ellipsis)
    };
    Shown {
        span: Span::styled(visible, style),
        cursor: field.cursor() - skipped,
    }
}

/// Draws the field into `area` (one row) and puts the cursor into it while it is being typed in.
pub(crate) fn draw(field: &Field, typing: bool, theme: &Theme, frame: &mut Frame, area: Rect) {
    if area.is_empty() {
        return;
    }
    let shown = shown(field, usize::from(area.width), typing, theme);
    frame.render_widget(shown.span, area);
    if typing {
        put_cursor(frame, area, shown.cursor, 0);
    }
}

/// Puts the cursor `column` columns and `row` rows into `area`, if that is inside.
pub(crate) fn put_cursor(frame: &mut Frame, area: Rect, column: usize, row: usize) {
    let (Ok(column), Ok(row)) = (u16::try_from(column), u16::try_from(row)) else {
        return;
    };
    let place = Position {
        x: area.x.saturating_add(column),
        y: area.y.saturating_add(row),
    };
    if area.contains(place) {
        frame.set_cursor_position(place);
    }
}

#[cfg(test)]
mod tests {
    use super::super::theme::Colors;
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn the_cursor_stays_in_sight() {
        let theme = Theme::new(Colors::None, false, TimeZone::UTC);
        let show = |text: &str, room| {
            let shown = shown(&Field::with(text), room, true, &theme);
            (shown.span.content.into_owned(), shown.cursor)
        };
        assert_eq!(show("abc", 5), ("abc  ".to_owned(), 3));
        assert_eq!(show("abcdef", 4), ("def ".to_owned(), 3));
        assert_eq!(show("日本語", 4), (" 語 ".to_owned(), 3));
        assert_eq!(show("", 3), ("   ".to_owned(), 0));
    }
}
