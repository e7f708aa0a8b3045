//! Files that change while the server runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::common::authority::Authority;
use crate::common::folder;
use crate::program::{Serve, agent, pod_review, privileged, try_post, wait, write_pair};

const EXEMPTION: &str = "\
version: 1
exemptions:
- policy: pod-security/privileged
  object: {kind: Pod, namespace: shop, name: web}
  reason: it is known
  owner: platform
";

fn is_denied(serve: &Serve, policy: &str) -> bool {
    let answer = serve.review(&pod_review(privileged));
    answer["status"]["message"].as_str().is_some_and(|message| message.contains(policy))
}

fn becomes(mut what: impl FnMut() -> bool) {
    wait(|| what().then_some(())).expect("it changes");
}

#[test]
fn exemptions_are_read_again_and_broken_ones_change_nothing() {
    let serve = Serve::start(&[]);
    let file = serve.folder.path().join("plimsoll.yaml");
    assert!(is_denied(&serve, "pod-security/privileged"));
    fs::write(&file, EXEMPTION).unwrap();
    becomes(|| !is_denied(&serve, "pod-security/privileged"));
    let broken = EXEMPTION.replace("reason", "raison");
    fs::write(&file, &broken).unwrap();
    let line: Value = serde_json::from_str(&serve.logged("cannot be used: those before them stay")).unwrap();
    let error = line["error"].as_str().unwrap();
    assert!(error.contains("raison") && error.contains("plimsoll.yaml:5"), "{error}");
    assert!(!is_denied(&serve, "pod-security/privileged"));
    serve.metric_becomes("plimsoll_reloads_total{what=\"policies\",outcome=\"failure\"}", 1.0);
    fs::remove_file(&file).unwrap();
    becomes(|| is_denied(&serve, "pod-security/privileged"));
    serve.metric_becomes("plimsoll_reloads_total{what=\"policies\",outcome=\"success\"}", 2.0);
}

const POLICY: &str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: team
  annotations:
    plimsoll.dev/title: Pods have a team
    plimsoll.dev/severity: error
    plimsoll.dev/description: Whoever runs them must be known.
    plimsoll.dev/remediation: Set the label `team`.
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}
  validations:
  - expression: has(object.metadata.labels.team)
    message: has no label team
";

/// What the kubelet does when a ConfigMap changes: a new folder, to which one link is swapped.
fn mount(root: &Path, moment: &str, policy: &str) {
    fs::create_dir(root.join(moment)).unwrap();
    fs::write(root.join(moment).join("team.yaml"), policy).unwrap();
    symlink(moment, root.join("..data_tmp")).unwrap();
    fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
}

#[test]
fn policies_of_a_mounted_config_map_are_read_once_and_again() {
    let files = folder(&[("plimsoll.yaml", "version: 1\npolicies: {folders: [mine]}\n")]);
    let mine = files.path().join("mine");
    fs::create_dir(&mine).unwrap();
    mount(&mine, "..2026_01", POLICY);
    symlink("..data/team.yaml", mine.join("team.yaml")).unwrap();
    let serve = Serve::start_in(files, &["--policy=team"]);
    assert_eq!(serve.metric("plimsoll_policies"), Some(1.0));
    assert!(is_denied(&serve, "team: metadata.labels.team: has no label team"));
    mount(&mine, "..2026_02", &POLICY.replace("has no label team", "needs a team"));
    becomes(|| is_denied(&serve, "needs a team"));
    mount(&mine, "..2026_03", &POLICY.replace("object.metadata", "object.metadata ||"));
    serve.logged("cannot be used: those before them stay");
    assert!(is_denied(&serve, "needs a team"));
}

#[test]
fn a_changed_certificate_is_served_with_and_a_broken_one_is_not() {
    let serve = Serve::start(&[]);
    let other = Authority::new();
    let url = format!("https://{}/validate", serve.address);
    let review = pod_review(|_| ()).to_string();
    let trusts = |authority: &str| try_post(&agent(authority, None), &url, review.as_bytes()).is_ok();
    assert!(trusts(&serve.authority.pem) && !trusts(&other.pem));

    write_pair(serve.folder.path(), &other.sign(&["127.0.0.1"]));
    becomes(|| trusts(&other.pem));
    assert!(!trusts(&serve.authority.pem));

    // A key of another certificate; one that has expired; none.
    let (certificate, _) = other.sign(&["127.0.0.1"]);
    write_pair(serve.folder.path(), &(certificate, other.sign(&["127.0.0.1"]).1));
    serve.logged("is not that of the certificate");
    write_pair(serve.folder.path(), &other.sign_expired(&["127.0.0.1"]));
    serve.logged("expired at 2021-01-01");
    fs::remove_file(serve.folder.path().join("tls.crt")).unwrap();
    serve.logged("tls.crt could not be read");
    assert!(trusts(&other.pem));
    serve.metric_becomes("plimsoll_reloads_total{what=\"certificate\",outcome=\"failure\"}", 3.0);
    assert_eq!(serve.get("/readyz").status, 200);
}
