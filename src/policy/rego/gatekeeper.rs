//! Gatekeeper's constraint templates, and the constraints that put them to work.

use std::sync::Arc;

use super::{Body, Dialect, Module, Place, Version};
use crate::finding::Severity;
use crate::policy::Error;
use crate::policy::decode::{Document, Node};
use crate::policy::document::Policy;
use crate::policy::fleet::Prepared;
use crate::policy::request::Request;
use crate::policy::selector::Selector;
use crate::value::{Map, Value};

/// A `ConstraintTemplate`: the rules, for the kind of its constraints.
#[derive(Debug)]
pub(in crate::policy) struct Template {
    kind: String,
    package: String,
    main: Module,
    libs: Vec<Module>,
    title: Option<String>,
    description: Option<String>,
}

/// A constraint: what a template's rules are asked about, and with which parameters.
#[derive(Debug)]
pub(in crate::policy) struct Constraint {
    kind: String,
    name: String,
    severity: Severity,
    kinds: Vec<(Vec<String>, Vec<String>)>,
    scope: Option<String>,
    namespaces: Vec<String>,
    excluded: Vec<String>,
    names: Option<String>,
    labels: Selector,
    namespace_labels: Selector,
    generated_only: bool,
    parameters: Value,
    document: Document,
}

impl Template {
    pub fn read(document: &Document) -> Result<Self, Error> {
        let root = document.root();
        let spec = root.need("spec")?;
        let kind = spec.need("crd")?.need("spec")?.need("names")?.need("kind")?.text()?.to_owned();
        let targets = spec.list_of("targets")?;
        let [target] = targets.as_slice() else { return Err(spec.error("a template has one target")) };
        let code = target.list_of("code")?;
        let engines = code.iter().map(|code| code.need("engine")?.text().map(|engine| (engine, code)));
        let engines = engines.collect::<Result<Vec<_>, _>>()?;
        let source = match engines.iter().find(|(engine, _)| *engine == "Rego") {
            Some((_, code)) => code.need("source")?,
            None if target.get("rego").is_some() => target.clone(),
            None => return Err(target.error("the template has no Rego: of its engines only Rego is evaluated")),
        };
        let version = match source.one_of("version", &["v0", "v1"])? {
            Some("v1") => Version::V1,
            _ => Version::V0,
        };
        let module = |node: &Node<'_>| -> Result<Module, Error> {
            let place = Place::Field(document.clone(), node.path.clone());
            Ok(Module { text: Arc::from(node.text()?), place, version })
        };
        let main = module(&source.need("rego")?)?;
        let notes = root.need("metadata")?.get("annotations");
        let note = |key| -> Result<Option<String>, Error> {
            Ok(notes.as_ref().map(|notes| notes.text_of(key)).transpose()?.flatten().map(|text| text.trim().to_owned()))
        };
        // What does not parse is told when it is compiled, with its place.
        Ok(Self {
            kind,
            package: main.package().unwrap_or_default(),
            main,
            libs: source.list_of("libs")?.iter().map(module).collect::<Result<_, _>>()?,
            title: note("metadata.gatekeeper.sh/title")?,
            description: note("description")?,
        })
    }
}

impl Constraint {
    pub fn read(document: Document) -> Result<Self, Error> {
        let root = document.root();
        root.only(&["apiVersion", "kind", "metadata", "spec", "status"])?;
        let spec = root.get("spec");
        let spec = spec.as_ref();
        if let Some(spec) = spec {
            spec.only(&["enforcementAction", "match", "parameters"])?;
        }
        let severity = match spec.map(|spec| spec.one_of("enforcementAction", &["deny", "warn", "dryrun"])) {
            Some(Ok(Some("warn"))) => Severity::Warning,
            Some(Ok(Some("dryrun"))) => Severity::Info,
            Some(Err(error)) => return Err(error),
            _ => Severity::Error,
        };
        let mut constraint = Self {
            kind: root.need("kind")?.text()?.to_owned(),
            name: root.need("metadata")?.need("name")?.text()?.to_owned(),
            severity,
            kinds: Vec::new(),
            scope: None,
            namespaces: Vec::new(),
            excluded: Vec::new(),
            names: None,
            labels: Selector::default(),
            namespace_labels: Selector::default(),
            generated_only: false,
            parameters: spec
                .and_then(|spec| spec.get("parameters"))
                .map_or_else(|| Map::default().into(), |node| node.value.clone()),
            document: document.clone(),
        };
        if let Some(wanted) = spec.and_then(|spec| spec.get("match")) {
            constraint.read_match(&wanted)?;
        }
        Ok(constraint)
    }

    fn read_match(&mut self, node: &Node<'_>) -> Result<(), Error> {
        node.only(&[
            "excludedNamespaces",
            "kinds",
            "labelSelector",
            "name",
            "namespaceSelector",
            "namespaces",
            "scope",
            "source",
        ])?;
        for kinds in node.list_of("kinds")? {
            kinds.only(&["apiGroups", "kinds"])?;
            self.kinds.push((kinds.texts_of("apiGroups")?, kinds.texts_of("kinds")?));
        }
        self.scope = node.one_of("scope", &["*", "Cluster", "Namespaced"])?.map(str::to_owned);
        self.namespaces = node.texts_of("namespaces")?;
        self.excluded = node.texts_of("excludedNamespaces")?;
        self.names = node.text_of("name")?.map(str::to_owned);
        self.labels = Selector::read_from(node, "labelSelector")?;
        self.namespace_labels = Selector::read_from(node, "namespaceSelector")?;
        self.generated_only = node.one_of("source", &["All", "Generated", "Original"])? == Some("Generated");
        Ok(())
    }

    /// Whether an object is one that the constraint is about. What is in no namespace is in those that are named.
    pub fn matches(&self, request: &Request, namespace: Option<&Value>) -> bool {
        let among = |known: &[String], found: &str| known.is_empty() || known.iter().any(|k| k == "*" || k == found);
        let in_one = |patterns: &[String]| patterns.iter().any(|pattern| is_like(pattern, &request.namespace));
        let placed = namespace.is_some();
        !self.generated_only
            && (self.kinds.is_empty()
                || self.kinds.iter().any(|(g, k)| among(g, &request.group) && among(k, &request.kind)))
            && match self.scope.as_deref() {
                Some("Cluster") => !request.namespaced,
                Some("Namespaced") => request.namespaced,
                _ => true,
            }
            && (!placed || self.namespaces.is_empty() || in_one(&self.namespaces))
            && !(placed && in_one(&self.excluded))
            && self.names.as_deref().is_none_or(|pattern| is_like(pattern, &request.name))
            && self.labels.selects(&request.object)
            && namespace.is_none_or(|namespace| self.namespace_labels.selects(namespace))
    }

    /// The variable `input`.
    pub fn input(&self, request: &Request, namespace: Option<&Value>) -> Value {
        let mut review = request.about().as_map().cloned().unwrap_or_default();
        review.insert("object", request.object.clone());
        if let Some(namespace) = namespace {
            review.insert("namespaceObject", namespace.clone());
        }
        let entries = [("review", review.into()), ("parameters", self.parameters.clone())];
        entries.into_iter().collect::<Map>().into()
    }
}

/// The policies that constraints make of templates, by the index of the constraint.
pub(in crate::policy) fn bind(
    templates: &[Template],
    constraints: Vec<(usize, String, Constraint)>,
) -> Result<Vec<(usize, Policy)>, Error> {
    let policy = |(index, id, constraint): (usize, String, Constraint)| {
        let kind = &constraint.kind;
        let Some(template) = templates.iter().find(|template| template.kind == *kind) else {
            let kind = constraint.document.root().need("kind")?;
            return Err(kind.error(format!("no ConstraintTemplate here makes the kind {}", constraint.kind)));
        };
        let (name, severity, document) = (constraint.name.clone(), constraint.severity, constraint.document.clone());
        let body = Body {
            main: template.main.clone(),
            others: template.libs.clone(),
            package: template.package.clone(),
            dialect: Dialect::Gatekeeper(Box::new(constraint)),
        };
        let mut policy = Policy::in_rego(&id, &name, document, body);
        policy.severity = severity;
        if let Some(title) = &template.title {
            policy.title.clone_from(title);
        }
        policy.rationale = template.description.clone().unwrap_or_default();
        Ok((index, policy))
    };
    constraints.into_iter().map(policy).collect()
}

/// The objects of a release as `data.inventory` has those of a cluster: `cluster[apiVersion][kind][name]` and
/// `namespace[namespace][apiVersion][kind][name]`.
pub(super) fn inventory(release: &Prepared<'_>) -> Value {
    let mut root = Map::default();
    for request in &release.requests {
        let version = request.object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        let way = [version, &request.kind, &request.name];
        let way = if request.namespaced {
            [&["inventory", "namespace", &request.namespace], &way[..]].concat()
        } else {
            [&["inventory", "cluster"], &way[..]].concat()
        };
        insert(&mut root, &way, &request.object);
    }
    root.into()
}

fn insert(map: &mut Map, way: &[&str], object: &Value) {
    match way {
        [] => {}
        [last] => map.insert(*last, object.clone()),
        [first, rest @ ..] => {
            let mut inner = map.get(first).and_then(Value::as_map).cloned().unwrap_or_default();
            insert(&mut inner, rest, object);
            map.insert(*first, inner.into());
        }
    }
}

/// Whether a name is as a pattern says, which may start or end with `*`.
fn is_like(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(""), _) => true,
        (Some(rest), Some(_)) => name.contains(rest.strip_suffix('*').unwrap_or(rest)),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    }
}
