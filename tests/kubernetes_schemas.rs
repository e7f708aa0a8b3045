//! Kubernetes' schemas, held to two peers on the manifests of tests/fixtures/schemas: kubeconform -strict, with the same
//! schemas, and the API server's own decoder. tests/peers/kubeconform.sh records their answers, and compares them with
//! what they say today. Where plimsoll differs, exceptions.yaml has the reason.
//!
//! A fixture is held to the newest version of Kubernetes, or to the one that its name ends in: `<name>@1.31.yaml`.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use common::{root, snapshots};
use plimsoll::chart::Capabilities;
use plimsoll::check::{self, Rules, Subject};
use plimsoll::policy::exemption::Honoured;
use plimsoll::policy::{Catalogue, Pattern, Selection};
use plimsoll::schema::Schemas;
use plimsoll::source::{Location, Position, SourceFile};

const FIXTURES: &str = "tests/fixtures/schemas";

/// What the peers say of a document.
#[derive(serde::Deserialize)]
struct Answer {
    /// Below the fixtures: `faults/dates.yaml`.
    file: String,
    /// Its index in the file.
    document: usize,
    /// `valid`, `invalid`, `error` or `empty`
    kubeconform: String,
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

fn judge(path: &str, document: &str, catalogue: &Catalogue) -> Verdict {
    let version = path.rsplit_once('@').map(|(_, version)| version.trim_end_matches(".yaml").parse().unwrap());
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

/// Every document of every fixture, as plimsoll judges it.
fn verdicts() -> impl Iterator<Item = (String, Vec<Verdict>)> {
    let catalogue = Catalogue::builtin().unwrap();
    fixtures().into_iter().map(move |path| {
        let judged = documents(&read(&path)).iter().map(|document| judge(&path, document, &catalogue)).collect();
        (path, judged)
    })
}

/// What exceptions call a document.
fn name(path: &str, index: usize) -> String {
    format!("{path}#{index}")
}

#[test]
fn verdicts_are_those_of_the_peers_or_excepted() {
    let named = |(path, verdicts): (String, Vec<_>)| {
        verdicts.into_iter().enumerate().map(|(index, verdict)| (name(&path, index), verdict)).collect::<Vec<_>>()
    };
    let verdicts: BTreeMap<String, Verdict> = verdicts().flat_map(named).collect();
    let answers: BTreeMap<String, Answer> = read("answers.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Answer>(line).unwrap())
        .map(|answer| (name(&answer.file, answer.document), answer))
        .collect();
    let without = "record it: tests/peers/kubeconform.sh --record";
    assert_eq!(verdicts.keys().collect::<Vec<_>>(), answers.keys().collect::<Vec<_>>(), "{without}");

    let exceptions: Vec<Exception> = serde_yaml::from_str(&read("exceptions.yaml")).unwrap();
    let mut excepted = BTreeMap::new();
    for Exception { reason, peer, plimsoll, documents } in &exceptions {
        assert!(!reason.is_empty() && !documents.is_empty());
        for document in documents {
            let verdict = (plimsoll.as_str(), peer.as_str());
            assert!(excepted.insert((document.as_str(), peer.as_str()), verdict.0).is_none(), "{document} twice");
        }
    }

    let mut differs = String::new();
    let mut documents_excepted = BTreeSet::new();
    for (name, answer) in &answers {
        let verdict = &verdicts[name];
        let ours = if verdict.refuses { "refuses" } else { "passes" };
        let kubeconform = matches!(answer.kubeconform.as_str(), "invalid" | "error");
        // The decoder does not know what is required: where it has nothing to say, schemas may.
        let laxer = !verdict.refuses && answer.decode.as_deref().is_some_and(|said| said != "ok");
        for (peer, other) in [("kubeconform", kubeconform != verdict.refuses), ("API server", laxer)] {
            match (other, excepted.remove(&(name.as_str(), peer))) {
                (false, None) => {}
                (true, Some(known)) if known == ours => {
                    documents_excepted.insert(name);
                }
                (true, _) => {
                    let Answer { kubeconform, decode, .. } = answer;
                    let _ = writeln!(
                        differs,
                        "{name}: plimsoll {ours} it, the other answer is of {peer}: {kubeconform}, {decode:?}"
                    );
                    differs.push_str(&verdict.lines);
                }
                (false, Some(_)) => {
                    let _ = writeln!(differs, "{name}: plimsoll and {peer} agree: the exception is not needed");
                }
            }
        }
    }
    for (document, peer) in excepted.keys() {
        let _ = writeln!(differs, "exceptions.yaml: there is no document {document} ({peer})");
    }
    assert!(differs.is_empty(), "\n{differs}");
    let (all, excepted) = (answers.len(), documents_excepted.len());
    println!("\n{all} documents: {} agree, {excepted} excepted", all - excepted);
}

#[test]
fn findings_are_at_their_places() {
    for (path, verdicts) in verdicts() {
        let lines: String = verdicts.iter().map(|verdict| verdict.lines.as_str()).collect();
        if !lines.is_empty() {
            let name = path.trim_end_matches(".yaml").replace('/', "-");
            snapshots("schemas").bind(|| insta::assert_snapshot!(name, lines));
        }
    }
}
