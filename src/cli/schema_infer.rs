//! `plimsoll schema infer`: a values.schema.json from values.yaml, its comments and the templates.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::chart_args::read;
use super::files::write_all;
use super::{Stop, Streams};
use crate::chart::{self, MAX_FILE_SIZE};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::infer::{self, Options};
use crate::usage::Usage;
use crate::values::{self, Supplied};

/// The name that Helm looks for.
const FILE: &str = "values.schema.json";

/// Print a values.schema.json for a chart, from values.yaml, its comments and the templates
///
/// Types come from the defaults and, where these say nothing (null, "", []), from what templates do with the values.
/// Descriptions, types and more come from comments: those of helm-docs (`# -- text`), of Bitnami's readme-generator
/// (`## @param key text`), keywords of JSON Schema (`# @schema minimum:1`), and plain ones above a key.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder with a Chart.yaml, or a .tgz
    chart: PathBuf,
    /// Refuse keys that neither values.yaml nor a template has
    #[arg(long)]
    strict: bool,
    /// Write values.schema.json into the chart's folder
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Write over a values.schema.json that was not inferred
    #[arg(long, requires = "write")]
    force: bool,
    /// Print nothing but where the chart's values.schema.json differs; exit status 1 if it does
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let text = infer(args)?;
    if !args.write && !args.check {
        streams.stdout.write_all(text.as_bytes())?;
        return Ok(ExitStatus::Clean);
    }
    let path = args.chart.join(FILE);
    if !args.chart.is_dir() {
        let fault = Fault::new(format!("{} is no folder", args.chart.display()));
        return Err(fault.help("leave out --write and --check to print the schema").into());
    }
    let old = existing(&path)?;
    if args.check {
        check(&path, old.as_deref(), &text, args, streams)
    } else {
        write(&path, old.as_deref(), &text, args, streams)
    }
}

fn infer(args: &Args) -> Result<String, Vec<Fault>> {
    let one = |fault: Fault| vec![fault];
    let chart = chart::load(&args.chart).map_err(|error| one(error.into()))?;
    let (view, values) = values::overview(&chart, &Supplied::default()).map_err(|error| one(error.into()))?;
    let usage = Usage::of(&view, &values)?;
    infer::infer(&view, &usage, Options { strict: args.strict }).map_err(|error| one(error.into()))
}

/// The text that is there.
fn existing(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    match File::open(path) {
        Ok(mut file) => read(&mut file, MAX_FILE_SIZE, &path.display().to_string()).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::new(format!("{} could not be read: {error}", path.display()))),
    }
}

fn check(
    path: &Path,
    old: Option<&[u8]>,
    text: &str,
    args: &Args,
    streams: &mut Streams<'_>,
) -> Result<ExitStatus, Stop> {
    let path = path.display();
    let problem = match old {
        Some(old) if old == text.as_bytes() => return Ok(ExitStatus::Clean),
        Some(old) => format!("{path} is not what would be inferred:\n{}", infer::differences(old, text)),
        None => format!("{path} is missing"),
    };
    let strict = if args.strict { " --strict" } else { "" };
    writeln!(streams.stdout, "{problem}\n`plimsoll schema infer {} --write{strict}` writes it", args.chart.display())?;
    Ok(ExitStatus::Refused)
}

fn write(
    path: &Path,
    old: Option<&[u8]>,
    text: &str,
    args: &Args,
    streams: &mut Streams<'_>,
) -> Result<ExitStatus, Stop> {
    let shown = path.display();
    if old == Some(text.as_bytes()) {
        streams.note(&format!("{shown} is up to date"))?;
        return Ok(ExitStatus::Clean);
    }
    if old.is_some_and(|old| !infer::is_inferred(old)) && !args.force {
        let fault = Fault::new(format!("{shown} was not written by this command, and says something else"));
        return Err(fault.help("say it in `@schema` comments of values.yaml, or give --force to lose it").into());
    }
    let file = BTreeMap::from([(path.to_path_buf(), text.to_owned())]);
    write_all(&file, &shown)?;
    streams.note(&format!("wrote {shown}"))?;
    Ok(ExitStatus::Clean)
}
