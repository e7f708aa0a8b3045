//! What the templates of each chart of a tree see, and what Chart.yaml says of values.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::Use;
use super::pattern::{Pattern, Tolerance};
use super::record::Recorder;
use super::shape::{Atom, Map, Place, Root, Shape};
use crate::chart::{Chart, Dependency};
use crate::source::{Location, Span};
use crate::value::{Path, Value};
use crate::yaml;

/// A chart of a tree.
pub struct Member<'a> {
    /// As Helm names it: `chart/charts/subchart`.
    pub path: String,
    /// Where its values are in the root's.
    pub prefix: Pattern,
    /// The chart, under the name that its parent gives it.
    pub chart: &'a Chart,
    /// What its templates get as dot.
    pub dot: Shape,
}

/// The charts of a tree, each after its subcharts.
pub fn members<'a>(chart: &'a Chart) -> Vec<Member<'a>> {
    let mut members = Vec::new();
    collect(chart, chart.name().to_owned(), Pattern::default(), &mut members);
    members
}

fn collect<'a>(chart: &'a Chart, path: String, prefix: Pattern, members: &mut Vec<Member<'a>>) -> Shape {
    let below = |subchart: &'a Arc<Chart>| {
        let name: Arc<str> = subchart.name().into();
        let inner = collect(subchart, format!("{path}/charts/{name}"), prefix.key(name.clone()), members);
        (name, inner)
    };
    let subcharts: Vec<(Arc<str>, Shape)> = chart.dependencies.iter().map(below).collect();
    let values = Place { path: prefix.clone(), tolerates: Tolerance::default(), at: home(chart) };
    let text = |value: &str| Shape::literal(value);
    let fields = [
        ("Values", Shape(vec![Atom::Values(values)])),
        ("Chart", Shape::map([("Name".into(), text(chart.name())), ("Version".into(), text(&chart.metadata.version))])),
        ("Files", Shape(vec![Atom::Files(Rc::from(path.as_str()))])),
        ("Template", Shape::map([("BasePath".into(), text(&format!("{path}/templates")))])),
        ("Subcharts", Shape::map(subcharts)),
    ];
    let fields = fields.into_iter().map(|(key, shape)| (Arc::from(key), shape)).collect();
    let root = Some(Root { chart: members.len(), changes: Cell::new(0) });
    let dot = Shape(vec![Atom::Map(Rc::new(Map { fields: RefCell::new(fields), root, ..Map::default() }))]);
    members.push(Member { path, prefix, chart, dot: dot.clone() });
    dot
}

/// Where what a chart does by itself is said to be.
pub fn home(chart: &Chart) -> Location {
    Location::new(chart.chart_yaml.clone(), Span::new(0, 0))
}

/// Records what Chart.yaml reads: conditions and tags, and all of a subchart that is not there.
pub fn dependencies(member: &Member<'_>, recorder: &mut Recorder) {
    let chart = member.chart;
    for (index, dependency) in chart.metadata.dependencies.iter().enumerate() {
        let at = |key: &str| place(chart, index, key);
        let mut read = |path: Pattern, at: Location, how: &Use, whole: bool| {
            let place = Place { tolerates: Tolerance::ALL, path, at };
            recorder.consume(&Shape(vec![Atom::Values(place)]), how, whole);
        };
        for condition in dependency.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
            let path = condition.split('.').fold(member.prefix.clone(), |path, key| path.key(key));
            read(path, at("condition"), &Use::Condition, true);
        }
        for tag in &dependency.tags {
            read(Pattern::keys(["tags", tag]), at("tags"), &Use::Condition, true);
        }
        let name = dependency.effective_name();
        if !chart.dependencies.iter().any(|subchart| subchart.name() == name) {
            read(member.prefix.key(name), at("name"), &Use::Unknown, true);
            recorder.unknown.insert(format!("subchart {name:?} is not in charts/ of {:?}", chart.name()));
        }
    }
}

fn place(chart: &Chart, index: usize, key: &str) -> Location {
    let file = &chart.chart_yaml;
    let path = Path::default().key("dependencies").index(index).key(key);
    let found = yaml::locate(&file.text, Span::new(0, file.text.len()), &path);
    found.map_or_else(|| home(chart), |found| Location::new(file.clone(), found.value))
}

/// Places of values that are the same: what is read at the first is read at the second too.
///
/// A chart's global values are those of the charts above it, and `import-values` brings values of a subchart to its
/// parent.
pub fn aliases(members: &[Member<'_>]) -> Vec<(Pattern, Pattern)> {
    let mut aliases = Vec::new();
    for member in members {
        let prefix = &member.prefix;
        for above in 0..prefix.0.len() {
            let parent = Pattern(prefix.0.iter().take(above).cloned().collect());
            aliases.push((prefix.key("global"), parent.key("global")));
        }
        for dependency in &member.chart.metadata.dependencies {
            aliases.extend(imports(dependency, prefix));
        }
    }
    aliases
}

/// Source: Helm's `processImportValues`, by way of [`values::overview`](crate::values::overview), which writes all
/// imports as maps.
fn imports(dependency: &Dependency, prefix: &Pattern) -> Vec<(Pattern, Pattern)> {
    let below = |base: &Pattern, path: &str| {
        if path == "." { base.clone() } else { path.split('.').fold(base.clone(), |base, key| base.key(key)) }
    };
    let subchart = prefix.key(dependency.name.as_str());
    let import = |import: &Value| {
        let (child, parent) = (import.get("child")?.as_str()?, import.get("parent")?.as_str()?);
        Some((below(prefix, parent), below(&subchart, child)))
    };
    dependency.import_values.iter().filter_map(import).collect()
}
