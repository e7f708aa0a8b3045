//! What is known about kinds without asking a server: their resources, scopes and equivalents.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::value::Value;

/// A group and a version under which objects of a resource are served.
pub type Served = (Cow<'static, str>, Cow<'static, str>);

/// The kinds that custom resource definitions add to those that Kubernetes has.
#[derive(Debug, Default)]
pub struct Kinds<'a> {
    custom: HashMap<(&'a str, &'a str), Custom<'a>>,
}

#[derive(Debug)]
struct Custom<'a> {
    resource: &'a str,
    namespaced: bool,
    versions: Vec<&'a str>,
}

impl<'a> Kinds<'a> {
    /// The kinds of the definitions among some objects.
    pub fn of(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let definitions = objects.into_iter().filter_map(|object| {
            let (group, _) = group_version(object.get("apiVersion")?.as_str()?);
            let kind = object.get("kind")?.as_str()?;
            let is_definition = group == "apiextensions.k8s.io" && kind == "CustomResourceDefinition";
            object.get("spec").filter(|_| is_definition)
        });
        let custom = definitions.filter_map(|spec| {
            let text = |keys: [&str; 2]| spec.at(keys).and_then(Value::as_str);
            let key = (spec.get("group")?.as_str()?, text(["names", "kind"])?);
            let versions = spec.get("versions").and_then(Value::as_list).unwrap_or_default().iter();
            let versions = versions.filter_map(|version| version.get("name").and_then(Value::as_str)).collect();
            let namespaced = spec.get("scope").and_then(Value::as_str) != Some("Cluster");
            Some((key, Custom { resource: text(["names", "plural"])?, namespaced, versions }))
        });
        Self { custom: custom.collect() }
    }

    /// The resource of a kind: `deployments`.
    pub fn resource(&self, group: &str, kind: &str) -> String {
        let custom = self.custom.get(&(group, kind));
        custom.map_or_else(|| resource(kind), |custom| custom.resource.to_owned())
    }

    /// Whether objects of a kind live in a namespace. Kinds that are not known do.
    pub fn is_namespaced(&self, group: &str, kind: &str) -> bool {
        self.custom.get(&(group, kind)).map_or_else(|| is_namespaced(group, kind), |custom| custom.namespaced)
    }

    /// The groups and versions under which the objects of a kind are served too, for `matchPolicy: Equivalent`.
    pub fn equivalents(&self, group: &str, kind: &str) -> Vec<Served> {
        if let Some(custom) = self.custom.get(&(group, kind)) {
            let served = |version: &&str| (Cow::Owned(group.to_owned()), Cow::Owned((*version).to_owned()));
            return custom.versions.iter().map(served).collect();
        }
        let family = FAMILIES
            .iter()
            .find(|family| family.kinds.contains(&kind) && family.served.iter().any(|(known, _)| *known == group));
        let known = family.map(|family| family.served).unwrap_or_default();
        known.iter().map(|(group, version)| (Cow::Borrowed(*group), Cow::Borrowed(*version))).collect()
    }
}

/// Kinds, and the groups and versions under which API servers served them.
struct Family {
    kinds: &'static [&'static str],
    served: &'static [(&'static str, &'static str)],
}

/// Kinds with several groups or versions.
///
/// Versions that newer servers have dropped count: a rule that names one means these objects.
const FAMILIES: &[Family] = &[
    Family {
        kinds: &["Deployment"],
        served: &[("apps", "v1"), ("apps", "v1beta2"), ("apps", "v1beta1"), ("extensions", "v1beta1")],
    },
    Family {
        kinds: &["DaemonSet", "ReplicaSet"],
        served: &[("apps", "v1"), ("apps", "v1beta2"), ("extensions", "v1beta1")],
    },
    Family {
        kinds: &["StatefulSet", "ControllerRevision"],
        served: &[("apps", "v1"), ("apps", "v1beta2"), ("apps", "v1beta1")],
    },
    Family { kinds: &["CronJob"], served: &[("batch", "v1"), ("batch", "v1beta1")] },
    Family {
        kinds: &["HorizontalPodAutoscaler"],
        served: &[("autoscaling", "v2"), ("autoscaling", "v1"), ("autoscaling", "v2beta2"), ("autoscaling", "v2beta1")],
    },
    Family {
        kinds: &["Ingress"],
        served: &[("networking.k8s.io", "v1"), ("networking.k8s.io", "v1beta1"), ("extensions", "v1beta1")],
    },
    Family { kinds: &["IngressClass"], served: &[("networking.k8s.io", "v1"), ("networking.k8s.io", "v1beta1")] },
    Family { kinds: &["NetworkPolicy"], served: &[("networking.k8s.io", "v1"), ("extensions", "v1beta1")] },
    Family { kinds: &["PodDisruptionBudget"], served: &[("policy", "v1"), ("policy", "v1beta1")] },
    Family { kinds: &["PodSecurityPolicy"], served: &[("policy", "v1beta1"), ("extensions", "v1beta1")] },
    Family { kinds: &["Event"], served: &[("", "v1"), ("events.k8s.io", "v1"), ("events.k8s.io", "v1beta1")] },
    Family { kinds: &["EndpointSlice"], served: &[("discovery.k8s.io", "v1"), ("discovery.k8s.io", "v1beta1")] },
    Family {
        kinds: &["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
        served: &[
            ("rbac.authorization.k8s.io", "v1"),
            ("rbac.authorization.k8s.io", "v1beta1"),
            ("rbac.authorization.k8s.io", "v1alpha1"),
        ],
    },
    Family {
        kinds: &["StorageClass", "VolumeAttachment", "CSIDriver", "CSINode", "CSIStorageCapacity"],
        served: &[("storage.k8s.io", "v1"), ("storage.k8s.io", "v1beta1")],
    },
    Family {
        kinds: &["PriorityClass"],
        served: &[("scheduling.k8s.io", "v1"), ("scheduling.k8s.io", "v1beta1"), ("scheduling.k8s.io", "v1alpha1")],
    },
    Family { kinds: &["RuntimeClass"], served: &[("node.k8s.io", "v1"), ("node.k8s.io", "v1beta1")] },
    Family {
        kinds: &["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
        served: &[
            ("admissionregistration.k8s.io", "v1"),
            ("admissionregistration.k8s.io", "v1beta1"),
            ("admissionregistration.k8s.io", "v1alpha1"),
        ],
    },
    Family {
        kinds: &["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"],
        served: &[("admissionregistration.k8s.io", "v1"), ("admissionregistration.k8s.io", "v1beta1")],
    },
    Family {
        kinds: &["CustomResourceDefinition"],
        served: &[("apiextensions.k8s.io", "v1"), ("apiextensions.k8s.io", "v1beta1")],
    },
];

/// The group and version of an `apiVersion`; the core group is empty.
pub fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// The resource of a kind: `NetworkPolicy` → `networkpolicies`.
///
/// The rules are those by which Kubernetes guesses (`meta.UnsafeGuessKindToResource`), and English where they err.
fn resource(kind: &str) -> String {
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

fn is_namespaced(group: &str, kind: &str) -> bool {
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
