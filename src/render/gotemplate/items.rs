//! What a `range` goes through.

use super::exec::Val;
use crate::render::any::{Any, Elem, List, Map, Text};

/// What a loop still has to go through.
pub enum Items {
    /// An integer
    Count { next: i64, end: i64, make: fn(i64) -> Any },
    /// A list
    List { list: List, next: usize },
    /// A map, as it was when the loop began
    Map { map: Map, entries: std::vec::IntoIter<(Text, Any)>, boxed: bool },
}

impl Items {
    /// Whether there is no round left.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Count { next, end, .. } => next >= end,
            Self::List { list, .. } => list.items.is_empty(),
            Self::Map { entries, .. } => entries.as_slice().is_empty(),
        }
    }

    /// The index or key and the element of the next round.
    pub fn next(&mut self) -> Option<(Val, Val)> {
        match self {
            Self::Count { next, end, make } => {
                let number = *next;
                *next += 1;
                (number < *end).then(|| (Val::default(), make(number).into()))
            }
            Self::List { list, next } => {
                let any = list.items.get(*next)?.clone();
                let index = Any::Int(*next as i64);
                *next += 1;
                Some((index.into(), Val { any, boxed: list.of == Elem::Interface }))
            }
            Self::Map { entries, boxed, .. } => {
                let (key, any) = entries.next()?;
                Some((Any::String(key).into(), Val { any, boxed: *boxed }))
            }
        }
    }

    /// What is gone through, where it is a list or a map.
    pub fn container(&self) -> Option<Any> {
        match self {
            Self::List { list, .. } => Some(Any::List(list.clone())),
            Self::Map { map, .. } => Some(Any::Map(map.clone())),
            Self::Count { .. } => None,
        }
    }
}
