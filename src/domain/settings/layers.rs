//! The layers a value can come from, default < file < environment, and what they make together.

use super::Settings;
use super::images::ImageChoice;
use super::key::{Key, PREFIX};
use super::problem::{Place, Problem};
use super::value::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where an effective value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Default,
    File,
    Environment,
}

impl Origin {
    /// The word in panes and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
        }
    }
}

/// What one source says: the values that are right, the problems with the others, and what is worth telling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    pub values: BTreeMap<Key, Value>,
    pub problems: Vec<Problem>,
    /// Sentences on what is there and has no effect: unknown keys, which are kept.
    pub remarks: Vec<String>,
}

impl Layer {
    /// Takes one value as text: right or a problem.
    pub fn take(&mut self, key: Key, text: &str, place: Place) {
        match key.parse(text) {
            Ok(value) => {
                self.values.insert(key, value);
            }
            Err(problem) => self.problems.push(problem.at(place)),
        }
    }

    /// The layer of the environment variables `LLMCTL_NODE_EXECUTOR_*`. A blank variable counts as not set.
    pub fn environment(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut layer = Self::default();
        for (name, text) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let key = Key::of_name(&rest.to_ascii_lowercase())
                .filter(|key| key.variable().as_deref() == Some(&name));
            match key {
                Some(_) if text.trim().is_empty() => {}
                Some(key) => layer.take(key, &text, Place::Environment),
                // Never with its value: the kubeconfig could be in one by mistake.
                None => layer
                    .remarks
                    .push(format!("the variable {name} sets nothing and is ignored")),
            }
        }
        layer.remarks.sort();
        layer.problems.sort_by_key(|problem| problem.key);
        layer
    }
}

/// All layers, and the settings they make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layered {
    path: PathBuf,
    file: Layer,
    environment: Layer,
    effective: Settings,
}

impl Default for Layered {
    /// Nothing but defaults, with a settings file of the usual name in the current directory.
    fn default() -> Self {
        Self::new("executor.toml", Layer::default(), Layer::default())
    }
}

impl Layered {
    /// Lays the environment over the file (read from `path`) over the defaults.
    pub fn new(path: impl Into<PathBuf>, file: Layer, environment: Layer) -> Self {
        let mut effective = Settings::default();
        for (key, value) in file.values.iter().chain(&environment.values) {
            effective.put(*key, value);
        }
        Self {
            path: path.into(),
            file,
            environment,
            effective,
        }
    }

    /// The same with another content of the file.
    #[must_use]
    pub fn with_file(self, file: Layer) -> Self {
        Self::new(self.path, file, self.environment)
    }

    /// The settings file, which need not exist.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file says.
    pub fn file(&self) -> &Layer {
        &self.file
    }

    /// What the environment says.
    pub fn environment(&self) -> &Layer {
        &self.environment
    }

    /// What a run uses. A value with a problem is not in it, and something else is: ask [`Layered::problems`] first.
    pub fn effective(&self) -> &Settings {
        &self.effective
    }

    /// The effective settings for something that is about to run.
    ///
    /// # Errors
    /// All problems of all layers: a run must not quietly use another value than the one somebody wrote.
    pub fn usable(&self) -> Result<&Settings, Vec<Problem>> {
        let problems: Vec<Problem> = self.problems().cloned().collect();
        if problems.is_empty() {
            Ok(&self.effective)
        } else {
            Err(problems)
        }
    }

    /// Where the effective value of a key comes from.
    pub fn origin(&self, key: Key) -> Origin {
        if self.environment.values.contains_key(&key) {
            Origin::Environment
        } else if self.file.values.contains_key(&key) {
            Origin::File
        } else {
            Origin::Default
        }
    }

    /// Every problem, the file's first.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.file.problems.iter().chain(&self.environment.problems)
    }

    /// The first problem with a value of that key.
    pub fn problem(&self, key: Key) -> Option<&Problem> {
        self.problems().find(|problem| problem.key == Some(key))
    }

    /// What is worth telling and no problem: unknown keys and variables, settings that cancel each other.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = [&self.file.remarks[..], &self.environment.remarks[..]].concat();
        let pinned = |choice: &ImageChoice, image: Key, tag: Key| {
            choice.ignores_tag().then(|| {
                format!(
                    "{tag} = {:?} has no effect: {image} is pinned by digest and stays so",
                    choice.tag
                )
            })
        };
        remarks.extend(pinned(
            &self.effective.frontier,
            Key::K8sFrontierImage,
            Key::K8sFrontierImageTag,
        ));
        remarks.extend(pinned(
            &self.effective.vllm,
            Key::K8sVllmImage,
            Key::K8sVllmImageTag,
        ));
        remarks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(pairs: &[(Key, &str)]) -> Layer {
        let mut layer = Layer::default();
        for (key, text) in pairs {
            layer.take(*key, text, Place::Typed);
        }
        layer
    }

    fn environment(pairs: &[(&str, &str)]) -> Layer {
        Layer::environment(pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())))
    }

    #[test]
    fn the_environment_wins_over_the_file_over_the_default() {
        let layered = Layered::new(
            "x",
            file(&[(Key::K8sJobTtlSeconds, "60"), (Key::K8sGpuLimit, "1")]),
            environment(&[
                ("LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS", "90"),
                ("HOME", "/"),
            ]),
        );
        assert_eq!(layered.effective().job_ttl.0, 90);
        assert_eq!(layered.effective().gpu_limit, 1);
        assert_eq!(layered.origin(Key::K8sJobTtlSeconds), Origin::Environment);
        assert_eq!(layered.origin(Key::K8sGpuLimit), Origin::File);
        assert_eq!(layered.origin(Key::K8sNamespace), Origin::Default);
        assert!(layered.usable().is_ok());
    }

    #[test]
    fn a_problem_stops_what_is_about_to_run() {
        let layered = Layered::new(
            "x",
            Layer::default(),
            environment(&[
                ("LLMCTL_NODE_EXECUTOR_PROVIDER", "docker"),
                ("LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT", "9"),
            ]),
        );
        let problems = layered.usable().unwrap_err();
        assert_eq!(problems.len(), 2);
        assert!(
            problems[0]
                .to_string()
                .contains("Kubernetes is the only provider")
        );
    }

    #[test]
    fn unknown_variables_are_told_without_their_value_and_blank_ones_not_set() {
        let layered = Layered::new(
            "x",
            Layer::default(),
            environment(&[
                ("LLMCTL_NODE_EXECUTOR_K8S_KUBECONFIG", "s3cret"),
                ("LLMCTL_NODE_EXECUTOR_K8S_IMAGE", "x"),
                ("LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT", ""),
            ]),
        );
        let remarks = layered.remarks().join("\n");
        assert!(remarks.contains("K8S_KUBECONFIG") && remarks.contains("K8S_IMAGE "));
        assert!(!format!("{layered:?}").contains("s3cret"));
        assert_eq!(layered.origin(Key::K8sGpuLimit), Origin::Default);
    }

    #[test]
    fn a_tag_on_a_pinned_image_is_told() {
        let pinned = format!("x@sha256:{}", "a".repeat(64));
        let layered = Layered::new(
            "x",
            file(&[(Key::K8sVllmImage, &pinned), (Key::K8sVllmImageTag, "v2")]),
            Layer::default(),
        );
        assert!(layered.remarks()[0].contains("k8s_vllm_image_tag"));
    }
}
