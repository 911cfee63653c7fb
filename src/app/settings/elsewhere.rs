//! What the cluster has of the settings: asked for when it is wanted, and kept with the moment.

use super::{Effect, Slice, Turn};
use crate::domain::settings::held::{Elsewhere, Held, Store};
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::Origin;
use jiff::{SignedDuration, Timestamp};

/// So long an answer is taken to be true.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// What is known of settings outside the file.
#[derive(Debug, Default)]
pub struct Known {
    pub elsewhere: Elsewhere,
    /// Namespace and cluster of the last answer, as questions name them.
    pub place: String,
    /// Why there is no answer; one sentence.
    pub failure: Option<String>,
    /// Why Studio's database cannot be read; one sentence.
    pub studio_failure: Option<String>,
    /// It is known whether there is a Studio's database, and what it has.
    pub studio_answered: bool,
    /// When the last answer came.
    at: Option<Timestamp>,
    /// The cluster answers.
    live: bool,
    asked: bool,
}

impl Known {
    /// The cluster answers.
    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    /// The cluster was asked once and has answered.
    pub fn is_known(&self) -> bool {
        self.at.is_some()
    }
}

impl Slice {
    /// The connection to the cluster came or went.
    pub fn linked(&mut self, live: bool, turn: &mut Turn) {
        let came = live && !self.known.live;
        self.known.live = live;
        if came {
            self.known.asked = false;
            self.look(turn);
        }
    }

    /// Asks the cluster anew.
    pub fn look(&mut self, turn: &mut Turn) {
        if self.known.live && !self.known.asked {
            self.known.asked = true;
            turn.effects
                .push(crate::app::Effect::Settings(Effect::Look));
        }
    }

    /// Asks the cluster anew, unless it was asked just now.
    pub(super) fn look_if_old(&mut self, turn: &mut Turn) {
        let is_fresh = |at: Timestamp| turn.now.duration_since(at) <= FRESH;
        if !self.known.at.is_some_and(is_fresh) {
            self.look(turn);
        }
    }

    /// Takes the answer to [`Effect::Look`].
    pub(super) fn looked(
        &mut self,
        place: String,
        result: Result<Vec<Held>, String>,
        turn: &mut Turn,
    ) {
        self.known.asked = false;
        self.known.place = place;
        match result {
            Ok(held) => {
                self.known.elsewhere.replace(Store::ConfigMap, held);
                self.known.failure = None;
                self.known.at = Some(turn.now);
                self.refresh_review();
                self.check_targets(turn);
            }
            Err(reason) => self.known.failure = Some(reason),
        }
    }

    /// Places that use another value of a key than runs started here.
    pub fn drifting(&self, key: Key) -> Vec<&Held> {
        match self.effective().value(key) {
            Some(ours) => {
                let held = self.known.elsewhere.held.iter();
                held.filter(|held| held.drifts(key, &ours)).collect()
            }
            None => Vec::new(),
        }
    }

    /// Somebody set the key here, and another value is in use elsewhere.
    pub fn is_drift(&self, key: Key) -> bool {
        self.layered.origin(key) != Origin::Default && !self.drifting(key).is_empty()
    }
}
