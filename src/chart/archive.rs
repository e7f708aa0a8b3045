//! Charts as `.tgz`.
//!
//! Source: Helm's `pkg/chart/loader/archive/archive.go`; its limits are kept, and one on the number of files is added.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::load::RawFile;

/// The most bytes that a chart may unpack to.
pub const MAX_CHART_SIZE: u64 = 100 << 20;
/// The most bytes that one file of a chart may have.
pub const MAX_FILE_SIZE: u64 = 5 << 20;
/// The most files that a chart may have, subcharts included.
pub const MAX_FILES: usize = 10_000;

/// Headers and padding, which Helm does not count.
const MAX_OVERHEAD: u64 = 32 << 20;

/// What is wrong with an archive. The texts are Helm's where Helm has one.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Not gzip, or nothing useful inside it.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// No entry that is a file.
    #[error("no files in chart archive")]
    Empty,
    /// `c//etc/passwd`
    #[error("chart illegally contains absolute paths: {0:?}")]
    Absolute(String),
    /// An entry without a folder around it.
    #[error("chart illegally contains content outside the base directory: {0:?}")]
    Outside(String),
    /// `c/../x`
    #[error("chart illegally references parent directory: {0:?}")]
    Parent(String),
    /// `c/c:/x`
    #[error("chart contains illegally named files: {0:?}")]
    Drive(String),
    /// Chart.yaml at the top of the archive.
    #[error("chart yaml not in base directory")]
    NoBase,
    /// Too much in all.
    #[error("decompressed chart is larger than the maximum size {MAX_CHART_SIZE}")]
    TooLarge,
    /// Too much in one file.
    #[error("decompressed chart file {0:?} is larger than the maximum file size {MAX_FILE_SIZE}")]
    FileTooLarge(String),
    /// Too many files.
    #[error("chart has more than {MAX_FILES} files")]
    TooManyFiles,
}

/// What may still be read: shared by a chart and the archives inside it.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: u64,
    files: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: MAX_CHART_SIZE, files: MAX_FILES }
    }
}

impl Budget {
    /// Accounts for one file.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        self.files = self.files.checked_sub(1).ok_or(ArchiveError::TooManyFiles)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(ArchiveError::TooLarge)?;
        Ok(())
    }
}

/// Whether a file begins as gzip does.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1f\x8b\x08")
}

/// The files of an archive, without the name of the folder that holds them all.
pub(super) fn unpack(bytes: &[u8], budget: &mut Budget) -> Result<Vec<RawFile>, ArchiveError> {
    read(bytes, budget, inner_name)
}

/// The files of an archive that may be no chart, under the names that it gives them: paths that may lead anywhere.
///
/// # Errors
/// No gzipped tar, nothing in it, more in it than a chart may have.
pub fn unpack_any(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
    let files = read(bytes, &mut Budget::default(), |name| Ok(name.to_owned()))?;
    Ok(files.into_iter().map(|file| (file.name, file.data)).collect())
}

fn read(
    bytes: &[u8],
    budget: &mut Budget,
    name: impl Fn(&str) -> Result<String, ArchiveError>,
) -> Result<Vec<RawFile>, ArchiveError> {
    let stream = MultiGzDecoder::new(bytes).take(budget.bytes + MAX_OVERHEAD);
    let mut archive = tar::Archive::new(stream);
    let mut files = Vec::new();
    for entry in archive.entries()? {
        let entry = entry?;
        let full_name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let skipped = [EntryType::Directory, EntryType::XGlobalHeader, EntryType::XHeader];
        if skipped.contains(&entry.header().entry_type()) || full_name.ends_with('/') {
            continue;
        }
        let name = name(&full_name)?;
        let size = entry.size();
        if size > MAX_FILE_SIZE {
            return Err(ArchiveError::FileTooLarge(full_name));
        }
        budget.spend(size)?;
        let mut data = Vec::new();
        entry.take(size).read_to_end(&mut data)?;
        files.push(RawFile::new(name, data));
    }
    if files.is_empty() { Err(ArchiveError::Empty) } else { Ok(files) }
}

/// The path of an entry inside the chart.
fn inner_name(full_name: &str) -> Result<String, ArchiveError> {
    // Archives made on Windows may have backslashes.
    let delimiter = if full_name.contains('\\') { '\\' } else { '/' };
    let (base, inner) = full_name.split_once(delimiter).unwrap_or((full_name, ""));
    let inner = inner.replace(delimiter, "/");
    if inner.starts_with('/') {
        return Err(ArchiveError::Absolute(full_name.to_string()));
    }
    let inner = clean(&inner);
    if inner.is_empty() {
        return Err(ArchiveError::Outside(full_name.to_string()));
    }
    if inner.starts_with("..") {
        return Err(ArchiveError::Parent(full_name.to_string()));
    }
    let drive = |bytes: &[u8]| matches!(bytes, [letter, b':', b'/', ..] if letter.is_ascii_alphabetic());
    if drive(inner.as_bytes()) {
        return Err(ArchiveError::Drive(full_name.to_string()));
    }
    if base == "Chart.yaml" {
        return Err(ArchiveError::NoBase);
    }
    Ok(inner)
}

/// A relative path without `.`, empty parts and, where it can be, `..`; empty for the folder itself.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// A gzipped tar; names are written as they are, whatever they hold.
    pub(in crate::chart) fn tgz(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, data) in files {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append(&header, *data).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    fn names(files: &[(&str, &[u8])]) -> Result<Vec<String>, String> {
        let files = unpack(&tgz(files), &mut Budget::default()).map_err(|error| error.to_string())?;
        Ok(files.into_iter().map(|file| file.name).collect())
    }

    #[test]
    fn the_outer_folder_is_dropped() {
        let files: &[(&str, &[u8])] =
            &[("c/Chart.yaml", b"x"), ("c/./a//b/../d.txt", b""), ("w\\templates\\e.yaml", b"")];
        assert_eq!(names(files).unwrap(), ["Chart.yaml", "a/d.txt", "templates/e.yaml"]);
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        for (name, error) in [
            ("c//etc/passwd", "chart illegally contains absolute paths"),
            ("c/../../x", "chart illegally references parent directory"),
            ("c/..x", "chart illegally references parent directory"),
            ("x", "chart illegally contains content outside the base directory: \"x\""),
            ("c/a/..", "chart illegally contains content outside the base directory"),
            ("c/c:/x", "chart contains illegally named files"),
            ("Chart.yaml/x", "chart yaml not in base directory"),
        ] {
            let found = names(&[(name, b"")]).unwrap_err();
            assert!(found.starts_with(error), "{name}: {found}");
        }
        assert_eq!(names(&[]).unwrap_err(), "no files in chart archive");
    }

    #[test]
    fn what_is_no_chart_keeps_its_names() {
        let files = unpack_any(&tgz(&[("a.yaml", b"x"), ("b/../c.yaml", b"")])).unwrap();
        assert_eq!(files, [("a.yaml".to_owned(), b"x".to_vec()), ("b/../c.yaml".to_owned(), Vec::new())]);
        assert!(unpack_any(&tgz(&[("large", &vec![0; MAX_FILE_SIZE as usize + 1])])).is_err());
        assert!(unpack_any(&tgz(&[])).is_err());
    }

    #[test]
    fn large_files_and_bombs_are_refused() {
        let large = vec![0; MAX_FILE_SIZE as usize + 1];
        assert!(names(&[("c/large", &large)]).unwrap_err().starts_with("decompressed chart file \"c/large\""));
        let fits = &large[1..];
        let many: Vec<(String, &[u8])> = (0..21).map(|i| (format!("c/{i}"), fits)).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|(name, data)| (name.as_str(), *data)).collect();
        assert!(names(&many).unwrap_err().starts_with("decompressed chart is larger"));
    }

    #[test]
    fn a_long_name_cannot_fill_the_memory() {
        let mut archive = GzEncoder::new(Vec::new(), Compression::fast());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(1 << 40);
        header.set_cksum();
        archive.write_all(header.as_bytes()).unwrap();
        for _ in 0..200 {
            archive.write_all(&[b'x'; 1 << 20]).unwrap();
        }
        assert!(unpack(&archive.finish().unwrap(), &mut Budget::default()).is_err());
    }

    #[test]
    fn damaged_archives_are_errors() {
        let whole = tgz(&[("c/Chart.yaml", &[b'a'; 3000])]);
        for end in [0, 2, 10, whole.len() / 2] {
            assert!(unpack(&whole[..end], &mut Budget::default()).is_err(), "{end} bytes");
        }
        assert!(unpack(b"no gzip", &mut Budget::default()).is_err());
    }

    #[test]
    fn links_in_archives_are_empty_files() {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, "c/link", "/etc/passwd").unwrap();
        let files = unpack(&archive.into_inner().unwrap().finish().unwrap(), &mut Budget::default()).unwrap();
        assert_eq!((files[0].name.as_str(), files[0].data.len()), ("link", 0));
    }
}
