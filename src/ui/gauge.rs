//! Gauges: how much of a TTL is left.

use super::theme::{Theme, Tone};
use jiff::SignedDuration;
use ratatui::text::Span;

/// A gauge of `cells` columns that is full at the beginning of `whole` and empties while `left` gets less.
pub(crate) fn left(
    left: SignedDuration,
    whole: SignedDuration,
    cells: usize,
    theme: &Theme,
) -> Span<'static> {
    let glyphs = theme.glyphs();
    let steps = glyphs.levels.len() - 1;
    let all = i64::try_from(cells * steps).unwrap_or(i64::MAX);
    let whole = whole.as_secs().max(1);
    let seconds = left.as_secs().clamp(0, whole);
    // The last second still shows a sliver: empty means over.
    let mut filled = (seconds * all + whole - 1) / whole;
    let mut shown = String::new();
    for _ in 0..cells {
        let cell = usize::try_from(filled).unwrap_or(0).min(steps);
        shown.push_str(if cell == 0 {
            glyphs.ground
        } else {
            glyphs.levels[cell]
        });
        filled = (filled - i64::try_from(steps).unwrap_or(1)).max(0);
    }
    Span::styled(shown, theme.tone(tone(left)))
}

/// Green at first, warning in the last five minutes, red in the last one.
pub(crate) fn tone(left: SignedDuration) -> Tone {
    match left.as_secs() {
        ..60 => Tone::Bad,
        60..300 => Tone::Warning,
        _ => Tone::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::super::theme::Colors;
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn it_empties_from_the_right() {
        let theme = Theme::new(Colors::None, false, TimeZone::UTC);
        let show = |seconds, whole| {
            let s = SignedDuration::from_secs;
            left(s(seconds), s(whole), 5, &theme).content.into_owned()
        };
        assert_eq!(show(1800, 1800), "▇▇▇▇▇");
        assert_eq!(show(1622, 1800), "▇▇▇▇▄");
        assert_eq!(show(900, 1800), "▇▇▄··");
        assert_eq!(show(1, 1800), "▁····");
        assert_eq!(show(0, 1800), "·····");
        assert_eq!(show(-9, 1800), "·····");
        assert_eq!(show(9999, 1800), "▇▇▇▇▇");
    }
}
