//! What is not done: no cluster, one that does not look local, wrong input, another provider.

use crate::support::home::Home;
use serde_json::Value;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Addresses that answer nobody: a test network's, and a closed port of this machine.
const KUBECONFIG: &str = "apiVersion: v1
kind: Config
current-context: production
clusters:
- {name: far, cluster: {server: 'https://192.0.2.1:6443'}}
- {name: near, cluster: {server: 'https://127.0.0.1:1'}}
contexts:
- {name: production, context: {cluster: far, user: me}}
- {name: llmctl, context: {cluster: far, user: me}}
- {name: near, context: {cluster: near, user: me}}
users:
- {name: me, user: {token: t}}
";

struct Case {
    arguments: &'static [&'static str],
    code: i32,
    /// A part of the message.
    says: &'static str,
}

const fn case(arguments: &'static [&'static str], code: i32, says: &'static str) -> Case {
    Case {
        arguments,
        code,
        says,
    }
}

fn hold(home: &Home, cases: &[Case]) {
    for Case {
        arguments,
        code,
        says,
    } in cases
    {
        let begin = Instant::now();
        let ran = home.run(arguments);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (*code, ""),
            "{arguments:?}: {}",
            ran.err
        );
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{arguments:?} asked somebody"
        );
    }
}

#[test]
fn without_a_cluster_it_is_3_and_says_what_to_do() {
    hold(
        &Home::new(),
        &[
            case(&["runs", "list"], 3, "no context named llmctl"),
            case(&["run", "hello"], 3, "start the Minikube profile llmctl"),
            case(
                &["--profile", "other", "runs", "list"],
                3,
                "no context named other",
            ),
            case(
                &["--context", "foo", "runs", "show", "1"],
                3,
                "no context named foo",
            ),
            case(&["overlays", "diff", "executor"], 3, "--context"),
            case(&["overlays", "apply", "executor", "--yes"], 3, "--context"),
        ],
    );
}

#[test]
fn what_does_not_look_local_is_refused_before_it_is_asked() {
    let home = Home::new();
    home.write("no-kubeconfig", KUBECONFIG);
    hold(
        &home,
        &[
            // The context that kubectl would use is not even looked at; the one of the profile was not made by Minikube.
            case(&["runs", "list"], 4, "was not made by Minikube"),
            case(&["run", "hello"], 4, "llmctl"),
            case(&["overlays", "apply", "executor", "--yes"], 4, "llmctl"),
            case(
                &["--context", "production", "runs", "list"],
                4,
                "does not look local",
            ),
            case(
                &["--context", "llmctl", "run", "hello"],
                4,
                "https://192.0.2.1:6443",
            ),
            case(
                &["--context", "near", "runs", "list"],
                3,
                "is the cluster running",
            ),
        ],
    );
    home.write(
        "config/llmctl-dev/config.toml",
        "allowed_contexts = [\"near\"]\n",
    );
    hold(
        &home,
        &[case(
            &["--context", "production", "runs", "list"],
            4,
            "allowed_contexts",
        )],
    );
}

#[test]
fn wrong_input_is_5_and_names_the_rule_before_a_cluster_is_asked() {
    let home = Home::new();
    hold(
        &home,
        &[
            case(&["run", "nosuch"], 5, "there are hello, slow, fail"),
            case(&["run", "hello", "--ttl", "30"], 5, "60 to 86400"),
            case(&["run", "hello", "--timeout", "1"], 5, "must be"),
            case(&["run", "hello", "--gpu", "9"], 5, "gpu"),
            case(&["run", "hello", "--image", "a b"], 5, "image"),
            case(&["run", "hello", "-n", "Not_A_Name"], 5, "namespace"),
            case(&["settings", "set", "k8s_job_ttl_seconds", "30"], 5, "60"),
            case(&["settings", "get", "nonsense"], 5, "nonsense"),
            case(
                &["--sandbox", "runs", "show", "7"],
                5,
                "there is no run `7`",
            ),
            case(
                &["--sandbox", "runs", "keep", "last"],
                5,
                "there is no run yet",
            ),
            case(
                &["--log-file", "/nonexistent/x", "runs", "list"],
                5,
                "/nonexistent/x",
            ),
            case(
                &["--settings", "nowhere.toml", "run", "hello"],
                5,
                "nowhere.toml",
            ),
            case(&["sandbox", "--listen", "0.0.0.0:0"], 4, "loopback"),
        ],
    );
}

#[test]
fn another_provider_is_refused_at_every_entry() {
    const RULE: &str = "Kubernetes is the only provider";
    let home = Home::new();
    hold(
        &home,
        &[case(&["settings", "set", "provider", "workspace"], 5, RULE)],
    );
    assert!(!home.settings().exists());

    let variable = Home::new().with("LLMCTL_NODE_EXECUTOR_PROVIDER", "workspace");
    hold(&variable, &[case(&["--sandbox", "run", "hello"], 5, RULE)]);
    let ran = variable.run(&["settings", "validate"]);
    ran.ended(5);
    assert!(ran.out.contains(RULE), "{ran:?}");

    home.write(
        "config/llmctl-dev/executor.toml",
        "provider = \"workspace\"\n",
    );
    hold(
        &home,
        &[case(&["--sandbox", "run", "hello"], 5, "executor.toml:1")],
    );
    home.run(&["settings", "validate"]).ended(5);
    home.run(&["settings", "validate", "config/llmctl-dev/executor.toml"])
        .ended(5);
    let elsewhere = Home::new();
    elsewhere.write("other.toml", "provider = \"docker\"\n");
    hold(
        &elsewhere,
        &[case(
            &["--sandbox", "--settings", "other.toml", "run", "hello"],
            5,
            RULE,
        )],
    );

    // Imported files in every form, and a payload of one's own.
    for (name, text) in [
        ("other.env", "LLMCTL_NODE_EXECUTOR_PROVIDER=docker\n"),
        ("other.json", "{\"provider\": \"workspace\"}"),
        ("other.toml", "provider = \"docker\"\n"),
    ] {
        elsewhere.write(name, text);
        let ran = elsewhere.run(&["settings", "import", name]);
        assert!(ran.ended(5).err.contains(RULE), "{ran:?}");
    }
    assert!(!elsewhere.settings().exists());
    let payload =
        r#"{"contract_version": "v1", "provider": "workspace", "command": ["/bin/true"]}"#;
    elsewhere.write("payload.json", payload);
    hold(
        &elsewhere,
        &[
            case(
                &["--sandbox", "run", "--payload", "payload.json", "--dry-run"],
                5,
                "must be kubernetes",
            ),
            case(
                &[
                    "--sandbox",
                    "run",
                    "hello",
                    "--set",
                    "provider=docker",
                    "--dry-run",
                ],
                5,
                "must be kubernetes",
            ),
        ],
    );

    let mut child = Home::new()
        .command(&["executor"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(payload.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(!out.contains("LLMCTL_EXECUTOR_STARTED"), "{out}");
    let line = out.lines().last().unwrap();
    let result = line.strip_prefix("LLMCTL_EXECUTOR_RESULT_JSON=").unwrap();
    let result: Value = serde_json::from_str(result).unwrap();
    assert_eq!(result["error"]["code"], "validation_error");
}
