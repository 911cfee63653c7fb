//! Who may speak to a served sandbox: it runs commands as its user, so only a bearer of the token may, and no web page.

use std::fmt;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};

use super::status::Status;

/// A random secret. It is never printed by accident.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub(super) fn random() -> std::io::Result<Self> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The secret itself, for the kubeconfig.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares in a time that does not depend on how much is right.
    fn is(&self, given: &str) -> bool {
        let pairs = self.0.bytes().zip(given.bytes());
        self.0.len() == given.len() && pairs.fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Checks the headers of a request to the server at `served`.
///
/// # Errors
/// 403 for a request that a web page could have sent, 401 without the token.
pub(super) fn check(headers: &HeaderMap, served: SocketAddr, token: &Token) -> Result<(), Status> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // A browser names the page it works for; a client of the API never does.
    if headers.contains_key(header::ORIGIN) {
        return Err(forbidden("requests with an Origin are refused"));
    }
    // A name that somebody pointed at the loopback address is still their name.
    if !text(header::HOST).is_some_and(|host| is_own(host, served)) {
        return Err(forbidden("the Host of the request is not this server"));
    }
    let given = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    if given.is_some_and(|given| token.is(given.trim())) {
        Ok(())
    } else {
        Err(Status::new(401, "Unauthorized", "Unauthorized"))
    }
}

fn is_own(host: &str, served: SocketAddr) -> bool {
    let names = [
        served.ip().to_string(),
        format!("[{}]", served.ip()),
        "localhost".to_owned(),
    ];
    names
        .iter()
        .any(|name| host.eq_ignore_ascii_case(&format!("{name}:{}", served.port())))
}

fn forbidden(why: &str) -> Status {
    Status::new(403, "Forbidden", format!("forbidden: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bearer_enters() {
        let token = Token::random().unwrap();
        let served: SocketAddr = "127.0.0.1:4321".parse().unwrap();
        let code = |pairs: &[(header::HeaderName, &str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (name.clone(), value.parse().unwrap()))
                .collect();
            check(&headers, served, &token).map_or_else(|status| status.code, |()| 200)
        };
        let bearer = format!("Bearer {}", token.reveal());
        let host = (header::HOST, "127.0.0.1:4321");
        assert_eq!(code(&[host.clone(), (header::AUTHORIZATION, &bearer)]), 200);
        assert_eq!(
            code(&[
                (header::HOST, "localhost:4321"),
                (header::AUTHORIZATION, &bearer)
            ]),
            200
        );
        assert_eq!(code(std::slice::from_ref(&host)), 401);
        assert_eq!(
            code(&[host.clone(), (header::AUTHORIZATION, "Bearer 0")]),
            401
        );
        assert_eq!(
            code(&[
                (header::HOST, "evil.example:4321"),
                (header::AUTHORIZATION, &bearer)
            ]),
            403
        );
        assert_eq!(
            code(&[
                (header::HOST, "127.0.0.1:80"),
                (header::AUTHORIZATION, &bearer)
            ]),
            403
        );
        assert_eq!(
            code(&[
                host,
                (header::AUTHORIZATION, &bearer),
                (header::ORIGIN, "null")
            ]),
            403
        );
        assert!(!format!("{token:?}").contains(token.reveal()));
    }
}
