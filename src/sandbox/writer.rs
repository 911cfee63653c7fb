//! What stands between a client's object and the store: form, defaults, rules, and who owns which field.

mod body;
mod prune;

use serde_json::{Map, Value, json};

use super::clock::Clock;
use super::defaults;
use super::kinds::Kind;
use super::requests::{Request, Target};
use super::status::Status;
use super::validate;
use crate::merge::apply::{self, Author, Conflict, Conflicts, Owner};
use crate::merge::fields::Path;
use crate::merge::schema::{self, Schema};
use crate::merge::typed;

/// A manager's name may have this many bytes.
const LONGEST_MANAGER: usize = 128;

/// One client's write to one resource.
#[derive(Debug)]
pub(super) struct Writer {
    kind: Kind,
    subresource: Option<String>,
    /// Who writes, for `managedFields`.
    manager: String,
    api_version: String,
    strictness: Strictness,
    /// A patch may try to change the uid; an update that names another one means another object.
    patches: bool,
}

/// What happens to fields that the kind does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strictness {
    Ignore,
    Warn,
    Strict,
}

impl Writer {
    /// The writer of a request.
    ///
    /// # Errors
    /// 422 for a word of `fieldValidation` that means nothing.
    pub(super) fn of(request: &Request, target: &Target) -> Result<Self, Status> {
        let strictness = match request.parameter("fieldValidation") {
            Some("Strict") => Strictness::Strict,
            None | Some("Warn") => Strictness::Warn,
            Some("Ignore") => Strictness::Ignore,
            Some(other) => {
                let known = "\"\", \"Ignore\", \"Strict\", \"Warn\"";
                return Err(request.invalid_options(&[format!(
                    "fieldValidation: Unsupported value: {other:?}: supported values: {known}"
                )]));
            }
        };
        if request
            .parameter("fieldManager")
            .is_some_and(|name| name.len() > LONGEST_MANAGER)
        {
            return Err(request.invalid_options(&[format!(
                "fieldManager: Too long: may not be more than {LONGEST_MANAGER} bytes"
            )]));
        }
        Ok(Self {
            kind: target.kind,
            subresource: target.subresource.clone(),
            manager: request.manager(),
            api_version: target.kind.api_version(),
            strictness,
            patches: request.method == http::Method::PATCH,
        })
    }

    /// Notes who owns the fields of a new object: what the client said and the plain defaults, not what is generated later.
    pub(super) fn own_new(&self, object: &mut Value, clock: &Clock) {
        let mut filled = object.clone();
        if self.kind.has_status() {
            filled.as_object_mut().map(|fields| fields.remove("status"));
        }
        defaults::fill(self.kind, &mut filled);
        let time = clock.stamp();
        let owners = apply::note_update(
            &skeleton(&filled),
            &filled,
            Vec::new(),
            &self.author(&time),
            self.schema(),
            |path| self.owns(path),
        );
        apply::set_owners(object, owners);
    }

    /// The last word on a new object that has all its defaults.
    ///
    /// # Errors
    /// 422 when it breaks a rule of its kind.
    pub(super) fn admit_new(&self, object: &mut Value) -> Result<(), Status> {
        prune::absent(object);
        validate::new(self.kind, object)
    }

    /// The last word on a change: `new` comes from the client and leaves as it will be stored.
    ///
    /// # Errors
    /// 409 when it is based on another version than the stored one, 422 when it breaks a rule of its kind.
    pub(super) fn admit_change(
        &self,
        old: &Value,
        new: &mut Value,
        clock: &Clock,
    ) -> Result<(), Status> {
        self.settle(old, new)?;
        let owners = recorded(old, new);
        let time = clock.stamp();
        // Nobody kept a record so far, so nobody begins one now: as on a real cluster, the first apply will.
        let owners = if owners.is_empty() {
            owners
        } else {
            apply::note_update(
                old,
                new,
                owners,
                &self.author(&time),
                self.schema(),
                |path| self.owns(path),
            )
        };
        apply::set_owners(new, owners);
        Ok(())
    }

    /// What an apply of `config` makes of `live` (an empty object when there is none), with its owners.
    ///
    /// # Errors
    /// 409 when others own what it would change, unless forced.
    pub(super) fn applied(
        &self,
        live: &Value,
        config: &Value,
        force: bool,
        clock: &Clock,
    ) -> Result<Value, Status> {
        let time = clock.stamp();
        let author = self.author(&time);
        let apply = |force| {
            apply::apply(live, config, &author, self.schema(), force, |path| {
                self.owns(path)
            })
        };
        apply(force)
            .or_else(
                |conflicts| match self.beyond_last_applied(live, conflicts) {
                    None => apply(true),
                    Some(conflicts) => Err(conflicts),
                },
            )
            .map_err(|conflicts| conflict(&conflicts))
    }

    /// The conflicts that count: kubectl may take over what it applied itself from the client's side.
    fn beyond_last_applied(&self, live: &Value, conflicts: Conflicts) -> Option<Conflicts> {
        if self.manager != "kubectl" {
            return Some(conflicts);
        }
        let applied = live["metadata"]["annotations"][LAST_APPLIED]
            .as_str()
            .unwrap_or_default();
        let applied: Value = serde_json::from_str(applied).unwrap_or_default();
        let own: Vec<String> = typed::fields_of(&applied, self.schema())
            .iter()
            .map(ToString::to_string)
            .collect();
        let rest: Vec<Conflict> = conflicts
            .0
            .into_iter()
            .filter(|one| !own.contains(&one.field))
            .collect();
        (!rest.is_empty()).then_some(Conflicts(rest))
    }

    /// Brings a changed object into the form in which it is stored; its owners are another matter.
    ///
    /// # Errors
    /// As [`Self::admit_change`].
    pub(super) fn settle(&self, old: &Value, new: &mut Value) -> Result<(), Status> {
        check_version(self.kind, old, new, self.patches)?;
        self.keep_others_part(old, new);
        defaults::fill(self.kind, new);
        match self.subresource {
            None => validate::change(self.kind, old, new),
            Some(_) => Ok(()),
        }
    }

    fn author<'a>(&'a self, time: &'a str) -> Author<'a> {
        Author {
            manager: &self.manager,
            api_version: &self.api_version,
            subresource: self.subresource.as_deref().unwrap_or_default(),
            time,
        }
    }

    fn schema(&self) -> Option<Schema> {
        schema::of(&self.api_version, self.kind.name())
    }

    /// Whether a writer of this resource can own the field at all.
    fn owns(&self, path: &Path) -> bool {
        let status = path.starts_with(&Path::of(&["status"]));
        match self.subresource.as_deref() {
            Some("status") => status,
            _ => !(status && self.kind.has_status()),
        }
    }

    /// A write to the main resource leaves `status` alone, and one to `status` leaves the rest.
    fn keep_others_part(&self, old: &Value, new: &mut Value) {
        match self.subresource.as_deref() {
            Some("status") => {
                let (status, meta) = (new["status"].take(), new["metadata"].take());
                *new = old.clone();
                new["status"] = status;
                new["metadata"]["managedFields"] = meta["managedFields"].clone();
            }
            Some("finalize") => {
                let finalizers = new["spec"]["finalizers"].take();
                *new = old.clone();
                new["spec"]["finalizers"] = finalizers;
            }
            _ => {
                if self.kind.has_status() {
                    new["status"] = old["status"].clone();
                }
            }
        }
        prune::absent(new);
        // Only a delete request marks an object.
        for field in [
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ] {
            match old["metadata"].get(field) {
                Some(value) => new["metadata"][field] = value.clone(),
                None => drop(
                    new["metadata"]
                        .as_object_mut()
                        .map(|meta| meta.remove(field)),
                ),
            }
        }
    }
}

/// Whether the answer to a delete is always the object.
pub(super) fn returns_deleted(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::Service
            | Kind::ServiceAccount
            | Kind::PersistentVolumeClaim
            | Kind::ResourceQuota
    )
}

fn check_version(kind: Kind, old: &Value, new: &Value, patches: bool) -> Result<(), Status> {
    let name = old["metadata"]["name"].as_str().unwrap_or_default();
    if let Some(uid) = new["metadata"]["uid"]
        .as_str()
        .filter(|uid| !uid.is_empty())
        && old["metadata"]["uid"] != *uid
        && !patches
    {
        let stored = old["metadata"]["uid"].as_str().unwrap_or_default();
        let namespace = old["metadata"]["namespace"].as_str().unwrap_or_default();
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {stored}",
            registry_key(kind, namespace, name)
        );
        return Err(Status::conflict(kind, name, &why));
    }
    match new["metadata"]["resourceVersion"]
        .as_str()
        .filter(|version| !version.is_empty())
    {
        Some(version) if version.parse::<u64>().is_err() => Err(Status::new(
            500,
            "",
            format!("strconv.ParseUint: parsing {version:?}: invalid syntax"),
        )),
        Some(version) if old["metadata"]["resourceVersion"] != *version => {
            let why = "the object has been modified; please apply your changes to the latest version and try again";
            Err(Status::conflict(kind, name, why))
        }
        _ => Ok(()),
    }
}

/// Where the real server keeps the object, which some of its messages tell.
fn registry_key(kind: Kind, namespace: &str, name: &str) -> String {
    let place = match kind {
        Kind::Node => "minions",
        Kind::Service => "services/specs",
        Kind::Endpoints => "services/endpoints",
        Kind::Ingress => "ingress",
        other => other.row().plural,
    };
    if kind.namespaced() {
        format!("/registry/{place}/{namespace}/{name}")
    } else {
        format!("/registry/{place}/{name}")
    }
}

/// Where client-side apply keeps what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn conflict(conflicts: &Conflicts) -> Status {
    let cause = |one: &Conflict| json!({"reason": "FieldManagerConflict", "message": format!("conflict with {}", one.owner), "field": one.field});
    let causes: Vec<Value> = conflicts.0.iter().map(cause).collect();
    let mut status = Status::new(409, "Conflict", conflicts.to_string());
    *status.details = json!({"causes": causes});
    status
}

/// What an object of the kind has before anybody sets a field: nobody owns these shells, only what is in them.
fn skeleton(object: &Value) -> Value {
    const SHELLS: &[&str] = &[
        "/spec",
        "/spec/strategy",
        "/spec/template",
        "/spec/template/metadata",
        "/spec/template/spec",
        "/spec/template/spec/containers",
        "/spec/containers",
    ];
    let mut skeleton = json!({"metadata": {}});
    for pointer in SHELLS {
        let shell = match object.pointer(pointer) {
            Some(Value::Object(_)) => json!({}),
            Some(Value::Array(_)) => json!([]),
            _ => continue,
        };
        if let Some((above, name)) = pointer.rsplit_once('/')
            && let Some(at) = skeleton.pointer_mut(above)
        {
            at[name] = shell;
        }
    }
    skeleton
}

/// The owners on which a change builds: a client may rewrite the record, and an empty entry erases it.
fn recorded(old: &Value, new: &Value) -> Vec<Owner> {
    match new["metadata"]["managedFields"].as_array() {
        Some(entries)
            if entries
                .iter()
                .any(|entry| entry.as_object().is_some_and(Map::is_empty)) =>
        {
            Vec::new()
        }
        Some(entries) if !entries.is_empty() => apply::owners(new),
        _ => apply::owners(old),
    }
}

/// Details of a refusal that has none.
pub(super) fn no_details(mut status: Status) -> Status {
    *status.details = json!({});
    status
}
