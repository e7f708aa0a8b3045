//! The files that `forEach` means.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use regex::Regex;

use crate::render::glob;

/// The most files that a glob may match.
const MAX_FILES: usize = 100_000;
/// The most names of files and folders that are looked at to find them.
const MAX_LOOKED_AT: usize = 1_000_000;

/// A path with wildcards: `*`, `?`, `[a-z]` and `{a,b}` within a name, `**` for any folders.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    segments: Vec<Segment>,
    /// How many of them come before the first wildcard.
    fixed: usize,
}

#[derive(Debug, Clone)]
enum Segment {
    /// As it is.
    Name(String),
    /// A name with wildcards, and whether it may begin with a dot.
    Like(Regex, bool),
    /// Any folders, also none.
    Folders,
}

/// Why a glob finds no files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// It is none.
    #[error("{0}")]
    Form(String),
    /// Nothing matches.
    #[error("no file matches")]
    Nothing,
    /// What matches may lead anywhere, or never end.
    #[error("{0} matches and is no plain file or folder; symbolic links are not followed")]
    Special(String),
    /// A name that is no text.
    #[error("{0} matches and its name is not UTF-8 text")]
    NotText(String),
    /// Too much.
    #[error("it matches more than {MAX_FILES} files, or there are more than {MAX_LOOKED_AT} to look at")]
    TooMany,
    /// The system says no.
    #[error("{path} could not be read: {reason}")]
    Read {
        /// The folder.
        path: String,
        /// Why.
        reason: String,
    },
}

impl Glob {
    pub(super) fn new(text: &str) -> Result<Self, GlobError> {
        let form = |reason: &str| Err(GlobError::Form(reason.to_owned()));
        if text.starts_with('/') {
            return form("an absolute path, expected one that begins in this file's folder");
        }
        let mut segments = Vec::new();
        let mut fixed = 0;
        for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if !part.contains(['*', '?', '[', '{', '\\']) {
                if part == ".." && fixed < segments.len() {
                    return form("`..` behind a wildcard");
                }
                fixed += usize::from(fixed == segments.len());
                segments.push(Segment::Name(part.to_owned()));
            } else if part == "**" {
                if !matches!(segments.last(), Some(Segment::Folders)) {
                    segments.push(Segment::Folders);
                }
            } else if part.contains("**") {
                return form("`**` beside other characters, expected it between slashes: tenants/**/values.yaml");
            } else {
                let name = glob::regex(part).map_err(GlobError::Form)?;
                segments.push(Segment::Like(name, part.starts_with('.')));
            }
        }
        match segments.last() {
            None => form("empty, expected a path with wildcards: tenants/*/values.yaml"),
            Some(Segment::Folders) => form("it ends with `**`, which stands for folders, expected files: tenants/**/*"),
            Some(_) => Ok(Self { segments, fixed }),
        }
    }

    /// The folder that all files are below: the segments before the first wildcard.
    pub(super) fn fixed(&self) -> String {
        let names = self.segments.iter().map_while(|segment| match segment {
            Segment::Name(name) => Some(name.as_str()),
            Segment::Like(..) | Segment::Folders => None,
        });
        names.collect::<Vec<_>>().join("/")
    }

    /// The files below a folder that match, as paths from there with `/`, sorted. Symbolic links behind the first wildcard
    /// are not followed; names that begin with a dot match only where the glob says the dot.
    pub(super) fn files(&self, base: &Path) -> Result<Vec<String>, GlobError> {
        let mut search =
            Search { glob: self, base, open: vec![(String::new(), 0)], found: BTreeSet::new(), looked_at: 0 };
        while let Some((folder, index)) = search.open.pop() {
            match self.segments.get(index) {
                Some(Segment::Name(name)) => search.name(&folder, index, name)?,
                Some(Segment::Like(regex, dots)) => search.like(&folder, index, regex, *dots)?,
                Some(Segment::Folders) => search.folders(folder, index)?,
                None => {}
            }
        }
        if search.found.is_empty() { Err(GlobError::Nothing) } else { Ok(search.found.into_iter().collect()) }
    }
}

/// A walk through folders.
struct Search<'a> {
    glob: &'a Glob,
    base: &'a Path,
    /// Folders, each with the segment that is next.
    open: Vec<(String, usize)>,
    found: BTreeSet<String>,
    looked_at: usize,
}

impl Search<'_> {
    fn name(&mut self, folder: &str, index: usize, name: &str) -> Result<(), GlobError> {
        self.count()?;
        let path = join(folder, name);
        let full = self.base.join(&path);
        let read = if index < self.glob.fixed { fs::metadata(full) } else { fs::symlink_metadata(full) };
        match read {
            Ok(found) => self.take(path, index, found.file_type()),
            // What is below a file is nothing, too.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
            Err(error) => Err(GlobError::Read { path, reason: error.to_string() }),
        }
    }

    fn like(&mut self, folder: &str, index: usize, regex: &Regex, dots: bool) -> Result<(), GlobError> {
        self.entries(folder, |search, name, entry| {
            let shown = name.to_string_lossy();
            if (!dots && shown.starts_with('.')) || !regex.is_match(&shown) {
                return Ok(());
            }
            let path = join(folder, &shown);
            let file_type = entry.file_type().map_err(|error| failed(&path, &error))?;
            if name.to_str().is_none() {
                return Err(GlobError::NotText(path));
            }
            search.take(path, index, file_type)
        })
    }

    /// Goes on in this folder and in all that are below it. Links to folders are passed by, as git does.
    fn folders(&mut self, folder: String, index: usize) -> Result<(), GlobError> {
        self.entries(&folder, |search, name, entry| {
            let path = join(&folder, &name.to_string_lossy());
            let file_type = entry.file_type().map_err(|error| failed(&path, &error))?;
            if file_type.is_dir() && !name.to_string_lossy().starts_with('.') {
                if name.to_str().is_none() {
                    return Err(GlobError::NotText(path));
                }
                search.open.push((path, index));
            }
            Ok(())
        })?;
        self.open.push((folder, index + 1));
        Ok(())
    }

    /// Takes what matches a segment.
    fn take(&mut self, path: String, index: usize, file_type: fs::FileType) -> Result<(), GlobError> {
        let is_last = index + 1 == self.glob.segments.len();
        // A link that could not match wherever it led is passed by.
        let is_folder = match file_type.is_symlink() {
            true => fs::metadata(self.base.join(&path)).is_ok_and(|target| target.is_dir()),
            false => file_type.is_dir(),
        };
        if is_folder == is_last {
            return Ok(());
        }
        if file_type.is_dir() {
            self.open.push((path, index + 1));
        } else if file_type.is_file() {
            self.found.insert(path);
            if self.found.len() > MAX_FILES {
                return Err(GlobError::TooMany);
            }
        } else {
            return Err(GlobError::Special(path));
        }
        Ok(())
    }

    fn entries(
        &mut self,
        folder: &str,
        mut each: impl FnMut(&mut Self, &std::ffi::OsStr, &DirEntry) -> Result<(), GlobError>,
    ) -> Result<(), GlobError> {
        let shown = if folder.is_empty() { "." } else { folder };
        let full = if self.base.as_os_str().is_empty() { Path::new(shown).to_owned() } else { self.base.join(folder) };
        for entry in fs::read_dir(full).map_err(|error| failed(shown, &error))? {
            self.count()?;
            let entry = entry.map_err(|error| failed(shown, &error))?;
            each(self, &entry.file_name(), &entry)?;
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), GlobError> {
        self.looked_at += 1;
        if self.looked_at > MAX_LOOKED_AT { Err(GlobError::TooMany) } else { Ok(()) }
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn failed(path: &str, error: &io::Error) -> GlobError {
    GlobError::Read { path: path.to_owned(), reason: error.to_string() }
}
