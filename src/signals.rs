//! What asks the process to end: Ctrl-C on a terminal, SIGTERM of a CI system or a kubelet.

use std::io;

/// The signals, waited for one after the other.
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens from now on, within a runtime.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    ///
    /// # Errors
    /// Ctrl-C cannot be listened to.
    pub async fn recv(&mut self) -> io::Result<()> {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => interrupted,
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await
    }
}
