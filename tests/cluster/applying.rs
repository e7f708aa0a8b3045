//! What the tests of applying share: manifests in, what became of each object out.

use std::fmt::Write as _;
use std::time::Duration;

use plimsoll::cluster::{
    Applied, Cluster, DryRun, Event, Interrupted, Options, Outcome, Pod, Predicted, Target, Wanted, apply, dry_run,
    wanted,
};
use plimsoll::finding::Fault;
use plimsoll::manifest::{self, Manifest};
use plimsoll::source::SourceFile;

use crate::server::{ADMIN, Server};

pub const OPTIONS: Options = Options { force: false, pods: true, patience: Duration::from_secs(60) };

/// A user's way to a server.
pub fn connect(server: &Server, user: &str) -> Cluster {
    let target = Target {
        kubeconfig: Some(server.kubeconfig(user)),
        context: None,
        request_timeout: Some(Duration::from_secs(30)),
    };
    Cluster::connect(&target).unwrap()
}

/// Somebody who applies manifests to a namespace.
pub struct Applying {
    pub cluster: Cluster,
    pub namespace: String,
    pub options: Options,
}

impl Applying {
    pub fn new(server: &Server, namespace: &str) -> Self {
        Self::by(server, ADMIN, namespace)
    }

    pub fn by(server: &Server, user: &str, namespace: &str) -> Self {
        Self { cluster: connect(server, user), namespace: namespace.to_owned(), options: OPTIONS }
    }

    pub fn wanted(&self, text: &str) -> Result<Vec<Wanted>, Vec<Fault>> {
        let manifests = manifest::read([(SourceFile::new("all.yaml", text), None)]).unwrap();
        let manifests: Vec<&Manifest> = manifests.iter().collect();
        wanted(&manifests, &self.cluster.api().resources(), &self.namespace, &[])
    }

    pub fn dry_run(&self, wanted: &[Wanted]) -> Result<Vec<DryRun>, Interrupted> {
        self.cluster.run(dry_run(self.cluster.api(), wanted, self.options))
    }

    /// Applies manifests; `check` sees what could be dry-run only later.
    pub fn apply_checked(
        &self,
        text: &str,
        mut check: impl FnMut(&[(usize, DryRun)]) -> Result<(), String>,
    ) -> (Vec<Wanted>, Applied<String>, Vec<String>) {
        let wanted = self.wanted(text).unwrap();
        let dry_runs = self.dry_run(&wanted).unwrap();
        let mut events = Vec::new();
        let progress = |event: Event<'_>| {
            events.push(match event {
                Event::Done(index, outcome) => format!("{}: {}", wanted[index].reference, word(outcome)),
                Event::Waiting(index) => format!("{}: waiting", wanted[index].reference),
            });
        };
        let work = apply(self.cluster.api(), &wanted, &dry_runs, self.options, async |seen| check(seen), progress);
        let applied = self.cluster.run(work);
        (wanted, applied, events)
    }

    /// Applies manifests and tells what became of each object, a line each, then why it stopped.
    pub fn apply(&self, text: &str) -> String {
        let (wanted, applied, _) = self.apply_checked(text, |_| Ok(()));
        told(&wanted, &applied)
    }
}

pub fn told(wanted: &[Wanted], applied: &Applied<String>) -> String {
    let mut told = String::new();
    for (one, outcome) in wanted.iter().zip(&applied.outcomes) {
        let _ = writeln!(told, "{}: {}", one.reference, word(outcome));
    }
    if let Some(stop) = &applied.stopped {
        let _ = writeln!(told, "stopped: {stop:?}");
    }
    told
}

pub fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Created(_) => "created".to_owned(),
        Outcome::Configured(_) => "configured".to_owned(),
        Outcome::Unchanged(_) => "unchanged".to_owned(),
        Outcome::Conflicts(conflicts) => format!("conflicts over {}", fields(conflicts)),
        Outcome::Failed(error) => format!("failed: {error}"),
        Outcome::Unknown(error) => format!("unknown: {error}"),
        Outcome::NotTried => "not tried".to_owned(),
    }
}

pub fn predicted(dry_run: &DryRun) -> String {
    match &dry_run.predicted {
        Predicted::Stored { pod: None, .. } => "stored".to_owned(),
        Predicted::Stored { pod: Some(Pod::Stored { .. }), .. } => "stored, with a Pod".to_owned(),
        Predicted::Stored { pod: Some(Pod::Denied(why, error)), .. } => {
            format!("stored, its Pod denied ({why:?}): {error}")
        }
        Predicted::Later(first) => format!("later than {first}"),
        Predicted::Conflicts(conflicts) => format!("conflicts over {}", fields(conflicts)),
        Predicted::Refused(error) => format!("refused: {error}"),
    }
}

fn fields(conflicts: &[plimsoll::cluster::Conflict]) -> String {
    conflicts.iter().map(|conflict| conflict.field.as_str()).collect::<Vec<_>>().join(", ")
}
