//! Who gets in: the sandbox runs commands as its user.

use std::os::unix::fs::PermissionsExt as _;

use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use rustix::process::Signal;
use serde_json::Value;

use super::Served;

async fn config(sandbox: &Served) -> Config {
    let file = Kubeconfig::read_from(&sandbox.kubeconfig).unwrap();
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .unwrap();
    config.proxy_url = None;
    config
}

/// The answer to a request for the pods, with one more header.
async fn answer(config: Config, header: (&str, &str)) -> (u16, Value) {
    let client = kube::Client::try_from(config).unwrap();
    let request = http::Request::get("/api/v1/namespaces/default/pods")
        .header(header.0, header.1)
        .body(Body::empty())
        .unwrap();
    let response = client.send(request).await.unwrap();
    let code = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (code, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn only_the_bearer_of_the_token_enters() {
    let Some(sandbox) = Served::start() else {
        return;
    };
    let mode = std::fs::metadata(&sandbox.kubeconfig)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let whole = config(&sandbox).await;
    assert_eq!(
        answer(whole.clone(), ("accept", "application/json"))
            .await
            .0,
        200
    );
    let mut without = whole.clone();
    without.auth_info = kube::config::AuthInfo::default();
    let (code, status) = answer(without, ("accept", "application/json")).await;
    assert_eq!((code, &status["reason"]), (401, &"Unauthorized".into()));
    for header in [
        ("origin", "https://example.com"),
        ("origin", "null"),
        ("host", "example.com"),
        ("host", "127.0.0.1:1"),
    ] {
        let (code, status) = answer(whole.clone(), header).await;
        assert_eq!(code, 403, "{header:?}: {status}");
        assert_eq!(status["reason"], "Forbidden", "{status}");
    }
    let stranger = sandbox.fails("get pods --token guess");
    assert!(
        stranger.contains("You must be logged in to the server"),
        "{stranger}"
    );
    let untrusting = sandbox.fails("get pods --certificate-authority=/dev/null");
    assert!(!untrusting.is_empty());
}

#[test]
fn the_kubeconfig_is_its_own_and_goes_with_it() {
    let Some(mut sandbox) = Served::start() else {
        return;
    };
    let file = sandbox.home.write("mine", "apiVersion: v1\nkind: Config\n");
    let refused = sandbox
        .home
        .run(&["sandbox", "--kubeconfig", file.to_str().unwrap()]);
    refused.ended(4);
    assert!(refused.err.contains("is left as it is"), "{refused:?}");
    let open = sandbox.home.run(&["sandbox", "--listen", "0.0.0.0:0"]);
    open.ended(4);
    assert!(open.err.contains("loopback"), "{open:?}");
    sandbox.signal(Signal::INT);
    sandbox.child.wait().unwrap();
    assert!(!sandbox.kubeconfig.exists());
    let nobody = sandbox.fails("get pods");
    assert!(!nobody.is_empty());
}
