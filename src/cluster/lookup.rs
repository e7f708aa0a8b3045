//! What templates may look up: objects as they are in the cluster, read and never written.
//!
//! Source: Helm's `pkg/engine/lookup_func.go`.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::runtime::Runtime;

use super::{Api, Error};
use crate::render::functions::Failure;
use crate::render::host::{Found, Lookup, Query};
use crate::render::strconv::quote;
use crate::value::Map;

/// The most different questions that the charts of one run may ask: each is a request.
const MAX_QUERIES: usize = 1_000;

/// The objects of a cluster, each question asked once: all renders of a process see the same.
pub(super) struct Objects {
    runtime: Arc<Runtime>,
    api: Api,
    answers: Mutex<HashMap<Query, Arc<OnceLock<Answer>>>>,
}

type Answer = Result<Found, Failure>;

impl Objects {
    pub(super) fn new(runtime: Arc<Runtime>, api: Api) -> Self {
        Self { runtime, api, answers: Mutex::default() }
    }

    async fn ask(&self, query: &Query) -> Answer {
        let resources = self.api.resources();
        let Query { api_version, kind, namespace, name } = query;
        let Some(resource) = resources.of(api_version, kind) else {
            // Of a version that is there, any other kind is nothing.
            if resources.has_version(api_version) {
                return Ok(Found { object: Map::default().into(), bytes: 0 });
            }
            return Err(Failure::new(format!(
                "unable to get apiresource from unstructured: {api_version}, Kind={kind}: the server could not find the \
                 requested resource"
            )));
        };
        let [namespace, name] = [namespace, name].map(|text| Some(text.as_str()).filter(|text| !text.is_empty()));
        // What client-go refuses before it asks.
        for (what, text) in [("namespace", namespace.filter(|_| resource.is_namespaced)), ("resource name", name)] {
            if let Some((text, problems)) = text.and_then(|text| Some((text, not_a_segment(text)?))) {
                return Err(Failure::new(format!("invalid {what} {}: [{problems}]", quote(text.as_bytes(), false))));
            }
        }
        let path = resource.path(namespace, name);
        match self.api.read_sized(&path).await {
            Ok((object, bytes)) if name.is_none() => Ok(Found { object: resource.list_with_types(&object), bytes }),
            Ok((object, bytes)) => Ok(Found { object, bytes }),
            Err(error) if error.is_not_found() => Ok(Found { object: Map::default().into(), bytes: 0 }),
            Err(error) => Err(failure(error)),
        }
    }
}

impl Lookup for Objects {
    fn lookup(&self, query: &Query) -> Answer {
        let answer = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            if answers.len() >= MAX_QUERIES && !answers.contains_key(query) {
                return Err(Failure::new(format!("the charts look up more than {MAX_QUERIES} things in the cluster")));
            }
            answers.entry(query.clone()).or_default().clone()
        };
        answer.get_or_init(|| self.runtime.block_on(self.ask(query))).clone()
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}

/// Why a text cannot be one segment of a path, in the words of apimachinery's `IsValidPathSegmentName`.
fn not_a_segment(text: &str) -> Option<String> {
    if text == "." || text == ".." {
        return Some(format!("may not be '{text}'"));
    }
    let found = ["/", "%"].into_iter().filter(|illegal| text.contains(illegal));
    let problems: Vec<String> = found.map(|illegal| format!("may not contain '{illegal}'")).collect();
    (!problems.is_empty()).then(|| problems.join(" "))
}

fn failure(error: Error) -> Failure {
    Failure::new(error.message)
}
