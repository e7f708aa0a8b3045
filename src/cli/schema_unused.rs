//! `plimsoll schema unused`: values keys that nothing reads, and reads of keys that values lack.

use std::path::{Path, PathBuf};

use super::{Stop, Streams};
use crate::bounded;
use crate::chart;
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::report::unused::{self, Format};
use crate::source::Location;
use crate::usage::{self, Unused, Usage};
use crate::values::{self, Inputs, Supplied};

/// List values keys that no template reads, and keys that templates read and values lack
///
/// Templates are looked at and not rendered: every branch counts, subcharts that are switched off too. What cannot be
/// decided counts as read. The keys of values.yaml and of the files given with -f are judged.
///
/// Exit status: 0 where all fits together, 1 where something is listed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The chart: a folder or a .tgz
    chart: PathBuf,
    /// Judge this values file too (repeatable; the last wins)
    #[arg(short = 'f', long = "values", value_name = "FILE", value_delimiter = ',')]
    values: Vec<String>,
    /// How the list is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let inputs = Inputs { files: args.values.clone(), ..Inputs::default() };
    let supplied =
        Supplied::read(&inputs, &|name| bounded::read(Path::new(name), values::MAX_FILE)).map_err(Fault::from)?;
    let chart = chart::load(&args.chart).map_err(Fault::from)?;
    let (chart, all) = values::overview(&chart, &supplied).map_err(Fault::from)?;
    let usage = Usage::of(&chart, &all).map_err(Vec::<Fault>::from)?;
    let values = usage::Values {
        all: &all,
        supplied: &supplied.values,
        files: chart.values_yaml.iter().chain(supplied.files()).cloned().collect(),
    };
    let found = Unused::find(&usage, &chart, &values)
        .map_err(|(file, error)| Fault::new(error.to_string()).label(Location::new(file, error.span()), "here"))?;
    unused::write(&found, &usage, args.format, streams.stdout_style, streams.stdout)?;
    Ok(if found.is_empty() { ExitStatus::Clean } else { ExitStatus::Refused })
}
