//! Findings that a person has accepted: they are known by rule, file and text, so that lines may move.

use super::{Finding, Level, Report, Rule};
use serde::{Deserialize, Serialize};

/// The schema of a baseline file.
pub const SCHEMA: &str = "llmctl-dev/audit-baseline/v1";

/// The accepted findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    pub schema: String,
    pub accepted: Vec<Accepted>,
}

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    pub path: String,
    pub rule: Rule,
    pub excerpt: String,
}

impl Accepted {
    fn of(finding: &Finding) -> Self {
        Self {
            path: finding.path.clone(),
            rule: finding.rule,
            excerpt: finding.excerpt.clone(),
        }
    }
}

impl Baseline {
    /// Accepts everything that the report complains about.
    pub fn of(report: &Report) -> Self {
        let mut accepted: Vec<Accepted> = report
            .findings
            .iter()
            .filter(|finding| finding.level != Level::Allowed)
            .map(Accepted::of)
            .collect();
        accepted.sort();
        Self {
            schema: SCHEMA.into(),
            accepted,
        }
    }

    /// Takes the accepted findings out of the report. One that stands twice in a file must have been accepted twice.
    pub fn apply(mut self, report: &mut Report) {
        let before = report.findings.len();
        report.findings.retain(|finding| {
            let known = Accepted::of(finding);
            match self.accepted.iter().position(|accepted| *accepted == known) {
                Some(at) => {
                    self.accepted.swap_remove(at);
                    false
                }
                None => true,
            }
        });
        report.accepted += before - report.findings.len();
    }
}
