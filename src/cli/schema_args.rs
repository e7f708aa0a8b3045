//! The arguments that say which schemas objects are held to.

use std::path::{Path, PathBuf};

use super::Stop;
use crate::chart::KubeVersion;
use crate::finding::Fault;
use crate::project::Project;
use crate::schema::location::SchemaLocation;
use crate::schema::{self, crd_files};
use crate::source::Location;
use crate::value::Value;

/// Which schemas.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Schemas")]
pub(super) struct SchemaArgs {
    /// Do not validate against Kubernetes schemas
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

/// Where the schemas of a run come from, besides the binary and the charts.
#[derive(Debug)]
pub(super) struct SchemaSources {
    /// The Kubernetes version that objects are to hold for too.
    pub target: Option<KubeVersion>,
    /// CustomResourceDefinitions, each with the place where it is written.
    pub crds: Vec<(Value, Location)>,
    /// The places where schemas are looked for, in this order; where there are none, only those of the binary.
    pub locations: Vec<SchemaLocation>,
}

impl SchemaArgs {
    /// Reads what the flags and the project name; `None` where nothing is to be validated. Of the locations the flags' are
    /// taken in place of the project's, as their order decides; CRDs are taken of both.
    pub(super) fn read(&self, project: &Project) -> Result<Option<SchemaSources>, Stop> {
        if self.no_schemas {
            return Ok(None);
        }
        let target = self.target_kube_version.as_deref().map(super::chart_args::kube_version).transpose()?;
        let mut crds = project.schemas.crds().map_err(Fault::from)?;
        for path in &self.crds {
            crds.extend(crd_files::read(path)?);
        }
        let mut locations = Vec::new();
        for text in &self.schema_location {
            locations.push(SchemaLocation::parse(text, Path::new(""))?);
        }
        if locations.is_empty() {
            locations = project.schemas.locations().map_err(Fault::from)?;
        }
        Ok(Some(SchemaSources { target: target.or_else(|| project.schemas.target.clone()), crds, locations }))
    }
}

impl From<schema::Error> for Stop {
    fn from(error: schema::Error) -> Self {
        let fault = Fault::new(error.to_string());
        match error.location {
            Some(place) => fault.label(place, "here").into(),
            None => fault.into(),
        }
    }
}
