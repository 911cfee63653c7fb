//! Text measured in columns: cut with an ellipsis, padded, and times as a person says them.

use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns that a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The text in at most `limit` columns; what was cut from its end is marked by `ellipsis` (one column wide).
pub(crate) fn fit(text: &str, limit: usize, ellipsis: &str) -> String {
    if columns(text) <= limit {
        return text.to_owned();
    }
    if limit == 0 {
        return String::new();
    }
    let mut out = head(text, limit - 1).to_owned();
    out.push_str(ellipsis);
    out
}

/// As [`fit`], but cut in the middle: the end of a generated name tells more than its middle.
pub(crate) fn fit_middle(text: &str, limit: usize, ellipsis: &str) -> String {
    if columns(text) <= limit {
        return text.to_owned();
    }
    if limit < 4 {
        return fit(text, limit, ellipsis);
    }
    let back = (limit - 1) / 2;
    let front = head(text, limit - 1 - back);
    let mut used = 0;
    let mut from = text.len();
    for (at, cluster) in text.grapheme_indices(true).rev() {
        used += columns(cluster);
        if used > back {
            break;
        }
        from = at;
    }
    format!("{front}{ellipsis}{}", &text[from..])
}

/// The longest beginning of the text that takes at most `limit` columns.
pub(crate) fn head(text: &str, limit: usize) -> &str {
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        used += columns(cluster);
        if used > limit {
            return &text[..at];
        }
    }
    text
}

/// The text without its first `skipped` columns; a wide character that is cut in half leaves a blank.
pub(crate) fn tail(text: &str, skipped: usize) -> String {
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        if used >= skipped {
            return " ".repeat(used - skipped) + &text[at..];
        }
        used += columns(cluster);
    }
    " ".repeat(used.saturating_sub(skipped))
}

/// The text and blanks up to `width` columns; longer text is cut.
pub(crate) fn pad(text: &str, width: usize, ellipsis: &str) -> String {
    let mut out = fit(text, width, ellipsis);
    let missing = width.saturating_sub(columns(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// The text broken into lines of at most `limit` columns: at blanks, and within a word only when it is longer than a
/// whole line.
pub(crate) fn wrap(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for piece in pieces(text) {
        let width = columns(piece);
        if used + width > limit && used > 0 {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0;
            if piece.trim().is_empty() {
                continue;
            }
        }
        let mut rest = piece;
        while columns(rest) > limit {
            let part = head(rest, limit);
            if part.is_empty() {
                // A character wider than the whole line: it cannot be shown, and must not hold us up.
                let wide = rest.graphemes(true).next().unwrap_or(rest);
                rest = &rest[wide.len()..];
                continue;
            }
            // A path is broken behind a slash.
            let slash = part.rfind('/').filter(|at| at * 2 > part.len());
            let part = slash.map_or(part, |at| &part[..=at]);
            lines.push(part.to_owned());
            rest = &rest[part.len()..];
        }
        line.push_str(rest);
        used += columns(rest);
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// Words and the blanks between them, in turn.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let blank = rest.chars().next()?.is_whitespace();
        let end = rest
            .find(|c: char| c.is_whitespace() != blank)
            .unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

/// Time from `from` to `to`, never negative.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> SignedDuration {
    to.duration_since(from).max(SignedDuration::ZERO)
}

/// An age in its largest unit: `8s`, `2m`, `3h`, `4d`.
pub(crate) fn age(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// How long something took: `40ms`, `0.4s`, `62s`, `4m 05s`, `2h 03m`.
pub(crate) fn took(duration: SignedDuration) -> String {
    let millis = duration.as_millis().max(0);
    let seconds = millis / 1000;
    match seconds {
        0 if millis == 0 => "0s".into(),
        0 if millis < 100 => format!("{millis}ms"),
        0..10 => format!("{}.{}s", seconds, millis % 1000 / 100),
        10..100 => format!("{seconds}s"),
        100..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// What is left, in at most seven columns: `0:08`, `27:02`, `1:00:00`, `23h 59m`.
pub(crate) fn countdown(left: SignedDuration) -> String {
    let seconds = left.as_secs().max(0);
    if seconds >= 36_000 {
        return format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60);
    }
    let mut out = String::new();
    if seconds >= 3600 {
        let _ = write!(out, "{}:{:02}", seconds / 3600, seconds / 60 % 60);
    } else {
        let _ = write!(out, "{}", seconds / 60);
    }
    let _ = write!(out, ":{:02}", seconds % 60);
    out
}

/// `1 run`, `2 runs`.
pub(crate) fn count(n: usize, one: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {one}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times() {
        let s = SignedDuration::from_secs;
        let table = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3599, "59m"),
            (3600, "1h"),
            (90_000, "1d"),
        ];
        for (seconds, shown) in table {
            assert_eq!(age(s(seconds)), shown);
        }
        assert_eq!(age(s(-5)), "0s");
        assert_eq!(took(SignedDuration::from_millis(1_250)), "1.2s");
        assert_eq!(took(SignedDuration::from_millis(40)), "40ms");
        assert_eq!(took(s(0)), "0s");
        assert_eq!(took(s(62)), "62s");
        assert_eq!(took(s(245)), "4m 05s");
        assert_eq!(took(s(7_380)), "2h 03m");
        assert_eq!(countdown(s(1622)), "27:02");
        assert_eq!(countdown(s(8)), "0:08");
        assert_eq!(countdown(s(3600)), "1:00:00");
        assert_eq!(countdown(s(86_399)), "23h 59m");
        assert_eq!(countdown(s(-1)), "0:00");
    }

    #[test]
    fn wide_characters_are_cut_by_columns() {
        assert_eq!(fit("日本語", 6, "…"), "日本語");
        assert_eq!(fit("日本語", 5, "…"), "日本…");
        assert_eq!(fit("日本語", 4, "…"), "日…");
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2, "…"), "e\u{301}…");
        assert_eq!(fit("abc", 0, "…"), "");
        assert_eq!(fit_middle("llmctl-exec-208-x7k2p", 12, "…"), "llmctl…x7k2p");
        assert_eq!(tail("日本語", 1), " 本語");
    }

    #[test]
    fn wrapping_breaks_at_blanks() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("saw it fail (badly)", 14), ["saw it fail", "(badly)"]);
        assert_eq!(wrap("  two  blanks", 20), ["  two  blanks"]);
        assert_eq!(
            wrap("/srv/llmctl/overlay.yaml", 14),
            ["/srv/llmctl/", "overlay.yaml"]
        );
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("日本", 1), [""]);
    }

    proptest! {
        #[test]
        fn nothing_is_ever_wider_than_asked(text in "\\PC*", limit in 0usize..40) {
            prop_assert!(columns(&fit(&text, limit, "…")) <= limit);
            prop_assert!(columns(&fit_middle(&text, limit, "…")) <= limit);
            prop_assert!(columns(&pad(&text, limit, "…")) == limit);
            for line in wrap(&text, limit) {
                prop_assert!(columns(&line) <= limit.max(1));
            }
        }
    }
}
