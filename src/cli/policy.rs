//! `plimsoll policy`: what is checked, and whether the policies themselves hold what they promise.

use std::path::PathBuf;

use super::select_args::{catalogue, fault, find};
use super::{Stop, Streams};
use super::{linters, policy_docs, policy_export, policy_reach, policy_text};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::policy::examples::Examples;
use crate::policy::{Catalogue, Policy, Profile};

/// Show policies, test them on their examples, export them to clusters, and show who can read which Secret
#[derive(Debug, clap::Subcommand)]
pub(super) enum Args {
    /// List all policies
    List {
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
    Reach(Box<policy_reach::Args>),
    /// Write the documentation of policies as Markdown: policies.md, a page for each (policies/ID.md), and linters.md
    Docs {
        /// The folder to write to
        folder: PathBuf,
        /// Policies of this folder in place of the built-in ones (repeatable)
        #[arg(long, value_name = "DIR")]
        policies: Vec<PathBuf>,
    },
    Export(Box<policy_export::Args>),
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    match args {
        Args::List { profile, policies } => {
            let catalogue = catalogue(policies)?;
            let in_profile = |policy: &&Policy| profile.is_empty() || profile.iter().any(|profile| profile.has(policy));
            let listed: Vec<&Policy> = catalogue.policies().filter(in_profile).collect();
            streams.stdout.write_all(policy_text::list(&listed).as_bytes())?;
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
        Args::Reach(args) => policy_reach::run(args, streams),
        Args::Docs { folder, policies } => {
            let catalogue = own(policies)?;
            let linters = policies.is_empty().then(|| linters::page(&catalogue)).transpose()?;
            policy_docs::write(&catalogue, linters.as_deref(), folder)?;
            Ok(ExitStatus::Clean)
        }
        Args::Export(args) => policy_export::run(args, streams),
    }
}

/// The policies of folders; the built-in ones where none is named.
fn own(folders: &[PathBuf]) -> Result<Catalogue, Stop> {
    let mut catalogue = Catalogue::default();
    for folder in folders {
        catalogue.add_folder(folder).map_err(fault)?;
    }
    Ok(if folders.is_empty() { Catalogue::builtin().map_err(fault)? } else { catalogue })
}

/// Runs every example. A policy without examples of both kinds fails: nobody knows what it does.
fn test(folders: &[PathBuf], streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let catalogue = own(folders)?;
    let (mut passed, mut failed) = (0, 0);
    for entry in catalogue.entries() {
        let policy = &entry.policy;
        policy.check().map_err(fault)?;
        let Some(file) = entry.examples() else {
            writeln!(streams.stdout, "{}: has no examples: write {0}.test.yaml", policy.id)?;
            failed += 1;
            continue;
        };
        let examples = Examples::read(&file).map_err(fault)?;
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
    if failed > 0 || !streams.is_quiet() {
        writeln!(streams.stdout, "{passed} passed, {failed} failed")?;
    }
    Ok(if failed == 0 { ExitStatus::Clean } else { ExitStatus::Refused })
}
