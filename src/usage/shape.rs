//! What an expression of a template may be: which values keys, which literals, which maps and lists of these.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use super::pattern::{Pattern, Step, Tolerance};
use crate::source::Location;
use crate::value::Value;

/// The most things that one expression may be; one that may be more is taken for unknown.
pub const MAX_ATOMS: usize = 24;
/// The longest path that is followed: recursive templates walk values of any depth.
pub const MAX_STEPS: usize = 24;
/// How many maps inside each other are looked into.
const MAX_DEPTH: usize = 6;
/// The longest name of a shape.
const MAX_NAME: usize = 1 << 14;

/// Everything that an expression may be. None is something that holds no values: a text, a number, the release.
#[derive(Debug, Clone, Default)]
pub struct Shape(pub Vec<Atom>);

/// One thing that an expression may be.
#[derive(Debug, Clone)]
pub enum Atom {
    /// Something that holds no values and is not known.
    Other,
    /// A value, or part of one.
    Values(Place),
    /// A scalar that the template itself says.
    Literal(Value),
    /// A text of which parts are known: `*` stands for the others.
    Glob(Rc<str>),
    /// A map that the template made, or that Helm gives it.
    Map(Rc<Map>),
    /// A list that the template made.
    List(Rc<List>),
    /// `.Files`
    Files(Rc<str>),
    /// Text of a file: what it says as a template is not known.
    Foreign,
}

/// A place in values.
#[derive(Debug, Clone)]
pub struct Place {
    /// The way to it.
    pub path: Pattern,
    /// Which of its steps may be missing.
    pub tolerates: Tolerance,
    /// Where the template names it.
    pub at: Location,
}

/// A map of a template. `set` and `merge` add to it for all that hold it; nothing is ever taken away.
#[derive(Debug, Default)]
pub struct Map {
    /// What has a known key.
    pub fields: RefCell<BTreeMap<Arc<str>, Shape>>,
    /// What has any other.
    pub any: RefCell<Shape>,
    /// Maps that were merged into it.
    pub merged: RefCell<Shape>,
    /// Which of the analysis's maps it is, the oldest first; 0 for those that are there before it.
    pub made: usize,
    /// For the dot of a chart.
    pub root: Option<Root>,
}

/// The dot of a chart, which is large and the same everywhere: it is named by its number and its changes.
#[derive(Debug)]
pub struct Root {
    /// Which chart's.
    pub chart: usize,
    /// How often it was changed.
    pub changes: Cell<usize>,
}

/// A list of a template.
#[derive(Debug)]
pub struct List {
    /// Its elements.
    pub items: Vec<Shape>,
    /// Whether they stand where the template's list has them, and are all.
    pub exact: bool,
}

impl Shape {
    /// Something unknown that holds no values.
    pub fn other() -> Self {
        Self(vec![Atom::Other])
    }

    /// One literal.
    pub fn literal(value: impl Into<Value>) -> Self {
        Self(vec![Atom::Literal(value.into())])
    }

    /// A new map.
    pub fn map(fields: impl IntoIterator<Item = (Arc<str>, Shape)>) -> Self {
        let fields = RefCell::new(fields.into_iter().collect());
        Self(vec![Atom::Map(Rc::new(Map { fields, ..Map::default() }))])
    }

    /// A new list.
    pub fn list(items: Vec<Shape>, exact: bool) -> Self {
        Self(vec![Atom::List(Rc::new(List { items, exact }))])
    }

    /// Adds what another one may be; whether that is anything new.
    pub fn add(&mut self, other: &Shape) -> bool {
        let before = self.0.len();
        for atom in &other.0 {
            if !self.0.iter().any(|known| known.same(atom)) {
                self.0.push(atom.clone());
            }
        }
        self.0.len() > before
    }

    /// What both may be.
    pub fn or(mut self, other: &Shape) -> Self {
        self.add(other);
        self
    }

    /// The same, where a template names what Helm gives it.
    pub fn named_at(self, at: &Location) -> Self {
        let named = |atom| match atom {
            Atom::Values(place) if place.at.span.end == 0 => Atom::Values(Place { at: at.clone(), ..place }),
            other => other,
        };
        Self(self.0.into_iter().map(named).collect())
    }

    /// The keys that it may be, where it is nothing but literals.
    pub fn keys(&self) -> Option<Vec<Arc<str>>> {
        let key = |atom: &Atom| match atom {
            Atom::Literal(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        self.0.iter().map(key).collect::<Option<Vec<_>>>().filter(|keys| !keys.is_empty())
    }

    /// The one literal that it is.
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.0[..] {
            [Atom::Literal(value)] => Some(value),
            _ => None,
        }
    }

    /// Whether it is true, where it is nothing but literals that agree.
    pub fn truth(&self) -> Option<bool> {
        let truth = |atom: &Atom| match atom {
            Atom::Literal(Value::Null) => Some(false),
            Atom::Literal(Value::Bool(value)) => Some(*value),
            Atom::Literal(Value::Int(value)) => Some(*value != 0),
            Atom::Literal(Value::String(text)) => Some(!text.is_empty()),
            _ => None,
        };
        let first = truth(self.0.first()?)?;
        self.0.iter().all(|atom| truth(atom) == Some(first)).then_some(first)
    }

    /// The value that a default is, where the template says it.
    pub fn as_default(&self) -> Option<Value> {
        match &self.0[..] {
            [Atom::Literal(value)] => Some(value.clone()),
            [Atom::Map(map)] if map.is_empty() => Some(crate::value::Map::default().into()),
            [Atom::List(list)] if list.exact && list.items.is_empty() => Some(Value::List(Arc::default())),
            _ => None,
        }
    }

    /// A name that only equal shapes have; `None` where it is too large for one.
    pub fn name(&self) -> Option<String> {
        let mut name = String::new();
        self.write(&mut name, 0)?;
        Some(name)
    }

    fn write(&self, out: &mut String, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH || out.len() > MAX_NAME {
            return None;
        }
        let mut atoms: Vec<String> = Vec::with_capacity(self.0.len());
        for atom in &self.0 {
            let mut name = String::new();
            match atom {
                Atom::Other => name.push('?'),
                Atom::Foreign => name.push('!'),
                Atom::Values(place) => write!(name, "@{}~{:?}", place.path, place.tolerates).ok()?,
                Atom::Literal(value) => write!(name, "={value:?}").ok()?,
                Atom::Glob(glob) => write!(name, "*{glob:?}").ok()?,
                Atom::Files(chart) => write!(name, "/{chart}").ok()?,
                Atom::Map(map) => map.write(&mut name, depth)?,
                Atom::List(list) => {
                    name.push_str(if list.exact { "[" } else { "~[" });
                    list.items.iter().try_for_each(|item| {
                        item.write(&mut name, depth + 1)?;
                        name.push(',');
                        Some(())
                    })?;
                }
            }
            atoms.push(name);
        }
        atoms.sort();
        out.push('(');
        atoms.iter().for_each(|name| out.push_str(name));
        out.push(')');
        (out.len() <= MAX_NAME).then_some(())
    }
}

impl Atom {
    /// Whether another atom says nothing new. Maps are the same where they are one.
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Other, Self::Other) | (Self::Foreign, Self::Foreign) | (Self::Files(_), Self::Files(_)) => true,
            (Self::Values(a), Self::Values(b)) => a.path == b.path && a.tolerates == b.tolerates,
            (Self::Literal(a), Self::Literal(b)) => a == b,
            (Self::Glob(a), Self::Glob(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => Rc::ptr_eq(a, b),
            (Self::List(a), Self::List(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Map {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.fields.borrow().is_empty() && self.any.borrow().0.is_empty() && self.merged.borrow().0.is_empty()
    }

    /// Everything that may be in it, without what is merged.
    pub fn entries(&self) -> Shape {
        let any = self.any.borrow().clone();
        self.fields.borrow().values().fold(any, |all, field| all.or(field))
    }

    /// What it has under a key that no field has.
    pub fn lacking(&self) -> Shape {
        let is_open = self.root.is_some() || !self.any.borrow().0.is_empty() || !self.merged.borrow().0.is_empty();
        if is_open { Shape::other() } else { Shape::literal(Value::Null) }
    }

    fn write(&self, out: &mut String, depth: usize) -> Option<()> {
        if let Some(root) = &self.root {
            return write!(out, "#{}.{}", root.chart, root.changes.get()).ok();
        }
        out.push('{');
        for (key, field) in self.fields.borrow().iter() {
            write!(out, "{key:?}:").ok()?;
            field.write(out, depth + 1)?;
        }
        out.push('}');
        self.any.borrow().write(out, depth + 1)?;
        self.merged.borrow().write(out, depth + 1)
    }
}

impl Place {
    /// A place inside of it.
    pub fn step(&self, step: Step, at: &Location) -> Self {
        Self { path: self.path.with(step), tolerates: self.tolerates, at: at.clone() }
    }

    /// The same, which may be missing.
    pub fn tolerated(&self) -> Self {
        Self { tolerates: self.tolerates.with(self.path.0.len()), ..self.clone() }
    }
}
