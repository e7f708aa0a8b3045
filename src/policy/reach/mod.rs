//! Who can read which Secret: the graph of all ways from containers and subjects of bindings to Secrets.
//!
//! [`Graph::new`] reads what pods refer to (`pods`), what roles allow (`rights`, `roles`), and follows both to
//! their ends (`walk`). Each [`Edge`] knows the fields that make it true. Nothing is asked of a cluster: what is in no
//! release (roles, other pods, who is in a group) is unknown, and [`Graph::unknown`] names the roles of which nothing is
//! known. What pods share through volumes, and what admission keeps pods from doing, does not count.

mod edge;
mod field;
mod labels;
mod node;
mod objects;
mod pods;
mod rights;
mod roles;
mod val;
mod volumes;
mod walk;
pub mod words;

use crate::source::Location;
use crate::value::{Path, Value};

pub use edge::{Action, Among, Edge, Hop, Target, TargetKind, Via, Who};
pub use field::Field;
pub use objects::Object;
pub use roles::{Bound, Rule, Subject, Unknown};

pub(crate) use field::At;
pub(crate) use labels::Labels;
pub(crate) use pods::template;

use objects::Objects;
use pods::Reference;
use walk::Walker;

/// One of the releases that a graph is made of.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its name.
    pub name: &'a str,
    /// The namespace of the objects that name none.
    pub namespace: &'a str,
    /// Its objects.
    pub objects: &'a [Value],
}

/// Tells where a field of an object is, the object given by its number in the graph.
pub type Locate<'l> = dyn Fn(usize, &Path) -> Option<Location> + 'l;

/// Who can read which Secret.
pub struct Graph<'a> {
    members: Vec<Member<'a>>,
    objects: Objects<'a>,
    edges: Vec<Edge<'a>>,
    hops: Vec<Hop<'a>>,
    unknown: Vec<Unknown<'a>>,
}

/// Why there is no graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No API server would take the object.
    #[error("{path} must be {expected}, not of type {found}")]
    Malformed {
        /// The object, by its number among all objects of all releases.
        object: usize,
        /// The field.
        path: Path,
        /// What was expected.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The result would be too large to be of use.
    #[error(
        "there are more than {limit} {what}: bind fewer roles to fewer subjects, or look at fewer releases at once"
    )]
    TooLarge {
        /// Of what there is too much.
        what: &'static str,
        /// The most there may be.
        limit: usize,
    },
}

impl Error {
    /// The error with the name of the object.
    pub fn told(&self, members: &[Member<'_>]) -> String {
        let Self::Malformed { object, .. } = self else { return self.to_string() };
        let object = members.iter().flat_map(|member| member.objects).nth(*object);
        let text = |keys: [&str; 2]| {
            let keys = keys.into_iter().filter(|key| !key.is_empty());
            object.and_then(|object| object.at(keys)?.as_str()).unwrap_or_default()
        };
        format!("{} {}: {self}", text(["kind", ""]), text(["metadata", "name"]))
    }
}

impl<'a> Graph<'a> {
    /// Finds all ways. The effort grows with the objects and the edges.
    pub fn new(members: &[Member<'a>]) -> Result<Self, Error> {
        let objects = Objects::new(members)?;
        let accounts = pods::accounts(&objects)?;
        let pods = pods::pods(&objects, &accounts)?;
        let bindings = roles::Bindings::new(&objects)?;
        let mut walker = Walker::new(&objects, &pods, &bindings);
        for (index, pod) in pods.iter().enumerate() {
            for container in 0..pod.containers.len() {
                walker.container(index, container)?;
            }
            for reference in &pod.used {
                walker.uses(Who::Pods(pod.object), pod.namespace, reference)?;
            }
        }
        for (number, object) in objects.all.iter().enumerate() {
            for reference in tls(number, object)? {
                walker.uses(Who::Controller(number), object.namespace, &reference)?;
            }
            if let Some(account) = accounts.get(&(object.namespace, object.name)).filter(|it| it.object == number) {
                let who = Who::Subject(Subject::Account(object.namespace, object.name));
                for reference in account.secrets.iter().chain(&account.pull_secrets) {
                    walker.uses(who, object.namespace, reference)?;
                }
            }
        }
        for subject in &bindings.subjects {
            walker.subject(*subject)?;
        }
        let (edges, hops) = (walker.edges, walker.hops);
        Ok(Self { members: members.to_vec(), objects, edges, hops, unknown: bindings.unknown })
    }

    /// All relations: those of containers and pods, those of controllers and ServiceAccounts, those of subjects, each in
    /// the order of the objects.
    pub fn edges(&self) -> &[Edge<'a>] {
        &self.edges
    }

    /// The objects of all releases, one after the other.
    pub fn objects(&self) -> &[Object<'a>] {
        &self.objects.all
    }

    /// The releases.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// Bindings of which nobody knows what they grant.
    pub fn unknown(&self) -> &[Unknown<'a>] {
        &self.unknown
    }

    /// All bindings with what they allow, whether it leads to Secrets or not: one entry for each subject of each.
    ///
    /// # Errors
    /// A role that no API server would take.
    pub fn bound(&self) -> Result<Vec<Bound<'a>>, Error> {
        roles::bound(&self.objects)
    }

    /// The steps of an edge, the first one first.
    pub fn route(&self, edge: &Edge<'a>) -> Vec<&Hop<'a>> {
        let first = self.hops.get(edge.last);
        let mut route: Vec<&Hop<'a>> =
            std::iter::successors(first, |hop| hop.parent.and_then(|parent| self.hops.get(parent))).collect();
        route.reverse();
        route
    }

    /// The fields that an edge rests on, in their order, each once.
    pub fn evidence(&self, edge: &Edge<'a>) -> Vec<&Field<'a>> {
        let mut evidence = Vec::new();
        for field in self.route(edge).into_iter().flat_map(|hop| hop.fields.iter()) {
            if !evidence.contains(&field) {
                evidence.push(field);
            }
        }
        evidence
    }

    /// The release of somebody, by its index; of users and groups it is not known.
    pub fn release_of(&self, who: Who<'a>) -> Option<usize> {
        let of = |number: usize| self.objects.all.get(number).map(|object| object.release);
        match who {
            Who::Container(number, ..) | Who::Pods(number) | Who::Controller(number) => of(number),
            Who::Subject(Subject::Account(namespace, name)) => match self.objects.accounts.get(&(namespace, name)) {
                Some(number) => of(*number),
                None => self.objects.landlord(namespace),
            },
            Who::Subject(Subject::User(_) | Subject::Group(_)) => None,
        }
    }

    /// The release, by its index, to which the target of an edge belongs, or may belong, if it is not that of who
    /// reaches it. What nobody makes belongs to those who have something in its namespace.
    pub fn trespass(&self, edge: &Edge<'a>) -> Option<usize> {
        let own = self.release_of(edge.who)?;
        let (Some(namespace), Some(name)) = (edge.target.namespace, edge.target.name) else {
            return self.objects.neighbour(own, edge.target.namespace, self.members.len());
        };
        let account = [self.objects.accounts.get(&(namespace, name)).copied()];
        let makers: Vec<usize> = match edge.target.kind {
            TargetKind::Secret => self.objects.made(namespace, name).to_vec(),
            TargetKind::ServiceAccount => account.into_iter().flatten().collect(),
        };
        let owners: Vec<usize> =
            makers.iter().filter_map(|number| self.objects.all.get(*number)).map(|object| object.release).collect();
        match owners.first() {
            Some(first) => Some(*first).filter(|_| !owners.contains(&own)),
            None if self.objects.is_settled(own, namespace) => None,
            None => self.objects.neighbour(own, Some(namespace), self.members.len()),
        }
    }

    /// The releases that make a Secret, by itself or through what its controller makes it from.
    pub fn makers(&self, namespace: &'a str, name: &'a str) -> impl Iterator<Item = &Object<'a>> {
        let made = self.objects.made(namespace, name);
        made.iter().filter_map(|made| self.objects.all.get(*made))
    }
}

/// The Secrets that the controller of an Ingress or Gateway serves.
fn tls<'a>(number: usize, object: &Object<'a>) -> Result<Vec<Reference<'a>>, Error> {
    let root = At::root(number, object.value);
    let spec = root.get("spec");
    let mut found = Vec::new();
    match (object.group, object.kind) {
        ("networking.k8s.io" | "extensions", "Ingress") => {
            for tls in spec?.items("tls")? {
                let name = tls.get("secretName")?;
                if !name.text()?.is_empty() {
                    found.push(Reference::new(name.text()?, Vec::new(), Via::Tls, vec![name.field()]));
                }
            }
        }
        ("gateway.networking.k8s.io", "Gateway") => {
            for listener in spec?.items("listeners")? {
                for certificate in listener.get("tls")?.items("certificateRefs")? {
                    let (name, kind) = (certificate.get("name")?, certificate.text_of("kind")?);
                    if !name.text()?.is_empty() && ["", "Secret"].contains(&kind) {
                        let namespace = Some(certificate.text_of("namespace")?).filter(|name| !name.is_empty());
                        let reference = Reference::new(name.text()?, Vec::new(), Via::Tls, vec![name.field()]);
                        found.push(Reference { namespace, ..reference });
                    }
                }
            }
        }
        _ => {}
    }
    Ok(found)
}
