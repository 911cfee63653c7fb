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

#[test]
fn what_a_read_only_file_refuses_is_saved_to_another_one() {
    let home = Home::new();
    let file = home.write(
        "config/llmctl-dev/executor.toml",
        "# mine\nk8s_gpu_limit = 1\n",
    );
    let mode = |mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&file, permissions).unwrap();
    };
    mode(0o444);
    let mut terminal = demo(&home);
    terminal.press("2e+S");
    terminal.wait_for_row(&["[x] file executor.toml", "1 change"]);
    terminal.press(ENTER);
    terminal.wait_for_row(&["file executor.toml", "✗ not saved"]);
    terminal.wait_for("is read-only");
    terminal.press("o");
    terminal.wait_for("other file ");
    terminal.press("~/other/mine.toml");
    terminal.press(ENTER);
    terminal.gone("other file ~");
    let copy = home.path().join("other/mine.toml");
    terminal.until("the copy", |_| copy.exists());
    let text = "# mine\nk8s_gpu_limit = 1\nk8s_job_ttl_seconds = 1860\n";
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), text);
    // The change is still there, and goes where it was meant to when it can.
    mode(0o644);
    terminal.press(ENTER);
    terminal.gone("Save ·");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    terminal.press(ESC);
    terminal.gone("Settings · executor.toml");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}
