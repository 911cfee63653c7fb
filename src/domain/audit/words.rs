//! Finding words and commands in a line of text.

/// Whether `word` stands in `text` with no letter, digit or underscore beside it.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Programs whose subcommand `compose` is Compose.
const ENGINES: [&str; 3] = ["docker", "podman", "nerdctl"];

/// Programs that are Compose by themselves.
const PROGRAMS: [&str; 3] = ["docker-compose", "podman-compose", "docker-compose-v1"];

/// What Compose can be asked for.
const SUBCOMMANDS: [&str; 33] = [
    "attach", "build", "commit", "config", "cp", "create", "down", "events", "exec", "export",
    "images", "kill", "logs", "ls", "pause", "port", "ps", "publish", "pull", "push", "restart",
    "rm", "run", "scale", "start", "stats", "stop", "top", "unpause", "up", "version", "wait",
    "watch",
];

/// How a line names Compose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Program and subcommand or options, as one would type it.
    Typed,
    /// The program, with nothing that it should do.
    Program,
    /// In words, or as part of a file's name.
    Words,
}

/// How `text` names Compose; the strongest way when there are several.
pub(super) fn compose(text: &str) -> Option<Named> {
    let lower = text.to_ascii_lowercase();
    if !lower.contains("compose") {
        return None;
    }
    let clean: String = lower
        .chars()
        .map(|c| match c {
            '"' | '\'' | '`' | ',' | '[' | ']' | '(' | ')' | '{' | '}' | '$' | ';' | '|' | '&'
            | '=' => ' ',
            c => c,
        })
        .collect();
    let tokens: Vec<&str> = clean.split_whitespace().collect();
    let mut named = None;
    for (at, token) in tokens.iter().enumerate() {
        let program = token.rsplit('/').next().unwrap_or(token);
        let rest = if PROGRAMS.contains(&program) {
            Some(at + 1)
        } else if ENGINES.contains(&program) {
            // `docker --context other compose …`
            (at + 1..tokens.len().min(at + 6))
                .find(|next| tokens[*next] == "compose")
                .filter(|found| tokens[at + 1..*found].iter().all(|t| is_option_or_value(t)))
                .map(|found| found + 1)
        } else {
            None
        };
        let how = match rest {
            Some(rest) if asks(&tokens[rest..]) => Named::Typed,
            Some(_) => Named::Program,
            None => continue,
        };
        if named != Some(Named::Typed) {
            named = Some(how);
        }
    }
    named.or_else(|| spoken(&lower).then_some(Named::Words))
}

fn is_option_or_value(token: &str) -> bool {
    token.starts_with('-') || !SUBCOMMANDS.contains(&token)
}

/// Whether what follows the program is something to do: options are skipped.
fn asks(rest: &[&str]) -> bool {
    match rest.first() {
        Some(first) if first.starts_with('-') => true,
        Some(first) => SUBCOMMANDS.contains(&first.trim_end_matches(['.', ':', '!', '?'])),
        None => false,
    }
}

/// Whether Compose is meant by words or by the name of one of its files.
fn spoken(lower: &str) -> bool {
    [
        "docker compose",
        "docker-compose",
        "docker_compose",
        "dockercompose",
        "compose.yml",
        "compose.yaml",
        "compose file",
        "podman-compose",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// Words that turn an instruction round: what is quoted is not to be done, or was done once.
const TURNED: [&str; 22] = [
    "instead of",
    "no longer",
    "do not",
    "don't",
    "don’t",
    "never",
    "must not",
    "not use",
    "removed",
    "replaces",
    "replaced",
    "replacing",
    "retired",
    "deprecated",
    "formerly",
    "previously",
    "used to",
    "there is no",
    "without",
    "rather than",
    "legacy",
    "migrated from",
];

/// Whether a sentence says that what it names is over, or not to be done.
pub(super) fn is_turned(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    TURNED.iter().any(|word| lower.contains(word))
}

/// Whether a line only says something to people.
pub(super) fn prints(text: &str) -> bool {
    let first = text.split_whitespace().find(|word| !word.starts_with('@'));
    let first = first.unwrap_or_default().trim_start_matches('@');
    ["echo", "printf", "log", "info", "warn", "error", "die"].contains(&first)
}

/// Whether a program's text holds the command in quotes, as words of a list or as a whole.
pub(super) fn is_quoted_command(text: &str) -> bool {
    let clean: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let clean = clean.replace('\'', "\"");
    [
        "\"docker\",\"compose\"",
        "\"docker-compose\"",
        "\"dockercompose\"",
    ]
    .iter()
    .any(|quoted| clean.contains(quoted))
}

/// Whether `word` stands in quotes.
pub(super) fn is_quoted(text: &str, word: &str) -> bool {
    ['"', '\'', '`']
        .iter()
        .any(|quote| text.contains(&format!("{quote}{word}{quote}")))
}

/// The value that a line gives to the variable `name`, in any of the forms `A=b`, `A: "b"`, `["A"] = "b"`, `A=${B:-b}`.
/// None where it gives none, or one that is only known later.
pub(super) fn value_of(text: &str, name: &str) -> Option<String> {
    if !has_word(text, name) {
        return None;
    }
    let after = &text[text.find(name)? + name.len()..];
    let after = after.trim_start_matches(['"', '\'', '`', ']', ')', ' ']);
    let after = after.strip_prefix(['=', ':', ','])?;
    let after = after.trim_start_matches([' ', '"', '\'', '(']);
    let after = match after.strip_prefix("${") {
        Some(variable) => variable.split_once(":-")?.1,
        None => after,
    };
    let value: String = after
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        .collect();
    (!value.is_empty()).then_some(value)
}

/// Whether a command of Compose starts services, rather than building or fetching images.
pub(super) fn runs_services(text: &str) -> bool {
    compose(text) == Some(Named::Typed)
        && subcommand(text).is_some_and(|sub| !BUILDS.contains(&sub))
}

/// What Compose does about images alone.
const BUILDS: [&str; 6] = ["build", "config", "images", "pull", "push", "version"];

fn subcommand(text: &str) -> Option<&'static str> {
    let clean = text.replace(['"', '\'', '`', ',', '[', ']', '(', ')', ';'], " ");
    let mut tokens = clean
        .split_whitespace()
        .skip_while(|token| !token.to_ascii_lowercase().contains("compose"));
    tokens.next()?;
    tokens.find_map(|token| {
        let token = token.trim_end_matches(['.', ':', '!', '?']);
        SUBCOMMANDS.iter().copied().find(|sub| *sub == token)
    })
}

/// What to type instead of a command of Compose.
pub(super) fn kubernetes_way(text: &str) -> String {
    let workload = super::legacy::SERVICES
        .iter()
        .find(|moved| has_service(text, moved.service))
        .map(|moved| match moved.service {
            "llmctl-studio" => "llmctl-studio-backend",
            "llmctl-rag" => "llmctl-celery-worker",
            other => other,
        });
    let deployment = format!("deployment/{}", workload.unwrap_or("NAME"));
    match subcommand(text) {
        Some("logs" | "attach") => format!("`kubectl -n llmctl logs -f {deployment}`"),
        Some("restart") => format!("`kubectl -n llmctl rollout restart {deployment}`"),
        Some("exec" | "run") => format!("`kubectl -n llmctl exec -it {deployment} -- COMMAND`"),
        Some("ps" | "ls" | "top" | "stats") => "`kubectl -n llmctl get pods`".into(),
        Some("build" | "images" | "pull" | "push") => {
            "the build scripts of the images, then `minikube -p llmctl image load IMAGE`".into()
        }
        Some("down" | "stop" | "kill" | "rm" | "pause") => {
            "`minikube -p llmctl stop`, which keeps everything".into()
        }
        Some("config") => "`llmctl-dev overlays render minikube`".into(),
        Some("port") => format!("`kubectl -n llmctl port-forward {deployment} PORT`"),
        Some("scale") => format!("`kubectl -n llmctl scale {deployment} --replicas N`"),
        _ => "`llmctl-dev overlays apply minikube` on the Minikube profile".into(),
    }
}

/// Whether a line names that service, and not one whose name only begins or ends so.
fn has_service(text: &str, service: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
        .any(|word| word == service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compose_is_known_in_every_form() {
        let cases = [
            ("docker compose up -d", Some(Named::Typed)),
            (
                "docker --context other compose -f a.yml ps",
                Some(Named::Typed),
            ),
            ("sudo /usr/bin/docker-compose logs", Some(Named::Typed)),
            (
                r#"subprocess.run(["docker", "compose", "up"])"#,
                Some(Named::Typed),
            ),
            ("COMPOSE=\"docker compose\"", Some(Named::Program)),
            ("command -v docker-compose", Some(Named::Program)),
            ("$(docker compose ps -q)", Some(Named::Typed)),
            ("podman compose down", Some(Named::Typed)),
            ("rm docker/docker-compose.yml", Some(Named::Words)),
            (
                "the Kubernetes deployment instead of Docker Compose.",
                Some(Named::Words),
            ),
            ("docker run image compose up", None),
            ("docker build -t composer .", None),
            ("we compose a message", None),
            ("composer install", None),
        ];
        for (text, expected) in cases {
            assert_eq!(compose(text), expected, "{text}");
        }
    }

    #[test]
    fn words_stand_alone() {
        assert!(has_word("from x import DockerExecutor", "DockerExecutor"));
        assert!(has_word(
            "execution.docker_executor import",
            "docker_executor"
        ));
        assert!(!has_word("MyDockerExecutorTest", "DockerExecutor"));
        assert!(!has_word(
            "LLMCTL_NODE_EXECUTOR_K8S_IMAGE_TAG",
            "LLMCTL_NODE_EXECUTOR_K8S_IMAGE"
        ));
    }
}
