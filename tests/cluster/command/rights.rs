//! Who may do nothing, and who may do what docs/cluster.md says that is needed.

use std::fs;

use serde_json::{Value, json};

use super::{Desk, deployment, ingress, map, says, service};
use crate::common::root;
use crate::server::Server;

/// The Role of "Rights".
fn role() -> Value {
    let text = fs::read_to_string(root().join("docs/cluster.md")).unwrap();
    let rights = text.split_once("### Rights").unwrap().1;
    let yaml = rights.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0;
    let role = plimsoll::yaml::parse(yaml, plimsoll::yaml::Options::default()).unwrap();
    serde_json::from_str(&plimsoll::json::to_json_raw(&role).unwrap()).unwrap()
}

fn release() -> String {
    let policy = "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web}, spec: {podSelector: {}}}\n";
    let budget = "---\n{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web}, spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}}\n";
    let account = "---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: web}}\n";
    let secret = "---\n{apiVersion: v1, kind: Secret, metadata: {name: web}, stringData: {a: b}}\n";
    [policy, budget, account, secret].concat()
        + &map("a", "{}")
        + &service("web")
        + &deployment("web")
        + &ingress("web")
}

#[test]
fn with_the_rights_that_are_said_a_release_comes_and_goes() {
    let server = Server::shared();
    let desk = Desk::by(server, "alice", server.namespace("rights"));
    let run = desk.apply(&release(), &[]);
    says(&run, 2, &["\"alice\" cannot", &format!("in the namespace \"{}\"", desk.namespace)]);
    assert_eq!(desk.all("configmaps").len(), 0);

    let mut role = role();
    role["metadata"]["namespace"] = desk.namespace.as_str().into();
    server.post(&desk.path("rbac.authorization.k8s.io/v1/roles"), &role);
    let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role["metadata"]["name"]});
    let subjects = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}]);
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "alice"},
        "roleRef": reference, "subjects": subjects,
    });
    server.post(&desk.path("rbac.authorization.k8s.io/v1/rolebindings"), &binding);
    let is_allowed = || (desk.apply(&map("a", "{}"), &["--dry-run"]).status == 0).then_some(());
    crate::program::wait(is_allowed).expect("the role is known");
    says(&desk.apply(&release(), &[]), 0, &["8 objects applied: 8 created"]);
    // Nor does it need more to say what the Pods say: there is no controller, and so none.
    let run = desk.run(root(), &["apply", "-f", "-", "--name", "web", "--yes", "--timeout", "1s"], &release());
    says(&run, 2, &[&format!("Deployment {}/web", desk.namespace)]);
    assert!(!run.stderr.contains("cannot"), "{}", run.stderr);
    let less = release().replace("{name: web}, stringData", "{name: other}, stringData");
    says(&desk.apply(&less, &[]), 0, &["deleting Secret"]);
    assert_eq!(desk.names("secrets"), ["other"]);
    says(&desk.run(root(), &["uninstall", "web", "--yes"], ""), 0, &["is uninstalled"]);
    for kind in
        ["configmaps", "secrets", "services", "serviceaccounts", "apps/v1/deployments", "coordination.k8s.io/v1/leases"]
    {
        assert_eq!(desk.all(kind).len(), 0, "{kind}");
    }
}
