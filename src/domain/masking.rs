//! Which values of a manifest are not shown: what a dispatcher copied from its environment may hold passwords and keys (contract 6.5, W22).

use super::payload::MASK;
use serde_json::Value;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether a variable of that name is likely to hold a secret.
pub fn is_secret_name(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "PASSWORD",
        "PASSWD",
        "SECRET",
        "TOKEN",
        "KEY",
        "KEYS",
        "CREDENTIAL",
        "CREDENTIALS",
        "PASSPHRASE",
    ];
    let upper = name.to_ascii_uppercase();
    let mut parts = upper.split(|c: char| !c.is_ascii_alphanumeric());
    parts.any(|part| WORDS.contains(&part)) || upper.ends_with("APIKEY")
}

/// Whether a text holds credentials by its form: a URL with a password.
pub fn is_secret_value(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':'))
}

/// Makes an object fit to be shown: no managed fields, no copy of itself in an annotation, secret values of variables masked; a Secret keeps its key names only.
pub fn mask(object: &mut Value) {
    if object.get("kind").and_then(Value::as_str) == Some("Secret") {
        for field in ["data", "stringData"] {
            for value in object
                .get_mut(field)
                .and_then(Value::as_object_mut)
                .into_iter()
                .flat_map(|map| map.values_mut())
            {
                *value = MASK.into();
            }
        }
    }
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
        if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
    }
    mask_variables(object);
}

/// Who owns fields of an object, in one line: what its managed fields come down to for a person.
pub fn fold_managers(object: &Value) -> Option<String> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let names: Vec<String> = entries
        .iter()
        .map(|entry| {
            let manager = text(entry, "manager").unwrap_or_else(|| "?".into());
            match (text(entry, "operation"), text(entry, "subresource")) {
                (Some(operation), Some(part)) => format!("{manager} ({operation} of {part})"),
                (Some(operation), None) => format!("{manager} ({operation})"),
                _ => manager,
            }
        })
        .collect();
    (!names.is_empty()).then(|| format!("folded (u unfolds), of {}", names.join(", ")))
}

fn mask_variables(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                if key == "env"
                    && let Some(variables) = inner.as_array_mut()
                {
                    variables.iter_mut().for_each(mask_variable);
                }
                mask_variables(inner);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask_variables),
        _ => {}
    }
}

fn mask_variable(variable: &mut Value) {
    let named_secret = variable
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(is_secret_name);
    if let Some(Value::String(text)) = variable.get_mut("value")
        && !text.is_empty()
        && (named_secret || is_secret_value(text))
    {
        MASK.clone_into(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_that_hold_secrets() {
        for name in [
            "LLMCTL_POSTGRES_PASSWORD",
            "OPENAI_API_KEY",
            "openaiApiKey",
            "GITHUB_TOKEN",
            "FLASK_SECRET_KEY",
            "HF_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "LLMCTL_POSTGRES_HOST",
            "LLMCTL_MONKEY",
            "TOKENIZER_PATH",
            "KEYBOARD",
            "LLMCTL_STUDIO_DATA_DIR",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn w22_an_object_is_made_fit_to_be_shown() {
        let mut job = json!({
            "kind": "Job",
            "metadata": {
                "name": "j", "managedFields": [{"manager": "x"}],
                "annotations": {LAST_APPLIED: "{\"password\":\"geheim\"}", "kept": "yes"},
            },
            "spec": {"template": {"spec": {"containers": [{"name": "executor", "env": [
                {"name": "LLMCTL_POSTGRES_PASSWORD", "value": "geheim"},
                {"name": "LLMCTL_STUDIO_DATABASE_URI", "value": "postgresql://llmctl:geheim@db:5432/x"},
                {"name": "LLMCTL_POSTGRES_HOST", "value": "db"},
                {"name": "EMPTY_TOKEN", "value": ""},
                {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ]}]}}},
        });
        mask(&mut job);
        let text = job.to_string();
        assert!(
            !text.contains("geheim") && !text.contains("managedFields"),
            "{text}"
        );
        let env = &job["spec"]["template"]["spec"]["containers"][0]["env"];
        assert_eq!(
            (&env[0]["value"], &env[2]["value"], &env[3]["value"]),
            (&json!(MASK), &json!("db"), &json!(""))
        );
        assert_eq!(job["metadata"]["annotations"], json!({"kept": "yes"}));

        let mut secret =
            json!({"kind": "Secret", "data": {"a": "Z2VoZWlt"}, "stringData": {"b": "geheim"}});
        mask(&mut secret);
        assert_eq!(
            secret,
            json!({"kind": "Secret", "data": {"a": MASK}, "stringData": {"b": MASK}})
        );
    }

    #[test]
    fn managed_fields_come_down_to_their_managers() {
        let job = json!({"metadata": {"managedFields": [
            {"manager": "llmctl-dev", "operation": "Apply", "fieldsV1": {"f:spec": {}}},
            {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status"},
        ]}});
        assert_eq!(
            fold_managers(&job).as_deref(),
            Some(
                "folded (u unfolds), of llmctl-dev (Apply), kube-controller-manager (Update of status)"
            )
        );
        assert_eq!(fold_managers(&json!({"metadata": {}})), None);
    }

    #[test]
    fn urls_with_a_password_are_secrets() {
        assert!(is_secret_value("redis://:pw@host:1/0") && is_secret_value("https://u:p@h/x@y"));
        assert!(
            !is_secret_value("https://host:80/a@b")
                && !is_secret_value("user:pw@host")
                && !is_secret_value("https://user@host")
        );
    }
}
