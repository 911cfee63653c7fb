//! Bare `llmctl-dev` where there is nothing to work on.

use crate::support::home::Home;
use crate::support::terminal::ENTER;

#[test]
fn with_nothing_to_connect_to_it_says_so_and_waits() {
    let home = Home::new().with("PATH", "/usr/bin:/bin");
    let mut terminal = home.terminal(&[]);
    terminal.wait_for("No Kubernetes to work on yet");
    terminal.wait_for("no context named llmctl");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

#[test]
fn the_demo_is_one_key_from_there_and_says_that_it_is_one() {
    let home = Home::new();
    let mut terminal = home.terminal(&[]);
    terminal.wait_for("No Kubernetes to work on yet");
    terminal.press("d");
    terminal.wait_for("SANDBOX demo");
    terminal.wait_for("● live");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
}

#[test]
fn contexts_that_do_not_look_local_are_listed_and_refused() {
    let home = Home::new();
    home.write(
        "no-kubeconfig",
        "apiVersion: v1
kind: Config
clusters:
- {name: far, cluster: {server: 'https://192.0.2.1:6443'}}
contexts:
- {name: production, context: {cluster: far, user: me}}
users:
- {name: me, user: {token: t}}
",
    );
    let mut terminal = home.terminal(&[]);
    terminal.wait_for("No Kubernetes to work on yet");
    terminal.press("k");
    terminal.wait_for("production");
    terminal.wait_for("192.0.2.1");
    terminal.press(ENTER);
    terminal.wait_for("production is not worked on: refused");
    // The first one closes the list.
    terminal.press("qq");
    assert_eq!(terminal.exit_and_restore(), 0);
}
