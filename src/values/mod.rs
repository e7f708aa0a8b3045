//! The values of a release: what the user supplied over what charts have.

mod coalesce;
mod dependencies;
mod inputs;
mod schema;
mod set;
pub mod set_text;
mod sources;
mod table;

use crate::chart::{Capabilities, Chart, KubeVersionMismatch};
use crate::value::Value;
use coalesce::Warnings;

pub use coalesce::CoalesceError;
pub use inputs::{InputError, Inputs, SetOption, Supplied};
pub use schema::{ChartSchemaError, Problem, SchemaError, Schemas};
pub use set::SetError;
pub use sources::Sources;

/// The most bytes of a values file, and of a file for `--set-file`.
pub const MAX_FILE: u64 = 64 << 20;

/// The values of a release, and its charts.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The chart as the release sees it: without disabled subcharts, aliases as names, values imported.
    pub chart: Chart,
    /// `.Values` of the root chart; those of a subchart are below its name. Always a map.
    pub values: Value,
    /// What the user supplied, without any chart's values. Always a map.
    pub supplied: Value,
    /// Who set which value.
    pub sources: Sources,
    /// What Helm warns of, each once.
    pub warnings: Vec<String>,
}

/// Whether values must meet values.schema.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchemaCheck {
    /// Yes.
    #[default]
    Enforce,
    /// No (`--skip-schema-validation`).
    Skip,
}

/// Why there are no values for a release. The texts are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A library chart as the root.
    #[error("{0} charts are not installable")]
    NotInstallable(String),
    /// Subcharts that Chart.yaml names and `charts/` does not have.
    #[error(
        "an error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch \
         missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        missing.join(", ")
    )]
    MissingDependencies {
        /// Their names.
        missing: Vec<String>,
    },
    /// The values of subcharts cannot be laid over each other.
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(#[source] CoalesceError),
    /// The same, of the finished chart.
    #[error(transparent)]
    Coalesce(CoalesceError),
    /// The values do not meet values.schema.json.
    #[error("{error}")]
    Schema {
        /// What is wrong.
        #[source]
        error: SchemaError,
        /// Who set the values that are.
        sources: Box<Sources>,
    },
    /// The chart is for another version of Kubernetes.
    #[error(transparent)]
    KubeVersion(#[from] KubeVersionMismatch),
}

/// A chart with all that a release of it may have, and the values of all that: every subchart is there, under the name
/// that Chart.yaml gives it, whatever its condition says.
///
/// # Errors
///
/// Where the values of subcharts cannot be laid over each other.
pub fn overview(chart: &Chart, supplied: &Supplied) -> Result<(Chart, Value), Error> {
    let mut warnings = Warnings::default();
    let chart = dependencies::all(chart, &mut warnings).map_err(Error::Dependencies)?;
    let values = coalesce::coalesce(&chart, &supplied.values, &mut warnings).map_err(Error::Coalesce)?;
    Ok((chart, values))
}

/// Computes the values of a release, with all the checks that `helm template` makes before it renders.
pub fn resolve(
    chart: &Chart,
    supplied: &Supplied,
    capabilities: &Capabilities,
    schema: SchemaCheck,
) -> Result<Resolved, Error> {
    resolve_with(chart, supplied, capabilities, schema, &Schemas::default())
}

/// The same, with what is known already of the schemas of charts.
///
/// # Errors
///
/// As [`resolve`].
pub fn resolve_with(
    chart: &Chart,
    supplied: &Supplied,
    capabilities: &Capabilities,
    schema: SchemaCheck,
    schemas: &Schemas,
) -> Result<Resolved, Error> {
    if !matches!(chart.metadata.kind.as_str(), "" | "application") {
        return Err(Error::NotInstallable(chart.metadata.kind.clone()));
    }
    let missing = chart.missing_dependencies();
    if !missing.is_empty() {
        return Err(Error::MissingDependencies { missing });
    }
    let mut warnings = Warnings::default();
    chart.warnings.iter().for_each(|warning| warnings.add(warning.clone()));
    if chart.metadata.deprecated {
        warnings.add("this chart is deprecated".to_string());
    }
    let view = dependencies::process(chart, &supplied.values, &mut warnings).map_err(Error::Dependencies)?;
    let values = coalesce::coalesce(&view, &supplied.values, &mut warnings).map_err(Error::Coalesce)?;
    let sources = Sources::new(&supplied.layers, &view);
    if schema == SchemaCheck::Enforce {
        schema::check(&view, &values, schemas)
            .map_err(|error| Error::Schema { error, sources: Box::new(sources.clone()) })?;
    }
    view.check_kube_version(capabilities)?;
    Ok(Resolved { chart: view, values, supplied: supplied.values.clone(), sources, warnings: warnings.list })
}
