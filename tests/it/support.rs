//! What the integration tests share.

pub(crate) mod fake_api;
pub(crate) mod real;
