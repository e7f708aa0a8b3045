//! Kubernetes' `authz` library: declared, so that expressions with it are checked, and never evaluated, as `authorizer`
//! has no value without a cluster.

use super::Row;
use crate::cel::Failure;
use crate::cel::eval::Budget;
use crate::cel::value::Val;

/// The library's rows.
pub const ROWS: &[Row] = &[
    Row::member("allowed", &["(kubernetes.authorization.Decision) -> bool"], unavailable),
    Row::member(
        "check",
        &[
            "(kubernetes.authorization.PathCheck, string) -> kubernetes.authorization.Decision",
            "(kubernetes.authorization.ResourceCheck, string) -> kubernetes.authorization.Decision",
        ],
        unavailable,
    ),
    Row::member("error", &["(kubernetes.authorization.Decision) -> string"], unavailable),
    Row::member("errored", &["(kubernetes.authorization.Decision) -> bool"], unavailable),
    Row::member(
        "fieldSelector",
        &["(kubernetes.authorization.ResourceCheck, string) -> kubernetes.authorization.ResourceCheck"],
        unavailable,
    ),
    Row::member(
        "group",
        &["(kubernetes.authorization.Authorizer, string) -> kubernetes.authorization.GroupCheck"],
        unavailable,
    ),
    Row::member(
        "labelSelector",
        &["(kubernetes.authorization.ResourceCheck, string) -> kubernetes.authorization.ResourceCheck"],
        unavailable,
    ),
    Row::member(
        "name",
        &["(kubernetes.authorization.ResourceCheck, string) -> kubernetes.authorization.ResourceCheck"],
        unavailable,
    ),
    Row::member(
        "namespace",
        &["(kubernetes.authorization.ResourceCheck, string) -> kubernetes.authorization.ResourceCheck"],
        unavailable,
    ),
    Row::member(
        "path",
        &["(kubernetes.authorization.Authorizer, string) -> kubernetes.authorization.PathCheck"],
        unavailable,
    ),
    Row::member("reason", &["(kubernetes.authorization.Decision) -> string"], unavailable),
    Row::member(
        "resource",
        &["(kubernetes.authorization.GroupCheck, string) -> kubernetes.authorization.ResourceCheck"],
        unavailable,
    ),
    Row::member(
        "serviceAccount",
        &["(kubernetes.authorization.Authorizer, string, string) -> kubernetes.authorization.Authorizer"],
        unavailable,
    ),
    Row::member(
        "subresource",
        &["(kubernetes.authorization.ResourceCheck, string) -> kubernetes.authorization.ResourceCheck"],
        unavailable,
    ),
];

fn unavailable(_: &Budget, _: &[Val]) -> Result<Val, Failure> {
    Err(Failure::NoSuchOverload)
}
