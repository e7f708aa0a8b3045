//! The executor's statements (`text/template/exec.go`): text, actions, conditions, loops and template calls.
//!
//! Statements run on a stack of their own, so that 100,000 nested `template` calls need none of the thread's. Only
//! `include`, `tpl` and parentheses nest natively, and [`Engine::enter`] counts those.

use std::collections::HashMap;
use std::slice;

use super::ast::{Branch, Call, Command, Node, Operand, Pipe, Template};
use super::builtins::boxed_elements;
use super::error::{ExecError, executing};
use super::library::Library;
use crate::render::any::{Any, List, Text};
use crate::render::functions::Host;
use crate::render::print::sprint_verb;
use crate::source::{Location, Span};

/// How deep `template` calls go in one execution: Go's own limit.
const MAX_TEMPLATE_DEPTH: usize = 100_000;

/// How deep `include`, `tpl` and parentheses go together. Each takes some kilobytes of the thread's stack.
const MAX_NATIVE_DEPTH: usize = 12_000;

/// The stack that a thread needs to execute templates, in bytes.
pub const STACK: usize = 256 << 20;

/// How many nodes and loop rounds a render may go through: some ten seconds.
const MAX_STEPS: u64 = 200_000_000;

/// How many bytes a render may print, into included text and results of functions too.
const MAX_BYTES: usize = 1 << 30;

/// A value and whether Go holds it in an `interface {}` here, which error messages and nil tell apart.
#[derive(Clone, Default)]
pub struct Val {
    /// The value.
    pub any: Any,
    /// Whether its static type is `interface {}`.
    pub boxed: bool,
}

impl From<Any> for Val {
    fn from(any: Any) -> Self {
        Self { any, boxed: false }
    }
}

/// The result of executing something.
pub type Exec<T> = Result<T, Box<ExecError>>;

/// What all executions of one render share.
pub struct Engine<'h> {
    /// What functions ask.
    pub host: &'h mut dyn Host,
    /// How often each template is being included.
    pub included: HashMap<Text, u32>,
    depth: usize,
    steps: u64,
    bytes: usize,
}

impl<'h> Engine<'h> {
    /// The state at the start of a render.
    pub fn new(host: &'h mut dyn Host) -> Self {
        Self { host, included: HashMap::new(), depth: 0, steps: 0, bytes: 0 }
    }

    fn step(&mut self) -> Result<(), &'static str> {
        self.steps += 1;
        if self.steps > MAX_STEPS { Err("the chart takes too many steps to render") } else { Ok(()) }
    }

    /// Counts text that was made.
    pub fn charge(&mut self, bytes: usize) -> Result<(), &'static str> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_BYTES { Err("the chart makes more than 1 GiB of text") } else { Ok(()) }
    }

    /// Goes one level deeper on the thread's stack.
    pub fn enter(&mut self) -> Result<(), &'static str> {
        self.depth += 1;
        if self.depth > MAX_NATIVE_DEPTH { Err("templates are nested too deeply") } else { Ok(()) }
    }

    /// Comes back from [`Self::enter`].
    pub fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// Where the executor is, for error messages: the node that Go's executor visited last.
#[derive(Clone, Copy)]
pub enum At<'a> {
    /// Nowhere yet
    Start,
    /// A pipeline
    Pipe(&'a Pipe),
    /// A command
    Command(&'a Command),
    /// An operand
    Operand(&'a Operand),
    /// A `template` action
    Call(&'a Call),
}

impl At<'_> {
    fn pos(self) -> u32 {
        match self {
            Self::Start => 0,
            Self::Pipe(pipe) => pipe.pos,
            Self::Command(command) => command.pos,
            Self::Operand(operand) => operand.pos,
            Self::Call(call) => call.pos,
        }
    }

    fn shown(self) -> String {
        match self {
            Self::Start => String::new(),
            Self::Pipe(pipe) => pipe.to_string(),
            Self::Command(command) => command.to_string(),
            Self::Operand(operand) => operand.to_string(),
            Self::Call(call) => call.to_string(),
        }
    }
}

/// One execution of a template, and of those that it calls by `template`.
pub struct Run<'a, 'e, 'h> {
    /// What the render shares.
    pub engine: &'e mut Engine<'h>,
    /// The templates that can be called.
    pub library: &'a Library<'a>,
    /// The template that is being executed.
    template: &'a Template,
    /// The node visited last.
    pub at: At<'a>,
    /// Variables of all templates on the way, innermost last.
    variables: Vec<(u32, Val)>,
    /// Where those of the current template begin.
    base: usize,
    frames: Vec<Frame<'a>>,
    calls: usize,
    out: Vec<u8>,
}

/// Something that is not finished.
enum Frame<'a> {
    Body { nodes: slice::Iter<'a, Node>, dot: Val, mark: usize },
    Loop { branch: &'a Branch, items: Items, mark: usize, outer: usize },
    Call { template: &'a Template, base: usize },
}

/// What a loop still has to go through.
enum Items {
    Count { next: i64, end: i64, make: fn(i64) -> Any },
    List { list: List, next: usize },
    Map { entries: std::vec::IntoIter<(Text, Any)>, boxed: bool },
}

impl<'a, 'e, 'h> Run<'a, 'e, 'h> {
    /// Executes a template and returns what it prints.
    pub fn execute(
        engine: &'e mut Engine<'h>,
        library: &'a Library<'a>,
        template: &'a Template,
        dot: Any,
    ) -> Exec<Vec<u8>> {
        let mut run = Self {
            engine,
            library,
            template,
            at: At::Start,
            variables: Vec::new(),
            base: 0,
            frames: Vec::new(),
            calls: 0,
            out: Vec::new(),
        };
        run.enter_template(template, dot.into());
        run.run()?;
        Ok(run.out)
    }

    /// An error at the node visited last.
    pub fn fail(&self, message: impl Into<String>) -> Box<ExecError> {
        ExecError::at(self.prefix(""), self.location(), message)
    }

    /// An error that a function returned, seen from its call at the node visited last.
    pub fn calling(&self, function: &str, error: Box<ExecError>) -> Box<ExecError> {
        error.through(self.prefix(&format!("error calling {function}: ")), Some(self.location()))
    }

    fn prefix(&self, what: &str) -> String {
        let template = self.template;
        let pos = self.at.pos() as usize;
        let before = template.file.text.as_bytes().get(..pos).unwrap_or_default();
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let column = before.iter().rposition(|b| *b == b'\n').map_or(pos, |newline| pos - newline - 1);
        executing(&template.file_name, line, column, &template.name, &self.at.shown()) + what
    }

    fn location(&self) -> Location {
        let pos = self.at.pos() as usize;
        Location::new(self.template.file.clone(), Span::new(pos, pos))
    }

    /// Counts a step.
    pub fn step(&mut self) -> Exec<()> {
        self.engine.step().map_err(|message| self.fail(message))
    }

    fn enter_template(&mut self, template: &'a Template, dot: Val) {
        self.template = template;
        self.base = self.variables.len();
        self.variables.push((super::ast::Name::ROOT, dot.clone()));
        let mark = self.variables.len();
        self.frames.push(Frame::Body { nodes: template.body.iter(), dot, mark });
    }

    fn run(&mut self) -> Exec<()> {
        while let Some(frame) = self.frames.last_mut() {
            match frame {
                Frame::Body { nodes, dot, mark } => match nodes.next() {
                    Some(Node::Text { start, end }) => {
                        let text = self.template.text(*start, *end).as_bytes();
                        self.out.extend_from_slice(text);
                    }
                    Some(node) => {
                        let dot = dot.clone();
                        self.node(node, dot)?;
                    }
                    None => {
                        self.variables.truncate(*mark);
                        self.frames.pop();
                    }
                },
                Frame::Loop { branch, items, mark, outer } => {
                    let (branch, mark, outer) = (*branch, *mark, *outer);
                    match items.next() {
                        Some((index, element)) => {
                            self.step()?;
                            self.variables.truncate(mark);
                            self.bind(branch, index, &element)?;
                            self.frames.push(Frame::Body { nodes: branch.body.iter(), dot: element, mark });
                        }
                        None => {
                            self.variables.truncate(outer);
                            self.frames.pop();
                        }
                    }
                }
                Frame::Call { template, base } => {
                    self.variables.truncate(self.base);
                    self.template = template;
                    self.base = *base;
                    self.calls -= 1;
                    self.frames.pop();
                }
            }
        }
        Ok(())
    }

    /// Gives a loop's variables the values of a round.
    fn bind(&mut self, branch: &'a Branch, index: Val, element: &Val) -> Exec<()> {
        let names = branch.pipe.variables.as_slice();
        if branch.pipe.assign {
            match names {
                [index_name, name] => {
                    self.set(index_name.id, &index_name.text, index)?;
                    self.set(name.id, &name.text, element.clone())?;
                }
                [name, ..] => self.set(name.id, &name.text, element.clone())?,
                [] => {}
            }
            return Ok(());
        }
        let top = self.variables.len();
        if !names.is_empty()
            && let Some(slot) = top.checked_sub(1).and_then(|at| self.variables.get_mut(at))
        {
            slot.1 = element.clone();
        }
        if names.len() > 1
            && let Some(slot) = top.checked_sub(2).and_then(|at| self.variables.get_mut(at))
        {
            slot.1 = index;
        }
        Ok(())
    }

    fn node(&mut self, node: &'a Node, dot: Val) -> Exec<()> {
        self.step()?;
        match node {
            Node::Text { .. } => {}
            Node::Action(pipe) => {
                let value = self.pipe(&dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.print(&value.any)?;
                }
            }
            Node::If(branch) | Node::With(branch) => {
                let mark = self.variables.len();
                let value = self.pipe(&dot, &branch.pipe)?;
                let (nodes, dot) = match (value.any.truth(), node) {
                    (true, Node::With(_)) => (&branch.body, value),
                    (true, _) => (&branch.body, dot),
                    (false, _) => (&branch.otherwise, dot),
                };
                self.frames.push(Frame::Body { nodes: nodes.iter(), dot, mark });
            }
            Node::Range(branch) => self.range(branch, dot)?,
            Node::Template(call) => self.call(call, dot)?,
            Node::Break => self.leave_round(true),
            Node::Continue => self.leave_round(false),
        }
        Ok(())
    }

    /// Drops everything inside the innermost loop, and with `end` the loop too.
    fn leave_round(&mut self, end: bool) {
        while let Some(frame) = self.frames.last() {
            if let Frame::Loop { outer, .. } = frame {
                if end {
                    self.variables.truncate(*outer);
                    self.frames.pop();
                }
                return;
            }
            self.frames.pop();
        }
    }

    fn range(&mut self, branch: &'a Branch, dot: Val) -> Exec<()> {
        let outer = self.variables.len();
        let value = self.pipe(&dot, &branch.pipe)?.any;
        let inner = match &value {
            Any::Object(object) => object.underlying(),
            _ => None,
        };
        let count = |end: i64, make: fn(i64) -> Any| Items::Count { next: 0, end, make };
        let items = match inner.unwrap_or(value) {
            Any::Nil => None,
            Any::Int(end) => Some(count(end, Any::Int)),
            Any::Int64(end) => Some(count(end, Any::Int64)),
            Any::Uint8(end) => Some(count(end.into(), |n| Any::Uint8(n as u8))),
            Any::Uint64(end) => Some(count(i64::try_from(end).unwrap_or(i64::MAX), |n| Any::Uint64(n as u64))),
            Any::List(list) => Some(Items::List { list, next: 0 }),
            Any::Bytes(bytes) => {
                let items: Vec<Any> = bytes.as_bytes().iter().map(|byte| Any::Uint8(*byte)).collect();
                Some(Items::List { list: List::of(crate::render::any::Elem::Int, items), next: 0 })
            }
            Any::Map(map) => {
                let entries: Vec<_> = map.entries.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                Some(Items::Map { entries: entries.into_iter(), boxed: map.of.holds_interfaces() })
            }
            other => return Err(self.fail(format!("range can't iterate over {}", shown(&other)))),
        };
        if let Some(Items::Count { end, .. }) = &items
            && branch.pipe.variables.len() > 1
        {
            return Err(self.fail(format!("can't use {end} to iterate over more than one variable")));
        }
        match items.filter(|items| !items.is_empty()) {
            Some(items) => {
                let mark = self.variables.len();
                self.frames.push(Frame::Loop { branch, items, mark, outer });
            }
            None => self.frames.push(Frame::Body { nodes: branch.otherwise.iter(), dot, mark: outer }),
        }
        Ok(())
    }

    fn call(&mut self, call: &'a Call, dot: Val) -> Exec<()> {
        self.at = At::Call(call);
        let library = self.library;
        let Some(template) = library.find(call.name.as_bytes()) else {
            let name = crate::render::strconv::quote(call.name.as_bytes(), false);
            return Err(self.fail(format!("template {name} not defined")));
        };
        if self.calls == MAX_TEMPLATE_DEPTH {
            return Err(self.fail(format!("exceeded maximum template depth ({MAX_TEMPLATE_DEPTH})")));
        }
        let dot = match &call.pipe {
            Some(pipe) => self.pipe(&dot, pipe)?,
            None => Val::default(),
        };
        self.calls += 1;
        self.frames.push(Frame::Call { template: self.template, base: self.base });
        self.enter_template(template, dot);
        Ok(())
    }

    fn print(&mut self, value: &Any) -> Exec<()> {
        let before = self.out.len();
        match value {
            Any::Nil => self.out.extend_from_slice(b"<no value>"),
            Any::String(text) => self.out.extend_from_slice(text.as_bytes()),
            Any::Int(number) | Any::Int64(number) => self.out.extend_from_slice(number.to_string().as_bytes()),
            Any::Object(object) if object.underlying().is_none() => {
                self.out.extend_from_slice(object.print_addressed().as_bytes());
            }
            other => {
                let text = sprint_verb(other, 'v').map_err(|error| self.fail(error.to_string()))?;
                self.out.extend_from_slice(text.as_bytes());
            }
        }
        let printed = self.out.len() - before;
        self.engine.charge(printed).map_err(|message| self.fail(message))
    }

    /// The value of a variable.
    pub fn variable(&self, id: u32, name: &str) -> Exec<Val> {
        let known = self.variables.get(self.base..).unwrap_or_default();
        match known.iter().rev().find(|(known, _)| *known == id) {
            Some((_, value)) => Ok(value.clone()),
            None => Err(self.fail(format!("undefined variable: {name}"))),
        }
    }

    /// Gives a variable a value.
    pub fn set(&mut self, id: u32, name: &str, value: Val) -> Exec<()> {
        let known = self.variables.get_mut(self.base..).unwrap_or_default();
        match known.iter_mut().rev().find(|(known, _)| *known == id) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => Err(self.fail(format!("undefined variable: {name}"))),
        }
    }

    /// Adds a variable, which lasts to the end of the enclosing block.
    pub fn declare(&mut self, id: u32, value: Val) {
        self.variables.push((id, value));
    }
}

impl Items {
    fn is_empty(&self) -> bool {
        match self {
            Self::Count { next, end, .. } => next >= end,
            Self::List { list, .. } => list.items.is_empty(),
            Self::Map { entries, .. } => entries.as_slice().is_empty(),
        }
    }

    /// The index or key and the element of the next round.
    fn next(&mut self) -> Option<(Val, Val)> {
        match self {
            Self::Count { next, end, make } => {
                let number = *next;
                *next += 1;
                (number < *end).then(|| (Val::default(), make(number).into()))
            }
            Self::List { list, next } => {
                let any = list.items.get(*next)?.clone();
                let index = Any::Int(*next as i64);
                *next += 1;
                Some((index.into(), Val { any, boxed: boxed_elements(list.of) }))
            }
            Self::Map { entries, boxed } => {
                let (key, any) = entries.next()?;
                Some((Any::String(key).into(), Val { any, boxed: *boxed }))
            }
        }
    }
}

/// A value as Go's error messages show it.
fn shown(value: &Any) -> String {
    sprint_verb(value, 'v').map_or_else(|error| error.to_string(), |text| text.to_str().into_owned())
}
