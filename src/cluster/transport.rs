//! Why a request got no answer: what lies behind the errors of kube, hyper and rustls.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use kube::client::AuthError;
use rustls::{AlertDescription, CertificateError};

use super::Error;
use super::kubeconfig::Place;

/// The client could not be made.
pub(super) fn client(place: &Place, error: &kube::Error) -> Error {
    match error {
        kube::Error::Auth(error) => credentials(place, error),
        kube::Error::RustlsTls(error) => {
            let message = format!("the certificates for {place} cannot be used: {error}");
            Error::kubeconfig(message)
                .help(format!("see `certificate-authority` and the client's certificate in {}", place.source))
        }
        error => Error::kubeconfig(format!("{place}: {error}")),
    }
}

/// A request got no answer.
pub(super) fn failed(place: &Place, error: &(dyn StdError + 'static)) -> Error {
    let chain = chain(error);
    if let Some(error) = chain.iter().find_map(|error| error.downcast_ref::<AuthError>()) {
        return credentials(place, error);
    }
    if let Some(error) = chain.iter().find_map(|error| error.downcast_ref::<rustls::Error>()) {
        return tls(place, error);
    }
    let is = |kind: io::ErrorKind| {
        chain.iter().filter_map(|error| error.downcast_ref::<io::Error>()).any(|error| error.kind() == kind)
    };
    if chain.iter().any(|error| error.to_string() == "dns error") {
        let why = chain.last().map(ToString::to_string).unwrap_or_default();
        return Error::connection(format!("the host of {place} is not known: {why}"))
            .help("is the address right, and are you in the network or VPN that knows it?");
    }
    if is(io::ErrorKind::ConnectionRefused) {
        return Error::connection(format!("nobody listens at {place}")).help(
            "is the cluster running, and is this its address? a server that restarts listens again after some seconds",
        );
    }
    if is(io::ErrorKind::TimedOut) {
        return Error::connection(format!("there is no connection to {place}: it took too long")).help(PATIENCE);
    }
    let incomplete =
        chain.iter().filter_map(|error| error.downcast_ref::<hyper::Error>()).any(hyper::Error::is_incomplete_message);
    if incomplete
        || is(io::ErrorKind::ConnectionReset)
        || is(io::ErrorKind::BrokenPipe)
        || is(io::ErrorKind::UnexpectedEof)
    {
        return Error::connection(format!("{place} closed the connection before it answered"))
            .help("the server may be restarting, or what stands before it may have ended the connection: run again");
    }
    Error::connection(format!("there is no connection to {place}: {}", texts(&chain)))
}

const PATIENCE: &str =
    "is a firewall or VPN in the way, or the server overloaded? --request-timeout gives it more time";

/// A request took too long.
pub(super) fn timed_out(place: &Place, after: Duration) -> Error {
    Error::connection(format!("{place} did not answer within {after:?}")).help(PATIENCE)
}

fn tls(place: &Place, error: &rustls::Error) -> Error {
    let date = |time: &rustls::pki_types::UnixTime| {
        let time = i64::try_from(time.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        time.map_or_else(String::new, |time| format!(" on {}", time.strftime("%Y-%m-%d")))
    };
    // `DnsName("a.example")`
    let name = |name: &String| name.split('"').nth(1).unwrap_or(name).to_owned();
    let renew = "whoever runs the cluster must renew it; or is the clock of this machine wrong?";
    let (message, help) = match error {
        rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. }) => {
            (format!("the certificate of {place} expired{}", date(not_after)), renew)
        }
        rustls::Error::InvalidCertificate(CertificateError::Expired) => {
            (format!("the certificate of {place} is expired"), renew)
        }
        rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. }) => {
            (format!("the certificate of {place} begins to be valid{}", date(not_before)), renew)
        }
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => (
            format!("the certificate of {place} is not trusted: another authority has signed it"),
            "`certificate-authority` in the kubeconfig may be that of another cluster, or out of date: get the kubeconfig anew",
        ),
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => (
            format!(
                "the certificate of {place} is for others: {}",
                presented.iter().map(name).collect::<Vec<_>>().join(", ")
            ),
            "use one of these names in the kubeconfig, as `server` or as `tls-server-name`",
        ),
        rustls::Error::InvalidCertificate(error) => (
            format!("the certificate of {place} is not accepted: {error}"),
            "is it an API server that answers, or what stands before it?",
        ),
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::CertificateExpired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRevoked),
        ) => (
            format!("{place} does not take the certificate of user `{}`: {alert:?}", place.user),
            "the client's certificate in the kubeconfig may be expired, or of another cluster: get the kubeconfig anew",
        ),
        rustls::Error::InvalidMessage(_) => {
            (format!("{place} does not speak TLS"), "is the port right? without TLS the address begins with http://")
        }
        error => (format!("there is no connection to {place}: {error}"), "is it an API server that answers?"),
    };
    Error::connection(message).help(help)
}

/// The credentials could not be had. What a program has printed may hold them, so it is not shown.
fn credentials(place: &Place, error: &AuthError) -> Error {
    let (program, hint) = match &place.program {
        Some((program, hint)) => (program.as_str(), hint.clone()),
        None => ("", None),
    };
    let Place { user, source, .. } = place;
    let (message, help) = match error {
        AuthError::AuthExecStart(error) => (
            format!("the program `{program}`, which gives the credentials of user `{user}`, could not be run: {error}"),
            hint.unwrap_or_else(|| format!("install it, or see `exec` of the user in {source}")),
        ),
        AuthError::AuthExecRun { out, .. } => (
            format!(
                "the program `{program}`, which gives the credentials of user `{user}`, has failed: {}",
                out.status
            ),
            "sign in anew, as for kubectl; what it has printed is not shown here, as it may hold credentials"
                .to_owned(),
        ),
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => (
            format!(
                "the program `{program}`, which gives the credentials of user `{user}`, has printed no ExecCredential"
            ),
            format!("see `exec` of the user in {source}"),
        ),
        AuthError::ReadTokenFile(error, path) => (
            format!("the token of user `{user}` could not be read from {}: {error}", path.display()),
            format!("see `tokenFile` of the user in {source}"),
        ),
        error => (
            format!("the credentials of user `{user}` in {source} cannot be used: {error}"),
            "see what kubectl says".to_owned(),
        ),
    };
    Error::kubeconfig(message).help(help)
}

/// An error and all that lies behind it. An I/O error hides what it was made of.
fn chain<'e>(error: &'e (dyn StdError + 'static)) -> Vec<&'e (dyn StdError + 'static)> {
    let mut chain: Vec<&'e (dyn StdError + 'static)> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        chain.push(error);
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    chain
}

/// All their texts, each said once.
fn texts(chain: &[&(dyn StdError + 'static)]) -> String {
    let mut text = String::new();
    for inner in chain.iter().map(ToString::to_string) {
        if !text.contains(&inner) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&inner);
        }
    }
    text
}
