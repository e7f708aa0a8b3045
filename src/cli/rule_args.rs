//! The arguments that say what releases are held to, and what refuses.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::schema_args::SchemaArgs;
use super::select_args::SelectArgs;
use super::{Stop, judge};
use crate::admission::Judge;
use crate::chart::Capabilities;
use crate::check::Rules;
use crate::committed::Drift;
use crate::delta::Delta;
use crate::finding::Report;
use crate::gate::{self, ExitStatus, FailOn};
use crate::policy::exemption::{self, Honoured};
use crate::policy::{Catalogue, Chosen, Profile};
use crate::project::Project;
use crate::schema::Minor;

/// Which policies and schemas, and which of their findings count.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Check")]
pub(super) struct RuleArgs {
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
    pub select: SelectArgs,
}

impl RuleArgs {
    /// Judges a report.
    pub(super) fn judge(&self, report: &Report) -> ExitStatus {
        gate::judge(report, self.fail_on)
    }

    /// Judges committed manifests.
    pub(super) fn judge_drift(&self, drifts: &[Drift]) -> ExitStatus {
        gate::judge_drift(drifts, self.fail_on)
    }

    /// Judges what a change does.
    pub(super) fn judge_delta(&self, delta: &Delta) -> ExitStatus {
        gate::judge_delta(delta, self.fail_on)
    }

    /// Whether it is the project alone that says what is evaluated.
    pub(super) fn are_the_projects(&self) -> bool {
        self.select.is_the_projects() && !self.schemas.are_left_out()
    }

    /// All policies, as the project and the flags set them.
    pub(super) fn catalogue(&self, project: &Project) -> Result<Catalogue, Stop> {
        self.select.catalogue(project)
    }

    /// The policies that releases with these profiles are held to; the project's profiles where there are none.
    pub(super) fn choose<'c>(
        &self,
        project: &Project,
        profiles: Option<&[Profile]>,
        catalogue: &'c Catalogue,
    ) -> Result<Chosen<'c>, Stop> {
        self.select.choose(project, profiles, catalogue, self.schemas.are_left_out())
    }

    /// What releases are held to, those that are meant for this version of Kubernetes.
    pub(super) fn rules<'a>(
        &self,
        project: &'a Project,
        chosen: Chosen<'a>,
        version: Option<Minor>,
    ) -> Result<Rules<'a>, Stop> {
        Ok(Rules {
            chosen,
            schemas: self.schemas.read(project, version)?,
            exemptions: &project.exemptions,
            honoured: self.exemptions.unwrap_or(project.honoured),
            today: self.today(),
        })
    }

    /// The day on which exemptions hold or are expired.
    pub(super) fn today(&self) -> Date {
        self.today.unwrap_or_else(|| Timestamp::now().to_zoned(TimeZone::UTC).date())
    }

    /// Which exemptions count at the door of a cluster.
    pub(super) fn honoured_at_admission(&self, project: &Project) -> Honoured {
        judge::honoured(self.exemptions, project)
    }

    /// The policies that are asked at the door of a cluster.
    pub(super) fn admission(&self, project: &Project, capabilities: &Capabilities) -> Result<Judge, Stop> {
        let (version, honoured) = (&capabilities.kube_version, self.honoured_at_admission(project));
        judge::judge(&self.select, project, version, honoured, self.schemas.are_left_out())
    }
}
