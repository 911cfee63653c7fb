//! The rules for settings rows, against rows of every revision.

use super::*;

fn rows(pairs: &[(&str, &str)]) -> Vec<SettingRow> {
    (1..)
        .zip(pairs)
        .map(|(id, (key, value))| SettingRow {
            id,
            key: (*key).into(),
            value: (*value).into(),
        })
        .collect()
}

/// The rows that a plan leaves, by key; an encrypted value is marked.
fn applied(rows: &[SettingRow], plan: &SettingsPlan) -> Vec<SettingRow> {
    let fate = |row: &SettingRow| plan.changes.iter().find(|change| change.row.id == row.id);
    rows.iter()
        .filter_map(|row| match fate(row).map(|change| &change.fate) {
            None => Some(row.clone()),
            Some(Fate::Delete) => None,
            Some(Fate::Encrypt) => Some(SettingRow {
                value: "enc:v1:x".into(),
                ..row.clone()
            }),
            Some(Fate::Becomes { key, value }) => Some(SettingRow {
                id: row.id,
                key: key.clone(),
                value: value.clone(),
            }),
        })
        .collect()
}

fn left(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let rows = rows(pairs);
    let after = applied(&rows, &plan(&rows, None, false));
    let again = plan(&after, None, false);
    assert!(again.changes.is_empty(), "{:?}", again.changes);
    after.into_iter().map(|row| (row.key, row.value)).collect()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).into(), (*value).into()))
        .collect()
}

#[test]
fn a_customised_image_becomes_the_frontier_image() {
    type Rows<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(Rows<'_>, Rows<'_>)] = &[
        // Before there were two keys: the row is renamed.
        (
            &[("k8s_image", "r.test:5000/x:7")],
            &[("k8s_frontier_image", "r.test:5000/x:7")],
        ),
        (
            &[("k8s_image", "r.test/x:latest"), ("k8s_image_tag", "0.0.3")],
            &[
                ("k8s_frontier_image", "r.test/x:latest"),
                ("k8s_frontier_image_tag", "0.0.3"),
            ],
        ),
        // Frozen defaults of the pair give way, the tag too.
        (
            &[
                ("k8s_image", "r.test/x:7"),
                ("k8s_frontier_image", "llmctl-executor-frontier:latest"),
                ("k8s_frontier_image_tag", "latest"),
            ],
            &[
                ("k8s_frontier_image", "r.test/x:7"),
                ("k8s_frontier_image_tag", "7"),
            ],
        ),
        // A pair that somebody chose holds.
        (
            &[
                ("k8s_image", "r.test/x:7"),
                ("k8s_frontier_image", "mine:1"),
            ],
            &[("k8s_frontier_image", "mine:1")],
        ),
        // The default is not carried over, and neither is what is no image.
        (
            &[
                ("k8s_image", "llmctl-executor:latest"),
                ("k8s_image_tag", ""),
            ],
            &[],
        ),
        (&[("k8s_image", "bad image")], &[]),
        // Only the tag was chosen: this is the image that ran.
        (
            &[
                ("k8s_image", "llmctl-executor:latest"),
                ("k8s_image_tag", "0.0.3"),
            ],
            &[
                ("k8s_frontier_image", "llmctl-executor:latest"),
                ("k8s_frontier_image_tag", "0.0.3"),
            ],
        ),
    ];
    for (before, after) in cases {
        assert_eq!(left(before), owned(after), "{before:?}");
    }
}

#[test]
fn a_pinned_image_loses_no_digest_to_a_frozen_tag() {
    let pinned = format!("r.test/x@sha256:{}", "a".repeat(64));
    let rows = rows(&[("k8s_image", &pinned), ("k8s_frontier_image_tag", "latest")]);
    let plan = plan(&rows, None, false);
    let after = applied(&rows, &plan);
    assert_eq!(after.len(), 1);
    assert_eq!(
        (after[0].key.as_str(), &after[0].value),
        ("k8s_frontier_image", &pinned)
    );
    assert!(plan.kept.iter().any(|kept| kept.needs_person));
}

#[test]
fn stored_values_become_what_studio_reads_and_nothing_more() {
    let cases = [
        ("provider", "podman", "kubernetes"),
        ("provider", "kubernetes", "kubernetes"),
        ("dispatch_timeout_seconds", "99999", "3600"),
        ("execution_timeout_seconds", "abc", "1800"),
        ("cancel_grace_timeout_seconds", "0", "1"),
        ("cancel_force_kill_enabled", "maybe", "true"),
        ("k8s_in_cluster", "YES", "true"),
        ("k8s_gpu_limit", "64", "8"),
        ("workspace_identity_key", "/srv/workspaces", "default"),
        ("workspace_identity_key", "ends-with-", "ends-with-"),
        ("k8s_namespace", "Not A Label", "Not A Label"),
        ("k8s_vllm_image", "bad image", "llmctl-executor-vllm:latest"),
        ("k8s_vllm_image", "r.test/Upper:1", "r.test/Upper:1"),
        ("k8s_vllm_image_tag", "no tag", "latest"),
        ("k8s_image_pull_secrets_json", "{not json", "{not json"),
        ("k8s_image_pull_secrets_json", "[ \"a\" ]", "[ \"a\" ]"),
        ("somebody_elses_key", "x", "x"),
    ];
    for (key, before, after) in cases {
        assert_eq!(
            left(&[(key, before)]),
            owned(&[(key, after)]),
            "{key} {before:?}"
        );
    }
}

#[test]
fn what_studio_takes_and_something_later_refuses_needs_a_person() {
    for (key, value) in [
        ("workspace_identity_key", "ends-with-"),
        ("k8s_namespace", "Not A Label"),
        ("k8s_vllm_image", "r.test/Upper:1"),
        ("k8s_image_pull_secrets_json", "{not json"),
        ("k8s_image_pull_secrets_json", "{}"),
        ("dispatch_timeout_seconds", "60"),
    ] {
        let plan = plan(&rows(&[(key, value)]), None, false);
        assert!(plan.changes.is_empty(), "{key}");
        assert!(plan.kept[0].needs_person, "{key}");
    }
}

#[test]
fn the_old_dispatch_timeout_is_raised_only_when_asked() {
    let rows = rows(&[("dispatch_timeout_seconds", "60")]);
    let raised = plan(&rows, None, true);
    assert_eq!(applied(&rows, &raised)[0].value, "300");
}

#[test]
fn the_ten_keys_go_and_their_secrets_are_not_shown() {
    let all: Vec<(&str, &str)> = REMOVED_KEYS.iter().map(|key| (*key, "s3cret")).collect();
    let rows = rows(&all);
    let plan = plan(&rows, None, false);
    assert!(applied(&rows, &plan).is_empty());
    let environment = plan
        .changes
        .iter()
        .find(|change| change.row.key == "docker_env_json");
    assert!(!environment.unwrap().text().contains("s3cret"));
}

#[test]
fn a_kubeconfig_is_kept_or_encrypted_and_never_lost_or_shown() {
    let rows = rows(&[("k8s_kubeconfig", "apiVersion: v1")]);
    for (sealed, changes, person) in [
        (Sealed::Readable, 0, false),
        (Sealed::WithTheDefault, 0, true),
        (Sealed::Unreadable, 0, true),
        (Sealed::InClearNoSecret, 0, true),
        (Sealed::InClear, 1, false),
    ] {
        let plan = plan(&rows, Some(sealed), false);
        assert_eq!(plan.changes.len(), changes, "{sealed:?}");
        assert_eq!(
            plan.kept.iter().any(|kept| kept.needs_person),
            person,
            "{sealed:?}"
        );
        assert_eq!(applied(&rows, &plan).len(), 1);
        assert!(!format!("{plan:?}").contains("apiVersion"));
    }
}
