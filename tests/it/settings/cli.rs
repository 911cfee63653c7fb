//! `llmctl-dev settings …` as a person and a script run it.

use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// A person's directories, and the program run in them.
struct Home {
    root: tempfile::TempDir,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Home {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self) -> PathBuf {
        self.root.path().join("config/executor.toml")
    }

    fn write(&self, text: &str) {
        std::fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        std::fs::write(self.file(), text).unwrap();
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_llmctl-dev"))
            .args(arguments)
            .env_clear()
            .env("LLMCTL_DEV_CONFIG_DIR", self.root.path().join("config"))
            .env("LLMCTL_DEV_STATE_DIR", self.root.path().join("state"))
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs `settings …`.
    fn settings(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["settings"], arguments].concat(), &[])
    }
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.out, self.err))
    }
}

#[test]
fn a_value_out_of_range_is_exit_5_with_the_rule_and_changes_nothing() {
    let home = Home::new();
    let ran = home.settings(&["set", "k8s_job_ttl_seconds", "30"]);
    assert_eq!((ran.code, ran.out.as_str()), (5, ""));
    assert!(ran.err.contains("k8s_job_ttl_seconds = 30"), "{}", ran.err);
    assert!(
        ran.err.contains("whole number of seconds from 60 to 86400"),
        "{}",
        ran.err
    );
    assert!(!home.file().exists());
}

#[test]
fn set_get_unset_keep_the_file_as_its_owner_wrote_it() {
    let home = Home::new();
    home.write("# mine\nk8s_gpu_limit = 2   # two\nown = 'x'\n");
    let ran = home.settings(&["set", "k8s_job_ttl_seconds", "60", "k8s_gpu_limit", "1"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("k8s_gpu_limit: 2 → 1"), "{}", ran.out);
    assert!(ran.out.contains("saved 2 settings"), "{}", ran.out);
    let expected = "# mine\nk8s_gpu_limit = 1   # two\nown = 'x'\nk8s_job_ttl_seconds = 60\n";
    assert_eq!(home.text(), expected);
    assert_eq!(home.settings(&["get", "k8s_job_ttl_seconds"]).out, "60\n");
    assert_eq!(home.settings(&["unset", "k8s_job_ttl_seconds"]).code, 0);
    assert_eq!(
        home.text(),
        "# mine\nk8s_gpu_limit = 1   # two\nown = 'x'\n"
    );
    assert_eq!(home.settings(&["get", "k8s_job_ttl_seconds"]).out, "1800\n");
    let nothing = home.settings(&["set", "k8s_gpu_limit", "1"]);
    assert!(nothing.out.contains("nothing to change"), "{}", nothing.out);
}

#[test]
fn every_wrong_value_is_told_at_once() {
    let home = Home::new();
    let ran = home.settings(&[
        "set",
        "k8s_gpu_limit",
        "-1",
        "provider",
        "docker",
        "ttl",
        "60",
    ]);
    assert_eq!(ran.code, 5);
    for told in [
        "k8s_gpu_limit = -1",
        "Kubernetes is the only provider",
        "did you mean k8s_job_ttl_seconds?",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    assert_eq!(
        home.settings(&["set", "provider", "k", "k8s_gpu_limit"])
            .code,
        2
    );
    assert_eq!(
        home.settings(&["set", "k8s_gpu_limit", "1", "k8s_gpu_limit", "2"])
            .code,
        2
    );
}

#[test]
fn the_kubeconfig_is_never_stored_or_shown() {
    let home = Home::new();
    let ran = home.settings(&["set", "k8s_kubeconfig", "tOp-s3cret"]);
    assert_eq!(ran.code, 5);
    assert!(ran.err.contains("write-only"), "{}", ran.err);
    home.write("k8s_kubeconfig = 'tOp-s3cret'\n");
    for arguments in [
        &["show"][..],
        &["show", "-o", "json"],
        &["validate"],
        &["get", "k8s_kubeconfig"],
    ] {
        let ran = home.settings(arguments);
        assert!(!(ran.out + &ran.err).contains("s3cret"), "{arguments:?}");
    }
}

#[test]
fn the_environment_wins_and_is_named() {
    let home = Home::new();
    home.write("k8s_job_ttl_seconds = 60\n");
    let variable = [("LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS", "90")];
    let shown = home
        .run(&["settings", "show", "--origin", "-o", "json"], &variable)
        .json();
    assert_eq!(shown["values"]["k8s_job_ttl_seconds"], 90);
    let keys = shown["keys"].as_array().unwrap();
    let ttl = keys
        .iter()
        .find(|key| key["key"] == "k8s_job_ttl_seconds")
        .unwrap();
    assert_eq!(
        (&ttl["origin"], &ttl["min"], &ttl["unit"]),
        (&"environment".into(), &60.into(), &"s".into())
    );
    let ran = home.run(&["settings", "set", "k8s_job_ttl_seconds", "70"], &variable);
    assert!(ran.err.contains("wins over the file"), "{}", ran.err);
    let docker = [("LLMCTL_NODE_EXECUTOR_PROVIDER", "docker")];
    let ran = home.run(&["settings", "validate"], &docker);
    assert_eq!(ran.code, 5);
    assert!(
        ran.out
            .contains("LLMCTL_NODE_EXECUTOR_PROVIDER = \"docker\""),
        "{}",
        ran.out
    );
}

#[test]
fn validate_lists_all_with_their_places() {
    let home = Home::new();
    let good = home.settings(&["validate"]);
    assert_eq!(good.code, 0, "{}", good.out);
    home.write("k8s_gpu_limit = 9\nx = \nk8s_namespace = 'A'\n");
    let ran = home.settings(&["validate", "-o", "json"]);
    assert_eq!(ran.code, 5);
    let document = ran.json();
    assert_eq!(document["schema"], "llmctl-dev/settings-verdict/v1");
    assert_eq!(document["valid"], false);
    let rules: Vec<&str> = document["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["out_of_range", "syntax", "not_a_dns_label"]);
    assert_eq!(document["problems"][2]["line"], 3);
    let lines = home.settings(&["validate", "-o", "jsonl"]).out;
    assert_eq!(lines.lines().count(), 3);
    let other = home.root.path().join("other.toml");
    std::fs::write(&other, "k8s_gpu_limit = 8\n").unwrap();
    assert_eq!(
        home.settings(&["validate", other.to_str().unwrap()]).code,
        0
    );
    assert_eq!(home.settings(&["validate", "/nowhere.toml"]).code, 5);
}

#[test]
fn a_named_file_is_used_and_must_be_there_to_be_read() {
    let home = Home::new();
    let other = home.root.path().join("other.toml");
    let other = other.to_str().unwrap();
    assert_eq!(
        home.run(&["--settings", other, "settings", "show"], &[])
            .code,
        5
    );
    assert_eq!(
        home.run(
            &["--settings", other, "settings", "set", "k8s_gpu_limit", "3"],
            &[]
        )
        .code,
        0
    );
    assert_eq!(
        home.run(
            &["settings", "get", "k8s_gpu_limit"],
            &[("LLMCTL_DEV_SETTINGS", other)]
        )
        .out,
        "3\n"
    );
    assert!(!home.file().exists());
    assert_eq!(
        home.settings(&["path"]).out.trim(),
        home.file().to_str().unwrap()
    );
}

#[test]
fn every_format_holds_every_key() {
    let home = Home::new();
    let text = home.settings(&["show"]).out;
    let json = home.settings(&["show", "-o", "json"]).json();
    let yaml: Value = serde_saphyr::from_str(&home.settings(&["show", "-o", "yaml"]).out).unwrap();
    assert_eq!(json["keys"].as_array().unwrap().len(), 22);
    assert_eq!(json["values"], yaml["values"]);
    assert_eq!(json.get("target"), None);
    let sandbox = home
        .run(&["--sandbox", "settings", "show", "-o", "json"], &[])
        .json();
    assert_eq!(sandbox["target"]["kind"], "sandbox");
    let lines = home.settings(&["show", "-o", "jsonl"]).out;
    assert_eq!(lines.lines().count(), 22);
    for key in json["keys"].as_array().unwrap() {
        assert!(text.contains(key["key"].as_str().unwrap()), "{key}");
    }
}

#[test]
fn a_read_only_file_says_so_and_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.write("k8s_gpu_limit = 1\n");
    std::fs::set_permissions(home.file(), std::fs::Permissions::from_mode(0o444)).unwrap();
    let ran = home.settings(&["set", "k8s_gpu_limit", "2"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("read-only"), "{}", ran.err);
    assert_eq!(home.text(), "k8s_gpu_limit = 1\n");
}
