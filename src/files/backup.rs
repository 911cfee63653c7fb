//! Backups of a migration on the disk: for their owner's eyes only, complete or useless, and never over another file.

use crate::domain::migration::backup::{Header, Line, Row, SCHEMA, Trailer};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{
    self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _,
};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A backup that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the backup {} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("the backup {} is not usable: {reason}; nothing was changed", path.display())]
    Unusable { path: PathBuf, reason: String },
}

/// A backup that is being written. The file appears with the header; one that was not finished is removed again.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    open: Option<Open>,
    finished: bool,
}

#[derive(Debug)]
struct Open {
    file: BufWriter<File>,
    digest: Sha256,
    rows: u64,
}

impl Writer {
    /// A backup that will be at `path`, where nothing may be yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            open: None,
            finished: false,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// It is there, whole and on the disk.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Takes a line.
    ///
    /// # Errors
    /// When the file is there already or cannot be written; the message names it.
    pub fn take(&mut self, line: Line<'_>) -> io::Result<()> {
        let named =
            |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", self.path.display()));
        match line {
            Line::Header(header) => {
                let mut open = Open::create(&self.path).map_err(named)?;
                let written = open.line(header).map_err(named);
                self.open = Some(open);
                written
            }
            Line::Row(row) => {
                let open = self.open.as_mut().ok_or_else(unopened)?;
                open.rows += 1;
                open.line(row).map_err(named)
            }
            Line::End => {
                let open = self.open.as_mut().ok_or_else(unopened)?;
                open.end().map_err(named)?;
                sync_directory(&self.path).map_err(named)?;
                self.finished = true;
                Ok(())
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.open.is_some() && !self.finished {
            // Half a backup would only mislead; nothing was changed in the database before it is whole.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn unopened() -> io::Error {
    io::Error::other("the backup has no header yet")
}

impl Open {
    fn create(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path.parent().filter(|path| !path.as_os_str().is_empty()) {
            std::fs::create_dir_all(directory)?;
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        Ok(Self {
            file: BufWriter::new(file),
            digest: Sha256::new(),
            rows: 0,
        })
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.digest.update(&text);
        self.file.write_all(&text)
    }

    fn end(&mut self) -> io::Result<()> {
        let trailer = Trailer {
            rows: self.rows,
            checksum: checksum(std::mem::take(&mut self.digest)),
        };
        let mut text = serde_json::to_vec(&trailer)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

/// The file's name is on the disk too.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|path| !path.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn checksum(digest: Sha256) -> String {
    use std::fmt::Write as _;
    let bytes = digest.finalize();
    bytes.iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A backup that was read to its end and found whole.
#[derive(Debug)]
pub struct Backup {
    header: Header,
    rows: u64,
    file: BufReader<File>,
}

impl Backup {
    /// Opens a backup and checks it from the first byte to the last.
    ///
    /// # Errors
    /// When it cannot be read, is none, is cut short or was changed.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |e: io::Error| Error::Unreadable {
            path: path.to_owned(),
            reason: e.to_string(),
        };
        let unusable = |reason: &str| Error::Unusable {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut first = Vec::new();
        // A file of another kind may be one endless line.
        file.by_ref()
            .take(1 << 20)
            .read_until(b'\n', &mut first)
            .map_err(unreadable)?;
        let header: Header = serde_json::from_slice(&first)
            .ok()
            .filter(|header: &Header| header.schema == SCHEMA)
            .ok_or_else(|| unusable("it is no backup of a migration"))?;
        let mut digest = Sha256::new();
        let (mut line, mut lines, mut trailer) = (first, 0_u64, None);
        while !line.is_empty() {
            let next = read_line(&mut file).map_err(unreadable)?;
            if next.is_empty() {
                trailer = serde_json::from_slice::<Trailer>(&line).ok();
            } else {
                digest.update(&line);
                lines += 1;
            }
            line = next;
        }
        let trailer = trailer.ok_or_else(|| unusable("its end is missing"))?;
        // The header is a line and no row.
        if trailer.checksum != checksum(digest) || trailer.rows + 1 != lines {
            return Err(unusable(
                "its checksum is wrong: it was changed or is damaged",
            ));
        }
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        read_line(&mut file).map_err(unreadable)?;
        Ok(Self {
            header,
            rows: trailer.rows,
            file,
        })
    }

    /// What it is a backup of.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many rows it has.
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// It has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Its rows, read as they are asked for.
    pub fn rows(self) -> impl Iterator<Item = io::Result<Row>> + Send {
        let mut file = self.file;
        (0..self.rows).map(move |_| {
            let line = read_line(&mut file)?;
            serde_json::from_slice(&line).map_err(io::Error::from)
        })
    }
}

fn read_line(file: &mut BufReader<File>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    file.read_until(b'\n', &mut line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::migration::backup::{Engine, Table};
    use std::os::unix::fs::PermissionsExt as _;

    fn header() -> Header {
        Header {
            schema: SCHEMA.into(),
            engine: Engine::Sqlite,
            database: "x".into(),
            made_at: "now".into(),
            changes: Vec::new(),
        }
    }

    fn row(id: i64) -> Row {
        Row {
            table: Table::Runs,
            id,
            before: serde_json::Map::new(),
            after: None,
        }
    }

    fn written(path: &Path) {
        let mut writer = Writer::new(path);
        writer.take(Line::Header(&header())).unwrap();
        for id in 0..3 {
            writer.take(Line::Row(&row(id))).unwrap();
        }
        writer.take(Line::End).unwrap();
    }

    #[test]
    fn what_was_written_comes_back_and_is_the_owners_only() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new/b.jsonl");
        written(&path);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let backup = Backup::open(&path).unwrap();
        assert_eq!((backup.header(), backup.len()), (&header(), 3));
        let rows: Vec<Row> = backup.rows().map(Result::unwrap).collect();
        assert_eq!(rows, [row(0), row(1), row(2)]);
    }

    #[test]
    fn one_that_is_there_is_not_written_over_and_half_a_one_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("b.jsonl");
        written(&path);
        let before = std::fs::read(&path).unwrap();
        let error = Writer::new(&path)
            .take(Line::Header(&header()))
            .unwrap_err();
        assert!(error.to_string().contains("b.jsonl"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        let half = home.path().join("half.jsonl");
        let mut writer = Writer::new(&half);
        writer.take(Line::Header(&header())).unwrap();
        assert!(half.exists());
        drop(writer);
        assert!(!half.exists());
    }

    #[test]
    fn a_backup_that_is_not_whole_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("b.jsonl");
        written(&path);
        let whole = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.lines().collect();
        let cases = [
            String::new(),
            "no backup\n".into(),
            format!("{}\n", lines[0]),
            lines[..3].join("\n"),
            whole.replace("\"id\":1", "\"id\":7"),
            format!("{}\n{}\n{}\n", lines[0], lines[1], lines[4]),
            whole[..whole.len() - 3].to_owned(),
        ];
        for case in cases {
            std::fs::write(&path, &case).unwrap();
            let error = Backup::open(&path).unwrap_err();
            assert!(matches!(error, Error::Unusable { .. }), "{case:?}: {error}");
        }
    }
}
