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

/// How long a server that does not even say whether it is ready may take to start.
const STARTING: Duration = Duration::from_secs(10);

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
    let mut was_ready = false;
    loop {
        let error = match request().await {
            Err(error) if start.elapsed() < patience => error,
            outcome => return outcome,
        };
        if is_refusal(&error) && !was_ready {
            // Just after a start nobody may do anything: it counts if the server was ready before.
            was_ready = api.is_ready().await.unwrap_or(start.elapsed() > STARTING);
            if was_ready {
                continue;
            }
        } else if !is_away(&error) {
            return Err(error);
        }
        // A server that says when is not asked before; but nobody waits for it any longer than this.
        let wait = error.retry_after.map_or(pause, |after| after.max(pause).min(patience));
        tokio::select! {
            () = sleep(wait) => {}
            () = api.interrupted() => return Err(error),
        }
        pause = (pause * 2).min(longest);
    }
}

/// Whether the same request may be answered otherwise a little later.
pub(super) async fn is_passing(api: &Api, error: &Error) -> bool {
    is_away(error) || is_refusal(error) && api.is_ready().await == Some(false)
}

/// Whether the server cannot answer now.
fn is_away(error: &Error) -> bool {
    error.reason == Reason::Connection || matches!(error.code(), Some(429 | 502 | 503 | 504))
}

/// Whether it is what a server says, too, that has just started, and knows neither its roles nor its kinds yet.
fn is_refusal(error: &Error) -> bool {
    matches!(error.code(), Some(401 | 403 | 404))
}

/// Does some work, unless Ctrl-C is pressed before it is done.
pub(super) async fn unless_interrupted<T>(api: &Api, work: impl Future<Output = T>) -> Result<T, Interrupted> {
    tokio::select! {
        biased;
        () = api.interrupted() => Err(Interrupted),
        done = work => Ok(done),
    }
}
