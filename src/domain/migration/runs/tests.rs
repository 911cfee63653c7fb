//! The rules for run rows, against rows of every revision.

use super::*;
use crate::domain::migration::checks::{Check, Form};

/// Status, then the eleven columns; `-` is no value.
fn row(id: i64, text: &str) -> RunRow {
    let mut words = text.split('|').map(str::trim);
    let status = words.next().unwrap().to_owned();
    let cells: Vec<Option<String>> = words
        .map(|word| match word {
            "-" => None,
            "t" => Some("true".into()),
            "f" => Some("false".into()),
            word => Some(word.into()),
        })
        .collect();
    RunRow {
        id,
        status,
        cells: Cells(cells.try_into().unwrap()),
    }
}

fn check(id: i64, before: &str, after: &str) {
    let before = row(id, before);
    let after = row(id, after);
    let taken = BTreeSet::new();
    let migrated = before.migrated(&taken);
    assert_eq!(migrated, after.cells, "{before:?}");
    let again = RunRow {
        cells: migrated.clone(),
        ..before
    };
    assert_eq!(again.migrated(&taken), migrated);
}

#[test]
fn rows_of_old_become_kubernetes_rows() {
    for (id, before, after) in [
        // selected|final|dispatch id|identity|dispatch status|attempted|reason|uncertain|category|cli|preflight
        (
            1,
            "succeeded|workspace|workspace|workspace:workspace-101|default|dispatch_confirmed|f|-|f|-|f|-",
            "succeeded|kubernetes|kubernetes|kubernetes:legacy-1|default|dispatch_confirmed|f|-|f|-|f|-",
        ),
        (
            2,
            "succeeded|docker|docker|docker:0f3c|default|dispatch_confirmed|f|-|f|-|t|t",
            "succeeded|kubernetes|kubernetes|kubernetes:legacy-2|default|dispatch_confirmed|f|-|f|-|t|t",
        ),
        (
            3,
            "succeeded|docker|workspace|workspace:w|default|dispatch_confirmed|t|provider_unavailable|f|socket_missing|f|-",
            "succeeded|kubernetes|kubernetes|kubernetes:legacy-3|default|dispatch_confirmed|f|-|f|socket_missing|f|-",
        ),
        (
            4,
            "running|docker|workspace|-|default|fallback_started|t|image_pull_failed|f|-|f|-",
            "running|kubernetes|kubernetes|-|default|dispatch_pending|f|-|f|-|f|-",
        ),
        (
            5,
            "failed|kubernetes|workspace|kubernetes:default/llmctl-exec-7-105|team-a|dispatch_failed|t|create_failed|f|-|f|-",
            "failed|kubernetes|kubernetes|kubernetes:default/llmctl-exec-7-105|team-a|dispatch_failed|f|-|f|-|f|-",
        ),
        (
            7,
            "queued|workspace|workspace|-|/srv/ws|dispatch_pending|f|-|f|-|f|-",
            "queued|kubernetes|kubernetes|-|default|dispatch_pending|f|-|f|-|f|-",
        ),
        (
            8,
            "running|docker|docker|-|default|dispatch_submitted|f|-|f|bogus|f|-",
            "running|kubernetes|kubernetes|kubernetes:legacy-8|default|dispatch_submitted|f|-|f|-|f|-",
        ),
        // A run that is over does not become one that waits.
        (
            9,
            "succeeded|docker|workspace|-|default|fallback_started|t|unknown|f|-|f|-",
            "succeeded|kubernetes|kubernetes|kubernetes:legacy-9|default|dispatch_confirmed|f|-|f|-|f|-",
        ),
        (
            10,
            "failed|docker|workspace|-|default|fallback_started|t|unknown|f|-|f|-",
            "failed|kubernetes|kubernetes|-|default|dispatch_failed|f|-|f|-|f|-",
        ),
        (
            11,
            "canceled|kubernetes|kubernetes|-|default|what|f|-|f|-|f|-",
            "canceled|kubernetes|kubernetes|-|default|dispatch_failed|f|-|f|-|f|-",
        ),
        // Nulls and blanks.
        (
            12,
            "queued|-|-||-|-|-|x|-|-|-|t",
            "queued|kubernetes|kubernetes|-|default|dispatch_pending|f|-|f|-|f|-",
        ),
        // A marker of newer revisions, and a row that is right (W45).
        (
            13,
            "succeeded|kubernetes|kubernetes|kubernetes:llmctl/j|a|dispatch_confirmed|t|switched to the plain mode|f|-|f|-",
            "succeeded|kubernetes|kubernetes|kubernetes:llmctl/j|a|dispatch_confirmed|t|switched to the plain mode|f|-|f|-",
        ),
    ] {
        check(id, before, after);
    }
}

#[test]
fn a_legacy_id_that_another_row_has_is_not_given_twice() {
    let old = row(
        7,
        "failed|docker|docker|docker:x|default|dispatch_failed|f|-|f|-|f|-",
    );
    let taken = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let id = |taken: &BTreeSet<String>| {
        old.migrated(taken)
            .text(Column::ProviderDispatchId)
            .unwrap()
            .to_owned()
    };
    assert_eq!(id(&taken(&[])), "kubernetes:legacy-7");
    assert_eq!(
        id(&taken(&["kubernetes:legacy-7"])),
        "kubernetes:legacy-kubernetes-7"
    );
    let both = taken(&["kubernetes:legacy-7", "kubernetes:legacy-kubernetes-7"]);
    assert_eq!(id(&both), "kubernetes:legacy-7-2");
}

#[test]
fn every_migrated_row_of_old_keeps_to_the_strict_form() {
    let words = |column: Column| -> Vec<Option<&'static str>> {
        match column {
            Column::SelectedProvider | Column::FinalProvider => {
                vec![None, Some("workspace"), Some("docker"), Some("kubernetes")]
            }
            Column::ProviderDispatchId => {
                vec![None, Some(""), Some("docker:1"), Some("kubernetes:a/b")]
            }
            Column::WorkspaceIdentity => vec![Some(" "), Some("a/b"), Some("a")],
            Column::DispatchStatus => {
                vec![
                    None,
                    Some("fallback_started"),
                    Some("dispatch_submitted"),
                    Some("dispatch_failed"),
                ]
            }
            Column::FallbackReason => vec![None, Some("unknown"), Some("free text")],
            Column::ApiFailureCategory => vec![None, Some("bogus"), Some("timeout")],
            _ => vec![None, Some("true"), Some("false"), Some("odd")],
        }
    };
    // Every pair of columns takes every pair of values, the others stay at their first.
    for (a, b) in Column::ALL
        .into_iter()
        .flat_map(|a| Column::ALL.map(|b| (a, b)))
    {
        for (x, y) in words(a)
            .into_iter()
            .flat_map(|x| words(b).into_iter().map(move |y| (x, y)))
        {
            for status in ["queued", "succeeded", "failed"] {
                let mut before = row(
                    3,
                    &format!("{status}|docker|workspace|-|a|fallback_started|t|unknown|t|-|f|t"),
                );
                before.cells.put(a, x);
                before.cells.put(b, y);
                let after = before.migrated(&BTreeSet::new());
                let form = if before.has_newer_marker() {
                    continue;
                } else {
                    Form::Strict
                };
                for check in Check::ALL {
                    assert!(
                        check.holds(&after, form),
                        "{} {before:?} {after:?}",
                        check.name()
                    );
                }
            }
        }
    }
}
