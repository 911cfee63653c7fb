//! The one integration binary: the real program, the real loop, real files and, where there is one, a real cluster.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::too_many_lines,
    clippy::format_collect,
    reason = "a test says what went wrong by panicking, and tells its story in one piece"
)]

mod audit;
mod burst;
mod cli;
mod cluster_edge;
mod conformance;
mod cut;
mod dispatch;
mod endings;
mod executor;
mod following;
mod history;
mod kubectl;
mod left_over;
mod migration;
mod minikube_edge;
mod overlays;
mod postgres;
mod real_cluster;
mod real_minikube;
mod sandbox_api;
mod sandbox_docs;
mod sandbox_faults;
mod sandbox_fuzz;
mod sandbox_node;
mod settings;
mod story;
mod studio;
mod support;
mod terminal;
mod tidy;
mod weaknesses;
