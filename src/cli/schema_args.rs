//! The arguments that say which schemas objects are held to.

use std::path::{Path, PathBuf};

use super::Stop;
use crate::finding::Fault;
use crate::project::Project;
use crate::schema::location::SchemaLocation;
use crate::schema::{self, Minor, Schemas, crd_files};

/// Which schemas.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Schemas")]
pub(super) struct SchemaArgs {
    /// Do not hold objects to the schemas of their kinds: leave `schema/*` out
    #[arg(long)]
    no_schemas: bool,
    /// Check for this Kubernetes version too, ahead of an upgrade: 1.37
    #[arg(long, value_name = "VERSION")]
    target_kube_version: Option<String>,
    /// Take the CustomResourceDefinitions of this file, folder or .tgz too (repeatable)
    #[arg(long, value_name = "PATH")]
    crds: Vec<PathBuf>,
    /// Look for schemas here, in the order given, as kubeconform does: a folder, a template of paths such as
    /// `schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`, or `default` for Kubernetes' own
    /// (repeatable; only `default` where left out)
    #[arg(long, value_name = "TEMPLATE")]
    schema_location: Vec<String>,
}

impl SchemaArgs {
    /// Whether objects are held to nothing of the kind.
    pub(super) fn are_left_out(&self) -> bool {
        self.no_schemas
    }

    /// The schemas that the flags and the project name, for the version of Kubernetes that is meant. Of the locations the
    /// flags' are taken in place of the project's, as their order decides; CRDs are taken of both.
    pub(super) fn read(&self, project: &Project, version: Option<Minor>) -> Result<Schemas, Stop> {
        let target = self.target_kube_version.as_deref().map(super::cluster_args::kube_version).transpose()?;
        let target = target.as_ref().or(project.schemas.target.as_ref());
        let target =
            target.map(|version| version.version.parse()).transpose().map_err(|error: String| Fault::new(error))?;
        let mut schemas = Schemas::new(version, target);
        if self.no_schemas {
            return Ok(schemas);
        }
        for (crd, place) in project.schemas.crds().map_err(Fault::from)? {
            schemas.add_crd(&crd, || place)?;
        }
        for path in &self.crds {
            for (crd, place) in crd_files::read(path)? {
                schemas.add_crd(&crd, || place)?;
            }
        }
        let parse = |text: &String| SchemaLocation::parse(text, Path::new(""));
        let named: Vec<_> = self.schema_location.iter().map(parse).collect::<Result<_, _>>()?;
        let locations = if named.is_empty() { project.schemas.locations().map_err(Fault::from)? } else { named };
        Ok(schemas.with_locations(locations))
    }
}

impl From<schema::Error> for Stop {
    fn from(error: schema::Error) -> Self {
        Fault::from(error).into()
    }
}
