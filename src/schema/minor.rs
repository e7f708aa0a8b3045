//! Versions of Kubernetes as far as its APIs depend on them.

use std::fmt;
use std::str::FromStr;

/// A minor version of Kubernetes 1: `1.34`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor(pub u16);

/// Reads `1.34`, `v1.34.2` and `v1.34.2-gke.1245000`.
impl FromStr for Minor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix('v').unwrap_or(text).strip_prefix("1.");
        let digits = rest.and_then(|rest| rest.split(['.', '-', '+']).next());
        let minor = digits.and_then(|digits| digits.parse().ok()).map(Self);
        minor.ok_or_else(|| format!("expected a version of Kubernetes such as 1.34, found {text:?}"))
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_however_clusters_write_them() {
        for text in ["1.34", "v1.34", "1.34.2", "v1.34.2-gke.1245000", "1.34+", "v1.34.1+k3s1"] {
            assert_eq!(text.parse(), Ok(Minor(34)), "{text}");
        }
        for text in ["", "34", "2.34", "1", "1.", "1.x", "one"] {
            assert!(text.parse::<Minor>().is_err(), "{text}");
        }
    }
}
