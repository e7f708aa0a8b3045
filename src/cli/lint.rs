//! `plimsoll lint`: charts and plain manifests against policies.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chart_args::{ChartArgs, read};
use super::check_args::CheckArgs;
use super::{Stop, Streams};
use crate::check::{self, Subject};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::source::SourceFile;

/// The most bytes of one file of manifests.
const MAX_FILE: u64 = 64 << 20;

/// Check a chart, or files and folders of plain manifests, or `-`
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    checks: CheckArgs,
}

/// What is looked at: a release of a chart, or plain manifests.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// One chart (a folder with a Chart.yaml, or a .tgz), or files and folders of manifests, or `-`
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The release's name, for a chart
    #[arg(long, value_name = "NAME", default_value = "release-name", help_heading = "Release")]
    name: String,

    #[command(flatten)]
    chart: ChartArgs,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    args.target.with(streams, |subject, streams| args.checks.run(subject, streams))
}

impl Target {
    /// Renders or reads what is meant, and hands it over.
    pub(super) fn with(
        &self,
        streams: &mut Streams<'_>,
        then: impl FnOnce(&Subject<'_>, &mut Streams<'_>) -> Result<ExitStatus, Stop>,
    ) -> Result<ExitStatus, Stop> {
        let is_chart =
            |path: &Path| path.join("Chart.yaml").is_file() || path.extension().is_some_and(|end| end == "tgz");
        if let [chart] = self.paths.as_slice()
            && is_chart(chart)
        {
            let job = self.chart.job(&[self.name.clone(), chart.display().to_string()], streams)?;
            let rendered = check::render(&job)?;
            return then(&Subject::from(&rendered), streams);
        }
        if let Some(chart) = self.paths.iter().find(|path| is_chart(path)) {
            let fault = Fault::new(format!("{} is a chart among other paths", chart.display()));
            return Err(fault.help("give one chart at a time, so that its values are its own").into());
        }
        let mut files = Vec::new();
        for path in &self.paths {
            collect(path, streams, &mut files)?;
        }
        let manifests = check::read(files)?;
        let capabilities = self.chart.capabilities()?;
        then(&Subject::plain(&manifests, &self.chart.namespace, &capabilities), streams)
    }
}

/// Reads a file, or all files of manifests below a folder in the order of their names.
fn collect(path: &Path, streams: &mut Streams<'_>, files: &mut Vec<Arc<SourceFile>>) -> Result<(), Fault> {
    let fault = |error: std::io::Error| Fault::new(format!("{} could not be read: {error}", path.display()));
    if path == Path::new("-") {
        files.push(source("-", streams.stdin)?);
    } else if path.is_dir() {
        let mut entries = fs::read_dir(path)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>())
            .map_err(fault)?;
        entries.sort();
        for entry in entries {
            let is_manifest =
                entry.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known));
            // A link to a folder could lead round in circles.
            if entry.is_dir() && !entry.is_symlink() || entry.is_file() && is_manifest {
                collect(&entry, streams, files)?;
            }
        }
    } else {
        let mut file = fs::File::open(path).map_err(fault)?;
        files.push(source(&path.display().to_string(), &mut file)?);
    }
    Ok(())
}

fn source(name: &str, input: &mut dyn Read) -> Result<Arc<SourceFile>, Fault> {
    let text = String::from_utf8(read(input, MAX_FILE, name)?);
    Ok(SourceFile::new(name, text.map_err(|_| Fault::new(format!("{name} is not UTF-8 text")))?))
}
