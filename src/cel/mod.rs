//! CEL as Kubernetes 1.35 has it: its environment, its libraries, its limits.
//!
//! Text becomes words, words become syntax; names, functions and argument counts are checked, and the compiled tree is evaluated here over shared data, within a budget of steps. What an expression read
//! can be traced to fields ([`blame`]).

mod access;
pub mod blame;
mod check;
mod compile;
mod cost;
mod declarations;
mod eval;
pub mod functions;
mod keyed;
mod lexer;
mod macros;
mod ops;
mod parser;
pub(crate) mod patterns;
mod reads;
#[cfg(test)]
mod referee;
mod tree;
pub mod types;
pub mod value;

use thiserror::Error;

pub use compile::{Program, Scope};
pub(crate) use eval::unbound;
pub use eval::{Evaluation, Globals, Shared};
pub use parser::is_identifier;
pub use reads::common;

use crate::source::Span;

/// The steps that one evaluation may take: what the API server allows the expressions of one policy on one object.
pub const BUDGET: u64 = 10_000_000;

/// The steps that the API server allows one expression of a policy, or one of its variables.
pub const PER_CALL_LIMIT: u64 = 1_000_000;

/// Why an expression was refused before it was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct CompileError {
    /// What is wrong.
    pub kind: CompileErrorKind,
    /// Where in the expression, in bytes.
    pub span: Span,
}

/// What can be wrong with an expression. The texts are cel-go's, where it has them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompileErrorKind {
    /// It is no CEL.
    #[error("{0}")]
    Syntax(String),
    /// It is larger than any expression should be.
    #[error("the expression is too large: {0}")]
    TooLarge(&'static str),
    /// A name or function that nothing declares.
    #[error("undeclared reference to '{0}'")]
    Undeclared(String),
    /// A field that a declared type does not have.
    #[error("undefined field '{0}'")]
    UndefinedField(String),
    /// A field of a type that declares none.
    #[error("type '{0}' has no fields")]
    NoFields(String),
    /// A field of what is no map.
    #[error("type '{0}' does not support field selection")]
    Selection(String),
    /// A macro that runs over what has no elements.
    #[error("expression of type '{0}' cannot be range of a comprehension (must be list, map, or dynamic)")]
    Range(String),
    /// A function that exists, given what it does not take.
    #[error("found no matching overload for '{name}' applied to '{given}'")]
    NoOverload {
        /// The function.
        name: String,
        /// What it was given: `(int, double)`.
        given: String,
    },
    /// A macro used in a way that it does not allow.
    #[error("{0}")]
    Macro(&'static str),
    /// A macro whose two variables have one name.
    #[error("duplicate variable name: {0}")]
    DuplicateVariable(String),
    /// A literal pattern, duration or timestamp that is none.
    #[error("invalid {what} argument: {reason}")]
    Literal {
        /// The function: `matches`, `duration`, `timestamp`.
        what: &'static str,
        /// The parser's text.
        reason: String,
    },
    /// A conversion of a constant that has no value.
    #[error("{0}")]
    Constant(String),
    /// An operand or element of another type than is needed.
    #[error("expected type '{expected}' but found '{found}'")]
    Type {
        /// What is needed.
        expected: String,
        /// What there is.
        found: String,
    },
    /// A whole expression of another type than is needed.
    #[error("must evaluate to {wanted} but got {found}")]
    Result {
        /// What is needed.
        wanted: String,
        /// What there is.
        found: String,
    },
}

/// Why an expression has no value, and where in it. The texts are cel-go's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{failure}")]
pub struct EvalError {
    /// What went wrong.
    pub failure: Failure,
    /// The policy's variable in whose expression it went wrong; `None` for the expression itself.
    pub variable: Option<usize>,
    /// Where in that expression, in bytes.
    pub span: Span,
}

/// Why a function or operator has no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// A field or key that is not there.
    #[error("no such key: {0}")]
    NoSuchKey(String),
    /// Operands of types that the function or operator does not take.
    #[error("no such overload")]
    NoSuchOverload,
    /// Anything else that a function reports.
    #[error("{0}")]
    Other(String),
    /// The budget is used up. Nothing absorbs this.
    #[error("operation cancelled: actual cost limit exceeded")]
    OverBudget,
}

impl Failure {
    /// A failure with a text.
    pub fn new(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }
}
