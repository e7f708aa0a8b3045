//! Releases as expressions see them: prepared once, shared by all policies.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, OnceLock};

use super::Policy;
use super::matching::Namespace;
use super::reach::{Graph, Member};
use super::request::{Request, text_map};
use super::schemas::Problems;
use crate::cel::Failure;
use crate::cel::value::{Origin, Root, Val};
use crate::kinds::Kinds;
use crate::schema::Schemas;
use crate::value::{Map, Path, Step, Value};

/// What policies are evaluated on: the objects that a chart rendered to, and what they came from.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    /// The release's name.
    pub name: &'a str,
    /// The namespace that it is installed to.
    pub namespace: &'a str,
    /// The Kubernetes version that it is rendered for: `v1.35.0`.
    pub kube_version: &'a str,
    /// All values, the chart's defaults among them.
    pub values: &'a Value,
    /// What the user set: values files and flags.
    pub supplied: &'a Value,
    /// The objects.
    pub objects: &'a [Value],
    /// The keys that are written more than once in each object; nothing where that is not known.
    pub duplicates: &'a [Vec<Path>],
    /// The ids of the policies that it is held to; of all that are evaluated where none are named.
    pub chosen: Option<&'a HashSet<&'a str>>,
    /// The policies that it brings itself: see [`brought`](super::brought()).
    pub policies: &'a [Policy],
    /// The schemas that its objects are held to.
    pub schemas: &'a Schemas,
}

impl<'a> Release<'a> {
    /// Manifests that no chart of ours rendered: there is no name, and there are no values.
    pub fn plain(namespace: &'a str, kube_version: &'a str, objects: &'a [Value]) -> Self {
        static NOTHING: LazyLock<Value> = LazyLock::new(|| Map::default().into());
        static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::default);
        Self {
            name: "",
            namespace,
            kube_version,
            values: &NOTHING,
            supplied: &NOTHING,
            objects,
            duplicates: &[],
            chosen: None,
            policies: &[],
            schemas: &SCHEMAS,
        }
    }

    /// Whether it is held to a policy.
    pub(super) fn chooses(&self, policy: &Policy) -> bool {
        self.chosen.is_none_or(|chosen| chosen.contains(policy.id.as_str()))
    }
}

/// The releases that are judged together.
pub(super) struct Fleet<'a> {
    pub releases: Vec<Prepared<'a>>,
    all: OnceLock<Value>,
    reach: Reach,
}

/// The variable `reach`, without and with the fields that it rests on.
type Reach = [OnceLock<Result<Val, Failure>>; 2];

/// A release as expressions see it.
pub(super) struct Prepared<'a> {
    pub release: &'a Release<'a>,
    /// The index of its first object among those of all releases.
    pub first: usize,
    /// The requests that create its objects, in their order.
    pub requests: Vec<Request>,
    /// The list of its objects.
    pub objects: Value,
    /// The variable `release`.
    pub about: Value,
    namespaces: HashMap<String, Value>,
    /// Whether more of the namespaces may be known elsewhere: their labels above all.
    has_other_namespaces: bool,
    reach: Reach,
    /// What schemas say of its objects.
    pub problems: Problems,
}

impl<'a> Fleet<'a> {
    pub fn new(releases: &'a [Release<'a>]) -> Self {
        let kinds = Kinds::of(releases.iter().flat_map(|release| release.objects));
        let mut first = 0;
        let prepare = |release: &'a Release<'a>| {
            let prepared = Prepared::new(release, first, &kinds);
            first += release.objects.len();
            prepared
        };
        Self { releases: releases.iter().map(prepare).collect(), all: OnceLock::new(), reach: Reach::default() }
    }

    /// One request to a server, whose objects nobody else here knows. `namespace` is the one that the object is in, if
    /// it could be asked for.
    pub fn of_request(release: &'a Release<'a>, request: Request, namespace: Option<&Value>) -> Self {
        let prepared = Prepared::of_request(release, request, namespace);
        Self { releases: vec![prepared], all: OnceLock::new(), reach: Reach::default() }
    }

    /// The number of objects.
    pub fn objects(&self) -> usize {
        self.releases.iter().map(|release| release.requests.len()).sum()
    }

    /// The variable `releases`.
    pub fn all(&self) -> &Value {
        self.all.get_or_init(|| self.releases.iter().map(Prepared::as_value).collect::<Vec<_>>().into())
    }

    /// The variable `reach` of a fleet: all releases taken together.
    pub fn reach(&self, traced: bool) -> Result<Val, Failure> {
        let members: Vec<Member<'_>> = self.releases.iter().map(Prepared::as_member).collect();
        let root = Arc::new(Origin::Root(Root::Releases));
        reach(&self.reach, &members, traced, &|release, index| {
            let steps = [Step::Index(release), Step::Key("objects".into()), Step::Index(index)];
            steps.into_iter().fold(root.clone(), |origin, step| Arc::new(Origin::Step(origin, step)))
        })
    }

    /// The oldest minor version of Kubernetes that a release is meant for.
    pub fn minor(&self) -> Option<i64> {
        self.releases.iter().filter_map(Prepared::minor).min()
    }
}

impl<'a> Prepared<'a> {
    fn new(release: &'a Release<'a>, first: usize, kinds: &Kinds<'_>) -> Self {
        let requests: Vec<Request> =
            release.objects.iter().map(|object| Request::create(object, release.namespace, kinds)).collect();
        let about = text_map([
            ("name", release.name),
            ("namespace", release.namespace),
            ("service", "Helm"),
            ("kubeVersion", release.kube_version),
        ]);
        let mut namespaces = HashMap::new();
        // The release's own namespaces first: of the others only the name is known.
        for request in requests.iter().filter(|request| request.is_namespace()) {
            namespaces.entry(request.namespace.clone()).or_insert_with(|| namespace(&request.name, &request.object));
        }
        for request in requests.iter().filter(|request| request.namespaced) {
            namespaces.entry(request.namespace.clone()).or_insert_with_key(|name| namespace(name, &Value::Null));
        }
        let objects = requests.iter().map(|request| request.object.clone()).collect::<Vec<_>>().into();
        Self {
            release,
            first,
            requests,
            objects,
            about,
            namespaces,
            has_other_namespaces: false,
            reach: Reach::default(),
            problems: Problems::default(),
        }
    }

    fn of_request(release: &'a Release<'a>, request: Request, known: Option<&Value>) -> Self {
        // As in the API server, what a Namespace says of itself counts.
        let object = if request.is_namespace() { Some(request.subject()) } else { known };
        let namespace = namespace(&request.namespace, object.unwrap_or(&Value::Null));
        Self {
            release,
            first: 0,
            namespaces: HashMap::from([(request.namespace.clone(), namespace)]),
            has_other_namespaces: object.is_none(),
            requests: vec![request],
            objects: Value::Null,
            about: Value::Null,
            reach: Reach::default(),
            problems: Problems::default(),
        }
    }

    /// The namespace that an object is in; that of a Namespace is itself.
    pub fn namespace(&self, request: &Request) -> Namespace<'_> {
        let found = self.namespaces.get(&request.namespace).filter(|_| request.namespaced || request.is_namespace());
        match found {
            None => Namespace::None,
            Some(namespace) if self.has_other_namespaces => Namespace::Named(namespace),
            Some(namespace) => Namespace::Known(namespace),
        }
    }

    /// The variable `reach` of a release.
    pub fn reach(&self, traced: bool) -> Result<Val, Failure> {
        let root = Arc::new(Origin::Root(Root::Objects));
        reach(&self.reach, &[self.as_member()], traced, &|_, index| {
            Arc::new(Origin::Step(root.clone(), Step::Index(index)))
        })
    }

    fn as_member(&self) -> Member<'_> {
        let objects = self.objects.as_list().unwrap_or_default();
        Member { name: self.release.name, namespace: self.release.namespace, objects }
    }

    /// The minor version of Kubernetes that it is meant for.
    pub fn minor(&self) -> Option<i64> {
        self.release.kube_version.split('.').nth(1).and_then(|minor| minor.parse().ok())
    }

    /// An element of the variable `releases`.
    fn as_value(&self) -> Value {
        let entries = [
            ("name", self.release.name.into()),
            ("namespace", self.release.namespace.into()),
            ("kubeVersion", self.release.kube_version.into()),
            ("values", self.release.values.clone()),
            ("suppliedValues", self.release.supplied.clone()),
            ("objects", self.objects.clone()),
        ];
        entries.into_iter().collect::<Map>().into()
    }
}

/// The edges of a graph, found when they are first asked for. `root` is where an object of a release is.
fn reach(
    cells: &Reach,
    members: &[Member<'_>],
    traced: bool,
    root: &dyn Fn(usize, usize) -> Arc<Origin>,
) -> Result<Val, Failure> {
    let [plain, with_fields] = cells;
    let cell = if traced { with_fields } else { plain };
    let found = cell.get_or_init(|| {
        let graph = Graph::new(members).map_err(|error| Failure::new(format!("reach: {}", error.told(members))))?;
        let object = |number: usize| graph.objects().get(number).map(|object| root(object.release, object.index));
        Ok(graph.to_val(&|number| object(number).filter(|_| traced)))
    });
    found.clone()
}

/// A namespace as a cluster would have it: its object, where the release brings it, and the label that all have.
///
/// As in the API server (`CreateNamespaceObject`) it has no `apiVersion` and no `kind`.
fn namespace(name: &str, object: &Value) -> Value {
    let mut metadata = object.get("metadata").and_then(Value::as_map).cloned().unwrap_or_default();
    let mut labels = metadata.get("labels").and_then(Value::as_map).cloned().unwrap_or_default();
    labels.insert("kubernetes.io/metadata.name", name.into());
    metadata.insert("name", name.into());
    metadata.insert("labels", labels.into());
    let mut namespace = Map::default();
    namespace.insert("metadata", metadata.into());
    if let Some(spec) = object.get("spec") {
        namespace.insert("spec", spec.clone());
    }
    namespace.into()
}
