//! `plimsoll schema`: the schemas of charts' values, and those of the program's own files.

use super::{Stop, Streams, schema_export, schema_infer, schema_unused};
use crate::gate::ExitStatus;

/// Hold a chart's values, their schema and its templates against each other; write JSON Schemas for editors
#[derive(Debug, clap::Subcommand)]
pub(super) enum Args {
    Infer(schema_infer::Args),
    Unused(schema_unused::Args),
    Export(schema_export::Args),
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    match args {
        Args::Infer(args) => schema_infer::run(args, streams),
        Args::Unused(args) => schema_unused::run(args, streams),
        Args::Export(args) => schema_export::run(args, streams),
    }
}
