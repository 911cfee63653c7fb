//! What a program or a cluster may write, in every tab at every size: nothing of it acts on the terminal, and nothing panics.

use super::super::stage::{Stage, Told, theme};
use crate::domain::logs::LogEvent;
use crate::domain::observed::{EventSeen, Seen};

/// Texts that do something to a terminal, or that break a reader.
pub(super) fn corpus() -> Vec<String> {
    let mut lines: Vec<String> = [
        "clear \u{1b}[2J\u{1b}[H\u{1b}c",
        "title \u{1b}]0;evil\u{7} and \u{1b}]0;evil\u{1b}\\",
        "clipboard \u{1b}]52;c;ZXZpbA==\u{7}",
        "link \u{1b}]8;;http://x\u{1b}\\text",
        "eight bits \u{9b}31m\u{9d}0;x\u{9c}\u{90}q",
        "colours \u{1b}[31;48;5;300;99999999999999999999mred\u{1b}[8mhidden\u{1b}[m",
        "open \u{1b}[38;2;",
        "bidi \u{202e}gpj.exe\u{2066}x\u{2069}\u{200f}",
        "zero \u{0}\u{200b}\u{feff}\u{ad}width",
        "back \u{8}\u{8}\u{8}over and \rover",
        "bytes \u{fffd}\u{fffd}",
        "tags \u{e0041}\u{e0042} and marks e\u{301}\u{301}\u{301}\u{301}\u{301}",
        "family \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} wide 漢字漢字漢字",
        "\t\t\ttabs\t",
        "",
        "{\"event\": \"executor_started\", \"contract_version\": \"v9\"}",
        "{\"key\": \"\u{202e}\u{9b}\", \"deep\": [[[[[[[[1]]]]]]]]}",
        "text LLMCTL_EXECUTOR_RESULT_JSON={\"status\": \"success\"}",
        "LLMCTL_EXECUTOR_RESULT_JSON={\"status\": \"success\", \"exit_code\": 0, ",
        "LLMCTL_EXECUTOR_RESULT_JSON=[\"success\"]",
    ]
    .map(str::to_owned)
    .into();
    lines.push("x\u{1b}[31m".repeat(200_000));
    lines.push(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    lines
}

const RESULT: &str = r#"LLMCTL_EXECUTOR_RESULT_JSON={"contract_version": "v1", "status": "failed\u001b[2J", "exit_code": 3, "stdout": "\u001b]0;x\u0007\n\u202e\ud800", "error": {"code": "execution_error", "message": "evil \u001b[2J\u009b31m\u202e\u0000"}, "metrics": {"x": NaN, "\u001b[2J": -Infinity}}"#;

/// A run whose log, result, events and names are all hostile.
fn hostile() -> Stage {
    let mut stage = Stage::minikube();
    let told = Told::new(66, "hello", -60);
    stage.running(&told);
    let mut job = stage.job(&told);
    job.image = "image\u{1b}[2J\u{202e}:1".into();
    stage.see(Seen::Job(Box::new(job)));
    for (n, text) in corpus().into_iter().enumerate().take(20) {
        let at = stage.at(-50.0);
        stage.see(Seen::Event(Box::new(EventSeen {
            uid: format!("hostile-{n}"),
            kind: "Job".into(),
            name: stage.job(&told).name,
            object_uid: told.id().0,
            level: "Warning".into(),
            reason: format!("Reason{text}"),
            message: text,
            source: String::new(),
            count: 2,
            first: at,
            last: at,
        })));
    }
    stage.print(&told, -50.0, &["LLMCTL_EXECUTOR_STARTED".into()]);
    stage.print(&told, -40.0, &corpus());
    stage.print(&told, -30.0, &[RESULT.to_owned()]);
    stage.finish(&told, 40, 3, true);
    stage.log(&told, LogEvent::Whole);
    stage.tick(0.0);
    stage.select(66);
    stage
}

fn assert_harmless(stage: &mut Stage, columns: u16, rows: u16, what: &str) {
    let buffer = stage.buffer(columns, rows, &theme());
    for (at, cell) in buffer.content.iter().enumerate() {
        let bad = cell.symbol().chars().find(|c| {
            c.is_control()
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                    | '\u{200b}' | '\u{feff}' | '\u{ad}' | '\u{e0000}'..='\u{e007f}')
        });
        assert_eq!(bad, None, "{what} at {columns}x{rows}, cell {at}");
    }
}

#[test]
fn nothing_hostile_reaches_the_terminal_from_any_tab() {
    for (columns, rows) in [(120, 40), (80, 24), (61, 15)] {
        let mut stage = hostile();
        stage.press(&["0"]);
        for tab in ["timeline", "logs", "result", "events", "manifest"] {
            for keys in [&[][..], &["j", "j"], &["G"], &["g"]] {
                stage.press(keys);
                assert_harmless(&mut stage, columns, rows, tab);
            }
            if tab == "logs" {
                for key in ["w", "t", "p", "w", "m", "o", "e", "e", "E", "s", "s"] {
                    stage.press(&[key]);
                    assert_harmless(&mut stage, columns, rows, &format!("logs after {key}"));
                }
                stage
                    .press(&["/"])
                    .write("evil")
                    .press(&["enter", "n", "N"]);
                assert_harmless(&mut stage, columns, rows, "search");
                stage.press(&["esc"]);
            }
            stage.press(&["right"]);
        }
    }
}

#[test]
fn w12_w31_the_last_line_that_can_be_read_decides_however_hostile() {
    let stage = hostile();
    let run = stage.state.runs.current().unwrap();
    let result = run.executor.as_ref().unwrap();
    assert_eq!(result.exit_code, 3);
    assert!(!result.is_success());
    // As printed, for whoever wants to see the NaN.
    assert!(result.line.as_ref().unwrap().contains("NaN"));
    assert_eq!(run.verdict, crate::domain::verdict::Verdict::Failed);
    assert!(run.why.contains("evil"), "{}", run.why);
}
