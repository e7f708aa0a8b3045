//! The native dialect: executes syntax trees of Jinja templates with shapes.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::value::ValueKind;

use super::Use;
use super::functions::{guessed, tolerated};
use super::record::Recorder;
use super::shape::{Atom, Shape};
use crate::chart::Chart;
use crate::render::functions;
use crate::render::jinja::ast::{BinOpKind, Call, CallArg, CompareOpKind, Expr, Macro, Spanned, Stmt, UnaryOpKind};
use crate::render::jinja::{self, Error};
use crate::source::{Location, SourceFile, Span};
use crate::value::Value;

/// How often a loop is gone through again for what its end gives its beginning.
const MAX_ROUNDS: usize = 4;

/// The native templates of a chart: the name below `templates/`, and the text.
pub fn sources(chart: &Chart) -> Vec<(String, Arc<SourceFile>)> {
    let native = chart.templates.iter().filter(|file| file.name.ends_with(".j2"));
    let named =
        native.filter_map(|file| Some((file.name.strip_prefix("templates/")?.to_owned(), file.source()?.clone())));
    named.collect()
}

/// Parses templates.
pub fn parse(sources: &[(String, Arc<SourceFile>)]) -> Result<Vec<Parsed<'_>>, Error> {
    let parsed = sources.iter().map(|(key, source)| Ok(Parsed { key, source, tree: jinja::parse(source)? }));
    parsed.collect()
}

/// A template.
pub struct Parsed<'a> {
    key: &'a str,
    source: &'a Arc<SourceFile>,
    tree: Stmt<'a>,
}

/// An analysis of the native templates of one chart.
pub struct Native<'a, 'r> {
    pub recorder: &'r mut Recorder,
    pub templates: &'a [Parsed<'a>],
    /// What `values` is.
    pub values: Shape,
    modules: HashMap<usize, Vec<(&'a str, Bound<'a>)>>,
}

/// What a name stands for.
#[derive(Clone)]
enum Bound<'a> {
    Shape(Shape),
    Macro(usize, &'a Macro<'a>),
    Module(usize),
}

/// The names of a template that is being analysed.
#[derive(Clone)]
struct Frame<'a> {
    template: usize,
    names: Vec<(&'a str, Bound<'a>)>,
    changes: usize,
}

impl<'a, 'r> Native<'a, 'r> {
    /// For the templates of a chart.
    pub fn new(recorder: &'r mut Recorder, templates: &'a [Parsed<'a>], values: Shape) -> Self {
        Self { recorder, templates, values, modules: HashMap::new() }
    }

    /// Analyses every template that is rendered.
    pub fn all(&mut self) {
        let templates = self.templates;
        for (index, template) in templates.iter().enumerate() {
            if !template.key.rsplit('/').next().is_some_and(|name| name.starts_with('_')) {
                let mut frame = Frame { template: index, names: Vec::new(), changes: 0 };
                self.statement(&template.tree, &mut frame);
            }
        }
    }

    fn statements(&mut self, statements: &'a [Stmt<'a>], frame: &mut Frame<'a>) {
        if self.recorder.descend() {
            for statement in statements {
                if self.recorder.step() {
                    self.statement(statement, frame);
                }
            }
            self.recorder.ascend();
        }
    }

    /// Statements whose names end with them.
    fn block(&mut self, statements: &'a [Stmt<'a>], frame: &mut Frame<'a>) {
        let known = frame.names.len();
        self.statements(statements, frame);
        frame.names.truncate(known);
    }

    fn statement(&mut self, statement: &'a Stmt<'a>, frame: &mut Frame<'a>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children, frame),
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(emit) => {
                let value = self.expression(&emit.expr, frame);
                self.recorder.here = self.place(frame, &emit.expr);
                self.recorder.consume(&value, &Use::Printed, true);
            }
            Stmt::ForLoop(looped) => {
                let (known, mark) = (frame.names.len(), self.recorder.mark());
                let list = self.expression(&looped.iter, frame);
                self.recorder.ask(&list, &Use::Ranged);
                let at = self.place(frame, &looped.iter);
                let each = self.recorder.each(&list, &at);
                let before = self.recorder.guard(mark);
                self.bind(&looped.target, &each, frame);
                frame.names.push(("loop", Bound::Shape(Shape::other())));
                if let Some(filter) = &looped.filter_expr {
                    self.condition(filter, frame);
                }
                for _ in 0..MAX_ROUNDS {
                    let (set, watch) = (frame.changes, self.recorder.watch());
                    self.block(&looped.body, frame);
                    if !self.recorder.has_changed(watch) && frame.changes == set {
                        break;
                    }
                }
                frame.names.truncate(known);
                self.block(&looped.else_body, frame);
                self.recorder.unguard(before);
            }
            Stmt::IfCond(branch) => {
                let mark = self.recorder.mark();
                self.condition(&branch.expr, frame);
                if fails(&branch.true_body) || fails(&branch.false_body) {
                    let read = self.recorder.read_since(mark).to_vec();
                    self.recorder.demanded.extend(read);
                }
                let before = self.recorder.guard(mark);
                self.statements(&branch.true_body, frame);
                self.statements(&branch.false_body, frame);
                self.recorder.unguard(before);
            }
            Stmt::WithBlock(with) => {
                let known = frame.names.len();
                for (target, value) in &with.assignments {
                    let value = self.expression(value, frame);
                    self.bind(target, &value, frame);
                }
                self.statements(&with.body, frame);
                frame.names.truncate(known);
            }
            Stmt::Set(set) => {
                let value = self.expression(&set.expr, frame);
                self.assign(&set.target, &value, frame);
            }
            Stmt::SetBlock(set) => {
                self.block(&set.body, frame);
                if let Some(filter) = &set.filter {
                    self.expression(filter, frame);
                }
                self.assign(&set.target, &Shape::other(), frame);
            }
            Stmt::AutoEscape(escape) => self.statements(&escape.body, frame),
            Stmt::FilterBlock(filter) => {
                self.expression(&filter.filter, frame);
                self.block(&filter.body, frame);
            }
            Stmt::Block(block) => self.block(&block.body, frame),
            Stmt::Import(import) => {
                if let (Some(index), Expr::Var(name)) = (self.named(&import.expr), &import.name) {
                    self.module(index);
                    frame.names.push((name.id, Bound::Module(index)));
                }
            }
            Stmt::FromImport(import) => {
                let Some(index) = self.named(&import.expr) else { return };
                let module = self.module(index);
                for (name, alias) in &import.names {
                    let (Expr::Var(name), Expr::Var(alias)) = (name, alias.as_ref().unwrap_or(name)) else { continue };
                    if let Some((_, bound)) = module.iter().rev().find(|(known, _)| *known == name.id) {
                        frame.names.push((alias.id, bound.clone()));
                    }
                }
            }
            Stmt::Extends(extends) => self.inline(&extends.name, frame),
            Stmt::Include(include) => self.inline(&include.name, frame),
            Stmt::Macro(declared) => frame.names.push((declared.name, Bound::Macro(frame.template, declared))),
            Stmt::CallBlock(block) => {
                self.call(&block.call, frame);
                let known = frame.names.len();
                for arg in &block.macro_decl.args {
                    self.bind(arg, &Shape::other(), frame);
                }
                self.statements(&block.macro_decl.body, frame);
                frame.names.truncate(known);
            }
            Stmt::Do(called) => {
                self.call(&called.call, frame);
            }
        }
    }

    /// Another template, with the names that are known here.
    fn inline(&mut self, name: &'a Expr<'a>, frame: &mut Frame<'a>) {
        let templates = self.templates;
        match self.named(name).and_then(|index| Some((index, templates.get(index)?))) {
            Some((index, template)) => {
                let mut inner = Frame { template: index, ..frame.clone() };
                if self.recorder.descend() {
                    self.statement(&template.tree, &mut inner);
                    self.recorder.ascend();
                }
            }
            // Which one is only known at run time: any.
            None => {
                self.expression(name, frame);
                let values = self.values.clone();
                self.recorder.consume(&values, &Use::Unknown, true);
            }
        }
    }

    fn named(&self, name: &Expr<'_>) -> Option<usize> {
        let Expr::Const(name) = name else { return None };
        let name = name.value.as_str()?;
        self.templates.iter().position(|template| template.key == name)
    }

    /// The names that a template gives to those who import it.
    fn module(&mut self, index: usize) -> Vec<(&'a str, Bound<'a>)> {
        if let Some(known) = self.modules.get(&index) {
            return known.clone();
        }
        self.modules.insert(index, Vec::new());
        let mut frame = Frame { template: index, names: Vec::new(), changes: 0 };
        let templates = self.templates;
        if let Some(template) = templates.get(index).filter(|_| self.recorder.descend()) {
            self.statement(&template.tree, &mut frame);
            self.recorder.ascend();
        }
        self.modules.insert(index, frame.names.clone());
        frame.names
    }

    fn condition(&mut self, expression: &'a Expr<'a>, frame: &mut Frame<'a>) {
        let outer = self.recorder.asking(true);
        let value = self.expression(expression, frame);
        self.recorder.asking(outer);
        self.recorder.ask(&value, &Use::Condition);
    }

    fn bind(&mut self, target: &'a Expr<'a>, value: &Shape, frame: &mut Frame<'a>) {
        match target {
            Expr::Var(name) => frame.names.push((name.id, Bound::Shape(value.clone()))),
            Expr::List(list) => self.unpack(&list.items, value, frame),
            Expr::Tuple(tuple) => self.unpack(&tuple.items, value, frame),
            _ => {}
        }
    }

    fn unpack(&mut self, targets: &'a [Expr<'a>], value: &Shape, frame: &mut Frame<'a>) {
        for (index, target) in targets.iter().enumerate() {
            let at = self.place(frame, target);
            let item = self.recorder.index(value, &Shape::literal(index as i64), &at);
            self.bind(target, &item, frame);
        }
    }

    /// Gives a name something, beside what it may have already.
    fn assign(&mut self, target: &'a Expr<'a>, value: &Shape, frame: &mut Frame<'a>) {
        match target {
            Expr::Var(name) => match frame.names.iter_mut().rev().find(|(known, _)| *known == name.id) {
                Some((_, Bound::Shape(known))) => {
                    frame.changes += usize::from(known.add(&guessed(value)));
                    *known = self.recorder.narrowed(std::mem::take(known));
                }
                _ => frame.names.push((name.id, Bound::Shape(value.clone()))),
            },
            Expr::GetAttr(attribute) => {
                let namespace = self.expression(&attribute.expr, frame);
                self.recorder.put(&namespace, &Shape::literal(attribute.name), value);
            }
            _ => self.bind(target, value, frame),
        }
    }

    fn lookup(&self, name: &str, frame: &Frame<'a>) -> Bound<'a> {
        if let Some((_, bound)) = frame.names.iter().rev().find(|(known, _)| *known == name) {
            return bound.clone();
        }
        Bound::Shape(if name == "values" { self.values.clone() } else { Shape::other() })
    }

    fn expression(&mut self, expression: &'a Expr<'a>, frame: &mut Frame<'a>) -> Shape {
        if !self.recorder.step() || !self.recorder.descend() {
            return Shape::other();
        }
        let value = self.value(expression, frame);
        self.recorder.ascend();
        value
    }

    fn value(&mut self, expression: &'a Expr<'a>, frame: &mut Frame<'a>) -> Shape {
        let at = self.place(frame, expression);
        match expression {
            Expr::Var(name) => match self.lookup(name.id, frame) {
                Bound::Shape(shape) => named_at(shape, &at),
                Bound::Macro(..) | Bound::Module(_) => Shape::other(),
            },
            Expr::Const(constant) => literal(&constant.value),
            Expr::Slice(slice) => {
                for bound in [&slice.start, &slice.stop, &slice.step].into_iter().flatten() {
                    let bound = self.expression(bound, frame);
                    self.recorder.consume(&bound, &Use::Call("slice"), true);
                }
                let list = self.expression(&slice.expr, frame);
                self.recorder.call("slice", &[list], &at)
            }
            Expr::UnaryOp(operation) => {
                let value = self.expression(&operation.expr, frame);
                match operation.op {
                    UnaryOpKind::Not => self.recorder.ask(&value, &Use::Condition),
                    UnaryOpKind::Neg => self.recorder.consume(&value, &Use::Call("-"), true),
                }
                Shape::other()
            }
            Expr::BinOp(operation) => self.binary(operation.op, &operation.left, &operation.right, frame),
            Expr::Compare(compared) => {
                let mut left = self.expression(&compared.expr, frame);
                for operation in &compared.ops {
                    let right = self.expression(&operation.expr, frame);
                    match operation.op {
                        CompareOpKind::In | CompareOpKind::NotIn => self.contains(&left, &right, &at),
                        _ => {
                            self.recorder.call("eq", &[left, right.clone()], &at);
                        }
                    }
                    left = right;
                }
                Shape::other()
            }
            Expr::IfExpr(branch) => {
                let mark = self.recorder.mark();
                self.condition(&branch.test_expr, frame);
                let before = self.recorder.guard(mark);
                let yes = self.expression(&branch.true_expr, frame);
                let no = branch.false_expr.as_ref().map(|no| self.expression(no, frame)).unwrap_or_default();
                self.recorder.unguard(before);
                tolerated(&yes).or(&tolerated(&no))
            }
            Expr::Filter(filter) => {
                let value = filter.expr.as_ref().map_or_else(Shape::other, |value| self.expression(value, frame));
                self.filter(filter.name, value, &filter.args, frame, &at)
            }
            Expr::Test(test) => {
                let value = self.expression(&test.expr, frame);
                let args = self.arguments(&test.args, frame);
                match (test.name, args.first()) {
                    ("defined" | "undefined" | "none", _) => self.recorder.ask(&value, &Use::Tested),
                    ("in", Some(container)) => self.contains(&value, container, &at),
                    (_, Some(other)) => {
                        self.recorder.call("eq", &[value, other.clone()], &at);
                    }
                    (_, None) => self.recorder.ask(&value, &Use::Call("is")),
                }
                Shape::other()
            }
            Expr::GetAttr(attribute) => {
                let value = self.expression(&attribute.expr, frame);
                let end = attribute.span().end_offset as usize;
                let span = Span::new(end.saturating_sub(attribute.name.len()), end);
                let at = Location::new(at.file, span);
                self.recorder.field(&value, attribute.name, &at)
            }
            Expr::GetItem(item) => {
                let value = self.expression(&item.expr, frame);
                let key = self.expression(&item.subscript_expr, frame);
                let at = self.place(frame, &item.subscript_expr);
                self.recorder.index(&value, &key, &at)
            }
            Expr::Call(call) => self.call(call, frame),
            Expr::List(list) => self.list(&list.items, frame),
            Expr::Tuple(tuple) => self.list(&tuple.items, frame),
            Expr::Map(map) => {
                let made = Shape(vec![Atom::Map(self.recorder.make())]);
                for (key, value) in map.keys.iter().zip(&map.values) {
                    let (key, value) = (self.expression(key, frame), self.expression(value, frame));
                    self.recorder.put(&made, &key, &value);
                }
                made
            }
        }
    }

    fn list(&mut self, items: &'a [Expr<'a>], frame: &mut Frame<'a>) -> Shape {
        let items = items.iter().map(|item| self.expression(item, frame)).collect();
        Shape::list(items, true)
    }

    fn binary(&mut self, op: BinOpKind, left: &'a Expr<'a>, right: &'a Expr<'a>, frame: &mut Frame<'a>) -> Shape {
        let at = self.place(frame, left);
        let mark = self.recorder.mark();
        let first = self.expression(left, frame);
        if matches!(op, BinOpKind::ScAnd | BinOpKind::ScOr) {
            self.recorder.ask(&first, &Use::Condition);
            let before = self.recorder.guard(mark);
            let second = self.expression(right, frame);
            self.recorder.unguard(before);
            return tolerated(&first).or(&tolerated(&second));
        }
        let second = self.expression(right, frame);
        match op {
            BinOpKind::In => self.contains(&first, &second, &at),
            BinOpKind::Eq | BinOpKind::Ne | BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte => {
                self.recorder.call("eq", &[first, second], &at);
            }
            BinOpKind::Concat => {
                self.recorder.consume(&first.or(&second), &Use::Call("~"), true);
            }
            _ => self.recorder.consume(&first.or(&second), &Use::Call("+"), true),
        }
        Shape::other()
    }

    /// `key in map`, `item in list`
    fn contains(&mut self, item: &Shape, container: &Shape, at: &Location) {
        self.recorder.consume(item, &Use::Call("in"), true);
        if item.keys().is_some() {
            let found = self.recorder.index(container, item, at);
            self.recorder.ask(&found, &Use::Tested);
        }
        self.recorder.ask(container, &Use::Ranged);
    }

    fn arguments(&mut self, args: &'a [CallArg<'a>], frame: &mut Frame<'a>) -> Vec<Shape> {
        let value = |arg: &'a CallArg<'a>| match arg {
            CallArg::Pos(value) | CallArg::Kwarg(_, value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                value
            }
        };
        args.iter().map(|arg| self.expression(value(arg), frame)).collect()
    }

    fn filter(
        &mut self,
        name: &str,
        value: Shape,
        args: &'a [CallArg<'a>],
        frame: &mut Frame<'a>,
        at: &Location,
    ) -> Shape {
        let mut args = self.arguments(args, frame);
        if let Some(row) = functions::find(name) {
            args.push(value);
            return self.recorder.call(row.name, &args, at);
        }
        match name {
            "required" => {
                args.push(value);
                self.recorder.call("required", &args, at)
            }
            "items" | "dictsort" => self.pairs(&value, at),
            "length" | "count" => {
                self.recorder.ask(&value, &Use::Call("len"));
                Shape::other()
            }
            "attr" => args.first().map(|key| self.recorder.index(&value, key, at)).unwrap_or_default(),
            "select" | "reject" | "selectattr" | "rejectattr" | "sort" | "unique" | "list" => {
                self.recorder.ask(&value, &Use::Ranged);
                let each = self.recorder.each(&value, at);
                for key in &args {
                    let field = self.recorder.index(&each, key, at);
                    self.recorder.ask(&field, &Use::Condition);
                }
                Shape::list(vec![each], false)
            }
            _ => {
                args.push(value);
                args.iter().for_each(|arg| self.recorder.consume(arg, &Use::Call("filter"), true));
                Shape::other()
            }
        }
    }

    /// The keys and values of a map.
    fn pairs(&mut self, map: &Shape, at: &Location) -> Shape {
        self.recorder.ask(map, &Use::Ranged);
        let each = self.recorder.each(map, at);
        Shape::list(vec![Shape::list(vec![self.recorder.keys_of(map), each], true)], false)
    }

    fn call(&mut self, call: &'a Spanned<Call<'a>>, frame: &mut Frame<'a>) -> Shape {
        let at = self.place(frame, &call.expr);
        match &call.expr {
            Expr::Var(name) => match self.lookup(name.id, frame) {
                Bound::Macro(template, declared) => self.macro_call(template, declared, &call.args, frame),
                _ if name.id == "namespace" => {
                    let made = Shape(vec![Atom::Map(self.recorder.make())]);
                    for arg in &call.args {
                        if let CallArg::Kwarg(key, value) = arg {
                            let value = self.expression(value, frame);
                            self.recorder.put(&made, &Shape::literal(*key), &value);
                        }
                    }
                    made
                }
                _ => {
                    let args = self.arguments(&call.args, frame);
                    let known = functions::find(name.id).map(|row| row.name);
                    let engine = ["required", "printf", "fail"].into_iter().find(|known| *known == name.id);
                    self.recorder.call(known.or(engine).unwrap_or("call"), &args, &at)
                }
            },
            Expr::GetAttr(method) => {
                if let Expr::Var(name) = &method.expr
                    && let Bound::Module(index) = self.lookup(name.id, frame)
                {
                    let module = self.module(index);
                    let found = module.into_iter().rev().find(|(known, _)| *known == method.name);
                    return match found {
                        Some((_, Bound::Macro(template, declared))) => {
                            self.macro_call(template, declared, &call.args, frame)
                        }
                        _ => Shape::other(),
                    };
                }
                let value = self.expression(&method.expr, frame);
                let args = self.arguments(&call.args, frame);
                match (method.name, &args[..]) {
                    ("items", []) => self.pairs(&value, &at),
                    ("keys", []) => self.recorder.call("keys", &[value], &at),
                    ("values", []) => self.recorder.call("values", &[value], &at),
                    ("get", [key, rest @ ..]) => {
                        let found = self.recorder.index(&value, key, &at);
                        rest.iter().fold(tolerated(&found), |found, default| found.or(&tolerated(default)))
                    }
                    _ => {
                        args.iter().for_each(|arg| self.recorder.consume(arg, &Use::Call("method"), true));
                        self.recorder.consume(&value, &Use::Call("method"), true);
                        Shape::other()
                    }
                }
            }
            other => {
                let value = self.expression(other, frame);
                let args = self.arguments(&call.args, frame);
                self.recorder.consume(&value, &Use::Unknown, true);
                args.iter().for_each(|arg| self.recorder.consume(arg, &Use::Unknown, true));
                Shape::other()
            }
        }
    }

    fn macro_call(
        &mut self,
        template: usize,
        declared: &'a Macro<'a>,
        args: &'a [CallArg<'a>],
        frame: &mut Frame<'a>,
    ) -> Shape {
        let given: Vec<(Option<&str>, Shape)> = args
            .iter()
            .map(|arg| match arg {
                CallArg::Kwarg(name, value) => (Some(*name), self.expression(value, frame)),
                CallArg::Pos(value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    (None, self.expression(value, frame))
                }
            })
            .collect();
        // A macro sees its file, and not who calls it.
        let names = if template == frame.template { frame.names.clone() } else { self.module(template) };
        let mut inner = Frame { template, names, changes: 0 };
        let first_default = declared.args.len().saturating_sub(declared.defaults.len());
        let mut bound = Vec::with_capacity(declared.args.len());
        for (index, arg) in declared.args.iter().enumerate() {
            let Expr::Var(name) = arg else { continue };
            let named = given.iter().find(|(known, _)| *known == Some(name.id));
            let at = given.iter().filter(|(name, _)| name.is_none()).nth(index);
            let default = index.checked_sub(first_default).and_then(|index| declared.defaults.get(index));
            let value = match (named.or(at), default) {
                (Some((_, value)), _) => value.clone(),
                (None, Some(default)) => self.expression(default, &mut inner),
                (None, None) => Shape::other(),
            };
            inner.names.push((name.id, Bound::Shape(value.clone())));
            bound.push(value);
        }
        let key = self.templates.get(template).map_or("", |template| template.key);
        // Names of the file are the same for each call, but for what conditions and loops around it gave them.
        let name = format!("{key}\0{}\0{}", declared.name, inner.names.len());
        if let Some(entered) = self.recorder.enter(&name, &Shape::list(bound, true)) {
            self.statements(&declared.body, &mut inner);
            self.recorder.leave(entered);
        }
        Shape::other()
    }

    fn place(&self, frame: &Frame<'_>, expression: &Expr<'_>) -> Location {
        let span = expression.span();
        let span = Span::new(span.start_offset as usize, span.end_offset as usize);
        match self.templates.get(frame.template) {
            Some(template) => Location::new(template.source.clone(), span),
            None => self.recorder.here.clone(),
        }
    }
}

fn named_at(shape: Shape, at: &Location) -> Shape {
    let named = |atom| match atom {
        Atom::Values(place) if place.at.span.end == 0 => Atom::Values(super::shape::Place { at: at.clone(), ..place }),
        other => other,
    };
    Shape(shape.0.into_iter().map(named).collect())
}

fn literal(value: &minijinja::Value) -> Shape {
    match value.kind() {
        ValueKind::String => Shape::literal(value.as_str().unwrap_or_default()),
        ValueKind::Bool => Shape::literal(value.is_true()),
        ValueKind::Number => match value.as_i64() {
            Some(number) => Shape::literal(number),
            None => Shape::other(),
        },
        ValueKind::None => Shape::literal(Value::Null),
        _ => Shape::other(),
    }
}

/// Whether a list of statements ends the render.
fn fails(statements: &[Stmt<'_>]) -> bool {
    statements.iter().any(|statement| match statement {
        Stmt::EmitExpr(emit) => match &emit.expr {
            Expr::Call(call) => matches!(&call.expr, Expr::Var(name) if name.id == "fail"),
            _ => false,
        },
        _ => false,
    })
}
