//! The shapes in which objects are shown: whole, as a printed table, as metadata only, or as an event of the newer group.

use http::header;
use serde_json::{Value, json};

use super::events_v1;
use super::packed::Packed;
use super::requests::{Request, Target};
use super::status::Status;
use super::store::Change;
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

    /// A list with nothing in it; its text ends where the items go, but for two brackets.
    pub(super) fn shell(&self, meta: &Value, now: jiff::Timestamp) -> Vec<u8> {
        let kind = self.target.kind;
        let (name, api_version) = match self.form {
            Form::Table => {
                let table = table::table(kind, meta, &[], self.include, true, now);
                return table.to_string().into_bytes();
            }
            Form::Metadata => (
                "PartialObjectMetadataList".to_owned(),
                "meta.k8s.io/v1".to_owned(),
            ),
            Form::Whole => (format!("{kind}List"), self.target.api_version()),
        };
        format!(r#"{{"kind":"{name}","apiVersion":"{api_version}","metadata":{meta},"items":[]}}"#)
            .into_bytes()
    }

    /// Writes an object as an item of a list. A real server leaves its type out there.
    pub(super) fn write_item(&self, out: &mut Vec<u8>, object: &Packed, now: jiff::Timestamp) {
        match self.form {
            Form::Whole if !self.target.new_events => object.write_bare(out),
            Form::Whole => {
                let mut event = self.shaped(&object.unpack());
                if let Some(fields) = event.as_object_mut() {
                    fields.remove("apiVersion");
                    fields.remove("kind");
                }
                out.extend(event.to_string().into_bytes());
            }
            Form::Metadata => out.extend(metadata_only(&object.unpack()).to_string().into_bytes()),
            Form::Table => {
                let row = table::row(self.target.kind, &object.unpack(), self.include, now);
                out.extend(row.to_string().into_bytes());
            }
        }
    }

    /// The line of a watch for a change; only the first table carries its columns.
    pub(super) fn line(
        &self,
        what: &str,
        change: &Change,
        first: bool,
        now: jiff::Timestamp,
    ) -> Vec<u8> {
        if self.form != Form::Whole || self.target.new_events {
            let object = self.event(&change.object, first, now);
            return format!("{}\n", json!({"type": what, "object": object})).into_bytes();
        }
        // Every watch sends the same bytes, so they are written once.
        let object = change.json();
        let mut line = Vec::with_capacity(object.len() + 40);
        line.extend(br#"{"type":""#);
        line.extend(what.as_bytes());
        line.extend(br#"","object":"#);
        line.extend(object);
        line.extend(b"}\n");
        line
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
}
