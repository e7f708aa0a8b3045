//! The server's certificate and key, and whose certificates clients must have.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, crypto::ring};

use super::validity::Validity;
use crate::bounded;
use crate::finding::Fault;

/// The largest file in bytes: a chain of certificates has some thousand.
const MAX_FILE: u64 = 1 << 20;
/// The last part of its life in which a certificate should have been renewed: cert-manager does it at a third.
const LAST: i64 = 10;

/// Where they are: PEM files.
#[derive(Debug, Clone)]
pub struct Files {
    /// The certificate, and those between it and an authority that clients know.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities of which clients must have a certificate; where there are none, anyone may ask.
    pub client_authorities: Option<PathBuf>,
}

/// A certificate that can be served with.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    pub config: Arc<ServerConfig>,
    pub validity: Validity,
}

/// Whether a certificate must be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// Not yet.
    Good,
    /// It does not hold yet.
    Early,
    /// Soon: it has a tenth of its life left.
    Late,
    /// It holds no more.
    Expired,
}

/// Why a server cannot speak TLS.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{} could not be read: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{} has no {what} in PEM form", path.display())]
    Missing { path: PathBuf, what: &'static str },
    #[error("{} has a broken {what}", path.display())]
    Broken { path: PathBuf, what: &'static str },
    #[error("the key in {} is not that of the certificate in {}", key.display(), certificate.display())]
    OtherKey { key: PathBuf, certificate: PathBuf },
    #[error("the certificate in {} and its key in {} cannot be used: {error}", certificate.display(), key.display())]
    Unusable { certificate: PathBuf, key: PathBuf, error: String },
    #[error("the certificate in {} expired at {until}", path.display())]
    Expired { path: PathBuf, until: Timestamp },
    #[error("the authorities in {} cannot be used: {error}", path.display())]
    Authorities { path: PathBuf, error: String },
}

impl Files {
    /// All of them.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        [&self.certificate, &self.key].into_iter().chain(&self.client_authorities).cloned().collect()
    }

    /// Reads them.
    pub(super) fn read(&self, now: Timestamp) -> Result<Certificate, Error> {
        const CERTIFICATE: &str = "certificate";
        let chain = certificates(&self.certificate)?;
        let first = chain.first().map(|certificate| Validity::of(certificate));
        let broken = || Error::Broken { path: self.certificate.clone(), what: CERTIFICATE };
        let validity = first.flatten().ok_or_else(broken)?;
        if validity.until < now {
            return Err(Error::Expired { path: self.certificate.clone(), until: validity.until });
        }
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| self.unusable(error))?;
        let builder = match &self.client_authorities {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                let wrong = |error: String| Error::Authorities { path: path.clone(), error };
                for authority in certificates(path)? {
                    roots.add(authority).map_err(|error| wrong(error.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| wrong(error.to_string()))?)
            }
        };
        let mut config = builder.with_single_cert(chain, key(&self.key)?).map_err(|error| self.unusable(error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // The API server resumes no sessions; and whoever may connect is judged anew each time.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Certificate { config: Arc::new(config), validity })
    }

    fn unusable(&self, error: rustls::Error) -> Error {
        let (certificate, key) = (self.certificate.clone(), self.key.clone());
        match error {
            rustls::Error::InconsistentKeys(_) => Error::OtherKey { key, certificate },
            error => Error::Unusable { certificate, key, error: error.to_string() },
        }
    }
}

impl Certificate {
    /// Whether it must be renewed.
    pub(super) fn age(&self, now: Timestamp) -> Age {
        let Validity { from, until } = self.validity;
        let seconds = |from: Timestamp, until: Timestamp| until.as_second() - from.as_second();
        match () {
            () if now < from => Age::Early,
            () if now > until => Age::Expired,
            () if seconds(now, until) < seconds(from, until) / LAST => Age::Late,
            () => Age::Good,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let help = match &error {
            Error::File { .. } => {
                "--tls-cert and --tls-key name the files, as a Secret of type kubernetes.io/tls has them"
            }
            Error::Missing { .. } | Error::Broken { .. } => "expected blocks that begin with -----BEGIN",
            Error::OtherKey { .. } => {
                "both must come from one request: a Secret that is written in two steps is wrong between"
            }
            Error::Unusable { .. } => "ECDSA (P-256, P-384), Ed25519 and RSA keys of 2048 bits and more can be used",
            Error::Expired { .. } => "renew it: the API server would not accept it",
            Error::Authorities { .. } => "--client-ca names certificates of authorities, in PEM form",
        };
        Self::new(error.to_string()).help(help)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    bounded::read(path, MAX_FILE).map_err(|error| Error::File { path: path.to_owned(), error })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let what = "certificate";
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    let found = found.map_err(|_| Error::Broken { path: path.to_owned(), what })?;
    if found.is_empty() { Err(Error::Missing { path: path.to_owned(), what }) } else { Ok(found) }
}

/// What is wrong with a key is not repeated: it could be part of it.
fn key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    use rustls::pki_types::pem::Error::NoItemsFound;
    let what = "private key";
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| match error {
        NoItemsFound => Error::Missing { path: path.to_owned(), what },
        _ => Error::Broken { path: path.to_owned(), what },
    })
}
