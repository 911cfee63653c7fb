//! What a check found, row by row; what stands behind the selected one below; a migration while it runs.
//!
//! ```text
//! ╭ Migration of file llmctl-studio.sqlite3 ─────────────────────────── 31 rows ╮
//! │ 9 changes of settings rows, 4 of 5 run rows, 12 changes of the schema       │
//! │ - delete  k8s_image = "llmctl-executor:latest" → deleted                    │
//! │ ~ run     3 succeeded: selected_provider: docker → kubernetes, …            │
//! │ ─────────────────────────────────────────────────────────────────────────── │
//! │ row 3 of a run that is succeeded                                            │
//! │ selected_provider: docker → kubernetes                                      │
//! ╰ a apply  t raise timeout  u look again  / filter  esc close ────────────────╯
//! ```

use super::super::Scroll;
use super::super::field;
use super::super::layout;
use super::super::pane::{self, Pane};
use super::super::text;
use super::super::theme::{Theme, Tone};
use crate::app::State;
use crate::app::checks::items::{Item, Mark};
use crate::app::checks::listing::Listing;
use crate::app::checks::{Look, Outcome, Slice, Subject, Work};
use crate::domain::migration::Step;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Rows of the place below the list.
const BEHIND: u16 = 6;
/// Columns of the word before a row.
const WORD: usize = 8;

/// Draws the list over `area`.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let slice = &state.checks;
    let subject = slice.shown.unwrap_or_default();
    let place = layout::middle(area, area.width.min(140), area.height);
    let mut dialog = Pane::dialog(theme, title(slice, subject), slice.context());
    let list = &slice.list;
    if list.total() > 0 && slice.work.is_none() {
        let count = if list.len() == list.total() {
            text::count(list.total(), "row")
        } else {
            format!("{} of {}", list.len(), text::count(list.total(), "row"))
        };
        dialog = dialog.count([Span::raw(count)]);
    }
    let mut inside = pane::padded(dialog.draw(frame, place));
    let room = usize::from(inside.width);
    if let Some(work) = slice.work.as_ref().filter(|_| subject == Subject::Database) {
        return lines(frame, inside, &working(work, theme, room));
    }
    let head = head(slice, subject, theme, room);
    let height = u16::try_from(head.len()).unwrap_or(u16::MAX);
    inside = below(inside, lines_in(frame, inside, &head).min(height));
    if list.filter.typing || !list.filter.text.text().is_empty() {
        inside = filter_row(slice, theme, frame, inside);
    }
    if list.is_empty() {
        let (why, then) = nothing(slice, subject);
        return pane::empty(frame, inside, theme, &why, then);
    }
    let behind = if inside.height > BEHIND + 4 {
        BEHIND
    } else {
        0
    };
    let rows = Rect {
        height: inside.height - behind,
        ..inside
    };
    draw_rows(slice, theme, scroll, frame, rows);
    if behind > 0 {
        let place = Rect {
            y: rows.bottom(),
            height: behind,
            ..inside
        };
        draw_behind(list.current(), theme, frame, place);
    }
}

fn title(slice: &Slice, subject: Subject) -> String {
    let place = match subject {
        Subject::Database => slice.database.as_ref(),
        Subject::Checkout => slice.checkout.as_ref(),
    }
    .map(|named| sanitize(&named.place).into_owned())
    .unwrap_or_default();
    match subject {
        Subject::Database => format!("Migration of {place}"),
        Subject::Checkout => format!("Audit of {place}"),
    }
}

fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    }
}

fn lines(frame: &mut Frame, area: Rect, lines: &[Line<'static>]) {
    lines_in(frame, area, lines);
}

/// Draws lines from the top; gives how many rows they took.
fn lines_in(frame: &mut Frame, area: Rect, lines: &[Line<'static>]) -> u16 {
    let mut used = 0;
    for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        frame.render_widget(line, row);
        used += 1;
    }
    used
}

fn wrapped(text: &str, room: usize, style: Style) -> Vec<Line<'static>> {
    text::wrap(&sanitize(text), room)
        .into_iter()
        .map(|line| Line::styled(line, style))
        .collect()
}

/// What the whole comes to, and how the last migration ended.
fn head(slice: &Slice, subject: Subject, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let mut head = Vec::new();
    match (subject, &slice.outcome) {
        (Subject::Database, Some(Outcome::Failed(why))) => {
            let text = format!("{} not migrated: {why}", theme.glyphs().bad);
            head.extend(wrapped(&text, room, theme.tone(Tone::Bad)));
        }
        (
            Subject::Database,
            Some(Outcome::Done {
                summary,
                backup,
                restore,
            }),
        ) => {
            let text = format!("{} migrated and verified: {summary}", theme.glyphs().good);
            head.extend(wrapped(&text, room, theme.tone(Tone::Good)));
            head.extend(wrapped(&format!("backup: {backup}"), room, theme.plain()));
            let text = format!("put back with: {restore}");
            head.extend(wrapped(&text, room, theme.plain()));
        }
        _ => {}
    }
    match subject {
        Subject::Database => {
            if let Look::Done(planned) = &slice.planned {
                let mut text = planned.plan.summary();
                if slice.raise {
                    text += "; a dispatch timeout of 60 s is raised";
                }
                head.extend(wrapped(&text, room, theme.strong()));
            }
        }
        Subject::Checkout => {}
    }
    if !head.is_empty() {
        head.push(Line::default());
    }
    head
}

fn filter_row(slice: &Slice, theme: &Theme, frame: &mut Frame, area: Rect) -> Rect {
    let row = Rect {
        height: 1.min(area.height),
        ..area
    };
    frame.render_widget(Span::styled("/ ", theme.key()), row);
    let place = Rect {
        x: row.x + 2.min(row.width),
        width: row.width.saturating_sub(2),
        ..row
    };
    let filter = &slice.list.filter;
    field::draw(&filter.text, filter.typing, theme, frame, place);
    below(area, row.height)
}

/// Why there is no row, and what makes some.
fn nothing(slice: &Slice, subject: Subject) -> (String, &'static str) {
    if slice.list.total() > 0 {
        let text = sanitize(slice.list.filter.text.text()).into_owned();
        return (format!("No row has “{text}”."), "esc shows all again");
    }
    match subject {
        Subject::Database => match &slice.planned {
            Look::NotYet => ("It was not looked at.".into(), "u looks now"),
            Look::Looking => (
                "Being read, on a connection that cannot write.".into(),
                "",
            ),
            Look::Failed(why) => (sanitize(why).into_owned(), "u looks again"),
            Look::Done(_) => (
                "Nothing to migrate: settings, runs and their table are in the Kubernetes-only form."
                    .into(),
                "",
            ),
        },
        Subject::Checkout => match &slice.audited {
            Look::NotYet => ("It was not looked at.".into(), "u looks now"),
            Look::Looking => ("The checkout is being read.".into(), ""),
            Look::Failed(why) => (
                sanitize(why).into_owned(),
                "name it in config.toml, as overlays.checkout",
            ),
            Look::Done(_) => (
                "Nothing is left of Compose or of the removed executors.".into(),
                "u looks again",
            ),
        },
    }
}

fn draw_rows(slice: &Slice, theme: &Theme, scroll: &mut Scroll, frame: &mut Frame, area: Rect) {
    let list = &slice.list;
    let height = usize::from(area.height);
    scroll.checks = layout::top_for(scroll.checks, list.at, list.len(), height);
    let column = column(list, usize::from(area.width));
    for (at, y) in (scroll.checks..list.len()).zip(area.top()..area.bottom()) {
        let Some(item) = list.row(at) else {
            break;
        };
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        frame.render_widget(line(item, theme, column, usize::from(area.width)), row);
        if at == list.at {
            frame.buffer_mut().set_style(row, theme.selected(true));
        }
    }
    // On the border, beside the padding.
    let wide = Rect {
        width: area.width + 1,
        ..area
    };
    pane::scrollbar(theme, frame, wide, scroll.checks, list.len());
}

/// Columns that the places of the rows take, of `room` in all: what stands there counts for more.
fn column(list: &Listing, room: usize) -> usize {
    let rows = (0..list.len()).filter_map(|at| list.row(at)?.place.as_deref());
    let longest = rows.map(|place| text::columns(&sanitize(place))).max();
    longest.unwrap_or_default().min(room * 2 / 5)
}

fn line(item: &Item, theme: &Theme, column: usize, room: usize) -> Line<'static> {
    let glyphs = theme.glyphs();
    let (glyph, tone) = match item.mark {
        Mark::Person | Mark::Notice => (glyphs.warning, Tone::Warning),
        Mark::Deleted => ("-", Tone::Bad),
        Mark::Changed | Mark::Run | Mark::Table => ("~", Tone::Accent),
        Mark::Kept | Mark::Allowed => (glyphs.good, Tone::Muted),
        Mark::Error => (glyphs.bad, Tone::Bad),
        Mark::Remark => (glyphs.info, Tone::Muted),
    };
    let word = text::pad(item.mark.word(), WORD, glyphs.ellipsis);
    let lead = format!("{glyph} {word}");
    let place = item.place.as_deref().map_or_else(String::new, |place| {
        // The file's name and the line are at the end.
        let place = text::fit_middle(&sanitize(place), column, glyphs.ellipsis);
        format!("{}  ", text::pad(&place, column, glyphs.ellipsis))
    });
    let left = room.saturating_sub(text::columns(&lead) + text::columns(&place));
    let title = text::fit(&sanitize(&item.title), left, glyphs.ellipsis);
    let style = match item.mark {
        Mark::Kept | Mark::Allowed | Mark::Remark => theme.muted(),
        _ => theme.plain(),
    };
    Line::from(vec![
        Span::styled(lead, theme.tone(tone)),
        Span::styled(place, style),
        Span::styled(title, style),
    ])
}

/// The selected row in full.
fn draw_behind(item: Option<&Item>, theme: &Theme, frame: &mut Frame, area: Rect) {
    let room = usize::from(area.width);
    let mut all = vec![Line::styled(
        theme.glyphs().rule.repeat(room),
        theme.muted(),
    )];
    for (n, text) in item.iter().flat_map(|item| &item.detail).enumerate() {
        let style = if n == 0 {
            theme.strong()
        } else {
            theme.plain()
        };
        all.extend(wrapped(text, room, style));
    }
    let height = usize::from(area.height);
    if all.len() > height {
        all.truncate(height);
        all[height - 1] = Line::styled(theme.glyphs().ellipsis, theme.muted());
    }
    lines(frame, area, &all);
}

/// A migration under way: what it does now, how far it is, how to stop it.
fn working(work: &Work, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let glyphs = theme.glyphs();
    let step = work.step.map_or_else(
        || "opening the database".to_owned(),
        |step| step.to_string(),
    );
    let mut all = vec![
        Line::default(),
        Line::styled(format!("{} {step}", glyphs.running), theme.tone(Tone::Busy)),
    ];
    if let Some((rows, of)) = work.step.and_then(counted) {
        let cells = u64::try_from(room.min(60)).unwrap_or(60);
        let filled = (rows * cells).checked_div(of).unwrap_or(cells).min(cells);
        let full = glyphs.levels.last().copied().unwrap_or_default();
        let times = |n: u64| usize::try_from(n).unwrap_or_default();
        all.push(Line::from(vec![
            Span::styled(full.repeat(times(filled)), theme.tone(Tone::Busy)),
            Span::styled(glyphs.ground.repeat(times(cells - filled)), theme.muted()),
        ]));
    }
    all.push(Line::default());
    if work.stopping {
        all.extend(wrapped(
            "Being rolled back: the database will be as it was.",
            room,
            theme.tone(Tone::Warning),
        ));
    } else {
        all.extend(wrapped(
            "Nothing lasts before the commit: esc, or leaving the program, rolls all of it back.",
            room,
            theme.muted(),
        ));
    }
    all
}

fn counted(step: Step) -> Option<(u64, u64)> {
    match step {
        Step::BackingUp { rows, of }
        | Step::Changing { rows, of }
        | Step::Verifying { rows, of } => Some((rows, of)),
        _ => None,
    }
}
