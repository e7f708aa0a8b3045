//! Why a chart cannot be loaded.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::{ArchiveError, MAX_FILE_SIZE};
use super::ignore::IgnoreError;
use super::metadata::MetadataError;
use super::values_file::ValuesFileError;
use crate::source::{Location, SourceFile, Span};
use crate::yaml;

/// Why a chart cannot be loaded. The texts are Helm's where Helm has one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing at the path.
    #[error("path {path:?} not found")]
    NotFound {
        /// As given.
        path: PathBuf,
    },
    /// A folder without a Chart.yaml.
    #[error("unable to detect chart at {}: open {}: no such file or directory", path.display(), path.display())]
    NotAChart {
        /// Where Chart.yaml should be.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// `.helmignore` leaves Chart.yaml out, or an archive has none.
    #[error("Chart.yaml file is missing")]
    NoChartYaml,
    /// The system does not let us read a file or folder.
    #[error("error reading {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A file of more than 5 MiB.
    #[error("chart file {:?} is larger than the maximum file size {MAX_FILE_SIZE}", path.display().to_string())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A device, socket or pipe.
    #[error("cannot load irregular file {} as it has file mode type bits set", path.display())]
    Irregular {
        /// The file.
        path: PathBuf,
    },
    /// A symbolic link that leads nowhere.
    #[error("error evaluating symlink {}: {error}", path.display())]
    DanglingLink {
        /// The link.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A symbolic link to something outside the chart.
    #[error("symbolic link {} leaves the chart: it leads to {}", path.display(), target.display())]
    LinkOutside {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A symbolic link to a folder around itself, or folders without end.
    #[error("folders nest without end at {}", path.display())]
    Loop {
        /// The link or folder.
        path: PathBuf,
    },
    /// A line of `.helmignore`.
    #[error("{error}")]
    Ignore {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        error: IgnoreError,
    },
    /// A file that is no archive.
    #[error("file '{}' {problem}", path.display())]
    NotAnArchive {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        problem: String,
    },
    /// An archive that is damaged or hostile, or a folder that is too large.
    #[error("unable to load chart archive: {error}")]
    Archive {
        /// The archive or folder.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        error: ArchiveError,
    },
    /// A file that must be UTF-8 and is not.
    #[error("cannot load {name}: error converting YAML to JSON: yaml: invalid leading UTF-8 octet")]
    NotText {
        /// Chart.yaml, values.yaml, …
        name: &'static str,
        /// The file.
        path: String,
    },
    /// A file that is no YAML.
    #[error("cannot load {name}: {error}")]
    Yaml {
        /// Chart.yaml, Chart.lock, …
        name: &'static str,
        /// The file.
        file: Arc<SourceFile>,
        /// What is wrong, and where.
        #[source]
        error: yaml::Error,
    },
    /// What values.yaml says is not what values are.
    #[error("cannot load values.yaml: {error}")]
    Values {
        /// The file.
        file: Arc<SourceFile>,
        /// What is wrong, and where.
        #[source]
        error: ValuesFileError,
    },
    /// What Chart.yaml says is not what Helm wants.
    #[error("{}{error}", if matches!(error, MetadataError::Type { .. }) { format!("cannot load {name}: ") } else { String::new() })]
    Metadata {
        /// Chart.yaml, Chart.lock, …
        name: &'static str,
        /// The file.
        file: Arc<SourceFile>,
        /// What is wrong.
        #[source]
        error: MetadataError,
    },
    /// An apiVersion other than v1 and v2.
    #[error("{0}")]
    Version(&'static str),
    /// A folder in `charts/` that has the name of an archive.
    #[error("expected an archive, got a folder")]
    FolderNamedArchive,
    /// Charts in charts in charts.
    #[error("subcharts nest deeper than {0}")]
    TooDeep(usize),
    /// A subchart that cannot be loaded.
    #[error("error unpacking subchart {folder} in {parent}: {error}")]
    Subchart {
        /// The file or folder below `charts/`.
        folder: String,
        /// The chart around it.
        parent: String,
        /// What is wrong with it.
        #[source]
        error: Box<Error>,
    },
}

impl Error {
    pub(super) fn read(path: &Path, error: io::Error) -> Self {
        Self::Read { path: path.to_path_buf(), error }
    }

    pub(super) fn not_found(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path: path.to_path_buf() },
            _ => Self::read(path, error),
        }
    }

    pub(super) fn not_an_archive(path: &Path, bytes: &[u8]) -> Self {
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        let problem = if is_yaml {
            "seems to be a YAML file, but expected a gzipped archive".to_string()
        } else {
            // Of all the types that Go's `http.DetectContentType` knows, the two that matter.
            let is_text = !bytes.iter().take(512).any(|byte| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31));
            let kind = if is_text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
            format!("does not appear to be a gzipped archive; got '{kind}'")
        };
        Self::NotAnArchive { path: path.to_path_buf(), problem }
    }

    pub(super) fn metadata(name: &'static str, file: &Arc<SourceFile>, error: MetadataError) -> Self {
        Self::Metadata { name, file: file.clone(), error }
    }

    /// The place in a file of the chart that is at fault.
    pub fn location(&self) -> Option<Location> {
        match self {
            Self::Yaml { file, error, .. } => Some(Location::new(file.clone(), error.span())),
            Self::Values { file, error } => Some(Location::new(file.clone(), error.span())),
            Self::Metadata { file, error, .. } => {
                let whole = Span::new(0, file.text.len());
                let located = yaml::locate(&file.text, whole, error.path())?;
                Some(Location::new(file.clone(), located.key.unwrap_or(located.value)))
            }
            Self::Subchart { error, .. } => error.location(),
            _ => None,
        }
    }
}
