//! The functions of Kubernetes' CEL environment: one table a library, found by name.
//!
//! Rows of one name are overloads: an evaluation tries them in turn until one takes the arguments.

pub mod convert;
pub mod format;
mod interpolate;
mod lists;
pub mod network;
mod optional;
pub mod quantity;
mod regex;
pub mod semver;
mod sets;
mod strings;
pub mod time;
pub mod url;

use super::Failure;
use super::eval::Budget;
use super::ops;
use super::value::{Data, Val};

/// A function of a name, a way to call it and a number of arguments.
pub struct Row {
    /// `startsWith`, `sets.contains`, `_==_`
    pub name: &'static str,
    /// How it is called.
    pub style: Style,
    /// The number of arguments, the receiver included.
    pub arity: usize,
    /// The type of every result, where it has a fixed one.
    pub returns: Option<&'static str>,
    /// The function. It is given exactly `arity` arguments.
    pub call: fn(&Budget, &[Val]) -> Result<Val, Failure>,
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `f(a, b)`
    Global,
    /// `a.f(b)`
    Member,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.name, self.arity)
    }
}

type Call = fn(&Budget, &[Val]) -> Result<Val, Failure>;

impl Row {
    /// `name(…)`
    pub const fn global(name: &'static str, arity: usize, call: Call) -> Self {
        Self { name, style: Style::Global, arity, returns: None, call }
    }

    /// `receiver.name(…)`; the receiver is the first argument.
    pub const fn member(name: &'static str, arity: usize, call: Call) -> Self {
        Self { name, style: Style::Member, arity, returns: None, call }
    }

    /// The row with a fixed result type.
    pub const fn of(mut self, returns: &'static str) -> Self {
        self.returns = Some(returns);
        self
    }
}

const TABLES: &[&[Row]] = &[
    ops::ROWS,
    convert::ROWS,
    strings::ROWS,
    lists::ROWS,
    sets::ROWS,
    regex::ROWS,
    optional::ROWS,
    time::ROWS,
    network::ROWS,
    url::ROWS,
    quantity::ROWS,
    semver::ROWS,
    format::ROWS,
];

/// The overloads of a name.
pub fn named(name: &str) -> impl Iterator<Item = &'static Row> {
    TABLES.iter().flat_map(|table| table.iter()).filter(move |row| row.name == name)
}

/// Whether there is a function of this name.
pub fn exists(name: &str) -> bool {
    named(name).next().is_some()
}

/// The argument's text.
fn text(value: &Val) -> Result<&str, Failure> {
    match &value.data {
        Data::String(text) => Ok(text),
        _ => Err(Failure::NoSuchOverload),
    }
}

/// The argument's number.
fn int(value: &Val) -> Result<i64, Failure> {
    match value.data {
        Data::Int(value) => Ok(value),
        _ => Err(Failure::NoSuchOverload),
    }
}
