//! The terminal UI: bare on the Minikube profile or a named context, `demo` on the sandbox.

use super::args::{Colour, Globals};
use super::exit::{Exit, Failure};
use super::session::Setup;
use crate::app::{Effect, State, checks, overlays, settings};
use crate::domain::guard::Wanted;
use crate::domain::hidden::Hidden;
use crate::files::config::notify::{Notify, Way};
use crate::runtime::World;
use crate::runtime::look::Around;
use crate::runtime::open::Place;
use crate::sandbox::faults::Planned;
use crate::tui::start::{Picked, choose};
use crate::tui::{self, Ended};
use crate::ui::announce::{Desktop, Manner};
use crate::ui::theme::{Colors, Theme};
use jiff::tz::TimeZone;
use std::io::IsTerminal as _;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is to go wrong in the sandbox, as for `sandbox`, repeatable; with @S behind, S seconds after the start
    #[arg(long, value_name = "FAULT", value_delimiter = ',')]
    pub fault: Vec<Planned>,
}

/// Opens the terminal UI on what the globals name.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn bare(globals: &Globals) -> Result<Exit, Failure> {
    let setup = Setup::read(globals)?;
    let place = setup.place(globals);
    let Place::Cluster(Wanted::Profile(profile)) = &place else {
        return session(globals, &setup, place, Vec::new()).await;
    };
    terminal()?;
    let around = Around {
        profile: profile.clone(),
        kubeconfig: globals.kubeconfig.clone(),
        allowed: setup.config.allowed_contexts.clone(),
        minikube: setup.config.minikube.clone(),
    };
    if around.ready().await.is_ok() {
        return session(globals, &setup, place, Vec::new()).await;
    }
    match choose(&around, &theme(globals)).await {
        Ok(Picked::Place(place)) => session(globals, &setup, place, Vec::new()).await,
        Ok(Picked::Quit) => Ok(Exit::Ok),
        Ok(Picked::Interrupted) => Ok(Exit::Interrupted),
        Err(error) => Err(Failure::other(format!(
            "the terminal cannot be used: {error}"
        ))),
    }
}

/// Opens the terminal UI on a fresh sandbox.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn demo(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let setup = Setup::read(globals)?;
    session(globals, &setup, Place::Sandbox, args.fault).await
}

async fn session(
    globals: &Globals,
    setup: &Setup,
    place: Place,
    faults: Vec<Planned>,
) -> Result<Exit, Failure> {
    terminal()?;
    let mut world = World::open(setup.choice(globals, place)?).await?;
    let mut state = State::new(
        world.target().clone(),
        world.namespace().to_owned(),
        world.now(),
        settings::Slice::new(setup.settings.clone()),
    );
    state
        .runs
        .warn_before_removal(setup.config.notify.before_removal);
    world.recall();
    world.watch();
    world.plan_faults(faults);
    world.watch_files(setup.settings.path());
    world.perform(Effect::Overlays(overlays::Effect::List));
    world.check(studio_database(setup), setup.config.checkout.clone());
    world.perform(Effect::Checks(checks::Effect::Find));
    let ended = tui::run(
        &mut world,
        &mut state,
        &theme(globals),
        manner(&setup.config.notify),
    )
    .await;
    world.close().await;
    match ended {
        Ok(Ended::Quit) => Ok(Exit::Ok),
        Ok(Ended::Interrupted) => Ok(Exit::Interrupted),
        Err(error) => Err(Failure::other(format!("the terminal UI ended: {error}"))),
    }
}

/// Studio's database that the configuration names, or Studio's own variable.
fn studio_database(setup: &Setup) -> Option<Hidden> {
    let variable = std::env::var(super::migrate::ADDRESS).ok();
    let named = setup.config.studio.clone().or(variable)?;
    (!named.trim().is_empty()).then(|| Hidden::new(named.trim()))
}

fn manner(notify: &Notify) -> Manner {
    Manner {
        bell: notify.bell,
        title: notify.title,
        desktop: match notify.desktop {
            Way::Auto => Desktop::Auto,
            Way::Osc9 => Desktop::Osc9,
            Way::Osc777 => Desktop::Osc777,
            Way::Off => Desktop::Off,
        },
    }
}

/// The terminal UI needs a terminal on both ends.
fn terminal() -> Result<(), Failure> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        "the terminal UI needs a terminal; in scripts use the subcommands, such as `llmctl-dev --sandbox run hello --wait`",
    ))
}

fn theme(globals: &Globals) -> Theme {
    let variable = |name| std::env::var(name).ok();
    let colours = match globals.color {
        Colour::Never => Colors::None,
        Colour::Always => Colors::Many,
        Colour::Auto if !Colour::Auto.on(&std::io::stdout()) => Colors::None,
        Colour::Auto => Colors::of_terminal(
            variable("TERM").as_deref(),
            variable("COLORTERM").as_deref(),
        ),
    };
    Theme::new(colours, globals.ascii, TimeZone::system())
}
