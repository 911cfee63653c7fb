//! Replacing a file so that a reader sees the old or the new one and never half of it.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Why a file was not replaced. The old one is as it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{} is read-only; nothing was written (chmod u+w makes it writable)", .0.display())]
    ReadOnly(PathBuf),
    #[error("{} changed while it was being saved; nothing was written: read it again", .0.display())]
    Changed(PathBuf),
    #[error("the disk of {} is full; nothing was written, the old file is as it was", .0.display())]
    Full(PathBuf),
    #[error("cannot {doing} {}: {reason}; nothing was written", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        reason: String,
    },
}

/// Replaces what `path` holds by `new`, if it still holds `expected` (`None`: there is no file). A link is followed,
/// the mode is kept, missing directories are made, and the new bytes are on the disk before the name points at them.
///
/// # Errors
/// Nothing was written.
pub fn replace(path: &Path, expected: Option<&[u8]>, new: &[u8]) -> Result<(), WriteError> {
    let real = follow(path);
    let directory = match real.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory).map_err(|e| failed("make the directory", directory, &e))?;
    let old = match fs::metadata(&real) {
        Ok(old) => Some(old),
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        Err(e) => return Err(failed("look at", &real, &e)),
    };
    // A rename would replace it all the same; whoever made it read-only did not mean that.
    if old.as_ref().is_some_and(|old| old.permissions().readonly()) {
        return Err(WriteError::ReadOnly(real));
    }
    let mut temporary = new_beside(&real, directory)?;
    let written = temporary
        .write_all(new)
        .and_then(|()| match &old {
            Some(old) => temporary.as_file().set_permissions(old.permissions()),
            None => Ok(()),
        })
        .and_then(|()| temporary.as_file().sync_all());
    written.map_err(|e| failed("write", &real, &e))?;
    let now = match fs::read(&real) {
        Ok(bytes) => Some(bytes),
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        Err(e) => return Err(failed("read", &real, &e)),
    };
    if now.as_deref() != expected {
        return Err(WriteError::Changed(real));
    }
    temporary
        .persist(&real)
        .map_err(|e| failed("replace", &real, &e.error))?;
    // The file is whole either way; without this a power cut may bring back the old name.
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}

/// The temporary file, with the mode that a new file gets.
fn new_beside(real: &Path, directory: &Path) -> Result<tempfile::NamedTempFile, WriteError> {
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    let mut builder = tempfile::Builder::new();
    let prefix = format!(".{name}.");
    builder.prefix(&prefix).suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
        .tempfile_in(directory)
        .map_err(|e| failed("write beside", real, &e))
}

/// The file that a link stands for, also when it is not there yet.
fn follow(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    match fs::read_link(path) {
        Ok(target) => path.parent().unwrap_or(Path::new("")).join(target),
        Err(_) => path.to_path_buf(),
    }
}

fn failed(doing: &'static str, path: &Path, error: &io::Error) -> WriteError {
    let path = path.to_path_buf();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => WriteError::Full(path),
        ErrorKind::ReadOnlyFilesystem => WriteError::ReadOnly(path),
        _ => WriteError::Io {
            doing,
            path,
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn names(directory: &Path) -> Vec<String> {
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_new_file_gets_its_directories() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/f");
        replace(&path, None, b"x").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
        assert_eq!(names(path.parent().unwrap()), ["f"]);
    }

    #[test]
    fn mode_and_link_stay() {
        let root = tempfile::tempdir().unwrap();
        let (real, link) = (root.path().join("real"), root.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        replace(&link, Some(b"old"), b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }

    #[test]
    fn a_link_to_nothing_yet_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let link = root.path().join("link");
        symlink("real", &link).unwrap();
        replace(&link, None, b"new").unwrap();
        assert_eq!(fs::read(root.path().join("real")).unwrap(), b"new");
    }

    #[test]
    fn a_read_only_file_is_refused_and_left() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let error = replace(&path, Some(b"old"), b"new").unwrap_err();
        assert!(matches!(error, WriteError::ReadOnly(_)), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(root.path()), ["f"]);
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        fs::write(&path, "theirs").unwrap();
        for expected in [Some(b"old".as_slice()), None] {
            let error = replace(&path, expected, b"new").unwrap_err();
            assert!(matches!(error, WriteError::Changed(_)), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(root.path()), ["f"]);
    }

    #[test]
    fn a_full_disk_says_so() {
        let error = failed("write", Path::new("f"), &ErrorKind::StorageFull.into());
        assert!(error.to_string().contains("full"));
    }
}
