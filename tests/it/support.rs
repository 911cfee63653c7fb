//! What the integration tests share.

pub(crate) mod fake_api;
pub(crate) mod ground;
pub(crate) mod home;
pub(crate) mod postgres;
pub(crate) mod processes;
pub(crate) mod real;
pub(crate) mod terminal;
pub(crate) mod wire;
