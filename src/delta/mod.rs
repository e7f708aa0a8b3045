//! What a change does: to the manifests, to the findings, and to who can do what.

mod findings;

use crate::diff::ObjectChange;
use crate::finding::Failed;

pub use findings::Findings;

/// What lies between two revisions of a project.
#[derive(Debug, Clone, Default)]
pub struct Delta {
    /// The revision that is compared with, as it was given.
    pub base: String,
    /// The commit that it is, in full.
    pub commit: String,
    /// Releases that only the new side has.
    pub added: Vec<String>,
    /// Releases that only the old side has.
    pub removed: Vec<String>,
    /// The number of releases of the new side.
    pub releases: usize,
    /// The objects that are not the same, in the order of the releases and their objects.
    pub objects: Vec<ObjectChange>,
    /// What became of the findings.
    pub findings: Findings,
    /// What changed in who can do what.
    pub access: Vec<AccessChange>,
    /// The releases that could not be rendered or checked on one side: what changed in them is not known.
    pub failed: Vec<FailedOn>,
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessChange {
    /// What it is about.
    pub kind: AccessKind,
    /// Whether it came or went.
    pub direction: Direction,
    /// Who or what: `container Deployment alice/web/ide`, `ServiceAccount alice/web`, `Ingress alice/web`.
    pub subject: String,
    /// What it can do, in words that follow the subject: `reads Secret alice/github-app through a mounted volume`.
    pub what: String,
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
