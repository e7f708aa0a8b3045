//! The profiles `pod-security-baseline` and `pod-security-restricted` against Kubernetes' own Pod Security Admission: its
//! fixtures, and what it said to each of them at its level and version.

use std::collections::BTreeMap;

use plimsoll::policy::{Catalogue, Profile, Release, evaluate};
use plimsoll::value::Value;
use plimsoll::yaml;

const VERDICTS: &str = include_str!("fixtures/pod-security.jsonl");

struct Case {
    name: String,
    pod: Value,
    passes: bool,
}

/// The recorded cases by level and version.
fn cases() -> BTreeMap<(String, String), Vec<Case>> {
    let mut cases: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in VERDICTS.lines() {
        let row = yaml::parse(line, yaml::Options::default()).unwrap();
        let text = |key| row.get(key).and_then(Value::as_str).unwrap().to_owned();
        let passes = match text("verdict").as_str() {
            "pass" => true,
            "fail" => false,
            other => panic!("verdict {other}"),
        };
        let case = Case { name: text("name"), pod: row.get("pod").unwrap().clone(), passes };
        cases.entry((text("level"), text("version"))).or_default().push(case);
    }
    cases
}

#[test]
fn every_verdict_is_that_of_pod_security_admission() {
    let catalogue = Catalogue::builtin().unwrap();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for ((level, version), cases) in cases() {
        let profile = Profile::named(&format!("pod-security-{level}")).unwrap();
        let policies = catalogue.policies().filter(|policy| profile.has(policy));
        let objects: Vec<Value> = cases.iter().map(|case| case.pod.clone()).collect();
        let violations = evaluate(policies, &[Release::plain("default", &version, &objects)]).unwrap();
        for (index, case) in cases.iter().enumerate() {
            let found: Vec<_> = violations.iter().filter(|violation| violation.object == Some(index)).collect();
            if found.is_empty() != case.passes {
                let found: Vec<_> = found.iter().map(|v| format!("{}: {}", v.policy.id, v.message)).collect();
                wrong.push(format!("{level} {version} {}: passes is {}, but {found:?}", case.name, case.passes));
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 952);
    assert!(wrong.is_empty(), "{} verdicts differ:\n{}", wrong.len(), wrong.join("\n"));
}
