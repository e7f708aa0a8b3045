//! What a change does: to the manifests, to the findings, and to who can do what.

pub mod access;
mod findings;

use crate::diff::ObjectChange;
use crate::finding::{Failed, Finding, Place, Severity};

pub use findings::Findings;

/// What lies between two revisions of a project.
#[derive(Debug, Clone, Default)]
pub struct Delta {
    /// What is compared with.
    pub base: Base,
    /// Releases that only the new side has.
    pub added: Vec<String>,
    /// Releases that only the old side has.
    pub removed: Vec<String>,
    /// The number of releases of the new side.
    pub releases: usize,
    /// The objects that are not the same, in the order of the releases and their objects.
    pub objects: Vec<ObjectChange>,
    /// Findings that count on the new side and did not on the old one.
    pub new: Vec<Finding>,
    /// Findings that were there on the old side, in its baseline or not, and are gone.
    pub mended: Vec<Finding>,
    /// Findings that do not count on the new side though nothing was mended: somebody answers for them now, they are in the
    /// baseline now, or the policy is evaluated no more.
    pub silenced: Vec<Finding>,
    /// Findings that count on both sides, as they are on the new one.
    pub unchanged: Vec<Finding>,
    /// What changed in who can do what.
    pub access: Vec<AccessChange>,
    /// The releases that could not be rendered or checked on one side: what changed in them is not known.
    pub failed: Vec<FailedOn>,
}

/// What a side is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A revision of the project.
    Revision {
        /// As it was given.
        name: String,
        /// The commit that it is, in full.
        commit: String,
    },
    /// The objects that a cluster has.
    Live {
        /// What the cluster is called: a context of the kubeconfig.
        context: String,
    },
}

impl Default for Base {
    fn default() -> Self {
        Self::Revision { name: String::new(), commit: String::new() }
    }
}

impl Delta {
    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.removed.is_empty()
            && self.objects.is_empty()
            && [&self.new, &self.mended, &self.silenced].iter().all(|findings| findings.is_empty())
            && self.access.is_empty()
            && self.failed.is_empty()
    }
}

/// A side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The base revision.
    Before,
    /// The work tree.
    After,
}

/// A release that could not be checked on a side.
#[derive(Debug, Clone)]
pub struct FailedOn {
    /// Which side.
    pub side: Side,
    /// Which release, and why.
    pub failed: Failed,
}

/// Something that is possible now and was not, or the other way round.
#[derive(Debug, Clone)]
pub struct AccessChange {
    /// What it is about.
    pub kind: AccessKind,
    /// Whether it came or went.
    pub direction: Direction,
    /// How much is at stake, whichever the direction: an error crosses from a release to others or to the node.
    pub severity: Severity,
    /// Who or what: `container ide of Deployment alice/web`, `ServiceAccount alice/web`, `Ingress alice/web`.
    ///
    /// Of several releases in which the same is so, but for their names, it names the first.
    pub subject: String,
    /// What it can do, in words that follow the subject: `can read Secret alice/github-app (mounted volume)`.
    pub what: String,
    /// The releases that it is so in, as `namespace/name`; none for plain manifests.
    pub releases: Vec<String>,
    /// The field that makes it so, on the side that has it: of several releases, that of the first.
    pub place: Option<Place>,
}

/// What an access is about, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessKind {
    /// Who can read, change or use which Secret.
    Secret,
    /// What roles allow to whom.
    Rbac,
    /// What can be reached from where: hosts, ports, load balancers, network policies, host namespaces.
    Exposure,
}

/// Whether something came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// It is possible now.
    Gained,
    /// It is possible no more.
    Lost,
}
