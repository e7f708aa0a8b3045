//! APIs that Kubernetes has deprecated or removed.
//!
//! What is said of them is what API servers go by; the recipe of the table names its sources.

pub mod field;
mod table;

use std::fmt;

use super::{Check, Minor, Problem};
use crate::value::Path;

/// An API that is not served for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecation {
    api_version: &'static str,
    kind: &'static str,
    /// The first version of Kubernetes that warns of it: the one that removes it, if none did before.
    pub deprecated: Minor,
    /// The first version of Kubernetes that does not serve it: known or planned.
    pub removed: Option<Minor>,
    /// What to use, and since which version of Kubernetes: the oldest first.
    replacements: &'static [(u16, &'static str)],
}

/// A row of the table.
const fn row(
    api_version: &'static str,
    kind: &'static str,
    deprecated: u16,
    removed: Option<u16>,
    replacements: &'static [(u16, &'static str)],
) -> Deprecation {
    let removed = match removed {
        Some(minor) => Some(Minor(minor)),
        None => None,
    };
    Deprecation { api_version, kind, deprecated: Minor(deprecated), removed, replacements }
}

/// Whether an API is, will be or was deprecated: `apps/v1beta1` and `Deployment`.
pub fn find(api_version: &str, kind: &str) -> Option<&'static Deprecation> {
    let found = table::APIS.binary_search_by(|api| api.key().cmp(&(api_version, kind)));
    found.ok().and_then(|index| table::APIS.get(index))
}

/// What is wrong with the `apiVersion` of an object for a version of Kubernetes, which may be the one that a cluster is
/// to be upgraded to: the target. What is only deprecated is said in the same words of both.
pub fn problem(api_version: &str, kind: &str, at: Minor, is_target: bool) -> Option<Problem> {
    let api = find(api_version, kind)?;
    let check = api.check(at)?;
    let what = match (check, api.removed) {
        (Check::RemovedApi, _) if is_target => format!("Kubernetes {at}, the target, does not serve {api}"),
        (Check::RemovedApi, Some(removed)) => format!("{api} is not served by Kubernetes {removed} and later"),
        (_, Some(removed)) => {
            format!("{api} is deprecated since Kubernetes {} and will be removed in {removed}", api.deprecated)
        }
        (_, None) => format!("{api} is deprecated since Kubernetes {}", api.deprecated),
    };
    let message = match api.replacement(at) {
        Some((since, name)) if since > at => format!("{what}: from {since} on use {name}"),
        Some((_, name)) => format!("{what}: use {name}"),
        None => what,
    };
    Some(Problem { check, path: Path::default().key("apiVersion"), message })
}

impl Deprecation {
    /// What an object of this API is in a version of Kubernetes, if anything: [`Check::RemovedApi`] or
    /// [`Check::DeprecatedApi`].
    pub fn check(&self, at: Minor) -> Option<Check> {
        if self.removed.is_some_and(|removed| removed <= at) {
            Some(Check::RemovedApi)
        } else {
            (self.deprecated <= at).then_some(Check::DeprecatedApi)
        }
    }

    /// What to use instead, and since which version of Kubernetes: the best that a version has, else the first to come.
    /// An `apiVersion` where the kind stays the same, as `apps/v1`; else with the kind, or in words.
    pub fn replacement(&self, at: Minor) -> Option<(Minor, &'static str)> {
        let there = self.replacements.iter().rfind(|(since, _)| *since <= at.0);
        there.or(self.replacements.first()).map(|(since, name)| (Minor(*since), *name))
    }

    fn key(&self) -> (&str, &str) {
        (self.api_version, self.kind)
    }
}

/// `apps/v1beta1 Deployment`
impl fmt::Display for Deprecation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::bundle::Bundle;
    use super::*;

    fn message(api: &str, at: u16, is_target: bool) -> Option<(Check, String)> {
        let (api_version, kind) = api.split_once(' ').unwrap();
        problem(api_version, kind, Minor(at), is_target).map(|problem| (problem.check, problem.message))
    }

    #[test]
    fn the_table_is_sorted_and_each_row_is_found() {
        assert!(table::APIS.is_sorted_by(|a, b| a.key() < b.key()));
        for api in table::APIS {
            assert_eq!(find(api.api_version, api.kind), Some(api));
            assert!(api.removed.is_none_or(|removed| api.deprecated <= removed), "{api}");
        }
        assert_eq!(find("apps/v1", "Deployment"), None);
    }

    #[test]
    fn what_is_removed_is_said_with_the_way_out() {
        let said = |text: &str| Some((Check::RemovedApi, text.to_owned()));
        assert_eq!(
            message("extensions/v1beta1 Deployment", 30, false),
            said("extensions/v1beta1 Deployment is not served by Kubernetes 1.16 and later: use apps/v1")
        );
        assert_eq!(
            message("policy/v1beta1 PodSecurityPolicy", 37, false),
            said(
                "policy/v1beta1 PodSecurityPolicy is not served by Kubernetes 1.25 and later: use Pod Security Admission \
                 (labels of the namespace) or an admission policy"
            )
        );
        assert_eq!(
            message("storage.k8s.io/v1beta1 VolumeAttributesClass", 37, true),
            said(
                "Kubernetes 1.37, the target, does not serve storage.k8s.io/v1beta1 VolumeAttributesClass: use \
                 storage.k8s.io/v1"
            )
        );
        assert_eq!(
            message("networking.k8s.io/v1alpha1 ClusterCIDR", 30, false),
            said("networking.k8s.io/v1alpha1 ClusterCIDR is not served by Kubernetes 1.29 and later")
        );
    }

    #[test]
    fn what_is_deprecated_is_said_from_then_on_and_in_the_same_words_of_the_target() {
        let said = |text: &str| Some((Check::DeprecatedApi, text.to_owned()));
        for is_target in [false, true] {
            assert_eq!(message("v1 Endpoints", 32, is_target), None);
            assert_eq!(
                message("v1 Endpoints", 33, is_target),
                said("v1 Endpoints is deprecated since Kubernetes 1.33: use discovery.k8s.io/v1 EndpointSlice")
            );
        }
        assert_eq!(message("storage.k8s.io/v1beta1 VolumeAttributesClass", 33, false), None);
        assert_eq!(
            message("storage.k8s.io/v1beta1 VolumeAttributesClass", 36, false),
            said(
                "storage.k8s.io/v1beta1 VolumeAttributesClass is deprecated since Kubernetes 1.34 and will be removed in \
                 1.37: use storage.k8s.io/v1"
            )
        );
    }

    #[test]
    fn what_replaces_an_api_is_there_in_the_same_version() {
        let replacement = |at| find("certificates.k8s.io/v1alpha1", "ClusterTrustBundle").unwrap().replacement(at);
        assert_eq!(replacement(Minor(36)), Some((Minor(33), "certificates.k8s.io/v1beta1")));
        assert_eq!(replacement(Minor(37)), Some((Minor(37), "certificates.k8s.io/v1")));
        assert_eq!(
            message("storagemigration.k8s.io/v1alpha1 StorageVersionMigration", 34, false).unwrap().1,
            "storagemigration.k8s.io/v1alpha1 StorageVersionMigration is deprecated since Kubernetes 1.33 and will be \
             removed in 1.35: from 1.35 on use storagemigration.k8s.io/v1beta1"
        );
    }

    #[test]
    fn what_a_version_removes_is_what_it_has_no_schema_for_any_more() {
        let bundle = Bundle::embedded().unwrap();
        let (mut had, mut removed) = (BTreeSet::new(), 0);
        for &version in bundle.versions() {
            let kinds = bundle.kinds(version).unwrap();
            // Lists are judged by their items.
            let kinds = kinds.filter(|kind| !kind.kind.ends_with("List"));
            let kinds: BTreeSet<_> = kinds.map(|kind| (kind.api_version, kind.kind)).collect();
            for &(api_version, kind) in had.union(&kinds) {
                let said = problem(api_version, kind, version, false).is_some_and(|it| it.check == Check::RemovedApi);
                assert_eq!(said, !kinds.contains(&(api_version, kind)), "{api_version} {kind} in {version}");
                removed += usize::from(said);
            }
            had.extend(kinds);
        }
        assert!(removed > 20, "{removed} are too few to be told apart");
    }

    #[test]
    fn what_a_version_removes_is_what_its_api_server_does_not_serve_any_more() {
        let served = include_str!("../../tests/fixtures/deprecations/served.txt");
        let served = served.lines().skip(1).map(|line| line.split(' ').collect::<Vec<_>>().try_into().unwrap());
        let served: Vec<[&str; 4]> = served.collect();
        let last = |last: &str| last.parse::<Minor>().unwrap();
        let newest = served.iter().map(|[.., until]| last(until)).max().unwrap();
        for [api_version, kind, _, until] in &served {
            let removed = find(api_version, kind).and_then(|api| api.removed).filter(|&removed| removed <= newest);
            let gone = (last(until) < newest).then(|| Minor(last(until).0 + 1));
            // 1.16 and 1.17 had a flag to serve them all the same.
            let gone = if removed == Some(Minor(16)) { gone.min(Some(Minor(16))) } else { gone };
            assert_eq!(removed, gone, "{api_version} {kind}");
        }
        for api in table::APIS.iter().filter(|api| api.removed.is_some_and(|removed| removed > Minor(16))) {
            assert!(served.iter().any(|[api_version, kind, ..]| (*api_version, *kind) == api.key()), "{api}");
        }
    }
}
