//! `plimsoll schema`: the schemas of charts.

use super::{Stop, Streams, schema_infer};
use crate::gate::ExitStatus;

/// Infer the schema of a chart's values
#[derive(Debug, clap::Subcommand)]
pub(super) enum Args {
    Infer(schema_infer::Args),
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    match args {
        Args::Infer(args) => schema_infer::run(args, streams),
    }
}
