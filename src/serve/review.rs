//! `POST /validate`: one request, from its headers to its answer.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use hyper::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout_at};

use super::http::{Reply, reply};
use super::metrics::{self, Metrics};
use super::refusal::Refusal;
use super::{Limits, Review};
use crate::admission::Answer;
use crate::report::printable;

/// Memory for so many of the largest requests is set aside; small ones share it.
const LARGEST_AT_ONCE: usize = 16;
/// The most bytes of a name or an id in a line of the log.
const MAX_LOGGED: usize = 256;
/// The part of the time that the API server waits which is left for the answer to reach it.
const ON_THE_WAY: u32 = 10;

/// What answers reviews.
pub(super) struct Webhook {
    judge: watch::Receiver<Arc<dyn Review>>,
    limits: Limits,
    cores: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl Webhook {
    /// `cores` reviews run at once.
    pub(super) fn new(
        judge: watch::Receiver<Arc<dyn Review>>,
        limits: Limits,
        cores: usize,
        metrics: Arc<Metrics>,
    ) -> Self {
        let memory = limits.request_bytes.saturating_mul(LARGEST_AT_ONCE).min(Semaphore::MAX_PERMITS);
        Self {
            judge,
            limits,
            cores: Arc::new(Semaphore::new(cores)),
            memory: Arc::new(Semaphore::new(memory)),
            metrics,
        }
    }

    /// Answers a request, whatever it is.
    pub(super) async fn answer<B: Body<Data = Bytes> + Unpin>(&self, request: Request<B>) -> Reply {
        match self.review(request).await {
            Ok(body) => reply(StatusCode::OK, "application/json", body),
            Err(refusal) => {
                self.metrics.failed(refusal.reason());
                let text = refusal.to_string();
                tracing::warn!(status = refusal.status().as_u16(), reason = refusal.reason(), "{}", shown(&text));
                let mut reply = reply(refusal.status(), "text/plain; charset=utf-8", format!("{text}\n"));
                if refusal == Refusal::Method {
                    reply.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                }
                reply
            }
        }
    }

    async fn review<B: Body<Data = Bytes> + Unpin>(&self, request: Request<B>) -> Result<Vec<u8>, Refusal> {
        let begun = Instant::now();
        check(&request)?;
        let limit = self.limit(request.uri().query().unwrap_or_default())?;
        let deadline = begun + limit;
        let (body, memory) = self.read(request.into_body(), deadline.min(begun + self.limits.read)).await?;

        let read = Instant::now();
        let core = timeout_at(deadline, self.cores.clone().acquire_owned()).await;
        let core = core.ok().and_then(Result::ok).ok_or(Refusal::Busy(limit))?;
        let judge = self.judge.borrow().clone();
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        // Off the threads that serve connections: one large object must not keep the others waiting. Who gives up on it
        // does not end it, so it keeps its core and its memory until it has.
        let work = tokio::task::spawn_blocking(move || {
            let _held = (core, memory);
            judge.review(&body, today)
        });
        let answer = match timeout_at(deadline, work).await {
            Err(_) => return Err(Refusal::TimedOut(limit)),
            Ok(Err(_)) => return Err(Refusal::Panicked),
            Ok(Ok(Err(malformed))) => return Err(Refusal::Malformed(malformed.to_string())),
            Ok(Ok(Ok(answer))) => answer,
        };
        let took = read.elapsed();
        self.metrics.reviewed(&answer, took);
        log(&answer, took);
        Ok(answer.body)
    }

    /// How long a review may take: what the API server says it waits, which it adds to the path as `?timeout=10s`.
    fn limit(&self, query: &str) -> Result<Duration, Refusal> {
        let Some(text) = query.split('&').find_map(|pair| pair.strip_prefix("timeout=")) else {
            return Ok(self.limits.review);
        };
        let asked: SignedDuration = text.parse().map_err(|_| Refusal::Timeout)?;
        let asked = Duration::try_from(asked).map_err(|_| Refusal::Timeout)?;
        Ok((asked - asked / ON_THE_WAY).min(self.limits.review))
    }

    /// Reads a body, and takes memory for it as it comes: who only says that much will come takes none.
    async fn read<B: Body<Data = Bytes> + Unpin>(
        &self,
        mut body: B,
        deadline: Instant,
    ) -> Result<(Vec<u8>, OwnedSemaphorePermit), Refusal> {
        let most = self.limits.request_bytes;
        let announced = body.size_hint().lower();
        if announced > most as u64 {
            return Err(Refusal::TooLarge(most));
        }
        let mut bytes: Vec<u8> = Vec::new();
        let mut memory = self.memory.clone().try_acquire_many_owned(0).map_err(|_| Refusal::Memory)?;
        let begun = Instant::now();
        while let Some(frame) =
            timeout_at(deadline, body.frame()).await.map_err(|_| Refusal::SlowBody(begun.elapsed()))?
        {
            let data: Bytes = match frame.map_err(|_| Refusal::BrokenBody)?.into_data() {
                Ok(data) => data,
                // Trailers: nothing that a review needs.
                Err(_) => continue,
            };
            if bytes.len() + data.len() > most {
                return Err(Refusal::TooLarge(most));
            }
            let more = u32::try_from(data.len()).map_err(|_| Refusal::TooLarge(most))?;
            memory.merge(self.memory.clone().try_acquire_many_owned(more).map_err(|_| Refusal::Memory)?);
            bytes.extend_from_slice(&data);
        }
        Ok((bytes, memory))
    }
}

/// Whether it is a review that is asked for.
fn check<B>(request: &Request<B>) -> Result<(), Refusal> {
    if request.uri().path() != "/validate" {
        return Err(Refusal::Path);
    }
    if request.method() != Method::POST {
        return Err(Refusal::Method);
    }
    let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let kind = text(CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") || text(CONTENT_ENCODING).is_some_and(|how| how != "identity") {
        return Err(Refusal::ContentType);
    }
    Ok(())
}

/// A line for each review. It has nothing of the object but its name, and no user: who asked stands with the same `uid` in
/// the API server's audit log, which is kept and read as what names people must be.
fn log(answer: &Answer, took: Duration) {
    tracing::info!(
        uid = shown(&answer.uid),
        operation = shown(&answer.operation),
        kind = shown(&answer.object.kind),
        namespace = shown(answer.object.namespace.as_deref().unwrap_or_default()),
        name = shown(&answer.object.name),
        dry_run = answer.dry_run,
        verdict = metrics::verdict(answer),
        denied = answer.denied.join(","),
        warned = answer.warned.join(","),
        audited = answer.audited.join(","),
        exempted = answer.exempted.join(","),
        duration_ms = took.as_secs_f64() * 1e3,
        "review"
    );
}

/// A text from a request, as the log has it.
fn shown(text: &str) -> String {
    printable(&text[..text.floor_char_boundary(MAX_LOGGED)])
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;
    use jiff::civil::Date;

    use super::*;
    use crate::admission::{LeftOut, Malformed};

    /// Does what a test says.
    struct Judge<F>(F);

    impl<F: Fn() + Send + Sync> Review for Judge<F> {
        fn review(&self, _: &[u8], _: Date) -> Result<Answer, Malformed> {
            self.0();
            Err(Malformed::NoRequest)
        }

        fn policies(&self) -> usize {
            1
        }

        fn left_out(&self) -> &[LeftOut] {
            &[]
        }
    }

    fn webhook(judge: impl Fn() + Send + Sync + 'static, request_bytes: usize) -> Webhook {
        let (read, review) = (Duration::from_millis(200), Duration::from_secs(10));
        let limits = Limits { request_bytes, connections: 1, read, review };
        let judge: Arc<dyn Review> = Arc::new(Judge(judge));
        Webhook::new(watch::Sender::new(judge).subscribe(), limits, 1, Arc::new(Metrics::new()))
    }

    fn request<B>(query: &str, body: B) -> Request<B> {
        let request = Request::post(format!("https://localhost/validate{query}"));
        request.header(CONTENT_TYPE, "application/json").body(body).unwrap()
    }

    async fn ask(webhook: &Webhook, query: &str) -> (u16, String) {
        let reply = webhook.answer(request(query, Full::from("{}"))).await;
        let status = reply.status().as_u16();
        let text = reply.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(text.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_panic_ends_one_review_and_no_other() {
        let webhook = webhook(|| panic!("in a test"), 100);
        for _ in 0..3 {
            let (status, text) = ask(&webhook, "").await;
            assert_eq!((status, text.contains("a bug of plimsoll")), (500, true), "{text}");
        }
        assert!(webhook.metrics.text().contains("plimsoll_request_errors_total{reason=\"panicked\"} 3\n"));
    }

    /// With one core: who gives up leaves its review on it, and the next one does not get it.
    #[tokio::test]
    async fn reviews_are_waited_for_as_long_as_the_api_server_waits() {
        let (go_on, held) = mpsc::channel::<()>();
        let held = std::sync::Mutex::new(held);
        let wait = move || {
            let _ = held.lock().unwrap().recv();
        };
        let webhook = webhook(wait, 100);
        let (status, text) = ask(&webhook, "?timeout=100ms").await;
        assert_eq!((status, text.as_str()), (504, "the review took longer than 90ms\n"));
        let (status, text) = ask(&webhook, "?dryRun=x&timeout=100ms").await;
        assert_eq!((status, text.starts_with("no review could be begun within 90ms")), (503, true), "{text}");
        drop(go_on);
        assert_eq!(ask(&webhook, "?timeout=30s").await.0, 400);
        for wrong in ["?timeout=", "?timeout=1x", "?timeout=-1s"] {
            assert_eq!(ask(&webhook, wrong).await.0, 400, "{wrong}");
        }
    }

    /// Sixteen of the largest bodies have a place in memory; what is given up gives it back.
    #[tokio::test]
    async fn bodies_take_memory_as_they_come() {
        let webhook = webhook(|| (), 10);
        let frames = |count: usize| {
            let frames = std::iter::repeat_with(|| Ok::<_, Refusal>(Frame::data(Bytes::from("ab")))).take(count);
            StreamBody::new(futures_util::StreamExt::chain(
                futures_util::stream::iter(frames),
                futures_util::stream::pending(),
            ))
        };
        let full: Vec<_> = (0..16).map(|_| webhook.answer(request("", frames(5)))).collect();
        let full = futures_util::future::join_all(full);
        let late = async {
            tokio::task::yield_now().await;
            webhook.answer(request("", frames(1))).await.status()
        };
        let (full, late) = tokio::join!(full, late);
        assert_eq!(late, StatusCode::SERVICE_UNAVAILABLE);
        assert!(full.iter().all(|reply| reply.status() == StatusCode::REQUEST_TIMEOUT));
        assert_eq!(webhook.answer(request("", frames(5))).await.status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(webhook.answer(request("", frames(6))).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
