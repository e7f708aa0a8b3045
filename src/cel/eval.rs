//! Evaluation: a walk over the compiled tree, within a budget.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use regex::Regex;

use super::access::{has, index, select};
use super::compile::Program;
use super::cost;
use super::functions::{Row, optional};
use super::tree::{Expr, Kind};
use super::value::{Data, Key, List, Origin, Val};
use super::{BUDGET, EvalError, Failure, PER_CALL_LIMIT, patterns};
use crate::source::Span;

/// The values of one environment, in which expressions are evaluated.
///
/// Variables of the policy are evaluated when they are first used, and once.
pub struct Evaluation<'a> {
    globals: &'a dyn Globals,
    composed: &'a [Program],
    memo: Memo,
    shared: Option<&'a Shared<'a>>,
    pub(super) budget: Budget,
}

/// What the policy's variables were found to be, by their places.
type Memo = RefCell<Vec<Option<Result<Val, EvalError>>>>;

/// The values of variables that are the same in several evaluations: a join of all objects is made once, not once for
/// each object that is judged.
#[derive(Debug)]
pub struct Shared<'a> {
    common: &'a [bool],
    memo: Memo,
}

impl<'a> Shared<'a> {
    /// Nothing is known yet. `common` tells which of the variables are the same in all the evaluations.
    pub fn new(common: &'a [bool]) -> Self {
        Self { common, memo: RefCell::new(vec![None; common.len()]) }
    }
}

/// The values of the environment's variables.
pub trait Globals {
    /// The value of the variable at a place of the scope's names. It is asked for whenever an expression reads it.
    fn get(&self, index: usize) -> Result<Val, Failure>;
}

impl<const N: usize> Globals for [Val; N] {
    fn get(&self, index: usize) -> Result<Val, Failure> {
        self.as_slice().get(index).cloned().ok_or_else(unbound)
    }
}

/// What functions may use of the evaluation that calls them: its budget and its compiled patterns.
pub struct Budget {
    /// What the API server counts, and still allows.
    left: Cell<u64>,
    /// What the expression that is being evaluated may still use.
    left_of_call: Cell<u64>,
    /// What each expression may use.
    per_call: u64,
    /// Work that the API server does not count, such as comparing all of two long lists.
    work: Cell<u64>,
    patterns: RefCell<HashMap<Arc<str>, Arc<Regex>>>,
}

/// The macros' variables that are bound where an expression is evaluated.
pub(super) type Locals = Vec<Val>;

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            left: Cell::new(BUDGET),
            left_of_call: Cell::new(BUDGET),
            per_call: BUDGET,
            work: Cell::new(BUDGET),
            patterns: RefCell::default(),
        }
    }

    /// Pays what the API server counts: one for a field that is selected.
    pub(super) fn pay(&self, cost: u64) -> Result<(), Failure> {
        let (all, call) = (spend(&self.left, cost), spend(&self.left_of_call, cost));
        all.and(call)
    }

    /// What the expression that is being evaluated may still use.
    pub(super) fn left_of_call(&self) -> u64 {
        self.left_of_call.get()
    }

    /// Pays for work that a function does, whatever the API server counts for it: a step is about what selecting a field
    /// takes.
    pub fn charge(&self, steps: usize) -> Result<(), Failure> {
        spend(&self.work, steps as u64)
    }

    /// Evaluates another expression, with its own limit.
    fn call<T>(&self, run: impl FnOnce() -> T) -> T {
        let outer = self.left_of_call.replace(self.per_call);
        let result = run();
        self.left_of_call.set(outer);
        result
    }

    /// Pays for text that is read or made.
    pub fn charge_text(&self, bytes: usize) -> Result<(), Failure> {
        self.charge(1 + bytes / 10)
    }

    /// The pattern of a computed text; compiled once in an evaluation.
    pub fn pattern(&self, text: &Arc<str>) -> Result<Arc<Regex>, Failure> {
        if let Some(known) = self.patterns.borrow().get(text) {
            return Ok(known.clone());
        }
        self.charge(100 + text.len())?;
        let regex = patterns::compile(text).map_err(Failure::Other)?;
        self.patterns.borrow_mut().insert(text.clone(), regex.clone());
        Ok(regex)
    }
}

fn spend(from: &Cell<u64>, steps: u64) -> Result<(), Failure> {
    let left = from.get().checked_sub(steps);
    from.set(left.unwrap_or(0));
    left.map(|_| ()).ok_or(Failure::OverBudget)
}

impl<'a> Evaluation<'a> {
    /// An environment: the values of the scope's names, and the policy's variables.
    pub fn new(globals: &'a dyn Globals, composed: &'a [Program]) -> Self {
        let memo = RefCell::new(vec![None; composed.len()]);
        Self { globals, composed, memo, shared: None, budget: Budget::new() }
    }

    /// The same, with what other evaluations know of common variables.
    pub fn sharing(mut self, shared: &'a Shared<'a>) -> Self {
        self.shared = Some(shared);
        self
    }

    fn memo(&self, variable: usize) -> &Memo {
        let shared = self.shared.filter(|shared| shared.common.get(variable) == Some(&true));
        shared.map_or(&self.memo, |shared| &shared.memo)
    }

    /// The environment with another budget of steps.
    pub fn with_budget(mut self, steps: u64) -> Self {
        self.budget.left.set(steps);
        self.budget.left_of_call.set(steps);
        self.budget.per_call = steps;
        self.budget.work.set(steps);
        self
    }

    /// The steps that are left.
    pub fn left(&self) -> u64 {
        self.budget.left.get().min(self.budget.work.get())
    }

    /// What was paid of a budget, as the API server counts it.
    pub fn cost(&self, budget: u64) -> u64 {
        budget.saturating_sub(self.budget.left.get())
    }

    /// Gives a variable a value in place of that of its expression.
    pub fn preset(&self, variable: usize, value: Val) {
        if let Some(cell) = self.memo(variable).borrow_mut().get_mut(variable) {
            *cell = Some(Ok(value));
        }
    }

    /// The same under the API server's limit for each expression. Release policies have no such limit: what they judge is
    /// larger than an object.
    pub fn of_admission(mut self) -> Self {
        self.budget.per_call = PER_CALL_LIMIT;
        self
    }

    /// The value of an expression.
    pub fn value(&self, program: &Program) -> Result<Val, EvalError> {
        self.budget.call(|| self.eval(&program.root, &mut Vec::new()))
    }

    /// The value of an expression that must be a `bool`.
    pub fn truth(&self, program: &Program) -> Result<bool, EvalError> {
        let value = self.value(program)?;
        match value.data {
            Data::Bool(value) => Ok(value),
            _ => {
                let found = format!("expected a bool but the result is of type {}", value.type_name());
                Err(error(Failure::Other(found), program.root.span))
            }
        }
    }

    /// The expression of a variable of the policy.
    pub(super) fn composed(&self, index: usize) -> Option<&'a Expr> {
        self.composed.get(index).map(|program| &*program.root)
    }

    pub(super) fn eval(&self, expr: &Expr, locals: &mut Locals) -> Result<Val, EvalError> {
        self.budget.pay(cost::of_node(&expr.kind)).map_err(|failure| error(failure, expr.span))?;
        self.resolve(expr, locals)
    }

    /// The value of an expression that another selects from: names cost nothing more there.
    fn operand(&self, expr: &Expr, locals: &mut Locals) -> Result<Val, EvalError> {
        if cost::is_attribute(&expr.kind) { self.resolve(expr, locals) } else { self.eval(expr, locals) }
    }

    fn resolve(&self, expr: &Expr, locals: &mut Locals) -> Result<Val, EvalError> {
        let at = |failure| error(failure, expr.span);
        let selected = |value: Val| {
            // What is not there is not paid for.
            let cost = u64::from(!matches!(value.data, Data::Optional(None)));
            self.budget.pay(cost).map(|()| value)
        };
        match &expr.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Global(index) => self.globals.get(*index).map_err(at),
            Kind::Local(slot) => locals.get(*slot).cloned().ok_or_else(|| at(unbound())),
            Kind::Composed(index) => {
                self.budget.pay(1).map_err(at)?;
                self.memoised(*index)
            }
            Kind::Select { operand, field, optional } => {
                let operand = self.operand(operand, locals)?;
                select(&operand, field, *optional).and_then(selected).map_err(at)
            }
            Kind::Has { operand, field } => {
                let operand = self.operand(operand, locals)?;
                let is_missing = matches!(operand.data, Data::Optional(None));
                self.budget.pay(u64::from(!is_missing)).and_then(|()| has(&operand, field)).map_err(at)
            }
            Kind::Index { operand, key, optional } => {
                let operand = self.operand(operand, locals)?;
                let key = self.operand(key, locals)?;
                index(&operand, &key, *optional).and_then(selected).map_err(at)
            }
            Kind::List(elements) => self.list_literal(elements, expr.span, locals),
            Kind::Map(entries) => self.map_literal(entries, locals),
            Kind::And(a, b) => self.logical(a, b, false, locals),
            Kind::Or(a, b) => self.logical(a, b, true, locals),
            Kind::Conditional(condition, yes, no) => match self.eval(condition, locals)?.data {
                Data::Bool(true) => self.operand(yes, locals),
                Data::Bool(false) => self.operand(no, locals),
                _ => Err(at(Failure::NoSuchOverload)),
            },
            Kind::Call { overloads, cost, args } => self.call(overloads, *cost, args, expr.span, locals),
            Kind::Macro(node) => self.run_macro(node, expr, locals),
        }
    }

    fn list_literal(&self, elements: &[(Expr, bool)], span: Span, locals: &mut Locals) -> Result<Val, EvalError> {
        let mut items = Vec::with_capacity(elements.len());
        for (element, optional) in elements {
            let value = self.eval(element, locals)?;
            match (optional, value.data) {
                (false, data) => items.push(Val { data, origin: value.origin }),
                (true, Data::Optional(Some(inner))) => items.push((*inner).clone()),
                (true, Data::Optional(None)) => {}
                (true, _) => return Err(error(Failure::NoSuchOverload, span)),
            }
        }
        Ok(Val::list(items, None))
    }

    fn call(
        &self,
        overloads: &[&'static Row],
        cost: cost::OfCall,
        args: &[Expr],
        span: Span,
        locals: &mut Locals,
    ) -> Result<Val, EvalError> {
        let at = |failure| error(failure, span);
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(self.eval(arg, locals)?);
            if let [first] = values.as_slice()
                && overloads.iter().any(|row| optional::needs_no_other(row, first))
            {
                break;
            }
        }
        let args = values;
        self.budget.pay(cost(&args)).map_err(at)?;
        for row in overloads {
            match (row.call)(&self.budget, &args) {
                Err(Failure::NoSuchOverload) => {}
                Err(failure) => return Err(at(failure)),
                Ok(value) if value.origin.is_some() => return Ok(value),
                Ok(value) => return Ok(value.traced(Origin::join(args.iter()))),
            }
        }
        Err(at(Failure::NoSuchOverload))
    }

    fn memoised(&self, index: usize) -> Result<Val, EvalError> {
        if let Some(Some(known)) = self.memo(index).borrow().get(index) {
            return known.clone();
        }
        let missing = || error(unbound(), Span::default());
        let expr = self.composed(index).ok_or_else(missing)?;
        // A variable can only use those before it, so this ends.
        let result = self.budget.call(|| self.eval(expr, &mut Vec::new()));
        let result = result.map_err(|error| EvalError { variable: error.variable.or(Some(index)), ..error });
        if let Some(cell) = self.memo(index).borrow_mut().get_mut(index) {
            *cell = Some(result.clone());
        }
        result
    }

    /// `&&` (decided by false) and `||` (decided by true). An error on one side is absorbed when the other decides.
    fn logical(&self, a: &Expr, b: &Expr, decides: bool, locals: &mut Locals) -> Result<Val, EvalError> {
        let truth = |side: &Expr, locals: &mut Locals| match self.eval(side, locals) {
            Ok(Val { data: Data::Bool(value), origin }) => Ok((value, origin)),
            Ok(_) => Err(error(Failure::NoSuchOverload, side.span)),
            Err(error) => Err(error),
        };
        let left = truth(a, locals);
        match &left {
            Ok((value, origin)) if *value == decides => return Ok(Val::traced(decides.into(), origin.clone())),
            Err(EvalError { failure: Failure::OverBudget, .. }) => return Err(left.unwrap_err()),
            _ => {}
        }
        match (truth(b, locals), left) {
            (Ok((value, origin)), _) if value == decides => Ok(Val::traced(decides.into(), origin)),
            (Err(error @ EvalError { failure: Failure::OverBudget, .. }), _) => Err(error),
            (_, Err(error)) | (Err(error), _) => Err(error),
            (Ok((_, right)), Ok((_, left))) => {
                let sides = [Val::traced(Data::Null.into(), left), Val::traced(Data::Null.into(), right)];
                Ok(Val::traced((!decides).into(), Origin::join(sides.iter())))
            }
        }
    }

    fn map_literal(&self, entries: &[(Expr, Expr, bool)], locals: &mut Locals) -> Result<Val, EvalError> {
        let mut map = BTreeMap::new();
        for (key, value, optional) in entries {
            let at = |failure| error(failure, key.span);
            let name = self.eval(key, locals)?;
            let name = Key::of(&name).ok_or_else(|| at(Failure::new("unsupported key type")))?;
            let value = match (optional, self.eval(value, locals)?) {
                (false, value) => value,
                (true, Val { data: Data::Optional(Some(inner)), .. }) => (*inner).clone(),
                (true, Val { data: Data::Optional(None), .. }) => continue,
                (true, _) => return Err(at(Failure::NoSuchOverload)),
            };
            map.insert(name, value);
        }
        Ok(Val::map(map, None))
    }
}

pub(super) fn error(failure: Failure, span: Span) -> EvalError {
    EvalError { failure, variable: None, span }
}

pub(crate) fn unbound() -> Failure {
    Failure::new("no such attribute(s): authorizer: without a cluster there is no user, and nothing to ask about one")
}

impl Val {
    /// A list's elements, if it is one.
    pub(super) fn items(&self) -> Option<Vec<Val>> {
        match &self.data {
            Data::List(list) => Some(list.iter(self.origin.as_ref()).collect()),
            _ => None,
        }
    }

    /// A list, if it is one.
    pub(super) fn as_list(&self) -> Option<&List> {
        match &self.data {
            Data::List(list) => Some(list),
            _ => None,
        }
    }
}
