//! `plimsoll policy`: what is checked, and whether the policies themselves hold what they promise.

use std::path::PathBuf;

use super::select_args::{catalogue, fault, find};
use super::{Stop, Streams};
use super::{policy_export, policy_text};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::policy::examples::Examples;
use crate::policy::{Catalogue, Profile};

/// Show policies, test them on their examples, and export them to clusters
#[derive(Debug, clap::Subcommand)]
pub(super) enum Args {
    /// List all policies
    List {
        /// How
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// List only what belongs to this profile (repeatable)
        #[arg(long, value_enum, value_name = "NAME")]
        profile: Vec<Profile>,
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
    /// Run policies on their examples
    Test {
        /// Folders of policies of one's own, each with examples in NAME.test.yaml; the built-in ones where left out
        folders: Vec<PathBuf>,
    },
    Export(policy_export::Args),
}

/// A format of the list.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(super) enum Format {
    /// A line each
    #[default]
    Text,
    /// What docs/policies.md holds
    Markdown,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    match args {
        Args::List { format, profile, policies } => {
            let catalogue = catalogue(policies)?;
            let listed = catalogue.policies();
            let listed =
                listed.filter(|policy| profile.is_empty() || profile.iter().any(|profile| profile.has(policy)));
            let listed: Vec<_> = listed.collect();
            let text = match format {
                Format::Text => policy_text::list(&listed),
                Format::Markdown => policy_text::markdown(&listed),
            };
            streams.stdout.write_all(text.as_bytes())?;
            Ok(ExitStatus::Clean)
        }
        Args::Explain { id, policies } => {
            let catalogue = catalogue(policies)?;
            let texts = find(&catalogue, id)?.into_iter().map(policy_text::explain);
            let texts = texts.collect::<Result<Vec<_>, _>>().map_err(fault)?;
            streams.stdout.write_all(texts.join("\n").as_bytes())?;
            Ok(ExitStatus::Clean)
        }
        Args::Test { folders } => test(folders, streams),
        Args::Export(args) => policy_export::run(args, streams),
    }
}

/// Runs every example. A policy without examples of both kinds fails: nobody knows what it does.
fn test(folders: &[PathBuf], streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let mut catalogue = Catalogue::default();
    for folder in folders {
        catalogue.add_folder(folder).map_err(fault)?;
    }
    if folders.is_empty() {
        catalogue = Catalogue::builtin().map_err(fault)?;
    }
    let (mut passed, mut failed) = (0, 0);
    for entry in catalogue.entries() {
        let policy = &entry.policy;
        policy.check().map_err(fault)?;
        let Some(file) = &entry.examples else {
            writeln!(streams.stdout, "{}: has no examples: write {0}.test.yaml", policy.id)?;
            failed += 1;
            continue;
        };
        let examples = Examples::read(file).map_err(fault)?;
        let mismatches = examples.run(policy).map_err(fault)?;
        for mismatch in &mismatches {
            writeln!(streams.stdout, "{mismatch}")?;
        }
        failed += mismatches.len();
        passed += (examples.pass.len() + examples.fail.len()).saturating_sub(mismatches.len());
        if examples.pass.is_empty() || examples.fail.is_empty() {
            writeln!(streams.stdout, "{}: needs an example that passes and one that fails", policy.id)?;
            failed += 1;
        }
    }
    if passed + failed == 0 {
        return Err(Fault::new("there are no policies to test").into());
    }
    writeln!(streams.stdout, "{passed} passed, {failed} failed")?;
    Ok(if failed == 0 { ExitStatus::Clean } else { ExitStatus::Refused })
}
