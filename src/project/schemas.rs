//! What the project file says about schemas. Nothing of it is read before it is asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::error::{Error, ErrorKind};
use super::file::kube_version;
use super::locate;
use crate::chart::KubeVersion;
use crate::schema::crd_files;
use crate::schema::location::SchemaLocation;
use crate::source::{Location, SourceFile};
use crate::value::{Path as Field, Value};

/// Its form.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase", expecting = "a mapping")]
pub(super) struct Form {
    crds: Vec<PathBuf>,
    locations: Vec<String>,
    target_kube_version: Option<String>,
}

/// Where schemas come from besides the binary and the charts, and which version of Kubernetes is next.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    /// The Kubernetes version that releases are to hold for too.
    pub target: Option<KubeVersion>,
    /// Where relative paths begin.
    folder: PathBuf,
    crds: Vec<(PathBuf, Location)>,
    locations: Vec<(String, Location)>,
}

impl Form {
    pub(super) fn resolve(self, source: &Arc<SourceFile>, folder: &Path) -> Result<Schemas, Error> {
        let field = |key| Field::default().key("schemas").key(key);
        let place = |key, index| locate(source, &field(key).index(index));
        let crds = self.crds.iter().enumerate().map(|(index, path)| (folder.join(path), place("crds", index)));
        let locations = self.locations.into_iter().enumerate();
        Ok(Schemas {
            target: kube_version(source, &field("targetKubeVersion"), self.target_kube_version)?,
            folder: folder.to_path_buf(),
            crds: crds.collect(),
            locations: locations.map(|(index, text)| (text, place("locations", index))).collect(),
        })
    }
}

impl Schemas {
    /// What is named: files, and the folders of templates.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let fixed = |text: &str| self.folder.join(text.split("{{").next().unwrap_or_default());
        let folder = |text: &str| {
            if text.contains("{{") { fixed(text).parent().map(Path::to_path_buf) } else { Some(fixed(text)) }
        };
        let locations =
            self.locations.iter().filter(|(text, _)| text != "default").filter_map(|(text, _)| folder(text));
        self.crds.iter().map(|(path, _)| path.clone()).chain(locations).collect()
    }

    /// Looks for all of them at `root`.
    pub(super) fn below(&mut self, root: &Path) {
        self.folder = root.join(&self.folder);
        self.crds.iter_mut().for_each(|(path, _)| *path = root.join(&*path));
    }

    /// The CustomResourceDefinitions of all files that are named, each with the place where it is written.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn crds(&self) -> Result<Vec<(Value, Location)>, Error> {
        let mut found = Vec::new();
        for (path, place) in &self.crds {
            found.extend(crd_files::read(path).map_err(|error| Error::new(ErrorKind::Schema(error), place.clone()))?);
        }
        Ok(found)
    }

    /// The places where schemas are looked for; none where the file names none.
    ///
    /// # Errors
    /// One that cannot be used.
    pub fn locations(&self) -> Result<Vec<SchemaLocation>, Error> {
        let parse = |(text, place): &(String, Location)| {
            let wrong = |error| Error::new(ErrorKind::Schema(error), place.clone());
            SchemaLocation::parse(text, &self.folder).map_err(wrong)
        };
        self.locations.iter().map(parse).collect()
    }
}
