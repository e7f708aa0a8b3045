//! For people: miette's diagnostics, with the template's lines first, then the rendered line, then the values key.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::Style;
use crate::finding::{Fault, Finding, Report, Setter, Severity};
use crate::source::Location;

/// What miette prints: a message with places in one file, and further messages for other files.
#[derive(Debug, Default)]
struct Shown {
    message: String,
    code: Option<String>,
    severity: Option<miette::Severity>,
    help: Option<String>,
    source: Option<NamedSource<Arc<str>>>,
    labels: Vec<LabeledSpan>,
    related: Vec<Shown>,
}

pub(super) fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let handler = handler(style);
    for finding in &report.findings {
        print(&handler, &Shown::from(finding), out)?;
    }
    let mut counts = BTreeMap::new();
    for finding in &report.findings {
        *counts.entry(std::cmp::Reverse(finding.severity)).or_insert(0) += 1;
    }
    let found: Vec<String> = counts.iter().map(|(severity, count)| plural(*count, &severity.0.to_string())).collect();
    let verdict = if found.is_empty() { "all is well".to_owned() } else { found.join(", ") };
    let (objects, policies) = (plural(report.objects, "object"), plural_policies(report.policies));
    writeln!(out, "{verdict}: {objects} checked against {policies}")
}

pub(super) fn write_faults(faults: &[Fault], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let handler = handler(style);
    faults.iter().try_for_each(|fault| print(&handler, &Shown::from(fault), out))
}

fn handler(style: Style) -> GraphicalReportHandler {
    let theme = match style {
        Style::Plain => GraphicalTheme::unicode_nocolor(),
        Style::Coloured => GraphicalTheme::unicode(),
    };
    // Wrapped lines would break the messages that people search for.
    GraphicalReportHandler::new_themed(theme).with_wrap_lines(false).with_break_words(false).with_links(false).with_context_lines(1)
}

fn print(handler: &GraphicalReportHandler, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    handler.render_report(&mut text, shown).map_err(io::Error::other)?;
    for line in text.trim_matches('\n').lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn plural_policies(count: usize) -> String {
    if count == 1 { "1 policy".to_owned() } else { format!("{count} policies") }
}

impl Shown {
    /// A diagnostic of places: those in the first place's file are its own, each further file gets its own snippet.
    fn at(message: String, places: Vec<(Location, String)>) -> Self {
        let mut shown = Self { message, ..Self::default() };
        for (location, text) in places {
            let span = location.span;
            let label = LabeledSpan::new(Some(text.clone()), span.start, span.end.saturating_sub(span.start));
            match &shown.source {
                None => {
                    shown.source = Some(NamedSource::new(&location.file.name, location.file.text.clone()));
                    shown.labels.push(label);
                }
                Some(source) if source.name() == location.file.name => shown.labels.push(label),
                Some(_) => shown.related.push(Self::at(text.clone(), vec![(location, text)])),
            }
        }
        shown
    }
}

impl From<&Fault> for Shown {
    fn from(fault: &Fault) -> Self {
        let mut shown = Self::at(fault.message.clone(), fault.labels.clone());
        shown.help = fault.help.clone();
        shown
    }
}

impl From<&Finding> for Shown {
    fn from(finding: &Finding) -> Self {
        let object = finding.object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
        let mut places = Vec::new();
        for (i, place) in finding.template.iter().enumerate() {
            places.push((place.clone(), if i == 0 { "written here" } else { "included here" }.to_owned()));
        }
        if let Some(place) = &finding.rendered {
            let field = finding.field.as_ref().map(ToString::to_string).unwrap_or_default();
            places.push((place.clone(), format!("rendered as {field}").trim_end_matches(" as ").to_owned()));
        }
        let mut flags = Vec::new();
        for key in &finding.values {
            match &key.set_by {
                Some(Setter::File(place)) => places.push((place.clone(), format!("{} is set here", key.path))),
                Some(Setter::Flag(flag)) => flags.push(format!("{} is set by {flag}", key.path)),
                None => flags.push(format!("{} is not set", key.path)),
            }
        }
        let mut shown = Self::at(format!("{object}{}", finding.message), places);
        shown.code = Some(finding.policy.clone());
        shown.severity = Some(match finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Info => miette::Severity::Advice,
        });
        let notes = flags.into_iter().chain([finding.rationale.clone(), finding.remediation.clone()]);
        shown.help = Some(notes.filter(|note| !note.is_empty()).collect::<Vec<_>>().join("\n"));
        shown
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

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        (!self.related.is_empty()).then(|| Box::new(self.related.iter().map(|shown| shown as &dyn Diagnostic)) as _)
    }
}
