//! The arguments that say how results are printed, and where to.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};

use super::files::write_all;
use super::{Stop, Streams};
use crate::finding::Fault;
use crate::report::Style;

/// What `--format` can be: the first thing that is printed where none is named is the default.
pub(super) trait Format: ValueEnum + Default + PartialEq + Copy + Send + Sync + 'static {}

impl<F: ValueEnum + Default + PartialEq + Copy + Send + Sync + 'static> Format for F {}

/// Formats, each to a file or to standard output.
#[derive(Debug, clap::Args)]
pub(super) struct OutputArgs<F: Format> {
    /// How the result is printed, and to which file (repeatable; text where no other is printed)
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser::<F>(PhantomData))]
    outputs: Vec<Output<F>>,
}

/// A format, and the file that it goes to; standard output where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Output<F> {
    format: F,
    file: Option<PathBuf>,
}

impl<F: Format> OutputArgs<F> {
    /// Prints in all formats. Files are written first, all or none. Where `is_dull`, text is not printed to who wants quiet.
    pub(super) fn write(
        &self,
        is_dull: bool,
        streams: &mut Streams<'_>,
        print: impl Fn(F, Style, &mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Stop> {
        let printed = self.printed()?;
        let mut files = BTreeMap::new();
        for Output { format, file } in &self.outputs {
            if let Some(file) = file {
                let mut text = Vec::new();
                print(*format, Style::Plain, &mut text)?;
                files.insert(file.clone(), String::from_utf8_lossy(&text).into_owned());
            }
        }
        let names: Vec<String> = files.keys().map(|file| file.display().to_string()).collect();
        let help = "name files in folders that you may write to: --format markdown=plimsoll.md";
        write_all(&files, names.join(", ")).map_err(|fault| fault.help(help))?;
        if streams.is_quiet() && is_dull && printed == F::default() {
            return Ok(());
        }
        Ok(print(printed, streams.stdout_style, streams.stdout)?)
    }

    /// Where what is no part of the formats is printed: standard error where standard output has a format for programs.
    pub(super) fn aside<'s>(&self, streams: &'s mut Streams<'_>) -> Result<(Style, &'s mut dyn Write), Fault> {
        let is_text = self.printed()? == F::default();
        Ok(if is_text {
            (streams.stdout_style, &mut *streams.stdout)
        } else {
            (streams.stderr_style, &mut *streams.stderr)
        })
    }

    /// Whether all can be printed as asked: to be known before the work.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.printed().map(|_| ())
    }

    /// What is printed: never nothing, as whoever reads a failed run must see why.
    ///
    /// # Errors
    /// Where several are printed, or go to one file.
    fn printed(&self) -> Result<F, Fault> {
        let mut printed = self.outputs.iter().filter(|output| output.file.is_none()).map(|output| output.format);
        let format = printed.next().unwrap_or_default();
        if printed.next().is_some() {
            let fault = Fault::new("several formats cannot all be printed to standard output");
            return Err(fault.help("give all but one a file: --format text --format markdown=plimsoll.md"));
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
struct OutputParser<F>(PhantomData<F>);

impl<F: Format> TypedValueParser for OutputParser<F> {
    type Value = Output<F>;

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
        let format = EnumValueParser::<F>::new().parse_ref(command, arg, OsStr::new(format))?;
        Ok(Output { format, file })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(F::value_variants().iter().filter_map(F::to_possible_value)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::report::Format;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        output: OutputArgs<Format>,
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
