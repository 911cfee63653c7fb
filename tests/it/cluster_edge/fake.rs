//! Faults and rare answers: pages, forgotten versions, outages, broken logs.

use crate::support::fake_api::{Answer, Asked, Piece, cluster, event};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use llmctl_dev::cluster::error::Kind;
use llmctl_dev::cluster::watch::Observation;
use llmctl_dev::domain::logs::{LogEvent, LogLine};
use llmctl_dev::domain::observed::Seen;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, timeout};

fn job(name: &str, version: u64) -> Value {
    json!({"metadata": {"name": name, "namespace": "llmctl", "uid": format!("uid-{name}"), "resourceVersion": version.to_string(),
        "creationTimestamp": "2026-11-24T08:00:00Z", "managedFields": [{"manager": "x"}]}, "spec": {}})
}

fn pod(name: &str, state: &Value) -> Value {
    json!({"metadata": {"name": name, "namespace": "llmctl", "uid": format!("uid-{name}"), "resourceVersion": "1", "labels": {"job-name": "j"}},
        "status": {"phase": "Running", "containerStatuses": [{"name": "executor", "containerID": "containerd://c", "state": state}]}})
}

fn running() -> Value {
    json!({"running": {"startedAt": "2026-11-24T08:00:00Z"}})
}

fn terminated() -> Value {
    json!({"terminated": {"exitCode": 0, "containerID": "containerd://c", "finishedAt": "2026-11-24T08:01:00Z"}})
}

/// Everything that is well and of no interest to a test.
fn otherwise(asked: &Asked) -> Answer {
    match asked.path.as_str() {
        "/readyz" => Answer::Json(200, json!("ok")),
        "/version" => Answer::Json(200, json!({"gitVersion": "v1.34.4"})),
        _ if asked.is_watch() => Answer::Stream(vec![Piece::Silence]),
        _ => Answer::list(&[], 1),
    }
}

fn is_jobs(asked: &Asked) -> bool {
    asked.path.ends_with("/jobs")
}

/// The next observation that is about the connection or Jobs.
async fn next(stream: &mut (impl futures::Stream<Item = Observation> + Unpin)) -> Observation {
    loop {
        let observation = timeout(Duration::from_hours(1), stream.next())
            .await
            .expect("news")
            .expect("no end");
        if !matches!(
            observation,
            Observation::Seen(Seen::PodsListed(_) | Seen::PodsPage(_))
        ) {
            return observation;
        }
    }
}

fn names(observation: &Observation) -> Vec<String> {
    match observation {
        Observation::Seen(Seen::JobsPage(page)) => {
            page.iter().map(|job| job.name.clone()).collect()
        }
        Observation::Seen(Seen::JobsListed(uids)) => uids.iter().cloned().collect(),
        Observation::Seen(Seen::Job(job)) => vec![format!("+{}", job.name)],
        Observation::Seen(Seen::JobGone(job)) => vec![format!("-{}", job.name)],
        other => panic!("no Jobs: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_list_comes_page_by_page_and_the_watch_goes_on_from_it() {
    let (cluster, requests) = cluster(|asked| {
        match (
            is_jobs(asked),
            asked.is_watch(),
            asked.parameter("continue"),
        ) {
            (true, false, None) => Answer::Json(
                200,
                json!({"metadata": {"resourceVersion": "9", "continue": "more"}, "items": [job("a", 1), job("b", 2)]}),
            ),
            (true, false, Some("more")) => Answer::Json(
                200,
                json!({"metadata": {"resourceVersion": "9"}, "items": [job("c", 3)]}),
            ),
            (true, true, _) if asked.parameter("resourceVersion") == Some("9") => {
                Answer::Stream(vec![
                    event("ADDED", &job("d", 10)),
                    event(
                        "BOOKMARK",
                        &json!({"kind": "Job", "apiVersion": "batch/v1", "metadata": {"resourceVersion": "20"}}),
                    ),
                    event("DELETED", &job("a", 21)),
                ])
            }
            _ => otherwise(asked),
        }
    });
    let mut watch = cluster.watch("llmctl");
    assert_eq!(
        next(&mut watch).await,
        Observation::Connected {
            version: "v1.34.4".into()
        }
    );
    for expected in [
        vec!["a", "b"],
        vec!["c"],
        vec!["uid-a", "uid-b", "uid-c"],
        vec!["+d"],
        vec!["-a"],
    ] {
        assert_eq!(names(&next(&mut watch).await), expected);
    }
    // The watch ended; the next one goes on from the last version.
    assert!(timeout(Duration::from_secs(5), watch.next()).await.is_err());
    let requests = requests.lock().unwrap();
    let lists: Vec<_> = requests
        .iter()
        .filter(|r| is_jobs(r) && !r.is_watch())
        .collect();
    // A small first page is on the screen at once; large ones bring the rest with few requests.
    let limits: Vec<_> = lists.iter().map(|r| r.parameter("limit")).collect();
    assert_eq!(limits, [Some("100"), Some("500")]);
    assert!(
        lists
            .iter()
            .all(|r| r.query.contains("llmctl.executor+in+%28true%2Ckept%29")),
        "{lists:?}"
    );
    let watched: Vec<_> = requests
        .iter()
        .filter(|r| is_jobs(r) && r.is_watch())
        .map(|r| r.parameter("resourceVersion"))
        .collect();
    assert_eq!(watched, [Some("9"), Some("21")]);
}

/// A Job as large as real ones are with their managed fields.
fn large_job(n: usize) -> Value {
    let mut object = job(&format!("llmctl-exec-{n}"), 1);
    let fields: serde_json::Map<String, Value> = (0..150)
        .map(|k| (format!("f:field-number-{k}"), json!({"k:{}": {".": {}}})))
        .collect();
    object["metadata"]["managedFields"] =
        json!([{"manager": "kube-controller-manager", "fieldsV1": fields}]);
    object
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_jobs_show_their_first_rows_at_once() {
    let large = large_job(0).to_string();
    assert!(
        (5_000..9_000).contains(&large.len()),
        "{} bytes",
        large.len()
    );
    let page = move |page: usize| {
        let items: Vec<_> = (0..500)
            .map(|n| large.replace("llmctl-exec-0", &format!("llmctl-exec-{}", page * 500 + n)))
            .collect();
        let next = if page < 19 {
            (page + 1).to_string()
        } else {
            String::new()
        };
        let text = format!(
            r#"{{"metadata": {{"resourceVersion": "1", "continue": "{next}"}}, "items": [{}]}}"#,
            items.join(",")
        );
        Answer::Stream(vec![Piece::Bytes(text.into_bytes())])
    };
    let (cluster, requests) = cluster(move |asked| match (is_jobs(asked), asked.is_watch()) {
        (true, false) => page(
            asked
                .parameter("continue")
                .map_or(0, |token| token.parse().unwrap()),
        ),
        _ => otherwise(asked),
    });
    let mut watch = cluster.watch("llmctl");
    next(&mut watch).await;
    assert_eq!(names(&next(&mut watch).await).len(), 500);
    let lists = requests
        .lock()
        .unwrap()
        .iter()
        .filter(|r| is_jobs(r))
        .count();
    assert_eq!(
        lists, 1,
        "the first rows are there before the second page is asked for"
    );
    let mut rows = 500;
    loop {
        match next(&mut watch).await {
            Observation::Seen(Seen::JobsPage(page)) => rows += page.len(),
            Observation::Seen(Seen::JobsListed(uids)) => {
                assert_eq!((rows, uids.len()), (10_000, 10_000));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_server_forgot_is_listed_anew_without_a_loss() {
    let mut lists = 0;
    let (cluster, _) = cluster(move |asked| match (is_jobs(asked), asked.is_watch()) {
        (true, false) => {
            lists += 1;
            if lists == 1 {
                Answer::list(&[job("a", 1), job("b", 2)], 2)
            } else {
                Answer::list(&[job("b", 2)], 50)
            }
        }
        (true, true) if asked.parameter("resourceVersion") == Some("2") => {
            Answer::Stream(vec![event(
                "ERROR",
                &json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}),
            )])
        }
        _ => otherwise(asked),
    });
    let mut watch = cluster.watch("llmctl");
    next(&mut watch).await;
    for expected in [
        vec!["a", "b"],
        vec!["uid-a", "uid-b"],
        vec!["b"],
        vec!["uid-b"],
    ] {
        assert_eq!(names(&next(&mut watch).await), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_with_growing_pauses_and_ends_with_full_lists() {
    let down = Arc::new(Mutex::new(false));
    let is_down = Arc::clone(&down);
    let mut lists = 0;
    let (cluster, requests) = cluster(move |asked| {
        if *is_down.lock().unwrap() {
            return Answer::Refuse;
        }
        match (is_jobs(asked), asked.is_watch()) {
            (true, false) => {
                lists += 1;
                Answer::list(&[job(&format!("list-{lists}"), 1)], 1)
            }
            (true, true) => Answer::Stream(vec![Piece::Wait(Duration::from_secs(3)), Piece::Break]),
            _ => otherwise(asked),
        }
    });
    let mut watch = cluster.watch("llmctl");
    next(&mut watch).await;
    assert_eq!(names(&next(&mut watch).await), ["list-1"]);
    next(&mut watch).await;
    *down.lock().unwrap() = true;
    let before = requests.lock().unwrap().len();
    let mut pauses = Vec::new();
    let start = Instant::now();
    for n in 1..=8 {
        match next(&mut watch).await {
            Observation::Lost {
                reason,
                retry_in,
                attempt,
            } => {
                assert_eq!(attempt, n);
                assert!(
                    reason.contains("CONTEXT fake") && reason.contains("connection re"),
                    "{reason}"
                );
                pauses.push(retry_in.as_secs_f64());
            }
            other => panic!("{other:?}"),
        }
    }
    for (pause, full) in pauses
        .iter()
        .zip([0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0])
    {
        assert!((full * 0.79..=full).contains(pause), "{pauses:?}");
    }
    let asked = requests.lock().unwrap().len() - before;
    assert!(
        asked <= 9,
        "{asked} requests in {} s of outage",
        start.elapsed().as_secs()
    );

    *down.lock().unwrap() = false;
    assert_eq!(
        next(&mut watch).await,
        Observation::Connected {
            version: "v1.34.4".into()
        }
    );
    assert_eq!(names(&next(&mut watch).await), ["list-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_when_somebody_asks() {
    let (cluster, _) = cluster(|_| Answer::Refuse);
    let mut watch = cluster.watch("llmctl");
    for _ in 0..7 {
        assert!(matches!(next(&mut watch).await, Observation::Lost { .. }));
    }
    assert!(timeout(Duration::from_secs(1), watch.next()).await.is_err());
    let start = Instant::now();
    cluster.retry_now();
    assert!(matches!(
        next(&mut watch).await,
        Observation::Lost { attempt: 8, .. }
    ));
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_died_in_silence_is_noticed() {
    let (cluster, _) = cluster(otherwise);
    let mut watch = cluster.watch("llmctl");
    let start = Instant::now();
    loop {
        if let Observation::Lost { reason, .. } = next(&mut watch).await {
            assert!(reason.contains("no answer within 35 s"), "{reason}");
            break;
        }
    }
    assert!(start.elapsed() <= Duration::from_secs(40));

    let (mute, _) = crate::support::fake_api::cluster(|_| Answer::Silence);
    let error = mute.version().await.unwrap_err();
    assert!(
        error.kind() == Kind::Unreachable && error.to_string().contains("no answer within 15 s"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_may_not_see_events_sees_jobs() {
    let (cluster, _) = cluster(|asked| match asked.path.as_str() {
        "/api/v1/namespaces/llmctl/events" => {
            Answer::status(403, "Forbidden", "events is forbidden")
        }
        "/apis/batch/v1/namespaces/llmctl/jobs" if asked.is_watch() => Answer::Stream(vec![
            Piece::Wait(Duration::from_secs(2)),
            event("ADDED", &job("late", 5)),
            Piece::Silence,
        ]),
        _ => otherwise(asked),
    });
    let mut watch = cluster.watch("llmctl");
    let mut told = Vec::new();
    loop {
        match next(&mut watch).await {
            Observation::NoEvents { reason } => told.push(reason),
            Observation::Seen(Seen::Job(job)) if job.name == "late" => break,
            Observation::Lost { reason, .. } => panic!("{reason}"),
            _ => {}
        }
    }
    assert!(
        told.len() == 1 && told[0].contains("verb list on events"),
        "{told:?}"
    );
    let snapshot = cluster.snapshot("llmctl").await.unwrap();
    assert_eq!(snapshot.len(), 2, "{snapshot:?}");
}

#[tokio::test(start_paused = true)]
async fn errors_name_what_was_asked() {
    let (cluster, _) = cluster(|asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/api/v1/namespaces/there") => {
            Answer::Json(200, json!({"metadata": {"name": "there"}}))
        }
        ("GET", "/api/v1/namespaces/going") => Answer::Json(
            200,
            json!({"metadata": {"name": "going", "deletionTimestamp": "2026-11-24T08:00:00Z"}}),
        ),
        ("GET", "/api/v1/namespaces/secret") => Answer::status(403, "Forbidden", "no"),
        ("GET", "/readyz") => Answer::status(500, "InternalError", "etcd failed"),
        ("DELETE", _) => Answer::status(
            409,
            "Conflict",
            "the UID in the precondition does not match",
        ),
        _ => Answer::status(404, "NotFound", "not found"),
    });
    assert!(cluster.namespace_exists("there").await.unwrap());
    assert!(!cluster.namespace_exists("going").await.unwrap());
    assert!(!cluster.namespace_exists("nosuch").await.unwrap());
    assert_eq!(
        cluster.namespace_exists("secret").await.unwrap_err().kind(),
        Kind::Denied
    );
    assert_eq!(cluster.ping().await.unwrap_err().kind(), Kind::Unreachable);
    let error = cluster
        .delete_job(
            "llmctl",
            "j",
            Some("u"),
            llmctl_dev::cluster::jobs::Propagation::Background,
        )
        .await
        .unwrap_err();
    assert!(
        error.kind() == Kind::Conflict
            && error
                .to_string()
                .contains("delete job j in namespace llmctl"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_payload_is_refused_is_taken_back() {
    let plan = super::on_a_cluster::script_in("llmctl", 1, "true");
    let serve = |undo: u16| {
        move |asked: &Asked| match (
            asked.method.as_str(),
            asked.path.rsplit('/').next().unwrap(),
        ) {
            ("POST", "jobs") => Answer::Json(201, job("made", 1)),
            ("POST", "configmaps") => Answer::status(
                422,
                "Invalid",
                "data: Too long: must have at most 1048576 bytes",
            ),
            ("DELETE", _) if undo == 200 => {
                Answer::Json(200, json!({"kind": "Status", "status": "Success"}))
            }
            ("DELETE", _) => Answer::status(undo, "Forbidden", "may not delete"),
            _ => otherwise(asked),
        }
    };
    let (undoing, requests) = cluster(serve(200));
    let error = undoing.create_run(&plan).await.unwrap_err();
    assert!(
        error.kind() == Kind::Invalid && error.to_string().contains("Too long"),
        "{error}"
    );
    let requests = requests.lock().unwrap().clone();
    let owner = &requests[1].body["metadata"]["ownerReferences"][0];
    assert_eq!(owner["uid"], "uid-made");
    let undo = requests.last().unwrap();
    assert_eq!(
        (undo.method.as_str(), &undo.body["preconditions"]["uid"]),
        ("DELETE", &json!("uid-made"))
    );
    assert_eq!(undo.body["propagationPolicy"], "Background");

    let (stuck, _) = cluster(serve(403));
    let error = stuck.create_run(&plan).await.unwrap_err().to_string();
    assert!(
        error.contains("Too long")
            && error.contains("could not be taken back")
            && error.contains("verb delete on jobs"),
        "{error}"
    );
}

fn lines_of(events: &[LogEvent]) -> Vec<&LogLine> {
    events
        .iter()
        .filter_map(|e| {
            if let LogEvent::Lines(lines) = e {
                Some(lines)
            } else {
                None
            }
        })
        .flatten()
        .collect()
}

async fn follow(cluster: &llmctl_dev::cluster::Cluster) -> Vec<LogEvent> {
    timeout(
        Duration::from_hours(10),
        cluster
            .follow_log("llmctl", "p", "containerd://c")
            .collect(),
    )
    .await
    .expect("an end")
}

fn stamped(lines: &[LogLine]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| format!("{} {}\n", line.at.unwrap(), line.text).into_bytes())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_log_is_whole_only_after_the_end_of_its_container() {
    let mut gets = 0;
    let mut logs = 0;
    let (cluster, requests) = cluster(move |asked| match asked.path.as_str() {
        "/api/v1/namespaces/llmctl/pods/p" => {
            gets += 1;
            Answer::Json(
                200,
                pod("p", &if gets < 3 { running() } else { terminated() }),
            )
        }
        "/api/v1/namespaces/llmctl/pods/p/log" => {
            logs += 1;
            let follow = asked.parameter("follow") == Some("true");
            let text = match (logs, follow) {
                (1, true) => "2026-11-24T08:00:05.5Z one\n2026-11-24T08:00:05.6Z tw",
                (_, true) => "2026-11-24T08:00:05.5Z one\n2026-11-24T08:00:05.6Z two\n",
                (_, false) => {
                    "2026-11-24T08:00:05.5Z one\n2026-11-24T08:00:05.6Z two\n2026-11-24T08:00:09Z no line feed"
                }
            };
            if logs == 1 {
                Answer::Stream(vec![Piece::Bytes(text.into()), Piece::Break])
            } else {
                Answer::Stream(vec![Piece::Bytes(text.into())])
            }
        }
        _ => otherwise(asked),
    });
    let events = follow(&cluster).await;
    let texts: Vec<_> = lines_of(&events).iter().map(|l| l.text.as_str()).collect();
    assert_eq!(texts, ["one", "two", "no line feed"]);
    assert!(
        matches!(&events[0], LogEvent::Opened { .. })
            && matches!(&events[2], LogEvent::Broken { reason } if reason.contains("connection reset"))
            && events[3] == LogEvent::Resumed,
        "{events:?}"
    );
    assert_eq!(events.last(), Some(&LogEvent::Whole));
    let requests = requests.lock().unwrap();
    let logs: Vec<_> = requests
        .iter()
        .filter(|r| r.path.ends_with("/log"))
        .collect();
    assert!(
        logs.iter()
            .all(|r| r.parameter("container") == Some("executor")
                && r.parameter("timestamps") == Some("true"))
    );
    assert_eq!(logs[0].parameter("sinceTime"), None);
    // Rounded down and a second earlier, where rounding to the nearest would lose lines.
    assert_eq!(
        logs[1].parameter("sinceTime"),
        Some("2026-11-24T08%3A00%3A04Z")
    );
    assert_eq!(logs.last().unwrap().parameter("follow"), None);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_has_not_begun_is_waited_for() {
    let mut logs = 0;
    let (cluster, _) = cluster(move |asked| match asked.path.as_str() {
        "/api/v1/namespaces/llmctl/pods/p" => Answer::Json(
            200,
            pod("p", &if logs < 4 { running() } else { terminated() }),
        ),
        "/api/v1/namespaces/llmctl/pods/p/log" => {
            logs += 1;
            match logs {
                1..=3 => Answer::status(
                    400,
                    "BadRequest",
                    "container \"executor\" in pod \"p\" is waiting to start: ContainerCreating",
                ),
                _ => Answer::Stream(vec![Piece::Bytes(b"2026-11-24T08:00:05Z hello\n".to_vec())]),
            }
        }
        _ => otherwise(asked),
    });
    let events = follow(&cluster).await;
    assert_eq!(lines_of(&events).len(), 1);
    assert_eq!(
        (events.len(), events.last()),
        (3, Some(&LogEvent::Whole)),
        "{events:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_gone_leaves_a_gap_unless_its_end_was_seen() {
    let serve = |asked: &Asked| match asked.path.as_str() {
        "/api/v1/namespaces/llmctl/pods/p" => {
            Answer::status(404, "NotFound", "pods \"p\" not found")
        }
        "/api/v1/namespaces/llmctl/pods/p/log" => Answer::Stream(vec![Piece::Bytes(
            b"2026-11-24T08:00:05Z last words\n".to_vec(),
        )]),
        "/api/v1/namespaces/llmctl/pods" if asked.is_watch() => Answer::Stream(vec![
            event("DELETED", &pod("p", &terminated())),
            Piece::Silence,
        ]),
        _ => otherwise(asked),
    };
    let (unwatched, _) = cluster(serve);
    let events = follow(&unwatched).await;
    assert!(
        matches!(events.last(), Some(LogEvent::Gone { reason }) if reason.contains("pod p is gone")),
        "{events:?}"
    );

    let (watched, _) = cluster(serve);
    let mut watch = watched.watch("llmctl");
    while !matches!(
        watch.next().await,
        Some(Observation::Seen(Seen::PodGone(_)))
    ) {}
    let events = follow(&watched).await;
    assert_eq!(events.last(), Some(&LogEvent::Whole));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_the_node_lost_is_a_gap() {
    let (cluster, _) = cluster(|asked| match asked.path.as_str() {
        "/api/v1/namespaces/llmctl/pods/p/log" => Answer::Stream(vec![Piece::Bytes(
            b"unable to retrieve container logs for containerd://c".to_vec(),
        )]),
        _ => otherwise(asked),
    });
    let events = follow(&cluster).await;
    assert!(
        matches!(&events[..], [LogEvent::Gone { reason }] if reason.starts_with("unable")),
        "{events:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn many_lines_are_few_messages() {
    let start: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
    let lines: Vec<_> = (0..100_000)
        .map(|n: i64| LogLine {
            at: Some(start + SignedDuration::from_micros(n)),
            text: format!("line {n}"),
        })
        .collect();
    let bytes = stamped(&lines);
    let pieces: Vec<_> = bytes
        .chunks(8192)
        .map(|chunk| Piece::Bytes(chunk.to_vec()))
        .collect();
    let (cluster, _) = cluster(move |asked| match asked.path.as_str() {
        "/api/v1/namespaces/llmctl/pods/p" => Answer::Json(200, pod("p", &terminated())),
        "/api/v1/namespaces/llmctl/pods/p/log" => Answer::Stream(pieces.clone()),
        _ => otherwise(asked),
    });
    let events = follow(&cluster).await;
    assert!(lines_of(&events).into_iter().eq(&lines));
    assert!(events.len() <= 27, "{} messages", events.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// Through the whole edge: the log breaks anywhere, also inside a line and inside a character, is silent for long, or the server is away.
    #[test]
    fn a_log_that_breaks_anywhere_is_whole_in_the_end(
        steps in proptest::collection::vec(prop_oneof![Just(0i64), 1..5_000i64, 100_000..2_500_000i64], 1..40),
        breaks in proptest::collection::vec((0usize..2000, 0u8..5), 0..10),
    ) {
        let mut at: Timestamp = "2026-11-24T08:00:00.7Z".parse().unwrap();
        let file: Vec<_> = steps.iter().enumerate().map(|(n, step)| {
            at += SignedDuration::from_micros(*step);
            LogLine { at: Some(at), text: format!("zeile {n} äöü \u{1f44d}") }
        }).collect();
        let served = file.clone();
        let mut breaks = breaks.into_iter();
        let mut over = false;
        let answer = move |asked: &Asked| match asked.path.as_str() {
            "/api/v1/namespaces/llmctl/pods/p" => Answer::Json(200, pod("p", &if over { terminated() } else { running() })),
            "/api/v1/namespaces/llmctl/pods/p/log" => {
                let since = asked.parameter("sinceTime").map(|t| t.replace("%3A", ":").parse::<Timestamp>().unwrap());
                let lines: Vec<_> = served.iter().filter(|l| l.at >= since).cloned().collect();
                let bytes = stamped(&lines);
                let Some((place, how)) = breaks.next() else {
                    over = true;
                    return Answer::Stream(vec![Piece::Bytes(bytes)]);
                };
                let cut = place.min(bytes.len());
                let (head, tail) = (bytes[..cut / 2].to_vec(), bytes[cut / 2..cut].to_vec());
                let end = match how {
                    0 => return Answer::Refuse,
                    1 => return Answer::status(503, "ServiceUnavailable", "starting"),
                    2 => Piece::Silence,
                    // A clean end of the stream in the middle of the log, as a server that shuts down gives it.
                    3 => Piece::Wait(Duration::from_millis(1)),
                    _ => Piece::Break,
                };
                Answer::Stream(vec![Piece::Bytes(head), Piece::Wait(Duration::from_millis(20)), Piece::Bytes(tail), end])
            }
            _ => otherwise(asked),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let events = runtime.block_on(async { follow(&cluster(answer).0).await });
        let got: Vec<LogLine> = lines_of(&events).into_iter().cloned().collect();
        prop_assert_eq!(got, file);
        prop_assert_eq!(events.last(), Some(&LogEvent::Whole));
    }
}
