//! Where the members of a set are: their kinds and namespaces, as annotations of its parent list them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::finding::ObjectRef;

/// The most kinds, and the most namespaces, of one set: each pair is a request, and somebody else may have written the list.
const MAX_ITEMS: usize = 500;

/// A kind in any version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKind {
    /// The group, empty for the core group.
    pub group: String,
    /// `Deployment`
    pub kind: String,
}

/// Kinds and namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extent {
    /// The kinds of objects.
    pub kinds: BTreeSet<GroupKind>,
    /// The namespaces of those that live in one.
    pub namespaces: BTreeSet<String>,
}

/// A list that no ApplySet has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An item that is no kind, or no namespace.
    #[error("{item:?} is no {expected}")]
    Item {
        /// The item, cut where it is long.
        item: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Too many items.
    #[error("more than {MAX_ITEMS} items")]
    TooLong,
}

impl GroupKind {
    /// The kind of an object: of `apps/v1` and `Deployment`.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        Self { group: group.to_owned(), kind: kind.to_owned() }
    }
}

/// `Deployment.apps`, `ConfigMap`
impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

impl FromStr for GroupKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (kind, group) = text.split_once('.').unwrap_or((text, ""));
        let is_group = group.is_empty() != text.contains('.') && group.len() <= 253 && group.split('.').all(is_label);
        let is_core = group.is_empty() && !text.contains('.');
        if is_label(&kind.to_ascii_lowercase()) && (is_core || is_group) {
            Ok(Self { group: group.to_owned(), kind: kind.to_owned() })
        } else {
            Err(no(text, "kind (Deployment.apps)"))
        }
    }
}

impl Extent {
    /// Where objects are.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a ObjectRef>) -> Self {
        let mut extent = Self::default();
        for object in objects {
            extent.kinds.insert(GroupKind::new(&object.api_version, &object.kind));
            extent.namespaces.extend(object.namespace.clone());
        }
        extent
    }

    /// What lies in one of the two.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self { kinds: &self.kinds | &other.kinds, namespaces: &self.namespaces | &other.namespaces }
    }

    /// Reads the annotations `contains-group-kinds` and `additional-namespaces`. The namespace of the parent is one of
    /// the set's, but not in the list.
    ///
    /// # Errors
    /// What no tool has written: an item that is no name, an empty one, too many.
    pub(super) fn parse(kinds: &str, namespaces: &str) -> Result<Self, Error> {
        let namespace = |text: &str| {
            if is_label(text) { Ok(text.to_owned()) } else { Err(no(text, "name of a namespace")) }
        };
        Ok(Self { kinds: items(kinds, str::parse)?, namespaces: items(namespaces, namespace)? })
    }

    /// The two annotations, for a parent in a namespace.
    ///
    /// # Errors
    /// Too many items.
    pub(super) fn print(&self, parent: &str) -> Result<[String; 2], Error> {
        if self.kinds.len().max(self.namespaces.len()) > MAX_ITEMS {
            return Err(Error::TooLong);
        }
        let mut kinds: Vec<String> = self.kinds.iter().map(ToString::to_string).collect();
        kinds.sort();
        let namespaces: Vec<&str> = self.namespaces.iter().map(String::as_str).filter(|name| *name != parent).collect();
        Ok([kinds.join(","), namespaces.join(",")])
    }
}

fn items<T: Ord>(text: &str, parse: impl Fn(&str) -> Result<T, Error>) -> Result<BTreeSet<T>, Error> {
    if text.is_empty() {
        return Ok(BTreeSet::new());
    }
    if text.split(',').nth(MAX_ITEMS).is_some() {
        return Err(Error::TooLong);
    }
    text.split(',').map(parse).collect()
}

fn no(item: &str, expected: &'static str) -> Error {
    Error::Item { item: item.chars().take(80).collect(), expected }
}

/// Whether it is a label of DNS (RFC 1123).
fn is_label(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().next_back()];
    text.len() <= 63
        && ends.into_iter().all(|end| end.is_some_and(is_word))
        && text.bytes().all(|byte| is_word(byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(kinds: &[(&str, &str)], namespaces: &[&str]) -> Extent {
        let kind = |(group, kind): &(&str, &str)| GroupKind { group: (*group).into(), kind: (*kind).into() };
        Extent {
            kinds: kinds.iter().map(kind).collect(),
            namespaces: namespaces.iter().map(|name| (*name).into()).collect(),
        }
    }

    #[test]
    fn lists_are_sorted_as_kubectl_sorts_them_and_leave_the_parents_namespace_out() {
        let extent = extent(
            &[("", "ConfigMap"), ("apps", "Deployment"), ("", "Secret"), ("batch", "CronJob")],
            &["b", "a", "p"],
        );
        let printed = extent.print("p").unwrap();
        assert_eq!(printed, ["ConfigMap,CronJob.batch,Deployment.apps,Secret", "a,b"]);
        let again = Extent::parse(&printed[0], &printed[1]).unwrap();
        assert_eq!(again.kinds, extent.kinds);
        assert_eq!(Extent::parse("", "").unwrap(), Extent::default());
    }

    #[test]
    fn what_no_tool_has_written_is_refused() {
        for kinds in [",", "A,", ",A", " A", "A B", "A.", ".a", "A..a", "A.a.", "A/a", "*", "é", "A.B", "-A", "A\n"] {
            assert!(Extent::parse(kinds, "").is_err(), "{kinds:?}");
        }
        for namespaces in [",", "a,", " a", "A", "a.b", "-a", "a-", "*", "a/b", "..", &"a".repeat(64)] {
            assert!(Extent::parse("", namespaces).is_err(), "{namespaces:?}");
        }
        let names = |count: usize| (0..count).map(|index| format!("n{index}")).collect::<Vec<_>>().join(",");
        assert!(Extent::parse("", &names(MAX_ITEMS)).is_ok());
        assert_eq!(Extent::parse("", &names(MAX_ITEMS + 1)), Err(Error::TooLong));
        let many =
            Extent { namespaces: names(MAX_ITEMS + 1).split(',').map(Into::into).collect(), ..Extent::default() };
        assert_eq!(many.print(""), Err(Error::TooLong));
        // Nobody can fill a terminal with it.
        let error = Extent::parse("", &"!".repeat(100_000)).unwrap_err();
        assert!(error.to_string().len() < 200);
    }

    /// Whatever is read was written so, or is an error: text of the letters that matter, long and short.
    #[test]
    fn what_is_read_is_what_is_written() {
        const LETTERS: [char; 12] = ['a', 'b', 'A', 'B', '0', '-', '.', ',', ',', '/', 'é', '\u{0}'];
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % below as u64).unwrap()
        };
        let mut read = 0;
        for _ in 0..200_000 {
            // Mostly of letters that may be: else nothing is ever read.
            let common = if next(4) == 0 { LETTERS.len() } else { 9 };
            let mut text = |longest: usize| (0..next(longest)).map(|_| LETTERS[next(common)]).collect::<String>();
            let (kinds, namespaces) = (text(14), text(8).to_ascii_lowercase());
            if let Ok(extent) = Extent::parse(&kinds, &namespaces) {
                read += 1;
                let [kinds_again, namespaces_again] = extent.print("").unwrap();
                let sorted = |list: &str| list.split(',').map(str::to_owned).collect::<BTreeSet<_>>();
                assert_eq!(sorted(&kinds_again), sorted(&kinds), "{kinds:?}");
                assert_eq!(sorted(&namespaces_again), sorted(&namespaces), "{namespaces:?}");
                assert_eq!(Extent::parse(&kinds_again, &namespaces_again).unwrap(), extent);
            }
        }
        assert!(read > 1_000, "{read} of the texts are lists");
    }
}
