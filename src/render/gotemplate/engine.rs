//! What all executions of one render share, and what they may take.

use std::collections::HashMap;

use super::trace::Trace;
use crate::render::any::Text;
use crate::render::functions::Host;

/// How deep `include`, `tpl` and parentheses go together. Each takes some kilobytes of the thread's stack.
const MAX_NATIVE_DEPTH: usize = 12_000;

/// The stack that a thread needs to execute templates, in bytes.
pub const STACK: usize = 256 << 20;

/// How many nodes and loop rounds a render may go through: some seconds.
const MAX_STEPS: u64 = 100_000_000;

/// How many bytes a render may print, into included text and results of functions too.
const MAX_BYTES: usize = 1 << 30;

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

    /// Counts a node or the round of a loop.
    pub fn step(&mut self) -> Result<(), &'static str> {
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
