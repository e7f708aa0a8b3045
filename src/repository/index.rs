//! The index of a chart repository, `index.yaml`.
//!
//! Source: Helm's `pkg/repo/v1/index.go`.

use crate::json;
use crate::semver::{Constraint, Version};
use crate::value::{Numbers, Value};
use crate::yaml;

/// A version of a chart that a repository offers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offer {
    /// As written.
    pub version: String,
    /// Where its archive is, perhaps relative to the repository.
    pub url: String,
    /// SHA-256 of the archive, if the index says.
    pub digest: Option<String>,
    parsed: Version,
}

/// An index that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    Encoding,
    /// Neither JSON nor YAML.
    #[error("{0}")]
    Syntax(#[from] yaml::Error),
    /// No `apiVersion`, as in a page of HTML.
    #[error("no API version specified")]
    NoApiVersion,
}

/// A whole index.
pub(super) struct Index(Value);

impl Index {
    /// Reads an index.
    pub fn parse(bytes: &[u8]) -> Result<Self, IndexError> {
        let text = std::str::from_utf8(bytes).map_err(|_| IndexError::Encoding)?;
        let options = yaml::Options { strict: true, ..yaml::Options::default() };
        let index = json::parse(text, Numbers::Exact).or_else(|_| yaml::parse(text, options))?;
        match index.get("apiVersion") {
            Some(version) if *version != Value::Null && version.as_str() != Some("") => Ok(Self(index)),
            _ => Err(IndexError::NoApiVersion),
        }
    }

    /// The versions of a chart, the newest first; `None` if the repository does not know the chart. Entries that name
    /// no version or no address are left out.
    pub fn offers(&self, chart: &str) -> Option<Vec<Offer>> {
        let entries = self.0.get("entries")?.get(chart)?.as_list()?;
        let mut offers: Vec<Offer> = entries.iter().filter_map(offer).collect();
        offers.sort_by(|a, b| b.parsed.cmp(&a.parsed));
        Some(offers)
    }
}

/// The newest of the offers that a constraint allows.
pub(super) fn newest<'a>(offers: &'a [Offer], constraint: &Constraint) -> Option<&'a Offer> {
    offers.iter().find(|offer| constraint.allows(&offer.parsed))
}

/// The offer of exactly one version: as written, or else equal to it.
pub(super) fn exact<'a>(offers: &'a [Offer], version: &str) -> Option<&'a Offer> {
    offers.iter().find(|offer| offer.version == version).or_else(|| {
        let wanted: Version = version.parse().ok()?;
        offers.iter().find(|offer| offer.parsed == wanted)
    })
}

fn offer(entry: &Value) -> Option<Offer> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let version = match entry.get("version")? {
        Value::String(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => crate::number::general32(*number),
        _ => return None,
    };
    let url = entry.get("urls")?.as_list()?.first()?.as_str()?.to_string();
    let parsed = version.parse().ok()?;
    Some(Offer { version, url, digest: text("digest").filter(|digest| !digest.is_empty()).map(Into::into), parsed })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "
apiVersion: v1
entries:
  web:
  - {name: web, version: 1.2.0, urls: [web-1.2.0.tgz], digest: abc}
  - {name: web, version: v1.10.0, urls: [web-1.10.0.tgz]}
  - {name: web, version: 2.0.0-rc.1, urls: [web-2.0.0-rc.1.tgz]}
  - {name: web, version: 1.11.0, urls: []}
  - {name: web, version: latest, urls: [x]}
  - {name: web, version: [1], urls: [x]}
  - null
  - 3
  one: null
";

    #[test]
    fn the_newest_that_fits_is_found() {
        let offers = Index::parse(INDEX.as_bytes()).unwrap().offers("web").unwrap();
        let versions: Vec<&str> = offers.iter().map(|offer| offer.version.as_str()).collect();
        assert_eq!(versions, ["2.0.0-rc.1", "v1.10.0", "1.2.0"]);
        for (constraint, version) in
            [("*", Some("v1.10.0")), ("~1.2", Some("1.2.0")), (">=2.0.0-0", Some("2.0.0-rc.1")), ("^3", None)]
        {
            let found = newest(&offers, &constraint.parse().unwrap());
            assert_eq!(found.map(|offer| offer.version.as_str()), version, "{constraint}");
        }
        assert_eq!(exact(&offers, "1.10.0").unwrap().url, "web-1.10.0.tgz");
        assert_eq!(exact(&offers, "1.11.0"), None);
    }

    #[test]
    fn unknown_charts_are_told_from_empty_ones() {
        let index = Index::parse(INDEX.as_bytes()).unwrap();
        assert!(index.offers("other").is_none() && index.offers("one").is_none());
        assert!(Index::parse(b"apiVersion: v1").unwrap().offers("web").is_none());
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for (text, error) in [
            ("", "no API version specified"),
            ("<!doctype html>", "no API version specified"),
            ("entries: {}", "no API version specified"),
            ("apiVersion: v1\nentries: {a: [], a: []}", "already set in map"),
            ("apiVersion: [", "error converting YAML to JSON"),
        ] {
            let found = Index::parse(text.as_bytes()).map(|_| ()).unwrap_err().to_string();
            assert!(found.contains(error), "{text}: {found}");
        }
        assert!(matches!(Index::parse(b"\xff"), Err(IndexError::Encoding)));
    }
}
