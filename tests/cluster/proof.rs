//! `policy export` proved: what plimsoll finds in the examples of its policies, a real API server finds with the exported
//! ValidatingAdmissionPolicies.

mod complete;
mod examples;
mod exported;
mod large;
mod requests;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::OnceLock;

use plimsoll::policy::{Catalogue, Policy};
use serde_json::{Value, json};

use crate::server::{Answer, Server};
use examples::{Case, cases, judge, labelled, object_policies};
use exported::{Paths, create, export, exported_name, in_parallel, renamed, wait_until_in_force};
use webhook::Webhook;

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
    policies: Vec<&'static Policy>,
    webhook: Webhook,
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
            let versions: BTreeSet<&str> = cases.iter().map(|case| case.version.as_str()).collect();
            let webhook = Webhook::new(versions.into_iter().chain([VERSION]));
            let proof = Self { server, paths, policies: object_policies(catalogue), webhook, cases };
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

    /// Whether the webhook finds that a policy is violated by what the API server shows of an object when it is created.
    fn webhook_finds(&self, policy: &Policy, version: &str, namespace: &str, object: &Value) -> bool {
        let answer = self.paths.try_create(&self.server, namespace, object);
        let shown = if answer.status == 201 { &answer.body } else { object };
        let review = self.paths.review(namespace, shown, &Value::Null);
        self.webhook.finds(&policy.id, version, &review)
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
    webhook: usize,
    cluster: usize,
    refused: usize,
    agreeing: usize,
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.offline += other.offline;
        self.webhook += other.webhook;
        self.cluster += other.cluster;
        self.refused += other.refused;
        self.agreeing += other.agreeing;
    }
}

#[test]
fn exported_policies_judge_their_examples_as_plimsoll_does() {
    let proof = Proof::shared();
    let verdicts = in_parallel(&proof.cases, |case| {
        let Case { policy, version, namespace, object, .. } = case;
        (proof.webhook_finds(policy, version, namespace, object), proof.verdict(policy, version, namespace, object))
    });
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut wrong = String::new();
    let mut unused: BTreeSet<_> = EXCEPTIONS.iter().map(|(policy, example, _)| (*policy, *example)).collect();
    for (case, (webhook, verdict)) in proof.cases.iter().zip(&verdicts) {
        let row = rows.entry(&case.policy.id).or_default();
        row.objects += 1;
        row.offline += usize::from(!case.offline.is_empty());
        row.webhook += usize::from(*webhook);
        let agrees = match (case.offline.first(), verdict) {
            (None, Verdict::Admitted) => true,
            (Some(ours), Verdict::Denied(theirs)) => words(ours) == words(theirs),
            _ => false,
        };
        // What the server refuses has no defaults yet: the webhook is shown what was written.
        let expected = match verdict {
            Verdict::Refused(_) => !case.offline.is_empty(),
            verdict => matches!(verdict, Verdict::Denied(_)),
        };
        if *webhook != expected {
            writeln!(wrong, "{}: the webhook finds {webhook}, the cluster {verdict:?}", case.name()).unwrap();
        }
        row.agreeing += usize::from(agrees && *webhook == expected);
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
    println!(
        "{:<44}{:>8}{:>9}{:>9}{:>9}{:>9}{:>9}",
        "policy", "objects", "offline", "webhook", "cluster", "agree", "refused"
    );
    let line = |name: &str, row: &Row| {
        let Row { objects, offline, webhook, cluster, agreeing, refused } = row;
        println!("{name:<44}{objects:>8}{offline:>9}{webhook:>9}{cluster:>9}{agreeing:>9}{refused:>9}");
    };
    let mut all = Row::default();
    for (policy, row) in &rows {
        line(policy, row);
        all.add(row);
    }
    line("all", &all);
    // Past what the test runner captures: the sum is shown where the table is not.
    let Row { objects, offline, webhook, cluster, agreeing, refused } = &all;
    let sum = format!(
        "{} policies, {objects} objects of examples: {offline} found offline, {webhook} by the webhook, {cluster} denied by the \
         API server, which refuses {refused} by itself; {agreeing} agree, {} are known not to",
        rows.len(),
        EXCEPTIONS.len()
    );
    std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{sum}\n")).unwrap();
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

/// The policy and the message of `299 - "Validation failed for ValidatingAdmissionPolicy 'P' with binding 'B': …"`.
fn of_policy(warning: &str) -> Option<(String, String)> {
    let rest = warning.strip_prefix("299 - \"Validation failed for ValidatingAdmissionPolicy '")?.strip_suffix('"')?;
    let (policy, rest) = rest.split_once('\'')?;
    let (_, message) = rest.split_once("': ")?;
    Some((policy.to_owned(), message.replace("\\\"", "\"").replace("\\\\", "\\")))
}
