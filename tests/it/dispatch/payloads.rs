//! Payloads beyond the samples: files, standard input, node types, `--set`, and the objects before they are made.

use crate::support::home::{Home, Ran};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::Stdio;

fn piped(home: &Home, arguments: &[&str], text: &str) -> Ran {
    let mut command = home.command(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

const YAML: &str = "contract_version: v1
shell_command: 'echo \"$GREETING from $(cat)\"'
stdin: standard input
env: {GREETING: s3cret}
timeout_seconds: 20
";

#[test]
fn a_payload_from_a_file_and_from_standard_input_runs_to_its_verdict() {
    let home = Home::new();
    let file = home.write("my payload.yaml", YAML);
    let run = home.run(&[
        "run",
        "--sandbox",
        "--payload",
        file.to_str().unwrap(),
        "--wait",
        "-o",
        "json",
    ]);
    let document = run.ended(0).json();
    assert_eq!(document["verdict"], "success", "{document:#}");
    assert_eq!(document["sample"], "my-payload");
    assert_eq!(
        document["executor"]["stdout"],
        "s3cret from standard input\n"
    );

    let text = json!({"contract_version": "v1", "command": ["false"]}).to_string();
    let run = piped(
        &home,
        &["run", "--sandbox", "--payload", "-", "--wait", "-o", "json"],
        &text,
    );
    let document = run.ended(1).json();
    assert_eq!(document["verdict"], "failed", "{document:#}");
}

#[test]
fn every_problem_of_a_payload_is_told_and_nothing_is_asked_of_a_cluster() {
    let home = Home::new();
    let text =
        "contract_version: v2\nprovider: docker\ncommand: [echo, ' ']\nenv: {A: [1]}\nextra: 1\n";
    // There is no cluster at all here.
    let run = piped(&home, &["run", "--payload", "-"], text);
    assert_eq!(run.code, 5, "{run:?}");
    for field in [
        "contract_version:",
        "provider:",
        "command[1]:",
        "env.A:",
        "extra:",
    ] {
        assert!(run.err.contains(field), "{run:?} lacks {field}");
    }
    let run = piped(&home, &["run", "--payload", "-"], "a: [\n");
    assert_eq!(run.code, 5, "{run:?}");
    assert!(
        run.err.contains("this is no YAML") && run.err.contains("line"),
        "{run:?}"
    );
    let run = home.run(&["run", "--payload", "/nonexistent.json"]);
    assert_eq!(run.code, 5, "{run:?}");
    assert!(run.err.contains("/nonexistent.json"), "{run:?}");
}

fn dry(home: &Home, arguments: &[&str]) -> [Value; 2] {
    let mut all = vec!["run"];
    all.extend(arguments);
    all.extend(["--dry-run", "-o", "json"]);
    let list = home.run(&all).ended(0).json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    [items[0].clone(), items[1].clone()]
}

fn payload(configmap: &Value) -> Value {
    serde_json::from_str(configmap["data"]["payload.json"].as_str().unwrap()).unwrap()
}

#[test]
fn a_dry_run_prints_the_objects_without_secrets_and_without_a_cluster() {
    let home = Home::new();
    let file = home.write("p.yaml", YAML);
    let run = home.run(&[
        "run",
        "--payload",
        file.to_str().unwrap(),
        "--dry-run",
        "--set",
        "env.TOKEN=t0p-s3cret",
    ]);
    let text = &run.ended(0).out;
    assert!(
        text.contains("kind: Job") && text.contains("\n---\n"),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
    let [job, configmap] = dry(
        &home,
        &["hello", "--ttl", "90", "--timeout", "60", "--gpu", "2"],
    );
    assert_eq!(job["spec"]["ttlSecondsAfterFinished"], 90);
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["activeDeadlineSeconds"], 60);
    assert_eq!(
        pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"],
        "2"
    );
    assert_eq!(payload(&configmap)["timeout_seconds"], 60);
    assert_eq!(configmap["metadata"].get("ownerReferences"), None);
}

#[test]
fn image_and_class_go_before_the_settings() {
    let home = Home::new();
    let image = |arguments: &[&str]| {
        let [job, _] = dry(&home, arguments);
        job["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    let vllm = image(&["hello", "--class", "vllm"]);
    assert!(vllm.as_str().unwrap().contains("vllm"), "{vllm}");
    assert_eq!(
        image(&["hello", "--class", "vllm", "--image", "mine:1"]),
        "mine:1"
    );
    let asked = image(&["node", "llm_call", "--set", "provider=vllm_local"]);
    assert_eq!(asked, vllm);
    let frontier = image(&[
        "node",
        "llm_call",
        "--set",
        "provider=vllm_local",
        "--class",
        "frontier",
    ]);
    assert!(
        frontier.as_str().unwrap().contains("frontier"),
        "{frontier}"
    );
}

#[test]
fn all_twelve_node_types_can_be_asked_for() {
    let home = Home::new();
    for (kind, sets) in [
        ("start", &[][..]),
        ("end", &[]),
        ("flowchart", &["ref_id=2"]),
        ("task", &["task_prompt=Summarise."]),
        ("plan", &["store_mode=append", "ref_id=4"]),
        ("milestone", &["action=create_or_update"]),
        ("memory", &["action=add", "text=remember"]),
        (
            "decision",
            &[r#"decision_conditions=[{"connector_id": "yes", "condition_text": "a == 1"}]"#],
        ),
        ("rag", &["mode=query", "question_prompt=What?", "top_k=3"]),
        ("agent_task", &["agent_task_id=31"]),
        ("llm_call", &["prompt=Say hello."]),
        ("rag_chat_completion", &[]),
    ] {
        let mut arguments = vec!["node", kind];
        arguments.extend(sets.iter().flat_map(|set| ["--set", set]));
        let [job, configmap] = dry(&home, &arguments);
        let payload = payload(&configmap);
        let request = &payload["node_execution"]["request"];
        assert_eq!(request["node_type"], kind);
        assert_eq!(request["execution_index"], 1);
        let annotations = &job["metadata"]["annotations"];
        assert_eq!(annotations["llmctl.dev/sample"], kind.replace('_', "-"));
    }
    for (arguments, says) in [
        (&["node", "decision"][..], "decision_conditions"),
        (
            &["node", "task", "--set", "task_promt=x"],
            "task_prompt, agent_id",
        ),
        (
            &[
                "node",
                "plan",
                "--set",
                "mode=guess",
                "--set",
                "retry_count=9",
            ],
            "retry_count: must be a whole number from 0 to 5",
        ),
        (&["node", "nosuch"], "rag_chat_completion"),
        (&["node"], "a node type is missing"),
        (&["hello", "task"], "run node task"),
        (&["hello", "--set", "shell=x"], "shell_command"),
    ] {
        let mut all = vec!["run", "--dry-run"];
        all.extend(arguments);
        let run = home.run(&all);
        assert_eq!(run.code, 5, "{run:?}");
        assert!(run.err.contains(says), "{run:?} lacks {says}");
    }
}

#[test]
fn a_samples_payload_is_changed_by_set() {
    let home = Home::new();
    home.write(
        "config/llmctl-dev/samples/mine.toml",
        "summary = 's'\nshell_command = 'echo $A $B'\nenv = {A = 'one', B = 'two'}\n",
    );
    let run = home.run(&[
        "run",
        "mine",
        "--sandbox",
        "--set",
        "env.B=yes",
        "--wait",
        "-o",
        "json",
    ]);
    let document = run.ended(0).json();
    assert_eq!(document["executor"]["stdout"], "one yes\n", "{document:#}");
}
