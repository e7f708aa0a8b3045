//! A server that has the exported policies, each limited to the objects that a label sends to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use plimsoll::kinds::Kinds;
use plimsoll::yaml;
use serde_json::{Value, json};

use super::examples::{Case, to_json};
use crate::common::{plimsoll, root};
use crate::server::{ADMIN, Answer, Server};

/// The label that says which bindings an object is for.
pub const LABEL: &str = "proof.plimsoll.dev/for";
pub const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

/// How long policies may take until they are in force.
const PATIENCE: Duration = Duration::from_secs(60);

/// The documents that `policy export` prints.
pub fn export(args: &[&str]) -> Vec<Value> {
    let run = plimsoll(root(), &[&["policy", "export", "--no-config", "--quiet"], args].concat(), "");
    assert_eq!(run.status, 0, "{}", run.stderr);
    let documents = yaml::parse_stream(&run.stdout, yaml::Options { strict: true, ..Default::default() }).unwrap();
    documents.iter().map(|document| to_json(&document.value)).collect()
}

/// The name of an exported policy.
pub fn exported_name(id: &str) -> String {
    format!("plimsoll-{}", id.replace('/', "-"))
}

/// Names the documents of an export anew, so that a server can have several, and binds each policy to the objects with a
/// label.
pub fn renamed(documents: &mut [Value], suffix: &str, label: impl Fn(&str) -> String) {
    let rename = |name: &mut Value| *name = format!("{}{suffix}", name.as_str().unwrap()).into();
    for document in documents {
        rename(&mut document["metadata"]["name"]);
        if document["kind"] == "ValidatingAdmissionPolicyBinding" {
            let spec = &mut document["spec"];
            let label = label(spec["policyName"].as_str().unwrap());
            rename(&mut spec["policyName"]);
            if let Some(name) = spec.pointer_mut("/paramRef/name") {
                rename(name);
            }
            spec["matchResources"] = json!({"objectSelector": {"matchLabels": {LABEL: label}}});
        }
    }
}

/// Creates the documents of an export, which the server must take without a warning.
pub fn create(server: &Server, documents: &[Value], query: &str) {
    in_parallel(documents, |document| {
        let path = match document["kind"].as_str().unwrap() {
            "ValidatingAdmissionPolicy" => format!("{ADMISSION}/validatingadmissionpolicies"),
            "ValidatingAdmissionPolicyBinding" => format!("{ADMISSION}/validatingadmissionpolicybindings"),
            "ConfigMap" => "/api/v1/namespaces/default/configmaps".to_owned(),
            kind => panic!("{kind} is exported"),
        };
        let path = format!("{path}?fieldValidation=Strict{query}");
        let answer = server.request(ADMIN, "POST", &path, Some(document));
        assert!(answer.status == 201 && answer.warnings.is_empty(), "{document}: {answer:?}");
    });
}

/// Waits until the policies that the server has are in force: those made later come into force with them or after them.
pub fn wait_until_in_force(server: &Server) {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    let name = format!("last-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let head =
        |kind: &str| json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}});
    let mut policy = head("ValidatingAdmissionPolicy");
    policy["spec"] = json!({
        "matchConstraints": {"resourceRules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]},
        ]},
        "validations": [{"expression": format!("object.metadata.name != '{name}'")}],
    });
    let mut binding = head("ValidatingAdmissionPolicyBinding");
    binding["spec"] = json!({"policyName": name, "validationActions": ["Deny"]});
    create(server, &[policy], "");
    create(server, &[binding], "");
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    let start = Instant::now();
    let path = "/api/v1/namespaces/default/configmaps?dryRun=All";
    while server.request(ADMIN, "POST", path, Some(&object)).status == 201 {
        assert!(start.elapsed() < PATIENCE, "policies are not in force after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Where the objects of some kinds are created: by their version and kind the path, with `%` in the place of the namespace.
pub struct Paths(BTreeMap<(String, String), String>);

impl Paths {
    /// Makes the namespaces of some objects, and the kinds that Kubernetes itself does not have.
    pub fn new(server: &Server, cases: &[Case<'_>]) -> Self {
        let namespaces: BTreeSet<&str> = cases.iter().map(|case| case.namespace.as_str()).collect();
        for name in namespaces {
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            let answer = server.request(ADMIN, "POST", "/api/v1/namespaces", Some(&object));
            assert!([201, 409].contains(&answer.status), "{answer:?}");
        }
        let kinds: BTreeSet<(String, String)> = cases.iter().map(|case| kind(&case.object)).collect();
        let versions: BTreeSet<&String> = kinds.iter().map(|(version, _)| version).collect();
        let mut paths = Self(BTreeMap::new());
        for version in versions {
            paths.discover(server, version);
        }
        let mut unknown: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (version, kind) in &kinds {
            if let Some((group, number)) = version.split_once('/')
                && !paths.0.contains_key(&(version.clone(), kind.clone()))
            {
                unknown.entry((group, kind)).or_default().push(number);
            }
        }
        for ((group, kind), versions) in unknown {
            define(server, group, kind, &versions);
            for version in versions {
                let start = Instant::now();
                while !paths.discover(server, &format!("{group}/{version}")).contains(kind) {
                    assert!(start.elapsed() < PATIENCE, "{kind} is not established after {PATIENCE:?}");
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
        paths
    }

    /// Adds the resources of a version; their kinds.
    fn discover(&mut self, server: &Server, version: &str) -> BTreeSet<String> {
        let folder = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
        let body = server.get(&folder).body;
        let resources = body["resources"].as_array().into_iter().flatten();
        let mut kinds = BTreeSet::new();
        for resource in resources.filter(|resource| !resource["name"].as_str().unwrap().contains('/')) {
            let namespace = if resource["namespaced"] == true { "namespaces/%/" } else { "" };
            let path = format!("{folder}/{namespace}{}", resource["name"].as_str().unwrap());
            let kind = resource["kind"].as_str().unwrap().to_owned();
            self.0.insert((version.to_owned(), kind.clone()), path);
            kinds.insert(kind);
        }
        kinds
    }

    /// What a webhook is asked about an object, by its creation or in place of another.
    pub fn review(&self, namespace: &str, object: &Value, old: &Value) -> Value {
        let path = &self.0[&kind(object)];
        let (version, kind) = kind(object);
        let (group, version) = version.split_once('/').unwrap_or(("", &version));
        let resource = path.rsplit('/').next().unwrap();
        let mut request = json!({
            "uid": "1",
            "kind": {"group": group, "version": version, "kind": kind},
            "resource": {"group": group, "version": version, "resource": resource},
            "name": object.pointer("/metadata/name").unwrap_or(&"".into()),
            "operation": if old.is_null() { "CREATE" } else { "UPDATE" },
            "userInfo": {"username": ADMIN},
            "object": object,
            "oldObject": old,
            "dryRun": true,
        });
        if path.contains('%') {
            request["namespace"] = namespace.into();
        }
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
    }

    /// The path of the objects of the kind of this one.
    pub fn of(&self, namespace: &str, object: &Value) -> String {
        self.0[&kind(object)].replace('%', namespace)
    }

    /// Creates an object, and stores nothing.
    pub fn try_create(&self, server: &Server, namespace: &str, object: &Value) -> Answer {
        let path = self.of(namespace, object);
        server.request(ADMIN, "POST", &format!("{path}?dryRun=All&fieldValidation=Strict"), Some(object))
    }
}

fn kind(object: &Value) -> (String, String) {
    let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
    (text("apiVersion"), text("kind"))
}

/// Lets the server have a kind whose objects may hold anything.
fn define(server: &Server, group: &str, kind: &str, versions: &[&str]) {
    let plural = Kinds::default().resource(group, kind);
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let version = |(index, name)| json!({"name": name, "served": true, "storage": index == 0, "schema": schema});
    let versions: Value = versions.iter().enumerate().map(version).collect();
    let mut definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": versions,
        },
    });
    if group.ends_with(".k8s.io") {
        let approved = "https://github.com/kubernetes/enhancements/pull/1111";
        definition["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": approved});
    }
    server.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition);
}

/// Does some work on several threads; the results are in the order of the items.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let result = work(item);
                    done.lock().unwrap().insert(index, result);
                }
            });
        }
    });
    done.into_inner().unwrap().into_values().collect()
}
