//! Label and field selectors.

mod fields;
mod labels;

use serde_json::Value;

use super::kinds::Kind;
use super::packed::Packed;
use super::requests::Request;
use super::status::Status;

/// Which objects of a kind are meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Selector {
    labels: Vec<labels::Requirement>,
    fields: Vec<fields::Requirement>,
}

impl Selector {
    /// The selector of a request.
    ///
    /// # Errors
    /// 400 when one does not parse, or names a field that cannot be selected by.
    pub(super) fn of(request: &Request, kind: Kind, new_events: bool) -> Result<Self, Status> {
        Ok(Self {
            labels: labels::parse(request.parameter("labelSelector").unwrap_or_default())?,
            fields: fields::parse(
                kind,
                new_events,
                request.parameter("fieldSelector").unwrap_or_default(),
            )?,
        })
    }

    /// Whether everything is meant.
    pub(super) fn is_all(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// [`Self::matches`] for an object as it is kept; only what is asked about is unpacked.
    pub(super) fn takes(&self, object: &Packed) -> bool {
        (self.labels.is_empty() || {
            let labels = object.part(&["metadata", "labels"]);
            self.labels.iter().all(|one| one.holds(&labels))
        }) && (self.fields.is_empty() || {
            let object = object.unpack();
            self.fields.iter().all(|one| one.holds(&object))
        })
    }

    /// Whether the object is meant.
    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels.iter().all(|one| one.holds(labels))
            && self.fields.iter().all(|one| one.holds(object))
    }
}
