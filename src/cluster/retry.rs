//! How requests are made: how many at once, and again where there was no answer.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{Api, Error, Reason};

/// How many requests are on their way at once: more than that a server's fairness makes wait.
pub(super) const AT_ONCE: usize = 16;

/// How long a server may be away in the middle of some work.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The first and the longest pause between two tries.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// Ctrl-C was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

/// Makes a request that may be made twice until it is answered, for as long as a server may be away. After Ctrl-C it is not
/// made again.
pub(super) async fn until_answered<T>(
    api: &Api,
    patience: Duration,
    mut request: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let start = Instant::now();
    let [mut pause, longest] = PAUSES;
    loop {
        match request().await {
            Err(error) if start.elapsed() < patience && is_passing(api, &error).await => {
                // A server that says when is not asked before; but nobody waits for it any longer than this.
                let wait = error.retry_after.map_or(pause, |after| after.max(pause).min(patience));
                tokio::select! {
                    () = sleep(wait) => {}
                    () = api.interrupted() => return Err(error),
                }
                pause = (pause * 2).min(longest);
            }
            outcome => return outcome,
        }
    }
}

/// Whether the same request may be answered otherwise a little later. A server that starts refuses what it does not know
/// to be allowed yet.
pub(super) async fn is_passing(api: &Api, error: &Error) -> bool {
    match error.code() {
        Some(429 | 502 | 503 | 504) => true,
        Some(401 | 403 | 404) => !api.is_ready().await,
        _ => error.reason == Reason::Connection,
    }
}

/// Does some work, unless Ctrl-C is pressed before it is done.
pub(super) async fn unless_interrupted<T>(api: &Api, work: impl Future<Output = T>) -> Result<T, Interrupted> {
    tokio::select! {
        biased;
        () = api.interrupted() => Err(Interrupted),
        done = work => Ok(done),
    }
}
