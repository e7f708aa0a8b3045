//! The arguments that say which release of which chart is meant: those of `helm template`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::cluster_args::{ClusterArgs, Destination};
use super::connect_args::ConnectArgs;
use super::{Stop, Streams};
use crate::bounded;
use crate::chart;
use crate::check::Job;
use crate::cluster::Cluster;
use crate::finding::Fault;
use crate::project::Project;
use crate::render::any::Any;
use crate::render::host::Source;
use crate::render::{Release, gotemplate};
use crate::repository;
use crate::values::{self, Inputs, SchemaCheck};

/// Helm's flags that decide what is rendered.
#[derive(Debug, clap::Args)]
pub(super) struct ChartArgs {
    /// Read values from a YAML file, or from `-` (repeatable; the last wins)
    #[arg(short = 'f', long = "values", value_name = "FILE", value_delimiter = ',', help_heading = "Values")]
    pub values: Vec<String>,
    /// Set values: key1=val1,key2=val2 (repeatable)
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true, help_heading = "Values")]
    pub set: Vec<String>,
    /// Set values that stay text (repeatable)
    #[arg(long, value_name = "KEY=TEXT", allow_hyphen_values = true, help_heading = "Values")]
    pub set_string: Vec<String>,
    /// Set values to the contents of files: key1=path1 (repeatable)
    #[arg(long, value_name = "KEY=FILE", allow_hyphen_values = true, help_heading = "Values")]
    pub set_file: Vec<String>,
    /// Set values to JSON: key1={"a":1}, or one JSON object (repeatable)
    #[arg(long, value_name = "KEY=JSON", allow_hyphen_values = true, help_heading = "Values")]
    pub set_json: Vec<String>,
    /// Set one value to text taken as it is (repeatable)
    #[arg(long, value_name = "KEY=TEXT", allow_hyphen_values = true, help_heading = "Values")]
    pub set_literal: Vec<String>,
    /// Do not hold the values to values.schema.json
    #[arg(long, help_heading = "Values")]
    pub skip_schema_validation: bool,

    #[command(flatten)]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// A template for the release's name, in place of NAME
    #[arg(long, value_name = "TEMPLATE", help_heading = "Release")]
    pub name_template: Option<String>,
    /// Set .Release.IsUpgrade instead of .Release.IsInstall
    #[arg(long, help_heading = "Release")]
    pub is_upgrade: bool,
    /// Package missing file:// dependencies into charts/ first; `plimsoll deps` gets the others
    #[arg(long, help_heading = "Release")]
    pub dependency_update: bool,
    /// Make random functions (randAlphaNum, genCA, uuidv4, …) reproducible
    #[arg(long, value_name = "NUMBER", help_heading = "Release")]
    pub seed: Option<u64>,
}

impl ChartArgs {
    /// Where the release is meant to go. No cluster is asked that the user did not name, or mean by something else.
    pub(super) fn destination(&self, project: &Project, asks_server: bool) -> Result<Destination, Stop> {
        let cluster = (asks_server || self.connect.is_named()).then(|| self.connect.connect()).transpose()?;
        self.cluster.destination(project, cluster)
    }

    /// What Helm's `NameAndChart` and `MergeValues` make of the arguments.
    pub(super) fn job(
        &self,
        name_and_chart: &[String],
        destination: &Destination,
        streams: &mut Streams<'_>,
    ) -> Result<Job, Stop> {
        let source = match self.seed {
            Some(number) => Source::reproducible(number),
            None => Source::system().map_err(|error| Fault::new(format!("no random numbers: {error}")))?,
        };
        let (name, chart) = self.name_and_chart(name_and_chart, source)?;
        if self.dependency_update {
            update_dependencies(Path::new(&chart))?;
        }
        let mut stdin = Vec::new();
        if self.values.iter().any(|name| name == "-") {
            stdin = read(streams.stdin, values::MAX_FILE, "standard input")?;
        }
        Ok(Job {
            root: PathBuf::new(),
            chart: PathBuf::from(chart),
            release: Release {
                name,
                namespace: destination.namespace.clone(),
                revision: 1,
                is_upgrade: self.is_upgrade,
            },
            inputs: Inputs {
                files: self.values.clone(),
                set_json: self.set_json.clone(),
                set: self.set.clone(),
                set_string: self.set_string.clone(),
                set_file: self.set_file.clone(),
                set_literal: self.set_literal.clone(),
            },
            stdin,
            capabilities: destination.capabilities.clone(),
            schema: if self.skip_schema_validation { SchemaCheck::Skip } else { SchemaCheck::Enforce },
            source,
            cluster: destination.cluster.as_ref().map(Cluster::objects),
        })
    }

    fn name_and_chart(&self, given: &[String], source: Source) -> Result<(String, String), Stop> {
        match given {
            [] => Err(Fault::new(
                "a chart is missing\nplimsoll render takes the arguments of:\nUsage:  helm template [NAME] [CHART] [flags]",
            )
            .help("for example: plimsoll render my-release ./my-chart -f values.yaml")
            .into()),
            [chart] => match &self.name_template {
                Some(template) if !template.is_empty() => {
                    let name = gotemplate::render_text("name-template", template, || Any::Nil, source);
                    Ok((name.map_err(|error| Fault::new(error.to_string()))?, chart.clone()))
                }
                _ => Ok(("release-name".to_owned(), chart.clone())),
            },
            [_, _] if self.name_template.is_some() => {
                Err(Fault::new("cannot set --name-template and also specify a name").into())
            }
            [name, chart] => Ok((name.clone(), chart.clone())),
            [_, _, rest @ ..] => {
                let rest = rest.join(", ");
                Err(Fault::new(format!("expected at most two arguments, unexpected arguments: {rest}")).into())
            }
        }
    }
}

/// Fills `charts/` where something is missing, without the network.
fn update_dependencies(folder: &Path) -> Result<(), Fault> {
    if chart::load(folder)?.missing_dependencies().is_empty() {
        return Ok(());
    }
    let options = repository::Options { locked: false, network: None, now: SystemTime::now() };
    repository::update(folder, &options).map(drop).map_err(|error| super::deps::fault(&error))
}

/// Reads all of an input that must not be larger than `limit` bytes.
pub(super) fn read(input: &mut dyn Read, limit: u64, name: &str) -> Result<Vec<u8>, Fault> {
    bounded::read_all(input, limit).map_err(|error| Fault::new(format!("{name} could not be read: {error}")))
}
