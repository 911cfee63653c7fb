//! Settings rows: which go, which change and which stay (contract 3.7, for every set of keys in 3.2).

use super::studio::{self, Standing};
use crate::domain::settings::images::Parts;
use crate::domain::settings::key::{Key, Kind};
use crate::domain::settings::legacy::{REMOVED_KEYS, SINGLE_IMAGE_KEYS};
use crate::domain::settings::rules::is_tag;
use serde_json::{Value, json};

/// A stored row of the executor's settings.
#[derive(Clone, PartialEq, Eq)]
pub struct SettingRow {
    pub id: i64,
    pub key: String,
    pub value: String,
}

impl std::fmt::Debug for SettingRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SettingRow({} {}={})", self.id, self.key, self.shown())
    }
}

impl SettingRow {
    /// The value as it may be shown: the kubeconfig never is.
    pub fn shown(&self) -> String {
        shown(&self.key, &self.value)
    }
}

/// What a look at the stored kubeconfig said (contract 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// Encrypted, and readable with the given secret.
    Readable,
    /// Encrypted with the secret that everybody knows (W46).
    WithTheDefault,
    /// Encrypted, and not readable with the given secret: wrong secret or damaged.
    Unreadable,
    /// In clear, and Studio's secret is known.
    InClear,
    /// In clear, and nobody said what Studio's secret is.
    InClearNoSecret,
}

/// What becomes of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Delete,
    /// The row gets this key and value; it stays the same row.
    Becomes {
        key: String,
        value: String,
    },
    /// The value is encrypted as it is.
    Encrypt,
}

/// A change of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChange {
    pub row: SettingRow,
    pub fate: Fate,
    pub why: String,
}

impl SettingChange {
    /// The change in one line.
    pub fn text(&self) -> String {
        let before = format!("{} = {:?}", self.row.key, self.row.shown());
        match &self.fate {
            Fate::Delete => format!("{before} → deleted"),
            Fate::Encrypt => format!("{} → encrypted", self.row.key),
            Fate::Becomes { key, value } if *key == self.row.key => {
                format!("{before} → {:?}", shown(key, value))
            }
            Fate::Becomes { key, value } => format!("{before} → {key} = {:?}", shown(key, value)),
        }
    }

    /// The change as a document.
    pub fn document(&self) -> Value {
        let (action, after) = match &self.fate {
            Fate::Delete => ("delete", Value::Null),
            Fate::Encrypt => ("encrypt", Value::Null),
            Fate::Becomes { key, value } => {
                ("change", json!({"key": key, "value": shown(key, value)}))
            }
        };
        json!({
            "id": self.row.id, "key": self.row.key, "before": self.row.shown(),
            "action": action, "after": after, "why": self.why,
        })
    }
}

/// A row that stays as it is and is worth a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub key: String,
    pub why: String,
    /// Only a person can settle it.
    pub needs_person: bool,
}

/// What the migration does to the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsPlan {
    pub changes: Vec<SettingChange>,
    pub kept: Vec<Kept>,
}

/// Default of the one image there was before there were two.
const SINGLE_IMAGE: &str = "llmctl-executor:latest";
const OLD_DISPATCH_TIMEOUT: &str = "60";

/// Plans the rows of the executor's settings. `sealed` is the look at the kubeconfig, when there is one.
pub fn plan(
    rows: &[SettingRow],
    sealed: Option<Sealed>,
    raise_dispatch_timeout: bool,
) -> SettingsPlan {
    let mut plan = SettingsPlan::default();
    let images = Images::of(rows);
    images.plan(&mut plan);
    for row in rows {
        if REMOVED_KEYS.contains(&row.key.as_str()) {
            plan.change(row, Fate::Delete, "belonged to the executors that are gone");
            continue;
        }
        if images.owns(row) {
            continue;
        }
        match Key::of_name(&row.key).filter(|key| key.is_studio_row()) {
            None => plan.keep(row, "no key of the executor; kept as it is", false),
            Some(key) if key.facts().kind == Kind::Secret => plan.kubeconfig(row, sealed),
            Some(key) => plan.value(row, key, rows, raise_dispatch_timeout),
        }
    }
    plan.changes.sort_by_key(|change| change.row.id);
    plan
}

impl SettingsPlan {
    /// Rows that it deletes.
    pub fn deleted(&self) -> usize {
        let changes = self.changes.iter();
        changes.filter(|change| change.fate == Fate::Delete).count()
    }

    fn change(&mut self, row: &SettingRow, fate: Fate, why: &str) {
        self.changes.push(SettingChange {
            row: row.clone(),
            fate,
            why: why.to_owned(),
        });
    }

    fn keep(&mut self, row: &SettingRow, why: &str, needs_person: bool) {
        self.kept.push(Kept {
            key: row.key.clone(),
            why: why.to_owned(),
            needs_person,
        });
    }

    fn kubeconfig(&mut self, row: &SettingRow, sealed: Option<Sealed>) {
        match sealed {
            None | Some(Sealed::Readable) => {
                self.keep(row, "encrypted; kept byte for byte", false);
            }
            Some(Sealed::WithTheDefault) => self.keep(
                row,
                "encrypted, but with the secret `dev` that everybody knows: set FLASK_SECRET_KEY for Studio and store it again",
                true,
            ),
            Some(Sealed::Unreadable) => self.keep(
                row,
                "cannot be decrypted with the given secret (it was changed, or the value is damaged); kept byte for byte. Studio deletes it when it saves settings: give Studio the old FLASK_SECRET_KEY, or store a new kubeconfig",
                true,
            ),
            Some(Sealed::InClear) => self.change(row, Fate::Encrypt, "was stored in clear"),
            Some(Sealed::InClearNoSecret) => self.keep(
                row,
                "is stored in clear; kept, since Studio's secret is not known: set FLASK_SECRET_KEY to the one that Studio has, and plan again",
                true,
            ),
        }
    }

    fn value(&mut self, row: &SettingRow, key: Key, rows: &[SettingRow], raise: bool) {
        let image = match key {
            Key::K8sFrontierImageTag => value_of(rows, Key::K8sFrontierImage.name()),
            Key::K8sVllmImageTag => value_of(rows, Key::K8sVllmImage.name()),
            _ => None,
        };
        let becomes = |value: String| Fate::Becomes {
            key: row.key.clone(),
            value,
        };
        match studio::standing(key, &row.value, image) {
            Standing::Right
                if key == Key::DispatchTimeoutSeconds && row.value == OLD_DISPATCH_TIMEOUT =>
            {
                let default = key.default().map(|value| value.text()).unwrap_or_default();
                if raise {
                    let why = "the old default, raised to today's as asked";
                    self.change(row, becomes(default), why);
                } else {
                    let why = format!(
                        "is 60, the default before 2026-02-17; today's is {default}: --raise-dispatch-timeout raises it, or t in the Checks pane"
                    );
                    self.keep(row, &why, true);
                }
            }
            Standing::Right => {}
            Standing::Reads(read) => {
                let why = if key == Key::Provider {
                    "Kubernetes is the only provider"
                } else {
                    "Studio reads the stored text as this value"
                };
                self.change(row, becomes(read), why);
            }
            Standing::Doubtful(reason) => {
                self.keep(row, &format!("kept as it is, but: {reason}"), true);
            }
        }
    }
}

/// The one image of old, and the frontier image that takes its place (W38).
struct Images<'a> {
    image: Option<&'a SettingRow>,
    tag: Option<&'a SettingRow>,
    frontier: Option<&'a SettingRow>,
    frontier_tag: Option<&'a SettingRow>,
}

impl<'a> Images<'a> {
    fn of(rows: &'a [SettingRow]) -> Self {
        let row = |name: &str| rows.iter().find(|row| row.key == name);
        Self {
            image: row(SINGLE_IMAGE_KEYS[0]),
            tag: row(SINGLE_IMAGE_KEYS[1]),
            frontier: row(Key::K8sFrontierImage.name()),
            frontier_tag: row(Key::K8sFrontierImageTag.name()),
        }
    }

    /// The image and tag of old that somebody chose; `None` when they are the defaults, blank or unusable.
    fn chosen(&self) -> Option<(&'a SettingRow, &'a str)> {
        let image = self.image?;
        let text = image.value.trim();
        let tag = self.tag.map_or("", |row| row.value.trim());
        let usable = !text.is_empty() && studio::studio_takes_image(Key::K8sFrontierImage, text);
        let tag = if is_tag(tag) { tag } else { "" };
        let custom = text != SINGLE_IMAGE || !(tag.is_empty() || tag == "latest");
        (usable && custom).then_some((image, tag))
    }

    /// Nobody chose a frontier image: it is absent, blank or the default.
    fn frontier_is_free(&self) -> bool {
        let default = Key::K8sFrontierImage.default().map(|value| value.text());
        let blank_or = |row: Option<&SettingRow>, text: &str| {
            row.is_none_or(|row| row.value.trim().is_empty() || row.value.trim() == text)
        };
        blank_or(self.frontier, &default.unwrap_or_default())
            && blank_or(self.frontier_tag, "latest")
    }

    fn carries(&self) -> bool {
        self.chosen().is_some() && self.frontier_is_free()
    }

    /// The row is planned here and not by its key's own rule.
    fn owns(&self, row: &SettingRow) -> bool {
        SINGLE_IMAGE_KEYS.contains(&row.key.as_str())
            || (self.carries()
                && [self.frontier, self.frontier_tag]
                    .iter()
                    .flatten()
                    .any(|own| own.id == row.id))
    }

    fn plan(&self, plan: &mut SettingsPlan) {
        let Some((image, tag)) = self.chosen().filter(|_| self.frontier_is_free()) else {
            let why = if self.chosen().is_some() {
                "a frontier image was chosen already, and holds"
            } else {
                "was not customised, or is no image; there are two images now"
            };
            for row in [self.image, self.tag].into_iter().flatten() {
                plan.change(row, Fate::Delete, why);
            }
            return;
        };
        let why = "the customised image becomes the frontier image";
        let reference = image.value.trim();
        let name = Key::K8sFrontierImage.name();
        // The row keeps its id where it can: it is the same choice under a new name.
        match self.frontier {
            None => plan.change(image, becomes(name, reference), why),
            Some(row) => {
                if row.value != reference {
                    plan.change(row, becomes(name, reference), why);
                }
                plan.change(image, Fate::Delete, why);
            }
        }
        self.plan_tag(plan, reference, tag);
    }

    /// A frontier tag of `latest` that a start of Studio froze into a row (W39) would hide the tag of the image that was
    /// carried over.
    fn plan_tag(&self, plan: &mut SettingsPlan, reference: &str, tag: &str) {
        let parts = Parts::of(reference);
        let own = parts.tag.filter(|own| is_tag(own));
        let name = Key::K8sFrontierImageTag.name();
        let why = "the tag of the customised image";
        match (self.frontier_tag, self.tag) {
            (None, Some(old)) if !tag.is_empty() => plan.change(old, becomes(name, tag), why),
            (None, Some(old)) => plan.change(old, Fate::Delete, "blank: the image has its own tag"),
            (None, None) => {}
            (Some(row), old) => {
                let wanted = if tag.is_empty() { own } else { Some(tag) };
                match wanted {
                    Some(wanted) if row.value != wanted => {
                        plan.change(row, becomes(name, wanted), why);
                    }
                    None if parts.digest.is_some() => plan.change(
                        row,
                        Fate::Delete,
                        "the image is pinned by digest, a tag has no place beside it",
                    ),
                    _ => {}
                }
                if let Some(old) = old {
                    plan.change(old, Fate::Delete, why);
                }
            }
        }
        if let (Some(_), Some(image)) = (parts.digest, self.image) {
            plan.keep(
                image,
                "is pinned by digest: Studio's dispatcher drops the digest and runs the tag",
                true,
            );
        }
    }
}

fn becomes(key: &str, value: &str) -> Fate {
    Fate::Becomes {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn value_of<'a>(rows: &'a [SettingRow], key: &str) -> Option<&'a str> {
    let row = rows.iter().find(|row| row.key == key)?;
    Some(row.value.as_str())
}

fn shown(key: &str, value: &str) -> String {
    if Key::of_name(key).is_some_and(Key::is_secret) {
        return if value.starts_with("enc:v1:") {
            "(encrypted)".into()
        } else {
            "(hidden)".into()
        };
    }
    // What an environment given to containers holds may well be a credential.
    if key == "docker_env_json" {
        return "(hidden)".into();
    }
    value.to_owned()
}

#[cfg(test)]
mod tests;
