//! Where values are read: a path whose indices, and whose keys that are only known at run time, are open.

use std::fmt;
use std::sync::Arc;

use crate::value;

/// One step of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a map.
    Key(Arc<str>),
    /// Into any element of a list, or any entry of a map: a template does not say which of both it has.
    Each,
}

/// A path below `.Values` of the root chart. Displays as `ingress.hosts[].paths`; `[]` is [`Step::Each`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pattern(pub Vec<Step>);

impl Pattern {
    /// The pattern of one path.
    pub fn of(path: &value::Path) -> Self {
        Self(path.0.iter().map(Step::of).collect())
    }

    /// The path of some keys.
    pub fn keys<'k>(keys: impl IntoIterator<Item = &'k str>) -> Self {
        Self(keys.into_iter().map(|key| Step::Key(key.into())).collect())
    }

    /// The pattern with one more step.
    pub fn with(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// The pattern with one more key.
    pub fn key(&self, key: impl Into<Arc<str>>) -> Self {
        self.with(Step::Key(key.into()))
    }

    /// Whether some path is of both, or begins one of which the other is.
    pub fn begins(&self, longer: &Self) -> bool {
        self.0.len() <= longer.0.len() && self.0.iter().zip(&longer.0).all(|(a, b)| a.meets(b))
    }
}

/// Which steps of a [`Pattern`] may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tolerance(u32);

impl Tolerance {
    /// Every step.
    pub const ALL: Self = Self(u32::MAX);

    /// Whether the last of so many steps may be missing, where those before it are there.
    pub fn covers(self, steps: usize) -> bool {
        steps > 31 || self.0 & (1 << steps) != 0
    }

    /// That the last of so many steps may be missing too.
    pub fn with(self, steps: usize) -> Self {
        Self(self.0 | 1_u32.checked_shl(steps as u32).unwrap_or_default())
    }

    /// What both tolerate.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Step {
    /// The step of a path; an index is any.
    pub fn of(step: &value::Step) -> Self {
        match step {
            value::Step::Key(key) => Self::Key(key.clone()),
            value::Step::Index(_) => Self::Each,
        }
    }

    /// Whether both may lead to the same place.
    pub fn meets(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Each, _) | (_, Self::Each)) || self == other
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Each => f.write_str("[]")?,
                Step::Key(key) => {
                    let shown = value::Path::default().key(key.clone()).to_string();
                    let dot = if i > 0 && !shown.starts_with('[') { "." } else { "" };
                    write!(f, "{dot}{shown}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_steps_meet_every_step() {
        let hosts = Pattern::keys(["hosts"]);
        let names = hosts.with(Step::Each).key("na/me");
        assert_eq!(names.to_string(), "hosts[][\"na/me\"]");
        let path = value::Path::default().key("hosts").index(3).key("na/me");
        assert!(hosts.begins(&names) && !names.begins(&hosts));
        assert!(names.begins(&Pattern::of(&path)));
        assert!(names.begins(&Pattern::keys(["hosts", "a", "na/me"])));
        assert!(!names.begins(&Pattern::keys(["hosts", "a", "other"])));
    }
}
