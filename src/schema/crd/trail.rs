//! The way to where a walk is: it costs nothing until somebody asks for it.

use std::sync::Arc;

use crate::value::{Path, Step};

/// A place in a tree that is being walked, linked to the places above it.
#[derive(Clone, Copy)]
pub(super) enum Trail<'a> {
    /// Where the walk began
    Root(&'a Path),
    /// Into a map
    Key(&'a Trail<'a>, &'a str),
    /// Into a list
    Index(&'a Trail<'a>, usize),
}

impl<'a> Trail<'a> {
    /// The value of a key.
    pub fn key(&'a self, key: &'a str) -> Self {
        Self::Key(self, key)
    }

    /// An element.
    pub fn index(&'a self, index: usize) -> Self {
        Self::Index(self, index)
    }

    /// The way from the root.
    pub fn path(&self) -> Path {
        let mut steps = Vec::new();
        let mut at = self;
        loop {
            match at {
                Self::Root(path) => {
                    steps.reverse();
                    return path.join(&Path(steps));
                }
                Self::Key(parent, key) => {
                    steps.push(Step::Key(Arc::from(*key)));
                    at = parent;
                }
                Self::Index(parent, index) => {
                    steps.push(Step::Index(*index));
                    at = parent;
                }
            }
        }
    }
}
