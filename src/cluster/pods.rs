//! The Pods that workloads would start, as the server would store them: webhooks that inject containers change Pods, not
//! Deployments.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::retry::{AT_ONCE, until_answered};
use super::{Api, Error, Resource};
use crate::json;
use crate::value::{Map, Value};

/// What became of a Pod.
#[derive(Debug, Clone)]
pub enum Pod {
    /// What the server would store.
    Stored {
        /// What it was given: what the controller would send. Both have the name of the workload.
        given: Value,
        /// What it made of that.
        stored: Value,
    },
    /// The server would not take it.
    Denied(PodDenied, Error),
}

/// Why a Pod was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodDenied {
    /// Whoever applies may not create Pods: what the server would make of them is not known.
    Forbidden,
    /// A quota has no room for one more: what the server would make of it is not known.
    Quota,
    /// The workload could not start any: Pod Security, a webhook, a missing account.
    Refused,
}

/// Where the kinds that start Pods have the template.
const TEMPLATES: [(&str, &str, &[&str]); 7] = [
    ("", "ReplicationController", &["spec", "template"]),
    ("apps", "DaemonSet", &["spec", "template"]),
    ("apps", "Deployment", &["spec", "template"]),
    ("apps", "ReplicaSet", &["spec", "template"]),
    ("apps", "StatefulSet", &["spec", "template"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("batch", "Job", &["spec", "template"]),
];

/// The template of the Pods that an object starts.
pub(super) fn template<'a>(resource: &Resource, object: &'a Value) -> Option<&'a Value> {
    let is_it = |(group, kind, _): &&(&str, &str, &[&str])| *group == resource.group && *kind == resource.kind;
    let (_, _, way) = TEMPLATES.iter().find(is_it)?;
    object.at(way.iter().copied())
}

/// A workload as the server would store it.
pub(super) struct Workload<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    pub template: &'a Value,
}

/// Asks what the server would make of the Pods of some workloads; of the same templates in a namespace once.
pub(super) async fn pods(api: &Api, workloads: &[Workload<'_>], patience: Duration) -> Vec<Pod> {
    let resources = api.resources();
    let Some(resource) = resources.of("v1", "Pod") else { return Vec::new() };
    let mut known = HashMap::new();
    let mut asked: Vec<&Workload<'_>> = Vec::new();
    let numbers: Vec<usize> = workloads
        .iter()
        .map(|workload| {
            let text = json::to_json_raw(workload.template).unwrap_or_default();
            *known.entry((workload.namespace, text)).or_insert_with(|| {
                asked.push(workload);
                asked.len() - 1
            })
        })
        .collect();
    let ask = asked.into_iter().map(|workload| workload.dry_run(api, resource, patience));
    let pods: Vec<Pod> = stream::iter(ask).buffered(AT_ONCE).collect().await;
    numbers.into_iter().filter_map(|number| pods.get(number).cloned()).collect()
}

impl Workload<'_> {
    async fn dry_run(&self, api: &Api, resource: &Resource, patience: Duration) -> Pod {
        let pod = self.pod();
        let create = async || api.create(resource, Some(self.namespace), &pod, true).await;
        match until_answered(api, patience, create).await {
            Ok(stored) => Pod::Stored { given: named(&pod, self.name), stored: named(&stored, self.name) },
            Err(error) => Pod::denied(error),
        }
    }

    /// What its controller would send, but for the owner and what only the controller knows.
    fn pod(&self) -> Value {
        let mut pod: Map = self.template.as_map().cloned().unwrap_or_default();
        let mut metadata: Map = pod.get("metadata").and_then(Value::as_map).cloned().unwrap_or_default();
        metadata.remove("name");
        metadata.insert("generateName", format!("{}-", self.name).into());
        metadata.insert("namespace", self.namespace.into());
        pod.insert("metadata", metadata.into());
        pod.insert("apiVersion", "v1".into());
        pod.insert("kind", "Pod".into());
        pod.into()
    }
}

/// An object under a name in place of one that the server makes up.
pub(super) fn named(object: &Value, name: &str) -> Value {
    let map = |value: Option<&Value>| value.and_then(Value::as_map).cloned().unwrap_or_default();
    let (mut fields, mut metadata) = (map(Some(object)), map(object.get("metadata")));
    metadata.remove("generateName");
    metadata.insert("name", name.into());
    fields.insert("metadata", metadata.into());
    fields.into()
}

impl Pod {
    fn denied(mut error: Error) -> Self {
        // Whoever may not make Pods is told so before admission: the words are the authorizer's.
        let why = match error.code() {
            Some(403) if error.message.contains("cannot create resource \"pods\"") => PodDenied::Forbidden,
            Some(403) if error.message.contains("exceeded quota") => PodDenied::Quota,
            _ => PodDenied::Refused,
        };
        if why == PodDenied::Forbidden {
            error.help = Some(
                "what webhooks make of its Pods is seen by a dry run only: allow `create` of `pods`, or apply without \
                 this check by --no-pods"
                    .to_owned(),
            );
        }
        Self::Denied(why, error)
    }
}
