//! The arguments that say how findings are printed, and where to.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};

use super::files::write_all;
use super::{Stop, Streams};
use crate::committed::Drift;
use crate::finding::{Fault, Finding, Report};
use crate::report::{self, Format, Style};

/// Formats, each to a file or to standard output.
#[derive(Debug, clap::Args)]
pub(super) struct OutputArgs {
    /// How findings are printed, and to which file (repeatable; text where no other is printed)
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser)]
    outputs: Vec<Output>,
}

/// A format, and the file that it goes to; standard output where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Output {
    format: Format,
    file: Option<PathBuf>,
}

impl OutputArgs {
    /// Prints a report in all formats. Files are written first, all or none.
    pub(super) fn write(&self, report: &Report, streams: &mut Streams<'_>) -> Result<(), Stop> {
        let printed = self.printed()?;
        let mut files = BTreeMap::new();
        for Output { format, file } in &self.outputs {
            if let Some(file) = file {
                let mut text = Vec::new();
                report::write(report, *format, Style::Plain, &mut text)?;
                files.insert(file.clone(), String::from_utf8_lossy(&text).into_owned());
            }
        }
        let names = || files.keys().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
        write_all(&files).map_err(|error| {
            Fault::new(format!("{} could not be written: {error}", names()))
                .help("name files in folders that you may write to: --format sarif=plimsoll.sarif")
        })?;
        let is_all_well = report.failed.is_empty() && !report.findings.iter().any(Finding::is_open);
        if streams.is_quiet() && is_all_well && printed == Format::Text {
            return Ok(());
        }
        Ok(report::write(report, printed, streams.stdout_style, streams.stdout)?)
    }

    /// Prints committed manifests that are not what is rendered: to standard error where standard output has a format for
    /// programs.
    pub(super) fn write_drift(&self, drifts: &[Drift], help: &str, streams: &mut Streams<'_>) -> Result<(), Stop> {
        let (style, out) = match self.printed()? {
            Format::Text => (streams.stdout_style, &mut *streams.stdout),
            _ => (streams.stderr_style, &mut *streams.stderr),
        };
        report::drift::write(drifts, style, out)?;
        Ok(writeln!(out, "{help}")?)
    }

    /// Whether all can be printed as asked: to be known before the work.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.printed().map(|_| ())
    }

    /// What is printed: never nothing, as whoever reads a failed run must see why.
    ///
    /// # Errors
    /// Where several are printed, or go to one file.
    fn printed(&self) -> Result<Format, Fault> {
        let mut printed = self.outputs.iter().filter(|output| output.file.is_none()).map(|output| output.format);
        let format = printed.next().unwrap_or_default();
        if printed.next().is_some() {
            let fault = Fault::new("several formats cannot all be printed to standard output");
            return Err(fault.help("give all but one a file: --format text --format sarif=plimsoll.sarif"));
        }
        let mut known = BTreeSet::new();
        match self.outputs.iter().filter_map(|output| output.file.as_ref()).find(|file| !known.insert(*file)) {
            Some(file) => {
                let fault = Fault::new(format!("two formats cannot be written to {}", file.display()));
                Err(fault.help("give each a file of its own"))
            }
            None => Ok(format),
        }
    }
}

/// `FORMAT`, `FORMAT=FILE` or `FORMAT=-`.
#[derive(Debug, Clone, Copy)]
struct OutputParser;

impl TypedValueParser for OutputParser {
    type Value = Output;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let text =
            value.to_str().ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidUtf8).with_cmd(command))?;
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => {
                let message =
                    format!("--format {text} names no file: write FORMAT=FILE, or FORMAT alone to print it\n");
                return Err(clap::Error::raw(clap::error::ErrorKind::InvalidValue, message).with_cmd(command));
            }
            Some((format, "-")) => (format, None),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = EnumValueParser::<Format>::new().parse_ref(command, arg, OsStr::new(format))?;
        Ok(Output { format, file })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        use clap::ValueEnum as _;
        Some(Box::new(Format::value_variants().iter().filter_map(Format::to_possible_value)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        output: OutputArgs,
    }

    fn printed(formats: &[&str]) -> Result<Format, String> {
        let args = ["plimsoll"].into_iter().chain(formats.iter().flat_map(|format| ["--format", *format]));
        let cli = Cli::try_parse_from(args).map_err(|error| error.to_string())?;
        cli.output.printed().map_err(|fault| fault.message)
    }

    #[test]
    fn one_format_is_printed_and_the_others_go_to_files() {
        assert_eq!(printed(&[]), Ok(Format::Text));
        assert_eq!(printed(&["json"]), Ok(Format::Json));
        assert_eq!(printed(&["text", "sarif=out.sarif"]), Ok(Format::Text));
        assert_eq!(printed(&["sarif=out.sarif", "junit=out=1.xml"]), Ok(Format::Text));
        assert_eq!(printed(&["sarif=-", "json=x"]), Ok(Format::Sarif));
        assert_eq!(printed(&["text", "json"]).unwrap_err(), "several formats cannot all be printed to standard output");
        assert_eq!(printed(&["json=x", "sarif=x"]).unwrap_err(), "two formats cannot be written to x");
    }

    #[test]
    fn wrong_formats_are_refused_with_what_may_be_meant() {
        let error = printed(&["sarfi=x"]).unwrap_err();
        assert!(error.contains("'sarfi'") && error.contains("a similar value exists: 'sarif'"), "{error}");
        let error = printed(&["sarif="]).unwrap_err();
        assert!(error.contains("--format sarif= names no file"), "{error}");
    }
}
