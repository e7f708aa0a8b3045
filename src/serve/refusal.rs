//! Requests that get no review: an HTTP status, a line of text, and a word for the metrics.

use std::time::Duration;

use hyper::StatusCode;

/// Why a request is not reviewed. The API server takes any of these as a webhook that failed: its failurePolicy decides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Another path.
    #[error("there is nothing at this path: reviews are asked for with POST /validate")]
    Path,
    /// Another method.
    #[error("reviews are asked for with POST")]
    Method,
    /// Another content type, or a body that is compressed.
    #[error("the body must be application/json, not compressed")]
    ContentType,
    /// `?timeout=` that is no duration.
    #[error("`timeout` must be a duration such as 10s")]
    Timeout,
    /// A body of more bytes than are taken.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// A body that did not come in time.
    #[error("the body did not come within {0:?}")]
    SlowBody(Duration),
    /// A body that broke off.
    #[error("the body broke off")]
    BrokenBody,
    /// More bodies at once than there is memory for.
    #[error("too many large requests at once")]
    Memory,
    /// No core became free in time.
    #[error("no review could be begun within {0:?}: too many are asked for")]
    Busy(Duration),
    /// A body that is no AdmissionReview.
    #[error("{0}")]
    Malformed(String),
    /// A review that takes longer than may be waited for.
    #[error("the review took longer than {0:?}")]
    TimedOut(Duration),
    /// A review that ended in a panic.
    #[error("the review failed by a bug of plimsoll; its log says where")]
    Panicked,
}

impl Refusal {
    /// The HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Timeout | Self::BrokenBody | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Memory | Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The label `reason` of `plimsoll_request_errors_total`.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Method => "method",
            Self::ContentType => "content_type",
            Self::Timeout => "timeout_parameter",
            Self::TooLarge(_) => "too_large",
            Self::SlowBody(_) => "slow_body",
            Self::BrokenBody => "broken_body",
            Self::Memory => "memory",
            Self::Busy(_) => "busy",
            Self::Malformed(_) => "malformed",
            Self::TimedOut(_) => "timed_out",
            Self::Panicked => "panicked",
        }
    }
}
