//! From text to a checked tree: what the API server does when a policy is created.

use std::sync::Arc;

use cel::common::ast::{CallExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, SelectExpr, SourceInfo};

use super::functions::{self, Row, Style};
use super::tree::{Expr, Kind, Macro, MacroKind};
use super::value::{Data, Opaque, Val};
use super::{CompileError, CompileErrorKind, functions::time, re2};
use crate::source::Span;

/// The parser's recursion follows chains of operators, so their number is bounded before it runs.
const MAX_OPERATORS: usize = 1_500;
/// The longest expression in bytes.
const MAX_LENGTH: usize = 64 << 10;
/// The deepest tree: compiling and evaluating are recursive walks.
const MAX_DEPTH: usize = 120;
/// Macros inside macros inside macros: each level multiplies the work.
const MAX_NESTING: usize = 10;

/// The names that an expression may use.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The variables of the environment, in the order of the values given to an evaluation.
    pub globals: &'a [&'static str],
    /// The policy's variables that may be used as `variables.name`, in their order.
    pub composed: &'a [Arc<str>],
}

/// An expression that can be evaluated.
#[derive(Debug)]
pub struct Program {
    pub(super) root: Expr,
}

impl Program {
    /// Parses and checks an expression.
    pub fn compile(source: &str, scope: Scope<'_>) -> Result<Self, CompileError> {
        let (ast, info) = parse(source)?;
        let mut compiler = Compiler { scope, source, info, locals: Vec::new(), nesting: 0 };
        Ok(Self { root: compiler.expr(ast)? })
    }

    /// Parses and checks an expression whose value must be of a type.
    pub fn compile_to(source: &str, scope: Scope<'_>, wanted: &'static str) -> Result<Self, CompileError> {
        let program = Self::compile(source, scope)?;
        expect(&program.root, wanted)?;
        Ok(program)
    }
}

fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), CompileError> {
    let refuse = |kind| CompileError { kind, span: Span::new(0, source.len()) };
    if source.len() > MAX_LENGTH {
        return Err(refuse(CompileErrorKind::TooLarge("more than 64 KiB")));
    }
    if operators(source) > MAX_OPERATORS {
        return Err(refuse(CompileErrorKind::TooLarge("more than 1500 operators")));
    }
    // Without macros of its own the parser leaves them as calls: the tree stays as written.
    let parser = cel::Env::default().parser();
    let parsed = parser.parse_with_source_info(source).map_err(|errors| {
        let Some(error) = errors.errors.first() else {
            return refuse(CompileErrorKind::Syntax("not an expression".into()));
        };
        let (line, column) = error.pos;
        let start = offset_of(source, line, column);
        // The parser lists every token that could stand there; the first clause says what is wrong.
        let message = error.msg.split(" expecting {").next().unwrap_or_default();
        let message = if message.contains("Recursion limit") { "nested too deeply" } else { message };
        let kind = CompileErrorKind::Syntax(message.trim_start_matches("Syntax error: ").to_owned());
        CompileError { kind, span: Span::new(start, start) }
    })?;
    if is_deeper(&parsed.0, MAX_DEPTH) {
        return Err(refuse(CompileErrorKind::TooLarge("nested more than 120 deep")));
    }
    Ok(parsed)
}

/// Whether a tree has more levels than allowed.
fn is_deeper(ast: &IdedExpr, allowed: usize) -> bool {
    let Some(rest) = allowed.checked_sub(1) else { return true };
    let any = |children: &[IdedExpr]| children.iter().any(|child| is_deeper(child, rest));
    match &ast.expr {
        Ast::Call(call) => call.target.as_ref().is_some_and(|target| is_deeper(target, rest)) || any(&call.args),
        Ast::Select(select) => is_deeper(&select.operand, rest),
        Ast::List(list) => any(&list.elements),
        Ast::Map(map) => map.entries.iter().any(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => is_deeper(&entry.key, rest) || is_deeper(&entry.value, rest),
            EntryExpr::StructField(field) => is_deeper(&field.value, rest),
        }),
        _ => false,
    }
}

/// The number of characters outside of strings that can make the tree deeper.
fn operators(source: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    let mut count = 0;
    for c in source.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None => {
                count += usize::from(matches!(
                    c,
                    '.' | '[' | '(' | '{' | '+' | '-' | '*' | '/' | '%' | '!' | '<' | '>' | '=' | '&' | '|' | '?'
                ))
            }
        }
    }
    // `&&`, `||` and `==` were counted twice, which is on the safe side.
    count
}

/// The byte offset of a line and column, both from 1, columns in characters.
fn offset_of(source: &str, line: isize, column: isize) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = source.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(offset, _)| offset)
}

struct Compiler<'a> {
    scope: Scope<'a>,
    source: &'a str,
    info: SourceInfo,
    locals: Vec<String>,
    nesting: usize,
}

type Compiled = Result<Expr, CompileError>;

impl Compiler<'_> {
    fn span(&self, id: u64) -> Span {
        let Some((start, stop)) = self.info.offset_for(id) else { return Span::new(0, self.source.len()) };
        // The parser counts characters, and names the last one.
        let byte = |at: usize| self.source.char_indices().nth(at).map_or(self.source.len(), |(offset, _)| offset);
        Span::new(byte(start as usize), byte(stop as usize + 1))
    }

    /// The field after a dot, of which the parser tells the place of the dot only.
    fn field_span(&self, dot: Span, field: &str) -> Span {
        let rest = self.source.get(dot.end..).unwrap_or_default();
        let start = dot.end + rest.len() - rest.trim_start().len();
        if rest.trim_start().starts_with(field) { Span::new(start, start + field.len()) } else { dot }
    }

    fn expr(&mut self, ast: IdedExpr) -> Compiled {
        let span = self.span(ast.id);
        let kind = match ast.expr {
            Ast::Literal(literal) => Kind::Literal(literal_value(literal)),
            Ast::Ident(name) => self.name(&name, span)?,
            Ast::Select(select) => return self.select(select, span),
            Ast::List(list) => {
                let optional = list.optional_indices;
                let elements = list.elements.into_iter().enumerate();
                let elements = elements.map(|(i, element)| Ok((self.expr(element)?, optional.contains(&i))));
                Kind::List(elements.collect::<Result<_, CompileError>>()?)
            }
            Ast::Map(map) => {
                let mut entries = Vec::with_capacity(map.entries.len());
                for entry in map.entries {
                    if let EntryExpr::MapEntry(entry) = entry.expr {
                        entries.push((self.expr(entry.key)?, self.expr(entry.value)?, entry.optional));
                    }
                }
                Kind::Map(entries)
            }
            Ast::Call(call) => return self.call(call, span),
            Ast::Struct(message) => return Err(error(CompileErrorKind::Undeclared(message.type_name), span)),
            Ast::Comprehension(_) | Ast::Unspecified => {
                return Err(error(CompileErrorKind::Syntax("not an expression".into()), span));
            }
        };
        Ok(Expr { kind, span })
    }

    fn name(&self, name: &str, span: Span) -> Result<Kind, CompileError> {
        let name = name.strip_prefix('.').unwrap_or(name);
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

    fn select(&mut self, select: SelectExpr, span: Span) -> Compiled {
        if let Ast::Ident(name) = &select.operand.expr
            && !self.locals.contains(name)
        {
            if name == "variables" {
                return match self.scope.composed.iter().position(|known| **known == *select.field) {
                    Some(index) => Ok(Expr { kind: Kind::Composed(index), span }),
                    None => {
                        let span = self.field_span(span, &select.field);
                        Err(error(CompileErrorKind::Undeclared(format!("variables.{}", select.field)), span))
                    }
                };
            }
            if let Some(name) = functions::convert::type_of_name(&format!("{name}.{}", select.field)) {
                return Ok(Expr { kind: Kind::Literal(Val::new(Data::Type(name))), span });
            }
        }
        if let Some(name) = qualified(&select.operand.expr)
            && let Some(name) = functions::convert::type_of_name(&format!("{name}.{}", select.field))
        {
            return Ok(Expr { kind: Kind::Literal(Val::new(Data::Type(name))), span });
        }
        let operand = Box::new(self.expr(*select.operand)?);
        let span = self.field_span(span, &select.field);
        Ok(Expr { kind: Kind::Select { operand, field: select.field.into(), optional: false }, span })
    }

    fn call(&mut self, mut call: CallExpr, span: Span) -> Compiled {
        match (call.func_name.as_str(), call.target.is_some(), call.args.len()) {
            ("_&&_" | "_||_", false, 2) => return self.logical(call, span),
            ("_?_:_", false, 3) => {
                let mut args = self.all(call.args)?.into_iter();
                if let (Some(a), Some(b), Some(c)) = (args.next(), args.next(), args.next()) {
                    expect(&a, "bool")?;
                    let kind = Kind::Conditional(Box::new(a), Box::new(b), Box::new(c));
                    return Ok(Expr { kind, span });
                }
                return Err(error(CompileErrorKind::Syntax("not an expression".into()), span));
            }
            ("_[_]" | "_[?_]", false, 2) => {
                let optional = call.func_name == "_[?_]";
                let [operand, key] = pair(self.all(call.args)?, span)?;
                let kind = Kind::Index { operand: Box::new(operand), key: Box::new(key), optional };
                return Ok(Expr { kind, span });
            }
            ("_?._", false, 2) => {
                let field = match call.args.pop().map(|field| field.expr) {
                    Some(Ast::Literal(LiteralValue::String(field))) => Arc::from(field.inner()),
                    _ => {
                        return Err(error(
                            CompileErrorKind::Syntax("unsupported optional field selection".into()),
                            span,
                        ));
                    }
                };
                let operand = call.args.pop().ok_or_else(|| error(CompileErrorKind::Syntax(String::new()), span))?;
                let operand = Box::new(self.expr(operand)?);
                return Ok(Expr { kind: Kind::Select { operand, field, optional: true }, span });
            }
            ("has", false, 1) => {
                return match call.args.pop().map(|arg| arg.expr) {
                    Some(Ast::Select(select)) => match self.select(select, span)?.kind {
                        Kind::Select { operand, field, .. } => Ok(Expr { kind: Kind::Has { operand, field }, span }),
                        // A declared variable of the policy is always there.
                        _ => Ok(Expr { kind: Kind::Literal(true.into()), span }),
                    },
                    _ => Err(error(CompileErrorKind::Macro("invalid argument to has() macro"), span)),
                };
            }
            _ => {}
        }
        if call.target.is_some()
            && let Some((kind, variables)) = macro_of(&call.func_name, call.args.len())
        {
            return self.bind(kind, variables, call, span);
        }
        self.function(call, span)
    }

    fn all(&mut self, args: Vec<IdedExpr>) -> Result<Vec<Expr>, CompileError> {
        args.into_iter().map(|arg| self.expr(arg)).collect()
    }

    fn logical(&mut self, call: CallExpr, span: Span) -> Compiled {
        let and = call.func_name == "_&&_";
        let [a, b] = pair(self.all(call.args)?, span)?;
        expect(&a, "bool")?;
        expect(&b, "bool")?;
        let (a, b) = (Box::new(a), Box::new(b));
        Ok(Expr { kind: if and { Kind::And(a, b) } else { Kind::Or(a, b) }, span })
    }

    /// A macro that binds variables: `range.name(x, …)`.
    fn bind(&mut self, kind: MacroKind, variables: usize, call: CallExpr, span: Span) -> Compiled {
        let refuse = |message| error(CompileErrorKind::Macro(message), span);
        let target = call.target.ok_or_else(|| refuse("a macro needs a receiver"))?;
        let range = self.expr(*target)?;
        let mut names = Vec::new();
        let mut rest = Vec::new();
        for (i, arg) in call.args.into_iter().enumerate() {
            match (i < variables, arg.expr) {
                (true, Ast::Ident(name)) => names.push(name),
                (true, _) => return Err(refuse("argument must be a simple name")),
                (false, expr) => rest.push(IdedExpr { id: arg.id, expr }),
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

    fn function(&mut self, call: CallExpr, span: Span) -> Compiled {
        // `sets.contains(a, b)`: a function of a namespace, unless the name before the dot is a variable.
        if let Some(target) = &call.target
            && let Some(namespace) = qualified(&target.expr)
            && self.name(&namespace, span).is_err()
        {
            let name = format!("{namespace}.{}", call.func_name);
            if functions::exists(&name) {
                let args = self.all(call.args)?;
                return self.overloads(name, Style::Global, args, span);
            }
        }
        let style = if call.target.is_some() { Style::Member } else { Style::Global };
        let name = call.func_name;
        if !functions::exists(&name) {
            return Err(error(CompileErrorKind::UnknownFunction(name), span));
        }
        let mut args = Vec::with_capacity(call.args.len() + 1);
        if let Some(target) = call.target {
            args.push(self.expr(*target)?);
        }
        args.extend(self.all(call.args)?);
        self.overloads(name, style, args, span)
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

fn pair(args: Vec<Expr>, span: Span) -> Result<[Expr; 2], CompileError> {
    args.try_into().map_err(|_| error(CompileErrorKind::Syntax("not an expression".into()), span))
}

/// `a.b.c` as text, if the expression is nothing but names.
fn qualified(ast: &Ast) -> Option<String> {
    match ast {
        Ast::Ident(name) => Some(name.clone()),
        Ast::Select(select) => Some(format!("{}.{}", qualified(&select.operand.expr)?, select.field)),
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
        ("optMap", 2) => (MacroKind::OptMap, 1),
        ("optFlatMap", 2) => (MacroKind::OptFlatMap, 1),
        _ => return None,
    })
}

fn literal_value(literal: LiteralValue) -> Val {
    Val::new(match literal {
        LiteralValue::Null => Data::Null,
        LiteralValue::Boolean(value) => Data::Bool(*value.inner()),
        LiteralValue::Int(value) => Data::Int(*value.inner()),
        LiteralValue::UInt(value) => Data::Uint(*value.inner()),
        LiteralValue::Double(value) => Data::Double(*value.inner()),
        LiteralValue::String(text) => Data::String(text.inner().into()),
        LiteralValue::Bytes(bytes) => Data::Bytes(bytes.inner().into()),
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
            MacroKind::TransformMap | MacroKind::TransformMapEntry => Some("map"),
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
