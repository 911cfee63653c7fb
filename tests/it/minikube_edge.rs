//! The minikube edge against a program that plays minikube: what it says is recorded from the real one.

use futures::StreamExt;
use llmctl_dev::domain::profile::{ProfileState, StartOptions, StartStep};
use llmctl_dev::minikube::Minikube;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

const DOCKER_DOWN: &str = include_str!("fixtures/minikube/docker-down-start.txt");
const NEW: &str = include_str!("fixtures/minikube/new-start.txt");

/// A minikube that runs `script` in the shell, with `$DIR` as its own directory.
fn playing(script: &str) -> (Minikube, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("minikube");
    std::fs::write(
        &program,
        format!("#!/bin/sh\nDIR='{}'\n{script}\n", dir.path().display()),
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    (Minikube::find(Some(&program)).unwrap(), dir)
}

/// A script that says what was recorded and ends as it ended.
fn replay(recorded: &str, dir: &Path) -> String {
    let stdout = recorded
        .split_once("--- stdout\n")
        .unwrap()
        .1
        .split_once("--- stderr\n")
        .unwrap()
        .0;
    let exit = recorded.rsplit_once("--- exit ").unwrap().1.trim();
    std::fs::write(dir.join("stdout"), stdout).unwrap();
    format!("cat '{}/stdout'; exit {exit}", dir.display())
}

async fn start(minikube: &Minikube) -> Vec<StartStep> {
    minikube
        .start("llmctl", &StartOptions::default())
        .collect()
        .await
}

#[test]
fn a_program_that_is_not_there_is_not_found() {
    assert_eq!(
        Minikube::find(Some(Path::new("/nonexistent/minikube"))),
        None
    );
}

#[tokio::test]
async fn the_state_is_asked_for_by_profile() {
    let (minikube, dir) = playing(
        r#"echo "$@" > "$DIR/arguments"
        echo '{"Name":"llmctl","Host":"Stopped","Kubelet":"Stopped","APIServer":"Stopped","Kubeconfig":"Stopped","Worker":false}'; exit 7"#,
    );
    assert_eq!(
        minikube.profile_status("llmctl").await,
        ProfileState::Stopped
    );
    assert_eq!(
        std::fs::read_to_string(dir.path().join("arguments")).unwrap(),
        "-p llmctl status -o json\n"
    );
    let (dead, _dir) = playing("kill -9 $$");
    assert!(
        matches!(dead.profile_status("llmctl").await, ProfileState::Broken(text) if text.contains("a signal"))
    );
}

#[tokio::test]
async fn a_start_tells_its_steps_and_its_end() {
    let scratch = tempfile::tempdir().unwrap();
    let (minikube, _dir) = playing(&replay(NEW, scratch.path()));
    let steps = start(&minikube).await;
    assert_eq!(steps.last(), Some(&StartStep::Done));
    assert!(
        steps.len() > 10 && matches!(&steps[0], StartStep::Step { at: 0, of: 19, .. }),
        "{steps:?}"
    );
}

#[tokio::test]
async fn a_failure_keeps_minikubes_name_and_advice() {
    let scratch = tempfile::tempdir().unwrap();
    let (minikube, _dir) = playing(&replay(DOCKER_DOWN, scratch.path()));
    let steps = start(&minikube).await;
    let Some(StartStep::Failed(error)) = steps.last() else {
        panic!("{steps:?}")
    };
    assert_eq!(
        (error.name.as_str(), error.exit),
        ("PROVIDER_DOCKER_NOT_RUNNING", Some(63))
    );

    let (silent, _dir) =
        playing("head -c 300000 /dev/zero | tr '\\0' x >&2; echo 'the last word' >&2; exit 3");
    let steps = start(&silent).await;
    let [StartStep::Failed(error)] = &steps[..] else {
        panic!("{steps:?}")
    };
    assert!(
        error.text.ends_with("the last word") && error.text.len() < 3000 && error.exit == Some(3),
        "{}",
        error.text.len()
    );
}

#[tokio::test]
async fn who_drops_a_start_ends_all_its_processes() {
    let (minikube, dir) = playing(
        "sleep 600 & echo $! > \"$DIR/child\"; echo '{\"type\":\"io.k8s.sigs.minikube.info\",\"data\":{\"message\":\"up\"}}'; wait",
    );
    let mut steps = minikube.start("llmctl", &StartOptions::default());
    assert_eq!(
        steps.next().await,
        Some(StartStep::Note { text: "up".into() })
    );
    let child: i32 = std::fs::read_to_string(dir.path().join("child"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let pid = rustix::process::Pid::from_raw(child).unwrap();
    assert!(rustix::process::test_kill_process(pid).is_ok());
    drop(steps);
    let deadline = Instant::now() + Duration::from_secs(10);
    // A killed process that nobody has waited for yet still has its id; its state tells.
    while std::fs::read_to_string(format!("/proc/{child}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z "))
    {
        assert!(Instant::now() < deadline, "the child of minikube goes on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
