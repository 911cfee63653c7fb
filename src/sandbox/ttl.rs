//! The TTL-after-finished controller: a finished Job goes, in the foreground, when its time is over.

use serde_json::Value;

use super::controllers::Controller;
use super::jobs::finished_at;
use super::kinds::Kind;
use super::object::{Key, is_deleting, uid};
use super::store::{Change, Changed, DeleteOptions, Preconditions, Propagation, Store};
use super::work::Work;

/// Deletes finished Jobs whose `ttlSecondsAfterFinished` has passed.
#[derive(Debug)]
pub(crate) struct Ttl(pub(crate) Store);

impl Controller for Ttl {
    type Key = Key;

    fn looks_at(kind: Kind) -> bool {
        kind == Kind::Job
    }

    fn observe(&mut self, change: &Change, work: &mut Work<Key>) {
        let waits =
            |job: &Value| job["spec"]["ttlSecondsAfterFinished"].is_number() && !is_deleting(job);
        if change.what != Changed::Deleted && waits(&change.object) {
            work.now(Key::of(&change.object));
        }
    }

    fn sync(&mut self, key: Key, work: &mut Work<Key>) {
        let Some(job) = self.0.find(Kind::Job, &key.namespace, &key.name) else {
            return;
        };
        // Read afresh each time, so that a TTL that was raised or taken away while it ran is honoured.
        let (Some(ttl), Some(end)) = (
            job["spec"]["ttlSecondsAfterFinished"].as_i64(),
            finished_at(&job["status"]),
        ) else {
            return;
        };
        if is_deleting(&job) {
            return;
        }
        let due = end
            .checked_add(jiff::SignedDuration::from_secs(ttl))
            .unwrap_or(jiff::Timestamp::MAX);
        let left = std::time::Duration::try_from(due.duration_since(self.0.clock().now()))
            .unwrap_or_default();
        if !left.is_zero() {
            work.after(key, left);
            return;
        }
        let options = DeleteOptions {
            propagation: Some(Propagation::Foreground),
            preconditions: Preconditions {
                uid: Some(uid(&job).to_owned()),
                resource_version: None,
            },
            ..DeleteOptions::default()
        };
        // A Job that somebody else deleted meanwhile is what was wanted.
        let _ = self
            .0
            .delete(Kind::Job, &key.namespace, &key.name, &options);
    }
}
