//! How the executor tells the trace what it reads and calls.

use std::rc::Rc;
use std::sync::Arc;

use super::exec::Run;
use super::items::Items;
use super::trace::{Begin, Context, Keys, Mark, Trace};
use crate::render::any::{Any, Map, Text};
use crate::source::FrameId;
use crate::value::Step;

/// What called an execution.
#[derive(Default)]
pub struct Caller {
    /// The action that called it.
    pub frame: Option<FrameId>,
    /// What conditions and loops around that action read.
    pub guards: Keys,
}

/// Tracing: all of it costs nothing where the render is not traced.
impl Run<'_, '_, '_> {
    /// Marks the beginning of an action.
    pub fn begin(&self) -> Option<Begin> {
        self.engine.trace.as_ref().map(Trace::begin)
    }

    /// Ends an action.
    pub fn end(&mut self, begin: Option<Begin>) {
        if let (Some(trace), Some(begin)) = (&mut self.engine.trace, begin) {
            trace.end(begin, self.nested);
        }
    }

    /// What was read since an action began.
    pub fn keys(&self, begin: impl Into<Option<Begin>>) -> Option<Keys> {
        Some(self.engine.trace.as_ref()?.keys(begin.into()?))
    }

    /// What enclosing conditions and loops read.
    pub fn guards(&self) -> Keys {
        self.context.as_ref().map(|context| context.guards.clone()).unwrap_or_default()
    }

    /// The context of a block that depends on what was read since an action began, and whose dot may be that.
    pub fn guarded(&self, begin: Option<Begin>, is_dot: bool) -> Option<Rc<Context>> {
        let context = self.context.as_ref()?;
        let keys = self.keys(begin)?;
        let dot = if is_dot { keys.clone() } else { context.dot.clone() };
        let guards = keys.iter().chain(context.guards.iter()).cloned().collect();
        Some(Rc::new(Context { dot, guards }))
    }

    /// The context of one round of a loop.
    pub fn round(&self, context: Rc<Context>, items: &Items, index: &Any) -> Option<Rc<Context>> {
        let step = match index {
            Any::String(key) => Step::Key(Arc::from(&*key.to_str())),
            Any::Int(index) => Step::Index(usize::try_from(*index).unwrap_or_default()),
            _ => return Some(context),
        };
        let Some(container) = items.container() else { return Some(context) };
        let dot = self.engine.trace.as_ref()?.element(&container, step, &context.dot);
        Some(Rc::new(Context { dot, guards: context.guards.clone() }))
    }

    /// The current action, as what it calls names it.
    pub fn frame(&mut self) -> Option<FrameId> {
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
