//! The functions of Kubernetes' CEL environment: one table a library, found by name.
//!
//! Rows of one name are overloads: an evaluation tries them in turn until one takes the arguments.

mod authorizer;
pub mod convert;
pub mod format;
pub mod interpolate;
mod lists;
pub mod network;
pub mod optional;
pub mod quantity;
mod regex;
pub mod semver;
mod sets;
mod strings;
pub mod time;
pub mod url;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Failure;
use super::eval::Budget;
use super::ops;
use super::types::Signature;
use super::value::{Data, Val};

/// A function of a name, a way to call it and a number of arguments.
pub struct Row {
    /// `startsWith`, `sets.contains`, `_==_`
    pub name: &'static str,
    /// How it is called.
    pub style: Style,
    /// What it takes and gives, in as many ways as cel-go declares: `(string, string) -> bool`, the receiver first.
    pub signatures: &'static [&'static str],
    /// The function. It is given exactly as many arguments as its signatures have.
    pub call: Call,
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
        write!(f, "{} {:?}", self.name, self.signatures)
    }
}

type Call = fn(&Budget, &[Val]) -> Result<Val, Failure>;

impl Row {
    /// `name(…)`
    pub const fn global(name: &'static str, signatures: &'static [&'static str], call: Call) -> Self {
        Self { name, style: Style::Global, signatures, call }
    }

    /// `receiver.name(…)`; the receiver is the first argument.
    pub const fn member(name: &'static str, signatures: &'static [&'static str], call: Call) -> Self {
        Self { name, style: Style::Member, signatures, call }
    }
}

/// Libraries in the order in which the API server adds them: that of the overloads of one name.
const TABLES: &[&[Row]] = &[
    ops::ROWS,
    convert::ROWS,
    time::ROWS,
    url::ROWS,
    regex::ROWS,
    lists::ROWS,
    authorizer::ROWS,
    optional::ROWS,
    quantity::ROWS,
    strings::ROWS,
    sets::ROWS,
    network::ROWS,
    format::ROWS,
    semver::ROWS,
];

/// One way to call a function.
pub struct Overload {
    /// The function.
    pub row: &'static Row,
    /// What it takes and gives.
    pub signature: Signature,
    /// The same as it is declared.
    pub declared: &'static str,
}

static OVERLOADS: LazyLock<HashMap<&'static str, Vec<Overload>>> = LazyLock::new(|| {
    let mut overloads: HashMap<&str, Vec<Overload>> = HashMap::new();
    for row in TABLES.iter().flat_map(|table| table.iter()) {
        let of_row =
            row.signatures.iter().map(|text| Overload { row, signature: Signature::read(text), declared: text });
        overloads.entry(row.name).or_default().extend(of_row);
    }
    overloads
});

/// The overloads of a name.
pub fn named(name: &str) -> &'static [Overload] {
    OVERLOADS.get(name).map(Vec::as_slice).unwrap_or_default()
}

/// All functions with their types, in the order of the tables: `member size (string) -> int`.
pub fn declarations() -> Vec<String> {
    let rows = TABLES.iter().flat_map(|table| table.iter());
    rows.flat_map(|row| {
        let style = if row.style == Style::Member { "member" } else { "global" };
        row.signatures.iter().map(move |signature| format!("{style} {} {signature}", row.name))
    })
    .collect()
}

/// Whether there is a function of this name.
pub fn exists(name: &str) -> bool {
    OVERLOADS.contains_key(name)
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
