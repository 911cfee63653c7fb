//! `executor.toml`: the executor settings on disk. Reading finds every problem at once; saving touches only the
//! values that change.

pub mod forms;
mod splice;

use super::atomic::{self, WriteError};
use super::located::{self, Position, ReadError};
use crate::domain::settings::edit::Edit;
use crate::domain::settings::key::{Key, Kind};
use crate::domain::settings::layers::{Layer, Layered};
use crate::domain::settings::legacy;
use crate::domain::settings::problem::{Broken, Place, Problem};
use std::fs;
use std::path::{Path, PathBuf};
use toml::de::DeValue;

/// Why edits were not saved. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{}: {reason}; correct the file first, nothing was written", path.display())]
    Syntax { path: PathBuf, reason: String },
    /// The file says something else than the edits were based on.
    #[error(
        "the settings file changed meanwhile: {}; nothing was written",
        names(keys)
    )]
    Conflict { keys: Vec<Key>, layer: Box<Layer> },
    #[error("{} is there already; nothing was written, name a file that is not", .0.display())]
    Taken(PathBuf),
}

/// What a save did.
#[derive(Debug)]
pub struct Saved {
    /// What the file says now.
    pub layer: Layer,
    /// How many keys differ from before; 0: the file was not touched.
    pub changed: usize,
}

/// Reads the settings file; one that is not there says nothing.
///
/// # Errors
/// When it is there and cannot be read. What is wrong *in* it is in the layer.
pub fn load(path: &Path) -> Result<Layer, ReadError> {
    let bytes = located::read(path)?.unwrap_or_default();
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) => parse(path, text),
        Err(e) => Layer {
            problems: vec![not_text(path, &bytes, e.valid_up_to())],
            ..Layer::default()
        },
    })
}

/// The settings from the file at `path`, with this process' environment over them. A file that somebody `named` must
/// be there.
///
/// # Errors
/// When the file cannot be read.
pub fn layered(path: &Path, named: bool) -> Result<Layered, ReadError> {
    if named && !path.exists() {
        return Err(ReadError {
            path: path.to_path_buf(),
            reason: "there is no such file (`llmctl-dev settings set` makes one)".into(),
        });
    }
    Ok(Layered::new(path, load(path)?, environment()))
}

/// What this process' environment says.
pub fn environment() -> Layer {
    Layer::environment(std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        Some((name, value.to_string_lossy().into_owned()))
    }))
}

/// Reads a text as a settings file. `path` is only named.
pub fn parse(path: &Path, text: &str) -> Layer {
    let mut layer = Layer::default();
    let place = |at: Position| Place::File {
        path: path.to_path_buf(),
        line: at.line,
        column: at.column,
    };
    let (table, mistakes) = located::parse(text);
    // Behind a mistake, anything may look like a key: a part of a secret, too.
    let names_are_names = mistakes.is_empty();
    for mistake in mistakes {
        layer
            .problems
            .push(syntax(place(mistake.at), mistake.reason));
    }
    for (name, value) in located::in_order(table.get_ref()) {
        let name_at = Position::of(text, name.span().start);
        let Some(key) = Key::of_name(name.get_ref()) else {
            if names_are_names {
                layer.remarks.push(unknown(path, name_at, name.get_ref()));
            }
            continue;
        };
        let here = place(Position::of(text, value.span().start));
        match as_text(key, value.get_ref()) {
            Ok(written) => layer.take(key, &written, here),
            Err(problem) => layer.problems.push(problem.at(here)),
        }
    }
    layer.problems.sort_by_key(|problem| match problem.place {
        Place::File { line, column, .. } => (line, column),
        _ => (0, 0),
    });
    layer
}

/// Writes edits into the file; comments, order, unknown keys and everything that is not edited stay byte for byte.
/// Edits that change nothing leave the file untouched.
///
/// # Errors
/// Nothing was written.
pub fn save(path: &Path, edits: &[Edit]) -> Result<Saved, SaveError> {
    let plan = plan(path, edits)?;
    if let Some(new) = &plan.new {
        atomic::replace(path, plan.old.as_deref(), new.as_bytes())?;
    }
    Ok(plan.saved)
}

/// What [`save`] would do; nothing is written.
///
/// # Errors
/// As [`save`], but for what only writing shows.
pub fn preview(path: &Path, edits: &[Edit]) -> Result<Saved, SaveError> {
    Ok(plan(path, edits)?.saved)
}

/// Writes what [`save`] would make of the file to another file, which must not be there yet: a way out when the
/// file's own disk is full or read-only. The file itself stays as it is.
///
/// # Errors
/// Nothing was written.
pub fn save_copy(path: &Path, copy: &Path, edits: &[Edit]) -> Result<Saved, SaveError> {
    let plan = plan(path, edits)?;
    if fs::symlink_metadata(copy).is_ok() {
        return Err(SaveError::Taken(copy.to_path_buf()));
    }
    let bytes = match &plan.new {
        Some(new) => new.as_bytes(),
        None => plan.old.as_deref().unwrap_or_default(),
    };
    atomic::replace(copy, None, bytes)?;
    Ok(plan.saved)
}

/// A save that is not made yet.
struct Plan {
    /// The bytes that it is based on; `None` where there is no file.
    old: Option<Vec<u8>>,
    /// `None`: nothing changes.
    new: Option<String>,
    saved: Saved,
}

fn plan(path: &Path, edits: &[Edit]) -> Result<Plan, SaveError> {
    let old = located::read(path)?;
    let bytes = old.as_deref().unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|_| SaveError::Syntax {
        path: path.to_path_buf(),
        reason: "it is not UTF-8".into(),
    })?;
    let layer = parse(path, text);
    let keys: Vec<Key> = edits
        .iter()
        .filter(|edit| {
            let now = layer.values.get(&edit.key);
            now != edit.from.as_ref() && now != edit.to.as_ref()
        })
        .map(|edit| edit.key)
        .collect();
    if !keys.is_empty() {
        let layer = Box::new(layer);
        return Err(SaveError::Conflict { keys, layer });
    }
    let unreadable = |key: Key| layer.problems.iter().any(|p| p.key == Some(key));
    let wanted: Vec<&Edit> = edits
        .iter()
        .filter(|edit| layer.values.get(&edit.key) != edit.to.as_ref() || unreadable(edit.key))
        .collect();
    if wanted.is_empty() {
        let saved = Saved { layer, changed: 0 };
        return Ok(Plan {
            new: None,
            saved,
            old,
        });
    }
    let new = splice::apply(text, &wanted).map_err(|reason| SaveError::Syntax {
        path: path.to_path_buf(),
        reason,
    })?;
    let saved = Saved {
        layer: parse(path, &new),
        changed: wanted.len(),
    };
    Ok(Plan {
        new: Some(new),
        saved,
        old,
    })
}

/// The value as the text that [`Key::parse`] reads, when its TOML type is the key's.
fn as_text(key: Key, value: &DeValue<'_>) -> Result<String, Problem> {
    let wrong = |wanted| {
        let found = located::kind(value);
        Problem {
            // The value is left out: it has no form that the key could have.
            value: None,
            ..Problem::of(key, "", Broken::WrongType { wanted, found })
        }
    };
    match (key.facts().kind, value) {
        (Kind::Secret, _) => Err(Problem::of(key, "", Broken::WriteOnly)),
        (Kind::Whole { .. }, DeValue::Integer(number)) => {
            let radix = number.radix();
            match i128::from_str_radix(&number.as_str().replace('_', ""), radix) {
                Ok(number) => Ok(number.to_string()),
                // Too large for any number: let the range say so.
                Err(_) => Ok(number.as_str().to_owned()),
            }
        }
        (Kind::Whole { .. }, DeValue::String(_)) => Err(wrong("a whole number, without quotes")),
        (Kind::Whole { .. }, _) => Err(wrong("a whole number")),
        (Kind::Flag, DeValue::Boolean(on)) => Ok(on.to_string()),
        (Kind::Flag, DeValue::String(_)) => Err(wrong("true or false, without quotes")),
        (Kind::Flag, _) => Err(wrong("true or false")),
        (Kind::PullSecrets, DeValue::Array(_)) => Err(wrong(
            "a text that holds the JSON array, as in '[\"regcred\"]'",
        )),
        (_, DeValue::String(text)) => Ok(text.clone().into_owned()),
        (_, _) => Err(wrong("a text, in quotes")),
    }
}

fn unknown(path: &Path, at: Position, name: &str) -> String {
    let line = at.line;
    let says = match (legacy::says(name), Key::nearest(name)) {
        (Some(legacy), _) => legacy.to_owned(),
        (None, Some(key)) => format!("is no setting and has no effect; did you mean {key}?"),
        (None, None) => "is no setting and has no effect".into(),
    };
    format!("{}:{line}: {name} {says} (it is kept)", path.display())
}

fn syntax(place: Place, reason: String) -> Problem {
    Problem {
        name: "".into(),
        key: None,
        value: None,
        broken: Broken::Syntax(reason),
        place,
    }
}

fn not_text(path: &Path, bytes: &[u8], at: usize) -> Problem {
    let lines = bytes[..at].split(|byte| *byte == b'\n').count();
    let place = Place::File {
        path: path.to_path_buf(),
        line: lines,
        column: 1,
    };
    syntax(place, "it is not UTF-8".into())
}

fn names(keys: &[Key]) -> String {
    let names: Vec<&str> = keys.iter().map(|key| key.name()).collect();
    names.join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::settings::Settings;
    use crate::domain::settings::value::Value;
    use proptest::prelude::*;

    const SAMPLE: &str = include_str!("../../config/executor.toml");

    fn parsed(text: &str) -> Layer {
        parse(Path::new("executor.toml"), text)
    }

    fn edit(layer: &Layer, key: Key, to: Option<&str>) -> Edit {
        Edit {
            key,
            from: layer.values.get(&key).cloned(),
            to: to.map(|text| key.parse(text).unwrap()),
        }
    }

    #[test]
    fn the_annotated_file_holds_every_key_with_its_default() {
        let layer = parsed(SAMPLE);
        assert_eq!(
            (&layer.problems[..], &layer.remarks[..]),
            (&[][..], &[][..])
        );
        for key in Key::ALL.into_iter().filter(|key| !key.is_secret()) {
            assert_eq!(layer.values.get(&key), key.default().as_ref(), "{key}");
        }
        let layered = Layered::new("x", layer, Layer::default());
        assert_eq!(layered.effective(), &Settings::default());
    }

    #[test]
    fn every_problem_is_there_with_its_place_and_unknown_keys_are_told() {
        let layer = parsed(
            "k8s_job_ttl_seconds = 30\nk8s_gpu_limit = \"1\"\nprovider = 'docker'\n\
             dispatch_timeout_seconds = 1.5\nk8s_in_cluster = 'yes'\nk8s_namespace = 7\n\
             k8s_kubeconfig = 's3cret'\nk8s_image_pull_secrets_json = ['a']\n\
             execution_timeout_seconds = 99999999999999999999999999999999999999999999\n\
             docker_host = 'x'\nk8s_namespac = 'x'\n",
        );
        let told: Vec<String> = layer.problems.iter().map(ToString::to_string).collect();
        let beginnings = [
            "executor.toml:1:23: k8s_job_ttl_seconds = 30: out of range",
            "executor.toml:2:17: k8s_gpu_limit must be a whole number, without quotes",
            "executor.toml:3:12: provider = \"docker\": Kubernetes is the only provider",
            "executor.toml:4:28: dispatch_timeout_seconds must be a whole number, and is",
            "executor.toml:5:18: k8s_in_cluster must be true or false, without quotes",
            "executor.toml:6:17: k8s_namespace must be a text, in quotes",
            "executor.toml:7:18: k8s_kubeconfig is a secret",
            "executor.toml:8:31: k8s_image_pull_secrets_json must be a text that holds",
            "executor.toml:9:29: execution_timeout_seconds = ",
        ];
        assert_eq!(told.len(), beginnings.len(), "{told:#?}");
        for (told, beginning) in told.iter().zip(beginnings) {
            assert!(told.starts_with(beginning), "{told} / {beginning}");
        }
        assert!(layer.remarks[0].contains("docker_host belonged to"));
        assert!(layer.remarks[1].contains("did you mean k8s_namespace?"));
        assert!(!format!("{layer:?}").contains("s3cret"));
    }

    #[test]
    fn nothing_of_a_broken_secret_is_told() {
        for text in [
            "k8s_kubeconfig = token: s3cret\n  s3cret = 1\nk8s_gpu_limit = 9\n",
            "k8s_kubeconfig = \"\"\"\ns3cret: s3cret\n",
            "k8s_kubeconfig = 's3cret\n s3cret:\n",
        ] {
            let layer = parsed(text);
            assert!(!layer.problems.is_empty());
            let told = format!("{:?}", layer.problems) + &layer.remarks.join(" ");
            assert!(!told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn a_save_checks_what_it_is_based_on() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("executor.toml");
        let empty = Layer::default();
        let mine = [edit(&empty, Key::K8sGpuLimit, Some("2"))];
        std::fs::write(&path, "k8s_gpu_limit = 1\n").unwrap();
        match save(&path, &mine).unwrap_err() {
            SaveError::Conflict { keys, layer } => {
                assert_eq!(keys, [Key::K8sGpuLimit]);
                assert_eq!(layer.values[&Key::K8sGpuLimit], Value::Whole(1));
            }
            other => panic!("{other}"),
        }
        // The same value from two sides is no conflict, and no write.
        std::fs::write(&path, "k8s_gpu_limit = 2 # theirs\n").unwrap();
        assert_eq!(save(&path, &mine).unwrap().changed, 0);
        // Another key that changed is none either.
        std::fs::write(&path, "k8s_job_ttl_seconds = 60\n").unwrap();
        assert_eq!(save(&path, &mine).unwrap().changed, 1);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "k8s_job_ttl_seconds = 60\nk8s_gpu_limit = 2\n");
    }

    #[test]
    fn a_copy_holds_all_of_the_file_with_the_edits_and_the_file_stays() {
        let root = tempfile::tempdir().unwrap();
        let (path, copy) = (
            root.path().join("executor.toml"),
            root.path().join("a/copy.toml"),
        );
        let before = "# mine\nk8s_gpu_limit = 1 # one\nown = 'x'\n";
        std::fs::write(&path, before).unwrap();
        let layer = load(&path).unwrap();
        let edits = [edit(&layer, Key::K8sGpuLimit, Some("2"))];
        assert_eq!(preview(&path, &edits).unwrap().changed, 1);
        assert_eq!(save_copy(&path, &copy, &edits).unwrap().changed, 1);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
        let copied = std::fs::read_to_string(&copy).unwrap();
        assert_eq!(copied, before.replace("limit = 1", "limit = 2"));
        let again = save_copy(&path, &copy, &edits).unwrap_err().to_string();
        assert!(again.contains("is there already"), "{again}");
        // A copy of what is not there holds the edits alone.
        let (none, new) = (root.path().join("none.toml"), root.path().join("new.toml"));
        let edits = [edit(&Layer::default(), Key::K8sGpuLimit, Some("2"))];
        save_copy(&none, &new, &edits).unwrap();
        assert_eq!(
            std::fs::read_to_string(&new).unwrap(),
            "k8s_gpu_limit = 2\n"
        );
        assert!(!none.exists());
    }

    #[test]
    fn a_wrong_value_is_replaced_or_taken_out_and_a_broken_file_is_left() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("executor.toml");
        std::fs::write(&path, "k8s_gpu_limit = 99 # many\n").unwrap();
        let layer = load(&path).unwrap();
        let saved = save(&path, &[edit(&layer, Key::K8sGpuLimit, None)]).unwrap();
        assert_eq!((saved.changed, saved.layer), (1, Layer::default()));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# many\n");
        std::fs::write(&path, "k8s_gpu_limit = 9 9\n").unwrap();
        let edits = [edit(&layer, Key::K8sJobTtlSeconds, Some("60"))];
        assert!(matches!(save(&path, &edits), Err(SaveError::Syntax { .. })));
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "k8s_gpu_limit = 9 9\n"
        );
    }

    #[test]
    fn a_file_that_is_no_text_or_no_file_is_told() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("executor.toml");
        std::fs::write(&path, b"a = 1\nb = '\xff'\n").unwrap();
        let layer = load(&path).unwrap();
        assert!(
            layer.problems[0]
                .to_string()
                .contains(":2:1: is not valid TOML: it is not UTF-8")
        );
        assert!(
            load(root.path())
                .unwrap_err()
                .to_string()
                .contains("is a directory")
        );
        assert_eq!(load(&root.path().join("none")).unwrap(), Layer::default());
        assert!(layered(&root.path().join("none"), true).is_err());
    }

    fn any_value(key: Key) -> BoxedStrategy<Option<String>> {
        let name = "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?";
        let typed = match key.facts().kind {
            Kind::Whole { min, max } => (min..=max).prop_map(|n| n.to_string()).boxed(),
            Kind::Flag => any::<bool>().prop_map(|on| on.to_string()).boxed(),
            Kind::Choice(_) => Just("kubernetes".to_owned()).boxed(),
            Kind::Identity | Kind::AppName => "[A-Za-z0-9]([A-Za-z0-9_.-]{0,30}[A-Za-z0-9])?".boxed(),
            Kind::Namespace | Kind::Account => name.boxed(),
            Kind::Image => {
                "([a-z]{1,5}:[1-9][0-9]{0,3}/)?[a-z0-9]{1,5}/[a-z]{1,5}(:[a-z0-9._-]{1})?(@sha256:[a-f0-9]{64})?"
                    .prop_filter("a tag", move |text| key.parse(text).is_ok())
                    .boxed()
            }
            Kind::Tag => "[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}".boxed(),
            Kind::HostPath => "/[a-zA-Z0-9 '\"\\\\ü_-]{0,20}[a-z]".boxed(),
            Kind::PullSecrets => proptest::collection::vec(name, 0..3)
                .prop_map(|names| serde_json::Value::from(names).to_string())
                .boxed(),
            Kind::Secret => return Just(None).boxed(),
        };
        proptest::option::of(typed).boxed()
    }

    /// Any valid set of values.
    pub(in crate::files::settings) fn any_layer() -> impl Strategy<Value = Layer> {
        Key::ALL.map(any_value).to_vec().prop_map(|texts| {
            let mut layer = Layer::default();
            for (key, text) in Key::ALL.into_iter().zip(texts) {
                if let Some(text) = text {
                    layer.values.insert(key, key.parse(&text).unwrap());
                }
            }
            layer
        })
    }

    proptest! {
        /// load(save(x)) = x for any valid set, on an empty file and on the annotated one; a second save writes nothing.
        #[test]
        fn what_is_saved_is_loaded(
            typed in Key::ALL.map(any_value).to_vec(),
            annotated in any::<bool>(),
        ) {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("executor.toml");
            if annotated {
                std::fs::write(&path, SAMPLE).unwrap();
            }
            let before = load(&path).unwrap();
            let edits: Vec<Edit> = Key::ALL
                .into_iter()
                .zip(&typed)
                .filter(|(key, _)| !key.is_secret())
                .map(|(key, text)| edit(&before, key, text.as_deref()))
                .collect();
            let saved = save(&path, &edits).unwrap();
            let loaded = load(&path).unwrap();
            prop_assert_eq!(&saved.layer, &loaded);
            prop_assert_eq!(&loaded.problems, &vec![]);
            for (key, text) in Key::ALL.into_iter().zip(&typed) {
                let value = text.as_ref().map(|text| key.parse(text).unwrap());
                prop_assert_eq!(loaded.values.get(&key), value.as_ref());
            }
            let bytes = std::fs::read(&path).ok();
            prop_assert_eq!(save(&path, &edits).unwrap().changed, 0);
            prop_assert_eq!(std::fs::read(&path).ok(), bytes);
        }
    }
}
