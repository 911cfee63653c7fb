//! The command palette: every action by name, with its key and its CLI line.

use super::State;
use super::action::{Action, Context};
use super::text::Field;
use crate::domain::runs::Run;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use tui_input::InputRequest;

/// One row of the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub action: Action,
    pub name: &'static str,
    /// The CLI line that does the same; empty where there is none.
    pub cli: &'static str,
}

macro_rules! entries {
    ($($action:expr, $name:literal, $cli:literal;)*) => {
        &[$(Entry { action: $action, name: $name, cli: $cli }),*]
    };
}

/// Everything that the palette offers, in its order when nothing is typed.
pub const ENTRIES: &[Entry] = {
    use super::Pane;
    use super::action::Fault;
    entries! {
        Action::NewRun, "run: start a sample", "llmctl-dev run SAMPLE";
        Action::RunAgain, "run: the selected one again", "llmctl-dev run --like RUN --again";
        Action::CloneRun, "run: clone the selected one, with changes", "llmctl-dev run --like RUN";
        Action::CancelRun, "run: cancel the selected one", "llmctl-dev runs cancel RUN";
        Action::KeepRun, "run: keep the selected one longer", "llmctl-dev runs keep RUN";
        Action::ExtendRun, "run: keep the selected one an hour longer", "llmctl-dev runs extend RUN";
        Action::RemoveRun, "run: remove the selected one now", "llmctl-dev runs remove RUN";
        Action::Compare, "run: compare two marked ones, or with the one before", "llmctl-dev runs diff A B";
        Action::ShowOrphans, "runs: show what they left behind", "llmctl-dev runs prune --dry-run";
        Action::Logs, "run: log of the selected one", "llmctl-dev runs logs RUN";
        Action::CopyKubectl, "run: copy the kubectl command of this tab", "";
        Action::ToMarker, "log: go to the start marker", "";
        Action::ToResult, "log: go to the result line", "llmctl-dev runs logs RUN --grep LLMCTL_EXECUTOR_RESULT_JSON";
        Action::NextError, "log: go to the next error", "";
        Action::PrettyLog, "log: lay out JSON", "llmctl-dev runs logs RUN --pretty";
        Action::LogSince, "log: the last minutes only", "llmctl-dev runs logs RUN --since 5m";
        Action::SaveLog, "log: save to a file", "llmctl-dev runs logs RUN > FILE";
        Action::DiffOverlay, "overlay: show what would change", "llmctl-dev overlays diff NAME";
        Action::ApplyOverlay, "overlay: apply", "llmctl-dev overlays apply NAME";
        Action::EditSettings, "settings: edit", "llmctl-dev settings set KEY VALUE";
        Action::SaveSettings, "settings: save", "llmctl-dev settings set KEY VALUE";
        Action::ReviewSettings, "settings: save to file and cluster", "llmctl-dev settings push --to configmap";
        Action::ShowMigration, "migration: show what it would change in Studio's database", "llmctl-dev migrate plan DATABASE";
        Action::ShowAudit, "audit: show what the checkout still has of Compose", "llmctl-dev audit CHECKOUT";
        Action::Focus(Pane::Overlays), "go to: overlays", "llmctl-dev overlays list";
        Action::Focus(Pane::Settings), "go to: settings", "llmctl-dev settings show";
        Action::Focus(Pane::Runs), "go to: runs", "llmctl-dev runs list";
        Action::Focus(Pane::Detail), "go to: run detail", "llmctl-dev runs show RUN";
        Action::Focus(Pane::Checks), "go to: checks", "llmctl-dev migrate plan DATABASE";
        Action::Messages, "messages: history", "";
        Action::Help, "help: keys", "llmctl-dev --help";
        Action::Quit, "quit", "";
        Action::Fault(Fault::ApiDown), "sandbox fault: API down for 30 s", "llmctl-dev sandbox --fault api-down=30";
        Action::Fault(Fault::SlowAnswers), "sandbox fault: slow answers, 2 s late, on and off", "llmctl-dev sandbox --fault slow=2";
        Action::Fault(Fault::ServerError), "sandbox fault: 500 for the next 5 requests", "llmctl-dev sandbox --fault 500=5";
        Action::Fault(Fault::TooManyRequests), "sandbox fault: 429 for the next 5 requests", "llmctl-dev sandbox --fault 429=5";
        Action::Fault(Fault::Unavailable), "sandbox fault: 503 for the next 5 requests", "llmctl-dev sandbox --fault 503=5";
        Action::Fault(Fault::DropWatches), "sandbox fault: drop all watches", "llmctl-dev sandbox --fault drop-watches";
        Action::Fault(Fault::CompactHistory), "sandbox fault: compact history (410 Gone)", "llmctl-dev sandbox --fault compact-history";
        Action::Fault(Fault::SilentNode), "sandbox fault: node silent for 2 min, on and off", "llmctl-dev sandbox --fault node-silent=120";
        Action::Fault(Fault::SlowPulls), "sandbox fault: slow image pulls of 20 s, on and off", "llmctl-dev sandbox --fault slow-pulls=20";
        Action::Fault(Fault::WrongClock), "sandbox fault: clock 1 h ahead, on and off", "llmctl-dev sandbox --fault clock=3600";
        Action::Fault(Fault::OutOfMemory), "sandbox fault: newest pod out of memory", "llmctl-dev sandbox --fault out-of-memory";
        Action::Fault(Fault::Nothing), "sandbox fault: end all faults", "";
    }
};

impl Entry {
    /// The CLI line for what is selected now and for the target of this session; empty where there is none. Words that
    /// nothing is known for stay in capitals.
    pub fn cli_line(&self, state: &State) -> String {
        let Some(verb) = self.cli.strip_prefix("llmctl-dev") else {
            return String::new();
        };
        if matches!(self.action, Action::Fault(_)) {
            // It opens a cluster of its own.
            return self.cli.to_owned();
        }
        let run = state.runs.current();
        let words = verb.split_whitespace().map(|word| {
            match word {
                "RUN" => run.map(Run::label),
                "SAMPLE" => run.and_then(|run| run.sample.clone()),
                "NAME" => state.overlays.selected.clone(),
                "DATABASE" => state.checks.database_flags(),
                "CHECKOUT" => state.checks.checkout_flags(),
                _ => None,
            }
            .unwrap_or_else(|| word.to_owned())
        });
        let target = state.target.flags();
        let namespace = format!("-n {}", state.namespace);
        ["llmctl-dev".to_owned(), target, namespace]
            .into_iter()
            .chain(words)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The palette while it is open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Palette {
    pub typed: Field,
    /// Entries that match, best first, with the matched character positions of their names.
    pub rows: Vec<(Entry, Vec<u32>)>,
    pub selected: usize,
    faults: bool,
}

/// What an action in the palette leads to.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Stay,
    Close,
    Copy(Entry),
    Run(Action),
}

impl Palette {
    /// A palette with nothing typed; the fault switches are offered on the sandbox only.
    pub fn open(sandbox: bool) -> Self {
        let mut palette = Self {
            faults: sandbox,
            ..Self::default()
        };
        palette.search();
        palette
    }

    /// How many actions it offers when nothing is typed.
    pub fn total(&self) -> usize {
        ENTRIES.iter().filter(|entry| self.offers(entry)).count()
    }

    fn offers(&self, entry: &Entry) -> bool {
        self.faults || !matches!(entry.action, Action::Fault(_))
    }

    /// Where its keys are looked up.
    pub const CONTEXT: Context = Context::Palette;

    /// Takes one action; a page is `page` rows.
    pub fn act(&mut self, action: Action, page: usize) -> Outcome {
        let last = self.rows.len().saturating_sub(1);
        match action {
            Action::Dismiss => return Outcome::Close,
            Action::Accept => {
                return self
                    .rows
                    .get(self.selected)
                    .map_or(Outcome::Stay, |(entry, _)| Outcome::Run(entry.action));
            }
            Action::Copy => {
                return match self.rows.get(self.selected) {
                    Some((entry, _)) if !entry.cli.is_empty() => Outcome::Copy(*entry),
                    _ => Outcome::Stay,
                };
            }
            Action::Down => self.selected = (self.selected + 1).min(last),
            Action::Up => self.selected = self.selected.saturating_sub(1),
            Action::PageDown => self.selected = (self.selected + page).min(last),
            Action::PageUp => self.selected = self.selected.saturating_sub(page),
            _ => {}
        }
        Outcome::Stay
    }

    /// Takes one editing key.
    pub fn edit(&mut self, request: &InputRequest) {
        self.typed.edit(request);
        self.search();
    }

    fn search(&mut self) {
        let pattern = Pattern::parse(
            self.typed.text(),
            CaseMatching::Ignore,
            Normalization::Smart,
        );
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut found: Vec<(u32, Entry, Vec<u32>)> = ENTRIES
            .iter()
            .filter(|entry| self.offers(entry))
            .filter_map(|entry| {
                let mut at = Vec::new();
                let name = Utf32Str::new(entry.name, &mut buffer);
                let score = pattern.indices(name, &mut matcher, &mut at)?;
                Some((score, *entry, at))
            })
            .collect();
        found.sort_by_key(|(score, ..)| std::cmp::Reverse(*score));
        self.rows = found
            .into_iter()
            .map(|(_, entry, at)| (entry, at))
            .collect();
        self.selected = 0;
    }
}
