//! Connections as they come: so many at once, and each with TLS before it is HTTP.

use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::http::{self, Closed, Phase, Reply};
use super::metrics::Metrics;

/// How long to wait where the system has no connection to give, as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// What listens.
pub(super) struct Listener {
    pub socket: TcpListener,
    /// With which certificate it speaks TLS; where there is none it speaks plain HTTP.
    pub tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    /// So many connections at once. The others wait in the system's queue, and are turned away by it when that is full.
    pub places: Arc<Semaphore>,
    /// How long a handshake may take, and the first request after it.
    pub patience: Duration,
    pub phase: watch::Receiver<Phase>,
    pub metrics: Arc<Metrics>,
    /// Whether the last connection had to wait for a place.
    pub is_full: bool,
}

/// A connection for reviews: it is counted for as long as this lives.
struct Open(Arc<Metrics>);

impl Open {
    fn new(metrics: Arc<Metrics>) -> Self {
        metrics.connections.inc();
        Self(metrics)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

impl Listener {
    /// Takes connections until the server drains.
    pub(super) async fn run<F>(mut self, answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static)
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let mut stop = self.phase.clone();
        loop {
            let next = tokio::select! {
                next = self.next() => next,
                _ = stop.wait_for(|phase| *phase == Phase::Draining) => return,
            };
            let Some((stream, place)) = next else { return };
            let (tls, phase) = (self.tls.as_ref().map(|tls| tls.borrow().clone()), self.phase.clone());
            let (patience, metrics, answer) = (self.patience, self.metrics.clone(), answer.clone());
            tokio::spawn(async move {
                let open = tls.is_some().then(|| Open::new(metrics));
                let ended = converse(stream, tls, patience, phase, answer).await;
                if let (Some(Open(metrics)), Err((reason, error))) = (&open, ended) {
                    metrics.failed(reason);
                    tracing::debug!(reason, error, "connection");
                }
                drop((open, place));
            });
        }
    }

    /// The next connection, when there is a place for it.
    async fn next(&mut self) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let place = match self.places.clone().try_acquire_owned() {
            Ok(place) => {
                self.is_full = false;
                place
            }
            Err(_) => {
                self.metrics.failed("no_place");
                if !std::mem::replace(&mut self.is_full, true) {
                    tracing::warn!("as many connections as may be are open: others wait");
                }
                self.places.clone().acquire_owned().await.ok()?
            }
        };
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) => return Some((stream, place)),
                Err(error) => {
                    self.metrics.failed("accept");
                    tracing::error!(error = error.to_string(), "no connection could be taken");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// What went wrong with a connection: a word for the metrics, and what is known of it.
type Failure = (&'static str, String);

async fn converse<F>(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    patience: Duration,
    phase: watch::Receiver<Phase>,
    answer: impl Fn(Request<Incoming>) -> F,
) -> Result<(), Failure>
where
    F: Future<Output = Reply> + Send + 'static,
{
    // Answers are small and whole: to wait for more would only hold them back.
    stream.set_nodelay(true).map_err(|error| ("broken", error.to_string()))?;
    let ended = match tls {
        None => http::serve(TokioIo::new(stream), false, patience, phase, answer).await,
        Some(config) => {
            let stream = timeout(patience, TlsAcceptor::from(config).accept(stream)).await;
            let stream = stream.map_err(|_| ("slow_handshake", "the TLS handshake took too long".to_owned()))?;
            let stream = stream.map_err(|error| ("handshake", error.to_string()))?;
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            http::serve(TokioIo::new(stream), is_http2, patience, phase, answer).await
        }
    };
    ended.map_err(|closed| {
        let reason = match &closed {
            Closed::Silent => "silent",
            Closed::Broken(_) => "broken",
        };
        (reason, closed.to_string())
    })
}
