//! The checks in the UI: Studio's database and what a migration would do to it; a checkout and what an audit finds in it.

pub mod items;
pub mod listing;
mod migrate;

use super::action::{Action, Context};
use super::notices::Notice;
use super::{Dialog, Turn};
use crate::domain::audit::{Level, Report};
use crate::domain::migration::{Plan, Step};
use jiff::Timestamp;
use listing::Listing;
use tui_input::InputRequest;

/// What can be checked; a line of the pane each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    #[default]
    Database,
    Checkout,
}

impl Subject {
    /// In the order of the pane.
    pub const ALL: [Self; 2] = [Self::Database, Self::Checkout];

    /// Its name in the pane.
    pub fn title(self) -> &'static str {
        match self {
            Self::Database => "Database",
            Self::Checkout => "Checkout",
        }
    }
}

/// A database or a checkout by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// How a sentence names it.
    pub place: String,
    /// What a person types to say that it is meant.
    pub name: String,
    /// Words of the command line that name it.
    pub flags: String,
    /// Looking costs nothing: it is done unasked.
    pub eager: bool,
}

/// How far a look is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Look<T> {
    #[default]
    NotYet,
    Looking,
    Failed(String),
    Done(T),
}

/// What was seen of a database.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub plan: Plan,
    pub at: Timestamp,
}

/// A migration under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    pub step: Option<Step>,
    /// It was told to stop, and rolls back.
    pub stopping: bool,
}

/// How the last migration from here ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done {
        summary: String,
        backup: String,
        /// The command line that puts everything back.
        restore: String,
    },
    Failed(String),
}

/// State of the pane and of its two lists.
#[derive(Debug, Default)]
pub struct Slice {
    /// The database there is; none: nobody looked for one, or there is none, and why.
    pub database: Option<Named>,
    /// Why there is no database; blank before it was looked for.
    pub no_database: String,
    pub planned: Look<Planned>,
    pub checkout: Option<Named>,
    pub audited: Look<Report>,
    pub selected: Subject,
    /// What the dialog shows, while it is open.
    pub shown: Option<Subject>,
    pub list: Listing,
    pub work: Option<Work>,
    pub outcome: Option<Outcome>,
    /// Also raise a dispatch timeout that is the old default.
    pub raise: bool,
}

/// What happened to the checks.
#[derive(Debug)]
pub enum Msg {
    /// Which database there is, or why there is none; answers [`Effect::Find`].
    Database(Result<Named, String>),
    /// Which checkout is meant; answers [`Effect::Find`].
    Checkout(Named),
    /// Answers [`Effect::Look`].
    Looked(Result<Plan, String>),
    /// A migration came further.
    Stepped(Step),
    /// Answers [`Effect::Migrate`].
    Migrated(Result<Migrated, String>),
    /// Answers [`Effect::Audit`].
    Audited(Result<Report, String>),
}

/// A migration that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    pub summary: String,
    /// The file with every row as it was.
    pub backup: String,
    pub restore: String,
}

/// What the checks ask of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Find the database and the checkout that are meant; look into neither.
    Find,
    /// Plan a migration on a connection that cannot write.
    Look { raise: bool },
    /// Migrate as the plan says, with a backup first.
    Migrate { plan: Box<Plan>, raise: bool },
    /// Roll the migration back.
    Stop,
    /// Read the checkout.
    Audit,
}

impl Slice {
    /// There is something that a person should see without asking.
    pub fn has_news(&self) -> bool {
        self.database.is_some()
            || !matches!(self.planned, Look::NotYet)
            || !matches!(self.audited, Look::NotYet)
    }

    /// Where keys are looked up while the list is open.
    pub fn context(&self) -> Context {
        match self.shown {
            _ if self.list.filter.typing => Context::ChecksFilter,
            Some(Subject::Checkout) => Context::Audit,
            _ if self.work.is_some() => Context::Migrating,
            _ => Context::Migration,
        }
    }

    /// The words of a command line that name the database.
    pub fn database_flags(&self) -> Option<String> {
        self.database.as_ref().map(|named| named.flags.clone())
    }

    /// The words of a command line that name the checkout.
    pub fn checkout_flags(&self) -> Option<String> {
        self.checkout.as_ref().map(|named| named.flags.clone())
    }

    /// Takes one action, in the pane or in the list; a page is `page` rows.
    pub fn act(&mut self, action: Action, page: usize, turn: &mut Turn) {
        match action {
            Action::ShowMigration => return self.open(Subject::Database, turn),
            Action::ShowAudit => return self.open(Subject::Checkout, turn),
            _ => {}
        }
        match self.shown {
            Some(subject) => self.act_list(subject, action, page, turn),
            None => match action {
                Action::Down | Action::Bottom | Action::PageDown => {
                    self.selected = Subject::Checkout;
                }
                Action::Up | Action::Top | Action::PageUp => self.selected = Subject::Database,
                Action::Accept => self.open(self.selected, turn),
                Action::CheckAgain => self.look(self.selected, turn),
                _ => {}
            },
        }
    }

    /// Takes one editing key.
    pub fn edit(&mut self, request: &InputRequest) {
        self.list.edit(request);
    }

    /// Takes an answer of the world.
    pub fn update(&mut self, msg: Msg, turn: &mut Turn) {
        match msg {
            Msg::Database(Ok(named)) => {
                let eager = named.eager;
                self.database = Some(named);
                if eager {
                    self.look(Subject::Database, turn);
                }
            }
            Msg::Database(Err(why)) => {
                self.database = None;
                self.no_database = why;
            }
            Msg::Checkout(named) => {
                let eager = named.eager;
                self.checkout = Some(named);
                if eager {
                    self.look(Subject::Checkout, turn);
                }
            }
            Msg::Looked(result) => {
                self.planned = match result {
                    Ok(plan) => Look::Done(Planned { plan, at: turn.now }),
                    Err(why) => Look::Failed(why),
                };
                self.refill(Subject::Database);
            }
            Msg::Audited(result) => {
                self.audited = match result {
                    Ok(report) => Look::Done(report),
                    Err(why) => Look::Failed(why),
                };
                self.refill(Subject::Checkout);
            }
            Msg::Stepped(step) => {
                if let Some(work) = &mut self.work {
                    work.step = Some(step);
                }
            }
            Msg::Migrated(result) => self.migrated(result, turn),
        }
    }

    /// The cluster answers: a database that could not be looked for may be there.
    pub fn linked(&mut self, live: bool, turn: &mut Turn) {
        if live && self.database.is_none() && !self.no_database.is_empty() {
            turn.effects.push(super::Effect::Checks(Effect::Find));
        }
    }

    /// Errors that an audit found.
    pub fn errors(&self) -> Option<usize> {
        match &self.audited {
            Look::Done(report) => Some(report.count(Level::Error)),
            _ => None,
        }
    }

    fn open(&mut self, subject: Subject, turn: &mut Turn) {
        self.selected = subject;
        if subject == Subject::Database && self.database.is_none() {
            let why = if self.no_database.is_empty() {
                "the database is still looked for"
            } else {
                &self.no_database
            };
            return turn.notice(Notice::info(why.to_owned()));
        }
        self.shown = Some(subject);
        self.list = Listing::default();
        turn.open = Some(Dialog::Checks);
        let known = match subject {
            Subject::Database => matches!(self.planned, Look::Done(_)) || self.work.is_some(),
            Subject::Checkout => matches!(self.audited, Look::Done(_)),
        };
        if known {
            self.refill(subject);
        } else {
            self.look(subject, turn);
        }
    }

    fn act_list(&mut self, subject: Subject, action: Action, page: usize, turn: &mut Turn) {
        if action == Action::Dismiss && self.is_migrating(subject) {
            return self.stop(turn);
        }
        if self.list.act(action, page) {
            return;
        }
        match action {
            Action::Dismiss => {
                self.shown = None;
                self.list = Listing::default();
                self.outcome = None;
                turn.close = true;
            }
            Action::CheckAgain => self.look(subject, turn),
            Action::Copy => self.copy(turn),
            Action::RaiseTimeout if subject == Subject::Database => {
                self.raise = !self.raise;
                self.look(subject, turn);
            }
            Action::ApplyMigration if subject == Subject::Database => self.ask(turn),
            _ => {}
        }
    }

    fn copy(&self, turn: &mut Turn) {
        if let Some(item) = self.list.current() {
            turn.notice(Notice::info("copied the row with what is behind it"));
            turn.effects
                .push(super::Effect::Copy(item.detail.join("\n")));
        }
    }

    fn look(&mut self, subject: Subject, turn: &mut Turn) {
        let effect = match subject {
            Subject::Database if self.work.is_some() || matches!(self.planned, Look::Looking) => {
                return;
            }
            Subject::Database if self.database.is_none() => Effect::Find,
            Subject::Database => {
                self.planned = Look::Looking;
                Effect::Look { raise: self.raise }
            }
            Subject::Checkout if matches!(self.audited, Look::Looking) => return,
            Subject::Checkout => {
                self.audited = Look::Looking;
                Effect::Audit
            }
        };
        self.refill(subject);
        turn.effects.push(super::Effect::Checks(effect));
    }

    /// The list shows what is known now.
    fn refill(&mut self, subject: Subject) {
        if self.shown != Some(subject) {
            return;
        }
        self.list = Listing::of(match subject {
            Subject::Database => match &self.planned {
                Look::Done(planned) => items::of_plan(&planned.plan),
                _ => Vec::new(),
            },
            Subject::Checkout => match &self.audited {
                Look::Done(report) => items::of_report(report),
                _ => Vec::new(),
            },
        });
    }
}

#[cfg(test)]
mod tests;
