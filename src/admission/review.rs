//! `AdmissionReview`: reading what the API server sends.

use crate::finding::Fault;
use crate::json;
use crate::policy::{Request, RequestError};
use crate::value::{Numbers, Value};

/// The version of reviews that is known. Kubernetes has it since 1.16.
pub(super) const API_VERSION: &str = "admission.k8s.io/v1";
/// The kind of reviews.
pub(super) const KIND: &str = "AdmissionReview";
/// The most bytes of a `uid`: the API server's have 36.
const MAX_UID: usize = 253;

/// Why a review cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is no JSON.
    #[error("the review is no JSON: {0}")]
    Json(#[from] json::Error),
    /// It is no review, or one of another version.
    #[error("expected apiVersion {API_VERSION} and kind {KIND}, found {0}")]
    Kind(String),
    /// It does not ask anything.
    #[error("request is missing: an {KIND} that asks for an answer has one")]
    NoRequest,
    /// There is nothing by which the API server would know the answer.
    #[error("request.uid: expected a text of 1 to {MAX_UID} bytes")]
    Uid,
    /// A field of the request is not as it should be.
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        let fault = Self::new(malformed.to_string());
        match malformed {
            Malformed::Kind(_) => fault.help("list v1 in admissionReviewVersions of the webhook's configuration"),
            _ => fault.help("send what an API server sends: docs/cluster.md has an example"),
        }
    }
}

/// A review that can be answered.
#[derive(Debug)]
pub(super) struct Review {
    pub uid: String,
    pub request: Request,
}

impl Review {
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        Self::read(&json::parse(body, Numbers::Exact)?)
    }

    pub fn read(review: &Value) -> Result<Self, Malformed> {
        if !is_review(review) {
            return Err(Malformed::Kind(found(review)));
        }
        let request = review.get("request").filter(|request| request.as_map().is_some()).ok_or(Malformed::NoRequest)?;
        let uid = request.get("uid").and_then(Value::as_str).filter(|uid| (1..=MAX_UID).contains(&uid.len()));
        Ok(Self { uid: uid.ok_or(Malformed::Uid)?.to_owned(), request: Request::read(request)? })
    }
}

/// Whether a document is a review of the known version.
fn is_review(document: &Value) -> bool {
    let is = |key, wanted| document.get(key).and_then(Value::as_str) == Some(wanted);
    is("apiVersion", API_VERSION) && is("kind", KIND)
}

/// What a document is instead of a review.
fn found(document: &Value) -> String {
    if document.as_map().is_none() {
        return document.type_name().to_owned();
    }
    let text = |key| match document.get(key) {
        Some(Value::String(text)) => format!("{:?}", text.chars().take(60).collect::<String>()),
        Some(value) => value.type_name().to_owned(),
        None => "none".to_owned(),
    };
    format!("{} and {}", text("apiVersion"), text("kind"))
}
