//! How do connections reach the application, and how do they end?

mod ending;
mod stall;

pub use ending::Ending;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::metrics::Peer;
use stall::Unstalled;

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ListenConfig {
    /// More wait in the system's queue.
    pub max_connections: usize,
    /// A connection that takes longer to send a request's head is closed, also one that idles.
    pub header_read_timeout: Duration,
    /// A connection whose other side takes nothing for so long is closed.
    pub write_stall: Duration,
    /// How long answers may take to finish after the server was told to stop.
    pub shutdown_grace: Duration,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            header_read_timeout: Duration::from_secs(30),
            write_stall: Duration::from_secs(60),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// Serves until `stop` comes to its end, then lets running answers finish.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    config: ListenConfig,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(config.header_read_timeout);
    let running = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(config.max_connections));
    tokio::pin!(stop);
    loop {
        let place = tokio::select! {
            () = &mut stop => break,
            place = Arc::clone(&places).acquire_owned() => place.map_err(io::Error::other)?,
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or the client has gone: neither ends the server.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "nodelay");
        }
        let service = TowerToHyperService::new(app.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            service.call(request)
        });
        let stream = TokioIo::new(Unstalled::new(stream, config.write_stall));
        let connection = running.watch(builder.serve_connection(stream, service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    tracing::info!("stopping: running answers are finished");
    if tokio::time::timeout(config.shutdown_grace, running.shutdown()).await.is_err() {
        tracing::warn!("some answers were cut off");
    }
    Ok(())
}

/// Comes to its end at SIGINT (Ctrl-C) or SIGTERM. It listens from the call on, not first from when it is waited
/// for: what comes in between would end the process where it stands.
pub fn stop_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let listened = [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| {
            signal(kind)
                .inspect_err(|error| tracing::warn!(%error, ?kind, "cannot listen for a signal"))
                .ok()
        });
        async {
            let [interrupt, terminate] = listened.map(|signal| async {
                match signal {
                    Some(mut signal) => drop(signal.recv().await),
                    None => std::future::pending().await,
                }
            });
            tokio::select! {
                () = interrupt => {}
                () = terminate => {}
            }
        }
    }
    #[cfg(not(unix))]
    {
        async {
            // Fails only where nothing can be listened to; then nothing comes.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
