//! Sizes, types and conversions: the standard library's functions on all types.

use super::{Row, network, text, time};
use crate::cel::Failure;
use crate::cel::ops::{int_overflow, uint_overflow};
use crate::cel::value::{Data, Opaque, Val};
use crate::number;
use crate::render::strconv::parse_float;

/// The library's rows.
pub const ROWS: &[Row] = &[
    Row::global("size", &["(bytes) -> int", "(list(A)) -> int", "(map(A, B)) -> int", "(string) -> int"], |_, args| {
        size(&args[0])
    }),
    Row::member("size", &["(bytes) -> int", "(list(A)) -> int", "(map(A, B)) -> int", "(string) -> int"], |_, args| {
        size(&args[0])
    }),
    Row::global("dyn", &["(A) -> dyn"], |_, args| Ok(args[0].clone())),
    Row::global("type", &["(A) -> type(A)"], |_, args| Ok(Val::new(Data::Type(args[0].type_name())))),
    Row::global("bool", &["(bool) -> bool", "(string) -> bool"], |_, args| match &args[0].data {
        Data::Bool(value) => Ok((*value).into()),
        Data::String(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true.into()),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false.into()),
            _ => Err(conversion("string", "bool")),
        },
        _ => Err(Failure::NoSuchOverload),
    }),
    Row::global(
        "int",
        &[
            "(int) -> int",
            "(double) -> int",
            "(duration) -> int",
            "(string) -> int",
            "(timestamp) -> int",
            "(uint) -> int",
        ],
        |_, args| int(&args[0]),
    ),
    Row::global("uint", &["(uint) -> uint", "(double) -> uint", "(int) -> uint", "(string) -> uint"], |_, args| {
        uint(&args[0])
    }),
    Row::global(
        "double",
        &["(double) -> double", "(int) -> double", "(string) -> double", "(uint) -> double"],
        |_, args| match &args[0].data {
            Data::Double(value) => Ok((*value).into()),
            Data::Int(value) => Ok((*value as f64).into()),
            Data::Uint(value) => Ok((*value as f64).into()),
            Data::String(text) => double(text).map(Val::from).ok_or_else(|| conversion("string", "double")),
            _ => Err(Failure::NoSuchOverload),
        },
    ),
    Row::global(
        "string",
        &[
            "(string) -> string",
            "(bool) -> string",
            "(bytes) -> string",
            "(double) -> string",
            "(duration) -> string",
            "(int) -> string",
            "(timestamp) -> string",
            "(uint) -> string",
            "(net.IP) -> string",
            "(net.CIDR) -> string",
        ],
        |_, args| string(&args[0]).map(Val::from),
    ),
    Row::global("bytes", &["(bytes) -> bytes", "(string) -> bytes"], |_, args| match &args[0].data {
        Data::Bytes(_) => Ok(args[0].clone()),
        _ => Ok(Val::new(Data::Bytes(text(&args[0])?.as_bytes().into()))),
    }),
];

/// The types that can be named in an expression.
pub fn type_of_name(name: &str) -> Option<&'static str> {
    const TYPES: &[&str] = &[
        "bool",
        "bytes",
        "double",
        "google.protobuf.Duration",
        "google.protobuf.Timestamp",
        "int",
        "kubernetes.NamedFormat",
        "kubernetes.Quantity",
        "kubernetes.Semver",
        "kubernetes.URL",
        "list",
        "map",
        "net.CIDR",
        "net.IP",
        "null_type",
        "optional_type",
        "string",
        "type",
        "uint",
    ];
    TYPES.iter().copied().find(|known| *known == name)
}

fn conversion(from: &str, to: &str) -> Failure {
    Failure::Other(format!("type conversion error from '{from}' to '{to}'"))
}

fn size(value: &Val) -> Result<Val, Failure> {
    let size = match &value.data {
        Data::String(text) => text.chars().count(),
        Data::Bytes(bytes) => bytes.len(),
        Data::List(list) => list.len(),
        Data::Map(map) => map.len(),
        _ => return Err(Failure::NoSuchOverload),
    };
    Ok((size as i64).into())
}

fn int(value: &Val) -> Result<Val, Failure> {
    match &value.data {
        Data::Int(value) => Ok((*value).into()),
        Data::Uint(value) => i64::try_from(*value).map(Val::from).map_err(|_| int_overflow()),
        // The bounds themselves are refused: near them a double is no exact integer.
        Data::Double(value) if *value > i64::MIN as f64 && *value < i64::MAX as f64 => Ok((*value as i64).into()),
        Data::Double(_) => Err(int_overflow()),
        Data::String(text) => text.parse::<i64>().map(Val::from).map_err(|_| conversion("string", "int")),
        Data::Timestamp(at) => Ok(at.seconds.into()),
        Data::Duration(nanos) => Ok((*nanos).into()),
        _ => Err(Failure::NoSuchOverload),
    }
}

/// Go's `strconv.ParseFloat`.
fn double(text: &str) -> Option<f64> {
    let name = text.trim_start_matches(['+', '-']);
    match name.to_ascii_lowercase().as_str() {
        "nan" | "inf" | "infinity" => text.parse().ok(),
        _ => parse_float(text),
    }
}

fn uint(value: &Val) -> Result<Val, Failure> {
    let number = match &value.data {
        Data::Uint(value) => *value,
        Data::Int(value) => u64::try_from(*value).map_err(|_| uint_overflow())?,
        Data::Double(value) if *value >= 0.0 && *value < u64::MAX as f64 => *value as u64,
        Data::Double(_) => return Err(uint_overflow()),
        Data::String(text) => text.parse().map_err(|_| conversion("string", "uint"))?,
        _ => return Err(Failure::NoSuchOverload),
    };
    Ok(Val::new(Data::Uint(number)))
}

/// A value as `string()` prints it.
pub fn string(value: &Val) -> Result<String, Failure> {
    Ok(match &value.data {
        Data::String(text) => text.to_string(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Uint(value) => value.to_string(),
        Data::Double(value) => number::general(*value),
        Data::Bytes(bytes) => String::from_utf8(bytes.to_vec())
            .map_err(|_| Failure::new("invalid UTF-8 in bytes, cannot convert to string"))?,
        Data::Duration(nanos) => time::print_duration(*nanos),
        Data::Timestamp(at) => at.to_string(),
        Data::Opaque(opaque) => match &**opaque {
            Opaque::Ip(ip) => ip.to_string(),
            Opaque::Cidr(cidr) => network::print_cidr(cidr),
            _ => return Err(Failure::NoSuchOverload),
        },
        _ => return Err(Failure::NoSuchOverload),
    })
}
