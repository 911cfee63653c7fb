//! The samples of Studio's own settings code: the same outcome, or another with its reason.

use llmctl_dev::domain::settings::images::ImageChoice;
use llmctl_dev::domain::settings::key::Key;
use llmctl_dev::domain::settings::legacy::{self, normalise};
use llmctl_dev::domain::settings::problem::{Broken, ImageFault};
use llmctl_dev::domain::settings::rules;
use serde_json::Value;

fn cases(part: &str) -> Vec<Value> {
    let all: Value =
        serde_json::from_str(include_str!("../fixtures/settings-validation.json")).unwrap();
    let cases = all[part].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_default()
}

/// Parses what the sample holds; where Studio accepts and this product does not, `stricter` gives the reason.
fn same_outcome(part: &str, key: Key, stricter: impl Fn(&str) -> Option<Broken>) {
    for case in cases(part) {
        let typed = text(&case, "in");
        let outcome = key.parse(typed);
        match (stricter(typed), case.get("ok")) {
            (Some(reason), ok) => {
                assert!(ok.is_some(), "no difference any more: {case}");
                assert_eq!(outcome.unwrap_err().broken, reason, "{case}");
            }
            (None, Some(ok)) => assert_eq!(outcome.unwrap().text(), ok.as_str().unwrap(), "{case}"),
            (None, None) => {
                let message = outcome.unwrap_err().to_string();
                assert!(message.starts_with(key.name()), "{message}");
            }
        }
    }
}

#[test]
fn image_references() {
    same_outcome(
        "image_reference",
        Key::K8sFrontierImage,
        |typed| match typed {
            // A container runtime refuses both, after the Job was created.
            "x:" => Some(Broken::Image(ImageFault::TrailingColon)),
            "UPPER/Case:1" => Some(Broken::Image(ImageFault::UpperCase)),
            _ => None,
        },
    );
}

#[test]
fn image_tags() {
    same_outcome("image_tag", Key::K8sVllmImageTag, |_| None);
}

#[test]
fn workspace_identities() {
    // It becomes a label: longer than 63 or with such an end it breaks every dispatch (W24).
    same_outcome(
        "workspace_identity_key",
        Key::WorkspaceIdentityKey,
        |typed| {
            let breaks_as_label = (64..=128).contains(&typed.len()) || matches!(typed, "a-" | "a.");
            breaks_as_label.then_some(Broken::NotALabelValue)
        },
    );
}

#[test]
fn effective_images() {
    for case in cases("effective_image") {
        let image = ImageChoice {
            reference: text(&case, "image").into(),
            tag: text(&case, "tag").into(),
        };
        let effective = image.effective("llmctl-executor-frontier:latest");
        // A digest pins an image; Studio drops it as soon as a tag key is there, which is always (W27).
        let pinned = image.reference.contains('@') && !image.tag.is_empty();
        let expected = if pinned {
            &image.reference
        } else {
            text(&case, "ok")
        };
        assert_eq!(effective, expected, "{case}");
        assert_eq!(image.ignores_tag(), pinned, "{case}");
    }
}

#[test]
fn integers_that_studio_changes_are_errors_and_only_reading_old_rows_changes_them() {
    let mut refused = 0;
    for case in cases("integer") {
        let key = Key::of_name(text(&case, "key")).unwrap();
        let (typed, studio) = (text(&case, "in"), text(&case, "ok"));
        let read = normalise(key, typed).unwrap();
        assert_eq!(read.value.text(), studio, "{case}");
        match key.parse(typed) {
            Ok(value) => {
                assert_eq!(value.text(), studio, "{case}");
                assert_eq!(read.notice, None, "{case}");
            }
            // Out of range and unreadable is never changed silently (W48).
            Err(problem) => {
                refused += 1;
                assert!(
                    problem.to_string().contains("must be a whole number"),
                    "{problem}"
                );
                assert_eq!(read.notice.is_some(), !typed.is_empty(), "{case}");
            }
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn booleans() {
    for case in cases("boolean_flag") {
        let typed = text(&case, "in");
        for (key, default) in [
            (Key::CancelForceKillEnabled, "default_true"),
            (Key::K8sInCluster, "default_false"),
        ] {
            let studio = case[default].as_bool().unwrap();
            assert_eq!(
                normalise(key, typed).unwrap().value.text(),
                studio.to_string(),
                "{case}"
            );
            match rules::flag(typed) {
                Some(on) => assert_eq!(key.parse(typed).unwrap().text(), on.to_string()),
                // What is no boolean word is an error, not the default (W48).
                None => assert_eq!(key.parse(typed).unwrap_err().broken, Broken::NotABoolean),
            }
        }
    }
}

#[test]
fn providers() {
    for case in cases("provider_normalise_on_read") {
        let typed = text(&case, "in");
        let read = normalise(Key::Provider, typed).unwrap();
        assert_eq!(read.value.text(), text(&case, "ok"), "{case}");
        let word = typed.trim().to_lowercase();
        if word.is_empty() || word == "kubernetes" {
            assert_eq!(Key::Provider.parse(typed).unwrap().text(), "kubernetes");
        } else {
            let problem = Key::Provider.parse(typed).unwrap_err();
            assert!(
                problem
                    .to_string()
                    .contains("Kubernetes is the only provider"),
                "{problem}"
            );
            assert!(read.notice.unwrap().contains("now \"kubernetes\""));
        }
    }
}

#[test]
fn pull_secrets() {
    for case in cases("pull_secrets_parse_for_job") {
        let typed = text(&case, "in");
        let studio: Vec<&str> = case["ok"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| text(item, "name"))
            .collect();
        let read = normalise(Key::K8sImagePullSecretsJson, typed)
            .unwrap()
            .value;
        assert_eq!(read.json(), serde_json::json!(studio), "{case}");
        let strict = Key::K8sImagePullSecretsJson.parse(typed);
        // Studio skips what it cannot use; written anew, it has to be right.
        match typed {
            "{}" => assert_eq!(strict.unwrap_err().broken, Broken::PullSecretsNotAnArray),
            "{bad" => {
                let broken = strict.unwrap_err().broken;
                assert!(matches!(broken, Broken::PullSecretsNotJson(_)), "{broken}");
            }
            _ if typed.contains("{}") => {
                assert_eq!(strict.unwrap_err().broken, Broken::PullSecretName { at: 2 });
            }
            _ => assert_eq!(strict.unwrap(), read, "{case}"),
        }
    }
}

#[test]
fn stored_rows_of_old_are_read_as_studio_left_them() {
    let all: Value =
        serde_json::from_str(include_str!("../fixtures/legacy-settings.json")).unwrap();
    let mut compared = 0;
    for case in all["cases"].as_array().unwrap() {
        let after = &case["python_after_at_newest"]["rows"];
        for (name, stored) in case["before"].as_object().unwrap() {
            let stored = stored.as_str().unwrap();
            let Some(key) = Key::of_name(name) else {
                assert!(
                    legacy::says(name).is_some(),
                    "{name} is a key of some revision"
                );
                continue;
            };
            let Some(read) = normalise(key, stored) else {
                assert_eq!(key, Key::K8sKubeconfig);
                continue;
            };
            // Where Studio failed to start, there is nothing to compare with (W41).
            if let Some(studio) = after[name].as_str() {
                compared += 1;
                // The names count, not whether they stand in texts or in objects.
                let studio = match key {
                    Key::K8sImagePullSecretsJson => key.parse(studio).unwrap().text(),
                    _ => studio.to_owned(),
                };
                assert_eq!(
                    read.value.text(),
                    studio,
                    "{}: {name} {stored}",
                    case["name"]
                );
            } else {
                assert!(
                    !after.is_object() || read.value.text().is_empty(),
                    "{}: {name}",
                    case["name"]
                );
            }
        }
    }
    assert!(compared > 60, "{compared}");
}
