//! The migration from the list: asked for, followed, stopped, and its end.

use super::super::notices::Notice;
use super::super::question::Question;
use super::super::{Dialog, Effect as AnyEffect, Turn};
use super::{Effect, Look, Migrated, Outcome, Slice, Subject, Work};

impl Slice {
    /// A migration is under way, and the list of it is what is shown.
    pub fn is_migrating(&self, subject: Subject) -> bool {
        subject == Subject::Database && self.work.is_some()
    }

    /// Asks before a migration, or says why there is none.
    pub(super) fn ask(&mut self, turn: &mut Turn) {
        if self.work.is_some() {
            return turn.notice(Notice::info("the migration is under way"));
        }
        let (Look::Done(planned), Some(named)) = (&self.planned, &self.database) else {
            return turn.notice(Notice::info(
                "there is no plan yet: wait for it, or look again",
            ));
        };
        if planned.plan.is_empty() {
            return turn.notice(Notice::good(format!("{}: nothing to migrate", named.place)));
        }
        let text = format!(
            "Migrate {}: {}? Every row that changes is written to a backup first, then all is done in one transaction that verifies itself.",
            named.place,
            planned.plan.summary()
        );
        let effect = AnyEffect::Checks(Effect::Migrate {
            plan: Box::new(planned.plan.clone()),
            raise: self.raise,
        });
        let question = Question::typed(text, named.name.clone(), vec![effect]);
        turn.open = Some(Dialog::Question(Box::new(question)));
    }

    /// An effect is about to be performed: a migration begins.
    pub fn leaving(&mut self, effect: &Effect) {
        if matches!(effect, Effect::Migrate { .. }) {
            self.work = Some(Work::default());
            self.outcome = None;
        }
    }

    pub(super) fn stop(&mut self, turn: &mut Turn) {
        if let Some(work) = self.work.as_mut().filter(|work| !work.stopping) {
            work.stopping = true;
            turn.effects.push(AnyEffect::Checks(Effect::Stop));
        }
    }

    pub(super) fn migrated(&mut self, result: Result<Migrated, String>, turn: &mut Turn) {
        self.work = None;
        let place = self.database.as_ref().map_or("", |named| &named.place);
        let (notice, outcome) = match result {
            Ok(done) => (
                Notice::good(format!(
                    "{place}: migrated and verified; backup in {}",
                    done.backup
                )),
                Outcome::Done {
                    summary: done.summary,
                    backup: done.backup,
                    restore: done.restore,
                },
            ),
            Err(why) => (Notice::bad(format!("{place}: {why}")), Outcome::Failed(why)),
        };
        turn.notice(notice);
        self.outcome = Some(outcome);
        // What is true now, from the database itself.
        self.look(Subject::Database, turn);
    }
}
