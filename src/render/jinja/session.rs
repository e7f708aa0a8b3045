//! What one render knows beyond the template: the objects that minijinja's callbacks need and cannot be given.
//!
//! minijinja's objects and functions must be `'static` and `Sync`, and Go's values are neither. A render has a thread
//! of its own, so they meet in a thread-local that lives exactly as long as the render.

use std::cell::RefCell;
use std::sync::Arc;

use crate::render::any::Any;
use crate::render::functions::Host;
use crate::value::{Path, Value};

/// The most bytes that all templates of a chart may print, what macros and captures print included.
pub const MAX_PRINTED: usize = 64 << 20;

/// The state of the render that this thread does.
pub struct Session {
    /// Randomness and time for functions.
    pub host: Box<dyn Host>,
    /// Values keys that were read since the last output.
    pub reads: Vec<Arc<Path>>,
    /// Whether somebody wants `reads`.
    pub trace: bool,
    /// The expression that is being printed, while it is.
    pub printing: Option<Printing>,
    /// The chart's values.
    pub values: Value,
    /// The key that was looked for in vain, the latest.
    pub missing: Option<Missing>,
    printed: usize,
    objects: Vec<Any>,
}

/// What is known of the expression that is being printed.
#[derive(Debug)]
pub struct Printing {
    /// Its template.
    pub template: String,
    /// The index of the innermost loop.
    pub index: Option<usize>,
}

/// A key that a map does not have.
#[derive(Debug, Clone)]
pub struct Missing {
    /// The map, as a template would write it: `values.user`.
    pub map: String,
    /// The key.
    pub key: String,
    /// What keys it has.
    pub known: Vec<Arc<str>>,
}

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

impl Session {
    /// Begins this thread's render.
    pub fn begin(host: Box<dyn Host>, values: Value, trace: bool) {
        let session = Self {
            host,
            trace,
            values,
            reads: Vec::new(),
            printing: None,
            missing: None,
            printed: 0,
            objects: Vec::new(),
        };
        SESSION.with_borrow_mut(|slot| *slot = Some(session));
    }

    /// Ends it.
    pub fn end() {
        SESSION.with_borrow_mut(|slot| *slot = None);
    }

    /// Works with this thread's render; `None` outside one.
    pub fn with<R>(f: impl FnOnce(&mut Self) -> R) -> Option<R> {
        SESSION.with_borrow_mut(|slot| slot.as_mut().map(f))
    }

    /// Keeps a Go object and gives the number that stands for it.
    pub fn keep(&mut self, object: Any) -> usize {
        self.objects.push(object);
        self.objects.len() - 1
    }

    /// The Go object of a number.
    pub fn object(&self, id: usize) -> Option<Any> {
        self.objects.get(id).cloned()
    }

    /// Counts printed bytes; false when they are too many.
    pub fn spend(&mut self, bytes: usize) -> bool {
        self.printed = self.printed.saturating_add(bytes);
        self.printed <= MAX_PRINTED
    }
}

/// Notes that a values key was read.
pub fn read(path: &Arc<Path>) {
    Session::with(|session| {
        if session.trace && session.reads.last() != Some(path) {
            session.reads.push(path.clone());
        }
    });
}
