//! A port-forward: a stream to a port of a pod. No port of this machine is opened.

use super::error::Error;
use super::rest::Asked;
use super::{Cluster, PATIENCE};
use futures::FutureExt;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// What a sandbox says, and the way around it.
const NO_FORWARD: &str =
    "it has no port-forward; a database that can be reached directly is named with --postgres";

/// An open stream to a port of a pod. Dropped, it is closed.
pub struct Forward {
    stream: DuplexStream,
    /// What the kubelet says when the port cannot be used; nothing when the stream just ends.
    failure: Option<BoxFuture<'static, Option<String>>>,
    forwarder: Portforwarder,
}

impl Cluster {
    /// Opens a stream to `port` of a pod. That nobody listens there is told by the first read.
    ///
    /// # Errors
    /// When the cluster does not answer within 15 s, does not let us, or cannot forward ports at all.
    pub async fn forward(&self, namespace: &str, pod: &str, port: u16) -> Result<Forward, Error> {
        let asked = Asked::of_kind(
            "forward a port of",
            "pod",
            "pods/portforward",
            namespace,
            pod,
        );
        let pods: Api<Pod> = Api::namespaced(self.client(), namespace);
        let opened = tokio::time::timeout(PATIENCE, pods.portforward(pod, &[port])).await;
        let mut forwarder = match opened {
            Ok(Ok(forwarder)) => forwarder,
            Ok(Err(kube::Error::Api(status))) if status.code == 501 => {
                return Err(Error::Other {
                    what: asked.to_string(),
                    cluster: self.label().to_owned(),
                    reason: NO_FORWARD.to_owned(),
                });
            }
            Ok(Err(kube::Error::UpgradeConnection(refused))) => {
                return Err(Error::Other {
                    what: asked.to_string(),
                    cluster: self.label().to_owned(),
                    reason: unforwarded(&refused),
                });
            }
            Ok(Err(error)) => return Err(Error::of(&asked, self.label(), &error)),
            Err(_) => return Err(Error::silence(&asked, self.label(), PATIENCE.as_secs())),
        };
        let failure = forwarder.take_error(port).map(FutureExt::boxed);
        let Some(stream) = forwarder.take_stream(port) else {
            return Err(Error::Other {
                what: asked.to_string(),
                cluster: self.label().to_owned(),
                reason: "there is no stream for the port".to_owned(),
            });
        };
        Ok(Forward {
            stream,
            failure,
            forwarder,
        })
    }
}

/// The server answered, and not with a stream.
fn unforwarded(refused: &kube::client::UpgradeConnectionError) -> String {
    use kube::client::UpgradeConnectionError as Refused;
    match refused {
        Refused::ProtocolSwitch(code) if code.as_u16() == 501 => NO_FORWARD.to_owned(),
        Refused::ProtocolSwitch(code) if code.as_u16() == 403 => {
            "not allowed; the account needs the verb create on pods/portforward".to_owned()
        }
        Refused::ProtocolSwitch(code) if code.as_u16() == 404 => {
            "the pod is gone; try again".to_owned()
        }
        other => other.to_string(),
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.forwarder.abort();
    }
}

impl AsyncRead for Forward {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        // What came before the failure is read first.
        if matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() > before {
            return read;
        }
        if let Some(failure) = &mut self.failure
            && let Poll::Ready(told) = failure.poll_unpin(cx)
        {
            self.failure = None;
            if let Some(reason) = told {
                return Poll::Ready(Err(io::Error::other(reason.trim().to_owned())));
            }
        }
        read
    }
}

impl AsyncWrite for Forward {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
