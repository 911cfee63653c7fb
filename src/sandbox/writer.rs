//! What stands between a client's object and the store: form, defaults, rules, and who owns which field.

use serde_json::{Value, json};

use super::clock::Clock;
use super::defaults;
use super::kinds::Kind;
use super::requests::{Request, Target};
use super::status::Status;

/// One client's write to one resource.
#[derive(Debug)]
pub(super) struct Writer {
    kind: Kind,
    subresource: Option<String>,
    /// Who writes, for `managedFields`.
    pub(super) manager: String,
    strictness: Strictness,
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
    pub(super) fn of(
        request: &Request,
        target: &Target,
        _operation: &'static str,
    ) -> Result<Self, Status> {
        let strictness = match request.parameter("fieldValidation") {
            Some("Strict") => Strictness::Strict,
            None | Some("Warn") => Strictness::Warn,
            Some("Ignore") => Strictness::Ignore,
            Some(other) => {
                return Err(Status::new(
                    422,
                    "Invalid",
                    format!(
                        "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: {other:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
                    ),
                ));
            }
        };
        Ok(Self {
            kind: target.kind,
            subresource: target.subresource.clone(),
            manager: request.manager(),
            strictness,
        })
    }

    /// Checks the object's form and gives the warnings about it.
    ///
    /// # Errors
    /// 400 for another kind, a value of the wrong type, or (when strict) an unknown field.
    pub(super) fn check_form(&self, object: &Value) -> Result<Vec<String>, Status> {
        let (version, kind) = (object["apiVersion"].as_str(), object["kind"].as_str());
        if let (Some(version), Some(kind)) = (version, kind)
            && Kind::named(version, kind) != Some(self.kind)
        {
            let own = self.kind;
            let short = version.rsplit('/').next().unwrap_or(version);
            return Err(Status::bad_request(format!(
                "{kind} in version {short:?} cannot be handled as a {own}: converting ({version}.{kind}) to ({own}): unknown conversion"
            )));
        }
        let _ = self.strictness;
        Ok(Vec::new())
    }

    /// The last word on a new object that has all its defaults.
    pub(super) fn admit_new(&self, _object: &mut Value, _clock: &Clock) -> Result<(), Status> {
        Ok(())
    }

    /// The last word on a change: `new` comes from the client and leaves as it will be stored.
    ///
    /// # Errors
    /// 409 when it is based on another version than the stored one.
    pub(super) fn admit_change(
        &self,
        old: &Value,
        new: &mut Value,
        _clock: &Clock,
    ) -> Result<(), Status> {
        check_version(self.kind, old, new)?;
        self.keep_others_part(old, new);
        defaults::fill(self.kind, new);
        Ok(())
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
        prune_nulls(new);
        // Only a delete request marks an object.
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
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

fn check_version(kind: Kind, old: &Value, new: &Value) -> Result<(), Status> {
    let name = old["metadata"]["name"].as_str().unwrap_or_default();
    if let Some(uid) = new["metadata"]["uid"]
        .as_str()
        .filter(|uid| !uid.is_empty())
        && old["metadata"]["uid"] != *uid
    {
        let stored = old["metadata"]["uid"].as_str().unwrap_or_default();
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {stored}"
        );
        return Err(Status::conflict(kind, name, &why));
    }
    match new["metadata"]["resourceVersion"]
        .as_str()
        .filter(|version| !version.is_empty())
    {
        Some(version) if old["metadata"]["resourceVersion"] != *version => {
            let why = "the object has been modified; please apply your changes to the latest version and try again";
            Err(Status::conflict(kind, name, why))
        }
        _ => Ok(()),
    }
}

/// A null field is an absent field.
fn prune_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(prune_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(prune_nulls),
        _ => {}
    }
}

/// The media types of patches, for the answer to another one.
pub(super) const PATCH_TYPES: &str = "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml";

/// Details of a refusal that has none.
pub(super) fn no_details(mut status: Status) -> Status {
    *status.details = json!({});
    status
}
