//! The order in which Helm prints and installs kinds.

use std::cmp::Ordering;

/// Helm's `InstallOrder` (helm.sh/helm/v4 pkg/release/v1/util/kind_sorter.go).
const INSTALL_ORDER: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Compares kinds by install order; unknown kinds come last, by name.
pub fn compare(a: &str, b: &str) -> Ordering {
    let rank = |kind: &str| INSTALL_ORDER.iter().position(|known| *known == kind).unwrap_or(INSTALL_ORDER.len());
    rank(a).cmp(&rank(b)).then_with(|| if rank(a) == INSTALL_ORDER.len() { a.cmp(b) } else { Ordering::Equal })
}

/// Whether a kind has a place in the install order; of those without, most are of custom resources.
pub fn is_ordered(kind: &str) -> bool {
    INSTALL_ORDER.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_kinds_by_rank_then_unknown_ones_by_name() {
        let mut kinds = ["Widget", "Ingress", "Gadget", "Namespace", "Deployment"];
        kinds.sort_by(|a, b| compare(a, b));
        assert_eq!(kinds, ["Namespace", "Deployment", "Ingress", "Gadget", "Widget"]);
    }
}
