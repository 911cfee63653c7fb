//! Kubernetes' ways to merge JSON documents: pure.

pub mod apply;
pub mod fields;
pub mod json;
pub mod patch;
pub mod printed;
pub mod schema;
pub mod strategic;
pub mod typed;
