//! What templates may look up: objects as they are in the cluster, read and never written.
//!
//! Source: Helm's `pkg/engine/lookup_func.go`.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::resources::escape;
use super::retry::{Interrupted, unless_interrupted, until_answered};
use super::{Api, Error, Resource};
use crate::render::functions::Failure;
use crate::render::host::{Found, Lookup, Query};
use crate::render::strconv::quote;
use crate::value::{Map, Value};

/// The most different questions that the charts of one run may ask: each is a request.
const MAX_QUERIES: usize = 1_000;

/// How long a server that was there may be away.
const PATIENCE: Duration = Duration::from_secs(30);

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
        let Query { api_version, kind, namespace, name } = query;
        let resources = self.api.resources();
        let resource = resources.of(api_version, kind);
        if resource.is_none() && !resources.has_version(api_version) {
            return Err(no_such_version(api_version, kind));
        }
        let is_namespaced = resource.is_some_and(|resource| resource.is_namespaced);
        let namespace = given(namespace).filter(|_| is_namespaced);
        let name = given(name);
        check_segment("namespace", namespace)?;
        check_segment("resource name", name)?;
        let path = match (resource, name) {
            (Some(resource), _) => resource.path(namespace, name),
            // Of a kind that there is not, Helm asks for a resource without a name, group and version.
            (None, Some(name)) => format!("/api/{}", escape(name)),
            (None, None) => "/api".to_owned(),
        };
        match until_answered(&self.api, PATIENCE, async || self.api.read_sized(&path).await).await {
            Ok((list, bytes)) if name.is_none() => Ok(Found { object: with_items(resource, &list), bytes }),
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
        let ask = async || match unless_interrupted(&self.api, self.ask(query)).await {
            Ok(answer) => answer,
            Err(Interrupted) => Err(Failure::new("interrupted")),
        };
        answer.get_or_init(|| self.runtime.block_on(ask())).clone()
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}

/// A list as client-go gives it: its items say their version and their kind.
fn with_items(resource: Option<&Resource>, list: &Value) -> Value {
    let mut map: Map = list.as_map().cloned().unwrap_or_default();
    let items = list.get("items").and_then(Value::as_list).unwrap_or_default();
    let items = items.iter().map(|item| resource.map_or_else(|| item.clone(), |resource| resource.with_type(item)));
    map.insert("items", items.collect::<Vec<_>>().into());
    map.into()
}

/// What Helm says of a version that the server has not.
fn no_such_version(api_version: &str, kind: &str) -> Failure {
    let (group, version) = match api_version.split_once('/') {
        // With two slashes it is none.
        Some((_, version)) if version.contains('/') => ("", ""),
        Some(parts) => parts,
        None => ("", api_version),
    };
    let reason = match (group, version) {
        ("", "") => "groupVersion shouldn't be empty",
        _ => "the server could not find the requested resource",
    };
    let described = format!("{group}/{version}, Kind={kind}");
    Failure::new(format!("unable to get apiresource from unstructured: {described}: {reason}"))
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Refuses what cannot be one segment of a path, as client-go does before it asks (apimachinery's
/// `IsValidPathSegmentName`).
fn check_segment(what: &str, text: Option<&str>) -> Result<(), Failure> {
    let text = text.unwrap_or_default();
    let mut problems = Vec::new();
    if text == "." || text == ".." {
        problems.push(format!("may not be '{text}'"));
    }
    let illegal = ["/", "%"].into_iter().filter(|illegal| text.contains(illegal));
    problems.extend(illegal.map(|illegal| format!("may not contain '{illegal}'")));
    match problems.as_slice() {
        [] => Ok(()),
        _ => {
            let (text, problems) = (quote(text.as_bytes(), false), problems.join(" "));
            Err(Failure::new(format!("invalid {what} {text}: [{problems}]")))
        }
    }
}

fn failure(error: Error) -> Failure {
    Failure { message: error.message, help: error.help }
}
