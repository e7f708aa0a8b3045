//! Semantic versions, as Masterminds/semver has them.

use std::any::Any as StdAny;
use std::rc::Rc;

use super::args::Args;
use super::{Failure, Row, Type};
use crate::render::any::{Any, Method, Object, Text};
use crate::semver::{Constraint, Version};
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row::new("semver", &[Type::String], |_, args| {
        Ok(Any::Object(Rc::new(Semver { version: parse(args.text(0)?)?, is_pointer: true })))
    }),
    Row::new("semverCompare", &[Type::String, Type::String], |_, args| {
        let constraint =
            args.text(0)?.to_str().parse::<Constraint>().map_err(|error| Failure::new(error.to_string()))?;
        Ok(Any::Bool(constraint.allows(&parse(args.text(1)?)?)))
    }),
];

fn parse(text: &Text) -> Result<Version, Failure> {
    text.to_str().parse().map_err(|error: crate::semver::Error| Failure::new(error.to_string()))
}

/// A `*semver.Version`, or a `semver.Version`, which the methods that change a version return.
struct Semver {
    version: Version,
    is_pointer: bool,
}

impl Object for Semver {
    fn type_name(&self) -> &'static str {
        if self.is_pointer { "*semver.Version" } else { "semver.Version" }
    }

    fn kind(&self) -> &'static str {
        if self.is_pointer { "ptr" } else { "struct" }
    }

    fn method(&self, name: &str) -> Option<Method> {
        method(name)
    }

    fn print(&self) -> Text {
        self.version.to_string().into()
    }

    fn to_value(&self) -> Value {
        Value::from(self.version.to_string())
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

fn version(object: &dyn Object) -> Result<&Version, Failure> {
    let semver = object.as_any().downcast_ref::<Semver>();
    semver.map(|semver| &semver.version).ok_or_else(|| Failure::new("the receiver is no *semver.Version"))
}

/// How a version stands to that of an argument.
fn order(object: &dyn Object, args: &[Any]) -> Result<std::cmp::Ordering, Failure> {
    match args.any(0)? {
        Any::Object(other) => Ok(version(object)?.cmp(version(&**other)?)),
        _ => Err(Failure::new("runtime error: invalid memory address or nil pointer dereference")),
    }
}

/// A changed version, written anew but for its `v`.
fn changed(object: &dyn Object, change: impl FnOnce(&mut Version)) -> Result<Any, Failure> {
    let old = version(object)?;
    let mut new = old.clone();
    change(&mut new);
    let prefix = if old.original.starts_with('v') { "v" } else { "" };
    new.original = format!("{prefix}{new}");
    Ok(Any::Object(Rc::new(Semver { version: new, is_pointer: false })))
}

fn release(version: &mut Version) {
    version.prerelease.clear();
    version.metadata.clear();
}

fn method(name: &str) -> Option<Method> {
    type Call = fn(&dyn Object, &[Any]) -> Result<Any, Failure>;
    let none: &'static [Type] = &[];
    let other: &'static [Type] = &[Type::Version];
    let (params, call): (_, Call) = match name {
        "Major" => (none, |object, _| Ok(Any::Uint64(version(object)?.major))),
        "Minor" => (none, |object, _| Ok(Any::Uint64(version(object)?.minor))),
        "Patch" => (none, |object, _| Ok(Any::Uint64(version(object)?.patch))),
        "Prerelease" => (none, |object, _| Ok(Any::String(version(object)?.prerelease.as_str().into()))),
        "Metadata" => (none, |object, _| Ok(Any::String(version(object)?.metadata.as_str().into()))),
        "Original" => (none, |object, _| Ok(Any::String(version(object)?.original.as_str().into()))),
        "String" => (none, |object, _| Ok(Any::String(object.print()))),
        "IncMajor" => (none, |object, _| {
            changed(object, |version| {
                release(version);
                (version.major, version.minor, version.patch) = (version.major.wrapping_add(1), 0, 0);
            })
        }),
        "IncMinor" => (none, |object, _| {
            changed(object, |version| {
                release(version);
                (version.minor, version.patch) = (version.minor.wrapping_add(1), 0);
            })
        }),
        // The patch after a prerelease is its release.
        "IncPatch" => (none, |object, _| {
            changed(object, |version| {
                version.patch = version.patch.wrapping_add(u64::from(version.prerelease.is_empty()));
                release(version);
            })
        }),
        "SetPrerelease" => (&[Type::String], |object, args| {
            let text = args.text(0)?.to_str();
            let valid = if text.is_empty() { Version::default() } else { parse(&format!("0.0.0-{text}").into())? };
            changed(object, |version| version.prerelease = valid.prerelease)
        }),
        "SetMetadata" => (&[Type::String], |object, args| {
            let text = args.text(0)?.to_str();
            let valid = if text.is_empty() { Version::default() } else { parse(&format!("0.0.0+{text}").into())? };
            changed(object, |version| version.metadata = valid.metadata)
        }),
        "Compare" => (other, |object, args| Ok(Any::Int(order(object, args)? as i64))),
        "Equal" => (other, |object, args| Ok(Any::Bool(order(object, args)?.is_eq()))),
        "LessThan" => (other, |object, args| Ok(Any::Bool(order(object, args)?.is_lt()))),
        "LessThanEqual" => (other, |object, args| Ok(Any::Bool(order(object, args)?.is_le()))),
        "GreaterThan" => (other, |object, args| Ok(Any::Bool(order(object, args)?.is_gt()))),
        "GreaterThanEqual" => (other, |object, args| Ok(Any::Bool(order(object, args)?.is_ge()))),
        _ => return None,
    };
    Some(Method { params, call })
}
