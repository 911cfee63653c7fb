//! The kustomization file itself: its fields, and every field that is not known as an error with its line.

use super::source::{self, Source, problem};
use crate::domain::overlays::Problem;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// Names that a kustomization file may have.
pub(in crate::files) const FILE_NAMES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The fields that are known.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Spec {
    api_version: Option<String>,
    kind: Option<String>,
    #[serde(rename = "metadata")]
    _metadata: Option<Value>,
    #[serde(deserialize_with = "none_is_empty")]
    resources: Vec<String>,
    #[serde(deserialize_with = "none_is_empty")]
    bases: Vec<String>,
    pub(super) namespace: Option<String>,
    pub(super) name_prefix: Option<String>,
    pub(super) name_suffix: Option<String>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) labels: Vec<Labels>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) common_labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) common_annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) patches: Vec<Patch>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) patches_strategic_merge: Vec<String>,
    #[serde(deserialize_with = "none_is_empty", rename = "patchesJson6902")]
    pub(super) patches_json6902: Vec<Patch>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) images: Vec<Image>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) replicas: Vec<Replicas>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) config_map_generator: Vec<Generator>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) secret_generator: Vec<Generator>,
    pub(super) generator_options: Option<GeneratorOptions>,
    sort_options: Option<SortOptions>,
}

/// `labels:`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Labels {
    pub(super) pairs: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) include_selectors: bool,
    #[serde(default)]
    pub(super) include_templates: bool,
}

/// `patches:` and `patchesJson6902:`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Patch {
    pub(super) path: Option<String>,
    #[serde(rename = "patch")]
    pub(super) inline: Option<String>,
    pub(super) target: Option<Target>,
    pub(super) options: BTreeMap<String, bool>,
}

/// Which objects a patch is for; the texts are regular expressions for the whole value.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Target {
    pub(super) group: Option<String>,
    pub(super) version: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) label_selector: Option<String>,
    pub(super) annotation_selector: Option<String>,
}

/// `images:`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Image {
    pub(super) name: String,
    pub(super) new_name: Option<String>,
    pub(super) new_tag: Option<String>,
    pub(super) digest: Option<String>,
}

/// `replicas:`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replicas {
    pub(super) name: String,
    pub(super) count: u32,
}

/// `configMapGenerator:` and `secretGenerator:`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Generator {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) behavior: Option<String>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) literals: Vec<String>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) files: Vec<String>,
    #[serde(deserialize_with = "none_is_empty")]
    pub(super) envs: Vec<String>,
    pub(super) env: Option<String>,
    pub(super) options: Option<GeneratorOptions>,
    #[serde(rename = "type")]
    pub(super) secret_type: Option<String>,
}

/// `options:` of a generator and `generatorOptions:` of all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct GeneratorOptions {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) disable_name_suffix_hash: bool,
    pub(super) immutable: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SortOptions {
    order: String,
}

/// A key that is there with nothing behind it is the same as no key.
fn none_is_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A kustomization file with where it is.
pub(super) struct Loaded {
    pub(super) spec: Spec,
    pub(super) dir: String,
    pub(super) file: String,
}

/// Reads the kustomization file of a directory.
pub(super) fn load(source: &mut Source<'_>, dir: &str) -> Result<Loaded, Problem> {
    let mut found: Option<(String, String)> = None;
    for name in FILE_NAMES {
        let path = source::join(dir, name);
        if let Some(text) = source.text(&path)? {
            if let Some((other, _)) = &found {
                return Err(problem(
                    &path,
                    None,
                    format!("stands beside {other}"),
                    "keep one kustomization file in a directory",
                ));
            }
            found = Some((path, text));
        }
    }
    let Some((file, text)) = found else {
        return Err(problem(
            dir,
            None,
            "has no kustomization file".into(),
            "create kustomization.yaml in it, or correct the path",
        ));
    };
    let spec: Spec = if text
        .lines()
        .all(|l| l.trim().is_empty() || l.trim().starts_with('#'))
    {
        return Err(problem(
            &file,
            None,
            "is empty".into(),
            "list something under `resources`",
        ));
    } else {
        source::typed(&file, &text)?
    };
    let loaded = Loaded {
        spec,
        dir: dir.to_owned(),
        file,
    };
    loaded.check_kind()?;
    Ok(loaded)
}

impl Loaded {
    /// A problem of this file.
    pub(super) fn problem(&self, what: impl Into<String>, next: &str) -> Problem {
        problem(&self.file, None, what.into(), next)
    }

    /// What it builds on, the old `bases` last.
    pub(super) fn resources(&self) -> impl Iterator<Item = &str> {
        self.spec
            .resources
            .iter()
            .chain(&self.spec.bases)
            .map(String::as_str)
    }

    /// The order of the resources is kept and not sorted by kind.
    pub(super) fn keeps_order(&self) -> Result<bool, Problem> {
        match self
            .spec
            .sort_options
            .as_ref()
            .map(|sort| sort.order.as_str())
        {
            None | Some("legacy") => Ok(false),
            Some("fifo") => Ok(true),
            Some(other) => Err(self.problem(
                format!("sortOptions.order is `{other}`"),
                "make it `legacy` or `fifo`",
            )),
        }
    }

    fn check_kind(&self) -> Result<(), Problem> {
        let version = self.spec.api_version.as_deref().unwrap_or_default();
        match self.spec.kind.as_deref().unwrap_or("Kustomization") {
            "Kustomization"
                if version.is_empty() || version.starts_with("kustomize.config.k8s.io/") =>
            {
                Ok(())
            }
            kind => Err(self.problem(
                format!("is a `{kind}` of `{version}`"),
                "only a Kustomization of kustomize.config.k8s.io can be rendered here",
            )),
        }
    }
}
