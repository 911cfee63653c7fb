//! What a person does at the terminal, read on a thread of its own.
//!
//! When a terminal goes away, crossterm's reader never returns from the read that failed and turns round in it for good. On the
//! loop's own thread that would be the end of the loop: no signal would be heard, nothing would be closed. Here it
//! costs this thread only, and the process ends soon after.

use crossterm::event::{Event, EventStream};
use futures::StreamExt as _;
use std::io;
use std::thread;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// So many events wait at most; a paste is one.
const WAITING: usize = 256;

/// Keys, pastes and resizes. The reader ends when this is dropped.
pub struct Input {
    events: mpsc::Receiver<Event>,
}

impl Input {
    /// Starts to read the terminal, which must be in raw mode. Needs a tokio runtime.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn open() -> io::Result<Self> {
        let (send, events) = mpsc::channel(WAITING);
        let runtime = Handle::current();
        thread::Builder::new()
            .name("terminal".into())
            .spawn(move || runtime.block_on(read(&send)))?;
        Ok(Self { events })
    }

    /// The next event; none when the terminal cannot be read any more. Safe to drop while it waits.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }
}

async fn read(send: &mpsc::Sender<Event>) {
    let mut stream = EventStream::new();
    loop {
        let event = tokio::select! {
            event = stream.next() => event,
            () = send.closed() => return,
        };
        let Some(Ok(event)) = event else { return };
        if send.send(event).await.is_err() {
            return;
        }
    }
}
