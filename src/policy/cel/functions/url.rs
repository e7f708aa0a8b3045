//! Kubernetes' `url` library: what Go's `net/url` makes of absolute URLs.

use std::collections::BTreeMap;

use super::{Row, text};
use crate::policy::cel::Failure;
use crate::policy::cel::value::{Data, Key, Opaque, Val};

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
            if let (Some(key), Some(value)) = (unescape(key), unescape(value)) {
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

/// Absolute URLs and absolute paths, as `url.ParseRequestURI` takes them; a fragment is cut off.
pub(super) fn parse(text: &str) -> Result<Url, Failure> {
    let invalid =
        |why: &str| Failure::Other(format!("URL parse error during conversion from string: parse {text:?}: {why}"));
    if text.is_empty() {
        return Err(invalid("empty url"));
    }
    if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return Err(invalid("net/url: invalid control character in URL"));
    }
    let whole = text.split('#').next().unwrap_or_default();
    let (whole, query) = whole.split_once('?').unwrap_or((whole, ""));
    let scheme_end = whole.find(':').filter(|end| {
        let scheme = &whole.as_bytes()[..*end];
        scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
    });
    let (scheme, rest) = scheme_end.map_or(("", whole), |end| (&whole[..end], &whole[end + 1..]));
    if !rest.starts_with('/') {
        if scheme.is_empty() || rest.is_empty() {
            return Err(invalid("invalid URI for request"));
        }
        // `mailto:x` is opaque: no host, no path.
        return Ok(Url {
            scheme: scheme.to_ascii_lowercase(),
            host: String::new(),
            path: String::new(),
            query: query.into(),
        });
    }
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) if !scheme.is_empty() || !rest.starts_with('/') => {
            rest.find('/').map_or((rest, ""), |at| rest.split_at(at))
        }
        _ => ("", rest),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (name, port) = split_port(host);
    let bracketed = name.starts_with('[') && name.ends_with(']');
    if !port.bytes().all(|b| b.is_ascii_digit()) || (name.contains(':') && !bracketed) {
        return Err(invalid(&format!("invalid port {:?} after host", format!(":{port}"))));
    }
    if host.bytes().any(|b| b == b' ' || b"<>\"\\^`{|}".contains(&b)) {
        return Err(invalid("invalid character in host name"));
    }
    if unescape_path(path).is_none() || unescape_path(host).is_none() {
        return Err(invalid("invalid URL escape"));
    }
    Ok(Url { scheme: scheme.to_ascii_lowercase(), host: host.into(), path: escape_path(path), query: query.into() })
}

/// `host:port`, where the port may be missing and the host may be an IPv6 address in brackets.
fn split_port(host: &str) -> (&str, &str) {
    match host.rfind(':') {
        Some(at) if !host[at..].contains(']') => (&host[..at], &host[at + 1..]),
        _ => (host, ""),
    }
}

fn escape_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@%!'()*[]".contains(&b) => out.push(b as char),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

fn unescape(text: &str) -> Option<String> {
    unescape_path(&text.replace('+', " "))
}

fn unescape_path(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (char::from(rest.next()?).to_digit(16)?, char::from(rest.next()?).to_digit(16)?);
            bytes.push((high * 16 + low) as u8);
        } else {
            bytes.push(byte);
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
