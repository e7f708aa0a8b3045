//! The project file, `plimsoll.yaml`: what a team holds its releases to.

pub mod discover;
mod error;
mod expand;
mod file;
mod glob;
mod paths;
mod release;
mod releases;
mod schemas;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::{Error, ErrorKind};
pub use glob::GlobError;
pub use release::Release;
pub use schemas::Schemas;

use crate::bounded;
use crate::chart::KubeVersion;
use crate::committed::Output;
use crate::finding::Severity;
use crate::json;
use crate::policy::exemption::{Exemption, Honoured};
use crate::policy::{Catalogue, Param, Pattern, Selection};
use crate::source::{Location, SourceFile, Span};
use crate::value::{Path as Field, Value};
use crate::yaml;

/// The name of the file that is read where none is named.
pub const FILE: &str = "plimsoll.yaml";

/// The version of its form.
const VERSION: i64 = 1;

/// The largest project file in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What a project file says. The default is that of a project without one.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// Which policies are evaluated, and how bad violations are.
    pub selection: Selection,
    /// Folders of policies of one's own.
    pub folders: Vec<PathBuf>,
    /// How bad violations are, where that is not as the policy says.
    pub severity: Vec<(Pattern, Severity)>,
    /// What is exempted.
    pub exemptions: Vec<Exemption>,
    /// Which exemptions count.
    pub honoured: Honoured,
    /// The Kubernetes version that releases are meant for.
    pub kube_version: Option<KubeVersion>,
    /// Where schemas come from.
    pub schemas: Schemas,
    /// Where manifests are committed.
    pub output: Option<Output>,
    /// The file of the findings that were there before.
    pub baseline: Option<PathBuf>,
    /// The folder of the file.
    folder: PathBuf,
    /// Where that, and all that the file names, is looked for.
    root: PathBuf,
    /// The releases as they are written.
    entries: Vec<expand::Entry>,
    /// Parameters of policies, and where they are set.
    params: Vec<(Param, Location)>,
    /// Where policies are named.
    named: Vec<(Pattern, Location)>,
}

impl Project {
    /// Reads a project file, at `root`. Files and folders that it names lie beside it; all are named without `root`, as
    /// the command line does: so an older state of a work tree is read that lies elsewhere.
    pub fn load(root: &Path, path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let text = bounded::read_text(&root.join(path), MAX_FILE).map_err(|error| {
            let place = Location::new(SourceFile::new(name.clone(), ""), Span::default());
            Error::new(ErrorKind::File(error.to_string()), place)
        })?;
        let project = Self::read(&SourceFile::new(name, text), path.parent().unwrap_or(Path::new("")))?;
        Ok(project.at(root))
    }

    /// Where the paths of its releases are looked for: that of [`load`](Self::load).
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Reads the text of a project file that lies in a folder.
    pub fn read(source: &Arc<SourceFile>, folder: &Path) -> Result<Self, Error> {
        let options = yaml::Options { strict: true, ..Default::default() };
        // It knows keys that are given twice, and bounds what aliases expand to.
        let value = yaml::parse(&source.text, options).map_err(|error| {
            Error::new(ErrorKind::Text(error.to_string()), Location::new(source.clone(), error.span()))
        })?;
        // A newer form may have keys that would be called unknown.
        if let Some(version) = value.get("version").filter(|found| !matches!(found, Value::Null | Value::Int(VERSION)))
        {
            let found = json::to_json(version).unwrap_or_default();
            return Err(Error::new(ErrorKind::Version(found), locate(source, &Field::default().key("version"))));
        }
        let file: file::File = serde_yaml::from_str(&source.text).map_err(|error| Error::of_serde(&error, source))?;
        file.resolve(source, folder)
    }

    /// The releases that the file lists, those of `forEach` for each file that is there now; none where it lists none.
    ///
    /// # Errors
    /// A `forEach` that matches nothing, a file of it whose values give no name, and two releases with one label.
    pub fn releases(&self) -> Result<Vec<Release>, Error> {
        expand::expand(&self.entries, &self.root, &self.folder)
    }

    /// Sets parameters as the file has them. Every policy that the file names must be there.
    pub fn configure(&self, catalogue: &mut Catalogue) -> Result<(), Error> {
        let error = |place: &Location, error| Error::new(ErrorKind::Policy(error), place.clone());
        for (pattern, place) in &self.named {
            catalogue.matching(pattern).map_err(|wrong| error(place, wrong))?;
        }
        for (param, place) in &self.params {
            catalogue.set_param(param).map_err(|wrong| error(place, wrong))?;
        }
        Ok(())
    }
}

/// Where a field of the file was written, or its nearest parent; its key rather than its value.
fn locate(source: &Arc<SourceFile>, field: &Field) -> Location {
    let places = yaml::Places::read(&source.text, Span::new(0, source.text.len()));
    let span = places.map(|places| places.nearest(field).0).map(|found| found.key.unwrap_or(found.value));
    Location::new(source.clone(), span.unwrap_or_default())
}
