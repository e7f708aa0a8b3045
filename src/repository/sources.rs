//! Where dependencies come from: folders, chart repositories, registries, `charts/` itself.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::address::Address;
use super::http::Client;
use super::index::{self, Index, Offer};
use super::package;
use super::registry::{Registry, Repository};
use super::{Digest, Error, MAX_ARCHIVE, Network};
use crate::chart::{self, Chart, Dependency};
use crate::semver::{Constraint, Version};

/// The most bytes of an index: what the reader of YAML takes.
const MAX_INDEX: u64 = 64 << 20;

/// Finds and fetches the dependencies of one chart.
pub(super) struct Sources<'a> {
    folder: &'a Path,
    chart: &'a Chart,
    /// Registries, and the client that chart repositories are asked with; none without network.
    registry: Option<Registry>,
    indexes: RefCell<HashMap<Address, Rc<Index>>>,
}

/// The four kinds of repositories.
enum Source {
    /// `charts/` of the chart.
    Vendored,
    Folder(PathBuf),
    Registry(Repository),
    Http(Address),
}

impl<'a> Sources<'a> {
    /// The sources of `chart`, which was loaded from `folder`.
    pub fn new(folder: &'a Path, chart: &'a Chart, network: Option<&Network>) -> Result<Self, Error> {
        let client = network.map(Client::new).transpose().map_err(Error::Client)?;
        Ok(Self { folder, chart, registry: client.map(Registry::new), indexes: RefCell::default() })
    }

    /// The exact version of each dependency: of those that fit the newest.
    pub fn resolve(&self, wanted: &[Dependency]) -> Result<Vec<Dependency>, Error> {
        let mut locked = Vec::new();
        let mut missing = Vec::new();
        for dependency in wanted {
            match self.version(dependency)? {
                Some(version) => locked.push(Dependency {
                    name: dependency.name.clone(),
                    repository: dependency.repository.clone(),
                    version,
                    ..Dependency::default()
                }),
                None => missing.push(format!(
                    "{:?} (repository {:?}, version {:?})",
                    dependency.name, dependency.repository, dependency.version
                )),
            }
        }
        if missing.is_empty() { Ok(locked) } else { Err(Error::NoVersion(missing)) }
    }

    /// The archive of a dependency with an exact version; `None` if it is in `charts/` without a repository.
    pub fn fetch(&self, dependency: &Dependency) -> Result<Option<Vec<u8>>, Error> {
        let version = &dependency.version;
        match self.source(dependency)? {
            Source::Vendored => {
                let constraint = constraint(dependency)?;
                let fits = |chart: &Chart| chart.name() == dependency.name && allows(&constraint, chart);
                if self.chart.dependencies.iter().any(|chart| fits(chart)) {
                    return Ok(None);
                }
                Err(Error::NotVendored { name: dependency.name.clone(), version: version.clone() })
            }
            Source::Folder(folder) => {
                let chart = load(dependency, folder)?;
                if !allows(&constraint(dependency)?, &chart) {
                    return Err(no_version(dependency));
                }
                let packaged = package::package(&chart);
                packaged.map(Some).map_err(|error| Error::Package { name: dependency.name.clone(), error })
            }
            Source::Registry(repository) => Ok(Some(self.pull(dependency, &repository, version)?.archive)),
            Source::Http(address) => {
                let offers = self.offers(dependency, &address)?;
                let offer = index::exact(&offers, version).ok_or_else(|| no_version(dependency))?;
                self.download(dependency, &address, offer).map(Some)
            }
        }
    }

    fn version(&self, dependency: &Dependency) -> Result<Option<String>, Error> {
        let constraint = constraint(dependency)?;
        Ok(match self.source(dependency)? {
            // Helm locks these to what they ask for.
            Source::Vendored => Some(dependency.version.clone()),
            Source::Folder(folder) => {
                let chart = load(dependency, folder)?;
                allows(&constraint, &chart).then(|| chart.metadata.version.clone())
            }
            // An exact version is taken as it is, without asking for the others.
            Source::Registry(_) if dependency.version.parse::<Version>().is_ok() => Some(dependency.version.clone()),
            Source::Registry(repository) => {
                let versions = self.registry(dependency)?.versions(&repository);
                let versions = versions.map_err(|error| registry_error(&repository, error))?;
                versions.iter().find(|version| constraint.allows(version)).map(Version::to_string)
            }
            Source::Http(address) => {
                let offers = self.offers(dependency, &address)?;
                index::newest(&offers, &constraint).map(|offer| offer.version.clone())
            }
        })
    }

    fn source(&self, dependency: &Dependency) -> Result<Source, Error> {
        let (name, repository) = (dependency.name.clone(), dependency.repository.as_str());
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
            return Err(Error::Name(name));
        }
        if repository.is_empty() {
            return Ok(Source::Vendored);
        }
        if let Some(path) = repository.strip_prefix("file://") {
            let folder = self.folder.join(path);
            return if folder.is_dir() { Ok(Source::Folder(folder)) } else { Err(Error::NoFolder(folder)) };
        }
        if repository.starts_with('@') || repository.starts_with("alias:") {
            return Err(Error::Alias { name, repository: repository.into() });
        }
        if repository.starts_with("oci://") {
            let found = Repository::of_chart(repository.trim_end_matches('/'), &name);
            return found
                .map(Source::Registry)
                .map_err(|error| Error::Registry { repository: repository.to_string(), error });
        }
        let address = Address::parse(repository);
        address.map(Source::Http).map_err(|error| Error::Repository { name, repository: repository.into(), error })
    }

    fn registry(&self, dependency: &Dependency) -> Result<&Registry, Error> {
        self.registry
            .as_ref()
            .ok_or_else(|| Error::Remote { name: dependency.name.clone(), repository: dependency.repository.clone() })
    }

    fn pull(
        &self,
        dependency: &Dependency,
        repository: &Repository,
        version: &str,
    ) -> Result<super::registry::Pulled, Error> {
        let pulled = self.registry(dependency)?.pull(repository, version);
        pulled.map_err(|error| registry_error(repository, error))
    }

    fn offers(&self, dependency: &Dependency, repository: &Address) -> Result<Vec<Offer>, Error> {
        let address = repository.join_in_repository("index.yaml").map_err(|error| Error::Repository {
            name: dependency.name.clone(),
            repository: dependency.repository.clone(),
            error,
        })?;
        let index = self.index(dependency, &address)?;
        let offers = index.offers(&dependency.name);
        let offers = offers.map_err(|error| Error::Index { address: address.to_string(), error })?;
        offers
            .ok_or_else(|| Error::NoChart { name: dependency.name.clone(), repository: dependency.repository.clone() })
    }

    fn index(&self, dependency: &Dependency, address: &Address) -> Result<Rc<Index>, Error> {
        if let Some(known) = self.indexes.borrow().get(address) {
            return Ok(known.clone());
        }
        let client = self.registry(dependency)?.client();
        let text = client.download(address, "*/*", MAX_INDEX);
        let text = text.map_err(|error| Error::Http { address: address.to_string(), error })?;
        let index = Index::new(text).map_err(|error| Error::Index { address: address.to_string(), error })?;
        let index = Rc::new(index);
        self.indexes.borrow_mut().insert(address.clone(), index.clone());
        Ok(index)
    }

    fn download(&self, dependency: &Dependency, repository: &Address, offer: &Offer) -> Result<Vec<u8>, Error> {
        // Some repositories keep their archives in a registry.
        if offer.url.starts_with("oci://") {
            let (repository, tag) = Repository::with_tag(&offer.url)
                .map_err(|error| Error::Registry { repository: dependency.repository.clone(), error })?;
            let pulled = self.pull(dependency, &repository, &tag)?;
            let found = Digest::of(&pulled.archive);
            return match &offer.digest {
                Some(expected) if !found.is(expected) && !pulled.manifest.is(expected) => {
                    Err(Error::Digest { from: offer.url.clone(), expected: expected.clone(), found })
                }
                _ => Ok(pulled.archive),
            };
        }
        let address = repository.join_in_repository(&offer.url).map_err(|error| Error::Url {
            repository: dependency.repository.clone(),
            chart: format!("{} {}", dependency.name, offer.version),
            url: offer.url.clone(),
            error,
        })?;
        let client = self.registry(dependency)?.client();
        let archive = client.download(&address, "application/gzip,application/octet-stream", MAX_ARCHIVE);
        let archive = archive.map_err(|error| Error::Http { address: address.to_string(), error })?;
        let found = Digest::of(&archive);
        match &offer.digest {
            Some(expected) if !found.is(expected) => {
                Err(Error::Digest { from: address.to_string(), expected: expected.clone(), found })
            }
            _ => Ok(archive),
        }
    }
}

fn load(dependency: &Dependency, folder: PathBuf) -> Result<Chart, Error> {
    chart::load(&folder).map_err(|error| Error::Local { name: dependency.name.clone(), folder, error: error.into() })
}

fn constraint(dependency: &Dependency) -> Result<Constraint, Error> {
    let parsed = dependency.version.parse();
    parsed.map_err(|error| Error::Constraint { name: dependency.name.clone(), error })
}

fn allows(constraint: &Constraint, chart: &Chart) -> bool {
    chart.metadata.version.parse().is_ok_and(|version| constraint.allows(&version))
}

fn no_version(dependency: &Dependency) -> Error {
    let Dependency { name, repository, version, .. } = dependency;
    Error::NoVersion(vec![format!("{name:?} (repository {repository:?}, version {version:?})")])
}

fn registry_error(repository: &Repository, error: super::registry::RegistryError) -> Error {
    Error::Registry { repository: format!("oci://{repository}"), error }
}
