//! `plimsoll schema`: the schemas of a chart's values.

use super::schema_unused;
use super::{Stop, Streams};
use crate::gate::ExitStatus;

/// Hold a chart's values and its templates against each other
#[derive(Debug, clap::Subcommand)]
pub(super) enum Args {
    Unused(schema_unused::Args),
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    match args {
        Args::Unused(args) => schema_unused::run(args, streams),
    }
}
