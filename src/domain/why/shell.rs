//! Words of a command line that somebody may paste into a shell.

/// The text as one word: plain where it can be, else in quotes. Control characters, which nobody means, become `?`.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=+,%".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        return text.to_owned();
    }
    let shown: String = text
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    format!("'{}'", shown.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn what_a_cluster_wrote_stays_one_word() {
        for (text, expected) in [
            ("repo/image:1@sha256:ab", "repo/image:1@sha256:ab"),
            ("", "''"),
            ("a; rm -rf ~", "'a; rm -rf ~'"),
            ("$(id)", "'$(id)'"),
            ("it's", r"'it'\''s'"),
            ("a\nb\u{1b}[0m", "'a?b?[0m'"),
            ("-o", "'-o'"),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
