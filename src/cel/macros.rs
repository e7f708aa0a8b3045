//! The macros that run over lists and maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cost;
use super::eval::{Evaluation, Locals, error};
use super::ops;
use super::tree::{Expr, Macro, MacroKind};
use super::value::{Data, Key, Origin, Val};
use super::{EvalError, Failure};

impl Evaluation<'_> {
    /// The bindings that a macro runs over: one or two values each.
    pub(super) fn bindings(&self, node: &Macro, range: &Val) -> Result<Vec<[Val; 2]>, Failure> {
        let origin = range.origin.as_ref();
        let all: Vec<[Val; 2]> = match &range.data {
            Data::List(list) if node.two => {
                list.iter(origin).enumerate().map(|(i, item)| [Val::new(Data::Int(i as i64)), item]).collect()
            }
            Data::List(list) => list.iter(origin).map(|item| [item, Val::new(Data::Null)]).collect(),
            Data::Map(map) => map.entries(origin).into_iter().map(|(key, value)| [key, value]).collect(),
            Data::Optional(inner) if matches!(node.kind, MacroKind::OptMap | MacroKind::OptFlatMap) => {
                inner.iter().map(|inner| [inner.as_ref().clone(), Val::new(Data::Null)]).collect()
            }
            _ if node.two => {
                return Err(Failure::Other(format!("unsupported comprehension range type: {}", range.go_name())));
            }
            _ => return Err(Failure::Other(format!("got '{}', expected iterable type", range.go_name()))),
        };
        self.budget.charge(all.len())?;
        Ok(all)
    }

    /// Evaluates something with a macro's variables bound.
    pub(super) fn bound<T>(
        &self,
        node: &Macro,
        binding: &[Val; 2],
        locals: &mut Locals,
        run: impl FnOnce(&mut Locals) -> T,
    ) -> T {
        let depth = locals.len();
        locals.truncate(node.slot);
        locals.extend(binding.iter().take(if node.two { 2 } else { 1 }).cloned());
        let result = run(locals);
        locals.truncate(depth.min(node.slot));
        result
    }

    pub(super) fn run_macro(&self, node: &Macro, expr: &Expr, locals: &mut Locals) -> Result<Val, EvalError> {
        let at = |failure| error(failure, expr.span);
        let before = self.budget.left_of_call();
        let range = self.eval(&node.range, locals)?;
        let of_range = before.saturating_sub(self.budget.left_of_call());
        let pay = |cost: u64| self.budget.pay(cost).map_err(at);
        pay(node.kind.cost())?;
        let fallback = range.origin.clone();
        let bindings = self.bindings(node, &range).map_err(at)?;
        let truth = |value: Val, span| match value.data {
            Data::Bool(value) => Ok(value),
            _ => Err(error(Failure::NoSuchOverload, span)),
        };
        match node.kind {
            MacroKind::All | MacroKind::Exists => {
                let decides = node.kind == MacroKind::Exists;
                let mut failed = None;
                let of_test = if decides { 3 } else { 2 };
                for (i, binding) in bindings.iter().enumerate() {
                    pay(of_test + 1)?;
                    let value = self.bound(node, binding, locals, |locals| self.eval(&node.body, locals));
                    match value.and_then(|value| truth(value, node.body.span)) {
                        Ok(value) if value == decides => {
                            pay(if i + 1 < bindings.len() { of_test } else { 0 })?;
                            return Ok(Val::traced(decides.into(), binding[usize::from(node.two)].origin.clone()));
                        }
                        Ok(_) => {}
                        Err(error) if error.failure == Failure::OverBudget => return Err(error),
                        Err(error) => failed = Some(error),
                    }
                }
                failed.map_or_else(|| Ok(Val::traced((!decides).into(), fallback)), Err)
            }
            MacroKind::ExistsOne => {
                let mut found = 0;
                for binding in &bindings {
                    let value = self.bound(node, binding, locals, |locals| self.eval(&node.body, locals))?;
                    if truth(value, node.body.span)? {
                        pay(2)?;
                        found += 1;
                    }
                }
                Ok(Val::traced((found == 1).into(), fallback))
            }
            MacroKind::Filter => {
                let mut kept = Vec::new();
                for binding in bindings {
                    let value = self.bound(node, &binding, locals, |locals| self.eval(&node.body, locals))?;
                    if truth(value, node.body.span)? {
                        pay(13)?;
                        let [item, _] = binding;
                        kept.push(item);
                    }
                }
                Ok(Val::list(kept, fallback.as_ref()))
            }
            MacroKind::Map | MacroKind::TransformMap | MacroKind::TransformMapEntry => {
                let mut items = Vec::new();
                let mut keys = Vec::new();
                let of_item = match node.kind {
                    MacroKind::Map if cost::is_constant(&node.body.kind) => 2,
                    MacroKind::Map => 12,
                    MacroKind::TransformMap => 3,
                    _ => 2,
                };
                for binding in &bindings {
                    let result = self.bound(node, binding, locals, |locals| {
                        if let Some(filter) = &node.filter {
                            let value = self.eval(filter, locals)?;
                            if !truth(value, filter.span)? {
                                return Ok(None);
                            }
                        }
                        pay(of_item)?;
                        self.eval(&node.body, locals).map(Some)
                    })?;
                    if let Some(mut value) = result {
                        if value.origin.is_none() {
                            value.origin = binding[usize::from(node.two)].origin.clone();
                        }
                        items.push(value);
                        keys.push(binding[0].clone());
                    }
                }
                match node.kind {
                    MacroKind::Map => Ok(Val::list(items, fallback.as_ref())),
                    MacroKind::TransformMap => {
                        let entries = keys.iter().filter_map(Key::of).zip(items).collect();
                        Ok(Val::map(entries, fallback.as_ref()))
                    }
                    _ => merge_entries(&items, fallback.as_ref()).map_err(at),
                }
            }
            MacroKind::SortBy => {
                let Data::List(_) = range.data else { return Err(at(Failure::NoSuchOverload)) };
                let mut keyed = Vec::with_capacity(bindings.len());
                for binding in bindings {
                    pay(12)?;
                    let key = self.bound(node, &binding, locals, |locals| self.eval(&node.body, locals))?;
                    let [item, _] = binding;
                    keyed.push((key, item));
                }
                pay(if node.typed {
                    cost::of_comparing_all(keyed.len(), keyed.first().map(|(key, _)| key))
                } else {
                    1
                })?;
                let sorted = ops::sort_by_key(&self.budget, keyed).map_err(at)?;
                Ok(Val::list(sorted, fallback.as_ref()))
            }
            MacroKind::GroupBy => {
                let Data::List(_) = range.data else { return Err(at(Failure::NoSuchOverload)) };
                let mut groups: BTreeMap<Key, Vec<Val>> = BTreeMap::new();
                for binding in bindings {
                    pay(13)?;
                    let key = self.bound(node, &binding, locals, |locals| self.eval(&node.body, locals))?;
                    let key =
                        Key::of(&key).ok_or_else(|| error(Failure::new("unsupported key type"), node.body.span))?;
                    let [item, _] = binding;
                    groups.entry(key).or_default().push(item);
                }
                let groups = groups.into_iter().map(|(key, items)| (key, Val::list(items, fallback.as_ref())));
                Ok(Val::map(groups.collect(), fallback.as_ref()))
            }
            MacroKind::OptMap | MacroKind::OptFlatMap => {
                if !matches!(range.data, Data::Optional(_)) {
                    return Err(at(Failure::NoSuchOverload));
                }
                let Some(binding) = bindings.first() else { return Ok(Val::none().traced(fallback)) };
                // The API server evaluates the optional value again, to take what it holds.
                pay(of_range.saturating_add(if node.kind == MacroKind::OptMap { 1 } else { 0 }))?;
                let value = self.bound(node, binding, locals, |locals| self.eval(&node.body, locals))?;
                match (node.kind, &value.data) {
                    (MacroKind::OptMap, _) => Ok(Val::some(value)),
                    (_, Data::Optional(_)) => Ok(value),
                    _ => Err(at(Failure::NoSuchOverload)),
                }
            }
        }
    }
}

impl MacroKind {
    /// What it costs in cel-go whatever it runs over: reading the result, mostly.
    fn cost(self) -> u64 {
        match self {
            Self::ExistsOne | Self::OptMap | Self::OptFlatMap => 2,
            Self::SortBy => 3,
            _ => 1,
        }
    }
}

fn merge_entries(items: &[Val], fallback: Option<&Arc<Origin>>) -> Result<Val, Failure> {
    let mut entries = BTreeMap::new();
    for item in items {
        let Data::Map(map) = &item.data else { return Err(Failure::NoSuchOverload) };
        for (key, value) in map.entries(item.origin.as_ref()) {
            let key = Key::of(&key).ok_or(Failure::NoSuchOverload)?;
            if let Key::String(name) = &key
                && entries.contains_key(&key)
            {
                return Err(Failure::Other(format!("insert failed: key {name} already exists")));
            }
            if entries.insert(key, value).is_some() {
                return Err(Failure::new("insert failed: key already exists"));
            }
        }
    }
    Ok(Val::map(entries, fallback))
}
