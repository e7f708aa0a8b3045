//! For people: miette's diagnostics, with the template's lines first, then the rendered line, then the values key.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};

use super::groups::{self, FaultGroup, Group};
use super::printable::no_command;
use super::summary::{self, plural};
use super::{Style, place, printable};
use crate::credential;
use crate::finding::{Exempted, Fault, Report, Setter, Severity};
use crate::source::{Location, SourceFile, Span};

/// The most fields that one finding shows.
const MAX_PLACES: usize = 3;

/// Where help is wrapped, in columns.
const HELP_WIDTH: usize = 100;

/// The most bytes of a line that is quoted.
const MAX_LINE: usize = 2000;

/// What miette prints at once: a message with places in one file.
#[derive(Debug, Default)]
struct Shown {
    message: String,
    code: Option<String>,
    severity: Option<miette::Severity>,
    help: Option<String>,
    source: Option<Quote>,
    labels: Vec<LabeledSpan>,
}

/// A file that is quoted.
#[derive(Debug)]
struct Quote {
    file: Arc<SourceFile>,
    /// Its name, printable.
    name: String,
    /// Its text, masked and printable, byte for byte as long.
    text: Arc<str>,
}

/// The texts of files as they are quoted, masked and printable: made once for all findings.
type Quoted = HashMap<*const SourceFile, Arc<str>>;

pub(super) fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    write_findings(&groups::of(report.findings.iter().filter(|finding| finding.is_open())), style, out)?;
    write_exempted(report, out)?;
    groups::of_faults(&report.failed).iter().try_for_each(|group| write_fault(group, style, out))?;
    writeln!(out, "{}", summary::line(report))
}

/// Prints each with the lines that it is about. Why a policy matters stands with the first of its findings.
pub(super) fn write_findings(groups: &[Group<'_>], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (handler, mut quoted, mut told) = (handler(style), Quoted::default(), HashSet::new());
    groups.iter().try_for_each(|group| {
        let says_why = told.insert((&group.finding.policy, &group.finding.rationale));
        print(&handler, show_finding(group, says_why, &mut quoted), out)
    })
}

/// Prints why releases could not be checked.
pub(super) fn write_fault(group: &FaultGroup<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    print(&handler(style), show_fault(group.sentence(), group.fault, &mut Quoted::default()), out)
}

/// What is exempted, below the reasons, in the order of the findings.
fn write_exempted(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    let mut known = HashMap::new();
    for group in groups::of(report.findings.iter().filter(|finding| finding.exemption.is_some())) {
        let Some(exemption) = &group.finding.exemption else { continue };
        let (what, why) = (format!("[{}] {}", group.finding.policy, group.sentence()), terms(exemption));
        let index = *known.entry(why.clone()).or_insert(reasons.len());
        match reasons.get_mut(index) {
            Some((_, found)) => found.push(what),
            None => reasons.push((why, vec![what])),
        }
    }
    for (why, found) in &reasons {
        writeln!(out, "exempted: {}", one_line(why))?;
        for what in found {
            writeln!(out, "  {}", one_line(what))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// One line, whatever the chart put into it.
fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

/// `builds images (team-build, until 2026-12-31), at plimsoll.yaml:3:5`
pub(super) fn terms(exemption: &Exempted) -> String {
    let Exempted { reason, place, .. } = exemption;
    let until = exemption.expires.as_ref().map(|date| format!("until {date}"));
    let terms: Vec<&str> = [&exemption.owner, &until].into_iter().flatten().map(String::as_str).collect();
    let terms = if terms.is_empty() { String::new() } else { format!(" ({})", terms.join(", ")) };
    format!("{reason}{terms}, at {place}")
}

pub(super) fn write_faults(faults: &[Fault], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let handler = handler(style);
    let mut quoted = Quoted::default();
    faults.iter().try_for_each(|fault| print(&handler, show_fault(fault.message.clone(), fault, &mut quoted), out))
}

fn handler(style: Style) -> GraphicalReportHandler {
    let theme = match style {
        Style::Plain => GraphicalTheme::unicode_nocolor(),
        Style::Coloured => GraphicalTheme::unicode(),
    };
    // Wrapped lines would break the messages that people search for.
    GraphicalReportHandler::new_themed(theme)
        .with_wrap_lines(false)
        .with_break_words(false)
        .with_links(false)
        .with_context_lines(1)
}

/// Prints what belongs together, and a blank line.
fn print(handler: &GraphicalReportHandler, shown: Vec<Shown>, out: &mut dyn Write) -> io::Result<()> {
    for part in shown {
        let mut text = String::new();
        handler.render_report(&mut text, &part).map_err(io::Error::other)?;
        for line in text.trim_matches('\n').lines().filter(|line| !line.trim().is_empty()) {
            writeln!(out, "{}", no_command(line.trim_end()))?;
        }
    }
    writeln!(out)
}

/// A message with its places: those in the file of the first one stand under the message, each further file follows.
fn show(message: String, places: Vec<(Location, String)>, quoted: &mut Quoted) -> Vec<Shown> {
    let mut parts = vec![Shown { message: printable(&message), ..Shown::default() }];
    for (location, text) in places {
        let text = printable(&text);
        if !is_quotable(&location) {
            parts[0].message.push_str(&printable(&format!("\n{location}: {text}")));
            continue;
        }
        let Span { start, end } = visible(&location);
        let label = LabeledSpan::new(Some(text.clone()), start, end - start);
        let open =
            |part: &&mut Shown| part.source.as_ref().is_none_or(|source| Arc::ptr_eq(&source.file, &location.file));
        match parts.iter_mut().find(open) {
            Some(part) if part.labels.contains(&label) => {}
            Some(part) => part.add(&location.file, label, quoted),
            None => {
                let mut part = Shown { message: text, severity: Some(miette::Severity::Advice), ..Shown::default() };
                part.add(&location.file, LabeledSpan::new(None, start, end - start), quoted);
                parts.push(part);
            }
        }
    }
    parts
}

/// The part of a place that is on its first line, and on a line that can be shown: a text's end has none.
fn visible(location: &Location) -> Span {
    let text = &location.file.text;
    let start = location.span.start.min(text.trim_end().len());
    let line = text[start..].find('\n').map_or(text.len(), |end| start + end);
    Span::new(start, location.span.end.clamp(start, line))
}

/// Printable, and byte for byte as long. Lines that end as on Windows are no reason to show that.
fn quotable(text: &str) -> String {
    printable(&text.replace("\r\n", " \n"))
}

/// Whether the line of a place and those beside it are short enough to be quoted.
fn is_quotable(location: &Location) -> bool {
    let line = location.position().line;
    let length = |line| location.file.line_span(line).map_or(0, |span| span.end - span.start);
    (line - 1..=line + 1).all(|line| length(line) <= MAX_LINE)
}

fn show_fault(message: String, fault: &Fault, quoted: &mut Quoted) -> Vec<Shown> {
    let mut parts = show(message, fault.labels.clone(), quoted);
    parts[0].code = Some("error".into());
    if let Some(last) = parts.last_mut() {
        last.help = fault.help.as_deref().map(printable);
    }
    parts
}

fn show_finding(group: &Group<'_>, says_why: bool, quoted: &mut Quoted) -> Vec<Shown> {
    let finding = group.finding;
    let mut places = Vec::new();
    for place in finding.places.iter().take(MAX_PLACES) {
        for (i, at) in place.template.iter().enumerate() {
            places.push((at.clone(), if i == 0 { "written here" } else { "from here" }.to_owned()));
        }
        let field = place.field.to_string();
        let other = finding.object.as_ref().is_none_or(|object| *object != place.object);
        let owner = if other { format!("{}: ", place.object) } else { String::new() };
        places.push((place.rendered.clone(), format!("rendered: {owner}{field}").trim_end_matches(": ").to_owned()));
    }
    places.extend(finding.configured.iter().map(|place| (place.clone(), "here".to_owned())));
    for key in &finding.values {
        if let Some(Setter::File(place)) = &key.set_by {
            places.push((place.clone(), format!("{} is set here", key.path)));
        }
    }
    let mut notes: Vec<String> = place::notes(finding).collect();
    let mut message = group.sentence();
    if let Some(more) = finding.places.len().checked_sub(MAX_PLACES).filter(|more| *more > 0) {
        message.push_str(&format!(" (and {} more)", plural(more, "field")));
    }
    let mut parts = show(message, places, quoted);
    parts[0].code = Some(format!("{}[{}]", finding.severity, one_line(&finding.policy)));
    parts[0].severity = Some(match finding.severity {
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
        Severity::Info => miette::Severity::Advice,
    });
    notes.extend(says_why.then(|| finding.rationale.clone()));
    notes.push(finding.remediation.clone());
    notes.retain(|note| !note.is_empty());
    if let (Some(last), false) = (parts.last_mut(), notes.is_empty()) {
        last.help = Some(printable(&textwrap::fill(&notes.join("\n"), HELP_WIDTH)));
    }
    parts
}

impl Shown {
    fn add(&mut self, file: &Arc<SourceFile>, label: LabeledSpan, quoted: &mut Quoted) {
        self.source.get_or_insert_with(|| {
            let text =
                quoted.entry(Arc::as_ptr(file)).or_insert_with(|| quotable(&credential::text(&file.text)).into());
            Quote { file: file.clone(), name: one_line(&file.name), text: text.clone() }
        });
        self.labels.push(label);
    }
}

/// miette reads a text from its start for every place: it is shown the lines around the place only.
impl SourceCode for Quote {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let line = |offset| self.file.position(offset).line;
        let first = line(span.offset()).saturating_sub(before).max(1);
        let start = self.file.line_span(first).map_or(0, |line| line.start);
        // One more, so that the last line that is asked for has its end.
        let last = line(span.offset() + span.len()) + after + 1;
        let end = self.file.line_span(last).map_or(self.text.len(), |line| line.end);
        let window = self.text.get(start..end).ok_or(MietteError::OutOfBounds)?;
        let within = SourceSpan::new((span.offset() - start).into(), span.len());
        let read = window.read_span(&within, before, after)?;
        let shown = SourceSpan::new((read.span().offset() + start).into(), read.span().len());
        let data = self.text.as_bytes().get(shown.offset()..shown.offset() + shown.len());
        let data = data.ok_or(MietteError::OutOfBounds)?;
        // miette counts lines from the start of the text, the count too: by that it joins places that are close.
        let (line, count) = (read.line() + first - 1, read.line_count() + first - 1);
        let contents = MietteSpanContents::new_named(self.name.clone(), data, shown, line, read.column(), count);
        Ok(Box::new(contents))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        self.severity
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
