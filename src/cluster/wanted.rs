//! What is to be in the cluster: the objects of manifests, each with its resource, in the order in which they are applied.

use std::cmp::Ordering;
use std::collections::HashMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::{Error, GroupKind, Resource, Resources};
use crate::finding::{Fault, ObjectRef};
use crate::manifest::{self, Manifest, Object};
use crate::source::Location;
use crate::suggest;
use crate::value::{Map, Path, Value};

/// An object that is to be in the cluster.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Index of its manifest; none for what no manifest has.
    pub manifest: Option<usize>,
    /// The way from the document's root to the object: empty, or `items[n]`.
    pub prefix: Path,
    /// What it is called: without a namespace if its kind has none.
    pub reference: ObjectRef,
    /// Its resource; not served yet where its CRD is wanted too.
    pub resource: Resource,
    /// What is sent: with its namespace, and the labels that all objects get.
    pub value: Value,
}

/// What stands before all others, as they may need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Foundation {
    Namespace,
    Definition,
    None,
}

/// The objects of manifests, hooks left out, in the order in which they are applied: namespaces, CRDs, then Helm's order of
/// kinds. Objects without a namespace belong to the one given. Each gets some labels.
///
/// Their kinds are those that the server has, and those of the CRDs among the objects. What a server says of an object and
/// a manifest repeats is treated as by `kubectl apply --server-side`: `managedFields` are refused; of the rest the server
/// itself ignores `status` and `creationTimestamp`, and takes `uid` and `resourceVersion` for conditions.
///
/// # Errors
/// All objects that cannot be applied: without a kind or a name, of a kind that nobody knows, or there twice.
pub fn wanted(
    manifests: &[&Manifest],
    resources: &Resources,
    namespace: &str,
    labels: &[(&str, &str)],
) -> Result<Vec<Wanted>, Vec<Fault>> {
    let given = Given::all(manifests, namespace);
    let defined: Vec<Resource> = given.iter().flat_map(Given::defined).collect();
    let mut all: Vec<Wanted> = Vec::new();
    let mut faults = Vec::new();
    let mut places = HashMap::new();
    for given in given.iter().filter(|given| given.manifest.hook.is_none()) {
        match given.wanted(resources, &defined, labels) {
            Ok(_) if !given.has_name() => faults.push(given.generated()),
            Ok(wanted) => match places.insert(wanted.key(), given) {
                Some(first) => faults.push(given.fault("is there twice").label(first.place(), "the first one")),
                None => all.push(wanted),
            },
            Err(fault) => faults.push(*fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    all.sort_by(Wanted::compare);
    Ok(all)
}

impl Wanted {
    /// A namespace that no manifest has, before all others; nothing where one has it.
    ///
    /// # Errors
    /// A server without namespaces.
    pub fn add_namespace(wanted: &mut Vec<Self>, resources: &Resources, name: &str) -> Result<(), Error> {
        let resource = resources.need("v1", "Namespace")?.clone();
        let reference =
            ObjectRef { api_version: "v1".into(), kind: "Namespace".into(), namespace: None, name: name.into() };
        if wanted.iter().any(|one| one.reference == reference) {
            return Ok(());
        }
        let metadata: Map = [("name", Value::from(name))].into_iter().collect();
        let fields = [("apiVersion", Value::from("v1")), ("kind", "Namespace".into()), ("metadata", metadata.into())];
        let value = fields.into_iter().collect::<Map>().into();
        wanted.insert(0, Self { manifest: None, prefix: Path::default(), reference, resource, value });
        Ok(())
    }

    /// Adds to a fault where some fields of the object were written; where none is known, the object itself.
    ///
    /// `manifests` are those that it was read from.
    pub fn locate(&self, fault: Fault, fields: &[Path], manifests: &[&Manifest]) -> Fault {
        let Some(manifest) = self.manifest.and_then(|index| manifests.get(index)) else { return fault };
        let object = [Path::default()];
        let mut places: Vec<Location> = Vec::new();
        for field in if fields.is_empty() { &object } else { fields } {
            let place = manifest.locate(&self.prefix.join(field));
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.into_iter().fold(fault, |fault, place| written(fault, manifest, place))
    }

    /// Its namespace, if its kind has some.
    pub fn namespace(&self) -> Option<&str> {
        self.reference.namespace.as_deref()
    }

    /// What the order of applying says: equal for objects that are applied at once.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let kinds = || manifest::order::compare(&self.reference.kind, &other.reference.kind);
        self.foundation().cmp(&other.foundation()).then_with(kinds)
    }

    pub(super) fn foundation(&self) -> Foundation {
        match (self.resource.group.as_str(), self.resource.kind.as_str()) {
            ("", "Namespace") => Foundation::Namespace,
            ("apiextensions.k8s.io", "CustomResourceDefinition") => Foundation::Definition,
            _ => Foundation::None,
        }
    }

    /// What makes it this object, in whatever version of its API.
    pub(super) fn key(&self) -> Key {
        Key {
            group: self.resource.group.clone(),
            kind: self.resource.kind.clone(),
            namespace: self.reference.namespace.clone(),
            name: self.reference.name.clone(),
        }
    }
}

/// What makes an object this one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub group: String,
    pub kind: String,
    pub namespace: Option<String>,
    pub name: String,
}

impl Key {
    /// What makes a live object this one.
    pub fn of(object: &ObjectRef) -> Self {
        let GroupKind { group, kind } = GroupKind::new(&object.api_version, &object.kind);
        Self { group, kind, namespace: object.namespace.clone(), name: object.name.clone() }
    }
}

/// An object as a manifest has it.
pub(super) struct Given<'a> {
    pub manifest: &'a Manifest,
    object: Object,
}

impl<'a> Given<'a> {
    pub fn all(manifests: &[&'a Manifest], namespace: &str) -> Vec<Self> {
        let objects = |(index, manifest): (usize, &&'a Manifest)| {
            let manifest = *manifest;
            manifest.objects(index, namespace).into_iter().map(move |object| Self { manifest, object })
        };
        manifests.iter().enumerate().flat_map(objects).collect()
    }

    /// The resources that it adds, where it is a CRD.
    pub fn defined(&self) -> Vec<Resource> {
        Resource::defined_by(&self.object.value)
    }

    /// What is wanted. Where the server is to make up a name, it is called by what that begins with.
    pub fn wanted(
        &self,
        resources: &Resources,
        defined: &[Resource],
        labels: &[(&str, &str)],
    ) -> Result<Wanted, Box<Fault>> {
        let ObjectRef { api_version, kind, name, .. } = &self.object.reference;
        if api_version.is_empty() || kind.is_empty() {
            return Err(Box::new(self.fault("has no apiVersion or no kind")));
        }
        let generates = self.object.value.at(["metadata", "generateName"]).and_then(Value::as_str);
        if name.is_empty() && generates.is_none() {
            return Err(Box::new(self.fault("has no name").help("set metadata.name")));
        }
        if !matches!(self.object.value.at(["metadata", "managedFields"]), None | Some(Value::Null)) {
            let help = "it is what a server says of an object, not what is wanted: take it out";
            return Err(Box::new(self.fault("has metadata.managedFields").help(help)));
        }
        let own = self.object.value.at(["metadata", "labels"]);
        let is_taken = |label: &&(&str, &str)| {
            own.and_then(|own| own.get(label.0)).is_some_and(|own| own.as_str() != Some(label.1))
        };
        if let Some((label, _)) = labels.iter().find(is_taken) {
            let help = "it is for the tool that applies the object: take it out";
            return Err(Box::new(self.fault(&format!("has the label {label}")).help(help)));
        }
        let resource = resources.of(api_version, kind).or_else(|| {
            defined.iter().find(|resource| resource.kind == *kind && resource.api_version() == *api_version)
        });
        let resource = resource.ok_or_else(|| Box::new(self.unknown(resources, defined)))?.clone();
        let mut reference = self.object.reference.clone();
        if !resource.is_namespaced {
            reference.namespace = None;
        }
        if let (true, Some(start)) = (name.is_empty(), generates) {
            reference.name = start.to_owned();
        }
        let value = sent(&self.object.value, reference.namespace.as_deref(), labels);
        let (manifest, prefix) = (Some(self.object.manifest), self.object.prefix.clone());
        Ok(Wanted { manifest, prefix, reference, resource, value })
    }

    fn has_name(&self) -> bool {
        !self.object.reference.name.is_empty()
    }

    fn generated(&self) -> Fault {
        let help = "each apply would make another object: give it a name, or make it a hook";
        self.fault("has a generateName, but no name").help(help)
    }

    fn unknown(&self, resources: &Resources, defined: &[Resource]) -> Fault {
        let ObjectRef { api_version, kind, .. } = &self.object.reference;
        let fault = self.fault(&format!("is of a kind that the server does not have: {api_version} {kind}"));
        let known = || resources.iter().chain(defined);
        let (group, _) = crate::kinds::group_version(api_version);
        let versions: Vec<String> = known().filter(|known| known.kind == *kind).map(Resource::api_version).collect();
        if let Some(group) = resources.stale().find(|stale| *stale == group) {
            return fault.help(format!("the server behind the group {group} does not answer: see its APIService"));
        }
        if !versions.is_empty() {
            return fault.help(format!("the server has {kind} of {}", versions.join(", ")));
        }
        let of_version = known().filter(|known| known.api_version() == *api_version).map(|known| known.kind.as_str());
        match suggest::nearest(kind, of_version) {
            Some(near) => fault.help(format!("{api_version} has {near}")),
            None => fault.help("install what defines it first, or add its CRD to the manifests"),
        }
    }

    fn fault(&self, what: &str) -> Fault {
        let reference = &self.object.reference;
        let named = match (reference.kind.as_str(), reference.name.as_str()) {
            ("", "") => "an object".to_owned(),
            (kind, "") => format!("a {kind}"),
            _ => reference.to_string(),
        };
        written(Fault::new(format!("{named} {what}")), self.manifest, self.place())
    }

    fn place(&self) -> Location {
        self.manifest.place(&self.object)
    }
}

/// Adds to a fault what it is about in a manifest, and where in the chart that was written.
fn written(fault: Fault, manifest: &Manifest, place: Location) -> Fault {
    let origin = manifest.origin(&place).map(|origin| origin.chain).unwrap_or_default();
    let fault = fault.label(place, "this");
    origin.into_iter().fold(fault, |fault, place| fault.label(place, "written here"))
}

impl Resource {
    /// The resources that a CRD adds, one a version that is served.
    pub(super) fn defined_by(object: &Value) -> Vec<Self> {
        let text = |keys: &[&str]| object.at(keys.iter().copied()).and_then(Value::as_str).unwrap_or_default();
        let is_definition =
            text(&["kind"]) == "CustomResourceDefinition" && text(&["apiVersion"]).starts_with("apiextensions.k8s.io/");
        let versions = object.at(["spec", "versions"]).and_then(Value::as_list).filter(|_| is_definition);
        let served = versions
            .unwrap_or_default()
            .iter()
            .filter(|version| version.get("served").and_then(Value::as_bool).unwrap_or_default());
        let resource = |version: &Value| Self {
            group: text(&["spec", "group"]).to_owned(),
            version: version.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            kind: text(&["spec", "names", "kind"]).to_owned(),
            plural: text(&["spec", "names", "plural"]).to_owned(),
            is_namespaced: text(&["spec", "scope"]) == "Namespaced",
            verbs: ["create", "delete", "get", "list", "patch", "update", "watch"].map(str::to_owned).into(),
        };
        served.map(resource).collect()
    }
}

/// An object as it is sent.
///
/// The `stringData` of a Secret goes as `data`: a server that merges it into `data` itself keeps the keys that are no longer
/// wanted, for it does not know whose they are.
fn sent(object: &Value, namespace: Option<&str>, labels: &[(&str, &str)]) -> Value {
    let map_of = |value: Option<&Value>| value.and_then(Value::as_map).cloned().unwrap_or_default();
    let mut metadata: Map = map_of(object.get("metadata"));
    match namespace {
        Some(namespace) => metadata.insert("namespace", namespace.into()),
        // As the server does (`EnsureObjectNamespaceMatchesRequestNamespace`).
        None => drop(metadata.remove("namespace")),
    }
    if !labels.is_empty() {
        let mut all = map_of(metadata.get("labels"));
        labels.iter().for_each(|(key, value)| all.insert(*key, Value::from(*value)));
        metadata.insert("labels", all.into());
    }
    let mut fields = map_of(Some(object));
    fields.insert("metadata", metadata.into());
    let string_data = object.get("stringData").and_then(Value::as_map);
    if let (Some("Secret"), Some(string_data)) = (object.get("kind").and_then(Value::as_str), string_data) {
        let texts = string_data.iter().map(|(key, value)| Some((key, value.as_str()?)));
        // What is no text is left to the server to refuse.
        if let Some(texts) = texts.collect::<Option<Vec<_>>>() {
            let mut data = map_of(object.get("data"));
            for (key, text) in texts {
                data.insert(key.clone(), BASE64_STANDARD.encode(text).into());
            }
            fields.insert("data", data.into());
            fields.remove("stringData");
        }
    }
    fields.into()
}
