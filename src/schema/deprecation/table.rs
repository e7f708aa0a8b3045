//! Made by schemas/deprecations.py: change that.

use super::{Deprecation, row};

/// Sorted by apiVersion and kind. Who says so is named where it is not the type's own lifecycle.
#[rustfmt::skip]
pub(super) const APIS: &[Deprecation] = &[
    // CHANGELOG-1.14.md of k8s.io/kubernetes
    row("admissionregistration.k8s.io/v1alpha1", "InitializerConfiguration", 14, Some(14), &[(16, "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration")]),
    row("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicy", 35, Some(38), &[(34, "admissionregistration.k8s.io/v1beta1"), (36, "admissionregistration.k8s.io/v1")]),
    row("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicyBinding", 35, Some(38), &[(34, "admissionregistration.k8s.io/v1beta1"), (36, "admissionregistration.k8s.io/v1")]),
    row("admissionregistration.k8s.io/v1alpha1", "ValidatingAdmissionPolicy", 29, Some(32), &[(30, "admissionregistration.k8s.io/v1")]),
    row("admissionregistration.k8s.io/v1alpha1", "ValidatingAdmissionPolicyBinding", 29, Some(32), &[(30, "admissionregistration.k8s.io/v1")]),
    row("admissionregistration.k8s.io/v1beta1", "MutatingAdmissionPolicy", 37, Some(40), &[(36, "admissionregistration.k8s.io/v1")]),
    row("admissionregistration.k8s.io/v1beta1", "MutatingAdmissionPolicyBinding", 37, Some(40), &[(36, "admissionregistration.k8s.io/v1")]),
    row("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", 16, Some(22), &[(16, "admissionregistration.k8s.io/v1")]),
    row("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy", 31, Some(34), &[(30, "admissionregistration.k8s.io/v1")]),
    row("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicyBinding", 31, Some(34), &[(30, "admissionregistration.k8s.io/v1")]),
    row("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", 16, Some(22), &[(16, "admissionregistration.k8s.io/v1")]),
    row("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", 16, Some(22), &[(16, "apiextensions.k8s.io/v1")]),
    row("apiregistration.k8s.io/v1beta1", "APIService", 19, Some(22), &[(10, "apiregistration.k8s.io/v1")]),
    // CHANGELOG-1.5.md of k8s.io/kubernetes
    row("apps/v1alpha1", "PetSet", 5, Some(5), &[(9, "apps/v1 StatefulSet")]),
    row("apps/v1beta1", "ControllerRevision", 8, Some(16), &[(9, "apps/v1")]),
    row("apps/v1beta1", "Deployment", 8, Some(16), &[(9, "apps/v1")]),
    row("apps/v1beta1", "StatefulSet", 8, Some(16), &[(9, "apps/v1")]),
    row("apps/v1beta2", "ControllerRevision", 9, Some(16), &[(9, "apps/v1")]),
    row("apps/v1beta2", "DaemonSet", 9, Some(16), &[(9, "apps/v1")]),
    row("apps/v1beta2", "Deployment", 9, Some(16), &[(9, "apps/v1")]),
    row("apps/v1beta2", "ReplicaSet", 9, Some(16), &[(9, "apps/v1")]),
    row("apps/v1beta2", "StatefulSet", 9, Some(16), &[(9, "apps/v1")]),
    // CHANGELOG-1.19.md of k8s.io/kubernetes
    row("auditregistration.k8s.io/v1alpha1", "AuditSink", 19, Some(19), &[(0, "the API server's own audit configuration")]),
    row("authentication.k8s.io/v1alpha1", "SelfSubjectReview", 29, Some(32), &[(28, "authentication.k8s.io/v1")]),
    row("authentication.k8s.io/v1beta1", "SelfSubjectReview", 30, Some(33), &[(28, "authentication.k8s.io/v1")]),
    row("authentication.k8s.io/v1beta1", "TokenReview", 19, Some(22), &[(6, "authentication.k8s.io/v1")]),
    row("authorization.k8s.io/v1beta1", "LocalSubjectAccessReview", 19, Some(22), &[(19, "authorization.k8s.io/v1")]),
    row("authorization.k8s.io/v1beta1", "SelfSubjectAccessReview", 19, Some(22), &[(19, "authorization.k8s.io/v1")]),
    row("authorization.k8s.io/v1beta1", "SelfSubjectRulesReview", 19, Some(22), &[(19, "authorization.k8s.io/v1")]),
    row("authorization.k8s.io/v1beta1", "SubjectAccessReview", 19, Some(22), &[(6, "authorization.k8s.io/v1")]),
    // CHANGELOG-1.8.md of k8s.io/kubernetes
    row("autoscaling/v2alpha1", "HorizontalPodAutoscaler", 8, Some(8), &[(23, "autoscaling/v2")]),
    row("autoscaling/v2beta1", "HorizontalPodAutoscaler", 22, Some(25), &[(23, "autoscaling/v2")]),
    row("autoscaling/v2beta2", "HorizontalPodAutoscaler", 23, Some(26), &[(23, "autoscaling/v2")]),
    row("batch/v1beta1", "CronJob", 21, Some(25), &[(21, "batch/v1")]),
    row("batch/v2alpha1", "CronJob", 21, Some(21), &[(21, "batch/v1")]),
    // CHANGELOG-1.8.md of k8s.io/kubernetes
    row("batch/v2alpha1", "ScheduledJob", 5, Some(8), &[(21, "batch/v1 CronJob")]),
    row("certificates.k8s.io/v1alpha1", "ClusterTrustBundle", 34, Some(37), &[(33, "certificates.k8s.io/v1beta1"), (37, "certificates.k8s.io/v1")]),
    row("certificates.k8s.io/v1alpha1", "PodCertificateRequest", 35, Some(35), &[(35, "certificates.k8s.io/v1beta1"), (37, "certificates.k8s.io/v1")]),
    row("certificates.k8s.io/v1beta1", "CertificateSigningRequest", 19, Some(22), &[(19, "certificates.k8s.io/v1")]),
    row("certificates.k8s.io/v1beta1", "ClusterTrustBundle", 37, Some(40), &[(37, "certificates.k8s.io/v1")]),
    row("certificates.k8s.io/v1beta1", "PodCertificateRequest", 37, Some(40), &[(37, "certificates.k8s.io/v1")]),
    row("coordination.k8s.io/v1alpha1", "LeaseCandidate", 32, Some(32), &[(32, "coordination.k8s.io/v1alpha2"), (33, "coordination.k8s.io/v1beta1")]),
    row("coordination.k8s.io/v1alpha2", "LeaseCandidate", 35, Some(38), &[(33, "coordination.k8s.io/v1beta1")]),
    row("coordination.k8s.io/v1beta1", "Lease", 19, Some(22), &[(14, "coordination.k8s.io/v1")]),
    row("coordination.k8s.io/v1beta1", "LeaseCandidate", 36, Some(39), &[]),
    // api/openapi-spec/swagger.json of k8s.io/kubernetes v1.17.0
    row("discovery.k8s.io/v1alpha1", "EndpointSlice", 17, Some(17), &[(21, "discovery.k8s.io/v1")]),
    row("discovery.k8s.io/v1beta1", "EndpointSlice", 21, Some(25), &[(21, "discovery.k8s.io/v1")]),
    row("events.k8s.io/v1beta1", "Event", 22, Some(25), &[(19, "events.k8s.io/v1")]),
    row("extensions/v1beta1", "DaemonSet", 8, Some(16), &[(9, "apps/v1")]),
    row("extensions/v1beta1", "Deployment", 8, Some(16), &[(9, "apps/v1")]),
    // CHANGELOG-1.2.md of k8s.io/kubernetes; CHANGELOG-1.6.md
    row("extensions/v1beta1", "HorizontalPodAutoscaler", 2, Some(6), &[(23, "autoscaling/v2")]),
    row("extensions/v1beta1", "Ingress", 14, Some(22), &[(19, "networking.k8s.io/v1")]),
    // CHANGELOG-1.5.md of k8s.io/kubernetes; CHANGELOG-1.6.md
    row("extensions/v1beta1", "Job", 5, Some(6), &[(2, "batch/v1")]),
    row("extensions/v1beta1", "NetworkPolicy", 9, Some(16), &[(7, "networking.k8s.io/v1")]),
    // CHANGELOG-1.25.md of k8s.io/kubernetes
    row("extensions/v1beta1", "PodSecurityPolicy", 11, Some(16), &[(0, "Pod Security Admission (labels of the namespace) or an admission policy")]),
    row("extensions/v1beta1", "ReplicaSet", 8, Some(16), &[(9, "apps/v1")]),
    // CHANGELOG-1.7.md of k8s.io/kubernetes; CHANGELOG-1.8.md
    row("extensions/v1beta1", "ThirdPartyResource", 7, Some(8), &[(16, "apiextensions.k8s.io/v1 CustomResourceDefinition")]),
    row("flowcontrol.apiserver.k8s.io/v1alpha1", "FlowSchema", 20, Some(21), &[(29, "flowcontrol.apiserver.k8s.io/v1")]),
    row("flowcontrol.apiserver.k8s.io/v1alpha1", "PriorityLevelConfiguration", 20, Some(21), &[(29, "flowcontrol.apiserver.k8s.io/v1")]),
    row("flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema", 23, Some(26), &[(29, "flowcontrol.apiserver.k8s.io/v1")]),
    row("flowcontrol.apiserver.k8s.io/v1beta1", "PriorityLevelConfiguration", 23, Some(26), &[(29, "flowcontrol.apiserver.k8s.io/v1")]),
    row("flowcontrol.apiserver.k8s.io/v1beta2", "FlowSchema", 26, Some(29), &[(29, "flowcontrol.apiserver.k8s.io/v1")]),
    row("flowcontrol.apiserver.k8s.io/v1beta2", "PriorityLevelConfiguration", 26, Some(29), &[(29, "flowcontrol.apiserver.k8s.io/v1")]),
    row("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", 29, Some(32), &[(29, "flowcontrol.apiserver.k8s.io/v1")]),
    row("flowcontrol.apiserver.k8s.io/v1beta3", "PriorityLevelConfiguration", 29, Some(32), &[(29, "flowcontrol.apiserver.k8s.io/v1")]),
    row("lifecycle.k8s.io/v1alpha1", "Eviction", 40, Some(43), &[]),
    row("lifecycle.k8s.io/v1alpha1", "EvictionRequest", 40, Some(43), &[]),
    row("networking.k8s.io/v1alpha1", "ClusterCIDR", 28, Some(29), &[]),
    // api/openapi-spec/swagger.json of k8s.io/kubernetes v1.31.0
    row("networking.k8s.io/v1alpha1", "IPAddress", 30, Some(31), &[(31, "networking.k8s.io/v1beta1"), (33, "networking.k8s.io/v1")]),
    // api/openapi-spec/swagger.json of k8s.io/kubernetes v1.31.0
    row("networking.k8s.io/v1alpha1", "ServiceCIDR", 30, Some(31), &[(31, "networking.k8s.io/v1beta1"), (33, "networking.k8s.io/v1")]),
    row("networking.k8s.io/v1beta1", "IPAddress", 34, Some(37), &[(33, "networking.k8s.io/v1")]),
    row("networking.k8s.io/v1beta1", "Ingress", 19, Some(22), &[(19, "networking.k8s.io/v1")]),
    row("networking.k8s.io/v1beta1", "IngressClass", 19, Some(22), &[(19, "networking.k8s.io/v1")]),
    row("networking.k8s.io/v1beta1", "ServiceCIDR", 34, Some(37), &[(33, "networking.k8s.io/v1")]),
    // CHANGELOG-1.24.md of k8s.io/kubernetes
    row("node.k8s.io/v1alpha1", "RuntimeClass", 24, Some(24), &[(20, "node.k8s.io/v1")]),
    row("node.k8s.io/v1beta1", "RuntimeClass", 22, Some(25), &[(20, "node.k8s.io/v1")]),
    // CHANGELOG-1.5.md of k8s.io/kubernetes
    row("policy/v1alpha1", "PodDisruptionBudget", 5, Some(5), &[(21, "policy/v1")]),
    row("policy/v1beta1", "PodDisruptionBudget", 21, Some(25), &[(21, "policy/v1")]),
    // CHANGELOG-1.25.md of k8s.io/kubernetes
    row("policy/v1beta1", "PodSecurityPolicy", 21, Some(25), &[(0, "Pod Security Admission (labels of the namespace) or an admission policy")]),
    // CHANGELOG-1.17.md of k8s.io/kubernetes; CHANGELOG-1.23.md
    row("rbac.authorization.k8s.io/v1alpha1", "ClusterRole", 17, Some(23), &[(8, "rbac.authorization.k8s.io/v1")]),
    // CHANGELOG-1.17.md of k8s.io/kubernetes; CHANGELOG-1.23.md
    row("rbac.authorization.k8s.io/v1alpha1", "ClusterRoleBinding", 17, Some(23), &[(8, "rbac.authorization.k8s.io/v1")]),
    // CHANGELOG-1.17.md of k8s.io/kubernetes; CHANGELOG-1.23.md
    row("rbac.authorization.k8s.io/v1alpha1", "Role", 17, Some(23), &[(8, "rbac.authorization.k8s.io/v1")]),
    // CHANGELOG-1.17.md of k8s.io/kubernetes; CHANGELOG-1.23.md
    row("rbac.authorization.k8s.io/v1alpha1", "RoleBinding", 17, Some(23), &[(8, "rbac.authorization.k8s.io/v1")]),
    row("rbac.authorization.k8s.io/v1beta1", "ClusterRole", 17, Some(22), &[(8, "rbac.authorization.k8s.io/v1")]),
    row("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding", 17, Some(22), &[(8, "rbac.authorization.k8s.io/v1")]),
    row("rbac.authorization.k8s.io/v1beta1", "Role", 17, Some(22), &[(8, "rbac.authorization.k8s.io/v1")]),
    row("rbac.authorization.k8s.io/v1beta1", "RoleBinding", 17, Some(22), &[(8, "rbac.authorization.k8s.io/v1")]),
    row("resource.k8s.io/v1alpha1", "PodScheduling", 27, Some(27), &[]),
    row("resource.k8s.io/v1alpha1", "ResourceClaim", 27, Some(27), &[(27, "resource.k8s.io/v1alpha2"), (31, "resource.k8s.io/v1alpha3"), (32, "resource.k8s.io/v1beta1"), (33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1alpha1", "ResourceClaimTemplate", 27, Some(27), &[(27, "resource.k8s.io/v1alpha2"), (31, "resource.k8s.io/v1alpha3"), (32, "resource.k8s.io/v1beta1"), (33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    // resource/v1alpha3/types.go of k8s.io/api
    row("resource.k8s.io/v1alpha1", "ResourceClass", 27, Some(27), &[(31, "resource.k8s.io/v1alpha3 DeviceClass"), (32, "resource.k8s.io/v1beta1 DeviceClass"), (33, "resource.k8s.io/v1beta2 DeviceClass"), (34, "resource.k8s.io/v1 DeviceClass")]),
    row("resource.k8s.io/v1alpha2", "PodSchedulingContext", 31, Some(31), &[]),
    row("resource.k8s.io/v1alpha2", "ResourceClaim", 31, Some(31), &[(31, "resource.k8s.io/v1alpha3"), (32, "resource.k8s.io/v1beta1"), (33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1alpha2", "ResourceClaimParameters", 31, Some(31), &[]),
    row("resource.k8s.io/v1alpha2", "ResourceClaimTemplate", 31, Some(31), &[(31, "resource.k8s.io/v1alpha3"), (32, "resource.k8s.io/v1beta1"), (33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    // resource/v1alpha3/types.go of k8s.io/api
    row("resource.k8s.io/v1alpha2", "ResourceClass", 31, Some(31), &[(31, "resource.k8s.io/v1alpha3 DeviceClass"), (32, "resource.k8s.io/v1beta1 DeviceClass"), (33, "resource.k8s.io/v1beta2 DeviceClass"), (34, "resource.k8s.io/v1 DeviceClass")]),
    row("resource.k8s.io/v1alpha2", "ResourceClassParameters", 31, Some(31), &[]),
    row("resource.k8s.io/v1alpha2", "ResourceSlice", 31, Some(31), &[(31, "resource.k8s.io/v1alpha3"), (32, "resource.k8s.io/v1beta1"), (33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1alpha3", "DeviceClass", 34, Some(34), &[(32, "resource.k8s.io/v1beta1"), (33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1alpha3", "DeviceTaintRule", 36, Some(39), &[(36, "resource.k8s.io/v1beta2"), (37, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1alpha3", "PodSchedulingContext", 32, Some(32), &[]),
    row("resource.k8s.io/v1alpha3", "ResourceClaim", 34, Some(34), &[(32, "resource.k8s.io/v1beta1"), (33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1alpha3", "ResourceClaimTemplate", 34, Some(34), &[(32, "resource.k8s.io/v1beta1"), (33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1alpha3", "ResourcePoolStatusRequest", 39, Some(42), &[]),
    row("resource.k8s.io/v1alpha3", "ResourceSlice", 34, Some(34), &[(32, "resource.k8s.io/v1beta1"), (33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1beta1", "DeviceClass", 35, Some(38), &[(33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1beta1", "ResourceClaim", 35, Some(38), &[(33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1beta1", "ResourceClaimTemplate", 35, Some(38), &[(33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1beta1", "ResourceSlice", 35, Some(38), &[(33, "resource.k8s.io/v1beta2"), (34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1beta2", "DeviceClass", 36, Some(39), &[(34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1beta2", "DeviceTaintRule", 39, Some(42), &[(37, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1beta2", "ResourceClaim", 36, Some(39), &[(34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1beta2", "ResourceClaimTemplate", 36, Some(39), &[(34, "resource.k8s.io/v1")]),
    row("resource.k8s.io/v1beta2", "ResourceSlice", 36, Some(39), &[(34, "resource.k8s.io/v1")]),
    // CHANGELOG-1.14.md of k8s.io/kubernetes; CHANGELOG-1.23.md
    row("scheduling.k8s.io/v1alpha1", "PriorityClass", 14, Some(23), &[(14, "scheduling.k8s.io/v1")]),
    row("scheduling.k8s.io/v1alpha1", "Workload", 36, Some(36), &[(36, "scheduling.k8s.io/v1alpha2"), (37, "scheduling.k8s.io/v1beta1")]),
    row("scheduling.k8s.io/v1alpha2", "PodGroup", 37, Some(37), &[(37, "scheduling.k8s.io/v1beta1")]),
    row("scheduling.k8s.io/v1alpha2", "Workload", 37, Some(37), &[(37, "scheduling.k8s.io/v1beta1")]),
    row("scheduling.k8s.io/v1beta1", "PodGroup", 40, Some(43), &[]),
    row("scheduling.k8s.io/v1beta1", "PriorityClass", 14, Some(22), &[(14, "scheduling.k8s.io/v1")]),
    row("scheduling.k8s.io/v1beta1", "Workload", 40, Some(43), &[]),
    // CHANGELOG-1.20.md of k8s.io/kubernetes
    row("settings.k8s.io/v1alpha1", "PodPreset", 20, Some(20), &[(0, "a mutating admission webhook or policy")]),
    row("storage.k8s.io/v1alpha1", "CSIStorageCapacity", 21, Some(24), &[(24, "storage.k8s.io/v1")]),
    // api/openapi-spec/swagger.json of k8s.io/kubernetes v1.23.0
    row("storage.k8s.io/v1alpha1", "VolumeAttachment", 21, Some(23), &[(13, "storage.k8s.io/v1")]),
    row("storage.k8s.io/v1alpha1", "VolumeAttributesClass", 32, Some(35), &[(31, "storage.k8s.io/v1beta1"), (34, "storage.k8s.io/v1")]),
    row("storage.k8s.io/v1beta1", "CSIDriver", 19, Some(22), &[(18, "storage.k8s.io/v1")]),
    row("storage.k8s.io/v1beta1", "CSINode", 17, Some(22), &[(17, "storage.k8s.io/v1")]),
    row("storage.k8s.io/v1beta1", "CSIStorageCapacity", 24, Some(27), &[(24, "storage.k8s.io/v1")]),
    row("storage.k8s.io/v1beta1", "StorageClass", 19, Some(22), &[(6, "storage.k8s.io/v1")]),
    row("storage.k8s.io/v1beta1", "VolumeAttachment", 19, Some(22), &[(13, "storage.k8s.io/v1")]),
    row("storage.k8s.io/v1beta1", "VolumeAttributesClass", 34, Some(37), &[(34, "storage.k8s.io/v1")]),
    row("storagemigration.k8s.io/v1alpha1", "StorageVersionMigration", 33, Some(35), &[(35, "storagemigration.k8s.io/v1beta1"), (37, "storagemigration.k8s.io/v1")]),
    row("storagemigration.k8s.io/v1beta1", "StorageVersionMigration", 37, Some(40), &[(37, "storagemigration.k8s.io/v1")]),
    // core/v1/types.go of k8s.io/api
    row("v1", "ComponentStatus", 19, None, &[(0, "the health endpoints of the components")]),
    // core/v1/types.go of k8s.io/api
    row("v1", "Endpoints", 33, None, &[(21, "discovery.k8s.io/v1 EndpointSlice")]),
];
