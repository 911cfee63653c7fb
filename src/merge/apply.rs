//! Server-side apply: who owns which field, what an apply gives, and with whom it conflicts.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::fields::{Fields, Path};
use super::schema::Schema;
use super::typed;

/// How a manager writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// It says all that it wants, each time.
    Apply,
    /// It changes what it finds.
    Update,
}

/// One writer of an object, and the fields that are its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Owner {
    pub manager: String,
    pub operation: Operation,
    pub api_version: String,
    /// Empty for the main resource.
    pub subresource: String,
    /// When its fields last changed, RFC 3339; empty when unknown.
    pub time: String,
    pub fields: Fields,
}

/// The writer of one request.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    pub manager: &'a str,
    pub api_version: &'a str,
    /// Empty for the main resource.
    pub subresource: &'a str,
    /// Now, RFC 3339 in whole seconds.
    pub time: &'a str,
}

/// One field that somebody else owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The owner as messages print it: `"name" using v1`.
    pub owner: String,
    /// The field as messages print it.
    pub field: String,
}

/// An apply that would take fields from their owners.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", message(.0))]
pub struct Conflicts(pub Vec<Conflict>);

/// Paths that are nobody's: the server's own, and those that name the object.
const UNOWNED: &[&[&str]] = &[
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// The manager that owns what was there before anybody applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

impl Owner {
    fn is(&self, author: &Author<'_>, operation: Operation) -> bool {
        self.manager == author.manager
            && self.operation == operation
            && self.subresource == author.subresource
            // An applier keeps its fields when the version of the API changes.
            && (operation == Operation::Apply || self.api_version == author.api_version)
    }

    /// As messages print it.
    fn shown(&self) -> String {
        let mut text = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            let _ = write!(text, " with subresource {:?}", self.subresource);
        }
        if self.operation == Operation::Update {
            let _ = write!(text, " using {}", self.api_version);
        }
        text
    }

    fn json(&self) -> Value {
        let mut entry = json!({
            "manager": self.manager,
            "operation": match self.operation { Operation::Apply => "Apply", Operation::Update => "Update" },
            "apiVersion": self.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.to_v1(),
        });
        if !self.time.is_empty() {
            entry["time"] = self.time.as_str().into();
        }
        if !self.subresource.is_empty() {
            entry["subresource"] = self.subresource.as_str().into();
        }
        entry
    }

    fn read(entry: &Value) -> Option<Self> {
        let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        Some(Self {
            manager: text("manager"),
            operation: match entry["operation"].as_str()? {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return None,
            },
            api_version: text("apiVersion"),
            subresource: text("subresource"),
            time: text("time"),
            fields: Fields::from_v1(&entry["fieldsV1"]),
        })
    }
}

/// The owners that an object's `managedFields` name.
pub fn owners(object: &Value) -> Vec<Owner> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries
        .into_iter()
        .flatten()
        .filter_map(Owner::read)
        .collect()
}

/// Writes the owners into an object: appliers first, then by time and name.
pub fn set_owners(object: &mut Value, mut owners: Vec<Owner>) {
    owners.retain(|owner| !owner.fields.is_empty());
    owners.sort_by(|a, b| {
        (a.operation, &a.time, &a.manager).cmp(&(b.operation, &b.time, &b.manager))
    });
    let Some(meta) = object["metadata"].as_object_mut() else {
        return;
    };
    if owners.is_empty() {
        meta.remove("managedFields");
    } else {
        let entries = owners.iter().map(Owner::json).collect();
        meta.insert("managedFields".to_owned(), Value::Array(entries));
    }
}

/// Notes that `author` changed `old` into `new` (for a creation `old` is an empty object); `mine` says which paths its resource may
/// own at all.
pub fn note_update(
    old: &Value,
    new: &Value,
    owners: Vec<Owner>,
    author: &Author<'_>,
    schema: Option<Schema>,
    mine: impl Fn(&Path) -> bool,
) -> Vec<Owner> {
    let found = typed::difference(&bare(old), &bare(new), schema);
    let (removed, modified, added) = (
        found.removed.filter(&mine),
        found.modified.filter(&mine),
        found.added.filter(&mine),
    );
    let changed = modified.union(&added);
    let mut own = Fields::default();
    let mut before = None;
    let mut result = Vec::new();
    for mut owner in owners {
        if owner.is(author, Operation::Update) {
            own = own.union(&owner.fields);
            before = Some(owner.time);
        } else {
            owner.fields = owner.fields.difference(&changed).difference(&removed);
            result.push(owner);
        }
    }
    let fields = owned(&own.difference(&removed).union(&changed));
    let time = match before {
        Some(before) if fields == own && changed.is_empty() => before,
        _ => author.time.to_owned(),
    };
    result.push(Owner {
        manager: author.manager.to_owned(),
        operation: Operation::Update,
        api_version: author.api_version.to_owned(),
        subresource: author.subresource.to_owned(),
        time,
        fields,
    });
    result
}

/// Applies `config` to `live` (an empty object for a creation): gives the new object, with its owners.
///
/// # Errors
/// When others own what it would change, unless forced.
pub fn apply(
    live: &Value,
    config: &Value,
    author: &Author<'_>,
    schema: Option<Schema>,
    force: bool,
    mine: impl Fn(&Path) -> bool,
) -> Result<Value, Conflicts> {
    let mut owners = owners(live);
    let live_bare = bare(live);
    if owners.is_empty()
        && live_bare
            .as_object()
            .is_some_and(|fields| !fields.is_empty())
    {
        let before = Author {
            manager: BEFORE_FIRST_APPLY,
            ..*author
        };
        owners = note_update(&json!({}), live, owners, &before, schema, &mine);
    }
    let config = bare(config);
    // With the fields that name the object, which are nobody's and still hold up what they stand in.
    let said = typed::fields_of(&config, schema).filter(&mine);
    let set = owned(&said);
    let mut merged = live_bare.clone();
    typed::overlay(&mut merged, &config, schema);

    let last = owners
        .iter()
        .position(|owner| owner.is(author, Operation::Apply))
        .map(|at| owners.remove(at));
    if let Some(last) = &last {
        merged = pruned(&merged, &last.fields, &said, &owners, schema);
    }
    let found = typed::difference(&live_bare, &merged, schema);
    let changed = found.modified.union(&found.added);
    let mut conflicts = Vec::new();
    for owner in &mut owners {
        let taken = owner.fields.intersection(&changed);
        conflicts.extend(taken.iter().map(|path| Conflict {
            owner: owner.shown(),
            field: path.to_string(),
        }));
        owner.fields = owner.fields.difference(&taken).difference(&found.removed);
    }
    if !force && !conflicts.is_empty() {
        conflicts.sort_by(|a, b| a.owner.cmp(&b.owner));
        return Err(Conflicts(conflicts));
    }
    let time = match last {
        Some(last) if last.fields == set && changed.is_empty() && found.removed.is_empty() => {
            last.time
        }
        _ => author.time.to_owned(),
    };
    owners.push(Owner {
        manager: author.manager.to_owned(),
        operation: Operation::Apply,
        api_version: author.api_version.to_owned(),
        subresource: author.subresource.to_owned(),
        time,
        fields: set,
    });
    set_owners(&mut merged, owners);
    Ok(merged)
}

/// Takes out what this applier set the last time and not this time, and what nobody else owns.
fn pruned(
    merged: &Value,
    last: &Fields,
    set: &Fields,
    others: &[Owner],
    schema: Option<Schema>,
) -> Value {
    let named = |fields: &Fields| typed::with_named_fields(fields, schema);
    let last = named(last);
    let all = named(&typed::fields_of(merged, schema));
    let first = typed::without(merged, &last, schema);
    let owned = others
        .iter()
        .fold(set.clone(), |sum, owner| sum.union(&owner.fields));
    let kept = named(&typed::fields_of(&first, schema)).union(&named(&owned));
    let second = typed::without(merged, &all.difference(&kept), schema);
    let left = named(&typed::fields_of(&second, schema));
    typed::without(merged, &all.difference(&left).intersection(&last), schema)
}

fn owned(fields: &Fields) -> Fields {
    let unowned: Fields = UNOWNED.iter().map(|path| Path::of(path)).collect();
    fields.difference(&unowned)
}

/// The object without its record of owners, and without nulls.
fn bare(object: &Value) -> Value {
    let mut bare = without_nulls(object);
    if let Some(meta) = bare["metadata"].as_object_mut() {
        meta.remove("managedFields");
    }
    if bare["metadata"].is_null() {
        bare.as_object_mut().map(|fields| fields.remove("metadata"));
    }
    bare
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept: Map<String, Value> = fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect();
            Value::Object(kept)
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        scalar => scalar.clone(),
    }
}

fn message(conflicts: &[Conflict]) -> String {
    if let [one] = conflicts {
        return format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            one.owner, one.field
        );
    }
    let mut lines = Vec::new();
    let mut owner = "";
    for conflict in conflicts {
        if conflict.owner != owner {
            owner = &conflict.owner;
            lines.push(format!("conflicts with {owner}:"));
        }
        lines.push(format!("- {}", conflict.field));
    }
    format!(
        "Apply failed with {} conflicts: {}",
        conflicts.len(),
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merge::schema;

    fn author(manager: &str) -> Author<'_> {
        Author {
            manager,
            api_version: "v1",
            subresource: "",
            time: "2026-11-24T08:00:00Z",
        }
    }

    fn applied(
        live: &Value,
        manager: &str,
        config: &Value,
        force: bool,
    ) -> Result<Value, Conflicts> {
        let schema = schema::of("v1", "ConfigMap");
        apply(live, config, &author(manager), schema, force, |_| true)
    }

    fn map(data: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data})
    }

    #[test]
    fn labels_leave_with_their_owner_and_the_name_stays() {
        let mut first = map(json!({"a": "1"}));
        first["metadata"]["labels"] = json!({"l": "x"});
        let live = applied(&json!({}), "one", &first, false).unwrap();
        let left = applied(&live, "one", &map(json!({"a": "1"})), false).unwrap();
        assert_eq!(left["metadata"]["name"], "x");
        assert!(left["metadata"].get("labels").is_none(), "{left}");
    }

    #[test]
    fn a_conflict_names_the_owner_and_force_takes_over() {
        let live = applied(&json!({}), "one", &map(json!({"a": "1", "b": "1"})), false).unwrap();
        let shared = applied(&live, "two", &map(json!({"a": "1"})), false).unwrap();
        assert_eq!(owners(&shared).len(), 2, "the same value is shared");
        let refused = applied(&live, "two", &map(json!({"a": "2"})), false).unwrap_err();
        assert_eq!(
            refused.to_string(),
            r#"Apply failed with 1 conflict: conflict with "one": .data.a"#
        );
        let both = applied(&live, "two", &map(json!({"a": "2", "b": "2"})), false).unwrap_err();
        assert_eq!(
            both.to_string(),
            "Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.a\n- .data.b"
        );
        let taken = applied(&live, "two", &map(json!({"a": "2"})), true).unwrap();
        assert_eq!(taken["data"], json!({"a": "2", "b": "1"}));
        let of = |name: &str| {
            owners(&taken)
                .into_iter()
                .find(|owner| owner.manager == name)
                .unwrap()
                .fields
                .to_v1()
        };
        assert_eq!(of("one"), json!({"f:data": {"f:b": {}}}));
        assert_eq!(of("two"), json!({"f:data": {"f:a": {}}}));
    }

    #[test]
    fn updates_own_what_they_change() {
        let live = applied(&json!({}), "one", &map(json!({"a": "1"})), false).unwrap();
        let mut edited = live.clone();
        edited["data"] = json!({"a": "2", "c": "3"});
        let schema = schema::of("v1", "ConfigMap");
        let list = note_update(
            &live,
            &edited,
            owners(&live),
            &author("edit"),
            schema,
            |_| true,
        );
        set_owners(&mut edited, list);
        let refused = applied(&edited, "one", &map(json!({"a": "1"})), false).unwrap_err();
        assert_eq!(
            refused.to_string(),
            r#"Apply failed with 1 conflict: conflict with "edit" using v1: .data.a"#
        );
    }

    #[test]
    fn what_was_there_before_the_first_apply_has_an_owner() {
        let refused = applied(
            &map(json!({"a": "1"})),
            "one",
            &map(json!({"a": "2"})),
            false,
        )
        .unwrap_err();
        assert!(refused.to_string().contains("before-first-apply"));
    }

    fn data() -> impl Strategy<Value = Value> {
        prop::collection::btree_map("[a-d]", "[xy]", 0..4)
            .prop_map(|map| map.into_iter().map(|(k, v)| (k, Value::from(v))).collect())
    }

    proptest! {
        #[test]
        fn apply_is_idempotent(first in data(), second in data()) {
            let live = applied(&json!({}), "one", &map(first), false).unwrap();
            let once = applied(&live, "two", &map(second.clone()), true).unwrap();
            let twice = applied(&once, "two", &map(second), false).unwrap();
            prop_assert_eq!(once, twice);
        }

        #[test]
        fn an_owned_field_leaves_with_its_owner(first in data(), second in data(), other in data()) {
            let live = applied(&json!({}), "one", &map(first.clone()), false).unwrap();
            let live = applied(&live, "two", &map(other.clone()), true).unwrap();
            let live = applied(&live, "one", &map(second.clone()), true).unwrap();
            for key in ["a", "b", "c", "d"] {
                let expected = second.get(key).or_else(|| other.get(key));
                prop_assert_eq!(live["data"].get(key), expected, "{}", key);
            }
        }
    }
}
