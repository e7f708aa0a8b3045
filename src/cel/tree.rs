//! The compiled expression: names resolved, macros recognised, literals ready.

use std::sync::Arc;

use super::cost::OfCall;
use super::functions::Row;
use super::value::Val;
use crate::source::Span;

/// A node of the tree.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// The bytes of the source that name it: an operator, a function's name, a field.
    pub span: Span,
}

/// The kinds of nodes.
#[derive(Debug)]
pub enum Kind {
    /// A constant
    Literal(Val),
    /// A variable of the environment, by its place in the scope
    Global(usize),
    /// A variable of a macro, by its place on the stack
    Local(usize),
    /// `variables.name`, by its place in the policy
    Composed(usize),
    /// `a.b`, `a.?b`
    Select { operand: Box<Expr>, field: Arc<str>, optional: bool },
    /// `has(a.b)`
    Has { operand: Box<Expr>, field: Arc<str> },
    /// `a[b]`, `a[?b]`
    Index { operand: Box<Expr>, key: Box<Expr>, optional: bool },
    /// `[a, ?b]`
    List(Vec<(Expr, bool)>),
    /// `{a: b, ?c: d}`
    Map(Vec<(Expr, Expr, bool)>),
    /// `a && b`
    And(Box<Expr>, Box<Expr>),
    /// `a || b`
    Or(Box<Expr>, Box<Expr>),
    /// `a ? b : c`
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A function or operator: overloads to try in turn, what it costs, and the arguments, the receiver first
    Call { overloads: Vec<&'static Row>, cost: OfCall, args: Vec<Expr> },
    /// A macro with variables of its own
    Macro(Box<Macro>),
}

/// A macro that binds variables: they are put on the stack at `slot`, and at `slot + 1` where there are two.
#[derive(Debug)]
pub struct Macro {
    /// Which.
    pub kind: MacroKind,
    /// What it runs over.
    pub range: Expr,
    /// The stack place of the first variable.
    pub slot: usize,
    /// Whether it binds two variables: index and element, or key and value.
    pub two: bool,
    /// The filter of `map(x, filter, body)` and of the `transform…` macros.
    pub filter: Option<Expr>,
    /// What is computed for each element.
    pub body: Expr,
    /// Whether the type of the body is known before it is computed.
    pub typed: bool,
}

/// The macros that bind variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacroKind {
    /// `all`
    All,
    /// `exists`
    Exists,
    /// `exists_one`, `existsOne`
    ExistsOne,
    /// `map`, `transformList`
    Map,
    /// `filter`
    Filter,
    /// `transformMap`
    TransformMap,
    /// `transformMapEntry`
    TransformMapEntry,
    /// `sortBy`
    SortBy,
    /// `groupBy`: plimsoll's own
    GroupBy,
    /// `optMap`
    OptMap,
    /// `optFlatMap`
    OptFlatMap,
}
