//! The arguments: globals, subcommands, and a variable for every flag.

use super::{exit, output::Format};
use clap::builder::FalseyValueParser;
use clap::{Arg, ArgAction, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Develop llmctl on Kubernetes: overlays, executor settings and node runs in one terminal UI and CLI.
///
/// Without a subcommand the terminal UI opens on the Minikube profile. `llmctl-dev demo` opens it on a sandbox
/// inside this program: no cluster needed.
#[derive(Debug, Parser)]
#[command(name = "llmctl-dev", version, about, after_help = exit::help(), max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every subcommand.
#[derive(Args, Clone, Debug)]
pub struct Globals {
    /// Minikube profile to work on; its kubeconfig context has the same name [default: llmctl]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Kubeconfig context to work on instead; must look local or be allowed in config.toml
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "sandbox")]
    pub context: Option<String>,
    /// Kubeconfig file instead of $KUBECONFIG or ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Namespace of the executor Jobs [default: the setting `k8s_namespace` when set, else llmctl]
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Executor settings file instead of executor.toml in the configuration directory
    #[arg(long, global = true, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Directory with overlays instead of those inside the program
    #[arg(long, global = true, value_name = "DIR")]
    pub overlays: Option<PathBuf>,
    /// What standard output holds
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
    /// Run this command with /bin/sh when a run has ended or is about to be removed; what happened is in variables
    /// `LLMCTL_EVENT`, `LLMCTL_EVENT_RUN`, `LLMCTL_EVENT_VERDICT`, …
    #[arg(long, global = true, value_name = "COMMAND")]
    pub on_event: Option<String>,
    /// Draw with ASCII only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Write the program's own log to this file
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Say more; twice: debug
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Work on a fresh embedded sandbox that lives as long as the command
    #[arg(long, global = true)]
    pub sandbox: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// Where there is a terminal and `NO_COLOR` is not set.
    Auto,
    Always,
    Never,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the terminal UI on a sandbox inside this program: no cluster needed
    Demo(super::demo::Args),
    /// Start a sample run: one Kubernetes Job
    Run(super::run::Args),
    /// List, show and follow runs, past ones too
    Runs(super::runs::Args),
    /// Show, check and change the executor settings
    Settings(super::settings::Args),
    /// Render, compare and apply overlays
    Overlays(super::overlays::Args),
    /// Bring a Studio's old settings and run rows to the Kubernetes-only form, or back
    Migrate(super::migrate::Args),
    /// Find what is left of Compose and of the removed executors in a checkout
    Audit(super::audit::Args),
    /// Serve the embedded cluster to kubectl on a loopback port
    Sandbox(super::sandbox::Args),
    /// Run an executor payload (contract v1), as an executor image does
    Executor(super::executor::Args),
    /// Print shell completions
    Completions(super::generate::CompletionsArgs),
    /// Print the manual page
    Man,
}

/// Gives every flag of every subcommand its variable `LLMCTL_DEV_<FLAG>`.
pub fn with_variables(command: clap::Command) -> clap::Command {
    command
        .mut_args(with_variable)
        .mut_subcommands(with_variables)
}

fn with_variable(arg: Arg) -> Arg {
    let Some(long) = arg.get_long() else {
        return arg;
    };
    if matches!(long, "help" | "version") {
        return arg;
    }
    let name = format!("LLMCTL_DEV_{}", long.to_uppercase().replace('-', "_"));
    let arg = if matches!(arg.get_action(), ArgAction::SetTrue) {
        arg.value_parser(FalseyValueParser::new())
    } else {
        arg
    };
    arg.env(name).hide_env_values(true)
}
