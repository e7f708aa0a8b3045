//! A side of the comparison, with what is asked of it again and again.

use std::collections::HashMap;

use super::names::Aliases;
use crate::policy::reach::{Bound, Error, Field, Graph, Member, Object, Subject, Who};
use crate::value::{Path, Value};

/// The objects of a side, the ways to Secrets and the bindings.
pub(super) struct Read<'a> {
    pub graph: Graph<'a>,
    pub bound: Vec<Bound<'a>>,
}

impl<'a> Read<'a> {
    pub fn new(members: &[Member<'a>]) -> Result<Self, Error> {
        let graph = Graph::new(members)?;
        let bound = graph.bound()?;
        Ok(Self { graph, bound })
    }
}

/// What is the same object on both sides: group, kind, namespace and name.
pub(super) type Id<'v> = (&'v str, &'v str, &'v str, &'v str);

/// The same with names that both sides have in common.
pub(super) struct View<'v> {
    pub graph: &'v Graph<'v>,
    pub bound: &'v [Bound<'v>],
    aliases: &'v Aliases<'v>,
    objects: HashMap<Id<'v>, Vec<usize>>,
}

impl<'v> View<'v> {
    pub fn new(read: &'v Read<'v>, aliases: &'v Aliases<'v>) -> Self {
        let mut view = Self { graph: &read.graph, bound: &read.bound, aliases, objects: HashMap::new() };
        for (number, object) in read.graph.objects().iter().enumerate() {
            view.objects.entry(view.id(object)).or_default().push(number);
        }
        view
    }

    pub fn id(&self, object: &'v Object<'v>) -> Id<'v> {
        (object.group, object.kind, object.namespace, self.name(object.kind, object.namespace, object.name))
    }

    /// The name by which an object is known on both sides.
    pub fn name(&self, kind: &'v str, namespace: &'v str, name: &'v str) -> &'v str {
        self.aliases.of(kind, namespace, name)
    }

    pub fn object(&self, number: usize) -> Option<&'v Object<'v>> {
        self.graph.objects().get(number)
    }

    /// The objects that are the same one, as they are here.
    pub fn values<'s>(&'s self, id: Id<'s>) -> impl Iterator<Item = &'v Value> + use<'s, 'v> {
        let numbers = self.objects.get(&id).into_iter().flatten();
        numbers.filter_map(|number| self.graph.objects().get(*number)).map(|object| object.value)
    }

    /// Whether an object of this side is there on the other side as it is here.
    pub fn is_same(&self, object: &'v Object<'v>, other: &View<'_>) -> bool {
        let id = self.id(object);
        self.values(id).eq(other.values(id))
    }

    /// A subject of bindings by the names of both sides: its class, namespace and name.
    pub fn subject(&self, subject: Subject<'v>) -> (&'static str, &'v str, &'v str) {
        match subject {
            Subject::Account(namespace, name) => {
                ("ServiceAccount", namespace, self.name("ServiceAccount", namespace, name))
            }
            Subject::User(name) => ("User", "", name),
            Subject::Group(name) => ("Group", "", name),
        }
    }

    /// The release of somebody; that of the field by which he can do something where his own is not known.
    pub fn release(&self, who: Who<'v>, at: Option<&(usize, Path)>) -> Option<usize> {
        self.graph.release_of(who).or_else(|| Some(self.object(at?.0)?.release))
    }

    /// Of the fields that something rests on the first that is not so on the other side; the first where all are.
    pub fn news<'f>(&self, fields: impl IntoIterator<Item = &'f Field<'v>>, other: &View<'_>) -> Option<(usize, Path)>
    where
        'v: 'f,
    {
        let mut first = None;
        for field in fields {
            let path = field.path();
            let is_known = self.object(field.object).is_some_and(|object| {
                let here = object.value.follow(&path);
                other.values(self.id(object)).any(|there| there.follow(&path) == here)
            });
            if !is_known {
                return Some((field.object, path));
            }
            first = first.or(Some((field.object, path)));
        }
        first
    }
}
