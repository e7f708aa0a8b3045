//! `policy export` proved: each example of each object policy is judged offline, by the webhook, and by a real API server
//! that has the exported ValidatingAdmissionPolicy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use plimsoll::json;
use plimsoll::policy::examples::Examples;
use plimsoll::policy::{Catalogue, Policy, PolicyKind, Release, evaluate};
use plimsoll::value::Numbers;
use plimsoll::yaml;
use serde_json::{Value, json};

use crate::common::{plimsoll, root};
use crate::complete::complete;
use crate::server::{ADMIN, Answer, Server};

/// The label by which a binding finds the examples of its policy.
const LABEL: &str = "proof.plimsoll.dev/policy";

/// An object of an example.
struct Case<'a> {
    policy: &'a Policy,
    example: String,
    version: String,
    object: Value,
    namespace: String,
    /// The messages of what is found in it.
    offline: Result<Vec<String>, String>,
}

/// What was said of an object.
#[derive(Debug)]
enum Verdict {
    Admitted,
    Denied(String),
    /// It was not judged: why.
    Unjudged(String),
}

fn to_json(value: &plimsoll::value::Value) -> Value {
    serde_json::from_str(&json::to_json_raw(value).unwrap()).unwrap()
}

fn to_value(json: &Value) -> plimsoll::value::Value {
    json::parse(json.to_string(), Numbers::Exact).unwrap()
}

/// The messages about each of some objects.
fn judge(policy: &Policy, namespace: &str, version: &str, objects: &[Value]) -> Vec<Result<Vec<String>, String>> {
    let objects: Vec<_> = objects.iter().map(to_value).collect();
    let release = Release::plain(namespace, version, &objects);
    match evaluate([policy], &[release]) {
        Ok(violations) => {
            let mut messages = vec![Vec::new(); objects.len()];
            for violation in violations {
                messages[violation.object.unwrap()].push(violation.message);
            }
            messages.into_iter().map(Ok).collect()
        }
        Err(error) => vec![Err(error.to_string()); objects.len()],
    }
}

fn label(id: &str, version: &str) -> String {
    format!("{}-v{version}", id.replace('/', "-"))
}

fn cases(catalogue: &Catalogue) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for entry in catalogue.entries().iter().filter(|entry| entry.policy.kind == PolicyKind::Object) {
        let (policy, examples) = (&entry.policy, Examples::read(&entry.examples().unwrap()).unwrap());
        for example in examples.pass.iter().chain(&examples.fail) {
            let releases = example.releases();
            let [release] = releases.as_slice() else { panic!("{}: one release", example.name) };
            let written: Vec<Value> = release.objects.iter().map(to_json).collect();
            let version = release.kube_version.trim_start_matches('v');
            let found = judge(policy, release.namespace, release.kube_version, &written);
            let mut whole = written.clone();
            for object in &mut whole {
                complete(object);
                object["metadata"]["labels"][LABEL] = label(&policy.id, version).into();
            }
            let found_in_whole = judge(policy, release.namespace, release.kube_version, &whole);
            for (index, offline) in found.into_iter().enumerate() {
                let mut object = whole[index].clone();
                if found_in_whole[index] != offline {
                    object = written[index].clone();
                    println!("{}: {}: differs when complete: {:?} {:?}", policy.id, example.name, offline, found_in_whole[index]);
                    object["metadata"]["labels"][LABEL] = label(&policy.id, version).into();
                }
                let namespace = object["metadata"]["namespace"].as_str().unwrap_or(release.namespace).to_owned();
                cases.push(Case { policy, example: example.name.clone(), version: version.to_owned(), object, namespace, offline });
            }
        }
    }
    cases
}

/// The documents that are exported for a version.
fn export(version: &str, ids: &BTreeSet<&str>) -> Vec<Value> {
    let mut args = vec!["policy", "export", "--no-config", "--actions", "Deny,Audit", "--kube-version", version];
    args.extend(ids);
    let run = plimsoll(root(), &args, "");
    assert_eq!(run.status, 0, "{}", run.stderr);
    let documents = yaml::parse_stream(&run.stdout, yaml::Options { strict: true, ..Default::default() }).unwrap();
    documents.iter().map(|document| to_json(&document.value)).collect()
}

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

/// Gives the server the policies of these cases: each binding is limited to the examples of its policy.
fn apply_policies(server: &Server, cases: &[Case<'_>]) {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for case in cases {
        versions.entry(&case.version).or_default().insert(&case.policy.id);
    }
    let mut applied = Vec::new();
    for (version, ids) in &versions {
        for mut document in export(version, ids) {
            let name = |name: &Value| format!("{}-v{version}", name.as_str().unwrap());
            document["metadata"]["name"] = name(&document["metadata"]["name"]).into();
            let path = match document["kind"].as_str().unwrap() {
                "ConfigMap" => "/api/v1/namespaces/default/configmaps".to_owned(),
                "ValidatingAdmissionPolicyBinding" => {
                    let spec = &mut document["spec"];
                    let label = spec["policyName"].as_str().unwrap().strip_prefix("plimsoll-").unwrap();
                    let selector = json!({"matchLabels": {LABEL: format!("{label}-v{version}")}});
                    spec["policyName"] = name(&spec["policyName"]).into();
                    if let Some(params) = spec.get_mut("paramRef") {
                        params["name"] = name(&params["name"]).into();
                    }
                    spec["matchResources"] = json!({"objectSelector": selector});
                    format!("{ADMISSION}/validatingadmissionpolicybindings")
                }
                kind => format!("{ADMISSION}/{}", if kind == "ValidatingAdmissionPolicy" { "validatingadmissionpolicies" } else { panic!("{kind}") }),
            };
            applied.push((path, document));
        }
    }
    in_parallel(&applied, |(path, document)| {
        let answer = server.request(ADMIN, "POST", &format!("{path}?fieldValidation=Strict"), Some(document));
        assert!(answer.status == 201 && answer.warnings.is_empty(), "{document}: {answer:?}");
    });
}

fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let result = work(item);
                    done.lock().unwrap().push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A policy that denies one ConfigMap: once it does, the policies that were made before are in force too.
fn wait_until_in_force(server: &Server) {
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "last"},
        "spec": {
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}]},
            "validations": [{"expression": "object.metadata.name != 'last'"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "last"},
        "spec": {"policyName": "last", "validationActions": ["Deny"]},
    });
    server.post(&format!("{ADMISSION}/validatingadmissionpolicies"), &policy);
    server.post(&format!("{ADMISSION}/validatingadmissionpolicybindings"), &binding);
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "last"}});
    let start = Instant::now();
    while server.request(ADMIN, "POST", "/api/v1/namespaces/default/configmaps?dryRun=All", Some(&object)).status == 201 {
        assert!(start.elapsed() < Duration::from_secs(60), "policies are not in force");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The paths of the resources that the server has, by their version and kind, and whether they are in a namespace.
type Paths = BTreeMap<(String, String), (String, bool)>;

fn paths(server: &Server, cases: &[Case<'_>]) -> Paths {
    let mut paths = BTreeMap::new();
    let versions: BTreeSet<&str> = cases.iter().filter_map(|case| case.object["apiVersion"].as_str()).collect();
    for version in versions {
        let folder = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
        let answer = server.get(&folder);
        for resource in answer.body["resources"].as_array().into_iter().flatten() {
            let name = resource["name"].as_str().unwrap();
            if !name.contains('/') {
                let kind = resource["kind"].as_str().unwrap();
                let place = (format!("{folder}/%/{name}"), resource["namespaced"] == true);
                paths.insert((version.to_owned(), kind.to_owned()), place);
            }
        }
    }
    paths
}

fn send(server: &Server, paths: &Paths, index: usize, case: &Case<'_>) -> Verdict {
    let text = |key: &str| case.object[key].as_str().unwrap_or_default().to_owned();
    let Some((path, namespaced)) = paths.get(&(text("apiVersion"), text("kind"))) else {
        return Verdict::Unjudged("the server does not have this kind".into());
    };
    let place = if *namespaced { format!("namespaces/{}/", case.namespace) } else { String::new() };
    let path = format!("{}?dryRun=All&fieldValidation=Strict&fieldManager=case-{index}", path.replace("%/", &place));
    let Answer { status, body, .. } = server.request(ADMIN, "POST", &path, Some(&case.object));
    let message = body["message"].as_str().unwrap_or_default().to_owned();
    let policy = format!("ValidatingAdmissionPolicy 'plimsoll-{}'", label(&case.policy.id, &case.version));
    match status {
        201 | 409 => Verdict::Admitted,
        _ if message.contains(&policy) => Verdict::Denied(message),
        _ => Verdict::Unjudged(format!("{status} {message}")),
    }
}

#[test]
fn exported_policies_judge_their_examples_as_they_do_offline() {
    let catalogue = Catalogue::builtin().unwrap();
    let cases = cases(&catalogue);
    let server = Server::start();
    let start = Instant::now();
    apply_policies(&server, &cases);
    println!("applied {:?}", start.elapsed());
    let namespaces: BTreeSet<&str> = cases.iter().map(|case| case.namespace.as_str()).collect();
    for namespace in namespaces {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        let answer = server.request(ADMIN, "POST", "/api/v1/namespaces", Some(&object));
        assert!([201, 409].contains(&answer.status), "{answer:?}");
    }
    wait_until_in_force(&server);
    println!("in force {:?}", start.elapsed());
    let paths = paths(&server, &cases);
    let indexed: Vec<(usize, &Case<'_>)> = cases.iter().enumerate().collect();
    let verdicts = in_parallel(&indexed, |(index, case)| send(&server, &paths, *index, case));
    println!("judged {:?}", start.elapsed());
    let mut count = [0; 4];
    for (case, verdict) in cases.iter().zip(&verdicts) {
        let about = format!("{}: {}: {} {}", case.policy.id, case.example, case.object["kind"], case.object["metadata"]["name"]);
        match (&case.offline, verdict) {
            (Ok(messages), Verdict::Admitted) if messages.is_empty() => count[0] += 1,
            (Ok(messages), Verdict::Denied(message)) if messages.iter().any(|ours| message.contains(ours)) => count[1] += 1,
            (_, Verdict::Unjudged(why)) => {
                count[2] += 1;
                println!("UNJUDGED {about}: {why}");
            }
            (offline, verdict) => {
                count[3] += 1;
                println!("DIFFERS {about}: {offline:?} {verdict:?}");
            }
        }
    }
    println!("{count:?}");
}
