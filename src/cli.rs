//! The command line: clap types, one file per subcommand, text or JSON on standard output, progress on standard error.

pub mod args;
pub mod audit;
pub mod demo;
pub mod executor;
pub mod exit;
pub mod generate;
pub mod headless;
pub mod migrate;
pub mod output;
pub mod overlays;
pub mod run;
pub mod runs;
pub mod sandbox;
pub mod session;
pub mod settings;
pub mod studio;

use args::{Cli, Command, Globals};
use clap::{CommandFactory as _, FromArgMatches as _};
use exit::{Exit, Failure};
use std::ffi::OsString;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::timeout;

/// Parses the arguments, runs what they ask for and returns the exit code (the table is [`Exit`]).
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => {
            // A closed pipe behind --help is no error of ours.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Ok.into()
            };
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return Exit::Usage.into();
        }
    };
    match dispatch(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::complain(&failure.message);
            failure.exit.into()
        }
    }
}

/// The whole command with a variable for every flag.
pub fn command() -> clap::Command {
    args::with_variables(Cli::command())
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let Cli { globals, command } = cli;
    // What needs no cluster and no terminal comes first: the executor must start fast, as process 1 of a pod.
    match command {
        Some(Command::Executor(args)) => return Ok(Exit::Process(executor::run(args))),
        Some(Command::Completions(args)) => return generate::completions(&args),
        Some(Command::Man) => return generate::man(),
        _ => {}
    }
    install_reports()?;
    let _log = output::logging(&globals)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("cannot start the async runtime: {error}")))?;
    runtime.block_on(perform(globals, command))
}

/// A command that got a signal has so long to end in order by itself.
const LAST_WORDS: Duration = Duration::from_secs(3);

async fn perform(globals: Globals, command: Option<Command>) -> Result<Exit, Failure> {
    let ends_by_itself = matches!(command, None | Some(Command::Demo(_) | Command::Sandbox(_)));
    // It holds what every command holds, and the stack is no place for that.
    let work = Box::pin(work(globals, command));
    if ends_by_itself {
        return work.await;
    }
    // Wherever the command is, what it opened is closed: a sandbox takes its runs and its directory along.
    let mut signals = headless::caught()?;
    let mut work = pin!(work);
    tokio::select! {
        ended = &mut work => ended,
        () = signals.any() => timeout(LAST_WORDS, work).await.unwrap_or(Ok(Exit::Interrupted)),
    }
}

async fn work(globals: Globals, command: Option<Command>) -> Result<Exit, Failure> {
    match command {
        None => demo::bare(&globals).await,
        Some(Command::Demo(args)) => demo::demo(&globals, args).await,
        Some(Command::Run(args)) => Box::pin(run::run(&globals, args)).await,
        Some(Command::Runs(args)) => runs::run(&globals, args).await,
        Some(Command::Settings(args)) => Box::pin(settings::run(&globals, args)).await,
        Some(Command::Migrate(args)) => migrate::run(&globals, args).await,
        Some(Command::Overlays(args)) => overlays::run(&globals, args).await,
        Some(Command::Audit(args)) => audit::run(&globals, args).await,
        Some(Command::Sandbox(args)) => sandbox::run(&globals, args).await,
        Some(Command::Executor(_) | Command::Completions(_) | Command::Man) => Ok(Exit::Ok),
    }
}

/// Panic reports in colour where there is a terminal; installed before the terminal is taken over, so that it is
/// given back before the report is printed.
fn install_reports() -> Result<(), Failure> {
    let mut hook = color_eyre::config::HookBuilder::default().display_env_section(false);
    if !output::wants_colour(&std::io::stderr()) {
        hook = hook.theme(color_eyre::config::Theme::new());
    }
    hook.install()
        .map_err(|error| Failure::other(format!("cannot install the panic report: {error}")))
}
