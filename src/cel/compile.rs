//! From text to a checked tree: what the API server does when a policy is created.

use std::sync::Arc;

use super::check::Checker;
use super::cost;
use super::declarations::{self, REQUEST_RESOURCE};
use super::eval::Budget;
use super::functions::{self, Style, interpolate};
use super::parser::{Node, Syntax, parse};
use super::patterns::Literal;
use super::tree::{Expr, Kind, Macro, MacroKind};
use super::types::Type;
use super::value::{Data, Opaque, Val};
use super::{CompileError, CompileErrorKind};
use crate::source::Span;

/// Macros inside macros inside macros: each level multiplies the work.
const MAX_NESTING: usize = 10;

/// The names that an expression may use.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'a> {
    /// The variables of the environment, in the order of the values given to an evaluation.
    pub globals: &'a [&'static str],
    /// The types of the first of them, where they are not those that the API server gives to variables of that name.
    pub types: &'a [Type],
    /// The policy's variables that may be used as `variables.name`, in their order, with their types.
    pub composed: &'a [(Arc<str>, Type)],
    /// Whether there is more than Kubernetes has, for what brings objects together: the macro `list.groupBy(x, key)`, a
    /// map of key to elements, and lists and maps that are written with elements of several types.
    pub joins: bool,
}

/// An expression that can be evaluated; cheap to clone.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) root: Arc<Expr>,
    result: Type,
}

impl Program {
    /// Parses and checks an expression.
    pub fn compile(source: &str, scope: Scope<'_>) -> Result<Self, CompileError> {
        let mut compiler = Compiler { scope, ..Compiler::default() };
        let (root, result) = compiler.expr(parse(source)?)?;
        compiler.finish()?;
        Ok(Self { result: compiler.types.settled(&result), root: Arc::new(root) })
    }

    /// Parses and checks an expression whose value must be of a type.
    pub fn compile_to(source: &str, scope: Scope<'_>, wanted: &Type) -> Result<Self, CompileError> {
        let program = Self::compile(source, scope)?;
        if program.result == *wanted {
            return Ok(program);
        }
        let (wanted, found) = (wanted.to_string(), program.result.to_string());
        Err(error(CompileErrorKind::Result { wanted, found }, program.root.span))
    }

    /// The type that a variable of a policy has, if this is its expression.
    pub fn declared(&self) -> Type {
        self.result.declared()
    }

    /// The place of the whole expression.
    pub fn span(&self) -> Span {
        self.root.span
    }
}

#[derive(Default)]
struct Compiler<'a> {
    scope: Scope<'a>,
    locals: Vec<(String, Type)>,
    nesting: usize,
    types: Checker,
    /// Elements of one list, and keys or values of one map: the API server wants them to be of one type.
    alike: Vec<(Type, Type, Span)>,
    /// Calls of `format` around: there the elements may differ.
    formats: usize,
    /// The types of the elements of the list that was compiled last: what `format` may print.
    last_list: Vec<Type>,
    /// The first constant that is wrong: told when all types are right.
    constant: Option<CompileError>,
}

type Compiled = Result<(Expr, Type), CompileError>;

impl Compiler<'_> {
    /// What cel-go's validators do, after all types are known.
    fn finish(&mut self) -> Result<(), CompileError> {
        for (first, other, span) in std::mem::take(&mut self.alike) {
            let (expected, found) = (self.types.settled(&first), self.types.settled(&other));
            if expected != found {
                return Err(error(self.types.mismatch(&expected, &found), span));
            }
        }
        self.constant.take().map_or(Ok(()), Err)
    }

    fn expr(&mut self, Syntax { node, span, .. }: Syntax<'_>) -> Compiled {
        let (kind, found) = match node {
            Node::Literal(value) => {
                let found = Type::of(&value);
                (Kind::Literal(value), found)
            }
            Node::Name(name) => self.name(name, span)?,
            Node::Select { operand, field, optional } => return self.select(*operand, field, optional, span),
            Node::Index { operand, key, optional } => {
                let (operand, of_operand) = self.expr(*operand)?;
                let (key, of_key) = self.expr(*key)?;
                let name = if optional { "_[?_]" } else { "_[_]" };
                let found = self.types.syntax(name, &[of_operand, of_key]).map_err(|kind| error(kind, span))?;
                (Kind::Index { operand: Box::new(operand), key: Box::new(key), optional }, found)
            }
            Node::List(elements) => self.list(elements)?,
            Node::Map(entries) => self.map(entries)?,
            Node::Message(name) => return Err(error(CompileErrorKind::Undeclared(name), span)),
            Node::And(a, b) => (Kind::And(self.condition(*a)?, self.condition(*b)?), Type::Bool),
            Node::Or(a, b) => (Kind::Or(self.condition(*a)?, self.condition(*b)?), Type::Bool),
            Node::Conditional(parts) => {
                let [condition, yes, no] = *parts;
                let ((condition, a), (yes, b), (no, c)) = (self.expr(condition)?, self.expr(yes)?, self.expr(no)?);
                let found = self.types.syntax("_?_:_", &[a, b, c]).map_err(|kind| error(kind, span))?;
                (Kind::Conditional(Box::new(condition), Box::new(yes), Box::new(no)), found)
            }
            Node::Call { target, name, args } => return self.call(target.map(|target| *target), name, args, span),
        };
        Ok((Expr { kind, span }, found))
    }

    /// An expression that must be `bool`.
    fn condition(&mut self, syntax: Syntax<'_>) -> Result<Box<Expr>, CompileError> {
        let (expr, found) = self.expr(syntax)?;
        self.types.expect(&Type::Bool, &found).map_err(|kind| error(kind, expr.span))?;
        Ok(Box::new(expr))
    }

    fn list(&mut self, elements: Vec<(Syntax<'_>, bool)>) -> Result<(Kind, Type), CompileError> {
        let (mut first, mut joined) = (None, None);
        let mut compiled = Vec::with_capacity(elements.len());
        let mut types = Vec::with_capacity(elements.len());
        for (element, optional) in elements {
            let (expr, found) = self.element(element, optional)?;
            self.note_alike(&mut first, &found, expr.span);
            types.push(found.clone());
            joined = Some(self.types.join(joined, &found));
            compiled.push((expr, optional));
        }
        let element = joined.unwrap_or_else(|| self.types.fresh());
        self.last_list = types;
        Ok((Kind::List(compiled), Type::list(element)))
    }

    fn map(&mut self, entries: Vec<(Syntax<'_>, Syntax<'_>, bool)>) -> Result<(Kind, Type), CompileError> {
        let (mut first_key, mut first_value, mut keys, mut values) = (None, None, None, None);
        let mut compiled = Vec::with_capacity(entries.len());
        for (key, value, optional) in entries {
            let (key, of_key) = self.expr(key)?;
            self.note_alike(&mut first_key, &of_key, key.span);
            keys = Some(self.types.join(keys, &of_key));
            let (value, of_value) = self.element(value, optional)?;
            self.note_alike(&mut first_value, &of_value, value.span);
            values = Some(self.types.join(values, &of_value));
            compiled.push((key, value, optional));
        }
        let key = keys.unwrap_or_else(|| self.types.fresh());
        let value = values.unwrap_or_else(|| self.types.fresh());
        Ok((Kind::Map(compiled), Type::map(key, value)))
    }

    /// A part of a list or map; of an optional one the type of what it may hold.
    fn element(&mut self, syntax: Syntax<'_>, optional: bool) -> Compiled {
        let (expr, found) = self.expr(syntax)?;
        match self.types.known(&found) {
            _ if !optional => Ok((expr, found)),
            Type::Optional(inner) => Ok((expr, (*inner).clone())),
            Type::Dyn => Ok((expr, Type::Dyn)),
            found => {
                let kind = self.types.mismatch(&Type::Optional(Arc::new(found.clone())), &found);
                Err(error(kind, expr.span))
            }
        }
    }

    fn note_alike(&mut self, first: &mut Option<Type>, found: &Type, span: Span) {
        match first {
            None => *first = Some(found.clone()),
            Some(first) if self.formats == 0 && !self.scope.joins && first != found => {
                self.alike.push((first.clone(), found.clone(), span));
            }
            Some(_) => {}
        }
    }

    fn name(&self, name: &str, span: Span) -> Result<(Kind, Type), CompileError> {
        if let Some(slot) = self.locals.iter().rposition(|(local, _)| local == name) {
            let found = self.locals.get(slot).map_or(Type::Dyn, |(_, found)| found.clone());
            return Ok((Kind::Local(slot), found));
        }
        if let Some(index) = self.scope.globals.iter().position(|global| *global == name) {
            let declared = self.scope.types.get(index).cloned();
            return Ok((Kind::Global(index), declared.unwrap_or_else(|| declarations::type_of(name))));
        }
        named_type(name).ok_or_else(|| error(CompileErrorKind::Undeclared(name.to_owned()), span))
    }

    fn select(&mut self, operand: Syntax<'_>, field: &str, optional: bool, span: Span) -> Compiled {
        if !optional && let Some(qualifier) = qualified(&operand.node) {
            if qualifier == "variables" && !self.locals.iter().any(|(local, _)| local == "variables") {
                let known = self.scope.composed.iter().enumerate().find(|(_, (name, _))| **name == *field);
                return match known {
                    Some((index, (_, found))) => Ok((Expr { kind: Kind::Composed(index), span }, found.clone())),
                    None => Err(error(CompileErrorKind::UndefinedField(field.to_owned()), span)),
                };
            }
            let name = format!("{qualifier}.{field}");
            let global = self.scope.globals.iter().position(|global| *global == qualifier);
            if name == REQUEST_RESOURCE
                && let Some(index) = global
            {
                return Ok((Expr { kind: Kind::Global(index), span }, declarations::type_of(REQUEST_RESOURCE)));
            }
            if let Some((kind, found)) = named_type(&name) {
                return Ok((Expr { kind, span }, found));
            }
        }
        let (operand, of_operand) = self.expr(operand)?;
        let found = self.types.select(&of_operand, field, optional).map_err(|kind| error(kind, span))?;
        Ok((Expr { kind: Kind::Select { operand: Box::new(operand), field: field.into(), optional }, span }, found))
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
        let arg = args.pop().map(|arg| (arg.node, arg.span));
        let Some((Node::Select { operand, field, optional: false }, _)) = arg else {
            let span = arg.map_or(span, |(_, span)| span);
            return Err(error(CompileErrorKind::Macro("invalid argument to has() macro"), span));
        };
        let kind = match self.select(*operand, field, false, span)?.0.kind {
            Kind::Select { operand, field, .. } => Kind::Has { operand, field },
            // A declared variable of the policy is always there.
            _ => Kind::Literal(true.into()),
        };
        Ok((Expr { kind, span }, Type::Bool))
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
        let at = |kind| error(kind, span);
        let mut names: Vec<String> = Vec::new();
        let mut rest = Vec::new();
        for (i, arg) in args.into_iter().enumerate() {
            match arg.node {
                _ if i >= variables => rest.push(arg),
                Node::Name(name) if names.iter().any(|known| known == name) => {
                    return Err(error(CompileErrorKind::DuplicateVariable(name.to_owned()), arg.span));
                }
                Node::Name(name) => names.push(name.to_owned()),
                _ => return Err(error(CompileErrorKind::Macro(kind.wants_a_name(variables)), arg.span)),
            }
        }
        if kind == MacroKind::SortBy && matches!(range.node, Node::Literal(_) | Node::Map(_) | Node::Message(_)) {
            let message = "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
            return Err(error(CompileErrorKind::Macro(message), range.span));
        }
        let (range, of_range) = self.expr(range)?;
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(at(CompileErrorKind::TooLarge("macros nested more than 10 deep")));
        }
        let optional = matches!(kind, MacroKind::OptMap | MacroKind::OptFlatMap);
        let bound = kind.bound(&mut self.types, &of_range, variables == 2);
        let bound = bound.map_err(|kind| error(kind, if optional { span } else { range.span }))?;
        let slot = self.locals.len();
        self.locals.extend(names.into_iter().zip(bound.clone()));
        let rest = rest.into_iter().map(|arg| self.expr(arg)).collect::<Result<Vec<_>, _>>();
        self.locals.truncate(slot);
        self.nesting -= 1;
        let mut rest = rest?;
        let (body, of_body) = rest.pop().ok_or_else(|| at(CompileErrorKind::Macro("a macro needs a body")))?;
        let (filter, of_filter) = rest.pop().unzip();
        if matches!(kind, MacroKind::All | MacroKind::Exists) {
            self.types.expect(&Type::Bool, &of_body).map_err(|kind| error(kind, body.span))?;
        }
        let typed = !matches!(self.types.settled(&of_body), Type::Dyn);
        let found = kind.result(&mut self.types, &of_range, bound, of_filter, of_body).map_err(at)?;
        let node = Macro { kind, range, slot, two: variables == 2, filter, body, typed };
        Ok((Expr { kind: Kind::Macro(Box::new(node)), span }, found))
    }

    fn function(&mut self, target: Option<Syntax<'_>>, name: &str, args: Vec<Syntax<'_>>, span: Span) -> Compiled {
        // `sets.contains(a, b)`: a function of a namespace.
        let namespaced = target.as_ref().and_then(|target| qualified(&target.node));
        let namespaced = namespaced.map(|namespace| format!("{namespace}.{name}"));
        let namespaced = namespaced.filter(|name| functions::exists(name));
        self.formats += usize::from(name == "format");
        let mut compiled = Vec::with_capacity(args.len() + 1);
        for arg in args {
            compiled.push(self.expr(arg)?);
        }
        let (name, style) = match (&namespaced, target) {
            (Some(name), _) => (name.as_str(), Style::Global),
            (None, Some(target)) => {
                compiled.insert(0, self.expr(target)?);
                (name, Style::Member)
            }
            (None, None) => (name, Style::Global),
        };
        self.formats -= usize::from(name == "format");
        if !functions::exists(name) {
            return Err(error(CompileErrorKind::Undeclared(name.to_owned()), span));
        }
        let (mut args, types): (Vec<Expr>, Vec<Type>) = compiled.into_iter().unzip();
        let (overloads, only, found) = self.types.call(name, style, &types).map_err(|kind| error(kind, span))?;
        self.prepare(name, &mut args);
        if name == "format"
            && let [Expr { kind: Kind::Literal(Val { data: Data::String(pattern), .. }), .. }, list] = args.as_slice()
            && let Kind::List(elements) = &list.kind
        {
            let types: Vec<Type> = self.last_list.iter().map(|found| self.types.settled(found)).collect();
            if let Err((at, reason)) = interpolate::check(pattern, &types) {
                let place = at.and_then(|at| elements.get(at)).map_or(span, |(element, _)| element.span);
                self.constant.get_or_insert(error(CompileErrorKind::Constant(reason), place));
            }
        }
        let cost = cost::of_call(name, style, only, &args);
        let kind = Kind::Call { overloads, cost, args };
        Ok((Expr { kind: self.folded(name, kind, span), span }, found))
    }

    /// Checks patterns that are written as literals.
    fn prepare(&mut self, name: &str, args: &mut [Expr]) {
        let literal = |arg: Option<&Expr>| match arg.map(|arg| (&arg.kind, arg.span)) {
            Some((Kind::Literal(Val { data: Data::String(text), .. }), span)) => Some((text.clone(), span)),
            _ => None,
        };
        if matches!(name, "matches" | "find" | "findAll")
            && let Some((text, span)) = literal(args.get(1))
        {
            match Literal::new(text) {
                Ok(regex) => args[1].kind = Kind::Literal(Val::new(Opaque::Regex(regex).into())),
                Err(reason) => self.refuse_constant("matches", reason, span),
            }
        }
    }

    fn refuse_constant(&mut self, what: &'static str, reason: String, span: Span) {
        self.constant.get_or_insert(error(CompileErrorKind::Literal { what, reason }, span));
    }

    /// A conversion of a constant is a constant, and must be one.
    fn folded(&mut self, name: &str, kind: Kind, span: Span) -> Kind {
        let Kind::Call { overloads, args, .. } = &kind else { return kind };
        let [Expr { kind: Kind::Literal(arg), span: of_arg }] = args.as_slice() else { return kind };
        if !cost::CONVERSIONS.contains(&name) {
            return kind;
        }
        let budget = Budget::new();
        let mut results = overloads.iter().map(|row| (row.call)(&budget, std::slice::from_ref(arg)));
        match results.next() {
            Some(Ok(value)) => Kind::Literal(value),
            Some(Err(failure)) => {
                match name {
                    "duration" => self.refuse_constant("duration", failure.to_string(), *of_arg),
                    "timestamp" => self.refuse_constant("timestamp", failure.to_string(), *of_arg),
                    _ => {
                        self.constant.get_or_insert(error(CompileErrorKind::Constant(failure.to_string()), span));
                    }
                }
                kind
            }
            None => kind,
        }
    }
}

fn error(kind: CompileErrorKind, span: Span) -> CompileError {
    CompileError { kind, span }
}

/// A type that is used as a value.
fn named_type(name: &str) -> Option<(Kind, Type)> {
    let (name, found) = (functions::convert::type_of_name(name)?, Type::named(name)?);
    Some((Kind::Literal(Val::new(Data::Type(name))), Type::Type(Some(Arc::new(found)))))
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
