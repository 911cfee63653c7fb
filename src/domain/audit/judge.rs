//! What each passage of a file means: contract section 7.10.

use super::legacy::{self, DEAD, PREFIX, PROVIDER};
use super::place::{Place, has_end, is_compose_name};
use super::words::{self, Named, has_word};
use super::{Finding, Level, Page, Passage, Rule, Service, Voice};
use crate::domain::masking;
use crate::domain::settings::legacy::REMOVED_KEYS;

/// Longest excerpt, in characters.
const EXCERPT: usize = 160;

/// Settings whose names other parts of a program may well use: they count where the executor's settings are spoken of.
const COMMON_NAMES: [&str; 4] = [
    "workspace_root",
    "docker_host",
    "docker_image",
    "docker_network",
];

/// What a document does that says how to use Compose.
const TOLD: &str = "documentation that instructs the use of Compose";

/// Everything to say about one file.
pub fn judge(page: &Page) -> Vec<Finding> {
    let place = Place::of(&page.path);
    let judge = Judge { page, place };
    let mut findings = match place {
        Place::Archive => judge.archive(),
        Place::ImageBuild => judge.image_build(),
        _ => judge.ordinary(),
    };
    findings.sort_by_key(|finding| (finding.line, finding.rule));
    findings.dedup_by(|a, b| (a.line, a.rule) == (b.line, b.rule));
    findings
}

struct Judge<'a> {
    page: &'a Page,
    place: Place,
}

impl Judge<'_> {
    fn archive(&self) -> Vec<Finding> {
        let first = self
            .page
            .passages
            .iter()
            .find(|passage| words::compose(&passage.text).is_some());
        first
            .map(|passage| {
                let why = "history, kept as it was";
                self.finding(Rule::ComposeMention, Level::Allowed, passage, why, "")
            })
            .into_iter()
            .collect()
    }

    fn image_build(&self) -> Vec<Finding> {
        let runs = |passage: &&Passage| {
            passage.voice == Voice::Command && words::runs_services(&passage.text)
        };
        let mut findings: Vec<Finding> = self
            .page
            .passages
            .iter()
            .filter(runs)
            .map(|passage| {
                let why = "a build script that starts services with Compose";
                self.command(passage, Level::Error, why)
            })
            .collect();
        findings.push(Finding {
            rule: Rule::ImageBuild,
            level: Level::Allowed,
            path: self.page.path.clone(),
            line: 0,
            excerpt: String::new(),
            why: "image build files are kept on purpose".into(),
            instead: String::new(),
        });
        findings
    }

    fn ordinary(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(self.removed_file());
        let services = self.compose_file(&mut findings);
        self.sockets(services.as_deref(), &mut findings);
        self.variables(&mut findings);
        for passage in &self.page.passages {
            if services.is_none() {
                findings.extend(self.compose(passage));
            }
            findings.extend(self.executor(passage));
            findings.extend(self.settings(passage));
            findings.extend(self.provider(passage));
            if has_word(&passage.text, DEAD) {
                findings.push(self.finding(
                    Rule::DeadVariable,
                    Level::Notice,
                    passage,
                    "no code reads this variable since 2026-02-20",
                    "set LLMCTL_NODE_EXECUTOR_K8S_FRONTIER_IMAGE, or remove the line",
                ));
            }
        }
        findings
    }

    /// The services of a Compose file; none when it is not one.
    fn compose_file(&self, findings: &mut Vec<Finding>) -> Option<Vec<Service>> {
        let named = is_compose_name(&self.page.path);
        let services = self
            .page
            .structure
            .as_ref()
            .and_then(|structure| structure.services.clone());
        if services.is_none() && !named {
            return None;
        }
        let readable = services.is_some() || self.page.structure.is_some();
        let services = services.unwrap_or_default();
        let mut ours = services
            .iter()
            .filter(|service| is_ours(service))
            .peekable();
        if ours.peek().is_none() {
            let why = if readable {
                "a Compose file; it starts no service of llmctl"
            } else {
                "named as a Compose file, but it cannot be read as YAML"
            };
            findings.push(self.at(Rule::ComposeFile, Level::Notice, 1, why, ""));
        }
        for service in ours {
            let why = format!("a Compose file that starts {}", service.name);
            let now = legacy::moved(&service.name).map_or(
                "a Deployment of the overlay: `llmctl-dev overlays apply minikube`",
                |moved| moved.now,
            );
            findings.push(self.at(Rule::ComposeFile, Level::Error, service.line, &why, now));
        }
        Some(services)
    }

    fn sockets(&self, services: Option<&[Service]>, findings: &mut Vec<Finding>) {
        let Some(structure) = &self.page.structure else {
            return;
        };
        let foreign = services.is_some_and(|services| !services.iter().any(is_ours));
        let level = if foreign { Level::Notice } else { Level::Error };
        for line in &structure.sockets {
            findings.push(self.at(
                Rule::DockerSocket,
                level,
                *line,
                "the Docker socket inside a workload gives it the whole machine, and nothing of llmctl uses it",
                "remove the mount: node executions are Jobs, made through the Kubernetes API",
            ));
        }
    }

    /// Variables that the structure of the file sets, in forms that no single line shows.
    fn variables(&self, findings: &mut Vec<Finding>) {
        let Some(structure) = &self.page.structure else {
            return;
        };
        for (name, value, line) in &structure.variables {
            if name == PROVIDER && !is_kubernetes(value) {
                findings.push(self.other_provider(*line, value, Voice::Data));
            }
        }
    }

    fn removed_file(&self) -> Option<Finding> {
        let name = self.page.path.rsplit('/').next()?;
        let stem = name.strip_suffix(".py")?;
        legacy::EXECUTORS.contains(&stem).then(|| Finding {
            rule: Rule::RemovedExecutor,
            level: Level::Error,
            path: self.page.path.clone(),
            line: 0,
            excerpt: String::new(),
            why: format!("{name} is a removed executor"),
            instead: "delete the file: the only executor is the one of Kubernetes Jobs".into(),
        })
    }

    fn compose(&self, passage: &Passage) -> Option<Finding> {
        let named = words::compose(&passage.text)?;
        let text = &passage.text;
        let turned = words::is_turned(if passage.around.is_empty() {
            text
        } else {
            &passage.around
        });
        // Names of products begin with a capital; commands do not.
        let typed = text.contains("compose");
        let told = match (passage.voice, named) {
            (Voice::Command, Named::Program) => typed && !words::prints(text),
            (Voice::Code, Named::Program) => typed && words::is_quoted_command(text),
            (voice, Named::Typed) => typed && voice != Voice::Comment,
            (_, Named::Program | Named::Words) => false,
        };
        if told && !turned && self.place != Place::Seed {
            let why = match passage.voice {
                Voice::Inline | Voice::Prose => TOLD,
                Voice::Command if is_document(&self.page.path) => TOLD,
                Voice::Code => "a program that runs Compose",
                _ => "it runs Compose",
            };
            return Some(self.command(passage, Level::Error, why));
        }
        let why = "mentions Compose without instructing it";
        Some(self.finding(Rule::ComposeMention, Level::Notice, passage, why, ""))
    }

    fn executor(&self, passage: &Passage) -> Option<Finding> {
        let name = legacy::EXECUTORS
            .iter()
            .find(|name| has_word(&passage.text, name))?;
        let level = match passage.voice {
            Voice::Code | Voice::Command | Voice::Data if self.place != Place::Migration => {
                Level::Error
            }
            _ => Level::Notice,
        };
        let import = passage.text.contains("import");
        let why = if import {
            format!("imports {name}, a removed executor")
        } else {
            format!("names {name}, a removed executor")
        };
        Some(self.finding(
            Rule::RemovedExecutor,
            level,
            passage,
            &why,
            "the executor of Kubernetes Jobs is the only one",
        ))
    }

    fn settings(&self, passage: &Passage) -> Option<Finding> {
        let text = &passage.text;
        let executor_is_meant = || {
            self.page
                .passages
                .iter()
                .any(|p| p.text.contains("node_executor"))
        };
        let key = REMOVED_KEYS.into_iter().find(|key| {
            let variable = format!("{PREFIX}{}", key.to_ascii_uppercase());
            has_word(text, &variable)
                || (has_word(text, key)
                    && (!COMMON_NAMES.contains(key)
                        || (words::is_quoted(text, key) && executor_is_meant())))
        })?;
        let level = match (passage.voice, self.place) {
            (_, Place::Migration | Place::Test) => Level::Notice,
            (Voice::Code | Voice::Command | Voice::Data, _) => Level::Error,
            _ => Level::Notice,
        };
        let why = format!("{key} was removed from the executor settings");
        Some(self.finding(
            Rule::RemovedSetting,
            level,
            passage,
            &why,
            legacy::setting_now(key),
        ))
    }

    fn provider(&self, passage: &Passage) -> Option<Finding> {
        let value = words::value_of(&passage.text, PROVIDER)?;
        (!is_kubernetes(&value)).then(|| self.other_provider(passage.line, &value, passage.voice))
    }

    fn other_provider(&self, line: usize, value: &str, voice: Voice) -> Finding {
        let level = match (voice, self.place) {
            (_, Place::Migration | Place::Test) => Level::Notice,
            (Voice::Code | Voice::Command | Voice::Data, _) => Level::Error,
            _ => Level::Notice,
        };
        let why = format!("the provider is {value}; only kubernetes is left");
        let instead = "set it to kubernetes, or remove it: that is the default";
        self.at(Rule::OtherProvider, level, line, &why, instead)
    }

    fn command(&self, passage: &Passage, level: Level, why: &str) -> Finding {
        let instead = words::kubernetes_way(&passage.text);
        self.finding(Rule::ComposeCommand, level, passage, why, &instead)
    }

    fn finding(
        &self,
        rule: Rule,
        level: Level,
        passage: &Passage,
        why: &str,
        instead: &str,
    ) -> Finding {
        Finding {
            rule,
            level,
            path: self.page.path.clone(),
            line: passage.line,
            excerpt: excerpt(&passage.text),
            why: why.into(),
            instead: instead.into(),
        }
    }

    fn at(&self, rule: Rule, level: Level, line: usize, why: &str, instead: &str) -> Finding {
        let text = self
            .page
            .passages
            .iter()
            .rfind(|passage| passage.line <= line)
            .map_or("", |passage| passage.text.as_str());
        Finding {
            rule,
            level,
            path: self.page.path.clone(),
            line,
            excerpt: excerpt(text),
            why: why.into(),
            instead: instead.into(),
        }
    }
}

fn is_document(path: &str) -> bool {
    ["md", "mdx", "rst", "txt", "adoc"]
        .iter()
        .any(|end| has_end(path, end))
}

fn is_ours(service: &Service) -> bool {
    let image = service.image.as_deref().unwrap_or_default();
    let image = image.rsplit('/').next().unwrap_or_default();
    legacy::moved(&service.name).is_some() || image.starts_with("llmctl-")
}

fn is_kubernetes(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("kubernetes") || value.trim().is_empty()
}

/// A line fit to be shown: short, and without the values of variables that look like secrets.
fn excerpt(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(masked).collect();
    let line = words.join(" ");
    if line.chars().count() <= EXCERPT {
        return line;
    }
    let cut: String = line.chars().take(EXCERPT - 1).collect();
    format!("{cut}…")
}

fn masked(word: &str) -> String {
    let secret = |name: &str| {
        masking::is_secret_name(name) || name.to_ascii_uppercase().ends_with("DOCKER_ENV_JSON")
    };
    for mark in ['=', ':'] {
        if let Some((name, value)) = word.split_once(mark)
            && !value.is_empty()
            && (secret(name) || masking::is_secret_value(value))
        {
            return format!("{name}{mark}***");
        }
    }
    if masking::is_secret_value(word) {
        return "***".into();
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, voice: Voice, text: &str) -> Vec<(Rule, Level)> {
        let page = Page {
            path: path.into(),
            passages: vec![Passage {
                line: 3,
                voice,
                text: text.into(),
                around: String::new(),
            }],
            structure: None,
        };
        judge(&page).iter().map(|f| (f.rule, f.level)).collect()
    }

    /// Path, voice, text, and what is found: nothing, or a rule with its level.
    type Case = (&'static str, Voice, &'static str, Option<(Rule, Level)>);

    fn check(cases: &[Case]) {
        for (path, voice, text, expected) in cases {
            let expected: Vec<(Rule, Level)> = expected.iter().copied().collect();
            assert_eq!(one(path, *voice, text), expected, "{path} {text}");
        }
    }

    #[test]
    fn compose_by_voice() {
        let told = Some((Rule::ComposeCommand, Level::Error));
        let named = Some((Rule::ComposeMention, Level::Notice));
        check(&[
            ("a.sh", Voice::Command, "docker compose up", told),
            ("a.sh", Voice::Comment, "docker compose up", named),
            (
                "a.sh",
                Voice::Command,
                "echo 'Docker Compose is gone'",
                named,
            ),
            ("a.sh", Voice::Command, "COMPOSE=docker-compose", told),
            ("a.md", Voice::Inline, "docker compose ps", told),
            (
                "a.md",
                Voice::Prose,
                "We used to run docker compose up.",
                named,
            ),
            ("core/seed.py", Voice::Code, "'docker-compose up'", named),
            (
                "a.py",
                Voice::Code,
                "run([\"docker\", \"compose\", *rest])",
                told,
            ),
            ("a.sh", Voice::Command, "docker build -t x .", None),
        ]);
    }

    #[test]
    fn executors_settings_and_variables_by_voice() {
        let executor = |level| Some((Rule::RemovedExecutor, level));
        let setting = |level| Some((Rule::RemovedSetting, level));
        let provider = Some((Rule::OtherProvider, Level::Error));
        let dead = Some((Rule::DeadVariable, Level::Notice));
        check(&[
            (
                "a.py",
                Voice::Code,
                "import workspace_executor",
                executor(Level::Error),
            ),
            (
                "a.md",
                Voice::Prose,
                "DockerExecutor is gone",
                executor(Level::Notice),
            ),
            (
                ".env",
                Voice::Data,
                "LLMCTL_NODE_EXECUTOR_DOCKER_HOST=x",
                setting(Level::Error),
            ),
            (
                "core/migrations.py",
                Voice::Code,
                "'fallback_provider'",
                setting(Level::Notice),
            ),
            ("a.py", Voice::Code, "docker_host = 1", None),
            (
                ".env",
                Voice::Data,
                "LLMCTL_NODE_EXECUTOR_PROVIDER=docker",
                provider,
            ),
            (
                ".env",
                Voice::Data,
                "LLMCTL_NODE_EXECUTOR_PROVIDER=kubernetes",
                None,
            ),
            (
                ".env",
                Voice::Data,
                "LLMCTL_NODE_EXECUTOR_K8S_IMAGE=x",
                dead,
            ),
        ]);
    }

    #[test]
    fn excerpts_hold_no_secrets() {
        for text in [
            "POSTGRES_PASSWORD=hunter2 docker compose up",
            "docker compose up --token=hunter2",
            "docker compose -e A=postgresql://u:hunter2@h/d up",
            "LLMCTL_NODE_EXECUTOR_DOCKER_ENV_JSON={\"X\":\"hunter2\"}",
        ] {
            assert!(!excerpt(text).contains("hunter2"), "{}", excerpt(text));
        }
    }
}
