//! Where pods can connect to, and who can connect to them: all NetworkPolicies of a namespace taken together, so that it
//! does not count which of them says what, and that the last one gone opens everything.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::extent::{self, Extent};
use super::{Error, Object, Phrase, Said, Severity, Ways};
use crate::delta::access::view::View;
use crate::policy::reach::{At, Labels, template, words};
use crate::value::{Map, Value};

const INGRESS: &str = "ingress";
const EGRESS: &str = "egress";

/// Metadata services of clouds: those that the policy `network/metadata-egress` knows.
const METADATA: [&str; 3] = ["169.254.169.254", "100.100.100.200", "fd00:ec2::254"];

/// A NetworkPolicy, by its number, and what it is for.
struct Policy<'v> {
    number: usize,
    object: &'v Object<'v>,
    selector: Labels<'v>,
    directions: [bool; 2],
}

/// The NetworkPolicies of a side, by namespace and one of the labels by which they select.
struct Policies<'v> {
    all: Vec<Policy<'v>>,
    by_label: HashMap<(&'v str, Option<Label<'v>>), Vec<usize>>,
}

/// Key and value.
type Label<'v> = (&'v str, &'v str);

/// Pods of which it is told.
struct Pods<'p, 'v> {
    subject: &'p str,
    object: &'v Object<'v>,
    /// Tells pods apart that are known by one object.
    part: &'p str,
    labels: Option<&'p Value>,
    /// Then it is news that no policy bounds them.
    is_on_both_sides: bool,
    /// The network of the node is bounded by no policy.
    is_on_node: bool,
}

/// Adds what is open between pods and others, in the namespaces where pods or policies are not the same on both sides.
pub(super) fn isolation<'v>(ways: &mut Ways<'_, 'v>, other: &View<'v>) -> Result<(), Error> {
    let view = ways.view;
    let changed: BTreeSet<&str> = changed(view, other).chain(changed(other, view)).collect();
    let (policies, others) = (Policies::read(view, &changed)?, Policies::read(other, &changed)?);
    let mut selected: [Vec<bool>; 2] = [vec![false; policies.all.len()], vec![false; others.all.len()]];
    for (side, is_here) in [(view, true), (other, false)] {
        for (number, object) in side.graph.objects().iter().enumerate() {
            let Some(way) = template(object.group, object.kind).filter(|_| changed.contains(object.namespace)) else {
                continue;
            };
            At::root(number, object.value).descend(way, &mut |template| {
                let metadata = template.get("metadata")?;
                let labels = metadata.get("labels")?;
                for (policies, selected) in [&policies, &others].into_iter().zip(&mut selected) {
                    for index in policies.near(object.namespace, Some(labels.value())) {
                        selected.get_mut(index).into_iter().for_each(|is_selected| *is_selected = true);
                    }
                }
                if is_here {
                    let subject = format!("pods of {}", words::owner(side.graph, number));
                    let is_on_both_sides = other.values(view.id(object)).next().is_some();
                    let labels = Some(labels.value());
                    let is_on_node = template.get("spec")?.flag("hostNetwork")?.unwrap_or_default();
                    let pods = Pods { subject: &subject, object, part: "", labels, is_on_both_sides, is_on_node };
                    policies.tell(ways, &pods, Some(&metadata))?;
                }
                Ok(())
            })?;
        }
    }
    // Of pods that are made elsewhere only the policies are known that select them.
    let mut told = BTreeSet::new();
    for (policies_of, selected) in [&policies, &others].into_iter().zip(&selected) {
        for (policy, _) in policies_of.all.iter().zip(selected).filter(|(_, is_selected)| !**is_selected) {
            if !told.insert((policy.object.namespace, policy.selector.clone())) {
                continue;
            }
            let labels: Map = policy.selector.wanted.iter().map(|(key, value)| (*key, Value::from(*value))).collect();
            let part = policy.selector.to_string();
            let which = if part.is_empty() { String::new() } else { format!(" {part}") };
            let subject = format!("pods{which} of namespace {}", policy.object.namespace);
            let labels = Value::from(labels);
            let (object, labels) = (policy.object, Some(&labels));
            let pods =
                Pods { subject: &subject, object, part: &part, labels, is_on_both_sides: true, is_on_node: false };
            policies.tell(ways, &pods, None)?;
        }
    }
    Ok(())
}

/// The namespaces of pods and NetworkPolicies that are not so on the other side.
fn changed<'v>(view: &View<'v>, other: &View<'v>) -> impl Iterator<Item = &'v str> {
    let counts = |object: &Object<'_>| is_policy(object) || template(object.group, object.kind).is_some();
    let objects = view.graph.objects().iter().filter(move |object| counts(object));
    objects.filter(|object| !view.is_same(object, other)).map(|object| object.namespace)
}

fn is_policy(object: &Object<'_>) -> bool {
    (object.group, object.kind) == ("networking.k8s.io", "NetworkPolicy")
}

impl<'v> Policies<'v> {
    fn read(view: &View<'v>, namespaces: &BTreeSet<&str>) -> Result<Self, Error> {
        let mut policies = Self { all: Vec::new(), by_label: HashMap::new() };
        for (number, object) in view.graph.objects().iter().enumerate() {
            if !is_policy(object) || !namespaces.contains(object.namespace) {
                continue;
            }
            let root = At::root(number, object.value);
            let spec = root.get("spec")?;
            let selector = Labels::read(&spec.get("podSelector")?)?;
            let directions = match spec.texts("policyTypes")?.as_slice() {
                [] => [true, spec.items("egress")?.next().is_some()],
                types => [types.contains(&"Ingress"), types.contains(&"Egress")],
            };
            let key = (object.namespace, selector.wanted.first().copied());
            policies.by_label.entry(key).or_default().push(policies.all.len());
            policies.all.push(Policy { number, object, selector, directions });
        }
        Ok(policies)
    }

    /// The policies of a namespace that select pods with these labels, in their order.
    fn near(&self, namespace: &str, labels: Option<&Value>) -> BTreeSet<usize> {
        let pairs = labels.and_then(Value::as_map).into_iter().flat_map(|labels| labels.iter());
        let pairs = pairs.filter_map(|(key, value)| Some((&**key, value.as_str()?)));
        let keys = pairs.map(Some).chain([None]);
        let found = keys.filter_map(|key| self.by_label.get(&(namespace, key))).flatten().copied();
        let selects = |index: &usize| self.all.get(*index).is_some_and(|policy| policy.selector.select(labels));
        found.filter(selects).collect()
    }

    /// Tells what some pods can do, and others with them.
    fn tell(&self, ways: &mut Ways<'_, 'v>, pods: &Pods<'_, 'v>, metadata: Option<&At<'_, 'v>>) -> Result<(), Error> {
        let mut near = self.near(pods.object.namespace, pods.labels);
        near.retain(|_| !pods.is_on_node);
        for (direction, key) in [INGRESS, EGRESS].into_iter().enumerate() {
            let bounding = near.iter().filter_map(|index| self.all.get(*index));
            let mut bounding = bounding.filter(|policy| policy.directions.get(direction) == Some(&true)).peekable();
            if bounding.peek().is_none() {
                let phrase = match key {
                    INGRESS => "can be connected to by everybody: no NetworkPolicy bounds it",
                    _ => "can connect to everything, metadata services among it: no NetworkPolicy bounds it",
                };
                let severity = if pods.is_on_both_sides { Severity::Error } else { Severity::Info };
                let said = Said::of(pods.subject, severity, Phrase::new(phrase, "", ""));
                let extents = [Extent::All(""), Extent::All("")];
                ways.add_at(pods.object, (pods.part, key), extents, said, metadata.map(At::field))?;
            }
            for policy in bounding {
                let root = At::root(policy.number, policy.object.value);
                for rule in root.get("spec")?.items(key)? {
                    self::rule(ways, pods, key, &rule)?;
                }
            }
        }
        Ok(())
    }
}

/// Tells what a rule opens.
fn rule<'v>(
    ways: &mut Ways<'_, 'v>,
    pods: &Pods<'_, 'v>,
    direction: &'static str,
    rule: &At<'_, 'v>,
) -> Result<(), Error> {
    let (list, start) = match direction {
        INGRESS => ("from", "can be connected to by "),
        _ => ("to", "can connect to "),
    };
    let mut ports = Vec::new();
    for at in rule.items("ports")? {
        ports.push(extent::port(&at, "port")?);
    }
    if ports.is_empty() {
        ports.push(Extent::All("every port"));
    }
    let mut peers = Vec::new();
    for at in rule.items(list)? {
        peers.push((peer(&at)?, at));
    }
    if peers.is_empty() {
        let everybody = if direction == INGRESS { "everybody" } else { "everything" };
        peers.push((Extent::All(everybody), *rule));
    }
    for (peer, at) in &peers {
        for port in &ports {
            let severity = if peer.is_wide() { Severity::Warning } else { Severity::Info };
            let said = Said::of(pods.subject, severity, Phrase::new(start, " on ", ""));
            let extents = [peer.clone(), port.clone()];
            ways.add_at(pods.object, (pods.part, direction), extents, said, Some(at.field()))?;
        }
    }
    let http = Extent::Ports { protocol: "TCP", range: Some((80, 80)) };
    if direction == EGRESS && ports.iter().any(|port| port.covers(&http)) {
        for service in METADATA {
            let Ok(address) = service.parse::<IpAddr>() else { continue };
            for (_, at) in peers.iter().filter(|(peer, _)| peer.holds(address)) {
                let phrase = Phrase::new("can connect to the metadata service of a cloud, ", " on ", "");
                let said = Said::of(pods.subject, Severity::Error, phrase);
                let extents = [Extent::network(service, &[]), http.clone()];
                ways.add_at(pods.object, (pods.part, direction), extents, said, Some(at.field()))?;
            }
        }
    }
    Ok(())
}

fn peer<'v>(at: &At<'_, 'v>) -> Result<Extent<'v>, Error> {
    let block = at.get("ipBlock")?;
    if block.exists() {
        return Ok(Extent::network(block.text_of("cidr")?, &block.texts("except")?));
    }
    let (namespaces, pods) = (at.get("namespaceSelector")?, at.get("podSelector")?);
    let namespaces = if namespaces.exists() { Some(Labels::read(&namespaces)?) } else { None };
    Ok(Extent::Pods { namespaces, pods: Labels::read(&pods)? })
}
