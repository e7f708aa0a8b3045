use std::time::{Duration, Instant};

use super::*;
use crate::finding::{Exempted, Failed, ObjectRef, Place};

fn object(name: &str) -> ObjectRef {
    ObjectRef { api_version: "v1".into(), kind: "Secret".into(), namespace: Some("alice".into()), name: name.into() }
}

fn nowhere() -> Location {
    Location::new(SourceFile::new("f", ""), Span::default())
}

fn finding(release: Option<&str>, policy: &str, name: &str, field: &str, severity: Severity) -> Finding {
    Finding {
        policy: policy.into(),
        severity,
        message: "hunter2 is in plain text".into(),
        release: release.map(str::to_owned),
        object: Some(object(name)),
        places: vec![Place {
            object: object(name),
            field: Path::default(),
            named: field.into(),
            rendered: nowhere(),
            template: Vec::new(),
        }],
        values: Vec::new(),
        configured: None,
        exemption: None,
        is_known: false,
        rationale: String::new(),
        remediation: String::new(),
    }
}

fn error(release: &str, name: &str, field: &str) -> Finding {
    finding(Some(release), "secrets/plaintext", name, field, Severity::Error)
}

fn report(findings: &[Finding]) -> Report {
    Report { findings: findings.to_vec(), ..Report::default() }
}

fn releases(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn read(text: &str) -> Baseline {
    Baseline::read(&SourceFile::new("b.yaml", text)).unwrap()
}

/// Which findings it knows.
fn marked(baseline: &Baseline, report: &mut Report) -> Vec<bool> {
    baseline.mark(report);
    report.findings.iter().map(|finding| finding.is_known).collect()
}

/// What it says of a report, and what is left of it.
fn outcome(baseline: &Baseline, mut report: Report, names: &[&str]) -> (Vec<String>, String) {
    baseline.mark(&mut report);
    let told = baseline.outdated(&report, &releases(names));
    let told = told.iter().map(|finding| {
        let place = finding.configured.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{place} {} {}", finding.release.as_deref().unwrap_or_default(), finding.message)
    });
    let text = baseline.updated(&report, &releases(names)).to_yaml();
    (told.collect(), text.lines().skip(3).map(|line| format!("{line}\n")).collect())
}

#[test]
fn what_is_written_is_read_again() {
    let strange = "a\u{202e}b\n\"\\ {x: [y]} # é☃\u{7f}\u{feff}";
    let mut findings = vec![
        error("alice/web", "key-9b1c8a7f", "data[\"A.B\"]"),
        error("alice/web", "key-9b1c8a7f", "data[\"A.B\"]"),
        error("yes", "true", "no"),
        error(strange, strange, strange),
        finding(None, "fleet/hosts", "a", "spec", Severity::Info),
    ];
    findings.extend(KEYWORDS.map(|word| error(word, word, word)));
    let first = Baseline::of(&report(&findings));
    let text = first.to_yaml();
    let second = read(&text);
    assert_eq!(second.entries.keys().collect::<Vec<_>>(), first.entries.keys().collect::<Vec<_>>());
    assert_eq!(second.to_yaml(), text);
    assert_eq!((first.len(), first.is_empty()), (findings.len(), false));
    assert!(text.contains("object: \"Secret alice/key-*\"") || text.contains("object: Secret alice/key-*"), "{text}");
    assert!(!text.contains('\u{202e}') && !text.contains("hunter2"), "{text}");
    assert_eq!(marked(&second, &mut report(&findings)), vec![true; findings.len()]);
}

const KEYWORDS: [&str; 6] = ["null", "~", "1.5", "0x10", "- a", " padded "];

#[test]
fn only_what_is_open_gets_in() {
    let exempted = Finding {
        exemption: Some(Exempted { reason: "r".into(), owner: None, expires: None, place: nowhere() }),
        ..error("a/b", "s", "x")
    };
    let own = Finding { configured: Some(nowhere()), ..error("a/b", "s", "y") };
    assert!(Baseline::of(&report(&[exempted.clone(), own.clone()])).is_empty());
    let baseline = Baseline::of(&report(&[error("a/b", "s", "x"), error("a/b", "s", "y")]));
    assert_eq!(marked(&baseline, &mut report(&[exempted, own])), [false, false]);
}

#[test]
fn as_many_are_known_as_there_were_and_no_worse_ones() {
    let baseline = read(
        "version: 1\nreleases:\n  a/b:\n  - {policy: secrets/plaintext, severity: error, object: Secret alice/s, field: x, count: 2}\n  \
         - {policy: w, severity: warning, object: Secret alice/s, field: x}\n",
    );
    let one = error("a/b", "s", "x");
    assert_eq!(marked(&baseline, &mut report(&[one.clone(), one.clone(), one.clone()])), [true, true, false]);
    let of = |severity| finding(Some("a/b"), "w", "s", "x", severity);
    assert_eq!(marked(&baseline, &mut report(&[of(Severity::Error)])), [false], "worse than it was");
    assert_eq!(marked(&baseline, &mut report(&[of(Severity::Info)])), [true]);
    assert_eq!(marked(&baseline, &mut report(&[error("a/c", "s", "x")])), [false], "in another release");
}

#[test]
fn what_occurs_no_more_is_told_and_taken_away() {
    let baseline = read(
        "version: 1\nfleet:\n- {policy: f, severity: error}\nreleases:\n  a/b:\n  \
         - {policy: secrets/plaintext, severity: error, object: Secret alice/s, field: x, count: 3}\n  \
         - {policy: p, severity: error}\n  gone/x:\n  - {policy: p, severity: error, count: 2}\n",
    );
    let one = error("a/b", "s", "x");
    let (told, left) = outcome(&baseline, report(&[one.clone(), error("a/b", "new", "x")]), &["a/b"]);
    assert_eq!(
        told,
        [
            "b.yaml:3:3  an entry of the baseline no longer occurs, or not as often: f",
            "b.yaml:7:5 a/b 2 entries of the baseline no longer occur, or not as often: p, secrets/plaintext (Secret alice/s, x)",
            "b.yaml:9:5 gone/x the baseline knows 2 findings of a release that the project no longer has",
        ]
    );
    let entry = "{policy: secrets/plaintext, severity: error, object: Secret alice/s, field: x}";
    assert_eq!(left, format!("releases:\n  a/b:\n    - {entry}\n"), "and nothing new has joined");
}

#[test]
fn of_what_was_not_checked_nothing_is_told() {
    let text =
        "version: 1\nfleet:\n  - {policy: f, severity: error}\nreleases:\n  a/b:\n    - {policy: p, severity: error}\n";
    let failed =
        |name: &str| Report { failed: vec![Failed { release: name.into(), faults: Vec::new() }], ..Report::default() };
    let (told, left) = outcome(&read(text), failed("a/b"), &["a/b"]);
    assert_eq!((told.len(), format!("version: 1\n{left}").as_str()), (0, text));
    let (told, left) = outcome(&read(text), failed("a/c"), &["a/b", "a/c"]);
    assert_eq!((told.len(), left.as_str()), (1, "fleet:\n  - {policy: f, severity: error}\n"));
}

#[test]
fn what_is_worse_stays_and_what_is_less_bad_is_noted() {
    let baseline = Baseline::of(&report(&[finding(Some("a/b"), "p", "s", "x", Severity::Warning)]));
    let now = |severity| outcome(&baseline, report(&[finding(Some("a/b"), "p", "s", "x", severity)]), &["a/b"]);
    let (told, left) = now(Severity::Error);
    assert_eq!((told.len(), left.contains("severity: warning")), (0, true), "{left}");
    let (told, left) = now(Severity::Info);
    assert_eq!((told.len(), left.contains("severity: info")), (0, true), "{left}");
}

#[test]
fn a_hundred_thousand_entries_are_read_and_marked_at_once() {
    let findings: Vec<Finding> = (0..100_000)
        .map(|index| error(&format!("tenant-{}/web", index % 100), &format!("s{index}"), "data.x"))
        .collect();
    let text = Baseline::of(&report(&findings)).to_yaml();
    let start = Instant::now();
    let baseline = read(&text);
    let mut all = report(&findings);
    assert!(marked(&baseline, &mut all).into_iter().all(|known| known));
    assert_eq!(baseline.outdated(&report(&[]), &releases(&[])).len(), 100);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
