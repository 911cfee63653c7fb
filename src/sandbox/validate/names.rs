//! What names, label keys and label values may look like; each check gives what is wrong, in the real server's words.

const LABEL_RULE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035_RULE: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_RULE: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const NAME_PART_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const KEY_RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

type Faults = Vec<String>;

fn too_long(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} characters"))
}

/// Whether the text begins and ends with `edge` and holds only `edge` and `inner`; an empty text does not.
fn made_of(text: &str, edge: fn(u8) -> bool, inner: &[u8]) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|byte| edge(*byte))
        && bytes.last().is_some_and(|byte| edge(*byte))
        && bytes.iter().all(|byte| edge(*byte) || inner.contains(byte))
}

fn lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// A DNS label: a namespace, a container, a volume.
pub(super) fn label(text: &str) -> Faults {
    let form = (!made_of(text, lower, b"-")).then(|| LABEL_RULE.to_owned());
    too_long(text, 63).into_iter().chain(form).collect()
}

/// A DNS label that begins with a letter: a service.
pub(super) fn label_1035(text: &str) -> Faults {
    let well = made_of(text, lower, b"-") && text.starts_with(|c: char| c.is_ascii_lowercase());
    too_long(text, 63)
        .into_iter()
        .chain((!well).then(|| LABEL_1035_RULE.to_owned()))
        .collect()
}

/// Labels with dots between: most objects.
pub(super) fn subdomain(text: &str) -> Faults {
    let well = text.split('.').all(|part| made_of(part, lower, b"-"));
    too_long(text, 253)
        .into_iter()
        .chain((!well).then(|| SUBDOMAIN_RULE.to_owned()))
        .collect()
}

/// A name that only has to fit into a path: roles and their bindings.
pub(super) fn path_segment(text: &str) -> Faults {
    let mut faults = Vec::new();
    if matches!(text, "." | "..") {
        faults.push(format!("may not be '{text}'"));
    }
    faults.extend(
        ['/', '%']
            .iter()
            .filter(|sign| text.contains(**sign))
            .map(|sign| format!("may not contain '{sign}'")),
    );
    faults
}

/// The key of a label or an annotation: a name, perhaps with a domain before it.
pub(super) fn qualified(text: &str) -> Faults {
    let (prefix, name) = match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => (None, *name),
        [prefix, name] => (Some(*prefix), *name),
        _ => {
            return vec![format!(
                "a qualified name {NAME_PART_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    let mut faults = Vec::new();
    match prefix {
        Some("") => faults.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => faults.extend(
            subdomain(prefix)
                .into_iter()
                .map(|fault| format!("prefix part {fault}")),
        ),
        None => {}
    }
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if let Some(fault) = too_long(name, 63) {
        faults.push(format!("name part {fault}"));
    }
    if !made_of(name, alphanumeric, b"-_.") {
        faults.push(format!("name part {NAME_PART_RULE}"));
    }
    faults
}

/// The value of a label.
pub(super) fn label_value(text: &str) -> Faults {
    let well = text.is_empty() || made_of(text, alphanumeric, b"-_.");
    too_long(text, 63)
        .into_iter()
        .chain((!well).then(|| VALUE_RULE.to_owned()))
        .collect()
}

/// A key of a `ConfigMap` or a `Secret`.
pub(super) fn config_key(text: &str) -> Faults {
    let well = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let mut faults: Faults = too_long(text, 253)
        .into_iter()
        .chain((!well).then(|| KEY_RULE.to_owned()))
        .collect();
    if matches!(text, "." | "..") {
        faults.push(format!("must not be '{text}'"));
    } else if text.starts_with("..") {
        faults.push("must not start with '..'".to_owned());
    }
    faults
}

/// The name of an environment variable.
pub(super) fn variable(text: &str) -> Faults {
    let well = text
        .bytes()
        .all(|byte| (0x20..0x7f).contains(&byte) && byte != b'=');
    if well {
        Vec::new()
    } else {
        vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_name() {
        let long = "a".repeat(64);
        for (text, well) in [
            ("a", true),
            ("a-b", true),
            ("-a", false),
            ("a.b", false),
            ("A", false),
            ("", false),
            (long.as_str(), false),
        ] {
            assert_eq!(label(text).is_empty(), well, "{text}");
        }
        for (text, well) in [
            ("a.b", true),
            ("a..b", false),
            (long.as_str(), true),
            ("a_b", false),
            (".a", false),
        ] {
            assert_eq!(subdomain(text).is_empty(), well, "{text}");
        }
        for (text, well) in [
            ("a", true),
            ("x.y/A_b", true),
            ("/a", false),
            ("a/", false),
            ("a/b/c", false),
            ("X/a", false),
            ("a b", false),
        ] {
            assert_eq!(qualified(text).is_empty(), well, "{text}");
        }
        for (text, well) in [
            ("", true),
            ("A.b-c_d", true),
            ("-", false),
            (long.as_str(), false),
            ("ä", false),
        ] {
            assert_eq!(label_value(text).is_empty(), well, "{text}");
        }
        assert!(!label_1035("1a").is_empty() && label_1035("a1").is_empty());
    }
}
