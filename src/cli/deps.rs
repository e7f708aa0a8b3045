//! `plimsoll deps`: the only command that asks remote repositories.

use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Stop, Streams};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::repository::{self, Login, Network, Options, Outcome};

/// The longest password or token, in bytes.
const MAX_PASSWORD: u64 = 64 << 10;

/// Get the charts that a chart depends on into charts/
///
/// Of each dependency in Chart.yaml (or requirements.yaml) the newest version that fits is taken from its repository:
/// https://… (a chart repository), oci://… (a registry), file://../folder (packaged), or none (already in charts/).
/// Chart.lock says afterwards which versions these are. Either everything changes, or nothing does.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the chart
    chart: PathBuf,
    /// Take exactly the versions of Chart.lock, and fail if it does not fit Chart.yaml
    #[arg(long)]
    locked: bool,
    /// Speak http instead of https with registries (oci://)
    #[arg(long, help_heading = "Network")]
    plain_http: bool,
    /// Trust the certificates in this PEM file, instead of Mozilla's
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    ca_file: Option<PathBuf>,
    /// The server that gets to see the user name and password: host, or host:port
    #[arg(long, value_name = "HOST", requires = "username", help_heading = "Network")]
    login: Option<String>,
    /// The user name for that server
    #[arg(long, value_name = "NAME", requires_all = ["login", "password_stdin"], help_heading = "Network")]
    username: Option<String>,
    /// Read the password or token for that server from standard input
    #[arg(long, requires = "username", help_heading = "Network")]
    password_stdin: bool,
    /// Give up on a request after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400), help_heading = "Network")]
    timeout: u64,
}

/// Updates a chart's dependencies and prints what changed.
pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let roots = match &args.ca_file {
        Some(path) => Some(std::fs::read(path).map_err(|error| Fault::new(format!("{}: {error}", path.display())))?),
        None => None,
    };
    let login = match (&args.login, &args.username) {
        (Some(host), Some(username)) => {
            let password = read_password(&mut streams.stdin)?;
            Some(Login { host: host.clone(), username: username.clone(), password })
        }
        _ => None,
    };
    let network = Network { plain_http: args.plain_http, roots, login, timeout: Duration::from_secs(args.timeout) };
    let options = Options { locked: args.locked, network: Some(network), now: SystemTime::now() };
    let outcome = repository::update(&args.chart, &options).map_err(|error| fault(&error))?;
    if !streams.is_quiet() {
        print(&outcome, streams)?;
    }
    Ok(ExitStatus::Clean)
}

fn print(outcome: &Outcome, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let out = &mut streams.stdout;
    for saved in &outcome.saved {
        writeln!(out, "charts/{} from {}", saved.file, saved.repository)?;
    }
    for name in &outcome.vendored {
        writeln!(out, "{name} was in charts/ already")?;
    }
    for name in &outcome.removed {
        writeln!(out, "charts/{name} removed")?;
    }
    match outcome.lock {
        Some(name) => writeln!(out, "{name} written"),
        None if *outcome == Outcome::default() => writeln!(out, "no dependencies"),
        None => Ok(()),
    }
}

/// All of standard input but the newline at its end.
fn read_password(stdin: &mut dyn Read) -> Result<String, Stop> {
    let mut password = String::new();
    let read = stdin.take(MAX_PASSWORD + 1).read_to_string(&mut password);
    let read = read.map_err(|error| Fault::new(format!("no password on standard input: {error}")))?;
    if read as u64 > MAX_PASSWORD {
        return Err(Fault::new(format!("the password is longer than {MAX_PASSWORD} bytes")).into());
    }
    let password = password.strip_suffix('\n').unwrap_or(&password);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(Fault::new("no password on standard input").into());
    }
    Ok(password.to_string())
}

/// Says why the dependencies cannot be had, and what to do.
pub(super) fn fault(error: &repository::Error) -> Fault {
    let mut fault = Fault::new(error.to_string());
    if let Some(location) = error.location() {
        fault = fault.label(location, "here");
    }
    match error.help() {
        Some(help) => fault.help(help),
        None => fault,
    }
}
