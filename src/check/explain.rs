//! From violations to findings: which fields, which lines of which templates, which values keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{self, Exempted, Fault, Finding, Place, Setter, ValuesKey};
use crate::manifest::{Manifest, Object};
use crate::policy::exemption::{self, Exemption, Scope};
use crate::policy::{self, Blamed, Policy, Violation};
use crate::source::{Location, Span};
use crate::value::Path;

use super::exempt::{self, Exemptions, Note, Written};
use super::fleet::Fleet;
use super::{Rules, Subject};

/// The most values keys that one finding names.
const MAX_KEYS: usize = 3;

/// Findings in the order of the violations, then what is to be said about exemptions. Releases with any are rendered
/// once more, with source maps.
pub(super) fn findings(
    fleet: &Fleet<'_>,
    rules: &Rules<'_>,
    mut violations: Vec<Violation<'_>>,
) -> Result<Vec<Finding>, Vec<Fault>> {
    let mut exemptions = Exemptions::new(rules, &fleet.objects);
    let covering: Vec<_> = violations.iter_mut().map(|violation| exemptions.apply(violation)).collect();
    let notes = exemptions.notes();
    let traced = Traced::new(fleet, &violations, &notes)?;
    let found = violations.iter().zip(covering).map(|(violation, exemption)| Finding {
        exemption: exemption.and_then(|exemption| traced.exempted(exemption)),
        ..traced.finding(violation)
    });
    Ok(found.chain(notes.iter().map(|note| traced.noted(note))).collect())
}

/// What is to be said about the policies that found something.
pub(super) fn rules<'p>(
    findings: &[Finding],
    policies: impl Iterator<Item = &'p Policy>,
) -> BTreeMap<String, finding::Rule> {
    let found: BTreeSet<&str> = findings.iter().map(|finding| finding.policy.as_str()).collect();
    let of_policies = policies.map(|policy| (policy.id.as_str(), policy.title.as_str(), policy.severity));
    let of_exemptions = exempt::CHECKS.into_iter().map(|check| (check.id, check.title, check.severity));
    let found = of_policies.chain(of_exemptions).filter(|(id, ..)| found.contains(id));
    found.map(|(id, title, severity)| (id.to_owned(), finding::Rule { title: title.to_owned(), severity })).collect()
}

/// Releases with source maps.
struct Traced<'a> {
    fleet: &'a Fleet<'a>,
    /// The manifests of those that were rendered once more.
    manifests: BTreeMap<usize, Vec<Manifest>>,
}

impl<'a> Traced<'a> {
    fn new(fleet: &'a Fleet<'a>, violations: &[Violation<'_>], notes: &[Note]) -> Result<Self, Vec<Fault>> {
        let mut objects = BTreeSet::new();
        for violation in violations {
            objects.extend(violation.object);
            objects.extend(violation.blamed.iter().filter_map(|blamed| match blamed.subject {
                policy::Subject::Object(index) => Some(index),
                policy::Subject::Values(_) => None,
            }));
        }
        objects.extend(notes.iter().filter_map(|note| match note.written {
            Written::Annotation(index) => Some(index),
            Written::Project(_) => None,
        }));
        let owners: BTreeSet<usize> = objects.into_iter().map(|object| fleet.owner(object)).collect();
        Ok(Self { fleet, manifests: fleet.traced(owners)? })
    }

    fn finding(&self, violation: &Violation<'_>) -> Finding {
        let mut keys: BTreeMap<usize, Keys> = BTreeMap::new();
        let mut places = Vec::new();
        let whole =
            violation.object.map(|index| Blamed { subject: policy::Subject::Object(index), path: Path::default() });
        let in_objects = violation.blamed.iter().any(|blamed| matches!(blamed.subject, policy::Subject::Object(_)));
        for blamed in violation.blamed.iter().chain(whole.iter().filter(|_| !in_objects)) {
            match blamed.subject {
                policy::Subject::Values(release) => {
                    keys.entry(release).or_default().blamed.push(blamed.path.clone());
                }
                policy::Subject::Object(index) => places.extend(self.place(index, &blamed.path, &mut keys)),
            }
        }
        let policy = violation.policy;
        let object = violation.object.and_then(|index| self.fleet.objects.get(index));
        let values =
            keys.into_iter().filter_map(|(release, keys)| Some(keys.values(self.fleet.subjects.get(release)?)));
        Finding {
            policy: policy.id.clone(),
            severity: violation.severity,
            message: violation.message.clone(),
            release: violation.release.and_then(|release| self.fleet.name(release)).map(str::to_owned),
            object: object.map(|object| object.reference.clone()),
            places,
            values: distinct(values.flatten()),
            configured: None,
            exemption: None,
            is_known: false,
            rationale: policy.rationale.clone(),
            remediation: policy.remediation.clone(),
        }
    }

    /// The place of an object's field. Values keys behind it are noted as those of its release.
    fn place(&self, index: usize, field: &Path, keys: &mut BTreeMap<usize, Keys>) -> Option<Place> {
        let object = self.fleet.objects.get(index)?;
        let owner = self.fleet.owner(index);
        let manifests = self.manifests.get(&owner).map(Vec::as_slice);
        let manifests = manifests.or_else(|| Some(self.fleet.subjects.get(owner)?.manifests))?;
        let manifest = manifests.get(object.manifest)?;
        Some(place_with_keys(object, manifest, field, keys.entry(owner).or_default()))
    }

    fn annotation(&self, index: usize) -> Option<Place> {
        let field = Path::default().key("metadata").key("annotations").key(exemption::ANNOTATION);
        self.place(index, &field, &mut BTreeMap::new())
    }

    /// A finding about an exemption.
    fn noted(&self, note: &Note) -> Finding {
        let (place, configured) = match &note.written {
            Written::Annotation(index) => (self.annotation(*index), None),
            Written::Project(place) => (None, Some(place.clone())),
        };
        Finding {
            policy: note.check.id.into(),
            severity: note.check.severity,
            message: note.message.clone(),
            release: None,
            object: place.as_ref().map(|place| place.object.clone()),
            places: place.into_iter().collect(),
            values: Vec::new(),
            configured,
            exemption: None,
            is_known: false,
            rationale: note.check.rationale.into(),
            remediation: note.check.remediation.into(),
        }
    }

    fn exempted(&self, exemption: Exemption) -> Option<Exempted> {
        let place = match &exemption.scope {
            Scope::Named { place, .. } => place.clone(),
            Scope::Own(index) => {
                let place = self.annotation(*index)?;
                place.template.into_iter().next().unwrap_or(place.rendered)
            }
        };
        let expires = exemption.expires.map(|date| date.to_string());
        Some(Exempted { reason: exemption.reason, owner: exemption.owner, expires, place })
    }
}

/// The place of an object's field. Values keys behind it are noted.
fn place_with_keys(object: &Object, manifest: &Manifest, field: &Path, keys: &mut Keys) -> Place {
    let place = place(object, manifest, field);
    // A whole object is at fault for what it lacks: what was printed into it has no part in that.
    if !field.0.is_empty() {
        keys.printed.extend(manifest.keys(&place.rendered).cloned());
    }
    keys.guards.extend(manifest.origin(&place.rendered).iter().flat_map(|origin| origin.guards).cloned());
    place
}

/// The place of an object's field, or of its nearest parent if it is missing.
pub(super) fn place(object: &Object, manifest: &Manifest, field: &Path) -> Place {
    let rendered = manifest.locate(&object.prefix.join(field));
    let chain = manifest.origin(&rendered).map(|origin| origin.chain).unwrap_or_default();
    let template = chain.into_iter().map(to_line_end).collect();
    let named = field.named(&object.value);
    Place { object: object.reference.clone(), field: field.clone(), named, rendered, template }
}

/// A place in a template as far as its line goes.
fn to_line_end(place: Location) -> Location {
    let line = place.file.line_span(place.position().line).unwrap_or(place.span);
    let length = place.file.text.get(place.span.start..line.end).map_or(0, |rest| rest.trim_end().len());
    let span = Span::new(place.span.start, place.span.start + length);
    Location::new(place.file, span)
}

/// The first of the keys: releases that are rendered with the same values have the same.
fn distinct(keys: impl Iterator<Item = ValuesKey>) -> Vec<ValuesKey> {
    let mut known = BTreeSet::new();
    let setter = |key: &ValuesKey| match &key.set_by {
        Some(Setter::File(place)) => place.to_string(),
        Some(Setter::Flag(flag)) => flag.clone(),
        None => String::new(),
    };
    keys.filter(|key| known.insert((key.path.clone(), setter(key)))).take(MAX_KEYS).collect()
}

/// Values keys behind a finding.
#[derive(Default)]
struct Keys {
    /// Blamed by the policy.
    blamed: Vec<Path>,
    /// Printed at the place.
    printed: Vec<Path>,
    /// Read by the conditions around the place: asked where nothing else is known, or nothing that the user set.
    guards: Vec<Path>,
}

impl Keys {
    /// What the user set comes first, and leaves out the chart's defaults that only happen to be printed there.
    fn values(self, subject: &Subject<'_>) -> Vec<ValuesKey> {
        let Some(rendered) = subject.rendered else { return Vec::new() };
        let sources = &rendered.resolved.sources;
        let supplied = |path: &Path| sources.supplied_setter(path).is_some();
        let mut paths = [self.blamed.as_slice(), &self.printed].concat();
        if paths.is_empty() {
            paths = self.guards;
        } else if !paths.iter().any(supplied) {
            paths.extend(self.guards.into_iter().filter(supplied));
        }
        if paths.iter().any(supplied) {
            paths.retain(|path| supplied(path) || self.blamed.contains(path));
            paths.sort_by_key(|path| !supplied(path));
        }
        let mut unique: Vec<Path> = Vec::new();
        for path in paths {
            if !path.0.is_empty() && !unique.contains(&path) {
                unique.push(path);
            }
        }
        unique.truncate(MAX_KEYS);
        unique.into_iter().map(|path| ValuesKey { set_by: sources.setter(&path), path }).collect()
    }
}
