//! `settings export`, `import` and `validate FILE`: settings in TOML, JSON and .env, there and back.

use crate::support::home::Home;

/// A person with settings of every kind, comments between them.
fn home() -> Home {
    let home = Home::new();
    home.write(
        "config/llmctl-dev/executor.toml",
        "# mine\nk8s_job_ttl_seconds = 90 # short\nk8s_namespace = 'llmctl'\nk8s_in_cluster = true\n\
         k8s_frontier_image = \"r.example.test:5000/x:1\"\nk8s_image_pull_secrets_json = '[\"regcred\", \"two\"]'\n\
         k8s_live_code_host_path = '/mnt/a b/\"c\"'\n",
    );
    home
}

#[test]
fn what_is_exported_in_any_form_is_imported_as_it_was() {
    let home = home();
    let all = home.run(&["settings", "show", "-o", "json"]).json();
    for (format, name) in [("toml", "a.toml"), ("json", "a.json"), ("env", "a.env")] {
        let exported = home.run(&["settings", "export", "--format", format]);
        assert_eq!(exported.ended(0).err, "");
        home.write(name, &exported.out);
        home.run(&["settings", "validate", name]).ended(0);

        let other = Home::new();
        other.write(name, &exported.out);
        let rehearsed = other.run(&["settings", "import", name, "--dry-run"]);
        let out = &rehearsed.ended(0).out;
        assert!(
            out.contains("k8s_job_ttl_seconds: 1800 (default) → 90"),
            "{out}"
        );
        assert!(out.contains("would save"), "{out}");
        assert!(!other.settings().exists());
        let document = other.run(&["settings", "import", name, "--dry-run", "-o", "json"]);
        assert_eq!(document.ended(0).json()["dry_run"], true);
        assert!(!other.settings().exists());

        let imported = other.run(&["settings", "import", name]);
        assert!(imported.ended(0).out.contains("saved"), "{imported:?}");
        let theirs = other.run(&["settings", "show", "-o", "json"]).json();
        assert_eq!(theirs["values"], all["values"], "{format}");
        let again = other
            .run(&["settings", "import", name, "-o", "json"])
            .json();
        assert_eq!(
            (&again["changed"], &again["dry_run"]),
            (&0.into(), &false.into())
        );

        // Here nothing changes, and not a byte of the file does.
        let before = std::fs::read(home.settings()).unwrap();
        let set = home.run(&["settings", "export", "--set", "--format", format]);
        home.write(name, &set.out);
        let same = home.run(&["settings", "import", name]);
        assert!(same.ended(0).out.contains("nothing to change"), "{same:?}");
        assert_eq!(std::fs::read(home.settings()).unwrap(), before);
    }
}

#[test]
fn all_problems_of_a_foreign_file_are_told_at_once_and_change_nothing() {
    let home = home();
    let before = std::fs::read(home.settings()).unwrap();
    for (name, text) in [
        (
            "wrong.toml",
            "k8s_job_ttl_seconds = 30\nk8s_gpu_limit = 9\nprovider = 'docker'\n",
        ),
        (
            "wrong.json",
            "{\"k8s_job_ttl_seconds\": 30, \"k8s_gpu_limit\": 9, \"provider\": \"docker\"}",
        ),
        (
            "wrong.env",
            "LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS=30\nLLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT=9\nLLMCTL_NODE_EXECUTOR_PROVIDER=docker\n",
        ),
    ] {
        home.write(name, text);
        let told = home.run(&["settings", "validate", name]);
        let imported = home.run(&["settings", "import", name]);
        let rehearsed = home.run(&["settings", "import", name, "--dry-run"]);
        for said in [
            &told.ended(5).out,
            &imported.ended(5).err,
            &rehearsed.ended(5).err,
        ] {
            for part in ["60 to 86400", "0 to 8", "Kubernetes is the only provider"] {
                assert!(said.contains(part), "{name} {part}: {said}");
            }
        }
        let document = home.run(&["settings", "validate", name, "-o", "json"]);
        let document = document.ended(5).json();
        assert_eq!(document["valid"], false);
        assert_eq!(document["problems"].as_array().unwrap().len(), 3, "{name}");
    }
    assert_eq!(std::fs::read(home.settings()).unwrap(), before);
}
