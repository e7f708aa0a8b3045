//! What Kubernetes knows about kinds without asking a server: the resource of a kind, and its scope.

/// The group and version of an `apiVersion`; the core group is empty.
pub fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// The resource of a kind: `NetworkPolicy` → `networkpolicies`.
///
/// The rules are those by which Kubernetes guesses (`meta.UnsafeGuessKindToResource`), and English where they err.
pub fn resource(kind: &str) -> String {
    let singular = kind.to_ascii_lowercase();
    let before_last = singular.len().checked_sub(2).and_then(|at| singular.as_bytes().get(at)).copied();
    match singular.as_bytes().last() {
        _ if singular.ends_with("endpoints") => singular,
        Some(b's' | b'x') => format!("{singular}es"),
        Some(b'h') if matches!(before_last, Some(b'c' | b's')) => format!("{singular}es"),
        Some(b'y') if !matches!(before_last, Some(b'a' | b'e' | b'i' | b'o' | b'u')) => {
            format!("{}ies", singular.trim_end_matches('y'))
        }
        _ => format!("{singular}s"),
    }
}

/// Groups and kinds whose objects have no namespace; `*` is every kind of the group.
const CLUSTER_SCOPED: &[(&str, &[&str])] = &[
    ("", &["ComponentStatus", "Namespace", "Node", "PersistentVolume"]),
    ("admissionregistration.k8s.io", &["*"]),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("authentication.k8s.io", &["SelfSubjectReview", "TokenReview"]),
    ("authorization.k8s.io", &["SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle"]),
    ("cert-manager.io", &["ClusterIssuer"]),
    ("flowcontrol.apiserver.k8s.io", &["*"]),
    ("gateway.networking.k8s.io", &["GatewayClass"]),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    ("networking.k8s.io", &["ClusterCIDR", "IPAddress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["PodSecurityPolicy"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("resource.k8s.io", &["DeviceClass", "DeviceTaintRule", "ResourceSlice"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("snapshot.storage.k8s.io", &["VolumeSnapshotClass", "VolumeSnapshotContent"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"]),
];

/// Whether objects of a kind live in a namespace. Kinds that are not known do.
pub fn is_namespaced(group: &str, kind: &str) -> bool {
    let kinds = CLUSTER_SCOPED.iter().find(|(known, _)| *known == group);
    !kinds.is_some_and(|(_, kinds)| kinds.iter().any(|known| *known == "*" || *known == kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_resources_that_the_api_server_gives_them() {
        let cases = [
            ("Pod", "pods"),
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
            ("Endpoints", "endpoints"),
            ("Gateway", "gateways"),
            ("StorageClass", "storageclasses"),
            ("ReplicationController", "replicationcontrollers"),
        ];
        for (kind, plural) in cases {
            assert_eq!(resource(kind), plural);
        }
    }

    #[test]
    fn scopes_depend_on_the_group() {
        assert!(!is_namespaced("", "Namespace"));
        assert!(is_namespaced("example.com", "Namespace"));
        assert!(!is_namespaced("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"));
        assert!(is_namespaced("rbac.authorization.k8s.io", "RoleBinding"));
    }
}
