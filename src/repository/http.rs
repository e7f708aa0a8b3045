//! Requests to chart repositories and registries: bounded in size, time and redirects.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::Agent;
use ureq::http::HeaderMap;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::Network;
use super::address::{Address, AddressError};

/// Redirects that are followed for one request.
const MAX_REDIRECTS: usize = 5;
/// The most bytes of a status line and headers.
const MAX_HEADERS: usize = 64 << 10;
/// How long it may take until a server is reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The name and password for one server. Does not show its password.
#[derive(Clone)]
pub struct Login {
    /// The server that may see them, as in addresses: `registry.example.com:5000`.
    pub host: String,
    /// Who.
    pub username: String,
    /// The proof.
    pub password: String,
}

/// Sends requests. It keeps connections, but nothing that servers say.
pub(super) struct Client {
    agent: Agent,
    login: Option<Login>,
    plain_http: bool,
}

/// What a server answered.
pub(super) struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why there is no answer, or none that helps.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The request or the answer got lost.
    #[error("{0}")]
    Transport(String),
    /// The server speaks `http` where `https` is asked for.
    #[error("the server does not speak https")]
    NotTls,
    /// It took longer than allowed.
    #[error("no complete answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The answer is larger than it may be.
    #[error("the answer is larger than {} MiB", .0 >> 20)]
    TooLarge(u64),
    /// Not 200.
    #[error("the server answered {0}")]
    Status(u16),
    /// 401 or 403.
    #[error("the server answered {status}: {}", if *.with_login { "it refuses the user name or password" } else { "it wants a user name and password" })]
    Unauthorized {
        /// The number.
        status: u16,
        /// Whether a name and password were sent.
        with_login: bool,
        /// The server that refuses.
        host: String,
        /// Whether it was asked over `https`.
        secure: bool,
    },
    /// Redirected once too often.
    #[error("redirected more than {MAX_REDIRECTS} times")]
    Redirects,
    /// From `https` to `http`.
    #[error("redirected to {0}, which is not encrypted")]
    Downgrade(String),
    /// Redirected to something that is no address.
    #[error("redirected to something that is no address: {0}")]
    Location(#[from] AddressError),
    /// The file of `--ca-file` is not PEM, or holds no certificate.
    #[error("no certificates in PEM form: {0}")]
    Certificates(String),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("host", &self.host).field("username", &self.username).finish_non_exhaustive()
    }
}

impl Login {
    /// The value of the header `Authorization`.
    pub(super) fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.username, self.password)))
    }
}

impl Client {
    /// No proxy: to find one would need the environment.
    pub fn new(network: &Network) -> Result<Self, HttpError> {
        let tls = TlsConfig::builder().root_certs(match &network.roots {
            Some(pem) => RootCerts::Specific(Arc::new(certificates(pem)?)),
            None => RootCerts::WebPki,
        });
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_response_header_size(MAX_HEADERS)
            .timeout_global(Some(network.timeout))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")));
        Ok(Self { agent: config.build().new_agent(), login: network.login.clone(), plain_http: network.plain_http })
    }

    /// The name and password for a server, if there are any. A chart that says `http` instead of `https` must not have
    /// them sent in the clear.
    pub fn login(&self, server: &Address) -> Option<&Login> {
        let login = self.login.as_ref().filter(|_| server.is_secure() || self.plain_http);
        login.filter(|login| login.host.eq_ignore_ascii_case(server.host()))
    }

    /// Whether registries are asked over `http`.
    pub fn plain_http(&self) -> bool {
        self.plain_http
    }

    /// Asks with the name and password for the server, and expects status 200 and at most `limit` bytes.
    pub fn download(&self, address: &Address, accept: &str, limit: u64) -> Result<Vec<u8>, HttpError> {
        let login = self.login(address);
        let response = self.get(address, accept, login.map(Login::basic).as_deref(), limit)?;
        response.expect_success(address, login.is_some())
    }

    /// Asks, with an `Authorization` that only the server of `address` gets to see, and follows redirects. Of answers
    /// other than 200 the body is not read.
    pub fn get(
        &self,
        address: &Address,
        accept: &str,
        authorization: Option<&str>,
        limit: u64,
    ) -> Result<Response, HttpError> {
        let mut at = address.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&at, accept, authorization.filter(|_| at.is_same_server(address)), limit)?;
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let to = at.join(response.header("location").unwrap_or_default())?;
            if at.is_secure() && !to.is_secure() {
                return Err(HttpError::Downgrade(to.to_string()));
            }
            at = to;
        }
        Err(HttpError::Redirects)
    }

    fn send(
        &self,
        address: &Address,
        accept: &str,
        authorization: Option<&str>,
        limit: u64,
    ) -> Result<Response, HttpError> {
        let mut request = self.agent.get(address.to_string()).header("accept", accept);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let explain = |error| self.explain(error, limit);
        let (head, body) = request.call().map_err(explain)?.into_parts();
        let status = head.status.as_u16();
        let body = if status == 200 {
            if body.content_length().is_some_and(|length| length > limit) {
                return Err(HttpError::TooLarge(limit));
            }
            body.into_with_config().limit(limit).read_to_vec().map_err(explain)?
        } else {
            Vec::new()
        };
        Ok(Response { status, headers: head.headers, body })
    }

    fn explain(&self, error: ureq::Error, limit: u64) -> HttpError {
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect) => HttpError::Transport("the server cannot be reached".into()),
            ureq::Error::Timeout(_) => HttpError::Timeout(self.agent.config().timeouts().global.unwrap_or_default()),
            ureq::Error::BodyExceedsLimit(_) => HttpError::TooLarge(limit),
            ureq::Error::HostNotFound => HttpError::Transport("there is no such host".into()),
            // The error of rustls comes inside one of the system's.
            error if error.to_string().contains("InvalidContentType") => HttpError::NotTls,
            ureq::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
                HttpError::Transport("the server broke off its answer".into())
            }
            ureq::Error::Io(error) => HttpError::Transport(error.to_string()),
            error => HttpError::Transport(error.to_string()),
        }
    }
}

impl Response {
    /// A header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body of an answer with status 200.
    pub fn expect_success(self, asked: &Address, with_login: bool) -> Result<Vec<u8>, HttpError> {
        match self.status {
            200 => Ok(self.body),
            status @ (401 | 403) => Err(HttpError::Unauthorized {
                status,
                with_login,
                host: asked.host().to_string(),
                secure: asked.is_secure(),
            }),
            status => Err(HttpError::Status(status)),
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, HttpError> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(HttpError::Certificates(error.to_string())),
        }
    }
    if found.is_empty() { Err(HttpError::Certificates("the file is empty of them".into())) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let login = Login { host: "h".into(), username: "u".into(), password: "hunter2".into() };
        assert!(!format!("{login:?}").contains("hunter2"));
        assert_eq!(login.basic(), "Basic dTpodW50ZXIy");
    }

    #[test]
    fn roots_must_be_certificates() {
        for pem in ["", "x", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            assert!(matches!(certificates(pem.as_bytes()), Err(HttpError::Certificates(_))), "{pem:?}");
        }
    }
}
