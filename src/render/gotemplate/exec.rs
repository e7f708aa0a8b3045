//! The executor's statements (`text/template/exec.go`): text, actions, conditions, loops and template calls.
//!
//! Statements run on a stack of their own, so that 100,000 nested `template` calls need none of the thread's. Only
//! `include`, `tpl` and parentheses nest natively, and [`Engine::enter`] counts those.

use std::collections::HashMap;
use std::rc::Rc;
use std::slice;
use std::sync::Arc;

use super::ast::{Branch, Call, Command, Node, Operand, Pipe, Template};
use super::builtins::boxed_elements;
use super::error::{ExecError, executing};
use super::library::Library;
use super::trace::{Begin, Context, Keys, Mark, Trace};
use crate::render::any::{Any, List, Map, Text};
use crate::render::functions::Host;
use crate::render::print::sprint_verb;
use crate::source::{FrameId, Location, Span};
use crate::value::Step;

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
    /// What wrote the text, where that is asked for.
    pub trace: Option<Trace>,
    depth: usize,
    steps: u64,
    bytes: usize,
}

impl<'h> Engine<'h> {
    /// The state at the start of a render.
    pub fn new(host: &'h mut dyn Host, trace: Option<Trace>) -> Self {
        Self { host, included: HashMap::new(), trace, depth: 0, steps: 0, bytes: 0 }
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
    variables: Vec<Variable>,
    /// Where those of the current template begin.
    base: usize,
    frames: Vec<Frame<'a>>,
    calls: usize,
    out: Printed,
    /// Where the current action is.
    action: u32,
    /// What the current block depends on, where the render is traced.
    context: Option<Rc<Context>>,
    /// The action that called the current template, where the render is traced.
    caller: Option<FrameId>,
    /// Whether an action of another execution waits for this one.
    nested: bool,
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

/// What a loop still has to go through.
enum Items {
    Count { next: i64, end: i64, make: fn(i64) -> Any },
    List { list: List, next: usize },
    Map { map: Map, entries: std::vec::IntoIter<(Text, Any)>, boxed: bool },
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
                        self.text(*start, *end, guards);
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
                        let context = all.context.clone();
                        let context = self.round(context, &index);
                        self.step()?;
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
    fn text(&mut self, start: u32, end: u32, guards: Option<Keys>) {
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
        self.out.text.extend_from_slice(self.template.text(start, end).as_bytes());
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
            Node::Text { start, end } => self.text(*start, *end, None),
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
                Some(Items::List { list: List::of(crate::render::any::Elem::Int, items), next: 0 })
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

/// What called an execution.
#[derive(Default)]
pub struct Caller {
    frame: Option<FrameId>,
    guards: Keys,
}

/// Tracing: all of it costs nothing where the render is not traced.
impl Run<'_, '_, '_> {
    /// Marks the beginning of an action.
    pub fn begin(&self) -> Option<Begin> {
        self.engine.trace.as_ref().map(Trace::begin)
    }

    fn end(&mut self, begin: Option<Begin>) {
        if let (Some(trace), Some(begin)) = (&mut self.engine.trace, begin) {
            trace.end(begin, self.nested);
        }
    }

    /// What was read since an action began.
    pub fn keys(&self, begin: impl Into<Option<Begin>>) -> Option<Keys> {
        Some(self.engine.trace.as_ref()?.keys(begin.into()?))
    }

    fn guards(&self) -> Keys {
        self.context.as_ref().map(|context| context.guards.clone()).unwrap_or_default()
    }

    /// The context of a block that depends on what was read since an action began, and whose dot may be that.
    fn guarded(&self, begin: Option<Begin>, is_dot: bool) -> Option<Rc<Context>> {
        let context = self.context.as_ref()?;
        let keys = self.keys(begin)?;
        let dot = if is_dot { keys.clone() } else { context.dot.clone() };
        let guards = keys.iter().chain(context.guards.iter()).cloned().collect();
        Some(Rc::new(Context { dot, guards }))
    }

    /// The context of one round of a loop.
    fn round(&self, context: Option<Rc<Context>>, index: &Val) -> Option<Rc<Context>> {
        let context = context?;
        let trace = self.engine.trace.as_ref()?;
        let Some(Frame::Loop(all)) = self.frames.last() else { return Some(context) };
        let step = match &index.any {
            Any::String(key) => Step::Key(Arc::from(&*key.to_str())),
            Any::Int(index) => Step::Index(usize::try_from(*index).unwrap_or_default()),
            _ => return Some(context),
        };
        let container = match &all.items {
            Items::List { list, .. } => Any::List(list.clone()),
            Items::Map { map, .. } => Any::Map(map.clone()),
            Items::Count { .. } => return Some(context),
        };
        let dot = trace.element(&container, step, &context.dot);
        Some(Rc::new(Context { dot, guards: context.guards.clone() }))
    }

    fn frame(&mut self) -> Option<FrameId> {
        let (file, action, caller) = (&self.template.file, self.action as usize, self.caller);
        Some(self.engine.trace.as_mut()?.map.frame(file, action, caller))
    }

    /// What calls the execution that the current action waits for.
    pub fn caller(&mut self) -> Caller {
        Caller { frame: self.frame(), guards: self.guards() }
    }

    /// What the text of `tpl` prints depends on where that text comes from.
    pub fn saw_text(&self, text: &Text, caller: &mut Caller) {
        if let Some(path) = self.engine.trace.as_ref().and_then(|trace| trace.path(&Any::String(text.clone()))) {
            caller.guards = std::iter::once(path).chain(caller.guards.iter()).cloned().collect();
        }
    }

    /// A key of a map was read.
    pub fn saw_field(&mut self, map: &Map, name: &Text, found: &Any) {
        if let Some(trace) = &mut self.engine.trace {
            trace.field(map, name, found);
        }
    }

    /// A value was used.
    pub fn saw(&mut self, value: &Any) {
        if let Some(trace) = &mut self.engine.trace {
            trace.value(value);
        }
    }

    /// Dot was used as a whole.
    pub fn saw_dot(&mut self) {
        if let (Some(trace), Some(context)) = (&mut self.engine.trace, &self.context) {
            trace.read(&context.dot);
        }
    }

    /// An action included text.
    pub fn saw_included(&mut self, text: &Text, marks: Vec<Mark>) {
        if let Some(trace) = &mut self.engine.trace {
            trace.include(text.clone(), marks);
        }
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
            Self::Map { entries, boxed, .. } => {
                let (key, any) = entries.next()?;
                Some((Any::String(key).into(), Val { any, boxed: *boxed }))
            }
        }
    }
}

/// A value as Go's error messages show it.
fn shown(value: &Any) -> String {
    if let Any::Object(object) = value {
        return object.print_addressed().to_str().into_owned();
    }
    sprint_verb(value, 'v').map_or_else(|error| error.to_string(), |text| text.to_str().into_owned())
}
