//! `plimsoll schema export`: JSON Schemas of the program's own files, for editors.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use super::{Stop, Streams};
use crate::finding::Fault;
use crate::gate::ExitStatus;

/// Write the JSON Schemas of the program's own files, with which editors complete and check them
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which schema; where left out all of them, into the folder of --output
    #[arg(value_enum, required_unless_present = "output")]
    name: Option<Name>,
    /// Write to this file or into this folder; to standard output where left out
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
}

/// A schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// The project file, plimsoll.yaml
    Project,
    /// Policy files
    Policy,
    /// Examples of policies, NAME.test.yaml
    PolicyExamples,
    /// The baseline, plimsoll-baseline.yaml
    Baseline,
    /// Findings: --format json
    Findings,
    /// What `diff --format json` prints
    Delta,
    /// What `policy reach --format json` prints
    Reach,
    /// What `schema unused --format json` prints
    Unused,
}

impl Name {
    /// The name of its file in `schemas/`, and the text.
    fn file(self) -> (&'static str, &'static str) {
        macro_rules! file {
            ($name:literal) => {
                ($name, include_str!(concat!("../../schemas/", $name)))
            };
        }
        match self {
            Self::Project => file!("plimsoll.schema.json"),
            Self::Policy => file!("policy.schema.json"),
            Self::PolicyExamples => file!("policy-examples.schema.json"),
            Self::Baseline => file!("baseline.schema.json"),
            Self::Findings => file!("findings.schema.json"),
            Self::Delta => file!("delta.schema.json"),
            Self::Reach => file!("reach.schema.json"),
            Self::Unused => file!("unused.schema.json"),
        }
    }
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    match (args.name, &args.output) {
        (Some(name), None) => streams.stdout.write_all(name.file().1.as_bytes())?,
        (Some(name), Some(path)) if !path.is_dir() => write(path, name)?,
        (name, Some(folder)) => {
            fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
            for name in Name::value_variants().iter().filter(|known| name.is_none_or(|name| name == **known)) {
                write(&folder.join(name.file().0), *name)?;
            }
        }
        // clap asks for one of them.
        (None, None) => {}
    }
    Ok(ExitStatus::Clean)
}

fn write(path: &Path, name: Name) -> Result<(), Fault> {
    fs::write(path, name.file().1).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(format!("{} could not be written: {error}", path.display()))
}
