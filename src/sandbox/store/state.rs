//! What the store's lock guards, and the fields of an object that only the server writes.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::history::{History, Step};
use super::{Changed, Documents};
use crate::sandbox::clock::Clock;
use crate::sandbox::defaults;
use crate::sandbox::kinds::Kind;
use crate::sandbox::packed::{Lexicon, Packed};
use crate::sandbox::status::Status;

/// Where an object is: its namespace and its name with a zero between, so that names sort as a list does.
pub(super) type Name = Arc<str>;

/// So many of the newest changes are at hand as documents.
const FRESH: usize = 64;

/// All objects and their history.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) version: u64,
    objects: BTreeMap<Kind, BTreeMap<Name, Packed>>,
    lexicon: Lexicon,
    histories: BTreeMap<Kind, History>,
    pub(super) followers: Vec<mpsc::UnboundedSender<Arc<Step>>>,
    /// The documents of the newest changes, for those who are about to read them.
    fresh: VecDeque<Arc<Documents>>,
}

impl State {
    pub(super) fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Packed> {
        self.objects.get(&kind)?.get(&*place(namespace, name))
    }

    pub(super) fn list(&self, kind: Kind, namespace: Option<&str>) -> Vec<(Name, Packed)> {
        let Some(objects) = self.objects.get(&kind) else {
            return Vec::new();
        };
        let start = namespace.map_or_else(String::new, |namespace| place(namespace, ""));
        objects
            .range::<str, _>((Bound::Included(&*start), Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(&start))
            .map(|(name, object)| (name.clone(), object.clone()))
            .collect()
    }

    /// Fills the server's fields, all but the version, and checks that the object may be put in; `check` has its say in between.
    pub(super) fn prepare(
        &self,
        kind: Kind,
        mut object: Value,
        clock: &Clock,
        check: impl FnOnce(&mut Value) -> Result<(), Status>,
    ) -> Result<Value, Status> {
        let body = mapping(&mut object);
        body.insert("apiVersion".to_owned(), kind.api_version().into());
        body.insert("kind".to_owned(), kind.name().into());
        let meta = mapping(body.entry("metadata").or_insert_with(|| json!({})));
        if !kind.namespaced() {
            meta.remove("namespace");
        }
        if text(meta, "name").is_empty() && !text(meta, "generateName").is_empty() {
            let name = format!("{}{}", text(meta, "generateName"), random_suffix());
            meta.insert("name".to_owned(), name.into());
        }
        let (namespace, name) = (
            text(meta, "namespace").to_owned(),
            text(meta, "name").to_owned(),
        );
        if kind.namespaced() {
            self.namespace_takes(kind, &namespace, &name)?;
        }
        for field in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "resourceVersion",
        ] {
            meta.remove(field);
        }
        meta.insert("uid".to_owned(), random_uid().into());
        meta.insert("creationTimestamp".to_owned(), clock.stamp().into());
        if kind.has_generation() {
            meta.insert("generation".to_owned(), 1.into());
        } else {
            meta.remove("generation");
        }
        defaults::on_create(kind, &mut object);
        check(&mut object)?;
        self.quotas_take(kind, &object)?;
        if let Some(there) = self.find(kind, &namespace, &name) {
            let mut taken = Status::already_exists(kind, &name);
            if there.part(&["metadata", "deletionTimestamp"]).is_string() {
                taken.message.insert_str(0, "object is being deleted: ");
            }
            return Err(taken);
        }
        Ok(object)
    }

    fn namespace_takes(&self, kind: Kind, namespace: &str, name: &str) -> Result<(), Status> {
        let Some(home) = self.find(Kind::Namespace, "", namespace) else {
            return Err(Status::not_found(Kind::Namespace, namespace));
        };
        if home.part(&["metadata", "deletionTimestamp"]).is_string() {
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            let mut refused = Status::forbidden(kind, name, &why);
            refused.details["causes"] = json!([{
                "reason": "NamespaceTerminating",
                "message": format!("namespace {namespace} is being terminated"),
                "field": "metadata.namespace",
            }]);
            return Err(refused);
        }
        Ok(())
    }

    /// Puts a prepared object in.
    pub(super) fn insert(&mut self, kind: Kind, object: Value) -> Arc<Value> {
        self.put(kind, object, None)
    }

    /// Puts the next state of an object that is there.
    pub(super) fn replace(&mut self, kind: Kind, old: Arc<Value>, new: Value) -> Arc<Value> {
        self.put(kind, new, Some(old))
    }

    fn put(&mut self, kind: Kind, mut object: Value, before: Option<Arc<Value>>) -> Arc<Value> {
        let version = self.next_version(&mut object);
        let (name, packed) = (name_of(&object), Packed::new(&object, &self.lexicon));
        let old = self
            .objects
            .entry(kind)
            .or_default()
            .insert(name.clone(), packed.clone());
        let what = match before {
            Some(_) => Changed::Modified,
            None => Changed::Added,
        };
        let object = Arc::new(object);
        self.record(
            Step {
                what,
                kind,
                version,
                name,
                object: packed,
                before: old,
                documents: Mutex::default(),
            },
            Documents::new(object.clone(), before),
        );
        object
    }

    /// Takes an object out; `last` is its last state when that differs from the stored one.
    pub(super) fn take(
        &mut self,
        kind: Kind,
        namespace: &str,
        name: &str,
        last: Option<Value>,
    ) -> Option<Arc<Value>> {
        let (name, old) = self
            .objects
            .get_mut(&kind)?
            .remove_entry(&*place(namespace, name))?;
        let before = Arc::new(old.unpack());
        let mut object = last.unwrap_or_else(|| (*before).clone());
        let version = self.next_version(&mut object);
        let (packed, object) = (Packed::new(&object, &self.lexicon), Arc::new(object));
        self.record(
            Step {
                what: Changed::Deleted,
                kind,
                version,
                name,
                object: packed,
                before: Some(old),
                documents: Mutex::default(),
            },
            Documents::new(object.clone(), Some(before)),
        );
        Some(object)
    }

    fn next_version(&mut self, object: &mut Value) -> u64 {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.version
    }

    fn record(&mut self, mut step: Step, documents: Documents) {
        let documents = Arc::new(documents);
        step.documents = Mutex::new(Arc::downgrade(&documents));
        self.fresh.push_back(documents);
        if self.fresh.len() > FRESH {
            self.fresh.pop_front();
        }
        let step = Arc::new(step);
        self.followers
            .retain(|follower| follower.send(step.clone()).is_ok());
        self.histories.entry(step.kind).or_default().push(step);
    }

    pub(super) fn since(&self, kind: Kind, version: u64) -> Result<Vec<super::Change>, Status> {
        self.histories
            .get(&kind)
            .map_or_else(|| Ok(Vec::new()), |history| history.since(version))
    }

    /// The list at `version`: today's, with the changes since then taken back.
    pub(super) fn list_at(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        version: u64,
    ) -> Result<Vec<(Name, Packed)>, Status> {
        let mut objects: BTreeMap<Name, Packed> = self.list(kind, namespace).into_iter().collect();
        let Some(history) = self.histories.get(&kind) else {
            return Ok(objects.into_iter().collect());
        };
        let start = namespace.map_or_else(String::new, |namespace| place(namespace, ""));
        for step in history.steps(version)?.rev() {
            if step.name.starts_with(&start) {
                match &step.before {
                    Some(before) => objects.insert(step.name.clone(), before.clone()),
                    None => objects.remove(&step.name),
                };
            }
        }
        Ok(objects.into_iter().collect())
    }

    pub(super) fn compact(&mut self) {
        // Kinds without a history yet must forget too, or a watch from before could resume.
        for kind in Kind::all() {
            self.histories
                .entry(kind)
                .or_default()
                .compact(self.version);
        }
    }
}

/// The value as an object, made one when it is something else.
fn mapping(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object above"),
    }
}

fn text<'a>(meta: &'a Map<String, Value>, field: &str) -> &'a str {
    meta.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn place(namespace: &str, name: &str) -> String {
    format!("{namespace}\u{0}{name}")
}

fn name_of(object: &Value) -> Name {
    let meta = &object["metadata"];
    let part = |field: &str| meta[field].as_str().unwrap_or_default();
    place(part("namespace"), part("name")).into()
}

/// Puts back what no change may touch.
pub(super) fn keep_identity(old: &Value, new: &mut Value) {
    let from = &old["metadata"];
    let meta = mapping(&mut new["metadata"]);
    for field in [
        "uid",
        "name",
        "namespace",
        "creationTimestamp",
        "resourceVersion",
        "generation",
        "generateName",
    ] {
        match from.get(field) {
            Some(value) => meta.insert(field.to_owned(), value.clone()),
            None => meta.remove(field),
        };
    }
    for field in ["apiVersion", "kind"] {
        new[field] = old[field].clone();
    }
}

/// A changed spec, and the mark of deletion, are a new generation of the kinds that count them.
pub(super) fn count_generation(kind: Kind, old: &Value, new: &mut Value) {
    if !kind.has_generation() {
        return;
    }
    let marked = new["metadata"]["deletionTimestamp"].is_string()
        && !old["metadata"]["deletionTimestamp"].is_string();
    if old["spec"] != new["spec"] || marked {
        let generation = old["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
        new["metadata"]["generation"] = generation.into();
    }
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        // Without the system's randomness a counter still gives names that differ.
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let count = NEXT
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed)
            .to_le_bytes();
        for (byte, part) in bytes.iter_mut().zip(count.iter().cycle()) {
            *byte = *part;
        }
    }
    bytes
}

/// Five characters, of the alphabet that cannot spell words.
fn random_suffix() -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    random_bytes::<5>()
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

/// A version 4 UUID.
pub(super) fn random_uid() -> String {
    let mut bytes = random_bytes::<16>();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut uid = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            uid.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(uid, "{byte:02x}");
    }
    uid
}
