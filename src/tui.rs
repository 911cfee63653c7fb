//! The loop: take a message, update, perform the effects, draw when there is nothing left to take.

pub mod input;
pub mod prompt;
pub mod screen;
pub mod signals;
pub mod start;

use crate::app::{Effect, Msg, State, update};
use crate::runtime::World;
use crate::ui::announce::Manner;
use crate::ui::theme::Theme;
use crate::ui::{self, Scroll};
use input::Input;
use screen::Screen;
use signals::Signals;
use std::io;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// At most so many messages are taken between two frames, so that a flood does not stop the picture.
const BATCH: usize = 2_000;

/// How the session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The person left.
    Quit,
    /// SIGTERM, SIGHUP, SIGINT, or the terminal went away.
    Interrupted,
}

/// Runs the terminal UI on `world` until the person leaves, a signal comes or the terminal goes away. The terminal
/// is given back in every case, also on a panic.
///
/// # Errors
/// When the terminal cannot be taken over; a task of the world that panicked ends the loop too.
pub async fn run(
    world: &mut World,
    state: &mut State,
    theme: &Theme,
    manner: Manner,
) -> io::Result<Ended> {
    let mut screen = Screen::open()?;
    screen.tell_by(manner);
    let ended = turn(&mut screen, world, state, theme).await;
    screen.close();
    ended
}

async fn turn(
    screen: &mut Screen,
    world: &mut World,
    state: &mut State,
    theme: &Theme,
) -> io::Result<Ended> {
    let mut input = Input::open()?;
    let mut signals = Signals::catch()?;
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut scroll = Scroll::default();
    state.size = screen.size()?;
    loop {
        if screen.is_lost() {
            // The report of the panic is on the terminal already.
            return Err(io::Error::other("a part of the program panicked"));
        }
        if state.dirty {
            state.settle();
            if screen.draw(state, theme, &mut scroll).is_err() {
                return Ok(Ended::Interrupted); // the terminal went away
            }
            state.limit(scroll.limits());
            state.dirty = false;
        }
        let msg = tokio::select! {
            biased;
            () = signals.any() => return Ok(Ended::Interrupted),
            event = input.next() => match event {
                Some(event) => ui::keys::message(state, &event),
                None => return Ok(Ended::Interrupted),
            },
            msg = world.next() => Some(msg?),
            _ = tick.tick() => Some(Msg::Ticked(world.now())),
        };
        let Some(msg) = msg else { continue };
        take(screen, world, state, msg);
        for _ in 0..BATCH {
            let Some(msg) = world.ready() else { break };
            take(screen, world, state, msg);
        }
        if state.quit {
            return Ok(Ended::Quit);
        }
    }
}

fn take(screen: &mut Screen, world: &mut World, state: &mut State, msg: Msg) {
    state.now = world.now();
    for effect in update(state, msg) {
        match effect {
            Effect::Copy(text) => screen.copy(&text),
            Effect::Announce { occasion, loud } => {
                if loud {
                    screen.announce(&occasion.line);
                }
                world.perform(Effect::Announce { occasion, loud });
            }
            effect => world.perform(effect),
        }
    }
}
