//! A past: findings that were there when a team began. They are known, and refuse nothing; only new ones do.
//!
//! The file is committed, and made so that git merges it: sorted, one entry a line, without line numbers or messages.
//! An entry is a [`Fingerprint`] with how bad the finding was and how many are alike. Of what a manifest holds nothing
//! gets in: names and fields only.

mod error;
mod read;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

pub use error::{Error, ErrorKind};

use crate::finding::{Finding, Report, Severity};
use crate::fingerprint::Fingerprint;
use crate::source::{Location, SourceFile, Span};
use crate::value::Path;
use crate::yaml;

/// The version of the form: a file of a newer one is refused.
const VERSION: i64 = 1;

/// The most entries that one finding about them names.
const MAX_NAMED: usize = 3;

/// The check of the baseline itself: no policy, as it is about the policies' findings.
const OUTDATED: &str = "baseline/outdated";
const RATIONALE: &str = "An entry that nothing needs would hide the finding when it comes back.";
const REMEDIATION: &str = "Run `plimsoll check --update`, which takes these entries away, and commit the file.";

/// What was there before.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// By the fingerprint of the first of those that are alike: [`Fingerprint::number`] is 0.
    entries: BTreeMap<Fingerprint, Entry>,
    /// The file that it was read from.
    source: Option<Arc<SourceFile>>,
}

/// What is known of findings that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// How bad they were: one that is worse now is new.
    severity: Severity,
    /// How many there are.
    count: NonZeroUsize,
    /// Where the file has it.
    path: Path,
}

/// What became of an entry in a report that was marked.
#[derive(Debug, Clone, Copy, Default)]
struct Left {
    /// How many are still there.
    known: usize,
    /// How bad the worst of these is.
    worst: Option<Severity>,
    /// Whether some are worse than the entry says.
    is_worse: bool,
}

impl Baseline {
    /// The baseline of what is open in a report, however bad. What is exempted needs none; what is wrong with the files of
    /// the project itself ([`Finding::configured`]) is mended there.
    ///
    /// Releases that could not be checked are not in it: with one of them, do not write it.
    pub fn of(report: &Report) -> Self {
        let mut entries: BTreeMap<Fingerprint, Entry> = BTreeMap::new();
        for (key, finding) in keyed(&report.findings).filter(|(_, finding)| finding.exemption.is_none()) {
            if finding.configured.is_some() {
                continue;
            }
            let first = || Entry { severity: finding.severity, count: NonZeroUsize::MIN, path: Path::default() };
            let more = |entry: &mut Entry| {
                entry.count = entry.count.saturating_add(1);
                entry.severity = entry.severity.max(finding.severity);
            };
            entries.entry(key).and_modify(more).or_insert_with(first);
        }
        Self { entries, source: None }
    }

    /// How many findings it knows.
    pub fn len(&self) -> usize {
        self.entries.values().map(|entry| entry.count.get()).sum()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Marks the findings that it knows. Of those that are alike, as many as it has; none that is worse than it was.
    pub fn mark(&self, report: &mut Report) {
        let mut left: BTreeMap<&Fingerprint, usize> = BTreeMap::new();
        let keys: Vec<Fingerprint> = keyed(&report.findings).map(|(key, _)| key).collect();
        for (finding, key) in report.findings.iter_mut().zip(&keys) {
            finding.is_known = false;
            let Some((known, entry)) = self.entries.get_key_value(key) else { continue };
            if finding.exemption.is_some() || finding.configured.is_some() || finding.severity > entry.severity {
                continue;
            }
            let left = left.entry(known).or_insert(entry.count.get());
            finding.is_known = *left > 0;
            *left = left.saturating_sub(1);
        }
    }

    /// What of it occurs no more, in a report that it has marked: a finding for each release, with the place of the first
    /// entry. `releases` are all of the project, `namespace/name`; of those that could not be checked nothing is known.
    ///
    /// Only a run of all policies of the project can tell.
    pub fn outdated(&self, report: &Report, releases: &BTreeSet<String>) -> Vec<Finding> {
        let state = self.state(report, releases);
        let mut outdated: BTreeMap<&Option<String>, Vec<(&Fingerprint, &Entry)>> = BTreeMap::new();
        for (key, entry) in &self.entries {
            if state.kept(key, entry).is_none_or(|kept| kept.count < entry.count) {
                outdated.entry(&key.release).or_default().push((key, entry));
            }
        }
        let places = self.source.as_ref().filter(|_| !outdated.is_empty()).and_then(|source| {
            let places = yaml::Places::read(&source.text, Span::new(0, source.text.len()))?;
            Some((source, places))
        });
        let finding = |(release, entries): (&Option<String>, Vec<(&Fingerprint, &Entry)>)| {
            let place = |(source, places): &(&Arc<SourceFile>, yaml::Places)| {
                let path = entries.first().map(|(_, entry)| &entry.path)?;
                Some(Location::new((*source).clone(), places.nearest(path).0.value))
            };
            let is_gone = release.as_ref().is_some_and(|release| !releases.contains(release));
            Finding {
                policy: OUTDATED.into(),
                severity: Severity::Warning,
                message: if is_gone { gone(&entries) } else { occurs_no_more(&entries) },
                release: release.clone(),
                object: None,
                places: Vec::new(),
                values: Vec::new(),
                configured: places.as_ref().and_then(place),
                exemption: None,
                is_known: false,
                rationale: RATIONALE.into(),
                remediation: REMEDIATION.into(),
            }
        };
        outdated.into_iter().map(finding).collect()
    }

    /// The same without what occurs no more in a report that it has marked, and with findings that are less bad now as
    /// what they are. Nothing is ever added: of no release are more findings known than before.
    pub fn updated(&self, report: &Report, releases: &BTreeSet<String>) -> Self {
        let state = self.state(report, releases);
        let kept = self.entries.iter().filter_map(|(key, entry)| Some((key.clone(), state.kept(key, entry)?)));
        Self { entries: kept.collect(), source: None }
    }

    /// The file's text.
    pub fn to_yaml(&self) -> String {
        write::to_yaml(self)
    }

    fn state<'a>(&self, report: &'a Report, releases: &'a BTreeSet<String>) -> State<'a> {
        let mut left: BTreeMap<Fingerprint, Left> = BTreeMap::new();
        for (key, finding) in keyed(&report.findings) {
            let Some(entry) = self.entries.get(&key) else { continue };
            let left = left.entry(key).or_default();
            if finding.is_known {
                left.known += 1;
                left.worst = left.worst.max(Some(finding.severity));
            } else if finding.is_open() && finding.severity > entry.severity {
                left.is_worse = true;
            }
        }
        let failed = report.failed.iter().map(|failed| failed.release.as_str()).collect();
        State { left, releases, failed }
    }
}

/// What became of the entries.
struct State<'a> {
    left: BTreeMap<Fingerprint, Left>,
    releases: &'a BTreeSet<String>,
    failed: BTreeSet<&'a str>,
}

impl State<'_> {
    /// What stays of an entry; `None` where it occurs no more.
    fn kept(&self, key: &Fingerprint, entry: &Entry) -> Option<Entry> {
        let is_unknown = match &key.release {
            Some(release) => self.failed.contains(release.as_str()) && self.releases.contains(release),
            // A fleet that was not seen as a whole.
            None => !self.failed.is_empty(),
        };
        let left = self.left.get(key).copied().unwrap_or_default();
        if is_unknown || left.is_worse {
            return Some(entry.clone());
        }
        let count = NonZeroUsize::new(left.known)?;
        Some(Entry { severity: left.worst.unwrap_or(entry.severity), count, path: entry.path.clone() })
    }
}

/// The findings, each with the fingerprint that those which are alike share.
fn keyed(findings: &[Finding]) -> impl Iterator<Item = (Fingerprint, &Finding)> {
    let keys = Fingerprint::all(findings).into_iter().map(|key| Fingerprint { number: 0, ..key });
    keys.zip(findings)
}

fn gone(entries: &[(&Fingerprint, &Entry)]) -> String {
    let count: usize = entries.iter().map(|(_, entry)| entry.count.get()).sum();
    let findings = if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
    format!("the baseline knows {findings} of a release that the project no longer has")
}

/// `2 entries of the baseline no longer occur as often: secrets/plaintext (ConfigMap alice/web, data.TOKEN), …`
fn occurs_no_more(entries: &[(&Fingerprint, &Entry)]) -> String {
    let named = entries.iter().take(MAX_NAMED).map(|(key, _)| {
        let at: Vec<&str> = [&key.object, &key.field].into_iter().flatten().map(String::as_str).collect();
        if at.is_empty() { key.policy.clone() } else { format!("{} ({})", key.policy, at.join(", ")) }
    });
    let mut named: Vec<String> = named.collect();
    if let Some(more) = entries.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
        named.push(format!("and {more} more"));
    }
    let entries = if entries.len() == 1 {
        "an entry of the baseline no longer occurs".to_owned()
    } else {
        format!("{} entries of the baseline no longer occur", entries.len())
    };
    format!("{entries}, or not as often: {}", named.join(", "))
}

#[cfg(test)]
mod tests;
