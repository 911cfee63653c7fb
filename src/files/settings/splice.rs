//! Edits of a TOML text that leave every other byte as it is.
//!
//! The parser gives the place of each value and the writer the new one; what is between them is copied. Writing the
//! parsed document back would be simpler and lose line ends and other habits of the file.

use crate::domain::settings::edit::Edit;
use crate::domain::settings::key::Key;
use crate::domain::settings::value::Value;
use std::ops::Range;
use toml_edit::{Document, Item, Table};

/// The text with the edits in it.
///
/// # Errors
/// The parser's reason when the text is no TOML; it quotes nothing of the text.
pub(super) fn apply(text: &str, edits: &[&Edit]) -> Result<String, String> {
    let document = parsed(text)?;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    let mut added = String::new();
    for edit in edits {
        let there = place_of(&document, edit.key);
        match (&edit.to, there) {
            (Some(value), Some(place)) => changes.push((place.value, written(value))),
            (Some(value), None) => {
                added.extend([edit.key.name(), " = ", &written(value), newline]);
            }
            (None, Some(place)) => changes.push((taken_out(text, &place), String::new())),
            (None, None) => {}
        }
    }
    // From the back, so that the places in front stay right.
    changes.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut new = text.to_owned();
    for (range, with) in changes {
        new.replace_range(range, &with);
    }
    if !added.is_empty() {
        // The places moved: look again.
        let (at, added) = insertion(&new, &parsed(&new)?, &added, newline);
        new.insert_str(at, &added);
    }
    Ok(new)
}

fn parsed(text: &str) -> Result<Document<&str>, String> {
    Document::parse(text).map_err(|e| e.message().replace('\n', ", "))
}

/// Where a key and its value stand.
struct Entry {
    key: Range<usize>,
    value: Range<usize>,
}

fn place_of(document: &Document<&str>, key: Key) -> Option<Entry> {
    let (name, item) = document.get_key_value(key.name())?;
    Some(Entry {
        key: name.span()?,
        value: item.span()?,
    })
}

/// The value as TOML 1.0.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::Whole(number) => number.to_string(),
        Value::Flag(on) => on.to_string(),
        Value::Text(_) | Value::Names(_) => toml_edit::Value::from(value.text()).to_string(),
    }
}

/// What goes when a key goes: its line, but not the comment at its end, which may be of use to whoever wrote it.
fn taken_out(text: &str, entry: &Entry) -> Range<usize> {
    let start = text[..entry.key.start].rfind('\n').map_or(0, |at| at + 1);
    let rest = &text[entry.value.end..];
    let line = rest.split_inclusive('\n').next().unwrap_or_default();
    let end = line.find('#').unwrap_or(line.len());
    // A byte order mark in front of the first key belongs to the file.
    let start = start
        + text[start..entry.key.start]
            .find(|c| c != '\u{feff}')
            .unwrap_or(0);
    start.min(entry.key.start)..entry.value.end + end
}

/// Where new keys go: behind the last key that belongs to no table, else in front of the first table, else at the end.
fn insertion(text: &str, document: &Document<&str>, added: &str, newline: &str) -> (usize, String) {
    let mut found = Found::default();
    found.walk(document.as_table());
    let first_table = found.headers.iter().min().copied();
    let last_value = found
        .values
        .iter()
        .filter(|end| first_table.is_none_or(|header| **end <= header))
        .max();
    let at = match (last_value, first_table) {
        (Some(end), _) => text[*end..].find('\n').map_or(text.len(), |n| end + n + 1),
        (None, Some(header)) => {
            return (above_comments(text, header), format!("{added}{newline}"));
        }
        (None, None) => text.len(),
    };
    let unfinished = at > 0 && !text[..at].ends_with('\n') && text[..at] != *"\u{feff}";
    let lead = if unfinished { newline } else { "" };
    (at, format!("{lead}{added}"))
}

/// The start of the comment block that stands directly above the line with `byte`: it belongs to that line.
fn above_comments(text: &str, byte: usize) -> usize {
    let mut start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
    while let Some(before) = text[..start].strip_suffix('\n') {
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        if !before[line..].trim_start().starts_with('#') {
            break;
        }
        start = line;
    }
    if start == 0 && text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        start
    }
}

/// Ends of values and starts of table headers.
#[derive(Default)]
struct Found {
    values: Vec<usize>,
    headers: Vec<usize>,
}

impl Found {
    fn walk(&mut self, table: &Table) {
        for (_, item) in table {
            match item {
                Item::None => {}
                Item::Value(value) => self.values.extend(value.span().map(|span| span.end)),
                Item::Table(inner) => {
                    if !inner.is_dotted() && !inner.is_implicit() {
                        self.headers.extend(inner.span().map(|span| span.start));
                    }
                    self.walk(inner);
                }
                Item::ArrayOfTables(tables) => {
                    for inner in tables {
                        self.headers.extend(inner.span().map(|span| span.start));
                        self.walk(inner);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edit(key: Key, to: Option<&str>) -> Edit {
        Edit {
            key,
            from: None,
            to: to.map(|text| key.parse(text).unwrap()),
        }
    }

    fn applied(text: &str, edits: &[Edit]) -> String {
        apply(text, &edits.iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_changed_value_keeps_its_line() {
        let text =
            "# TTL\r\nk8s_job_ttl_seconds  =  1_800   # half an hour\r\n\r\n[mine]\r\nx = 1 \r\n";
        assert_eq!(
            applied(text, &[edit(Key::K8sJobTtlSeconds, Some("60"))]),
            text.replace("1_800", "60")
        );
    }

    #[test]
    fn a_key_that_goes_leaves_its_comments() {
        let text = "a = 1\n# TTL\nk8s_job_ttl_seconds = 60  # short\nz = 1\n";
        assert_eq!(
            applied(text, &[edit(Key::K8sJobTtlSeconds, None)]),
            "a = 1\n# TTL\n# short\nz = 1\n"
        );
        let text = "k8s_image_pull_secrets_json = '''\n[]'''\nz = 1";
        assert_eq!(
            applied(text, &[edit(Key::K8sImagePullSecretsJson, None)]),
            "z = 1"
        );
    }

    #[test]
    fn a_new_key_goes_behind_the_last_one_and_never_into_a_table() {
        let gpu = [edit(Key::K8sGpuLimit, Some("1"))];
        for (text, new) in [
            ("", "k8s_gpu_limit = 1\n"),
            ("# only this", "# only this\nk8s_gpu_limit = 1\n"),
            ("a = 1", "a = 1\nk8s_gpu_limit = 1\n"),
            (
                "a = 1 # x\r\n# end\r\n",
                "a = 1 # x\r\nk8s_gpu_limit = 1\r\n# end\r\n",
            ),
            (
                "a.b = 1\n\n[t]\nc = 1\n",
                "a.b = 1\nk8s_gpu_limit = 1\n\n[t]\nc = 1\n",
            ),
            (
                "# head\n\n# of t\n[t.u]\nc = 1\n",
                "# head\n\nk8s_gpu_limit = 1\n\n# of t\n[t.u]\nc = 1\n",
            ),
            ("[[t]]\nc = 1\n", "k8s_gpu_limit = 1\n\n[[t]]\nc = 1\n"),
            (
                "a = [\n 1,\n]\n[t]\n",
                "a = [\n 1,\n]\nk8s_gpu_limit = 1\n[t]\n",
            ),
            ("\u{feff}", "\u{feff}k8s_gpu_limit = 1\n"),
        ] {
            assert_eq!(applied(text, &gpu), new, "{text:?}");
        }
    }

    #[test]
    fn adding_and_taking_out_at_one_place() {
        let text = "k8s_job_ttl_seconds = 60\n";
        let edits = [
            edit(Key::K8sJobTtlSeconds, None),
            edit(Key::K8sGpuLimit, Some("1")),
        ];
        assert_eq!(applied(text, &edits), "k8s_gpu_limit = 1\n");
        let text = "provider = \"kubernetes\"\nk8s_job_ttl_seconds = 60";
        assert_eq!(
            applied(text, &edits),
            "provider = \"kubernetes\"\nk8s_gpu_limit = 1\n"
        );
    }

    #[test]
    fn a_text_that_is_no_toml_is_refused_without_quoting_it() {
        let error = apply("k8s_kubeconfig = s3cret\n", &[]).unwrap_err();
        assert!(!error.contains("s3cret"), "{error}");
    }

    proptest! {
        /// Whatever is around the keys, it stays, and the edits are what is read back.
        #[test]
        fn edits_are_read_back(
            head in "(# [a-z]{0,8}\r?\n|\r?\n){0,3}",
            foreign in "(own_[a-z]{1,4} = '[a-zA-Z ]{0,6}' # keep\n)?",
            ttl in proptest::option::of(60u32..86_400),
            new_ttl in proptest::option::of(60u32..86_400),
            gpu in proptest::option::of(0u32..9),
            tail in "(# end\r?\n)?(\\[t\\]\nk8s_gpu_limit = 'other'\n)?",
        ) {
            let old = ttl.map(|n| format!("k8s_job_ttl_seconds = {n}  # ours\n")).unwrap_or_default();
            let text = format!("{head}{foreign}{old}{tail}");
            prop_assume!(Document::parse(text.as_str()).is_ok());
            let edits = [
                edit(Key::K8sJobTtlSeconds, new_ttl.map(|n| n.to_string()).as_deref()),
                edit(Key::K8sGpuLimit, gpu.map(|n| n.to_string()).as_deref()),
            ];
            let new = applied(&text, &edits);
            let read: toml::Table = new.parse().unwrap();
            let number = |name: &str| read.get(name).and_then(toml::Value::as_integer);
            prop_assert_eq!(number("k8s_job_ttl_seconds"), new_ttl.map(i64::from));
            prop_assert_eq!(number("k8s_gpu_limit"), gpu.map(i64::from));
            for kept in head.lines().chain(foreign.lines()).chain(tail.lines()) {
                prop_assert!(new.contains(kept), "{kept:?} is gone from {new:?}");
            }
        }
    }
}
