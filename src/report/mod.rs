//! How findings are printed: one file a format.

pub mod delta;
pub mod drift;
mod github;
mod gitlab;
mod groups;
mod json;
mod junit;
mod markdown;
mod place;
mod printable;
pub mod reach;
mod sarif;
mod summary;
mod text;
pub mod unused;
mod xml;

use std::io::{self, Write};

pub use printable::printable;
pub use summary::plural;

use crate::finding::{Fault, Report};

/// A format of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: each finding with the lines that it is about.
    #[default]
    Text,
    /// For programs: schemas/findings.schema.json, one document.
    Json,
    /// SARIF 2.1.0: GitHub code scanning, editors.
    Sarif,
    /// JUnit's XML: Jenkins, GitLab's test reports.
    Junit,
    /// Workflow commands: annotations of GitHub Actions.
    Github,
    /// GitLab's Code Quality report.
    Gitlab,
    /// For pull requests: a comment or a job's summary, never longer than a comment may be.
    Markdown,
}

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// No escape sequences.
    #[default]
    Plain,
    /// ANSI colours.
    Coloured,
}

/// Prints a report.
pub fn write(report: &Report, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, style, out),
        Format::Json => json::write(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Junit => junit::write(report, out),
        Format::Github => github::write(report, out),
        Format::Gitlab => gitlab::write(report, out),
        Format::Markdown => markdown::write(report, out),
    }
}

/// Prints why the work could not be done.
pub fn write_faults(faults: &[Fault], style: Style, out: &mut dyn Write) -> io::Result<()> {
    text::write_faults(faults, style, out)
}
