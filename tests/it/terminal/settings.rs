//! Settings changed by a person at the keyboard, and what the next run made of them.

use super::demo;
use crate::support::home::Home;
use crate::support::terminal::{BACKSPACE, CTRL_S, ENTER, ESC, Terminal};

/// A terminal that counts the keys.
struct Counting {
    terminal: Terminal,
    keys: usize,
}

impl Counting {
    fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.terminal.press(key);
            self.keys += 1;
        }
    }
}

#[test]
fn three_values_one_of_them_wrong_are_changed_saved_and_used_in_few_keys() {
    let home = Home::new();
    let mut person = Counting {
        terminal: demo(&home),
        keys: 0,
    };
    person.press(&["2", "e"]);
    person.terminal.wait_for("Settings · executor.toml");
    // A number by its step, a switch, and a number that is typed: 1500 is too much.
    person.press(&["+", "k", " ", "k", ENTER, "0", "0"]);
    person
        .terminal
        .wait_for("must be a whole number of seconds from 1 to 300");
    person.press(&[CTRL_S]);
    person.terminal.wait_for("not saved");
    assert!(!home.settings().exists());
    person.press(&[ENTER, BACKSPACE, ENTER, "s"]);
    person
        .terminal
        .wait_for("saved 3 settings to executor.toml");
    let saved = std::fs::read_to_string(home.settings()).unwrap();
    for line in [
        "k8s_job_ttl_seconds = 1860",
        "cancel_force_kill_enabled = false",
        "cancel_grace_timeout_seconds = 150",
    ] {
        assert!(saved.contains(line), "{line}\n{saved}");
    }
    person.press(&[ESC]);
    // A key that follows at once would be one with alt.
    person.terminal.gone("Settings · executor.toml");
    person.press(&["r"]);
    person.terminal.wait_for("Run a sample");
    person.press(&[ENTER]);
    let Counting { mut terminal, keys } = person;
    assert!(keys < 25, "{keys} keys");
    terminal.wait_for_row(&["hello", "retained", "✓ success", "30:5"]);
    terminal.wait_for("grace 150 s");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

/// What nobody may ever see.
const PLANTED: &str = "pLanted-7f3a-s3cret";

#[test]
fn a_planted_secret_is_in_no_screen_log_history_or_message() {
    let home = Home::new()
        .with("LLMCTL_NODE_EXECUTOR_K8S_KUBECONFIG", PLANTED)
        .with("LLMCTL_POSTGRES_PASSWORD", PLANTED)
        .with("FLASK_SECRET_KEY", PLANTED);
    let planted = [
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
    let mut seen = String::new();
    for (name, text) in &planted {
        home.write(name, text);
        for verb in ["validate", "import"] {
            let ran = home.run(&["settings", verb, name]);
            assert_eq!(ran.code, 5, "{verb} {name}: {ran:?}");
            seen += &format!("{ran:?}");
        }
    }
    for line in [
        format!("settings set k8s_kubeconfig {PLANTED}"),
        "settings get k8s_kubeconfig".into(),
        "settings show --origin --sandbox".into(),
        "settings show --origin --sandbox -o json".into(),
        "settings export --format env".into(),
        "settings push --to configmap k8s_kubeconfig --sandbox".into(),
        "settings push --to configmap --all --sandbox -o json".into(),
    ] {
        seen += &format!("{:?}", home.run(&line.split(' ').collect::<Vec<_>>()));
    }
    home.write("config/llmctl-dev/executor.toml", "");
    let mut terminal = home.terminal(&["demo", "-vv", "--log-file", "program.log"]);
    terminal.wait_for("● live");
    terminal.press("r");
    terminal.wait_for("Run a sample");
    terminal.press(ENTER);
    terminal.wait_for_row(&["hello", "✓ success"]);
    // Somebody puts it into the file while the program looks.
    home.write("config/llmctl-dev/executor.toml", &planted[0].1);
    terminal.wait_for("is a secret");
    terminal.press("!");
    terminal.wait_for("Messages");
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
    terminal.press(ESC);
    terminal.gone("Settings · executor.toml");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
    seen += &terminal.raw();
    assert!(!seen.contains(PLANTED));
    assert!(seen.contains("write-only"));
    let files = written(&home);
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let found = String::from_utf8_lossy(&bytes).contains(PLANTED);
        assert!(!found, "{}", file.display());
    }
}

/// Every file below the home but those that the test planted.
fn written(home: &Home) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![home.path().to_path_buf()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let planted = name.starts_with("planted") || name.starts_with("broken");
            if path.is_dir() {
                left.push(path);
            } else if path.is_file() && !planted && path != home.settings() {
                found.push(path);
            }
        }
    }
    found
}
