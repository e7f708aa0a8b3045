//! Who set a value.
//!
//! Values carry no positions: when a finding asks, the layers are searched from the strongest to the weakest, and only
//! then the texts that may have set the value are read again, each once, for the place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::inputs::{Layer, apply};
use crate::chart::{Chart, values_file};
use crate::finding::Setter;
use crate::source::{Location, SourceFile};
use crate::value::{Map, Path, Step, Value};
use crate::yaml;

/// Everything that set values of a release.
#[derive(Debug, Clone)]
pub struct Sources {
    layers: Vec<Layer>,
    chart: Chart,
    /// The values files that were read again, by their addresses; nothing for one that cannot be read.
    written: Arc<Mutex<HashMap<usize, Option<Arc<Written>>>>>,
}

/// A values file as it was written.
#[derive(Debug)]
struct Written {
    source: Arc<SourceFile>,
    /// All documents, merged.
    values: Value,
    documents: Vec<(yaml::Document, Option<yaml::Places>)>,
}

impl Sources {
    /// `chart` is the release's view, with aliases.
    pub(super) fn new(layers: &[Layer], chart: &Chart) -> Self {
        Self { layers: layers.to_vec(), chart: chart.clone(), written: Arc::default() }
    }

    /// What set the value at a path of the root chart's values, or took it away; `None` where nothing did.
    ///
    /// The place is that of the key, and for what stands in a list or block that was replaced as a whole, that of the
    /// innermost key that is there.
    pub fn setter(&self, path: &Path) -> Option<Setter> {
        self.spellings(path).iter().find_map(|path| self.supplied(path).or_else(|| self.own(&self.chart, &path.0)))
    }

    /// What set the value in a file or flag of the user's; `None` where it is a chart's default.
    pub fn supplied_setter(&self, path: &Path) -> Option<Setter> {
        self.spellings(path).iter().find_map(|path| self.supplied(path))
    }

    fn supplied(&self, path: &Path) -> Option<Setter> {
        self.layers.iter().rev().find_map(|layer| match layer {
            Layer::File { source, values } => {
                let depth = reach(values, &path.0, false)?;
                Some(self.written(source)?.setter(&path.0[..depth]))
            }
            Layer::Flag { option, text } => {
                // What a file holds does not matter here.
                let values = apply(*option, text, Map::default().into(), &|_| Ok(String::new())).ok()?;
                reach(&values, &path.0, true).map(|_| Setter::Flag(format!("{} {text}", option.flag())))
            }
        })
    }

    /// The path and, for what is global, the paths above it, the uppermost first: a parent's global values win.
    fn spellings(&self, path: &Path) -> Vec<Path> {
        let mut chart = &self.chart;
        let mut prefix = 0;
        while let Some(Step::Key(key)) = path.0.get(prefix) {
            if &**key == "global" {
                let global = &path.0[prefix..];
                return (0..=prefix).map(|above| Path([&path.0[..above], global].concat())).collect();
            }
            match chart.dependencies.iter().find(|subchart| subchart.name() == &**key) {
                Some(subchart) => (chart, prefix) = (subchart, prefix + 1),
                None => break,
            }
        }
        vec![path.clone()]
    }

    /// What a chart itself, or a subchart, says at a path.
    fn own(&self, chart: &Chart, path: &[Step]) -> Option<Setter> {
        if let Some(source) = &chart.values_yaml
            && let Some(written) = self.written(source)
            && let Some(depth) = reach(&written.values, path, false)
        {
            return Some(written.setter(&path[..depth]));
        }
        let subchart = |name: &str| chart.dependencies.iter().find(|subchart| subchart.name() == name);
        if let [Step::Key(name), inner @ ..] = path
            && let Some(setter) = subchart(name).and_then(|subchart| self.own(subchart, inner))
        {
            return Some(setter);
        }
        for dependency in &chart.metadata.dependencies {
            for import in &dependency.import_values {
                let (Some(child), Some(parent)) = (steps(import.get("child")), steps(import.get("parent"))) else {
                    continue;
                };
                let Some(inner) = path.strip_prefix(&*parent) else { continue };
                let imported = [&child, inner].concat();
                if let Some(setter) = subchart(&dependency.name).and_then(|subchart| self.own(subchart, &imported)) {
                    return Some(setter);
                }
            }
        }
        None
    }

    fn written(&self, source: &Arc<SourceFile>) -> Option<Arc<Written>> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // The layers and the chart keep their files: no other file comes to lie at the address of one.
        written.entry(Arc::as_ptr(source).addr()).or_insert_with(|| Written::read(source).map(Arc::new)).clone()
    }
}

impl Written {
    fn read(source: &Arc<SourceFile>) -> Option<Self> {
        let documents = values_file::documents(source).ok()?;
        let values = values_file::merged(&documents);
        let places = |document: &yaml::Document| yaml::Places::read(&source.text, document.span);
        let documents = documents.into_iter().map(|document| {
            let places = places(&document);
            (document, places)
        });
        Some(Self { source: source.clone(), values, documents: documents.collect() })
    }

    /// The place of a value; the last document that decides counts.
    fn setter(&self, path: &[Step]) -> Setter {
        let path = Path(path.to_vec());
        let span = self.documents.iter().rev().find_map(|(document, places)| {
            document.value.follow(&path)?;
            let (place, steps) = places.as_ref()?.nearest(&path);
            (steps == path.0.len()).then_some(place.key.unwrap_or(place.value))
        });
        Setter::File(Location::new(self.source.clone(), span.unwrap_or_default()))
    }
}

/// The keys of a dotted path; none for `.`.
fn steps(path: Option<&Value>) -> Option<Vec<Step>> {
    let path = path?.as_str()?;
    Some(if path == "." { Vec::new() } else { path.split('.').map(|key| Step::Key(key.into())).collect() })
}

/// How many steps of a path a layer knows, if it decides what is there: either it has the value, or it has something on
/// the way to it that hides what is below.
fn reach(value: &Value, path: &[Step], is_flag: bool) -> Option<usize> {
    let mut value = value;
    for (depth, step) in path.iter().enumerate() {
        value = match (step, value) {
            (Step::Key(key), Value::Map(map)) => map.get(key)?,
            (Step::Index(index), Value::List(items)) => match items.get(*index) {
                // `--set a[1]=x` does not mean the first item.
                Some(Value::Null) | None if is_flag => return None,
                Some(item) => item,
                None => return Some(depth),
            },
            _ => return Some(depth),
        };
    }
    Some(path.len())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Inputs, SchemaCheck, Supplied, resolve};
    use super::*;
    use crate::chart::{Capabilities, load};

    /// `c` with a subchart `sub` (as `s`), whose values it imports.
    fn sources(inputs: &Inputs, file: &str) -> Sources {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            (
                "Chart.yaml",
                "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- name: sub\n  alias: s\n  version: 1.x\n  \
                 import-values: [{child: conf, parent: imported}]\n",
            ),
            ("values.yaml", "a: 1\nl: [1, 2]\nm:\n  x: 1\n  z: 2\ns:\n  over: 1\nglobal:\n  g: 1\n---\na: 2\n"),
            ("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.2.0\n"),
            ("charts/sub/values.yaml", "over: 0\nunder: 0\nconf:\n  k: v\nglobal:\n  g: 0\n  h: 0\n"),
        ] {
            let path = folder.path().join("c").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let supplied = Supplied::read(inputs, &|_| Ok(file.as_bytes().to_vec())).unwrap();
        let chart = load(&folder.path().join("c")).unwrap();
        resolve(&chart, &supplied, &Capabilities::default(), SchemaCheck::Enforce).unwrap().sources
    }

    fn setter(sources: &Sources, path: Path) -> String {
        match sources.setter(&path) {
            None => "nobody".to_string(),
            Some(Setter::Flag(flag)) => flag,
            Some(Setter::File(location)) => {
                let place = location.to_string();
                place.rsplit_once("/c/").map_or(place.clone(), |(_, inner)| inner.to_string())
            }
        }
    }

    fn path(keys: &str) -> Path {
        Path(keys.split('.').map(|key| key.parse().map_or_else(|_| Step::Key(key.into()), Step::Index)).collect())
    }

    #[test]
    fn the_chart_itself_sets_what_nobody_else_does() {
        let sources = sources(&Inputs::default(), "");
        for (keys, place) in [
            ("a", "values.yaml:11:1"),
            ("m.z", "values.yaml:5:3"),
            ("l.1", "values.yaml:2:8"),
            ("l.7", "values.yaml:2:1"),
            ("s.over", "values.yaml:7:3"),
            ("s.under", "charts/sub/values.yaml:2:1"),
            ("imported.k", "charts/sub/values.yaml:4:3"),
            ("global.g", "values.yaml:9:3"),
            ("s.global.g", "values.yaml:9:3"),
            ("s.global.h", "charts/sub/values.yaml:7:3"),
            ("m.none", "nobody"),
            ("none", "nobody"),
        ] {
            assert_eq!(setter(&sources, path(keys)), place, "{keys}");
        }
    }

    #[test]
    fn flags_win_over_files_and_files_over_the_chart() {
        let inputs = Inputs {
            files: vec!["v.yaml".into()],
            set: vec!["m.x=1,b=2".into(), "l[1]=9".into(), "gone=null".into()],
            set_literal: vec!["m.x=3".into()],
            ..Inputs::default()
        };
        let sources = sources(&inputs, "a: 5\nm:\n  z: 6\nlist:\n- p: 1\ngone: 1\n");
        for (keys, place) in [
            ("a", "v.yaml:1:1"),
            ("m.x", "--set-literal m.x=3"),
            ("b", "--set m.x=1,b=2"),
            ("m.z", "v.yaml:3:3"),
            ("l.1", "--set l[1]=9"),
            ("list.0.p", "v.yaml:5:3"),
            ("list.0.q", "nobody"),
            ("gone", "--set gone=null"),
            ("s.over", "values.yaml:7:3"),
        ] {
            assert_eq!(setter(&sources, path(keys)), place, "{keys}");
        }
        assert!(sources.supplied_setter(&path("s.over")).is_none());
        assert!(sources.supplied_setter(&path("a")).is_some());
    }
}
