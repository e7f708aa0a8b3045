//! The project file, `plimsoll.yaml`: what a team holds its releases to.

mod error;
mod file;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::{Error, ErrorKind};

use crate::chart::KubeVersion;
use crate::policy::exemption::{Exemption, Honoured};
use crate::policy::{Catalogue, Pattern, Selection};
use crate::source::{Location, SourceFile, Span};
use crate::value::Path as Field;
use crate::yaml;

/// The name of the file that is read where none is named.
pub const FILE: &str = "plimsoll.yaml";

/// The largest project file in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What a project file says. The default is that of a project without one.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// Which policies are evaluated, and how bad violations are.
    pub selection: Selection,
    /// Folders of policies of one's own.
    pub folders: Vec<PathBuf>,
    /// Parameters of policies: policy, key, value.
    pub params: Vec<(Pattern, String, String)>,
    /// What is exempted.
    pub exemptions: Vec<Exemption>,
    /// Which exemptions count.
    pub honoured: Honoured,
    /// The Kubernetes version that releases are meant for.
    pub kube_version: Option<KubeVersion>,
    /// Where policies are named.
    named: Vec<(Pattern, Location)>,
}

impl Project {
    /// Reads a project file. Folders that it names lie beside it.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let place = || Location::new(SourceFile::new(name.clone(), ""), Span::default());
        let failed = |error: std::io::Error| Error::new(ErrorKind::File(error.to_string()), place());
        let mut bytes = Vec::new();
        fs::File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(failed)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(Error::new(ErrorKind::File("larger than 1 MiB".into()), place()));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::File("not UTF-8 text".into()), place()))?;
        Self::read(&SourceFile::new(name.clone(), text), path.parent().unwrap_or(Path::new("")))
    }

    /// Reads the text of a project file that lies in a folder.
    pub fn read(source: &Arc<SourceFile>, folder: &Path) -> Result<Self, Error> {
        let options = yaml::Options { strict: true, ..Default::default() };
        // It knows keys that are given twice, and bounds what aliases expand to.
        yaml::parse(&source.text, options).map_err(|error| {
            Error::new(ErrorKind::Text(error.to_string()), Location::new(source.clone(), error.span()))
        })?;
        let file: file::File = serde_yaml::from_str(&source.text).map_err(|error| Error::of_serde(&error, source))?;
        file.resolve(source, folder)
    }

    /// Checks that every policy that the file names is there.
    pub fn check(&self, catalogue: &Catalogue) -> Result<(), Error> {
        self.named.iter().try_for_each(|(pattern, place)| {
            catalogue.matching(pattern).map(drop).map_err(|error| Error::new(ErrorKind::Policy(error), place.clone()))
        })
    }
}

/// Where a field of the file was written, or its nearest parent; its key rather than its value.
fn locate(source: &Arc<SourceFile>, field: &Field) -> Location {
    let whole = Span::new(0, source.text.len());
    let mut field = field.clone();
    loop {
        if let Some(found) = yaml::locate(&source.text, whole, &field) {
            return Location::new(source.clone(), found.key.unwrap_or(found.value));
        }
        match field.parent() {
            Some(parent) => field = parent,
            None => return Location::new(source.clone(), Span::default()),
        }
    }
}
