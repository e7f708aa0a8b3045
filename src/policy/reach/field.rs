//! Fields of objects as evidence, and how objects are read: nothing is allocated until a field is worth remembering.

use super::Error;
use crate::value::{Path, Step, Value};

/// A key and, where it holds a list, an index into it: `containers[0]`.
type Seg<'a> = (&'a str, Option<usize>);

/// A field of an object: something that a relation rests on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field<'a> {
    /// The object, by its number in the graph.
    pub object: usize,
    path: Box<[Seg<'a>]>,
}

impl Field<'_> {
    /// The way to the field. It may be missing: then its absence is what counts.
    pub fn path(&self) -> Path {
        let steps = self
            .path
            .iter()
            .flat_map(|(key, index)| [Some(Step::Key((*key).into())), index.map(Step::Index)].into_iter().flatten());
        Path(steps.collect())
    }
}

/// A value inside an object that knows the way to itself by its parents, which are on the stack.
#[derive(Clone, Copy)]
pub(crate) struct At<'p, 'a> {
    value: &'a Value,
    parent: Option<&'p At<'p, 'a>>,
    seg: Seg<'a>,
    pub object: usize,
}

const MISSING: &Value = &Value::Null;

impl<'p, 'a> At<'p, 'a> {
    pub(crate) fn root(object: usize, value: &'a Value) -> Self {
        Self { value, parent: None, seg: ("", None), object }
    }

    /// The field of a key; null where it is missing.
    pub(crate) fn get<'s>(&'s self, key: &'a str) -> Result<At<'s, 'a>, Error> {
        let value = match self.value {
            Value::Map(map) => map.get(key).unwrap_or(MISSING),
            Value::Null => MISSING,
            _ => return Err(self.wrong("a map")),
        };
        Ok(At { value, parent: Some(self), seg: (key, None), object: self.object })
    }

    /// The elements of the list that a key holds; none where it is missing.
    pub(crate) fn items<'s>(&'s self, key: &'a str) -> Result<impl Iterator<Item = At<'s, 'a>>, Error> {
        let list = self.get(key)?;
        let items: &'a [Value] = match list.value {
            Value::List(items) => items,
            Value::Null => &[],
            _ => return Err(list.wrong("a list")),
        };
        let at = |(index, value)| At { value, parent: Some(self), seg: (key, Some(index)), object: self.object };
        Ok(items.iter().enumerate().map(at))
    }

    /// The texts of the list that a key holds.
    pub(crate) fn texts(&self, key: &'a str) -> Result<Vec<&'a str>, Error> {
        self.items(key)?.map(|item| item.text()).collect()
    }

    /// The text of a key; empty where it is missing.
    pub(crate) fn text_of(&self, key: &'a str) -> Result<&'a str, Error> {
        self.get(key)?.text()
    }

    /// The value as text; empty where it is missing.
    pub(crate) fn text(&self) -> Result<&'a str, Error> {
        match self.value {
            Value::String(text) => Ok(text),
            Value::Null => Ok(""),
            _ => Err(self.wrong("a text")),
        }
    }

    /// The switch of a key, if it is there.
    pub(crate) fn flag(&self, key: &'a str) -> Result<Option<bool>, Error> {
        let at = self.get(key)?;
        match at.value {
            Value::Bool(value) => Ok(Some(*value)),
            Value::Null => Ok(None),
            _ => Err(at.wrong("true or false")),
        }
    }

    /// The keys of a map; none where it is missing.
    pub(crate) fn keys(&self) -> Result<impl Iterator<Item = &'a str>, Error> {
        let map = match self.value {
            Value::Map(map) => Some(map),
            Value::Null => None,
            _ => return Err(self.wrong("a map")),
        };
        Ok(map.into_iter().flat_map(|map| map.iter().map(|(key, _)| &**key)))
    }

    /// What is there; null where it is missing.
    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    pub(crate) fn exists(&self) -> bool {
        !matches!(self.value, Value::Null)
    }

    /// The field itself, as evidence.
    pub(crate) fn field(&self) -> Field<'a> {
        let mut path = Vec::new();
        let mut at = self;
        while let Some(parent) = at.parent {
            path.push(at.seg);
            at = parent;
        }
        path.reverse();
        Field { object: self.object, path: path.into() }
    }

    /// Follows keys, and hands over what is there.
    pub(crate) fn descend(
        &self,
        keys: &[&'static str],
        then: &mut dyn FnMut(&At<'_, 'a>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match keys.split_first() {
            None => then(self),
            Some((first, rest)) => self.get(first)?.descend(rest, then),
        }
    }

    fn wrong(&self, expected: &'static str) -> Error {
        Error::Malformed { object: self.object, path: self.field().path(), expected, found: self.value.type_name() }
    }
}
