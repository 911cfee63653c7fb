//! Samples on disk: the built-in ones, embedded in the program, and a person's own directory.

use crate::domain::samples::Sample;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Name and text of every built-in sample, in the order in which they are offered.
const BUILT_IN: [(&str, &str); 9] = [
    ("hello", include_str!("../../config/samples/hello.toml")),
    ("slow", include_str!("../../config/samples/slow.toml")),
    ("fail", include_str!("../../config/samples/fail.toml")),
    ("timeout", include_str!("../../config/samples/timeout.toml")),
    ("noisy", include_str!("../../config/samples/noisy.toml")),
    (
        "bad-image",
        include_str!("../../config/samples/bad-image.toml"),
    ),
    ("silent", include_str!("../../config/samples/silent.toml")),
    ("crash", include_str!("../../config/samples/crash.toml")),
    (
        "start-node",
        include_str!("../../config/samples/start-node.toml"),
    ),
];

/// A sample file that cannot be used; the others still can.
#[derive(Debug, thiserror::Error)]
#[error("sample {} is left out: {reason}", path.display())]
pub struct SampleProblem {
    pub path: PathBuf,
    /// What is wrong, with line and column when it is the TOML.
    pub reason: String,
}

/// The samples there are, and the files that are none.
#[derive(Debug, Default)]
pub struct Samples {
    /// The built-in ones in their order, then a person's own by name; an own sample takes the place of a built-in one of its name.
    pub samples: Vec<Sample>,
    pub problems: Vec<SampleProblem>,
}

impl Samples {
    /// The sample of that name.
    pub fn find(&self, name: &str) -> Option<&Sample> {
        self.samples.iter().find(|sample| sample.name == name)
    }

    fn add(&mut self, path: &Path, text: &str) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        match parse(&stem, text) {
            Ok(sample) => match self.samples.iter_mut().find(|s| s.name == sample.name) {
                Some(place) => *place = sample,
                None => self.samples.push(sample),
            },
            Err(reason) => self.problem(path, reason),
        }
    }

    fn problem(&mut self, path: &Path, reason: String) {
        self.problems.push(SampleProblem {
            path: path.to_owned(),
            reason,
        });
    }
}

/// The built-in samples and the `*.toml` of `dir`, which need not exist.
pub fn load(dir: Option<&Path>) -> Samples {
    let mut all = Samples::default();
    for (name, text) in BUILT_IN {
        all.add(Path::new(&format!("{name}.toml")), text);
    }
    if let Some(dir) = dir {
        match own_files(dir) {
            Ok(files) => {
                for path in files {
                    match fs::read_to_string(&path) {
                        Ok(text) => all.add(&path, &text),
                        Err(error) => all.problem(&path, error.to_string()),
                    }
                }
            }
            Err(error) => all.problem(dir, error.to_string()),
        }
    }
    all
}

/// The `*.toml` files of the directory by name; none when it is not there.
fn own_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|end| end == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// One file: TOML of a [`Sample`] that does exactly one thing; the name is the file's unless it says another.
fn parse(stem: &str, text: &str) -> Result<Sample, String> {
    let mut sample: Sample = toml::from_str(text).map_err(|error| error.to_string())?;
    if sample.name.is_empty() {
        stem.clone_into(&mut sample.name);
    }
    sample.work().map_err(|refusal| refusal.to_string())?;
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::manifest::{RunOptions, RunSettings, plan_run};
    use std::collections::BTreeSet;

    fn settings() -> RunSettings {
        RunSettings {
            namespace: "llmctl".into(),
            workspace_identity: "default".into(),
            frontier_image: "llmctl-executor-frontier:0.1.0".into(),
            vllm_image: "llmctl-executor-vllm:0.1.0".into(),
            service_account: None,
            image_pull_secrets: Vec::new(),
            gpu_limit: 0,
            ttl_seconds: 1800,
            dispatch_timeout_seconds: 300,
            execution_timeout_seconds: 1800,
            cancel_grace_seconds: 15,
            agent_runtime_cutover: false,
            argocd_app: None,
            live_code_path: None,
        }
    }

    #[test]
    fn every_file_of_config_samples_is_built_in_and_can_be_run() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples");
        let files: BTreeSet<String> = own_files(&dir)
            .unwrap()
            .iter()
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let built_in: BTreeSet<String> = BUILT_IN.iter().map(|(name, _)| (*name).into()).collect();
        assert_eq!(files, built_in);

        let all = load(None);
        assert!(all.problems.is_empty(), "{:?}", all.problems);
        let names: Vec<&str> = all.samples.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, BUILT_IN.map(|(name, _)| name));
        for sample in &all.samples {
            plan_run(sample, 1, &settings(), &RunOptions::default()).unwrap();
        }
        assert_eq!(all.find("timeout").unwrap().timeout_seconds, Some(2));
        assert!(!all.find("silent").unwrap().emit_start_markers);
    }

    #[test]
    fn an_own_sample_replaces_a_built_in_one_and_a_broken_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("mine.toml", "summary = 's'\ncommand = ['true']\n");
        write(
            "other.toml",
            "name = 'hello'\nsummary = 'mine now'\ncommand = ['true']\n",
        );
        write("broken.toml", "summary = 's'\ncommand = [1]\n");
        write(
            "typo.toml",
            "summary = 's'\ncommand = ['true']\ntimout_seconds = 3\n",
        );
        write("nothing.toml", "summary = 's'\n");
        write("notes.txt", "not a sample");
        write(".hidden.toml", "not TOML at all");

        let all = load(Some(dir.path()));
        assert_eq!(all.samples.len(), BUILT_IN.len() + 1);
        assert_eq!(all.samples[0].summary, "mine now");
        assert_eq!(all.samples.last().unwrap().name, "mine");
        let problems: Vec<String> = all.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 3, "{problems:?}");
        for (problem, (file, word)) in problems.iter().zip([
            ("broken.toml", "line 2"),
            ("nothing.toml", "exactly one of"),
            ("typo.toml", "timout_seconds"),
        ]) {
            assert!(
                problem.contains(file) && problem.contains(word),
                "{problem}"
            );
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_no_problem() {
        let dir = tempfile::tempdir().unwrap();
        let all = load(Some(&dir.path().join("absent")));
        assert_eq!(all.samples.len(), BUILT_IN.len());
        assert!(all.problems.is_empty());
    }
}
