//! The time bar of a run.
