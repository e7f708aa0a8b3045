//! What the drawn formats have in common: who stands on the left, what is reached on the right, a line for each way.

use std::collections::HashMap;
use std::hash::Hash;

use super::Reach;
use crate::policy::reach::{Action, Among, Graph, Target, Via, Who, words};
use crate::report::printable;

/// A graph to be drawn.
pub(super) struct Picture {
    pub who: Vec<Node>,
    pub targets: Vec<Node>,
    pub lines: Vec<Line>,
}

/// A box: what it is, and what it is called.
pub(super) struct Node {
    pub above: String,
    pub name: String,
}

/// A way, or several of the same sort.
pub(super) struct Line {
    pub who: usize,
    pub target: usize,
    pub action: Action,
    pub via: Via,
    /// Each way in words, a line each.
    pub title: String,
}

impl Picture {
    pub(super) fn new(reach: &Reach<'_, '_>) -> Self {
        let (mut who, mut targets) = (Numbered::default(), Numbered::default());
        let mut lines: Vec<Line> = Vec::new();
        let mut known: HashMap<(usize, usize, Action, Via), usize> = HashMap::new();
        for edge in &reach.edges {
            let target = Target { keys: Default::default(), ..edge.target.clone() };
            let from = who.number(edge.who, || of_who(reach.graph, edge.who));
            let to = targets.number(target, || of_target(&edge.target));
            let title = printable(&words::route(&reach.graph.route(edge), edge));
            match known.get(&(from, to, edge.action, edge.via)).and_then(|index| lines.get_mut(*index)) {
                Some(line) => line.title.push_str(&format!("\n{title}")),
                None => {
                    known.insert((from, to, edge.action, edge.via), lines.len());
                    lines.push(Line { who: from, target: to, action: edge.action, via: edge.via, title });
                }
            }
        }
        Self { who: who.nodes, targets: targets.nodes, lines }
    }
}

impl Line {
    /// `read via rbac`
    pub(super) fn label(&self) -> String {
        format!("{} via {}", self.action.name(), self.via.name())
    }
}

/// Things by the order in which they were first met.
struct Numbered<T> {
    numbers: HashMap<T, usize>,
    nodes: Vec<Node>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), nodes: Vec::new() }
    }
}

impl<T: Eq + Hash> Numbered<T> {
    fn number(&mut self, thing: T, node: impl FnOnce() -> Node) -> usize {
        *self.numbers.entry(thing).or_insert_with(|| {
            self.nodes.push(node());
            self.nodes.len() - 1
        })
    }
}

fn of_who(graph: &Graph<'_>, who: Who<'_>) -> Node {
    let words = printable(&words::who(graph, who));
    let (above, name) = match who {
        Who::Container(object, _, name) => (printable(&words::owner(graph, object)), printable(name)),
        Who::Pods(_) | Who::Controller(_) => {
            let (above, name) = words.rsplit_once(' ').unwrap_or(("", &words));
            (above.to_owned(), name.to_owned())
        }
        Who::Subject(_) => {
            let (above, name) = words.split_once(' ').unwrap_or(("", &words));
            (above.to_owned(), name.to_owned())
        }
    };
    Node { above, name }
}

fn of_target(target: &Target<'_>) -> Node {
    let kind = target.kind.name();
    let namespace =
        target.namespace.map_or_else(|| "the cluster".to_owned(), |name| format!("namespace {}", printable(name)));
    let name = match (target.name, target.among) {
        (Some(name), _) => return Node { above: format!("{kind} in {namespace}"), name: printable(name) },
        (None, Among::All) => format!("every {kind}"),
        (None, Among::Pods) => format!("every {kind} of its pods"),
        (None, Among::Accounts) => format!("every {kind} of its accounts"),
        (None, Among::Node) => {
            return Node { above: "the same node".to_owned(), name: format!("every {kind} of its pods") };
        }
    };
    Node { above: namespace, name }
}

/// The colours of a way on light and on dark ground, and what the legend calls it.
pub(super) fn colour(via: Via) -> (&'static str, &'static str, &'static str) {
    match via {
        Via::Env | Via::EnvFrom | Via::Volume => ("#2563eb", "#60a5fa", "own reference"),
        Via::ImagePull | Via::Driver | Via::Tls | Via::Listed => ("#6b7280", "#9ca3af", "used, not seen"),
        Via::Token => ("#0d9488", "#2dd4bf", "token"),
        Via::Rbac => ("#d97706", "#fbbf24", "RBAC"),
        Via::CreatePods | Via::EphemeralContainers => ("#dc2626", "#f87171", "runs pods"),
        Via::Exec => ("#db2777", "#f472b6", "enters pods"),
        Via::TokenRequest | Via::TokenSecret | Via::Impersonate | Via::Escalate => {
            ("#7c3aed", "#a78bfa", "becomes another")
        }
        Via::ProcessNamespace | Via::Node => ("#65a30d", "#a3e635", "shared processes or node"),
    }
}
