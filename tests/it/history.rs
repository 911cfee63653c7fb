//! The history on a real disk: what comes back after a restart, what two programs do to each other, and what is never there.

use jiff::Timestamp;
use llmctl_dev::domain::logs::page::{Page, Spot};
use llmctl_dev::domain::logs::quest::Reading;
use llmctl_dev::domain::logs::wanted::Wanted;
use llmctl_dev::domain::logs::{LogEvent, LogLine};
use llmctl_dev::domain::manifest::{RunOptions, RunSettings, plan_run};
use llmctl_dev::domain::observed::{JobFinish, JobSeen, Seen};
use llmctl_dev::domain::runs::{Phase, Removal, RemovedBy, Run, RunId, Runs, Ttl};
use llmctl_dev::domain::verdict::Verdict;
use llmctl_dev::files::history::{Bounds, History};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn line(text: &str) -> LogLine {
    LogLine {
        at: Some("2026-02-17T20:15:04.119800001Z".parse().unwrap()),
        text: text.into(),
    }
}

fn opened() -> LogEvent {
    LogEvent::Opened {
        container_id: "containerd://1".into(),
    }
}

fn job(uid: &str, finish: Option<JobFinish>) -> JobSeen {
    JobSeen {
        name: format!("job-{uid}"),
        namespace: "llmctl".into(),
        uid: uid.into(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        created: at(0),
        started: None,
        finish,
        finishing: false,
        suspended: false,
        active: 0,
        ended: 0,
        ttl: Some(Ttl(60)),
        deadline: None,
        deleting: None,
        image: "i:1".into(),
    }
}

fn open(directory: &Path) -> History {
    History::open(directory.into(), Bounds::default()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_tombstone_and_its_log_come_back_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("state/history/sandbox-demo");
    let id = RunId("u-1".into());
    let texts = [
        "LLMCTL_EXECUTOR_STARTED",
        "  kept  white space\t",
        "",
        r#"LLMCTL_EXECUTOR_RESULT_JSON={"status": "success", "provider_metadata": {"execution_mode": "command"}}"#,
    ];
    let before = {
        let history = open(&place);
        let mut runs = Runs::of("llmctl");
        let finish = JobFinish {
            at: at(5),
            complete: true,
            reason: String::new(),
            message: String::new(),
        };
        let mut seen = vec![LogEvent::Lines(texts.map(line).into()), LogEvent::Whole];
        seen.insert(0, opened());
        runs.observe(Seen::Job(Box::new(job("u-1", None))), at(0));
        for event in seen {
            history.keep(&id, &event).unwrap();
            runs.log(&id, event, at(4));
        }
        let done = job("u-1", Some(finish));
        runs.observe(Seen::Job(Box::new(done.clone())), at(5));
        runs.observe(Seen::JobGone(Box::new(done)), at(66));
        let run = runs.find(&id).unwrap().record();
        history.record(&run).unwrap();
        run
    };
    assert_eq!(
        (before.phase, before.verdict),
        (Phase::Removed, Verdict::Success)
    );
    assert_eq!(mode(&place), 0o700);
    for file in ["u-1.json", "u-1.log"] {
        assert_eq!(mode(&place.join(file)), 0o600, "{file}");
    }

    let history = open(&place);
    let (kept, aside) = history.load();
    assert_eq!((kept.len(), aside.len()), (1, 0));
    assert_eq!(kept[0], before);
    let mut runs = Runs::of("llmctl");
    runs.restore(kept, at(100));
    runs.observe(Seen::JobsListed(BTreeSet::new()), at(100));
    runs.recall(&id, history.newest(&id, 1000).unwrap());
    let run = runs.find(&id).unwrap();
    assert_eq!(run.removal.unwrap().by, RemovedBy::Ttl);
    let lines: Vec<&LogLine> = run.log.lines().map(|(_, line)| line).collect();
    assert_eq!(lines, texts.map(line).iter().collect::<Vec<_>>());
    assert_eq!(history.newest(&id, 1).unwrap().lines, [line(texts[3])]);
}

#[test]
fn a_follow_from_the_beginning_begins_the_file_anew() {
    let directory = tempfile::tempdir().unwrap();
    let id = RunId("u-1".into());
    let lines = vec![
        line("one"),
        LogLine {
            at: None,
            text: "a - b".into(),
        },
    ];
    for _ in 0..2 {
        // The program before was killed in the middle.
        let history = open(directory.path());
        history.keep(&id, &opened()).unwrap();
        history.keep(&id, &LogEvent::Lines(lines.clone())).unwrap();
        // And one program that follows twice.
        history.keep(&id, &opened()).unwrap();
        history.keep(&id, &LogEvent::Lines(lines.clone())).unwrap();
        assert_eq!(history.newest(&id, 100).unwrap().lines, lines);
    }
}

#[test]
fn a_second_program_leaves_the_writing_of_a_log_to_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (open(directory.path()), open(directory.path()));
    let id = RunId("u-1".into());
    for history in [&first, &second] {
        history.keep(&id, &opened()).unwrap();
    }
    for history in [&second, &first] {
        let lines = vec![line("one"), line("two")];
        history.keep(&id, &LogEvent::Lines(lines)).unwrap();
    }
    assert_eq!(second.newest(&id, 9).unwrap().lines.len(), 2);
}

#[test]
fn a_log_that_is_being_written_is_read_as_far_as_it_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let history = open(directory.path());
    let id = RunId("u-1".into());
    history.keep(&id, &opened()).unwrap();
    let known = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for batch in 0..200 {
                let numbers = batch * 500..(batch + 1) * 500;
                let lines = numbers.map(|n| line(&format!("line {n} of many")));
                let event = LogEvent::Lines(lines.collect());
                history.keep(&id, &event).unwrap();
                known.store((batch + 1) * 500, Ordering::SeqCst);
            }
        });
        let mut upto = 0;
        while upto < 100_000 {
            upto = known.load(Ordering::SeqCst);
            let mut hits = Vec::new();
            let wanted = Wanted::Text("99 OF".into());
            let mut search = history.search(&id, wanted, upto).unwrap();
            let read = loop {
                let mut findings = search.part();
                hits.append(&mut findings.hits);
                if findings.reading != Reading::UnderWay {
                    assert_eq!(findings.reading, Reading::Done);
                    break findings.read;
                }
            };
            assert_eq!(read, upto);
            let expected: Vec<u64> = (0..upto).filter(|n| n % 100 == 99).collect();
            assert_eq!(hits, expected);
            if upto > 0 {
                let page = history.page(&id, upto - 1, upto).unwrap();
                assert_eq!(page.end(), upto);
                let last = format!("line {} of many", upto - 1);
                assert_eq!(page.lines.last().unwrap().text, last);
            }
        }
    });
}

#[test]
fn a_log_that_is_no_file_is_a_message_wherever_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let history = open(directory.path());
    let id = RunId("u-1".into());
    let gone = history.page(&id, 0, 9).unwrap_err().to_string();
    assert!(gone.contains("u-1.log: No such file"), "{gone}");
    assert!(history.search(&id, Wanted::Error, 9).is_err());
    assert!(history.since(&id, at(0), Spot::default()).is_err());
    assert!(history.diff((&id, 1), (&id, 1)).is_err());
    // Runs that printed nothing have no file, and no difference.
    assert!(history.diff((&id, 0), (&id, 0)).unwrap().same);
    assert_eq!(history.newest(&id, 9).unwrap(), Page::default());

    fs::create_dir(directory.path().join("u-1.log")).unwrap();
    let mut search = history.search(&id, Wanted::Error, 9).unwrap();
    let findings = search.part();
    let Reading::Failed(why) = findings.reading else {
        panic!("{findings:?}");
    };
    assert!(why.contains("directory"), "{why}");
    for failed in [
        history.page(&id, 0, 9).map(drop),
        history.since(&id, at(0), Spot::default()).map(drop),
        history.newest(&id, 9).map(drop),
        history.diff((&id, 1), (&id, 1)).map(drop),
    ] {
        assert!(failed.unwrap_err().to_string().contains("directory"));
    }
}

#[test]
fn two_programs_at_once_leave_whole_records() {
    let directory = tempfile::tempdir().unwrap();
    let start = Barrier::new(2);
    let sizes = [10, 200_000];
    thread::scope(|scope| {
        for size in sizes {
            let (start, directory) = (&start, directory.path());
            scope.spawn(move || {
                let history = open(directory);
                let mut run = Run::new(RunId("u-1".into()), "j", "n", at(0));
                run.why = "x".repeat(size);
                start.wait();
                for revision in 1..60 {
                    run.revision = revision;
                    history.record(&run).unwrap();
                    let (kept, aside) = history.load();
                    assert!(aside.is_empty(), "{aside:?}");
                    assert!(sizes.contains(&kept[0].why.len()));
                }
            });
        }
    });
    let left: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "the record and the lock: {left:?}");
}

#[test]
fn an_older_record_of_a_session_does_not_replace_a_newer_one() {
    let directory = tempfile::tempdir().unwrap();
    let history = open(directory.path());
    let mut run = Run::new(RunId("u-1".into()), "j", "n", at(0));
    for (revision, why) in [(2, "newer"), (1, "older")] {
        run.revision = revision;
        run.why = why.into();
        history.record(&run).unwrap();
    }
    assert_eq!(history.load().0[0].why, "newer");
}

#[test]
fn what_the_other_program_s_user_asked_for_stays() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (open(directory.path()), open(directory.path()));
    let removed = |by| Some(Removal { at: at(9), by });
    let mut run = Run::new(RunId("u-1".into()), "j", "n", at(0));
    run.remove_asked = Some(at(8));
    run.removal = removed(RemovedBy::You);
    first.record(&run).unwrap();
    // The other one saw it go and does not know why.
    run.remove_asked = None;
    run.removal = removed(RemovedBy::SomeoneElse);
    second.record(&run).unwrap();
    let kept = &second.load().0[0];
    assert_eq!(
        (kept.remove_asked, kept.removal),
        (Some(at(8)), removed(RemovedBy::You))
    );
}

#[test]
fn a_broken_record_is_set_aside_and_told_once() {
    let directory = tempfile::tempdir().unwrap();
    let history = open(directory.path());
    history
        .record(&Run::new(RunId("u-2".into()), "j", "n", at(0)))
        .unwrap();
    fs::write(directory.path().join("u-1.json"), "{\"id\":").unwrap();
    let (runs, aside) = history.load();
    assert_eq!(runs.len(), 1, "the others are there");
    assert_eq!(aside.len(), 1);
    assert!(aside[0].path.ends_with("u-1.json.corrupt") && aside[0].path.exists());
    assert!(aside[0].to_string().contains("was set aside"));
    assert!(history.load().1.is_empty());
    // A record that comes later takes its place.
    history
        .record(&Run::new(RunId("u-1".into()), "j", "n", at(0)))
        .unwrap();
    assert_eq!(history.load().0.len(), 2);
}

#[test]
fn the_number_of_runs_stays_bounded_in_a_long_session() {
    let directory = tempfile::tempdir().unwrap();
    let bounds = Bounds {
        runs: 20,
        ..Bounds::default()
    };
    let history = History::open(directory.path().into(), bounds).unwrap();
    for n in 0..450 {
        history
            .record(&Run::new(RunId(format!("u-{n}")), "j", "n", at(n)))
            .unwrap();
    }
    assert!(fs::read_dir(directory.path()).unwrap().count() < 250);
    let (kept, _) = history.load();
    assert_eq!(kept.len(), 20);
}

#[test]
fn a_log_without_end_is_cut_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let bounds = Bounds {
        log_bytes: 1000,
        ..Bounds::default()
    };
    let history = History::open(directory.path().into(), bounds).unwrap();
    let id = RunId("u-1".into());
    history.keep(&id, &opened()).unwrap();
    for _ in 0..50 {
        let lines = vec![line(&"x".repeat(100)); 3];
        history.keep(&id, &LogEvent::Lines(lines)).unwrap();
    }
    let lines = history.newest(&id, 1000).unwrap().lines;
    // As many lines, with their times, as the bytes hold, and the note.
    let (note, kept) = lines.split_last().unwrap();
    assert!(note.text.contains("longer than 1000 bytes"));
    let size = |line: &LogLine| format!("{} {}\n", line.at.unwrap(), line.text).len();
    let bytes: usize = kept.iter().map(size).sum();
    assert!(bytes <= 1000 && bytes + size(&kept[0]) > 1000, "{bytes}");
}

#[test]
fn a_saved_log_never_overwrites_and_an_id_is_no_path() {
    let directory = tempfile::tempdir().unwrap();
    let history = open(&directory.path().join("h"));
    let id = RunId("../../etc/passwd".into());
    history.keep(&id, &opened()).unwrap();
    history
        .keep(&id, &LogEvent::Lines(vec![line("x")]))
        .unwrap();
    history
        .record(&Run::new(id.clone(), "j", "n", at(0)))
        .unwrap();
    let inside = fs::read_dir(directory.path().join("h")).unwrap().count();
    assert_eq!(inside, 3, "record, log and lock");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    let path = directory.path().join("saved.log");
    history.save_log(&id, &path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "x\n");
    assert!(history.save_log(&id, &path).is_err());
    // A log that cannot be read leaves no file that looks like one.
    let log = fs::read_dir(directory.path().join("h")).unwrap();
    let log = log
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|kind| kind == "log"))
        .unwrap();
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    let other = directory.path().join("other.log");
    assert!(history.save_log(&id, &other).is_err());
    assert!(!other.exists());
}

#[test]
fn no_value_of_a_payload_s_environment_comes_to_the_disk() {
    let sample = serde_json::json!({
        "name": "secretive", "summary": "s", "command": ["true"],
        "env": {"API_KEY": "s3cret-value"}, "stdin": "s3cret-input",
    });
    let settings = RunSettings {
        namespace: "llmctl".into(),
        workspace_identity: "default".into(),
        frontier_image: "i:1".into(),
        vllm_image: "i:1".into(),
        service_account: None,
        image_pull_secrets: Vec::new(),
        gpu_limit: 0,
        ttl_seconds: 60,
        dispatch_timeout_seconds: 300,
        execution_timeout_seconds: 60,
        cancel_grace_seconds: 15,
        agent_runtime_cutover: false,
        argocd_app: None,
        live_code_path: None,
    };
    let sample = serde_json::from_value(sample).unwrap();
    let plan = plan_run(&sample, 1, &settings, &RunOptions::default()).unwrap();
    assert!(plan.payload.0.to_string().contains("s3cret"));

    let directory = tempfile::tempdir().unwrap();
    let history = open(directory.path());
    let mut runs = Runs::of("llmctl");
    let (asked, _) = runs.dispatching(&plan, at(0));
    runs.accepted(&asked, job("u-1", None), at(1));
    history.record(runs.find(&asked).unwrap()).unwrap();
    for file in fs::read_dir(directory.path()).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
    }
}
