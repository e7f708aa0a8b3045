//! What is counted, and its text for Prometheus.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::admission::Answer;

/// The content type of [`Metrics::text`].
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The kinds that have a label of their own. Users name the kinds of custom resources: those are `other`, for each label
/// is memory here and in Prometheus.
const KINDS: &[&str] = &[
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "CronJob",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "Gateway",
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "Namespace",
    "NetworkPolicy",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "ReplicaSet",
    "ReplicationController",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
];

/// Seconds: a Pod takes a fraction of the first; the API server waits for 30 at most.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// All that is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    reviews: Family<Review, Counter>,
    violations: Family<Violation, Counter>,
    duration: Histogram,
    errors: Family<Failure, Counter>,
    pub connections: Gauge,
    reloads: Family<Reload, Counter>,
    pub policies: Gauge,
    pub expiry: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Review {
    operation: &'static str,
    kind: &'static str,
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Violation {
    policy: String,
    action: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reload {
    what: &'static str,
    outcome: &'static str,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("plimsoll"),
            reviews: Family::default(),
            violations: Family::default(),
            duration: Histogram::new(BUCKETS),
            errors: Family::default(),
            connections: Gauge::default(),
            reloads: Family::default(),
            policies: Gauge::default(),
            expiry: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("reviews", "Reviews that were answered", metrics.reviews.clone());
        registry.register("policy_violations", "Violations in reviewed objects", metrics.violations.clone());
        let help = "From the whole request to its answer, waiting for a core included";
        registry.register_with_unit("review_duration", help, Unit::Seconds, metrics.duration.clone());
        registry.register("request_errors", "Requests and connections without a review", metrics.errors.clone());
        registry.register("connections", "Connections that are open to the webhook", metrics.connections.clone());
        registry.register("reloads", "Times that changed files were read", metrics.reloads.clone());
        registry.register("policies", "Policies that objects are held to", metrics.policies.clone());
        let help = "When the certificate in use expires, as seconds since 1970";
        registry.register_with_unit("certificate_expiry_timestamp", help, Unit::Seconds, metrics.expiry.clone());
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of plimsoll", version);
        metrics
    }

    /// A review was answered.
    pub(super) fn reviewed(&self, answer: &Answer, took: Duration) {
        let labels = Review {
            operation: operation(&answer.operation),
            kind: kind(&answer.object.kind),
            verdict: verdict(answer),
        };
        self.reviews.get_or_create(&labels).inc();
        self.duration.observe(took.as_secs_f64());
        for (policies, action) in [
            (&answer.denied, "deny"),
            (&answer.warned, "warn"),
            (&answer.audited, "audit"),
            (&answer.exempted, "exempt"),
        ] {
            for policy in policies {
                self.violations.get_or_create(&Violation { policy: policy.clone(), action }).inc();
            }
        }
    }

    /// A request or a connection came to nothing.
    pub(super) fn failed(&self, reason: &'static str) {
        self.errors.get_or_create(&Failure { reason }).inc();
    }

    /// Files that had changed were read.
    pub(super) fn reloaded(&self, what: &'static str, succeeded: bool) {
        let outcome = if succeeded { "success" } else { "failure" };
        self.reloads.get_or_create(&Reload { what, outcome }).inc();
    }

    /// All of it, in the text format of OpenMetrics.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String does not fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

/// `denied`, or whether there was something to say.
pub(super) fn verdict(answer: &Answer) -> &'static str {
    match answer {
        Answer { allowed: false, .. } => "denied",
        Answer { warned, .. } if !warned.is_empty() => "warned",
        _ => "allowed",
    }
}

fn operation(name: &str) -> &'static str {
    ["CREATE", "UPDATE", "DELETE", "CONNECT"].into_iter().find(|known| *known == name).unwrap_or("other")
}

fn kind(name: &str) -> &'static str {
    KINDS.iter().find(|known| **known == name).copied().unwrap_or("other")
}
