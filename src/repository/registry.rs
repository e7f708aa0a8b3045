//! Charts in OCI registries.
//!
//! Source: the OCI distribution specification 1.1, and Helm's `pkg/registry/client.go`.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;

use super::Digest;
use super::address::{Address, AddressError};
use super::challenge::{self, Challenge};
use super::http::{Client, HttpError, Login, Response};
use crate::semver::Version;

const MANIFEST_TYPES: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
const CONFIG_TYPE: &str = "application/vnd.cncf.helm.config.v1+json";
/// The second one is from before Helm 3.7.
const LAYER_TYPES: [&str; 2] = ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"];

/// The most bytes of a manifest, a page of tags or a token.
const MAX_DOCUMENT: u64 = 4 << 20;
/// The most pages that a list of tags may have.
const MAX_PAGES: usize = 1_000;
/// The most tags of one chart.
const MAX_TAGS: usize = 200_000;

/// `registry.example.com/charts/common`: a registry and a name in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Repository {
    pub host: String,
    pub name: String,
}

/// What a registry did not do.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The request failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Not a host and a name, in the letters that registries know.
    #[error("{0:?} is no name of a chart in a registry")]
    Name(String),
    /// Not a tag.
    #[error("{0:?} is no tag")]
    Tag(String),
    /// It has no such chart.
    #[error("the registry has no chart of this name")]
    NoRepository,
    /// It has no such tag.
    #[error("the registry has no tag {0:?} of this chart")]
    NoTag(String),
    /// The realm of a challenge is no address.
    #[error("the registry sends to {0:?} for a token: {1}")]
    Realm(String, AddressError),
    /// A challenge over `https` with a realm over `http`.
    #[error("the registry sends to {0} for a token, which is not encrypted")]
    PlainRealm(String),
    /// The address that gives out tokens refuses.
    #[error("no token from {realm}: {error}")]
    Token {
        /// The address.
        realm: String,
        /// Why.
        error: HttpError,
    },
    /// The token that was just given out is refused.
    #[error("the registry refuses the token that {0} gave out")]
    TokenRefused(String),
    /// An answer that is not what it should be.
    #[error("the registry's {what} cannot be read: {problem}")]
    Malformed {
        /// `manifest`, `list of tags`, `token`
        what: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Something other than a chart.
    #[error("this is no Helm chart: {0}")]
    NoChart(String),
    /// The bytes are not those that the manifest or the registry promised.
    #[error("the {what} has the digest {found}, but should have {expected}")]
    Digest {
        /// `manifest`, `archive`
        what: &'static str,
        /// Promised.
        expected: String,
        /// Computed.
        found: Digest,
    },
}

/// A client that remembers its tokens for a run.
pub(super) struct Registry {
    client: Client,
    authorizations: RefCell<HashMap<Repository, String>>,
}

/// A chart's archive, and the digest of the manifest that named it.
pub(super) struct Pulled {
    pub archive: Vec<u8>,
    pub manifest: Digest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

#[derive(Deserialize)]
struct TagList {
    /// Some registries say `null` for none.
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Repository {
    /// Reads `oci://host/path` and adds the chart's name.
    pub fn of_chart(address: &str, chart: &str) -> Result<Self, RegistryError> {
        Self::parse(&format!("{}/{chart}", address.strip_prefix("oci://").unwrap_or(address)))
    }

    /// Reads `oci://host/path/chart:tag`, as indexes have it.
    pub fn with_tag(address: &str) -> Result<(Self, String), RegistryError> {
        let bad = || RegistryError::Name(address.to_string());
        let (name, tag) = address.strip_prefix("oci://").ok_or_else(bad)?.rsplit_once(':').ok_or_else(bad)?;
        Ok((Self::parse(name)?, tag.to_string()))
    }

    fn parse(text: &str) -> Result<Self, RegistryError> {
        let bad = || RegistryError::Name(text.to_string());
        let (host, name) = text.split_once('/').ok_or_else(bad)?;
        Address::of_host(true, host, "/").map_err(|_| bad())?;
        if name.len() > 255 || !name.split('/').all(is_name_part) {
            return Err(bad());
        }
        // Docker Hub's API lives under another name.
        let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
        Ok(Self { host: host.to_string(), name: name.to_string() })
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)
    }
}

impl Registry {
    /// A registry that remembers nothing yet.
    pub fn new(client: Client) -> Self {
        Self { client, authorizations: RefCell::default() }
    }

    /// The client for other requests.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The versions that a chart has tags for, the newest first. Tags that are no complete version are left out.
    pub fn versions(&self, repository: &Repository) -> Result<Vec<Version>, RegistryError> {
        let mut versions = Vec::new();
        let mut seen = 0;
        let mut page = Some(self.address(repository, "tags/list")?);
        for _ in 0..MAX_PAGES {
            let Some(address) = page.take() else { break };
            let response = self.ask(repository, &address, "application/json", MAX_DOCUMENT)?;
            if response.status == 404 {
                return Err(RegistryError::NoRepository);
            }
            page = response.header("link").and_then(next_page).and_then(|next| address.join(next).ok());
            // The name and password, or the token, are for this server only.
            page = page.filter(|next| next.is_same_server(&address));
            let list: TagList =
                document("list of tags", &response.expect_success(&address, self.has_login(&address))?)?;
            let tags = list.tags.unwrap_or_default();
            seen += tags.len();
            if seen > MAX_TAGS {
                return Err(malformed("list of tags", format!("it has more than {MAX_TAGS}")));
            }
            versions.extend(tags.iter().filter_map(|tag| strict_version(&tag.replace('_', "+"))));
        }
        if page.is_some() {
            return Err(malformed("list of tags", format!("it has more than {MAX_PAGES} pages")));
        }
        versions.sort_by_cached_key(|version: &Version| Reverse((version.clone(), version.metadata.clone())));
        Ok(versions)
    }

    /// Fetches a chart's archive by its version.
    pub fn pull(&self, repository: &Repository, version: &str) -> Result<Pulled, RegistryError> {
        let tag = version.replace('+', "_");
        if !is_tag(&tag) {
            return Err(RegistryError::Tag(tag));
        }
        let address = self.address(repository, &format!("manifests/{tag}"))?;
        let response = self.ask(repository, &address, MANIFEST_TYPES, MAX_DOCUMENT)?;
        if response.status == 404 {
            return Err(RegistryError::NoTag(tag));
        }
        let promised = response.header("docker-content-digest").map(str::to_string);
        let body = response.expect_success(&address, self.has_login(&address))?;
        let digest = Digest::of(&body);
        if let Some(expected) = promised.filter(|promised| promised.starts_with("sha256:") && !digest.is(promised)) {
            return Err(RegistryError::Digest { what: "manifest", expected, found: digest });
        }
        let layer = chart_layer(document("manifest", &body)?)?;
        let archive = self.blob(repository, &layer)?;
        Ok(Pulled { archive, manifest: digest })
    }

    fn blob(&self, repository: &Repository, descriptor: &Descriptor) -> Result<Vec<u8>, RegistryError> {
        if !Digest::is_well_formed(&descriptor.digest) {
            return Err(malformed("manifest", format!("{:?} is no SHA-256 digest", descriptor.digest)));
        }
        if descriptor.size > super::MAX_ARCHIVE {
            return Err(HttpError::TooLarge(super::MAX_ARCHIVE).into());
        }
        let address = self.address(repository, &format!("blobs/{}", descriptor.digest))?;
        // One more byte than promised tells a longer answer from the promised one.
        let response = self.ask(repository, &address, "application/octet-stream, */*", descriptor.size + 1)?;
        let body = response.expect_success(&address, self.has_login(&address))?;
        let found = Digest::of(&body);
        if found.is(&descriptor.digest) {
            Ok(body)
        } else {
            Err(RegistryError::Digest { what: "archive", expected: descriptor.digest.clone(), found })
        }
    }

    fn address(&self, repository: &Repository, rest: &str) -> Result<Address, RegistryError> {
        Address::of_host(!self.client.plain_http(), &repository.host, &format!("/v2/{}/{rest}", repository.name))
            .map_err(|_| RegistryError::Name(repository.to_string()))
    }

    fn has_login(&self, address: &Address) -> bool {
        self.client.login(address).is_some()
    }

    /// Asks; where the registry wants to know who asks, tells it and asks again, once.
    fn ask(&self, repository: &Repository, at: &Address, accept: &str, limit: u64) -> Result<Response, RegistryError> {
        let known = self.authorizations.borrow().get(repository).cloned();
        let response = self.client.get(at, accept, known.as_deref(), limit)?;
        if response.status != 401 {
            return Ok(response);
        }
        let values = response.headers.get_all("www-authenticate");
        let login = self.client.login(at);
        let (authorization, realm) = match challenge::parse(values.iter().filter_map(|value| value.to_str().ok())) {
            Some(Challenge::Basic) if login.is_some() => (login.map(Login::basic).unwrap_or_default(), None),
            Some(Challenge::Bearer { realm, service, scope }) => {
                let address = Address::parse(&realm).map_err(|error| RegistryError::Realm(realm, error))?;
                let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", repository.name));
                (format!("Bearer {}", self.token(at, &address, service.as_deref(), &scope)?), Some(address))
            }
            _ => return Ok(response),
        };
        let response = self.client.get(at, accept, Some(&authorization), limit)?;
        match realm {
            Some(realm) if response.status == 401 => Err(RegistryError::TokenRefused(realm.to_string())),
            _ => {
                self.authorizations.borrow_mut().insert(repository.clone(), authorization);
                Ok(response)
            }
        }
    }

    /// Fetches a token for what lies at `at`. The registry that may see the name and password says who else may.
    fn token(
        &self,
        at: &Address,
        realm: &Address,
        service: Option<&str>,
        scope: &str,
    ) -> Result<String, RegistryError> {
        if at.is_secure() && !realm.is_secure() {
            return Err(RegistryError::PlainRealm(realm.to_string()));
        }
        let mut address = realm.clone();
        if let Some(service) = service {
            address.push_query("service", service);
        }
        address.push_query("scope", scope);
        let login = self.client.login(at);
        let body = self
            .client
            .get(&address, "application/json", login.map(Login::basic).as_deref(), MAX_DOCUMENT)
            .and_then(|response| response.expect_success(at, login.is_some()))
            .map_err(|error| RegistryError::Token { realm: realm.to_string(), error })?;
        let token: Token = document("token", &body)?;
        let token = token.token.filter(|token| !token.is_empty()).or(token.access_token).unwrap_or_default();
        // What is no header must not become one.
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed("token", "there is none in it"));
        }
        Ok(token)
    }
}

/// The layer that holds the chart.
fn chart_layer(manifest: Manifest) -> Result<Descriptor, RegistryError> {
    match manifest.config {
        Some(config) if config.media_type == CONFIG_TYPE => {}
        Some(config) => return Err(RegistryError::NoChart(format!("its configuration is {:?}", config.media_type))),
        None => return Err(RegistryError::NoChart("its manifest has no configuration".into())),
    }
    // Of several, Helm takes the last.
    manifest
        .layers
        .into_iter()
        .rfind(|layer| LAYER_TYPES.contains(&layer.media_type.as_str()))
        .ok_or_else(|| RegistryError::NoChart("its manifest has no layer that is a chart".into()))
}

fn document<'de, T: Deserialize<'de>>(what: &'static str, body: &'de [u8]) -> Result<T, RegistryError> {
    serde_json::from_slice(body).map_err(|error| malformed(what, error.to_string()))
}

fn malformed(what: &'static str, problem: impl Into<String>) -> RegistryError {
    RegistryError::Malformed { what, problem: problem.into() }
}

/// The address in `</v2/a/tags/list?last=x>; rel="next"`.
fn next_page(link: &str) -> Option<&str> {
    let (address, parameters) = link.trim_start().strip_prefix('<')?.split_once('>')?;
    parameters.replace(['"', ' '], "").split(';').any(|parameter| parameter == "rel=next").then_some(address)
}

/// A version with all three numbers and nothing else, as Masterminds' `StrictNewVersion` reads it.
fn strict_version(text: &str) -> Option<Version> {
    text.parse().ok().filter(|version: &Version| version.to_string() == text)
}

/// `a-b__c.d`: lower-case letters and digits, between them `.`, `_`, `__` or dashes.
fn is_name_part(part: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(is_plain).filter(|separator| !separator.is_empty());
    part.starts_with(is_plain)
        && part.ends_with(is_plain)
        && separators.into_iter().all(|s| matches!(s, "." | "_" | "__") || s.bytes().all(|byte| byte == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(is_word) && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for (address, chart, printed) in [
            ("oci://r.example.com:5000/a/b", "c-d", "r.example.com:5000/a/b/c-d"),
            ("oci://r.example.com", "c__d.e", "r.example.com/c__d.e"),
            ("oci://docker.io/library", "c", "registry-1.docker.io/library/c"),
        ] {
            assert_eq!(Repository::of_chart(address, chart).unwrap().to_string(), printed);
        }
        for (address, chart) in [
            ("oci://r", "../x"),
            ("oci://r", "A"),
            ("oci://r", ""),
            ("oci://r/", "c"),
            ("oci://", "c"),
            ("oci://u:p@r", "c"),
            ("oci://r", "a..b"),
            ("oci://r", "a?b"),
        ] {
            assert!(Repository::of_chart(address, chart).is_err(), "{address} {chart}");
        }
        let (repository, tag) = Repository::with_tag("oci://r:5000/a/c:1.2.3").unwrap();
        assert_eq!((repository.to_string().as_str(), tag.as_str()), ("r:5000/a/c", "1.2.3"));
    }

    #[test]
    fn only_complete_versions_are_versions() {
        let kept = ["1.2.3", "1.2.3-rc.1", "1.2.3+b", "0.0.0"];
        for tag in kept.into_iter().chain(["1.2", "v1.2.3", "01.2.3", "latest", "1.2.3.4", ""]) {
            assert_eq!(strict_version(tag).is_some(), kept.contains(&tag), "{tag}");
        }
    }

    #[test]
    fn the_next_page_is_found() {
        assert_eq!(next_page(r#"</v2/a/tags/list?n=1&last=x>; rel="next""#), Some("/v2/a/tags/list?n=1&last=x"));
        assert_eq!(next_page("<x>; rel=next"), Some("x"));
        for link in ["", "<x", "<x>", "x; rel=next", "<x>; rel=\"prev\""] {
            assert_eq!(next_page(link), None, "{link}");
        }
    }

    #[test]
    fn manifests_of_other_things_are_no_charts() {
        let layer = |config: &str, layer: &str| {
            let text = format!(
                r#"{{"config": {{"mediaType": "{config}", "digest": "", "size": 2}},
                    "layers": [{{"mediaType": "{layer}", "digest": "sha256:0", "size": 1}}]}}"#
            );
            chart_layer(document("manifest", text.as_bytes()).unwrap()).map_err(|error| error.to_string())
        };
        assert!(layer(CONFIG_TYPE, LAYER_TYPES[0]).is_ok());
        assert!(
            layer("application/vnd.oci.image.config.v1+json", LAYER_TYPES[0])
                .is_err_and(|e| e.contains("image.config"))
        );
        assert!(layer(CONFIG_TYPE, "text/plain").is_err_and(|e| e.contains("no layer")));
    }
}
