//! Told to stop: the executor ends its run and still says how it went (W16).

use std::process::{Command, Stdio};

use llmctl_dev::executor::tree;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Executor, RESULT_PREFIX, is_alive};

#[test]
fn w16_a_stop_signal_ends_the_run_with_a_cancelled_result() {
    for (signal, name) in [
        (Signal::TERM, "SIGTERM"),
        (Signal::INT, "SIGINT"),
        (Signal::HUP, "SIGHUP"),
    ] {
        let mut running =
            Executor::shell("sleep 600 & echo pid $!; echo ready; wait", Value::Null).start();
        let pid = running.wait_for(|line| line.starts_with("pid "));
        running.wait_for_line("ready");
        running.signal(signal);
        let finished = running.finish();
        let result = finished.ended("cancelled", 130);
        assert_eq!(result["exit_code"], 130);
        assert_eq!(result["error"]["code"], "cancelled");
        assert_eq!(result["error"]["retryable"], false);
        assert_eq!(result["error"]["details"], json!({"signal": name}));
        assert!(result["stdout"].as_str().unwrap().ends_with("ready\n"));
        assert!(!is_alive(pid.strip_prefix("pid ").unwrap()));
    }
}

#[test]
fn w16_what_the_program_says_in_its_grace_period_is_kept() {
    let line = "trap 'echo tidied up; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
    let mut running = Executor::shell(line, Value::Null).start();
    running.wait_for_line("ready");
    running.signal(Signal::TERM);
    assert_eq!(
        running.finish().ended("cancelled", 130)["stdout"],
        "ready\ntidied up\n"
    );
}

#[test]
fn w16_a_second_signal_does_not_wait_for_the_grace_period() {
    let line = "trap 'echo not now' TERM; echo ready; while :; do sleep 0.01; done";
    let mut running = Executor::shell(line, Value::Null)
        .env("LLMCTL_EXECUTOR_GRACE_SECONDS", "3600")
        .start();
    running.wait_for_line("ready");
    running.signal(Signal::TERM);
    running.wait_for_line("not now");
    running.signal(Signal::TERM);
    running.finish().ended("cancelled", 130);
}

#[test]
fn w16_a_signal_before_the_payload_has_a_result_too() {
    let mut executor = Executor::new();
    executor.command.stdin(Stdio::piped());
    let mut running = executor.start();
    running.wait_until_reading();
    let stdin = running.child.stdin.take();
    running.signal(Signal::TERM);
    let finished = running.finish();
    drop(stdin);
    finished.ended("cancelled", 130);
    assert_eq!(finished.stdout.lines().count(), 1);
}

#[test]
fn an_executor_that_ends_with_its_parent_outlives_it_by_its_grace_period_only() {
    // The shell is the parent, and is killed; its output pipes stay with the executor.
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        "\"$@\" & echo executor $!; wait",
        "sh",
        env!("CARGO_BIN_EXE_llmctl-dev"),
    ]);
    let line = "echo pid $$; sleep 600";
    let mut running = Executor::with(command)
        .env("LLMCTL_EXECUTOR_END_WITH_PARENT", "1")
        .payload(&json!({"contract_version": "v1", "command": ["/bin/sh", "-c", line]}))
        .start();
    let pid = running.wait_for(|line| line.starts_with("pid "));
    running.signal(Signal::KILL);
    running.wait_for(|line| line.contains("the executor lost its parent process"));
    assert!(!is_alive(pid.strip_prefix("pid ").unwrap()));
    running.finish();
}

#[test]
fn killing_the_tree_of_an_executor_leaves_nothing_of_it() {
    let line = "echo pid $$; setsid sh -c 'echo pid $$; exec sleep 600'; sleep 600";
    let mut running = Executor::shell(line, Value::Null).start();
    let pids = [(); 2].map(|()| running.wait_for(|line| line.starts_with("pid ")));
    tree::kill(running.child.id());
    let finished = running.finish();
    assert_eq!(finished.status.code(), None);
    assert!(!finished.stdout.contains(RESULT_PREFIX), "{finished:?}");
    for pid in pids {
        assert!(!is_alive(pid.strip_prefix("pid ").unwrap()));
    }
}

/// Where a process may make a process namespace, the executor is run as process 1 of one, as in a container.
#[test]
fn w16_as_process_one_it_hears_the_signal_reaps_orphans_and_has_the_last_word() {
    let namespace = || {
        let mut command = Command::new("unshare");
        command.args([
            "--map-root-user",
            "--pid",
            "--fork",
            "--mount-proc",
            "--kill-child",
        ]);
        command
    };
    if !namespace()
        .arg("true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("no process namespaces here: nothing to be process 1 of");
        return;
    }
    let mut command = namespace();
    command.arg(env!("CARGO_BIN_EXE_llmctl-dev"));
    // Orphans end while the run goes on: none may stay as a zombie. The signal comes from inside, as a kubelet's would
    // from outside: a process 1 without a handler hears neither.
    let line = "for i in 1 2 3; do sh -c 'true & true' ; done
        while grep -q '^State:.Z' /proc/[0-9]*/status 2>/dev/null; do sleep 0.01; done
        echo reaped; kill -TERM 1; sleep 600";
    let finished = Executor::with(command)
        .payload(&json!({"contract_version": "v1", "command": ["/bin/sh", "-c", line]}))
        .run();
    let result = finished.ended("cancelled", 130);
    assert_eq!(result["stdout"], "reaped\n");
}
