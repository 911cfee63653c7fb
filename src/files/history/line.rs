//! One line of a kept log: its time or `-`, a space, its text.

use crate::domain::logs::LogLine;
use jiff::Timestamp;
use std::fmt::Write as _;

/// Puts a line as it is kept behind `out`.
pub(super) fn put(line: &LogLine, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match line.at {
        Some(at) => writeln!(out, "{at} {}", line.text),
        None => writeln!(out, "- {}", line.text),
    };
}

/// A line that was cut off by a full disk or a crash is read as far as it goes.
pub(super) fn read(bytes: &[u8]) -> LogLine {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    LogLine {
        at: time(bytes),
        text: String::from_utf8_lossy(text(bytes)).into_owned(),
    }
}

/// The text of a line that begins with these bytes.
pub(super) fn text(bytes: &[u8]) -> &[u8] {
    let space = bytes.iter().position(|byte| *byte == b' ');
    space.map_or(bytes, |at| &bytes[at + 1..])
}

/// The time of a line that begins with these bytes.
pub(super) fn time(bytes: &[u8]) -> Option<Timestamp> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()
}
