//! Why templates could not be rendered, and where.

use std::fmt;

use minijinja::ErrorKind;

use super::Parsed;
use super::functions::Failed;
use super::lines::body;
use super::objects::Globals;
use super::scan::{Chain, names};
use super::session::{Missing, Session};
use super::trace::{Sink, TOO_LARGE, location};
use crate::source::{Location, SourceFile, Span};
use crate::value::{Path, Step, Value};
use std::sync::Arc;

/// How many callers a message names beside the first.
const SHOWN: usize = 4;

/// A template that is wrong, or whose values are.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template does not parse.
    #[error("{}{message}", prefix(at))]
    Syntax {
        /// Where; nothing for the engine's own syntax.
        at: Option<Location>,
        /// What the parser says.
        message: String,
    },
    /// An expression has no value.
    #[error("{site}: {message}")]
    Undefined {
        /// Where.
        site: Box<Site>,
        /// Which key is missing, of what.
        message: String,
    },
    /// A function failed, or was called with the wrong arguments.
    #[error("{site}: {function}: {message}")]
    Function {
        /// Where.
        site: Box<Site>,
        /// The function.
        function: String,
        /// What it says.
        message: String,
        /// The way out, where it knows one.
        help: Option<String>,
    },
    /// The chart itself refuses its values, with `fail` or `required`.
    #[error("{site}: {message}")]
    Refused {
        /// Where.
        site: Box<Site>,
        /// What it says.
        message: String,
    },
    /// An operation is not possible with these values.
    #[error("{site}: {message}")]
    Evaluation {
        /// Where.
        site: Box<Site>,
        /// What is not possible, and with values of which types.
        message: String,
    },
    /// The template runs too long, nests too deeply or prints too much.
    #[error("{site}: {message}")]
    Limit {
        /// Where.
        site: Box<Site>,
        /// Which limit.
        message: String,
    },
    /// No thread could be started to render in.
    #[error("cannot start the thread that renders: {0}")]
    Thread(std::io::Error),
}

/// A place in a template, and how it was reached.
#[derive(Debug, Clone)]
pub struct Site {
    /// The expression.
    pub at: Location,
    /// The tags that called the macro or included the template, innermost first.
    pub callers: Vec<Location>,
}

impl Site {
    /// The failing expression, on one line.
    pub fn expression(&self) -> String {
        let text = self.at.file.text.get(self.at.span.start..self.at.span.end).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Error {
    /// Where the error is, where that is known.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::Syntax { at, .. } => at.as_ref(),
            Self::Thread(_) => None,
            _ => self.site().map(|site| &site.at),
        }
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> String {
        match self {
            Self::Function { function, message, .. } => format!("{function}: {message}"),
            Self::Syntax { message, .. }
            | Self::Undefined { message, .. }
            | Self::Refused { message, .. }
            | Self::Evaluation { message, .. }
            | Self::Limit { message, .. } => message.clone(),
            Self::Thread(_) => self.to_string(),
        }
    }

    /// The way out, where one is known.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Function { help, .. } => help.as_deref(),
            _ => None,
        }
    }

    /// The expression and its callers, of an error at run time.
    pub fn site(&self) -> Option<&Site> {
        match self {
            Self::Undefined { site, .. }
            | Self::Function { site, .. }
            | Self::Refused { site, .. }
            | Self::Evaluation { site, .. }
            | Self::Limit { site, .. } => Some(site),
            Self::Syntax { .. } | Self::Thread(_) => None,
        }
    }

    pub(super) fn syntax(source: &Arc<SourceFile>, error: &minijinja::Error) -> Self {
        let span = error.range().map(|range| Span::new(range.start, range.end));
        let span = span.or_else(|| source.line_span(error.line()?)).unwrap_or_default();
        let message = error.detail().unwrap_or("syntax error").to_owned();
        Self::Syntax { at: Some(Location::new(source.clone(), span)), message }
    }

    pub(super) fn render(error: &minijinja::Error, templates: &[Parsed], sink: &Sink<'_>, globals: &Globals) -> Self {
        // An error inside an included template comes wrapped in that of the include.
        let mut innermost = error;
        let mut includes = Vec::new();
        while let Some(cause) = std::error::Error::source(innermost).and_then(|cause| cause.downcast_ref()) {
            includes.extend(place(innermost, templates));
            innermost = cause;
        }
        let (main, tag) = sink.current();
        let (template, span) = place(innermost, templates).unwrap_or((main, tag.unwrap_or_default()));
        let parsed = &templates[template];
        let mut callers: Vec<Location> =
            includes.iter().rev().map(|&(template, span)| location(&templates[template], span)).collect();
        if callers.is_empty() && (template != main || parsed.scan().around(span.start).any(|block| block.captures())) {
            let calls = calls(templates, main, tag.map_or(0, |tag| tag.start), (template, span.start));
            callers.extend(calls.into_iter().map(|(template, span)| location(&templates[template], span)));
        }
        let site = Box::new(Site { at: location(parsed, span), callers });
        let expression = site.expression();
        match innermost.kind() {
            ErrorKind::UndefinedError => Self::Undefined { message: undefined(&expression, globals), site },
            ErrorKind::OutOfFuel => Self::Limit { site, message: "the template runs for too long".into() },
            ErrorKind::WriteFailure => Self::Limit { site, message: TOO_LARGE.into() },
            kind => match std::error::Error::source(innermost).and_then(|cause| cause.downcast_ref::<Failed>()) {
                Some(failed) if matches!(failed.function.as_str(), "fail" | "required") => {
                    Self::Refused { site, message: failed.message.clone() }
                }
                Some(Failed { function, message, help }) => {
                    Self::Function { site, function: function.clone(), message: message.clone(), help: help.clone() }
                }
                None => {
                    let message = innermost.detail().map_or_else(|| kind.to_string(), str::to_owned);
                    match message.as_str() {
                        "recursion limit exceeded" => {
                            Self::Limit { site, message: "macros or includes nest too deeply".into() }
                        }
                        _ => Self::Evaluation { site, message },
                    }
                }
            },
        }
    }
}

fn prefix(at: &Option<Location>) -> String {
    at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default()
}

/// `file:line:column: in "expression"`, with the callers in brackets.
impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at)?;
        if let Some((first, rest)) = self.callers.split_first() {
            write!(f, " (called from {first}")?;
            rest.iter().take(SHOWN).try_for_each(|caller| write!(f, ", from {caller}"))?;
            let more = rest.len().saturating_sub(SHOWN);
            f.write_str(if more > 0 { ", …)" } else { ")" })?;
        }
        let expression = self.expression();
        if expression.is_empty() { Ok(()) } else { write!(f, ": in `{expression}`") }
    }
}

/// The template and the span of an error.
fn place(error: &minijinja::Error, templates: &[Parsed]) -> Option<(usize, Span)> {
    let template = templates.iter().position(|template| Some(template.key.as_str()) == error.name())?;
    let parsed = &templates[template];
    let range = error.range().map(|range| whole(parsed, range));
    let line = || {
        let line = parsed.source.line_span(error.line()?)?;
        let mut tags = parsed.scan().tags.iter();
        let tag = tags.find(|tag| tag.span.end > line.start && tag.span.start < line.end);
        Some(tag.map_or(line, |tag| tag.inside()))
    };
    Some((template, range.or_else(line)?))
}

/// minijinja's span of `a.b.c` begins at the first dot, that of a filter at its name: let them begin where the chain and
/// the pipeline do.
fn whole(parsed: &Parsed, range: std::ops::Range<usize>) -> Span {
    let text = &parsed.source.text;
    let (before, rest) = text.split_at(text.floor_char_boundary(range.start));
    let mut start = range.start;
    if rest.starts_with(['.', '[']) {
        start = before.trim_end_matches(|c: char| c.is_alphanumeric() || "_.[]\"'".contains(c)).len();
    } else if before.trim_end().ends_with('|') {
        let tag = parsed.scan().tags.iter().find(|tag| tag.span.start <= start && start < tag.span.end);
        start = tag.map_or(start, |tag| tag.value().start);
    }
    Span::new(start, range.end)
}

/// The calls that lead from a template, from a place on, to a place inside a macro; innermost first.
fn calls(templates: &[Parsed], main: usize, from: usize, to: (usize, usize)) -> Vec<(usize, Span)> {
    let tags = &templates[main].scan().tags;
    let later = tags.iter().filter(|tag| tag.span.start >= from);
    let earlier = tags.iter().filter(|tag| tag.span.start < from).rev();
    for tag in later.chain(earlier) {
        let mut path = Vec::new();
        if reaches(templates, main, &tag.chains(), to, 8, &mut path) {
            path.push((main, tag.inside()));
            return path;
        }
    }
    Vec::new()
}

fn reaches(
    templates: &[Parsed],
    template: usize,
    chains: &[Chain],
    to: (usize, usize),
    depth: usize,
    path: &mut Vec<(usize, Span)>,
) -> bool {
    chains.iter().filter_map(|chain| body(templates, template, chain)).any(|(inner, body)| {
        if inner == to.0 && body.start <= to.1 && to.1 < body.end {
            return true;
        }
        let tags = templates[inner].scan().tags.iter();
        depth > 0
            && tags.filter(|tag| tag.span.start >= body.start && tag.span.end <= body.end).any(|tag| {
                let found = reaches(templates, inner, &tag.chains(), to, depth - 1, path);
                if found {
                    path.push((inner, tag.inside()));
                }
                found
            })
    })
}

/// Why an expression has no value: the first key that is missing, and what it is missing from.
fn undefined(expression: &str, globals: &Globals) -> String {
    let chains = names(expression);
    for Chain { root, steps, .. } in &chains {
        let Some((_, data)) = globals.data.iter().find(|(name, _)| name == root) else { continue };
        for (i, step) in steps.iter().enumerate() {
            let parent = Path(steps[..i].to_vec());
            let Some(value) = data.follow(&parent) else { break };
            if data.follow(&Path(steps[..=i].to_vec())).is_none() {
                let place = if i == 0 { root.clone() } else { format!("{root}.{parent}") };
                return missing(&place, value, step);
            }
        }
    }
    let latest = Session::with(|session| session.missing.take()).flatten();
    let names_key = |missing: &Missing| {
        chains.iter().any(|chain| chain.steps.iter().any(|step| *step == Step::Key(missing.key.as_str().into())))
    };
    match (latest.filter(names_key), chains.first()) {
        (Some(Missing { map, key, known }), _) => without(&map, &key, &known),
        (None, Some(chain)) if chain.steps.is_empty() => format!("`{}` is not defined", chain.root),
        _ => "the value is not defined".into(),
    }
}

fn missing(place: &str, value: &Value, step: &Step) -> String {
    match (step, value) {
        (Step::Key(key), Value::Map(map)) => {
            let known: Vec<_> = map.iter().map(|(key, _)| key.clone()).collect();
            without(place, key, &known)
        }
        (Step::Index(index), Value::List(list)) => {
            format!("`{place}` has no element {index}, it is a list of {}", list.len())
        }
        (Step::Key(key), other) => format!("`{place}` has no key `{key}`, it is of type {}", other.type_name()),
        (Step::Index(index), other) => format!("`{place}` has no element {index}, it is of type {}", other.type_name()),
    }
}

fn without(place: &str, key: &str, known: &[Arc<str>]) -> String {
    let mut message = format!("`{place}` has no key `{key}`, it is an object ");
    let near = known.iter().map(|other| (distance(key, other), other)).min();
    match near {
        None => message.push_str("without any"),
        Some((edits, other)) if edits <= 1 + key.len() / 4 && edits < key.len() => {
            message.push_str(&format!("with a similar key `{other}`"));
        }
        Some(_) => {
            let list: Vec<&str> = known.iter().take(8).map(|key| &**key).collect();
            let more = if known.len() > list.len() { ", …" } else { "" };
            message.push_str(&format!("with {}{more}", list.join(", ")));
        }
    }
    message
}

/// How many characters to change, add or take away to make one word of the other, letter case aside.
fn distance(a: &str, b: &str) -> usize {
    let lower = |text: &str| text.to_lowercase().chars().take(64).collect::<Vec<_>>();
    let (a, b) = (lower(a), lower(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
