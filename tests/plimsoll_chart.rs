//! charts/plimsoll: what it renders to, that it passes its own check, and that the webhook is asked about whatever the
//! policies judge.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::{Run, folder, plimsoll, root, snapshots};
use plimsoll::policy::{Catalogue, PolicyKind};
use plimsoll::value::Value;

/// The chart's defaults, and its examples.
const EXAMPLES: [&str; 4] = ["", "cert-manager", "existing-certificate", "first-steps"];

/// What the strictest check is told besides: what cannot be known of a company.
const COMPANY: [&str; 4] = [
    "--param",
    "images/registries:allowed=registry.example.com",
    "--param",
    "schema/unknown-kind:groups=cert-manager.io",
];

/// Built-in policies that judge something which the webhook is not asked about, and why that is no hole.
const NOT_ASKED: [(&str, &str); 2] = [
    ("reliability/default-namespace", "Secrets are not sent"),
    ("reliability/kube-system", "Secrets are not sent, and kube-system is exempt"),
];

/// The resources that built-in policies name, and their groups.
const RESOURCES: &[(&str, &[&str])] = &[
    ("", &["configmaps", "pods", "pods/ephemeralcontainers", "podtemplates", "replicationcontrollers", "secrets"]),
    ("", &["serviceaccounts", "services"]),
    ("apps", &["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"]),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("batch", &["cronjobs", "jobs"]),
    ("gateway.networking.k8s.io", &["gateways"]),
    ("networking.k8s.io", &["ingresses", "networkpolicies"]),
    ("policy", &["poddisruptionbudgets"]),
    ("rbac.authorization.k8s.io", &["clusterrolebindings", "clusterroles", "rolebindings", "roles"]),
];

/// Runs `render plimsoll charts/plimsoll` with an example.
fn run(example: &str, args: &[&str]) -> Run {
    let file = format!("charts/plimsoll/examples/{example}.yaml");
    let values = if example.is_empty() { vec![] } else { vec!["-f", &file] };
    let all =
        [&["render", "plimsoll", "charts/plimsoll", "-n", "plimsoll-system", "--seed", "1"], &*values, args].concat();
    plimsoll(root(), &all, "")
}

fn objects(example: &str, args: &[&str]) -> Vec<Value> {
    let run = run(example, args);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{example}");
    let documents = plimsoll::yaml::parse_stream(&run.stdout, Default::default()).unwrap();
    documents.into_iter().map(|document| document.value).filter(|value| *value != Value::Null).collect()
}

fn object<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let is = |object: &&Value| object.get("kind").and_then(Value::as_str) == Some(kind);
    objects.iter().find(is).unwrap_or_else(|| panic!("no {kind}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_list).unwrap_or_default()
}

fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    list(value, key).iter().filter_map(Value::as_str).collect()
}

fn text<'a, const N: usize>(value: &'a Value, keys: [&str; N]) -> &'a str {
    value.at(keys).and_then(Value::as_str).unwrap_or_else(|| panic!("no text {keys:?} in {value:?}"))
}

#[test]
fn every_example_is_here() {
    let folder = fs::read_dir(root().join("charts/plimsoll/examples")).unwrap();
    let found: BTreeSet<String> =
        folder.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(found, EXAMPLES[1..].iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn every_example_renders_to_its_manifests() {
    for example in EXAMPLES {
        let run = run(example, &[]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{example}");
        let mut settings = snapshots("plimsoll");
        settings.add_filter("[A-Za-z0-9+/=]{200,}", "(made up)");
        let name = if example.is_empty() { "defaults" } else { example };
        settings.bind(|| insta::assert_snapshot!(name, run.stdout));
    }
}

#[test]
fn every_example_passes_the_strictest_check() {
    for example in EXAMPLES {
        let strictest = ["--check", "--profile", "all", "--profile", "pod-security-restricted", "--fail-on", "warning"];
        let run = run(example, &[&strictest[..], &COMPANY].concat());
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{example}: {}", run.stdout);
        assert!(!run.stdout.contains("exempted"), "{example}: {}", run.stdout);
    }
}

#[test]
fn what_is_made_is_what_the_api_server_trusts() {
    let objects = objects("", &[]);
    let authority = text(object(&objects, "Secret"), ["data", "ca.crt"]);
    assert!(authority.starts_with("LS0t"), "{authority}");
    let webhooks = list(object(&objects, "ValidatingWebhookConfiguration"), "webhooks");
    assert_eq!(webhooks.len(), 2);
    for webhook in webhooks {
        assert_eq!(text(webhook, ["clientConfig", "caBundle"]), authority);
    }
}

#[test]
fn nobody_but_cert_manager_names_the_authority_of_its_certificate() {
    let objects = objects("cert-manager", &[]);
    let configuration = object(&objects, "ValidatingWebhookConfiguration");
    assert_eq!(
        configuration.at(["metadata", "annotations", "cert-manager.io/inject-ca-from"]).and_then(Value::as_str),
        Some("plimsoll-system/plimsoll")
    );
    assert!(list(configuration, "webhooks").iter().all(|webhook| webhook.at(["clientConfig", "caBundle"]).is_none()));
    assert!(objects.iter().all(|object| object.get("kind").and_then(Value::as_str) != Some("Secret")));
}

/// Whether a rule of the webhook that must be answered is about something.
fn is_named(rules: &[Value], operation: &str, group: &str, resource: &str) -> bool {
    rules.iter().any(|rule| {
        texts(rule, "operations").contains(&operation)
            && texts(rule, "apiGroups").contains(&group)
            && texts(rule, "apiVersions") == ["*"]
            && texts(rule, "resources").contains(&resource)
    })
}

#[test]
fn the_webhook_is_asked_about_all_that_policies_judge() {
    let objects = objects("", &[]);
    let webhooks = list(object(&objects, "ValidatingWebhookConfiguration"), "webhooks");
    let named = list(&webhooks[0], "rules");
    let [others] = list(&webhooks[1], "rules") else { panic!("{webhooks:?}") };
    assert_eq!((texts(others, "operations"), texts(others, "apiGroups")), (vec!["CREATE", "UPDATE"], vec!["*"]));
    assert_eq!((texts(others, "apiVersions"), texts(others, "resources")), (vec!["*"], vec!["*"]));

    let catalogue = Catalogue::builtin().unwrap();
    let mut used = BTreeSet::new();
    let mut not_asked = BTreeSet::new();
    for policy in catalogue.policies().filter(|policy| policy.kind == PolicyKind::Object) {
        let constraints = policy.manifest().at(["spec", "matchConstraints"]).unwrap();
        for rule in list(constraints, "resourceRules") {
            let (groups, resources) = (texts(rule, "apiGroups"), texts(rule, "resources"));
            for operation in texts(rule, "operations") {
                // What is about everything is asked about by one of both webhooks.
                if groups == ["*"] && !["CREATE", "UPDATE"].contains(&operation) {
                    not_asked.insert(policy.id.as_str());
                }
                let known = RESOURCES.iter().filter(|(group, _)| groups == ["*"] || groups.contains(group));
                let known: Vec<_> = known.flat_map(|(group, all)| all.iter().map(|one| (*group, *one))).collect();
                for resource in &resources {
                    assert!(
                        *resource == "*" || known.iter().any(|(_, one)| one == resource),
                        "{}: {resource}",
                        policy.id
                    );
                }
                for (group, resource) in &known {
                    // `*` means no subresources.
                    let by_star = resources.contains(&"*") && !resource.contains('/');
                    if !by_star && !resources.contains(resource) || groups == ["*"] && by_star {
                        continue;
                    }
                    if is_named(named, operation, group, resource) {
                        used.insert((operation, *group, *resource));
                    } else {
                        not_asked.insert(policy.id.as_str());
                    }
                }
            }
        }
    }
    assert_eq!(not_asked, NOT_ASKED.iter().map(|(id, _)| *id).collect());
    // And about nothing that none of them judges: it could only hold things up.
    for (group, resources) in RESOURCES {
        for resource in *resources {
            for operation in ["CREATE", "UPDATE"] {
                if is_named(named, operation, group, resource) {
                    assert!(used.contains(&(operation, *group, *resource)), "{operation} {group}/{resource}");
                }
            }
        }
    }
}

#[test]
fn a_policy_of_ones_own_brings_its_rules_along() {
    let objects = objects("cert-manager", &[]);
    let webhooks = list(object(&objects, "ValidatingWebhookConfiguration"), "webhooks");
    let last = |webhook: &Value| list(webhook, "rules").last().cloned().unwrap();
    assert_eq!(texts(&last(&webhooks[0]), "resources"), ["buckets"]);
    assert_eq!(
        (texts(&last(&webhooks[1]), "resources"), texts(&last(&webhooks[1]), "operations")),
        (vec!["*"], vec!["DELETE"])
    );
}

/// The files of the mounted ConfigMap, as the volume lays them out.
fn mounted(objects: &[Value]) -> tempfile::TempDir {
    let data = object(objects, "ConfigMap").get("data").unwrap();
    let volumes =
        object(objects, "Deployment").at(["spec", "template", "spec"]).map(|spec| list(spec, "volumes")).unwrap();
    let config = volumes.iter().find(|volume| text(volume, ["name"]) == "config").unwrap();
    let items = list(config.get("configMap").unwrap(), "items");
    assert_eq!(items.len(), data.as_map().unwrap().iter().count());
    let files: Vec<_> = items.iter().map(|item| (text(item, ["path"]), text(data, [text(item, ["key"])]))).collect();
    folder(&files)
}

#[test]
fn its_configuration_is_one_that_plimsoll_reads() {
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: debug, namespace: shop}, spec: {hostNetwork: true, containers: [{name: a, image: a:1}]}}";
    for (example, found) in [
        ("", "error[pod-security/host-namespaces]"),
        ("first-steps", "warning[pod-security/host-namespaces]"),
        ("cert-manager", "error[pod-security/run-as-non-root]"),
    ] {
        let files = mounted(&objects(example, &[]));
        let run = plimsoll(files.path(), &["lint", "-"], pod);
        assert!(run.stdout.contains(found), "{example}: {}{}", run.stdout, run.stderr);
    }
    let files = mounted(&objects("cert-manager", &[]));
    let bucket = "{apiVersion: storage.example.com/v1, kind: Bucket, metadata: {name: a}}";
    let run = plimsoll(files.path(), &["lint", "-", "--no-schemas"], bucket);
    assert!(run.stdout.contains("warning[teams/label]"), "{}{}", run.stdout, run.stderr);
}

#[test]
fn values_that_would_open_it_or_break_it_are_refused() {
    for (set, said) in [
        ("webhook.failurePolicy=", "failurePolicy"),
        ("webhook.timeoutSeconds=31", "timeoutSeconds"),
        ("webhook.rules[0].resources[0]=*", "resources"),
        ("webhook.rules[0].apiGroups[0]=*", "apiGroups"),
        ("certificate.mode=existing", "secretName"),
        ("image.digest=sha256:abc", "digest"),
        ("replicas=0", "replicas"),
        ("config.releases[0].name=web", "releases"),
        ("policies.label=x", "policies"),
        ("policies.teams/label=kind: ReleasePolicy", "policies.teams/label: no ValidatingAdmissionPolicy is in it"),
        ("policies.teams/label=kind: [", "policies.teams/label: no ValidatingAdmissionPolicy is in it"),
        ("failurePolicy=Ignore", "failurePolicy"),
    ] {
        let run = run("", &["--set", set]);
        assert_eq!(run.status, 2, "{set}: {}", run.stdout);
        assert!(run.stderr.contains(said), "{set}: {}", run.stderr);
    }
}
