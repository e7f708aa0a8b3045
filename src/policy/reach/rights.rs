//! What a rule of a role allows, as far as it leads to Secrets.
//!
//! Matching is the API server's (k8s.io/kubernetes, pkg/apis/rbac/v1/evaluation_helpers.go).

use std::collections::HashMap;
use std::rc::Rc;

use super::Error;
use super::field::{At, Field};

/// A right that leads to Secrets. Where a grant has names, the right is to these objects only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Right {
    Read,
    Change,
    /// Makes Secrets: one for the token of any ServiceAccount, to be read then.
    MakeSecrets,
    /// Runs pods, which mount any Secret and use any ServiceAccount of their namespace.
    RunPods,
    /// Puts containers into pods that run; those, too, refer to any Secret of the namespace.
    DebugPods,
    /// Runs commands in containers that run, or replaces what they run.
    EnterPods,
    /// Commands kubelets, so enters every pod.
    EnterNodes,
    /// Gets tokens of ServiceAccounts.
    RequestTokens,
    ImpersonateAccounts,
    ImpersonateUsers,
    ImpersonateGroups,
    EscalateRoles,
    WriteRoles,
    EscalateClusterRoles,
    WriteClusterRoles,
    BindRoles,
    WriteRoleBindings,
    WriteClusterRoleBindings,
    /// Makes Secrets for tokens, and reads them: of no single rule, see [`combine`].
    MintTokens,
    /// `*` on `*` of `*`, or what leads to it.
    Everything,
}

/// A right, and the rule that gives it.
#[derive(Debug, Clone)]
pub(super) struct Grant<'a> {
    pub right: Right,
    /// The verb and the resource, as in `create jobs`.
    pub verb: &'static str,
    pub resource: &'static str,
    /// `resourceNames`; empty for all.
    pub names: Rc<[&'a str]>,
    /// Where the rule says so; empty for roles that Kubernetes brings.
    pub fields: Rc<[Field<'a>]>,
}

/// A grant that somebody holds through a binding.
#[derive(Debug, Clone)]
pub(super) struct Power<'a> {
    /// Where it holds; everywhere where there is none.
    pub namespace: Option<&'a str>,
    pub grant: Grant<'a>,
    /// The subject in the binding, the role that it names, and the rule.
    pub fields: Rc<[Field<'a>]>,
}

/// One line of what counts. A right that is not `named` is lost where a rule has `resourceNames`, since requests to
/// create, and to delete collections, carry no name.
struct Row {
    right: Right,
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    named: bool,
}

const fn row(
    right: Right,
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    named: bool,
) -> Row {
    Row { right, group, resources, verbs, named }
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// A patch is answered with the whole object, and a deleted collection with all that was in it (k8s.io/apiserver,
/// pkg/endpoints/handlers/{patch,delete}.go): who may do that reads.
const ROWS: &[Row] = &[
    row(Right::Read, "", &["secrets"], &["get", "list", "watch", "patch"], true),
    row(Right::Read, "", &["secrets"], &["deletecollection"], false),
    row(Right::Change, "", &["secrets"], &["update", "patch", "delete"], true),
    row(Right::Change, "", &["secrets"], &["deletecollection"], false),
    row(Right::MakeSecrets, "", &["secrets"], &["create"], false),
    row(Right::RunPods, "", &["pods", "replicationcontrollers"], &["create"], false),
    row(Right::RunPods, "", &["replicationcontrollers"], &["update", "patch"], true),
    row(Right::RunPods, "apps", &["deployments", "statefulsets", "daemonsets", "replicasets"], &["create"], false),
    row(
        Right::RunPods,
        "apps",
        &["deployments", "statefulsets", "daemonsets", "replicasets"],
        &["update", "patch"],
        true,
    ),
    row(Right::RunPods, "batch", &["jobs", "cronjobs"], &["create"], false),
    row(Right::RunPods, "batch", &["cronjobs"], &["update", "patch"], true),
    row(Right::DebugPods, "", &["pods/ephemeralcontainers"], &["update", "patch"], true),
    // A websocket is opened by GET; servers before 1.35 ask for no other verb.
    row(Right::EnterPods, "", &["pods/exec", "pods/attach"], &["create", "get"], true),
    // The image of a container may be changed while it runs.
    row(Right::EnterPods, "", &["pods"], &["update", "patch"], true),
    row(Right::EnterNodes, "", &["nodes/proxy"], &["create", "get"], true),
    row(Right::RequestTokens, "", &["serviceaccounts/token"], &["create"], true),
    row(Right::ImpersonateAccounts, "", &["serviceaccounts"], &["impersonate"], true),
    row(Right::ImpersonateUsers, "", &["users"], &["impersonate"], true),
    row(Right::ImpersonateGroups, "", &["groups"], &["impersonate"], true),
    row(Right::EscalateRoles, RBAC, &["roles"], &["escalate"], true),
    row(Right::WriteRoles, RBAC, &["roles"], &["update", "patch"], true),
    row(Right::WriteRoles, RBAC, &["roles"], &["create"], false),
    row(Right::EscalateClusterRoles, RBAC, &["clusterroles"], &["escalate"], true),
    row(Right::WriteClusterRoles, RBAC, &["clusterroles"], &["update", "patch"], true),
    row(Right::WriteClusterRoles, RBAC, &["clusterroles"], &["create"], false),
    row(Right::BindRoles, RBAC, &["clusterroles", "roles"], &["bind"], true),
    row(Right::WriteRoleBindings, RBAC, &["rolebindings"], &["update", "patch"], true),
    row(Right::WriteRoleBindings, RBAC, &["rolebindings"], &["create"], false),
    row(Right::WriteClusterRoleBindings, RBAC, &["clusterrolebindings"], &["update", "patch"], true),
    row(Right::WriteClusterRoleBindings, RBAC, &["clusterrolebindings"], &["create"], false),
];

/// A right with a verb and a resource that give it.
type Brought = (Right, &'static str, &'static str);

/// ClusterRoles that every cluster has and no chart renders, as far as they lead to Secrets (k8s.io/kubernetes,
/// plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
const BUILTIN: &[(&str, &[Brought])] = &[
    ("cluster-admin", &[(Right::Everything, "*", "*")]),
    ("admin", EDIT),
    ("edit", EDIT),
    ("system:aggregate-to-edit", EDIT),
    ("system:kubelet-api-admin", &[(Right::EnterNodes, "create", "nodes/proxy")]),
    (
        "system:kube-controller-manager",
        &[
            (Right::Read, "list", "secrets"),
            (Right::Change, "update", "secrets"),
            (Right::MakeSecrets, "create", "secrets"),
            (Right::RequestTokens, "create", "serviceaccounts/token"),
        ],
    ),
];

const EDIT: &[Brought] = &[
    (Right::Read, "get", "secrets"),
    (Right::Change, "update", "secrets"),
    (Right::MakeSecrets, "create", "secrets"),
    (Right::RunPods, "create", "pods"),
    (Right::EnterPods, "create", "pods/exec"),
    (Right::RequestTokens, "create", "serviceaccounts/token"),
    (Right::ImpersonateAccounts, "impersonate", "serviceaccounts"),
];

/// The rights that a rule gives, each once.
pub(super) fn of_rule<'a>(rule: &At<'_, 'a>) -> Result<Vec<Grant<'a>>, Error> {
    let (groups, resources, verbs) = (rule.texts("apiGroups")?, rule.texts("resources")?, rule.texts("verbs")?);
    let names: Rc<[&'a str]> = rule.texts("resourceNames")?.into();
    let element = |key: &'a str, index: usize| rule.items(key).ok()?.nth(index).map(|at| at.field());
    let evidence = |resource: usize, verb: usize| -> Rc<[Field<'a>]> {
        [element("resources", resource), element("verbs", verb)].into_iter().flatten().collect()
    };
    let find = |list: &[&str], wanted: &str| list.iter().position(|given| *given == "*" || *given == wanted);
    if let (true, Some(_), Some(resource), Some(verb)) =
        (names.is_empty(), find(&groups, "*"), find(&resources, "*"), find(&verbs, "*"))
    {
        let fields = evidence(resource, verb);
        return Ok(vec![Grant { right: Right::Everything, verb: "*", resource: "*", names, fields }]);
    }
    let mut grants: Vec<Grant<'a>> = Vec::new();
    for row in ROWS {
        let is_lost = !row.named && !names.is_empty();
        if is_lost || find(&groups, row.group).is_none() || grants.iter().any(|grant| grant.right == row.right) {
            continue;
        }
        let verb = row.verbs.iter().find_map(|verb| Some((*verb, find(&verbs, verb)?)));
        let resource = row
            .resources
            .iter()
            .find_map(|name| Some((*name, resources.iter().position(|given| matches(given, name))?)));
        if let (Some((verb, verb_at)), Some((resource, resource_at))) = (verb, resource) {
            let fields = evidence(resource_at, verb_at);
            grants.push(Grant { right: row.right, verb, resource, names: names.clone(), fields });
        }
    }
    Ok(grants)
}

/// The rights that a ClusterRole of Kubernetes gives; `None` for one that it does not bring.
pub(super) fn of_builtin<'a>(name: &str) -> Option<Vec<Grant<'a>>> {
    let known = BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, rights)| *rights);
    // The others of these names lead to no Secrets.
    let rights = known.or_else(|| (name == "view" || name.starts_with("system:")).then_some(&[]))?;
    let grant = |(right, verb, resource): &Brought| Grant {
        right: *right,
        verb,
        resource,
        names: Rc::default(),
        fields: Rc::default(),
    };
    Some(rights.iter().map(grant).collect())
}

/// Whether a rule's resource is, or covers, `pods/exec` and the like.
fn matches(given: &str, wanted: &str) -> bool {
    let of_any = || wanted.split_once('/').is_some_and(|(_, sub)| given.strip_prefix("*/") == Some(sub));
    given == "*" || given == wanted || of_any()
}

/// What pairs of rights come to that lead nowhere by themselves; `true` where both must hold in the whole cluster.
const PAIRS: [(Right, Right, Right, bool); 7] = [
    (Right::MakeSecrets, Right::Read, Right::MintTokens, false),
    (Right::EscalateRoles, Right::WriteRoles, Right::Everything, false),
    (Right::EscalateClusterRoles, Right::WriteClusterRoles, Right::Everything, true),
    (Right::BindRoles, Right::WriteRoleBindings, Right::Everything, false),
    (Right::BindRoles, Right::WriteClusterRoleBindings, Right::Everything, true),
    (Right::ImpersonateGroups, Right::ImpersonateUsers, Right::Everything, true),
    (Right::ImpersonateGroups, Right::ImpersonateAccounts, Right::Everything, true),
];

/// The powers that two of the given ones come to together, with the evidence of both.
pub(super) fn combine<'a>(powers: &[Power<'a>]) -> Vec<Power<'a>> {
    let mut combined = Vec::new();
    for (first, second, right, of_cluster) in PAIRS {
        let mut seconds: HashMap<Option<&'a str>, &Power<'a>> = HashMap::new();
        for power in powers.iter().filter(|power| power.grant.right == second) {
            seconds.entry(power.namespace).or_insert(power);
        }
        for power in powers.iter().filter(|power| power.grant.right == first && power.grant.is_strong()) {
            let found = match power.namespace {
                Some(_) => seconds.get(&power.namespace).or_else(|| seconds.get(&None)).map(|it| (power.namespace, it)),
                None => seconds.iter().min_by_key(|(namespace, _)| **namespace).map(|(namespace, it)| (*namespace, it)),
            };
            if let Some((namespace, other)) = found.filter(|(namespace, _)| namespace.is_none() || !of_cluster) {
                let grant = Grant { right, names: Rc::default(), ..power.grant.clone() };
                let fields = power.fields.iter().chain(other.fields.iter()).cloned().collect();
                combined.push(Power { namespace, grant, fields });
            }
        }
    }
    combined
}

impl Grant<'_> {
    /// Whether the names of a right to bind or to impersonate are of those that are allowed everything.
    fn is_strong(&self) -> bool {
        let strong: &[&str] = match self.right {
            Right::BindRoles => &["cluster-admin", "admin", "edit"],
            Right::ImpersonateGroups => &["system:masters"],
            _ => return true,
        };
        self.names.is_empty() || self.names.iter().any(|name| strong.contains(name))
    }
}
