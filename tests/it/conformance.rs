//! One set of cases, held against the sandbox always and against a real cluster where there is one.
//!
//! A case does something through `kube::Client` and tells what it saw, line by line. What it tells is compared with the facts that a
//! real cluster gave, which are in `conformance/facts`: the same file for both, so that a difference between them fails on one side.

mod exchanges;
mod jobs;
mod logs;
mod place;
mod pods;
mod removal;
mod scene;
mod watches;
mod workloads;

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use place::Place;

/// Each case twice: once for each side.
macro_rules! cases {
    ($($name:ident = $case:expr;)*) => {
        mod on_the_sandbox {
            $(
                #[tokio::test]
                async fn $name() {
                    super::hold(super::Place::sandbox().await, stringify!($name), $case).await;
                }
            )*
        }

        mod on_a_cluster {
            $(
                #[tokio::test]
                async fn $name() {
                    if let Some(place) = super::Place::real(stringify!($name)).await {
                        super::hold(place, stringify!($name), $case).await;
                    }
                }
            )*
        }
    };
}

cases! {
    names = async |place| super::exchanges::told(place, include_str!("conformance/exchanges/names.yaml")).await;
    writes = async |place| super::exchanges::told(place, include_str!("conformance/exchanges/writes.yaml")).await;
    bodies = async |place| super::exchanges::told(place, include_str!("conformance/exchanges/bodies.yaml")).await;
    apply = async |place| super::exchanges::told(place, include_str!("conformance/exchanges/apply.yaml")).await;
    lists = async |place| super::exchanges::told(place, include_str!("conformance/exchanges/lists.yaml")).await;
    quotas = async |place| super::exchanges::told(place, include_str!("conformance/exchanges/quotas.yaml")).await;
    rules = async |place| super::exchanges::told(place, include_str!("conformance/exchanges/rules.yaml")).await;
    deletes = async |place| super::exchanges::told(place, include_str!("conformance/exchanges/deletes.yaml")).await;
    jobs_end = super::jobs::ends;
    jobs_retry = super::jobs::retries;
    jobs_are_suspended = super::jobs::suspended;
    jobs_expire = super::jobs::expires;
    pods_wait = super::pods::wait;
    images = super::pods::images;
    propagation = super::removal::propagation;
    garbage = super::removal::garbage;
    grace = super::removal::grace;
    deaf_processes = super::removal::deaf_processes;
    pods_beyond_a_quota = super::jobs::beyond_a_quota;
    namespaces = super::removal::namespaces;
    watches_tell = super::watches::tell;
    bookmarks = super::watches::bookmarks;
    history_is_forgotten = super::watches::forgotten;
    log_options = super::logs::options;
    deployments = super::workloads::deployments;
}

/// Runs a case and compares what it told with the facts; the place is cleared whatever comes of it.
async fn hold(place: Place, name: &str, case: impl AsyncFnOnce(&Place) -> Vec<String>) {
    let told = AssertUnwindSafe(case(&place)).catch_unwind().await;
    place.clear().await;
    match told {
        Ok(lines) if lines.is_empty() => eprintln!("SKIPPED {name}: it cannot be had here now"),
        Ok(lines) => {
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path("conformance/facts");
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.bind(|| insta::assert_snapshot!(name, lines.join("\n")));
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
