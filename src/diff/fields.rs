//! The fields in which two objects differ.

use super::lists::Budget;
use super::references::Renames;
use super::same::Same;
use super::trail::Trail;
use crate::value::{Map, Value};

/// What differs at a place.
#[derive(Debug, Clone)]
pub(super) enum Difference<'a> {
    /// The value.
    Value(Option<&'a Value>, Option<&'a Value>),
    /// The order of the elements: what they are known by, on both sides.
    Order(Value, Value),
}

/// Goes through two objects side by side.
pub(super) struct Walk<'a> {
    /// The names that are other ones for the same objects.
    pub renames: &'a Renames<'a>,
    /// The namespace and the index of the new object.
    pub object: (Option<&'a str>, usize),
    /// What may still be spent on lists.
    pub budget: &'a Budget,
    /// Who is told what differs.
    pub found: &'a mut dyn FnMut(&Trail<'_>, Difference<'_>),
}

impl Walk<'_> {
    /// Tells in which places two values differ, in the order of their fields.
    pub(super) fn values(&mut self, before: &Value, after: &Value, at: &Trail<'_>) {
        match (before, after) {
            (Value::Map(a), Value::Map(b)) => self.maps(a, b, at),
            (Value::List(a), Value::List(b)) => self.lists(a, b, at),
            (Value::String(a), Value::String(b)) if self.follows([a, b], at) => {}
            _ if Same(before) == Same(after) => {}
            _ => self.tell(at, Difference::Value(Some(before), Some(after))),
        }
    }

    fn maps(&mut self, before: &Map, after: &Map, at: &Trail<'_>) {
        let (mut olds, mut news) = (before.iter().peekable(), after.iter().peekable());
        loop {
            let key: &str = match (olds.peek().copied(), news.peek().copied()) {
                (Some((old, _)), Some((new, _))) => old.min(new),
                (Some((key, _)), None) | (None, Some((key, _))) => key,
                (None, None) => break,
            };
            let at = at.key(key, [before, after]);
            let old = olds.next_if(|entry| &**entry.0 == key).map(|(_, value)| value);
            let new = news.next_if(|entry| &**entry.0 == key).map(|(_, value)| value);
            match (old, new) {
                (Some(old), Some(new)) => self.values(old, new, &at),
                (old, new) => self.tell(&at, Difference::Value(old, new)),
            }
        }
    }

    pub(super) fn tell(&mut self, at: &Trail<'_>, difference: Difference<'_>) {
        (self.found)(at, difference);
    }

    fn follows(&self, texts: [&str; 2], at: &Trail<'_>) -> bool {
        let (namespace, index) = self.object;
        texts[0] != texts[1] && self.renames.follows(namespace, at, texts, index)
    }
}
