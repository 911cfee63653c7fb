//! What can go wrong with a cluster: one sentence that names the object, the cluster and the next step, and a kind for exit codes.

use super::rest::Asked;
use crate::domain::guard::Refusal;
use std::error::Error as StdError;
use std::path::PathBuf;

/// An error of the cluster edge. `Display` is one sentence for a person; it never holds credentials or a dump.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No target: nothing to connect to, or not safe to.
    #[error(transparent)]
    Refused(#[from] Refusal),

    /// The kubeconfig cannot be used. The text says where, never what stands there.
    #[error("{reason}: repair the kubeconfig, or name another with --kubeconfig")]
    Kubeconfig { reason: String },

    /// The file is not there or cannot be read.
    #[error("cannot read kubeconfig {}: {source}; name another with --kubeconfig", path.display())]
    KubeconfigFile {
        path: PathBuf,
        source: std::io::Error,
    },

    /// Nobody answers, or what answers is not ready.
    #[error("cannot {what} at {cluster}: {reason}; is the cluster running?")]
    Unreachable {
        what: String,
        cluster: String,
        reason: String,
    },

    /// 401: the credentials are not accepted.
    #[error(
        "cannot {what} at {cluster}: the credentials of the kubeconfig are not accepted ({reason}); renew them"
    )]
    Unauthorized {
        what: String,
        cluster: String,
        reason: String,
    },

    /// 403: known, but not allowed to.
    #[error(
        "cannot {what} at {cluster}: not allowed; the account needs the verb {verb} on {resource} ({reason})"
    )]
    Denied {
        what: String,
        cluster: String,
        verb: &'static str,
        resource: String,
        reason: String,
    },

    /// 403: allowed to, but a quota is used up.
    #[error("cannot {what} at {cluster}: a quota of the namespace leaves no room ({reason})")]
    Quota {
        what: String,
        cluster: String,
        reason: String,
    },

    /// 404.
    #[error("cannot {what} at {cluster}: not found ({reason})")]
    NotFound {
        what: String,
        cluster: String,
        reason: String,
    },

    /// A change came after the deletion of its object.
    #[error("too late to {what} at {cluster}: it is being removed already")]
    Going { what: String, cluster: String },

    /// 404 on create.
    #[error("cannot {what} at {cluster}: the namespace is not there; `{step}` makes it")]
    NoNamespace {
        what: String,
        cluster: String,
        step: String,
    },

    /// 409 on create.
    #[error("cannot {what} at {cluster}: it exists already; remove it or use another name")]
    Exists { what: String, cluster: String },

    /// 409 otherwise: somebody changed it, or it is not the one that was meant.
    #[error(
        "cannot {what} at {cluster}: it is not what it was any more ({reason}); look at it and try again"
    )]
    Conflict {
        what: String,
        cluster: String,
        reason: String,
    },

    /// 400 and 422: the object is wrong.
    #[error("cannot {what} at {cluster}: {reason}")]
    Invalid {
        what: String,
        cluster: String,
        reason: String,
    },

    /// 410: the version that was asked for is too old; list again.
    #[error("cannot {what} at {cluster}: the cluster does not remember that far back")]
    Gone { what: String, cluster: String },

    /// The first write was made, the second failed, and the first could not be taken back.
    #[error("{error}; what was made before could not be taken back: {left}")]
    HalfDone { error: Box<Error>, left: Box<Error> },

    /// No answer came to a write, and nobody could say whether it was made.
    #[error(
        "cannot tell whether {what} was made at {cluster}: {reason}; look for it before you run it again"
    )]
    Unknown {
        what: String,
        cluster: String,
        reason: String,
    },

    /// What does not fit elsewhere.
    #[error("cannot {what} at {cluster}: {reason}")]
    Other {
        what: String,
        cluster: String,
        reason: String,
    },
}

/// The kinds that a caller tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Refused for safety: exit code 4.
    Refused,
    /// No cluster to talk to: exit code 3.
    Unreachable,
    /// The kubeconfig or an object is wrong: exit code 5.
    Invalid,
    /// 401 or 403.
    Denied,
    NotFound,
    /// 409.
    Conflict,
    /// 410.
    Gone,
    /// It may have been done: exit code 8.
    Unknown,
    Other,
}

impl Error {
    /// What kind of error it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Refused(refusal) if refusal.is_safety() => Kind::Refused,
            Self::Refused(_) | Self::Unreachable { .. } => Kind::Unreachable,
            Self::Kubeconfig { .. } | Self::KubeconfigFile { .. } | Self::Invalid { .. } => {
                Kind::Invalid
            }
            Self::Unauthorized { .. } | Self::Denied { .. } | Self::Quota { .. } => Kind::Denied,
            Self::NotFound { .. } | Self::Going { .. } | Self::NoNamespace { .. } => Kind::NotFound,
            Self::Exists { .. } | Self::Conflict { .. } => Kind::Conflict,
            Self::Gone { .. } => Kind::Gone,
            Self::Unknown { .. } => Kind::Unknown,
            Self::HalfDone { error, .. } => error.kind(),
            Self::Other { .. } => Kind::Other,
        }
    }

    /// Turns kube's error into ours; `asked` says what was tried.
    pub(in crate::cluster) fn of(asked: &Asked, cluster: &str, error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                Self::of_status(asked, cluster, status.code, &status.reason, &status.message)
            }
            other => {
                let (what, cluster, reason) =
                    (asked.to_string(), cluster.to_owned(), innermost(other));
                if is_answer(other) {
                    Self::Other {
                        what,
                        cluster,
                        reason,
                    }
                } else {
                    Self::Unreachable {
                        what,
                        cluster,
                        reason,
                    }
                }
            }
        }
    }

    /// Turns an answer of the API server into an error.
    pub(in crate::cluster) fn of_status(
        asked: &Asked,
        cluster: &str,
        code: u16,
        word: &str,
        message: &str,
    ) -> Self {
        let (what, cluster) = (asked.to_string(), cluster.to_owned());
        let reason = match (message.trim(), word) {
            ("", "") => format!("status {code}"),
            ("", word) => word.to_owned(),
            (message, _) => message.to_owned(),
        };
        match code {
            400 | 413 | 415 | 422 => Self::Invalid {
                what,
                cluster,
                reason,
            },
            401 => Self::Unauthorized {
                what,
                cluster,
                reason,
            },
            403 if reason.contains("exceeded quota") => Self::Quota {
                what,
                cluster,
                reason,
            },
            403 => Self::Denied {
                what,
                cluster,
                verb: asked.verb,
                resource: asked.resource.to_string(),
                reason,
            },
            404 => Self::NotFound {
                what,
                cluster,
                reason,
            },
            409 if word == "AlreadyExists" => Self::Exists { what, cluster },
            409 => Self::Conflict {
                what,
                cluster,
                reason,
            },
            410 => Self::Gone { what, cluster },
            429 | 500 | 502..=504 => Self::Unreachable {
                what,
                cluster,
                reason,
            },
            _ => Self::Other {
                what,
                cluster,
                reason,
            },
        }
    }

    /// No answer came in time.
    pub(in crate::cluster) fn silence(asked: &Asked, cluster: &str, seconds: u64) -> Self {
        Self::Unreachable {
            what: asked.to_string(),
            cluster: cluster.to_owned(),
            reason: format!("no answer within {seconds} s"),
        }
    }
}

/// The server was reached, and what it said makes no sense to us.
fn is_answer(error: &kube::Error) -> bool {
    use kube::Error as E;
    matches!(
        error,
        E::SerdeError(_)
            | E::FromUtf8(_)
            | E::BuildRequest(_)
            | E::HttpError(_)
            | E::LinesCodecMaxLineLengthExceeded
    )
}

/// The deepest cause: the outer ones repeat it, and kube's own text may end in a dump.
pub(in crate::cluster) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::rest::Resource;

    fn from(code: u16, word: &str, message: &str) -> Error {
        let asked = Asked::object("create", Resource::Jobs, "llmctl", "llmctl-exec-1");
        Error::of_status(&asked, "MINIKUBE llmctl", code, word, message)
    }

    #[test]
    fn an_answer_becomes_one_sentence_with_object_cluster_and_next_step() {
        let table = [
            (
                403,
                "Forbidden",
                "jobs.batch is forbidden",
                Kind::Denied,
                "verb create on jobs",
            ),
            (
                403,
                "Forbidden",
                "jobs.batch is forbidden: exceeded quota: two",
                Kind::Denied,
                "a quota of the namespace leaves no room",
            ),
            (
                401,
                "Unauthorized",
                "Unauthorized",
                Kind::Denied,
                "renew them",
            ),
            (
                404,
                "NotFound",
                "namespaces \"llmctl\" not found",
                Kind::NotFound,
                "namespaces \"llmctl\" not found",
            ),
            (
                409,
                "AlreadyExists",
                "jobs.batch \"x\" already exists",
                Kind::Conflict,
                "exists already",
            ),
            (
                409,
                "Conflict",
                "uid mismatch",
                Kind::Conflict,
                "uid mismatch",
            ),
            (
                422,
                "Invalid",
                "spec.template: Required value",
                Kind::Invalid,
                "spec.template: Required value",
            ),
            (410, "Expired", "too old", Kind::Gone, "remember"),
            (
                503,
                "ServiceUnavailable",
                "",
                Kind::Unreachable,
                "ServiceUnavailable",
            ),
            (418, "", "", Kind::Other, "status 418"),
        ];
        for (code, word, message, kind, part) in table {
            let error = from(code, word, message);
            let text = error.to_string();
            assert_eq!(error.kind(), kind, "{text}");
            for part in [
                part,
                "MINIKUBE llmctl",
                "create job llmctl-exec-1 in namespace llmctl",
            ] {
                assert!(text.contains(part), "{text} lacks {part}");
            }
            assert!(!text.contains("Status {"), "{text}");
        }
    }

    #[test]
    fn a_status_in_kubes_error_is_not_dumped() {
        let status = kube::core::Status::failure("quota exceeded", "Forbidden")
            .with_code(403)
            .boxed();
        let asked = Asked::object("create", Resource::Jobs, "llmctl", "j");
        let text = Error::of(&asked, "CONTEXT kind", &kube::Error::Api(status)).to_string();
        assert!(
            text.contains("quota exceeded") && !text.contains("Some("),
            "{text}"
        );
    }

    #[test]
    fn the_innermost_cause_is_told() {
        let refused =
            std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let outer = kube::Error::Service(Box::new(std::io::Error::other(refused)));
        assert_eq!(innermost(&outer), "connection refused");
    }
}
