//! The log of a run on standard output: followed, as it is now, or as it was kept.

use super::super::args::Globals;
use super::super::exit::{Exit, Failure};
use super::super::headless::{Headless, News};
use super::super::output;
use super::lives;
use crate::domain::contract::RESULT_PREFIX;
use crate::domain::logs::{Follow, LogEvent, LogLine};
use crate::domain::runs::{Ran, RunId};
use crate::sanitize::sgr::coloured;
use crate::sanitize::{sanitize, sanitize_lines};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

/// Which log, and how it is printed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "RUN")]
    run: String,
    /// Go on until the log is whole
    #[arg(long)]
    follow: bool,
    /// Begin each line with its time
    #[arg(long)]
    timestamps: bool,
    /// Only lines of the last DURATION, such as 30s or 5m: before now, of a log that is over before its last line
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    since: Option<SignedDuration>,
    /// Only the last N lines
    #[arg(long, value_name = "N", conflicts_with = "follow")]
    tail: Option<usize>,
    /// Only lines that hold TEXT, upper and lower case alike
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
    /// Lay out lines that are JSON
    #[arg(long)]
    pretty: bool,
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(duration) if duration.is_positive() => Ok(duration),
        Ok(_) => Err("a duration is longer than nothing".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Prints the log of a run.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub(super) async fn run(
    globals: &Globals,
    headless: &mut Headless,
    args: &Args,
) -> Result<Exit, Failure> {
    let run = headless.named(&args.run)?;
    let id = run.id.clone();
    let past = !lives(run) || *run.log.follow() == Follow::Whole;
    let now = headless.now();
    let mut printer = Printer::new(globals, args, now);
    if past {
        return past_log(headless, &id, args, printer);
    }
    if !args.follow {
        return present_log(headless, &id, printer).await;
    }
    headless.follow(&id);
    headless.world.watch();
    loop {
        match headless.next(|run| *run == id).await? {
            News::Log { run, event } if run == id => match event {
                LogEvent::Lines(lines) => printer.take(lines)?,
                LogEvent::Gap { reason } => output::progress(&format!("lines were lost: {reason}")),
                LogEvent::Broken { reason } => {
                    output::progress(&format!("the log broke off: {reason}; it is resumed"));
                }
                LogEvent::Whole => return printer.end(Exit::Ok),
                LogEvent::Gone { reason } => {
                    output::progress(&format!("the log ends here: {reason}"));
                    return printer.end(Exit::Gone);
                }
                LogEvent::Opened { .. } | LogEvent::Resumed => {}
            },
            _ => {
                if headless.runs.find(&id).is_none_or(|run| !lives(run)) {
                    return printer.end(Exit::Ok);
                }
            }
        }
    }
}

/// What the log of a run holds now.
async fn present_log(
    headless: &mut Headless,
    id: &RunId,
    mut printer: Printer,
) -> Result<Exit, Failure> {
    let Some(run) = headless.runs.find(id) else {
        return Err(Failure::other("the run is not known any more"));
    };
    let Some(pod) = run.pod.as_ref().filter(|pod| pod.ran == Ran::Yes) else {
        let name = run.label();
        return Err(Failure::other(format!(
            "run {name} has no log yet: {}; --follow waits for it",
            run.why
        )));
    };
    let cluster = headless.world.cluster();
    let mut events = cluster.read_log(&run.namespace, &pod.name, &pod.container_id);
    while let Some(event) = events.next().await {
        match event {
            LogEvent::Lines(lines) => printer.take(lines)?,
            LogEvent::Gone { reason } => {
                output::progress(&format!("the log ends here: {reason}"));
                return printer.end(Exit::Gone);
            }
            _ => {}
        }
    }
    printer.end(Exit::Ok)
}

fn past_log(
    headless: &Headless,
    id: &RunId,
    args: &Args,
    mut printer: Printer,
) -> Result<Exit, Failure> {
    let Some(history) = headless.world.history() else {
        return Err(Failure::other("the history cannot be read"));
    };
    let unreadable =
        |error: String| Failure::other(format!("the kept log cannot be read: {error}"));
    if let Some(since) = args.since {
        let last = history.newest(id, 1);
        let last = last.map_err(|error| unreadable(error.to_string()))?;
        let at = last.lines.first().and_then(|line| line.at);
        printer.from = at.and_then(|at| at.checked_sub(since).ok());
    }
    let mut read_any = false;
    let mut failure = None;
    let read = history.each_line(id, |line| {
        read_any = true;
        printer.line(line).map_err(|stopped| {
            failure = Some(stopped);
            std::io::Error::other("standard output")
        })
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    read.map_err(|error| unreadable(error.to_string()))?;
    if !read_any {
        output::progress(
            "no log of this run was kept: nobody here followed it while its pod was there",
        );
    }
    printer.end(Exit::Ok)
}

/// Chooses lines and writes them.
struct Printer {
    timestamps: bool,
    pretty: bool,
    colour: bool,
    /// Older lines are left out.
    from: Option<Timestamp>,
    /// Lower case.
    grep: Option<String>,
    tail: Option<usize>,
    /// With `tail`: the last ones so far.
    held: VecDeque<LogLine>,
}

impl Printer {
    fn new(globals: &Globals, args: &Args, now: Timestamp) -> Self {
        Self {
            timestamps: args.timestamps,
            pretty: args.pretty,
            colour: globals.color.on(&std::io::stdout()),
            from: args.since.and_then(|since| now.checked_sub(since).ok()),
            grep: args.grep.as_ref().map(|text| text.to_lowercase()),
            tail: args.tail,
            held: VecDeque::new(),
        }
    }

    fn take(&mut self, lines: Vec<LogLine>) -> Result<(), Failure> {
        lines.into_iter().try_for_each(|line| self.line(line))
    }

    fn line(&mut self, line: LogLine) -> Result<(), Failure> {
        let old = self
            .from
            .is_some_and(|from| line.at.is_some_and(|at| at < from));
        let other = self
            .grep
            .as_ref()
            .is_some_and(|wanted| !line.text.to_lowercase().contains(wanted));
        if old || other {
            return Ok(());
        }
        let Some(most) = self.tail else {
            return output::text(&self.shown(&line));
        };
        self.held.push_back(line);
        if self.held.len() > most {
            self.held.pop_front();
        }
        Ok(())
    }

    /// Writes what was held back.
    fn end(self, exit: Exit) -> Result<Exit, Failure> {
        for line in &self.held {
            output::text(&self.shown(line))?;
        }
        Ok(exit)
    }

    fn shown(&self, line: &LogLine) -> String {
        let laid_out = self.pretty.then(|| laid_out(&line.text)).flatten();
        let text = match laid_out {
            Some(text) => sanitize_lines(&text),
            None if self.colour => coloured(&line.text).into_owned(),
            None => sanitize(&line.text).into_owned(),
        };
        match line.at {
            Some(at) if self.timestamps => format!("{at} {text}\n"),
            _ => text + "\n",
        }
    }
}

/// A line that is an object or an array, laid out; the result line of the executor too.
fn laid_out(line: &str) -> Option<String> {
    let body = line.trim();
    let (lead, json) = match body.strip_prefix(RESULT_PREFIX) {
        Some(json) => (RESULT_PREFIX, json),
        None => ("", body),
    };
    if !json.starts_with(['{', '[']) {
        return None;
    }
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    let json = serde_json::to_string_pretty(&value).ok()?;
    Some(format!("{lead}{json}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printer() -> Printer {
        Printer {
            timestamps: false,
            pretty: false,
            colour: false,
            from: None,
            grep: None,
            tail: None,
            held: VecDeque::new(),
        }
    }

    fn line(second: i64, text: &str) -> LogLine {
        LogLine {
            at: Some(Timestamp::from_second(second).unwrap()),
            text: text.into(),
        }
    }

    #[test]
    fn lines_are_chosen_by_time_text_and_number() {
        let mut printer = Printer {
            from: Some(Timestamp::from_second(10).unwrap()),
            grep: Some("err".into()),
            tail: Some(2),
            ..printer()
        };
        for (second, text) in [
            (9, "error 1"),
            (10, "ERROR 2"),
            (11, "fine"),
            (12, "an error 3"),
            (13, "Err 4"),
        ] {
            printer.line(line(second, text)).unwrap();
        }
        let held: Vec<&str> = printer.held.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(held, ["an error 3", "Err 4"]);
    }

    #[test]
    fn a_line_is_harmless_in_every_form() {
        let red = line(0, "\u{1b}[31mred\u{1b}[2J");
        assert_eq!(printer().shown(&red), "red^[[2J\n");
        let colour = Printer {
            colour: true,
            timestamps: true,
            ..printer()
        };
        assert_eq!(
            colour.shown(&red),
            "1970-01-01T00:00:00Z \u{1b}[0;31mred^[[2J\u{1b}[0m\n"
        );
        let pretty = Printer {
            pretty: true,
            ..printer()
        };
        let json = line(0, "{\"a\": \"\u{202e}\"}");
        assert_eq!(pretty.shown(&json), "{\n  \"a\": \"<U+202E>\"\n}\n");
    }

    #[test]
    fn durations_are_those_of_people() {
        assert_eq!(duration("5m"), Ok(SignedDuration::from_mins(5)));
        assert_eq!(duration("1h30m"), Ok(SignedDuration::from_mins(90)));
        assert!(duration("0s").is_err() && duration("-5m").is_err() && duration("soon").is_err());
    }
}
