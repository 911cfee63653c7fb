//! What is planted as a secret comes out nowhere: not on the screen, in a log, in the history, in a message, in an answer.

use crate::support::home::Home;
use crate::support::terminal::{ENTER, ESC};
use jiff::Timestamp;
use llmctl_dev::app::settings::Slice;
use llmctl_dev::database::address::Address;
use llmctl_dev::database::crypto::Secret;
use llmctl_dev::database::password::Password;
use llmctl_dev::domain::hidden::Hidden;
use llmctl_dev::domain::settings::held::Held;
use llmctl_dev::domain::settings::key::Key;
use llmctl_dev::domain::settings::layers::{Layer, Layered};
use std::path::{Path, PathBuf};

/// What nobody may ever see.
const PLANTED: &str = "pLanted-7f3a-s3cret";

/// A person whose environment and kubeconfig are full of secrets.
fn home() -> Home {
    let home = Home::new();
    let kubeconfig = home.path().join("planted.kubeconfig");
    home.with("LLMCTL_NODE_EXECUTOR_K8S_KUBECONFIG", PLANTED)
        .with("LLMCTL_POSTGRES_PASSWORD", PLANTED)
        .with("PGPASSWORD", PLANTED)
        .with("FLASK_SECRET_KEY", PLANTED)
        .with("KUBECONFIG", kubeconfig)
}

/// A context of a cluster that does not answer, with every kind of credential.
fn kubeconfig() -> String {
    let data = "cExhbnRlZC03ZjNhLXMzY3JldA==";
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: mine\n\
         clusters: [{{name: mine, cluster: {{server: 'https://127.0.0.1:9'}}}}]\n\
         contexts: [{{name: mine, context: {{cluster: mine, user: token}}}}, {{name: other, context: {{cluster: mine, user: keys}}}}, {{name: third, context: {{cluster: mine, user: basic}}}}]\n\
         users: [{{name: token, user: {{token: {PLANTED}}}}}, {{name: keys, user: {{client-certificate-data: {data}, client-key-data: {data}}}}}, {{name: basic, user: {{username: me, password: {PLANTED}}}}}]\n"
    )
}

/// The planted text, as it is and as base64 has it.
fn is_told(said: &str) -> bool {
    [PLANTED, "cExhbnRlZC03ZjNhLXMzY3JldA", "s3cret"]
        .iter()
        .any(|secret| said.contains(secret))
}

#[test]
fn a_planted_secret_is_in_no_answer_of_the_command_line() {
    let home = home();
    home.write("planted.kubeconfig", &kubeconfig());
    let files = [
        ("planted.toml", format!("k8s_kubeconfig = '{PLANTED}'\n")),
        (
            "planted.json",
            format!("{{\"k8s_kubeconfig\": \"{PLANTED}\"}}"),
        ),
        (
            "planted.env",
            format!("LLMCTL_NODE_EXECUTOR_K8S_KUBECONFIG={PLANTED}\n{PLANTED}\n"),
        ),
        ("broken.json", format!("{{\"k8s_kubeconfig\": \"{PLANTED}")),
        ("broken.toml", format!("k8s_kubeconfig = {PLANTED}\n")),
    ];
    let log = ["-vv", "--log-file", "program.log"];
    let run = |arguments: &[&str], code: i32| {
        let ran = home.run(&[arguments, &log[..]].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        let logged = std::fs::read_to_string(home.path().join("program.log")).unwrap_or_default();
        // The arguments themselves are the person's own.
        let said = format!("{}{}{logged}", ran.out, ran.err);
        assert!(!is_told(&said), "{arguments:?}: {said}");
    };
    for (name, text) in &files {
        home.write(name, text);
        for format in ["text", "json", "jsonl"] {
            run(&["settings", "validate", name, "-o", format], 5);
            run(&["settings", "import", name, "-o", format], 5);
        }
    }
    run(&["settings", "set", "k8s_kubeconfig", PLANTED], 5);
    run(&["settings", "get", "k8s_kubeconfig"], 5);
    for format in ["text", "json", "yaml", "jsonl"] {
        run(
            &["settings", "show", "--origin", "--sandbox", "-o", format],
            0,
        );
    }
    for format in ["toml", "json", "env"] {
        run(&["settings", "export", "--format", format], 0);
    }
    run(
        &[
            "settings",
            "push",
            "--to",
            "configmap",
            "k8s_kubeconfig",
            "--sandbox",
        ],
        5,
    );
    // The whole of a password that somebody puts into an address is not told either.
    let address = format!("postgresql://me:{PLANTED}@127.0.0.1:9/llmctl_studio");
    run(
        &[
            "settings",
            "pull",
            "--from",
            "studio",
            "--postgres",
            &address,
        ],
        4,
    );
    let address = "postgresql://me@127.0.0.1:9/llmctl_studio";
    run(
        &["settings", "kubeconfig", "show", "--postgres", address],
        3,
    );
    run(
        &[
            "settings",
            "kubeconfig",
            "set",
            "planted.toml",
            "--postgres",
            address,
        ],
        5,
    );
    for (context, code) in [("mine", 3), ("other", 5), ("third", 3)] {
        run(&["runs", "list", "--context", context, "-o", "json"], code);
    }
    let file = home.write("config/llmctl-dev/executor.toml", &files[0].1);
    for arguments in [
        &["settings", "show"][..],
        &["settings", "validate"],
        &["settings", "export"],
    ] {
        let ran = home.run(arguments);
        assert!(!is_told(&format!("{ran:?}")), "{arguments:?}: {ran:?}");
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), files[0].1);
    nothing_is_written(&home);
}

#[test]
fn a_planted_secret_is_in_no_screen_log_history_or_message() {
    let home = home();
    home.write("planted.kubeconfig", &kubeconfig());
    home.write("config/llmctl-dev/executor.toml", "");
    let mut terminal = home.terminal(&["demo", "-vv", "--log-file", "program.log"]);
    terminal.wait_for("● live");
    terminal.press("r");
    terminal.wait_for("Run a sample");
    terminal.press(ENTER);
    terminal.wait_for_row(&["hello", "✓ success"]);
    // Somebody puts it into the file while the program looks.
    home.write(
        "config/llmctl-dev/executor.toml",
        &format!("k8s_kubeconfig = '{PLANTED}'\n"),
    );
    terminal.wait_for_row(&["2 Settings", "1 ✗"]);
    terminal.press("!");
    terminal.wait_for("Messages");
    terminal.wait_for("is a secret");
    terminal.press(ESC);
    terminal.gone("Messages");
    terminal.press("2e/kubeconf");
    terminal.wait_for("▸ Kubeconfig");
    terminal.press(ENTER);
    terminal.press(ENTER);
    terminal.wait_for("wrong");
    terminal.press("D");
    terminal.wait_for("No setting is changed");
    terminal.press(ESC);
    terminal.gone("No setting is changed");
    terminal.press("S");
    terminal.wait_for("Save ·");
    terminal.press(ESC);
    terminal.gone("Save ·");
    terminal.press(ESC);
    terminal.gone("Settings · executor.toml");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
    let seen = terminal.raw();
    assert!(!is_told(&seen));
    assert!(seen.contains("write-only"));
    nothing_is_written(&home);
}

#[test]
fn a_planted_secret_is_in_no_value_that_is_printed_for_a_developer() {
    let variable = "LLMCTL_NODE_EXECUTOR_K8S_KUBECONFIG";
    let layer = Layer::environment([(variable.to_owned(), PLANTED.to_owned())]);
    let line = format!("k8s_kubeconfig = '{PLANTED}'\n");
    let file = llmctl_dev::files::settings::parse(Path::new("executor.toml"), &line);
    assert_eq!(file.problems.len(), 1);
    let layered = Layered::new("executor.toml", file, layer);
    let mut slice = Slice::new(layered);
    slice.selected = Key::K8sKubeconfig;
    let rows = [("k8s_kubeconfig", PLANTED), ("k8s_gpu_limit", "1")];
    let secret = Secret::new(PLANTED);
    let sealed = secret.seal(PLANTED, Timestamp::UNIX_EPOCH).unwrap();
    let address = format!("postgresql://me:{PLANTED}@127.0.0.1:9/llmctl_studio");
    let address = Address::parse(&address).unwrap();
    assert!(address.password.is_some());
    let printed = [
        format!("{slice:?}"),
        format!("{:?}", Held::of_rows("rows", rows)),
        format!("{:?}", Held::of_variables("map", [(variable, PLANTED)])),
        format!(
            "{:?}",
            Held::of_rows("rows", [("k8s_kubeconfig", &sealed[..])])
        ),
        format!(
            "{:?} {secret:?} {:?}",
            Hidden::new(PLANTED),
            Password::new(PLANTED)
        ),
        format!("{address:?}"),
    ];
    for text in printed {
        assert!(!is_told(&text) && !text.contains(&sealed), "{text}");
    }
}

/// Every file below the home, but those that were planted, is free of it.
fn nothing_is_written(home: &Home) {
    let mut files = Vec::new();
    let mut left: Vec<PathBuf> = vec![home.path().to_path_buf()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let planted = name.starts_with("planted") || name.starts_with("broken");
            if path.is_dir() {
                left.push(path);
            } else if path.is_file() && !planted && path != home.settings() {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert!(
            !is_told(&String::from_utf8_lossy(&bytes)),
            "{}",
            file.display()
        );
    }
}
