//! Versions and version constraints as charts write them.
//!
//! Source: github.com/Masterminds/semver v3.4.0, `version.go` and `constraints.go`. Its grammar is its own: versions
//! may be short (`v1.2`), `*` and `x` stand for any number, and a constraint without a prerelease refuses prereleases.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A semantic version. Equality and order ignore build metadata and the way it was written.
#[derive(Debug, Clone, Default)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number, 0 where there is none.
    pub minor: u64,
    /// The third number, 0 where there is none.
    pub patch: u64,
    /// What follows `-`, or nothing.
    pub prerelease: String,
    /// What follows `+`, or nothing.
    pub metadata: String,
    /// The text that was parsed.
    pub original: String,
}

/// Alternatives (`||`), each of which is a list of conditions that must all hold.
#[derive(Debug, Clone)]
pub struct Constraint {
    alternatives: Vec<Vec<Condition>>,
}

/// A text that is no version or no constraint. The messages are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not the shape of a version.
    #[error("invalid semantic version")]
    Version,
    /// A number with more than 64 bits.
    #[error("error parsing version segment: strconv.ParseUint: parsing {0:?}: value out of range")]
    Number(String),
    /// A numeric prerelease identifier such as `01`.
    #[error("version segment starts with 0")]
    LeadingZero,
    /// Not the shape of a constraint.
    #[error("improper constraint: {0}")]
    Constraint(String),
    /// The shape of a constraint, but its version is none.
    #[error("constraint parser error")]
    ConstraintVersion,
}

/// `>=1.2`: an operator and a version, perhaps with numbers left open.
#[derive(Debug, Clone)]
struct Condition {
    operator: Operator,
    version: Version,
    open: Open,
}

/// The first number of a condition's version that is `x`, `*` or not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Patch,
    Minor,
    Major,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// Longer ones first: what follows an operator never begins with one.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::Equal),
];

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (parts, rest) = Parts::take(text, |byte| byte.is_ascii_digit()).ok_or(Error::Version)?;
        if !rest.is_empty() {
            return Err(Error::Version);
        }
        let number = |digits: Option<&str>| match digits {
            Some(digits) => digits.parse().map_err(|_| Error::Number(digits.to_string())),
            None => Ok(0),
        };
        let version = Self {
            major: number(Some(parts.major))?,
            minor: number(parts.minor)?,
            patch: number(parts.patch)?,
            prerelease: parts.prerelease.to_string(),
            metadata: parts.metadata.to_string(),
            original: text.to_string(),
        };
        let zeros = |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
        if version.prerelease.split('.').any(zeros) {
            return Err(Error::LeadingZero);
        }
        Ok(version)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch).cmp(&(other.major, other.minor, other.patch)).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
            }
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// `1.2.3-beta.1+build`, without a leading `v`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl FromStr for Constraint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let alternatives = rewrite_ranges(text).split("||").map(conditions).collect::<Result<_, _>>()?;
        Ok(Self { alternatives })
    }
}

impl Constraint {
    /// Whether a version meets one of the alternatives.
    ///
    /// A prerelease only meets alternatives that name a prerelease themselves.
    pub fn allows(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|all| {
            let prereleases = all.iter().any(|condition| !condition.version.prerelease.is_empty());
            (prereleases || version.prerelease.is_empty()) && all.iter().all(|condition| condition.allows(version))
        })
    }
}

impl Condition {
    fn allows(&self, version: &Version) -> bool {
        let (own, open) = (&self.version, self.open);
        match self.operator {
            Operator::Equal if open == Open::Nothing => version == own,
            Operator::Equal | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => match open {
                Open::Nothing => version != own,
                _ if version.major != own.major => true,
                // Upstream forgets that nothing is left open above the major number of `*`: `!=*` is `!=0.0.0`.
                Open::Major if version.minor != own.minor => true,
                Open::Major if version.patch != own.patch => true,
                Open::Major => version != own,
                Open::Minor => false,
                Open::Patch if version.minor != own.minor => true,
                Open::Patch => compare_prereleases(&version.prerelease, &own.prerelease) != Ordering::Equal,
            },
            Operator::Greater => match open {
                Open::Minor => version.major > own.major,
                Open::Patch => (version.major, version.minor) > (own.major, own.minor),
                Open::Nothing | Open::Major => version > own,
            },
            Operator::Less => version < own,
            Operator::GreaterOrEqual => version >= own,
            Operator::LessOrEqual => match open {
                Open::Nothing => version <= own,
                Open::Minor => version.major <= own.major,
                Open::Patch | Open::Major => (version.major, version.minor) <= (own.major, own.minor),
            },
            Operator::Caret => self.caret(version),
        }
    }

    fn tilde(&self, version: &Version) -> bool {
        let (own, open) = (&self.version, self.open);
        if version < own {
            return false;
        }
        let any = (own.major, own.minor, own.patch) == (0, 0, 0) && !matches!(open, Open::Minor | Open::Patch);
        any || version.major == own.major && (version.minor == own.minor || open == Open::Minor)
    }

    fn caret(&self, version: &Version) -> bool {
        let (own, open) = (&self.version, self.open);
        if version < own || version.major != own.major {
            return false;
        }
        if own.major > 0 || open == Open::Minor {
            return true;
        }
        version.minor == own.minor && (own.minor > 0 || open == Open::Patch || version.patch == own.patch)
    }
}

/// The pieces of a version's text.
struct Parts<'a> {
    text: &'a str,
    major: &'a str,
    minor: Option<&'a str>,
    patch: Option<&'a str>,
    prerelease: &'a str,
    metadata: &'a str,
}

impl<'a> Parts<'a> {
    /// Reads a version from the beginning of a text, and returns what follows it. `number` says which bytes numbers
    /// are made of.
    fn take(text: &'a str, number: impl Fn(u8) -> bool) -> Option<(Self, &'a str)> {
        let run = |text: &'a str| {
            let end = text.bytes().position(|byte| !number(byte)).unwrap_or(text.len());
            (end > 0).then(|| text.split_at(end))
        };
        let segment = |text: &'a str| text.strip_prefix('.').and_then(run);
        let (major, mut rest) = run(text.strip_prefix('v').unwrap_or(text))?;
        let (mut minor, mut patch, mut prerelease, mut metadata) = (None, None, "", "");
        for slot in [&mut minor, &mut patch] {
            if let Some((digits, after)) = segment(rest) {
                (*slot, rest) = (Some(digits), after);
            }
        }
        for (mark, slot) in [('-', &mut prerelease), ('+', &mut metadata)] {
            if let Some((identifiers, after)) = rest.strip_prefix(mark).and_then(identifiers) {
                (*slot, rest) = (identifiers, after);
            }
        }
        let text = &text[..text.len() - rest.len()];
        Some((Self { text, major, minor, patch, prerelease, metadata }, rest))
    }

    /// Reads a version in which `x`, `X` and `*` may stand for numbers. Upstream's character class holds `|` too.
    fn take_pattern(text: &'a str) -> Option<(Self, &'a str)> {
        Self::take(text, |byte| byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|'))
    }
}

/// `beta.1` from the beginning of a text, and what follows.
fn identifiers(text: &str) -> Option<(&str, &str)> {
    let mut end = 0;
    loop {
        let start = if end == 0 { 0 } else { end + 1 };
        let run = text.get(start..)?.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
        if run == 0 {
            break;
        }
        end = start + run;
        if text.as_bytes().get(end) != Some(&b'.') {
            break;
        }
    }
    (end > 0).then(|| text.split_at(end))
}

/// What Go's `\s` matches.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}

/// `>=1.2, <2`: conditions between which there is a comma or a space.
fn conditions(text: &str) -> Result<Vec<Condition>, Error> {
    let improper = || Error::Constraint(text.to_string());
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    loop {
        let (symbol, operator) =
            OPERATORS.iter().find(|(symbol, _)| rest.starts_with(symbol)).copied().ok_or_else(improper)?;
        rest = rest[symbol.len()..].trim_start_matches(is_space);
        let (parts, after) = Parts::take_pattern(rest).ok_or_else(improper)?;
        found.push((operator, parts));
        rest = after.trim_start_matches(is_space);
        if rest.is_empty() {
            return found.into_iter().map(|(operator, parts)| condition(operator, &parts)).collect();
        }
        rest = match rest.strip_prefix(',') {
            Some(next) => next.trim_start_matches(is_space),
            None if rest.len() < after.len() => rest,
            None => return Err(improper()),
        };
    }
}

fn condition(operator: Operator, parts: &Parts) -> Result<Condition, Error> {
    let is_open = |number: Option<&str>| matches!(number, None | Some("x" | "X" | "*"));
    let (open, numbers) = if is_open(Some(parts.major)) {
        (Open::Major, "0.0.0".to_string())
    } else if is_open(parts.minor) {
        (Open::Minor, format!("{}.0.0", parts.major))
    } else if is_open(parts.patch) {
        (Open::Patch, format!("{}.{}.0", parts.major, parts.minor.unwrap_or_default()))
    } else {
        (Open::Nothing, String::new())
    };
    let version = match open {
        Open::Nothing => parts.text.parse(),
        _ if parts.prerelease.is_empty() => numbers.parse(),
        _ => format!("{numbers}-{}", parts.prerelease).parse(),
    };
    Ok(Condition { operator, version: version.map_err(|_| Error::ConstraintVersion)?, open })
}

/// Writes each `1.2 - 1.5` as `>= 1.2, <= 1.5 `.
fn rewrite_ranges(text: &str) -> String {
    let mut rewritten = text.to_string();
    let mut start = 0;
    while start < text.len() {
        match text.get(start..).and_then(|rest| range(rest).map(|found| (rest, found))) {
            Some((rest, (low, high, after))) => {
                let whole = &rest[..rest.len() - after.len()];
                rewritten = rewritten.replacen(whole, &format!(">= {low}, <= {high} "), 1);
                start = text.len() - after.len();
            }
            None => start += 1,
        }
    }
    rewritten
}

/// The ends of the range with which a text begins, and what follows it.
fn range(text: &str) -> Option<(&str, &str, &str)> {
    let spaces = |text| Some(str::trim_start_matches(text, is_space)).filter(|rest| rest.len() < text.len());
    let (low, rest) = Parts::take_pattern(text.trim_start_matches(is_space))?;
    let rest = spaces(spaces(rest)?.strip_prefix('-')?)?;
    let (high, rest) = Parts::take_pattern(rest)?;
    Some((low.text, high.text, rest.trim_start_matches(is_space)))
}

fn compare_prereleases(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (left, right) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => (left.unwrap_or_default(), right.unwrap_or_default()),
        };
        // Numbers come before words, and nothing before everything.
        let order = match (left.parse::<u64>(), right.parse::<u64>()) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            (Ok(_), Err(_)) if !right.is_empty() => Ordering::Less,
            (Err(_), Ok(_)) if !left.is_empty() => Ordering::Greater,
            _ => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(constraint: &str, allowed: &[&str], refused: &[&str]) {
        let parsed: Constraint = constraint.parse().unwrap();
        for (versions, verdict) in [(allowed, true), (refused, false)] {
            for version in versions {
                assert_eq!(parsed.allows(&version.parse().unwrap()), verdict, "{constraint} and {version}");
            }
        }
    }

    #[test]
    fn versions_may_be_short_and_have_leading_zeros() {
        for (text, printed) in [("1", "1.0.0"), ("v1.2", "1.2.0"), ("01.02.3-a.1+b", "1.2.3-a.1+b"), ("1-x", "1.0.0-x")]
        {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), printed);
        }
    }

    #[test]
    fn wrong_versions_are_refused_with_upstreams_texts() {
        for (text, error) in [
            ("", "invalid semantic version"),
            ("V1", "invalid semantic version"),
            ("1.2.3.4", "invalid semantic version"),
            ("1.2.3-", "invalid semantic version"),
            ("1.2.3-a..b", "invalid semantic version"),
            ("1.2.3 ", "invalid semantic version"),
            ("é", "invalid semantic version"),
            ("1.2.3-01", "version segment starts with 0"),
            (
                "99999999999999999999",
                "error parsing version segment: strconv.ParseUint: parsing \"99999999999999999999\": value out of range",
            ),
        ] {
            assert_eq!(text.parse::<Version>().unwrap_err().to_string(), error, "{text:?}");
        }
    }

    #[test]
    fn prereleases_are_ordered_part_by_part() {
        let sorted = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0"];
        for pair in sorted.windows(2) {
            assert!(pair[0].parse::<Version>().unwrap() < pair[1].parse().unwrap(), "{pair:?}");
        }
        assert_eq!("1.0.0+a".parse::<Version>().unwrap(), "v1+b".parse().unwrap());
    }

    #[test]
    fn operators() {
        check("=1.2.3", &["1.2.3", "v1.2.3+x"], &["1.2.4", "1.2.3-a"]);
        check("1.2", &["1.2.0", "1.2.9"], &["1.3.0"]);
        check("!=1.2.x", &["1.3.0", "2.2.0"], &["1.2.0", "1.2.7"]);
        check("!=1", &["2.0.0"], &["1.9.0"]);
        check(">1", &["2.0.0"], &["1.9.0"]);
        check(">1.2", &["1.3.0"], &["1.2.9"]);
        check("=> 1.2.3", &["1.2.3"], &["1.2.2"]);
        check("<=1", &["1.9.9", "0.1.0"], &["2.0.0"]);
        check("<=1.2", &["1.2.9"], &["1.3.0"]);
        check("<1.2", &["1.1.9"], &["1.2.0"]);
        check("~1.2.3", &["1.2.9"], &["1.2.2", "1.3.0"]);
        check("~>1", &["1.9.0"], &["2.0.0"]);
        check("^1.2", &["1.9.0"], &["1.1.0", "2.0.0"]);
        check("^0.2.3", &["0.2.9"], &["0.3.0", "1.2.3"]);
        check("^0.0.3", &["0.0.3"], &["0.0.4"]);
        check("^0.0", &["0.0.9"], &["0.1.0"]);
        check("^0", &["0.9.0"], &["1.0.0"]);
        check("*", &["0.0.0", "99.1.2"], &["1.0.0-a"]);
        check("~*", &["5.6.7"], &[]);
        check("^*", &["0.0.0"], &["5.6.7", "0.1.0"]);
    }

    #[test]
    fn conditions_are_joined() {
        check(">=1.2, <2", &["1.5.0"], &["2.0.0", "1.1.0"]);
        check(">=1.2 <2 || 3.x", &["1.5.0", "3.9.0"], &["2.0.0", "4.0.0"]);
        check("1.2 - 1.4.5", &["1.2.0", "1.4.5"], &["1.4.6", "1.1.9"]);
        check("1 - 2 || 4 - 5", &["1.0.0", "2.9.0", "5.0.0"], &["3.0.0"]);
    }

    #[test]
    fn prereleases_count_only_where_the_alternative_names_one() {
        check(">=1.20-0", &["1.20.0-gke.1", "1.35.0"], &["1.19.0-x"]);
        check(">=1.20", &[], &["1.21.0-gke.1"]);
        check(">=1.0.0-0 || <0.5", &["1.2.0-a"], &["0.4.0-a"]);
    }

    #[test]
    fn wrong_constraints_are_refused_with_upstreams_texts() {
        for (text, error) in [
            ("", "improper constraint: "),
            ("foo", "improper constraint: foo"),
            (">=1.2<2", "improper constraint: >=1.2<2"),
            ("1 ||", "improper constraint: "),
            ("1,", "improper constraint: 1,"),
            ("1.2.3.4", "improper constraint: 1.2.3.4"),
            ("=> = 1", "improper constraint: => = 1"),
            (">=1 - 2", "improper constraint: >=>= 1, <= 2 "),
            ("1|2", "constraint parser error"),
            ("1.2.xx", "constraint parser error"),
        ] {
            assert_eq!(text.parse::<Constraint>().unwrap_err().to_string(), error, "{text:?}");
        }
    }
}
