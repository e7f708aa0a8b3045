//! The executor's statements (`text/template/exec.go`): text, actions, conditions, loops and template calls.
//!
//! Statements run on a stack of their own, so that 100,000 nested `template` calls need none of the thread's. Only
//! `include`, `tpl` and parentheses nest natively, and [`Engine::enter`] counts those.

use std::rc::Rc;
use std::slice;

use super::ast::{Branch, Call, Command, Node, Operand, Pipe, Template};
use super::engine::Engine;
use super::error::{ExecError, executing};
use super::items::Items;
use super::library::Library;
use super::trace::{Begin, Context, Keys, Mark};
use super::watch::Caller;
use crate::render::any::{Any, Elem, List};
use crate::render::print::sprint_verb;
use crate::source::{FrameId, Location, Span};

/// How deep `template` calls go in one execution: Go's own limit.
const MAX_TEMPLATE_DEPTH: usize = 100_000;

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
    pub template: &'a Template,
    /// The node visited last.
    pub at: At<'a>,
    /// Variables of all templates on the way, innermost last.
    variables: Vec<Variable>,
    /// Where those of the current template begin.
    base: usize,
    frames: Vec<Frame<'a>>,
    calls: usize,
    out: Printed,
    /// Where the current action is.
    pub action: u32,
    /// What the current block depends on, where the render is traced.
    pub context: Option<Rc<Context>>,
    /// The action that called the current template, where the render is traced.
    pub caller: Option<FrameId>,
    /// Whether an action of another execution waits for this one.
    pub nested: bool,
}

/// What an execution printed.
#[derive(Default)]
pub struct Printed {
    /// The text.
    pub text: Vec<u8>,
    /// What wrote it, where the render is traced.
    pub marks: Vec<Mark>,
}

/// A variable of a template.
struct Variable {
    /// [`super::ast::Name::id`]
    id: u32,
    value: Val,
    /// What it was computed from, where the render is traced.
    keys: Option<Keys>,
}

/// Something that is not finished.
enum Frame<'a> {
    Body { nodes: slice::Iter<'a, Node>, dot: Val, mark: usize, context: Option<Rc<Context>> },
    Loop(Box<Loop<'a>>),
    Call { template: &'a Template, base: usize, caller: Option<FrameId> },
}

/// A loop that is not finished.
struct Loop<'a> {
    branch: &'a Branch,
    items: Items,
    /// How many variables there are before a round, and before the loop.
    mark: usize,
    outer: usize,
    context: Option<Rc<Context>>,
}

impl<'a, 'e, 'h> Run<'a, 'e, 'h> {
    /// Executes a template and returns what it prints.
    pub fn execute(
        engine: &'e mut Engine<'h>,
        library: &'a Library<'a>,
        template: &'a Template,
        dot: Any,
        caller: Option<Caller>,
    ) -> Exec<Printed> {
        let mut run = Self {
            engine,
            library,
            template,
            at: At::Start,
            variables: Vec::new(),
            base: 0,
            frames: Vec::new(),
            calls: 0,
            out: Printed::default(),
            action: 0,
            context: None,
            nested: caller.is_some(),
            caller: None,
        };
        if run.engine.trace.is_some() {
            let caller = caller.unwrap_or_default();
            run.caller = caller.frame;
            run.context = Some(Rc::new(Context { dot: Keys::default(), guards: caller.guards }));
        }
        run.enter_template(template, dot.into(), None);
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

    fn enter_template(&mut self, template: &'a Template, dot: Val, keys: Option<Keys>) {
        self.template = template;
        self.base = self.variables.len();
        self.variables.push(Variable { id: super::ast::Name::ROOT, value: dot.clone(), keys });
        let mark = self.variables.len();
        let context = self.context.clone();
        self.frames.push(Frame::Body { nodes: template.body.iter(), dot, mark, context });
    }

    fn run(&mut self) -> Exec<()> {
        while let Some(frame) = self.frames.last_mut() {
            match frame {
                Frame::Body { nodes, dot, mark, context } => match nodes.next() {
                    Some(Node::Text { start, end }) => {
                        let guards = context.as_ref().map(|context| context.guards.clone());
                        self.text(*start, *end, guards)?;
                    }
                    Some(node) => {
                        let dot = dot.clone();
                        self.context = context.clone();
                        self.node(node, dot)?;
                    }
                    None => {
                        self.variables.truncate(*mark);
                        self.frames.pop();
                    }
                },
                Frame::Loop(all) => match all.items.next() {
                    Some((index, element)) => {
                        let (branch, mark) = (all.branch, all.mark);
                        self.step()?;
                        let context = self.round_of_last(&index.any);
                        self.variables.truncate(mark);
                        let keys = context.as_ref().map(|context| context.dot.clone());
                        self.bind(branch, index, &element, keys)?;
                        self.frames.push(Frame::Body { nodes: branch.body.iter(), dot: element, mark, context });
                    }
                    None => {
                        self.variables.truncate(all.outer);
                        self.frames.pop();
                    }
                },
                Frame::Call { template, base, caller } => {
                    self.variables.truncate(self.base);
                    self.template = template;
                    self.base = *base;
                    self.caller = *caller;
                    self.calls -= 1;
                    self.frames.pop();
                }
            }
        }
        Ok(())
    }

    /// Prints a template's own text.
    fn text(&mut self, start: u32, end: u32, guards: Option<Keys>) -> Exec<()> {
        if let Some(guards) = guards {
            self.out.marks.push(Mark {
                start: self.out.text.len(),
                file: self.template.file.clone(),
                offset: start as usize,
                caller: self.caller,
                literal: true,
                keys: Keys::default(),
                guards,
            });
        }
        let text = self.template.text(start, end).as_bytes();
        self.out.text.extend_from_slice(text);
        self.engine.charge(text.len()).map_err(|message| self.fail(message))
    }

    /// The context of a round of the innermost loop.
    fn round_of_last(&self, index: &Any) -> Option<Rc<Context>> {
        match self.frames.last() {
            Some(Frame::Loop(all)) => self.round(all.context.clone()?, &all.items, index),
            _ => None,
        }
    }

    /// Gives a loop's variables the values of a round.
    fn bind(&mut self, branch: &'a Branch, index: Val, element: &Val, keys: Option<Keys>) -> Exec<()> {
        let names = branch.pipe.variables.as_slice();
        if branch.pipe.assign {
            match names {
                [index_name, name] => {
                    self.set(index_name.id, &index_name.text, index, None)?;
                    self.set(name.id, &name.text, element.clone(), keys)?;
                }
                [name, ..] => self.set(name.id, &name.text, element.clone(), keys)?,
                [] => {}
            }
            return Ok(());
        }
        // The loop's variables are the last ones, whatever else its pipeline declared.
        let mut last = self.variables.iter_mut().rev();
        if let (Some(variable), false) = (last.next(), names.is_empty()) {
            variable.value = element.clone();
            variable.keys = keys;
        }
        if let (Some(variable), true) = (last.next(), names.len() > 1) {
            variable.value = index;
        }
        Ok(())
    }

    fn node(&mut self, node: &'a Node, dot: Val) -> Exec<()> {
        self.step()?;
        match node {
            Node::Text { start, end } => self.text(*start, *end, None)?,
            Node::Action(pipe) => {
                self.action = pipe.pos;
                let begin = self.begin();
                let value = self.pipe(&dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.print(&value.any, begin)?;
                }
                self.end(begin);
            }
            Node::If(branch) | Node::With(branch) => {
                self.action = branch.pipe.pos;
                let mark = self.variables.len();
                let begin = self.begin();
                let value = self.pipe(&dot, &branch.pipe)?;
                let (truth, with) = (value.any.truth(), matches!(node, Node::With(_)));
                let context = self.guarded(begin, truth && with);
                self.end(begin);
                let nodes = if truth { branch.body.iter() } else { branch.otherwise.iter() };
                let dot = if truth && with { value } else { dot };
                self.frames.push(Frame::Body { nodes, dot, mark, context });
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
            if let Frame::Loop(all) = frame {
                if end {
                    self.variables.truncate(all.outer);
                    self.frames.pop();
                }
                return;
            }
            self.frames.pop();
        }
    }

    fn range(&mut self, branch: &'a Branch, dot: Val) -> Exec<()> {
        self.action = branch.pipe.pos;
        let outer = self.variables.len();
        let begin = self.begin();
        let value = self.pipe(&dot, &branch.pipe)?.any;
        let context = self.guarded(begin, true);
        self.end(begin);
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
                Some(Items::List { list: List::of(Elem::Int, items), next: 0 })
            }
            Any::Map(map) => {
                let entries: Vec<_> = map.entries.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                let boxed = map.of.holds_interfaces();
                Some(Items::Map { map, entries: entries.into_iter(), boxed })
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
                self.frames.push(Frame::Loop(Box::new(Loop { branch, items, mark, outer, context })));
            }
            None => self.frames.push(Frame::Body { nodes: branch.otherwise.iter(), dot, mark: outer, context }),
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
        self.action = call.pos;
        let begin = self.begin();
        let dot = match &call.pipe {
            Some(pipe) => self.pipe(&dot, pipe)?,
            None => Val::default(),
        };
        let keys = self.keys(begin);
        self.end(begin);
        self.calls += 1;
        self.frames.push(Frame::Call { template: self.template, base: self.base, caller: self.caller });
        self.caller = self.frame();
        if let (Some(context), Some(keys)) = (&mut self.context, &keys) {
            *context = Rc::new(Context { dot: keys.clone(), guards: context.guards.clone() });
        }
        self.enter_template(template, dot, keys);
        Ok(())
    }

    fn print(&mut self, value: &Any, begin: Option<Begin>) -> Exec<()> {
        let out = &mut self.out.text;
        let before = out.len();
        match value {
            Any::Nil => out.extend_from_slice(b"<no value>"),
            Any::String(text) => out.extend_from_slice(text.as_bytes()),
            Any::Int(number) | Any::Int64(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Any::Object(object) if object.underlying().is_none() => {
                out.extend_from_slice(object.print_addressed().as_bytes());
            }
            other => {
                let text = sprint_verb(other, 'v').map_err(|error| self.fail(error.to_string()))?;
                self.out.text.extend_from_slice(text.as_bytes());
            }
        }
        if let (Some(begin), Some(keys)) = (begin, self.keys(begin)) {
            let whole = Mark {
                start: before,
                file: self.template.file.clone(),
                offset: self.action as usize,
                caller: self.caller,
                literal: false,
                keys,
                guards: self.guards(),
            };
            if let (Some(trace), Some(printed)) = (&self.engine.trace, self.out.text.get(before..)) {
                trace.printed(printed, whole, begin, &mut self.out.marks);
            }
        }
        let printed = self.out.text.len() - before;
        self.engine.charge(printed).map_err(|message| self.fail(message))
    }

    /// The value of a variable.
    pub fn variable(&mut self, id: u32, name: &str) -> Exec<Val> {
        let known = self.variables.get(self.base..).unwrap_or_default();
        match known.iter().rev().find(|known| known.id == id) {
            Some(variable) => {
                if let (Some(trace), Some(keys)) = (&mut self.engine.trace, &variable.keys) {
                    trace.read(keys);
                }
                Ok(variable.value.clone())
            }
            None => Err(self.fail(format!("undefined variable: {name}"))),
        }
    }

    /// Gives a variable a value.
    pub fn set(&mut self, id: u32, name: &str, value: Val, keys: Option<Keys>) -> Exec<()> {
        let known = self.variables.get_mut(self.base..).unwrap_or_default();
        match known.iter_mut().rev().find(|known| known.id == id) {
            Some(variable) => {
                variable.value = value;
                variable.keys = keys;
                Ok(())
            }
            None => Err(self.fail(format!("undefined variable: {name}"))),
        }
    }

    /// Adds a variable, which lasts to the end of the enclosing block.
    pub fn declare(&mut self, id: u32, value: Val, keys: Option<Keys>) {
        self.variables.push(Variable { id, value, keys });
    }
}

/// A value as Go's error messages show it.
fn shown(value: &Any) -> String {
    if let Any::Object(object) = value {
        return object.print_addressed().to_str().into_owned();
    }
    sprint_verb(value, 'v').map_or_else(|error| error.to_string(), |text| text.to_str().into_owned())
}
