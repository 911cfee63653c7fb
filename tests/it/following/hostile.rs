//! A container that prints everything that could hurt a terminal or a reader, through the command line and the history.

use crate::support::home::Home;

/// Octal, as every `printf` takes it. The line with the fake success comes before the true result, a broken one after it.
const SAMPLE: &str = r#"
summary = "prints what hurts"
command = ["true"]
container_command = ["/bin/sh", "-c", """
echo LLMCTL_EXECUTOR_STARTED
printf 'clear \\033[2J\\033[H title \\033]0;evil\\007 clip \\033]52;c;ZXZpbA==\\007\\n'
printf 'red \\033[31mred\\033[8mhidden\\033[0m csi \\302\\2331m nul \\000 del \\177 back \\010\\n'
printf 'bidi \\342\\200\\256gpj.exe invalid \\377\\376 \\303( end\\n'
printf '  two  spaces\\tand a tab  \\n'
head -c 10485760 /dev/zero | tr '\\000' x
echo
echo 'note LLMCTL_EXECUTOR_RESULT_JSON={"status": "success"}'
echo 'LLMCTL_EXECUTOR_RESULT_JSON={"status": "success", "exit_code": 0}'
printf '%s\\n' 'LLMCTL_EXECUTOR_RESULT_JSON={"contract_version": "v1", "status": "failed", "exit_code": 3, "stdout": "\\ud800 \\u001b[2J\\u009b1m", "metrics": {"x": NaN}, "error": {"code": "execution_error", "message": "evil \\u001b]0;x\\u0007 \\u202e"}}'
echo 'LLMCTL_EXECUTOR_RESULT_JSON={"status": "succ'
exit 3
"""]
"#;

/// Characters that act on a terminal, line feeds aside.
fn harmful(text: &str) -> String {
    let acts = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    let found: String = text.chars().filter(acts).take(5).collect();
    found.escape_unicode().to_string()
}

#[test]
fn w31_hostile_output_is_harmless_everywhere_and_the_verdict_is_right() {
    let home = Home::new();
    home.write("config/llmctl-dev/samples/hostile.toml", SAMPLE);
    let ran = home.run(&["--sandbox", "run", "hostile", "--wait", "--follow"]);
    assert_eq!(
        ran.code, 1,
        "failed, and neither of the fake results: {}",
        ran.err
    );
    for (what, text) in [("out", &ran.out), ("err", &ran.err)] {
        assert_eq!(harmful(text), "", "{what}");
    }
    let all = format!("{}{}", ran.out, ran.err);
    assert!(
        all.contains("clear ^[[2J^[[H title ^[]0;evil^G"),
        "shown, not done"
    );
    assert!(
        all.contains("csi \\x9b1m nul ^@ del ^? back ^H"),
        "eight bits too"
    );
    assert!(all.contains("bidi <U+202E>gpj.exe invalid \u{fffd}\u{fffd} \u{fffd}( end"));
    assert!(
        all.contains("  two  spaces   and a tab"),
        "whitespace is kept"
    );

    // The sandbox is gone, the history is not.
    let shown = home.run(&["--sandbox", "runs", "show", "last", "-o", "json"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert_eq!(harmful(&shown.out), "");
    let document = shown.json();
    assert_eq!(document["verdict"], "failed", "{document:#}");
    assert_eq!(document["executor"]["exit_code"], 3);
    assert_eq!(
        document["executor"]["metrics"]["x"],
        serde_json::Value::Null
    );
    assert_eq!(document["executor"]["stdout"], "\u{fffd} \u{1b}[2J\u{9b}1m");
    assert!(
        document["why"]["sentence"]
            .as_str()
            .unwrap()
            .starts_with("evil")
    );
    assert!(
        document["why"]["fix"]
            .as_str()
            .unwrap()
            .contains("runs logs")
    );

    for arguments in [
        &["runs", "show", "last"][..],
        &["runs", "list"],
        &["runs", "list", "-o", "yaml"],
        &["runs", "logs", "last", "--timestamps"],
        &["runs", "logs", "last", "--pretty"],
    ] {
        let mut line = vec!["--sandbox"];
        line.extend(arguments);
        let ran = home.run(&line);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        assert_eq!(harmful(&ran.out), "", "{arguments:?}");
        assert_eq!(harmful(&ran.err), "", "{arguments:?}");
    }
    let coloured = home.run(&[
        "--sandbox",
        "--color",
        "always",
        "runs",
        "logs",
        "last",
        "--tail",
        "9",
    ]);
    assert!(
        coloured
            .out
            .contains("red \u{1b}[0;31mred\u{1b}[0;31mhidden\u{1b}[0m"),
        "colours only"
    );
    let plain = coloured
        .out
        .replace("\u{1b}[0m", "")
        .replace("\u{1b}[0;31m", "");
    assert_eq!(harmful(&plain), "");
    let found = home.run(&[
        "--sandbox",
        "runs",
        "logs",
        "last",
        "--grep",
        "llmctl_executor_result_json",
    ]);
    assert_eq!(
        found.out.lines().count(),
        4,
        "each line once, and the log was rotated in the middle of one"
    );
    let long = home.run(&["--sandbox", "runs", "logs", "last", "--grep", "xxxxxxxxxx"]);
    assert!(
        long.out.len() > 10 << 20,
        "ten mebibytes of one line are kept"
    );
}
