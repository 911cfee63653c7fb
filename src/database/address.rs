//! Where a PostgreSQL is: its URI, taken apart (contract 3.8).

use super::error::Error;
use super::password::Password;
use std::path::{Path, PathBuf};

/// What comes after the scheme's name may name a Python driver, which means nothing here.
const SCHEMES: [&str; 2] = ["postgresql", "postgres"];
const PORT: u16 = 5432;

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Tcp(String),
    /// The directory with its socket.
    Unix(PathBuf),
}

/// A database, who opens it and where it is. Holds no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub host: Host,
    pub port: u16,
    pub user: String,
    pub database: String,
}

/// An address as it was written, with the password that was in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub address: Address,
    pub password: Option<Password>,
}

impl Address {
    /// Takes a URI apart: `postgresql://user@host:port/database?host=/socket/directory`, also with a driver in the
    /// scheme (`postgresql+psycopg://`).
    ///
    /// # Errors
    /// When it is none, or asks for what is not supported. The message never quotes it: it may hold a password.
    pub fn parse(uri: &str) -> Result<Written, Error> {
        let fault = |reason: &str| Error::Address {
            reason: reason.to_owned(),
        };
        let (scheme, rest) = uri
            .trim()
            .split_once("://")
            .ok_or_else(|| fault("it has no scheme"))?;
        let name = scheme.split_once('+').map_or(scheme, |(name, _)| name);
        if !SCHEMES.contains(&name) {
            return Err(fault(match name {
                "sqlite" => "it names an SQLite file, and PostgreSQL is asked for here",
                _ => "its scheme is not postgresql",
            }));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (login, None),
        };
        let mut parts = Parts {
            user: decoded(user)?,
            password: password.map(decoded).transpose()?,
            database: decoded(path)?,
            ..Parts::default()
        };
        parts.place(place)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parts.option(name, decoded(value)?)?;
        }
        parts.finish()
    }

    /// The address as a URI, without a password.
    pub fn uri(&self) -> String {
        let (user, database, port) = (encoded(&self.user), encoded(&self.database), self.port);
        match &self.host {
            Host::Tcp(host) if host.contains(':') => {
                format!("postgresql://{user}@[{host}]:{port}/{database}")
            }
            Host::Tcp(host) => {
                format!("postgresql://{user}@{}:{port}/{database}", encoded(host))
            }
            Host::Unix(folder) => {
                let folder = encoded(&folder.to_string_lossy());
                format!("postgresql://{user}@/{database}?host={folder}&port={port}")
            }
        }
    }

    /// The place for a message: `database llmctl_studio at 127.0.0.1:5432`.
    pub fn place(&self) -> String {
        format!("database {} at {}", self.database, self.server())
    }

    fn server(&self) -> String {
        match &self.host {
            Host::Tcp(host) if host.contains(':') => format!("[{host}]:{}", self.port),
            Host::Tcp(host) => format!("{host}:{}", self.port),
            Host::Unix(directory) => socket(directory, self.port).display().to_string(),
        }
    }
}

/// The socket of a server in its directory.
pub(in crate::database) fn socket(directory: &Path, port: u16) -> PathBuf {
    directory.join(format!(".s.PGSQL.{port}"))
}

/// A part of a URI.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[derive(Default)]
struct Parts {
    host: String,
    port: Option<u16>,
    user: String,
    password: Option<String>,
    database: String,
}

impl Parts {
    /// The host and port of the authority; an IPv6 address is in brackets.
    fn place(&mut self, place: &str) -> Result<(), Error> {
        if place.contains(',') {
            return Err(Error::Address {
                reason: "it names more than one server: name one".to_owned(),
            });
        }
        let (host, port) = match place
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or_default()),
            None => place.rsplit_once(':').unwrap_or((place, "")),
        };
        self.host = decoded(host)?;
        if !port.is_empty() {
            self.port(port)?;
        }
        Ok(())
    }

    fn port(&mut self, text: &str) -> Result<(), Error> {
        let port = text.parse().ok().filter(|port| *port > 0);
        self.port = Some(port.ok_or_else(|| Error::Address {
            reason: "its port is no number from 1 to 65535".to_owned(),
        })?);
        Ok(())
    }

    fn option(&mut self, name: &str, value: String) -> Result<(), Error> {
        match name {
            "host" => self.host = value,
            "port" => self.port(&value)?,
            "user" => self.user = value,
            "password" => self.password = Some(value),
            "dbname" => self.database = value,
            "sslmode" if matches!(value.as_str(), "require" | "verify-ca" | "verify-full") => {
                return Err(Error::Address {
                    reason: format!(
                        "sslmode={value}: encrypted connections are not supported, use a tunnel (kubectl port-forward, ssh -L) and its loopback address"
                    ),
                });
            }
            // The others tune the driver of whoever wrote the address.
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Written, Error> {
        if self.user.is_empty() {
            return Err(Error::Address {
                reason: "it names no user: write postgresql://USER@HOST/DATABASE".to_owned(),
            });
        }
        let host = match self.host.as_str() {
            "" => Host::Tcp("127.0.0.1".to_owned()),
            path if path.starts_with('/') => Host::Unix(path.into()),
            host => Host::Tcp(host.to_owned()),
        };
        let database = if self.database.is_empty() {
            self.user.clone()
        } else {
            self.database
        };
        Ok(Written {
            address: Address {
                host,
                port: self.port.unwrap_or(PORT),
                user: self.user,
                database,
            },
            password: self.password.map(Password::new),
        })
    }
}

/// Percent-decoded, with `+` for a blank as Studio writes it.
fn decoded(text: &str) -> Result<String, Error> {
    let fault = || Error::Address {
        reason: "a % in it is not followed by two hex digits, or what it encodes is no UTF-8"
            .to_owned(),
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit().ok_or_else(fault)?, digit().ok_or_else(fault)?);
                u8::try_from(high * 16 + low).map_err(|_| fault())?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| fault())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16, user: &str, database: &str) -> Address {
        Address {
            host: Host::Tcp(host.into()),
            port,
            user: user.into(),
            database: database.into(),
        }
    }

    #[test]
    fn addresses_are_taken_apart() {
        let cases = [
            (
                "postgresql+psycopg://llmctl:p%40ss+word%2B@llmctl-postgres:5432/llmctl_studio",
                tcp("llmctl-postgres", 5432, "llmctl", "llmctl_studio"),
                Some("p@ss word+"),
            ),
            (
                "postgres://me@[::1]:6000/db?sslmode=prefer&application_name=x",
                tcp("::1", 6000, "me", "db"),
                None,
            ),
            ("postgresql://me@", tcp("127.0.0.1", 5432, "me", "me"), None),
            (
                "postgresql:///db?user=me&host=/run/x&port=99",
                Address {
                    host: Host::Unix("/run/x".into()),
                    ..tcp("", 99, "me", "db")
                },
                None,
            ),
        ];
        for (uri, address, password) in cases {
            let written = Address::parse(uri).unwrap();
            assert_eq!(written.address, address, "{uri}");
            assert_eq!(written.password, password.map(Password::new), "{uri}");
            assert!(!format!("{written:?}").contains("ss word"));
            let again = Address::parse(&written.address.uri()).unwrap();
            assert_eq!((again.address, again.password), (written.address, None));
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_never_quoted() {
        for uri in [
            "mysql://me:s3cret@h/d",
            "sqlite:///s3cret",
            "s3cret",
            "postgresql://:s3cret@h/d",
            "postgresql://me:s3cret@h:0/d",
            "postgresql://me:s3cret@h:x/d",
            "postgresql://me:s3cret%g@h/d",
            "postgresql://me:s3cret@a,b/d",
            "postgresql://me:s3cret@h/d?sslmode=require",
        ] {
            let error = Address::parse(uri).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }
}
