//! The hard cut, proved: one provider, no other route, and the words of old in two rooms only (contract 1.3).

use crate::support::ground::Ground;
use crate::support::home::Home;
use llmctl_dev::cli::command;
use llmctl_dev::domain::settings::key::Key;
use llmctl_dev::sandbox::kinds::Kind;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Words of what was taken out. `FallbackToLogsOnError` is Kubernetes' own.
const WORDS: [&str; 13] = [
    "fallback_",
    "fallback",
    "workspace_executor",
    "docker_executor",
    "workspaceexecutor",
    "dockerexecutor",
    "workspace_root",
    "docker_host",
    "docker_image",
    "docker_network",
    "docker_pull_policy",
    "docker-compose",
    "docker compose",
];

/// Who may say them: who rewrites what was stored, who searches for what was checked in, and who reads old rows. The table of
/// node types names a field of llmctl's own nodes (contract 5.8), which has nothing to do with where a node runs.
const ROOMS: [&str; 10] = [
    "domain/nodes/table.rs",
    "domain/migration",
    "domain/audit",
    "domain/settings/legacy",
    "database",
    "files/audit",
    "docker.rs",
    "cli/migrate",
    "cli/audit",
    "lib.rs",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

/// The code of a source file: what stands before its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn legacy_words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace("fallbacktologsonerror", "");
    text.lines()
        .filter(|line| WORDS.iter().any(|word| line.contains(word)))
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn legacy_words_stay_with_the_migration_and_the_audit() {
    let source = root().join("src");
    let mut wrong = Vec::new();
    let mut said = 0;
    for path in files(&source) {
        let name = path
            .strip_prefix(&source)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let is_test = name.contains("tests") || name.contains("snapshots");
        if Path::new(&name).extension().is_none_or(|end| end != "rs") || is_test {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let found = legacy_words(code(&text));
        if ROOMS.iter().any(|room| name.starts_with(room)) {
            said += found.len();
        } else {
            wrong.extend(found.into_iter().map(|line| format!("{name}: {line}")));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(
        said > 10,
        "the rooms that may say them do not: is the search broken?"
    );
}

/// The help of a command and of everything below it, without the two that are about what is gone.
fn help(command: &mut clap::Command, all: &mut String) {
    all.push_str(&command.render_long_help().to_string());
    for sub in command.get_subcommands_mut() {
        if !["audit", "migrate"].contains(&sub.get_name()) {
            help(sub, all);
        }
    }
}

#[test]
fn help_and_documents_offer_one_way() {
    let mut text = String::new();
    help(&mut command(), &mut text);
    assert!(text.len() > 5_000, "the help was read");
    assert_eq!(legacy_words(&text), Vec::<String>::new());

    let mut documents = vec![root().join("README.md")];
    documents.extend(files(&root().join("config")));
    documents.extend(files(&root().join("overlays")));
    for path in documents {
        let text = fs::read_to_string(&path).unwrap();
        // Two lines of the README are about the audit and the migration.
        let about = |line: &String| line.starts_with("| `audit") || line.starts_with("| `migrate");
        let found: Vec<String> = legacy_words(&text)
            .into_iter()
            .filter(|line| !about(line))
            .collect();
        // That nothing falls back is a promise, not an offer.
        let promise = |line: &String| line.contains("nothing falls back");
        assert!(found.iter().all(promise), "{}: {found:#?}", path.display());
    }
}

#[test]
fn the_settings_are_those_of_kubernetes() {
    let names: Vec<&str> = Key::ALL.iter().map(|key| key.name()).collect();
    assert!(names.contains(&"k8s_job_ttl_seconds"));
    for name in &names {
        assert!(legacy_words(name).is_empty(), "{name}");
    }
    let ran = Home::new().run(&["settings", "set", "docker_image", "x"]);
    assert_eq!(ran.code, 5, "{}", ran.err);
    let ran = Home::new().run(&["settings", "get", "provider"]);
    assert_eq!((ran.code, ran.out.trim()), (0, "kubernetes"));
}

/// Everything below `value` that is called `name`.
fn named<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get(name));
            map.values().for_each(|one| named(one, name, found));
        }
        Value::Array(items) => items.iter().for_each(|one| named(one, name, found)),
        _ => {}
    }
}

#[test]
fn what_a_run_leaves_says_kubernetes_and_nothing_else() {
    let home = Home::new();
    let ran = home.run(&["--sandbox", "run", "hello", "--wait", "-o", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["namespace"], "llmctl");
    let id = document["dispatch"]["id"].as_str().unwrap();
    assert!(id.starts_with("kubernetes:llmctl/llmctl-exec-"), "{id}");
    let said = &document["executor"]["provider_metadata"]["provider"];
    assert_eq!(said, "kubernetes");
    let mut stored = vec![document];
    for path in files(&home.path().join("state")) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            legacy_words(&text),
            Vec::<String>::new(),
            "{}",
            path.display()
        );
        stored.extend(
            text.lines()
                .filter_map(|line| serde_json::from_str(line).ok()),
        );
        stored.extend(serde_json::from_str::<Value>(&text).ok());
    }
    assert!(stored.len() > 1, "the run is in the history");
    let mut said = 0;
    for document in &stored {
        let mut found = Vec::new();
        for name in ["provider", "selected_provider", "final_provider"] {
            named(document, name, &mut found);
        }
        assert!(found.iter().all(|one| *one == "kubernetes"), "{found:?}");
        said += found.len();
        let mut ids = Vec::new();
        named(document, "provider_dispatch_id", &mut ids);
        named(document, "dispatch_id", &mut ids);
        let ours = |id: &&Value| id.as_str().is_some_and(|id| id.starts_with("kubernetes:"));
        assert!(ids.iter().all(ours), "{ids:?}");
    }
    assert!(said > 1, "the history says nothing of a provider");
}

/// Nothing is tried again, or in another way: not what failed, not what ended without a word, not what the cluster refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_and_stops_there() {
    let ground = Ground::new().await;
    let there = || {
        let payload = |one: &Value| one["metadata"]["labels"]["llmctl.payload"] == "true";
        let payloads = ground.objects(Kind::ConfigMap);
        (
            ground.objects(Kind::Job).len(),
            ground.objects(Kind::Pod).len(),
            payloads.iter().filter(|one| payload(one)).count(),
        )
    };
    for (sample, code, count) in [("fail", 1, 1), ("crash", 8, 2)] {
        let ran = ground.say(&format!("run {sample} --wait")).await.unwrap();
        ran.ended(code);
        assert_eq!(there(), (count, count, count), "{sample}");
    }
    let quota = json!({
        "metadata": {"name": "two", "namespace": "llmctl"},
        "spec": {"hard": {"count/jobs.batch": "2"}},
    });
    let store = ground.sandbox.store();
    store.create(Kind::ResourceQuota, quota).unwrap();
    let ran = ground.say("run hello --no-check --wait -o json");
    let ran = ran.await.unwrap();
    let document = ran.ended(1).json();
    assert_eq!(document["verdict"], "not_dispatched", "{document:#}");
    assert_eq!(document["exit"], 1);
    assert!(
        ran.err.contains("a quota of the namespace leaves no room"),
        "{ran:?}"
    );
    let why = document["why"]["sentence"].as_str().unwrap();
    assert!(why.contains("exceeded quota"), "{why}");
    assert_eq!(there(), (2, 2, 2));
    // A burst that gets only so far tells of those that it made.
    store
        .modify(Kind::ResourceQuota, "llmctl", "two", |quota| {
            quota["spec"]["hard"]["count/jobs.batch"] = "4".into();
        })
        .unwrap();
    let line = "run hello --no-check --count 9 --parallel 3 -o json";
    let ran = ground.say(line).await.unwrap();
    let document = ran.ended(1).json();
    let verdicts = json!({"success": 2, "not_dispatched": 1});
    assert_eq!(document["verdicts"], verdicts, "{document:#}");
    assert_eq!(there(), (4, 4, 4));
    ground.sandbox.stop().await;
}

#[test]
fn the_table_of_the_cut_names_tests_that_exist() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rows: Vec<&str> = lib
        .lines()
        .filter(|line| line.starts_with("//! | R"))
        .collect();
    let requirements: Vec<&str> = rows
        .iter()
        .map(|row| row[6..].split(' ').next().unwrap())
        .collect();
    assert_eq!(
        requirements,
        [
            "R2.1", "R2.2", "R2.3", "R3.1", "R3.2", "R3.3", "R3.4", "R4.1", "R4.2", "R5.1", "R5.2",
            "R5.3", "R5.4", "R6.1", "R6.2", "R7.1", "R8.1"
        ]
    );
    let mut code = String::new();
    for path in files(&root().join("src"))
        .into_iter()
        .chain(files(&root().join("tests")))
    {
        if path.extension().is_some_and(|end| end == "rs") {
            code.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    for row in rows {
        let held = row.split(" | ").nth(2).unwrap();
        let names: Vec<&str> = held.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            assert!(
                code.contains(&format!("fn {name}(")),
                "{row}: no test {name}"
            );
        }
    }
}
