//! A relay before a server that cuts the connection when the client has spoken so many times.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Listens until it is dropped.
pub(crate) struct Relay {
    pub(crate) port: u16,
    heard: Arc<AtomicUsize>,
    _work: tokio::task::JoinSet<()>,
}

impl Relay {
    /// Passes on what the client says in its first `times` turns; the next is swallowed and the connection cut.
    pub(crate) async fn start(server: u16, times: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(AtomicUsize::new(0));
        let mut work = tokio::task::JoinSet::new();
        let counter = heard.clone();
        work.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                pass(client, server, times, &counter).await;
            }
        });
        Self {
            port,
            heard,
            _work: work,
        }
    }

    /// Turns of the client so far.
    pub(crate) fn heard(&self) -> usize {
        self.heard.load(Ordering::Relaxed)
    }
}

async fn pass(mut client: TcpStream, server: u16, times: usize, heard: &AtomicUsize) {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server))
        .await
        .unwrap();
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(size) if size > 0 => {
                    if heard.fetch_add(1, Ordering::Relaxed) >= times || server.write_all(&asked[..size]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(size) if size > 0 => {
                    if client.write_all(&answered[..size]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}
