//! The folder of a location: bounded reading of what lies in it, and of nothing else.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use crate::bounded;
use crate::schema::{Error, ErrorKind};
use crate::source::{Location, SourceFile, Span};

/// The largest file of schemas in bytes. All of Kubernetes' definitions, with their descriptions, are 3 MB.
const MAX_FILE: u64 = 16 << 20;
/// The most bytes of files that others refer to.
const MAX_SHARED: usize = 128 << 20;

/// A folder of schemas.
#[derive(Debug)]
pub(super) struct Folder {
    /// Where relative paths begin.
    from: PathBuf,
    /// The folder that no path may leave.
    real: PathBuf,
    /// Files that others refer to; they are read once.
    shared: Mutex<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    files: HashMap<PathBuf, Arc<Json>>,
    bytes: usize,
}

/// A file in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its path as the location names it.
    pub shown: PathBuf,
    /// Its path without links.
    pub real: PathBuf,
}

impl Folder {
    /// The folder `base`, which must be there.
    pub fn open(from: &Path, base: &str) -> Result<Self, Error> {
        let path = if base.is_empty() { from.join(".") } else { from.join(base) };
        let real = fs::canonicalize(&path).and_then(|real| match real.is_dir() {
            true => Ok(real),
            false => Err(io::Error::from(io::ErrorKind::NotADirectory)),
        });
        let failed =
            |error| Error::unusable(format!("the folder of schemas {} cannot be read: {error}", path.display()));
        Ok(Self { from: from.to_path_buf(), real: real.map_err(failed)?, shared: Mutex::default() })
    }

    /// The file of a path, as the location names it; `None` where there is none.
    pub fn find(&self, path: &str) -> Result<Option<Place>, Error> {
        self.place(self.from.join(path))
    }

    /// The file that lies at a relative path beside another one; `None` where there is none.
    pub fn beside(&self, file: &Place, path: &str) -> Result<Option<Place>, Error> {
        let mut shown = file.shown.parent().unwrap_or(Path::new("")).to_path_buf();
        for part in Path::new(path).components() {
            match part {
                Component::ParentDir if shown.file_name().is_some() => {
                    shown.pop();
                }
                part => shown.push(part),
            }
        }
        self.place(shown)
    }

    fn place(&self, shown: PathBuf) -> Result<Option<Place>, Error> {
        let real = match fs::canonicalize(&shown) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::unreadable(&shown, &error)),
        };
        if !real.starts_with(&self.real) {
            let (shown, folder) = (shown.display(), self.real.display());
            return Err(Error::unusable(format!(
                "{shown} is outside of the folder of schemas, {folder}: copy it there"
            )));
        }
        if !real.is_file() {
            return Err(Error::unusable(format!("{} is no file", shown.display())));
        }
        Ok(Some(Place { shown, real }))
    }

    /// Reads a file that others refer to.
    pub fn shared(&self, file: &Place) -> Result<Arc<Json>, Error> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shared.files.get(&file.real) {
            return Ok(known.clone());
        }
        let text = text(file)?;
        shared.bytes += text.len();
        if shared.bytes > MAX_SHARED {
            let (name, most) = (file.shown.display(), MAX_SHARED >> 20);
            return Err(Error::unusable(format!(
                "{name}: files that schemas refer to have more than {most} MiB together"
            )));
        }
        let json = Arc::new(parse(file, text)?);
        shared.files.insert(file.real.clone(), json.clone());
        Ok(json)
    }
}

/// Reads a file: it must be JSON.
pub(super) fn read(file: &Place) -> Result<Json, Error> {
    parse(file, text(file)?)
}

fn text(file: &Place) -> Result<String, Error> {
    bounded::read_text(&file.real, MAX_FILE).map_err(|error| Error::unreadable(&file.shown, &error))
}

fn parse(file: &Place, text: String) -> Result<Json, Error> {
    serde_json::from_str(&text).map_err(|error| {
        let name = file.shown.display().to_string();
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or(&reason);
        let kind = ErrorKind::Unusable(format!("{name} is no JSON: {reason}"));
        let source = SourceFile::new(name, text);
        let at = source.line_span(error.line()).map_or(0, |line| line.start + error.column().saturating_sub(1));
        Error { kind, location: Some(Location::new(source, Span::new(at, at))) }
    })
}
