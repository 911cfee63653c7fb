//! Weaknesses of Studio's own settings code that are not repeated here, by their numbers in the contract (6.5).

use llmctl_dev::domain::settings::Settings;
use llmctl_dev::domain::settings::edit::Edit;
use llmctl_dev::domain::settings::held::Held;
use llmctl_dev::domain::settings::images::ImageClass;
use llmctl_dev::domain::settings::key::Key;
use llmctl_dev::domain::settings::layers::{Layer, Layered, Origin};
use llmctl_dev::domain::settings::problem::Broken;
use llmctl_dev::domain::settings::value::Value;
use llmctl_dev::files::settings as file;
use std::path::Path;

const DIGEST: &str =
    "r.example.test/x@sha256:1111111111111111111111111111111111111111111111111111111111111111";

#[test]
fn w24_what_kubernetes_would_refuse_later_is_refused_now() {
    let long = "a".repeat(64);
    for (key, text, broken) in [
        (Key::WorkspaceIdentityKey, &long[..], Broken::NotALabelValue),
        (Key::WorkspaceIdentityKey, "a-", Broken::NotALabelValue),
        (Key::WorkspaceIdentityKey, "a_", Broken::NotALabelValue),
        (Key::WorkspaceIdentityKey, ".a", Broken::NotALabelValue),
        (Key::K8sNamespace, "Upper", Broken::NotADnsLabel),
        (Key::K8sNamespace, "a.b", Broken::NotADnsLabel),
        (Key::K8sNamespace, &long, Broken::NotADnsLabel),
        (Key::K8sServiceAccount, "a_b", Broken::NotADnsSubdomain),
        (Key::K8sServiceAccount, "a..b", Broken::NotADnsSubdomain),
        (
            Key::K8sImagePullSecretsJson,
            "[\"ok\", \"Not Ok\"]",
            Broken::PullSecretName { at: 2 },
        ),
    ] {
        assert_eq!(key.parse(text).unwrap_err().broken, broken, "{key} {text}");
    }
    assert!(Key::WorkspaceIdentityKey.parse(&long[1..]).is_ok());
    assert!(
        Key::K8sServiceAccount
            .parse(&format!("{}.b", &long[1..]))
            .is_ok()
    );
}

#[test]
fn w27_a_digest_stays_pinned_whatever_the_tag_key_says() {
    let mut settings = Settings::default();
    settings.put(Key::K8sFrontierImage, &Value::Text(DIGEST.into()));
    settings.put(Key::K8sFrontierImageTag, &Value::Text("0.2.0".into()));
    assert_eq!(settings.image(ImageClass::Frontier), DIGEST);
    assert_eq!(settings.for_runs("llmctl").frontier_image, DIGEST);
    // Read from rows where Studio filled the tag in by itself, it is pinned as well.
    let rows = [
        ("k8s_frontier_image", DIGEST),
        ("k8s_frontier_image_tag", "latest"),
    ];
    let held = Held::of_rows("rows", rows);
    assert_eq!(
        held.says(Key::K8sFrontierImage),
        Some(&Value::Text(DIGEST.into()))
    );
}

#[test]
fn w28_only_vllm_jobs_ask_for_a_gpu() {
    let mut settings = Settings::default();
    settings.put(Key::K8sGpuLimit, &Value::Whole(2));
    assert_eq!(settings.gpus(ImageClass::Frontier), 0);
    assert_eq!(settings.gpus(ImageClass::Vllm), 2);
}

#[test]
fn w38_a_single_image_of_old_is_told_and_not_passed_over() {
    let held = Held::of_rows("rows", [("k8s_image", "mine:1"), ("k8s_image_tag", "2")]);
    assert_eq!(held.layer.remarks.len(), 2, "{:?}", held.layer.remarks);
    let layer = file::parse(Path::new("executor.toml"), "k8s_image = 'mine:1'\n");
    assert!(
        layer.remarks[0].contains("k8s_frontier_image"),
        "{:?}",
        layer.remarks
    );
}

#[test]
fn w39_a_default_is_never_frozen_into_a_file() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("executor.toml");
    let edit = |from: Option<u32>, to: Option<u32>| Edit {
        key: Key::K8sJobTtlSeconds,
        from: from.map(Value::Whole),
        to: to.map(Value::Whole),
    };
    file::save(&path, &[edit(None, Some(60))]).unwrap();
    let layered = Layered::new(&path, file::load(&path).unwrap(), Layer::default());
    let set: Vec<Key> = Key::ALL
        .into_iter()
        .filter(|key| layered.origin(*key) != Origin::Default)
        .collect();
    assert_eq!(set, [Key::K8sJobTtlSeconds]);
    file::save(&path, &[edit(Some(60), None)]).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().trim(), "");
    // The 60 s that old installations froze are told as what they are.
    assert!(Key::DispatchTimeoutSeconds.facts().help.contains("60"));
}

#[test]
fn w41_broken_pull_secrets_are_told_and_stop_nothing() {
    for broken in ["{bad", "{}", "7"] {
        let rows = [
            ("k8s_image_pull_secrets_json", broken),
            ("k8s_gpu_limit", "1"),
        ];
        let held = Held::of_rows("rows", rows);
        assert_eq!(held.says(Key::K8sGpuLimit), Some(&Value::Whole(1)));
        assert_eq!(held.layer.remarks.len(), 1, "{broken}");
        // What is stored stays as it is until somebody changes it.
        assert_eq!(held.texts[&Key::K8sImagePullSecretsJson], broken);
    }
}

#[test]
fn w47_a_change_of_one_key_is_a_change_of_no_other() {
    let variables = [
        ("LLMCTL_NODE_EXECUTOR_AGENT_RUNTIME_CUTOVER_ENABLED", "true"),
        ("LLMCTL_NODE_EXECUTOR_CANCEL_FORCE_KILL_ENABLED", "true"),
        ("LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT", "1"),
    ];
    let held = Held::of_variables("m", variables);
    let mut wanted = Settings::default();
    wanted.put(Key::K8sGpuLimit, &Value::Whole(2));
    let changes = held.changes(&wanted, &[Key::K8sGpuLimit]);
    let keys: Vec<Key> = changes.iter().map(|change| change.key).collect();
    assert_eq!(keys, [Key::K8sGpuLimit]);

    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("executor.toml");
    let before =
        "# why\nagent_runtime_cutover_enabled = true\nk8s_gpu_limit = 1 # one\nmine = 'kept'\n";
    std::fs::write(&path, before).unwrap();
    let edit = Edit {
        key: Key::K8sGpuLimit,
        from: Some(Value::Whole(1)),
        to: Some(Value::Whole(2)),
    };
    file::save(&path, &[edit]).unwrap();
    let after = std::fs::read_to_string(&path).unwrap();
    assert_eq!(after, before.replace("limit = 1", "limit = 2"));
}

#[test]
fn w48_a_number_that_is_wrong_is_an_error_with_its_rule() {
    for text in ["0", "-5", "99999999999999999999", "1.5", "", "ten", "1__0"] {
        let told = Key::DispatchTimeoutSeconds
            .parse(text)
            .unwrap_err()
            .to_string();
        assert!(told.contains("from 5 to 3600"), "{text}: {told}");
    }
    // Read from stored rows it is changed as Studio changes it, and that is told.
    let held = Held::of_rows("rows", [("dispatch_timeout_seconds", "99999")]);
    assert_eq!(
        held.says(Key::DispatchTimeoutSeconds),
        Some(&Value::Whole(3600))
    );
    assert!(
        held.layer.remarks[0].contains("now \"3600\""),
        "{:?}",
        held.layer.remarks
    );
}
