//! The types of the environment's variables, and the fields of those types that have declared ones.
//!
//! Source: `BuildRequestType` and `BuildNamespaceType` in the API server's `pkg/admission/plugin/cel/compile.go`.

use super::types::{Type, read};

/// The variable of the authorizer for the request's own resource: its name has a dot in it.
pub const REQUEST_RESOURCE: &str = "authorizer.requestResource";

/// The type of a variable of the environment. What holds objects or values may be anything.
pub fn type_of(global: &str) -> Type {
    match global {
        "request" => Type::Object("kubernetes.AdmissionRequest"),
        "namespaceObject" => Type::Object("kubernetes.Namespace"),
        "authorizer" => Type::Object("kubernetes.authorization.Authorizer"),
        REQUEST_RESOURCE => Type::Object("kubernetes.authorization.ResourceCheck"),
        _ => Type::Dyn,
    }
}

/// The type of a field; `Err` if the type has no such field, `None` if it has no declared fields at all.
pub fn field(object: &str, name: &str) -> Option<Result<Type, ()>> {
    let (_, fields) = FIELDS.iter().find(|(known, _)| *known == object)?;
    let found = fields.iter().find(|(known, _)| *known == name);
    Some(found.map(|(_, text)| read(text)).ok_or(()))
}

type Fields = &'static [(&'static str, &'static str)];

const FIELDS: &[(&str, Fields)] = &[
    (
        "kubernetes.AdmissionRequest",
        &[
            ("kind", "kubernetes.GroupVersionKind"),
            ("resource", "kubernetes.GroupVersionResource"),
            ("subResource", "string"),
            ("requestKind", "kubernetes.GroupVersionKind"),
            ("requestResource", "kubernetes.GroupVersionResource"),
            ("requestSubResource", "string"),
            ("name", "string"),
            ("namespace", "string"),
            ("operation", "string"),
            ("userInfo", "kubernetes.UserInfo"),
            ("dryRun", "bool"),
            ("options", "dyn"),
        ],
    ),
    ("kubernetes.GroupVersionKind", &[("group", "string"), ("version", "string"), ("kind", "string")]),
    ("kubernetes.GroupVersionResource", &[("group", "string"), ("version", "string"), ("resource", "string")]),
    (
        "kubernetes.UserInfo",
        &[
            ("username", "string"),
            ("uid", "string"),
            ("groups", "list(string)"),
            ("extra", "map(string, list(string))"),
        ],
    ),
    (
        "kubernetes.Namespace",
        &[
            ("metadata", "kubernetes.NamespaceMetadata"),
            ("spec", "kubernetes.NamespaceSpec"),
            ("status", "kubernetes.NamespaceStatus"),
        ],
    ),
    (
        "kubernetes.NamespaceMetadata",
        &[
            ("name", "string"),
            ("generateName", "string"),
            ("namespace", "string"),
            ("labels", "map(string, string)"),
            ("annotations", "map(string, string)"),
            ("UID", "string"),
            ("creationTimestamp", "timestamp"),
            ("deletionGracePeriodSeconds", "int"),
            ("deletionTimestamp", "timestamp"),
            ("generation", "int"),
            ("resourceVersion", "string"),
            ("finalizers", "list(string)"),
        ],
    ),
    ("kubernetes.NamespaceSpec", &[("finalizers", "list(string)")]),
    ("kubernetes.NamespaceStatus", &[("conditions", "list(kubernetes.NamespaceCondition)"), ("phase", "string")]),
    (
        "kubernetes.NamespaceCondition",
        &[
            ("status", "string"),
            ("type", "string"),
            ("lastTransitionTime", "timestamp"),
            ("message", "string"),
            ("reason", "string"),
        ],
    ),
];
