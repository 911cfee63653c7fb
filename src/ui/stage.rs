//! Builds states for tests as the program gets to them: facts and keys in, through the reducers.

use super::theme::{Colors, Theme};
use super::{Scroll, keys, view};
use crate::app::link::LinkMsg;
use crate::app::notices::Notice;
use crate::app::settings;
use crate::app::{Effect, Msg, State, runs, update};
use crate::domain::logs::{LogEvent, LogLine};
use crate::domain::manifest::{OURS, SAMPLE_ANNOTATION};
use crate::domain::observed::{
    ContainerSeen, ContainerState, EventSeen, JobFinish, JobSeen, PodSeen, Scheduling, Seen,
};
use crate::domain::runs::{RunId, Ttl};
use crate::domain::samples::Sample;
use crate::domain::target::{Target, TargetKind};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use std::collections::{BTreeMap, BTreeSet};

const SAMPLES: [(&str, &str); 5] = [
    ("hello", include_str!("../../config/samples/hello.toml")),
    ("slow", include_str!("../../config/samples/slow.toml")),
    ("fail", include_str!("../../config/samples/fail.toml")),
    (
        "bad-image",
        include_str!("../../config/samples/bad-image.toml"),
    ),
    (
        "start-node",
        include_str!("../../config/samples/start-node.toml"),
    ),
];

pub(super) const IMAGE: &str = "llmctl-executor-frontier:0.1.0";

/// A session in the middle of something.
pub(super) struct Stage {
    pub(super) state: State,
    pub(super) effects: Vec<Effect>,
    pub(super) scroll: Scroll,
    base: Timestamp,
}

/// A run to be told of: its number and its times in seconds, before now for those that are over.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) number: u64,
    pub(super) sample: &'static str,
    pub(super) ours: bool,
    pub(super) created: i64,
    pub(super) ttl: u32,
}

impl Told {
    pub(super) fn new(number: u64, sample: &'static str, created: i64) -> Self {
        Self {
            number,
            sample,
            ours: true,
            created,
            ttl: 1800,
        }
    }

    pub(super) fn by_studio(number: u64, created: i64) -> Self {
        Self {
            ours: false,
            ..Self::new(number, "", created)
        }
    }

    fn job_name(&self) -> String {
        format!(
            "llmctl-exec-{}-{:08x}",
            self.number,
            self.number * 2_654_435
        )
    }

    fn image(&self) -> &'static str {
        if self.sample == "bad-image" {
            "llmctl-executor-none:0"
        } else {
            IMAGE
        }
    }

    pub(super) fn id(&self) -> RunId {
        RunId(format!("uid-{}", self.number))
    }
}

impl Stage {
    /// The demo, its sandbox live.
    pub(super) fn demo() -> Self {
        Self::on(Target::sandbox()).connected()
    }

    /// A Minikube profile, live.
    pub(super) fn minikube() -> Self {
        Self::on(Target {
            kind: TargetKind::Minikube,
            name: "llmctl".into(),
            server: "https://192.168.49.2:8443".into(),
        })
        .connected()
    }

    /// A session that has not heard of its cluster yet.
    pub(super) fn on(target: Target) -> Self {
        let base: Timestamp = "2026-11-24T14:02:31.25Z".parse().unwrap();
        let mut stage = Self {
            state: State::new(target, "llmctl".into(), base, settings::Slice::default()),
            effects: Vec::new(),
            scroll: Scroll::default(),
            base,
        };
        stage.send(Msg::Runs(runs::Msg::SamplesRead(samples())));
        stage
    }

    fn connected(mut self) -> Self {
        self.send(Msg::Link(LinkMsg::Connected {
            version: "v1.36.3".into(),
        }));
        self.send(Msg::Seen(Seen::JobsListed(BTreeSet::new())));
        self
    }

    /// `seconds` after the beginning; before it when negative.
    pub(super) fn at(&self, seconds: f64) -> Timestamp {
        self.base
            .checked_add(SignedDuration::from_secs_f64(seconds))
            .unwrap()
    }

    pub(super) fn send(&mut self, msg: Msg) {
        let effects = update(&mut self.state, msg);
        self.effects.extend(effects);
    }

    /// Lets the clock show `seconds` after the beginning.
    pub(super) fn tick(&mut self, seconds: f64) -> &mut Self {
        self.send(Msg::Ticked(self.at(seconds)));
        self
    }

    pub(super) fn lose(&mut self, reason: &str, retry_in_ms: u64, attempt: u32) -> &mut Self {
        self.send(Msg::Link(LinkMsg::Lost {
            reason: reason.into(),
            retry_in_ms,
            attempt,
        }));
        self
    }

    pub(super) fn notice(&mut self, notice: Notice) -> &mut Self {
        self.send(Msg::Noticed(notice));
        self
    }

    /// Presses keys: single characters, or the names that the help shows.
    pub(super) fn press(&mut self, pressed: &[&str]) -> &mut Self {
        for name in pressed {
            let (code, modifiers) = match *name {
                "enter" => (KeyCode::Enter, KeyModifiers::NONE),
                "esc" => (KeyCode::Esc, KeyModifiers::NONE),
                "tab" => (KeyCode::Tab, KeyModifiers::NONE),
                "up" => (KeyCode::Up, KeyModifiers::NONE),
                "down" => (KeyCode::Down, KeyModifiers::NONE),
                "left" => (KeyCode::Left, KeyModifiers::NONE),
                "right" => (KeyCode::Right, KeyModifiers::NONE),
                "backspace" => (KeyCode::Backspace, KeyModifiers::NONE),
                name => {
                    let control = name.strip_prefix("ctrl-");
                    let c = control.unwrap_or(name).chars().next().unwrap();
                    let modifiers = if control.is_some() {
                        KeyModifiers::CONTROL
                    } else {
                        KeyModifiers::NONE
                    };
                    (KeyCode::Char(c), modifiers)
                }
            };
            self.state.settle();
            let event = Event::Key(KeyEvent::new(code, modifiers));
            if let Some(msg) = keys::message(&self.state, &event) {
                self.send(msg);
            }
        }
        self
    }

    /// Types a text, character by character.
    pub(super) fn write(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.press(&[&c.to_string()]);
        }
        self
    }

    pub(super) fn see(&mut self, seen: Seen) -> &mut Self {
        self.send(Msg::Seen(seen));
        self
    }

    /// Selects a run as a person would: by going through the list.
    pub(super) fn select(&mut self, number: u64) -> &mut Self {
        self.press(&["3", "g"]);
        for _ in 0..self.state.runs.visible.len() {
            if self
                .state
                .runs
                .current()
                .is_some_and(|run| run.execution == Some(number))
            {
                return self;
            }
            self.press(&["j"]);
        }
        panic!("no run {number} in the list");
    }

    pub(super) fn job(&self, told: &Told) -> JobSeen {
        let mut labels = BTreeMap::from([
            ("llmctl.executor".to_owned(), "true".to_owned()),
            (
                "llmctl.flowchart.execution_id".to_owned(),
                told.number.to_string(),
            ),
            ("llmctl.flowchart.node_id".to_owned(), "12".to_owned()),
        ]);
        let mut annotations = BTreeMap::new();
        if told.ours {
            labels.insert(OURS.0.to_owned(), OURS.1.to_owned());
            annotations.insert(SAMPLE_ANNOTATION.to_owned(), told.sample.to_owned());
        }
        let created = self.at(seconds(told.created));
        JobSeen {
            name: told.job_name(),
            namespace: "llmctl".into(),
            uid: told.id().0,
            labels,
            annotations,
            created,
            started: Some(created),
            finish: None,
            finishing: false,
            suspended: false,
            active: 1,
            ttl: Some(Ttl(told.ttl)),
            deadline: Some(1860),
            deleting: None,
            image: told.image().into(),
        }
    }

    pub(super) fn pod(&self, told: &Told, state: Option<ContainerState>) -> PodSeen {
        let created = self.at(seconds(told.created));
        let phase = match &state {
            Some(ContainerState::Running { .. }) => "Running",
            Some(ContainerState::Terminated { exit: 0, .. }) => "Succeeded",
            Some(ContainerState::Terminated { .. }) => "Failed",
            _ => "Pending",
        };
        let ran = matches!(
            state,
            Some(ContainerState::Running { .. } | ContainerState::Terminated { .. })
        );
        PodSeen {
            name: format!("{}-x7k2p", told.job_name()),
            namespace: "llmctl".into(),
            uid: format!("pod-{}", told.number),
            job: told.job_name(),
            job_uid: told.id().0,
            created,
            started: Some(created),
            node: "minikube".into(),
            phase: phase.into(),
            reason: String::new(),
            message: String::new(),
            scheduling: Some(Scheduling {
                done: true,
                at: Some(created),
                reason: String::new(),
                message: String::new(),
            }),
            container: state.map(|state| ContainerSeen {
                id: if ran {
                    format!("containerd://{:064x}", told.number)
                } else {
                    String::new()
                },
                image: told.image().into(),
                image_id: if ran {
                    format!("llmctl-executor-frontier@sha256:{:064x}", 0x005e_ed5e)
                } else {
                    String::new()
                },
                restarts: 0,
                state,
            }),
            deleting: None,
        }
    }

    pub(super) fn event(
        &self,
        told: &Told,
        after: i64,
        level: &str,
        reason: &str,
        message: &str,
    ) -> Seen {
        let at = self.at(seconds(told.created + after));
        let of_job = reason == "SuccessfulCreate" || reason == "Completed";
        Seen::Event(Box::new(EventSeen {
            uid: format!("event-{}-{after}-{reason}", told.number),
            kind: if of_job { "Job" } else { "Pod" }.into(),
            object_uid: if of_job {
                told.id().0
            } else {
                format!("pod-{}", told.number)
            },
            name: if of_job {
                told.job_name()
            } else {
                format!("{}-x7k2p", told.job_name())
            },
            level: level.into(),
            reason: reason.into(),
            message: message.into(),
            source: "kubelet".into(),
            count: if reason == "BackOff" { 4 } else { 1 },
            first: at,
            last: at,
        }))
    }

    /// A run from dispatch to running, `took` seconds ago and on.
    pub(super) fn running(&mut self, told: &Told) -> &mut Self {
        let begin = self.state.now;
        let created = seconds(told.created);
        self.tick(created);
        self.see(Seen::Job(Box::new(self.job(told))));
        self.see(Seen::Pod(Box::new(self.pod(told, None))));
        self.see(self.event(
            told,
            0,
            "Normal",
            "SuccessfulCreate",
            &format!("Created pod: {}-x7k2p", told.job_name()),
        ));
        self.see(self.event(
            told,
            0,
            "Normal",
            "Scheduled",
            &format!(
                "Successfully assigned llmctl/{}-x7k2p to minikube",
                told.job_name()
            ),
        ));
        self.tick(created + 0.2);
        self.see(self.event(
            told,
            0,
            "Normal",
            "Pulling",
            &format!("Pulling image \"{IMAGE}\""),
        ));
        self.tick(created + 2.4);
        self.see(self.event(told, 2, "Normal", "Pulled", &format!("Successfully pulled image \"{IMAGE}\" in 2.2s (2.2s including waiting). Image size: 41234567 bytes.")));
        self.tick(created + 2.9);
        let since = self.at(created + 2.9);
        self.see(Seen::Pod(Box::new(
            self.pod(told, Some(ContainerState::Running { since })),
        )));
        self.log(
            told,
            LogEvent::Opened {
                container_id: format!("containerd://{:064x}", told.number),
            },
        );
        let marker = [
            "LLMCTL_EXECUTOR_STARTED".to_owned(),
            r#"{"contract_version":"v1","event":"executor_started","ts":"2026-11-24T14:02:26.000000+00:00"}"#.to_owned(),
        ];
        self.print(told, created + 3.0, &marker);
        self.send(Msg::Ticked(begin));
        self
    }

    /// Lines of a run's log, a hundredth of a second apart.
    pub(super) fn print(&mut self, told: &Told, from: f64, lines: &[String]) -> &mut Self {
        let lines = lines
            .iter()
            .enumerate()
            .map(|(n, text)| LogLine {
                at: Some(self.at(from + seconds(i64::try_from(n).unwrap()) / 100.0)),
                text: text.clone(),
            })
            .collect();
        self.log(told, LogEvent::Lines(lines))
    }

    pub(super) fn log(&mut self, told: &Told, event: LogEvent) -> &mut Self {
        self.send(Msg::Runs(runs::Msg::Log {
            run: told.id(),
            event,
        }));
        self
    }

    /// The end of a running run, `after` seconds after its creation, with its result line.
    pub(super) fn ended(&mut self, told: &Told, after: i64, exit: i32) -> &mut Self {
        let begin = self.state.now;
        let at = seconds(told.created + after);
        let status = if exit == 0 { "success" } else { "failed" };
        let error = if exit == 0 {
            "null".to_owned()
        } else {
            format!(
                r#"{{"code": "execution_error", "details": {{"returncode": {exit}}}, "message": "Command exited with code {exit}.", "retryable": false}}"#
            )
        };
        let result = format!(
            r#"LLMCTL_EXECUTOR_RESULT_JSON={{"contract_version": "v1", "error": {error}, "exit_code": {exit}, "finished_at": "2026-11-24T14:02:30+00:00", "metrics": {{"duration_seconds": 0.412}}, "provider_metadata": {{"execution_mode": "command", "executor": "llmctl-executor", "provider": "kubernetes", "request_id": "{}"}}, "started_at": "2026-11-24T14:02:29+00:00", "status": "{status}", "stderr": "", "stdout": "hello from the executor\nline two\nline three\n"}}"#,
            told.number
        );
        let printed = [
            "hello from the executor".to_owned(),
            "line two".to_owned(),
            "line three".to_owned(),
            result,
        ];
        self.print(told, at - 0.1, &printed);
        self.finish(told, after, exit, true);
        self.log(told, LogEvent::Whole);
        self.send(Msg::Ticked(begin));
        self
    }

    /// The pod and the Job end; nothing is said of the log.
    pub(super) fn finish(&mut self, told: &Told, after: i64, exit: i32, complete: bool) {
        let at = seconds(told.created + after);
        self.tick(at);
        let ended = ContainerState::Terminated {
            started: Some(self.at(seconds(told.created + 2) + 0.9)),
            finished: Some(self.at(at)),
            exit,
            signal: None,
            reason: if exit == 0 { "Completed" } else { "Error" }.into(),
            message: String::new(),
        };
        self.see(Seen::Pod(Box::new(self.pod(told, Some(ended)))));
        let mut job = self.job(told);
        job.active = 0;
        job.finish = Some(JobFinish {
            at: self.at(at),
            complete: complete && exit == 0,
            reason: if complete && exit == 0 {
                String::new()
            } else {
                "BackoffLimitExceeded".into()
            },
            message: if complete && exit == 0 {
                String::new()
            } else {
                "Job has reached the specified backoff limit".into()
            },
        });
        self.see(Seen::Job(Box::new(job)));
    }

    /// The TTL controller removes a finished Job.
    pub(super) fn removed(&mut self, told: &Told, finished_after: i64) -> &mut Self {
        let begin = self.state.now;
        let at = told.created + finished_after + i64::from(told.ttl);
        self.tick(seconds(at));
        let mut job = self.job(told);
        job.active = 0;
        job.finish = Some(JobFinish {
            at: self.at(seconds(told.created + finished_after)),
            complete: true,
            reason: String::new(),
            message: String::new(),
        });
        job.deleting = Some(self.at(seconds(at)));
        self.see(Seen::JobGone(Box::new(job)));
        self.send(Msg::Ticked(begin));
        self
    }

    /// A pod that cannot pull its image.
    pub(super) fn cannot_pull(&mut self, told: &Told) -> &mut Self {
        let begin = self.state.now;
        self.tick(seconds(told.created));
        self.see(Seen::Job(Box::new(self.job(told))));
        let message = "Back-off pulling image \"llmctl-executor-none:0\": not found";
        let state = ContainerState::Waiting {
            reason: "ImagePullBackOff".into(),
            message: message.into(),
        };
        self.see(Seen::Pod(Box::new(self.pod(told, Some(state)))));
        self.see(self.event(
            told,
            1,
            "Warning",
            "Failed",
            "Failed to pull image \"llmctl-executor-none:0\": not found",
        ));
        self.see(self.event(told, 12, "Warning", "BackOff", message));
        self.send(Msg::Ticked(begin));
        self
    }

    /// The frame at this size.
    pub(super) fn buffer(&mut self, columns: u16, rows: u16, theme: &Theme) -> Buffer {
        self.send(Msg::Resized(columns, rows));
        self.state.settle();
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal
            .draw(|frame| view(&self.state, theme, &mut self.scroll, frame))
            .unwrap();
        self.state.limit(self.scroll.limits());
        terminal.backend().buffer().clone()
    }

    /// The text of the frame at this size.
    pub(super) fn shot(&mut self, columns: u16, rows: u16) -> String {
        text(&self.buffer(columns, rows, &theme()))
    }
}

/// Colours as most terminals have them, the clock in UTC.
pub(super) fn theme() -> Theme {
    Theme::new(Colors::Many, false, TimeZone::UTC)
}

pub(super) fn samples() -> Vec<Sample> {
    SAMPLES
        .iter()
        .map(|(name, text)| {
            let mut sample: Sample = toml::from_str(text).unwrap();
            if sample.name.is_empty() {
                sample.name = (*name).to_owned();
            }
            sample
        })
        .collect()
}

/// The characters of a buffer, line by line, without the blanks at the ends.
pub(super) fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut skip = 0;
        for x in area.left()..area.right() {
            let symbol = buffer[(x, y)].symbol();
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = super::text::columns(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

pub(super) fn seconds(whole: i64) -> f64 {
    f64::from(i32::try_from(whole).unwrap())
}
