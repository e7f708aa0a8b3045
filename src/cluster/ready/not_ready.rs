//! What a wait that did not end well came to.

use std::fmt;
use std::time::Duration;

use super::Status;
use super::wait::{Goal, State};
use crate::cluster::Error;
use crate::finding::{Fault, ObjectRef};

/// Some objects are not as they were waited for.
#[derive(Debug, Clone, thiserror::Error)]
pub struct NotReady {
    /// What was waited for.
    pub goal: Goal,
    /// Why nobody waits any longer.
    pub reason: Reason,
    /// How many objects were waited for.
    pub total: usize,
    /// Those that are not as they are to be, in the order in which they were given, but what failed first.
    pub objects: Vec<Pending>,
    /// Why the server did not answer when it was last asked: then the states are older.
    pub unreachable: Option<Error>,
}

/// Why nobody waits any longer.
#[derive(Debug, Clone)]
pub enum Reason {
    /// The time is up.
    Timeout(Duration),
    /// An object has failed, or was deleted.
    Failed,
    /// Ctrl-C.
    Interrupted,
    /// The server will not say.
    Refused(Error),
}

/// An object that is not as it is to be.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Which.
    pub object: ObjectRef,
    /// How it is.
    pub state: State,
    /// What the cluster says of its Pods, and its last warning; of one that is not gone, its finalizers.
    pub causes: Vec<String>,
}

impl Reason {
    pub(super) fn wants_causes(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::Failed)
    }
}

/// `2 of 3 replicas are available`
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(Status::Current) => f.write_str("it is ready"),
            Self::Is(Status::InProgress(why)) => f.write_str(why),
            Self::Is(Status::Failed(why)) => write!(f, "failed: {why}"),
            Self::Is(Status::Terminating) => f.write_str("it is being deleted"),
            Self::Gone => f.write_str("it was deleted meanwhile"),
        }
    }
}

/// What was waited for, and a line for each object and each cause.
impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = match self.goal {
            Goal::Ready => "ready",
            Goal::Gone => "gone",
        };
        let are = if self.objects.len() == 1 { "is" } else { "are" };
        write!(f, "{} of {} objects {are} not {wanted}", self.objects.len(), self.total)?;
        match &self.reason {
            Reason::Timeout(time) => write!(f, " after {}", Seconds(*time))?,
            Reason::Failed => {}
            Reason::Interrupted => f.write_str(" yet: interrupted")?,
            Reason::Refused(error) => write!(f, " as far as is known: {error}")?,
        }
        for pending in &self.objects {
            write!(f, "\n  {}: {}", pending.object, pending.state)?;
            for cause in &pending.causes {
                write!(f, "\n    {cause}")?;
            }
        }
        match &self.unreachable {
            Some(error) => write!(f, "\n  That was so when the server last answered; now it does not: {error}"),
            None => Ok(()),
        }
    }
}

impl From<NotReady> for Fault {
    fn from(not_ready: NotReady) -> Self {
        let fault = Self::new(not_ready.to_string());
        match not_ready.help() {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}

impl NotReady {
    /// How to go on.
    pub fn help(&self) -> Option<String> {
        let first = self.objects.first()?;
        let object = &first.object;
        let namespace = object.namespace.as_ref().map(|name| format!(" --namespace {name}")).unwrap_or_default();
        let describe = format!("kubectl describe {}/{}{namespace}", object.kind.to_lowercase(), object.name);
        Some(match (self.goal, &self.reason) {
            (_, Reason::Refused(error)) => return error.help.clone(),
            (Goal::Ready, Reason::Failed) => {
                format!("what was applied stays; `{describe}` says more. Apply again when it is mended")
            }
            (Goal::Ready, _) => {
                format!(
                    "what was applied stays, and may become ready yet; `{describe}` says more. Apply again to wait on"
                )
            }
            (Goal::Gone, _) => {
                format!("who set a finalizer must take it away; `{describe}` says more. Run it again to wait on")
            }
        })
    }
}

/// `5m30s`, as flags take it.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_secs() / 60, self.0.as_secs_f64() % 60.0) {
            (0, seconds) => write!(f, "{seconds}s"),
            (minutes, 0.0) => write!(f, "{minutes}m"),
            (minutes, seconds) => write!(f, "{minutes}m{seconds}s"),
        }
    }
}
