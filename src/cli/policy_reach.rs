//! `plimsoll policy reach`: who can read which Secret.

use super::target_args::TargetArgs;
use super::{Stop, Streams};
use crate::check;
use crate::gate::ExitStatus;
use crate::project::Project;
use crate::report::reach::{Filter, Format, Reach};

/// Show who can read which Secret, and which lines make it so
///
/// Each chart is a release; several are looked at together. What is in none of them (roles, other pods, who is in a
/// group) is not known here.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// How the graph is printed
    #[arg(long, value_enum, default_value_t, help_heading = "Graph")]
    format: Format,
    /// Show only ways to this Secret, by its name or namespace/name
    #[arg(long, value_name = "NAME", help_heading = "Graph")]
    secret: Option<String>,
    /// Show only what this container, object, ServiceAccount, user or group reaches
    #[arg(long, value_name = "NAME", help_heading = "Graph")]
    who: Option<String>,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let destination = args.target.destination(&Project::default())?;
    args.target.with(&destination, streams, |subjects, streams| {
        let filter = Filter { secret: args.secret.as_deref(), who: args.who.as_deref() };
        check::reach(subjects, |graph, locate| {
            let reach = Reach::new(graph, locate, filter);
            reach.write(args.format, streams.stdout_style, streams.stdout)
        })??;
        Ok(ExitStatus::Clean)
    })
}
