//! `llmctl-dev`: develop llmctl on Kubernetes from one terminal UI and one CLI.
//!
//! # The map
//! ```text
//! domain <- app <- ui <- tui      domain <- every edge      app, edges, sandbox <- runtime <- tui, cli
//! ```
//! | module | holds | may use |
//! |---|---|---|
//! | [`domain`] | plain types and every rule | serde, serde_json, jiff, sha1 |
//! | [`app`] | `State`, `Msg`, `Effect`, `update`: one slice per noun | `domain` |
//! | [`ui`] | `view(&State, …)`, the key table, every style | `domain`, `app` |
//! | [`tui`] | the loop: message, update, effects, draw when idle | `app`, `ui`, `runtime` |
//! | [`cli`] | clap types, one file per subcommand, text and JSON | `domain`, edges, `runtime`, `tui` |
//! | [`runtime`] | `World`: the open edges; performs effects; the only spawner of tasks | `app`, edges, `sandbox` |
//! | [`cluster`] | Kubernetes; the only place with kube and k8s-openapi | `domain` |
//! | [`minikube`] | the `minikube` program | `domain` |
//! | [`docker`] | the Docker Engine of this machine, read only: what Compose left | `domain` |
//! | [`files`] | the disk; the only place with notify and toml_edit | `domain`, `merge` |
//! | [`database`] | a Studio's PostgreSQL and SQLite, and what it encrypts; the only place with SQL | `domain` |
//! | [`executor`] | the executor contract v1, as an image runs it | nothing of this crate |
//! | [`merge`] | Kubernetes' ways to merge JSON documents, pure | nothing of this crate |
//! | [`sandbox`] | the embedded cluster | `executor`, `merge` |
//! | [`sanitize`] | makes text from a cluster or a log harmless to a terminal, pure | nothing of this crate |
//!
//! # Invariants
//! - `update` is synchronous and total; it knows no clock, no IO and no randomness. Every `Effect` carries all its inputs and is answered by one `Msg`.
//! - A write goes to the one target that the header names; the target never changes under a running program.
//! - Kubernetes is the only provider. Nothing here falls back to another way of running.
//! - Text that a cluster or a log sent reaches a terminal only through [`sanitize`].
//!
//! `tests/it/tidy.rs` reads the `use` lines and holds the directions.

pub mod domain;

pub mod app;
pub mod cli;
pub mod tui;
pub mod ui;

pub mod cluster;
pub mod database;
pub mod docker;
pub mod executor;
pub mod files;
pub mod merge;
pub mod minikube;
pub mod runtime;
pub mod sandbox;
pub mod sanitize;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program with its arguments (the first is the program's name) and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    cli::run(args)
}
