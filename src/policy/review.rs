//! Policies on one request to a server, as the API server would answer it.

use super::Policy;
use super::evaluate::{Failures, Source, Violation, judge_release};
use super::fleet::{Fleet, Release};
use super::request::Request;
use crate::finding::Severity;
use crate::value::Value;

/// What is known of the cluster that asks.
#[derive(Debug, Clone, Copy)]
pub struct Cluster<'a> {
    /// Its Kubernetes version: `v1.36.0`.
    pub kube_version: &'a str,
    /// The Namespace that the object is in; `None` where only its name is known.
    pub namespace: Option<&'a Value>,
}

/// The violations of policies that judge single objects, in the order of the policies.
///
/// What cannot be evaluated is a violation too, unless the policy ignores failures.
pub fn review<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    request: Request,
    cluster: Cluster<'_>,
) -> Vec<Violation<'p>> {
    let release = Release::plain("", cluster.kube_version, &[]);
    let fleet = Fleet::of_request(&release, request, cluster.namespace);
    let mut violations = Vec::new();
    for policy in policies {
        match judge_release(policy, &fleet, 0, Failures::Count) {
            Ok(found) => violations.extend(found),
            Err(error) => violations.push(Violation {
                policy,
                severity: Severity::Error,
                release: None,
                object: Some(0),
                message: format!("could not be evaluated: {}", error.kind),
                blamed: Vec::new(),
                source: Source::Failure,
            }),
        }
    }
    violations
}
