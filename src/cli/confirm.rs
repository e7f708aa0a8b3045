//! The question that is asked before a cluster is changed.

use std::io::{self, BufRead as _, Read as _};
use std::thread;

use tokio::sync::oneshot;

use super::{Stop, Streams};
use crate::cluster::Cluster;
use crate::finding::Fault;

/// The most bytes of an answer.
const MAX_ANSWER: u64 = 1 << 10;

/// Asks `question [y/N]` on standard error, and waits for the answer, or for Ctrl-C.
///
/// # Errors
/// Nobody is there to answer; Ctrl-C.
pub(super) fn confirm(question: &str, cluster: &Cluster, streams: &mut Streams<'_>) -> Result<bool, Stop> {
    if !streams.is_attended {
        let fault = Fault::new("nobody can be asked: standard input is no terminal");
        return Err(fault.help("give --yes to go on without a question").into());
    }
    write!(streams.aside()?, "{question} [y/N] ")?;
    streams.stderr.flush()?;
    let (sender, answer) = oneshot::channel();
    // Nothing ends a read of a terminal: after Ctrl-C it is left to the end of the process.
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().take(MAX_ANSWER).read_line(&mut line);
        let _ = sender.send(read.is_ok() && is_yes(&line));
    });
    let interrupted = cluster.api().interrupted();
    let answer = cluster.run(async {
        tokio::select! {
            answer = answer => Some(answer.unwrap_or(false)),
            () = interrupted => None,
        }
    });
    answer.ok_or_else(|| {
        // The terminal shows `^C` behind the question.
        let _ = writeln!(streams.stderr);
        Fault::new("interrupted: nothing was changed").into()
    })
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_one() {
        for answer in ["y\n", "Y\r\n", "yes", " YES \n"] {
            assert!(is_yes(answer), "{answer:?}");
        }
        for answer in ["", "\n", "n\n", "no", "yea", "y y", "ja"] {
            assert!(!is_yes(answer), "{answer:?}");
        }
    }
}
