//! The arguments that say how findings are judged and printed.

use std::path::PathBuf;

use super::{Stop, Streams};
use crate::check::{self, Subject};
use crate::finding::Fault;
use crate::gate::{self, ExitStatus, FailOn};
use crate::policy::{self, Catalogue, Policy};
use crate::report::{self, Format};

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

impl CheckArgs {
    /// Checks, prints and judges.
    pub(super) fn run(&self, subject: &Subject<'_>, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
        let catalogue = catalogue(&self.policies)?;
        let report = check::lint(subject, &self.select(&catalogue)?)?;
        report::write(&report, self.format, streams.stdout_style, streams.stdout)?;
        Ok(gate::judge(&report, self.fail_on))
    }

    fn select<'c>(&self, catalogue: &'c Catalogue) -> Result<Vec<&'c Policy>, Stop> {
        if self.policy.is_empty() {
            return Ok(catalogue.policies().collect());
        }
        self.policy.iter().map(|id| Ok(&find(catalogue, id)?.policy)).collect()
    }
}

/// The built-in policies and those of further folders.
pub(super) fn catalogue(folders: &[PathBuf]) -> Result<Catalogue, Stop> {
    let mut catalogue = Catalogue::builtin().map_err(fault)?;
    for folder in folders {
        catalogue.add_folder(folder).map_err(fault)?;
    }
    Ok(catalogue)
}

/// The policy of an id.
pub(super) fn find<'c>(catalogue: &'c Catalogue, id: &str) -> Result<&'c policy::Entry, Stop> {
    catalogue.find(id).ok_or_else(|| {
        let fault = Fault::new(format!("there is no policy {id:?}"));
        fault.help("`plimsoll policy list` names them all").into()
    })
}

pub(super) fn fault(error: policy::Error) -> Fault {
    Fault::new(error.to_string()).label(error.location, "here")
}
