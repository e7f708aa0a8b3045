//! Kubernetes' schemas, held to two peers on the manifests of tests/fixtures/schemas: kubeconform -strict, with the same
//! schemas, and the API server's own decoder. tests/peers/kubeconform.sh records their answers, and compares them with
//! what they say today. Where plimsoll differs, exceptions.yaml has the reason.
//!
//! A fixture is held to every version of Kubernetes that the binary has, or to the one that its name ends in:
//! `<name>@1.31.yaml`.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use common::{root, snapshots};
use plimsoll::chart::Capabilities;
use plimsoll::check::{self, Rules, Subject};
use plimsoll::policy::exemption::Honoured;
use plimsoll::policy::{Catalogue, Pattern, Selection};
use plimsoll::schema::bundle::Bundle;
use plimsoll::schema::{Minor, Schemas};
use plimsoll::source::{Location, Position, SourceFile};

const FIXTURES: &str = "tests/fixtures/schemas";

/// What the peers say of a document.
#[derive(serde::Deserialize)]
struct Answer {
    /// Below the fixtures: `faults/dates.yaml`.
    file: String,
    /// Its index in the file.
    document: usize,
    /// The version that the fixture is of.
    version: String,
    /// `valid`, `invalid`, `error` or `empty`
    kubeconform: String,
    /// The same of older versions that have another answer.
    #[serde(default)]
    older: BTreeMap<String, String>,
    /// `ok`, `unknown kind`, or an error; nothing of an older version of Kubernetes than the decoder is of.
    decode: Option<String>,
}

/// Documents on which plimsoll is right to differ.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    reason: String,
    /// `kubeconform` or `API server`
    peer: String,
    /// `passes` or `refuses`
    plimsoll: String,
    /// `faults/dates.yaml#3`
    documents: Vec<String>,
}

/// What plimsoll says of a document.
struct Verdict {
    refuses: bool,
    /// A line for each finding: its place, its policy, its message, and what is written there.
    lines: String,
}

/// The fixtures, by their paths below the folder.
fn fixtures() -> Vec<String> {
    let mut found = Vec::new();
    for folder in common::folders(FIXTURES) {
        for file in fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let path = path.strip_prefix(root().join(FIXTURES)).unwrap();
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(FIXTURES).join(path)).unwrap()
}

/// The documents of a text as kubeconform cuts it, each with line breaks before it that keep its places.
fn documents(text: &str) -> Vec<String> {
    let (mut found, mut start) = (Vec::new(), 0);
    let lines_before = |start: usize| "\n".repeat(text[..start].matches('\n').count());
    while let Some(at) = text[start..].find("\n---").map(|at| start + at) {
        found.push(lines_before(start) + &text[start..at]);
        start = text[at + 1..].find('\n').map_or(text.len(), |end| at + end + 2);
    }
    if start < text.len() {
        found.push(lines_before(start) + &text[start..]);
    }
    found
}

/// The version that a fixture is of.
fn version(path: &str) -> Option<Minor> {
    path.rsplit_once('@').map(|(_, version)| version.trim_end_matches(".yaml").parse().unwrap())
}

fn judge(path: &str, document: &str, version: Option<Minor>, catalogue: &Catalogue) -> Verdict {
    let include = vec![Pattern::new("schema/*")];
    let selection = Selection { profiles: Vec::new(), include, exclude: Vec::new(), only_named: true };
    let rules = Rules {
        chosen: selection.choose(catalogue).unwrap(),
        exemptions: &[],
        schemas: Schemas::new(version, None),
        honoured: Honoured::None,
        today: jiff::civil::Date::ZERO,
    };
    let line = |at: Option<&Location>, what: &str| {
        let place = at.map_or("nowhere".to_owned(), |at| {
            let written = at.file.text[at.span.start..].lines().next().unwrap_or_default();
            let Position { line, column } = at.position();
            format!("{line}:{column} {written}\n    ")
        });
        format!("{place}{what}\n")
    };
    let judged = check::read(vec![SourceFile::new(path, document)])
        .and_then(|manifests| check::lint(&[Subject::plain(&manifests, "default", &Capabilities::default())], &rules));
    match judged {
        Ok(report) => {
            let lines = report.findings.iter().map(|finding| {
                let at = finding.places.first().map(|place| &place.rendered);
                line(at, &format!("{}: {}", finding.policy, finding.message))
            });
            let refuses = report.findings.iter().any(|finding| finding.severity == plimsoll::finding::Severity::Error);
            Verdict { refuses, lines: lines.collect() }
        }
        Err(faults) => {
            let nothing = faults.iter().any(|fault| fault.message.starts_with("there is nothing to check"));
            let lines = faults.iter().map(|fault| line(fault.labels.first().map(|(at, _)| at), &fault.message));
            Verdict { refuses: !nothing, lines: if nothing { String::new() } else { lines.collect() } }
        }
    }
}

/// What exceptions call a document.
fn name(path: &str, index: usize) -> String {
    format!("{path}#{index}")
}

#[test]
fn verdicts_are_those_of_the_peers_or_excepted() {
    let catalogue = Catalogue::builtin().unwrap();
    let mut answers: BTreeMap<String, Answer> = read("answers.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Answer>(line).unwrap())
        .map(|answer| (name(&answer.file, answer.document), answer))
        .collect();
    let exceptions: Vec<Exception> = serde_yaml::from_str(&read("exceptions.yaml")).unwrap();
    let mut excepted = BTreeMap::new();
    for Exception { reason, peer, plimsoll, documents } in &exceptions {
        assert!(!reason.is_empty() && !documents.is_empty());
        for document in documents {
            let verdict = (plimsoll.as_str(), peer.as_str());
            assert!(excepted.insert((document.as_str(), peer.as_str()), verdict.0).is_none(), "{document} twice");
        }
    }

    let (all, mut needed, mut differs) = (answers.len(), BTreeSet::new(), String::new());
    for path in fixtures() {
        for (index, document) in documents(&read(&path)).iter().enumerate() {
            let name = name(&path, index);
            let Some(Answer { version: own, kubeconform, older, decode, .. }) = answers.remove(&name) else {
                panic!("{name} is not recorded: tests/peers/kubeconform.sh --record");
            };
            let versions = Bundle::embedded().unwrap().versions();
            for version in versions.iter().filter(|one| version(&path).is_none_or(|of| of == **one)) {
                let verdict = judge(&path, document, Some(*version), &catalogue);
                let ours = if verdict.refuses { "refuses" } else { "passes" };
                let status = older.get(&version.to_string()).unwrap_or(&kubeconform);
                let differing = matches!(status.as_str(), "invalid" | "error") != verdict.refuses;
                // The decoder does not know what is required: where it has nothing to say, schemas may.
                let said = decode.as_deref().filter(|said| version.to_string() == own && *said != "ok");
                let laxer = said.filter(|_| !verdict.refuses);
                let others = [("kubeconform", differing.then_some(status.as_str())), ("API server", laxer)];
                for (peer, other) in others.into_iter().filter_map(|(peer, other)| Some((peer, other?))) {
                    if excepted.get(&(name.as_str(), peer)) == Some(&ours) {
                        needed.insert((name.clone(), peer));
                    } else {
                        let _ = writeln!(differs, "{name} in {version}: plimsoll {ours} it, {peer} says: {other}");
                        differs.push_str(&verdict.lines);
                    }
                }
            }
        }
    }
    let known = |(document, peer): &&(&str, &str)| !needed.iter().any(|(name, by)| name == document && by == peer);
    for (document, peer) in excepted.keys().filter(known) {
        let _ = writeln!(differs, "{document}: the exception from {peer} is not needed");
    }
    assert!(differs.is_empty(), "\n{differs}");
    assert!(answers.is_empty(), "there are no documents {:?}", answers.keys());
    let excepted = needed.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len();
    println!("\n{all} documents: {} agree, {excepted} excepted", all - excepted);
}

#[test]
fn findings_are_at_their_places() {
    let catalogue = Catalogue::builtin().unwrap();
    for path in fixtures() {
        let judged = |document: &String| judge(&path, document, version(&path), &catalogue).lines;
        let lines: String = documents(&read(&path)).iter().map(judged).collect();
        if !lines.is_empty() {
            let name = path.trim_end_matches(".yaml").replace('/', "-");
            snapshots("schemas").bind(|| insta::assert_snapshot!(name, lines));
        }
    }
}
