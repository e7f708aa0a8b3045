//! Charts, their schemas and their templates: read once, however many releases there are of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{fault, one};
use crate::chart::{self, Chart};
use crate::finding::Fault;
use crate::render::Templates;
use crate::values;

/// What was read of charts.
#[derive(Debug, Default)]
pub struct Charts {
    loaded: Once<PathBuf, Chart>,
    parsed: Once<Shape, Arc<Templates>>,
    /// What values are held to.
    pub(super) schemas: values::Schemas,
}

/// Work that is done once for each key, by whichever thread asks first; the others wait for it.
type Once<K, V> = Mutex<HashMap<K, Arc<OnceLock<Result<V, Vec<Fault>>>>>>;

/// Which charts a release has under which names: those of the same shape have the same templates and CRDs. A chart is known
/// by the address of its templates, which whoever has the chart keeps.
pub(super) type Shape = Vec<(String, usize)>;

impl Charts {
    /// The chart of a path below `root`.
    pub fn load(&self, root: &Path, path: &Path) -> Result<Chart, Vec<Fault>> {
        once(&self.loaded, root.join(path), || chart::load_below(root, path).map_err(one))
    }

    /// The templates of a chart as a release sees it.
    pub(super) fn parse(&self, chart: &Chart) -> Result<Arc<Templates>, Vec<Fault>> {
        once(&self.parsed, shape(chart), || Templates::parse(chart).map(Arc::new).map_err(fault::of_render))
    }
}

fn once<K: Hash + Eq, V: Clone>(
    known: &Once<K, V>,
    key: K,
    work: impl FnOnce() -> Result<V, Vec<Fault>>,
) -> Result<V, Vec<Fault>> {
    let cell = known.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
    cell.get_or_init(work).clone()
}

/// The shape of a chart as a release sees it.
pub(super) fn shape(chart: &Chart) -> Shape {
    let mut shape = Vec::new();
    describe(chart, chart.name().to_owned(), &mut shape);
    shape
}

fn describe(chart: &Chart, name: String, shape: &mut Shape) {
    for subchart in &chart.dependencies {
        describe(subchart, format!("{name}/charts/{}", subchart.name()), shape);
    }
    shape.push((name, Arc::as_ptr(&chart.templates).addr()));
}
