//! What a policy's variables read. One that reads nothing of the object that is judged has one value in a release.

use super::compile::Program;
use super::tree::{Expr, Kind};

/// Which of the variables have the same value whatever object is judged. `varies` tells of a variable of the
/// environment, by its place, whether it is another one for each object.
pub fn common(variables: &[Program], varies: &dyn Fn(usize) -> bool) -> Vec<bool> {
    let mut common = Vec::with_capacity(variables.len());
    for program in variables {
        // A variable can only use those before it.
        common.push(is_common(&program.root, &common, varies));
    }
    common
}

fn is_common(expr: &Expr, known: &[bool], varies: &dyn Fn(usize) -> bool) -> bool {
    let is = |expr: &Expr| is_common(expr, known, varies);
    match &expr.kind {
        Kind::Literal(_) | Kind::Local(_) => true,
        Kind::Global(index) => !varies(*index),
        Kind::Composed(index) => known.get(*index).copied().unwrap_or(false),
        Kind::Select { operand, .. } | Kind::Has { operand, .. } => is(operand),
        Kind::Index { operand, key, .. } => is(operand) && is(key),
        Kind::List(elements) => elements.iter().all(|(element, _)| is(element)),
        Kind::Map(entries) => entries.iter().all(|(key, value, _)| is(key) && is(value)),
        Kind::And(a, b) | Kind::Or(a, b) => is(a) && is(b),
        Kind::Conditional(condition, yes, no) => is(condition) && is(yes) && is(no),
        Kind::Call { args, .. } => args.iter().all(is),
        Kind::Macro(node) => is(&node.range) && node.filter.as_ref().is_none_or(is) && is(&node.body),
    }
}
