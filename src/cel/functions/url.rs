//! Kubernetes' `url` library: what Go's `net/url` makes of absolute URLs.

use std::collections::BTreeMap;

use super::{Row, text};
use crate::cel::Failure;
use crate::cel::value::{Data, Key, Opaque, Val};
use crate::render::strconv::quote;

/// The parts of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    host: String,
    path: String,
    query: String,
}

/// The library's rows.
pub const ROWS: &[Row] = &[
    Row::global("url", &["(string) -> kubernetes.URL"], |_, args| {
        Ok(Val::new(Opaque::Url(parse(text(&args[0])?)?).into()))
    }),
    Row::global("isURL", &["(string) -> bool"], |_, args| Ok(parse(text(&args[0])?).is_ok().into())),
    Row::member("getScheme", &["(kubernetes.URL) -> string"], |_, args| Ok(url(&args[0])?.scheme.as_str().into())),
    Row::member("getHost", &["(kubernetes.URL) -> string"], |_, args| Ok(url(&args[0])?.host.as_str().into())),
    Row::member("getHostname", &["(kubernetes.URL) -> string"], |_, args| {
        let (name, _) = split_port(&url(&args[0])?.host);
        Ok(name.trim_start_matches('[').trim_end_matches(']').into())
    }),
    Row::member("getPort", &["(kubernetes.URL) -> string"], |_, args| Ok(split_port(&url(&args[0])?.host).1.into())),
    Row::member("getEscapedPath", &["(kubernetes.URL) -> string"], |_, args| Ok(url(&args[0])?.path.as_str().into())),
    Row::member("getQuery", &["(kubernetes.URL) -> map(string, list(string))"], |_, args| {
        let mut pairs: BTreeMap<Key, Vec<Val>> = BTreeMap::new();
        for pair in url(&args[0])?.query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let (Some(key), Some(value)) = (unescape_query(key), unescape_query(value)) {
                pairs.entry(Key::String(key.into())).or_default().push(value.into());
            }
        }
        let pairs = pairs.into_iter().map(|(key, values)| (key, Val::list(values, None))).collect();
        Ok(Val::map(pairs, args[0].origin.as_ref()))
    }),
];

fn url(value: &Val) -> Result<&Url, Failure> {
    match &value.data {
        Data::Opaque(opaque) => match &**opaque {
            Opaque::Url(url) => Ok(url),
            _ => Err(Failure::NoSuchOverload),
        },
        _ => Err(Failure::NoSuchOverload),
    }
}

pub(super) fn parse(text: &str) -> Result<Url, Failure> {
    parse_plain(text).map_err(|why| Failure::Other(format!("URL parse error during conversion from string: {why}")))
}

/// Absolute URLs and absolute paths, as `url.ParseRequestURI` takes them: a `#` is nothing special. The error is Go's.
pub fn parse_plain(text: &str) -> Result<Url, String> {
    read(text).map_err(|why| format!("parse {}: {why}", quote(text.as_bytes(), false)))
}

fn read(text: &str) -> Result<Url, String> {
    if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    if text.is_empty() {
        return Err("empty url".to_owned());
    }
    let (scheme, rest) = split_scheme(text)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let scheme = scheme.to_ascii_lowercase();
    if !rest.starts_with('/') {
        if scheme.is_empty() {
            return Err("invalid URI for request".to_owned());
        }
        // `mailto:x` is opaque: no host, no path.
        return Ok(Url { scheme, host: String::new(), path: String::new(), query: query.into() });
    }
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) if !scheme.is_empty() => rest.find('/').map_or((rest, ""), |at| rest.split_at(at)),
        _ => ("", rest),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Ok(Url { scheme, host: read_host(host)?, path: escape_path(path)?, query: query.into() })
}

/// `getScheme` in Go's `net/url`.
fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default())),
            _ => break,
        }
    }
    Ok(("", text))
}

fn read_host(host: &str) -> Result<String, String> {
    let after_name = match (host.strip_prefix('['), host.rfind(']')) {
        (Some(_), None) => return Err("missing ']' in host".to_owned()),
        (Some(_), Some(end)) => host.get(end + 1..).unwrap_or_default(),
        (None, _) => host.rfind(':').and_then(|at| host.get(at..)).unwrap_or_default(),
    };
    let port = after_name.strip_prefix(':').map(|port| port.bytes().all(|b| b.is_ascii_digit()));
    if !after_name.is_empty() && port != Some(true) {
        return Err(format!("invalid port {} after host", quote(after_name.as_bytes(), false)));
    }
    let refused = |b: u8| b < 0x80 && !b.is_ascii_alphanumeric() && !b"-_.~!$&'()*+,;=:[]<>\"%".contains(&b);
    if let Some(bad) = host.bytes().find(|b| refused(*b)) {
        return Err(format!("invalid character {} in host name", quote(&[bad], false)));
    }
    // A host can escape nothing but other scripts.
    for escape in host.match_indices('%').filter_map(|(at, _)| host.get(at..host.len().min(at + 3))) {
        let code = escape.get(1..).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if code.is_none_or(|code| code < 0x80 && escape != "%25") {
            return Err(format!("invalid URL escape {}", quote(escape.as_bytes(), false)));
        }
    }
    unescape(host)
}

/// `host:port`, where the port may be missing and the host may be an IPv6 address in brackets.
fn split_port(host: &str) -> (&str, &str) {
    match host.rfind(':') {
        Some(at) if !host[at..].contains(']') => (&host[..at], &host[at + 1..]),
        _ => (host, ""),
    }
}

/// `URL.EscapedPath`: as it is written if it is written well.
fn escape_path(path: &str) -> Result<String, String> {
    let decoded = unescape(path)?;
    if path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@%!'()*[]".contains(&b)) {
        return Ok(path.to_owned());
    }
    let mut out = String::with_capacity(path.len());
    for byte in decoded.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&b) => out.push(b as char),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    Ok(out)
}

/// A part of a query, where a plus is a blank.
fn unescape_query(text: &str) -> Option<String> {
    unescape(&text.replace('+', " ")).ok()
}

fn unescape(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        bytes.extend_from_slice(before.as_bytes());
        let digits = escape.get(1..3).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(code) = code else {
            let shown = escape.char_indices().nth(3).map_or(escape, |(end, _)| &escape[..end]);
            return Err(format!("invalid URL escape {}", quote(shown.as_bytes(), false)));
        };
        bytes.push(code);
        rest = escape.get(3..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
