//! The definition of the table of runs as text: what it says of defaults and constraints, and the text with others.

use crate::database::migration::checks::{Dialect, condition, is_of_old};
use crate::domain::migration::SchemaChange;
use crate::domain::migration::checks::{Check, Form};
use crate::domain::migration::runs::Column;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::BTreeSet;
use std::ops::Range;

/// A definition taken apart.
#[derive(Debug)]
pub(super) struct Definition<'a> {
    sql: &'a str,
    /// The columns and constraints, each as its tokens.
    items: Vec<Vec<Range<usize>>>,
}

/// A definition, the one that takes its place, and what differs.
#[derive(Clone, Debug)]
pub(super) struct Rewritten {
    pub(super) before: String,
    pub(super) after: String,
    pub(super) changes: Vec<SchemaChange>,
}

impl<'a> Definition<'a> {
    /// Takes `CREATE TABLE … ( … )` apart; none for what has no such list.
    pub(super) fn parse(sql: &'a str) -> Option<Self> {
        let tokens = tokens(sql)?;
        let open = tokens.iter().position(|token| sql[token.clone()] == *"(")?;
        let (mut depth, mut items, mut item) = (0_usize, Vec::new(), Vec::new());
        for token in &tokens[open + 1..] {
            match &sql[token.clone()] {
                "(" => depth += 1,
                ")" if depth == 0 => {
                    items.push(item);
                    let whole = items.iter().all(|item: &Vec<_>| !item.is_empty());
                    return whole.then_some(Self { sql, items });
                }
                ")" => depth -= 1,
                "," if depth == 0 => {
                    items.push(std::mem::take(&mut item));
                    continue;
                }
                _ => {}
            }
            item.push(token.clone());
        }
        None
    }

    /// The text with Kubernetes as the provider columns' default and the constraints in `form`, but for those in `barred`.
    pub(super) fn rewritten(&self, form: Form, barred: &BTreeSet<Check>) -> Rewritten {
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        let mut changes = Vec::new();
        for item in &self.items {
            if let Some(column) = self.provider_column(item)
                && let Some(default) = self.default_of(item)
                && self.sql[default.clone()] != *"'kubernetes'"
            {
                changes.push(SchemaChange::Default {
                    column,
                    before: Some(self.sql[default.clone()].to_owned()),
                });
                edits.push((default, "'kubernetes'".into()));
            }
        }
        for check in Check::ALL
            .into_iter()
            .filter(|check| !barred.contains(check))
        {
            let sql = format!(
                "CONSTRAINT {} CHECK ({})",
                check.name(),
                condition(check, form, Dialect::Sqlite)
            );
            match self
                .items
                .iter()
                .find(|item| self.is_constraint(item, check))
            {
                None => {
                    changes.push(SchemaChange::AddCheck { check });
                    let end = self
                        .items
                        .last()
                        .and_then(|item| item.last())
                        .map_or(0, |last| last.end);
                    edits.push((end..end, format!(",\n  {sql}")));
                }
                Some(item) => {
                    let range = whole(item);
                    let before = &self.sql[range.clone()];
                    if is_of_old(before) {
                        changes.push(SchemaChange::ReplaceCheck {
                            check,
                            before: before.to_owned(),
                        });
                        edits.push((range, sql));
                    }
                }
            }
        }
        // From behind, so that what is in front stays where it is; what is added keeps its order.
        edits.sort_by_key(|(range, _)| range.start);
        let mut after = String::with_capacity(self.sql.len() + 2048);
        let mut at = 0;
        for (range, text) in edits {
            after += &self.sql[at..range.start];
            after += &text;
            at = range.end;
        }
        after += &self.sql[at..];
        Rewritten {
            before: self.sql.to_owned(),
            after,
            changes,
        }
    }

    fn provider_column(&self, item: &[Range<usize>]) -> Option<Column> {
        let name = bare(&self.sql[item.first()?.clone()]);
        [Column::SelectedProvider, Column::FinalProvider]
            .into_iter()
            .find(|column| column.name().eq_ignore_ascii_case(name))
    }

    /// What follows DEFAULT: one token, or all of a parenthesis.
    fn default_of(&self, item: &[Range<usize>]) -> Option<Range<usize>> {
        let text = |token: &Range<usize>| &self.sql[token.clone()];
        let at = item
            .iter()
            .position(|token| text(token).eq_ignore_ascii_case("default"))?;
        let first = item.get(at + 1)?;
        if text(first) != "(" {
            return Some(first.clone());
        }
        let mut depth = 0_usize;
        for token in &item[at + 1..] {
            match text(token) {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(first.start..token.end);
            }
        }
        None
    }

    fn is_constraint(&self, item: &[Range<usize>], check: Check) -> bool {
        let [word, name, ..] = item else {
            return false;
        };
        self.sql[word.clone()].eq_ignore_ascii_case("constraint")
            && bare(&self.sql[name.clone()]).eq_ignore_ascii_case(check.name())
    }
}

impl Rewritten {
    /// The constraints that change.
    pub(super) fn checks(&self) -> impl Iterator<Item = Check> + '_ {
        self.changes.iter().filter_map(|change| match change {
            SchemaChange::AddCheck { check } | SchemaChange::ReplaceCheck { check, .. } => {
                Some(*check)
            }
            _ => None,
        })
    }

    /// Both texts define the same columns in the same order, so that rows written under the one are right under the
    /// other. Asked of SQLite itself, in memory.
    pub(super) fn is_sound(&self) -> bool {
        let columns = |sql: &str| -> rusqlite::Result<Vec<[Value; 5]>> {
            let memory = Connection::open_in_memory()?;
            memory.execute_batch(sql)?;
            let asked = "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo('agent_tasks') ORDER BY cid";
            let mut statement = memory.prepare(asked)?;
            let rows = statement.query_map([], |row| {
                Ok([
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                ])
            })?;
            rows.collect()
        };
        matches!((columns(&self.before), columns(&self.after)), (Ok(before), Ok(after)) if before == after && !before.is_empty())
    }
}

fn whole(item: &[Range<usize>]) -> Range<usize> {
    let start = item.first().map_or(0, |first| first.start);
    start..item.last().map_or(start, |last| last.end)
}

/// A name without its quotes.
fn bare(name: &str) -> &str {
    name.trim_matches(['"', '`', '[', ']'])
}

/// The places of words, quoted texts and single signs; comments and blanks are none. None when a quote has no end.
fn tokens(sql: &str) -> Option<Vec<Range<usize>>> {
    let bytes = sql.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = &sql[at..];
        let end = match byte {
            b if b.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'-' if rest.starts_with("--") => {
                at = rest.find('\n').map_or(sql.len(), |end| at + end);
                continue;
            }
            b'/' if rest.starts_with("/*") => {
                at += rest.find("*/")? + 2;
                continue;
            }
            b'\'' | b'"' | b'`' => at + quoted(rest, char::from(*byte))?,
            b'[' => at + rest.find(']')? + 1,
            _ => {
                let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
                // A sign may be more than one byte long.
                at + length.max(
                    rest.chars()
                        .next()
                        .map_or(1, char::len_utf8)
                        .min(rest.len())
                        * usize::from(length == 0),
                )
            }
        };
        tokens.push(at..end);
        at = end;
    }
    Some(tokens)
}

/// The length of a quoted text with its quotes; a doubled quote is part of it.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text[at..].find(quote)? + 1;
        if !text[at..].starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "CREATE TABLE \"agent_tasks\" (id INTEGER PRIMARY KEY, -- a ) in a comment
  note TEXT DEFAULT 'it''s (, odd', [selected_provider] VARCHAR(32) NOT NULL DEFAULT 'workspace' /* , */,
  final_provider VARCHAR(32) DEFAULT ('work' || 'space') NOT NULL,
  provider_dispatch_id TEXT, workspace_identity TEXT, dispatch_status TEXT, fallback_attempted BOOLEAN,
  fallback_reason TEXT, dispatch_uncertain BOOLEAN, api_failure_category TEXT, cli_fallback_used BOOLEAN,
  cli_preflight_passed BOOLEAN,
  CONSTRAINT ck_node_runs_selected_provider_allowed CHECK (selected_provider IN ('workspace','docker','kubernetes')),
  CONSTRAINT own CHECK (note != 'workspace') -- the end
) STRICT";

    #[test]
    fn defaults_and_constraints_change_and_nothing_else() {
        let old = OLD.replace(" STRICT", "");
        let rewritten = Definition::parse(&old)
            .unwrap()
            .rewritten(Form::Strict, &BTreeSet::new());
        assert!(rewritten.is_sound(), "{}", rewritten.after);
        assert_eq!(rewritten.changes.len(), 2 + 13);
        for kept in [
            "it''s (, odd",
            "-- a ) in a comment",
            "CONSTRAINT own CHECK (note != 'workspace')",
            "-- the end",
        ] {
            assert!(
                rewritten.after.contains(kept),
                "{kept}: {}",
                rewritten.after
            );
        }
        assert!(!rewritten.after.contains("DEFAULT 'workspace'"));
        let again = Definition::parse(&rewritten.after).unwrap();
        let again = again.rewritten(Form::Strict, &BTreeSet::new());
        assert!(again.changes.is_empty(), "{:?}", again.changes);
        assert_eq!(again.after, rewritten.after);
    }

    #[test]
    fn what_is_barred_stays_out() {
        let old = OLD.replace(" STRICT", "");
        let barred = BTreeSet::from([Check::SelectedProvider, Check::IdentityFormat]);
        let rewritten = Definition::parse(&old)
            .unwrap()
            .rewritten(Form::Strict, &barred);
        assert!(rewritten.is_sound());
        assert!(
            rewritten
                .after
                .contains("IN ('workspace','docker','kubernetes')")
        );
        assert!(!rewritten.after.contains(Check::IdentityFormat.name()));
        assert_eq!(rewritten.checks().count(), 11);
    }

    #[test]
    fn what_is_no_definition_is_not_touched() {
        for sql in [
            "",
            "CREATE TABLE agent_tasks AS SELECT 1",
            "CREATE TABLE agent_tasks (a, 'open)",
            "CREATE TABLE agent_tasks (a,)",
        ] {
            assert!(Definition::parse(sql).is_none(), "{sql}");
        }
    }
}
