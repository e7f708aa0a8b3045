//! Workflow commands of GitHub Actions: annotations of a pull request's lines, whatever plan a repository is on.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use std::cmp::Reverse;
use std::io::{self, Write};

use super::groups::{self, FaultGroup, Group};
use super::summary::{self, plural};
use super::{place, printable};
use crate::finding::{Finding, Report, Severity};
use crate::source::Location;

/// GitHub shows as many annotations of a kind for a step.
const MAX: usize = 10;

/// Prints what is open, the worst first. The last line is none of GitHub's.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut groups = groups::at_places(report.findings.iter().filter(|finding| finding.is_open()));
    groups.sort_by_key(|group| Reverse(group.finding.severity));
    let mut said = Said::default();
    for group in groups::of_faults(&report.failed) {
        said.annotate(Severity::Error, &fault(&group), out)?;
    }
    for group in groups {
        said.annotate(group.finding.severity, &finding(&group), out)?;
    }
    let more = said.more();
    if !more.is_empty() {
        let message = format!("{} more are not shown here: GitHub shows {MAX} of a kind for a step", more.join(", "));
        let notice = Annotation { place: None, title: "plimsoll".to_owned(), message };
        notice.write("notice", out)?;
    }
    writeln!(out, "{}", summary::line(report))
}

struct Annotation<'a> {
    place: Option<&'a Location>,
    title: String,
    message: String,
}

/// How many of each kind there were: errors, warnings, notices.
#[derive(Default)]
struct Said {
    errors: usize,
    warnings: usize,
    notices: usize,
}

impl Said {
    fn annotate(&mut self, severity: Severity, annotation: &Annotation<'_>, out: &mut dyn Write) -> io::Result<()> {
        // One notice is kept for what is not shown.
        let (command, count, max) = match severity {
            Severity::Error => ("error", &mut self.errors, MAX),
            Severity::Warning => ("warning", &mut self.warnings, MAX),
            Severity::Info => ("notice", &mut self.notices, MAX - 1),
        };
        *count += 1;
        if *count <= max { annotation.write(command, out) } else { Ok(()) }
    }

    /// What was not shown.
    fn more(&self) -> Vec<String> {
        let all = [(self.errors, MAX, "error"), (self.warnings, MAX, "warning"), (self.notices, MAX - 1, "notice")];
        let left = all.into_iter().map(|(count, max, noun)| (count.saturating_sub(max), noun));
        left.filter(|(count, _)| *count > 0).map(|(count, noun)| plural(count, noun)).collect()
    }
}

fn finding<'a>(group: &Group<'a>) -> Annotation<'a> {
    let Finding { policy, rationale, remediation, .. } = group.finding;
    let lines = [group.sentence()].into_iter().chain(place::notes(group.finding));
    let lines = lines.chain([rationale.clone(), remediation.clone()]).filter(|line| !line.is_empty());
    let message = lines.collect::<Vec<_>>().join("\n");
    Annotation { place: place::of(group.finding), title: policy.clone(), message }
}

fn fault<'a>(group: &FaultGroup<'a>) -> Annotation<'a> {
    let lines = [group.sentence()].into_iter().chain(group.fault.help.clone());
    Annotation {
        place: group.fault.labels.first().map(|(location, _)| location),
        title: "could not be checked".to_owned(),
        message: lines.collect::<Vec<_>>().join("\n"),
    }
}

impl Annotation<'_> {
    fn write(&self, command: &str, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "::{command} ")?;
        if let Some(location) = self.place {
            let (start, end) = place::region(location);
            write!(out, "file={},line={},", property(&place::path(location)), start.line)?;
            // Columns are for places within a line.
            if start.line == end.line {
                write!(out, "col={},", start.column)?;
            } else {
                write!(out, "endLine={},", end.line)?;
            }
        }
        writeln!(out, "title={}::{}", property(&self.title), data(&self.message))
    }
}

fn data(text: &str) -> String {
    printable(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
