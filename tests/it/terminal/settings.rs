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
