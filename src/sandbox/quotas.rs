//! Resource quotas: what a namespace may hold, kept up to date, and what it refuses.
//!
//! The store measures every new object and charges it to the quotas in the same step; the controller counts anew when something went.

mod usage;

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::controllers::Controller;
use super::kinds::Kind;
use super::object::meta;
use super::quantity::Quantity;
use super::status::Status;
use super::store::{Change, Changed, Store};
use super::work::Work;
pub(super) use usage::counted_kind;
use usage::{Amounts, matches, missing, of_object, read};

/// Counts what namespaces with quotas hold.
#[derive(Debug)]
pub(crate) struct Quotas {
    store: Store,
    /// The namespaces that have quotas.
    limited: HashSet<Arc<str>>,
}

impl Quotas {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            limited: HashSet::new(),
        }
    }
}

impl Controller for Quotas {
    /// A namespace.
    type Key = Arc<str>;

    fn observe(&mut self, change: &Change, work: &mut Work<Arc<str>>) {
        let object = &change.object;
        let namespace: Arc<str> = meta(object, "namespace").into();
        if change.kind == Kind::ResourceQuota && change.what != Changed::Deleted {
            self.limited.insert(namespace.clone());
            if object["status"]["hard"] != object["spec"]["hard"] {
                work.now(namespace);
            }
        } else if self.limited.contains(&namespace) && gives_back(change) {
            work.now(namespace);
        }
    }

    fn sync(&mut self, namespace: Arc<str>, _: &mut Work<Arc<str>>) {
        self.store.count_quotas(&namespace);
    }
}

/// Whether a change may have lowered what is used.
fn gives_back(change: &Change) -> bool {
    let is_over = |pod: &Value| {
        matches!(
            pod["status"]["phase"].as_str(),
            Some("Succeeded" | "Failed")
        )
    };
    match change.what {
        Changed::Deleted => true,
        Changed::Added => false,
        Changed::Modified => {
            change.kind == Kind::Pod
                && is_over(&change.object)
                && !change.before.as_deref().is_some_and(is_over)
        }
    }
}

/// Whether quotas, in the order of their names, take a new object.
///
/// # Errors
/// 403 in the words of the real server.
pub(super) fn admit(kind: Kind, object: &Value, quotas: &[Arc<Value>]) -> Result<(), Status> {
    let name = Some(meta(object, "name"))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| meta(object, "generateName"));
    let concerned = || {
        quotas
            .iter()
            .filter(|quota| matches(quota, kind, object))
            .map(|quota| (meta(quota, "name"), &quota["status"]))
    };
    for (quota, status) in concerned() {
        let missing = missing(kind, object, &status["hard"]);
        if !missing.is_empty() {
            let why = format!("failed quota: {quota}: must specify {missing}");
            return Err(Status::forbidden(kind, name, &why));
        }
    }
    let asked = of_object(kind, object);
    for (quota, status) in concerned() {
        let (hard, used) = (read(&status["hard"]), read(&status["used"]));
        let over: Vec<&String> = asked
            .iter()
            .filter(|(name, amount)| {
                let used = used.get(*name).copied().unwrap_or_default();
                hard.get(*name)
                    .is_some_and(|hard| used.plus(**amount) > *hard)
            })
            .map(|(name, _)| name)
            .collect();
        if over.is_empty() {
            continue;
        }
        let list = |amount: &dyn Fn(&str) -> String| {
            let all: Vec<String> = over
                .iter()
                .map(|name| format!("{name}={}", amount(name)))
                .collect();
            all.join(",")
        };
        let of_status = |which: &str, name: &str| {
            let amount = &status[which][name];
            amount.as_str().unwrap_or("0").to_owned()
        };
        let why = format!(
            "exceeded quota: {quota}, requested: {}, used: {}, limited: {}",
            list(&|name| asked.get(name).copied().unwrap_or_default().to_string()),
            list(&|name| of_status("used", name)),
            list(&|name| of_status("hard", name)),
        );
        return Err(Status::forbidden(kind, name, &why));
    }
    Ok(())
}

/// The quota with a new object charged to it; none when the object does not concern it.
pub(super) fn charged(quota: &Value, kind: Kind, object: &Value) -> Option<Value> {
    if !matches(quota, kind, object) {
        return None;
    }
    let mut charged = quota.clone();
    let used = charged["status"]["used"].as_object_mut()?;
    for (name, amount) in of_object(kind, object) {
        if let Some(before) = used.get_mut(&name) {
            let sum = before
                .as_str()
                .and_then(Quantity::parse)
                .unwrap_or_default()
                .plus(amount);
            *before = sum.to_string().into();
        }
    }
    Some(charged)
}

/// The quota with everything counted: of each object of a kind that it names.
pub(super) fn counted<'a>(
    quota: &Value,
    objects: impl IntoIterator<Item = (Kind, &'a Value)>,
) -> Value {
    let hard = &quota["spec"]["hard"];
    let mut used: Amounts = hard
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| counted_kind(name).is_some())
        .map(|(name, _)| (name.clone(), Quantity::ZERO))
        .collect();
    for (kind, object) in objects {
        // The scopes are those of the spec, whatever the status knows.
        if usage::in_scope(quota, kind, object) {
            for (name, amount) in of_object(kind, object) {
                used.entry(name).and_modify(|sum| *sum = sum.plus(amount));
            }
        }
    }
    let used: Value = used
        .into_iter()
        .map(|(name, amount)| (name, Value::from(amount.to_string())))
        .collect();
    let mut counted = quota.clone();
    counted["status"] = json!({"hard": hard, "used": used});
    counted
}
