//! A plan and a report as rows of a list, each with what stands behind it.

use crate::domain::audit::{Level, Report};
use crate::domain::migration::Plan;
use crate::domain::migration::runs::RunChange;
use crate::domain::migration::settings::{Fate, SettingChange};
use std::collections::BTreeMap;

/// What a row is about; it decides glyph, word and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Only a person can settle it.
    Person,
    /// A settings row that goes.
    Deleted,
    /// A settings row that changes.
    Changed,
    /// Something of the table of runs itself.
    Table,
    /// A run row that changes.
    Run,
    /// It stays as it is, and why.
    Kept,
    Error,
    Notice,
    Allowed,
    /// Something to know about the whole.
    Remark,
}

impl Mark {
    /// The word before a row.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "you",
            Self::Deleted => "delete",
            Self::Changed => "change",
            Self::Table => "table",
            Self::Run => "run",
            Self::Kept => "kept",
            Self::Error => "error",
            Self::Notice => "notice",
            Self::Allowed => "allowed",
            Self::Remark => "note",
        }
    }
}

/// One row. May hold anything that a database or a file said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub mark: Mark,
    /// File and line, or what else the row is about; it stands in a column of its own.
    pub place: Option<String>,
    pub title: String,
    /// Lines that say more.
    pub detail: Vec<String>,
}

impl Item {
    fn new(mark: Mark, title: impl Into<String>, detail: Vec<String>) -> Self {
        Self {
            mark,
            place: None,
            title: title.into(),
            detail,
        }
    }

    fn at(self, place: impl Into<String>) -> Self {
        Self {
            place: Some(place.into()),
            ..self
        }
    }

    /// Whether a filter, in lower case, lets it through.
    pub fn matches(&self, wanted: &str) -> bool {
        let has = |text: &str| text.to_lowercase().contains(wanted);
        has(self.mark.word())
            || has(self.place.as_deref().unwrap_or_default())
            || has(&self.title)
            || self.detail.iter().any(|line| has(line))
    }
}

/// What a migration would do: what needs a person first, then every change, then what stays.
pub fn of_plan(plan: &Plan) -> Vec<Item> {
    let mut items: Vec<Item> = plan
        .for_a_person()
        .into_iter()
        .map(|line| Item::new(Mark::Person, line.clone(), vec![line]))
        .collect();
    items.extend(plan.settings.changes.iter().map(setting));
    items.extend(
        plan.schema
            .iter()
            .map(|change| Item::new(Mark::Table, change.text(), vec![change.text()])),
    );
    items.extend(plan.runs.rows.iter().map(run));
    let more = plan
        .runs
        .changed
        .saturating_sub(plan.runs.rows.len() as u64);
    if more > 0 {
        let text = format!("{more} more run rows change in the same ways");
        items.push(Item::new(Mark::Remark, text.clone(), vec![text]));
    }
    if plan.runs.newer_markers > 0 {
        let text = format!(
            "{} run rows carry a marker that newer revisions of Studio write: left alone",
            plan.runs.newer_markers
        );
        items.push(Item::new(Mark::Kept, text.clone(), vec![text]));
    }
    let quiet = plan.settings.kept.iter().filter(|kept| !kept.needs_person);
    items.extend(quiet.map(|kept| {
        let title = format!("{}: {}", kept.key, kept.why);
        Item::new(Mark::Kept, title.clone(), vec![title])
    }));
    items.extend(
        plan.remarks
            .iter()
            .map(|remark| Item::new(Mark::Remark, remark.clone(), vec![remark.clone()])),
    );
    items
}

fn setting(change: &SettingChange) -> Item {
    let mark = match change.fate {
        Fate::Delete => Mark::Deleted,
        Fate::Becomes { .. } | Fate::Encrypt => Mark::Changed,
    };
    let detail = vec![
        format!("settings row {}", change.row.id),
        change.text(),
        change.why.clone(),
    ];
    Item::new(mark, change.text(), detail)
}

fn run(change: &RunChange) -> Item {
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".into());
    let cells: Vec<String> = change
        .cells
        .iter()
        .map(|(column, before, after)| {
            format!("{}: {} → {}", column.name(), word(before), word(after))
        })
        .collect();
    let title = format!("{} {}: {}", change.id, change.status, cells.join(", "));
    let head = format!("row {} of a run that is {}", change.id, change.status);
    Item::new(Mark::Run, title, [vec![head], cells].concat())
}

/// What an audit found: errors first, then notices, then what is allowed, each by file and line.
pub fn of_report(report: &Report) -> Vec<Item> {
    let mut found: Vec<_> = report.findings.iter().collect();
    found.sort_by_key(|finding| finding.level);
    let mut items: Vec<Item> = found
        .into_iter()
        .map(|finding| {
            let mark = match finding.level {
                Level::Error => Mark::Error,
                Level::Notice => Mark::Notice,
                Level::Allowed => Mark::Allowed,
            };
            let place = if finding.line == 0 {
                finding.path.clone()
            } else {
                format!("{}:{}", finding.path, finding.line)
            };
            let title = match finding.excerpt.as_str() {
                "" => finding.rule.about(),
                excerpt => excerpt,
            };
            let mut detail = vec![format!("{place} ({})", finding.rule.id())];
            if !finding.excerpt.is_empty() {
                detail.push(format!("| {}", finding.excerpt));
            }
            detail.push(finding.why.clone());
            if !finding.instead.is_empty() {
                detail.push(format!("instead: {}", finding.instead));
            }
            Item::new(mark, title, detail).at(place)
        })
        .collect();
    items.extend(skipped(report));
    items
}

/// The files that were not read, a row for each reason: a checkout may hold thousands of pictures.
fn skipped(report: &Report) -> Vec<Item> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for skipped in &report.skipped {
        by_reason
            .entry(&skipped.why)
            .or_default()
            .push(&skipped.path);
    }
    let row = |(why, paths): (&str, Vec<&str>)| {
        let (title, names) = match paths.as_slice() {
            [path] => (format!("{path} was not read: {why}"), None),
            many => {
                let title = format!("{} files were not read: {why}", many.len());
                (title, Some(many.join(", ")))
            }
        };
        let detail = [Some(title.clone()), names].into_iter().flatten();
        Item::new(Mark::Remark, title, detail.collect())
    };
    by_reason.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::Skipped;

    #[test]
    fn files_that_were_not_read_are_one_row_for_each_reason() {
        let skipped = |path: &str, why: &str| Skipped {
            path: path.into(),
            why: why.into(),
        };
        let report = Report {
            skipped: vec![
                skipped("a.png", "not text"),
                skipped("secret", "permission denied"),
                skipped("b.png", "not text"),
            ],
            ..Report::default()
        };
        let items = of_report(&report);
        let rows: Vec<_> = items.iter().map(|item| item.title.as_str()).collect();
        assert_eq!(
            rows,
            [
                "2 files were not read: not text",
                "secret was not read: permission denied"
            ]
        );
        assert!(
            items[0].matches("b.png"),
            "a filter finds a file by its name"
        );
    }
}
