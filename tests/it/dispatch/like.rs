//! `run --like RUN`: the request of a run that was there, again or changed.

use crate::support::ground::Ground;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_sent_again_and_changed() {
    let ground = Ground::new().await;
    let first = ground
        .say("run hello --timeout 77 --ttl 99 --set env.WORD=s3cret --wait -o json")
        .await
        .unwrap();
    let first = first.ended(0).json();
    let again = ground
        .say("run --like last --again --wait -o json")
        .await
        .unwrap();
    let again = again.ended(0).json();
    assert_eq!(again["run"], "1.2");
    assert_eq!(
        again["settings"], first["settings"],
        "all but the pass is the same"
    );
    assert_ne!(again["job"], first["job"]);

    // Changed, and under a number of its own.
    let dry = ground
        .say("run --like 1 --set shell_command=true --set command=null --ttl 100 --dry-run -o json")
        .await
        .unwrap();
    let dry = dry.ended(0).json().to_string();
    assert!(dry.contains("\"ttlSecondsAfterFinished\":100"), "{dry}");
    assert!(!dry.contains("s3cret"), "{dry}");
    let changed = ground
        .say("run --like 1.2 --ttl 100 --wait -o json")
        .await
        .unwrap();
    let changed = changed.ended(0).json();
    assert_eq!(
        (&changed["run"], &changed["ttl"]["seconds"]),
        (&json!("2"), &json!(100))
    );
    assert_eq!(changed["settings"]["execution_timeout_seconds"], 77);

    let none = ground.say("run --like 77").await.unwrap();
    assert!(
        none.ended(5).err.contains("there is no run `77`"),
        "{none:?}"
    );
    ground.sandbox.stop().await;
}
