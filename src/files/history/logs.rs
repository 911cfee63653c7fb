//! The logs that the history keeps, read: whole, by the page, looked through, compared, saved.

use super::parts::{self, Lines, Search};
use super::{History, HistoryError, at, line};
use crate::domain::logs::LogLine;
use crate::domain::logs::page::{Page, Spot};
use crate::domain::logs::wanted::Wanted;
use crate::domain::runs::RunId;
use crate::domain::runs::compare::logs::{LogDiff, diff};
use jiff::Timestamp;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

impl History {
    /// Gives every line of a run's log to `take`, oldest first, without holding more than one.
    ///
    /// # Errors
    /// When the log is there and cannot be read, or `take` fails.
    pub fn each_line(
        &self,
        id: &RunId,
        mut take: impl FnMut(LogLine) -> io::Result<()>,
    ) -> io::Result<()> {
        let file = match File::open(self.path(id, "log")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut reader = BufReader::new(file);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            if reader.read_until(b'\n', &mut bytes)? == 0 {
                return Ok(());
            }
            take(line::read(&bytes))?;
        }
    }

    /// The newest lines of a run's log with their numbers, at most `most` and not more than memory takes; none when none was kept.
    ///
    /// # Errors
    /// When the log is there and cannot be read.
    pub fn newest(&self, id: &RunId, most: usize) -> Result<Page, HistoryError> {
        let path = self.path(id, "log");
        match File::open(&path) {
            Ok(file) => parts::newest(parts::buffered(file), most).map_err(at(&path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Page::default()),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// Begins to look for something in the first `upto` lines of a run's log.
    ///
    /// # Errors
    /// When there is no log, or it cannot be opened.
    pub fn search(&self, id: &RunId, wanted: Wanted, upto: u64) -> Result<Search, HistoryError> {
        let path = self.path(id, "log");
        let file = File::open(&path).map_err(at(&path))?;
        Ok(Search::new(parts::buffered(file), wanted, upto))
    }

    /// The first `upto` lines of a run's log, one at a time, cut as in memory.
    ///
    /// # Errors
    /// When there is no log, or it cannot be opened.
    pub fn lines(&self, id: &RunId, upto: u64) -> Result<Lines, HistoryError> {
        let path = self.path(id, "log");
        let file = File::open(&path).map_err(at(&path))?;
        Ok(Lines::new(parts::buffered(file), upto))
    }

    /// How the logs of two runs differ, of each its first lines, so many.
    ///
    /// # Errors
    /// When one of them is not there or cannot be read.
    pub fn diff(&self, left: (&RunId, u64), right: (&RunId, u64)) -> Result<LogDiff, HistoryError> {
        let lines = |(id, upto): (&RunId, u64)| {
            let path = self.path(id, "log");
            // Where nothing was read there is no file.
            let lines = (upto > 0).then(|| self.lines(id, upto)).transpose()?;
            let texts = lines.into_iter().flatten();
            Ok(texts.map(move |line| line.map(|line| line.text).map_err(at(&path))))
        };
        diff(lines(left)?, lines(right)?)
    }

    /// Lines of a run's log around the one of that number, none after `upto`.
    ///
    /// # Errors
    /// When there is no log, it ends before that line, or it cannot be read.
    pub fn page(&self, id: &RunId, around: u64, upto: u64) -> Result<Page, HistoryError> {
        let path = self.path(id, "log");
        let read = |file| parts::page(parts::buffered(file), around, upto);
        File::open(&path).and_then(read).map_err(at(&path))
    }

    /// The first line of a run's log, from `spot` on, that is not older than `from`; its end when all are.
    ///
    /// # Errors
    /// When there is no log, or it cannot be read.
    pub fn since(&self, id: &RunId, from: Timestamp, spot: Spot) -> Result<Spot, HistoryError> {
        let path = self.path(id, "log");
        let find = |file| parts::since(&mut parts::buffered(file), from, spot);
        File::open(&path).and_then(find).map_err(at(&path))
    }

    /// Writes the text of a run's log to a new file at `path`; a file that is there is not overwritten, and none is left half written.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub fn save_log(&self, id: &RunId, path: &Path) -> io::Result<()> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let mut out = BufWriter::new(file);
        let written = self
            .each_line(id, |line| writeln!(out, "{}", line.text))
            .and_then(|()| out.flush());
        if written.is_err() {
            // What failed is said; that it cannot be taken away either adds nothing.
            let _ = std::fs::remove_file(path);
        }
        written
    }
}
