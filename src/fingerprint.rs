//! What stays of a finding when lines move: by it a finding is known again, in another revision or in a baseline.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use sha2::{Digest, Sha256};

use crate::finding::{Finding, ObjectRef};

/// The end of a name that is made of what the object holds: Kustomize's and `kubectl create --append-hash`'s ten letters,
/// or hexadecimal digits as charts take them from `sha256sum`.
static HASH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("-([bcdfghkmt2456789]{10}|[0-9a-f]{8,64})$").expect("a valid expression"));

/// A finding without what changes often: neither its lines and numbers, nor its words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    /// [`Finding::release`].
    pub release: Option<String>,
    /// The policy's id.
    pub policy: String,
    /// The object that was judged, or has the field at fault, without the hash in its name: `Secret alice/web-*`.
    pub object: Option<String>,
    /// The first field at fault, with names for numbers. The values key, where only values are.
    pub field: Option<String>,
    /// Counts from 0 those that are alike in all of the above.
    pub number: usize,
}

impl Fingerprint {
    /// The fingerprints of findings, in their order.
    pub fn all(findings: &[Finding]) -> Vec<Self> {
        let mut seen: HashMap<Self, usize> = HashMap::new();
        let each = findings.iter().map(|finding| {
            let fingerprint = Self::first(finding);
            let count = seen.entry(fingerprint.clone()).or_default();
            *count += 1;
            Self { number: *count - 1, ..fingerprint }
        });
        each.collect()
    }

    fn first(finding: &Finding) -> Self {
        let place = finding.places.first();
        let object = finding.object.as_ref().or(place.map(|place| &place.object));
        let key = || finding.values.first().map(|key| key.path.to_string());
        Self {
            release: finding.release.clone(),
            policy: finding.policy.clone(),
            object: object.map(stable),
            field: place.map(|place| place.named.clone()).or_else(key),
            number: 0,
        }
    }

    /// 32 hexadecimal digits that stand for it.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let number = self.number.to_string();
        for part in
            [self.release.as_deref(), Some(&self.policy), self.object.as_deref(), self.field.as_deref(), Some(&number)]
        {
            // No two different fingerprints are the same bytes.
            let part = part.map_or("-".to_owned(), |part| format!("+{}:{part}", part.len()));
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// An object as it is called whatever it holds.
fn stable(object: &ObjectRef) -> String {
    ObjectRef { name: without_hash(&object.name).into_owned(), ..object.clone() }.to_string()
}

/// A name with `*` for a hash at its end, which says what the object holds and not which it is: `web-9b1c8a7f` is `web-*`.
/// A word of letters, or a number such as a date, is no hash.
pub fn without_hash(name: &str) -> Cow<'_, str> {
    let hash = HASH.captures(name).and_then(|found| found.get(1));
    let is_mixed = |text: &str| {
        text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    match hash {
        Some(hash) if is_mixed(hash.as_str()) => Cow::Owned(format!("{}*", &name[..hash.start()])),
        _ => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_seen_through_and_words_are_not() {
        for (name, stable) in [
            ("web-9b1c8a7f", "web-*"),
            ("web-config-5f2d8c9b4k", "web-config-*"),
            ("web", "web"),
            ("web-20261231", "web-20261231"),
            ("web-deadbeef", "web-deadbeef"),
            ("9b1c8a7f", "9b1c8a7f"),
            ("web-9b1c8a7f-tls", "web-9b1c8a7f-tls"),
        ] {
            assert_eq!(without_hash(name), stable);
        }
    }

    #[test]
    fn digests_tell_parts_apart() {
        let print = |release: Option<&str>, policy: &str, number| Fingerprint {
            release: release.map(str::to_owned),
            policy: policy.into(),
            object: None,
            field: None,
            number,
        };
        let digests: std::collections::BTreeSet<String> =
            [print(None, "a/b", 0), print(Some("a"), "/b", 0), print(Some(""), "a/b", 0), print(None, "a/b", 1)]
                .iter()
                .map(Fingerprint::digest)
                .collect();
        assert_eq!(digests.len(), 4);
        assert!(digests.iter().all(|digest| digest.len() == 32));
    }
}
