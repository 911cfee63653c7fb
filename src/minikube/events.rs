//! The events that minikube writes with `-o json`, one CloudEvent a line.

use crate::domain::profile::{StartError, StartStep};
use serde::Deserialize;

/// What a line means.
#[derive(Debug, PartialEq)]
pub(super) enum Event {
    Step(StartStep),
    /// The reason for which minikube is about to end.
    Failure(StartError),
    Nothing,
}

#[derive(Debug, Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Data,
}

/// All values are text, numbers too.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Data {
    message: String,
    name: String,
    currentstep: String,
    totalsteps: String,
    artifact: String,
    progress: String,
    exitcode: Option<String>,
    advice: String,
    url: String,
}

/// Reads one line. A line that is no event is a note.
pub(super) fn read(line: &str) -> Event {
    let line = line.trim();
    if line.is_empty() {
        return Event::Nothing;
    }
    let Ok(Envelope { kind, data }) = serde_json::from_str(line) else {
        return Event::Step(StartStep::Note {
            text: line.to_owned(),
        });
    };
    let text = data.message.trim().to_owned();
    match kind
        .rsplit_once("minikube.")
        .map_or(kind.as_str(), |(_, kind)| kind)
    {
        "step" => Event::Step(StartStep::Step {
            at: data.currentstep.parse().unwrap_or(0),
            of: data.totalsteps.parse().unwrap_or(0),
            name: data.name,
            text,
        }),
        "download.progress" => Event::Step(StartStep::Download {
            name: data.artifact,
            done: data.progress.parse().unwrap_or(0.0),
        }),
        "download" => Event::Step(StartStep::Download {
            name: data.artifact,
            done: 0.0,
        }),
        // Minikube also prints advice as errors; only the one with an exit code ends it.
        "error" => match data.exitcode {
            Some(exit) => Event::Failure(StartError {
                name: data.name,
                text,
                advice: data.advice,
                url: data.url,
                exit: exit.parse().ok(),
            }),
            None => Event::Step(StartStep::Warning { text }),
        },
        "warning" => Event::Step(StartStep::Warning { text }),
        _ if text.is_empty() => Event::Nothing,
        _ => Event::Step(StartStep::Note { text }),
    }
}

/// Standard output, standard error and exit code of a recorded command.
#[cfg(test)]
pub(super) fn recorded(text: &str) -> (&str, &str, i32) {
    let (_, rest) = text.split_once("--- stdout\n").unwrap();
    let (stdout, rest) = rest.split_once("--- stderr\n").unwrap();
    let (stderr, exit) = rest.rsplit_once("--- exit ").unwrap();
    (stdout, stderr, exit.trim().parse().unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> (Vec<StartStep>, Option<StartError>) {
        let (stdout, _, _) = recorded(text);
        let (mut steps, mut failure) = (Vec::new(), None);
        for line in stdout.lines() {
            match read(line) {
                Event::Step(step) => steps.push(step),
                Event::Failure(error) => failure = Some(error),
                Event::Nothing => {}
            }
        }
        (steps, failure)
    }

    #[test]
    fn a_first_start_counts_its_steps() {
        let (steps, failure) = read_all(include_str!(
            "../../tests/it/fixtures/minikube/new-start.txt"
        ));
        assert_eq!(failure, None);
        let at: Vec<_> = steps
            .iter()
            .filter_map(|step| match step {
                StartStep::Step { at, of: 19, .. } => Some(*at),
                _ => None,
            })
            .collect();
        assert!(
            at.is_sorted() && at.first() == Some(&0) && at.last() == Some(&19),
            "{at:?}"
        );
        assert!(
            steps.iter().any(
                |step| matches!(step, StartStep::Warning { text } if text.contains("--force"))
            )
        );
    }

    #[test]
    fn failures_carry_name_advice_and_exit_code() {
        let (_, failure) = read_all(include_str!(
            "../../tests/it/fixtures/minikube/docker-down-start.txt"
        ));
        let failure = failure.unwrap();
        assert_eq!(
            (failure.name.as_str(), failure.advice.as_str(), failure.exit),
            (
                "PROVIDER_DOCKER_NOT_RUNNING",
                "Start the Docker service",
                Some(63)
            )
        );
        assert!(
            failure.to_string().contains("Start the Docker service"),
            "{failure}"
        );
        let (_, failure) = read_all(include_str!(
            "../../tests/it/fixtures/minikube/root-without-force-start.txt"
        ));
        assert_eq!(failure.unwrap().name, "DRV_AS_ROOT");
    }

    #[test]
    fn downloads_and_strange_lines() {
        let progress = r#"{"type":"io.k8s.sigs.minikube.download.progress","data":{"artifact":"preload","progress":"0.5","currentstep":"5","totalsteps":"19"}}"#;
        assert_eq!(
            read(progress),
            Event::Step(StartStep::Download {
                name: "preload".into(),
                done: 0.5
            })
        );
        assert_eq!(
            read("no json"),
            Event::Step(StartStep::Note {
                text: "no json".into()
            })
        );
        assert_eq!(read("  "), Event::Nothing);
        assert_eq!(
            read("{}"),
            Event::Step(StartStep::Note { text: "{}".into() })
        );
    }
}
