//! The arguments that say how findings are judged and printed.

use std::mem::ManuallyDrop;
use std::time::Instant;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::output_args::OutputArgs;
use super::schema_args::SchemaArgs;
use super::select_args::SelectArgs;
use super::{Stop, Streams};
use crate::check::{self, Rules, Subject};
use crate::gate::{self, ExitStatus, FailOn};
use crate::policy::exemption::{self, Honoured};
use crate::project::Project;
use crate::schema::Minor;

/// Which policies, and what becomes of their findings.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Check")]
pub(super) struct CheckArgs {
    #[command(flatten)]
    output: OutputArgs,
    /// The least severity that refuses
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    fail_on: FailOn,
    /// Which exemptions count; `all` where plimsoll.yaml says no other
    #[arg(long, value_enum, value_name = "WHOSE")]
    exemptions: Option<Honoured>,
    /// The day on which exemptions hold or are expired: 2026-12-31; today (UTC) where left out
    #[arg(long, value_name = "DATE", value_parser = exemption::date)]
    today: Option<Date>,

    #[command(flatten)]
    schemas: SchemaArgs,
    #[command(flatten)]
    select: SelectArgs,
}

impl CheckArgs {
    /// What the project file says.
    pub(super) fn project(&self) -> Result<Project, Stop> {
        self.select.project()
    }

    /// Checks, prints and judges.
    pub(super) fn run(
        &self,
        subjects: &[Subject<'_>],
        project: &Project,
        version: Option<Minor>,
        streams: &mut Streams<'_>,
    ) -> Result<ExitStatus, Stop> {
        self.output.check()?;
        let start = Instant::now();
        // The process ends with this: to give back every policy by itself would take as long as to read some.
        let catalogue = ManuallyDrop::new(self.select.catalogue(project)?);
        let rules = Rules {
            chosen: self.select.choose(project, &catalogue, self.schemas.are_left_out())?,
            schemas: self.schemas.read(project, version)?,
            exemptions: &project.exemptions,
            honoured: self.exemptions.unwrap_or(project.honoured),
            today: self.today.unwrap_or_else(|| Timestamp::now().to_zoned(TimeZone::UTC).date()),
        };
        streams.took("read policies and schemas", start.elapsed())?;
        let start = Instant::now();
        let report = check::lint(subjects, &rules)?;
        streams.took("checked", start.elapsed())?;
        self.output.write(&report, streams)?;
        Ok(gate::judge(&report, self.fail_on))
    }
}
