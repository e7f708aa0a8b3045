//! Addresses of the web, as far as chart repositories need them: `http` and `https`, relative ones resolved.

use std::fmt;

/// An `http` or `https` address, without fragment and credentials. Prints as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    secure: bool,
    /// Lower case, with the port where one is given.
    host: String,
    /// Begins with `/`.
    path: String,
    /// Begins with `?`, or is empty.
    query: String,
}

/// A text that is no address, or one that is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither `http://` nor `https://`.
    #[error("it does not begin with http:// or https://")]
    Scheme,
    /// No host, or letters that no host has.
    #[error("it names no host")]
    Host,
    /// `https://user:password@host`
    #[error("it holds credentials, which a chart must not")]
    Credentials,
}

impl Address {
    /// Reads an absolute address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (secure, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => return Err(AddressError::Scheme),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, rest) = rest.split_at(end);
        if host.contains('@') {
            return Err(AddressError::Credentials);
        }
        Ok(Self { secure, host: checked_host(host)?, path: "/".into(), query: String::new() }.with_path(rest))
    }

    /// An address below `/` of a host (`registry.example.com:5000`).
    pub fn of_host(secure: bool, host: &str, path: &str) -> Result<Self, AddressError> {
        Ok(Self { secure, host: checked_host(host)?, path: "/".into(), query: String::new() }.with_path(path))
    }

    /// What a reference on the page at this address means. Source: RFC 3986, section 5.2.
    pub fn join(&self, reference: &str) -> Result<Self, AddressError> {
        if reference.split_once(':').is_some_and(|(scheme, _)| !scheme.contains(['/', '?', '#'])) {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme()));
        }
        let path = &self.path;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Ok(match reference.chars().next() {
            Some('/') => self.clone().with_path(reference),
            Some('?') => self.clone().with_path(&format!("{path}{reference}")),
            Some('#') | None => self.clone(),
            Some(_) => self.clone().with_path(&format!("{folder}/{reference}")),
        })
    }

    /// What a reference in the index of the repository at this address means: relative to the address as a folder,
    /// with its query. Source: Helm's `ResolveReferenceURL`.
    pub fn join_in_repository(&self, reference: &str) -> Result<Self, AddressError> {
        let mut folder = self.clone();
        folder.path = format!("{}/", folder.path.trim_end_matches('/'));
        let mut joined = folder.join(reference)?;
        if joined.host == self.host && !reference.contains("://") {
            joined.query.clone_from(&self.query);
        }
        Ok(joined)
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.is_secure() { "https" } else { "http" }
    }

    /// Whether it is `https`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host, with the port where it is not the usual one.
    pub fn host(&self) -> &str {
        self.host.strip_suffix(if self.secure { ":443" } else { ":80" }).unwrap_or(&self.host)
    }

    /// Whether both are of one server: what may be told to one may be told to the other.
    pub fn is_same_server(&self, other: &Self) -> bool {
        self.secure == other.secure && self.host() == other.host()
    }

    /// Adds `name=value` to the query.
    pub fn push_query(&mut self, name: &str, value: &str) {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(name);
        self.query.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    self.query.push(char::from(byte))
                }
                _ => self.query.push_str(&format!("%{byte:02X}")),
            }
        }
    }

    fn with_path(mut self, text: &str) -> Self {
        let text = text.split('#').next().unwrap_or_default();
        let (path, query) = text.find('?').map_or((text, ""), |mark| text.split_at(mark));
        self.path = without_dots(&escaped(path));
        self.query = if query == "?" { String::new() } else { escaped(query) };
        self
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}{}", self.scheme(), self.host, self.path, self.query)
    }
}

fn checked_host(host: &str) -> Result<String, AddressError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if name.is_empty() || !host.bytes().all(known) {
        return Err(AddressError::Host);
    }
    Ok(host.to_ascii_lowercase())
}

/// Percent-encodes what may not stand in a request's first line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => escaped.push_str(&format!("%{byte:02X}")),
            b'!'..=b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Takes `.` and `..` out of a path; `..` above the top stays at the top.
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut rest = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(part) = rest.next() {
        match part {
            "." | ".." => {
                if part == ".." {
                    parts.pop();
                }
                if rest.peek().is_none() {
                    parts.push("");
                }
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, reference: &str) -> String {
        Address::parse(base).unwrap().join(reference).unwrap().to_string()
    }

    #[test]
    fn references_are_resolved() {
        let base = "https://charts.example.com/stable/index.yaml?token=1";
        for (reference, whole) in [
            ("a-1.tgz", "https://charts.example.com/stable/a-1.tgz"),
            ("./b/a-1.tgz?x=y#z", "https://charts.example.com/stable/b/a-1.tgz?x=y"),
            ("../a-1.tgz", "https://charts.example.com/a-1.tgz"),
            ("../../../a-1.tgz", "https://charts.example.com/a-1.tgz"),
            ("/a b-1.tgz", "https://charts.example.com/a%20b-1.tgz"),
            ("//other.example.com/é", "https://other.example.com/%C3%A9"),
            ("HTTP://Other.example.com:80", "http://other.example.com:80/"),
            ("?a", "https://charts.example.com/stable/index.yaml?a"),
            ("", base),
            (".", "https://charts.example.com/stable/"),
        ] {
            assert_eq!(joined(base, reference), whole, "{reference:?}");
        }
    }

    #[test]
    fn repositories_are_folders_and_keep_their_query() {
        for base in ["https://example.com/stable", "https://example.com/stable/"] {
            let base = Address::parse(base).unwrap();
            assert_eq!(
                base.join_in_repository("index.yaml").unwrap().to_string(),
                "https://example.com/stable/index.yaml"
            );
        }
        let base = Address::parse("http://example.com?key=1").unwrap();
        assert_eq!(base.join_in_repository("c/a.tgz").unwrap().to_string(), "http://example.com/c/a.tgz?key=1");
        assert_eq!(base.join_in_repository("https://b.io/a.tgz").unwrap().to_string(), "https://b.io/a.tgz");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, error) in [
            ("charts", AddressError::Scheme),
            ("ftp://example.com", AddressError::Scheme),
            ("https://", AddressError::Host),
            ("https:///x", AddressError::Host),
            ("https://:80/x", AddressError::Host),
            ("https://a b/", AddressError::Host),
            ("https://a\r\nHost: b/", AddressError::Host),
            ("https://user:secret@example.com/", AddressError::Credentials),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn servers_are_told_apart() {
        let server = Address::parse("https://example.com/").unwrap();
        assert!(server.is_same_server(&Address::parse("https://EXAMPLE.com:443/x").unwrap()));
        for other in ["http://example.com/", "https://example.com:8443/", "https://example.com.evil.io/"] {
            assert!(!server.is_same_server(&Address::parse(other).unwrap()), "{other}");
        }
    }
}
