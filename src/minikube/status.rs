//! What `minikube status -o json` says. Its exit codes do not tell all, and without a profile it speaks another language.

use crate::domain::profile::ProfileState;
use serde::Deserialize;

const NO_SUCH_PROFILE: i32 = 85;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    host: String,
    kubelet: String,
    #[serde(rename = "APIServer")]
    api_server: String,
    kubeconfig: String,
    #[serde(default)]
    worker: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Nodes {
    One(Node),
    /// More than one node makes it a list.
    Many(Vec<Node>),
}

/// Reads the answer.
pub(super) fn read(profile: &str, exit: Option<i32>, stdout: &[u8], stderr: &[u8]) -> ProfileState {
    if exit == Some(NO_SUCH_PROFILE) {
        return ProfileState::NoProfile;
    }
    let nodes = match serde_json::from_slice::<Nodes>(stdout) {
        Ok(Nodes::One(node)) => vec![node],
        Ok(Nodes::Many(nodes)) => nodes,
        Err(_) => return ProfileState::Broken(complaint(profile, exit, stdout, stderr)),
    };
    let Some(node) = nodes.iter().find(|node| !node.worker) else {
        return ProfileState::Broken(format!(
            "profile {profile} has no control plane: delete it and start it anew"
        ));
    };
    match (node.host.as_str(), node.api_server.as_str()) {
        ("Running", "Running") if node.kubeconfig != "Configured" => ProfileState::Broken(format!(
            "profile {profile} runs, but the kubeconfig does not point to it: run `minikube -p {profile} update-context`"
        )),
        ("Running", "Running") if node.kubelet != "Running" => ProfileState::Broken(format!(
            "profile {profile}: its kubelet is {}: start it again",
            lower(&node.kubelet)
        )),
        ("Running", "Running") => ProfileState::Running,
        ("Running", "Paused") | ("Paused", _) => ProfileState::Paused,
        ("Stopped", _) => ProfileState::Stopped,
        ("Nonexistent", _) => ProfileState::Broken(format!(
            "profile {profile} has lost its machine: start it again"
        )),
        (host, api) => ProfileState::Broken(format!(
            "profile {profile}: its machine is {} and its API server {}: start it again",
            lower(host),
            lower(api)
        )),
    }
}

fn lower(word: &str) -> String {
    if word.is_empty() {
        "in no state".to_owned()
    } else {
        word.to_lowercase()
    }
}

/// The most that minikube itself says about its failure.
fn complaint(profile: &str, exit: Option<i32>, stdout: &[u8], stderr: &[u8]) -> String {
    let stdout = String::from_utf8_lossy(stdout);
    let failure = stdout
        .lines()
        .rev()
        .find_map(|line| match super::events::read(line) {
            super::events::Event::Failure(error) => Some(error.to_string()),
            _ => None,
        });
    let said = failure.or_else(|| {
        let stderr = String::from_utf8_lossy(stderr);
        stderr
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_owned)
    });
    let code = exit.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
    match said {
        Some(said) => format!("`minikube -p {profile} status` ended with {code}: {said}"),
        None => format!("`minikube -p {profile} status` ended with {code} and no status"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::minikube::events::recorded;

    #[test]
    fn recorded_answers() {
        let table = [
            (
                include_str!("../../tests/it/fixtures/minikube/running-status.txt"),
                ProfileState::Running,
            ),
            (
                include_str!("../../tests/it/fixtures/minikube/paused-status.txt"),
                ProfileState::Paused,
            ),
            (
                include_str!("../../tests/it/fixtures/minikube/stopped-status.txt"),
                ProfileState::Stopped,
            ),
            (
                include_str!("../../tests/it/fixtures/minikube/no-profile-status-named.txt"),
                ProfileState::NoProfile,
            ),
        ];
        for (text, state) in table {
            let (stdout, stderr, exit) = recorded(text);
            assert_eq!(
                read("llmctl", Some(exit), stdout.as_bytes(), stderr.as_bytes()),
                state
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let node = |host: &str, kubelet: &str, api: &str, config: &str| {
            format!(
                r#"{{"Name":"llmctl","Host":"{host}","Kubelet":"{kubelet}","APIServer":"{api}","Kubeconfig":"{config}","Worker":false}}"#
            )
        };
        let table = [
            (node("Running", "Running", "Running", "Misconfigured"), "update-context"),
            (node("Running", "Stopped", "Running", "Configured"), "kubelet is stopped"),
            (node("Running", "Stopped", "Stopped", "Configured"), "API server stopped"),
            (node("Nonexistent", "Nonexistent", "Nonexistent", "Nonexistent"), "lost its machine"),
            ("[]".to_owned(), "no control plane"),
            (String::new(), "exit code 1: driver gone"),
            (r#"{"type":"io.k8s.sigs.minikube.error","data":{"exitcode":"69","message":"It broke","name":"GUEST_STATUS"}}"#.to_owned(), "It broke (GUEST_STATUS)"),
        ];
        for (stdout, part) in table {
            match read("llmctl", Some(1), stdout.as_bytes(), b"\ndriver gone\n") {
                ProfileState::Broken(text) => assert!(text.contains(part), "{text} lacks {part}"),
                other => panic!("{stdout} gave {other:?}"),
            }
        }
    }

    #[test]
    fn of_several_nodes_the_control_plane_counts() {
        let two = r#"[{"Name":"m02","Host":"Stopped","Kubelet":"Stopped","APIServer":"Irrelevant","Kubeconfig":"Irrelevant","Worker":true},
                      {"Name":"llmctl","Host":"Running","Kubelet":"Running","APIServer":"Running","Kubeconfig":"Configured","Worker":false}]"#;
        assert_eq!(
            read("llmctl", Some(7), two.as_bytes(), b""),
            ProfileState::Running
        );
    }
}
