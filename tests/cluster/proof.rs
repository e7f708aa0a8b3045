//! `policy export` proved: what plimsoll finds in the examples of its policies, a real API server finds with the exported
//! ValidatingAdmissionPolicies.

mod complete;
mod examples;
mod exported;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::OnceLock;

use plimsoll::policy::{Catalogue, Policy};
use serde_json::{Value, json};

use crate::server::{Answer, Server};
use examples::{Case, cases, judge, labelled, object_policies};
use exported::{Paths, create, export, exported_name, in_parallel, renamed, wait_until_in_force};

/// The version of Kubernetes of the server.
const VERSION: &str = "1.36";

/// Where a cluster cannot say what plimsoll says, and why: policies, and parts of the names of their examples.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("rbac/deprecated-account-field", "the field of old", "the API server copies serviceAccount to serviceAccountName"),
    (
        "rbac/deprecated-account-field",
        "both, and they differ",
        "the API server replaces serviceAccount by serviceAccountName",
    ),
    ("reliability/cronjob-concurrency", "nothing is said", "the API server fills in concurrencyPolicy: Allow"),
];

/// How many objects of a policy's examples the API server itself refuses, before policies see them, and why.
const REFUSED: &[(&str, usize, &str)] = &[
    ("images/reference", 2, "a container needs an image, and one without blanks around it"),
    ("images/registries", 1, "a container needs an image"),
    ("network/invalid-ip-blocks", 2, "invalid"),
    ("pod-security/apparmor", 1, "a profile needs a type"),
    ("pod-security/privileged", 1, "ephemeral containers cannot be in a pod that is created"),
    ("pod-security/proc-mount", 1, "needs hostUsers: false"),
    ("pod-security/restricted-volumes", 1, "an unknown field"),
    ("pod-security/seccomp", 1, "a profile needs a type"),
    ("rbac/invalid-bindings", 4, "invalid"),
    ("rbac/invalid-rules", 5, "invalid"),
    ("reliability/cronjob-schedule", 5, "invalid"),
    ("reliability/hpa-range", 2, "invalid"),
    ("reliability/hpa-replicas", 1, "no replicas at all are of a feature gate"),
    ("reliability/labels", 3, "invalid"),
    ("reliability/mismatching-selector", 4, "invalid"),
    ("reliability/object-names", 8, "invalid"),
    ("reliability/port-names", 2, "invalid"),
    ("reliability/resource-range", 2, "invalid"),
    ("reliability/restart-policy", 3, "invalid"),
    ("reliability/service-ports", 2, "invalid"),
    ("reliability/unique-names", 3, "invalid"),
    ("reliability/volume-mounts", 2, "invalid"),
];

/// What these tests share.
struct Proof {
    server: Server,
    paths: Paths,
    catalogue: &'static Catalogue,
    policies: Vec<&'static Policy>,
    cases: Vec<Case<'static>>,
}

impl Proof {
    /// A server of their own, as bindings are for the whole cluster: each policy denies the objects with a label of its own
    /// in each version that its examples are about, and in groups they warn.
    fn shared() -> &'static Self {
        static PROOF: OnceLock<Proof> = OnceLock::new();
        PROOF.get_or_init(|| {
            let catalogue: &Catalogue = Box::leak(Box::new(Catalogue::builtin().unwrap()));
            let (server, cases) = (Server::start(), cases(catalogue));
            let paths = Paths::new(&server, &cases);
            let proof = Self { server, paths, catalogue, policies: object_policies(catalogue), cases };
            proof.prepare();
            proof
        })
    }

    fn prepare(&self) {
        let class = json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000,
        });
        self.server.post("/apis/scheduling.k8s.io/v1/priorityclasses", &class);
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for case in &self.cases {
            versions.entry(&case.version).or_default().insert(&case.policy.id);
        }
        versions.insert(VERSION, self.policies.iter().map(|policy| policy.id.as_str()).collect());
        for (version, ids) in versions {
            let ids: Vec<&str> = ids.into_iter().collect();
            let mut documents = export(&[&ids[..], &["--kube-version", version, "--actions", "Deny"]].concat());
            renamed(&mut documents, &suffix(version), |policy| self.label(policy, version));
            create(&self.server, &documents, "");
        }
        let mut documents = export(&["--profile", "all", "--kube-version", VERSION, "--actions", "Warn"]);
        renamed(&mut documents, "-warn", |policy| group(self.place(policy) % GROUPS));
        create(&self.server, &documents, "");
        wait_until_in_force(&self.server);
    }

    /// The place of an exported policy among all.
    fn place(&self, exported: &str) -> usize {
        self.policies.iter().position(|policy| exported_name(&policy.id) == exported).unwrap()
    }

    /// The label of the objects that a policy of a version denies. It is judged too: there is to be nothing in it.
    fn label(&self, exported: &str, version: &str) -> String {
        format!("p{}-v{version}", self.place(exported))
    }

    /// Lets one policy judge the creation of an object.
    fn verdict(&self, policy: &Policy, version: &str, namespace: &str, object: &Value) -> Verdict {
        let name = exported_name(&policy.id);
        let object = labelled(object, &self.label(&name, version));
        let answer = self.paths.try_create(&self.server, namespace, &object);
        Verdict::of(&answer, &(name + &suffix(version)))
    }
}

/// What the names of policies for a version end with.
fn suffix(version: &str) -> String {
    format!("-v{version}")
}

/// The label of the objects that a group of policies warns of.
fn group(index: usize) -> String {
    format!("group-{index}")
}

/// What was said of an object.
#[derive(Debug, PartialEq)]
enum Verdict {
    Admitted,
    /// By the policy that was asked: the message.
    Denied(String),
    /// By something else, before policies see it.
    Refused(String),
}

impl Verdict {
    fn of(answer: &Answer, policy: &str) -> Self {
        let message = answer.body["message"].as_str().unwrap_or_default();
        let denied = format!("ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request: ");
        match message.split_once(&denied) {
            Some((_, message)) => Self::Denied(message.to_owned()),
            // What is there already was admitted first.
            None if answer.status == 201 || answer.status == 409 => Self::Admitted,
            None => Self::Refused(format!("{} {message}", answer.status)),
        }
    }
}

/// The words of a message: what comes from a map has no order in a cluster.
fn words(message: &str) -> Vec<String> {
    let mut words: Vec<_> = message.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort_unstable();
    words
}

/// A line of the table.
#[derive(Default)]
struct Row {
    objects: usize,
    offline: usize,
    cluster: usize,
    refused: usize,
    agreeing: usize,
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.offline += other.offline;
        self.cluster += other.cluster;
        self.refused += other.refused;
        self.agreeing += other.agreeing;
    }
}

#[test]
fn exported_policies_judge_their_examples_as_plimsoll_does() {
    let proof = Proof::shared();
    let judge = |case: &Case<'_>| proof.verdict(case.policy, &case.version, &case.namespace, &case.object);
    let verdicts = in_parallel(&proof.cases, judge);
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut wrong = String::new();
    let mut unused: BTreeSet<_> = EXCEPTIONS.iter().map(|(policy, example, _)| (*policy, *example)).collect();
    for (case, verdict) in proof.cases.iter().zip(&verdicts) {
        let row = rows.entry(&case.policy.id).or_default();
        row.objects += 1;
        row.offline += usize::from(!case.offline.is_empty());
        let agrees = match (case.offline.first(), verdict) {
            (None, Verdict::Admitted) => true,
            (Some(ours), Verdict::Denied(theirs)) => words(ours) == words(theirs),
            _ => false,
        };
        row.agreeing += usize::from(agrees);
        match verdict {
            Verdict::Refused(why) => {
                row.refused += 1;
                println!("refused {}: {why}", case.name());
            }
            _ if !agrees && !unused.remove(&(&case.policy.id, &case.example)) => {
                writeln!(wrong, "{}: offline {:?}, the cluster {verdict:?}", case.name(), case.offline).unwrap();
            }
            _ => row.cluster += usize::from(matches!(verdict, Verdict::Denied(_))),
        }
    }
    println!("{:<44}{:>8}{:>9}{:>9}{:>9}{:>9}", "policy", "objects", "offline", "cluster", "agree", "refused");
    let line = |name: &str, row: &Row| {
        let Row { objects, offline, cluster, agreeing, refused } = row;
        println!("{name:<44}{objects:>8}{offline:>9}{cluster:>9}{agreeing:>9}{refused:>9}");
    };
    let mut all = Row::default();
    for (policy, row) in &rows {
        line(policy, row);
        all.add(row);
    }
    line("all", &all);
    assert!(wrong.is_empty(), "differences:\n{wrong}");
    assert!(unused.is_empty(), "exceptions that are none: {unused:?}");
    let refused: Vec<_> =
        rows.iter().filter(|(_, row)| row.refused > 0).map(|(policy, row)| (*policy, row.refused)).collect();
    let known: Vec<_> = REFUSED.iter().map(|(policy, count, _)| (*policy, *count)).collect();
    assert_eq!(refused, known, "objects that the server itself refuses");
    // A policy that denies nothing could be one that is not in force.
    let idle = rows.iter().filter(|(_, row)| row.cluster == 0 && row.refused == 0).map(|(policy, _)| *policy);
    let idle: Vec<_> = idle.filter(|policy| !EXCEPTIONS.iter().any(|(known, _, _)| known == policy)).collect();
    assert!(idle.is_empty(), "policies that deny nothing: {idle:?}");
}

/// How many groups the policies are judged in: the server cuts its warnings off where they get long.
const GROUPS: usize = 12;

#[test]
fn what_would_be_stored_is_judged_alike_by_all_policies() {
    let proof = Proof::shared();
    let found = in_parallel(&proof.cases, |case| {
        let mut stored = None;
        let mut theirs = BTreeSet::new();
        for index in 0..GROUPS {
            let object = labelled(&case.object, &group(index));
            let answer = proof.paths.try_create(&proof.server, &case.namespace, &object);
            if answer.status == 201 {
                let found = answer.warnings.iter().filter_map(|warning| of_policy(warning));
                theirs.extend(found.map(|(policy, message)| (policy, words(&message))));
                stored = Some(answer.body);
            }
        }
        let ours = judge(&proof.policies, &case.namespace, VERSION, &[stored?]).concat();
        let ours = ours.into_iter().map(|(id, message)| (exported_name(id) + "-warn", words(&message)));
        let ours: BTreeSet<_> = ours.collect();
        let show = |found: BTreeSet<&(String, Vec<String>)>| format!("{found:?}");
        let (more, fewer) = (show(theirs.difference(&ours).collect()), show(ours.difference(&theirs).collect()));
        let differs = format!("{}: the cluster finds {more}, and does not find {fewer}\n", case.name());
        Some((theirs.len(), if theirs == ours { String::new() } else { differs }))
    });
    let found: Vec<_> = found.into_iter().flatten().collect();
    let violations: usize = found.iter().map(|(count, _)| count).sum();
    let wrong: String = found.iter().map(|(_, differs)| differs.as_str()).collect();
    println!("{} objects judged by {} policies: {violations} violations", found.len(), proof.policies.len());
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn large_objects_are_judged_within_the_budget_of_the_api_server() {
    let proof = Proof::shared();
    let large = large();
    let pairs: Vec<(&Policy, &Value)> =
        proof.policies.iter().flat_map(|policy| large.iter().map(move |object| (*policy, object))).collect();
    let found = in_parallel(&pairs, |(policy, object)| {
        let ours = judge(&[policy], "default", VERSION, std::slice::from_ref(object)).concat();
        let theirs = proof.verdict(policy, VERSION, "default", object);
        let agrees = match (ours.first(), &theirs) {
            (None, Verdict::Admitted) => true,
            (Some((_, ours)), Verdict::Denied(theirs)) => words(ours) == words(theirs),
            _ => false,
        };
        let costly = matches!(&theirs, Verdict::Denied(message) if message.contains("limit exceeded"));
        (agrees && !costly)
            .then(String::new)
            .unwrap_or_else(|| format!("{} {}: {ours:?} {theirs:?}\n", policy.id, object["kind"]))
    });
    let wrong = found.concat();
    assert!(wrong.is_empty(), "{wrong}");
}

/// Objects near the size that an API server takes: to judge them must not cost more than it allows.
fn large() -> Vec<Value> {
    let lines: String = (0..9_000)
        .map(|n| {
            format!("server.{n}.address = \"https://node-{n}.example.com:8443/v1/{n}?q=a\" # the address of {n}\n")
        })
        .collect();
    let keys: serde_json::Map<String, Value> = (0..4_000)
        .map(|n| {
            (format!("key-{n}"), format!("the value of key {n}, which says nothing of interest, and so on").into())
        })
        .collect();
    let env: Vec<Value> = (0..200)
        .map(|n| json!({"name": format!("VARIABLE_{n}"), "value": format!("https://web-{n}.example.com/a/b/c")}))
        .collect();
    let containers: Vec<Value> = (0..40)
        .map(|n| {
            json!({"name": format!("web-{n}"), "image": format!("registry.example.com/team/web-{n}:1.{n}"), "env": env,
            "ports": [{"name": format!("p-{n}"), "containerPort": 9000 + n}]})
        })
        .collect();
    let rules: Vec<Value> = (0..1_000).map(|n| json!({"apiGroups": [format!("g{n}.example.com")], "resources": [format!("r{n}"), format!("s{n}")], "verbs": ["get", "list", "create"]})).collect();
    let hosts: Vec<Value> = (0..1_000).map(|n| json!({"host": format!("h{n}.example.com"), "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}})).collect();
    let peers: Vec<Value> =
        (0..2_000).map(|n| json!({"ipBlock": {"cidr": format!("10.{}.{}.0/24", n / 256, n % 256)}})).collect();
    let subjects: Vec<Value> = (0..2_000)
        .map(|n| json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": format!("user-{n}")}))
        .collect();
    let meta = json!({"name": "large"});
    vec![
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"lines": lines}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": keys}),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": meta, "subjects": subjects,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "x"}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": {"rules": hosts}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": {"podSelector": {}, "egress": [{"to": peers}]}}),
    ]
}

/// The policy and the message of `299 - "Validation failed for ValidatingAdmissionPolicy 'P' with binding 'B': …"`.
fn of_policy(warning: &str) -> Option<(String, String)> {
    let rest = warning.strip_prefix("299 - \"Validation failed for ValidatingAdmissionPolicy '")?.strip_suffix('"')?;
    let (policy, rest) = rest.split_once('\'')?;
    let (_, message) = rest.split_once("': ")?;
    Some((policy.to_owned(), message.replace("\\\"", "\"").replace("\\\\", "\\")))
}
