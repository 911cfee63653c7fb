//! The loop: take a message, update, perform the effects, draw when there is nothing left to take.

pub mod screen;
pub mod start;

use crate::app::{Effect, Msg, State, update};
use crate::runtime::World;
use crate::ui::theme::Theme;
use crate::ui::{self, Scroll};
use crossterm::event::EventStream;
use futures::StreamExt as _;
use screen::Screen;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
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
pub async fn run(world: &mut World, state: &mut State, theme: &Theme) -> io::Result<Ended> {
    let mut screen = Screen::open()?;
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
    let mut keys = EventStream::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut scroll = Scroll::default();
    state.size = screen.size()?;
    loop {
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
            _ = terminate.recv() => return Ok(Ended::Interrupted),
            _ = hang_up.recv() => return Ok(Ended::Interrupted),
            _ = interrupt.recv() => return Ok(Ended::Interrupted),
            event = keys.next() => match event {
                Some(Ok(event)) => ui::keys::message(state, &event),
                Some(Err(_)) | None => return Ok(Ended::Interrupted),
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
            effect => world.perform(effect),
        }
    }
}
