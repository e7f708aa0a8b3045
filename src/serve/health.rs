//! What the kubelet and Prometheus ask for, without TLS.

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};

use super::http::{Phase, Reply, reply};
use super::metrics::{CONTENT_TYPE, Metrics};

/// Answers `/healthz`, `/readyz` and `/metrics`.
pub(super) fn answer(request: &Request<Incoming>, phase: Phase, metrics: &Metrics) -> Reply {
    let text = |status, text: &'static str| reply(status, "text/plain; charset=utf-8", text);
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is known here\n");
    }
    match request.uri().path() {
        // Whoever answers is alive.
        "/healthz" => text(StatusCode::OK, "ok\n"),
        // There is no listener before the certificate and the policies have been read.
        "/readyz" if phase == Phase::Serving => text(StatusCode::OK, "ok\n"),
        "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
        "/metrics" => reply(StatusCode::OK, CONTENT_TYPE, metrics.text()),
        _ => text(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n"),
    }
}
