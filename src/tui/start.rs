//! The start screen's loop: there is nothing to connect to, and a person chooses what to do about it.

use super::input::Input;
use super::screen::Screen;
use super::signals::Signals;
use crate::domain::guard::Wanted;
use crate::domain::profile::{ProfileState, StartStep};
use crate::runtime::look::{Around, Found};
use crate::runtime::open::Place;
use crate::ui::start::{Choice, ContextRow, Finding, Start};
use crate::ui::theme::Theme;
use futures::{Stream, StreamExt as _};
use std::io;

/// What a person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    Place(Place),
    Quit,
    /// A signal came, or the terminal went away.
    Interrupted,
}

/// Shows what was found and lets a person choose. Starts the profile when asked to, and goes on by itself once it
/// answers; nothing else is ever chosen unasked.
///
/// # Errors
/// When the terminal cannot be taken over.
pub async fn choose(around: &Around, theme: &Theme) -> io::Result<Picked> {
    let mut screen = Screen::open()?;
    let picked = turn(&mut screen, around, theme).await;
    screen.close();
    picked
}

type Steps = Box<dyn Stream<Item = StartStep> + Send + Unpin>;

async fn turn(screen: &mut Screen, around: &Around, theme: &Theme) -> io::Result<Picked> {
    let mut input = Input::open()?;
    let mut signals = Signals::catch()?;
    let looking = Start {
        doing: Some("looking for Minikube and contexts…".into()),
        ..Start::default()
    };
    screen.draw_start(&looking, theme)?;
    let found = tokio::select! {
        found = around.look() => found,
        () = signals.any() => return Ok(Picked::Interrupted),
    };
    let mut start = shown(around, &found);
    let mut steps: Option<Steps> = None;
    loop {
        if screen.draw_start(&start, theme).is_err() {
            return Ok(Picked::Interrupted);
        }
        let choice = tokio::select! {
            biased;
            () = signals.any() => return Ok(Picked::Interrupted),
            event = input.next() => match event {
                Some(event) => start.take(&event),
                None => return Ok(Picked::Interrupted),
            },
            step = next(&mut steps) => {
                if over(&mut start, step.as_ref()) {
                    steps = None;
                }
                (step == Some(StartStep::Done)).then_some(Choice::Retry)
            }
        };
        match choice {
            None => {}
            Some(Choice::Quit) => return Ok(Picked::Quit),
            Some(Choice::Demo) => return Ok(Picked::Place(Place::Sandbox)),
            Some(Choice::UseContext) => {
                if let Some(row) = start.context() {
                    let wanted = Wanted::Context(row.name.clone());
                    return Ok(Picked::Place(Place::Cluster(wanted)));
                }
            }
            Some(Choice::StartProfile) => {
                start.doing = Some(format!("starting Minikube profile {}…", around.profile));
                steps = around.start().map(|steps| Box::new(steps) as Steps);
            }
            Some(Choice::Retry) => {
                let again = async {
                    match around.ready().await {
                        Ok(()) => None,
                        Err(_) => Some(around.look().await),
                    }
                };
                let found = tokio::select! {
                    found = again => found,
                    () = signals.any() => return Ok(Picked::Interrupted),
                };
                let Some(found) = found else {
                    let wanted = Wanted::Profile(around.profile.clone());
                    return Ok(Picked::Place(Place::Cluster(wanted)));
                };
                start = shown(around, &found);
                start.doing = Some("looked again".into());
            }
        }
    }
}

/// The next step of a start; never, while none goes on.
async fn next(steps: &mut Option<Steps>) -> Option<StartStep> {
    match steps {
        Some(steps) => steps.next().await,
        None => std::future::pending().await,
    }
}

/// Shows a step; says whether the start is over.
fn over(start: &mut Start, step: Option<&StartStep>) -> bool {
    start.doing = Some(match step {
        Some(StartStep::Step { at, of, text, .. }) => format!("{}/{of} {text}", at + 1),
        Some(StartStep::Download { name, done }) => {
            format!("downloading {name}: {:.0} %", f64::from(*done) * 100.0)
        }
        Some(StartStep::Note { text } | StartStep::Warning { text }) => text.clone(),
        Some(StartStep::Done) => "the profile runs".into(),
        Some(StartStep::Failed(error)) => format!("the start failed: {error}"),
        None => return true,
    });
    matches!(step, Some(StartStep::Done | StartStep::Failed(_)))
}

fn shown(around: &Around, found: &Found) -> Start {
    let profile = &around.profile;
    let (running, why, then) = match &found.profile {
        ProfileState::NoProgram => (
            false,
            format!("{} is not on PATH", around.minikube.display()),
            "install it, or set minikube.path in config.toml".to_owned(),
        ),
        ProfileState::NoProfile => (
            false,
            format!("no profile {profile}"),
            "s makes and starts it".into(),
        ),
        ProfileState::Stopped => (
            false,
            format!("profile {profile} is stopped"),
            "s starts it".into(),
        ),
        ProfileState::Paused => (
            false,
            format!("profile {profile} is paused"),
            format!("minikube -p {profile} unpause"),
        ),
        ProfileState::Running => (true, format!("profile {profile} runs"), String::new()),
        ProfileState::Broken(why) => (false, why.clone(), String::new()),
    };
    let has_context = found.contexts.iter().any(|(c, _)| c.name == *profile);
    let kubeconfig = match (&found.kubeconfig, &found.silent) {
        (Some(problem), _) => (false, "cannot be read".into(), problem.clone()),
        (None, Some(silent)) => {
            let why = format!("context {profile} cannot be worked on");
            (false, why, silent.clone())
        }
        (None, None) if has_context => (true, format!("context {profile}"), String::new()),
        (None, None) => (false, format!("no context named {profile}"), String::new()),
    };
    let findings = vec![
        Finding {
            found: running,
            what: "minikube".into(),
            why,
            then,
        },
        Finding {
            found: kubeconfig.0,
            what: "kubeconfig".into(),
            why: kubeconfig.1,
            then: kubeconfig.2,
        },
    ];
    Start {
        findings,
        profile: format!("profile {profile} (4 CPU, 8192 MB, docker)"),
        profile_needs: (found.profile == ProfileState::NoProgram).then(|| "needs minikube".into()),
        contexts: found
            .contexts
            .iter()
            .map(|(context, refusal)| ContextRow {
                name: context.name.clone(),
                server: context.server.clone(),
                refused: refusal.as_ref().map(ToString::to_string),
            })
            .collect(),
        choosing: None,
        doing: None,
    }
}
