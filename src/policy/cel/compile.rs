//! From text to a checked tree: what the API server does when a policy is created.

use std::sync::Arc;

use super::functions::{self, Row, Style};
use super::parser::{Node, Syntax, parse};
use super::tree::{Expr, Kind, Macro, MacroKind};
use super::value::{Data, Opaque, Val};
use super::{CompileError, CompileErrorKind, functions::time, re2};
use crate::source::Span;

/// Macros inside macros inside macros: each level multiplies the work.
const MAX_NESTING: usize = 10;

/// The names that an expression may use.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The variables of the environment, in the order of the values given to an evaluation.
    pub globals: &'a [&'static str],
    /// The policy's variables that may be used as `variables.name`, in their order.
    pub composed: &'a [Arc<str>],
    /// Whether the macro is there that Kubernetes does not have: `list.groupBy(x, key)`, a map of key to elements.
    pub joins: bool,
}

/// An expression that can be evaluated.
#[derive(Debug)]
pub struct Program {
    pub(super) root: Expr,
}

impl Program {
    /// Parses and checks an expression.
    pub fn compile(source: &str, scope: Scope<'_>) -> Result<Self, CompileError> {
        let mut compiler = Compiler { scope, locals: Vec::new(), nesting: 0 };
        Ok(Self { root: compiler.expr(parse(source)?)? })
    }

    /// Parses and checks an expression whose value must be of a type.
    pub fn compile_to(source: &str, scope: Scope<'_>, wanted: &'static str) -> Result<Self, CompileError> {
        let program = Self::compile(source, scope)?;
        expect(&program.root, wanted)?;
        Ok(program)
    }

    /// The place of the whole expression.
    pub fn span(&self) -> Span {
        self.root.span
    }
}

struct Compiler<'a> {
    scope: Scope<'a>,
    locals: Vec<String>,
    nesting: usize,
}

type Compiled = Result<Expr, CompileError>;

impl Compiler<'_> {
    fn expr(&mut self, Syntax { node, span, .. }: Syntax<'_>) -> Compiled {
        let kind = match node {
            Node::Literal(value) => Kind::Literal(value),
            Node::Name(name) => self.name(name, span)?,
            Node::Select { operand, field, optional } => return self.select(*operand, field, optional, span),
            Node::Index { operand, key, optional } => {
                Kind::Index { operand: Box::new(self.expr(*operand)?), key: Box::new(self.expr(*key)?), optional }
            }
            Node::List(elements) => {
                let elements = elements.into_iter();
                let elements = elements.map(|(element, optional)| Ok((self.expr(element)?, optional)));
                Kind::List(elements.collect::<Result<_, CompileError>>()?)
            }
            Node::Map(entries) => {
                let entries = entries.into_iter();
                let entries = entries.map(|(key, value, optional)| Ok((self.expr(key)?, self.expr(value)?, optional)));
                Kind::Map(entries.collect::<Result<_, CompileError>>()?)
            }
            Node::Message(name) => return Err(error(CompileErrorKind::Undeclared(name), span)),
            Node::And(a, b) => Kind::And(self.condition(*a)?, self.condition(*b)?),
            Node::Or(a, b) => Kind::Or(self.condition(*a)?, self.condition(*b)?),
            Node::Conditional(parts) => {
                let [condition, yes, no] = *parts;
                let condition = self.condition(condition)?;
                Kind::Conditional(condition, Box::new(self.expr(yes)?), Box::new(self.expr(no)?))
            }
            Node::Call { target, name, args } => return self.call(target.map(|target| *target), name, args, span),
        };
        Ok(Expr { kind, span })
    }

    /// An expression that must be `bool`.
    fn condition(&mut self, syntax: Syntax<'_>) -> Result<Box<Expr>, CompileError> {
        let expr = self.expr(syntax)?;
        expect(&expr, "bool")?;
        Ok(Box::new(expr))
    }

    fn name(&self, name: &str, span: Span) -> Result<Kind, CompileError> {
        if let Some(slot) = self.locals.iter().rposition(|local| local == name) {
            return Ok(Kind::Local(slot));
        }
        if let Some(index) = self.scope.globals.iter().position(|global| *global == name) {
            return Ok(Kind::Global(index));
        }
        match functions::convert::type_of_name(name) {
            Some(name) => Ok(Kind::Literal(Val::new(Data::Type(name)))),
            None => Err(error(CompileErrorKind::Undeclared(name.to_owned()), span)),
        }
    }

    fn select(&mut self, operand: Syntax<'_>, field: &str, optional: bool, span: Span) -> Compiled {
        if !optional {
            if let Node::Name("variables") = operand.node
                && !self.locals.iter().any(|local| local == "variables")
            {
                return match self.scope.composed.iter().position(|known| **known == *field) {
                    Some(index) => Ok(Expr { kind: Kind::Composed(index), span }),
                    None => Err(error(CompileErrorKind::Undeclared(format!("variables.{field}")), span)),
                };
            }
            if let Some(name) = qualified(&operand.node)
                && let Some(name) = functions::convert::type_of_name(&format!("{name}.{field}"))
            {
                return Ok(Expr { kind: Kind::Literal(Val::new(Data::Type(name))), span });
            }
        }
        let operand = Box::new(self.expr(operand)?);
        Ok(Expr { kind: Kind::Select { operand, field: field.into(), optional }, span })
    }

    fn all(&mut self, args: Vec<Syntax<'_>>) -> Result<Vec<Expr>, CompileError> {
        args.into_iter().map(|arg| self.expr(arg)).collect()
    }

    fn call(&mut self, target: Option<Syntax<'_>>, name: &str, args: Vec<Syntax<'_>>, span: Span) -> Compiled {
        let binds = macro_of(name, args.len()).filter(|(kind, _)| self.scope.joins || *kind != MacroKind::GroupBy);
        match (target, binds) {
            (None, _) if name == "has" && args.len() == 1 => self.has(args, span),
            (Some(range), Some((kind, variables))) => self.bind(kind, variables, range, args, span),
            (target, _) => self.function(target, name, args, span),
        }
    }

    fn has(&mut self, mut args: Vec<Syntax<'_>>, span: Span) -> Compiled {
        let Some(Node::Select { operand, field, optional: false }) = args.pop().map(|arg| arg.node) else {
            return Err(error(CompileErrorKind::Macro("invalid argument to has() macro"), span));
        };
        let kind = match self.select(*operand, field, false, span)?.kind {
            Kind::Select { operand, field, .. } => Kind::Has { operand, field },
            // A declared variable of the policy is always there.
            _ => Kind::Literal(true.into()),
        };
        Ok(Expr { kind, span })
    }

    /// A macro that binds variables: `range.name(x, …)`.
    fn bind(
        &mut self,
        kind: MacroKind,
        variables: usize,
        range: Syntax<'_>,
        args: Vec<Syntax<'_>>,
        span: Span,
    ) -> Compiled {
        let refuse = |message| error(CompileErrorKind::Macro(message), span);
        let range = self.expr(range)?;
        let mut names = Vec::new();
        let mut rest = Vec::new();
        for (i, arg) in args.into_iter().enumerate() {
            match arg.node {
                _ if i >= variables => rest.push(arg),
                Node::Name(name) => names.push(name.to_owned()),
                _ => return Err(refuse("argument must be a simple name")),
            }
        }
        if names.len() == 2 && names.first() == names.last() {
            return Err(refuse("duplicate iteration variable name"));
        }
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(error(CompileErrorKind::TooLarge("macros nested more than 10 deep"), span));
        }
        let slot = self.locals.len();
        self.locals.extend(names);
        let rest = self.all(rest);
        self.locals.truncate(slot);
        self.nesting -= 1;
        let mut rest = rest?;
        let body = rest.pop().ok_or_else(|| refuse("a macro needs a body"))?;
        let filter = rest.pop();
        if matches!(kind, MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne | MacroKind::Filter) {
            expect(&body, "bool")?;
        }
        if let Some(filter) = &filter {
            expect(filter, "bool")?;
        }
        let node = Macro { kind, range, slot, two: variables == 2, filter, body };
        Ok(Expr { kind: Kind::Macro(Box::new(node)), span })
    }

    fn function(&mut self, target: Option<Syntax<'_>>, name: &str, args: Vec<Syntax<'_>>, span: Span) -> Compiled {
        // `sets.contains(a, b)`: a function of a namespace, unless the name before the dot is a variable.
        if let Some(target) = &target
            && let Some(namespace) = qualified(&target.node)
            && self.name(&namespace, span).is_err()
        {
            let name = format!("{namespace}.{name}");
            if functions::exists(&name) {
                let args = self.all(args)?;
                return self.overloads(name, Style::Global, args, span);
            }
        }
        if !functions::exists(name) {
            return Err(error(CompileErrorKind::UnknownFunction(name.to_owned()), span));
        }
        let style = if target.is_some() { Style::Member } else { Style::Global };
        let args = self.all(target.into_iter().chain(args).collect())?;
        self.overloads(name.to_owned(), style, args, span)
    }

    fn overloads(&self, name: String, style: Style, mut args: Vec<Expr>, span: Span) -> Compiled {
        let overloads: Vec<&'static Row> =
            functions::named(&name).filter(|row| row.style == style && row.arity == args.len()).collect();
        if overloads.is_empty() {
            let types: Vec<&str> = args.iter().map(|arg| static_type(arg).unwrap_or("dyn")).collect();
            let given = match (style, types.split_first()) {
                (Style::Member, Some((target, types))) => format!("'{target}.({})'", types.join(", ")),
                _ => format!("'({})'", types.join(", ")),
            };
            return Err(error(CompileErrorKind::NoOverload { name, given }, span));
        }
        if name == "!_"
            && let Some(operand) = args.first()
        {
            expect(operand, "bool")?;
        }
        self.prepare(&name, &mut args)?;
        Ok(Expr { kind: Kind::Call { overloads, args }, span })
    }

    /// Compiles and checks patterns, durations and timestamps that are written as literals.
    fn prepare(&self, name: &str, args: &mut [Expr]) -> Result<(), CompileError> {
        let literal = |arg: Option<&Expr>| match arg.map(|arg| (&arg.kind, arg.span)) {
            Some((Kind::Literal(Val { data: Data::String(text), .. }), span)) => Some((text.clone(), span)),
            _ => None,
        };
        let refuse = |what, span| move |reason| error(CompileErrorKind::Literal { what, reason }, span);
        match name {
            "matches" | "find" | "findAll" => {
                if let Some((text, span)) = literal(args.get(1)) {
                    let regex = re2::compile(&text).map_err(refuse("regular expression", span))?;
                    args[1].kind = Kind::Literal(Val::new(Opaque::Regex(regex).into()));
                }
            }
            "duration" => {
                if let Some((text, span)) = literal(args.first()) {
                    time::parse_duration(&text).map_err(|f| refuse("duration", span)(f.to_string()))?;
                }
            }
            "timestamp" => {
                if let Some((text, span)) = literal(args.first()) {
                    time::parse_timestamp(&text).map_err(|f| refuse("timestamp", span)(f.to_string()))?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn error(kind: CompileErrorKind, span: Span) -> CompileError {
    CompileError { kind, span }
}

/// `a.b.c` as text, if the expression is nothing but names.
fn qualified(node: &Node<'_>) -> Option<String> {
    match node {
        Node::Name(name) => Some((*name).to_owned()),
        Node::Select { operand, field, optional: false } => Some(format!("{}.{field}", qualified(&operand.node)?)),
        _ => None,
    }
}

/// The macro of a name and a number of arguments, and how many of these are its variables.
fn macro_of(name: &str, args: usize) -> Option<(MacroKind, usize)> {
    Some(match (name, args) {
        ("all", 2) => (MacroKind::All, 1),
        ("all", 3) => (MacroKind::All, 2),
        ("exists", 2) => (MacroKind::Exists, 1),
        ("exists", 3) => (MacroKind::Exists, 2),
        ("exists_one", 2) => (MacroKind::ExistsOne, 1),
        ("exists_one" | "existsOne", 3) => (MacroKind::ExistsOne, 2),
        ("map", 2 | 3) => (MacroKind::Map, 1),
        ("filter", 2) => (MacroKind::Filter, 1),
        ("transformList", 3 | 4) => (MacroKind::Map, 2),
        ("transformMap", 3 | 4) => (MacroKind::TransformMap, 2),
        ("transformMapEntry", 3 | 4) => (MacroKind::TransformMapEntry, 2),
        ("sortBy", 2) => (MacroKind::SortBy, 1),
        ("groupBy", 2) => (MacroKind::GroupBy, 1),
        ("optMap", 2) => (MacroKind::OptMap, 1),
        ("optFlatMap", 2) => (MacroKind::OptFlatMap, 1),
        _ => return None,
    })
}

/// The type that an expression certainly has; `None` where only the data can tell.
fn static_type(expr: &Expr) -> Option<&'static str> {
    match &expr.kind {
        Kind::Literal(value) => Some(value.type_name()),
        Kind::Has { .. } | Kind::And(..) | Kind::Or(..) => Some("bool"),
        Kind::List(_) => Some("list"),
        Kind::Map(_) => Some("map"),
        Kind::Conditional(_, yes, no) => static_type(yes).filter(|known| static_type(no) == Some(known)),
        Kind::Call { overloads, args } if overloads.iter().any(|row| is_arithmetic(row.name)) => {
            let mut types = args.iter().map(static_type);
            let first = types.next().flatten();
            first.filter(|known| !known.starts_with("google") && types.all(|other| other == Some(known)))
        }
        Kind::Call { overloads, .. } => {
            let mut types = overloads.iter().map(|row| row.returns);
            let first = types.next().flatten();
            first.filter(|known| types.all(|other| other == Some(known)))
        }
        Kind::Macro(node) => match node.kind {
            MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne => Some("bool"),
            MacroKind::Map | MacroKind::Filter | MacroKind::SortBy => Some("list"),
            MacroKind::TransformMap | MacroKind::TransformMapEntry | MacroKind::GroupBy => Some("map"),
            MacroKind::OptMap | MacroKind::OptFlatMap => Some("optional_type"),
        },
        _ => None,
    }
}

/// Operators whose result has the type of both operands; times are no such operands.
fn is_arithmetic(operator: &str) -> bool {
    matches!(operator, "_+_" | "_-_" | "_*_" | "_/_" | "_%_")
}

/// Refuses an expression that can never be of the wanted type.
fn expect(expr: &Expr, wanted: &'static str) -> Result<(), CompileError> {
    match static_type(expr) {
        Some(found) if found != wanted => Err(error(CompileErrorKind::Type { expected: wanted, found }, expr.span)),
        _ => Ok(()),
    }
}
