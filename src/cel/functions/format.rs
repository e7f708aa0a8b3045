//! Kubernetes' `format` library: named formats of text.

use super::{Row, text, time, url};
use crate::cel::Failure;
use crate::cel::value::{Data, Opaque, Val};

/// A named format.
#[derive(Debug)]
pub struct Format {
    /// `dns1123Label`
    pub name: &'static str,
    /// How long a pattern for it is taken to be, where work is counted.
    pub pattern_size: u64,
    /// What is wrong with a text.
    check: fn(&str) -> Vec<String>,
}

const FORMATS: &[Format] = &[
    Format { name: "dns1123Label", pattern_size: 30, check: label },
    Format { name: "dns1123Subdomain", pattern_size: 60, check: subdomain },
    Format { name: "dns1035Label", pattern_size: 30, check: dns1035 },
    Format { name: "qualifiedName", pattern_size: 60, check: qualified_name },
    Format { name: "dns1123LabelPrefix", pattern_size: 30, check: |text| label(&mask_dash(text)) },
    Format { name: "dns1123SubdomainPrefix", pattern_size: 60, check: |text| subdomain(&mask_dash(text)) },
    Format { name: "dns1035LabelPrefix", pattern_size: 30, check: |text| dns1035(&mask_dash(text)) },
    Format { name: "labelValue", pattern_size: 40, check: label_value },
    Format { name: "uri", pattern_size: 1103, check: |text| url::parse_plain(text).err().into_iter().collect() },
    Format { name: "uuid", pattern_size: 70, check: uuid },
    Format { name: "byte", pattern_size: 84, check: base64 },
    Format { name: "date", pattern_size: 71, check: |text| unless(is_date(text), "invalid date") },
    Format {
        name: "datetime",
        pattern_size: 71,
        check: |text| unless(time::parse_timestamp(text).is_ok(), "invalid datetime"),
    },
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
    Row::global("format.named", &["(string) -> optional_type(kubernetes.NamedFormat)"], |_, args| {
        Ok(find(text(&args[0])?).map_or(Val::none(), Val::some))
    }),
    Row::member("validate", &["(kubernetes.NamedFormat, string) -> optional_type(list(string))"], |_, args| {
        let (Data::Opaque(opaque), text) = (&args[0].data, text(&args[1])?) else {
            return Err(Failure::NoSuchOverload);
        };
        let Opaque::Format(format) = **opaque else { return Err(Failure::NoSuchOverload) };
        let wrong: Vec<Val> = (format.check)(text).into_iter().map(Val::from).collect();
        Ok(if wrong.is_empty() { Val::none() } else { Val::some(Val::list(wrong, None)) })
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

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
     start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
     and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
     alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
     validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
     character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', \
     and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
     validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

fn unless(good: bool, why: &str) -> Vec<String> {
    if good { Vec::new() } else { vec![why.to_owned()] }
}

/// What is wrong with a text that may only be so long.
fn within(text: &str, longest: usize, good: bool, why: &str) -> Vec<String> {
    let mut wrong = unless(text.len() <= longest, &format!("must be no more than {longest} characters"));
    wrong.extend(unless(good, why));
    wrong
}

/// A generated name may end in dashes: its last one stands for what will follow.
fn mask_dash(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(head) if !head.is_empty() => format!("{head}a"),
        _ => text.to_owned(),
    }
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

fn label(text: &str) -> Vec<String> {
    let dotted = text.len() <= 253 && text.split('.').all(is_label);
    within(text, 63, is_label(text), if dotted { "must not contain dots" } else { LABEL })
}

fn subdomain(text: &str) -> Vec<String> {
    within(text, 253, text.split('.').all(is_label), SUBDOMAIN)
}

fn dns1035(text: &str) -> Vec<String> {
    within(text, 63, is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase()), DNS_1035)
}

fn is_qualified(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

fn qualified_name(text: &str) -> Vec<String> {
    let (mut wrong, name) = match text.split_once('/') {
        Some((_, name)) if name.contains('/') => {
            let prefix = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a valid label key {NAME} {prefix}")];
        }
        Some(("", name)) => (vec!["prefix part must be non-empty".to_owned()], name),
        Some((prefix, name)) => (subdomain(prefix).iter().map(|why| format!("prefix part {why}")).collect(), name),
        None => (Vec::new(), text),
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    }
    wrong.extend(within(name, 63, is_qualified(name), NAME).iter().map(|why| format!("name part {why}")));
    wrong
}

fn label_value(text: &str) -> Vec<String> {
    within(text, 63, text.is_empty() || is_qualified(text), LABEL_VALUE)
}

fn uuid(text: &str) -> Vec<String> {
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    let good = digits + dashes.len() == text.len() && digits == 32 && (dashes.is_empty() || dashes == [8, 13, 18, 23]);
    unless(good, "does not match the UUID format")
}

fn base64(text: &str) -> Vec<String> {
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
