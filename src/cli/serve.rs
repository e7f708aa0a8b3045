//! `plimsoll serve`: the webhook that an API server asks before it stores an object.

use std::io;
use std::net::SocketAddr;
use std::panic;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer, Registry, fmt};

use super::cluster_args::kube_version;
use super::connect_args::timeout;
use super::select_args::SelectArgs;
use super::{Stop, Streams, judge};
use crate::admission::Judge;
use crate::chart::{Capabilities, KubeVersion};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::policy::exemption::Honoured;
use crate::project::Project;
use crate::serve::{self, Config, Files, Limits, Loaded, Review, Shutdown};

/// Answer the reviews of a ValidatingWebhookConfiguration
///
/// Serves POST /validate over HTTPS, and /healthz, /readyz and /metrics over plain HTTP, until it gets SIGTERM. Policies,
/// exemptions and certificates are read again when their files change; what cannot be used leaves those before it in
/// place. Policies that need more than one object are left out: the log names them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where reviews are asked for
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:8443", help_heading = "Server")]
    address: SocketAddr,
    /// Where health and metrics are asked for
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:8080", help_heading = "Server")]
    health_address: SocketAddr,
    /// The server's certificate, and those between it and its authority, in PEM form
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    tls_cert: PathBuf,
    /// The certificate's private key, in PEM form
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    tls_key: PathBuf,
    /// Serve only clients with a certificate of these authorities, in PEM form
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    client_ca: Option<PathBuf>,

    /// The most bytes of a request: two objects of the 3 MiB that the API server takes, and what is around them
    #[arg(long, value_name = "N", default_value_t = 7 << 20, help_heading = "Limits")]
    max_request_bytes: u32,
    /// The most connections at once; others wait
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Limits")]
    max_connections: u16,
    /// How long a client may take for the TLS handshake, for its first request's headers, and for a body
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = timeout, help_heading = "Limits")]
    read_timeout: Duration,
    /// How long a review may take, where the API server waits no less
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = timeout, help_heading = "Limits")]
    review_timeout: Duration,
    /// How long to serve on when asked to end, as not ready: until nobody sends requests here any more
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = timeout, help_heading = "Limits")]
    shutdown_delay: Duration,
    /// How long the requests that are left may take then
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = timeout, help_heading = "Limits")]
    shutdown_timeout: Duration,

    /// What is logged: with `info` a line for each review
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL", help_heading = "Log")]
    log_level: Level,
    /// The form of the log, which goes to standard error
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Log")]
    log_format: LogFormat,

    /// Which exemptions count; those of plimsoll.yaml where left out, for whoever creates an object writes its annotations
    #[arg(long, value_enum, value_name = "WHOSE", help_heading = "Policies")]
    exemptions: Option<Honoured>,
    /// The Kubernetes version of the cluster, for policies that depend on it
    #[arg(long, value_name = "VERSION", help_heading = "Policies")]
    kube_version: Option<String>,
    #[command(flatten)]
    select: SelectArgs,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Level {
    /// What does not work
    Error,
    /// What will not work soon, and requests that get no review
    Warn,
    /// Every review
    #[default]
    Info,
    /// Connections that end badly
    Debug,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum LogFormat {
    /// A JSON object a line
    #[default]
    Json,
    /// For people
    Text,
}

pub(super) fn run(args: &Args, _: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    log(args.log_level, args.log_format);
    let config = Config {
        address: args.address,
        health: args.health_address,
        certificate: Files {
            certificate: args.tls_cert.clone(),
            key: args.tls_key.clone(),
            client_authorities: args.client_ca.clone(),
        },
        limits: Limits {
            request_bytes: args.max_request_bytes as usize,
            connections: args.max_connections.into(),
            read: args.read_timeout,
            review: args.review_timeout,
        },
        shutdown: Shutdown { delay: args.shutdown_delay, timeout: args.shutdown_timeout },
    };
    // A flag that is wrong now is wrong for good.
    let version = args.kube_version.as_deref().map(kube_version).transpose()?;
    let rules = Rules { select: args.select.clone(), exemptions: args.exemptions, version };
    serve::run(&config, Box::new(move || rules.load()))?;
    Ok(ExitStatus::Clean)
}

/// What objects are held to, as flags say it.
struct Rules {
    select: SelectArgs,
    exemptions: Option<Honoured>,
    version: Option<KubeVersion>,
}

impl Rules {
    /// Reads it, with all files that it is in.
    fn load(&self) -> Loaded {
        let mut files: Vec<PathBuf> = self.select.possible_project_file().map(Into::into).into_iter().collect();
        files.extend_from_slice(self.select.folders());
        let project = match self.select.project() {
            Ok(project) => project,
            Err(stop) => return Loaded { files, judge: Err(faults(stop)) },
        };
        files.extend_from_slice(&project.folders);
        let judge = self.judge(&project).map(|judge| Arc::new(judge) as Arc<dyn Review>);
        Loaded { files, judge: judge.map_err(faults) }
    }

    fn judge(&self, project: &Project) -> Result<Judge, Stop> {
        let version = self.version.clone().or(project.kube_version.clone());
        let version = version.unwrap_or(Capabilities::default().kube_version);
        let honoured = judge::honoured(self.exemptions, project);
        judge::judge(&self.select, project, &version, honoured, false)
    }
}

fn faults(stop: Stop) -> Vec<Fault> {
    match stop {
        Stop::Faults(faults) => faults,
        Stop::Io(error) => vec![Fault::new(error.to_string())],
    }
}

/// Logs to standard error what this program says itself: libraries would log what comes over connections.
fn log(level: Level, format: LogFormat) {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Json => Box::new(lines.json().flatten_event(true).with_current_span(false).with_span_list(false)),
        LogFormat::Text => Box::new(lines),
    };
    let own = Targets::new().with_target(env!("CARGO_PKG_NAME"), level);
    // Only the first one counts: a process serves once.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(lines.with_filter(own)));
    // The message of a panic may hold what was being looked at, which may be a Secret.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a bug of plimsoll: panicked");
    }));
}
