//! `llmctl-dev`: develop llmctl on Kubernetes from one terminal UI and one CLI.
//!
//! # The map
//! ```text
//! domain <- app <- ui <- tui      domain <- every edge      app, edges, sandbox <- runtime <- tui, cli
//! ```
//! | module | holds | may use |
//! |---|---|---|
//! | [`domain`] | plain types and every rule | serde, serde_json, jiff, sha1, similar (a pure algorithm) |
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
//! # The hard cut
//! What the removal of every other way of running asks of this program (contract 1.3), and the test that holds it:
//!
//! | requirement | held by |
//! |---|---|
//! | R2.1 one provider | `another_provider_is_refused_at_every_entry` |
//! | R2.2 no route but one, in no type, screen, help or document | `legacy_words_stay_with_the_migration_and_the_audit`, `help_and_documents_offer_one_way` |
//! | R2.3 metadata says kubernetes | `rows_of_old_become_kubernetes_rows` |
//! | R3.1 a run is one Job | `the_full_job_is_the_golden_one_but_for_the_improvements`, `w5_a_run_costs_two_creates_and_one_log_stream_and_nothing_is_polled` |
//! | R3.2 a failure stops there | `a_failure_is_told_and_stops_there`, `a_run_that_the_cluster_refuses_leaves_nothing` |
//! | R3.3 a time to live on every Job, and its end seen | `a_ttl_of_a_minute_removes_the_next_run_and_leaves_its_log` |
//! | R3.4 the namespace of Studio | `what_a_run_leaves_says_kubernetes_and_nothing_else` |
//! | R4.1 settings of Kubernetes only | `the_settings_are_those_of_kubernetes` |
//! | R4.2 another provider is an error at every entry | `another_provider_is_refused_at_every_entry`, `flags_toggle_and_choices_and_secrets_say_why_not` |
//! | R5.1 stored settings are rewritten | `the_ten_keys_go_and_their_secrets_are_not_shown`, `every_recorded_table_of_settings_becomes_what_is_stated` |
//! | R5.2 new rows have values of Kubernetes, old ones stay readable | `every_migrated_row_of_old_keeps_to_the_strict_form`, `the_recorded_database_migrates_once_and_comes_back_exactly` |
//! | R5.3 a dispatch id begins with `kubernetes:` | `what_a_run_leaves_says_kubernetes_and_nothing_else` |
//! | R5.4 a second migration changes nothing, and one that broke off neither | `any_table_of_old`, `a_connection_cut_at_any_statement_leaves_the_database_as_it_was` |
//! | R6.1 overlays on Minikube are the only deployment | `help_and_documents_offer_one_way` |
//! | R6.2 building images stays | `the_samples_of_the_contract` |
//! | R7.1 the tests hold all of this | `the_table_of_the_cut_names_tests_that_exist` |
//! | R8.1 documents describe Kubernetes only | `help_and_documents_offer_one_way` |
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
