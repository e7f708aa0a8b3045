//! The index of a chart repository, `index.yaml`.
//!
//! Source: Helm's `pkg/repo/v1/index.go`.

use std::cell::OnceCell;

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

/// An index. Those of large repositories have tens of megabytes, of which a dependency needs a page: as far as it can,
/// only that is read as YAML.
pub(super) struct Index {
    text: String,
    whole: OnceCell<Value>,
}

impl Index {
    /// Takes the text of an index.
    pub fn new(bytes: Vec<u8>) -> Result<Self, IndexError> {
        let text = String::from_utf8(bytes).map_err(|_| IndexError::Encoding)?;
        Ok(Self { text, whole: OnceCell::new() })
    }

    /// The versions of a chart, the newest first; `None` if the repository does not know the chart. Entries that name
    /// no version or no address are left out.
    pub fn offers(&self, chart: &str) -> Result<Option<Vec<Offer>>, IndexError> {
        if let Some(offers) = self.cut(chart).and_then(|text| offers(&read(&text).ok()?, chart)) {
            return Ok(Some(offers));
        }
        let whole = match self.whole.get() {
            Some(known) => known,
            None => {
                let read = read(&self.text)?;
                self.whole.get_or_init(|| read)
            }
        };
        Ok(offers(whole, chart))
    }

    /// The same index with one chart only, if it is laid out as all tools write it: one key a line below `entries:`.
    fn cut(&self, chart: &str) -> Option<String> {
        let lines = || self.text.split_inclusive('\n');
        let version = lines().find(|line| line.starts_with("apiVersion:"))?;
        let mut cut = format!("{}\nentries:\n", version.trim_end());
        let (mut width, mut inside) = (None, false);
        for line in lines().skip_while(|line| line.trim_end() != "entries:").skip(1) {
            let content = line.trim();
            let indent = line.len() - line.trim_start_matches(' ').len();
            let is_content = !content.is_empty() && !content.starts_with('#');
            if is_content
                && indent <= *width.get_or_insert(indent)
                && !matches!(content.as_bytes(), [b'-'] | [b'-', b' ', ..])
            {
                if inside || indent == 0 {
                    break;
                }
                inside = content.strip_suffix(':') == Some(chart);
            }
            if inside {
                cut.push_str(line);
            }
        }
        inside.then_some(cut)
    }
}

fn read(text: &str) -> Result<Value, IndexError> {
    let options = yaml::Options { strict: true, ..yaml::Options::default() };
    let index = json::parse(text, Numbers::Exact).or_else(|_| yaml::parse(text, options))?;
    match index.get("apiVersion") {
        Some(version) if *version != Value::Null && version.as_str() != Some("") => Ok(index),
        _ => Err(IndexError::NoApiVersion),
    }
}

fn offers(index: &Value, chart: &str) -> Option<Vec<Offer>> {
    let entries = index.get("entries")?.get(chart)?.as_list()?;
    let mut offers: Vec<Offer> = entries.iter().filter_map(offer).collect();
    offers.sort_by(|a, b| b.parsed.cmp(&a.parsed));
    Some(offers)
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

    fn index(text: &str) -> Index {
        Index::new(text.into()).unwrap()
    }

    #[test]
    fn the_newest_that_fits_is_found() {
        let offers = index(INDEX).offers("web").unwrap().unwrap();
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
        for chart in ["other", "one"] {
            assert_eq!(index(INDEX).offers(chart).unwrap(), None);
        }
        assert_eq!(index("apiVersion: v1").offers("web").unwrap(), None);
        assert_eq!(index("apiVersion: v1\nentries: {web: []}").offers("web").unwrap(), Some(vec![]));
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
            let found = index(text).offers("web").unwrap_err().to_string();
            assert!(found.contains(error), "{text}: {found}");
        }
        assert!(matches!(Index::new(vec![0xff]), Err(IndexError::Encoding)));
    }

    #[test]
    fn a_part_says_the_same_as_the_whole() {
        let entry = "- {name: web, version: 1.0.0, urls: [x]}";
        for (text, is_cut) in [
            (INDEX.to_string(), true),
            (format!("entries:\n  a: []\n  web:\n  {entry}\n\n  # web\n  {entry}\n  z: []\napiVersion: v1\n"), true),
            (format!("apiVersion: v1\r\nentries:\r\n    web:\r\n        {entry}\r\n"), true),
            (
                format!(
                    "apiVersion: v1\nentries:\n  a:\n  - description: |\n      web:\n      - x\n  web:\n  {entry}\n"
                ),
                true,
            ),
            (format!("apiVersion: v1\nentries:\n  \"web\":\n  {entry}\n"), false),
            (format!("apiVersion: v1\nentries:\n  a: &a\n  {entry}\n  web: *a\n"), false),
            ("apiVersion: v1\nentries: {web: [{name: web, version: 1.0.0, urls: [x]}]}\n".into(), false),
            ("{\"apiVersion\":\"v1\",\"entries\":{\"web\":[{\"version\":\"1.0.0\",\"urls\":[\"x\"]}]}}".into(), false),
        ] {
            let index = index(&text);
            assert_eq!(index.cut("web").is_some(), is_cut, "{text}");
            let whole = offers(&read(&text).unwrap(), "web");
            assert!(whole.as_ref().is_some_and(|offers| !offers.is_empty()), "{text}");
            assert_eq!(index.offers("web").unwrap(), whole, "{text}");
            assert_eq!(index.whole.get().is_none(), is_cut, "{text}");
        }
    }

    #[test]
    fn torn_indexes_do_no_harm() {
        for end in 0..INDEX.len() {
            for start in [0, end / 2] {
                // Whether it is an index or an error: only a panic would be wrong.
                let _ = index(INDEX.get(start..end).unwrap_or_default()).offers("web");
            }
        }
    }
}
