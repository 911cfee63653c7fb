//! The disk: the only place with notify and toml_edit.

pub mod atomic;
pub mod audit;
pub mod backup;
pub mod config;
pub mod history;
pub mod kustomize;
pub mod located;
pub mod overlays;
pub mod paths;
pub mod payload;
pub mod samples;
pub mod settings;
pub mod watch;
