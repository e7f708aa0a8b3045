//! Files that are written whole or not at all.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::finding::Fault;

/// Writes every file beside its place first, so that a full disk leaves none half written; all or none. `what` is what
/// they are called together, where that fails.
pub(super) fn write_all(files: &BTreeMap<PathBuf, String>, what: impl fmt::Display) -> Result<(), Fault> {
    write(files).map_err(|error| Fault::new(format!("{what} could not be written: {error}")))
}

fn write(files: &BTreeMap<PathBuf, String>) -> io::Result<()> {
    let draft = |path: &Path| path.with_file_name(format!(".{}.draft", path.file_name().unwrap_or_default().display()));
    let written = files.iter().try_for_each(|(path, text)| {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        // Else it is known only when others are in their place.
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        write_new(&draft(path), text)
    });
    let moved = written.and_then(|()| files.keys().try_for_each(|path| fs::rename(draft(path), path)));
    if moved.is_err() {
        files.keys().for_each(|path| {
            // Best effort: the first error is the one to tell.
            let _ = fs::remove_file(draft(path));
        });
    }
    moved
}

/// Writes a file that is not there; whatever has its name goes, for a link would lead elsewhere.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::options().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
