//! Kubernetes' ways to merge JSON documents: pure.

pub mod json;
pub mod patch;
pub mod schema;
pub mod strategic;
