//! `policy export`: what a cluster is given says the same as what it was made from.

mod common;

use std::collections::BTreeMap;

use common::{plimsoll, root, snapshots};
use plimsoll::policy::examples::Examples;
use plimsoll::policy::{Catalogue, Policy, PolicyKind};
use plimsoll::source::SourceFile;
use plimsoll::value::Value;
use plimsoll::yaml;

/// Kubernetes' names of objects: RFC 1123 subdomains.
const NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

fn text<'v>(document: &'v Value, path: &[&str]) -> &'v str {
    document.at(path.iter().copied()).and_then(Value::as_str).unwrap_or_default()
}

/// The documents of an export by the policy's name, without the bindings; and these.
fn export(args: &[&str]) -> (BTreeMap<String, String>, BTreeMap<String, Value>) {
    let run = plimsoll(root(), &[&["policy", "export"], args].concat(), "");
    assert_eq!(run.status, 0, "{}", run.stderr);
    let (mut policies, mut bindings) = (BTreeMap::<String, String>::new(), BTreeMap::new());
    for document in run.stdout.split("---\n").filter(|document| !document.is_empty()) {
        let value = yaml::parse(document, yaml::Options { strict: true, ..Default::default() }).unwrap();
        let name = text(&value, &["metadata", "name"]).to_owned();
        if text(&value, &["kind"]) == "ValidatingAdmissionPolicyBinding" {
            bindings.insert(name, value);
        } else {
            policies.entry(name).or_default().push_str(&format!("---\n{document}"));
        }
    }
    (policies, bindings)
}

#[test]
fn every_policy_that_is_exported_has_the_same_verdicts() {
    let catalogue = Catalogue::builtin().unwrap();
    let (policies, bindings) = export(&["--profile", "all"]);
    let name = regex::Regex::new(NAME).unwrap();
    let of_objects = catalogue.entries().iter().filter(|entry| entry.policy.kind == PolicyKind::Object);
    let mut left = policies.clone();
    for entry in of_objects {
        let policy = &entry.policy;
        let exported = format!("plimsoll-{}", policy.id.replace('/', "-"));
        assert!(name.is_match(&exported) && exported.len() <= 253, "{exported}");
        let text = left.remove(&exported).unwrap_or_else(|| panic!("{exported} is missing"));
        let read = Policy::read(&policy.id, &SourceFile::new(exported.as_str(), text)).unwrap();
        let examples = Examples::read(&entry.examples().unwrap()).unwrap();
        let mismatches = examples.run(&read).unwrap();
        assert!(mismatches.is_empty(), "{mismatches:?}");
        let spec = bindings[&exported].get("spec").unwrap();
        assert_eq!(text_of(spec, "policyName"), exported);
        let action = match policy.severity.to_string().as_str() {
            "error" => "Deny",
            "warning" => "Warn",
            _ => "Audit",
        };
        assert_eq!(spec.get("validationActions"), Some(&vec![Value::from(action)].into()), "{exported}");
    }
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(policies.len(), bindings.len());
}

fn text_of<'v>(value: &'v Value, key: &str) -> &'v str {
    text(value, &[key])
}

const OWN: [&str; 4] = ["policy", "export", "--policies", "tests/fixtures/export/own"];

#[test]
fn an_export_is_for_a_version_and_acts_as_it_is_told() {
    let run =
        plimsoll(root(), &[&OWN[..], &["users", "--kube-version", "1.25", "--actions", "warn,Audit"]].concat(), "");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    snapshots("cli").bind(|| insta::assert_snapshot!("policy-export", run.stdout));
}

#[test]
fn parameters_are_exported_as_the_user_sets_them() {
    let args = ["replicas", "-n", "policies", "--param", "replicas:most=5", "--severity", "replicas=warning"];
    let run = plimsoll(root(), &[&OWN[..], &args].concat(), "");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    snapshots("cli").bind(|| insta::assert_snapshot!("policy-export-params", run.stdout));
    // What was exported is a policy with a binding: read back, it means the same.
    let dir = common::folder(&[("policies/exported.yaml", &run.stdout)]);
    let lint = |replicas: u32| {
        let object =
            format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec: {{replicas: {replicas}}}\n");
        plimsoll(dir.path(), &["lint", "-", "--policies", "policies", "--policy", "exported"], &object).stdout
    };
    assert!(lint(5).starts_with("all is well"), "{}", lint(5));
    assert!(lint(6).starts_with("warning[exported]") && lint(6).contains("at most 5 replicas fit"), "{}", lint(6));
}

#[test]
fn what_cannot_be_exported_is_said() {
    for (args, wanted) in [
        (&["workspace/egress"][..], "workspace/egress (judges whole releases"),
        (&["secrets/plaintext", "workspace/egress"], "workspace/egress (judges whole releases"),
        (&["workspace/egress", "workspace/trusted-proxy"], "workspace/trusted-proxy (judges whole releases"),
        (&["bound", "--policies", "tests/fixtures/export/own"], "bound (has bindings of its own"),
        (&["secrets/plaintext", "--actions", "Deny,Warn"], "Deny and Warn exclude each other"),
        (&["secrets/plain"], "did you mean secrets/plaintext?"),
        (&["secrets/plaintext", "--kube-version", "new"], "invalid kube version 'new'"),
    ] {
        let run = plimsoll(root(), &[&["policy", "export"], args].concat(), "");
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{args:?}");
        assert!(run.stderr.contains(wanted), "{args:?}: {}", run.stderr);
    }
    let run = plimsoll(root(), &["policy", "export", "secrets/*"], "");
    // A line for each reason, not for each policy.
    assert!(run.stderr.starts_with("note: not exported: secrets/"), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}
