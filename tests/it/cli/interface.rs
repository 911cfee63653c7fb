//! What can be said on the command line, and what standard output holds.

use crate::support::home::{Home, Ran};
use llmctl_dev::cli::command;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

/// Every verb with every one of its own flags.
const VERBS: &[&str] = &[
    "",
    "demo",
    "run hello",
    "run hello --wait --wait-timeout 5",
    "run hello --follow --ttl 60 --timeout 30 --image i:1 --gpu 0",
    "runs list",
    "runs show last",
    "runs logs last --follow --timestamps",
    "runs watch",
    "runs watch last",
    "runs cancel last --grace 5",
    "runs keep last --ttl 3600",
    "runs remove last",
    "settings show --origin",
    "settings get k8s_job_ttl_seconds",
    "settings set k8s_job_ttl_seconds 60",
    "settings unset k8s_job_ttl_seconds",
    "settings push --to studio --via http",
    "settings pull --from studio --via http",
    "settings push --to studio --postgres URI --password-file F --all --dry-run --yes",
    "settings pull --from studio --postgres URI --password-file F --dry-run k8s_gpu_limit",
    "settings pull --from configmap",
    "settings kubeconfig show --postgres URI",
    "settings kubeconfig set FILE --postgres URI --force --dry-run",
    "settings kubeconfig from-profile",
    "settings kubeconfig clear",
    "settings validate",
    "settings validate FILE",
    "settings path",
    "overlays list",
    "overlays render minikube --with-secrets",
    "overlays diff minikube",
    "overlays apply minikube --force-conflicts --prune --yes",
    "sandbox --listen 127.0.0.1:0",
    "executor --payload-file F --payload-json J --output-file O",
    "completions bash",
    "man",
];

const GLOBALS: &[&str] = &[
    "--profile p",
    "--context c",
    "--kubeconfig f",
    "-n ns",
    "--namespace ns",
    "--settings f",
    "--overlays d",
    "-o text",
    "-o json",
    "-o jsonl",
    "--output yaml",
    "--color auto",
    "--color always",
    "--color never",
    "--ascii",
    "--log-file f",
    "-v",
    "-vv",
    "--verbose",
    "--sandbox",
];

fn parse(line: &str) -> Result<(), String> {
    let words = line.split_whitespace();
    command()
        .try_get_matches_from(std::iter::once("llmctl-dev").chain(words))
        .map(drop)
        .map_err(|error| format!("{line}: {error}"))
}

#[test]
fn every_verb_takes_its_flags_and_every_global_before_and_behind() {
    for verb in VERBS {
        parse(verb).unwrap();
        for global in GLOBALS {
            parse(&format!("{global} {verb}")).unwrap();
            parse(&format!("{verb} {global}")).unwrap();
        }
    }
    for wrong in [
        "nonsense",
        "run",
        "runs",
        "settings set k",
        "-o xml",
        "run hello --ttl x",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

fn walk(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
    for arg in command.get_arguments() {
        let Some(long) = arg
            .get_long()
            .filter(|long| !matches!(*long, "help" | "version"))
        else {
            continue;
        };
        let variable = arg
            .get_env()
            .map(|name| name.to_string_lossy().into_owned());
        let expected = format!("LLMCTL_DEV_{}", long.to_uppercase().replace('-', "_"));
        assert_eq!(variable.as_ref(), Some(&expected), "{path} --{long}");
        found.insert(long.to_owned());
    }
    for sub in command.get_subcommands() {
        walk(sub, &format!("{path} {}", sub.get_name()), found);
    }
}

#[test]
fn every_flag_has_its_variable() {
    let mut found = BTreeSet::new();
    walk(&command(), "llmctl-dev", &mut found);
    for name in [
        "profile",
        "sandbox",
        "wait-timeout",
        "ttl",
        "force-conflicts",
        "payload-json",
    ] {
        assert!(found.contains(name), "{found:?}");
    }
    let home = Home::new()
        .with("LLMCTL_DEV_SANDBOX", "1")
        .with("LLMCTL_DEV_OUTPUT", "json")
        .with("LLMCTL_DEV_NAMESPACE", "elsewhere");
    let document = home.run(&["runs", "list"]).ended(0).json();
    assert_eq!(document["target"]["kind"], "sandbox");
    assert_eq!(document["namespace"], "elsewhere");
    // A flag wins over its variable, and a variable says no as well as yes.
    assert_eq!(
        home.run(&["runs", "list", "-n", "here"]).ended(0).json()["namespace"],
        "here"
    );
    Home::new()
        .with("LLMCTL_DEV_SANDBOX", "0")
        .run(&["runs", "list"])
        .ended(3);
}

#[test]
fn a_reader_that_has_enough_ends_the_command_in_order() {
    let home = Home::new();
    let mut child = home
        .command(&["--sandbox", "run", "slow", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert_eq!(first, "LLMCTL_EXECUTOR_STARTED\n");
    drop(lines);
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(!err.contains("panicked"), "{err}");
    let left = std::fs::read_dir(home.temporary()).unwrap().count();
    assert_eq!(left, 0, "the sandbox goes with its command");
}

#[test]
fn the_terminal_ui_wants_a_terminal() {
    let home = Home::new();
    for arguments in [&[][..], &["demo"]] {
        let ran = home.run(arguments);
        ran.ended(2);
        assert!(
            ran.err.contains("needs a terminal") && ran.out.is_empty(),
            "{ran:?}"
        );
    }
}

/// Whether a program accepts a text on its standard input; none where it is not there, which is said.
fn accepts(program: &str, arguments: &[&str], text: &str) -> Option<bool> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("SKIPPED a look at its completions: no {program}");
        return None;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    Some(child.wait().unwrap().success())
}

#[test]
fn shells_accept_their_completions() {
    let home = Home::new();
    let words = ["wait-timeout", "kubeconfig", "overlays", "force-conflicts"];
    for (shell, arguments) in [
        ("bash", &["-n"][..]),
        ("zsh", &["-n"]),
        ("fish", &["--no-execute"]),
    ] {
        let ran = home.run(&["completions", shell]);
        ran.ended(0);
        for word in words {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
        assert_ne!(accepts(shell, arguments, &ran.out), Some(false), "{shell}");
        assert!(ran.err.is_empty(), "{}", ran.err);
    }
    assert_ne!(accepts("bash", &["-n"], "if"), Some(true), "it does look");
    home.run(&["completions", "tcl"]).ended(2);
}

#[test]
fn the_manual_page_is_one() {
    let ran = Home::new().run(&["man"]);
    ran.ended(0);
    assert!(ran.out.contains(".TH llmctl-dev 1"), "{}", ran.out);
    for part in [
        ".SH NAME",
        ".SH SYNOPSIS",
        ".SH OPTIONS",
        ".SH SUBCOMMANDS",
        "LLMCTL_DEV_PROFILE",
    ] {
        assert!(ran.out.contains(part), "{part}");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let home = Home::new();
    for arguments in [
        &["--help"][..],
        &["run", "--help"],
        &["help", "runs"],
        &["--version"],
    ] {
        let Ran { code, out, err } = home.run(arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        assert!(!out.is_empty());
    }
    let help = home.run(&["run", "--help"]).out;
    for sample in [
        "hello",
        "slow",
        "fail",
        "timeout",
        "noisy",
        "bad-image",
        "silent",
        "crash",
        "start-node",
    ] {
        assert!(help.contains(sample), "{sample}: {help}");
    }
}
