//! Events as the cluster's components write them: repeated ones counted in one object, forgotten after an hour.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::controllers::Controller;
use super::faults::Faults;
use super::kinds::Kind;
use super::object::{Key, meta, put, uid, until};
use super::store::{Change, Changed, Store};
use super::work::Work;

/// How long an event is kept after it was last seen, in seconds.
const KEPT: i64 = 3600;

/// The name of the one node, as events and pods write it.
pub(crate) const NODE: &str = "sandbox";

/// Whether an event tells of something wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Normal,
    Warning,
}

/// What makes two events the same, as a digest: object, field, reporter, tone, reason and message.
type Sameness = [u8; 20];

fn sameness(parts: [&str; 6]) -> Sameness {
    let mut digest = Sha1::new();
    for part in parts {
        digest.update(part);
        digest.update([0]);
    }
    digest.finalize().into()
}

/// Which event stands for what was seen before. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    store: Store,
    seen: Arc<Mutex<HashMap<Sameness, Key>>>,
    /// Keeps the names of events of one moment apart.
    serial: Arc<AtomicU64>,
}

impl Events {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            seen: Arc::default(),
            serial: Arc::default(),
        }
    }

    /// Writes as one component.
    pub(crate) fn reporter(&self, component: &'static str) -> Reporter {
        Reporter {
            events: self.clone(),
            component,
            faults: None,
        }
    }
}

/// Writes events in the name of a component.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    events: Events,
    component: &'static str,
    faults: Option<Faults>,
}

impl Reporter {
    /// One that lives on the node, so that it is not heard when the node is not.
    pub(crate) fn heard_with(self, faults: Faults) -> Self {
        Self {
            faults: Some(faults),
            ..self
        }
    }

    /// Tells of something that happened to an object.
    pub(crate) fn tell(&self, about: &Value, tone: Tone, reason: &str, message: &str) {
        self.write(about, None, tone, reason, message);
    }

    /// Tells of something that happened to a container of a pod.
    pub(crate) fn tell_of_container(
        &self,
        pod: &Value,
        container: &str,
        tone: Tone,
        reason: &str,
        message: &str,
    ) {
        self.write(
            pod,
            Some(&format!("spec.containers{{{container}}}")),
            tone,
            reason,
            message,
        );
    }

    fn write(&self, about: &Value, field: Option<&str>, tone: Tone, reason: &str, message: &str) {
        if self.faults.as_ref().is_some_and(Faults::is_silent) {
            return;
        }
        let tone = if tone == Tone::Normal {
            "Normal"
        } else {
            "Warning"
        };
        let same = sameness([
            uid(about),
            field.unwrap_or_default(),
            self.component,
            tone,
            reason,
            message,
        ]);
        let known = self
            .events
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&same)
            .cloned();
        if let Some(key) = known
            && self.count(&key)
        {
            return;
        }
        let made = self
            .events
            .store
            .create(Kind::Event, self.event(about, field, tone, reason, message));
        // A namespace that is going takes no new events, and none are missed there.
        if let Ok(event) = made {
            self.events
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(same, Key::of(&event));
        }
    }

    /// Counts a repetition; false when the event is gone.
    fn count(&self, key: &Key) -> bool {
        let clock = self.events.store.clock();
        let (now, precise) = (clock.stamp(), clock.micro_stamp());
        self.events
            .store
            .modify(Kind::Event, &key.namespace, &key.name, |event| {
                if event["eventTime"].is_string() {
                    let count = event["series"]["count"].as_u64().unwrap_or(1) + 1;
                    event["series"] = json!({"count": count, "lastObservedTime": precise});
                } else {
                    event["count"] = (event["count"].as_u64().unwrap_or(1) + 1).into();
                    event["lastTimestamp"] = now.into();
                }
            })
            .is_ok()
    }

    fn event(
        &self,
        about: &Value,
        field: Option<&str>,
        tone: &str,
        reason: &str,
        message: &str,
    ) -> Value {
        let clock = self.events.store.clock();
        let namespace = Some(meta(about, "namespace")).filter(|name| !name.is_empty());
        let mut involved = json!({
            "apiVersion": about["apiVersion"], "kind": about["kind"], "name": meta(about, "name"),
            "resourceVersion": meta(about, "resourceVersion"), "uid": uid(about),
        });
        put(
            &mut involved,
            "namespace",
            namespace.map_or(Value::Null, Value::from),
        );
        put(
            &mut involved,
            "fieldPath",
            field.map_or(Value::Null, Value::from),
        );
        let serial = self.events.serial.fetch_add(1, Ordering::Relaxed);
        let stamp = u64::try_from(clock.now().as_nanosecond())
            .unwrap_or_default()
            .wrapping_add(serial);
        let mut event = json!({
            "metadata": {"namespace": namespace.unwrap_or("default"), "name": format!("{}.{stamp:016x}", meta(about, "name"))},
            "involvedObject": involved, "type": tone, "reason": reason, "message": message,
            "reportingComponent": self.component,
        });
        if self.component == "default-scheduler" {
            event["action"] = if reason == "Scheduled" {
                "Binding".into()
            } else {
                "Scheduling".into()
            };
            event["eventTime"] = clock.micro_stamp().into();
            event["firstTimestamp"] = Value::Null;
            event["lastTimestamp"] = Value::Null;
            event["reportingInstance"] = format!("default-scheduler-{NODE}").into();
            event["source"] = json!({});
        } else {
            let on_node = self.component == "kubelet";
            event["count"] = 1.into();
            event["eventTime"] = Value::Null;
            event["firstTimestamp"] = clock.stamp().into();
            event["lastTimestamp"] = clock.stamp().into();
            event["reportingInstance"] = if on_node { NODE.into() } else { "".into() };
            event["source"] = json!({"component": self.component});
            if on_node {
                event["source"]["host"] = NODE.into();
            }
        }
        event
    }
}

/// Forgets events an hour after they were last seen.
#[derive(Debug)]
pub(crate) struct Forgetting(pub(crate) Events);

impl Controller for Forgetting {
    type Key = Key;

    fn looks_at(kind: Kind) -> bool {
        kind == Kind::Event
    }

    fn observe(&mut self, change: &Change, work: &mut Work<Key>) {
        if change.what == Changed::Deleted {
            let event = &*change.object;
            let involved = &event["involvedObject"];
            let same = sameness(
                [
                    &involved["uid"],
                    &involved["fieldPath"],
                    &event["reportingComponent"],
                    &event["type"],
                    &event["reason"],
                    &event["message"],
                ]
                .map(|value| value.as_str().unwrap_or_default()),
            );
            self.0
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&same);
        } else if change.what == Changed::Added {
            work.after(
                Key::of(&change.object),
                Duration::from_secs(KEPT.unsigned_abs()),
            );
        }
    }

    fn sync(&mut self, key: Key, work: &mut Work<Key>) {
        let store = &self.0.store;
        let Some(event) = store.find(Kind::Event, &key.namespace, &key.name) else {
            return;
        };
        let seen = [
            &event["series"]["lastObservedTime"],
            &event["lastTimestamp"],
            &event["eventTime"],
            &event["metadata"]["creationTimestamp"],
        ];
        let left = seen
            .into_iter()
            .find_map(|time| until(store.clock(), time, KEPT))
            .unwrap_or_default();
        if left.is_zero() {
            store.remove(Kind::Event, &key.namespace, &key.name);
        } else {
            work.after(key, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::clock::Clock;

    #[tokio::test(start_paused = true)]
    async fn repetitions_are_counted_in_one_event() {
        let store = Store::new(Clock::new("2026-11-24T08:00:00Z".parse().unwrap()));
        store
            .create(Kind::Namespace, json!({"metadata": {"name": "n"}}))
            .unwrap();
        let pod = store
            .create(
                Kind::Pod,
                json!({"metadata": {"namespace": "n", "name": "p"}}),
            )
            .unwrap();
        let kubelet = Events::new(store.clone()).reporter("kubelet");
        for _ in 0..3 {
            kubelet.tell_of_container(&pod, "executor", Tone::Normal, "BackOff", "again");
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        kubelet.tell(&pod, Tone::Warning, "Failed", "other");
        let events = store.list(Kind::Event, Some("n")).1;
        assert_eq!(events.len(), 2);
        let counted = events
            .iter()
            .find(|event| event["reason"] == "BackOff")
            .unwrap();
        assert_eq!(counted["count"], 3);
        assert_eq!(counted["firstTimestamp"], "2026-11-24T08:00:00Z");
        assert_eq!(counted["lastTimestamp"], "2026-11-24T08:00:20Z");
        assert_eq!(
            counted["source"],
            json!({"component": "kubelet", "host": "sandbox"})
        );
        assert_eq!(
            counted["involvedObject"]["fieldPath"],
            "spec.containers{executor}"
        );
        assert_eq!(counted["involvedObject"]["uid"], pod["metadata"]["uid"]);
    }
}
