//! The same finding in many releases is told once, with the releases that have it; so are the same faults.

use std::collections::HashMap;

use super::place;
use crate::finding::{Failed, Fault, Finding, Severity};
use crate::fingerprint::Fingerprint;
use crate::source::Location;

/// The most releases that a sentence names.
const MAX_NAMED: usize = 3;

/// Findings of different releases that are the same: mended by one change, as far as can be seen.
#[derive(Debug, Clone)]
pub(super) struct Group<'a> {
    /// The first of them.
    pub finding: &'a Finding,
    /// The releases that have it, each once, in the order of the findings. Empty where findings name none.
    pub releases: Vec<&'a str>,
}

/// What keeps releases from being checked.
#[derive(Debug, Clone)]
pub(super) struct FaultGroup<'a> {
    /// The first of them.
    pub fault: &'a Fault,
    /// The releases that have it, each once, in their order.
    pub releases: Vec<&'a str>,
}

/// A file's name and an offset: two renders of one chart read its files twice.
type At<'a> = (&'a str, usize);

/// What is the same in all findings of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'a> {
    policy: &'a str,
    severity: Severity,
    message: &'a str,
    /// The kind of the object that was judged.
    kind: Option<&'a str>,
    field: Option<&'a str>,
    template: Option<At<'a>>,
    exemption: Option<(&'a str, At<'a>)>,
    is_known: bool,
    /// Where a reviewer looks, where that matters.
    place: Option<At<'a>>,
}

/// Findings that are told once, in the order of the first of each: for formats that tell all there is to see.
pub(super) fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    gather(findings, |_| None)
}

/// The same where each place that a reviewer looks at is told by itself: of a hundred values files with one fault each
/// has its own line.
pub(super) fn at_places<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    gather(findings, |finding| place::of(finding).map(at))
}

fn gather<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    place: impl Fn(&'a Finding) -> Option<At<'a>>,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    // No group has two findings of one release: each goes to the first group that has none of its own.
    let mut seen: HashMap<(Key<'a>, Option<&'a str>), usize> = HashMap::new();
    let mut known: HashMap<(Key<'a>, usize), usize> = HashMap::new();
    for finding in findings {
        let key = Key { place: place(finding), ..Key::from(finding) };
        let release = finding.release.as_deref();
        let number = seen.entry((key, release)).or_default();
        // What names no release stands for itself.
        let index = match release {
            Some(_) => *known.entry((key, *number)).or_insert(groups.len()),
            None => groups.len(),
        };
        *number += 1;
        match groups.get_mut(index) {
            Some(group) => group.releases.extend(release),
            None => groups.push(Group { finding, releases: release.into_iter().collect() }),
        }
    }
    groups
}

/// By which groups are known again in another run: as findings are, but whatever releases and objects there are of a
/// chart, so that a release that comes or goes makes no new finding of an old one. No two are alike.
pub(super) fn fingerprints(groups: &[Group<'_>]) -> Vec<Fingerprint> {
    let mut seen: HashMap<Fingerprint, usize> = HashMap::new();
    let each = groups.iter().flat_map(|group| {
        let mut fingerprints = Fingerprint::all(std::slice::from_ref(group.finding));
        for fingerprint in fingerprints.iter_mut().filter(|fingerprint| fingerprint.release.is_some()) {
            fingerprint.release = None;
            fingerprint.object = Some(written(group.finding));
        }
        fingerprints
    });
    let mut numbered = Vec::with_capacity(groups.len());
    for fingerprint in each {
        let count = seen.entry(fingerprint.clone()).or_default();
        numbered.push(Fingerprint { number: *count, ..fingerprint });
        *count += 1;
    }
    numbered
}

/// What a finding is about, in the words of the repository: `Ingress charts/web/templates/ingress.yaml values/web.yaml`.
fn written(finding: &Finding) -> String {
    let kind = finding.object.as_ref().map(|object| object.kind.as_str());
    let template = finding.places.first().and_then(|place| place.template.first());
    let place = place::of(finding);
    let files = [template, place].into_iter().flatten().map(|location| location.file.name.as_str());
    kind.into_iter().chain(files).collect::<Vec<_>>().join(" ")
}

/// Why releases could not be checked, each fault once.
pub(super) fn of_faults(failed: &[Failed]) -> Vec<FaultGroup<'_>> {
    let mut groups: Vec<FaultGroup<'_>> = Vec::new();
    let mut known = HashMap::new();
    for (release, fault) in failed.iter().flat_map(|failed| failed.faults.iter().map(|fault| (&failed.release, fault)))
    {
        let labels: Vec<_> = fault.labels.iter().map(|(location, text)| (at(location), text)).collect();
        let index = *known.entry((&fault.message, labels, &fault.help)).or_insert(groups.len());
        match groups.get_mut(index) {
            Some(group) if group.releases.last() == Some(&release.as_str()) => {}
            Some(group) => group.releases.push(release),
            None => groups.push(FaultGroup { fault, releases: vec![release] }),
        }
    }
    groups
}

fn at(location: &Location) -> At<'_> {
    (&location.file.name, location.span.start)
}

impl<'a> From<&'a Finding> for Key<'a> {
    fn from(finding: &'a Finding) -> Self {
        let place = finding.places.first();
        let exemption = finding.exemption.as_ref();
        Self {
            policy: &finding.policy,
            severity: finding.severity,
            message: &finding.message,
            kind: finding.object.as_ref().map(|object| object.kind.as_str()),
            field: place.map(|place| place.named.as_str()),
            template: place.and_then(|place| place.template.first()).map(at),
            exemption: exemption.map(|exempted| (exempted.reason.as_str(), at(&exempted.place))),
            is_known: finding.is_known,
            place: None,
        }
    }
}

impl Group<'_> {
    /// How many findings it stands for.
    pub fn count(&self) -> usize {
        self.releases.len().max(1)
    }

    /// What is wrong, where, and in which releases: `alice/web: Ingress alice/web: anyone may enter`.
    pub fn sentence(&self) -> String {
        let object = self.finding.object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
        with_releases(&format!("{object}{}", self.finding.message), &self.releases)
    }
}

impl FaultGroup<'_> {
    /// What is wrong, and in which releases: `alice/web: web/templates/a.yaml:3:5: function "x" not defined`.
    pub fn sentence(&self) -> String {
        with_releases(&self.fault.message, &self.releases)
    }
}

/// `alice/web: …`, or `… (in 99 releases: alice/web, bob/web, cara/web and 96 more)`.
fn with_releases(said: &str, releases: &[&str]) -> String {
    match releases {
        [] => said.to_owned(),
        [release] => format!("{release}: {said}"),
        many => format!("{said} (in {})", self::releases(many)),
    }
}

/// `99 releases: alice/web, bob/web, cara/web and 96 more`
pub(super) fn releases(names: &[&str]) -> String {
    let named = names.get(..names.len().min(MAX_NAMED)).unwrap_or_default().join(", ");
    let more = match names.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} releases: {named}{more}", names.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Place, Setter, ValuesKey};
    use crate::source::{SourceFile, Span};
    use crate::value::Path;

    /// A finding of a release at a line of a template, with a value that a file of the release sets.
    fn finding(release: Option<&str>, line: usize) -> Finding {
        let at = |name: &str| Location::new(SourceFile::new(name, "a\nb\nc\n"), Span::new(line * 2, line * 2 + 1));
        let object = crate::finding::ObjectRef {
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: None,
            name: release.unwrap_or("web").into(),
        };
        let key = ValuesKey {
            path: Path::default().key("image"),
            set_by: release.map(|release| Setter::File(at(&format!("{release}.yaml")))),
        };
        Finding {
            policy: "images/latest".into(),
            severity: Severity::Error,
            message: "the image has no tag".into(),
            release: release.map(str::to_owned),
            object: Some(object.clone()),
            places: vec![Place {
                object,
                field: Path::default().key("image"),
                named: "image".into(),
                rendered: at("web/templates/pod.yaml"),
                template: vec![at("charts/web/templates/pod.yaml")],
            }],
            values: vec![key],
            configured: None,
            exemption: None,
            is_known: false,
            rationale: String::new(),
            remediation: String::new(),
        }
    }

    #[test]
    fn a_group_has_one_finding_of_each_release() {
        let of = |release| finding(Some(release), 0);
        let findings = [of("a"), of("a"), finding(Some("a"), 1), of("b"), of("b"), of("c")];
        let groups: Vec<_> = super::of(&findings).into_iter().map(|group| group.releases).collect();
        assert_eq!(groups, [vec!["a", "b", "c"], vec!["a", "b"], vec!["a"]]);
    }

    #[test]
    fn what_differs_is_told_apart() {
        let same = finding(Some("a"), 0);
        let other = || Finding { release: Some("b".into()), ..same.clone() };
        for different in [
            Finding { policy: "images/digest".into(), ..other() },
            Finding { severity: Severity::Warning, ..other() },
            Finding { message: "the image has no digest".into(), ..other() },
            Finding { is_known: true, ..other() },
            finding(Some("b"), 1),
            Finding { release: None, ..other() },
        ] {
            assert_eq!(super::of([&same, &different]).len(), 2, "{different:?}");
        }
        assert_eq!(super::of([&same, &other()]).len(), 1);
        let nameless = finding(None, 0);
        assert_eq!(super::of([&nameless, &nameless]).len(), 2, "linted together they have no names to tell");
    }

    #[test]
    fn a_values_file_of_each_release_is_a_place_of_its_own() {
        let (a, b) = (finding(Some("a"), 0), finding(Some("b"), 0));
        assert_eq!(super::of([&a, &b]).len(), 1);
        assert_eq!(at_places([&a, &b]).len(), 2);
        let shared = Finding { release: Some("b".into()), ..a.clone() };
        assert_eq!(at_places([&a, &shared]).len(), 1);
    }

    #[test]
    fn few_releases_are_named() {
        let findings: Vec<_> = ["a", "b", "c", "d", "e"].map(|release| finding(Some(release), 0)).into();
        let said = |count| super::of(&findings[..count])[0].sentence();
        assert_eq!(said(1), "a: Pod a: the image has no tag");
        assert_eq!(said(3), "Pod a: the image has no tag (in 3 releases: a, b, c)");
        assert_eq!(said(5), "Pod a: the image has no tag (in 5 releases: a, b, c and 2 more)");
    }

    #[test]
    fn a_fault_of_many_releases_is_told_once() {
        let failed = |release: &str, fault: &str| Failed {
            release: release.into(),
            faults: vec![Fault::new("no chart"), Fault::new(fault)],
        };
        let failed = [failed("a", "x"), failed("b", "x"), failed("c", "no chart")];
        let said: Vec<_> = of_faults(&failed).iter().map(FaultGroup::sentence).collect();
        assert_eq!(said, ["no chart (in 3 releases: a, b, c)", "x (in 2 releases: a, b)"]);
    }
}
