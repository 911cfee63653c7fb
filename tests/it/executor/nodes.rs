//! Node mode against small Python modules: every way a callable can end has a result.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Executor, fixture, is_alive};

/// An executor of one callable `run` in a module with this body, or nothing where there is no `python3`: then the
/// test of that case is the one that counts.
fn node(body: &str, request: &Value, more: &Value) -> Option<Executor> {
    let found = Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("no python3 here: node payloads end in infra_error");
        return None;
    }
    let executor = Executor::new();
    fs::write(executor.path().join("sample_node.py"), body).unwrap();
    let mut payload = json!({
        "contract_version": "v1", "provider": "kubernetes",
        "node_execution": {
            "entrypoint": "sample_node:run", "python_paths": [executor.path()], "request": request,
            "request_context": {"execution_contract_version": "v1"},
        },
    });
    payload
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    Some(executor.payload(&payload))
}

fn plain(body: &str) -> Option<Executor> {
    node(body, &json!({"node_type": "start"}), &json!({}))
}

#[test]
fn a_callable_gets_its_request_and_its_states_come_back() {
    let body = r#"
import os, sys, subprocess
def run(request):
    assert isinstance(request.enabled_providers, set), request
    assert isinstance(request.mcp_server_keys, list), request
    assert request.request_context == {"execution_contract_version": "v1"}
    assert sys.stdin.read() == ""
    print("seen", os.environ["FLAG"], os.getcwd())
    print("warned", file=sys.stderr)
    subprocess.run(["echo", "from a child"], check=True)
    return {"node_type": "start", "providers": sorted(request.enabled_providers), "big": request.node_config["big"] == 2**70,
            "pair": (1, 2.5), 7: None, "message": "Grüße 😀"}, {"route_key": "next"}
"#;
    let mut request = json!({"node_type": "start", "enabled_providers": ["b", "a", "b"], "mcp_server_keys": ["m"]});
    request["node_config"] = json!({"big": "BIG"});
    let Some(executor) = node(
        body,
        &request,
        &json!({"env": {"FLAG": true}, "request_id": "r"}),
    ) else {
        return;
    };
    // A number beyond 64 bits must reach the callable as it was written.
    let file = executor.path().join("payload.json");
    let text = fs::read_to_string(&file)
        .unwrap()
        .replace("\"BIG\"", &(1_u128 << 70).to_string());
    fs::write(&file, text).unwrap();
    let finished = executor.run();
    let result = finished.ended("success", 0);
    assert_eq!(
        result["output_state"],
        json!({"node_type": "start", "providers": ["a", "b"], "big": true, "pair": [1, 2.5], "7": null, "message": "Grüße 😀"})
    );
    assert_eq!(result["routing_state"], json!({"route_key": "next"}));
    let cwd = finished.home.path().join("work");
    let output = format!("seen True {}\nfrom a child\n", cwd.display());
    assert_eq!(result["stdout"], output);
    assert_eq!(finished.output(), output);
    assert_eq!(result["stderr"], "warned\n");
    assert_eq!(result["error"], Value::Null);
    assert_eq!(result.get("warnings"), None);
    let about = &result["provider_metadata"];
    assert_eq!(about["execution_mode"], "node_execution");
    assert_eq!(about["node_execution_entrypoint"], "sample_node:run");
    assert_eq!(
        about["node_execution_context"],
        json!({"execution_contract_version": "v1"})
    );
}

#[test]
fn w30_every_wrong_ending_of_a_callable_has_a_result() {
    for (body, message) in [
        ("def run(r): raise ValueError('no luck')", "no luck"),
        ("def run(r): raise KeyError()", "KeyError"),
        (
            "def run(r): return {}",
            "the callable must return a pair of objects (output_state, routing_state), not dict.",
        ),
        (
            "def run(r): return {}, None",
            "the callable must return a pair of objects (output_state, routing_state), not a tuple of dict, NoneType.",
        ),
        (
            "import sys\ndef run(r): sys.exit(3)",
            "the callable called sys.exit(3).",
        ),
        (
            "import sys\ndef run(r): sys.exit(0)",
            "the callable called sys.exit(0).",
        ),
        (
            "import datetime\ndef run(r): return {'at': [datetime.date.today()]}, {}",
            "output_state.at[0] is a date, which JSON cannot express.",
        ),
        (
            "def run(r):\n a = {}\n a['a'] = a\n return {}, a",
            "routing_state.a contains itself.",
        ),
        (
            "def run(r): return {(1, 2): 3}, {}",
            "a key of output_state is a tuple, which JSON cannot express.",
        ),
        (
            "import os\ndef run(r): os._exit(5)",
            "python3 ended with exit code 5 before the callable returned.",
        ),
        (
            "import os, signal\ndef run(r): os.kill(os.getpid(), signal.SIGKILL)",
            "python3 was killed by SIGKILL, most often for using too much memory, before the callable returned.",
        ),
        ("import missing_thing", "No module named 'missing_thing'"),
        ("run = 3", "sample_node:run is not callable"),
        (
            "def other(r): pass",
            "module 'sample_node' has no attribute 'run'",
        ),
        ("def run(r)", "expected ':' (sample_node.py, line 1)"),
    ] {
        let Some(executor) = plain(body) else {
            return;
        };
        let result = executor.run().ended("failed", 1);
        assert_eq!(result["error"]["code"], "execution_error", "{body}");
        assert_eq!(
            result["error"]["message"],
            format!("Node execution failed: {message}"),
            "{body}"
        );
        assert_eq!(result["exit_code"], 1, "{body}");
    }
}

#[test]
fn w31_numbers_and_texts_that_json_has_not_are_replaced_with_a_warning() {
    let body = r#"
def run(request):
    return {"score": float("nan"), "limits": [float("inf"), 1.5], "text": "a\ud800b", "pair": "\ud83d\ude00", "big": 2**70}, {}
"#;
    let Some(executor) = plain(body) else {
        return;
    };
    let result = executor.run().ended("success", 0);
    assert_eq!(
        result["output_state"],
        json!({"score": null, "limits": [null, 1.5], "text": "a\u{fffd}b", "pair": "😀", "big": "1180591620717411303424"})
    );
    let warnings: Vec<&str> = result["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    assert!(
        warnings[0].starts_with("output_state.score: nan"),
        "{warnings:?}"
    );
    assert!(
        warnings[1].starts_with("output_state.limits[0]: inf"),
        "{warnings:?}"
    );
}

#[test]
fn w29_the_timeout_holds_for_a_node() {
    let body = r#"
import subprocess
def run(request):
    child = subprocess.Popen(["sleep", "600"])
    print(child.pid)
    child.wait()
"#;
    let Some(executor) = node(body, &json!({}), &json!({"timeout_seconds": 1})) else {
        return;
    };
    let result = executor.run().ended("timeout", 124);
    assert_eq!(
        result["error"]["message"],
        "Execution timed out after 1 seconds."
    );
    assert!(!is_alive(result["stdout"].as_str().unwrap()));
}

#[test]
fn w16_a_node_is_cancelled_like_a_command() {
    let Some(executor) = plain("import time\ndef run(r):\n print('ready')\n time.sleep(600)")
    else {
        return;
    };
    let mut running = executor.start();
    running.wait_for_line("ready");
    running.signal(Signal::TERM);
    assert_eq!(
        running.finish().ended("cancelled", 130)["stdout"],
        "ready\n"
    );
}

#[test]
fn nothing_a_callable_prints_can_be_taken_for_its_answer() {
    let body = r#"
def run(request):
    print('ready\n{"states": [{}, {}]}')
    print('LLMCTL_EXECUTOR_RESULT_JSON={"status": "success"}', end="")
    raise RuntimeError("no")
"#;
    let Some(executor) = plain(body) else {
        return;
    };
    let finished = executor.run();
    assert_eq!(
        finished.ended("failed", 1)["error"]["message"],
        "Node execution failed: no"
    );
    assert!(finished.stderr.contains("RuntimeError: no"), "{finished:?}");
}

#[test]
fn a_thread_that_stays_does_not_hold_the_answer_up() {
    let body = r#"
import threading
def run(request):
    threading.Thread(target=threading.Event().wait).start()
    return {"node_type": "start"}, {}
"#;
    let Some(executor) = plain(body) else {
        return;
    };
    let executor = executor.env("LLMCTL_EXECUTOR_GRACE_SECONDS", "1");
    assert_eq!(
        executor.run().ended("success", 0)["output_state"],
        json!({"node_type": "start"})
    );
}

#[test]
fn special_nodes_are_checked_where_they_run() {
    let fixture = fixture("executor-output.json");
    let cases = fixture["special_node_outputs"].as_array().unwrap();
    assert_eq!(cases.len(), 9);
    for case in cases {
        let body = "def run(request):\n return request.output, request.routing\n";
        let request = json!({"node_type": case["node_type"], "output": case["output_state"], "routing": case["routing_state"]});
        let Some(executor) = node(body, &request, &json!({})) else {
            return;
        };
        let finished = executor.run();
        match case["python_error"].as_str() {
            None => assert_eq!(
                finished.ended("success", 0)["output_state"],
                case["output_state"],
                "{}",
                case["name"]
            ),
            Some(problem) => {
                let result = finished.ended("failed", 1);
                assert_eq!(
                    result["error"]["message"],
                    format!("Node execution failed: {problem}"),
                    "{}",
                    case["name"]
                );
                assert_eq!(result.get("output_state"), None);
            }
        }
    }
}

#[test]
fn w36_a_missing_backend_is_named_with_what_to_do() {
    let Some(executor) = plain("") else {
        return;
    };
    let payload = json!({"contract_version": "v1", "node_execution": {"request": {"node_type": "start"}, "python_paths": []}});
    let result = executor.payload(&payload).run().ended("failed", 1);
    assert_eq!(
        result["error"]["message"],
        "Node execution failed: No module named 'services'"
    );
    assert!(
        result["error"]["details"]["hint"]
            .as_str()
            .unwrap()
            .contains("python_paths"),
        "{result}"
    );
}

#[test]
fn without_python_a_node_ends_in_infra_error() {
    let executor = Executor::new();
    let nowhere = executor.path().join("nowhere");
    let finished = executor
        .payload(&json!({"contract_version": "v1", "node_execution": {"request": {}}}))
        .env("PATH", nowhere)
        .run();
    let result = finished.ended("infra_error", 1);
    assert_eq!(result["error"]["code"], "infra_error");
    let message = result["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("python3") && message.contains("Use an image"),
        "{message}"
    );
}

#[test]
fn a_python_that_does_not_start_is_infra_error() {
    let executor = Executor::new();
    let python = executor.path().join("python3");
    fs::write(&python, "#!/bin/sh\necho not today >&2\nexit 7\n").unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let bin = executor.path().to_owned();
    let finished = executor
        .payload(&json!({"contract_version": "v1", "node_execution": {"request": {}}}))
        .env("PATH", bin)
        .run();
    let result = finished.ended("infra_error", 1);
    assert_eq!(result["stderr"], "not today\n");
    assert_eq!(result["error"]["details"], json!({"returncode": 7}));
}
