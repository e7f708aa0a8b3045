//! All policies: those in the binary, and those of folders that the user names.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use super::decode::Document;
use super::document::Policy;
use super::file::{self, File};
use super::{Error, ErrorKind};
use crate::bounded;
use crate::parallel;
use crate::source::{Location, SourceFile, Span};

/// `policies/`, written by build.rs.
const BUILTIN: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/policies.rs"));

/// A file of `policies/`: its id, its text, its documents as JSON with their first bytes and those after their last, and the
/// text of its examples.
type Builtin = (&'static str, &'static str, &'static [(usize, usize, &'static str)], &'static str);

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
    /// The name and the text of the file of its examples, if there is one.
    examples: Option<(String, Cow<'static, str>)>,
    /// Whether it comes from a folder that the user named.
    pub is_own: bool,
}

impl Entry {
    /// The file of its examples, if there is one.
    pub fn examples(&self) -> Option<Arc<SourceFile>> {
        self.examples.as_ref().map(|(name, text)| SourceFile::new(name.clone(), text.as_ref()))
    }
}

impl Catalogue {
    /// The policies of the binary. They are read here, on two threads, and compiled when they are first used.
    pub fn builtin() -> Result<Self, Error> {
        let read = |files: &[Builtin]| files.iter().map(read_builtin).collect::<Result<Vec<_>, _>>();
        let (first, second) = BUILTIN.split_at(BUILTIN.len() / 2);
        let (second, first) = parallel::both(|| read(second), || read(first));
        let mut catalogue = Self::default();
        catalogue.add(first?.into_iter().chain(second?), false)?;
        Ok(catalogue)
    }

    /// Adds the policies of a folder: `<category>/<name>.yaml`, with examples in `<name>.test.yaml`.
    ///
    /// A policy in the folder itself has its name alone as id. Policies of other depths are not looked for. Bindings and
    /// parameters may lie beside a policy in its file, or in files of their own.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), Error> {
        let mut files = Vec::new();
        for path in sorted(folder)? {
            if path.is_dir() {
                for file in sorted(&path)? {
                    files.extend(read(folder, &file)?);
                }
            } else {
                files.extend(read(folder, &path)?);
            }
            if files.len() > MAX_FILES {
                return Err(unreadable(folder, "holds more than 10,000 files"));
            }
        }
        let before = self.entries.len();
        self.add(files, true)?;
        if self.entries.len() == before {
            return Err(unreadable(folder, "holds no policies"));
        }
        // What is of no use is told, whether or not anything is there to be judged by it.
        self.entries.iter().filter(|entry| entry.is_own).try_for_each(|entry| entry.policy.check())
    }

    /// All policies, in the order of their ids.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All policies, in the order of their ids.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.entries.iter().map(|entry| &entry.policy)
    }

    /// All policies, to set what users may set of them.
    pub(super) fn policies_mut(&mut self) -> impl Iterator<Item = &mut Policy> {
        self.entries.iter_mut().map(|entry| &mut entry.policy)
    }

    /// Adds the policies of files that lie together.
    fn add(&mut self, files: impl IntoIterator<Item = (Source, File)>, is_own: bool) -> Result<(), Error> {
        let (sources, files): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        for (policy, (id, file, examples)) in file::assemble(files)?.into_iter().zip(sources) {
            let Some(policy) = policy else { continue };
            match self.entries.binary_search_by(|entry| entry.policy.id.cmp(&id)) {
                Ok(_) => {
                    let place = Location::new(file, Span::default());
                    return Err(
                        Error::new(ErrorKind::Document("there is another policy of this id".into()), place).of(&id)
                    );
                }
                Err(place) => self.entries.insert(place, Entry { policy, examples, is_own }),
            }
        }
        Ok(())
    }
}

/// An id, the file, and the name and the text of the file of examples beside it.
type Source = (String, Arc<SourceFile>, Option<(String, Cow<'static, str>)>);

fn read_builtin((id, text, documents, examples): &Builtin) -> Result<(Source, File), Error> {
    let examples = (!examples.is_empty()).then(|| (format!("policies/{id}.test.yaml"), (*examples).into()));
    let source = SourceFile::new(format!("policies/{id}.yaml"), *text);
    let documents =
        documents.iter().map(|(start, end, json)| Document::of_json(&source, Span::new(*start, *end), json));
    let file = File::of_documents(id, documents.collect::<Result<_, _>>()?)?;
    Ok((((*id).to_owned(), source, examples), file))
}

/// Reads a file, if it could hold a policy.
fn read(folder: &Path, path: &Path) -> Result<Option<(Source, File)>, Error> {
    let relative = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let id = [".yaml", ".yml", ".rego"].iter().find_map(|ending| relative.strip_suffix(ending));
    let Some(id) = id else { return Ok(None) };
    // conftest's own tests are not for here.
    if id.ends_with(".test") || relative.ends_with("_test.rego") {
        return Ok(None);
    }
    let tests = path.with_extension("test.yaml");
    let examples = if tests.is_file() { Some((tests.display().to_string(), load(&tests)?.into())) } else { None };
    let source = SourceFile::new(path.display().to_string(), load(path)?);
    let file = File::read(id, &source)?;
    Ok(Some(((id.to_owned(), source, examples), file)))
}

fn unreadable(path: &Path, why: &str) -> Error {
    let name = path.display().to_string();
    let kind = ErrorKind::File(format!("{name}: {why}"));
    Error::new(kind, Location::new(SourceFile::new(name, ""), Span::default()))
}

/// What lies in a folder and is not hidden: a mounted ConfigMap has its files a second time in `..data`.
fn sorted(folder: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error.to_string()))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(|error| unreadable(folder, &error.to_string()))?;
    paths.retain(|path| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")));
    paths.sort();
    Ok(paths)
}

fn load(path: &Path) -> Result<String, Error> {
    bounded::read_text(path, MAX_FILE).map_err(|error| unreadable(path, &error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::decode;

    #[test]
    fn documents_of_the_binary_are_those_of_their_yaml() {
        for (id, text, documents, _) in BUILTIN {
            let file = SourceFile::new(format!("policies/{id}.yaml"), *text);
            let read = decode::documents(&file).unwrap();
            assert_eq!(read.len(), documents.len(), "{id}");
            for (of_yaml, (start, end, json)) in read.iter().zip(*documents) {
                let of_json = Document::of_json(&file, Span::new(*start, *end), json).unwrap();
                assert_eq!(of_yaml.root().value, of_json.root().value, "{id}");
                assert_eq!(of_yaml.root().location(), of_json.root().location(), "{id}");
            }
        }
    }
}
