//! The executor contract v1, as an image runs it.
