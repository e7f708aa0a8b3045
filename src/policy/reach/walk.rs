//! From rights to what they lead to: each container and each subject is followed, breadth first, so that the first way
//! found to a target is the shortest.
//!
//! What is reached as a whole ("every Secret of a namespace") stays one target. So a walk is as long as its result, but
//! for the hostile: steps and edges are bounded.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::Error;
use super::edge::{Action, Among, Edge, Hop, Target, TargetKind, Via, Who};
use super::field::Field;
use super::objects::Objects;
use super::pods::{Pod, Reference};
use super::rights::{Power, Right, combine};
use super::roles::{Bindings, Subject};

/// The most steps of all walks together.
const MAX_STEPS: usize = 20_000_000;
/// Of accounts that may do the same, as many are asked: one or two may be those who ask.
const MAX_ALIKE: usize = 4;
/// The most edges.
const MAX_EDGES: usize = 1_000_000;

/// What walks look at, and what they found.
pub(super) struct Walker<'g, 'a> {
    objects: &'g Objects<'a>,
    pods: &'g [Pod<'a>],
    bindings: &'g Bindings<'a>,
    pods_in: HashMap<&'a str, Vec<usize>>,
    /// The bound ServiceAccounts of a namespace.
    accounts_in: HashMap<&'a str, Vec<Subject<'a>>>,
    powers: HashMap<Subject<'a>, Rc<[Power<'a>]>>,
    together: HashMap<Place<'a>, Rc<[(Subject<'a>, Power<'a>)]>>,
    pub edges: Vec<Edge<'a>>,
    pub hops: Vec<Hop<'a>>,
    steps: usize,
}

/// Where a walk comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place<'a> {
    Subject(Subject<'a>),
    /// Every ServiceAccount of a namespace.
    Accounts(&'a str),
    /// Every ServiceAccount of a namespace that its pods use.
    PodAccounts(&'a str),
    /// A container, by its pod and its index.
    Container(usize, usize),
}

struct Walk<'a> {
    who: Who<'a>,
    open: VecDeque<(Place<'a>, Option<usize>)>,
    visited: HashSet<Place<'a>>,
    found: HashSet<(Action, Target<'a>)>,
}

const SECRET: TargetKind = TargetKind::Secret;
const ACCOUNT: TargetKind = TargetKind::ServiceAccount;

impl<'g, 'a> Walker<'g, 'a> {
    pub(super) fn new(objects: &'g Objects<'a>, pods: &'g [Pod<'a>], bindings: &'g Bindings<'a>) -> Self {
        let mut pods_in: HashMap<_, Vec<_>> = HashMap::new();
        for (index, pod) in pods.iter().enumerate() {
            pods_in.entry(pod.namespace).or_default().push(index);
        }
        let mut accounts_in: HashMap<_, Vec<_>> = HashMap::new();
        for subject in &bindings.subjects {
            if let Subject::Account(namespace, _) = subject {
                accounts_in.entry(*namespace).or_default().push(*subject);
            }
        }
        Self {
            objects,
            pods,
            bindings,
            pods_in,
            accounts_in,
            powers: HashMap::new(),
            together: HashMap::new(),
            edges: Vec::new(),
            hops: Vec::new(),
            steps: 0,
        }
    }

    /// All that a container reaches.
    pub(super) fn container(&mut self, pod: usize, index: usize) -> Result<(), Error> {
        let pods = self.pods;
        let Some((of, container)) = pods.get(pod).and_then(|of| Some((of, of.containers.get(index)?))) else {
            return Ok(());
        };
        let mut walk = Walk::new(Who::Container(of.object, index, container.name));
        self.visit(&mut walk, Place::Container(pod, index), None)?;
        if !container.node.is_empty() {
            let hop = self.hop(None, Via::Node, container.node.clone().into());
            self.emit(&mut walk, Action::Read, Target::every(SECRET, None, Among::Node), hop)?;
            self.emit(&mut walk, Action::ActAs, Target::every(ACCOUNT, None, Among::Node), hop)?;
        }
        if let Some(shares) = &of.shares_processes {
            for (other, neighbour) in of.containers.iter().enumerate() {
                if other != index && Pod::meet(container.phase, neighbour.phase) {
                    let fields = [shares.clone(), neighbour.name_field.clone()].into();
                    let hop = self.hop(None, Via::ProcessNamespace, fields);
                    walk.open.push_back((Place::Container(pod, other), Some(hop)));
                    self.step()?;
                }
            }
        }
        self.finish(walk)
    }

    /// All that a subject of bindings reaches.
    pub(super) fn subject(&mut self, subject: Subject<'a>) -> Result<(), Error> {
        let mut walk = Walk::new(Who::Subject(subject));
        walk.open.push_back((Place::Subject(subject), None));
        self.finish(walk)
    }

    /// What is used on behalf of somebody who does not see it.
    pub(super) fn uses(&mut self, who: Who<'a>, namespace: &'a str, reference: &Reference<'a>) -> Result<(), Error> {
        let hop = self.hop(None, reference.via, reference.fields.clone().into());
        let namespace = reference.namespace.unwrap_or(namespace);
        self.emit(&mut Walk::new(who), Action::Use, Target::one(SECRET, Some(namespace), reference.secret), hop)
    }

    fn finish(&mut self, mut walk: Walk<'a>) -> Result<(), Error> {
        while let Some((place, hop)) = walk.open.pop_front() {
            self.visit(&mut walk, place, hop)?;
        }
        Ok(())
    }

    fn visit(&mut self, walk: &mut Walk<'a>, place: Place<'a>, hop: Option<usize>) -> Result<(), Error> {
        if !walk.visited.insert(place) {
            return Ok(());
        }
        match place {
            Place::Container(pod, index) => self.visit_container(walk, pod, index, hop),
            Place::Subject(subject) => self.powers(subject).iter().try_for_each(|power| self.follow(walk, power, hop)),
            Place::Accounts(namespace) | Place::PodAccounts(namespace) => {
                for (subject, power) in self.together(place).iter() {
                    if walk.visited.contains(&Place::Subject(*subject)) {
                        continue;
                    }
                    let hop = hop.map(|hop| self.becoming(hop, *subject));
                    let action = match power.grant.right {
                        Right::Read => Action::Read,
                        Right::Change => Action::Change,
                        _ => {
                            self.follow(walk, power, hop)?;
                            continue;
                        }
                    };
                    // What single accounts may do with single Secrets of the namespace is said for all of them.
                    if power.grant.names.is_empty() || power.namespace != Some(namespace) {
                        self.follow(walk, power, hop)?;
                    } else {
                        let hop = self.allowed(hop, Via::Rbac, power);
                        self.emit(walk, action, Target::every(SECRET, Some(namespace), Among::Accounts), hop)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn visit_container(
        &mut self,
        walk: &mut Walk<'a>,
        pod: usize,
        index: usize,
        hop: Option<usize>,
    ) -> Result<(), Error> {
        let pods = self.pods;
        let Some((pod, container)) = pods.get(pod).and_then(|pod| Some((pod, pod.containers.get(index)?))) else {
            return Ok(());
        };
        for reference in &container.references {
            let hop = self.hop(hop, reference.via, reference.fields.clone().into());
            let one = Target::one(SECRET, Some(pod.namespace), reference.secret);
            self.emit(walk, Action::Read, Target { keys: reference.keys.clone().into(), ..one }, hop)?;
            self.take_token(walk, pod.namespace, reference.secret, hop)?;
        }
        if let Some(token) = &container.token {
            let hop = self.hop(hop, Via::Token, token.clone().into());
            self.act_as(walk, pod.namespace, pod.account, hop)?;
        }
        Ok(())
    }

    /// Where a power leads.
    fn follow(&mut self, walk: &mut Walk<'a>, power: &Power<'a>, hop: Option<usize>) -> Result<(), Error> {
        let (namespace, names) = (power.namespace, &power.grant.names);
        match power.grant.right {
            Right::Read => {
                let hop = self.allowed(hop, Via::Rbac, power);
                self.secrets(walk, Action::Read, namespace, names, hop)?;
                self.take_tokens(walk, namespace, names, hop)
            }
            Right::Change => {
                let hop = self.allowed(hop, Via::Rbac, power);
                self.secrets(walk, Action::Change, namespace, names, hop)
            }
            Right::RunPods => {
                let hop = self.allowed(hop, Via::CreatePods, power);
                self.secrets(walk, Action::Read, namespace, &[], hop)?;
                self.accounts(walk, namespace, &[], hop)
            }
            Right::DebugPods => {
                let hop = self.allowed(hop, Via::EphemeralContainers, power);
                self.secrets(walk, Action::Read, namespace, &[], hop)?;
                self.enter(walk, namespace, names, hop)
            }
            Right::EnterPods => {
                let hop = self.allowed(hop, Via::Exec, power);
                self.enter(walk, namespace, names, hop)
            }
            Right::EnterNodes if namespace.is_none() => {
                let hop = self.allowed(hop, Via::Exec, power);
                self.enter(walk, None, &[], hop)
            }
            Right::RequestTokens => {
                let hop = self.allowed(hop, Via::TokenRequest, power);
                self.accounts(walk, namespace, names, hop)
            }
            Right::MintTokens => {
                let hop = self.allowed(hop, Via::TokenSecret, power);
                self.accounts(walk, namespace, &[], hop)
            }
            Right::ImpersonateAccounts => {
                let hop = self.allowed(hop, Via::Impersonate, power);
                self.accounts(walk, namespace, names, hop)
            }
            Right::ImpersonateUsers if namespace.is_none() => {
                let hop = self.allowed(hop, Via::Impersonate, power);
                if names.is_empty() {
                    return self.everything(walk, None, hop);
                }
                for name in names.iter() {
                    let subject = Subject::User(name);
                    let hop = self.becoming(hop, subject);
                    walk.open.push_back((Place::Subject(subject), Some(hop)));
                }
                Ok(())
            }
            Right::Everything => {
                let via = if power.grant.verb == "*" { Via::Rbac } else { Via::Escalate };
                let hop = self.allowed(hop, via, power);
                self.everything(walk, namespace, hop)
            }
            // Nothing by themselves, or not in a namespace.
            Right::EnterNodes
            | Right::ImpersonateUsers
            | Right::ImpersonateGroups
            | Right::MakeSecrets
            | Right::EscalateRoles
            | Right::WriteRoles
            | Right::EscalateClusterRoles
            | Right::WriteClusterRoles
            | Right::BindRoles
            | Right::WriteRoleBindings
            | Right::WriteClusterRoleBindings => Ok(()),
        }
    }

    fn secrets(
        &mut self,
        walk: &mut Walk<'a>,
        action: Action,
        namespace: Option<&'a str>,
        names: &[&'a str],
        hop: usize,
    ) -> Result<(), Error> {
        if names.is_empty() {
            return self.emit(walk, action, Target::every(SECRET, namespace, Among::All), hop);
        }
        names.iter().try_for_each(|name| self.emit(walk, action, Target::one(SECRET, namespace, name), hop))
    }

    /// Acts as accounts, all of a namespace or of the cluster where there are no names.
    fn accounts(
        &mut self,
        walk: &mut Walk<'a>,
        namespace: Option<&'a str>,
        names: &[&'a str],
        hop: usize,
    ) -> Result<(), Error> {
        match (namespace, names) {
            // Some of them may do everything: the controllers of kube-system.
            (None, []) => self.everything(walk, None, hop),
            (Some(namespace), []) => {
                self.emit(walk, Action::ActAs, Target::every(ACCOUNT, Some(namespace), Among::All), hop)?;
                walk.open.push_back((Place::Accounts(namespace), Some(hop)));
                Ok(())
            }
            (Some(namespace), names) => names.iter().try_for_each(|name| self.act_as(walk, namespace, name, hop)),
            (None, names) => {
                names.iter().try_for_each(|name| self.emit(walk, Action::ActAs, Target::one(ACCOUNT, None, name), hop))
            }
        }
    }

    fn act_as(&mut self, walk: &mut Walk<'a>, namespace: &'a str, name: &'a str, hop: usize) -> Result<(), Error> {
        let subject = Subject::Account(namespace, name);
        if walk.who == Who::Subject(subject) {
            return Ok(());
        }
        let hop = self.becoming(hop, subject);
        walk.open.push_back((Place::Subject(subject), Some(hop)));
        self.emit(walk, Action::ActAs, Target::one(ACCOUNT, Some(namespace), name), hop)
    }

    fn everything(&mut self, walk: &mut Walk<'a>, namespace: Option<&'a str>, hop: usize) -> Result<(), Error> {
        self.secrets(walk, Action::Read, namespace, &[], hop)?;
        self.secrets(walk, Action::Change, namespace, &[], hop)?;
        self.emit(walk, Action::ActAs, Target::every(ACCOUNT, namespace, Among::All), hop)?;
        walk.open.extend(namespace.map(|namespace| (Place::Accounts(namespace), Some(hop))));
        Ok(())
    }

    /// Enters pods: those that have the names, or all of a namespace or of the cluster.
    fn enter(
        &mut self,
        walk: &mut Walk<'a>,
        namespace: Option<&'a str>,
        names: &[&'a str],
        hop: usize,
    ) -> Result<(), Error> {
        let (Some(namespace), false) = (namespace, names.is_empty()) else {
            self.emit(walk, Action::Read, Target::every(SECRET, namespace, Among::Pods), hop)?;
            self.emit(walk, Action::ActAs, Target::every(ACCOUNT, namespace, Among::Pods), hop)?;
            walk.open.extend(namespace.map(|namespace| (Place::PodAccounts(namespace), Some(hop))));
            return Ok(());
        };
        for index in self.pods_in.get(namespace).cloned().unwrap_or_default() {
            self.step()?;
            let Some(pod) = self.pods.get(index) else { continue };
            let Some(object) = self.objects.all.get(pod.object) else { continue };
            if names.iter().any(|name| is_pod_of(object.kind, object.name, name)) {
                let containers = (0..pod.containers.len()).map(|container| Place::Container(index, container));
                walk.open.extend(containers.map(|place| (place, Some(hop))));
            }
        }
        Ok(())
    }

    /// What is read may be a token.
    fn take_tokens(
        &mut self,
        walk: &mut Walk<'a>,
        namespace: Option<&'a str>,
        names: &[&'a str],
        hop: usize,
    ) -> Result<(), Error> {
        let Some(namespace) = namespace else { return Ok(()) };
        let of_namespace = self.objects.tokens_in.get(namespace).filter(|_| names.is_empty());
        for name in of_namespace.into_iter().flatten().chain(names) {
            self.take_token(walk, namespace, name, hop)?;
        }
        Ok(())
    }

    fn take_token(
        &mut self,
        walk: &mut Walk<'a>,
        namespace: &'a str,
        secret: &'a str,
        hop: usize,
    ) -> Result<(), Error> {
        match self.objects.tokens.get(&(namespace, secret)) {
            Some((account, field)) => {
                let hop = self.hop(Some(hop), Via::TokenSecret, [field.clone()].into());
                self.act_as(walk, namespace, account, hop)
            }
            None => Ok(()),
        }
    }

    /// What a subject may do, its groups' rights among it.
    fn powers(&mut self, subject: Subject<'a>) -> Rc<[Power<'a>]> {
        if let Some(known) = self.powers.get(&subject) {
            return known.clone();
        }
        let mut powers: Vec<Power<'a>> = self.bindings.powers_of(subject).to_vec();
        if let Subject::Account(namespace, _) = subject {
            powers.extend(self.bindings.powers_of_accounts(namespace).cloned());
        }
        powers.extend(combine(&powers));
        let powers: Rc<[Power<'a>]> = powers.into();
        self.powers.insert(subject, powers.clone());
        powers
    }

    /// What several accounts may do, each kind of right with a few of those who have it.
    fn together(&mut self, place: Place<'a>) -> Rc<[(Subject<'a>, Power<'a>)]> {
        if let Some(known) = self.together.get(&place) {
            return known.clone();
        }
        let subjects: Vec<Subject<'a>> = match place {
            Place::Accounts(namespace) => self.accounts_in.get(namespace).cloned().unwrap_or_default(),
            Place::PodAccounts(namespace) => {
                let pods = self.pods_in.get(namespace).into_iter().flatten().filter_map(|pod| self.pods.get(*pod));
                let with_token = pods.filter(|pod| pod.containers.iter().any(|container| container.token.is_some()));
                with_token.map(|pod| Subject::Account(namespace, pod.account)).collect()
            }
            Place::Subject(_) | Place::Container(..) => Vec::new(),
        };
        let own = match place {
            Place::Accounts(namespace) | Place::PodAccounts(namespace) => Some(namespace),
            Place::Subject(_) | Place::Container(..) => None,
        };
        let (mut seen, mut known, mut powers) = (HashSet::new(), HashMap::new(), Vec::new());
        for subject in subjects.into_iter().filter(|subject| seen.insert(*subject)) {
            for power in self.powers(subject).iter() {
                let is_inner = power.namespace == own && matches!(power.grant.right, Right::Read | Right::Change);
                let names = match power.grant.names.is_empty() {
                    false if is_inner => Rc::from([""]),
                    _ => power.grant.names.clone(),
                };
                let count: &mut usize = known.entry((power.grant.right, power.namespace, names)).or_default();
                *count += 1;
                if *count <= MAX_ALIKE {
                    powers.push((subject, power.clone()));
                }
            }
        }
        let powers: Rc<[_]> = powers.into();
        self.together.insert(place, powers.clone());
        powers
    }

    /// A further step by a rule.
    fn allowed(&mut self, parent: Option<usize>, via: Via, power: &Power<'a>) -> usize {
        let hop = self.hop(parent, via, power.fields.clone());
        if let Some(hop) = self.hops.get_mut(hop) {
            hop.allows = (power.grant.verb, power.grant.resource);
        }
        hop
    }

    fn hop(&mut self, parent: Option<usize>, via: Via, fields: Rc<[Field<'a>]>) -> usize {
        self.hops.push(Hop { via, allows: ("", ""), becomes: None, fields, parent });
        self.hops.len() - 1
    }

    /// The same step, taken in order to become somebody.
    fn becoming(&mut self, hop: usize, subject: Subject<'a>) -> usize {
        match self.hops.get(hop).cloned() {
            Some(step) => {
                self.hops.push(Hop { becomes: Some(subject), ..step });
                self.hops.len() - 1
            }
            None => hop,
        }
    }

    fn emit(&mut self, walk: &mut Walk<'a>, action: Action, target: Target<'a>, last: usize) -> Result<(), Error> {
        self.step()?;
        let (mut via, mut steps, mut hop) = (Via::Token, 0, Some(last));
        while let Some(step) = hop.and_then(|hop| self.hops.get(hop)) {
            // The way is read from its end: the last one taken here is the first that is more than the own token.
            // What the container names itself is no way to something else.
            if step.via != Via::Token && (hop == Some(last) || !step.via.is_own_reference()) {
                via = step.via;
            }
            steps += usize::from(step.via != Via::Token || step.parent.is_some());
            hop = step.parent;
        }
        // Of what is one's own every way is told; of what others lead to the shortest, if it is no part of a whole.
        let is_known = !walk.found.insert((action, target.clone()));
        let wholes = [target.namespace, None].map(|of| (action, Target::every(target.kind, of, Among::All)));
        let is_part = wholes.iter().any(|whole| whole.1 != target && walk.found.contains(whole));
        if steps > 1 && (is_known || is_part) {
            return Ok(());
        }
        if self.edges.len() >= MAX_EDGES {
            return Err(Error::TooLarge { what: "relations to Secrets", limit: MAX_EDGES });
        }
        self.edges.push(Edge { who: walk.who, action, target, via, last });
        Ok(())
    }

    fn step(&mut self) -> Result<(), Error> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(Error::TooLarge { what: "steps from rights to Secrets", limit: MAX_STEPS });
        }
        Ok(())
    }
}

impl<'a> Walk<'a> {
    fn new(who: Who<'a>) -> Self {
        Self { who, open: VecDeque::new(), visited: HashSet::new(), found: HashSet::new() }
    }
}

/// Whether an object has a pod of this name: the names of replicas are its own with something behind them.
fn is_pod_of(kind: &str, owner: &str, name: &str) -> bool {
    match name.strip_prefix(owner) {
        Some("") => kind == "Pod",
        Some(rest) => kind != "Pod" && rest.starts_with('-'),
        None => false,
    }
}
