//! Settings outside the file: what a ConfigMap of the cluster holds and what Studio's rows hold, how that differs from what
//! runs here use, and the changes that would make it the same.

use super::Settings;
use super::key::{Key, PREFIX};
use super::layers::Layer;
use super::legacy;
use super::problem::Place;
use super::value::Value;
use serde::Serialize;
use std::collections::BTreeMap;

/// The ConfigMaps that hold executor settings: Studio's own, and the one of the overlays inside the program (contract 7.3).
pub const CONFIG_MAPS: [&str; 2] = ["llmctl-studio-config", "llmctl-executor-settings"];

/// A place where settings are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// `executor.toml`.
    File,
    /// A ConfigMap with variables `LLMCTL_NODE_EXECUTOR_*`.
    ConfigMap,
    /// Rows of Studio's database (contract 3).
    Studio,
}

impl Store {
    /// The word of options and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::ConfigMap => "configmap",
            Self::Studio => "studio",
        }
    }

    /// The word in panes.
    pub fn label(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::ConfigMap => "ConfigMap",
            Self::Studio => "Studio",
        }
    }
}

/// What one store holds at one moment. The kubeconfig is never in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub store: Store,
    /// The ConfigMap's name, or what names the database: `Display` puts the kind before it.
    pub name: String,
    /// What could be read, what could not, and what had to be changed to be read.
    pub layer: Layer,
    /// Every value as it is stored, byte for byte: what a write is compared with before it is made.
    pub texts: BTreeMap<Key, String>,
}

/// A change of one stored value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredChange {
    pub key: Key,
    /// What is stored; absent: nothing.
    pub from: Option<String>,
    /// What is to be stored; absent: nothing.
    pub to: Option<String>,
}

impl Held {
    /// Reads variables as a ConfigMap holds them. Others than `LLMCTL_NODE_EXECUTOR_*` are not looked at.
    pub fn of_variables<'a>(
        name: impl Into<String>,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut held = Self::empty(Store::ConfigMap, name);
        for (variable, text) in variables {
            let key = variable
                .strip_prefix(PREFIX)
                .and_then(|rest| Key::of_name(&rest.to_ascii_lowercase()))
                .filter(|key| key.variable().as_deref() == Some(variable));
            let Some(key) = key else { continue };
            let place = Place::Stored {
                name: held.to_string().into(),
            };
            held.layer.take(key, text, place);
            held.texts.insert(key, text.to_owned());
        }
        held
    }

    /// Reads rows as Studio's table holds them. What Studio itself would change silently is changed with a remark.
    pub fn of_rows<'a>(
        name: impl Into<String>,
        rows: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut held = Self::empty(Store::Studio, name);
        for (row, text) in rows {
            let Some(key) = Key::of_name(row) else {
                if let Some(says) = legacy::says(row) {
                    held.layer.remarks.push(format!("{row} {says}"));
                }
                continue;
            };
            let Some(read) = legacy::normalise(key, text) else {
                continue;
            };
            held.layer.remarks.extend(read.notice);
            held.layer.values.insert(key, read.value);
            held.texts.insert(key, text.to_owned());
        }
        held
    }

    fn empty(store: Store, name: impl Into<String>) -> Self {
        Self {
            store,
            name: name.into(),
            layer: Layer::default(),
            texts: BTreeMap::new(),
        }
    }

    /// What it says of a key; `None` where it says nothing or nothing readable.
    pub fn says(&self, key: Key) -> Option<&Value> {
        self.layer.values.get(&key)
    }

    /// Whether it can hold the key: Studio has no rows for what only its environment says, and the kubeconfig is no value.
    pub fn can_hold(&self, key: Key) -> bool {
        !key.is_secret() && (self.store != Store::Studio || key.is_studio_row())
    }

    /// Whoever reads this store works with another value than `ours`. What is not stored is the default there.
    pub fn drifts(&self, key: Key, ours: &Value) -> bool {
        if !self.can_hold(key) {
            return false;
        }
        match (self.says(key), self.texts.contains_key(&key)) {
            (Some(theirs), _) => theirs != ours,
            // Stored and unreadable.
            (None, true) => true,
            (None, false) => key.default().as_ref() != Some(ours),
        }
    }

    /// The changes that make it say `wanted` of these keys; none for a key that it says the same of.
    pub fn changes<'a>(
        &self,
        wanted: &Settings,
        keys: impl IntoIterator<Item = &'a Key>,
    ) -> Vec<StoredChange> {
        let change = |key: &Key| {
            let to = wanted.value(*key)?;
            self.drifts(*key, &to).then(|| StoredChange {
                key: *key,
                from: self.texts.get(key).cloned(),
                to: Some(to.text()),
            })
        };
        keys.into_iter().filter_map(change).collect()
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.store.label(), self.name)
    }
}

/// Everything that is known of settings outside the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// The one that counts most first: Studio's rows win over the variables that they were made from.
    pub held: Vec<Held>,
}

impl Elsewhere {
    /// What is stored in the places of that store is now this; other places stay.
    pub fn replace(&mut self, store: Store, held: Vec<Held>) {
        self.held.retain(|one| one.store != store);
        self.held.extend(held);
        self.held.sort_by_key(|one| std::cmp::Reverse(one.store));
    }

    /// The place that decides a key outside of the file, when one says something of it.
    pub fn deciding(&self, key: Key) -> Option<&Held> {
        self.held
            .iter()
            .find(|held| held.texts.contains_key(&key))
            .or_else(|| self.held.iter().find(|held| held.can_hold(key)))
    }

    /// Places where another value is in use than `ours`.
    pub fn drifting<'a>(&'a self, key: Key, ours: &'a Value) -> impl Iterator<Item = &'a Held> {
        self.held.iter().filter(move |held| held.drifts(key, ours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Key = Key::K8sJobTtlSeconds;
    const GPU: Key = Key::K8sGpuLimit;

    #[test]
    fn variables_of_a_configmap_are_read_and_others_left_alone() {
        let held = Held::of_variables(
            "x",
            [
                ("LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS", "60"),
                ("LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT", "99"),
                ("LLMCTL_NODE_EXECUTOR_K8S_KUBECONFIG", "s3cret"),
                ("LLMCTL_NODE_EXECUTOR_k8s_namespace", "lower"),
                ("LLMCTL_POSTGRES_HOST", "db"),
            ],
        );
        assert_eq!(held.says(TTL), Some(&Value::Whole(60)));
        assert_eq!(held.texts.len(), 2);
        let told = held.layer.problems[0].to_string();
        assert!(
            told.starts_with("ConfigMap x: k8s_gpu_limit = 99"),
            "{told}"
        );
        assert!(!format!("{held:?}").contains("s3cret"));
    }

    #[test]
    fn rows_are_normalised_with_a_remark() {
        let held = Held::of_rows(
            "x",
            [
                ("k8s_job_ttl_seconds", "5"),
                ("docker_host", "x"),
                ("k8s_kubeconfig", "s3cret"),
                ("something_new", "1"),
            ],
        );
        assert_eq!(held.says(TTL), Some(&Value::Whole(60)));
        assert_eq!(held.layer.remarks.len(), 2);
        assert!(!format!("{held:?}").contains("s3cret"));
        assert!(!held.can_hold(Key::K8sLiveCodeEnabled));
    }

    #[test]
    fn drift_is_another_value_in_use_and_a_change_mends_it() {
        let held = Held::of_variables(
            "x",
            [
                ("LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT", "99"),
                ("LLMCTL_NODE_EXECUTOR_K8S_IMAGE_PULL_SECRETS_JSON", "[]"),
            ],
        );
        let mut wanted = Settings::default();
        wanted.put(TTL, &Value::Whole(60));
        let changes = held.changes(&wanted, &Key::ALL);
        let change = |key, from: Option<&str>, to: &str| StoredChange {
            key,
            from: from.map(Into::into),
            to: Some(to.into()),
        };
        // `[]` is no names, and what is stored nowhere is the default.
        assert_eq!(
            changes,
            [change(TTL, None, "60"), change(GPU, Some("99"), "0")]
        );
    }

    #[test]
    fn studio_decides_before_a_configmap() {
        let mut all = Elsewhere::default();
        let variable = ("LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT", "1");
        all.replace(Store::ConfigMap, vec![Held::of_variables("m", [variable])]);
        assert_eq!(
            all.deciding(GPU).map(|held| held.store),
            Some(Store::ConfigMap)
        );
        all.replace(
            Store::Studio,
            vec![Held::of_rows("s", [("k8s_gpu_limit", "2")])],
        );
        assert_eq!(
            all.deciding(GPU).map(|held| held.store),
            Some(Store::Studio)
        );
        let ours = Value::Whole(2);
        let drifting: Vec<_> = all
            .drifting(GPU, &ours)
            .map(|held| &held.name[..])
            .collect();
        assert_eq!(drifting, ["m"]);
        // Studio has no row for it.
        assert_eq!(
            all.deciding(Key::K8sLiveCodeEnabled).map(|held| held.store),
            Some(Store::ConfigMap)
        );
    }
}
