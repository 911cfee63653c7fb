//! Phases as bars on a scale of time.

use super::super::text;
use super::super::theme::{Theme, Tone};
use crate::domain::runs::usual::slowest;
use crate::domain::runs::{Step, Stretch};
use jiff::Timestamp;
use ratatui::text::{Line, Span};

const LABEL: usize = 11;
const TOOK: usize = 18;
/// Steps of the scale in milliseconds.
const STEPS: [i64; 20] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000,
    300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000,
];

/// The scale and one bar for each stretch, in `room` columns; a stretch that lasts is drawn to `now`.
/// The longest of several is called the slowest, also while it lasts; work that goes on is not.
pub(super) fn lines(
    stretches: &[Stretch],
    now: Timestamp,
    room: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let Some(from) = stretches.iter().map(|stretch| stretch.from).min() else {
        return Vec::new();
    };
    let end = |stretch: &Stretch| stretch.to.unwrap_or(now).max(stretch.from);
    let to = stretches.iter().map(end).max().unwrap_or(now);
    let columns = room.saturating_sub(LABEL + TOOK);
    if columns < 8 {
        return stretches
            .iter()
            .map(|stretch| plain(stretch, end(stretch), theme))
            .collect();
    }
    let scale = Scale {
        from,
        millis: i64::try_from(text::between(from, to).as_millis())
            .unwrap_or(i64::MAX)
            .max(10),
        columns,
    };
    let slowest = slowest(stretches, now);
    let mut lines = vec![scale.line(theme)];
    for (at, stretch) in stretches.iter().enumerate() {
        lines.push(scale.bar(stretch, end(stretch), slowest == Some(at), theme));
    }
    lines
}

/// The word of a step.
pub(super) fn word(step: Step) -> &'static str {
    match step {
        Step::Queued => "queued",
        Step::Pulling => "pulling",
        Step::Starting => "starting",
        Step::Running => "running",
        Step::Collecting => "collecting",
        Step::Retained => "retained",
    }
}

fn tone(step: Step) -> Tone {
    match step {
        Step::Queued | Step::Collecting | Step::Retained => Tone::Muted,
        Step::Pulling | Step::Starting => Tone::Accent,
        Step::Running => Tone::Busy,
    }
}

fn plain(stretch: &Stretch, to: Timestamp, theme: &Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(text::pad(word(stretch.step), LABEL, ""), theme.muted()),
        Span::raw(text::took(text::between(stretch.from, to))),
    ])
}

/// A scale of time over so many columns.
struct Scale {
    from: Timestamp,
    millis: i64,
    columns: usize,
}

impl Scale {
    /// Column of a moment; the end of the scale is the column behind the last one.
    fn column(&self, at: Timestamp) -> usize {
        let millis = i64::try_from(text::between(self.from, at).as_millis()).unwrap_or(i64::MAX);
        self.column_of(millis)
    }

    fn column_of(&self, millis: i64) -> usize {
        let columns = i128::try_from(self.columns).unwrap_or(0);
        let column = i128::from(millis) * columns / i128::from(self.millis);
        usize::try_from(column).unwrap_or(0).min(self.columns)
    }

    fn line(&self, theme: &Theme) -> Line<'static> {
        // Labels need room for themselves and a blank.
        let step = STEPS
            .into_iter()
            .find(|step| self.column_of(*step) >= 9)
            .unwrap_or(self.millis.max(1));
        let mut shown = String::new();
        let mut millis = 0;
        while millis <= self.millis {
            let column = self.column_of(millis);
            let label = label(millis, step);
            let used = text::columns(&shown);
            if column >= used && column + label.len() <= self.columns {
                shown.push_str(&" ".repeat(column - used));
                shown.push_str(&label);
            }
            millis += step;
        }
        Line::from(vec![
            Span::raw(" ".repeat(LABEL)),
            Span::styled(shown, theme.muted()),
        ])
    }

    fn bar(&self, stretch: &Stretch, to: Timestamp, slowest: bool, theme: &Theme) -> Line<'static> {
        let glyphs = theme.glyphs();
        let lasts = stretch.to.is_none();
        let from = self.column(stretch.from).min(self.columns - 1);
        let end = self.column(to).max(from + 1);
        let length = end - from;
        let mut bar = match (length, lasts) {
            (1, false) => glyphs.bar_short.to_owned(),
            (1, true) => glyphs.bar_open.to_owned(),
            _ => {
                let last = if lasts {
                    glyphs.bar_open
                } else {
                    glyphs.bar_to
                };
                format!("{}{}{last}", glyphs.bar_from, glyphs.bar.repeat(length - 2))
            }
        };
        bar.push_str(&" ".repeat(self.columns - end));
        let took = text::took(text::between(stretch.from, to));
        let name = text::pad(word(stretch.step), LABEL, "");
        let name_style = if lasts { theme.strong() } else { theme.plain() };
        let mut spans = vec![
            Span::styled(name, name_style),
            Span::raw(" ".repeat(from)),
            Span::styled(bar, theme.tone(tone(stretch.step))),
            Span::raw(format!("{took:>9}")),
        ];
        if slowest {
            spans.push(Span::styled(" slowest", theme.tone(Tone::Warning)));
        }
        Line::from(spans)
    }
}

fn label(millis: i64, step: i64) -> String {
    let seconds = millis / 1000;
    match (millis, step) {
        (0, _) => "0s".into(),
        (_, ..100) => format!("{seconds}.{:02}s", millis % 1000 / 10),
        (_, 100..1000) => format!("{seconds}.{}s", millis % 1000 / 100),
        _ if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        _ if seconds % 60 == 0 => format!("{}m", seconds / 60),
        _ if seconds > 60 => format!("{}m{:02}", seconds / 60, seconds % 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::theme::Colors;
    use super::*;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn stretch(step: Step, from: i64, to: Option<i64>) -> Stretch {
        Stretch {
            step,
            from: at(from),
            to: to.map(at),
        }
    }

    fn shown(stretches: &[Stretch], now: i64, room: usize) -> Vec<String> {
        let theme = Theme::new(Colors::None, false, TimeZone::UTC);
        lines(stretches, at(now), room, &theme)
            .iter()
            .map(|line| line.to_string().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn bars_stand_where_their_time_is() {
        let stretches = [
            stretch(Step::Queued, 0, Some(1000)),
            stretch(Step::Pulling, 1000, Some(5000)),
            stretch(Step::Starting, 5000, Some(5000)),
            stretch(Step::Running, 5000, None),
        ];
        assert_eq!(
            shown(&stretches, 10_000, LABEL + TOOK + 30),
            [
                "           0s             5s",
                "queued     ┝━┥                                1.0s",
                "pulling       ┝━━━━━━━━━━┥                    4.0s slowest",
                "starting                  ┃                     0s",
                "running                   ┝━━━━━━━━━━━━━▶     5.0s",
            ]
        );
    }

    #[test]
    fn without_room_there_are_numbers() {
        let stretches = [stretch(Step::Running, 0, Some(1500))];
        assert_eq!(shown(&stretches, 9_000, 20), ["running    1.5s"]);
        assert!(shown(&[], 0, 80).is_empty());
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_its_room(
            moments in prop::collection::vec(0i64..10_000_000_000, 2..8),
            room in 0usize..200,
            now in 0i64..20_000_000_000,
        ) {
            let mut moments = moments;
            moments.sort_unstable();
            let mut stretches: Vec<Stretch> = moments
                .windows(2)
                .map(|pair| stretch(Step::Running, pair[0], Some(pair[1])))
                .collect();
            if let Some(last) = stretches.last_mut() {
                last.to = None;
            }
            let theme = Theme::new(Colors::None, false, TimeZone::UTC);
            for line in lines(&stretches, at(now), room, &theme) {
                prop_assert!(line.width() <= room.max(LABEL + 12), "{line}");
            }
        }
    }
}
