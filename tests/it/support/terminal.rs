//! A terminal with a program on it: keys go in, the screen is read back.

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Debug;
use std::io::{Read as _, Write};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Longest wait for something to show; a machine at work may be slow.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const ENTER: &str = "\r";
pub(crate) const ESC: &str = "\x1b";
pub(crate) const TAB: &str = "\t";
pub(crate) const BACKSPACE: &str = "\x7f";
pub(crate) const RIGHT: &str = "\x1b[C";
pub(crate) const DOWN: &str = "\x1b[B";
pub(crate) const CTRL_C: &str = "\x03";
pub(crate) const CTRL_S: &str = "\x13";

/// A program on a terminal. Dropping it kills the program.
pub(crate) struct Terminal {
    seen: Arc<Mutex<Seen>>,
    keys: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    /// How the terminal was set up before the program came.
    before: String,
}

struct Seen {
    screen: vt100::Parser,
    /// Everything that was written, escape sequences and all.
    raw: Vec<u8>,
    /// The program and everything of it closed the terminal.
    over: bool,
    /// Nobody reads any more.
    closing: bool,
}

impl Terminal {
    pub(crate) fn start(command: CommandBuilder, (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let before = setup(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        // Or the reader never sees the end.
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let seen = Arc::new(Mutex::new(Seen {
            screen: vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0),
            raw: Vec::new(),
            over: false,
            closing: false,
        }));
        let writing = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut seen = writing.lock().unwrap();
                seen.screen.process(&bytes[..count]);
                seen.raw.extend_from_slice(&bytes[..count]);
                if seen.closing {
                    break;
                }
            }
            drop(reader);
            writing.lock().unwrap().over = true;
        });
        Self {
            seen,
            keys: Some(keys),
            child,
            master: Some(pair.master),
            before,
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// The screen as text.
    pub(crate) fn text(&self) -> String {
        self.seen().screen.screen().contents()
    }

    /// Everything that was ever written.
    pub(crate) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen().raw).into_owned()
    }

    /// Waits until the screen is as `fits` wants it.
    #[track_caller]
    pub(crate) fn until(&self, what: impl Debug, fits: impl Fn(&str) -> bool) {
        self.within(PATIENCE, what, fits);
    }

    /// Waits no longer than `patience` until the screen is as `fits` wants it.
    #[track_caller]
    pub(crate) fn within(&self, patience: Duration, what: impl Debug, fits: impl Fn(&str) -> bool) {
        let begin = Instant::now();
        loop {
            let text = self.text();
            if fits(&text) {
                return;
            }
            assert!(
                begin.elapsed() < patience,
                "waited {patience:?} for {what:?}, the screen is\n{text}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the screen holds `text`.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        self.until(text, |screen| screen.contains(text));
    }

    /// Waits until the screen holds `text` no more.
    #[track_caller]
    pub(crate) fn gone(&self, text: &str) {
        self.until(("no", text), |screen| !screen.contains(text));
    }

    /// Waits until one row of the screen holds all of `parts`.
    #[track_caller]
    pub(crate) fn wait_for_row(&self, parts: &[&str]) {
        self.until(parts, |screen| {
            screen
                .lines()
                .any(|row| parts.iter().all(|part| row.contains(part)))
        });
    }

    /// Presses keys, or types text.
    pub(crate) fn press(&mut self, keys: &str) {
        let writer = self.keys.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        // The picture first: what the program draws for the new size must fall on the new screen.
        self.seen()
            .screen
            .screen_mut()
            .set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
        let master = self.master.as_ref().unwrap();
        master.resize(size(columns, rows)).unwrap();
    }

    pub(crate) fn pid(&self) -> Pid {
        let id = self.child.process_id().unwrap();
        Pid::from_raw(id.try_into().unwrap()).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Takes the terminal away, as closing its window does.
    pub(crate) fn close(&mut self) {
        self.keys = None;
        self.master = None;
        // The reader holds a copy of it until it has read something once more: the clock ticks every second.
        self.seen().closing = true;
    }

    /// Whether the program has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "the program goes on, the screen is\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end of the program, which is its own, and gives its exit code.
    #[track_caller]
    pub(crate) fn exit(&mut self) -> u32 {
        let status = self.end();
        assert_eq!(status.signal(), None, "{}", self.text());
        status.exit_code()
    }

    /// Waits for the end, and for everything that was written to be read; the terminal must be as it was before.
    #[track_caller]
    pub(crate) fn exit_and_restore(&mut self) -> u32 {
        let code = self.exit();
        let begin = Instant::now();
        // A child that outlives the program would hold the terminal open, which is a mistake too.
        while !self.seen().over {
            assert!(begin.elapsed() < PATIENCE, "somebody holds the terminal");
            std::thread::sleep(Duration::from_millis(10));
        }
        let seen = self.seen();
        let screen = seen.screen.screen();
        let left = screen.contents();
        assert!(
            !screen.alternate_screen(),
            "on the alternate screen: {left}"
        );
        assert!(!screen.hide_cursor(), "no cursor: {left}");
        assert!(!screen.bracketed_paste(), "bracketed paste is on: {left}");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        drop(seen);
        let master = self.master.as_ref().unwrap();
        assert_eq!(setup(&**master), self.before, "the line discipline");
        code
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// The terminal's line discipline: raw mode is a matter of this.
fn setup(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}
