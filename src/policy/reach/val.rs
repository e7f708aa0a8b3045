//! The graph as expressions see it: the variable `reach`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::edge::{Edge, Who};
use super::field::Field;
use super::words;
use super::{Graph, Subject};
use crate::cel::value::{Data, Key, Origin, Val};
use crate::value::Step;

/// Where the objects of a graph are below the variables of an environment, by their numbers; `None` where nobody asks.
pub type Roots<'r> = dyn Fn(usize) -> Option<Arc<Origin>> + 'r;

impl<'a> Graph<'a> {
    /// A list of edges. Each remembers the fields that it rests on, if the objects have roots.
    pub fn to_val(&self, roots: &Roots<'_>) -> Val {
        let names = Names::default();
        Val::list(self.edges.iter().map(|edge| self.edge(edge, &names, roots)).collect(), None)
    }

    fn edge(&self, edge: &Edge<'a>, names: &Names, roots: &Roots<'_>) -> Val {
        let evidence: Vec<Val> = self.evidence(edge).into_iter().map(|field| self.field(field, roots)).collect();
        let origin = Origin::join(evidence.iter());
        let text = |text: &str| Val::new(text.into()).traced(origin.clone());
        let list = |texts: &[&str]| Val::list(texts.iter().map(|item| text(item)).collect(), None);
        let route = self.route(edge);
        let (kind, namespace, name, container, object) = self.describe(edge.who);
        let object = object.and_then(|number| self.objects.all.get(number).map(|object| (number, object.value)));
        let release = self.release_of(edge.who).and_then(|release| self.members.get(release));
        let other = self.trespass(edge).and_then(|release| self.members.get(release));
        let target = &edge.target;
        let (of, called) = (target.namespace.unwrap_or("*"), target.name.unwrap_or("*"));
        let is_made =
            target.namespace.zip(target.name).is_some_and(|(of, name)| !self.objects.made(of, name).is_empty());
        let who = names.map([
            ("kind", text(kind)),
            ("namespace", text(namespace)),
            ("name", text(name)),
            ("container", text(container)),
            ("title", text(&words::who(self, edge.who))),
            ("release", text(release.map_or("", |release| release.name))),
            ("object", object.map_or(Val::new(Data::Null), |(number, value)| Val::plain(value, roots(number)))),
        ]);
        let target = names.map([
            ("kind", text(target.kind.name())),
            ("namespace", text(of)),
            ("name", text(called)),
            ("among", text(target.among.name())),
            ("keys", list(&target.keys)),
            ("title", text(&words::target(target))),
            ("made", Val::new(is_made.into()).traced(origin.clone())),
            ("otherRelease", text(other.map_or("", |release| release.name))),
            ("foreign", Val::new(other.is_some().into()).traced(origin.clone())),
        ]);
        let vias: Vec<&str> = route.iter().map(|hop| hop.via.name()).collect();
        names.map([
            ("who", who),
            ("action", text(edge.action.name())),
            ("via", text(edge.via.name())),
            ("target", target),
            ("route", list(&vias)),
            ("how", text(&words::route(&route, edge))),
            ("evidence", Val::list(evidence, None)),
        ])
    }

    /// `Role builder: rules[0].verbs[0]`
    fn field(&self, field: &Field<'a>, roots: &Roots<'_>) -> Val {
        let path = field.path();
        let text = format!("{}: {path}", words::owner(self, field.object));
        let origin = roots(field.object)
            .map(|root| path.0.into_iter().fold(root, |origin, step: Step| Arc::new(Origin::Step(origin, step))));
        Val::new(text.into()).traced(origin)
    }

    fn describe(&self, who: Who<'a>) -> (&'static str, &'a str, &'a str, &'a str, Option<usize>) {
        let named =
            |number: usize| self.objects.all.get(number).map_or(("", ""), |object| (object.namespace, object.name));
        match who {
            Who::Container(number, _, container) => {
                let (namespace, name) = named(number);
                ("Container", namespace, name, container, Some(number))
            }
            Who::Pods(number) | Who::Controller(number) => {
                let (namespace, name) = named(number);
                let kind = if matches!(who, Who::Pods(_)) { "Pod" } else { "Controller" };
                (kind, namespace, name, "", Some(number))
            }
            Who::Subject(Subject::Account(namespace, name)) => {
                ("ServiceAccount", namespace, name, "", self.objects.accounts.get(&(namespace, name)).copied())
            }
            Who::Subject(Subject::User(name)) => ("User", "", name, "", None),
            Who::Subject(Subject::Group(name)) => ("Group", "", name, "", None),
        }
    }
}

/// The keys of the maps, each made once.
#[derive(Default)]
struct Names(std::cell::RefCell<std::collections::HashMap<&'static str, Arc<str>>>);

impl Names {
    fn map<const N: usize>(&self, entries: [(&'static str, Val); N]) -> Val {
        let mut names = self.0.borrow_mut();
        let key = |name: &'static str| Key::String(names.entry(name).or_insert_with(|| name.into()).clone());
        let mut key = key;
        Val::map(entries.into_iter().map(|(name, value)| (key(name), value)).collect::<BTreeMap<_, _>>(), None)
    }
}
