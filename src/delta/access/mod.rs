//! What a change does to who can do what: who can read which Secret, what roles allow, what is open to whom.
//!
//! Each part asks the same of both sides: what is possible here that is not possible there (`secrets`, `rbac`,
//! `exposure`). Gains are what the new side has beyond the old one, losses the reverse. What something else made
//! possible already is no gain: `get` beside `*`, a Secret beside all of its namespace, a network inside another. The
//! answers are facts (`fact`); `told` makes lines of them.

mod exposure;
mod fact;
mod names;
mod rbac;
mod secrets;
mod told;
mod view;

use super::{AccessChange, Direction, Side};
use crate::finding::Place;
use crate::policy::reach::{self, Member};
use crate::value::Path;

use names::Aliases;
use view::{Read, View};

/// Tells where a field of an object is, the object given by its side and its number among all objects of all members.
/// Asked once for each change.
pub type Locate<'l> = dyn Fn(Side, usize, &Path) -> Option<Place> + 'l;

/// Why nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Error {
    /// The side that cannot be read.
    pub side: Side,
    /// What is wrong with it. The number of an object is that among all objects of its side.
    pub error: reach::Error,
}

/// What became possible and what is possible no more, the most important first: by kind, gains before losses, by
/// severity, by subject. The effort grows with the objects; what is the same in many releases is one change.
///
/// # Errors
/// An object that no API server would take; more relations than anybody could read.
pub fn compare(before: &[Member<'_>], after: &[Member<'_>], locate: &Locate<'_>) -> Result<Vec<AccessChange>, Error> {
    let on = |side| move |error| Error { side, error };
    let before = Read::new(before).map_err(on(Side::Before))?;
    let after = Read::new(after).map_err(on(Side::After))?;
    let [old, new] = Aliases::pair(&before, &after);
    let (before, after) = (View::new(&before, &old), View::new(&after, &new));
    let ways_before = exposure::ways(&before, &after).map_err(on(Side::Before))?;
    let ways_after = exposure::ways(&after, &before).map_err(on(Side::After))?;

    let mut changes = Vec::new();
    for (side, direction, here, there, ways, others) in [
        (Side::After, Direction::Gained, &after, &before, &ways_after, &ways_before),
        (Side::Before, Direction::Lost, &before, &after, &ways_before, &ways_after),
    ] {
        let mut facts = secrets::beyond(here, there);
        facts.extend(rbac::beyond(here, there).map_err(on(side))?);
        facts.extend(exposure::beyond(ways, others));
        changes.extend(told::changes(facts, here, direction, &|object, path| locate(side, object, path)));
    }
    told::sort(&mut changes);
    Ok(changes)
}
