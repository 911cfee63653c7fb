//! `sandbox` on the command line: the embedded cluster for kubectl, for as long as the command runs.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::headless::caught;
use super::output::{self, Format};
use crate::sandbox::faults::{Faults, Planned};
use crate::sandbox::serve::{KUBECONFIG_MARK, kubeconfig};
use crate::sandbox::{Config, Sandbox};

/// Arguments of `sandbox`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Loopback address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// What is to go wrong, repeatable: api-down=S, slow=S, 500=N, 429=N, 503=N, drop-watches, compact-history,
    /// node-silent=S, slow-pulls=S, clock=S, out-of-memory; with @S behind, S seconds after the start
    #[arg(long, value_name = "FAULT", value_delimiter = ',')]
    pub fault: Vec<Planned>,
}

/// Runs `sandbox` until it is interrupted. The kubeconfig goes to `--kubeconfig FILE`, or to a file that goes with the command.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    if !args.listen.ip().is_loopback() {
        return Err(Failure::new(
            Exit::Refused,
            format!(
                "--listen {}: the sandbox runs commands as you, so it listens on loopback addresses only",
                args.listen
            ),
        ));
    }
    let mut signals = caught()?;
    let program = std::env::current_exe()
        .map_err(|error| Failure::other(format!("cannot find this program's own file: {error}")))?;
    let sandbox = Sandbox::start(Config {
        executor: vec![program.into(), "executor".into()],
        base: Timestamp::now(),
        faults: Faults::default(),
    })
    .map_err(|error| Failure::other(format!("the sandbox cannot be started: {error}")))?;
    let served = sandbox
        .serve(args.listen)
        .await
        .map_err(|error| Failure::other(format!("cannot listen on {}: {error}", args.listen)))?;
    let (file, _directory) = place(globals.kubeconfig.as_deref())?;
    write(&file, &kubeconfig(&served))
        .map_err(|error| Failure::other(format!("cannot write {}: {error}", file.display())))?;
    announce(globals.output, served.addr, &file)?;
    let injector = sandbox.injector();
    tokio::select! {
        () = signals.any() => {}
        () = injector.inject_in_time(args.fault, tell_fault) => {}
    }
    sandbox.stop().await;
    // It leads nowhere any more, and its token is void.
    let _ = fs::remove_file(&file);
    Ok(Exit::Ok)
}

fn tell_fault(said: String) {
    output::progress(&format!("fault: {said}"));
}

/// The file for the kubeconfig, and the directory that goes with the command when no file was named.
fn place(named: Option<&Path>) -> Result<(PathBuf, Option<tempfile::TempDir>), Failure> {
    let Some(named) = named else {
        let directory = tempfile::Builder::new()
            .prefix("llmctl-dev-")
            .tempdir()
            .map_err(|error| {
                Failure::other(format!(
                    "cannot make a directory for the kubeconfig: {error}"
                ))
            })?;
        return Ok((directory.path().join("kubeconfig"), Some(directory)));
    };
    match fs::read_to_string(named) {
        Ok(text) if !text.starts_with(KUBECONFIG_MARK) => Err(Failure::new(
            Exit::Refused,
            format!(
                "{} holds another kubeconfig and is left as it is; name a new file",
                named.display()
            ),
        )),
        _ => Ok((named.to_owned(), None)),
    }
}

/// Writes a file that only its owner reads, whole or not at all.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut part = file.as_os_str().to_owned();
    part.push(format!(".{}", std::process::id()));
    let part = PathBuf::from(part);
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)?;
    out.write_all(text.as_bytes())
        .and_then(|()| fs::rename(&part, file))
        .inspect_err(|_| {
            let _ = fs::remove_file(&part);
        })
}

fn announce(format: Format, addr: SocketAddr, file: &Path) -> Result<(), Failure> {
    let server = format!("https://{addr}");
    match format {
        Format::Text => {
            output::progress(&format!(
                "sandbox on {server}; Ctrl-C ends it and everything in it"
            ));
            output::text(&format!("export KUBECONFIG={}\n", file.display()))
        }
        other => output::document(
            other,
            &json!({
                "schema": "llmctl-dev/sandbox/v1",
                "target": {"kind": "sandbox", "name": "sandbox", "server": server},
                "kubeconfig": file,
            }),
        ),
    }
}
