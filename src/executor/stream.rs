//! The two output streams: passed through as they come, and kept up to a limit for the result.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write as _};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// The executor's own standard output and error.
#[derive(Debug)]
pub(super) struct Outlets {
    pub(super) stdout: Arc<Outlet>,
    pub(super) stderr: Arc<Outlet>,
}

/// One stream of the executor, unbuffered. Knows whether it stands at the beginning of a line.
#[derive(Debug)]
pub(super) struct Outlet {
    state: Mutex<OutletState>,
}

#[derive(Debug)]
struct OutletState {
    file: File,
    at_line_start: bool,
    /// After the last line, or once the reader is gone: nothing more is written.
    closed: bool,
}

/// Moves one stream of the child to an outlet, on a thread of its own: a reader that stalls us holds up the child,
/// never the clock or the signals.
#[derive(Debug)]
pub(super) struct Pump {
    captured: Arc<Mutex<Captured>>,
    done: oneshot::Receiver<()>,
    over: bool,
}

#[derive(Debug, Default)]
struct Captured {
    bytes: Vec<u8>,
    truncated: bool,
}

impl Outlets {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            stdout: Arc::new(Outlet::open(io::stdout())?),
            stderr: Arc::new(Outlet::open(io::stderr())?),
        })
    }
}

impl Outlet {
    fn open(stream: impl AsFd) -> io::Result<Self> {
        let file = File::from(stream.as_fd().try_clone_to_owned()?);
        Ok(Self {
            state: Mutex::new(OutletState {
                file,
                at_line_start: true,
                closed: false,
            }),
        })
    }

    /// Writes what the child wrote. A reader that went away is not the child's fault: its output is still captured.
    pub(super) fn pass(&self, bytes: &[u8]) {
        let mut state = held(&self.state);
        if !state.closed && state.write(bytes).is_err() {
            state.closed = true;
        }
    }

    /// Ends an unfinished line.
    pub(super) fn end_line(&self) {
        if !held(&self.state).at_line_start {
            self.pass(b"\n");
        }
    }

    /// Writes a line of the executor's own. Whoever listens may be gone, so it cannot fail.
    pub(super) fn say(&self, message: &str) {
        self.end_line();
        self.pass(format!("llmctl-dev executor: {message}\n").as_bytes());
    }

    /// Writes the last line, at the beginning of a line of its own, and nothing ever after it.
    pub(super) fn finish(&self, line: &str) -> io::Result<()> {
        let mut state = held(&self.state);
        let lead = if state.at_line_start { "" } else { "\n" };
        let result = state.write(format!("{lead}{line}\n").as_bytes());
        state.closed = true;
        result
    }
}

impl OutletState {
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let Some(last) = bytes.last() else {
            return Ok(());
        };
        self.at_line_start = *last == b'\n';
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A terminal or pipe shared with a program that made it non-blocking.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(2));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Pump {
    /// Starts moving `source` to `outlet`, keeping the first `limit` bytes.
    pub(super) fn start(
        mut source: impl Read + Send + 'static,
        outlet: Arc<Outlet>,
        limit: usize,
    ) -> io::Result<Self> {
        let captured = Arc::new(Mutex::new(Captured::default()));
        let (finished, done) = oneshot::channel();
        let kept = Arc::clone(&captured);
        thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || {
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    match source.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(count) => {
                            held(&kept).keep(&buffer[..count], limit);
                            outlet.pass(&buffer[..count]);
                        }
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(_) => break,
                    }
                }
                // Nobody listens any more when the executor gave up waiting.
                let _ = finished.send(());
            })?;
        Ok(Self {
            captured,
            done,
            over: false,
        })
    }

    /// Returns once every writer has closed the stream and all of it was passed on.
    pub(super) async fn finished(&mut self) {
        if !self.over {
            let _ = (&mut self.done).await;
            self.over = true;
        }
    }

    /// What was kept, as text; cut output ends with the contract's note.
    pub(super) fn text(&self, limit: usize) -> String {
        held(&self.captured).text(limit)
    }
}

impl Captured {
    fn keep(&mut self, bytes: &[u8], limit: usize) {
        let room = limit.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.truncated |= bytes.len() > room;
    }

    fn text(&self, limit: usize) -> String {
        if !self.truncated {
            return String::from_utf8_lossy(&self.bytes).into_owned();
        }
        let whole = without_cut_character(&self.bytes);
        let mut text = String::from_utf8_lossy(whole).into_owned();
        let _ = write!(
            text,
            "\n[llmctl-executor] output truncated to {limit} bytes."
        );
        text
    }
}

/// The limit may fall inside a character; half of one would show as a replacement character that nobody printed.
fn without_cut_character(bytes: &[u8]) -> &[u8] {
    let tail = bytes
        .utf8_chunks()
        .last()
        .map_or(&[][..], |chunk| chunk.invalid());
    let is_cut = std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none());
    &bytes[..bytes.len() - if is_cut { tail.len() } else { 0 }]
}

/// A thread that died while it held the lock left plain bytes behind, which are as good as before.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(chunks: &[&[u8]], limit: usize) -> String {
        let mut captured = Captured::default();
        for chunk in chunks {
            captured.keep(chunk, limit);
        }
        captured.text(limit)
    }

    #[test]
    fn output_is_cut_at_the_limit_with_the_contracts_note() {
        assert_eq!(kept(&[b"abcd"], 4), "abcd");
        assert_eq!(
            kept(&[b"ab", b"cde"], 4),
            "abcd\n[llmctl-executor] output truncated to 4 bytes."
        );
        assert_eq!(
            kept(&[b"abcd", b"e"], 4),
            "abcd\n[llmctl-executor] output truncated to 4 bytes."
        );
    }

    #[test]
    fn the_cut_never_leaves_half_a_character() {
        let note = "\n[llmctl-executor] output truncated to 4 bytes.";
        assert_eq!(kept(&["abcé".as_bytes()], 4), format!("abc{note}"));
        assert_eq!(kept(&["a😀b".as_bytes()], 4), format!("a{note}"));
        assert_eq!(kept(&["😀b".as_bytes()], 4), format!("😀{note}"));
        assert_eq!(kept(&[b"ab\xffd-"], 4), format!("ab\u{fffd}d{note}"));
        assert_eq!(kept(&[b"ab\xc3"], 4), "ab\u{fffd}");
    }
}
