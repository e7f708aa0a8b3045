//! For programs: the format of schemas/findings.schema.json.

use std::io::{self, Write};

use serde::Serialize;

use super::printable::is_steering;
use crate::credential;
use crate::finding::{Exempted, Failed, Fault, Finding, ObjectRef, Place, Report, Setter, Severity, ValuesKey};
use crate::fingerprint::Fingerprint;
use crate::source::Location;

/// Goes up when a field changes its meaning or goes away; new fields do not change it.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<usize>,
    objects: usize,
    policies: usize,
    profiles: &'a [String],
    warnings: &'a [String],
    findings: Vec<Row<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Release<'a>>,
}

#[derive(Serialize)]
pub(super) struct Release<'a> {
    release: &'a str,
    faults: Vec<Reason<'a>>,
}

#[derive(Serialize)]
struct Reason<'a> {
    message: &'a str,
    places: Vec<Label<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

#[derive(Serialize)]
struct Label<'a> {
    #[serde(flatten)]
    at: At<'a>,
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row<'a> {
    policy: &'a str,
    severity: Severity,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Object<'a>>,
    places: Vec<Field<'a>>,
    values: Vec<Key<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configured: Option<At<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exemption: Option<Exemption<'a>>,
    known: bool,
    fingerprint: String,
    rationale: &'a str,
    remediation: &'a str,
}

#[derive(Serialize)]
struct Exemption<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<&'a str>,
    place: At<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object<'a> {
    api_version: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
}

#[derive(Serialize)]
pub(super) struct Field<'a> {
    object: Object<'a>,
    field: String,
    rendered: At<'a>,
    template: Vec<At<'a>>,
}

#[derive(Serialize)]
pub(super) struct At<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Key<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<At<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flag: Option<String>,
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let fingerprints = Fingerprint::all(&report.findings);
    let rows = report.findings.iter().zip(&fingerprints);
    let document = Document {
        version: VERSION,
        releases: report.releases,
        objects: report.objects,
        policies: report.policies,
        profiles: &report.profiles,
        warnings: &report.warnings,
        findings: rows.map(Row::from).collect(),
        failed: report.failed.iter().map(Release::from).collect(),
    };
    print(&document, out)
}

/// Prints a document. Characters that a terminal obeys, or that reorder a line, are escaped beyond what JSON asks for.
pub(super) fn print(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(document)?;
    let mut rest = text.as_str();
    // Outside of texts there are none but line breaks.
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| *c != '\n' && is_steering(*c)) {
        write!(out, "{}\\u{:04x}", rest.get(..at).unwrap_or_default(), u32::from(c))?;
        rest = rest.get(at + c.len_utf8()..).unwrap_or_default();
    }
    writeln!(out, "{rest}")
}

impl<'a> From<(&'a Finding, &Fingerprint)> for Row<'a> {
    fn from((finding, fingerprint): (&'a Finding, &Fingerprint)) -> Self {
        Self {
            policy: &finding.policy,
            severity: finding.severity,
            message: &finding.message,
            release: finding.release.as_deref(),
            object: finding.object.as_ref().map(Object::from),
            places: finding.places.iter().map(Field::from).collect(),
            values: finding.values.iter().map(Key::from).collect(),
            configured: finding.configured.as_ref().map(At::from),
            exemption: finding.exemption.as_ref().map(Exemption::from),
            known: finding.is_known,
            fingerprint: fingerprint.digest(),
            rationale: &finding.rationale,
            remediation: &finding.remediation,
        }
    }
}

impl<'a> From<&'a Failed> for Release<'a> {
    fn from(failed: &'a Failed) -> Self {
        let label = |(location, text): &'a (Location, String)| Label { at: At::from(location), text };
        let reason = |fault: &'a Fault| Reason {
            message: &fault.message,
            places: fault.labels.iter().map(label).collect(),
            help: fault.help.as_deref(),
        };
        Self { release: &failed.release, faults: failed.faults.iter().map(reason).collect() }
    }
}

impl<'a> From<&'a Exempted> for Exemption<'a> {
    fn from(exemption: &'a Exempted) -> Self {
        Self {
            reason: &exemption.reason,
            owner: exemption.owner.as_deref(),
            expires: exemption.expires.as_deref(),
            place: At::from(&exemption.place),
        }
    }
}

impl<'a> From<&'a ObjectRef> for Object<'a> {
    fn from(object: &'a ObjectRef) -> Self {
        Self {
            api_version: &object.api_version,
            kind: &object.kind,
            namespace: object.namespace.as_deref(),
            name: &object.name,
        }
    }
}

impl<'a> From<&'a Place> for Field<'a> {
    fn from(place: &'a Place) -> Self {
        Self {
            object: Object::from(&place.object),
            field: place.field.to_string(),
            rendered: At::from(&place.rendered),
            template: place.template.iter().map(At::from).collect(),
        }
    }
}

impl<'a> From<&'a Location> for At<'a> {
    fn from(location: &'a Location) -> Self {
        let position = location.position();
        Self { file: &location.file.name, line: position.line, column: position.column }
    }
}

impl<'a> From<&'a ValuesKey> for Key<'a> {
    fn from(key: &'a ValuesKey) -> Self {
        let (place, flag) = match &key.set_by {
            Some(Setter::File(location)) => (Some(At::from(location)), None),
            Some(Setter::Flag(flag)) => (None, Some(credential::flag(flag))),
            None => (None, None),
        };
        Self { path: key.path.to_string(), place, flag }
    }
}
