//! A log that is longer than what memory holds of it: searched, jumped in and scrolled as one log, while the run is there and after it.

use super::Story;
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The run prints `count` lines, each filled up so that memory does not hold half of them.
fn noisy(home: &Path, count: u32) {
    let samples = home.join("config/samples");
    fs::create_dir_all(&samples).unwrap();
    let program = format!(
        r#"BEGIN {{ for (i = 1; i <= {count}; i++) {{
             if (i == 99) print "ERROR: needle"
             else if (i % 1000 == 500) printf "step %d needle %0200d\n", i, 0
             else printf "line %d %0200d\n", i, 0 }} }}"#
    );
    let sample = format!(
        "summary = \"much\"\ncommand = [\"awk\", '''{program}''']\ntimeout_seconds = 300\n"
    );
    fs::write(samples.join("much.toml"), sample).unwrap();
}

/// Starts a run of 40 000 lines, waits for its end and shows its log.
async fn long_log(story: &mut Story) {
    story.start("much").await;
    story.until_row(&["much", "retained", "✓ success"]).await;
    story.press("l");
    // The marker and its event, the lines, the result.
    story
        .until("the log", |screen| screen.contains("40003 lines"))
        .await;
}

/// The log of the only run in the history.
fn kept(home: &Path) -> PathBuf {
    let mut folders = fs::read_dir(home.join("state/history")).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    let mut files = fs::read_dir(folder).unwrap();
    let log = files.find_map(|file| {
        let path = file.unwrap().path();
        path.extension()
            .is_some_and(|end| end == "log")
            .then_some(path)
    });
    log.unwrap()
}

#[tokio::test]
async fn every_line_of_a_run_is_reached_though_memory_holds_the_last_ones_only() {
    let home = tempfile::tempdir().unwrap();
    noisy(home.path(), 40_000);
    let mut story = Story::open(home.path()).await;
    long_log(&mut story).await;
    let log = &story.state.runs.current().unwrap().log;
    assert!(log.first() > 20_000, "{}", log.first());

    // The result holds the end of what was printed.
    story.press("/needle\n");
    story.until_row(&["/ needle", "1 of 42 lines · n N"]).await;
    story.until_row(&["ERROR: needle"]).await;
    story
        .until_row(&["line 101 of 40003, from the history file", "G"])
        .await;
    story.press("nn");
    story.until_row(&["/ needle", "3 of 42 lines · n N"]).await;
    story.until_row(&["step 1500 needle"]).await;
    story.press("N");
    story.until_row(&["step 500 needle"]).await;
    story.press("G");
    story
        .until("the end", |screen| !screen.contains("history file"))
        .await;
    story.press("N");
    story.until_row(&["/ needle", "42 of 42"]).await;
    story.press("N");
    story.until_row(&["step 39500 needle"]).await;

    story.press("\u{1b}m");
    story.until_row(&["LLMCTL_EXECUTOR_STARTED"]).await;
    story
        .until_row(&["line 1 of 40003, from the history file"])
        .await;
    story.press("e");
    story.until_row(&["ERROR: needle"]).await;
    story.press("o");
    story
        .until("the end", |screen| !screen.contains("history file"))
        .await;
    story.press("E");
    story.until_row(&["ERROR: needle"]).await;

    // By hand over the border, line by line, and no line is left out.
    let first = story.state.runs.current().unwrap().log.first();
    story.state.runs.log_view.top = first + 3;
    for n in (0..first + 3).rev().take(30) {
        story.press("k");
        // The log begins with the two lines of the executor.
        story.until_row(&[&format!("│ line {} ", n - 1)]).await;
        assert_eq!(story.state.runs.log_view.top, n);
    }
    story.close().await;
}

#[tokio::test]
async fn a_log_that_is_on_disk_only_is_searched_whole() {
    let home = tempfile::tempdir().unwrap();
    let mut story = Story::open(home.path()).await;
    story.start("hello").await;
    story.until_row(&["hello", "retained", "✓ success"]).await;
    story.close().await;
    // As if it had printed for half an hour, a hundred lines a second.
    let begin: Timestamp = "2026-02-17T20:00:00Z".parse().unwrap();
    let mut text = String::new();
    for n in 0..180_000 {
        let at = begin + SignedDuration::from_millis(n * 10);
        let word = if n % 60_000 == 7 { "needle" } else { "line" };
        writeln!(text, "{at} {word} {n}\r").unwrap();
    }
    fs::write(kept(home.path()), text).unwrap();

    let mut story = Story::open(home.path()).await;
    story.until_row(&["hello", "removed"]).await;
    story.press("l");
    story
        .until("the log", |screen| screen.contains("180000 lines"))
        .await;
    assert_eq!(story.state.runs.current().unwrap().log.first(), 160_000);
    story.press("/needle\n");
    story.until_row(&["/ needle", "1 of 3 lines"]).await;
    story.until_row(&["│ needle 7 "]).await;
    story.press("nn");
    story.until_row(&["│ needle 120007 "]).await;
    // Of the last five minutes, the first of which memory does not hold.
    story.press("sss");
    story.until_row(&["/ needle", "1 line"]).await;
    story.press("g");
    story.until_row(&["│ line 89999"]).await;
    story.press("N");
    story
        .until("nothing", |screen| screen.contains("no match above"))
        .await;
    story.close().await;
}

#[tokio::test]
async fn a_log_that_went_missing_or_was_cut_is_told() {
    let home = tempfile::tempdir().unwrap();
    noisy(home.path(), 40_000);
    let mut story = Story::open(home.path()).await;
    long_log(&mut story).await;
    let log = kept(home.path());
    let whole = fs::read(&log).unwrap();
    fs::write(&log, &whole[..100_000]).unwrap();
    story.press("/needle\n");
    story.until_row(&["1 of", "lines not searched"]).await;
    story.press("\u{1b}g");
    story.until_row(&["LLMCTL_EXECUTOR_STARTED"]).await;
    story.state.runs.log_view.top = 10_000;
    story.press("k");
    story
        .until("why", |screen| screen.contains("the file ends after"))
        .await;

    fs::remove_file(&log).unwrap();
    story.press("/step\n");
    story
        .until("why", |screen| {
            screen.contains("only the lines in memory were looked at")
        })
        .await;
    story
        .until("why", |screen| screen.contains("No such file"))
        .await;
    story.until_row(&["/ step", "1 of"]).await;
    // What was read before is shown still.
    story.press("\u{1b}g");
    story.until_row(&["LLMCTL_EXECUTOR_STARTED"]).await;
    story.state.runs.log_view.top = 10_000;
    story.press("k");
    story
        .until("why", |screen| {
            screen.contains("earlier lines cannot be shown: No such file")
        })
        .await;
    story.press("G");
    story.until_row(&["LLMCTL_EXECUTOR_RESULT_JSON"]).await;
    story.close().await;
}

#[tokio::test]
async fn two_long_logs_are_compared_whole() {
    let home = tempfile::tempdir().unwrap();
    noisy(home.path(), 40_000);
    let mut story = Story::open(home.path()).await;
    story.start("much").await;
    story.until_row(&["much", "retained", "✓ success"]).await;
    story.press("R");
    story
        .until("both", |screen| {
            let done = |row: &&str| row.contains("retained") && row.contains("✓ success");
            screen.lines().filter(done).count() == 2
        })
        .await;
    story.press("l");
    story
        .until("the log", |screen| screen.contains("40003 lines"))
        .await;
    // A line of the second that memory does not hold, and one behind it.
    let second = &story.state.runs.current().unwrap().id;
    let mut logs = fs::read_dir(kept(home.path()).parent().unwrap()).unwrap();
    let log = logs.find_map(|file| {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        (name == format!("{}.log", second.0)).then_some(path)
    });
    let log = log.unwrap();
    let text = fs::read_to_string(&log).unwrap();
    let other = text
        .replace(" line 3000 ", " another 3000 ")
        .replace(" line 39000 ", " another 39000 ");
    fs::write(&log, other).unwrap();
    story.press("\x1bd");
    story.until_row(&["│   line 1 0"]).await;
    story.press(&"j".repeat(30));
    let screen = story.screen();
    for part in ["2979 lines are the same", "- line 3000 ", "+ another 3000 "] {
        assert!(screen.contains(part), "{part} {screen}");
    }
    story.press(&"j".repeat(30));
    let screen = story.screen();
    assert!(screen.contains("+ another 39000 "), "{screen}");
    story.close().await;
}
