//! The variables that expressions may read, and how each gets its value.
//!
//! To add one, add a line to a table. Its function runs only when an expression asks for the variable.

use std::sync::Arc;

use super::document::PolicyKind;
use super::fleet::{Fleet, Prepared};
use super::matching::Namespace;
use super::request::Request;
use crate::cel::value::{Data, Origin, Root, Val};
use crate::cel::{Failure, Globals, unbound};
use crate::value::Value;

/// A variable of the environment.
#[derive(Debug)]
pub(super) struct Global {
    pub name: &'static str,
    value: fn(&Environment<'_>) -> Result<Val, Failure>,
}

/// Of a ValidatingAdmissionPolicy.
const OF_OBJECTS: &[Global] =
    &[OBJECT, OLD_OBJECT, REQUEST, Global { name: "namespaceObject", value: |e| e.namespace() }];
/// Of a Kyverno policy, whose conditions see the namespace too.
const OF_KYVERNO: &[Global] = &[
    OBJECT,
    OLD_OBJECT,
    REQUEST,
    Global { name: "namespaceObject", value: |e| Environment { phase: Phase::Validations, ..*e }.namespace() },
];
/// Of a ReleasePolicy.
const OF_RELEASES: &[Global] = &[
    Global { name: "release", value: |e| Ok(e.release(|release| Val::plain(&release.about, None))) },
    Global { name: "values", value: |e| Ok(e.release(|release| e.rooted(release.release.values, Root::Values))) },
    Global {
        name: "suppliedValues",
        value: |e| Ok(e.release(|release| e.rooted(release.release.supplied, Root::Values))),
    },
    Global { name: "objects", value: |e| Ok(e.release(|release| e.rooted(&release.objects, Root::Objects))) },
    Global {
        name: "reach",
        value: |e| e.release.map_or(Ok(Val::new(Data::Null)), |release| release.reach(e.phase == Phase::Blame)),
    },
];
/// Of a FleetPolicy.
const OF_FLEETS: &[Global] = &[
    Global { name: "releases", value: |e| Ok(e.rooted(e.fleet.all(), Root::Releases)) },
    Global { name: "reach", value: |e| e.fleet.reach(e.phase == Phase::Blame) },
];
/// Of every policy that judges objects one by one.
const OBJECT: Global = Global { name: "object", value: |e| Ok(e.admitted()) };
/// Of every policy that judges as admission does.
const OLD_OBJECT: Global = Global { name: "oldObject", value: |e| Ok(e.old()) };
const REQUEST: Global = Global { name: "request", value: |e| Ok(e.request()) };
/// Of every policy with a `paramKind`.
const PARAMS: Global = Global { name: "params", value: |e| Ok(Val::plain(e.params, None)) };

/// The variables that a policy's expressions may read.
pub(super) fn globals(kind: PolicyKind, per_object: bool, has_params: bool) -> Vec<&'static Global> {
    let table = match kind {
        PolicyKind::Object => OF_OBJECTS,
        PolicyKind::Release => OF_RELEASES,
        PolicyKind::Fleet => OF_FLEETS,
        PolicyKind::Kyverno => OF_KYVERNO,
        PolicyKind::Schema => &[],
        #[cfg(feature = "rego")]
        PolicyKind::Rego => &[],
    };
    let object = (per_object && kind == PolicyKind::Release).then_some(&OBJECT);
    table.iter().chain(object).chain(has_params.then_some(&PARAMS)).collect()
}

/// Whether a variable of the environment is the same for every object of a release.
pub(super) fn is_common(global: &Global) -> bool {
    OF_RELEASES.iter().any(|known| known.name == global.name)
}

/// What is judged, and with what.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a> {
    pub globals: &'a [&'static Global],
    pub fleet: &'a Fleet<'a>,
    /// The release that is judged; `None` where it is the fleet.
    pub release: Option<&'a Prepared<'a>>,
    /// The object that is judged, and the group and version of the rule that chose it.
    pub object: Option<(&'a Request, (&'a str, &'a str))>,
    /// The parameters.
    pub params: &'a Value,
    pub phase: Phase,
}

/// What expressions are evaluated for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// `matchConditions`. The API server gives these no `namespaceObject`.
    Conditions,
    /// Everything else.
    Validations,
    /// To find the fields that made a validation false: values remember where they come from.
    Blame,
}

impl Globals for Environment<'_> {
    fn get(&self, index: usize) -> Result<Val, Failure> {
        self.globals.get(index).map_or_else(|| Err(unbound()), |global| (global.value)(self))
    }
}

impl Environment<'_> {
    /// Plain data that knows its root where fields are to be blamed.
    fn rooted(&self, value: &Value, root: Root) -> Val {
        Val::plain(value, (self.phase == Phase::Blame).then(|| Arc::new(Origin::Root(root))))
    }

    fn release(&self, value: impl FnOnce(&Prepared<'_>) -> Val) -> Val {
        self.release.map_or(Val::new(Data::Null), value)
    }

    fn admitted(&self) -> Val {
        self.object.map_or(Val::new(Data::Null), |(request, _)| self.rooted(&request.object, Root::Object))
    }

    fn old(&self) -> Val {
        self.object.map_or(Val::new(Data::Null), |(request, _)| Val::plain(&request.old_object, None))
    }

    fn request(&self) -> Val {
        match self.object {
            Some((request, (group, version))) if group != request.group || version != request.version => {
                Val::plain(&request.about_as(group, version), None)
            }
            Some((request, _)) => Val::plain(request.about(), None),
            None => Val::new(Data::Null),
        }
    }

    /// `namespaceObject`: null for what is in no namespace.
    fn namespace(&self) -> Result<Val, Failure> {
        let request = self.object.map(|(request, _)| request).filter(|request| request.namespaced);
        let (Some(request), Some(release)) = (request.filter(|_| self.phase != Phase::Conditions), self.release) else {
            return Ok(Val::new(Data::Null));
        };
        match release.namespace(request) {
            Namespace::None => Ok(Val::new(Data::Null)),
            Namespace::Known(namespace) => Ok(Val::plain(namespace, None)),
            Namespace::Named(_) => Err(Failure::new("namespaceObject: the API server sends a webhook no Namespace")),
        }
    }
}
