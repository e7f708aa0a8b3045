//! `--output-dir`: manifests in files, and whether those are stale.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::write_all;
use super::{Stop, Streams};
use crate::check::Rendered;
use crate::committed::{self, Drift, Files, Layout, Output, Staleness};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::manifest::{self, Stream};

/// Where manifests are written to.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct ManifestArgs {
    /// Write files to this folder instead of standard output; with --check, say which of them are stale
    #[arg(long, value_name = "DIR", conflicts_with = "show_only")]
    output_dir: Option<PathBuf>,
    /// How they are divided: as Helm does, or as `output` of plimsoll.yaml says, with the CRDs
    #[arg(long, value_enum, default_value_t, value_name = "LAYOUT", requires = "output_dir")]
    output_layout: OutputLayout,
    /// Put the release's name into the path below --output-dir
    #[arg(long)]
    release_name: bool,
}

/// How the manifests of a release are divided into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum OutputLayout {
    /// A file for each template: `<chart>/templates/<file>`
    #[default]
    Template,
    /// One file: `<namespace>/<release>.yaml`
    Release,
    /// A file for each object: `<namespace>/<release>/<kind>-<name>.yaml`
    Object,
}

/// What a folder must hold of a release.
pub(super) struct Manifests {
    files: Files,
    /// The folders in it that have nothing else.
    whole: Vec<PathBuf>,
}

impl ManifestArgs {
    /// The folder, and what it must hold; nothing where none is named.
    pub(super) fn manifests(
        &self,
        rendered: &Rendered,
        include_crds: bool,
        stream: Stream,
    ) -> Result<Option<(PathBuf, Manifests)>, Stop> {
        let Some(folder) = &self.output_dir else { return Ok(None) };
        let folder = if self.release_name { folder.join(&rendered.release().name) } else { folder.clone() };
        let layout = match self.output_layout {
            OutputLayout::Template => {
                let crds = if include_crds { rendered.crds() } else { Vec::new() };
                return Ok(Some((folder, Manifests::of_templates(&crds, rendered, stream))));
            }
            OutputLayout::Release => Layout::Release,
            OutputLayout::Object => Layout::Object,
        };
        let crds = rendered.crds();
        let release = of_release(rendered, &crds, stream);
        let files = committed::files(layout, &[release]).map_err(Fault::from)?;
        // A file of a release lies beside those of others.
        let parents = files.keys().filter(|_| layout == Layout::Object).filter_map(|path| path.parent());
        let whole: BTreeSet<PathBuf> = parents.map(Path::to_path_buf).collect();
        Ok(Some((folder, Manifests { files, whole: whole.into_iter().collect() })))
    }
}

impl Manifests {
    /// A file for each template, as Helm writes them.
    fn of_templates(crds: &[(String, String)], rendered: &Rendered, stream: Stream) -> Self {
        let mut files = Files::new();
        for (name, document) in manifest::documents(crds, &rendered.manifests, stream) {
            files.entry(PathBuf::from(name)).or_default().push_str(&document);
        }
        let charts: BTreeSet<PathBuf> = files.keys().filter_map(|path| path.iter().next().map(PathBuf::from)).collect();
        Self { files, whole: charts.into_iter().collect() }
    }

    /// Which files are not what is rendered.
    pub(super) fn compare(&self, folder: &Path) -> Result<Vec<Drift>, Fault> {
        Ok(committed::compare(folder, &self.whole, &self.files)?)
    }

    /// Writes all of them, or none.
    pub(super) fn write(self, folder: &Path, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
        // Nothing is written through a link that somebody has committed.
        self.compare(folder)?;
        let files: Files = self.files.into_iter().map(|(path, text)| (folder.join(path), text)).collect();
        let said: String = files.keys().map(|path| format!("wrote {}\n", path.display())).collect();
        write_all(&files, folder.display())?;
        streams.note(&said)?;
        Ok(ExitStatus::Clean)
    }
}

fn of_release<'a>(rendered: &'a Rendered, crds: &'a [(String, String)], stream: Stream) -> committed::Release<'a> {
    let release = rendered.release();
    let (namespace, name) = (release.namespace.as_str(), release.name.as_str());
    committed::Release { namespace, name, crds, manifests: &rendered.manifests, stream }
}

/// Which committed manifests of a project are not what its releases are rendered to. `rendered` are all of its releases:
/// what none of them renders is left over.
pub(super) fn of_project(root: &Path, output: &Output, rendered: &[(String, Rendered)]) -> Result<Vec<Drift>, Fault> {
    let crds: Vec<_> = rendered.iter().map(|(_, rendered)| rendered.crds()).collect();
    let releases: Vec<_> =
        rendered.iter().zip(&crds).map(|((_, rendered), crds)| of_release(rendered, crds, Stream::default())).collect();
    let files = committed::files(output.layout, &releases)?;
    Ok(committed::compare(&root.join(&output.folder), &[PathBuf::new()], &files)?)
}

/// How to mend manifests that `render` compares.
pub(super) fn help(varies: bool) -> &'static str {
    if varies {
        "the templates call random functions or the clock: with --seed they render the same every time"
    } else {
        "the same command without --check writes them; remove what is left over"
    }
}

/// Writes what is missing or stale, all or none, and removes what is left over, with the folders that are empty then.
pub(super) fn update(folder: &Path, drifts: Vec<Drift>) -> Result<(), Fault> {
    let (mut files, mut left_over) = (Files::new(), Vec::new());
    for Drift { path, staleness } in drifts {
        match staleness {
            Staleness::Missing { expected } | Staleness::Stale { expected, .. } => {
                files.insert(path, expected);
            }
            Staleness::LeftOver => left_over.push(path),
        }
    }
    write_all(&files, folder.display())?;
    for path in left_over {
        fs::remove_file(&path)
            .map_err(|error| Fault::new(format!("{} could not be removed: {error}", path.display())))?;
        // The first one that is not empty ends it.
        let inner = path.ancestors().skip(1).take_while(|parent| parent.starts_with(folder) && *parent != folder);
        let _ = inner.map(fs::remove_dir).take_while(Result::is_ok).count();
    }
    Ok(())
}

impl From<committed::Error> for Fault {
    fn from(error: committed::Error) -> Self {
        let help = error.help();
        let fault = match error {
            committed::Error::Manifest(error) => Self::from(error),
            other => Self::new(other.to_string()),
        };
        match help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}
