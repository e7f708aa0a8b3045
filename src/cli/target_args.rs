//! The arguments that say what is looked at: charts, plain manifests, or both.

use std::fs;
use std::io::{self, Read};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::chart_args::{ChartArgs, read};
use super::cluster_args::Destination;
use super::ignored_args::IgnoredArgs;
use super::render::render;
use super::{Stop, Streams};
use crate::check::{self, Charts, Job, Subject};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::project::{self, Project};
use crate::source::SourceFile;

/// The most bytes of one file of manifests.
const MAX_FILE: u64 = 64 << 20;

/// What is looked at.
#[derive(Debug, clap::Args)]
pub(super) struct TargetArgs {
    /// Charts (folders with a Chart.yaml, or .tgz), files and folders of manifests, or `-`
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The release's name, for one chart; of several, each has the name of its folder
    #[arg(long, value_name = "NAME", help_heading = "Release")]
    name: Option<String>,

    #[command(flatten)]
    chart: ChartArgs,
    #[command(flatten)]
    ignored: IgnoredArgs,
}

impl TargetArgs {
    /// Where they are meant to go.
    pub(super) fn destination(&self, project: &Project) -> Result<Destination, Stop> {
        Ok(self.chart.destination(project, false)?.only_read())
    }

    /// Renders the charts, reads the manifests, and hands over the releases.
    pub(super) fn with(
        &self,
        destination: &Destination,
        streams: &mut Streams<'_>,
        then: impl FnOnce(&[Subject<'_>], &mut Streams<'_>) -> Result<ExitStatus, Stop>,
    ) -> Result<ExitStatus, Stop> {
        let is_chart =
            |path: &&PathBuf| path.join("Chart.yaml").is_file() || path.extension().is_some_and(|end| end == "tgz");
        let (charts, plain): (Vec<&PathBuf>, Vec<&PathBuf>) = self.paths.iter().partition(is_chart);
        let mut files = Vec::new();
        for path in &plain {
            collect(path, streams, &mut files)?;
        }
        // The process ends soon: to give back every value by itself takes longer than to leave all to the system.
        let rendered = ManuallyDrop::new(self.render(&charts, destination, streams)?);
        let start = Instant::now();
        let count = files.len();
        let manifests = ManuallyDrop::new(check::read(files)?);
        if count > 0 {
            streams.took(&format!("read {count} files of manifests"), start.elapsed())?;
        }
        let mut subjects: Vec<Subject<'_>> = rendered.iter().map(Subject::from).collect();
        if !plain.is_empty() {
            subjects.push(Subject::plain(&manifests, &destination.namespace, &destination.capabilities));
        }
        then(&subjects, streams)
    }

    /// Renders each chart, all with the same values and flags.
    fn render(
        &self,
        charts: &[&PathBuf],
        destination: &Destination,
        streams: &mut Streams<'_>,
    ) -> Result<Vec<check::Rendered>, Stop> {
        let Some(first) = charts.first() else { return Ok(Vec::new()) };
        let several = self.paths.len() > 1;
        if several && self.name.is_some() {
            let fault = Fault::new("--name is given, and a chart among other paths");
            return Err(fault.help("each of them has the name of its folder").into());
        }
        let name = self.name.clone().unwrap_or_else(|| "release-name".into());
        let job = self.chart.job(&[name, first.display().to_string()], destination, streams)?;
        let (known, mut rendered) = (Charts::default(), Vec::new());
        for chart in charts {
            let mut job = Job { chart: chart.to_path_buf(), ..job.clone() };
            if several {
                job.release.name = name_of(chart);
            }
            rendered.push(render(&job, &known, streams)?);
        }
        Ok(rendered)
    }
}

/// The name of a chart's folder or archive.
fn name_of(chart: &Path) -> String {
    let full = chart.canonicalize().unwrap_or_else(|_| chart.to_path_buf());
    let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.trim_end_matches(".tgz").to_owned()
}

/// Reads a file, or all files of manifests below a folder in the order of their names.
pub(super) fn collect(path: &Path, streams: &mut Streams<'_>, files: &mut Vec<Arc<SourceFile>>) -> Result<(), Fault> {
    if path.is_dir() {
        return collect_folder(path, files);
    }
    files.push(file(path, streams)?);
    Ok(())
}

/// Reads a file of manifests, or `-`.
pub(super) fn file(path: &Path, streams: &mut Streams<'_>) -> Result<Arc<SourceFile>, Fault> {
    if path == Path::new("-") {
        return source("-", streams.stdin);
    }
    let mut file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    source(&path.display().to_string(), &mut file)
}

fn collect_folder(path: &Path, files: &mut Vec<Arc<SourceFile>>) -> Result<(), Fault> {
    let entries = || -> io::Result<Vec<_>> {
        let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        entries.into_iter().map(|entry| Ok((entry.path(), entry.file_type()?))).collect()
    };
    for (entry, kind) in entries().map_err(|error| unreadable(path, &error))? {
        let is_manifest = entry.file_name().is_some_and(|name| name != project::FILE)
            && entry.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known));
        // A link to a folder could lead round in circles.
        if kind.is_dir() {
            collect_folder(&entry, files)?;
        } else if is_manifest && (kind.is_file() || kind.is_symlink() && entry.is_file()) {
            let mut file = fs::File::open(&entry).map_err(|error| unreadable(&entry, &error))?;
            files.push(source(&entry.display().to_string(), &mut file)?);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(format!("{} could not be read: {error}", path.display()))
}

/// Reads a file of manifests.
pub(super) fn source(name: &str, input: &mut dyn Read) -> Result<Arc<SourceFile>, Fault> {
    let text = String::from_utf8(read(input, MAX_FILE, name)?);
    Ok(SourceFile::new(name, text.map_err(|_| Fault::new(format!("{name} is not UTF-8 text")))?))
}
