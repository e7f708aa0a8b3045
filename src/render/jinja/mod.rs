//! The native dialect: Jinja templates (`templates/*.j2`) through minijinja.
//!
//! `docs/templates.md` is its manual. Rendering is strict (an undefined value is an error), bounded (fuel, recursion,
//! output) and sees nothing but what [`Scope`] holds.

mod error;
mod functions;
mod lex;
mod lines;
mod nested;
mod objects;
mod scan;
mod session;
mod text;
mod trace;
mod value;

use std::sync::{Arc, OnceLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, Value as Jinja};

use self::scan::Scan;
use self::session::{Printing, Session};
use self::trace::Sink;
use super::functions::Host;
use super::{Release, RenderedFile};
use crate::chart::{Capabilities, File, Metadata};
use crate::source::SourceFile;
use crate::value::Value;

pub use self::error::{Error, Site};
pub use self::text::Text;
pub use minijinja::machinery::ast;

/// The most instructions that one template may run.
const MAX_FUEL: usize = 1_000_000;
/// The most bytes of template text that may be copied into macros and captures, which nothing but fuel bounds.
const MAX_COPIED: usize = 1 << 30;
/// How deep macros and includes may nest, as minijinja counts them (a macro is 4, an include 10).
const MAX_RECURSION: usize = 400;
/// Room for the deepest value that fuel can build to be dropped recursively. Only what is used is ever paid for.
const STACK: usize = 256 << 20;

/// A template file.
#[derive(Debug, Clone)]
pub struct Template {
    /// The name as Helm prints it: the chart, then the path in it: `workspace/templates/deployment.yaml.j2`.
    pub name: String,
    /// The text, under the name that the user knows.
    pub source: Arc<SourceFile>,
}

/// What templates can see.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// `values`: the chart's, coalesced.
    pub values: &'a Value,
    /// `release`
    pub release: &'a Release,
    /// `chart`
    pub chart: &'a Metadata,
    /// `capabilities`
    pub capabilities: &'a Capabilities,
    /// `files`: the chart's files outside `templates/`.
    pub files: &'a Arc<[File]>,
    /// Randomness and time for functions; made in the thread that renders.
    pub host: &'a (dyn Fn() -> Box<dyn Host> + Sync),
}

/// A chart's templates, parsed once for any number of releases.
#[derive(Debug)]
pub struct Engine {
    env: Environment<'static>,
    templates: Vec<Parsed>,
}

/// A template that minijinja knows.
#[derive(Debug)]
struct Parsed {
    /// As Helm prints it.
    name: String,
    /// What it is called in `import` and `include`: the path below `templates/`.
    key: String,
    source: Arc<SourceFile>,
    /// Where minijinja keeps its copy of the text: raw output is slices of it.
    address: usize,
    scan: OnceLock<Scan>,
}

impl Engine {
    /// Parses the templates of one chart. Those whose file name begins with `_` are partials, which only others use.
    pub fn new(templates: &[Template]) -> Result<Self, Error> {
        let mut env = Environment::new();
        env.set_syntax(syntax()?);
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_auto_escape_callback(|_| AutoEscape::None);
        env.set_recursion_limit(MAX_RECURSION);
        env.set_debug(true);
        env.set_formatter(print);
        functions::register(&mut env);

        let mut longest = 1;
        let mut parsed = Vec::with_capacity(templates.len());
        for Template { name, source } in templates {
            let key = name.split_once("/templates/").map_or(name.as_str(), |(_, path)| path).to_owned();
            longest = longest.max(source.text.len());
            env.add_template_owned(key.clone(), source.text.to_string())
                .map_err(|error| Error::syntax(source, &error))?;
            parsed.push(Parsed { name: name.clone(), key, source: source.clone(), address: 0, scan: OnceLock::new() });
        }
        for template in &mut parsed {
            template.address = env.get_template(&template.key).map_or(0, |known| known.source().as_ptr() as usize);
        }
        env.set_fuel(Some(MAX_FUEL.min(MAX_COPIED / longest).max(1000) as u64));
        parsed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { env, templates: parsed })
    }

    /// Renders every template that is no partial, in the order of their names.
    ///
    /// With `trace` each file has a source map. The first error ends the render.
    pub fn render(&self, scope: &Scope<'_>, trace: bool) -> Result<Vec<RenderedFile>, Error> {
        std::thread::scope(|threads| {
            let thread = std::thread::Builder::new()
                .name("jinja".into())
                .stack_size(STACK)
                .spawn_scoped(threads, || self.render_here(scope, trace))
                .map_err(Error::Thread)?;
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn render_here(&self, scope: &Scope<'_>, trace: bool) -> Result<Vec<RenderedFile>, Error> {
        Session::begin((scope.host)(), scope.values.clone(), trace);
        let globals = objects::globals(scope);
        let files = self
            .templates
            .iter()
            .enumerate()
            .filter(|(_, template)| !template.is_partial())
            .map(|(index, template)| self.render_one(index, template, &globals, trace))
            .collect();
        Session::end();
        files
    }

    fn render_one(
        &self,
        index: usize,
        template: &Parsed,
        globals: &objects::Globals,
        trace: bool,
    ) -> Result<RenderedFile, Error> {
        let mut sink = Sink::new(&self.templates, index, trace);
        let result = self.env.get_template(&template.key).and_then(|compiled| {
            compiled.render_captured_to(globals.for_template(&template.name), &mut sink).map(drop)
        });
        match result {
            Ok(()) => {
                let (text, map) = sink.finish();
                Ok(RenderedFile { name: template.name.clone(), text, map })
            }
            Err(error) => Err(Error::render(&error, &self.templates, &sink, globals)),
        }
    }
}

impl Parsed {
    fn is_partial(&self) -> bool {
        self.key.rsplit('/').next().is_some_and(|name| name.starts_with('_'))
    }

    fn scan(&self) -> &Scan {
        self.scan.get_or_init(|| Scan::new(&self.source.text))
    }
}

/// The syntax tree of a template, for those who read templates and do not render them.
///
/// # Errors
///
/// Where it does not parse.
pub fn parse(source: &Arc<SourceFile>) -> Result<ast::Stmt<'_>, Error> {
    minijinja::machinery::parse(&source.text, &source.name, syntax()?).map_err(|error| Error::syntax(source, &error))
}

fn syntax() -> Result<SyntaxConfig, Error> {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .map_err(|error| Error::Syntax { at: None, message: error.to_string() })
}

/// Prints the value of an expression, into the output or into a macro's text.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Jinja) -> Result<(), minijinja::Error> {
    let text = value::text(value)?;
    let within = Session::with(|session| {
        let looped = state.lookup("loop").filter(|_| session.trace).and_then(|looped| looped.get_attr("index0").ok());
        let index = looped.and_then(|index| index.as_usize());
        session.printing = Some(Printing { template: state.name().to_owned(), index });
        session.spend(text.len())
    });
    let written = if within == Some(true) { out.write_str(&text) } else { Err(std::fmt::Error) };
    Session::with(|session| session.printing = None);
    written.map_err(|_| minijinja::Error::new(ErrorKind::WriteFailure, trace::TOO_LARGE))
}
