//! A run asked for once more, as the next pass or changed; and one that does not want to end.

use super::Story;
use llmctl_dev::app::settings::Slice;
use llmctl_dev::domain::runs::Run;
use llmctl_dev::domain::settings::layers::{Layer, Layered};
use llmctl_dev::files::settings::load;
use std::path::Path;

fn runs(story: &Story) -> Vec<&Run> {
    story.state.runs.all.iter().collect()
}

/// A sample of the person who lives there.
fn sample(home: &Path, name: &str, text: &str) {
    let directory = llmctl_dev::files::paths::Paths::under(home).samples_dir();
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(format!("{name}.toml")), text).unwrap();
}

#[tokio::test]
async fn again_is_the_same_request_as_the_next_pass() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    story.start("hello").await;
    story.until_row(&["hello", "retained", "✓ success"]).await;
    story.press("R");
    story.until_row(&["1.2", "hello", "✓ success"]).await;
    // The second one again: behind it, and not a second time behind the first.
    story.press("R");
    story.until_row(&["1.3", "hello", "✓ success"]).await;
    let all = runs(&story);
    let numbers: Vec<_> = all.iter().map(|run| (run.execution, run.pass)).collect();
    assert_eq!(
        numbers,
        [(Some(1), Some(3)), (Some(1), Some(2)), (Some(1), None)]
    );
    let (first, second) = (all[2], all[1]);
    assert_ne!(first.job, second.job);
    assert_eq!(first.image, second.image);
    assert_eq!(first.settings, second.settings);
    // The last of the three is the selected one; the first is asked for again, and two passes are taken.
    story.press("GR");
    story.until_row(&["1.4", "hello", "✓ success"]).await;
    story.close().await;
}

#[tokio::test]
async fn a_run_whose_objects_are_gone_runs_again_as_its_sample_is_now() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    story.start("hello").await;
    story.until_row(&["hello", "retained", "✓ success"]).await;
    story.press("xy");
    story.until_row(&["hello", "removed (you)"]).await;
    story.press("R");
    story.until_row(&["1.2", "hello", "✓ success"]).await;
    assert!(
        story.state.notices.iter().any(|(_, notice)| {
            notice
                .text
                .contains("went with its Job: taken is sample hello")
        }),
        "it is said what was taken"
    );
    story.close().await;
}

#[tokio::test]
async fn a_clone_begins_with_the_request_and_is_changed() {
    let home = tempfile::tempdir().unwrap();
    sample(
        home.path(),
        "mine",
        "summary = \"s\"\nshell_command = \"echo $WORD\"\nnode_id = 7\n[env]\nWORD = \"s3cret\"\n",
    );
    let mut story = Story::open(home.path()).await;
    story.start("mine").await;
    story.until_row(&["mine", "retained", "✓ success"]).await;
    story.press("C");
    story
        .until("the dialog", |screen| {
            screen.contains("run 1 once more")
                && screen.contains("execution 2")
                && screen.contains("payload as it was")
                && !screen.contains("s3cret")
        })
        .await;
    story.press("e");
    story
        .until("the payload", |screen| {
            screen.contains("echo $WORD") && screen.contains("***") && !screen.contains("s3cret")
        })
        .await;
    // A line more at the beginning, which is still in order.
    story.press("timeout_seconds: 9\n");
    story
        .until("the longer payload", |screen| {
            screen.contains("1 timeout_seconds: 9") && screen.contains("breaks no rule")
        })
        .await;
    story.press("\x13");
    story
        .until("the payload as edited", |screen| {
            screen.contains("payload edited")
        })
        .await;
    story.press("\n");
    story.until_row(&["▸ 2 ", "mine", "✓ success"]).await;
    let clone = runs(&story)[0];
    assert_eq!((clone.execution, clone.pass), (Some(2), None));
    let lines: Vec<&str> = clone
        .log
        .lines()
        .map(|(_, line)| line.text.as_str())
        .collect();
    assert!(
        lines.iter().any(|line| line.contains("s3cret")),
        "{lines:?}"
    );
    story.close().await;
}

/// Contract 6.2: each step is shown, with what is left of the grace, and an end that was seen is told as what it was.
#[tokio::test]
async fn a_run_that_does_not_want_to_end_gets_its_grace_and_no_more() {
    let home = tempfile::tempdir().unwrap();
    sample(
        home.path(),
        "deaf",
        "summary = \"s\"\ncommand = [\"true\"]\ncontainer_command = [\"sh\", \"-c\", \"trap '' TERM; echo here; while :; do sleep 1; done\"]\n",
    );
    let mut story = Story::open(home.path()).await;
    story.start("deaf").await;
    story.until_row(&["deaf", "● running"]).await;
    story.press("cy");
    story.until_row(&["deaf", "ending, "]).await;
    story
        .until("the countdown", |screen| {
            screen.contains("asked pod llmctl-exec-1-1-")
                && screen.contains(" s of 15 s left; then it is removed by force")
        })
        .await;
    story
        .until("the end", |screen| {
            screen.contains("exit code 137") && screen.contains("⊘ cancelled")
        })
        .await;
    let run = runs(&story)[0];
    assert!(run.uncertain, "{run:#?}");
    story.close().await;
}

#[tokio::test]
async fn what_cannot_work_is_not_sent_again() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    story.start("hello").await;
    story.until_row(&["hello", "retained", "✓ success"]).await;
    let file = home.path().join("executor.toml");
    std::fs::write(&file, "k8s_service_account = \"absent\"\n").unwrap();
    let layered = Layered::new(&file, load(&file).unwrap(), Layer::default());
    story.state.settings = Slice::new(layered);
    story.press("R");
    story
        .until("the refusal", |screen| {
            screen.contains("run 1 was not started again: service account: absent is not there")
        })
        .await;
    let (_, said) = story.state.notices.iter().next().unwrap();
    let fix = "kubectl -n llmctl create serviceaccount absent";
    assert!(said.text.contains(fix), "{}", said.text);
    assert_eq!(runs(&story).len(), 1);
    story.close().await;
}

#[tokio::test]
async fn what_may_not_work_is_sent_again_with_a_warning() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    story.press("r\u{21e4}\u{21e4}\u{21e4}\u{21e4}\u{8}1\n");
    story.until_row(&["▸ 1 ", "Unschedulable"]).await;
    // It was dispatched here, and is not waited for without end.
    story
        .until("how long it is waited for", |screen| {
            screen.contains("not yet: no container runs; given up in 4:5")
        })
        .await;
    story.press("R");
    story.until_row(&["▸ 1.2", "Unschedulable"]).await;
    let (_, said) = story.state.notices.iter().next().unwrap();
    assert!(said.text.starts_with("GPU: 1 of 0: "), "{}", said.text);
    story.close().await;
}
