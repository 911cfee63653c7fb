//! A Job's life: waiting for it, looking at it, its logs, its end by every kind of deletion.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::{IMAGE, Served, head, rows};

#[test]
fn a_job_from_apply_to_its_logs() {
    let Some(sandbox) = Served::start() else {
        return;
    };
    sandbox.job("go", "echo one; echo two", "");
    let said = sandbox.ok("wait --for=condition=complete job/go --timeout=90s");
    assert_eq!(said, "job.batch/go condition met\n");

    let table = sandbox.ok("get jobs");
    assert_eq!(
        head(&table),
        ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"]
    );
    assert_eq!(rows(&table)[0][..3], ["go", "Complete", "1/1"], "{table}");
    let wide = sandbox.ok("get jobs -o wide -l team=a");
    assert_eq!(
        head(&wide)[5..],
        ["CONTAINERS", "IMAGES", "SELECTOR"],
        "{wide}"
    );
    assert!(rows(&wide)[0].contains(&IMAGE), "{wide}");
    assert_eq!(sandbox.ok("get jobs -l team=b -o name"), "");
    let job: Value = serde_json::from_str(&sandbox.ok("get job go -o json")).unwrap();
    assert_eq!(job["status"]["succeeded"], 1);
    assert!(job["metadata"].get("managedFields").is_none());
    let shown = sandbox.ok("get job go -o json --show-managed-fields");
    assert!(shown.contains("\"manager\": \"kubectl\""), "{shown}");
    let yaml: Value = serde_saphyr::from_str(&sandbox.ok("get job go -o yaml")).unwrap();
    assert_eq!(yaml["spec"], job["spec"]);

    let pods = sandbox.ok("get pods");
    assert_eq!(head(&pods), ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(rows(&pods)[0][1..4], ["0/1", "Completed", "0"], "{pods}");
    assert_eq!(head(&sandbox.ok("get pods -o wide"))[5..7], ["IP", "NODE"]);
    let by_phase = |phase: &str| {
        sandbox.ok(&format!(
            "get pods --field-selector status.phase={phase} -o name"
        ))
    };
    assert_eq!(by_phase("Running"), "");
    assert!(by_phase("Succeeded").starts_with("pod/go-"));

    assert_eq!(sandbox.ok("logs job/go"), "one\ntwo\n");
    assert_eq!(sandbox.ok("logs job/go --tail=1"), "two\n");
    let stamped = sandbox.ok("logs job/go --since=10m --timestamps");
    for (line, text) in stamped.lines().zip(["one", "two"]) {
        let (time, rest) = line.split_once(' ').unwrap();
        time.parse::<jiff::Timestamp>().unwrap();
        assert_eq!(rest, text);
    }
    assert_eq!(
        sandbox.ok("logs job/go --since-time=2101-01-01T00:00:00Z"),
        ""
    );

    let described = sandbox.ok("describe job go");
    for words in [
        "Name:             go",
        "0 Active (0 Ready) / 1 Succeeded / 0 Failed",
        "SuccessfulCreate",
        "Job completed",
    ] {
        assert!(described.contains(words), "{words}: {described}");
    }
    let pod = sandbox.ok("get pods -o name");
    let described = sandbox.ok(&format!("describe {}", pod.trim()));
    for words in [
        "Controlled By:  Job/go",
        "Reason:       Completed",
        "Exit Code:    0",
        "Successfully assigned default/go-",
        "Started container executor",
    ] {
        assert!(described.contains(words), "{words}: {described}");
    }
    let events = sandbox.ok("get events --field-selector involvedObject.name=go");
    assert_eq!(
        head(&events),
        ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    );
    assert!(events.contains("Job completed"), "{events}");
    let sorted = sandbox.ok("get events --sort-by=.lastTimestamp");
    assert!(rows(&sorted).len() >= 5, "{sorted}");
    assert!(sandbox.ok("events --for job/go").contains("Completed"));
}

#[test]
fn a_job_is_followed_and_watched() {
    let Some(sandbox) = Served::start() else {
        return;
    };
    let mut watch = sandbox
        .command("get jobs -w --no-headers")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut watched = BufReader::new(watch.stdout.take().unwrap()).lines();
    sandbox.job("slow", "echo begun; sleep 2; echo done", "");
    sandbox.ok("wait --for=condition=ready pod -l job-name=slow --timeout=90s");
    assert_eq!(sandbox.ok("logs -f job/slow"), "begun\ndone\n");
    let end = watched
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.starts_with("slow") && line.contains("Complete"))
        .expect("the watch tells of the end");
    assert!(end.contains("1/1"), "{end}");
    watch.kill().unwrap();
    watch.wait().unwrap();

    sandbox.job("bad", "exit 3", "");
    sandbox.ok("wait --for=condition=failed job/bad --timeout=90s");
    let table = sandbox.ok("get job bad");
    assert_eq!(rows(&table)[0][..3], ["bad", "Failed", "0/1"], "{table}");
    assert!(
        sandbox
            .ok("describe job bad")
            .contains("BackoffLimitExceeded")
    );
    sandbox.job("brief", "true", "ttlSecondsAfterFinished: 1");
    let gone = sandbox.ok("wait --for=delete job/brief --timeout=90s");
    assert!(gone.contains("job.batch/brief"), "{gone}");
    assert!(
        sandbox
            .fails("get job brief")
            .contains(r#"Error from server (NotFound): jobs.batch "brief" not found"#)
    );
    let missed = sandbox.fails("wait --for=condition=complete job/bad --timeout=1s");
    assert!(missed.contains("timed out waiting"), "{missed}");
}

#[test]
fn jobs_are_deleted_in_every_way() {
    let Some(sandbox) = Served::start() else {
        return;
    };
    for name in ["background", "foreground", "orphan"] {
        sandbox.job(name, "sleep 600", "");
        sandbox.ok(&format!(
            "wait --for=condition=ready pod -l job-name={name} --timeout=90s"
        ));
        let said = sandbox.ok(&format!("delete job {name} --cascade={name} --timeout=90s"));
        // Newer ones go on and say from where.
        assert!(
            said.starts_with(&format!("job.batch \"{name}\" deleted")),
            "{said}"
        );
        let pods = sandbox.ok(&format!("get pods -l job-name={name} -o name"));
        match name {
            "foreground" => assert_eq!(pods, "", "its pods went first"),
            "orphan" => assert!(pods.starts_with("pod/orphan-"), "{pods}"),
            _ => drop(sandbox.run(&format!(
                "wait --for=delete pod -l job-name={name} --timeout=90s"
            ))),
        }
    }
    assert_eq!(sandbox.ok("get jobs -o name"), "");
    let orphan = sandbox.ok("get pods -o name");
    let forced = sandbox.run(&format!(
        "delete {} --force --grace-period=0",
        orphan.trim()
    ));
    assert_eq!(forced.code, 0, "{forced:?}");
    assert!(forced.out.contains("force deleted"), "{forced:?}");
    assert!(
        forced.err.contains("Immediate deletion does not wait"),
        "{forced:?}"
    );
    assert_eq!(sandbox.ok("get pods -o name"), "");
    assert!(
        sandbox
            .ok("delete jobs --all")
            .contains("No resources found")
    );
    assert_eq!(sandbox.ok("delete job none --ignore-not-found"), "");
}
