//! What is wrong with a value: the key, the value (never a secret one), the rule, and where it was found.

use super::key::{Key, Kind};
use std::path::PathBuf;

/// The rule that a value broke. `Display` continues a sentence that began with the key and the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    NotANumber {
        min: u32,
        max: u32,
        unit: &'static str,
    },
    OutOfRange {
        min: u32,
        max: u32,
        unit: &'static str,
    },
    NotABoolean,
    NotKubernetes,
    APathAsIdentity,
    NotALabelValue,
    NotADnsLabel,
    NotADnsSubdomain,
    NotAnAbsolutePath,
    Image(ImageFault),
    NotATag,
    PullSecretsNotJson(String),
    PullSecretsNotAnArray,
    PullSecretName {
        at: usize,
    },
    /// The kubeconfig cannot be stored here.
    WriteOnly,
    /// A control character, which no setting can hold.
    ControlCharacter,
    /// The file says it in a TOML type that the key does not have.
    WrongType {
        wanted: &'static str,
        found: &'static str,
    },
    /// No key of that name; carries the one that was probably meant.
    UnknownKey(Option<Key>),
    /// The file is no TOML; carries the parser's reason.
    Syntax(String),
}

/// What is wrong with an image reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFault {
    Space,
    Digest,
    NoRepository,
    EmptySegment,
    /// A registry accepts lower case only.
    UpperCase,
    Character,
    Tag,
    /// A colon with no tag behind it.
    TrailingColon,
}

impl std::fmt::Display for ImageFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Space => "an image reference has no white space",
            Self::Digest => "after the @ must come sha256: and 64 lower-case hex digits",
            Self::NoRepository => "the repository is missing",
            Self::EmptySegment => "the repository must not begin or end with / nor contain //",
            Self::UpperCase => "the repository must be lower case: a container runtime refuses anything else",
            Self::Character => "the repository may hold a-z, 0-9, and . _ - between them, and a registry with a port",
            Self::Tag => "the tag must begin with a letter, a digit or _, and hold at most 128 of A-Z a-z 0-9 _ . -",
            Self::TrailingColon => "a colon with no tag behind it: a container runtime refuses it",
        })
    }
}

impl Broken {
    /// The rule as a word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotANumber { .. } => "not_a_number",
            Self::OutOfRange { .. } => "out_of_range",
            Self::NotABoolean => "not_a_boolean",
            Self::NotKubernetes => "provider_not_kubernetes",
            Self::APathAsIdentity => "identity_is_a_path",
            Self::NotALabelValue => "not_a_label_value",
            Self::NotADnsLabel => "not_a_dns_label",
            Self::NotADnsSubdomain => "not_a_dns_subdomain",
            Self::NotAnAbsolutePath => "not_an_absolute_path",
            Self::Image(_) => "image_reference",
            Self::NotATag => "image_tag",
            Self::PullSecretsNotJson(_) => "pull_secrets_not_json",
            Self::PullSecretsNotAnArray => "pull_secrets_not_an_array",
            Self::PullSecretName { .. } => "pull_secret_name",
            Self::WriteOnly => "write_only",
            Self::ControlCharacter => "control_character",
            Self::WrongType { .. } => "wrong_type",
            Self::UnknownKey(_) => "unknown_key",
            Self::Syntax(_) => "syntax",
        }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |unit: &str| match unit {
            "s" => " of seconds",
            _ => "",
        };
        match self {
            Self::NotANumber { min, max, unit } => {
                write!(f, "must be a whole number{} from {min} to {max}", of(unit))
            }
            Self::OutOfRange { min, max, unit } => {
                write!(f, "out of range: must be a whole number{} from {min} to {max}", of(unit))
            }
            Self::NotABoolean => f.write_str("must be one of 1 true yes on, or 0 false no off"),
            Self::NotKubernetes => f.write_str("Kubernetes is the only provider: write kubernetes"),
            Self::APathAsIdentity => f.write_str("must be a stable key and no path: no /, \\ or ://"),
            Self::NotALabelValue => f.write_str(
                "becomes a Kubernetes label: at most 63 of A-Z a-z 0-9 _ . -, beginning and ending with a letter or digit",
            ),
            Self::NotADnsLabel => f.write_str(
                "must be a DNS label: at most 63 of a-z 0-9 -, beginning and ending with a letter or digit",
            ),
            Self::NotADnsSubdomain => f.write_str(
                "must be a DNS subdomain: at most 253 of a-z 0-9 - and ., each part beginning and ending with a letter or digit",
            ),
            Self::NotAnAbsolutePath => f.write_str("must be an absolute path without .."),
            Self::Image(fault) => fault.fmt(f),
            Self::NotATag => ImageFault::Tag.fmt(f),
            Self::PullSecretsNotJson(reason) => write!(f, "must be blank or a JSON array: {reason}"),
            Self::PullSecretsNotAnArray => f.write_str("must be a JSON array of Secret names"),
            Self::PullSecretName { at } => write!(
                f,
                "item {at} must be the name of a Secret (a DNS subdomain), as a text or as {{\"name\": …}}",
            ),
            Self::WriteOnly => f.write_str(
                "is a secret, write-only, and never kept in a file: leave it out (it belongs encrypted in Studio's database; llmctl-dev uses your kubeconfig's context)",
            ),
            Self::ControlCharacter => f.write_str("must not hold control characters"),
            Self::WrongType { wanted, found } => write!(f, "must be {wanted}, and is {found}"),
            Self::UnknownKey(Some(key)) => write!(f, "is no setting; did you mean {key}?"),
            Self::UnknownKey(None) => {
                f.write_str("is no setting; `llmctl-dev settings show` lists them all")
            }
            Self::Syntax(reason) => write!(f, "is not valid TOML: {reason}"),
        }
    }
}

/// Where a value was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// In the form or on the command line.
    #[default]
    Typed,
    File {
        path: PathBuf,
        line: usize,
        column: usize,
    },
    /// In an environment variable.
    Environment,
    /// In a store outside of this machine, named for messages.
    Stored { name: Box<str> },
}

/// A value that a rule refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, or what stands in its place: an unknown name, or empty for the file as a whole.
    pub name: Box<str>,
    pub key: Option<Key>,
    /// The value as written, cut short; `None` for a secret and where there is none.
    pub value: Option<Box<str>>,
    pub broken: Broken,
    pub place: Place,
}

impl Problem {
    /// A value of `key` that was typed.
    pub fn of(key: Key, text: &str, broken: Broken) -> Self {
        let shown = key.facts().kind != Kind::Secret;
        Self {
            name: key.name().into(),
            key: Some(key),
            value: shown.then(|| shorten(text).into()),
            broken,
            place: Place::Typed,
        }
    }

    /// A name that is no key.
    pub fn unknown(name: &str) -> Self {
        Self {
            name: name.into(),
            key: None,
            value: None,
            broken: Broken::UnknownKey(Key::nearest(name)),
            place: Place::Typed,
        }
    }

    /// The same problem, found at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.place, self.key.and_then(Key::variable)) {
            (Place::Environment, Some(variable)) => f.write_str(&variable)?,
            (Place::File { path, line, column }, _) => {
                write!(f, "{}:{line}:{column}: {}", path.display(), self.name)?;
            }
            (Place::Stored { name }, _) => write!(f, "{name}: {}", self.name)?,
            _ => f.write_str(&self.name)?,
        }
        match &self.value {
            Some(value) if self.is_bare() => write!(f, " = {value}: {}", self.broken),
            Some(value) => write!(f, " = {value:?}: {}", self.broken),
            None if self.name.is_empty() => self.broken.fmt(f),
            None => write!(f, " {}", self.broken),
        }
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// The value reads as well without quotes, as a number is written.
    fn is_bare(&self) -> bool {
        let is_typed = matches!(
            self.key.map(|key| key.facts().kind),
            Some(Kind::Whole { .. } | Kind::Flag)
        );
        let plain = |value: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "+-_.".contains(c);
            !value.is_empty() && value.chars().all(fits)
        };
        is_typed && self.value.as_deref().is_some_and(plain)
    }
}

/// Enough of a value to recognise it.
fn shorten(text: &str) -> String {
    const KEPT: usize = 80;
    match text.char_indices().nth(KEPT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_in_no_message() {
        let problem = Problem::of(Key::K8sKubeconfig, "tOp-s3cret", Broken::WriteOnly);
        assert!(!format!("{problem} {problem:?}").contains("s3cret"));
    }

    #[test]
    fn a_message_names_place_key_value_and_rule() {
        let broken = Broken::OutOfRange {
            min: 60,
            max: 86_400,
            unit: "s",
        };
        let problem = Problem::of(Key::K8sJobTtlSeconds, "30", broken);
        assert_eq!(
            problem.to_string(),
            "k8s_job_ttl_seconds = 30: out of range: must be a whole number of seconds from 60 to 86400"
        );
        assert!(
            problem
                .clone()
                .at(Place::Environment)
                .to_string()
                .starts_with("LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS = 30")
        );
        let place = Place::File {
            path: "executor.toml".into(),
            line: 3,
            column: 23,
        };
        assert!(
            problem
                .at(place)
                .to_string()
                .starts_with("executor.toml:3:23: k8s_job")
        );
    }

    #[test]
    fn a_mistyped_key_is_guessed() {
        for (typed, meant) in [
            ("k8s_job_ttl_second", Some(Key::K8sJobTtlSeconds)),
            ("K8S-JOB-TTL-SECONDS", Some(Key::K8sJobTtlSeconds)),
            ("ttl", Some(Key::K8sJobTtlSeconds)),
            ("k8s_namespce", Some(Key::K8sNamespace)),
            ("docker_host", None),
            ("zzz", None),
        ] {
            assert_eq!(
                Problem::unknown(typed).broken,
                Broken::UnknownKey(meant),
                "{typed}"
            );
        }
    }
}
