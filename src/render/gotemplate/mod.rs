//! Go's text/template as Helm uses it (`pkg/engine/engine.go`): all templates of a chart and its subcharts, parsed once
//! and executed for any number of releases.

pub mod ast;
mod builtins;
mod compare;
mod engine;
mod error;
mod eval;
mod exec;
mod helm;
mod items;
mod lexer;
mod library;
mod number;
mod parser;
mod trace;
mod watch;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use self::ast::Template;
use self::engine::{Engine, STACK};
use self::error::{ExecError, helm_parse_text};
use self::exec::Run;
use self::helm::{NO_VALUE, no_values, without};
use self::library::Library;
use self::parser::ParseError;
use self::trace::Trace;
use super::any::{Any, Map, MapType};
use super::functions::Host;
use super::host::Source;
use super::{Release, RenderedFile, objects};
use crate::chart::{Capabilities, Chart};
use crate::source::{Location, SourceFile};
use crate::value::Value;

/// The Go templates of a chart and its subcharts.
#[derive(Debug)]
pub struct Templates {
    library: Library<'static>,
    /// Those that are executed, in Helm's order.
    files: Vec<Entry>,
}

/// A template file.
#[derive(Debug)]
struct Entry {
    /// `chart/templates/deployment.yaml`
    name: Arc<str>,
    source: Arc<SourceFile>,
    /// The chart that it belongs to: the full path, `chart/charts/subchart`.
    chart: String,
}

/// What templates can see.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The chart as the release sees it.
    pub chart: &'a Chart,
    /// `.Values`: the root chart's, coalesced.
    pub values: &'a Value,
    /// `.Release`
    pub release: &'a Release,
    /// `.Capabilities`
    pub capabilities: &'a Capabilities,
    /// Randomness and time for functions; made in the thread that renders.
    pub host: &'a (dyn Fn() -> Box<dyn Host> + Sync),
}

/// Templates that cannot be parsed or executed.
#[derive(Debug)]
pub struct Error {
    /// Each one that failed, in Helm's order; Helm reports only the first. Never empty.
    pub failures: Vec<Failure>,
}

/// A template that cannot be parsed or executed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The template that was being rendered: `chart/templates/deployment.yaml`.
    pub template: String,
    /// The whole text that Helm prints, after `Error: `.
    pub text: String,
    /// What is wrong, without places.
    pub reason: String,
    /// The places in templates that led to it, innermost first.
    pub chain: Vec<Location>,
    /// The way out, where one is known.
    pub help: Option<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failures.first().map_or(Ok(()), |failure| f.write_str(&failure.text))
    }
}

impl std::error::Error for Error {}

impl Templates {
    /// Parses all templates that are no Jinja (`*.j2`). All that cannot be parsed are reported.
    pub fn parse(chart: &Chart) -> Result<Self, Error> {
        on_deep_stack(|| Self::parse_here(chart))?
    }

    fn parse_here(chart: &Chart) -> Result<Self, Error> {
        let mut files = Vec::new();
        collect(chart, chart.name().to_owned(), &mut files);
        // Deepest first, then backwards: a template of the parent replaces one of a subchart.
        files.sort_by_cached_key(|entry| Reverse((entry.name.matches('/').count(), entry.name.clone())));
        let mut library = Library::default();
        let mut failures = Vec::new();
        // A subchart under several aliases has the same files under several names.
        let mut parsed: HashMap<*const SourceFile, Vec<Template>> = HashMap::new();
        for entry in &files {
            let known = parsed.get(&Arc::as_ptr(&entry.source));
            let templates = match known.and_then(|templates| library::renamed(templates, &entry.name)) {
                Some(templates) => Ok(templates),
                None => parser::parse(&entry.name, &entry.source),
            };
            match templates {
                Ok(templates) => {
                    templates.iter().for_each(|template| library.add(template.clone()));
                    parsed.insert(Arc::as_ptr(&entry.source), templates);
                }
                Err(error) => failures.push(Failure::parse(entry, &error)),
            }
        }
        if !failures.is_empty() {
            return Err(Error { failures });
        }
        files.retain(|entry| !base_name(&entry.name).starts_with('_'));
        Ok(Self { library, files })
    }

    /// The templates that are executed, in Helm's order: the name of each, and the path of its chart
    /// (`chart/charts/subchart`).
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|entry| (&*entry.name, &*entry.chart))
    }

    /// The template of a name.
    pub fn find(&self, name: &str) -> Option<&Template> {
        self.library.find(name.as_bytes())
    }

    /// Every template that has a name, files too, in the order of the names.
    pub fn named(&self) -> Vec<&Template> {
        self.library.all()
    }

    /// The templates of a text that may be one, as `tpl` takes it; none where it is none.
    pub fn parse_text(file: &Arc<SourceFile>) -> Vec<Template> {
        parser::parse(&file.name.as_str().into(), file).unwrap_or_default()
    }

    /// Executes every template but partials (`_*`), and returns what they print.
    ///
    /// All that fail are reported. With `trace` each file has a source map.
    pub fn render(&self, scope: &Scope<'_>, trace: bool) -> Result<Vec<RenderedFile>, Error> {
        on_deep_stack(|| self.render_here(scope, trace))?
    }

    fn render_here(&self, scope: &Scope<'_>, trace: bool) -> Result<Vec<RenderedFile>, Error> {
        let mut tops = HashMap::new();
        let values = top_values(scope.values);
        let parent = Map::from_iter([
            ("Values", Any::Map(values.clone())),
            ("Release", objects::release(scope.release)),
            ("Capabilities", objects::capabilities(scope.capabilities)),
        ]);
        top(scope.chart, scope.chart.name().to_owned(), true, &parent, &mut tops);

        let mut host = (scope.host)();
        let mut engine = Engine::new(&mut *host, trace.then(|| Trace::new(&values)));
        let mut rendered = Vec::with_capacity(self.files.len());
        let mut failures = Vec::new();
        for entry in &self.files {
            let (Some(top), Some(template)) = (tops.get(&entry.chart), self.library.find(entry.name.as_bytes())) else {
                continue;
            };
            let mut about = Map::from_iter([
                ("Name", Any::String(entry.name.clone().into())),
                ("BasePath", Any::String(format!("{}/templates", entry.chart).into())),
            ]);
            about.of = MapType::Values;
            top.insert("Template", Any::Map(about));
            let dot = Any::Map(top.as_type(MapType::Values));
            match Run::execute(&mut engine, &self.library, template, dot, None) {
                Ok(printed) => {
                    let removed = no_values(&printed.text);
                    let text = if removed.is_empty() { printed.text } else { without(&printed.text, &removed) };
                    let map = engine.trace.as_mut().map(|trace| trace.finish(printed.marks, &removed, NO_VALUE.len()));
                    rendered.push(RenderedFile { name: entry.name.to_string(), text: into_text(text), map });
                }
                Err(error) => failures.push(Failure::exec(entry, &error)),
            }
        }
        if failures.is_empty() { Ok(rendered) } else { Err(Error { failures }) }
    }
}

/// Executes a template of its own, such as `--name-template`, that sees functions and `dot`.
///
/// Source: Helm's `pkg/action/install.go`, `TemplateName`.
pub fn render_text(name: &str, text: &str, dot: impl FnOnce() -> Any + Send, source: Source) -> Result<String, Error> {
    on_deep_stack(|| {
        let entry = Entry { name: name.into(), source: SourceFile::new(name, text), chart: String::new() };
        let mut library = Library::default();
        let templates = parser::parse(&entry.name, &entry.source).map_err(|error| {
            let text = error.to_string();
            Error { failures: vec![Failure { text, ..Failure::parse(&entry, &error) }] }
        })?;
        templates.into_iter().for_each(|template| library.add(template));
        let mut host = source.host(0);
        let mut engine = Engine::new(&mut *host, None);
        let Some(template) = library.find(name.as_bytes()) else { return Ok(String::new()) };
        let out = Run::execute(&mut engine, &library, template, dot(), None);
        out.map(|printed| into_text(printed.text))
            .map_err(|error| Error { failures: vec![Failure::exec(&entry, &error)] })
    })?
}

impl Failure {
    fn parse(entry: &Entry, error: &ParseError) -> Self {
        Self {
            template: entry.name.to_string(),
            text: helm_parse_text(&entry.name, &error.to_string()),
            reason: error.message.clone(),
            chain: vec![Location::new(entry.source.clone(), error.span)],
            help: None,
        }
    }

    fn exec(entry: &Entry, error: &ExecError) -> Self {
        Self {
            template: entry.name.to_string(),
            text: error.helm_text(&entry.name),
            reason: error.reason().to_owned(),
            chain: error.locations().cloned().collect(),
            help: error.help.clone(),
        }
    }
}

/// The templates of a chart and its subcharts. A library chart has only partials.
fn collect(chart: &Chart, path: String, files: &mut Vec<Entry>) {
    for file in chart.templates.iter() {
        if file.name.ends_with(".j2") || (chart.is_library() && !base_name(&file.name).starts_with('_')) {
            continue;
        }
        let name = format!("{path}/{}", file.name);
        let source = match file.source() {
            Some(source) => source.clone(),
            None => SourceFile::new(name.clone(), String::from_utf8_lossy(file.bytes())),
        };
        files.push(Entry { name: name.into(), source, chart: path.clone() });
    }
    for subchart in &chart.dependencies {
        collect(subchart, format!("{path}/charts/{}", subchart.name()), files);
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn top_values(values: &Value) -> Map {
    match Any::from(values) {
        Any::Map(map) => map.as_type(MapType::Values),
        _ => Map::default().as_type(MapType::Values),
    }
}

/// The dot of a chart's templates, and those of its subcharts, by the chart's path. Values are shared with the parent.
fn top(chart: &Chart, path: String, is_root: bool, parent: &Map, tops: &mut HashMap<String, Map>) -> Map {
    let inherited = |key: &str| parent.get(key.as_bytes()).unwrap_or_default();
    let values = if is_root {
        inherited("Values")
    } else {
        let table = objects::table(parent, &format!("Values.{}", chart.name()));
        Any::Map(table.unwrap_or_else(|_| Map::default().as_type(MapType::Values)))
    };
    let subcharts = Map::default();
    let top_map = Map::from_iter([
        ("Chart", objects::chart(&chart.metadata, is_root)),
        ("Files", objects::files(chart)),
        ("Release", inherited("Release")),
        ("Capabilities", inherited("Capabilities")),
        ("Values", values),
        ("Subcharts", Any::Map(subcharts.clone())),
    ]);
    for subchart in &chart.dependencies {
        let path = format!("{path}/charts/{}", subchart.name());
        subcharts.insert(subchart.name(), Any::Map(top(subchart, path, false, &top_map, tops)));
    }
    tops.insert(path, top_map.clone());
    top_map
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Runs something on a thread whose stack holds the deepest nesting that templates are allowed.
fn on_deep_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let failed = |error: io::Error| Error {
        failures: vec![Failure {
            template: String::new(),
            text: format!("rendering template failed: {error}"),
            reason: error.to_string(),
            chain: Vec::new(),
            help: None,
        }],
    };
    std::thread::scope(|threads| {
        let thread = std::thread::Builder::new()
            .name("gotemplate".into())
            .stack_size(STACK)
            .spawn_scoped(threads, run)
            .map_err(failed)?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
