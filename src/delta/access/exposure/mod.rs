//! What is open to whom: Services, Ingresses and routes, NetworkPolicies, pods on their nodes, namespaces, webhooks.

mod cluster;
mod extent;
mod network;
mod pods;
mod routes;
mod services;

use std::collections::{BTreeMap, HashSet};

use super::fact::{Fact, Phrase};
use super::view::{Id, View};
use crate::delta::AccessKind;
use crate::finding::Severity;
use crate::policy::reach::{At, Error, Field, Object, words};

use extent::Extent;

/// The most ways that are looked at.
const MAX_WAYS: usize = 2_000_000;
/// The most pairs of extents of one topic that are compared with one another; beyond that only equal ones are known.
const MAX_PAIRS: usize = 4_000_000;

/// One thing that is open, on one side.
#[derive(Debug)]
pub(super) struct Way<'v> {
    /// What it is about; ways of the same object and topic may cover one another.
    topic: Topic<'v>,
    /// To whom, and where.
    extents: [Extent<'v>; 2],
    fact: Fact,
}

/// An object, a part of it such as a container, and what of it is open.
type Topic<'v> = (Id<'v>, String, &'static str);

/// All ways of the objects that are not the same on both sides.
pub(super) fn ways<'v>(view: &View<'v>, other: &View<'v>) -> Result<Vec<Way<'v>>, Error> {
    let mut ways = Ways { view, all: Vec::new() };
    for (number, object) in view.graph.objects().iter().enumerate() {
        if view.is_same(object, other) {
            continue;
        }
        let root = At::root(number, object.value);
        match (object.group, object.kind) {
            ("", "Service") => services::service(&mut ways, object, &root)?,
            ("networking.k8s.io" | "extensions", "Ingress") => routes::ingress(&mut ways, object, &root)?,
            ("gateway.networking.k8s.io", "Gateway") => routes::gateway(&mut ways, object, &root)?,
            ("gateway.networking.k8s.io", "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute") => {
                routes::gateway_route(&mut ways, object, &root)?;
            }
            ("route.openshift.io", "Route") => routes::openshift(&mut ways, object, &root)?,
            ("", "Namespace") => cluster::namespace(&mut ways, object, &root, other)?,
            ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
                cluster::webhooks(&mut ways, object, &root)?;
            }
            _ => pods::workload(&mut ways, object, &root)?,
        }
    }
    network::isolation(&mut ways, other)?;
    Ok(ways.all)
}

/// The ways that are here and not there.
pub(super) fn beyond(here: &[Way<'_>], there: &[Way<'_>]) -> Vec<Fact> {
    let (ours, theirs) = (by_topic(here), by_topic(there));
    let mut facts = Vec::new();
    for (topic, ways) in &ours {
        let others = theirs.get(topic).map_or(&[][..], Vec::as_slice);
        let equal: HashSet<&[Extent<'_>; 2]> = others.iter().map(|way| &way.extents).collect();
        let weight = |ways: &[&Way<'_>]| ways.iter().flat_map(|way| &way.extents).map(Extent::weight).sum::<usize>();
        let is_cheap = weight(ways).saturating_mul(weight(others)) <= MAX_PAIRS;
        let is_part = |way: &Way<'_>, other: &Way<'_>| {
            other.extents.iter().zip(&way.extents).all(|(whole, part)| whole.covers(part))
        };
        let is_known =
            |way: &Way<'_>| equal.contains(&way.extents) || is_cheap && others.iter().any(|other| is_part(way, other));
        facts.extend(ways.iter().filter(|way| !is_known(way)).map(|way| way.fact.clone()));
    }
    facts
}

fn by_topic<'w, 'v>(ways: &'w [Way<'v>]) -> BTreeMap<&'w Topic<'v>, Vec<&'w Way<'v>>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for way in ways {
        found.entry(&way.topic).or_default().push(way);
    }
    found
}

/// What is found on a side.
struct Ways<'w, 'v> {
    view: &'w View<'v>,
    all: Vec<Way<'v>>,
}

/// What is said of a way.
struct Said<'s> {
    /// Who or what, if it is not the object itself.
    subject: Option<&'s str>,
    severity: Severity,
    phrase: Phrase,
}

impl<'s> Said<'s> {
    fn new(severity: Severity, phrase: Phrase) -> Self {
        Self { subject: None, severity, phrase }
    }

    fn of(subject: &'s str, severity: Severity, phrase: Phrase) -> Self {
        Self { subject: Some(subject), severity, phrase }
    }
}

impl<'v> Ways<'_, 'v> {
    /// Adds a way of an object; the extents stand in the gaps of the phrase.
    fn add(
        &mut self,
        object: &'v Object<'v>,
        part: (&str, &'static str),
        extents: [Extent<'v>; 2],
        said: Said<'_>,
        at: &At<'_, 'v>,
    ) -> Result<(), Error> {
        self.add_at(object, part, extents, said, Some(at.field()))
    }

    fn add_at(
        &mut self,
        object: &'v Object<'v>,
        (part, topic): (&str, &'static str),
        extents: [Extent<'v>; 2],
        said: Said<'_>,
        at: Option<Field<'v>>,
    ) -> Result<(), Error> {
        if self.all.len() >= MAX_WAYS {
            return Err(Error::TooLarge { what: "ways to and from changed objects", limit: MAX_WAYS });
        }
        let Said { subject, severity, phrase } = said;
        let subject = subject.map_or_else(|| words::named(object), str::to_owned);
        let items = extents.each_ref().map(ToString::to_string);
        let at = at.map(|field| (field.object, field.path()));
        let release = Some(object.release).filter(|_| at.is_some());
        let fact = Fact { kind: AccessKind::Exposure, severity, subject, phrase, items, at, release };
        self.all.push(Way { topic: (self.view.id(object), part.to_owned(), topic), extents, fact });
        Ok(())
    }
}
