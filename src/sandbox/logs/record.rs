//! The log of one instance of one container, bounded as the kubelet bounds its files.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{BufMut as _, Bytes, BytesMut};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::sandbox::clock::Clock;

/// When a log is longer than this many bytes, its oldest lines go.
const BOUND: usize = 10 * 1024 * 1024;

/// What the runtime writes in front of each line in its file; counted so that as many lines are kept here as there.
const OVERHEAD: usize = 40;

/// How much a reader takes at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// A log that grows. Clones are the same log.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    clock: Clock,
    pieces: Arc<Mutex<Pieces>>,
    extent: Arc<watch::Sender<Extent>>,
}

#[derive(Debug, Default)]
struct Pieces {
    /// The number of the first piece that is still kept.
    first: u64,
    kept: VecDeque<Piece>,
    size: usize,
}

/// A line, or a part of one that was too long or had no end yet.
#[derive(Debug)]
struct Piece {
    at: Timestamp,
    text: Bytes,
    whole: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    /// The number of the piece that comes next.
    end: u64,
    over: bool,
}

impl Record {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            pieces: Arc::default(),
            extent: Arc::default(),
        }
    }

    /// Adds a line, given without its line break.
    pub(crate) fn line(&self, text: &[u8]) {
        self.push(text, true);
    }

    /// Adds text whose line goes on.
    pub(crate) fn part(&self, text: &[u8]) {
        self.push(text, false);
    }

    /// Nothing more will come.
    pub(crate) fn end(&self) {
        self.extent.send_modify(|extent| extent.over = true);
    }

    pub(super) fn reader(
        &self,
        follow: bool,
        timestamps: bool,
        since: Option<Timestamp>,
    ) -> Reader {
        let extent = self.extent.subscribe();
        let until = if follow {
            None
        } else {
            Some(extent.borrow().end)
        };
        Reader {
            pieces: Arc::clone(&self.pieces),
            extent,
            next: 0,
            until,
            timestamps,
            since,
            inside: false,
        }
    }

    fn push(&self, text: &[u8], whole: bool) {
        let piece = Piece {
            at: self.clock.now(),
            text: Bytes::copy_from_slice(text),
            whole,
        };
        let mut pieces = lock(&self.pieces);
        pieces.size += piece.text.len() + OVERHEAD;
        pieces.kept.push_back(piece);
        while pieces.size > BOUND {
            let Some(gone) = pieces.kept.pop_front() else {
                break;
            };
            pieces.size -= gone.text.len() + OVERHEAD;
            pieces.first += 1;
        }
        let end = pieces.first + pieces.kept.len() as u64;
        drop(pieces);
        self.extent
            .send_modify(|extent| extent.end = extent.end.max(end));
    }
}

/// A place in a log.
#[derive(Debug)]
pub(super) struct Reader {
    pieces: Arc<Mutex<Pieces>>,
    extent: watch::Receiver<Extent>,
    next: u64,
    /// Where to stop; `None` follows to the log's end.
    until: Option<u64>,
    timestamps: bool,
    since: Option<Timestamp>,
    /// The piece before had no line break, so the next one continues its line.
    inside: bool,
}

impl Reader {
    /// Starts so many lines before the end.
    pub(super) fn tail(&mut self, lines: u64) {
        let pieces = lock(&self.pieces);
        let end = pieces.first + pieces.kept.len() as u64;
        let mut left = lines;
        let mut start = end;
        for piece in pieces.kept.iter().rev() {
            // The end of a line, or the last line when nothing has ended it yet.
            if piece.whole || start == end {
                if left == 0 {
                    break;
                }
                left -= 1;
            }
            start -= 1;
        }
        self.next = start;
    }

    /// The next bytes; `None` when there are no more and will be none.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            // Marked as seen before the look, so that whatever comes after it wakes the wait below.
            let extent = *self.extent.borrow_and_update();
            let chunk = self.chunk();
            if !chunk.is_empty() {
                return Some(chunk);
            }
            let stop = self.until.unwrap_or(extent.end);
            if (self.until.is_some() || extent.over) && self.next >= stop {
                return None;
            }
            if self.next < stop {
                // All of it was older than asked for, or more than fits into one chunk.
                continue;
            }
            if self.extent.changed().await.is_err() {
                self.until = Some(self.extent.borrow().end);
            }
        }
    }

    fn chunk(&mut self) -> Bytes {
        let pieces = lock(&self.pieces);
        let mut out = BytesMut::new();
        let end = pieces.first + pieces.kept.len() as u64;
        let stop = self.until.unwrap_or(end).min(end);
        self.next = self.next.max(pieces.first);
        while self.next < stop && out.len() < CHUNK {
            let Some(piece) = usize::try_from(self.next - pieces.first)
                .ok()
                .and_then(|at| pieces.kept.get(at))
            else {
                break;
            };
            self.next += 1;
            if self.since.is_some_and(|since| piece.at < since) {
                continue;
            }
            if self.timestamps && !self.inside {
                out.put_slice(format!("{:.9} ", piece.at).as_bytes());
            }
            out.put_slice(&piece.text);
            if piece.whole {
                out.put_u8(b'\n');
            }
            self.inside = !piece.whole;
        }
        if stop <= pieces.first {
            // What was to be read was dropped meanwhile.
            self.next = self.next.max(stop);
        }
        out.freeze()
    }
}

fn lock(pieces: &Mutex<Pieces>) -> MutexGuard<'_, Pieces> {
    pieces.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::new(Clock::new("2026-11-24T08:00:00Z".parse().unwrap()))
    }

    async fn all(mut reader: Reader) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(chunk) = reader.next().await {
            out.extend_from_slice(&chunk);
        }
        out
    }

    #[tokio::test(start_paused = true)]
    async fn parts_join_into_one_line() {
        let record = record();
        record.part(b"a");
        record.part(b"b");
        record.line(b"c");
        record.part(b"no end");
        let read = all(record.reader(false, true, None)).await;
        let time = "2026-11-24T08:00:00.000000000Z";
        assert_eq!(
            String::from_utf8(read).unwrap(),
            format!("{time} abc\n{time} no end")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_go_when_it_is_full() {
        let record = record();
        let line = vec![b'x'; 1024 * 1024 - OVERHEAD];
        let behind = record.reader(true, false, None);
        for _ in 0..25 {
            record.line(&line);
        }
        record.end();
        assert_eq!(
            all(record.reader(false, false, None)).await.len(),
            10 * (line.len() + 1)
        );
        assert_eq!(all(behind).await.len(), 10 * (line.len() + 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_log_arrives_whole() {
        let record = record();
        let reader = tokio::spawn(all(record.reader(true, false, None)));
        let mut expected = Vec::new();
        for number in 0..20_000 {
            let line = format!("number {number}");
            record.line(line.as_bytes());
            expected.extend_from_slice(line.as_bytes());
            expected.push(b'\n');
            if number % 1000 == 0 {
                tokio::task::yield_now().await;
            }
        }
        record.end();
        assert!(reader.await.unwrap() == expected);
    }
}
