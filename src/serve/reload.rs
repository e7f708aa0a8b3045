//! What is read again when its files change; what was there stays where that fails.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::ServerConfig;
use tokio::sync::watch;

use super::certificate::{Age, Certificate, Files};
use super::files::Fingerprint;
use super::metrics::Metrics;
use super::{Load, Loaded, Review};
use crate::finding::Fault;
use crate::report::{Style, write_faults};

/// How often files are looked at. The kubelet brings what changed about once a minute.
pub(super) const INTERVAL: Duration = Duration::from_secs(2);

/// Policies and exemptions, and what they were read from.
pub(super) struct Policies {
    load: Load,
    files: Vec<PathBuf>,
    last: Fingerprint,
    judge: watch::Sender<Arc<dyn Review>>,
    metrics: Arc<Metrics>,
}

impl Policies {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn new(load: Load, metrics: Arc<Metrics>) -> Result<Self, Vec<Fault>> {
        let (last, loaded) = read(&load, Vec::new());
        let judge = loaded.judge?;
        tell(&*judge, &metrics);
        Ok(Self { load, files: loaded.files, last, judge: watch::Sender::new(judge), metrics })
    }

    /// Those of the moment.
    pub(super) fn current(&self) -> watch::Receiver<Arc<dyn Review>> {
        self.judge.subscribe()
    }

    /// Reads them again if their files have changed.
    pub(super) fn refresh(&mut self) {
        if Fingerprint::of(&self.files) == self.last {
            return;
        }
        let (last, loaded) = read(&self.load, std::mem::take(&mut self.files));
        (self.last, self.files) = (last, loaded.files);
        self.metrics.reloaded("policies", loaded.judge.is_ok());
        match loaded.judge {
            Ok(judge) => {
                tell(&*judge, &self.metrics);
                self.judge.send_replace(judge);
            }
            Err(faults) => {
                tracing::error!(error = text(&faults), "changed policies cannot be used: those before them stay");
            }
        }
    }
}

/// Says what objects are held to from now on.
fn tell(judge: &dyn Review, metrics: &Metrics) {
    metrics.policies.set(judge.policies() as i64);
    tracing::info!(policies = judge.policies(), "policies were read");
    let mut left_out: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for policy in judge.left_out() {
        left_out.entry(policy.why).or_default().push(&policy.policy);
    }
    for (why, policies) in left_out {
        tracing::info!(policies = policies.join(","), why, "left out");
    }
}

/// Reads policies, and what their files were before that: what changes meanwhile is seen the next time. Which files these
/// are is known only when they have been read, so where that is new it is done twice.
fn read(load: &Load, known: Vec<PathBuf>) -> (Fingerprint, Loaded) {
    let attempt = |files: &[PathBuf]| {
        let before = Fingerprint::of(files);
        let loaded = catch_unwind(AssertUnwindSafe(&**load)).unwrap_or_else(|_| Loaded {
            files: files.to_vec(),
            judge: Err(vec![Fault::new("the policies could not be read by a bug of plimsoll")]),
        });
        (before, loaded)
    };
    let (before, loaded) = attempt(&known);
    if loaded.files == known { (before, loaded) } else { attempt(&loaded.files) }
}

/// The certificate, and what it was read from.
pub(super) struct Tls {
    files: Files,
    last: Fingerprint,
    certificate: Certificate,
    age: Age,
    config: watch::Sender<Arc<ServerConfig>>,
    metrics: Arc<Metrics>,
}

impl Tls {
    /// Reads it for the first time.
    ///
    /// # Errors
    /// Why it cannot be served with.
    pub(super) fn new(files: Files, metrics: Arc<Metrics>) -> Result<Self, Fault> {
        let last = Fingerprint::of(&files.paths());
        let certificate = files.read(Timestamp::now())?;
        let config = watch::Sender::new(certificate.config.clone());
        let mut tls = Self { files, last, certificate, age: Age::Good, config, metrics };
        tls.tell_age();
        Ok(tls)
    }

    /// What connections begin with at the moment.
    pub(super) fn current(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.config.subscribe()
    }

    /// Reads it again if its files have changed, and says once when it gets old.
    pub(super) fn refresh(&mut self) {
        let now = Fingerprint::of(&self.files.paths());
        if now != self.last {
            self.last = now;
            let read = self.files.read(Timestamp::now());
            self.metrics.reloaded("certificate", read.is_ok());
            match read {
                Ok(certificate) => {
                    tracing::info!(expires = certificate.validity.until.to_string(), "a changed certificate was read");
                    self.config.send_replace(certificate.config.clone());
                    self.certificate = certificate;
                    self.age = Age::Good;
                }
                Err(error) => {
                    let error = text(&[error.into()]);
                    tracing::error!(error, "the changed certificate cannot be used: the one before it stays");
                }
            }
        }
        self.tell_age();
    }

    fn tell_age(&mut self) {
        self.metrics.expiry.set(self.certificate.validity.until.as_second());
        let age = self.certificate.age(Timestamp::now());
        if age == self.age {
            return;
        }
        self.age = age;
        let (from, until) = (self.certificate.validity.from.to_string(), self.certificate.validity.until.to_string());
        match age {
            Age::Good => tracing::info!(from, "the certificate holds now"),
            Age::Early => tracing::warn!(from, "the certificate does not hold yet"),
            Age::Late => tracing::warn!(expires = until, "the certificate expires soon and has not been renewed"),
            Age::Expired => {
                tracing::error!(expired = until, "the certificate has expired: the API server accepts it no more")
            }
        }
    }
}

/// Faults as the command line shows them.
fn text(faults: &[Fault]) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = write_faults(faults, Style::Plain, &mut out);
    String::from_utf8_lossy(&out).trim_end().to_owned()
}
