//! The native dialect: executes syntax trees of Jinja templates with shapes.
//!
//! Here are templates, statements and names; what expressions are is in `expression`, what is called in `call`.

mod call;
mod expression;

use std::collections::HashMap;
use std::sync::Arc;

use super::Use;
use super::functions::guessed;
use super::record::Recorder;
use super::shape::Shape;
use crate::chart::Chart;
use crate::render::jinja::ast::{Expr, Macro, Stmt};
use crate::render::jinja::{self, Error};
use crate::source::{Location, SourceFile, Span};

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

    fn place(&self, frame: &Frame<'_>, expression: &Expr<'_>) -> Location {
        let span = expression.span();
        let span = Span::new(span.start_offset as usize, span.end_offset as usize);
        match self.templates.get(frame.template) {
            Some(template) => Location::new(template.source.clone(), span),
            None => self.recorder.here.clone(),
        }
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
