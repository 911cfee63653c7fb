//! The quotas of a namespace, measured and charged under the store's lock.

use std::sync::Arc;

use serde_json::Value;

use super::state::State;
use crate::sandbox::kinds::Kind;
use crate::sandbox::object::meta;
use crate::sandbox::quotas;
use crate::sandbox::status::Status;

impl State {
    /// Whether the quotas of the namespace take a new object.
    pub(super) fn quotas_take(&self, kind: Kind, object: &Value) -> Result<(), Status> {
        quotas::admit(kind, object, &self.quotas(meta(object, "namespace")))
    }

    /// Charges an object that was put in to the quotas of its namespace.
    pub(super) fn charge(&mut self, kind: Kind, object: &Value) {
        for quota in self.quotas(meta(object, "namespace")) {
            if let Some(charged) = quotas::charged(&quota, kind, object)
                && charged != *quota
            {
                self.replace(Kind::ResourceQuota, quota, charged);
            }
        }
    }

    /// Counts anew what the quotas of a namespace limit.
    pub(super) fn count_quotas(&mut self, namespace: &str) {
        for quota in self.quotas(namespace) {
            let mut kinds: Vec<Kind> = quota["spec"]["hard"]
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(name, _)| quotas::counted_kind(name))
                .collect();
            kinds.sort_unstable();
            kinds.dedup();
            let mut objects = Vec::new();
            for kind in kinds {
                let all = self.list(kind, Some(namespace));
                objects.extend(all.into_iter().map(|(_, packed)| (kind, packed.unpack())));
            }
            let counted = quotas::counted(&quota, objects.iter().map(|(kind, one)| (*kind, one)));
            if counted != *quota {
                self.replace(Kind::ResourceQuota, quota, counted);
            }
        }
    }

    fn quotas(&self, namespace: &str) -> Vec<Arc<Value>> {
        if namespace.is_empty() {
            return Vec::new();
        }
        let all = self.list(Kind::ResourceQuota, Some(namespace));
        all.into_iter()
            .map(|(_, packed)| Arc::new(packed.unpack()))
            .collect()
    }
}
