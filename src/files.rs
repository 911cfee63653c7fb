//! The disk: the only place with notify and toml_edit.

pub mod paths;
pub mod samples;
pub mod watch;
