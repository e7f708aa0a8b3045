//! The arguments that say how findings are judged and printed.

use std::path::PathBuf;

use crate::gate::FailOn;
use crate::report::Format;

/// Which policies, and what becomes of their findings.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Check")]
pub(super) struct CheckArgs {
    /// How findings are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The least severity that refuses
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// Evaluate the policies of this folder too (repeatable)
    #[arg(long, value_name = "DIR")]
    pub policies: Vec<PathBuf>,
    /// Evaluate only this policy (repeatable)
    #[arg(long, value_name = "ID")]
    pub policy: Vec<String>,
}
