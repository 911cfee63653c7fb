//! The audit of a checkout, through the real program.

use crate::support::home::Home;
use llmctl_dev::domain::audit::Level;
use llmctl_dev::domain::audit::judge::judge;
use llmctl_dev::files::audit::page;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

/// Every sample of the contract's own list, by the level of its worst finding.
#[test]
fn the_samples_of_the_contract() {
    let samples: Value = serde_json::from_str(include_str!("fixtures/compose-audit.json")).unwrap();
    let cases = samples["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let path = case["path"].as_str().unwrap();
        let findings = judge(&page(path, case["text"].as_str().unwrap()));
        let worst = findings
            .iter()
            .map(|finding| finding.level)
            .filter(|level| *level != Level::Allowed)
            .min();
        let expected = match case["expect"]["severity"].as_str() {
            Some("error") => Some(Level::Error),
            Some("notice") => Some(Level::Notice),
            _ => None,
        };
        assert_eq!(worst, expected, "{name}: {findings:#?}");
    }
}

/// What a file of a checkout says, and what the audit says of it: rule, level, line.
type File = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, u64)],
);

const CHECKOUT: &[File] = &[
    (
        "docker/docker-compose.yml",
        "x-all: &all\n  image: llmctl-studio:latest\n  volumes:\n    - /var/run/docker.sock:/var/run/docker.sock\nservices:\n  llmctl-redis: {image: redis}\n  web:\n    <<: *all\n",
        &[
            ("docker-socket", "error", 4),
            ("compose-file", "error", 6),
            ("compose-file", "error", 7),
        ],
    ),
    (
        "stack.yml",
        "services:\n  llmctl-postgres:\n    image: postgres:16\n",
        &[("compose-file", "error", 2)],
    ),
    (
        "Makefile",
        "up:\n\tdocker \\\n\t  compose up -d\n# docker compose down\nimages:\n\tdocker build .\n",
        &[
            ("compose-command", "error", 2),
            ("compose-mention", "notice", 4),
        ],
    ),
    (
        ".github/workflows/test.yml",
        "jobs:\n  a:\n    steps:\n      - name: with docker compose\n        run: |\n          docker-compose -f x.yml up -d\n          pytest\n",
        &[
            ("compose-mention", "notice", 4),
            ("compose-command", "error", 6),
        ],
    ),
    (
        "docs/run.rst",
        "Old\n===\n\nDo not use ``docker compose up`` here. Start with::\n\n    docker compose logs -f llmctl-studio\n",
        &[
            ("compose-mention", "notice", 4),
            ("compose-command", "error", 6),
        ],
    ),
    (
        "README.md",
        "We left Docker Compose.\n\n```python\nfrom services.execution.workspace_executor import WorkspaceExecutor\n```\n",
        &[
            ("compose-mention", "notice", 1),
            ("removed-executor", "error", 4),
        ],
    ),
    (
        ".env",
        "LLMCTL_NODE_EXECUTOR_PROVIDER=\"docker\"\n# LLMCTL_NODE_EXECUTOR_FALLBACK_ENABLED=true\nLLMCTL_NODE_EXECUTOR_DOCKER_ENV_JSON={\"TOKEN\":\"hush-hush\"}\n",
        &[
            ("other-provider", "error", 1),
            ("removed-setting", "notice", 2),
            ("removed-setting", "error", 3),
        ],
    ),
    (
        "kubernetes/deploy.yaml",
        "kind: Deployment\nspec:\n  env:\n    - name: LLMCTL_NODE_EXECUTOR_PROVIDER\n      value: workspace\n    - name: LLMCTL_NODE_EXECUTOR_K8S_IMAGE\n      value: x\n  volumes:\n    - hostPath:\n        path: /var/run/docker.sock\n",
        &[
            ("other-provider", "error", 4),
            ("dead-variable", "notice", 6),
            ("docker-socket", "error", 10),
        ],
    ),
    (
        "app/x/services/execution/docker_executor.py",
        "pass\n",
        &[("removed-executor", "error", 0)],
    ),
    (
        "scripts/build/all.sh",
        "docker compose build\ndocker push x\n",
        &[("image-build", "allowed", 0)],
    ),
    (
        "docs/planning/archive/old.md",
        "`docker compose up`\n",
        &[("compose-mention", "allowed", 1)],
    ),
    (
        "src/composer.py",
        "def compose(docker): return docker\n",
        &[],
    ),
    ("ignored/run.sh", "docker compose up\n", &[]),
    (".gitignore", "ignored/\n", &[]),
];

fn checkout(home: &Home) -> String {
    for (path, text, _) in CHECKOUT {
        home.write(&format!("checkout/{path}"), text);
    }
    home.path().join("checkout").to_string_lossy().into_owned()
}

fn audited(home: &Home, more: &[&str]) -> (i32, Value) {
    let path = home.path().join("checkout").to_string_lossy().into_owned();
    let ran = home.run(&[&["audit", &path, "-o", "json", "--no-docker"], more].concat());
    (ran.code, serde_json::from_str(&ran.out).unwrap())
}

#[test]
fn a_checkout_is_told_by_rule_file_and_line() {
    let home = Home::new();
    checkout(&home);
    let (code, document) = audited(&home, &[]);
    assert_eq!(code, 1);
    assert_eq!(document["schema"], "llmctl-dev/audit/v1");
    for (path, _, expected) in CHECKOUT {
        let told: Vec<(&str, &str, u64)> = document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|finding| finding["path"] == *path)
            .map(|finding| {
                (
                    finding["rule"].as_str().unwrap(),
                    finding["level"].as_str().unwrap(),
                    finding["line"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(told, *expected, "{path}");
    }
    assert!(!document.to_string().contains("hush-hush"));
    let way = |rule: &str, path: &str| {
        let all = document["findings"].as_array().unwrap();
        let found = all.iter().find(|f| f["rule"] == rule && f["path"] == path);
        found.unwrap()["instead"].as_str().unwrap().to_owned()
    };
    assert!(way("compose-file", "stack.yml").contains("llmctl-postgres, port 5432"));
    assert!(
        way("compose-command", "docs/run.rst").contains("logs -f deployment/llmctl-studio-backend")
    );
}

#[test]
fn levels_decide_the_exit_code_and_a_baseline_accepts() {
    let home = Home::new();
    home.write("checkout/README.md", "We left Docker Compose.\n");
    assert_eq!(audited(&home, &[]).0, 0);
    assert_eq!(audited(&home, &["--fail-on", "notice"]).0, 1);

    home.write("checkout/run.sh", "docker compose up\n");
    assert_eq!(audited(&home, &[]).0, 1);
    assert_eq!(audited(&home, &["--fail-on", "never"]).0, 0);
    let baseline = home
        .path()
        .join("accepted.json")
        .to_string_lossy()
        .into_owned();
    let path = home.path().join("checkout").to_string_lossy().into_owned();
    let wrote = home.run(&["audit", &path, "--no-docker", "--write-baseline", &baseline]);
    assert_eq!((wrote.code, wrote.out.as_str()), (0, ""), "{}", wrote.err);
    // Lines may move.
    home.write("checkout/run.sh", "# first\n\ndocker compose up\n");
    let (code, document) = audited(&home, &["--baseline", &baseline, "--fail-on", "notice"]);
    assert_eq!((code, document["accepted"].as_u64()), (0, Some(2)));
    // A second one was not accepted.
    home.write("checkout/run.sh", "docker compose up\ndocker compose up\n");
    assert_eq!(audited(&home, &["--baseline", &baseline]).0, 1);

    home.write("accepted.json", "{}");
    let broken = home.run(&["audit", &path, "--baseline", &baseline]);
    assert_eq!(broken.code, 5);
    assert!(broken.err.contains("accepted.json"), "{}", broken.err);
}

#[test]
fn what_is_no_text_or_too_long_is_skipped_and_told() {
    let home = Home::new();
    let huge = home.write("checkout/disk.img", "");
    std::fs::File::options()
        .write(true)
        .open(&huge)
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    home.write("checkout/long.sh", &"docker compose up\n".repeat(300_000));
    home.write("checkout/latin.sh", "docker compose up\n");
    std::fs::write(
        home.path().join("checkout/latin.sh"),
        b"# \xe9\ndocker compose up\n",
    )
    .unwrap();
    let (code, document) = audited(&home, &[]);
    assert_eq!(code, 1);
    let skipped: Vec<(&str, &str)> = document["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["path"].as_str().unwrap(), one["why"].as_str().unwrap()))
        .collect();
    assert_eq!(
        skipped,
        [("disk.img", "not text"), ("long.sh", "5 MiB long")]
    );
    assert_eq!(document["findings"][0]["path"], "latin.sh");

    let nowhere = home.run(&["audit", "no-such-directory"]);
    assert_eq!(nowhere.code, 5);
    assert!(nowhere.err.contains("no-such-directory"), "{}", nowhere.err);
}

#[test]
fn sarif_and_text() {
    let home = Home::new();
    let path = checkout(&home);
    let ran = home.run(&["audit", &path, "--no-docker", "--sarif"]);
    assert_eq!(ran.code, 1);
    let log: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        assert!(
            !place["artifactLocation"]["uri"]
                .as_str()
                .unwrap()
                .starts_with('/')
        );
    }
    let text = home.run(&["audit", &path, "--no-docker"]).out;
    assert!(
        text.contains("error    docker/docker-compose.yml:6  compose-file"),
        "{text}"
    );
    assert!(text.contains("2 allowed in 13 files"), "{text}");
    assert!(!text.contains('\x1b'));
}

/// Answers as a container engine does, with what Compose would have left; keeps all that it was asked.
fn engine(home: &Home) -> Arc<Mutex<Vec<String>>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&asked);
    let socket = home.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            keep.lock().unwrap().push(head.clone());
            let body = if head.contains("/containers/json") {
                r#"[{"Names":["/docker-llmctl-redis-1"],"State":"running","Labels":{"com.docker.compose.project":"docker","com.docker.compose.service":"llmctl-redis"}},
                    {"Names":["/blog-1"],"State":"running","Labels":{"com.docker.compose.project":"blog","com.docker.compose.service":"web"}}]"#
            } else if head.contains("/networks") {
                r#"[{"Name":"docker_default","Labels":{"com.docker.compose.project":"docker"}}]"#
            } else {
                r#"{"Volumes":[{"Name":"docker_postgres_data","Labels":{"com.docker.compose.project":"docker"}}]}"#
            };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    asked
}

#[test]
fn what_compose_left_on_the_machine_is_told() {
    let home = Home::new();
    home.write("checkout/a.txt", "nothing\n");
    let asked = engine(&home);
    // By a way round, as a path of one's own may be.
    let host = format!("unix://{}/checkout/../engine.sock", home.path().display());
    let home = home.with("DOCKER_HOST", host);
    let path = home.path().join("checkout").to_string_lossy().into_owned();
    let ran = home.run(&["audit", &path, "-o", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let told: Vec<(&str, &str)> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["path"].as_str().unwrap(),
                one["level"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("container/docker-llmctl-redis-1", "error"),
            ("network/docker_default", "notice"),
            ("volume/docker_postgres_data", "notice"),
        ]
    );

    // It was only looked at: three questions, each without a body, and nothing else.
    let asked = asked.lock().unwrap().clone();
    let questions: Vec<&str> = asked
        .iter()
        .map(|head| head.split(['?', ' ']).nth(1).unwrap())
        .collect();
    assert_eq!(questions, ["/containers/json", "/networks", "/volumes"]);
    for head in asked {
        let lower = head.to_lowercase();
        assert!(head.starts_with("GET "), "{head}");
        assert!(
            !lower.contains("content-length") && !lower.contains("transfer-encoding"),
            "{head}"
        );
    }

    // An engine that is not there any more is no reason to fail.
    std::fs::remove_file(home.path().join("engine.sock")).unwrap();
    assert_eq!(home.run(&["audit", &path]).code, 0);
    drop(UnixListener::bind(home.path().join("engine.sock")).unwrap());
    let ran = home.run(&["audit", &path]);
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("cannot be reached"), "{}", ran.err);
}
