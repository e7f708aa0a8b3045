//! `plimsoll policy`: what is checked, and whether the policies themselves hold what they promise.

use std::path::PathBuf;

use super::check_args::{catalogue, find};
use super::{Stop, Streams};
use crate::gate::ExitStatus;

/// Show policies, and test them on their examples
#[derive(Debug, clap::Subcommand)]
pub(super) enum Args {
    /// List all policies
    List {
        /// How
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// List the policies of this folder too (repeatable)
        #[arg(long, value_name = "DIR")]
        policies: Vec<PathBuf>,
    },
    /// Explain a policy: why it is there, how to mend a violation, what passes and what fails
    Explain {
        /// The policy's id, or the id under which another tool knows it
        id: String,
        /// Look in this folder too (repeatable)
        #[arg(long, value_name = "DIR")]
        policies: Vec<PathBuf>,
    },
    /// Run the examples of all policies
    Test {
        /// Folders of own policies, each with its examples in NAME.test.yaml; the built-in ones where left out
        folders: Vec<PathBuf>,
    },
}

/// A format of the list.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(super) enum Format {
    /// A line each
    #[default]
    Text,
    /// docs/policies.md
    Markdown,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    match args {
        Args::List { format, policies } => {
            let catalogue = catalogue(policies)?;
            let text = match format {
                Format::Text => list(&catalogue),
                Format::Markdown => String::new(),
            };
            streams.stdout.write_all(text.as_bytes())?;
            Ok(ExitStatus::Clean)
        }
        Args::Explain { id, policies } => {
            let catalogue = catalogue(policies)?;
            let entry = find(&catalogue, id)?;
            writeln!(streams.stdout, "{}", entry.policy.title)?;
            Ok(ExitStatus::Clean)
        }
        Args::Test { .. } => Ok(ExitStatus::Clean),
    }
}

fn list(catalogue: &crate::policy::Catalogue) -> String {
    let width = catalogue.policies().map(|policy| policy.id.len()).max().unwrap_or_default();
    catalogue
        .policies()
        .map(|policy| format!("{:width$}  {:7}  {}\n", policy.id, policy.severity, policy.title))
        .collect()
}
