//! Getting the charts that a chart depends on: what `helm dependency update` and `helm dependency build` do.
//!
//! Source: Helm's `pkg/downloader/manager.go` and `internal/resolver/resolver.go`. Different from Helm: there is no list
//! of repositories and no cache; digests in indexes are checked; an archive must hold the chart that was asked for;
//! and either all archives and the lock file change, or nothing does.

mod address;
mod challenge;
mod digest;
mod error;
mod http;
mod index;
mod lock;
mod package;
mod registry;
mod sources;
mod stage;

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::chart::{self, Chart, Dependency, Lock};
use crate::semver::Version;
use crate::yaml;
use sources::Sources;
use stage::Stage;

pub use address::{Address, AddressError};
pub use digest::Digest;
pub use error::Error;
pub use http::{HttpError, Login};
pub use index::IndexError;
pub use package::{PackageError, package};
pub use registry::RegistryError;

/// The most bytes of an archive, as many as a chart may unpack to.
const MAX_ARCHIVE: u64 = chart::MAX_CHART_SIZE;

/// How dependencies are had.
#[derive(Debug)]
pub struct Options {
    /// Follow the lock file to the letter instead of looking for newer versions.
    pub locked: bool,
    /// How to reach remote repositories; `None` refuses them.
    pub network: Option<Network>,
    /// The time that is written into a new lock file.
    pub now: SystemTime,
}

/// How remote repositories are reached.
#[derive(Debug)]
pub struct Network {
    /// Speak `http` with registries (`oci://`).
    pub plain_http: bool,
    /// Certificates to trust instead of Mozilla's, in PEM form.
    pub roots: Option<Vec<u8>>,
    /// A name and password, and the only server to show them to.
    pub login: Option<Login>,
    /// The longest that one request may take.
    pub timeout: Duration,
}

/// What was changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Archives now in `charts/`, in the order of the dependencies.
    pub saved: Vec<Saved>,
    /// Dependencies that are in `charts/` without a repository.
    pub vendored: Vec<String>,
    /// Archives that were removed from `charts/`.
    pub removed: Vec<String>,
    /// The name of the lock file that was written; `None` if it says the same as before.
    pub lock: Option<&'static str>,
}

/// An archive in `charts/`.
#[derive(Debug, PartialEq, Eq)]
pub struct Saved {
    /// `common-1.2.3.tgz`
    pub file: String,
    /// Its repository, as written.
    pub repository: String,
}

/// Puts what a chart depends on into its `charts/`, and writes down in Chart.lock which versions these are.
pub fn update(folder: &Path, options: &Options) -> Result<Outcome, Error> {
    if !folder.is_dir() {
        return Err(Error::NotAFolder(folder.to_path_buf()));
    }
    let chart = chart::load(folder).map_err(Box::new)?;
    let wanted = &chart.metadata.dependencies;
    if wanted.is_empty() {
        return Ok(Outcome::default());
    }
    let lock_name = if is_v1(&chart) { "requirements.lock" } else { "Chart.lock" };
    let sources = Sources::new(folder, &chart, options.network.as_ref())?;
    let locked = if options.locked { follow_lock(&chart, lock_name)? } else { sources.resolve(wanted)? };

    let mut stage = Stage::new(folder, lock_name)?;
    let mut outcome = Outcome::default();
    for dependency in &locked {
        match sources.fetch(dependency)? {
            Some(archive) => save(&mut stage, dependency, &archive, &mut outcome)?,
            None => outcome.vendored.push(dependency.name.clone()),
        }
    }
    outcome.removed = outdated(&folder.join("charts"), &outcome)?;

    let digest = lock::digest(wanted, &locked).map_err(|error| Error::Digests(lock_name, error))?;
    let is_new = !options.locked && chart.lock.as_ref().is_none_or(|old| old.digest != digest);
    let text = if is_new {
        let lock = Lock { generated: lock::timestamp(options.now), digest, dependencies: locked };
        Some(yaml::to_yaml(&lock::to_value(&lock)).map_err(|error| Error::Lock(lock_name, error))?)
    } else {
        None
    };
    stage.commit(&outcome.removed, text.as_deref().map(|text| (lock_name, text)))?;
    outcome.lock = is_new.then_some(lock_name);
    Ok(outcome)
}

fn is_v1(chart: &Chart) -> bool {
    chart.metadata.api_version == "v1"
}

/// What the lock file says, if it is of the chart's dependencies.
fn follow_lock(chart: &Chart, lock_name: &'static str) -> Result<Vec<Dependency>, Error> {
    let lock = chart.lock.as_ref().ok_or(Error::NoLock(lock_name))?;
    let wanted = &chart.metadata.dependencies;
    let is_same = |digest: Result<String, _>| digest.is_ok_and(|digest| lock.digest == digest);
    let fits =
        is_same(lock::digest(wanted, &lock.dependencies)) || is_v1(chart) && is_same(lock::digest_of_helm_2(wanted));
    if fits {
        Ok(lock.dependencies.clone())
    } else {
        let dependencies = if is_v1(chart) { "requirements.yaml" } else { "Chart.yaml" };
        Err(Error::OutOfSync { lock: lock_name, dependencies })
    }
}

/// Stages an archive after making sure that it holds what it should.
fn save(stage: &mut Stage, wanted: &Dependency, bytes: &[u8], outcome: &mut Outcome) -> Result<(), Error> {
    let file = format!("{}-{}.tgz", wanted.name, wanted.version);
    let from = format!("{} from {}", file, wanted.repository);
    if stage.holds(&file) {
        return if stage.read(&file)? == bytes { Ok(()) } else { Err(Error::Conflict(file)) };
    }
    let path = stage.add(file.clone(), bytes)?;
    let chart = chart::load(&path).map_err(|error| Error::Archive { from: from.clone(), error: error.into() })?;
    let is_version = |version: &str| {
        let (a, b): (Result<Version, _>, Result<Version, _>) = (version.parse(), wanted.version.parse());
        a.is_ok() && a == b
    };
    if chart.name() != wanted.name || !is_version(&chart.metadata.version) {
        let found = format!("{} {}", chart.name(), chart.metadata.version);
        return Err(Error::OtherChart { from, found, wanted: format!("{} {}", wanted.name, wanted.version) });
    }
    outcome.saved.push(Saved { file, repository: wanted.repository.clone() });
    Ok(())
}

/// Archives of charts that are no dependencies any more. What is no chart is left alone.
fn outdated(charts: &Path, outcome: &Outcome) -> Result<Vec<String>, Error> {
    let Ok(entries) = fs::read_dir(charts) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io(charts, error))?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else { continue };
        if outcome.saved.iter().any(|saved| saved.file == name) || !path.is_file() {
            continue;
        }
        let is_outdated = chart::load(&path).is_ok_and(|chart| !outcome.vendored.iter().any(|own| own == chart.name()));
        if is_outdated {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}
