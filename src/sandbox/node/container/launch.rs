//! What a container's spec comes to as a process of this machine.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

use super::Runner;
use crate::executor::stop::PARENT_VARIABLE;
use crate::sandbox::events::Tone;
use crate::sandbox::images::Reference;
use crate::sandbox::node::environment::{self, Environment};
use crate::sandbox::node::paths::Paths;
use crate::sandbox::node::process::Launch;
use crate::sandbox::node::status::Ended;
use crate::sandbox::node::volumes::private_dir;
use crate::sandbox::object::meta;
use crate::sandbox::warden;

impl Runner {
    /// The process of the next instance, with its directories made and its volumes mounted.
    pub(super) fn launch(
        &self,
        reference: &Reference,
        spec: Environment,
        id: &str,
    ) -> std::io::Result<Launch> {
        let container = &self.container.spec;
        let dir = self.dir.join("containers").join(format!(
            "{}-{}",
            self.container.name(),
            self.container.restarts
        ));
        let (root, home, scratch) = (dir.join("root"), dir.join("home"), dir.join("tmp"));
        for one in [&root, &home, &scratch] {
            private_dir(one)?;
        }
        let mounts = container["volumeMounts"].as_array().into_iter().flatten();
        let paths = Paths::new(
            root.clone(),
            mounts.filter_map(|mount| mount["mountPath"].as_str().map(str::to_owned)),
        );
        self.volumes.mount(container, &paths)?;

        let shown = |path: &std::path::Path| path.display().to_string();
        let mut env = Environment::from([
            (
                "PATH".to_owned(),
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            ),
            ("HOME".to_owned(), shown(&home)),
            ("TMPDIR".to_owned(), shown(&scratch)),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("HOSTNAME".to_owned(), meta(&self.pod, "name").to_owned()),
            (
                "LLMCTL_EXECUTOR_DEFAULT_CWD".to_owned(),
                shown(&paths.place("/tmp/llmctl-workspace")),
            ),
        ]);
        if let Some(flavor) = reference.flavor() {
            env.insert("LLMCTL_EXECUTOR_FLAVOR".to_owned(), flavor.to_owned());
        }
        env.extend(
            spec.iter()
                .map(|(name, value)| (name.clone(), paths.text(value))),
        );

        let words = |field: &str| -> Vec<OsString> {
            let all = container[field]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            all.map(|word| paths.text(&environment::expanded(word, &spec)).into())
                .collect()
        };
        let mut argv = words("command");
        if argv.is_empty() {
            argv.clone_from(&self.context.executor);
            // Should this program be killed, no executor goes on unseen.
            env.insert(PARENT_VARIABLE.to_owned(), "1".to_owned());
        }
        argv.extend(words("args"));
        env.insert(
            warden::MARK.to_owned(),
            self.context.dir.display().to_string(),
        );
        let dir = match container["workingDir"]
            .as_str()
            .filter(|dir| !dir.is_empty())
        {
            Some(dir) => match paths.here(dir) {
                Some(here) => {
                    std::fs::create_dir_all(&here)?;
                    here
                }
                None => PathBuf::from(dir),
            },
            None => root,
        };
        Ok(Launch {
            argv,
            env,
            dir,
            id: id.to_owned(),
        })
    }

    /// The end of an instance that never began.
    pub(super) fn start_error(&self, error: &std::io::Error) -> Ended {
        let program = self.container.spec["command"][0]
            .as_str()
            .unwrap_or("executor");
        let why = match error.kind() {
            std::io::ErrorKind::NotFound if program.contains('/') => {
                format!("exec: {program:?}: stat {program}: no such file or directory")
            }
            std::io::ErrorKind::NotFound => {
                format!("exec: {program:?}: executable file not found in $PATH")
            }
            std::io::ErrorKind::PermissionDenied => format!("exec: {program:?}: permission denied"),
            _ => error.to_string(),
        };
        let message = format!(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: {why}: unknown"
        );
        self.tell(Tone::Warning, "Failed", &format!("Error: {message}"));
        Ended {
            exit_code: 128,
            reason: "StartError".to_owned(),
            message: Some(message),
            started: Some(jiff::Timestamp::UNIX_EPOCH),
            finished: Some(self.context.store.clock().now()),
            container_id: self.container.id.clone(),
        }
    }
}

/// 64 random hex digits.
pub(super) fn container_id() -> String {
    let mut bytes = [0_u8; 32];
    // Without randomness two containers could share an id; nothing is found by it but processes of this run.
    let _ = getrandom::fill(&mut bytes);
    let mut id = String::with_capacity(64);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}
