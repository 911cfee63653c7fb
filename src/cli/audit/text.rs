//! The report for people.

use crate::domain::audit::{Finding, Level, Report};
use crate::sanitize::sanitize;
use std::fmt::Write as _;

/// `1 finding`, `2 findings`.
pub(super) fn counted(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// Everything that was found, then the sum of it.
pub(super) fn report(report: &Report, all: bool, colour: bool) -> String {
    let mut out = String::new();
    let shown = report
        .findings
        .iter()
        .filter(|finding| all || finding.level != Level::Allowed);
    for finding in shown {
        block(&mut out, finding, colour);
    }
    if all {
        for skipped in &report.skipped {
            let _ = writeln!(
                out,
                "{}  {}: {}",
                level("skipped", "2", colour),
                sanitize(&skipped.path),
                sanitize(&skipped.why)
            );
        }
        if !report.skipped.is_empty() {
            out.push('\n');
        }
    }
    let mut sum = vec![
        counted(report.count(Level::Error), "error"),
        counted(report.count(Level::Notice), "notice"),
        format!("{} allowed", report.count(Level::Allowed)),
    ];
    if report.accepted > 0 {
        sum.push(format!("{} accepted", report.accepted));
    }
    let _ = writeln!(
        out,
        "{} in {}",
        sum.join(", "),
        counted(report.files, "file")
    );
    if !report.skipped.is_empty() && !all {
        let _ = writeln!(
            out,
            "{} not read, being binary, too long or unreadable: --all names them",
            counted(report.skipped.len(), "file")
        );
    }
    out
}

fn block(out: &mut String, finding: &Finding, colour: bool) {
    let tint = match finding.level {
        Level::Error => "31",
        Level::Notice => "33",
        Level::Allowed => "32",
    };
    let place = if finding.line == 0 {
        finding.path.clone()
    } else {
        format!("{}:{}", finding.path, finding.line)
    };
    let _ = writeln!(
        out,
        "{}  {}  {}",
        level(finding.level.word(), tint, colour),
        sanitize(&place),
        finding.rule.id()
    );
    if !finding.excerpt.is_empty() {
        let _ = writeln!(out, "         | {}", sanitize(&finding.excerpt));
    }
    let _ = writeln!(out, "         {}", sanitize(&finding.why));
    if !finding.instead.is_empty() {
        let _ = writeln!(out, "         instead: {}", sanitize(&finding.instead));
    }
    out.push('\n');
}

fn level(word: &str, tint: &str, colour: bool) -> String {
    if colour {
        format!("\x1b[{tint}m{word:<7}\x1b[0m")
    } else {
        format!("{word:<7}")
    }
}
