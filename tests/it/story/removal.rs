//! What becomes of a finished run, and who removed it.

use super::Story;
use jiff::SignedDuration;
use llmctl_dev::cluster::jobs::Propagation;
use llmctl_dev::domain::runs::{RemovedBy, Run};

fn only(story: &Story) -> &Run {
    story.state.runs.all.iter().next().unwrap()
}

fn assert_removed(story: &Story, by: RemovedBy) {
    let run = only(story);
    assert_eq!(run.removal.map(|removal| removal.by), Some(by));
    assert_eq!(run.log.total(), 6, "its log is still there");
}

#[tokio::test]
async fn the_ttl_of_half_an_hour_passes_in_a_moment() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    story.start("hello").await;
    story.until_row(&["hello", "retained", "✓ success"]).await;
    story.pause();
    story
        .until_row(&["hello", "removed (TTL)", "✓ success"])
        .await;
    assert_removed(&story, RemovedBy::Ttl);
    let run = only(&story);
    let lived = run
        .removal
        .unwrap()
        .at
        .duration_since(run.finished_at.unwrap());
    let expected = SignedDuration::from_secs(1799)..SignedDuration::from_secs(1805);
    assert!(expected.contains(&lived), "{lived}");
    story.press("l");
    story
        .until("the log", |screen| screen.contains("from an executor pod"))
        .await;
    story.close().await;

    // And in the next session, which begins with a new cluster.
    let mut story = Story::open(home.path()).await;
    story
        .until_row(&["hello", "removed (TTL)", "✓ success"])
        .await;
    story.press("l");
    story
        .until("the log", |screen| screen.contains("from an executor pod"))
        .await;
    story.close().await;
}

#[tokio::test]
async fn somebody_else_removes_it_early() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    story.start("hello").await;
    story.until_row(&["hello", "retained", "✓ success"]).await;
    let job = only(&story).job.clone();
    let cluster = story.world.cluster().clone();
    cluster
        .delete_job("llmctl", &job, None, Propagation::Background)
        .await
        .unwrap();
    story
        .until_row(&["hello", "removed (early)", "✓ success"])
        .await;
    assert_removed(&story, RemovedBy::SomeoneElse);
    story.close().await;
}

#[tokio::test]
async fn the_person_removes_it_and_is_asked_before() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    story.start("hello").await;
    story.until_row(&["hello", "retained", "✓ success"]).await;
    story.press("x");
    story
        .until("the question", |screen| screen.contains("Remove"))
        .await;
    story.press("n");
    assert!(only(&story).removal.is_none());
    story.press("xy");
    story
        .until_row(&["hello", "removed (you)", "✓ success"])
        .await;
    assert_removed(&story, RemovedBy::You);
    story.close().await;
}

#[tokio::test]
async fn a_kept_run_outlives_its_first_ttl() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    story.start("hello").await;
    story.until_row(&["hello", "retained", "✓ success"]).await;
    story.press("K");
    story
        .until("the longer life", |screen| {
            screen.contains("is kept for 24 h")
        })
        .await;
    story.pause();
    tokio::time::advance(std::time::Duration::from_hours(1)).await;
    story
        .until("an hour later", |screen| {
            screen.contains("22:59") || screen.contains("22h")
        })
        .await;
    assert!(only(&story).removal.is_none());
    story.until_row(&["hello", "kept"]).await;
    story.close().await;
}

/// Studio deletes what its list shows as finished for longer than its own time to live (contract 4.7): its list does not show
/// a kept Job.
/// Rows of the frame that hold all of `parts`; what else the frame says of a run is not counted.
fn rows(screen: &str, parts: &[&str]) -> usize {
    let holds = |row: &&str| parts.iter().all(|part| row.contains(part));
    screen.lines().filter(holds).count()
}

#[tokio::test]
async fn a_kept_run_is_not_in_the_list_of_studios_pruner() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    for _ in 0..3 {
        story.start("hello").await;
        story.until_row(&["hello", "retained", "✓ success"]).await;
    }
    story
        .until("three results", |screen| {
            rows(screen, &["hello", "retained", "✓ success"]) == 3
        })
        .await;
    let listed = async |story: &Story| story.world.cluster().prunable("llmctl").await.unwrap();
    assert_eq!(listed(&story).await.len(), 3);
    // The first two of the list, by their marks.
    story.press("g  K");
    story
        .until("two are kept", |screen| {
            rows(screen, &["hello", "kept"]) == 2
        })
        .await;
    assert_eq!(listed(&story).await.len(), 1);
    // All three, with the name typed; then nothing is left.
    story.press("*x");
    story
        .until("the question", |screen| {
            screen.contains("Remove the Jobs of 3 runs")
        })
        .await;
    story.press("llmctl\n");
    story
        .until("three removals", |screen| {
            rows(screen, &["hello", "removed (you)"]) == 3
        })
        .await;
    assert_eq!(listed(&story).await.len(), 0);
    story.close().await;
}

#[tokio::test]
async fn a_run_whose_image_is_nowhere_ends_with_its_deadline() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    story.start("bad-image").await;
    story.until_row(&["bad-image", "ImagePull"]).await;
    story.pause();
    story.until_row(&["bad-image", "✗"]).await;
    let run = only(&story);
    assert!(run.finished_at.is_some(), "{run:?}");
    story.until_row(&["bad-image", "removed (TTL)"]).await;
    story.close().await;
}
