//! The command line: one file a subcommand, its arguments and its `run`.

mod admit;
mod apply;
mod chart_args;
mod check;
mod check_args;
mod cluster_args;
mod confirm;
mod connect_args;
mod deps;
mod diff;
mod files;
mod ignored_args;
mod init;
mod judge;
mod lint;
mod linters;
mod live;
mod man;
mod manifests;
mod output_args;
mod policy;
mod policy_docs;
mod policy_export;
mod policy_reach;
mod policy_text;
mod post_render;
mod progress;
mod pruned;
mod releases;
mod render;
mod rule_args;
mod schema;
mod schema_args;
mod schema_export;
mod schema_infer;
mod schema_unused;
mod select_args;
mod serve;
mod streams;
mod target_args;
mod uninstall;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use streams::{Streams, Verbosity};
use streams::{UntilClosed, VerbosityArgs};

use crate::cluster;
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::report;

/// Renders Kubernetes charts and refuses unsafe ones.
///
/// Exit status: 0 all is well; 1 something was refused; 2 the work could not be done, which never counts as a pass.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    verbosity: VerbosityArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Render(render::Args),
    Lint(lint::Args),
    Check(check::Args),
    Diff(diff::Args),
    Apply(apply::Args),
    Deps(deps::Args),
    #[command(subcommand)]
    Policy(policy::Args),
    #[command(subcommand)]
    Schema(schema::Args),
    Uninstall(uninstall::Args),
    PostRender(post_render::Args),
    Serve(Box<serve::Args>),
    Admit(admit::Args),
    Init(init::Args),
    Completions(CompletionArgs),
    Man(man::Args),
}

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
struct CompletionArgs {
    /// The shell
    shell: clap_complete::Shell,
}

/// Why a command ends without a verdict.
enum Stop {
    /// What it was asked for could not be done.
    Faults(Vec<Fault>),
    /// Its output could not be written.
    Io(io::Error),
}

/// All commands with their arguments and help: what is parsed, completed, and written as manual pages.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The same under the name that the program was called by: kubectl runs `kubectl-plimsoll` for `kubectl plimsoll`.
fn called(program: Option<&OsString>) -> clap::Command {
    let name = program.and_then(|program| Path::new(program).file_stem());
    if name.is_some_and(|name| name == "kubectl-plimsoll") { command().bin_name("kubectl plimsoll") } else { command() }
}

/// Runs the program with its arguments, the program's name first.
pub fn run(args: impl IntoIterator<Item = OsString>, streams: &mut Streams<'_>) -> ExitStatus {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut command = called(args.first());
    let matches = command.try_get_matches_from_mut(args).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match matches {
        Ok(cli) => cli,
        Err(error) => return usage(&error.format(&mut command), streams),
    };
    let streams = &mut Streams {
        stdin: streams.stdin,
        stdout: &mut UntilClosed::new(streams.stdout),
        stderr: &mut UntilClosed::new(streams.stderr),
        stdout_style: streams.stdout_style,
        stderr_style: streams.stderr_style,
        verbosity: cli.verbosity.verbosity(),
        is_watched: streams.is_watched,
        is_attended: streams.is_attended,
    };
    let outcome = match cli.command {
        Command::Render(args) => render::run(&args, streams),
        Command::Lint(args) => lint::run(&args, streams),
        Command::Check(args) => check::run(&args, streams),
        Command::Diff(args) => diff::run(&args, streams),
        Command::Apply(args) => apply::run(&args, streams),
        Command::Deps(args) => deps::run(&args, streams),
        Command::Policy(args) => policy::run(&args, streams),
        Command::Schema(args) => schema::run(&args, streams),
        Command::Uninstall(args) => uninstall::run(&args, streams),
        Command::PostRender(args) => post_render::run(&args, streams),
        Command::Serve(args) => serve::run(&args, streams),
        Command::Admit(args) => admit::run(&args, streams),
        Command::Init(args) => init::run(&args, streams),
        Command::Man(args) => man::run(&args, streams),
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut self::command(), "plimsoll", &mut script);
            streams.stdout.write_all(&script).map(|()| ExitStatus::Clean).map_err(Stop::Io)
        }
    };
    let outcome = outcome.and_then(|status| Ok(streams.stdout.flush().map(|()| status)?));
    match outcome {
        Ok(status) => status,
        Err(Stop::Faults(faults)) => {
            // Where standard error is closed too, the exit status is all that can be said.
            let style = streams.stderr_style;
            let _ = streams.aside().and_then(|stderr| report::write_faults(&faults, style, stderr));
            ExitStatus::Failed
        }
        Err(Stop::Io(error)) => {
            let _ = writeln!(streams.stderr, "error: the output could not be written: {error}");
            ExitStatus::Failed
        }
    }
}

/// `--help` and `--version` are results; anything else that clap says is bad usage.
fn usage(error: &clap::Error, streams: &mut Streams<'_>) -> ExitStatus {
    let text = error.render();
    let _ = if error.use_stderr() { write!(streams.stderr, "{text}") } else { write!(streams.stdout, "{text}") };
    if error.use_stderr() { ExitStatus::Failed } else { ExitStatus::Clean }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Vec<Fault>> for Stop {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Faults(faults)
    }
}

impl From<cluster::Error> for Stop {
    fn from(error: cluster::Error) -> Self {
        Fault::from(error).into()
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Faults(vec![fault])
    }
}
