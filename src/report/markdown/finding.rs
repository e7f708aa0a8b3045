//! One finding: what a reviewer must know on one line, and behind it the lines at fault, why, and the remedy.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::escape::{code, fence, html, html_code, prose};
use super::page::Piece;
use crate::credential;
use crate::finding::{Exempted, Finding, Setter};
use crate::report::groups::{FaultGroup, Group};
use crate::report::place;
use crate::report::summary::plural;
use crate::source::{Location, SourceFile};

/// The most releases that are named.
const MAX_NAMED: usize = 3;

/// The most lines of a message.
const MAX_LINES: usize = 20;

/// The most characters of a line that is quoted.
const MAX_LINE: usize = 160;

/// The texts of files without credentials: made once for all findings.
#[derive(Debug, Default)]
pub(in crate::report) struct Quotes(HashMap<*const SourceFile, Arc<SourceFile>>);

impl Quotes {
    /// The first line of a place and those beside it, numbered.
    fn lines(&mut self, location: &Location) -> String {
        let hide = || SourceFile::new("", credential::lines(&location.file.text));
        let file = self.0.entry(Arc::as_ptr(&location.file)).or_insert_with(hide);
        let marked = location.position().line;
        let mut out = String::new();
        for line in marked.saturating_sub(1).max(1)..=marked + 1 {
            let span = file.line_span(line);
            let Some(text) = span.and_then(|span| file.text.get(span.start..span.end)) else { continue };
            if line != marked && text.trim().is_empty() {
                continue;
            }
            let end = text.char_indices().nth(MAX_LINE).map_or(text.len(), |(end, _)| end);
            let (text, cut) = text.split_at(end);
            let mark = if line == marked { '>' } else { ' ' };
            _ = writeln!(out, "{mark} {line:>4}  {text}{}", if cut.is_empty() { "" } else { "…" });
        }
        out
    }

    /// A place with its lines; nothing of a file whose text is not there.
    fn quote(&mut self, location: &Location, what: &str, out: &mut String) {
        let position = location.position();
        _ = write!(out, "\n{}, {what}", code(&format!("{}:{}", location.file.name, position.line)));
        let lines = self.lines(location);
        if lines.is_empty() {
            out.push('\n');
        } else {
            _ = write!(out, ":\n\n{}", fence("", &lines));
        }
    }
}

/// What a group of findings has in common, collapsed.
pub(in crate::report) fn piece(group: &Group<'_>, quotes: &mut Quotes) -> Piece {
    let finding = group.finding;
    let among = match group.releases.as_slice() {
        [] => String::new(),
        [one] => format!(" · release {}", code(one)),
        many => format!(" · in {} releases: {}", many.len(), named(many)),
    };
    let place = finding.places.first();
    let field = place.map(|place| format!(" · {}", code(&place.named))).unwrap_or_default();
    let other = place.filter(|place| finding.object.as_ref().is_none_or(|object| *object != place.object));
    let other = other.map(|place| format!(" of {}", code(&place.object.to_string()))).unwrap_or_default();
    let mut full = format!("<details>\n<summary>{}</summary>\n\n", summary(group));
    _ = writeln!(full, "{}{field}{other}{among}", code(&finding.policy));
    evidence(finding, quotes, &mut full);
    for (title, text) in [("Why", &finding.rationale), ("Remedy", &finding.remediation)] {
        if !text.is_empty() {
            _ = writeln!(full, "\n**{title}:** {}", prose(text));
        }
    }
    full.push_str("\n</details>\n");
    Piece { full, short: bullet(group) }
}

/// The lines at fault: that which a change would mend, and that of the template.
fn evidence(finding: &Finding, quotes: &mut Quotes, out: &mut String) {
    let key = finding.values.first();
    let set_by = key.and_then(|key| match &key.set_by {
        Some(Setter::File(location)) => Some(location),
        Some(Setter::Flag(_)) | None => None,
    });
    let first = place::of(finding);
    if let Some(location) = first {
        let what = match key.filter(|_| set_by.is_some_and(|set_by| set_by == location)) {
            Some(key) => format!("where {} is set", code(&key.path.to_string())),
            None => "where it is written".to_owned(),
        };
        quotes.quote(location, &what, out);
    }
    let template = finding.places.first().and_then(|place| place.template.first());
    if let Some(template) = template.filter(|template| first.is_none_or(|first| first != *template)) {
        quotes.quote(template, "where the template writes it", out);
    }
    for key in &finding.values {
        match &key.set_by {
            Some(Setter::Flag(flag)) => {
                _ = writeln!(out, "\n{} is set by {}", code(&key.path.to_string()), code(&credential::flag(flag)));
            }
            None => _ = writeln!(out, "\n{} is not set", code(&key.path.to_string())),
            Some(Setter::File(_)) => {}
        }
    }
}

/// `<b>error</b>: anyone may enter, at <code>Ingress alice/web</code>`
fn summary(group: &Group<'_>) -> String {
    let finding = group.finding;
    let at = judged(group).map(|at| format!(" · {}", html_code(&at))).unwrap_or_default();
    let others = group.count() - 1;
    let others = if others > 0 { format!(" and in {}", plural(others, "other release")) } else { String::new() };
    format!("<b>{}</b>: {}{at}{others}", finding.severity, html(&finding.message))
}

/// The same as an item of a list.
pub(in crate::report) fn bullet(group: &Group<'_>) -> String {
    let finding = group.finding;
    let at = judged(group).map(|at| format!(" · {}", code(&at))).unwrap_or_default();
    let others = group.count() - 1;
    let others = if others > 0 { format!(" and in {}", plural(others, "other release")) } else { String::new() };
    let exemption = finding.exemption.as_ref().map(terms).unwrap_or_default();
    let Finding { severity, policy, message, .. } = finding;
    format!("- **{severity}** {}: {}{at}{others}{exemption}\n", code(policy), prose(message))
}

/// What was judged: the object, or the release.
fn judged(group: &Group<'_>) -> Option<String> {
    let object = group.finding.object.as_ref().map(ToString::to_string);
    object.or_else(|| group.finding.release.clone())
}

/// ` (exempted: builds images, by team-build until 2026-12-31)`
fn terms(exemption: &Exempted) -> String {
    let owner = exemption.owner.as_ref().map(|owner| format!(", by {}", code(owner))).unwrap_or_default();
    let until = exemption.expires.as_ref().map(|date| format!(" until {}", prose(date))).unwrap_or_default();
    format!(" (exempted: {}{owner}{until})", prose(&exemption.reason))
}

/// Why releases could not be checked: the fault that they have in common.
pub(in crate::report) fn failure(group: &FaultGroup<'_>, what: &str) -> Piece {
    let fault = group.fault;
    let releases = if let [one] = group.releases.as_slice() {
        format!("Release {} {what}", code(one))
    } else {
        format!("{} {what}: {}", plural(group.releases.len(), "release"), named(&group.releases))
    };
    let text = credential::lines(&fault.message);
    let mut lines: String = text.lines().take(MAX_LINES).map(|line| format!("{}\n", clip(line))).collect();
    if text.lines().nth(MAX_LINES).is_some() {
        lines.push_str("…\n");
    }
    for (location, what) in fault.labels.iter().take(MAX_NAMED) {
        _ = writeln!(lines, "{}", clip(&format!("at {location}: {what}").replace('\n', " ")));
    }
    let help = fault.help.as_ref().map(|help| format!("\n**Help:** {}\n", prose(help))).unwrap_or_default();
    Piece {
        full: format!("**{releases}**\n\n{}{help}", fence("", &lines)),
        short: format!("- {releases}: {}\n", prose(text.lines().next().unwrap_or_default())),
    }
}

fn clip(line: &str) -> String {
    match line.char_indices().nth(MAX_LINE * 2) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// Names as code, the first ones of many.
pub(in crate::report) fn named(names: &[&str]) -> String {
    let out: Vec<String> = names.iter().take(MAX_NAMED).map(|name| code(name)).collect();
    if let Some(more) = names.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
        return format!("{} and {more} more", out.join(", "));
    }
    out.join(", ")
}
