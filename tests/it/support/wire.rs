//! A wire between the program and an API server: it can be cut, for a time or for a moment, while the cluster goes on.

use kube::config::Kubeconfig;
use std::net::Ipv4Addr;
use std::path::Path;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Passes everything on, until it is cut or dropped.
pub(crate) struct Wire {
    port: u16,
    /// Every word about it ends the connections that are open.
    whole: watch::Sender<bool>,
    _work: JoinSet<()>,
}

impl Wire {
    /// A wire to the server of a kubeconfig's context, and that kubeconfig, written to `file`, with its near end as the server.
    pub(crate) async fn to(kubeconfig: &Path, context: &str, file: &Path) -> Self {
        let mut config = Kubeconfig::read_from(kubeconfig).unwrap();
        let named = config.contexts.iter().find(|one| one.name == context);
        let cluster = named.unwrap().context.clone().unwrap().cluster;
        let cluster = config.clusters.iter_mut().find(|one| one.name == cluster);
        let cluster = cluster.unwrap().cluster.as_mut().unwrap();
        let server: http::Uri = cluster.server.as_ref().unwrap().parse().unwrap();
        let host = server.host().unwrap().to_owned();
        let far = format!("{host}:{}", server.port_u16().unwrap_or(443));
        let wire = Self::start(far).await;
        cluster.server = Some(format!("https://127.0.0.1:{}", wire.port));
        cluster.tls_server_name = Some(host);
        write(file, &config);
        wire
    }

    async fn start(far: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (whole, state) = watch::channel(true);
        let mut work = JoinSet::new();
        work.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let mut state = state.clone();
                if *state.borrow_and_update() {
                    let far = far.clone();
                    open.spawn(async move {
                        tokio::select! {
                            () = pass(near, far) => {}
                            _ = state.changed() => {}
                        }
                    });
                }
                while open.try_join_next().is_some() {}
            }
        });
        Self {
            port,
            whole,
            _work: work,
        }
    }

    /// Nothing gets through any more.
    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Everything gets through again.
    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }

    /// Ends what is open; what is opened anew gets through.
    pub(crate) fn shake(&self) {
        self.mend();
    }
}

async fn pass(mut near: TcpStream, far: String) {
    if let Ok(mut far) = TcpStream::connect(far).await {
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}

/// JSON is YAML too.
fn write(file: &Path, config: &Kubeconfig) {
    std::fs::write(file, serde_json::to_vec(config).unwrap()).unwrap();
}
