//! Kubernetes' `semver` library: semantic versions 2.0.0.

use std::cmp::Ordering;

use super::{Row, text};
use crate::cel::Failure;
use crate::cel::value::{Data, Opaque, Val};

/// A version. Build metadata is checked and dropped: it does not order.
#[derive(Debug, Clone)]
pub struct Semver {
    core: [u64; 3],
    pre: Vec<Part>,
}

/// A dotted part of a pre-release; numbers order before words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

/// The library's rows. Comparisons are shared with `quantity` by name.
pub const ROWS: &[Row] = &[
    Row::global("semver", &["(string) -> kubernetes.Semver"], |_, args| build(&args[0], false)),
    Row::global("semver", &["(string, bool) -> kubernetes.Semver"], |_, args| build(&args[0], flag(&args[1])?)),
    Row::global("isSemver", &["(string) -> bool"], |_, args| Ok(parse(text(&args[0])?).is_ok().into())),
    Row::global("isSemver", &["(string, bool) -> bool"], |_, args| {
        Ok(read(text(&args[0])?, flag(&args[1])?).is_ok().into())
    }),
    Row::member("major", &["(kubernetes.Semver) -> int"], |_, args| core(&args[0], 0)),
    Row::member("minor", &["(kubernetes.Semver) -> int"], |_, args| core(&args[0], 1)),
    Row::member("patch", &["(kubernetes.Semver) -> int"], |_, args| core(&args[0], 2)),
    Row::member("isGreaterThan", &["(kubernetes.Semver, kubernetes.Semver) -> bool"], |_, args| {
        Ok(order(args)?.is_gt().into())
    }),
    Row::member("isLessThan", &["(kubernetes.Semver, kubernetes.Semver) -> bool"], |_, args| {
        Ok(order(args)?.is_lt().into())
    }),
    Row::member("compareTo", &["(kubernetes.Semver, kubernetes.Semver) -> int"], |_, args| {
        Ok((order(args)? as i64).into())
    }),
];

impl Semver {
    /// The order of precedence: a pre-release comes before its release.
    pub fn precedence(&self, other: &Self) -> Ordering {
        let pre = match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => self.pre.cmp(&other.pre),
        };
        self.core.cmp(&other.core).then(pre)
    }
}

fn flag(value: &Val) -> Result<bool, Failure> {
    match value.data {
        Data::Bool(value) => Ok(value),
        _ => Err(Failure::NoSuchOverload),
    }
}

fn semver(value: &Val) -> Result<&Semver, Failure> {
    match &value.data {
        Data::Opaque(opaque) => match &**opaque {
            Opaque::Semver(version) => Ok(version),
            _ => Err(Failure::NoSuchOverload),
        },
        _ => Err(Failure::NoSuchOverload),
    }
}

fn build(value: &Val, normalise: bool) -> Result<Val, Failure> {
    Ok(Val::new(Opaque::Semver(read(text(value)?, normalise)?).into()))
}

fn core(value: &Val, index: usize) -> Result<Val, Failure> {
    let part = semver(value)?.core.get(index).copied().unwrap_or(0);
    Ok(i64::try_from(part).unwrap_or(i64::MAX).into())
}

fn order(args: &[Val]) -> Result<Ordering, Failure> {
    Ok(semver(&args[0])?.precedence(semver(&args[1])?))
}

fn read(text: &str, normalise: bool) -> Result<Semver, Failure> {
    if !normalise {
        return parse(text);
    }
    // A leading `v` and leading zeros go, missing parts are 0.
    let mut parts: Vec<String> = text.strip_prefix('v').unwrap_or(text).splitn(3, '.').map(str::to_owned).collect();
    for part in &mut parts {
        let digits = part.trim_start_matches('0');
        if part.len() > 1 && digits.len() < part.len() {
            let zero = if digits.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
            *part = format!("{zero}{digits}");
        }
    }
    if parts.len() < 3 {
        if parts.last().is_some_and(|last| last.contains(['+', '-'])) {
            return Err(Failure::new("short version cannot contain PreRelease/Build meta data"));
        }
        parts.resize(3, "0".into());
    }
    parse(&parts.join("."))
}

fn parse(text: &str) -> Result<Semver, Failure> {
    let mut parts = text.splitn(3, '.');
    let (Some(major), Some(minor), Some(patch)) = (parts.next(), parts.next(), parts.next()) else {
        let empty = if text.is_empty() { "Version string empty" } else { "No Major.Minor.Patch elements found" };
        return Err(Failure::new(empty));
    };
    let (patch, build) = patch.split_once('+').map_or((patch, None), |(patch, build)| (patch, Some(build)));
    let (patch, pre) = patch.split_once('-').map_or((patch, None), |(patch, pre)| (patch, Some(pre)));
    let core = [number("Major", major)?, number("Minor", minor)?, number("Patch", patch)?];
    let pre = match pre {
        None => Vec::new(),
        Some(pre) => pre.split('.').map(part).collect::<Result<_, _>>()?,
    };
    if let Some(bad) = build.and_then(|build| build.split('.').find(|word| !is_word(word))) {
        return Err(match bad {
            "" => Failure::new("Build meta data is empty"),
            bad => Failure::Other(format!("Invalid character(s) found in build meta data {bad:?}")),
        });
    }
    Ok(Semver { core, pre })
}

fn number(name: &str, digits: &str) -> Result<u64, Failure> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let name = name.to_ascii_lowercase();
        return Err(Failure::Other(format!("Invalid character(s) found in {name} number {digits:?}")));
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return Err(Failure::Other(format!("{name} number must not contain leading zeroes {digits:?}")));
    }
    digits.parse().map_err(|_| Failure::Other(format!("strconv.ParseUint: parsing {digits:?}: value out of range")))
}

fn part(text: &str) -> Result<Part, Failure> {
    if text.is_empty() {
        return Err(Failure::new("Prerelease is empty"));
    }
    if !is_word(text) {
        return Err(Failure::Other(format!("Invalid character(s) found in prerelease {text:?}")));
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(Part::Word(text.into()));
    }
    if text.len() > 1 && text.starts_with('0') {
        let message = format!("Numeric PreRelease version must not contain leading zeroes {text:?}");
        return Err(Failure::Other(message));
    }
    number("PreRelease", text).map(Part::Number)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
