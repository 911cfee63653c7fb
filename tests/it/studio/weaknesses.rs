//! Weaknesses of Studio's own handling of the kubeconfig that are not repeated here, by their numbers in the contract (6.5).

use super::cli::{KUBECONFIG, home, run};
use super::rows::{rows, studio};
use crate::support::postgres::Database;

/// Everything of the kubeconfig's row, and which transaction wrote it.
fn row(database: &Database) -> String {
    database.sql(
        "SELECT t::text || xmin::text FROM integration_settings t WHERE key = 'k8s_kubeconfig'",
    )
}

/// A database with a kubeconfig that was stored under `replace-me`.
fn with_kubeconfig(test: &str) -> Option<Database> {
    let database = studio(test, &[("k8s_gpu_limit", "1")])?;
    let home = home().with("FLASK_SECRET_KEY", "replace-me");
    let file = home.write("kubeconfig", KUBECONFIG);
    let set = ["settings", "kubeconfig", "set", file.to_str().unwrap()];
    run(&home, &database, &set).ended(0);
    Some(database)
}

#[test]
fn w37_under_another_secret_the_stored_kubeconfig_is_kept_and_that_is_said() {
    let Some(database) = with_kubeconfig("w37") else {
        return;
    };
    let before = row(&database);
    let other = home().with("FLASK_SECRET_KEY", "another");
    let file = other.write("kubeconfig", KUBECONFIG);
    let file = file.to_str().unwrap();
    for verb in [&["set", file][..], &["clear"]] {
        let line = [&["settings", "kubeconfig"], verb].concat();
        let ran = run(&other, &database, &line);
        assert!(ran.ended(4).err.contains("kept as it is"), "{ran:?}");
        assert_eq!(row(&database), before, "{verb:?}");
    }
    let told = run(&other, &database, &["settings", "kubeconfig", "show"]);
    assert!(told.ended(0).out.contains("FLASK_SECRET_KEY"), "{told:?}");
    other
        .run(&["settings", "set", "k8s_gpu_limit", "2"])
        .ended(0);
    let push = ["settings", "push", "--to", "studio", "--yes"];
    run(&other, &database, &push).ended(0);
    assert!(rows(&database).starts_with("k8s_gpu_limit=2"));
    assert_eq!(row(&database), before);
}

#[test]
fn w40_the_time_of_the_kubeconfig_is_that_of_its_last_change() {
    let Some(database) = with_kubeconfig("w40") else {
        return;
    };
    let before = row(&database);
    let home = home().with("FLASK_SECRET_KEY", "replace-me");
    home.run(&["settings", "set", "k8s_gpu_limit", "2"])
        .ended(0);
    for line in [
        &["settings", "kubeconfig", "show"][..],
        &["settings", "push", "--to", "studio", "--yes"],
        &["settings", "pull", "--from", "studio"],
        &["settings", "kubeconfig", "show", "-o", "json"],
    ] {
        run(&home, &database, line).ended(0);
        assert_eq!(row(&database), before, "{line:?}");
    }
}

#[test]
fn w46_the_default_secret_is_said_to_protect_nothing_and_nothing_is_stored_in_clear() {
    let Some(database) = studio("w46", &[]) else {
        return;
    };
    let home = home();
    let file = home.write("kubeconfig", KUBECONFIG);
    let set = ["settings", "kubeconfig", "set", file.to_str().unwrap()];
    let ran = run(&home, &database, &set);
    assert!(ran.ended(0).err.contains("protects nothing"), "{ran:?}");
    assert!(rows(&database).starts_with("k8s_kubeconfig=enc:v1:gAAAA"));
}
