//! URLs, as the package `net/url` of Go 1.25 takes them apart and puts them together.

use super::args::Args;
use super::strings::{find, text};
use super::{Failure, Host, Row, Type};
use crate::render::any::{Any, Map};
use crate::render::strconv::quote;

pub(super) const ROWS: &[Row] =
    &[Row::new("urlParse", &[Type::String], url_parse), Row::new("urlJoin", &[Type::Map], url_join)];

/// Which part of a URL text stands in: each leaves other characters as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

fn url_parse(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let url =
        Url::parse(args.text(0)?.as_bytes()).map_err(|error| Failure::new(format!("unable to parse url: {error}")))?;
    let userinfo = url.user.as_ref().map(User::print).unwrap_or_default();
    let hostname = hostname(&url.host).to_vec();
    let parts = [
        ("scheme", url.scheme),
        ("host", url.host),
        ("hostname", hostname),
        ("path", url.path),
        ("query", url.query),
        ("opaque", url.opaque),
        ("fragment", url.fragment),
        ("userinfo", userinfo),
    ];
    Ok(Any::Map(parts.into_iter().map(|(key, value)| (key, Any::String(value.into()))).collect()))
}

fn url_join(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let map = args.map(0)?;
    let mut url = Url {
        scheme: part(&map, "scheme")?,
        host: part(&map, "host")?,
        path: part(&map, "path")?,
        query: part(&map, "query")?,
        opaque: part(&map, "opaque")?,
        fragment: part(&map, "fragment")?,
        user: None,
    };
    let userinfo = part(&map, "userinfo")?;
    if !userinfo.is_empty() {
        url.user = Url::parse(&[b"proto://", &*userinfo, b"@host"].concat())
            .map_err(|error| Failure::new(format!("unable to parse userinfo in dict: {error}")))?
            .user;
    }
    text(url.print())
}

fn part(map: &Map, key: &str) -> Result<Vec<u8>, Failure> {
    match map.get(key.as_bytes()) {
        None => Ok(Vec::new()),
        Some(Any::String(value)) => Ok(value.as_bytes().to_vec()),
        Some(Any::Nil) => Err(Failure::new("runtime error: invalid memory address or nil pointer dereference")),
        Some(other) => {
            Err(Failure::new(format!("unable to parse {key} key, must be of type string, but {} found", other.kind())))
        }
    }
}

impl Url {
    /// `url.Parse`, with its error as Go prints it.
    fn parse(whole: &[u8]) -> Result<Self, String> {
        let (main, fragment) = cut(whole, b'#');
        let because = |url: &[u8], reason: String| format!("parse {}: {reason}", quote(url, false));
        let mut url = Self::parse_main(main).map_err(|reason| because(main, reason))?;
        url.fragment = unescape(fragment, Part::Fragment).map_err(|reason| because(whole, reason))?;
        Ok(url)
    }

    fn parse_main(text: &[u8]) -> Result<Self, String> {
        if text.iter().any(|b| b.is_ascii_control()) {
            return Err("net/url: invalid control character in URL".into());
        }
        let mut url = Self::default();
        if text == b"*" {
            url.path = text.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = cut(rest, b'?');
        url.query = query.to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".into());
            }
        }
        if rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///")) {
            let end = rest[2..].iter().position(|&b| b == b'/').map_or(rest.len(), |slash| slash + 2);
            url.parse_authority(&rest[2..end])?;
            rest = &rest[end..];
        }
        url.path = unescape(rest, Part::Path)?;
        Ok(url)
    }

    fn parse_authority(&mut self, authority: &[u8]) -> Result<(), String> {
        let at = authority.iter().rposition(|&b| b == b'@');
        self.host = parse_host(&authority[at.map_or(0, |at| at + 1)..])?;
        let Some(at) = at else { return Ok(()) };
        let userinfo = &authority[..at];
        if !userinfo.iter().all(|b| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(b)) {
            return Err("net/url: invalid userinfo".into());
        }
        let (name, password) = cut(userinfo, b':');
        let has_password = userinfo.contains(&b':');
        let name = unescape(name, Part::User)?;
        let password = unescape(password, Part::User)?;
        self.user = Some(User { name, password: has_password.then_some(password) });
        Ok(())
    }

    /// `URL.String` of a URL that was put together, not parsed: every part is escaped anew.
    fn print(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            if self.user.is_some() || !self.host.is_empty() || !self.scheme.is_empty() && !self.path.is_empty() {
                out.extend_from_slice(b"//");
                if let Some(user) = &self.user {
                    out.extend(user.print());
                    out.push(b'@');
                }
                out.extend(escape(&self.host, Part::Host));
            }
            let path = if self.path == b"*" { self.path.clone() } else { escape(&self.path, Part::Path) };
            if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
                out.push(b'/');
            }
            if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
                out.extend_from_slice(b"./");
            }
            out.extend(path);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Part::Fragment));
        }
        out
    }
}

impl User {
    fn print(&self) -> Vec<u8> {
        let mut out = escape(&self.name, Part::User);
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend(escape(password, Part::User));
        }
        out
    }
}

/// What is before and after the first of a byte.
fn cut(bytes: &[u8], at: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|&b| b == at) {
        Some(index) => (&bytes[..index], &bytes[index + 1..]),
        None => (bytes, b""),
    }
}

fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (index, b) in text.iter().enumerate() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err("missing protocol scheme".into()),
            b':' => return Ok((&text[..index], &text[index + 1..])),
            _ => break,
        }
    }
    Ok((b"", text))
}

fn parse_host(host: &[u8]) -> Result<Vec<u8>, String> {
    let invalid_port = |port: &[u8]| format!("invalid port {} after host", quote(port, false));
    match host.iter().rposition(|&b| b == b'[') {
        Some(0) => {
            let close = host.iter().rposition(|&b| b == b']').ok_or("missing ']' in host")?;
            let port = &host[close + 1..];
            if !is_optional_port(port) {
                return Err(invalid_port(port));
            }
            let literal = &host[1..close];
            let zone = find(literal, b"%25").unwrap_or(literal.len());
            let name = [unescape(&literal[..zone], Part::Host)?, unescape(&literal[zone..], Part::Zone)?].concat();
            let address = String::from_utf8_lossy(&name);
            check_ip_literal(&address)?;
            Ok([b"[", &*name, b"]", port].concat())
        }
        Some(_) => Err("invalid IP-literal".into()),
        None => {
            if let Some(colon) = host.iter().rposition(|&b| b == b':')
                && !is_optional_port(&host[colon..])
            {
                return Err(invalid_port(&host[colon..]));
            }
            unescape(host, Part::Host)
        }
    }
}

/// Only an IPv6 address may stand in brackets.
fn check_ip_literal(address: &str) -> Result<(), String> {
    let (ip, zone) = address.split_once('%').unwrap_or((address, ""));
    let refused =
        |reason: &str| Err(format!("invalid host: ParseAddr({}): {reason}", quote(address.as_bytes(), false)));
    if ip.parse::<std::net::Ipv6Addr>().is_ok() {
        return if address.ends_with('%') && zone.is_empty() {
            refused("zone must be a non-empty string")
        } else {
            Ok(())
        };
    }
    if ip.parse::<std::net::Ipv4Addr>().is_ok() && ip == address {
        return Err("invalid IP-literal".into());
    }
    refused("unable to parse IP")
}

fn is_optional_port(port: &[u8]) -> bool {
    port.split_first().is_none_or(|(colon, digits)| *colon == b':' && digits.iter().all(u8::is_ascii_digit))
}

/// `URL.Hostname`: without port and brackets.
fn hostname(host: &[u8]) -> &[u8] {
    let host = match host.iter().rposition(|&b| b == b':') {
        Some(colon) if is_optional_port(&host[colon..]) => &host[..colon],
        _ => host,
    };
    host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host)
}

/// Whether a byte stands as it is in a part.
fn is_plain(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return true;
    }
    match part {
        Part::Path => b"$&+,/:;=@".contains(&byte),
        Part::User => b"$&+,;=".contains(&byte),
        Part::Fragment => b"$&+,/:;=?@!()*".contains(&byte),
        Part::Host | Part::Zone => b"!$&'()*+,;=:[]<>\"".contains(&byte),
    }
}

fn escape(bytes: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if is_plain(byte, part) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

fn unescape(bytes: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            if matches!(part, Part::Host | Part::Zone) && byte < 0x80 && !is_plain(byte, part) {
                return Err(format!("invalid character {} in host name", quote(&[byte], false)));
            }
            out.push(byte);
            at += 1;
            continue;
        }
        let escape = &bytes[at..bytes.len().min(at + 3)];
        let refused = || format!("invalid URL escape {}", quote(escape, false));
        let &[_, high, low] = escape else { return Err(refused()) };
        let (high, low) = digit(high).zip(digit(low)).ok_or_else(refused)?;
        let value = high << 4 | low;
        let allowed = match part {
            // A host can escape nothing but other scripts, and the percent sign before a zone.
            Part::Host => high >= 8 || value == b'%',
            Part::Zone => value == b'%' || value == b' ' || is_plain(value, Part::Host),
            _ => true,
        };
        if !allowed {
            return Err(refused());
        }
        out.push(value);
        at += 3;
    }
    Ok(out)
}
