//! The overlays pane: every overlay with how it stands to the cluster, and what there is to know of the selected one.
//!
//! ```text
//! ╭ 1 Overlays ─────────────── 1 ✎ ╮
//! │▸minikube ✎            ~ 3 changed│
//! │ executor              ✓ in sync  │
//! │──────────────────────────────────│
//! │ The executor overlay for …       │
//! ╰ a apply  v diff ─────────────────╯
//! ```

mod diff;

pub(crate) use diff::draw as draw_diff;

use super::Scroll;
use super::found;
use super::layout;
use super::pane::{self, Pane};
use super::theme::{Theme, Tone};
use super::{field, text};
use crate::app::State;
use crate::app::link::Link;
use crate::app::overlays::{Row, Slice};
use crate::domain::overlays::Standing;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the pane.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let slice = &state.overlays;
    let pane = Pane::new(state, theme, crate::app::Pane::Overlays).count(counts(slice, theme));
    let focused = pane.is_focused();
    let mut inside = pane.draw(frame, area);
    if slice.filtering || !slice.filter.text().is_empty() {
        inside = filter_row(
            &slice.filter,
            focused && slice.filtering,
            theme,
            frame,
            inside,
        );
    }
    let rows: Vec<&Row> = slice.visible().collect();
    if rows.is_empty() {
        let (why, then) = emptiness(state);
        return pane::empty(frame, inside, theme, &why, then);
    }
    let at = slice.position().unwrap_or(0);
    let list = Rect {
        height: inside
            .height
            .min(u16::try_from(rows.len()).unwrap_or(u16::MAX)),
        ..inside
    };
    let height = usize::from(list.height);
    scroll.overlays = layout::top_for(scroll.overlays, at, rows.len(), height);
    let visible = rows.iter().enumerate().skip(scroll.overlays);
    for ((number, row), y) in visible.zip(list.top()..list.bottom()) {
        let place = Rect {
            y,
            height: 1,
            ..list
        };
        let line = line(
            row,
            number == at,
            slice.filter.text(),
            theme,
            usize::from(list.width),
        );
        frame.render_widget(line, place);
        if number == at {
            frame.buffer_mut().set_style(place, theme.selected(focused));
        }
    }
    pane::scrollbar(theme, frame, list, scroll.overlays, rows.len());
    if let Some(row) = rows.get(at) {
        let below = Rect {
            y: list.bottom(),
            height: inside.height - list.height,
            ..inside
        };
        draw_known(state, row, theme, frame, below);
    }
}

/// One overlay: mark, name, whether its files changed; at the right how it stands.
fn line(row: &Row, selected: bool, filter: &str, theme: &Theme, room: usize) -> Line<'static> {
    let glyphs = theme.glyphs();
    let mark = if selected { glyphs.mark } else { " " };
    let standing = standing(row, theme);
    let applied = if room >= 60 && row.overlay.applied {
        format!("{} applied   ", glyphs.ours)
    } else {
        String::new()
    };
    let right = text::columns(&standing.content) + text::columns(&applied);
    let edited = if row.changed_on_disk {
        format!(" {}", glyphs.edited)
    } else {
        String::new()
    };
    let left = room.saturating_sub(1 + right + 2);
    let name = text::fit_middle(
        &sanitize(&row.overlay.name),
        left.saturating_sub(text::columns(&edited)),
        glyphs.ellipsis,
    );
    let gap = left.saturating_sub(text::columns(&name) + text::columns(&edited)) + 1;
    let style = if row.overlay.applied {
        theme.strong()
    } else {
        theme.plain()
    };
    let found = found::in_lines(filter, [Some(name.clone())].into_iter());
    let name = found::mark(Line::from(Span::styled(name, style)), &found[0], theme);
    let mut spans = vec![Span::styled(mark, theme.accent())];
    spans.extend(name.spans);
    spans.extend([
        Span::styled(edited, theme.tone(Tone::Warning)),
        Span::raw(" ".repeat(gap)),
        Span::styled(applied, theme.muted()),
        standing,
        Span::raw(" "),
    ]);
    Line::from(spans)
}

/// How an overlay stands: glyph, word, colour.
pub(crate) fn standing(row: &Row, theme: &Theme) -> Span<'static> {
    let glyphs = theme.glyphs();
    let standing = &row.overlay.standing;
    let (glyph, tone) = match standing {
        Standing::Unknown if row.comparing => {
            return Span::styled(
                format!("{} comparing", glyphs.pending),
                theme.tone(Tone::Busy),
            );
        }
        Standing::Unknown => (glyphs.uncertain, Tone::Uncertain),
        Standing::Never => (glyphs.info, Tone::Muted),
        Standing::InSync => (glyphs.good, Tone::Good),
        Standing::Changed(_) => ("~", Tone::Warning),
        Standing::Conflict(_) => (glyphs.warning, Tone::Bad),
        Standing::Refused(_) | Standing::Broken(_) => (glyphs.bad, Tone::Bad),
    };
    Span::styled(format!("{glyph} {}", standing.words()), theme.tone(tone))
}

/// What there is to know of the selected overlay, below a rule.
fn draw_known(state: &State, row: &Row, theme: &Theme, frame: &mut Frame, area: Rect) {
    if area.height < 2 {
        return;
    }
    let rule = theme.glyphs().rule.repeat(usize::from(area.width));
    frame.render_widget(
        Line::styled(rule, theme.border(false)),
        Rect { height: 1, ..area },
    );
    let inside = pane::padded(Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    });
    let room = usize::from(inside.width).max(1);
    let wrapped = |text: &str, style| {
        text::wrap(&sanitize(text), room)
            .into_iter()
            .map(move |line| Line::styled(line, style))
    };
    let mut lines: Vec<Line> = Vec::new();
    if let Standing::Broken(problem) = &row.overlay.standing {
        lines.extend(wrapped(&problem.to_string(), theme.tone(Tone::Bad)));
    } else if let Some(why) = &row.failure {
        lines.extend(wrapped(why, theme.tone(Tone::Bad)));
    }
    let applying = state
        .overlays
        .applying
        .as_ref()
        .filter(|one| one.name == row.overlay.name);
    if let Some(applying) = applying {
        lines.push(diff::gauge(applying, theme, room));
    } else if let Some(plan) = &row.plan {
        let summary = plan.summary().replace('·', theme.glyphs().dot);
        lines.extend(wrapped(&summary, theme.plain()));
    }
    if row.changed_on_disk {
        let text = format!(
            "{} its files changed; v shows what that means",
            theme.glyphs().edited
        );
        lines.extend(wrapped(&text, theme.tone(Tone::Warning)));
    }
    if !row.overlay.about.is_empty() {
        lines.extend(wrapped(&row.overlay.about, theme.muted()));
    }
    let from = format!("from {}", row.overlay.origin);
    lines.push(Line::styled(
        text::fit_middle(&sanitize(&from), room, theme.glyphs().ellipsis),
        theme.muted(),
    ));
    for (line, y) in lines.iter().zip(inside.top()..inside.bottom()) {
        frame.render_widget(
            line,
            Rect {
                y,
                height: 1,
                ..inside
            },
        );
    }
}

fn counts<'a>(slice: &Slice, theme: &Theme) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    if !slice.filter.text().is_empty() {
        let shown = format!("{} of {}", slice.visible().count(), slice.rows.len());
        spans.push(Span::styled(shown, theme.strong()));
    }
    let changed = slice.rows.iter().filter(|row| row.changed_on_disk).count();
    if changed > 0 {
        let gap = if spans.is_empty() { "" } else { " " };
        let text = format!("{gap}{changed} {}", theme.glyphs().edited);
        spans.push(Span::styled(text, theme.tone(Tone::Warning)));
    }
    spans
}

/// The filter in the first row of a list; gives the rest.
fn filter_row(
    filter: &crate::app::text::Field,
    typing: bool,
    theme: &Theme,
    frame: &mut Frame,
    area: Rect,
) -> Rect {
    let row = Rect {
        height: 1.min(area.height),
        ..area
    };
    frame.render_widget(Span::styled(" / ", theme.key()), row);
    let place = Rect {
        x: row.x + 3.min(row.width),
        width: row.width.saturating_sub(4),
        ..row
    };
    field::draw(filter, typing, theme, frame, place);
    Rect {
        y: area.y + row.height,
        height: area.height - row.height,
        ..area
    }
}

/// Why the pane is empty, and what fills it.
fn emptiness(state: &State) -> (String, &'static str) {
    let slice = &state.overlays;
    if !slice.rows.is_empty() {
        let text = sanitize(slice.filter.text()).into_owned();
        return (
            format!("No overlay matches `{text}`."),
            "esc clears the filter.",
        );
    }
    if slice.listed {
        return (
            "There is no overlay where --overlays or the configuration points.".into(),
            "Without it the overlays inside the program are used.",
        );
    }
    ("No overlays are read yet.".into(), "")
}

/// What the header says of the overlay that is applied; nothing while that is not known.
pub(crate) fn in_header<'a>(state: &State, theme: &Theme) -> Option<Line<'a>> {
    if matches!(state.link, Link::Connecting { .. }) {
        return None;
    }
    let row = state.overlays.applied_row()?;
    let standing = standing(row, theme);
    // In sync needs no words beside its glyph.
    let text = match row.overlay.standing {
        Standing::InSync => theme.glyphs().good.to_owned(),
        _ => standing.content.into_owned(),
    };
    Some(Line::from(vec![
        Span::raw(format!("{} ", sanitize(&row.overlay.name))),
        Span::styled(text, standing.style),
    ]))
}

#[cfg(test)]
mod tests;
