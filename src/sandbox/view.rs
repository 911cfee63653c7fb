//! The shapes in which objects are shown: whole, as a printed table, as metadata only, or as an event of the newer group.

use std::sync::Arc;

use http::header;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};

use super::events_v1;
use super::requests::{Request, Target};
use super::status::Status;
use super::table;

/// The shape that a request asks for.
#[derive(Debug, Clone)]
pub(super) struct View {
    form: Form,
    target: Target,
    include: table::Include,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    Table,
    Metadata,
}

impl View {
    /// The first shape of the `Accept` header that the server has.
    ///
    /// # Errors
    /// 406 when it has none of them.
    pub(super) fn of(request: &Request, target: &Target) -> Result<Self, Status> {
        let accept = request.header(header::ACCEPT);
        let form = if accept.trim().is_empty() {
            Some(Form::Whole)
        } else {
            accept.split(',').find_map(form_of)
        };
        let Some(form) = form else {
            return Err(Status::new(
                406,
                "NotAcceptable",
                "only the following media types are accepted: application/json",
            ));
        };
        let include = match request.parameter("includeObject") {
            Some("None") => table::Include::Nothing,
            Some("Object") => table::Include::Object,
            _ => table::Include::Metadata,
        };
        Ok(Self {
            form,
            target: target.clone(),
            include,
        })
    }

    /// One object, as a whole document.
    pub(super) fn one(&self, object: &Value, now: jiff::Timestamp) -> Value {
        match self.form {
            Form::Whole => self.shaped(object),
            Form::Metadata => metadata_only(object),
            Form::Table => {
                let version = &object["metadata"]["resourceVersion"];
                let meta = json!({"resourceVersion": version});
                table::table(self.target.kind, &meta, &[object], self.include, true, now)
            }
        }
    }

    /// One object inside a watch event; only the first event's table carries its columns.
    pub(super) fn event(&self, object: &Value, first: bool, now: jiff::Timestamp) -> Value {
        match self.form {
            Form::Table => {
                let version = &object["metadata"]["resourceVersion"];
                let meta = json!({"resourceVersion": version});
                table::table(self.target.kind, &meta, &[object], self.include, first, now)
            }
            _ => self.one(object, now),
        }
    }

    /// The bytes of a list.
    pub(super) fn list(
        &self,
        meta: &Value,
        objects: &[Arc<Value>],
        now: jiff::Timestamp,
    ) -> serde_json::Result<Vec<u8>> {
        let kind = self.target.kind;
        match self.form {
            Form::Table => {
                let objects: Vec<&Value> = objects.iter().map(AsRef::as_ref).collect();
                serde_json::to_vec(&table::table(kind, meta, &objects, self.include, true, now))
            }
            Form::Metadata => serde_json::to_vec(&json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
                "items": objects.iter().map(|one| metadata_only(one)).collect::<Vec<_>>(),
            })),
            Form::Whole if self.target.new_events => {
                let shaped: Vec<Value> = objects.iter().map(|one| self.shaped(one)).collect();
                let items = shaped.iter().map(Bare).collect();
                serde_json::to_vec(&Listing {
                    kind: format!("{kind}List"),
                    api_version: self.target.api_version(),
                    meta,
                    items,
                })
            }
            Form::Whole => {
                let items = objects.iter().map(|one| Bare(one)).collect();
                serde_json::to_vec(&Listing {
                    kind: format!("{kind}List"),
                    api_version: self.target.api_version(),
                    meta,
                    items,
                })
            }
        }
    }

    /// A bookmark's object: no more than a version.
    pub(super) fn bookmark(&self, meta: &Value) -> Value {
        match self.form {
            Form::Table => {
                json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": [], "rows": []})
            }
            Form::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta})
            }
            Form::Whole => {
                json!({"kind": self.target.kind.name(), "apiVersion": self.target.api_version(), "metadata": meta})
            }
        }
    }

    fn shaped(&self, object: &Value) -> Value {
        if self.target.new_events {
            events_v1::from_core(object)
        } else {
            object.clone()
        }
    }
}

fn form_of(media: &str) -> Option<Form> {
    let mut parts = media.split(';').map(str::trim);
    if !matches!(parts.next()?, "application/json" | "application/*" | "*/*") {
        return None;
    }
    match parts.find_map(|part| part.strip_prefix("as=")) {
        None => Some(Form::Whole),
        Some("Table") => Some(Form::Table),
        Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Some(Form::Metadata),
        Some(_) => None,
    }
}

fn metadata_only(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

#[derive(serde::Serialize)]
struct Listing<'a> {
    kind: String,
    #[serde(rename = "apiVersion")]
    api_version: String,
    #[serde(rename = "metadata")]
    meta: &'a Value,
    items: Vec<Bare<'a>>,
}

/// An object inside a list: a real server leaves its type out there.
struct Bare<'a>(&'a Value);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(fields) = self.0.as_object() else {
            return self.0.serialize(serializer);
        };
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in fields {
            if name != "apiVersion" && name != "kind" {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_headers() {
        assert_eq!(form_of("application/json"), Some(Form::Whole));
        assert_eq!(
            form_of(" application/json;as=Table;v=v1;g=meta.k8s.io"),
            Some(Form::Table)
        );
        assert_eq!(
            form_of("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
            Some(Form::Metadata)
        );
        assert_eq!(form_of("application/vnd.kubernetes.protobuf"), None);
        assert_eq!(form_of("*/*"), Some(Form::Whole));
    }

    #[test]
    fn listed_objects_carry_no_type() {
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}});
        assert_eq!(
            serde_json::to_string(&Bare(&object)).unwrap(),
            r#"{"metadata":{"name":"p"}}"#
        );
    }
}
