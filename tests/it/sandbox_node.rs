//! The sandbox's controllers and node: pods are real processes, time is tokio's, and the real cluster's recordings are the measure.

mod bench;
mod garbage;
mod lives;
mod processes;
mod story;
mod waiting;
mod workloads;
