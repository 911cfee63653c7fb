//! The lenient rules by which Studio itself reads a stored value (contract 3.3). The migration rewrites only what Studio
//! would replace anyway; what Studio takes and Kubernetes refuses later is a person's to settle.

use crate::domain::settings::images::Parts;
use crate::domain::settings::key::{Key, Kind};
use crate::domain::settings::legacy;
use crate::domain::settings::problem::{Broken, ImageFault};

/// How a stored value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Right as it is.
    Right,
    /// Studio reads it as this text.
    Reads(String),
    /// Studio takes it, and it breaks something later; or Studio cannot start with it. The reason.
    Doubtful(String),
}

/// How Studio reads the stored text of a key that is not the kubeconfig. `image` is the image that a tag belongs to.
pub fn standing(key: Key, text: &str, image: Option<&str>) -> Standing {
    match key.facts().kind {
        Kind::Choice(_) => exactly(text, "kubernetes".into()),
        Kind::Whole { .. } | Kind::Flag => match legacy::normalise(key, text) {
            Some(normal) => exactly(text, normal.value.text()),
            None => Standing::Right,
        },
        Kind::Identity if !is_identity(text.trim()) => exactly(text, "default".into()),
        Kind::Image if !studio_takes_image(key, text) => exactly(
            text,
            key.default().map(|value| value.text()).unwrap_or_default(),
        ),
        Kind::Tag if text.trim().is_empty() => Standing::Right,
        Kind::Tag if key.parse(text).is_err() => {
            let own = image.and_then(|image| Parts::of(image).tag);
            let tag = own.filter(|tag| !tag.is_empty()).unwrap_or("latest");
            exactly(text, tag.to_owned())
        }
        _ => match key.parse(text) {
            Ok(_) => Standing::Right,
            Err(problem) => Standing::Doubtful(problem.broken.to_string()),
        },
    }
}

fn exactly(text: &str, read: String) -> Standing {
    if text == read {
        Standing::Right
    } else {
        Standing::Reads(read)
    }
}

/// Studio's pattern of an identity, which is wider than a label's.
fn is_identity(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 128
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b))
}

/// Studio's rule of an image reference: it looks at white space, digest, empty segments and the tag only.
pub fn studio_takes_image(key: Key, text: &str) -> bool {
    match key.parse(text) {
        Ok(_) => true,
        Err(problem) => !matches!(
            problem.broken,
            Broken::Image(
                ImageFault::Space
                    | ImageFault::Digest
                    | ImageFault::NoRepository
                    | ImageFault::EmptySegment
                    | ImageFault::Tag
            )
        ),
    }
}
