//! A payload edited in the run dialog.

use super::Story;

#[tokio::test]
async fn what_was_typed_is_not_lost_by_one_escape_and_runs_when_taken() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    let in_order = |screen: &str| screen.contains("it breaks no rule of the contract");
    story.press("re");
    story.until("the editor", in_order).await;
    // Nothing was typed: escape leaves.
    story.press("\x1b");
    assert!(!story.screen().contains("Payload of hello"));

    story.press("e");
    story.until("the editor", in_order).await;
    story.press("env: {GREETING: moin}\n");
    story.until("the new text", in_order).await;
    story.press("\x1b");
    let screen = story.screen();
    assert!(
        screen.contains("GREETING") && screen.contains("esc once more"),
        "{screen}"
    );
    story.press("\x13");
    assert!(!story.screen().contains("Payload of hello"));
    story.press("\n");
    story.until_row(&["hello", "✓ success"]).await;
    let job = story.state.runs.all.iter().next().unwrap().job.clone();
    let payload = story
        .world
        .cluster()
        .payload("llmctl", &format!("{job}-payload"))
        .await
        .unwrap()
        .unwrap();
    assert!(payload.contains("GREETING"), "{payload}");

    // A second escape drops it.
    story.press("re");
    story.until("the editor", in_order).await;
    story.press("x\x1b");
    assert!(story.screen().contains("esc once more"));
    story.press("\x1b");
    assert!(!story.screen().contains("Payload of hello"));
    story.close().await;
}
