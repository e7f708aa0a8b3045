//! One apply of a release at a time: a Lease that is held while it runs.
//!
//! Leases carry times, but no two clocks are compared, as in client-go: a Lease that does not change while it is watched
//! for its whole duration is abandoned, and taken over. So whoever comes second waits until the holder renews, some
//! seconds, before it is told. Alternatives: an annotation of the parent (each renewal would write to what members depend
//! on), and no lock but optimistic concurrency on the parent (two applies would mix until one of them ends).

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::{Api, ApplySet, Delete, Error, Resource};
use crate::value::{Map, Value};

/// How long a Lease stays somebody's who does not renew it.
const DURATION: Duration = Duration::from_secs(30);
/// The longest that is believed of a Lease.
const MAX_DURATION: Duration = Duration::from_secs(300);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(5);
/// How long after it was last renewed its holder trusts in it: less than others do, for what is on its way then.
const TRUST: Duration = Duration::from_secs(20);
/// How often a Lease is looked at that somebody else holds.
const GLANCE: Duration = Duration::from_secs(1);
/// How long the end waits for the Lease to be deleted.
const FAREWELL: Duration = Duration::from_secs(5);

/// The right to change a release, until this is dropped: not within an async task, for that waits until it is given back.
#[derive(Debug)]
pub struct Lock {
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    stopped: mpsc::Receiver<()>,
}

#[derive(Debug)]
enum State {
    /// Renewed at this time.
    Held(Instant),
    /// Somebody else has it, or nobody.
    Lost(Error),
}

/// The Lease of a release.
#[derive(Clone)]
struct Lease {
    api: Api,
    resource: Resource,
    namespace: String,
    name: String,
    release: String,
    /// Who we are.
    holder: String,
}

impl Lock {
    /// Takes the lock of a release, at once where nobody holds it, or when whoever held it has died.
    ///
    /// # Errors
    /// Somebody else is at work on the release: says who; Ctrl-C; what a request comes to.
    pub async fn acquire(api: &Api, set: &ApplySet) -> Result<Self, Error> {
        let lease = Lease::new(api, set).await?;
        let (held, since) = lease.acquire().await?;
        let state = Arc::new(Mutex::new(State::Held(since)));
        let (stop, stopping) = oneshot::channel();
        let (done, stopped) = mpsc::channel();
        let shared = state.clone();
        tokio::spawn(async move {
            lease.keep(held, &shared, stopping).await;
            // Nobody may wait for it any more.
            let _ = done.send(());
        });
        Ok(Self { state, stop: Some(stop), stopped })
    }

    /// Makes sure that the lock is held, before each thing that is written.
    ///
    /// # Errors
    /// It was taken away, or could not be renewed for so long that somebody else may have it.
    pub fn check(&self) -> Result<(), Error> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Held(renewed) if renewed.elapsed() < TRUST => Ok(()),
            State::Held(_) => Err(Error::lost("the lock of the release could not be renewed in time")),
            State::Lost(error) => Err(error.clone()),
        }
    }
}

/// Gives the lock back. Where that does not work it expires by itself.
impl Drop for Lock {
    fn drop(&mut self) {
        self.stop = None;
        let _ = self.stopped.recv_timeout(FAREWELL);
    }
}

impl Lease {
    async fn new(api: &Api, set: &ApplySet) -> Result<Self, Error> {
        let resource = api.resources().need("coordination.k8s.io/v1", "Lease")?.clone();
        let random = getrandom::u32().map_err(|error| Error::runtime(error.into()))?;
        let user = api.user().await.map_or_else(String::new, |user| format!("{user}, "));
        let version = env!("CARGO_PKG_VERSION");
        let holder = format!("{user}plimsoll v{version}, process {} ({random:08x})", std::process::id());
        Ok(Self {
            api: api.clone(),
            resource,
            namespace: set.namespace().to_owned(),
            name: set.name().to_owned(),
            release: set.release().to_owned(),
            holder,
        })
    }

    /// Takes the Lease: makes it, or watches the one that is there until it is known whether its holder lives. Returns it
    /// with the time since when it is held.
    async fn acquire(&self) -> Result<(Value, Instant), Error> {
        let mut seen: Option<(String, Instant)> = None;
        loop {
            let found = self.get().await?;
            let now = Instant::now();
            let version = found.as_ref().map(|lease| text(lease, &["metadata", "resourceVersion"]));
            let is_free = found.as_ref().is_none_or(|lease| text(lease, &["spec", "holderIdentity"]).is_empty());
            let taken = match (&found, version, &seen) {
                (None, ..) => self.api.create(&self.resource, Some(&self.namespace), &self.object(None), false).await,
                (Some(lease), ..) if is_free => self.replace(lease).await,
                // It has changed while it was watched: somebody renews it.
                (Some(lease), Some(version), Some((known, _))) if *known != version => return Err(self.held(lease)),
                (Some(lease), _, Some((_, since))) if since.elapsed() >= duration(lease) => self.replace(lease).await,
                (Some(_), version, _) => {
                    seen = seen.or(version.map(|version| (version, now)));
                    tokio::select! {
                        () = sleep(GLANCE) => continue,
                        () = self.api.interrupted() => return Err(Error::interrupted()),
                    }
                }
            };
            match taken {
                // Somebody else was first: see who.
                Err(error) if error.code() == Some(409) => {}
                taken => return taken.map(|lease| (lease, now)).map_err(|error| self.explain(error)),
            }
        }
    }

    /// Renews the Lease until nobody needs it any more, then deletes it.
    async fn keep(&self, mut lease: Value, state: &Mutex<State>, mut stop: oneshot::Receiver<()>) {
        let set = |new| *state.lock().unwrap_or_else(PoisonError::into_inner) = new;
        while timeout(RENEWAL, &mut stop).await.is_err() {
            let now = Instant::now();
            match timeout(RENEWAL, self.renew(&lease)).await {
                Ok(Ok(renewed)) => {
                    lease = renewed;
                    set(State::Held(now));
                }
                Ok(Err(error)) if error.is_taken() => return set(State::Lost(error)),
                // Until it can no longer be trusted, whatever is wrong may pass.
                Ok(Err(_)) | Err(_) => {}
            }
        }
        // An answer may have been lost: so what is there counts, not what is known.
        if let Ok(Some(lease)) = self.get().await
            && self.is_ours(&lease)
        {
            let (uid, version) = (text(&lease, &["metadata", "uid"]), text(&lease, &["metadata", "resourceVersion"]));
            let delete = Delete { uid: Some(&uid), version: Some(&version), ..Delete::default() };
            let _ = self.api.delete(&self.resource, Some(&self.namespace), &self.name, delete).await;
        }
    }

    async fn renew(&self, lease: &Value) -> Result<Value, Error> {
        match self.replace(lease).await {
            Err(error) if matches!(error.code(), Some(404 | 409)) => {
                let found =
                    self.get().await?.ok_or_else(|| Error::lost("somebody has deleted the lock of the release"))?;
                // An answer was lost, or somebody wrote beside us.
                if self.is_ours(&found) { self.replace(&found).await } else { Err(self.held(&found)) }
            }
            outcome => outcome,
        }
    }

    fn is_ours(&self, lease: &Value) -> bool {
        text(lease, &["spec", "holderIdentity"]) == self.holder
    }

    async fn get(&self) -> Result<Option<Value>, Error> {
        self.api.get(&self.resource, Some(&self.namespace), &self.name).await.map_err(|error| self.explain(error))
    }

    async fn replace(&self, lease: &Value) -> Result<Value, Error> {
        self.api.replace(&self.resource, Some(&self.namespace), &self.name, &self.object(Some(lease))).await
    }

    /// The Lease as we hold it, made new or of the one that was seen.
    fn object(&self, seen: Option<&Value>) -> Value {
        let number = |value: &Value| if let Value::Int(number) = value { Some(*number) } else { None };
        let old = |key| seen.and_then(|seen| seen.at(["spec", key]));
        let is_ours = seen.is_some_and(|seen| self.is_ours(seen));
        let now = Value::from(format!("{:.6}", Timestamp::now()));
        let transitions =
            old("leaseTransitions").and_then(number).unwrap_or_default().clamp(0, i64::from(i32::MAX) - 1);
        let spec = [
            ("holderIdentity", Value::from(self.holder.as_str())),
            ("leaseDurationSeconds", (DURATION.as_secs() as i64).into()),
            ("acquireTime", old("acquireTime").filter(|_| is_ours).unwrap_or(&now).clone()),
            ("renewTime", now.clone()),
            ("leaseTransitions", (transitions + i64::from(seen.is_some() && !is_ours)).into()),
        ];
        let mut metadata = vec![("name", Value::from(self.name.as_str()))];
        for key in ["uid", "resourceVersion"] {
            metadata.extend(seen.and_then(|seen| Some((key, seen.at(["metadata", key])?.clone()))));
        }
        let map = |entries: Vec<(&str, Value)>| Value::from(entries.into_iter().collect::<Map>());
        map(vec![
            ("apiVersion", "coordination.k8s.io/v1".into()),
            ("kind", "Lease".into()),
            ("metadata", map(metadata)),
            ("spec", map(spec.into())),
        ])
    }

    /// Says who holds the Lease.
    fn held(&self, lease: &Value) -> Error {
        let (Self { release, namespace, name, .. }, spec) = (self, |key| text(lease, &["spec", key]));
        let renewed: Option<Timestamp> = spec("renewTime").parse().ok();
        let until = renewed.and_then(|renewed| {
            let until = renewed.checked_add(SignedDuration::try_from(duration(lease)).ok()?).ok()?;
            Some(format!(", and holds the lock until {until:.0} unless it is renewed"))
        });
        let since: Option<Timestamp> = spec("acquireTime").parse().ok();
        let since = since.map_or_else(String::new, |since| format!(" since {since:.0}"));
        let until = until.unwrap_or_default();
        let holder = spec("holderIdentity");
        Error::taken(
            format!("somebody else is at work on the release {release}: {holder}{since}{until}"),
            format!("run again when that has ended; the lock is Lease {namespace}/{name}, and who has died loses it"),
        )
    }

    fn explain(&self, error: Error) -> Error {
        match error.code() {
            Some(404) => error.help(format!("create the namespace first: kubectl create namespace {}", self.namespace)),
            Some(403) => error.help("whoever applies must be allowed to get, create, update and delete leases"),
            _ => error,
        }
    }
}

/// How long a Lease holds that is not renewed.
fn duration(lease: &Value) -> Duration {
    let seconds = match lease.at(["spec", "leaseDurationSeconds"]) {
        Some(Value::Int(seconds)) => u64::try_from(*seconds).unwrap_or_default(),
        _ => 0,
    };
    Duration::from_secs(seconds).clamp(DURATION, MAX_DURATION)
}

fn text(value: &Value, keys: &[&str]) -> String {
    value.at(keys.iter().copied()).and_then(Value::as_str).unwrap_or_default().to_owned()
}
