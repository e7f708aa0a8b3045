//! The arguments that name a cluster to be asked: those of Helm and kubectl.

use std::path::PathBuf;
use std::time::Duration;

use super::Stop;
use crate::cluster::{Cluster, Target};
use crate::render::functions::duration;

/// Which cluster is asked, and how patiently.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(super) struct ConnectArgs {
    /// Ask the cluster of this context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    kube_context: Option<String>,
    /// Ask the cluster of this kubeconfig; without it, the files of KUBECONFIG or ~/.kube/config are read
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// How long one request may take: 500ms, 30s, 2m; 0 for any time
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = timeout)]
    request_timeout: Duration,
}

impl ConnectArgs {
    /// Whether a cluster is named: no other is ever asked by commands that need none.
    pub(super) fn is_named(&self) -> bool {
        self.kube_context.is_some() || self.kubeconfig.is_some()
    }

    /// Connects to it.
    pub(super) fn connect(&self) -> Result<Cluster, Stop> {
        let target = Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.kube_context.clone(),
            request_timeout: Some(self.request_timeout).filter(|timeout| !timeout.is_zero()),
        };
        Ok(Cluster::connect(&target)?)
    }
}

/// Reads a duration as Go does.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let nanoseconds = duration::parse(text).ok().and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
    nanoseconds.map(Duration::from_nanos).ok_or_else(|| "expected a time such as 500ms, 30s or 2m".to_owned())
}
