//! One connection: HTTP/1.1 or HTTP/2, for as long as it is of use and no longer.

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::rt::{Read, Write};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The most bytes of the headers of a request: the API server sends some hundred.
const MAX_HEADERS: usize = 16 << 10;
/// How long a connection that has served may be silent. Longer than the 90 seconds after which clients in Go give it up:
/// who is to be second cannot close it under a request that is on its way.
const SILENCE: Duration = Duration::from_secs(120);
/// How old a connection gets: then its client finds another one, and so a new replica its share of them.
const AGE: Duration = Duration::from_secs(600);
/// The most requests at once on one connection of HTTP/2.
const STREAMS: u32 = 250;
/// The bytes of requests that one connection of HTTP/2 may have sent and nobody has read.
const WINDOW: u32 = 1 << 20;
/// How often a silent connection of HTTP/2 is asked whether its client is still there, and how long that may take.
const PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// What is answered.
pub(super) type Reply = Response<Full<Bytes>>;

/// What a server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Phase {
    /// It serves.
    Serving,
    /// It serves, but asks its clients to go elsewhere.
    Leaving,
    /// It ends what it has begun.
    Draining,
}

/// Makes an answer.
pub(super) fn reply(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}

/// Serves a connection until its client ends it, is silent for too long (`patience` before its first request), or it is old.
///
/// # Errors
/// What kept it from ending well.
pub(super) async fn serve<I, F>(
    io: I,
    is_http2: bool,
    patience: Duration,
    phase: watch::Receiver<Phase>,
    answer: impl Fn(Request<Incoming>) -> F,
) -> Result<(), Closed>
where
    I: Read + Write + Unpin + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let old = Instant::now() + AGE;
    let activity = Arc::new(Activity::new(patience));
    let service = service_fn(|request: Request<Incoming>| {
        let (busy, phase) = (activity.clone().begin(), phase.clone());
        let says_close = request.version() < Version::HTTP_2;
        let answer = answer(request);
        async move {
            let mut reply = answer.await;
            // A connection of HTTP/1.1 ends with an answer: to close a silent one could hit a request on its way.
            if says_close && (Instant::now() >= old || *phase.borrow() > Phase::Serving) {
                reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            drop(busy);
            Ok::<_, Infallible>(reply)
        }
    });
    let builder = if is_http2 { http2() } else { http1() };
    let mut connection = pin!(builder.serve_connection(io, service));
    let (mut phases, mut is_ending) = (phase.clone(), false);
    loop {
        let silent = activity.deadline();
        tokio::select! {
            ended = connection.as_mut() => return ended.map_err(Closed::Broken),
            () = sleep_until(silent) => if activity.is_silent() { return Err(Closed::Silent) },
            () = sleep_until(old), if is_http2 && !is_ending => is_ending = true,
            changed = phases.changed(), if !is_ending => {
                let now = *phases.borrow_and_update();
                is_ending = changed.is_err() || now == Phase::Draining || is_http2 && now == Phase::Leaving;
            }
        }
        if is_ending {
            connection.as_mut().graceful_shutdown();
        }
    }
}

/// Why a connection was not ended by its client.
#[derive(Debug, thiserror::Error)]
pub(super) enum Closed {
    /// No request came for too long.
    #[error("no request came in time")]
    Silent,
    /// It broke, or was no HTTP.
    #[error("{0}")]
    Broken(Box<dyn Error + Send + Sync>),
}

fn http1() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    // Slow headers need no time of their own: who sends no whole request is silent.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEADERS);
    builder
}

fn http2() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new()).http2_only();
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADERS as u32)
        .max_concurrent_streams(STREAMS)
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(WINDOW)
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1);
    builder
}

/// When a connection had requests.
struct Activity {
    patience: Duration,
    state: Mutex<State>,
}

struct State {
    /// The requests that have no answer yet.
    open: usize,
    /// When the last of them got it.
    since: Instant,
    /// How long nothing may happen.
    patience: Duration,
}

/// A request without an answer.
struct Busy(Arc<Activity>);

impl Activity {
    fn new(patience: Duration) -> Self {
        Self { patience, state: Mutex::new(State { open: 0, since: Instant::now(), patience }) }
    }

    fn begin(self: Arc<Self>) -> Busy {
        self.with(|state| {
            state.open += 1;
            state.patience = SILENCE;
        });
        Busy(self)
    }

    /// When to ask whether it is silent.
    fn deadline(&self) -> Instant {
        self.with(|state| if state.open > 0 { Instant::now() + self.patience } else { state.since + state.patience })
    }

    fn is_silent(&self) -> bool {
        self.with(|state| state.open == 0 && state.since + state.patience <= Instant::now())
    }

    fn with<T>(&self, then: impl FnOnce(&mut State) -> T) -> T {
        then(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.with(|state| {
            state.open -= 1;
            state.since = Instant::now();
        });
    }
}
