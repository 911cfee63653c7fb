//! `settings push`, `pull` and `kubeconfig` as a person runs them, against a real PostgreSQL.

use super::rows::{rows, studio};
use crate::support::home::{Home, Ran};
use crate::support::postgres::{Database, PASSWORD};
use serde_json::json;

/// A person who has the password in the environment.
pub(super) fn home() -> Home {
    Home::new().with("LLMCTL_POSTGRES_PASSWORD", PASSWORD)
}

/// Runs the program with `--postgres`; no secret is in anything that it says.
pub(super) fn run(home: &Home, database: &Database, arguments: &[&str]) -> Ran {
    let uri = database.uri();
    let log = home.path().join("log");
    let log = log.to_str().unwrap();
    let mut all = arguments.to_vec();
    all.extend(["--postgres", &uri, "--log-file", log, "-vv"]);
    let ran = home.run(&all);
    let logged = std::fs::read_to_string(log).unwrap_or_default();
    let said = format!("{}{}{logged}", ran.out, ran.err);
    for secret in [PASSWORD, "s3cret", "planted", "enc:v1:", "gAAAA"] {
        assert!(!said.contains(secret), "{secret} was told: {said}");
    }
    ran
}

#[test]
fn a_push_shows_the_difference_writes_it_and_the_second_has_nothing_to_do() {
    let Some(database) = studio("cli push", &[("k8s_gpu_limit", "1"), ("docker_host", "x")]) else {
        return;
    };
    let home = home();
    home.run(&[
        "settings",
        "set",
        "k8s_gpu_limit",
        "2",
        "k8s_job_ttl_seconds",
        "60",
        "k8s_live_code_enabled",
        "true",
    ])
    .ended(0);
    let push = ["settings", "push", "--to", "studio"];
    let ran = run(&home, &database, &[&push[..], &["--dry-run"]].concat());
    ran.ended(0);
    assert!(ran.err.contains("k8s_gpu_limit: 1 → 2"), "{ran:?}");
    assert!(ran.err.contains("docker_host"), "{ran:?}");
    assert!(ran.out.starts_with("would push 2 to Studio"), "{ran:?}");
    assert_eq!(rows(&database), "docker_host=x\nk8s_gpu_limit=1");

    // Nobody can be asked, and nobody said yes.
    run(&home, &database, &push).ended(2);
    let yes = [&push[..], &["--yes", "-o", "json"]].concat();
    let document = run(&home, &database, &yes).ended(0).json();
    assert_eq!(document["to"], "studio");
    assert_eq!(
        document["changes"],
        json!([
            {"key": "k8s_job_ttl_seconds", "from": null, "to": "60"},
            {"key": "k8s_gpu_limit", "from": "1", "to": "2"},
        ])
    );
    assert_eq!(
        rows(&database),
        "docker_host=x\nk8s_gpu_limit=2\nk8s_job_ttl_seconds=60"
    );
    let dump = database.dump();
    let ran = run(&home, &database, &[&push[..], &["--yes"]].concat());
    assert!(ran.ended(0).out.contains("nothing to push"), "{ran:?}");
    assert_eq!(database.dump(), dump);

    let ran = run(
        &home,
        &database,
        &[&push[..], &["k8s_live_code_enabled", "--yes"]].concat(),
    );
    assert!(ran.ended(5).err.contains("--to configmap"), "{ran:?}");
}

#[test]
fn a_pull_makes_the_file_say_what_studio_holds() {
    let before = [
        ("k8s_gpu_limit", "2"),
        ("k8s_job_ttl_seconds", "5"),
        ("k8s_namespace", "llmctl"),
    ];
    let Some(database) = studio("cli pull", &before) else {
        return;
    };
    let home = home();
    home.write(
        "config/llmctl-dev/executor.toml",
        "# mine\nk8s_service_account = \"x\"\nk8s_gpu_limit = 1 # why\n",
    );
    let pull = ["settings", "pull", "--from", "studio"];
    let document = run(
        &home,
        &database,
        &[&pull[..], &["--dry-run", "-o", "json"]].concat(),
    )
    .ended(0)
    .json();
    assert_eq!(document["edits"].as_array().unwrap().len(), 4, "{document}");
    let ran = run(&home, &database, &pull);
    ran.ended(0);
    assert!(ran.err.contains("k8s_job_ttl_seconds"), "{ran:?}");
    let file = std::fs::read_to_string(home.settings()).unwrap();
    assert!(
        file.contains("# mine") && file.contains("k8s_gpu_limit = 2 # why"),
        "{file}"
    );
    assert!(
        file.contains("k8s_job_ttl_seconds = 60") && !file.contains("service_account"),
        "{file}"
    );
    run(&home, &database, &pull).ended(0);
    assert_eq!(std::fs::read_to_string(home.settings()).unwrap(), file);
}

#[test]
fn a_password_is_taken_from_everywhere_but_the_arguments() {
    let Some(database) = studio("cli password", &[]) else {
        return;
    };
    let encoded = "planted%20s3cret%2Bpass%25word";
    let with_password = database
        .uri()
        .replace("llmctl@", &format!("llmctl:{encoded}@"));
    let show = ["settings", "kubeconfig", "show"];
    let nobody = Home::new();
    let ran = run(&nobody, &database, &show);
    assert!(
        ran.ended(1).err.contains("LLMCTL_POSTGRES_PASSWORD"),
        "{ran:?}"
    );

    let ran = nobody.run(&[&show[..], &["--postgres", &with_password]].concat());
    assert!(ran.ended(4).err.contains("LLMCTL_DEV_POSTGRES"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("s3cret"), "{ran:?}");

    let by_variable = Home::new().with("LLMCTL_DEV_POSTGRES", &with_password);
    let ran = by_variable.run(&show);
    assert!(
        ran.ended(0).out.contains("no kubeconfig is stored"),
        "{ran:?}"
    );
    assert!(!format!("{ran:?}").contains("s3cret"), "{ran:?}");

    let file = nobody.write("password", &format!("{PASSWORD}\n"));
    let by_file = ["--password-file", file.to_str().unwrap()];
    run(&nobody, &database, &[&show[..], &by_file].concat()).ended(0);

    let wrong = Home::new().with("PGPASSWORD", "s3cret of another");
    let ran = run(&wrong, &database, &show);
    assert!(
        ran.ended(1).err.contains("check the user and the password"),
        "{ran:?}"
    );
    let ran = nobody.run(&[&show[..], &["--postgres", "mysql://u@h/d"]].concat());
    assert!(ran.ended(5).err.contains("scheme"), "{ran:?}");
    let ran = nobody.run(&[&show[..], &["--postgres", "postgresql://u@127.0.0.1:1/d"]].concat());
    assert!(ran.ended(3).err.contains("127.0.0.1:1"), "{ran:?}");
}

#[test]
fn somebody_at_a_terminal_is_asked_for_the_password_and_it_is_not_echoed() {
    let Some(database) = studio("cli prompt", &[]) else {
        return;
    };
    let home = Home::new();
    let uri = database.uri();
    let mut terminal = home.terminal(&["settings", "kubeconfig", "show", "--postgres", &uri]);
    terminal.wait_for("Password of llmctl");
    terminal.press(&format!("{PASSWORD}\r"));
    terminal.wait_for("no kubeconfig is stored");
    assert!(!terminal.raw().contains("s3cret"), "{}", terminal.text());
    assert_eq!(terminal.exit(), 0);
}

pub(super) const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- {name: c, cluster: {server: 'https://192.0.2.1:8443'}}\n\
     contexts:\n- {name: c, context: {cluster: c, user: u}}\nusers:\n- {name: u, user: {token: planted-token}}\n";

#[test]
fn a_kubeconfig_is_stored_told_of_and_taken_out_and_never_shown() {
    let Some(database) = studio("cli kubeconfig", &[]) else {
        return;
    };
    let home = home().with("FLASK_SECRET_KEY", "replace-me");
    let file = home.write("kubeconfig", KUBECONFIG);
    let file = file.to_str().unwrap();
    let set = ["settings", "kubeconfig", "set", file];
    run(&home, &database, &[&set[..], &["--dry-run"]].concat()).ended(0);
    assert_eq!(rows(&database), "");
    let ran = run(&home, &database, &set);
    assert!(
        ran.ended(0).out.starts_with("kubeconfig sha256:"),
        "{ran:?}"
    );
    let stored = rows(&database);
    assert!(stored.starts_with("k8s_kubeconfig=enc:v1:"));
    let show = ["settings", "kubeconfig", "show", "-o", "json"];
    let document = run(&home, &database, &show).ended(0).json();
    assert_eq!(document["is_set"], true);
    assert_eq!(document["kubeconfig"]["encrypted"], true);
    assert!(
        document["kubeconfig"]["fingerprint"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );

    // Somebody with another secret changes nothing.
    let other = self::home().with("FLASK_SECRET_KEY", "another");
    for verb in [&set[..], &["settings", "kubeconfig", "clear"]] {
        let ran = run(&other, &database, verb);
        assert!(ran.ended(4).err.contains("kept as it is"), "{ran:?}");
        assert_eq!(rows(&database), stored);
    }
    let document = run(&other, &database, &show).ended(0).json();
    assert!(
        document["kubeconfig"]["unreadable"]
            .as_str()
            .unwrap()
            .contains("FLASK_SECRET_KEY")
    );
    other
        .run(&["settings", "set", "k8s_gpu_limit", "1"])
        .ended(0);
    run(
        &other,
        &database,
        &["settings", "push", "--to", "studio", "--yes"],
    )
    .ended(0);
    assert_eq!(rows(&database), format!("k8s_gpu_limit=1\n{stored}"));

    run(&home, &database, &["settings", "kubeconfig", "clear"]).ended(0);
    assert_eq!(rows(&database), "k8s_gpu_limit=1");
    let broken = home.write("broken", "users: [planted");
    let ran = run(
        &home,
        &database,
        &["settings", "kubeconfig", "set", broken.to_str().unwrap()],
    );
    assert!(ran.ended(5).err.contains("no kubeconfig"), "{ran:?}");
}

#[test]
fn the_sandbox_has_no_studio_and_says_so() {
    let home = Home::new();
    let ran = home.run(&["settings", "pull", "--from", "studio", "--sandbox"]);
    assert!(
        ran.ended(5).err.contains("LLMCTL_POSTGRES_PASSWORD"),
        "{ran:?}"
    );
}
