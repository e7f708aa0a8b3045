//! All policies: those in the binary, and those of folders that the user names.

use std::path::Path;
use std::sync::Arc;

use super::document::Policy;
use super::{Error, ErrorKind};
use crate::source::{Location, SourceFile, Span};

/// `(id, policy, examples)` of `policies/`, written by build.rs.
const BUILTIN: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/policies.rs"));

/// The largest policy file in bytes.
const MAX_FILE: u64 = 1 << 20;
/// The most files that a folder of policies may hold.
const MAX_FILES: usize = 10_000;

/// Policies by id.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

/// A policy and its examples.
#[derive(Debug)]
pub struct Entry {
    /// The policy.
    pub policy: Policy,
    /// The file of its examples, if there is one.
    pub examples: Option<Arc<SourceFile>>,
    /// Whether it comes from a folder that the user named.
    pub is_own: bool,
}

impl Catalogue {
    /// The policies of the binary. They are read here and compiled when they are first used.
    pub fn builtin() -> Result<Self, Error> {
        let mut catalogue = Self::default();
        for (id, text, examples) in BUILTIN {
            let examples =
                (!examples.is_empty()).then(|| SourceFile::new(format!("policies/{id}.test.yaml"), *examples));
            catalogue.add(id, &SourceFile::new(format!("policies/{id}.yaml"), *text), examples, false)?;
        }
        Ok(catalogue)
    }

    /// Adds the policies of a folder: `<category>/<name>.yaml`, with examples in `<name>.test.yaml`.
    ///
    /// A policy in the folder itself has its name alone as id. Policies of other depths are not looked for.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), Error> {
        let mut files = 0;
        for path in sorted(folder)? {
            if path.is_dir() {
                for file in sorted(&path)? {
                    self.add_file(folder, &file, &mut files)?;
                }
            } else {
                self.add_file(folder, &path, &mut files)?;
            }
        }
        if files == 0 {
            return Err(unreadable(folder, "holds no policies"));
        }
        Ok(())
    }

    /// All policies, in the order of their ids.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All policies, in the order of their ids.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.entries.iter().map(|entry| &entry.policy)
    }

    /// The policy of an id, or of an id under which another tool knows it.
    pub fn find(&self, id: &str) -> Option<&Entry> {
        let by_alias = || self.entries.iter().find(|entry| entry.policy.aliases.iter().any(|alias| alias == id));
        self.entries.iter().find(|entry| entry.policy.id == id).or_else(by_alias)
    }

    fn add_file(&mut self, folder: &Path, path: &Path, files: &mut usize) -> Result<(), Error> {
        let relative = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let Some(id) = relative.strip_suffix(".yaml").or_else(|| relative.strip_suffix(".yml")) else { return Ok(()) };
        if id.ends_with(".test") {
            return Ok(());
        }
        *files += 1;
        if *files > MAX_FILES {
            return Err(unreadable(folder, "holds more than 10,000 files"));
        }
        let tests = path.with_extension("test.yaml");
        let examples = if tests.is_file() { Some(load(&tests)?) } else { None };
        self.add(id, &load(path)?, examples, true)
    }

    fn add(
        &mut self,
        id: &str,
        file: &Arc<SourceFile>,
        examples: Option<Arc<SourceFile>>,
        is_own: bool,
    ) -> Result<(), Error> {
        let policy = Policy::read(id, file)?;
        match self.entries.binary_search_by(|entry| entry.policy.id.as_str().cmp(id)) {
            Ok(_) => {
                let place = Location::new(file.clone(), Span::default());
                Err(Error::new(ErrorKind::Document("there is another policy of this id".into()), place).of(id))
            }
            Err(place) => {
                self.entries.insert(place, Entry { policy, examples, is_own });
                Ok(())
            }
        }
    }
}

fn unreadable(path: &Path, why: &str) -> Error {
    let name = path.display().to_string();
    let kind = ErrorKind::File(format!("{name}: {why}"));
    Error::new(kind, Location::new(SourceFile::new(name, ""), Span::default()))
}

fn sorted(folder: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error.to_string()))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(|error| unreadable(folder, &error.to_string()))?;
    paths.sort();
    Ok(paths)
}

fn load(path: &Path) -> Result<Arc<SourceFile>, Error> {
    let failed = |error: std::io::Error| unreadable(path, &error.to_string());
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
        return Err(unreadable(path, "is larger than 1 MiB"));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    Ok(SourceFile::new(path.display().to_string(), text))
}
