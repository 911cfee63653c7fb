//! Watching: what happened since a version, then what happens, as lines of JSON.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use std::vec;

use bytes::Bytes;
use futures::stream;
use http::Response;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use super::faults::Faults;
use super::list;
use super::packed::Packed;
use super::requests::{Request, Target};
use super::respond::{self, Body};
use super::selectors::Selector;
use super::status::Status;
use super::store::{Change, Changed, Store};
use super::view::View;

/// A client that asked for bookmarks hears this often how far the stream is.
const BOOKMARK_EVERY: Duration = Duration::from_mins(1);
/// The last bookmark comes this long before the end, so that the client resumes close to it.
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);
/// How long a watch lasts that names no time.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(45);

/// Answers a watch.
pub(super) fn watch(
    store: &Store,
    faults: &Faults,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    let watching = Watching::new(store, faults, request, target)?;
    let lines = stream::unfold(watching, |mut watching| async move {
        let line = watching.next().await?;
        Some((line, watching))
    });
    Ok(respond::stream("application/json", lines))
}

struct Watching {
    store: Store,
    target: Target,
    view: View,
    selector: Selector,
    /// Everything up to here was handed out.
    version: u64,
    ready: VecDeque<Bytes>,
    /// What was there at the beginning and was not handed out yet.
    present: vec::IntoIter<(Arc<str>, Packed)>,
    /// The end of that is to be said, with this version.
    end_of_present: Option<u64>,
    latest: Receiver<u64>,
    drops: Receiver<u64>,
    bookmarks: bool,
    /// The version of the last bookmark.
    marked: u64,
    next_bookmark: Instant,
    end: Instant,
    /// The first table tells the columns.
    first: bool,
    over: bool,
}

impl Watching {
    fn new(
        store: &Store,
        faults: &Faults,
        request: &Request,
        target: &Target,
    ) -> Result<Self, Status> {
        let streaming = request.flag("sendInitialEvents");
        check_streaming(request)?;
        let timeout = request
            .number("timeoutSeconds")?
            .filter(|seconds| *seconds > 0);
        let now = Instant::now();
        // Subscribed before the first look, so that nothing falls between.
        let latest = store.latest();
        let mut watching = Self {
            store: store.clone(),
            target: target.clone(),
            view: View::of(request, target)?,
            selector: Selector::of(request, target.kind, target.new_events)?,
            version: 0,
            ready: VecDeque::new(),
            present: Vec::new().into_iter(),
            end_of_present: None,
            latest,
            drops: faults.drops(),
            bookmarks: request.flag("allowWatchBookmarks"),
            marked: 0,
            next_bookmark: now,
            end: now + timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs),
            first: true,
            over: false,
        };
        let from = list::version(request).map_err(|status| {
            // A watch finds out later than a list, and says so in another way.
            Status::new(
                500,
                "",
                status
                    .message
                    .trim_start_matches("invalid resource version: "),
            )
        })?;
        let initial = match request.parameter("sendInitialEvents") {
            Some(_) => streaming,
            None => from.unwrap_or(0) == 0,
        };
        match from {
            _ if initial => watching.begin_with_all(streaming),
            None | Some(0) => watching.version = store.version(),
            Some(version) if version > store.version() => {
                return Err(list::too_large(version, store.version()));
            }
            Some(version) => {
                watching.version = version;
                watching.read();
            }
        }
        // What the client knows already; all since then is news to it.
        watching.marked = from
            .filter(|from| *from > 0 && !initial)
            .unwrap_or(watching.version);
        watching.plan_bookmark();
        Ok(watching)
    }

    /// Every object as if it were just added; with `marked` the end of them is said.
    fn begin_with_all(&mut self, marked: bool) {
        let (version, objects) = self
            .store
            .packed(self.target.kind, self.target.namespace.as_deref());
        self.version = version;
        self.present = objects.into_iter();
        self.end_of_present = (marked && self.bookmarks).then_some(version);
    }

    /// The next of what was there at the beginning.
    fn take_present(&mut self) -> bool {
        let selector = &self.selector;
        if let Some((_, object)) = self.present.find(|(_, object)| selector.takes(object)) {
            self.push("ADDED", &object.unpack());
            return true;
        }
        let Some(version) = self.end_of_present.take() else {
            return false;
        };
        self.push_bookmark(&json!({
            "resourceVersion": version.to_string(),
            "annotations": {"k8s.io/initial-events-end": "true"},
        }));
        true
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if self.take_present() {
                continue;
            }
            if self.over {
                return None;
            }
            tokio::select! {
                biased;
                _ = self.drops.changed() => return None,
                changed = self.latest.changed() => {
                    changed.ok()?;
                    self.read();
                }
                () = sleep_until(self.next_bookmark.min(self.end)) => {
                    if Instant::now() >= self.end {
                        return None;
                    }
                    self.read();
                    self.push_progress();
                    self.plan_bookmark();
                }
            }
        }
    }

    /// Takes in what happened since the last look.
    fn read(&mut self) {
        self.latest.mark_unchanged();
        match self.store.since(self.target.kind, self.version) {
            Ok((version, changes)) => {
                for change in changes {
                    self.take(&change);
                }
                self.version = version;
            }
            Err(expired) => {
                self.push_line(&json!({"type": "ERROR", "object": expired.json()}));
                self.over = true;
            }
        }
    }

    /// An object that begins to match was added, and one that ceases to was deleted, for this watch.
    fn take(&mut self, change: &Change) {
        if let Some(namespace) = self.target.namespace.as_deref()
            && change.object["metadata"]["namespace"] != *namespace
        {
            return;
        }
        let matches = |object: &Arc<Value>| self.selector.matches(object);
        let before = change.before.as_ref().is_some_and(matches);
        let now = change.what != Changed::Deleted && matches(&change.object);
        match (before, now) {
            (false, true) => self.push_change("ADDED", change),
            (true, true) => self.push_change("MODIFIED", change),
            (true, false) if change.what == Changed::Deleted => self.push_change("DELETED", change),
            (true, false) => {
                // The last state that the watch may see, at the version of the change that ended it.
                let mut last = change.before.as_deref().cloned().unwrap_or_default();
                last["metadata"]["resourceVersion"] = change.version.to_string().into();
                self.push("DELETED", &last);
            }
            (false, false) => {}
        }
    }

    fn push_change(&mut self, what: &str, change: &Change) {
        let now = self.store.clock().now();
        let line = self.view.line(what, change, self.first, now);
        self.first = false;
        self.ready.push_back(line.into());
    }

    fn push(&mut self, what: &str, object: &Value) {
        let object = self
            .view
            .event(object, self.first, self.store.clock().now());
        self.first = false;
        self.push_line(&json!({"type": what, "object": object}));
    }

    fn push_progress(&mut self) {
        if self.bookmarks && self.version > self.marked {
            self.push_bookmark(&json!({"resourceVersion": self.version.to_string()}));
        }
    }

    fn push_bookmark(&mut self, meta: &Value) {
        self.marked = self.version;
        let object = self.view.bookmark(meta);
        self.push_line(&json!({"type": "BOOKMARK", "object": object}));
    }

    fn push_line(&mut self, line: &Value) {
        self.ready.push_back(Bytes::from(format!("{line}\n")));
    }

    fn plan_bookmark(&mut self) {
        let now = Instant::now();
        let last = self
            .end
            .checked_sub(BOOKMARK_BEFORE_END)
            .filter(|last| *last > now);
        let next = now + BOOKMARK_EVERY;
        self.next_bookmark = last.map_or(self.end, |last| last.min(next));
    }
}

fn check_streaming(request: &Request) -> Result<(), Status> {
    let given = request.parameter("sendInitialEvents").is_some();
    let matching = request.parameter("resourceVersionMatch");
    let why = match (given, matching) {
        (true, Some("NotOlderThan")) | (false, None) => return Ok(()),
        (true, _) => {
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        }
        (false, Some(_)) => {
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        }
    };
    let mut reasons = vec![why.to_owned()];
    if given && let Some(word) = matching {
        reasons.push(format!(
            "resourceVersionMatch: Unsupported value: {word:?}: supported values: \"NotOlderThan\""
        ));
    }
    Err(request.invalid_options(&reasons))
}
