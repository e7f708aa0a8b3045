//! Manifests that are committed: which files they are in, and whether those are stale.

mod compare;
mod error;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use compare::{Drift, Staleness, compare};
pub use error::Error;

use crate::manifest::{self, Manifest, Stream};
use crate::source::SourceFile;
use crate::value::Value;

/// Where the manifests of the releases are committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The folder, from where the command line's paths begin.
    pub folder: PathBuf,
    /// How it is divided.
    pub layout: Layout,
}

/// How manifests are divided into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// A file for each release: `<namespace>/<release>.yaml`
    #[default]
    Release,
    /// A file for each object: `<namespace>/<release>/<kind>-<name>.yaml`
    Object,
}

/// A release, as it was rendered.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The CRDs of its chart, as name and text.
    pub crds: &'a [(String, String)],
    /// Its documents, in Helm's order.
    pub manifests: &'a [Manifest],
    /// Which of them count.
    pub stream: Stream,
}

/// What files hold, by their paths in the folder.
pub type Files = BTreeMap<PathBuf, String>;

/// What tells an object from all others of a release: API group, kind, namespace and name.
type Identity = (String, String, String, String);

/// What the folder must hold: paths in it, never out of it, whatever objects are called.
///
/// A file of a release holds what `helm template --include-crds` prints, byte for byte. A file of an object holds the
/// document of that output that the object is in; documents of comments alone are in none.
///
/// # Errors
/// A CRD of a chart that cannot be divided into objects.
pub fn files(layout: Layout, releases: &[Release<'_>]) -> Result<Files, Error> {
    let mut files = Files::new();
    for release in releases {
        match layout {
            Layout::Release => {
                let text = manifest::print(release.crds, release.manifests, release.stream);
                files.insert(release.path(), text);
            }
            Layout::Object => release.divide(&mut files)?,
        }
    }
    Ok(files)
}

impl Release<'_> {
    /// Where it is in the folder: a file or a folder without its ending.
    fn stem(&self) -> PathBuf {
        PathBuf::from(names::safe(self.namespace)).join(names::safe(self.name))
    }

    /// The file of a release.
    fn path(&self) -> PathBuf {
        let mut path = self.stem().into_os_string();
        path.push(".yaml");
        path.into()
    }

    /// Divides it into files of objects. Documents that are about the same object are in one file, in their order.
    fn divide(&self, files: &mut Files) -> Result<(), Error> {
        let crds = self.crds.iter().map(|(name, text)| (SourceFile::new(name.clone(), text.clone()), None));
        let crds = manifest::read(crds)?;
        let documents = || {
            let documents =
                manifest::selected(&crds, Stream::default()).chain(manifest::selected(self.manifests, self.stream));
            documents.filter(|manifest| manifest.value != Value::Null).map(|manifest| (identity(manifest), manifest))
        };
        let mut named: BTreeMap<String, BTreeSet<Identity>> = BTreeMap::new();
        for (identity, _) in documents() {
            named.entry(file_name(&identity)).or_default().insert(identity);
        }
        let folder = self.stem();
        for (identity, manifest) in documents() {
            let name = file_name(&identity);
            let is_shared = named.get(&name).is_some_and(|of| of.len() > 1);
            let name = if is_shared { names::distinct(&name, &identity) } else { name };
            files.entry(folder.join(name + ".yaml")).or_default().push_str(&manifest::document(manifest));
        }
        Ok(())
    }
}

fn identity(manifest: &Manifest) -> Identity {
    let text =
        |path: &[&str]| manifest.value.at(path.iter().copied()).and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = text(&["apiVersion"]);
    let group = version.split_once('/').map_or("", |(group, _)| group).to_owned();
    (group, text(&["kind"]), text(&["metadata", "namespace"]), text(&["metadata", "name"]))
}

/// `deployment-web`
fn file_name((_, kind, _, name): &Identity) -> String {
    let kind = if kind.is_empty() { "document".to_owned() } else { names::safe(&kind.to_lowercase()) };
    if name.is_empty() { kind } else { format!("{kind}-{}", names::safe(name)) }
}
