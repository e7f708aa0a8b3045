//! JSON Schema over our own values, as charts and clusters use it: bounded, and nothing is ever fetched.

mod cost;
mod documents;
pub mod formats;
mod node;
mod reference;
mod shape;
mod unique;

use std::thread;

use jsonschema::{PatternOptions, Regex};

use crate::value::{Path, Step, Value};

pub use cost::check;
pub use node::Values;
pub use shape::{is_linear, is_too_deep};
pub use unique::first_repeated;

/// The largest regular expression of a schema, compiled, in bytes.
const MAX_PATTERN: usize = 1 << 20;

/// The stack for the deepest values and schemas that are let through, in bytes. Untouched, it costs nothing.
const STACK: usize = 256 << 20;

/// The expressions of a schema: like Go's they do not backtrack, and they are bounded.
pub fn patterns() -> PatternOptions<Regex> {
    PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN)
}

/// Does work that recurses through schemas and values, which may be as deep as they can be read. `None` where it could
/// not be done.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok()?;
        thread.join().ok()
    })
}

/// The tokens of a JSON pointer.
pub fn tokens(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
}

/// The steps of a JSON pointer's tokens through a value. They may lead to what is not there.
pub fn path(tokens: &[String], value: &Value) -> Path {
    let mut value = Some(value);
    let step = |token: &String| {
        let step = match (value, token.parse()) {
            (Some(Value::List(_)), Ok(index)) => Step::Index(index),
            _ => Step::Key(token.as_str().into()),
        };
        value = value.and_then(|value| value.step(&step));
        step
    };
    Path(tokens.iter().map(step).collect())
}
