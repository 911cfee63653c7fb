//! `settings kubeconfig`: the one setting that is written and never read back. Only its fingerprint and time are shown.

use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Format};
use crate::cli::session::Setup;
use crate::cli::studio::{Door, Reach};
use crate::cluster::kubeconfig::{self, Minimal};
use crate::database::crypto;
use crate::database::settings::Sealed;
use crate::domain::hidden::Hidden;
use crate::domain::settings::kubeconfig::Stored;
use crate::runtime::studio::SECRET_VARIABLE;
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// More than any kubeconfig of one context.
const MOST: u64 = 1024 * 1024;

/// Arguments of `settings kubeconfig`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell whether one is stored, its fingerprint and when it was stored; never the text
    Show {
        #[command(flatten)]
        reach: Reach,
    },
    /// Store the kubeconfig of a file, encrypted; it must be complete in itself
    Set {
        /// The file, or - for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        write: Write,
    },
    /// Store a complete, minimal kubeconfig made of the Minikube profile (or of --context)
    FromProfile {
        #[command(flatten)]
        write: Write,
    },
    /// Take the stored one out
    Clear {
        #[command(flatten)]
        write: Write,
    },
}

#[derive(Debug, clap::Args)]
struct Write {
    #[command(flatten)]
    reach: Reach,
    /// Also over a stored one that cannot be read with the secret at hand
    #[arg(long)]
    force: bool,
    /// Tell what would be done; write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `settings kubeconfig`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub(super) async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let setup = Setup::read(globals)?;
    // What is to be stored is looked at before anything is opened.
    let (reach, task) = match args.command {
        Command::Show { reach } => (reach, Task::Show),
        Command::Set { file, write } => {
            let text = read(&file)?;
            let server = kubeconfig::check(&text)?;
            (
                write.reach.clone(),
                Task::Store(Minimal { text, server }, write),
            )
        }
        Command::FromProfile { write } => {
            let profile = setup.profile(globals);
            let context = globals.context.as_deref().unwrap_or(&profile);
            let made = kubeconfig::minimal(globals.kubeconfig.as_deref(), context)?;
            (write.reach.clone(), Task::Store(made, write))
        }
        Command::Clear { write } => (write.reach.clone(), Task::Clear(write)),
    };
    let mut door = reach.open(globals, &setup).await?;
    let done = perform(globals, &mut door, &task).await;
    door.close().await;
    done
}

enum Task {
    Show,
    Store(Minimal, Write),
    Clear(Write),
}

async fn perform(globals: &Globals, door: &mut Door, task: &Task) -> Result<Exit, Failure> {
    let sealed = door.studio.database.settings().await?.kubeconfig;
    let secret = door.studio.secret.clone();
    let before = sealed.as_ref().map(|sealed| sealed.stored(&secret));
    if door.studio.default_secret && !matches!(task, Task::Clear(_)) {
        output::progress(&format!(
            "no {SECRET_VARIABLE} is set: Studio's default secret is used, which protects nothing"
        ));
    }
    let now = Timestamp::now();
    match task {
        Task::Show => report(globals, door, "show", before.as_ref(), false)?,
        Task::Store(new, write) => {
            keeps(before.as_ref(), write)?;
            if kubeconfig::is_loopback(&new.server) {
                let server = &new.server;
                output::progress(&format!(
                    "its server {server} is this machine: a dispatcher inside a pod cannot reach it"
                ));
            }
            let told = Stored {
                encrypted: true,
                fingerprint: Some(crypto::fingerprint(new.text.reveal())),
                unreadable: None,
                updated_at: now,
            };
            if !write.dry_run {
                let new = Some((&new.text, &secret));
                store(door, sealed.as_ref(), new, now).await?;
            }
            report(globals, door, "store", Some(&told), write.dry_run)?;
        }
        Task::Clear(write) => {
            keeps(before.as_ref(), write)?;
            if sealed.is_some() && !write.dry_run {
                store(door, sealed.as_ref(), None, now).await?;
            }
            report(globals, door, "clear", before.as_ref(), write.dry_run)?;
        }
    }
    Ok(Exit::Ok)
}

async fn store(
    door: &mut Door,
    seen: Option<&Sealed>,
    new: Option<(&Hidden, &crypto::Secret)>,
    now: Timestamp,
) -> Result<(), Failure> {
    let database = &mut door.studio.database;
    Ok(database.write_kubeconfig(seen, new, now).await?)
}

/// A stored one that this secret does not open was made under another one: what is written now, Studio could not read, and
/// what is there somebody may still need (W37).
fn keeps(before: Option<&Stored>, write: &Write) -> Result<(), Failure> {
    match before.and_then(|stored| stored.unreadable.as_ref()) {
        Some(why) if !write.force => Err(Failure::new(
            Exit::Refused,
            format!(
                "the stored kubeconfig is kept as it is: {why}; --force writes over it all the same"
            ),
        )),
        _ => Ok(()),
    }
}

fn read(file: &Path) -> Result<Hidden, Failure> {
    let name = file.display().to_string();
    let unreadable =
        |error: std::io::Error| Failure::invalid(format!("cannot read {name}: {error}"));
    let mut text = String::new();
    let read = if name == "-" {
        std::io::stdin().lock().take(MOST).read_to_string(&mut text)
    } else {
        let opened = std::fs::File::open(file).map_err(unreadable)?;
        opened.take(MOST).read_to_string(&mut text)
    };
    read.map_err(unreadable)?;
    if text.trim().is_empty() {
        return Err(Failure::invalid(format!(
            "{name} is empty: `settings kubeconfig clear` takes the stored one out"
        )));
    }
    Ok(Hidden::new(text))
}

fn report(
    globals: &Globals,
    door: &Door,
    action: &str,
    stored: Option<&Stored>,
    dry_run: bool,
) -> Result<(), Failure> {
    if globals.output != Format::Text {
        let is_set = match action {
            "clear" if !dry_run => false,
            _ => stored.is_some(),
        };
        return output::document(
            globals.output,
            &json!({
                "schema": "llmctl-dev/settings-kubeconfig/v1",
                "target": door.target(),
                "database": door.studio.database.place(),
                "action": action,
                "dry_run": dry_run,
                "is_set": is_set,
                "kubeconfig": stored,
            }),
        );
    }
    let place = door.place();
    let would = if dry_run { "would be " } else { "" };
    output::foreign_line(&match (action, stored) {
        ("store", Some(stored)) => format!("kubeconfig {stored} {would}in Studio, {place}"),
        ("clear", Some(stored)) => {
            format!("kubeconfig {stored}: {would}taken out of Studio, {place}")
        }
        (_, Some(stored)) => format!("kubeconfig {stored} in Studio, {place}"),
        (_, None) => format!("no kubeconfig is stored in Studio, {place}"),
    })
}
