//! Kubernetes' `format` library: named formats of text.

use super::{Row, text, time, url};
use crate::policy::cel::Failure;
use crate::policy::cel::value::{Data, Opaque, Val};

/// A named format.
#[derive(Debug)]
pub struct Format {
    /// `dns1123Label`
    pub name: &'static str,
    /// What is wrong with a text; `None` if nothing is.
    check: fn(&str) -> Option<String>,
}

const FORMATS: &[Format] = &[
    Format { name: "dns1123Label", check: |text| label(text, 63) },
    Format { name: "dns1123Subdomain", check: subdomain },
    Format { name: "dns1035Label", check: dns1035 },
    Format { name: "qualifiedName", check: qualified_name },
    Format { name: "dns1123LabelPrefix", check: |text| label(&mask_dash(text), 63) },
    Format { name: "dns1123SubdomainPrefix", check: |text| subdomain(&mask_dash(text)) },
    Format { name: "dns1035LabelPrefix", check: |text| dns1035(&mask_dash(text)) },
    Format { name: "labelValue", check: label_value },
    Format { name: "uri", check: |text| url::parse(text).err().map(|failure| failure.to_string()) },
    Format { name: "uuid", check: uuid },
    Format { name: "byte", check: base64 },
    Format { name: "date", check: |text| unless(is_date(text), "invalid date") },
    Format { name: "datetime", check: |text| unless(time::parse_timestamp(text).is_ok(), "invalid datetime") },
];

macro_rules! constant {
    ($name:literal) => {
        Row::global(concat!("format.", $name), &["() -> kubernetes.NamedFormat"], |_, _| {
            find($name).ok_or(Failure::NoSuchOverload)
        })
    };
}

/// The library's rows.
pub const ROWS: &[Row] = &[
    Row::global("format.named", &["(string) -> optional(kubernetes.NamedFormat)"], |_, args| {
        Ok(find(text(&args[0])?).map_or(Val::none(), Val::some))
    }),
    Row::member("validate", &["(kubernetes.NamedFormat, string) -> optional(list(string))"], |_, args| {
        let (Data::Opaque(opaque), text) = (&args[0].data, text(&args[1])?) else {
            return Err(Failure::NoSuchOverload);
        };
        let Opaque::Format(format) = **opaque else { return Err(Failure::NoSuchOverload) };
        Ok(match (format.check)(text) {
            None => Val::none(),
            Some(why) => Val::some(Val::list(vec![why.into()], None)),
        })
    }),
    constant!("dns1123Label"),
    constant!("dns1123Subdomain"),
    constant!("dns1035Label"),
    constant!("qualifiedName"),
    constant!("dns1123LabelPrefix"),
    constant!("dns1123SubdomainPrefix"),
    constant!("dns1035LabelPrefix"),
    constant!("labelValue"),
    constant!("uri"),
    constant!("uuid"),
    constant!("byte"),
    constant!("date"),
    constant!("datetime"),
];

fn find(name: &str) -> Option<Val> {
    let format = FORMATS.iter().find(|format| format.name == name)?;
    Some(Val::new(Opaque::Format(format).into()))
}

fn unless(good: bool, why: &str) -> Option<String> {
    (!good).then(|| why.to_owned())
}

/// A generated name may end in dashes: its last one stands for what will follow.
fn mask_dash(text: &str) -> String {
    text.strip_suffix('-').map_or_else(|| text.to_owned(), |head| format!("{head}a"))
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|b| is_lower(*b) || *b == b'-')
        && bytes.first().is_some_and(|b| is_lower(*b))
        && bytes.last().is_some_and(|b| is_lower(*b))
}

fn label(text: &str, longest: usize) -> Option<String> {
    if text.len() > longest {
        return Some(format!("must be no more than {longest} characters"));
    }
    unless(
        is_label(text),
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end \
         with an alphanumeric character",
    )
}

fn subdomain(text: &str) -> Option<String> {
    if text.len() > 253 {
        return Some("must be no more than 253 characters".into());
    }
    unless(
        text.split('.').all(is_label),
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
         and end with an alphanumeric character",
    )
}

fn dns1035(text: &str) -> Option<String> {
    if text.len() > 63 {
        return Some("must be no more than 63 characters".into());
    }
    unless(
        is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase()),
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
         character, and end with an alphanumeric character",
    )
}

fn is_qualified(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.len() <= 63
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

fn qualified_name(text: &str) -> Option<String> {
    let name = match text.split_once('/') {
        Some((prefix, name)) => match subdomain(prefix) {
            Some(why) => return Some(format!("prefix part {why}")),
            None => name,
        },
        None => text,
    };
    unless(
        is_qualified(name),
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
         alphanumeric character",
    )
}

fn label_value(text: &str) -> Option<String> {
    unless(
        text.is_empty() || is_qualified(text),
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start \
         and end with an alphanumeric character",
    )
}

fn uuid(text: &str) -> Option<String> {
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    let good = digits + dashes.len() == text.len() && digits == 32 && (dashes.is_empty() || dashes == [8, 13, 18, 23]);
    unless(good, "does not match the UUID format")
}

fn base64(text: &str) -> Option<String> {
    let body = text.trim_end_matches('=');
    let good = !text.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    unless(good, "invalid base64")
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && time::parse_timestamp(&format!("{text}T00:00:00Z")).is_ok()
}
