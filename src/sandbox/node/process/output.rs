//! What a container's process writes, as lines of a log.

use std::fmt;
use std::pin::Pin;

use bytes::{Buf as _, BytesMut};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;

use crate::sandbox::logs::Record;

/// A line is handed on in parts of this size when it has no end, as the container runtime does.
const PART: usize = 16 * 1024;

/// Both streams of a process. A container runtime reads two pipes too and knows no order between them but that in which it hears of
/// them: whichever was written to first is read first, so that a line stands behind the one that it answers.
pub(super) struct Output {
    /// The streams that are open, each waiting for its next piece. They come out in the order in which the system woke them.
    open: FuturesUnordered<Next>,
    /// What a line has so far, of each stream.
    rest: [BytesMut; 2],
    record: Record,
}

type Next = Pin<Box<dyn Future<Output = Piece> + Send + Sync>>;

/// What came next of a stream.
struct Piece {
    stream: usize,
    /// None at the end.
    source: Option<Receiver>,
    bytes: BytesMut,
}

impl Output {
    /// Made before the process, so that nothing is written before it is known who is to be woken.
    pub(super) fn new(out: Receiver, err: Receiver, record: &Record) -> Self {
        let mut open = FuturesUnordered::new();
        for (stream, source) in [out, err].into_iter().enumerate() {
            open.push(next(stream, source, BytesMut::new()));
        }
        // Nobody can have written yet.
        let nothing = open.next().now_or_never();
        debug_assert!(nothing.is_none());
        Self {
            open,
            rest: Default::default(),
            record: record.clone(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Takes what comes next. May be cancelled.
    pub(super) async fn some(&mut self) {
        let Some(piece) = self.open.next().await else {
            return;
        };
        let rest = &mut self.rest[piece.stream];
        rest.extend_from_slice(&piece.bytes);
        if let Some(source) = piece.source {
            hand_on(rest, &self.record);
            let mut room = piece.bytes;
            room.clear();
            self.open.push(next(piece.stream, source, room));
        } else {
            flush(rest, &self.record);
        }
    }

    /// Takes everything to the end.
    pub(super) async fn all(&mut self) {
        while self.is_open() {
            self.some().await;
        }
    }

    /// What has no line break at the end is logged without one.
    pub(super) fn flush(&mut self) {
        for rest in &mut self.rest {
            flush(rest, &self.record);
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}

fn next(stream: usize, mut source: Receiver, mut bytes: BytesMut) -> Next {
    Box::pin(async move {
        bytes.reserve(PART);
        let read = source.read_buf(&mut bytes).await;
        Piece {
            stream,
            source: matches!(read, Ok(1..)).then_some(source),
            bytes,
        }
    })
}

fn hand_on(buffer: &mut BytesMut, record: &Record) {
    while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
        let mut line = buffer.split_to(end + 1).freeze();
        line.truncate(end);
        while line.len() > PART {
            record.part(&line[..PART]);
            line.advance(PART);
        }
        record.line(&line);
    }
    while buffer.len() >= PART {
        let part = buffer.split_to(PART);
        record.part(&part);
    }
}

fn flush(buffer: &mut BytesMut, record: &Record) {
    if !buffer.is_empty() {
        let rest = buffer.split();
        record.part(&rest);
    }
}
