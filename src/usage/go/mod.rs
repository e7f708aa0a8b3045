//! Helm's dialect: executes syntax trees of Go templates with shapes.

mod called;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Use;
use super::functions::{guessed, tolerated};
use super::record::Recorder;
use super::shape::{Atom, Shape};
use crate::chart::Chart;
use crate::render::any::Text;
use crate::render::gotemplate::Templates;
use crate::render::gotemplate::ast::{
    Branch, Builtin, Command, Expr, Function, Name, Node, Number, Operand, Pipe, Template,
};
use crate::source::{Location, SourceFile, Span};
use crate::value::Value;

/// How often a loop is gone through again for what its end gives its beginning.
const MAX_ROUNDS: usize = 4;

/// An analysis of Go templates.
pub struct Go<'a> {
    pub recorder: Recorder,
    pub templates: &'a Templates,
    /// Files of charts, by the chart's path: `.Files.Get` of a known name has a known text.
    pub charts: &'a [(String, &'a Chart)],
    /// Whether every subchart is there.
    pub complete: bool,
    /// What texts are executed with, each once.
    pub dots: BTreeMap<String, Shape>,
}

/// The variables of a template that is being analysed.
struct Frame {
    file: Arc<SourceFile>,
    variables: Vec<(u32, Shape)>,
    /// How often a variable was given something new.
    changes: usize,
}

impl Go<'_> {
    /// Analyses a template with what its dot may be.
    pub fn template(&mut self, template: &Template, dot: &Shape) {
        let Some(entered) = self.recorder.enter(&template.name, dot) else { return };
        self.body(template, dot);
        self.recorder.leave(entered);
    }

    fn body(&mut self, template: &Template, dot: &Shape) {
        let mut frame = Frame { file: template.file.clone(), variables: vec![(Name::ROOT, dot.clone())], changes: 0 };
        if self.recorder.descend() {
            self.nodes(&template.body, &mut frame, dot);
            self.recorder.ascend();
        }
    }

    fn nodes(&mut self, nodes: &[Node], frame: &mut Frame, dot: &Shape) {
        for node in nodes {
            if !self.recorder.step() {
                return;
            }
            match node {
                Node::Text { .. } | Node::Break | Node::Continue => {}
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, frame, dot);
                    if pipe.variables.is_empty() {
                        self.recorder.here = here(frame, pipe.pos);
                        self.recorder.consume(&value, &Use::Printed, true);
                    }
                }
                Node::If(branch) => self.condition(branch, frame, dot, false),
                Node::With(branch) => self.condition(branch, frame, dot, true),
                Node::Range(branch) => self.range(branch, frame, dot),
                Node::Template(call) => {
                    let inner = call.pipe.as_ref().map_or_else(Shape::other, |pipe| self.pipe(pipe, frame, dot));
                    self.include(&Shape::literal(Value::String(call.name.clone())), &inner);
                }
            }
        }
    }

    fn block(&mut self, nodes: &[Node], frame: &mut Frame, dot: &Shape) {
        if self.recorder.descend() {
            let known = frame.variables.len();
            self.nodes(nodes, frame, dot);
            frame.variables.truncate(known);
            self.recorder.ascend();
        }
    }

    fn condition(&mut self, branch: &Branch, frame: &mut Frame, dot: &Shape, with: bool) {
        let (known, mark) = (frame.variables.len(), self.recorder.mark());
        let outer = self.recorder.asking(true);
        let value = self.pipe(&branch.pipe, frame, dot);
        self.recorder.asking(outer);
        self.recorder.ask(&value, &Use::Condition);
        if fails(&branch.body) || fails(&branch.otherwise) {
            let read = self.recorder.read_since(mark).to_vec();
            self.recorder.demanded.extend(read);
        }
        let before = self.recorder.guard(mark);
        let inner = if with { tolerated(&value) } else { dot.clone() };
        let truth = value.truth();
        if truth != Some(false) {
            self.block(&branch.body, frame, &inner);
        }
        if truth != Some(true) {
            self.block(&branch.otherwise, frame, dot);
        }
        self.recorder.unguard(before);
        frame.variables.truncate(known);
    }

    fn range(&mut self, branch: &Branch, frame: &mut Frame, dot: &Shape) {
        let (known, mark) = (frame.variables.len(), self.recorder.mark());
        let pipe = &branch.pipe;
        let list = self.commands(pipe, frame, dot);
        self.recorder.ask(&list, &Use::Ranged);
        let at = here(frame, pipe.pos);
        let each = self.recorder.each(&list, &at);
        let before = self.recorder.guard(mark);
        let keys = || Shape(list.0.iter().filter(|atom| matches!(atom, Atom::Map(_))).cloned().collect());
        let key = match &list.0[..] {
            [Atom::Map(_), ..] if keys().0.len() == list.0.len() => self.recorder.keys_of(&list),
            _ => Shape::other(),
        };
        match &pipe.variables[..] {
            [value] => self.set(frame, value, &each, pipe.assign),
            [index, value] => {
                self.set(frame, index, &key, pipe.assign);
                self.set(frame, value, &each, pipe.assign);
            }
            _ => {}
        }
        for _ in 0..MAX_ROUNDS {
            let (set, watch) = (frame.changes, self.recorder.watch());
            self.block(&branch.body, frame, &each);
            if !self.recorder.has_changed(watch) && frame.changes == set {
                break;
            }
        }
        self.block(&branch.otherwise, frame, dot);
        self.recorder.unguard(before);
        frame.variables.truncate(known);
    }

    /// Declares a variable, or adds to what it may be.
    fn set(&mut self, frame: &mut Frame, name: &Name, value: &Shape, assign: bool) {
        let known = frame.variables.iter().rposition(|(id, _)| *id == name.id).filter(|_| assign);
        match known.and_then(|index| frame.variables.get_mut(index)) {
            Some((_, shape)) => {
                // Who is given something later is given it in a branch.
                frame.changes += usize::from(shape.add(&guessed(value)));
                *shape = self.recorder.narrowed(std::mem::take(shape));
            }
            None => frame.variables.push((name.id, value.clone())),
        }
    }

    fn pipe(&mut self, pipe: &Pipe, frame: &mut Frame, dot: &Shape) -> Shape {
        let value = self.commands(pipe, frame, dot);
        pipe.variables.iter().for_each(|name| self.set(frame, name, &value, pipe.assign));
        value
    }

    fn commands(&mut self, pipe: &Pipe, frame: &mut Frame, dot: &Shape) -> Shape {
        if !self.recorder.descend() {
            return Shape::other();
        }
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, frame, dot, last));
        }
        self.recorder.ascend();
        last.unwrap_or_default()
    }

    fn command(&mut self, command: &Command, frame: &mut Frame, dot: &Shape, last: Option<Shape>) -> Shape {
        if !self.recorder.step() {
            return Shape::other();
        }
        let Expr::Function(function) = &command.head.kind else {
            let value = self.operand(&command.head, frame, dot);
            if command.args.is_empty() && last.is_none() {
                return value;
            }
            let mut args: Vec<Shape> = command.args.iter().map(|arg| self.operand(arg, frame, dot)).collect();
            args.extend(last);
            return self.method(&command.head, &value, &args, frame, dot);
        };
        let at = here(frame, command.pos);
        match function {
            Function::Builtin(Builtin::And | Builtin::Or) => self.logic(command, frame, dot, last),
            Function::Builtin(Builtin::Include) => {
                let args = self.arguments(command, frame, dot, last);
                if let [name, inner] = &args[..] {
                    self.include(name, inner);
                }
                Shape::other()
            }
            Function::Builtin(Builtin::Tpl) => {
                let args = self.arguments(command, frame, dot, last);
                if let [text, inner] = &args[..] {
                    self.tpl(text, inner);
                }
                Shape::other()
            }
            function => {
                let args = self.arguments(command, frame, dot, last);
                self.recorder.call(function.name(), &args, &at)
            }
        }
    }

    fn arguments(&mut self, command: &Command, frame: &mut Frame, dot: &Shape, last: Option<Shape>) -> Vec<Shape> {
        let mut args: Vec<Shape> = command.args.iter().map(|arg| self.operand(arg, frame, dot)).collect();
        args.extend(last);
        self.recorder.here = here(frame, command.pos);
        args
    }

    /// `and`, `or`: what comes first decides whether the rest is looked at.
    fn logic(&mut self, command: &Command, frame: &mut Frame, dot: &Shape, last: Option<Shape>) -> Shape {
        let mark = self.recorder.mark();
        let mut all = Shape::default();
        let mut before = None;
        for arg in &command.args {
            let value = self.operand(arg, frame, dot);
            self.recorder.ask(&value, &Use::Condition);
            all.add(&tolerated(&value));
            let outer = self.recorder.guard(mark);
            before.get_or_insert(outer);
        }
        if let Some(before) = before {
            self.recorder.unguard(before);
        }
        last.map_or(all.clone(), |last| all.or(&last))
    }

    fn operand(&mut self, operand: &Operand, frame: &mut Frame, dot: &Shape) -> Shape {
        match &operand.kind {
            Expr::Dot => dot.clone(),
            Expr::Nil => Shape::literal(Value::Null),
            Expr::Bool(value) => Shape::literal(*value),
            Expr::Number(number) => Shape::literal(constant(number)),
            Expr::String(_, text) => Shape::literal(text.to_str().into_owned()),
            Expr::Field(names) => self.fields(dot, names, operand, frame),
            Expr::Variable(name, names) => {
                let variables = frame.variables.iter().rev();
                let value = variables.clone().find(|(id, _)| *id == name.id).map(|(_, shape)| shape.clone());
                self.fields(&value.unwrap_or_else(Shape::other), names, operand, frame)
            }
            Expr::Chain(inner, names) => {
                // A field of nil in parentheses is nil, and no error.
                let value = tolerated(&self.operand(inner, frame, dot));
                self.fields(&value, names, operand, frame)
            }
            Expr::Pipe(pipe) => self.pipe(pipe, frame, dot),
            Expr::Function(function) => {
                let at = here(frame, operand.pos);
                self.recorder.call(function.name(), &[], &at)
            }
        }
    }

    fn fields(&mut self, value: &Shape, names: &[Text], operand: &Operand, frame: &Frame) -> Shape {
        let at = last_field(frame, operand, names);
        names.iter().fold(value.clone(), |value, name| self.recorder.field(&value, &name.to_str(), &at))
    }

    /// `.Files.Get "name"`, `.Capabilities.APIVersions.Has "v1"`.
    fn method(&mut self, head: &Operand, value: &Shape, args: &[Shape], frame: &mut Frame, dot: &Shape) -> Shape {
        args.iter().for_each(|arg| self.recorder.consume(arg, &Use::Call("method"), true));
        self.recorder.consume(value, &Use::Unknown, true);
        let (Expr::Field(names) | Expr::Variable(_, names)) = &head.kind else { return Shape::other() };
        let [.., files, get] = &names[..] else { return Shape::other() };
        if files.as_bytes() != b"Files" || get.as_bytes() != b"Get" {
            let foreign = value.0.iter().any(|atom| matches!(atom, Atom::Foreign));
            return if foreign { Shape(vec![Atom::Foreign]) } else { Shape::other() };
        }
        let outer = match &head.kind {
            Expr::Variable(name, _) => {
                frame.variables.iter().rev().find(|(id, _)| *id == name.id).map(|(_, shape)| shape.clone())
            }
            _ => Some(dot.clone()),
        };
        let at = here(frame, head.pos);
        let inner = names
            .iter()
            .take(names.len() - 1)
            .fold(outer.unwrap_or_default(), |value, name| self.recorder.field(&value, &name.to_str(), &at));
        self.file(&inner, args).unwrap_or_else(|| Shape(vec![Atom::Foreign]))
    }

    /// The text of a file, where it is known which.
    fn file(&self, files: &Shape, args: &[Shape]) -> Option<Shape> {
        let ([Atom::Files(chart)], [name]) = (&files.0[..], args) else { return None };
        let name = name.keys()?;
        let [name] = &name[..] else { return None };
        let (_, chart) = self.charts.iter().find(|(path, _)| **path == **chart)?;
        let text = chart.files.iter().find(|file| file.name == *name).map(|file| file.source());
        match text {
            Some(Some(source)) => Some(Shape::literal(Value::String(source.text.clone()))),
            Some(None) => None,
            None => Some(Shape::literal("")),
        }
    }
}

/// Whether a list of nodes ends the render.
fn fails(nodes: &[Node]) -> bool {
    let is_fail = |operand: &Operand| matches!(&operand.kind, Expr::Function(Function::Builtin(Builtin::Fail)));
    nodes.iter().any(|node| match node {
        Node::Action(pipe) => pipe.commands.iter().any(|command| is_fail(&command.head)),
        _ => false,
    })
}

fn constant(number: &Number) -> Value {
    match (number.int, number.float) {
        (Some(int), _) => Value::Int(int),
        (None, Some(float)) => Value::Float(float),
        (None, None) => Value::Null,
    }
}

fn here(frame: &Frame, pos: u32) -> Location {
    Location::new(frame.file.clone(), Span::new(pos as usize, pos as usize))
}

/// The last name of a chain. The operand's place is that of its second field, or of the only one; of those that do not
/// begin with a field, that of the first.
fn last_field(frame: &Frame, operand: &Operand, names: &[Text]) -> Location {
    let Some(last) = names.last() else { return here(frame, operand.pos) };
    let before = usize::from(matches!(operand.kind, Expr::Field(_)) && names.len() > 1);
    let length: usize = names.iter().skip(before).map(|name| name.as_bytes().len() + 1).sum();
    let end = operand.pos as usize + length;
    Location::new(frame.file.clone(), Span::new(end - last.as_bytes().len(), end))
}
