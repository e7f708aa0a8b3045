//! The way to a cluster: kubeconfig, context, and the runtime that requests run on.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::lookup::Objects;
use super::{Api, Error, kubeconfig};
use crate::chart::{Capabilities, KubeVersion};
use crate::render::host::Lookup;
use crate::signals::Signals;

/// Which cluster is meant, as kubectl takes it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The kubeconfig; where there is none, what `KUBECONFIG` names, `~/.kube/config`, or the account of the Pod that this is.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; its current one where there is none.
    pub context: Option<String>,
    /// How long one request may take; any time where there is none.
    pub request_timeout: Option<Duration>,
}

/// A connection to a cluster, with the threads that its requests run on.
pub struct Cluster {
    runtime: Arc<Runtime>,
    api: Api,
    context: String,
    version: KubeVersion,
    objects: Arc<dyn Lookup>,
    heeds_interrupts: Arc<AtomicBool>,
}

impl Cluster {
    /// Reads the kubeconfig and asks the server for its version and its resources.
    ///
    /// # Errors
    /// No kubeconfig, no such context, credentials that are refused, a server that is not there or is not trusted.
    pub fn connect(target: &Target) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Error::runtime)?;
        let heeds_interrupts = Arc::new(AtomicBool::new(true));
        let (api, context, version) = runtime.block_on(async {
            let (config, place) = kubeconfig::read(target).await?;
            let context = place.context.clone().unwrap_or_else(|| config.cluster_url.to_string());
            let mut interrupts = interrupts(heeds_interrupts.clone());
            let api = Api::open(config, place, target.request_timeout, interrupts.clone());
            let api = tokio::select! {
                biased;
                Ok(_) = interrupts.wait_for(|is_interrupted| *is_interrupted) => return Err(Error::interrupted()),
                api = api => api?,
            };
            let version = api.version().await?;
            Ok::<_, Error>((api, context, version))
        })?;
        let runtime = Arc::new(runtime);
        let objects = Arc::new(Objects::new(runtime.clone(), api.clone()));
        Ok(Self { runtime, api, context, version, objects, heeds_interrupts })
    }

    /// What templates see in `.Capabilities`: the server's version, and what it has as of the last
    /// [`Api::refresh`].
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            kube_version: self.version.clone(),
            api_versions: self.api.resources().api_versions().map(str::to_owned).collect(),
            ..Capabilities::default()
        }
    }

    /// What templates ask by `lookup`. Not to be asked within [`run`](Self::run).
    pub fn objects(&self) -> Arc<dyn Lookup> {
        self.objects.clone()
    }

    /// Its API, to be used within [`run`](Self::run).
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// What the cluster is called: its context, or where its server is.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Lets Ctrl-C end the process at once: for those who only read, and so leave nothing half done.
    pub fn end_at_interrupt(&self) {
        self.heeds_interrupts.store(false, Ordering::Relaxed);
    }

    /// Waits for some work.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Turns true at the first Ctrl-C or SIGTERM; a second one, or the first that nobody heeds, ends the process.
fn interrupts(are_heeded: Arc<AtomicBool>) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let Ok(mut signals) = Signals::new() else { return };
        while signals.recv().await.is_ok() {
            if !are_heeded.load(Ordering::Relaxed) || sender.send_replace(true) {
                std::process::exit(130);
            }
        }
    });
    receiver
}
