//! A stream that is driven by the future that feeds it: no task is spawned, and dropping the stream ends the work.

use futures::Stream;
use futures::future::BoxFuture;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Items that may wait until somebody takes them; the work pauses then.
const ROOM: usize = 64;

/// Runs `work` for as long as the returned stream is polled; what it sends is what the stream gives.
pub(super) fn stream<T, F>(work: impl FnOnce(mpsc::Sender<T>) -> F) -> Driven<T>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(ROOM);
    Driven {
        receiver,
        work: Some(Box::pin(work(sender))),
    }
}

/// See [`stream`].
pub(super) struct Driven<T> {
    receiver: mpsc::Receiver<T>,
    work: Option<BoxFuture<'static, ()>>,
}

impl<T> Stream for Driven<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if let Poll::Ready(Some(item)) = self.receiver.poll_recv(cx) {
            return Poll::Ready(Some(item));
        }
        if let Some(work) = &mut self.work
            && work.as_mut().poll(cx).is_ready()
        {
            self.work = None;
        }
        self.receiver.poll_recv(cx)
    }
}
