//! What is in the folder, beside what must be.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{Error, Files};
use crate::bounded;

/// The most bytes of a file.
const MAX_FILE: u64 = 64 << 20;

/// The most files and folders that are looked through for left-overs.
const MAX_ENTRIES: usize = 200_000;

/// The deepest folder that is looked through.
const MAX_DEPTH: usize = 64;

/// What every file of ours begins with, and no other.
const BEGINNING: &str = "---\n# Source: ";

/// The most bytes that are read to tell whose a file is: blank lines may come first.
const HEAD: u64 = 256;

/// A file that is not what is rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The file, from where the command line's paths begin.
    pub path: PathBuf,
    /// What is wrong with it.
    pub staleness: Staleness,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Staleness {
    /// It is not there.
    Missing {
        /// What it must hold.
        expected: String,
    },
    /// It holds something else.
    Stale {
        /// What it holds.
        found: String,
        /// What it must hold.
        expected: String,
    },
    /// It was rendered, and is no more.
    LeftOver,
}

/// Compares what a folder must hold with what it holds, in the order of the paths.
///
/// Left-overs are looked for below the paths of `whole` (in the folder; an empty one is all of it). They are known by
/// their first lines, which are those of `helm template`; what others have put into the folder is left alone. Links
/// are never followed: in the place of a file they are an error, elsewhere they are not ours.
///
/// # Errors
/// What cannot be read, or is no file where one must be.
pub fn compare(folder: &Path, whole: &[PathBuf], expected: &Files) -> Result<Vec<Drift>, Error> {
    let mut drifts = Vec::new();
    for (path, text) in expected {
        let staleness = match read(folder, path)? {
            None => Staleness::Missing { expected: text.clone() },
            Some(found) if found == text.as_bytes() => continue,
            Some(found) => {
                Staleness::Stale { found: String::from_utf8_lossy(&found).into_owned(), expected: text.clone() }
            }
        };
        drifts.push(Drift { path: folder.join(path), staleness });
    }
    let mut search = Search { folder, expected, seen: 0, found: Vec::new() };
    for path in whole {
        if real(folder, path)?.is_some_and(|kind| kind.is_dir()) {
            search.folder(path, 0)?;
        }
    }
    drifts
        .extend(search.found.into_iter().map(|path| Drift { path: folder.join(path), staleness: Staleness::LeftOver }));
    drifts.sort_by(|a, b| a.path.cmp(&b.path));
    drifts.dedup_by(|a, b| a.path == b.path);
    Ok(drifts)
}

/// What a path in the folder is, none of whose parts may be a link; nothing where it is not there.
fn real(folder: &Path, path: &Path) -> Result<Option<fs::FileType>, Error> {
    let mut at = folder.to_path_buf();
    let mut names = path.iter();
    loop {
        let here = if at.as_os_str().is_empty() { Path::new(".") } else { &at };
        let kind = match fs::symlink_metadata(here) {
            Ok(found) => found.file_type(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(&at, error)),
        };
        if kind.is_symlink() {
            return Err(Error::Link(at));
        }
        match names.next() {
            Some(name) => at.push(name),
            None => return Ok(Some(kind)),
        }
    }
}

/// What a file in the folder holds; nothing where it is not there.
fn read(folder: &Path, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let whole = folder.join(path);
    match real(folder, path)? {
        None => return Ok(None),
        Some(kind) if !kind.is_file() => return Err(Error::Irregular(whole)),
        Some(_) => {}
    }
    bounded::read(&whole, MAX_FILE).map(Some).map_err(|error| Error::io(&whole, error))
}

/// A search for left-overs.
struct Search<'a> {
    folder: &'a Path,
    expected: &'a Files,
    seen: usize,
    /// Paths in the folder.
    found: Vec<PathBuf>,
}

impl Search<'_> {
    fn folder(&mut self, path: &Path, depth: usize) -> Result<(), Error> {
        let whole = self.folder.join(path);
        let whole = if whole.as_os_str().is_empty() { PathBuf::from(".") } else { whole };
        for entry in fs::read_dir(&whole).map_err(|error| Error::io(&whole, error))? {
            let entry = entry.map_err(|error| Error::io(&whole, error))?;
            self.seen += 1;
            if self.seen > MAX_ENTRIES || depth > MAX_DEPTH {
                return Err(Error::TooMany { path: self.folder.to_path_buf(), limit: MAX_ENTRIES });
            }
            let inner = path.join(entry.file_name());
            let kind = entry.file_type().map_err(|error| Error::io(&entry.path(), error))?;
            if kind.is_dir() && entry.file_name() != ".git" {
                self.folder(&inner, depth + 1)?;
            } else if kind.is_file() && !self.expected.contains_key(&inner) && is_ours(&entry.path())? {
                self.found.push(inner);
            }
        }
        Ok(())
    }
}

/// Whether a file holds manifests that were rendered.
fn is_ours(path: &Path) -> Result<bool, Error> {
    if !path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
        return Ok(false);
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.map_err(|error| Error::io(path, error))?;
    // A release of nothing but hooks begins with a blank line.
    Ok(String::from_utf8_lossy(&head).trim_start_matches('\n').starts_with(BEGINNING))
}
