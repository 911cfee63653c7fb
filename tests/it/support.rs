//! What the integration tests share.
#![allow(
    dead_code,
    reason = "the command-line stories that use the rest come next"
)]

pub(crate) mod fake_api;
pub(crate) mod home;
pub(crate) mod processes;
pub(crate) mod real;
pub(crate) mod terminal;
