//! Going into shapes: fields, elements, keys that are computed.

use std::rc::Rc;
use std::sync::Arc;

use super::Use;
use super::functions::guessed;
use super::pattern::{Pattern, Step};
use super::record::Recorder;
use super::shape::{Atom, List, MAX_ATOMS, MAX_STEPS, Map, Place, Shape};
use crate::source::Location;
use crate::value::Value;

/// How many merged maps are followed for one field.
const MAX_MERGED: usize = 16;

impl Recorder {
    /// `shape.key`
    pub fn field(&mut self, shape: &Shape, key: &str, at: &Location) -> Shape {
        self.step_into(shape, &Step::Key(key.into()), at, 0)
    }

    /// Any element of a list, or entry of a map.
    pub fn each(&mut self, shape: &Shape, at: &Location) -> Shape {
        self.step_into(shape, &Step::Each, at, 0)
    }

    /// `index shape key`, where the key is computed.
    pub fn index(&mut self, shape: &Shape, key: &Shape, at: &Location) -> Shape {
        self.consume(key, &Use::Call("index"), true);
        if let Some(keys) = key.keys() {
            let shape = if keys.len() > 1 { &guessed(shape) } else { shape };
            return keys.iter().fold(Shape::default(), |found, key| {
                let field = self.field(shape, key, at);
                found.or(&field)
            });
        }
        let position = match key.as_literal() {
            Some(Value::Int(position)) => usize::try_from(*position).ok(),
            _ => None,
        };
        let exact = |atom: &Atom| match (atom, position) {
            (Atom::List(list), Some(position)) if list.exact => Some(list.items.get(position).cloned()),
            _ => None,
        };
        let mut found = Shape::default();
        for atom in &shape.0 {
            match exact(atom) {
                Some(item) => found.add(&item.unwrap_or_else(Shape::other)),
                None => {
                    let each = self.each(&Shape(vec![atom.clone()]), at);
                    found.add(&each)
                }
            };
        }
        found
    }

    fn step_into(&mut self, shape: &Shape, step: &Step, at: &Location, merged: usize) -> Shape {
        if merged > MAX_MERGED || !self.step() {
            self.consume(shape, &Use::Unknown, true);
            return Shape::other();
        }
        let holds = |atom: &&Atom| matches!(atom, Atom::Values(_) | Atom::Map(_));
        let shape = if shape.0.iter().filter(holds).count() > 1 { &guessed(shape) } else { shape };
        let mut found = Shape::default();
        for atom in &shape.0 {
            match (atom, step) {
                (Atom::Values(place), _) => {
                    let inner = self.step_into_values(place, step, at, merged);
                    found.add(&inner);
                }
                (Atom::Map(map), _) => {
                    match step {
                        Step::Key(key) => {
                            let known = map.fields.borrow().get(key).cloned();
                            let field = known.unwrap_or_else(|| map.lacking());
                            found.add(&if map.root.is_some() { field.named_at(at) } else { field });
                            found.add(&map.any.borrow());
                        }
                        Step::Each => {
                            found.add(&map.entries());
                        }
                    }
                    let below = map.merged.borrow().clone();
                    if !below.0.is_empty() {
                        let inner = self.step_into(&below, step, at, merged + 1);
                        found.add(&inner);
                    }
                }
                (Atom::List(list), Step::Each) => list.items.iter().for_each(|item| {
                    found.add(item);
                }),
                (Atom::Files(_) | Atom::Foreign, _) => {
                    found.add(&Shape(vec![Atom::Foreign]));
                }
                _ => {
                    found.add(&Shape::other());
                }
            }
        }
        self.narrowed(found)
    }

    fn step_into_values(&mut self, place: &Place, step: &Step, at: &Location, merged: usize) -> Shape {
        if place.path.0.len() >= MAX_STEPS {
            let place = Shape(vec![Atom::Values(place.clone())]);
            self.consume(&place, &Use::Unknown, true);
            return Shape::other();
        }
        let inner = place.step(step.clone(), at);
        let same = |written: &Pattern, path: &Pattern| written.0.len() == path.0.len() && written.begins(path);
        let put: Vec<(bool, Shape)> = self
            .written
            .iter()
            .filter_map(|(written, shape)| {
                let here = same(written, &inner.path);
                (here || same(written, &place.path)).then(|| (here, shape.clone()))
            })
            .collect();
        let mut found = Shape(vec![Atom::Values(inner)]);
        for (here, shape) in put {
            let shape = if here { shape } else { self.step_into(&shape, step, at, merged + 1) };
            found.add(&shape);
        }
        found
    }

    /// A shape that may be too much is read as a whole, and then unknown.
    pub fn narrowed(&mut self, shape: Shape) -> Shape {
        if shape.0.len() <= MAX_ATOMS {
            return shape;
        }
        self.consume(&shape, &Use::Unknown, true);
        Shape::other()
    }

    /// Puts something into a map under a key, for all that hold the map.
    pub fn put(&mut self, map: &Shape, key: &Shape, value: &Shape) {
        let keys = key.keys();
        for atom in &map.0 {
            match atom {
                Atom::Values(place) => match &keys {
                    Some(keys) => keys.iter().for_each(|key| self.write(place.path.key(key.clone()), value)),
                    None => self.write(place.path.with(Step::Each), value),
                },
                Atom::Map(map) => {
                    if map.root.is_some() && keys.as_ref().is_none_or(|keys| keys.iter().any(|key| &**key == "Values"))
                    {
                        let values = map.fields.borrow().get("Values").cloned().unwrap_or_default();
                        self.replaced.extend(values.0.iter().filter_map(|atom| match atom {
                            Atom::Values(place) => Some(place.path.clone()),
                            _ => None,
                        }));
                    }
                    let is_new = match &keys {
                        Some(keys) => keys.iter().fold(false, |new, key| {
                            map.fields.borrow_mut().entry(key.clone()).or_default().add(value) | new
                        }),
                        None => map.any.borrow_mut().add(value),
                    };
                    self.changed(map, is_new);
                }
                _ => {}
            }
        }
    }

    /// Merges maps into another one, for all that hold it.
    pub fn merge(&mut self, map: &Shape, others: &Shape) {
        for atom in &map.0 {
            match atom {
                Atom::Values(place) => self.write(place.path.clone(), others),
                Atom::Map(map) => {
                    let mut is_new = false;
                    for other in &others.0 {
                        match other {
                            // A map is not followed into itself.
                            Atom::Map(other) if Rc::ptr_eq(map, other) => {}
                            Atom::Other | Atom::Literal(_) => {}
                            _ => is_new |= map.merged.borrow_mut().add(&Shape(vec![other.clone()])),
                        }
                    }
                    self.changed(map, is_new);
                }
                _ => {}
            }
        }
    }

    fn changed(&mut self, map: &Rc<Map>, is_new: bool) {
        if is_new {
            self.change(map.made);
            if let Some(root) = &map.root {
                root.changes.set(root.changes.get() + 1);
            }
        }
    }

    fn write(&mut self, path: Pattern, value: &Shape) {
        // Values put into themselves go in circles.
        let circular = |atom: &&Atom| match atom {
            Atom::Values(place) => place.path.begins(&path) || path.begins(&place.path),
            Atom::Map(_) | Atom::List(_) => false,
            _ => true,
        };
        let (inner, new): (Vec<&Atom>, Vec<&Atom>) = value.0.iter().partition(circular);
        let moved = |atom: &&&Atom| matches!(atom, Atom::Values(place) if place.path != path);
        let inner = Shape(inner.iter().filter(moved).map(|atom| (**atom).clone()).collect());
        self.consume(&inner, &Use::Unknown, true);
        let new = Shape(new.into_iter().cloned().collect());
        if let Some((_, known)) = self.written.iter_mut().find(|(written, _)| *written == path) {
            if known.add(&new) {
                self.change(0);
            }
            return;
        }
        self.change(0);
        self.written.push((path, new));
    }

    /// The elements of a list as it is, or unknown ones.
    pub fn items(&mut self, shape: &Shape, at: &Location) -> Rc<List> {
        match &shape.0[..] {
            [Atom::List(list)] => list.clone(),
            _ => {
                let each = self.each(shape, at);
                Rc::new(List { items: vec![each], exact: false })
            }
        }
    }

    /// The keys of a map, where the template says them all.
    pub fn keys_of(&self, shape: &Shape) -> Shape {
        let mut keys = Shape::default();
        for atom in &shape.0 {
            match atom {
                Atom::Map(map) if map.any.borrow().0.is_empty() && map.merged.borrow().0.is_empty() => {
                    map.fields.borrow().keys().for_each(|key: &Arc<str>| {
                        keys.add(&Shape::literal(Value::String(key.clone())));
                    });
                }
                _ => {
                    keys.add(&Shape::other());
                }
            }
        }
        keys
    }
}
