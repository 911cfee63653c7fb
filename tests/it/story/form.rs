//! The fields of the run dialog and the form of a node.

use super::Story;
use serde_json::Value;

#[tokio::test]
async fn an_environment_a_class_and_a_nodes_fields_are_filled_in() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    // Backwards from the samples: the environment, the class.
    story.press("r\u{21e4}");
    story.press("GREETING='good morning' MORE=1\u{21e4}");
    story.press("\u{2192}");
    assert!(story.screen().contains("<frontier>"), "{}", story.screen());
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
    let payload: Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(payload["env"]["GREETING"], "good morning");
    assert_eq!(payload["env"]["MORE"], "1");

    // The last type of all: a conversation. Its field is a list.
    story.press("rG");
    let screen = story.screen();
    assert!(screen.contains("▸ node rag_chat_completion"), "{screen}");
    story.press("f");
    let screen = story.screen();
    assert!(screen.contains("messages *"), "{screen}");
    assert!(screen.contains("it breaks no rule"), "{screen}");
    story.press("x");
    let screen = story.screen();
    assert!(screen.contains("is no JSON"), "{screen}");
    // Not taken, and not lost by one escape.
    story.press("\n");
    story.press("\x1b");
    assert!(story.screen().contains("esc once more"));
    story.press("\x08");
    story.press("\n");
    let screen = story.screen();
    assert!(!screen.contains("Fields of node"), "{screen}");
    assert!(screen.contains("payload edited"), "{screen}");
    story.press("gf");
    assert!(story.screen().contains("runs no node that has fields"));
    story.close().await;
}
