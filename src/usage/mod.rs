//! Which values keys the templates of a chart read, without rendering them.
//!
//! Templates are executed with shapes in place of values (`shape`): a shape knows which values keys something may be, and
//! a read is recorded where one is used: printed, compared, ranged over, given to a function. Both branches of every
//! condition are taken. What cannot be decided counts as read, so that a key that is called unused is one.

mod access;
mod charts;
mod functions;
mod go;
mod jinja;
mod pattern;
mod record;
mod shape;
mod unused;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chart::Chart;
use crate::render::{self, gotemplate};

use crate::source::Location;
use crate::value::Value;

use self::go::Go;
use self::record::Recorder;

pub use pattern::{Pattern, Step, Tolerance};
pub use unused::{Missing, Unread, Unused, Values};

/// Room for the deepest nesting that templates are allowed.
const STACK: usize = 256 << 20;

/// What the templates of a chart and its subcharts do with values.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// Every use of a values key, in the order of paths, files and places; each once.
    pub reads: Vec<Read>,
    /// What templates put into values (`set .Values "a" 1`).
    pub written: Vec<Pattern>,
    /// What templates refuse to render without: `required`, or a condition around `fail`.
    pub demanded: Vec<Pattern>,
    /// Named templates that are called and not there, and subcharts that are not: what they read is not known.
    pub unknown: Vec<String>,
}

/// One use of values in a template, or in Chart.yaml.
#[derive(Debug, Clone)]
pub struct Read {
    /// What is read, below the root chart's `.Values`: a subchart's begin with its name.
    pub path: Pattern,
    /// Whether everything below it is read with it: it is printed, or given to `toYaml`.
    pub whole: bool,
    /// What for.
    pub how: Use,
    /// The key in the template: the last one of a chain (`c` of `.Values.a.b.c`).
    pub location: Location,
    /// Which steps of the path may be missing by the template's own account: the last one under `default`, the second of
    /// `.b.c` in `with .Values.a.b`, none of `.Values.a`.
    pub tolerates: Tolerance,
    /// Keys that the conditions around it read first, on every way to it. `None` where no way to it is certain.
    pub guards: Option<Arc<[Pattern]>>,
}

/// What a template does with a value that it reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Use {
    /// Prints it as it is.
    Printed,
    /// Asks whether it is true, or not empty (`if`, `with`, `and`, `not`, `empty`, a dependency's `condition`).
    Condition,
    /// Goes through its elements.
    Ranged,
    /// Asks whether the key is there.
    Tested,
    /// Compares it; the other side where that is a literal.
    Compared(Option<Value>),
    /// Has a default for it; which one where that is a literal (of `dict` an empty map, of `list` an empty list).
    Default(Option<Value>),
    /// Refuses to go on without it.
    Required,
    /// Executes it as a template (`tpl`).
    Template,
    /// Gives it to a function: `quote`, `int`, `toYaml`, `b64enc`, …; where there are several, to the first one.
    Call(&'static str),
    /// Gives it to something that is not known here.
    Unknown,
}

/// Templates that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// They do not parse.
    #[error(transparent)]
    Templates(#[from] render::Error),
    /// The system gave no thread.
    #[error("the templates could not be analysed: {0}")]
    Thread(#[from] std::io::Error),
}

impl Usage {
    /// Analyses the templates of a chart with all its subcharts, with the values of both: see
    /// [`values::overview`](crate::values::overview).
    ///
    /// # Errors
    ///
    /// Where templates cannot be parsed.
    pub fn of(chart: &Chart, values: &Value) -> Result<Self, Error> {
        let templates = gotemplate::Templates::parse(chart).map_err(render::Error::from)?;
        let native: Vec<_> = charts::members(chart).iter().map(|member| jinja::sources(member.chart)).collect();
        let native: Vec<_> = native
            .iter()
            .map(|sources| jinja::parse(sources))
            .collect::<Result<_, _>>()
            .map_err(render::Error::from)?;
        std::thread::scope(|threads| {
            let thread = std::thread::Builder::new()
                .name("usage".into())
                .stack_size(STACK)
                .spawn_scoped(threads, || analyse(chart, values, &templates, &native))?;
            Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }
}

fn analyse(
    chart: &Chart,
    values: &Value,
    templates: &gotemplate::Templates,
    native: &[Vec<jinja::Parsed<'_>>],
) -> Usage {
    let members = charts::members(chart);
    let files: Vec<(String, &Chart)> = members.iter().map(|member| (member.path.clone(), member.chart)).collect();
    let complete = members.iter().all(|member| member.chart.missing_dependencies().is_empty());
    let recorder = Recorder::new(charts::home(chart));
    let mut go = Go { recorder, templates, charts: &files, complete, dots: BTreeMap::new() };
    go.recorder.root();
    members.iter().for_each(|member| charts::dependencies(member, &mut go.recorder));
    for (name, path) in templates.files() {
        if let (Some(template), Some(member)) = (templates.find(name), members.iter().find(|m| m.path == path)) {
            go.template(template, &member.dot);
        }
    }
    if let (true, Some(root)) = (chart.is_library(), members.last()) {
        // Nothing is rendered: what its templates would read of the chart that uses them.
        templates.named().into_iter().for_each(|template| go.template(template, &root.dot));
    }
    go.texts_of(values);
    for (member, templates) in members.iter().zip(native) {
        let values = go.recorder.field(&member.dot, "Values", &charts::home(member.chart));
        jinja::Native::new(&mut go.recorder, templates, values).all();
    }
    go.recorder.finish(&charts::aliases(&members))
}
