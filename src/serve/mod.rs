//! The server behind a ValidatingWebhookConfiguration: HTTPS in front of [`admission`](crate::admission).
//!
//! ```text
//! listener → TLS → http (one connection) → review (one request) → Review on a thread of its own → answer
//!                                        → health, on another port
//! reload: files → policies, certificate
//! ```
//!
//! Whoever reaches the port may be hostile, so all is bounded: connections, handshakes, headers, bodies and the memory
//! for them, reviews at once, and their time.

mod certificate;
mod files;
mod health;
mod http;
mod listener;
mod metrics;
mod refusal;
mod reload;
mod review;
mod validity;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::civil::Date;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

pub use certificate::Files;

use crate::admission::{Answer, Judge, LeftOut, Malformed};
use crate::finding::Fault;
use crate::signals::Signals;
use http::Phase;
use listener::Listener;
use metrics::Metrics;
use reload::{Policies, Tls};
use review::Webhook;

/// The stack of a thread: as deep as that of the command line's own.
const STACK: usize = 8 << 20;

/// What a server does.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where reviews are asked for.
    pub address: SocketAddr,
    /// Where health and metrics are asked for, without TLS.
    pub health: SocketAddr,
    /// Its certificate.
    pub certificate: Files,
    /// What it takes upon itself.
    pub limits: Limits,
    /// How it ends.
    pub shutdown: Shutdown,
}

/// What a server takes upon itself.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most bytes of a request.
    pub request_bytes: usize,
    /// The most connections at once, for reviews and for health each.
    pub connections: usize,
    /// How long a client may take for a handshake, for its first headers, and for a body.
    pub read: Duration,
    /// How long a review may take, where the API server says no less.
    pub review: Duration,
}

/// How a server ends.
#[derive(Debug, Clone, Copy)]
pub struct Shutdown {
    /// How long it serves on while it says that it is not ready: until nobody sends requests to it any more.
    pub delay: Duration,
    /// How long what has begun may take then.
    pub timeout: Duration,
}

/// What answers reviews, on several threads at once.
pub trait Review: Send + Sync {
    /// Answers an AdmissionReview, on a day.
    ///
    /// # Errors
    /// That it is none.
    fn review(&self, body: &[u8], today: Date) -> Result<Answer, Malformed>;

    /// How many policies objects are held to.
    fn policies(&self) -> usize;

    /// The policies that were chosen, but cannot be asked here.
    fn left_out(&self) -> &[LeftOut];
}

/// Reads policies and exemptions; called again when their files change.
pub type Load = Box<dyn Fn() -> Loaded + Send>;

/// What was read.
pub struct Loaded {
    /// The files and folders that it was read from, or should have been.
    pub files: Vec<PathBuf>,
    /// What comes of it, or what is wrong with it.
    pub judge: Result<Arc<dyn Review>, Vec<Fault>>,
}

/// Why a server does not serve.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{address} cannot be listened on: {error}")]
    Listen { address: SocketAddr, error: io::Error },
    #[error("the server could not be started: {0}")]
    System(#[from] io::Error),
}

impl Review for Judge {
    fn review(&self, body: &[u8], today: Date) -> Result<Answer, Malformed> {
        self.answer(body, today)
    }

    fn policies(&self) -> usize {
        self.policies()
    }

    fn left_out(&self) -> &[LeftOut] {
        self.left_out()
    }
}

/// Serves until the process is asked to end.
///
/// # Errors
/// Why it cannot begin.
pub fn run(config: &Config, load: Load) -> Result<(), Vec<Fault>> {
    let metrics = Arc::new(Metrics::new());
    let tls = Tls::new(config.certificate.clone(), metrics.clone()).map_err(|fault| vec![fault])?;
    let policies = Policies::new(load, metrics.clone())?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| vec![Error::System(error).into()])?;
    runtime.block_on(serve(config, tls, policies, cores, metrics)).map_err(|error| vec![error.into()])?;
    // A review that nobody waits for is not waited for either.
    runtime.shutdown_background();
    Ok(())
}

async fn serve(
    config: &Config,
    tls: Tls,
    policies: Policies,
    cores: usize,
    metrics: Arc<Metrics>,
) -> Result<(), Error> {
    let mut asked = Signals::new()?;
    let phase = watch::Sender::new(Phase::Serving);
    let places = Arc::new(Semaphore::new(config.limits.connections));
    let webhook = Listener {
        socket: listen(config.address).await?,
        tls: Some(tls.current()),
        places: places.clone(),
        patience: config.limits.read,
        phase: phase.subscribe(),
        metrics: metrics.clone(),
        is_full: false,
    };
    tracing::info!(address = address(&webhook.socket), path = "/validate", "reviews are answered");
    let reviews = Arc::new(Webhook::new(policies.current(), config.limits, cores, metrics.clone()));

    // To the end: whoever asks is told that there will be no more reviews.
    let forever = watch::Sender::new(Phase::Serving);
    let health = Listener {
        socket: listen(config.health).await?,
        tls: None,
        places: Arc::new(Semaphore::new(config.limits.connections)),
        patience: config.limits.read,
        phase: forever.subscribe(),
        metrics: metrics.clone(),
        is_full: false,
    };
    tracing::info!(address = address(&health.socket), "health and metrics are served");
    let current = phase.subscribe();
    tokio::spawn(health.run(move |request| {
        let reply = health::answer(&request, *current.borrow(), &metrics);
        async { reply }
    }));
    reload(tls, policies)?;
    let accepting = tokio::spawn(webhook.run(move |request| {
        let reviews = reviews.clone();
        async move { reviews.answer(request).await }
    }));

    // A sender that is gone is no reason to end.
    let _ = asked.recv().await;
    tracing::info!(delay = config.shutdown.delay.as_secs_f64(), "asked to end: not ready any more");
    phase.send_replace(Phase::Leaving);
    tokio::select! {
        () = sleep(config.shutdown.delay) => {}
        _ = asked.recv() => {}
    }
    phase.send_replace(Phase::Draining);
    // Its socket is closed by then, and all places are free again when the last connection has ended.
    let drained = async {
        let _ = accepting.await;
        let all = u32::try_from(config.limits.connections).unwrap_or(u32::MAX);
        let _ = places.acquire_many(all).await;
    };
    match timeout(config.shutdown.timeout, drained).await {
        Ok(()) => tracing::info!("ended"),
        Err(_) => tracing::warn!("ended, with requests that were not done in time"),
    }
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| Error::Listen { address, error })
}

/// The one that it got, where any port was asked for.
fn address(socket: &TcpListener) -> String {
    socket.local_addr().map(|address| address.to_string()).unwrap_or_default()
}

/// Looks at files now and then, on a thread that ends with the process.
fn reload(mut tls: Tls, mut policies: Policies) -> io::Result<()> {
    let work = move || {
        loop {
            thread::sleep(reload::INTERVAL);
            tls.refresh();
            policies.refresh();
        }
    };
    thread::Builder::new().name("reload".into()).stack_size(STACK).spawn(work).map(drop)
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Self::new(error.to_string());
        match error {
            Error::Listen { .. } => fault.help("--address and --health-address say where: 0.0.0.0:8443"),
            Error::System(_) => fault,
        }
    }
}
