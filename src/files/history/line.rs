//! One line of a kept log: its time or `-`, a space, its text.

use crate::domain::logs::LogLine;
use std::io::{self, Write};

pub(super) fn write(out: &mut impl Write, line: &LogLine) -> io::Result<()> {
    match line.at {
        Some(at) => writeln!(out, "{at} {}", line.text),
        None => writeln!(out, "- {}", line.text),
    }
}

/// A line that was cut off by a full disk or a crash is read as far as it goes.
pub(super) fn read(bytes: &[u8]) -> LogLine {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let (at, rest) = text.split_once(' ').unwrap_or(("-", &text));
    match at.parse() {
        Ok(at) => LogLine {
            at: Some(at),
            text: rest.into(),
        },
        Err(_) => LogLine {
            at: None,
            text: rest.into(),
        },
    }
}
