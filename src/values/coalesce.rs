//! Laying values over a chart's own and its subcharts'.
//!
//! Source: Helm's `pkg/chart/common/util/coalesce.go`. Null in the upper values takes a key away, except where values
//! are merged, which keeps nulls for a later pass.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::table::{Node, Table, TooDeep};
use crate::chart::Chart;
use crate::number;
use crate::value::{MAX_DEPTH, Value};

/// The most warnings that are kept.
const MAX_WARNINGS: usize = 200;

/// The deepest way: charts in charts, and values in these. Tables that are inside themselves have no end.
const MAX_PREFIX: usize = MAX_DEPTH + 50;

/// What Helm logs and goes on. The same warning is kept once: Helm comes by several times.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    pub(super) list: Vec<String>,
    known: HashSet<String>,
}

/// Values that cannot be laid over each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoalesceError {
    /// A subchart's values are no mapping. The text is Helm's.
    #[error("type mismatch on {chart}: {value}")]
    Type {
        /// The subchart.
        chart: String,
        /// What its values are, as Go's `%t` prints them.
        value: String,
    },
    /// Values in values without end; Helm crashes.
    #[error("values nest deeper than {MAX_DEPTH} levels, or import-values put them into themselves")]
    TooDeep,
}

impl From<TooDeep> for CoalesceError {
    fn from(TooDeep: TooDeep) -> Self {
        Self::TooDeep
    }
}

impl Warnings {
    pub(super) fn add(&mut self, warning: String) {
        if self.list.len() < MAX_WARNINGS && self.known.insert(warning.clone()) {
            self.list.push(warning);
        }
    }
}

/// Lays values over a chart's, and takes nulls away.
pub(super) fn coalesce(chart: &Chart, values: &Value, warnings: &mut Warnings) -> Result<Value, CoalesceError> {
    let table = Table::from(values);
    Coalesce { merge: false, warnings }.chart(chart, &table, &Prefix::default())?;
    Ok(Value::Map(table.freeze()?))
}

/// The values of a chart and its subcharts, with nulls. The tables are still to be changed.
pub(super) fn merged(chart: &Chart, warnings: &mut Warnings) -> Result<Table, CoalesceError> {
    let table = Table::default();
    Coalesce { merge: true, warnings }.chart(chart, &table, &Prefix::default())?;
    Ok(table)
}

/// Lays one table over another in place, keeping nulls.
pub(super) fn merge_tables(upper: &Table, lower: &Table, warnings: &mut Warnings) -> Result<(), CoalesceError> {
    Ok(Coalesce { merge: true, warnings }.tables(upper, lower, &Prefix::default(), true)?)
}

struct Coalesce<'a> {
    merge: bool,
    warnings: &'a mut Warnings,
}

impl Coalesce<'_> {
    fn chart(&mut self, chart: &Chart, values: &Table, prefix: &Prefix) -> Result<(), CoalesceError> {
        let prefix = &prefix.join(chart.name());
        self.own_values(chart, values, prefix)?;
        for subchart in &chart.dependencies {
            let below = match values.get(subchart.name()) {
                None => {
                    let empty = Table::default();
                    values.set(subchart.name(), Node::Table(empty.clone()));
                    empty
                }
                Some(Node::Table(table)) => table,
                Some(Node::Leaf(value)) => {
                    return Err(CoalesceError::Type {
                        chart: subchart.name().to_string(),
                        value: print_as_bool(&value),
                    });
                }
            };
            self.globals(&below, values, prefix)?;
            self.chart(subchart, &below, prefix)?;
        }
        Ok(())
    }

    fn own_values(&mut self, chart: &Chart, values: &Table, prefix: &Prefix) -> Result<(), TooDeep> {
        for (key, own) in Table::from(&chart.values).entries() {
            match (values.get(&key), own) {
                (None, own) => values.set(key, own),
                (Some(upper), _) if upper.is_null() && !self.merge => values.remove(&key),
                (Some(Node::Table(upper)), Node::Table(own)) => {
                    // A subchart's nulls are for its own turn.
                    let merge = self.merge || chart.dependencies.iter().any(|subchart| subchart.name() == &*key);
                    self.tables(&upper, &own, &prefix.join(&key), merge)?;
                }
                (Some(Node::Table(_)), own) if !own.is_null() => {
                    self.warnings.add(format!("warning: skipped value for {prefix}.{key}: Not a table."));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn globals(&mut self, below: &Table, above: &Table, prefix: &Prefix) -> Result<(), TooDeep> {
        let mut global = |table: &Table, side: &str| match table.get("global") {
            None => Some(Table::default()),
            Some(Node::Table(table)) => Some(table),
            Some(Node::Leaf(_)) => {
                self.warnings.add(format!("warning: skipping globals because {side} global is not a table."));
                None
            }
        };
        let Some(target) = global(below, "destination") else { return Ok(()) };
        let Some(source) = global(above, "source") else { return Ok(()) };
        for (key, value) in source.entries() {
            match (value, target.get(&key)) {
                (Node::Table(value), None) => target.set(key, Node::Table(value.shallow_copy())),
                (Node::Table(value), Some(Node::Table(known))) => {
                    let copy = value.shallow_copy();
                    self.tables(&copy, &known, &prefix.join(&key), true)?;
                    target.set(key, Node::Table(copy));
                }
                (Node::Table(_), Some(Node::Leaf(_))) => {
                    self.warnings.add(format!("Conflict: cannot merge map onto non-map for {key:?}. Skipping."));
                }
                (Node::Leaf(_), Some(Node::Table(_))) => self.warnings.add(format!("key {key} is table. Skipping")),
                (value, _) => target.set(key, value),
            }
        }
        below.set("global", Node::Table(target));
        Ok(())
    }

    /// Lays `upper` over `lower`; the result is in `upper`, and `lower` gets the nulls of `upper`.
    fn tables(&mut self, upper: &Table, lower: &Table, prefix: &Prefix, merge: bool) -> Result<(), TooDeep> {
        if prefix.depth > MAX_PREFIX {
            return Err(TooDeep);
        }
        let lower_entries = lower.entries();
        let set_below: HashSet<Arc<str>> =
            lower_entries.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key).collect();
        for (key, value) in upper.entries() {
            if value.is_null() {
                lower.set(key, value);
            }
        }
        for (key, value) in lower.entries() {
            match (upper.get(&key), value) {
                (Some(known), _) if known.is_null() && !merge && set_below.contains(&key) => upper.remove(&key),
                (None, value) => upper.set(key, value),
                (Some(Node::Table(known)), Node::Table(value)) => {
                    self.tables(&known, &value, &prefix.join(&key), merge)?;
                }
                (Some(Node::Leaf(_)), Node::Table(value)) => {
                    let (key, value) = (prefix.join(&key), Node::Table(value).print());
                    self.warnings.add(format!("warning: cannot overwrite table with non table for {key} ({value})"));
                }
                (Some(Node::Table(_)), value) if !value.is_null() => {
                    let (key, value) = (prefix.join(&key), value.print());
                    self.warnings
                        .add(format!("warning: destination for {key} is a table. Ignoring non-table value ({value})"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The dotted way to where values are being laid over each other, for warnings.
#[derive(Clone, Copy, Default)]
struct Prefix<'a> {
    above: Option<&'a Prefix<'a>>,
    name: &'a str,
    depth: usize,
}

impl<'a> Prefix<'a> {
    fn join(&'a self, name: &'a str) -> Self {
        Self { above: Some(self), name, depth: self.depth + 1 }
    }
}

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above.filter(|above| above.above.is_some()) {
            write!(f, "{above}.")?;
        }
        f.write_str(self.name)
    }
}

/// Go's `%t`, which is meant for booleans: `%!t(string=text)`.
fn print_as_bool(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Null => "%!t(<nil>)".to_string(),
        Value::Int(value) => format!("%!t(int64={value})"),
        Value::Float(value) => format!("%!t(float64={})", number::general(*value)),
        Value::String(text) => format!("%!t(string={text})"),
        Value::List(items) => {
            format!("[{}]", items.iter().map(print_as_bool).collect::<Vec<_>>().join(" "))
        }
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| format!("%!t(string={key}):{}", print_as_bool(value)));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
    }
}
