//! The exit codes: one table in the program, its help and the README.

use crate::support::home::Home;
use llmctl_dev::cli::exit::TABLE;

/// As they were agreed.
const AGREED: [(u8, &str); 10] = [
    (0, "ok"),
    (1, "the run failed, or differences were found"),
    (2, "wrong usage"),
    (3, "cluster unreachable or not running"),
    (4, "refused for safety"),
    (5, "invalid input"),
    (6, "timed out"),
    (7, "gone before a verdict"),
    (8, "uncertain"),
    (130, "interrupted"),
];

#[test]
fn code_help_and_readme_have_the_same_table() {
    let table: Vec<(u8, &str)> = TABLE
        .iter()
        .map(|(exit, text)| (exit.code(), *text))
        .collect();
    assert_eq!(table, AGREED);

    let help = Home::new().run(&["--help"]).out;
    let help: Vec<String> = help
        .split_once("Exit codes:\n")
        .unwrap()
        .1
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let expected: Vec<String> = AGREED
        .iter()
        .map(|(code, text)| format!("{code}  {text}"))
        .collect();
    assert_eq!(help, expected);

    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rows: Vec<&str> = readme
        .split_once("### Exit codes")
        .unwrap()
        .1
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let expected: Vec<String> = AGREED
        .iter()
        .map(|(code, text)| format!("| {code} | {text} |"))
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn help_is_no_wider_than_a_terminal() {
    for arguments in [&["--help"][..], &["run", "--help"], &["runs", "--help"]] {
        let help = Home::new().run(arguments).out;
        let widest = help.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 110, "{widest} columns: {help}");
    }
}
