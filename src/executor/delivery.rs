//! Handing over the result: the file, if one is asked for, then the last line (contract 5.6).

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Invocation;
use super::json;
use super::result::{RESULT_PREFIX, Report};
use super::stream::Outlets;

const OUTPUT_VARIABLE: &str = "LLMCTL_EXECUTOR_OUTPUT_FILE";

/// Writes the result and returns the exit code. A file that cannot be written is a warning in the result; a result
/// line that cannot be written makes a success a failure, because nobody could see it.
pub(super) fn deliver(mut report: Report, invocation: &Invocation, outlets: &Outlets) -> i32 {
    if let Some(path) = output_file(invocation)
        && let Err(error) = write(&path, &json::indented(&report.document))
    {
        let warning = format!(
            "The result file {} could not be written: {error}.",
            path.display()
        );
        outlets.stderr.say(&warning);
        report.warn(warning);
    }
    outlets.stderr.end_line();
    let line = format!("{RESULT_PREFIX}{}", json::line(&report.document));
    if let Err(error) = outlets.stdout.finish(&line) {
        outlets
            .stderr
            .say(&format!("the result line could not be written: {error}"));
        return report.exit_code.max(1);
    }
    report.exit_code
}

fn output_file(invocation: &Invocation) -> Option<PathBuf> {
    let named = invocation
        .output_file
        .clone()
        .filter(|path| !path.as_os_str().is_empty());
    named.or_else(|| {
        let set = env::var_os(OUTPUT_VARIABLE).filter(|value| !value.is_empty());
        set.map(PathBuf::from)
    })
}

/// All or nothing, so that whoever watches the file never reads half a result. What cannot be replaced, such as a
/// device or a file that is a mount of its own, is written in place.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(parent)?;
    let replaceable = fs::symlink_metadata(path).map_or(true, |there| there.is_file());
    if !replaceable {
        return fs::write(path, text);
    }
    replace(path, parent, text).or_else(|_| fs::write(path, text))
}

fn replace(path: &Path, parent: &Path, text: &str) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(parent)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
