//! SARIF 2.1.0, for GitHub code scanning and whatever else reads the OASIS standard.
//!
//! GitHub takes 25,000 results of a run and shows 5,000, takes no result without a file, and fits 10 tags to a rule:
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>

mod log;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use log::{
    Artifact, Base, Configuration, Descriptor, Driver, Found, Invocation, Location, Log, Logical, Message,
    Notification, Physical, Property, ROOT, Region, Run, Suppression, Tool, plain,
};

use super::groups::{self, Group};
use super::{json, place, printable};
use crate::finding::{Exempted, Fault, Finding, Report, Severity};
use crate::fingerprint::Fingerprint;
use crate::source;

/// GitHub refuses a file with more.
const MAX_RESULTS: usize = 25_000;
/// The most further places of one result.
const MAX_RELATED: usize = 10;
/// The name of [`Fingerprint::digest`]; its number goes up when findings are told apart in another way.
const FINGERPRINT: &str = "plimsoll/v1";
/// The categories of policies whose violations an attacker can use.
const SECURITY: [&str; 6] = ["images", "network", "pod-security", "rbac", "secrets", "workspace"];

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let all = groups::at_places(&report.findings);
    let prints = groups::fingerprints(&all);
    let left_out = all.len().saturating_sub(MAX_RESULTS);
    let mut groups: Vec<_> = all.into_iter().zip(prints).collect();
    if left_out > 0 {
        // What is left out is the least.
        groups.sort_by_key(|(group, _)| (!group.finding.is_open(), Reverse(group.finding.severity)));
        groups.truncate(MAX_RESULTS);
    }
    let rules = rules(report, groups.iter().map(|(group, _)| group.finding));
    let indices: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(index, rule)| (rule.id, index)).collect();
    let has_baseline = report.findings.iter().any(|finding| finding.is_known);
    let results = groups.iter().map(|(group, print)| Found {
        rule_index: indices.get(group.finding.policy.as_str()).copied(),
        baseline_state: has_baseline.then_some(if group.finding.is_known { "unchanged" } else { "new" }),
        ..result(group, print)
    });
    let root = "the folder that plimsoll was run in";
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            results: results.collect(),
            tool: Tool {
                driver: Driver {
                    name: "plimsoll",
                    version: env!("CARGO_PKG_VERSION"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules,
                },
            },
            invocations: [invocation(report, left_out)],
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: BTreeMap::from([(ROOT, Base { description: root.into() })]),
        }],
    };
    json::print(&log, out)
}

/// The policies of findings, in the order of their ids.
fn rules<'a>(report: &Report, findings: impl Iterator<Item = &'a Finding>) -> Vec<Descriptor<'a>> {
    let mut by_id: BTreeMap<&str, &Finding> = BTreeMap::new();
    for finding in findings {
        by_id.entry(&finding.policy).or_insert(finding);
    }
    let described = by_id.into_iter().map(|(id, finding)| {
        let rule = report.rules.get(id);
        let severity = rule.map_or(finding.severity, |rule| rule.severity);
        let (category, name) = id.split_once('/').unwrap_or(("", id));
        let mut tags = vec!["kubernetes"];
        tags.extend(Some(category).filter(|category| !category.is_empty()));
        let mut properties = BTreeMap::new();
        if SECURITY.contains(&category) {
            tags.push("security");
            properties.insert("security-severity", Property::Text(score(severity)));
        }
        properties.insert("tags", Property::Texts(tags));
        let said = |text: &str| if text.is_empty() { Message::from(id) } else { Message::from(text) };
        let help = [&finding.rationale, &finding.remediation].map(|text| plain(text));
        Descriptor {
            id,
            name,
            short_description: said(rule.map_or("", |rule| &rule.title)),
            full_description: said(&finding.rationale),
            help: Message { markdown: Some(help.join("\n\n").replace('<', "&lt;")), ..said(help.join("\n").trim()) },
            default_configuration: Configuration { level: level(severity) },
            properties,
        }
    });
    described.collect()
}

fn result<'a>(group: &Group<'a>, fingerprint: &Fingerprint) -> Found<'a> {
    let finding = group.finding;
    let mut message = Message::from(group.sentence().as_str());
    for note in place::notes(finding) {
        let _ = write!(message.text, "\n{}", plain(&note));
    }
    let related = place::related(finding).take(MAX_RELATED).zip(1..);
    let related: Vec<Location> = related
        .map(|((at, text), id)| {
            // GitHub shows further places where the message has a link to them.
            let _ = write!(message.text, "\n{}: [{}]({id})", plain(&text), link(at));
            Location { id: Some(id), message: Some(text.as_str().into()), ..Location::from(at) }
        })
        .collect();
    let physical_location = place::of(finding).map_or_else(nowhere, physical);
    let releases = group.releases.clone();
    Found {
        rule_id: &finding.policy,
        rule_index: None,
        level: level(finding.severity),
        message,
        locations: [Location { id: None, physical_location, logical_locations: logical(group), message: None }],
        related_locations: related,
        partial_fingerprints: BTreeMap::from([(FINGERPRINT, fingerprint.digest())]),
        occurrence_count: group.count(),
        baseline_state: None,
        suppressions: finding.exemption.iter().map(|exempted| suppression(finding, exempted)).collect(),
        properties: (!releases.is_empty()).then_some(("releases", Property::Texts(releases))).into_iter().collect(),
    }
}

/// What is at fault as Kubernetes knows it: the release, the object, the field.
fn logical(group: &Group<'_>) -> Vec<Logical> {
    let place = group.finding.places.first();
    let object = group.finding.object.as_ref().or(place.map(|place| &place.object));
    let object = object.map(|object| format!("{} {object}", object.api_version));
    let field = place.map(|place| place.field.to_string()).filter(|field| !field.is_empty());
    let release = group.releases.first().map(|release| (*release).to_owned());
    let all = [(release, "release"), (object, "object"), (field, "property")];
    let named = all.into_iter().filter_map(|(name, kind)| Some((name?, kind)));
    named.map(|(name, kind)| Logical { fully_qualified_name: printable(&name), kind }).collect()
}

fn suppression(finding: &Finding, exempted: &Exempted) -> Suppression {
    let file = &exempted.place.file.name;
    let places = finding.places.iter().flat_map(|place| place.template.iter().chain([&place.rendered]));
    let is_own = places.map(|place| &place.file.name).any(|name| name == file);
    let until = exempted.expires.as_ref().map(|date| format!("until {date}"));
    let terms: Vec<&str> = [&exempted.owner, &until].into_iter().flatten().map(String::as_str).collect();
    let terms = if terms.is_empty() { String::new() } else { format!(" ({})", terms.join(", ")) };
    Suppression {
        kind: if is_own { "inSource" } else { "external" },
        status: "accepted",
        justification: printable(&format!("{}{terms}", exempted.reason)),
        location: Location::from(&exempted.place),
    }
}

fn invocation(report: &Report, left_out: usize) -> Invocation {
    let faults = groups::of_faults(&report.failed);
    let failed = faults.iter().map(|group| Notification {
        level: "error",
        message: group.sentence().as_str().into(),
        locations: labels(group.fault),
    });
    let warning = |text: &str| Notification { level: "warning", message: text.into(), locations: Vec::new() };
    let less = format!("{left_out} results are left out, the least severe ones: GitHub takes {MAX_RESULTS}");
    let mut notifications: Vec<Notification> = failed.collect();
    notifications.extend((left_out > 0).then(|| warning(&less)));
    notifications.extend(report.warnings.iter().map(|text| warning(text)));
    Invocation { execution_successful: report.failed.is_empty(), tool_execution_notifications: notifications }
}

fn labels(fault: &Fault) -> Vec<Location> {
    let at = |(location, text): &(source::Location, String)| Location {
        message: Some(text.as_str().into()),
        ..Location::from(location)
    };
    fault.labels.iter().take(MAX_RELATED).map(at).collect()
}

/// The text of a link to a place.
fn link(at: &source::Location) -> String {
    let shown = printable(&format!("{}:{}", place::path(at), at.position().line));
    shown.chars().fold(String::new(), |mut text, c| {
        if matches!(c, '[' | ']' | '\\') {
            text.push('\\');
        }
        text.push(c);
        text
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// GitHub's scale: high from 7.0 on, medium from 4.0 on, low below.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "8.0",
        Severity::Warning => "5.0",
        Severity::Info => "2.0",
    }
}

impl From<&source::Location> for Location {
    fn from(at: &source::Location) -> Self {
        Self { id: None, physical_location: physical(at), logical_locations: Vec::new(), message: None }
    }
}

fn physical(at: &source::Location) -> Physical {
    let (start, end) = place::region(at);
    let region =
        Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column };
    Physical { artifact_location: artifact(&place::path(at)), region }
}

/// For what no file is at fault for, as a result must have one.
fn nowhere() -> Physical {
    let region = Region { start_line: 1, start_column: 1, end_line: 1, end_column: 1 };
    Physical { artifact_location: artifact(place::NOWHERE), region }
}

/// A relative path is one below the root; an absolute one is a URI of its own.
fn artifact(path: &str) -> Artifact {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    match path.starts_with('/') {
        true => Artifact { uri: format!("file://{uri}"), uri_base_id: None },
        false => Artifact { uri, uri_base_id: Some(ROOT) },
    }
}
