//! JUnit's XML as Jenkins and GitLab read it: a suite for each release, a test case for each policy and object with
//! something to say, and one for the run as a whole, so that a run without findings is no empty report.
//!
//! There is no standard; this keeps to what the schemas of Jenkins' xUnit plugin and of Maven Surefire have in common.

use std::collections::HashMap;
use std::io::{self, Write};

use super::xml::escape;
use super::{place, printable, summary};
use crate::finding::{Exempted, Fault, Finding, Report};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
/// Of the suite of plain manifests, and of the run as a whole.
const RUN: &str = "plimsoll";

/// A `testsuite`.
struct Suite<'a> {
    name: &'a str,
    cases: Vec<Case<'a>>,
    /// The case of a policy and an object.
    known: HashMap<(&'a str, String), usize>,
}

/// A `testcase`.
struct Case<'a> {
    class: &'a str,
    name: String,
    file: Option<String>,
    findings: Vec<&'a Finding>,
    faults: Vec<&'a Fault>,
}

/// How a test case ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Error,
    Skipped,
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let suites = suites(report);
    let cases = || suites.iter().flat_map(|suite| &suite.cases);
    writeln!(out, "{HEAD}<testsuites name=\"{RUN}\" {}>", counts(cases()))?;
    for suite in &suites {
        writeln!(out, "  <testsuite name=\"{}\" {}>", text(suite.name), counts(suite.cases.iter()))?;
        for case in &suite.cases {
            write_case(case, out)?;
        }
        if suite.name == RUN {
            writeln!(out, "    <system-out>{}</system-out>", text(&summary::line(report)))?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn suites(report: &Report) -> Vec<Suite<'_>> {
    let suite = |name| Suite { name, cases: Vec::new(), known: HashMap::new() };
    let whole = Case { class: RUN, name: "check".to_owned(), file: None, findings: Vec::new(), faults: Vec::new() };
    let mut suites = vec![Suite { cases: vec![whole], ..suite(RUN) }];
    let mut known: HashMap<&str, usize> = HashMap::from([(RUN, 0)]);
    let mut index = |name, suites: &mut Vec<_>| {
        *known.entry(name).or_insert_with(|| {
            suites.push(suite(name));
            suites.len() - 1
        })
    };
    for finding in &report.findings {
        let index = index(finding.release.as_deref().unwrap_or(RUN), &mut suites);
        if let Some(suite) = suites.get_mut(index) {
            suite.add(finding);
        }
    }
    for failed in &report.failed {
        let index = index(&failed.release, &mut suites);
        if let Some(suite) = suites.get_mut(index) {
            let faults = failed.faults.iter().collect();
            suite.cases.push(Case { class: RUN, name: "check".into(), file: None, findings: Vec::new(), faults });
        }
    }
    suites
}

impl<'a> Suite<'a> {
    fn add(&mut self, finding: &'a Finding) {
        let name = finding.object.as_ref().map_or_else(|| "release".to_owned(), ToString::to_string);
        let next = self.cases.len();
        let index = *self.known.entry((&finding.policy, name.clone())).or_insert(next);
        match self.cases.get_mut(index) {
            Some(case) => case.findings.push(finding),
            None => {
                let file = place::of(finding).map(|location| place::path(location).into_owned());
                let (class, findings) = (&finding.policy, vec![finding]);
                self.cases.push(Case { class, name, file, findings, faults: Vec::new() });
            }
        }
    }
}

impl Case<'_> {
    fn outcome(&self) -> Outcome {
        if !self.faults.is_empty() {
            Outcome::Error
        } else if self.findings.iter().any(|finding| finding.is_open()) {
            Outcome::Failed
        } else if self.findings.is_empty() {
            Outcome::Passed
        } else {
            Outcome::Skipped
        }
    }
}

fn counts<'c>(cases: impl Iterator<Item = &'c Case<'c>>) -> String {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.outcome() {
            Outcome::Passed => {}
            Outcome::Failed => failures += 1,
            Outcome::Error => errors += 1,
            Outcome::Skipped => skipped += 1,
        }
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"0\"")
}

fn write_case(case: &Case<'_>, out: &mut dyn Write) -> io::Result<()> {
    let file = case.file.as_ref().map(|file| format!(" file=\"{}\"", text(file))).unwrap_or_default();
    write!(out, "    <testcase classname=\"{}\" name=\"{}\"{file} time=\"0\"", text(case.class), text(&case.name))?;
    let outcome = case.outcome();
    let open = case.findings.iter().copied().filter(|finding| finding.is_open());
    let (element, kind, said): (_, _, Vec<String>) = match outcome {
        Outcome::Passed => return writeln!(out, "/>"),
        Outcome::Error => {
            ("error", Some("error".to_owned()), case.faults.iter().map(|fault| of_fault(fault)).collect())
        }
        Outcome::Failed => {
            let worst = open.clone().map(|finding| finding.severity).max();
            ("failure", worst.map(|severity| severity.to_string()), open.map(of_finding).collect())
        }
        Outcome::Skipped => ("skipped", None, case.findings.iter().map(|finding| excuse(finding)).collect()),
    };
    let first = said.first().and_then(|said| said.lines().next()).unwrap_or_default();
    let kind = kind.map(|kind| format!(" type=\"{kind}\"")).unwrap_or_default();
    writeln!(out, ">\n      <{element} message=\"{}\"{kind}>{}</{element}>", text(first), text(&said.join("\n\n")))?;
    writeln!(out, "    </testcase>")
}

/// All that is to be said about a finding, its message first.
fn of_finding(finding: &Finding) -> String {
    let at = place::of(finding).map(|location| format!("at {location}"));
    let fields = finding.places.iter().map(|place| place.field.to_string()).filter(|field| !field.is_empty());
    let lines = [finding.message.clone()].into_iter().chain(fields.take(1)).chain(at).chain(place::notes(finding));
    let lines = lines.chain([finding.rationale.clone(), finding.remediation.clone()]);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn of_fault(fault: &Fault) -> String {
    let labels = fault.labels.iter().map(|(location, text)| format!("at {location}: {text}"));
    [fault.message.clone()].into_iter().chain(labels).chain(fault.help.clone()).collect::<Vec<_>>().join("\n")
}

/// Why a finding refuses nothing.
fn excuse(finding: &Finding) -> String {
    match &finding.exemption {
        Some(Exempted { reason, place, .. }) => format!("exempted: {reason}, at {place}\n{}", finding.message),
        None => format!("known from the baseline\n{}", finding.message),
    }
}

/// Text of ours or of a chart. A line that begins with two colons is a command to GitHub's runner, where it is printed.
fn text(text: &str) -> String {
    escape(&printable(text)).replace("::", "&#58;:")
}
