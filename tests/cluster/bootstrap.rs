//! The API server's own start, which no exported policy may prevent.

use ::plimsoll::json::to_json;
use ::plimsoll::yaml;
use serde_json::{Value, json};

use crate::common::{plimsoll, root};
use crate::server::{ADMIN, Server};

#[test]
fn exported_policies_let_a_server_start_that_needs_its_roles_back() {
    let mut server = Server::start();
    let run = plimsoll(root(), &["policy", "export", "rbac/*", "--quiet"], "");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    for document in yaml::parse_stream(&run.stdout, yaml::Options::default()).unwrap() {
        let object: Value = serde_json::from_str(&to_json(&document.value).unwrap()).unwrap();
        let plural = match object["kind"].as_str() {
            Some("ValidatingAdmissionPolicy") => "validatingadmissionpolicies",
            Some("ValidatingAdmissionPolicyBinding") => "validatingadmissionpolicybindings",
            _ => continue,
        };
        server.post(&format!("/apis/admissionregistration.k8s.io/v1/{plural}"), &object);
    }
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    let everything = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "everything"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    });
    let dry_run = format!("{path}?dryRun=All");
    let begun = std::time::Instant::now();
    while server.request(ADMIN, "POST", &dry_run, Some(&everything)).status == 201 {
        assert!(begun.elapsed().as_secs() < 30, "the policies are not in force");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }

    let role = format!("{path}/cluster-admin");
    assert_eq!(server.delete(&role).status, 200);
    server.pause();
    server.resume();
    assert_eq!(server.get(&role).status, 200);
    let denied = server.request(ADMIN, "POST", &dry_run, Some(&everything));
    assert_eq!(denied.status, 422, "{denied:?}");
}
