//! The embedded cluster: an in-process Kubernetes API.

pub mod clock;
pub mod kinds;
pub mod status;
pub mod store;
