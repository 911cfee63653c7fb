//! Settings changed in the form, and what they do to the next run.

use super::Story;
use llmctl_dev::domain::runs::Ttl;

#[tokio::test]
async fn a_ttl_from_the_form_is_that_of_the_next_run() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config/executor.toml");
    let mut story = Story::open(home.path()).await;
    story.start("hello").await;
    story.until_row(&["hello", "retained", "29:5"]).await;

    story.press("2e/ttl\n");
    story
        .until("the field", |screen| screen.contains("▸ Job TTL"))
        .await;
    story.press("\n\x08\x08\x08\x08\x08\x0830\n");
    let rule = "must be a whole number of seconds from 60 to 86400";
    story.until(rule, |screen| screen.contains(rule)).await;
    // A wrong value is kept on the screen and cannot be saved.
    story.press("s");
    story
        .until("the wrong value", |screen| screen.contains("✗ wrong"))
        .await;
    assert!(!file.exists());
    story.press("\n\x08\x08\x08\x08\x08\x0860\n");
    story.press("s");
    story
        .until("saved", |screen| screen.contains("saved 1 setting"))
        .await;
    story.press("\x1b3");
    let saved = std::fs::read_to_string(file).unwrap();
    assert!(saved.contains("k8s_job_ttl_seconds = 60"), "{saved}");

    story.start("fail").await;
    story.until_row(&["fail", "✗", "exit 3"]).await;
    let runs = &story.state.runs.all;
    let ttls: Vec<Option<Ttl>> = runs.iter().map(|run| run.ttl).collect();
    assert_eq!(ttls, [Some(Ttl(60)), Some(Ttl(1800))]);
    story.pause();
    story.until_row(&["fail", "removed (TTL)"]).await;
    let first = story.state.runs.all.iter().last().unwrap();
    assert!(first.removal.is_none(), "the first one keeps its own");
    story.close().await;
}
