//! From a verdict back to the fields that decided it.
//!
//! The walk follows the compiled tree with the verdict in hand: only the sides, elements and branches that made it are
//! visited, until something is reached that read a field. Values are computed once more, with traced roots.

use std::collections::HashSet;
use std::sync::Arc;

use super::compile::Program;
use super::eval::{Evaluation, Locals};
use super::tree::{Expr, Kind, Macro, MacroKind};
use super::value::{Data, Origin, Places, Root, Val};
use crate::value::{Path, Step};

/// The fields that made an expression `verdict`, in the order in which the expression names them.
///
/// A field that is missing is named by the path that it would have. The evaluation's roots must be traced
/// ([`Val::plain`] with an origin).
pub fn blame(evaluation: &Evaluation<'_>, program: &Program, verdict: bool) -> Vec<(Root, Path)> {
    let mut walk = Walk { evaluation, found: Vec::new() };
    walk.truth(&program.root, verdict, &mut Vec::new());
    let mut places = Places::default();
    for origin in &walk.found {
        origin.places(&mut places);
    }
    most_exact(places.list)
}

/// Fields that say which element is meant. Beside another field of the same element they are not at fault.
const IDENTITY: [&str; 3] = ["apiVersion", "kind", "name"];

/// Drops what only leads to another of the places (`a.b` beside `a.b.c`), and what only names its element (`env[0].name`
/// beside `env[0].value`).
fn most_exact(places: Vec<(Root, Path)>) -> Vec<(Root, Path)> {
    let is_identity = |path: &Path| matches!(path.0.last(), Some(Step::Key(key)) if IDENTITY.contains(&key.as_ref()));
    // What something lies below, and what something lies below that does more than name its element.
    let (mut above, mut above_others) = (HashSet::new(), HashSet::new());
    for (root, path) in &places {
        let parents = (0..path.0.len()).rev().filter_map(|length| path.0.get(..length)).map(|steps| (*root, steps));
        if !is_identity(path) {
            above_others.extend(parents.clone());
        }
        above.extend(parents);
    }
    let redundant = |(root, path): &(Root, Path)| {
        above.contains(&(*root, path.0.as_slice()))
            || is_identity(path)
                && path.0.split_last().is_some_and(|(_, parent)| above_others.contains(&(*root, parent)))
    };
    places.iter().filter(|place| !redundant(place)).cloned().collect()
}

struct Walk<'a, 'e> {
    evaluation: &'a Evaluation<'e>,
    found: Vec<Arc<Origin>>,
}

impl Walk<'_, '_> {
    fn is(&self, expr: &Expr, locals: &mut Locals) -> Option<bool> {
        match self.evaluation.eval(expr, locals).ok()?.data {
            Data::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// A whole root is no place: what surrounds the expression has a better one.
    fn note(&mut self, origin: Option<Arc<Origin>>) {
        self.found.extend(origin.filter(|origin| !matches!(**origin, Origin::Root(_))));
    }

    /// What made a `bool` expression have its value.
    fn truth(&mut self, expr: &Expr, value: bool, locals: &mut Locals) {
        match &expr.kind {
            Kind::Composed(index) => {
                if let Some(expr) = self.evaluation.composed(*index) {
                    self.truth(expr, value, &mut Vec::new());
                }
            }
            Kind::And(a, b) => self.sides(a, b, value, !value, locals),
            Kind::Or(a, b) => self.sides(a, b, value, value, locals),
            Kind::Conditional(condition, yes, no) => {
                let before = self.found.len();
                let Some(chosen) = self.is(condition, locals) else { return };
                self.truth(if chosen { yes } else { no }, value, locals);
                if self.found.len() == before {
                    self.truth(condition, chosen, locals);
                }
            }
            Kind::Call { overloads, args, .. } if overloads.iter().any(|row| row.name == "!_") => {
                for arg in args {
                    self.truth(arg, !value, locals);
                }
            }
            Kind::Macro(node) => match (node.kind, value) {
                (MacroKind::All, false) | (MacroKind::Exists, true) => self.elements(node, value, locals),
                (MacroKind::Exists | MacroKind::ExistsOne, false) => self.nearly(node, locals),
                _ => self.source(&node.range, locals),
            },
            _ => self.source(expr, locals),
        }
    }

    /// The operands of `&&` and `||`: where one alone decided, those that did; otherwise both.
    fn sides(&mut self, a: &Expr, b: &Expr, value: bool, one_decides: bool, locals: &mut Locals) {
        for side in [a, b] {
            if !one_decides || self.is(side, locals) == Some(value) {
                self.truth(side, value, locals);
            }
        }
    }

    /// The elements whose body is `value`.
    fn elements(&mut self, node: &Macro, value: bool, locals: &mut Locals) {
        for binding in self.bindings(node, locals) {
            self.evaluation.bound(node, &binding, locals, |locals| {
                if self.is(&node.body, locals) == Some(value) {
                    self.element(node, &binding, value, locals);
                }
            });
        }
    }

    /// One element's body, or the element itself where the body read nothing.
    fn element(&mut self, node: &Macro, binding: &[Val; 2], value: bool, locals: &mut Locals) {
        let before = self.found.len();
        self.truth(&node.body, value, locals);
        if self.found.len() == before {
            self.note(binding[usize::from(node.two)].origin.clone());
        }
    }

    /// An `exists` that found nothing: the elements that came near, or else the list.
    fn nearly(&mut self, node: &Macro, locals: &mut Locals) {
        let before = self.found.len();
        self.near_misses(node, locals);
        if self.found.len() == before {
            self.source(&node.range, locals);
        }
    }

    /// The elements that meet the first condition but not the others, such as the variable of the right name and the
    /// wrong value.
    fn near_misses(&mut self, node: &Macro, locals: &mut Locals) {
        for binding in self.bindings(node, locals) {
            self.evaluation.bound(node, &binding, locals, |locals| match &node.body.kind {
                Kind::Macro(inner) if inner.kind == MacroKind::Exists => self.near_misses(inner, locals),
                _ => {
                    let first = first_condition(&node.body);
                    if first.is_some_and(|first| self.is(first, locals) == Some(true))
                        && self.is(&node.body, locals) == Some(false)
                    {
                        self.element(node, &binding, false, locals);
                    }
                }
            });
        }
    }

    /// What the operands of a call were read from. Of `a in b`, what was looked for is at fault, not where.
    fn operands(&mut self, membership: bool, args: &[Expr], locals: &mut Locals) {
        let before = self.found.len();
        for arg in args {
            self.source(arg, locals);
            if membership && self.found.len() > before {
                return;
            }
        }
    }

    fn bindings(&self, node: &Macro, locals: &mut Locals) -> Vec<[Val; 2]> {
        let range = self.evaluation.eval(&node.range, locals);
        range.ok().and_then(|range| self.evaluation.bindings(node, &range).ok()).unwrap_or_default()
    }

    /// What a value was read or computed from.
    fn source(&mut self, expr: &Expr, locals: &mut Locals) {
        match &expr.kind {
            Kind::Composed(index) => {
                if let Some(expr) = self.evaluation.composed(*index) {
                    self.source(expr, &mut Vec::new());
                }
            }
            Kind::Call { overloads, args, .. } => {
                let result = self.evaluation.eval(expr, locals);
                match result {
                    // Its elements know better where they come from than what it was made from.
                    Ok(Val { data: Data::List(_) | Data::Map(_) | Data::Optional(_), origin }) => self.note(origin),
                    _ => self.operands(overloads.iter().any(|row| row.name == "@in"), args, locals),
                }
            }
            Kind::Conditional(condition, yes, no) => {
                if let Some(chosen) = self.is(condition, locals) {
                    self.source(if chosen { yes } else { no }, locals);
                }
            }
            // What a filter kept is there because of what the filter saw.
            Kind::Macro(node) if node.kind == MacroKind::Filter => {
                let before = self.found.len();
                self.elements(node, true, locals);
                if self.found.len() == before {
                    self.source(&node.range, locals);
                }
            }
            Kind::And(..) | Kind::Or(..) | Kind::Macro(_) => {
                if let Ok(value) = self.evaluation.eval(expr, locals) {
                    match value.data {
                        Data::Bool(value) if !matches!(&expr.kind, Kind::Macro(node) if is_transform(node)) => {
                            self.truth(expr, value, locals);
                        }
                        _ => self.note(value.origin),
                    }
                }
            }
            _ => {
                if let Ok(value) = self.evaluation.eval(expr, locals) {
                    self.note(value.origin);
                }
            }
        }
    }
}

fn is_transform(node: &Macro) -> bool {
    !matches!(node.kind, MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne)
}

/// The first of the conditions that `&&` joins, if there are several.
fn first_condition(body: &Expr) -> Option<&Expr> {
    let Kind::And(first, _) = &body.kind else { return None };
    Some(first_condition(first).unwrap_or(first))
}
