//! Serving the API on a loopback port, for kubectl and whoever else speaks to a Kubernetes.
//!
//! Over TLS, with an authority made for the occasion: kubectl sends no token without.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tower::Service as _;

use super::access::{self, Token};
use super::respond;
use super::service::{BoxError, Service};

/// Where a sandbox is served, and what a client needs to enter.
#[derive(Debug, Clone)]
pub struct Served {
    pub addr: SocketAddr,
    pub token: Token,
    /// The authority that vouches for the server, PEM.
    pub authority: String,
}

/// Binds the port and gives the task that serves it until it is dropped.
///
/// # Errors
/// When the address is not a loopback one, or cannot be bound.
pub(super) async fn bind(
    service: Service,
    listen: SocketAddr,
) -> io::Result<(Served, impl Future<Output = ()> + Send + 'static)> {
    if !listen.ip().is_loopback() {
        let why = format!(
            "{listen} is not a loopback address; the sandbox runs commands as you, so it listens on loopback only"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let listener = TcpListener::bind(listen).await?;
    let addr = listener.local_addr()?;
    let (authority, tls) = identity(addr).map_err(io::Error::other)?;
    let served = Served {
        addr,
        token: Token::random()?,
        authority,
    };
    let task = accept(
        listener,
        TlsAcceptor::from(Arc::new(tls)),
        service,
        served.clone(),
    );
    Ok((served, task))
}

/// How a kubeconfig of a sandbox begins: a file that begins so may be replaced.
pub const KUBECONFIG_MARK: &str = "# Written by llmctl-dev sandbox.";

/// A kubeconfig for a served sandbox. It holds the token: to be written for its owner's eyes only.
pub fn kubeconfig(served: &Served) -> String {
    let (addr, token) = (served.addr, served.token.reveal());
    let authority = STANDARD.encode(&served.authority);
    format!(
        "{KUBECONFIG_MARK}\n\
         apiVersion: v1\n\
         kind: Config\n\
         current-context: sandbox\n\
         clusters:\n\
         - name: sandbox\n\
         \x20 cluster:\n\
         \x20   server: https://{addr}\n\
         \x20   certificate-authority-data: {authority}\n\
         contexts:\n\
         - name: sandbox\n\
         \x20 context:\n\
         \x20   cluster: sandbox\n\
         \x20   user: sandbox\n\
         \x20   namespace: default\n\
         users:\n\
         - name: sandbox\n\
         \x20 user:\n\
         \x20   token: {token}\n"
    )
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, service: Service, served: Served) {
    // Held here, so that every connection ends when this task does.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(stream, tls.clone(), service.clone(), served.clone()))),
                // Out of file descriptors, most likely: the next moment may have some.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, service: Service, served: Served) {
    // Small answers such as watch events must not wait for company.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else {
        return;
    };
    let handler = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let entrance = access::check(request.headers(), served.addr, &served.token);
        let mut service = service.clone();
        async move {
            match entrance {
                Ok(()) => service.call(request).await,
                Err(status) => Ok::<_, io::Error>(respond::status(&status)),
            }
        }
    });
    // A client that goes away, and an API that is switched off, end the connection with an error: nobody is left to tell.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), handler)
        .await;
}

/// An authority's certificate, and the TLS identity that it vouches for.
fn identity(addr: SocketAddr) -> Result<(String, ServerConfig), BoxError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "llmctl-dev sandbox");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![addr.ip().to_string(), "localhost".to_owned()])?;
    params
        .distinguished_name
        .push(DnType::CommonName, "sandbox");
    let certificate = params.signed_by(&key, &authority)?;
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)?;
    Ok((authority.pem(), config))
}
