//! What goes to the terminal beside the screen: bell, title and notifications, also to a command; the clipboard.

use super::start;
use crate::support::home::Home;
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// One line for each occasion, its facts as the command finds them.
const TELL: &str = "printf '%s|%s|%s|%s|%s\\n' \"$LLMCTL_EVENT\" \"$LLMCTL_EVENT_RUN\" \"$LLMCTL_EVENT_SAMPLE\" \"$LLMCTL_EVENT_VERDICT\" \"$LLMCTL_EVENT_TARGET\" >> told";

#[test]
fn the_end_of_a_run_and_its_coming_removal_reach_the_terminal_and_the_command() {
    for (way, mark) in [
        ("osc9", "\x1b]9;"),
        ("osc777", "\x1b]777;notify;llmctl-dev;"),
    ] {
        let home = Home::new();
        home.write(
            "config/llmctl-dev/config.toml",
            &format!("[notify]\ndesktop = \"{way}\"\nbefore_removal_seconds = 57\n"),
        );
        home.write(
            "config/llmctl-dev/executor.toml",
            "k8s_job_ttl_seconds = 60\n",
        );
        let mut terminal = home.terminal(&["--on-event", TELL, "demo"]);
        terminal.wait_for("● live");
        start(&mut terminal, "hello");
        terminal.wait_for_row(&["hello", "✓ success", "0:56"]);
        let raw = terminal.raw();
        let ended = "run 1 hello: success";
        for sequence in [
            format!("{mark}{ended}\x07"),
            format!("\x1b]2;llmctl-dev: {ended}\x07"),
        ] {
            assert_eq!(raw.matches(&sequence).count(), 1, "{way}: {sequence:?}");
        }
        let (_, soon) = raw
            .split_once(&format!("{mark}run 1 hello is removed in "))
            .unwrap();
        let (left, _) = soon.split_once(" s\x07").unwrap();
        assert!((55..=57).contains(&left.parse::<u32>().unwrap()), "{left}");
        assert!(raw.contains("\x1b]2;llmctl-dev: run 1 hello is removed in "));
        // A bell of its own behind each of both.
        let bells = raw.matches("\x07\x07").count();
        assert_eq!(bells, 2, "{way}");
        terminal.press("q");
        assert_eq!(terminal.exit_and_restore(), 0);
        let told = std::fs::read_to_string(home.path().join("told")).unwrap();
        assert_eq!(
            told, "ended|1|hello|success|SANDBOX demo\nexpiring|1|hello|success|SANDBOX demo\n",
            "{way}"
        );
    }
}

#[test]
fn who_wants_no_notification_gets_none() {
    let home = Home::new();
    home.write(
        "config/llmctl-dev/config.toml",
        "[notify]\nbell = false\ntitle = false\ndesktop = \"off\"\nbefore_removal_seconds = 0\n",
    );
    let mut terminal = home.terminal(&["demo"]);
    terminal.wait_for("● live");
    start(&mut terminal, "hello");
    terminal.wait_for_row(&["hello", "✓ success"]);
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
    let raw = terminal.raw();
    assert!(!raw.contains('\x07') && !raw.contains("run 1 hello: success"));
}

#[test]
fn the_command_that_shows_the_same_goes_to_the_clipboard() {
    let home = Home::new();
    let mut terminal = home.terminal(&["demo"]);
    terminal.wait_for("● live");
    start(&mut terminal, "hello");
    terminal.wait_for_row(&["hello", "✓ success"]);
    terminal.press("\r");
    // From the timeline to the manifest, which is behind it.
    terminal.press("[");
    terminal.wait_for("▸Manifest");
    terminal.wait_for("managedFields");
    terminal.press("y");
    terminal.wait_for("copied: kubectl -n llmctl get job llmctl-exec-1-1-");
    let raw = terminal.raw();
    let (_, copied) = raw.rsplit_once("\x1b]52;c;").unwrap();
    let copied = copied.split(['\x07', '\x1b']).next().unwrap();
    let copied = BASE64_STANDARD.decode(copied).unwrap();
    let copied = String::from_utf8(copied).unwrap();
    assert!(
        copied.starts_with("kubectl -n llmctl get job llmctl-exec-1-1-")
            && copied.ends_with(" -o yaml"),
        "{copied}"
    );
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}
