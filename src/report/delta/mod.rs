//! How a change is printed: what a reviewer wants to know first comes first. One file a format.
//!
//! All of them tell the verdict, then what could not be compared, what is new, who can do what now, what is mended, and at
//! last which objects change. The data of Secrets is in none of them.

mod changes;
mod json;
mod markdown;
mod text;

use std::io::{self, Write};

use super::Style;
use super::groups::Group;
use super::markdown::worst_first;
use super::summary::plural;
use crate::delta::{Base, Delta, Direction, Side};
use crate::finding::{Failed, Finding, Severity};

/// A format of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: each new finding with the lines that it is about.
    #[default]
    Text,
    /// For programs: schemas/delta.schema.json, one document.
    Json,
    /// For pull requests: a comment, never longer than one may be.
    Markdown,
}

/// The number of digits that a commit is called by.
const SHORT_COMMIT: usize = 10;

/// Prints a change.
pub fn write(delta: &Delta, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(delta, style, out),
        Format::Json => json::write(delta, out),
        Format::Markdown => markdown::write(delta, out),
    }
}

/// What is told of findings: each that many releases have once, the worst first.
struct Findings<'a> {
    /// They count now, and did not.
    new: Vec<Group<'a>>,
    /// They do not count, and nothing was mended: somebody should look at that too.
    silenced: Vec<Group<'a>>,
    mended: Vec<Group<'a>>,
    unchanged: Vec<Group<'a>>,
}

impl<'a> Findings<'a> {
    fn of(delta: &'a Delta) -> Self {
        Self {
            new: worst_first(&delta.new),
            silenced: worst_first(&delta.silenced),
            mended: worst_first(&delta.mended),
            unchanged: worst_first(&delta.unchanged),
        }
    }

    /// The silenced ones, by what silenced them.
    fn silenced_by(&self) -> [(&'static str, Vec<Group<'a>>); 3] {
        let those = |which: fn(&Finding) -> bool| {
            self.silenced.iter().filter(|group| which(group.finding)).cloned().collect::<Vec<_>>()
        };
        [
            ("by an exemption", those(|finding| finding.exemption.is_some())),
            ("by the baseline", those(|finding| finding.exemption.is_none() && finding.is_known)),
            ("as their policy is evaluated no more", those(Finding::is_open)),
        ]
    }

    fn has_error(&self) -> bool {
        self.new.first().is_some_and(|group| group.finding.severity == Severity::Error)
    }
}

/// `1 release could not be compared; 1 new error, 2 new warnings; 3 accesses gained; 1 silenced; 1 mended`
fn verdict(delta: &Delta, findings: &Findings<'_>) -> String {
    let new = [Severity::Error, Severity::Warning, Severity::Info].map(|severity| {
        let count = findings.new.iter().filter(|group| group.finding.severity == severity).count();
        (count, format!("new {}", if severity == Severity::Info { "note".to_owned() } else { severity.to_string() }))
    });
    let new: Vec<String> =
        new.iter().filter(|(count, _)| *count > 0).map(|(count, name)| plural(*count, name)).collect();
    let failed = failed(delta, None).len();
    let mut parts = vec![if new.is_empty() { "no new finding".to_owned() } else { new.join(", ") }];
    match gained(delta) {
        0 => {}
        1 => parts.push("1 access gained".to_owned()),
        many => parts.push(format!("{many} accesses gained")),
    }
    for (groups, what) in [(&findings.silenced, "silenced"), (&findings.mended, "mended")] {
        if !groups.is_empty() {
            parts.push(format!("{} {what}", groups.len()));
        }
    }
    if failed > 0 {
        parts.insert(0, format!("{} could not be compared", plural(failed, "release")));
    }
    parts.join("; ")
}

/// How many things are possible now that were not.
fn gained(delta: &Delta) -> usize {
    delta.access.iter().filter(|change| change.direction == Direction::Gained).count()
}

/// `12 objects change in 3 of 100 releases; 1 release is new; 2 releases are removed`
fn extent(delta: &Delta) -> String {
    let mut changed: Vec<&str> = delta.objects.iter().map(|change| change.release.as_str()).collect();
    changed.sort_unstable();
    changed.dedup();
    let mut parts = vec![match (delta.objects.len(), changed.len()) {
        (0, _) => format!("no object of {} changes", plural(delta.releases, "release")),
        (objects, releases) => format!(
            "{} {} in {releases} of {}",
            plural(objects, "object"),
            if objects == 1 { "changes" } else { "change" },
            plural(delta.releases + delta.removed.len(), "release")
        ),
    }];
    for (releases, what) in [(&delta.added, "new"), (&delta.removed, "removed")] {
        if !releases.is_empty() {
            let are = if releases.len() == 1 { "is" } else { "are" };
            parts.push(format!("{} {are} {what}", plural(releases.len(), "release")));
        }
    }
    parts.join("; ")
}

/// The releases that could not be checked on a side, each once; on any side where none is given.
fn failed(delta: &Delta, side: Option<Side>) -> Vec<Failed> {
    let on = delta.failed.iter().filter(|failed| side.is_none_or(|side| side == failed.side));
    let mut failed: Vec<Failed> = on.map(|failed| failed.failed.clone()).collect();
    if side.is_none() {
        failed.sort_by(|a, b| a.release.cmp(&b.release));
        failed.dedup_by(|a, b| a.release == b.release);
    }
    failed
}

/// What is said of releases that could not be checked on a side.
fn on_side(side: Side) -> &'static str {
    match side {
        Side::Before => {
            "could not be checked on the base revision, so what changes is not known (`plimsoll check` judges what is there now)"
        }
        Side::After => "cannot be checked with this change",
    }
}

/// `main (3f2a91c04d)`, or `what the cluster of context prod has`; names are quoted as the format does it.
fn base(delta: &Delta, quote: impl Fn(&str) -> String) -> String {
    match &delta.base {
        Base::Revision { name, commit } => {
            format!("{} ({})", quote(name), quote(commit.get(..SHORT_COMMIT).unwrap_or(commit)))
        }
        Base::Live { context } => format!("what the cluster of context {} has", quote(context)),
    }
}
