//! What is looked for in the log of the selected run, and the jumps to it.

use super::super::super::super::Turn;
use super::super::super::super::action::Action;
use super::super::super::super::notices::Notice;
use super::super::super::super::text::Field;
use super::super::super::Slice;
use super::LogView;
use super::kept::Effect;
use crate::domain::logs::LogLine;
use crate::domain::logs::quest::{Findings, Next, Quest, Reading, Way};
use crate::domain::logs::wanted::Wanted;

/// What is looked for: one of each kind at most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quests {
    all: Vec<Asked>,
    wish: Option<Wish>,
}

/// A quest and the number of its question to the history.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    ask: u64,
    quest: Quest,
}

/// A jump that is to be made as soon as it is known where to.
#[derive(Clone, Debug, PartialEq)]
struct Wish {
    wanted: Wanted,
    way: Way,
    /// From either end when there is none.
    from: Option<u64>,
    /// The line it starts from counts too.
    here: bool,
    /// What to say when it leads nowhere.
    vain: Option<&'static str>,
}

impl Quests {
    /// The quest for the searched text.
    pub fn search(&self) -> Option<&Quest> {
        let text = |asked: &&Asked| matches!(asked.quest.wanted(), Wanted::Text(_));
        self.all.iter().find(text).map(|asked| &asked.quest)
    }

    /// A jump waits for what the history has.
    pub fn is_waiting(&self) -> bool {
        self.wish.is_some()
    }

    /// No jump is made any more.
    pub(super) fn stay(&mut self) {
        self.wish = None;
    }

    fn of(&self, wanted: &Wanted) -> Option<&Quest> {
        let same = |asked: &&Asked| asked.quest.wanted() == wanted;
        self.all.iter().find(same).map(|asked| &asked.quest)
    }

    /// Lines came, the first of them with that number.
    pub(super) fn came(&mut self, first: u64, lines: &[LogLine]) {
        for asked in &mut self.all {
            asked.quest.came(first, lines);
        }
    }

    fn drop_search(&mut self) {
        self.all
            .retain(|asked| !matches!(asked.quest.wanted(), Wanted::Text(_)));
        self.wish = None;
    }
}

impl Slice {
    /// The searched text changed, and the view goes to the first line that has it, from where it is.
    pub(in super::super) fn search_typed(&mut self, turn: &mut Turn) {
        self.look_at_current(turn);
        self.search_anew(turn);
        self.jump(Way::Down, true, turn);
    }

    /// The search is over.
    pub(in super::super) fn end_search(&mut self) {
        self.log_view.search = Field::default();
        self.log_view.quests.drop_search();
    }

    /// Looks for the searched text in the log of the selected run.
    pub(super) fn search_anew(&mut self, turn: &mut Turn) {
        self.log_view.quests.drop_search();
        let text = self.log_view.search.text();
        if !text.is_empty() {
            self.begin_quest(Wanted::Text(text.to_owned()), turn);
        }
    }

    fn begin_quest(&mut self, wanted: Wanted, turn: &mut Turn) {
        let Some(run) = self.current() else { return };
        let (run, quest) = (run.id.clone(), Quest::begin(wanted.clone(), &run.log));
        let (ask, upto) = (self.log_view.next_ask(), quest.upto());
        self.log_view.quests.all.push(Asked { ask, quest });
        if upto > 0 {
            turn.ask_log(Effect::Seek {
                ask,
                run,
                wanted,
                upto,
            });
        }
    }

    /// Goes to the next line that has the searched text; `here` counts the line that it starts from too.
    pub(super) fn jump(&mut self, way: Way, here: bool, turn: &mut Turn) {
        let Some(quest) = self.log_view.quests.search() else {
            return;
        };
        self.log_view.quests.wish = Some(Wish {
            wanted: quest.wanted().clone(),
            way,
            from: self.place(),
            here,
            vain: match way {
                // While it is typed, the number of hits says so.
                _ if here => None,
                Way::Down => Some("match below; N goes up"),
                Way::Up => Some("match above; n goes down"),
            },
        });
        self.fulfil(turn);
    }

    /// Goes to the marker, the result or an error.
    pub(super) fn go_to(&mut self, action: Action, turn: &mut Turn) {
        let place = self.place();
        let (wanted, way, from, vain) = match action {
            Action::ToMarker => (Wanted::Marker, Way::Down, None, "start marker"),
            Action::ToResult => (Wanted::Result, Way::Up, None, "result line"),
            Action::NextError => (Wanted::Error, Way::Down, place, "error below"),
            _ => (Wanted::Error, Way::Up, place, "error above"),
        };
        if self.log_view.quests.of(&wanted).is_none() {
            self.begin_quest(wanted.clone(), turn);
        }
        self.log_view.quests.wish = Some(Wish {
            wanted,
            way,
            from,
            here: false,
            vain: Some(vain),
        });
        self.fulfil(turn);
    }

    /// Makes the jump that is waited for, if it is known where to.
    fn fulfil(&mut self, turn: &mut Turn) {
        let view = &self.log_view;
        let Some((wish, run)) = view.quests.wish.as_ref().zip(self.current()) else {
            return;
        };
        let Some(quest) = view.quests.of(&wish.wanted) else {
            return;
        };
        let within = view.first(&run.log)..run.log.end();
        match quest.next(within, wish.from, wish.way, wish.here) {
            Next::Unknown => {}
            Next::At(line) => {
                self.log_view.quests.wish = None;
                self.stand(line, turn);
            }
            Next::Nowhere => {
                if let Some(vain) = wish.vain {
                    let place = place_of(view, quest);
                    turn.notice(Notice::info(format!("there is no {vain}{place}")));
                }
                self.log_view.quests.wish = None;
            }
        }
    }

    /// Takes what was found in a part of the history's file.
    pub(super) fn sought(&mut self, ask: u64, findings: Findings, turn: &mut Turn) {
        let mut quests = self.log_view.quests.all.iter_mut();
        let Some(asked) = quests.find(|asked| asked.ask == ask) else {
            return;
        };
        if let Reading::Failed(why) = &findings.reading {
            turn.notice(Notice::bad(format!(
                "only the lines in memory were looked at: {why}"
            )));
        }
        asked.quest.take(findings);
        self.fulfil(turn);
    }

    /// The line that a search starts at; none before the first.
    fn place(&self) -> Option<u64> {
        let view = &self.log_view;
        view.mark
            .or((!view.follow).then_some(view.earlier.top(view)))
    }

    fn stand(&mut self, line: u64, turn: &mut Turn) {
        self.log_view.mark = Some(line);
        // Some lines before it are in sight as well: what led to an error stands above it.
        self.go(line.saturating_sub(2), turn);
    }
}

/// Where nothing was found, when that is not the whole log.
fn place_of(view: &LogView, quest: &Quest) -> String {
    match view.since {
        Some(minutes) => format!(" in the last {minutes}m of the log"),
        None if quest.lacking() > 0 => " among the lines that can be read".into(),
        None => String::new(),
    }
}
