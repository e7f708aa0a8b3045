//! What template functions get from outside: randomness, time, and objects of a cluster.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::functions::{Failure, Host, MAX_WORK};
use crate::value::{Map, Value};

/// What the clock says where output must be reproducible: 2000-01-01T00:00:00Z, in seconds since the Unix epoch.
const STILL: (i64, u32) = (946_684_800, 0);

/// The most bytes of objects that one engine may look up; each question counts as at least [`LEAST_FOUND`].
const MAX_FOUND: usize = 256 << 20;
const LEAST_FOUND: usize = 1 << 10;

/// What `lookup` asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    /// `apps/v1`
    pub api_version: String,
    /// `Deployment`
    pub kind: String,
    /// Empty for all namespaces, and for what lives in none.
    pub namespace: String,
    /// Empty for a list of all.
    pub name: String,
}

/// What a question came to.
#[derive(Debug, Clone)]
pub struct Found {
    /// An object; a list with `items` where no name was given; an empty map where there is nothing.
    pub object: Value,
    /// How many bytes of JSON it was.
    pub bytes: usize,
}

/// A cluster that templates may look into.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// Answers a question: as long as this lives the same for the same one, so that a release can be rendered again.
    ///
    /// # Errors
    /// The cluster did not answer, or the user may not know.
    fn lookup(&self, query: &Query) -> Result<Found, Failure>;
}

/// Where the random bytes and the time of one release come from.
///
/// A release that is rendered twice from one source has the same text: so it can be rendered again for its source map.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    seed: [u8; 32],
    now: (i64, u32),
}

impl Source {
    /// The system's randomness and clock.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn system() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { seed, now: (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()) })
    }

    /// The same for the same number, everywhere and always; the clock stands still.
    pub fn reproducible(number: u64) -> Self {
        Self { seed: Sha256::digest(number.to_le_bytes()).into(), now: STILL }
    }

    /// What one engine draws from; engines of different numbers draw different bytes.
    pub(super) fn host(self, engine: usize) -> Box<dyn Host> {
        self.host_within(engine, None)
    }

    /// The same, in sight of a cluster.
    pub(super) fn host_within(self, engine: usize, cluster: Option<Arc<dyn Lookup>>) -> Box<dyn Host> {
        let key = Sha256::new().chain_update(self.seed).chain_update(engine.to_le_bytes()).finalize().into();
        Box::new(Stream { key, now: self.now, drawn: 0, block: Vec::new(), spent: 0, cluster, found: 0 })
    }
}

/// SHA-256 in counter mode.
struct Stream {
    key: [u8; 32],
    now: (i64, u32),
    drawn: u64,
    block: Vec<u8>,
    /// Of [`MAX_WORK`]
    spent: u64,
    cluster: Option<Arc<dyn Lookup>>,
    /// Of [`MAX_FOUND`]
    found: usize,
}

impl Host for Stream {
    fn random(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            if self.block.is_empty() {
                let block = Sha256::new().chain_update(self.key).chain_update(self.drawn.to_le_bytes());
                self.block = block.finalize().to_vec();
                self.drawn += 1;
            }
            *byte = self.block.pop().unwrap_or_default();
        }
    }

    fn now(&mut self) -> (i64, u32) {
        self.now
    }

    fn lookup(&mut self, query: &Query) -> Result<Value, Failure> {
        let Some(cluster) = &self.cluster else { return Ok(Map::default().into()) };
        let Found { object, bytes } = cluster.lookup(query)?;
        self.found = self.found.saturating_add(bytes.max(LEAST_FOUND));
        if self.found > MAX_FOUND {
            return Err(Failure::new(format!("this render looks up more than {} MiB of objects", MAX_FOUND >> 20)));
        }
        Ok(object)
    }

    fn spend(&mut self, units: u64) -> Result<(), Failure> {
        self.spent = self.spent.saturating_add(units);
        if self.spent > MAX_WORK {
            return Err(Failure::new(
                "this render makes too many keys, certificates or password hashes: they would take minutes",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(host: &mut dyn Host, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        host.random(&mut bytes);
        bytes
    }

    #[test]
    fn a_source_gives_the_same_stream_however_it_is_drawn() {
        let source = Source::reproducible(7);
        let whole = draw(&mut *source.host(0), 100);
        let mut again = source.host(0);
        assert_eq!([draw(&mut *again, 33), draw(&mut *again, 67)].concat(), whole);
        assert_eq!(again.now(), STILL);
    }

    #[test]
    fn work_is_bounded_per_engine() {
        let mut host = Source::reproducible(7).host(0);
        (0..MAX_WORK).for_each(|_| assert_eq!(host.spend(1), Ok(())));
        assert!(host.spend(1).unwrap_err().message.contains("too many keys"));
        assert!(host.spend(u64::MAX).is_err());
        assert_eq!(Source::reproducible(7).host(0).spend(MAX_WORK), Ok(()));
    }

    #[test]
    fn other_engines_other_seeds_and_the_system_give_others() {
        let streams = [
            draw(&mut *Source::reproducible(7).host(0), 32),
            draw(&mut *Source::reproducible(7).host(1), 32),
            draw(&mut *Source::reproducible(8).host(0), 32),
            draw(&mut *Source::system().unwrap().host(0), 32),
            draw(&mut *Source::system().unwrap().host(0), 32),
        ];
        for (i, stream) in streams.iter().enumerate() {
            assert!(!streams[..i].contains(stream));
        }
    }
}
