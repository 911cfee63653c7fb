//! Which cluster a session may write to: the Minikube profile without being asked, another context only when it is named and local or allowed.

use super::target::{Target, TargetKind};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A kubeconfig context, as far as the decision needs it. Holds no credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    pub name: String,
    /// URL of the API server; empty when the context names a cluster that is not there.
    pub server: String,
    /// Minikube made it: its mark is in the context's or cluster's extensions, or the certificates lie in a `.minikube` directory.
    pub minikube: bool,
    /// The cluster is reached through a proxy, so the server's address says nothing about where it is.
    pub proxied: bool,
}

/// What the person asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing was named: the context of this Minikube profile.
    Profile(String),
    /// `--context NAME`.
    Context(String),
}

/// Why there is no target. `Display` says what was found and how to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The kubeconfig has no such context; nothing was decided about safety.
    NoContext { wanted: Wanted, known: Vec<String> },
    /// The context has no server to connect to.
    NoServer { context: String },
    /// A context is named like the profile, but Minikube did not make it.
    NotMinikube { context: String },
    /// The server is not on this machine or a private network, and the context is not on the list of allowed ones.
    NotLocal { context: String, server: String },
    /// The server is reached through a proxy, and the context is not on the list of allowed ones.
    Proxied { context: String },
}

impl Refusal {
    /// The refusal is about safety (exit code 4) and not about something missing (exit code 3).
    pub fn is_safety(&self) -> bool {
        match self {
            Self::NoContext { .. } | Self::NoServer { .. } => false,
            Self::NotMinikube { .. } | Self::NotLocal { .. } | Self::Proxied { .. } => true,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoContext {
                wanted: Wanted::Profile(name),
                ..
            } => write!(
                f,
                "the kubeconfig has no context named {name}: start the Minikube profile {name}, or name another context with --context"
            ),
            Self::NoContext {
                wanted: Wanted::Context(name),
                known,
            } if known.is_empty() => {
                write!(
                    f,
                    "the kubeconfig has no context named {name}, nor any other"
                )
            }
            Self::NoContext {
                wanted: Wanted::Context(name),
                known,
            } => {
                write!(
                    f,
                    "the kubeconfig has no context named {name}; it has {}",
                    known.join(", ")
                )
            }
            Self::NoServer { context } => {
                write!(
                    f,
                    "context {context} names a cluster without a server address: repair the kubeconfig"
                )
            }
            Self::NotMinikube { context } => write!(
                f,
                "context {context} was not made by Minikube, so it is not used without being named: say --context {context} if you mean it"
            ),
            Self::NotLocal { context, server } => write!(
                f,
                "refused: context {context} at {server} does not look local; to work on it anyway, add \"{context}\" to context.allow in config.toml"
            ),
            Self::Proxied { context } => write!(
                f,
                "refused: context {context} goes through a proxy, so where its cluster is cannot be told; to work on it anyway, add \"{context}\" to context.allow in config.toml"
            ),
        }
    }
}

impl std::error::Error for Refusal {}

/// Chooses the target among `contexts`; `allowed` is the config file's list of contexts that may be worked on wherever they are.
///
/// # Errors
/// A [`Refusal`], when the context is missing, unusable or not safe to write to.
pub fn decide(
    contexts: &[Context],
    wanted: &Wanted,
    allowed: &[String],
) -> Result<Target, Refusal> {
    let (Wanted::Profile(name) | Wanted::Context(name)) = wanted;
    let Some(context) = contexts.iter().find(|c| c.name == *name) else {
        return Err(Refusal::NoContext {
            wanted: wanted.clone(),
            known: contexts.iter().map(|c| c.name.clone()).collect(),
        });
    };
    let context_name = || context.name.clone();
    if context.server.is_empty() {
        return Err(Refusal::NoServer {
            context: context_name(),
        });
    }
    if matches!(wanted, Wanted::Profile(_)) && !context.minikube {
        return Err(Refusal::NotMinikube {
            context: context_name(),
        });
    }
    if !allowed.contains(&context.name) {
        if context.proxied {
            return Err(Refusal::Proxied {
                context: context_name(),
            });
        }
        if !looks_local(&context.server) {
            return Err(Refusal::NotLocal {
                context: context_name(),
                server: shown(&context.server),
            });
        }
    }
    Ok(Target {
        kind: if context.minikube {
            TargetKind::Minikube
        } else {
            TargetKind::Context
        },
        name: context_name(),
        server: shown(&context.server),
    })
}

/// Names that container tools bind to the host.
const HOST_NAMES: [&str; 4] = [
    "localhost",
    "host.docker.internal",
    "kubernetes.docker.internal",
    "host.containers.internal",
];

/// A server URL that points at this machine or a private network: a loopback, private, link-local or carrier-grade NAT
/// address, or one of the few names that container tools bind to the host. Other names are not resolved and not trusted.
pub fn looks_local(server: &str) -> bool {
    let Some(host) = host(server) else {
        return false;
    };
    if let Some(v6) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return v6
            .parse::<Ipv6Addr>()
            .is_ok_and(|ip| is_local(IpAddr::V6(ip)));
    }
    if let Ok(v4) = host.parse::<Ipv4Addr>() {
        return is_local(IpAddr::V4(v4));
    }
    HOST_NAMES
        .iter()
        .any(|name| host.eq_ignore_ascii_case(name))
}

fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let carrier_nat = a == 100 && (64..128).contains(&b);
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || carrier_nat
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_local(IpAddr::V4(v4)),
            None => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        },
    }
}

/// Host of an `http` or `https` URL, brackets kept. Nothing for a URL that two readers could read differently.
fn host(server: &str) -> Option<&str> {
    let rest = server
        .strip_prefix("https://")
        .or_else(|| server.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    if authority.contains(['@', '\\', '%'])
        || authority
            .chars()
            .any(|c| c.is_whitespace() || c.is_control())
    {
        return None;
    }
    let (host, port) = match authority.rfind(']') {
        Some(end) => authority.split_at(end + 1),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port_fits = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|p| p.parse::<u16>().is_ok());
    (port_fits && !host.is_empty()).then_some(host)
}

/// The URL without credentials in it, should somebody have put some there.
fn shown(server: &str) -> String {
    match (server.find("://"), server.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}{}", &server[..scheme + 3], &server[at + 1..])
        }
        _ => server.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(name: &str, server: &str, minikube: bool) -> Context {
        Context {
            name: name.into(),
            server: server.into(),
            minikube,
            proxied: false,
        }
    }

    fn profile() -> Wanted {
        Wanted::Profile("llmctl".into())
    }

    #[test]
    fn what_looks_local() {
        for server in [
            "https://127.0.0.1:8443",
            "https://127.8.8.8",
            "http://10.250.0.1:8443",
            "https://172.16.0.1",
            "https://172.31.255.255:1",
            "https://192.168.49.2:8443",
            "https://169.254.1.1",
            "https://100.64.0.1",
            "https://100.127.0.9:6443",
            "https://[::1]:6443",
            "https://[fd00::1]",
            "https://[fe80::1]:1",
            "https://[::ffff:10.0.0.1]:6443",
            "https://localhost:6443",
            "https://LocalHost",
            "https://kubernetes.docker.internal:6443",
            "https://host.docker.internal",
            "https://192.168.49.2:8443/prefix",
        ] {
            assert!(looks_local(server), "{server}");
        }
        for server in [
            "",
            "https://",
            "127.0.0.1",
            "ftp://127.0.0.1",
            "https://8.8.8.8",
            "https://172.32.0.1",
            "https://172.15.0.1",
            "https://100.63.0.1",
            "https://100.128.0.1",
            "https://192.169.0.1",
            "https://0.0.0.0",
            "https://[::]",
            "https://[2001:db8::1]",
            "https://[::ffff:8.8.8.8]",
            "https://example.com",
            "https://localhost.example.com",
            "https://10.0.0.1.example.com",
            "https://127.0.0.1@example.com",
            "https://example.com#@127.0.0.1",
            "https://example.com\\@127.0.0.1",
            "https://010.0.0.1",
            "https://2130706433",
            "https://127.1",
            "https://127.0.0.1:99999",
            "https://127.0.0.1:80:80",
            "https://[::1",
            "https://[::1]x",
            "https://::1",
            "https://dev.local",
            "https://127.0.0.1 .example.com",
            "https://%31%32%37.0.0.1",
        ] {
            assert!(!looks_local(server), "{server}");
        }
    }

    #[test]
    fn bare_takes_the_profile_that_minikube_made_and_no_other() {
        let made = [context("llmctl", "https://192.168.49.2:8443", true)];
        let target = decide(&made, &profile(), &[]).unwrap();
        assert_eq!(
            (target.kind, target.name.as_str()),
            (TargetKind::Minikube, "llmctl")
        );

        let look_alike = [context("llmctl", "https://192.168.49.2:8443", false)];
        let refusal = decide(&look_alike, &profile(), &[]).unwrap_err();
        assert!(
            refusal.is_safety() && refusal.to_string().contains("--context llmctl"),
            "{refusal}"
        );

        let elsewhere = [context("other", "https://192.168.49.2:8443", true)];
        let refusal = decide(&elsewhere, &profile(), &[]).unwrap_err();
        assert!(
            !refusal.is_safety() && refusal.to_string().contains("profile llmctl"),
            "{refusal}"
        );
    }

    #[test]
    fn a_named_context_must_be_local_or_allowed() {
        let contexts = [
            context("kind", "https://127.0.0.1:40123", false),
            context("prod", "https://api.example.com", false),
            context("far-minikube", "https://203.0.113.9:8443", true),
            context("hollow", "", false),
            Context {
                proxied: true,
                ..context("tunnel", "https://10.0.0.1", false)
            },
        ];
        let ask = |name: &str, allowed: &[String]| {
            decide(&contexts, &Wanted::Context(name.into()), allowed)
        };
        assert_eq!(ask("kind", &[]).unwrap().kind, TargetKind::Context);
        for name in ["prod", "far-minikube", "tunnel"] {
            let refusal = ask(name, &[]).unwrap_err();
            assert!(
                refusal.is_safety() && refusal.to_string().contains("context.allow"),
                "{refusal}"
            );
            assert!(ask(name, &[name.into()]).is_ok());
            assert!(ask(name, &["another".into()]).is_err());
        }
        assert!(matches!(
            ask("hollow", &["hollow".into()]),
            Err(Refusal::NoServer { .. })
        ));
        assert!(
            ask("nosuch", &[])
                .unwrap_err()
                .to_string()
                .contains("kind, prod")
        );
    }

    #[test]
    fn credentials_in_an_address_are_not_shown() {
        let contexts = [context("odd", "https://me:secret@127.0.0.1:1", false)];
        let refusal = decide(&contexts, &Wanted::Context("odd".into()), &[]).unwrap_err();
        assert!(!refusal.to_string().contains("secret"), "{refusal}");
        let target = decide(&contexts, &Wanted::Context("odd".into()), &["odd".into()]).unwrap();
        assert_eq!(target.server, "https://127.0.0.1:1");
    }
}
