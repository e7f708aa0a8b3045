//! `plimsoll init`: a project file from what the repository has, or a chart of one's own, from the one in charts/starter.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::write_all;
use super::{Stop, Streams};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::project::discover::Discovery;
use crate::project::{self, Project};
use crate::report;
use crate::report::plural;
use crate::source::SourceFile;

/// Write plimsoll.yaml for the charts and values files of this folder, or a chart of one's own
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a new chart, which passes its own check; its last part is the chart's name. Without it, plimsoll.yaml is
    /// written
    chart: Option<PathBuf>,
}

macro_rules! starter {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../charts/starter/", $name)))),*]
    };
}

/// The files of charts/starter; a test holds the list to the folder.
const FILES: [(&str, &str); 7] = starter![
    "Chart.yaml",
    "values.yaml",
    "values.schema.json",
    "templates/_labels.j2",
    "templates/deployment.yaml.j2",
    "templates/networkpolicy.yaml.j2",
    "templates/service.yaml.j2",
];

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let Some(chart) = &args.chart else { return write_project(streams) };
    let name = chart.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(is_plain) || name.starts_with('-') || name.ends_with('-') {
        let fault = Fault::new(format!("{name:?} is no name for a chart"));
        return Err(fault.help("use lower-case letters, digits and dashes, for example: plimsoll init my-app").into());
    }
    if chart.exists() {
        let fault = Fault::new(format!("{} is there already", chart.display()));
        return Err(fault.help("choose another name, or move what is there out of the way").into());
    }
    write(chart, name).map_err(|error| Fault::new(format!("{} could not be written: {error}", chart.display())))?;
    streams.note(&format!("wrote {} files to {}", FILES.len(), chart.display()))?;
    streams.note(&format!("next: plimsoll render {name} {} --check", chart.display()))?;
    Ok(ExitStatus::Clean)
}

/// Writes the project file of the current folder.
fn write_project(streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let path = Path::new(project::FILE);
    if path.symlink_metadata().is_ok() {
        let fault = Fault::new(format!("{} is there already", path.display()));
        return Err(fault.help("`plimsoll check` checks what it lists; move it away to have it written anew").into());
    }
    let here = Path::new("");
    let found = Discovery::of(here).map_err(|error| Fault::new(format!("this folder could not be read: {error}")))?;
    if found.charts.is_empty() {
        let fault =
            Fault::new("there is no chart here: no folder below this one has a Chart.yaml that can be released");
        let help = "run it at the root of the repository, or begin with a chart: plimsoll init my-app";
        return Err(fault.help(help).into());
    }
    let text = found.project_file();
    let releases = Project::read(&SourceFile::new(project::FILE, &*text), here)
        .and_then(|project| project.releases())
        .map_err(Fault::from)?;
    write_all(&BTreeMap::from([(path.to_owned(), text)]), path.display())?;
    let (releases, charts) = (plural(releases.len(), "release"), plural(found.charts.len(), "chart"));
    writeln!(streams.stdout, "wrote {}: {releases} of {charts}", path.display())?;
    for (chart, names) in &found.lacking {
        let names = report::printable(&names.join(", ")).replace('\n', " ");
        writeln!(streams.stdout, "next: plimsoll deps {}, which lacks {names}", report::printable(chart))?;
    }
    writeln!(streams.stdout, "next: look it over, then plimsoll check")?;
    Ok(ExitStatus::Clean)
}

/// Writes the chart beside its place and moves it there whole.
fn write(chart: &Path, name: &str) -> std::io::Result<()> {
    let parent = chart.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let draft = parent.join(format!(".{name}.plimsoll-init"));
    let written = FILES.iter().try_for_each(|(file, text)| {
        let path = draft.join(file);
        fs::create_dir_all(path.parent().unwrap_or(&draft))?;
        let text = if *file == "Chart.yaml" {
            text.replacen("name: starter", &format!("name: {name}"), 1)
        } else {
            (*text).to_owned()
        };
        fs::write(path, text)
    });
    let moved = written.and_then(|()| fs::rename(&draft, chart));
    if moved.is_err() {
        // Best effort: the first error is the one to tell.
        let _ = fs::remove_dir_all(&draft);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_starter_is_written() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/starter");
        let mut found: Vec<String> = ["", "templates"]
            .iter()
            .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned())
            .collect();
        found.sort();
        let mut listed: Vec<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        listed.sort();
        assert_eq!(found, listed);
    }
}
