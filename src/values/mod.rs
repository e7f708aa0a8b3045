//! The values of a release: what the user supplied over what charts have.

mod coalesce;
mod dependencies;
mod inputs;
mod set;
mod table;

use crate::chart::Chart;
use crate::value::Value;
use coalesce::Warnings;

pub use coalesce::TypeMismatch;
pub use inputs::{InputError, Inputs, SetOption, Supplied};
pub use set::SetError;

/// The values of a release, and its charts.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The chart as the release sees it: without disabled subcharts, aliases as names, values imported.
    pub chart: Chart,
    /// `.Values` of the root chart; those of a subchart are below its name. Always a map.
    pub values: Value,
    /// What Helm warns of, each once.
    pub warnings: Vec<String>,
}

/// Why there are no values for a release. The texts are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A library chart as the root.
    #[error("{0} charts are not installable")]
    NotInstallable(String),
    /// Subcharts that Chart.yaml names and `charts/` does not have.
    #[error(
        "an error occurred while checking for chart dependencies: \
         found in Chart.yaml, but missing in charts/ directory: {}",
        missing.join(", ")
    )]
    MissingDependencies {
        /// Their names.
        missing: Vec<String>,
    },
    /// A subchart's values are no mapping.
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(#[source] TypeMismatch),
    /// A subchart's values are no mapping.
    #[error(transparent)]
    Coalesce(TypeMismatch),
}

/// Computes the values of a release, as `helm template` does before it renders.
pub fn resolve(chart: &Chart, supplied: &Supplied) -> Result<Resolved, Error> {
    if !matches!(chart.metadata.kind.as_str(), "" | "application") {
        return Err(Error::NotInstallable(chart.metadata.kind.clone()));
    }
    let has = |name: &str| chart.dependencies.iter().any(|subchart| subchart.name() == name);
    let missing: Vec<String> =
        chart.metadata.dependencies.iter().map(|d| d.name.clone()).filter(|name| !has(name)).collect();
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
    Ok(Resolved { chart: view, values, warnings: warnings.list })
}
