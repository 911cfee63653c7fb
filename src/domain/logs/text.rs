//! Text in a line: where it stands, upper and lower case alike.

use std::borrow::Cow;
use std::ops::Range;

/// Byte ranges where `text` holds `wanted`, upper and lower case alike; none when nothing is wanted.
pub fn occurrences(text: &str, wanted: &str) -> Vec<Range<usize>> {
    let wanted: Vec<char> = wanted.chars().flat_map(char::to_lowercase).collect();
    let mut found = Vec::new();
    if wanted.is_empty() {
        return found;
    }
    let mut from = 0;
    while let Some((at, _)) = text[from..].char_indices().next() {
        let start = from + at;
        if let Some(length) = begins_with(&text[start..], &wanted) {
            found.push(start..start + length);
            from = start + length;
        } else {
            from = start + text[start..].chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// The text holds `wanted`, upper and lower case alike; quick enough for every line of a log.
pub fn holds(text: &str, wanted: &str) -> bool {
    if !wanted.is_ascii() {
        return !occurrences(text, wanted).is_empty();
    }
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let (Some(first), Some(last)) = (wanted.first(), text.len().checked_sub(wanted.len())) else {
        return false;
    };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    text[..=last].iter().enumerate().any(|(at, byte)| {
        (*byte == lower || *byte == upper)
            && text[at..at + wanted.len()].eq_ignore_ascii_case(wanted)
    })
}

/// The text without sequences of colour and style (`ESC [ … m`), which nobody sees as characters.
pub(super) fn without_styles(text: &str) -> Cow<'_, str> {
    // Nearly every line ends here, so that this is the quickest way to look.
    if !text.as_bytes().contains(&0x1b) {
        return Cow::Borrowed(text);
    }
    let first = text.find('\u{1b}').unwrap_or(text.len());
    let mut plain = String::with_capacity(text.len());
    let (head, mut rest) = text.split_at(first);
    plain.push_str(head);
    while !rest.is_empty() {
        let after = rest.strip_prefix("\u{1b}[").and_then(|sequence| {
            let end = sequence.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
            sequence[end..].strip_prefix('m')
        });
        rest = after.unwrap_or_else(|| {
            let next = rest[1..].find('\u{1b}').map_or(rest.len(), |at| at + 1);
            plain.push_str(&rest[..next]);
            &rest[next..]
        });
        if !rest.starts_with('\u{1b}') {
            let next = rest.find('\u{1b}').unwrap_or(rest.len());
            plain.push_str(&rest[..next]);
            rest = &rest[next..];
        }
    }
    Cow::Owned(plain)
}

/// Bytes of `text` that equal `wanted` (lower case) when they are lowered.
fn begins_with(text: &str, wanted: &[char]) -> Option<usize> {
    let mut left = wanted;
    for (at, c) in text.char_indices() {
        if left.is_empty() {
            return Some(at);
        }
        for lower in c.to_lowercase() {
            let (first, rest) = left.split_first()?;
            if *first != lower {
                return None;
            }
            left = rest;
        }
    }
    left.is_empty().then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_search_ignores_case() {
        assert_eq!(occurrences("Error: no ERROR", "error"), [0..5, 10..15]);
        assert_eq!(occurrences("ÄÖ äö", "äö"), [0..4, 5..9]);
        assert_eq!(occurrences("aaaaa", "aa"), [0..2, 2..4]);
        assert!(occurrences("abc", "").is_empty());
        assert!(occurrences("", "a").is_empty());
        for (text, wanted, held) in [
            ("Error", "ERR", true),
            ("Error", "eror", false),
            ("ÄÖ", "äö", true),
            ("日本", "a", false),
            ("abc", "", false),
        ] {
            assert_eq!(holds(text, wanted), held, "{text} {wanted}");
        }
    }

    #[test]
    fn styles_are_left_out_and_nothing_else() {
        for (text, plain) in [
            ("no", "no"),
            ("\u{1b}[1;31mred\u{1b}[m!", "red!"),
            ("\u{1b}[31m\u{1b}[1m", ""),
            ("a\u{1b}[2Jb\u{1b}", "a\u{1b}[2Jb\u{1b}"),
            ("\u{1b}\u{1b}[0mä\u{1b}[38:5:1mü", "\u{1b}äü"),
        ] {
            assert_eq!(without_styles(text), plain, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_quick_way_finds_the_same(text in "[abAB ä]{0,20}", wanted in "[abAB]{0,3}") {
            prop_assert_eq!(holds(&text, &wanted), !occurrences(&text, &wanted).is_empty());
        }
    }
}
