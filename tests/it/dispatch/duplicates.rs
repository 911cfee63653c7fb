//! What was dispatched once is not dispatched again unasked (W13, W14).

use crate::support::home::Home;
use serde_json::Value;

fn run(home: &Home, more: &[&str]) -> crate::support::home::Ran {
    let mut arguments = vec![
        "run",
        "hello",
        "--sandbox",
        "--execution",
        "7",
        "-o",
        "json",
    ];
    arguments.extend(more);
    home.run(&arguments)
}

#[test]
fn w13_a_request_of_the_last_day_is_refused_before_anything_is_created() {
    let home = Home::new();
    let first = run(&home, &["--wait"]).ended(0).json();
    assert_eq!(first["run"], "7");
    // Each command has a sandbox of its own: the Job is gone, and the history knows what it did.
    let second = run(&home, &["--wait"]);
    assert_eq!(second.code, 4, "{second:?}");
    assert_eq!(second.out, "");
    for part in [
        "run 7 was this very request",
        "what it did is done",
        "`llmctl-dev runs show",
        "--again",
    ] {
        assert!(second.err.contains(part), "{second:?} lacks {part}");
    }
    let listed = home
        .run(&["runs", "list", "--sandbox", "-o", "json"])
        .ended(0)
        .json();
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1, "{listed:#}");

    let again = run(&home, &["--wait", "--again"]).ended(0).json();
    assert_eq!(again["run"], "7.2", "the second pass of the same run");
    assert_ne!(again["job"], first["job"]);
    let third = run(&home, &["--index", "2"]);
    assert_eq!(third.code, 4, "{third:?}");
    let fourth: Value = run(&home, &["--index", "3"]).ended(0).json();
    assert_eq!(fourth["verdict"], "pending");
}
