//! Kubeconfig files: which are read, and what they say of the cluster that is meant.
//!
//! Source: client-go's `tools/clientcmd`. A program that a kubeconfig names for credentials is run, as by kubectl.

use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use hyper::Uri;
use kube::config::{AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::{Error, Target};
use crate::suggest;

/// The server that is asked, and who says so: for messages, so without any credential.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// `https://10.0.0.1:6443`
    pub url: String,
    /// The context; none in a Pod.
    pub context: Option<String>,
    /// The user of the context.
    pub user: String,
    /// What says so: the files, or `the service account of this Pod`.
    pub source: String,
    /// The program that gives the credentials, and what to do where it is not there.
    pub program: Option<(String, Option<String>)>,
}

/// Reads what is said of the cluster that is meant.
pub(super) async fn read(target: &Target) -> Result<(kube::Config, Place), Error> {
    let named = target.kubeconfig.as_ref().map(|path| vec![path.clone()]).or_else(from_environment);
    let files = match &named {
        Some(files) => files.clone(),
        None => env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect(),
    };
    let Some((kubeconfig, source)) = merged(&files, target.kubeconfig.is_some())? else {
        let is_in_pod = named.is_none() && target.context.is_none() && env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        return if is_in_pod { in_pod() } else { Err(nothing_to_read(&files, named.is_some())) };
    };
    let context = context(&kubeconfig, target.context.as_deref(), &source)?;
    let place = place(&kubeconfig, context, &source)?;
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let mut config = config.map_err(|error| {
        let help = format!("see the cluster and the user of the context in {source}");
        Error::kubeconfig(format!("{place}: {error}")).help(help)
    })?;
    // kube takes one from the environment, unasked.
    config.proxy_url = None;
    Ok((config, place))
}

/// The files of `KUBECONFIG`, if it names any.
fn from_environment() -> Option<Vec<PathBuf>> {
    let files: Vec<PathBuf> = env::split_paths(&env::var_os("KUBECONFIG")?).collect();
    let files: Vec<PathBuf> = files.into_iter().filter(|file| !file.as_os_str().is_empty()).collect();
    (!files.is_empty()).then_some(files)
}

/// What all files say together, the first one first, and what to call them. Those that are not there are passed over,
/// unless they must be.
fn merged(files: &[PathBuf], must_be_there: bool) -> Result<Option<(Kubeconfig, String)>, Error> {
    let (mut merged, mut read) = (Kubeconfig::default(), Vec::new());
    for file in files {
        let kubeconfig = match Kubeconfig::read_from(file) {
            Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == io::ErrorKind::NotFound && !must_be_there => {
                continue;
            }
            found => found.map_err(|error| unreadable(file, &error))?,
        };
        merged = merged.merge(kubeconfig).map_err(|error| unreadable(file, &error))?;
        read.push(file.display().to_string());
    }
    Ok((!read.is_empty()).then(|| (merged, read.join(" and "))))
}

fn unreadable(file: &Path, error: &KubeconfigError) -> Error {
    let file = file.display();
    match error {
        KubeconfigError::ReadConfig(error, _) => {
            Error::kubeconfig(format!("the kubeconfig {file} could not be read: {error}"))
        }
        KubeconfigError::Parse(error) => {
            // Not its own text, which quotes the file with the credentials in it.
            let place = error
                .location()
                .map_or_else(String::new, |place| format!(" at line {}, column {}", place.line(), place.column()));
            Error::kubeconfig(format!(
                "the kubeconfig {file} is malformed{place}: not YAML, or not of the form of a kubeconfig"
            ))
            .help(format!("see what kubectl says of it: kubectl config view --kubeconfig {file}"))
        }
        error => Error::kubeconfig(format!("the kubeconfig {file} cannot be used: {error}")),
    }
}

fn nothing_to_read(files: &[PathBuf], is_named: bool) -> Error {
    let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let files = files.join(" and ");
    let message = match is_named {
        true => format!("there is no kubeconfig: KUBECONFIG names {files}, and nothing is there"),
        false => format!("there is no kubeconfig: KUBECONFIG names none, and there is no {files}"),
    };
    Error::kubeconfig(message).help("name one with --kubeconfig FILE")
}

/// The context that is meant.
fn context<'k>(kubeconfig: &'k Kubeconfig, wanted: Option<&'k str>, source: &str) -> Result<&'k str, Error> {
    let known: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    let listed = match known.as_slice() {
        [] => "it has none".to_owned(),
        known => format!("it has: {}", known.join(", ")),
    };
    let current = kubeconfig.current_context.as_deref().filter(|name| !name.is_empty());
    let Some(name) = wanted.or(current) else {
        let error = Error::kubeconfig(format!("no context is the current one in the kubeconfig {source}"));
        return Err(error.help(format!("name one with --kube-context; {listed}")));
    };
    if known.contains(&name) {
        return Ok(name);
    }
    let error = Error::kubeconfig(format!("no context is called `{name}` in the kubeconfig {source}"));
    Err(match suggest::nearest(name, known.iter().copied()) {
        Some(near) => error.help(format!("is it `{near}`? {listed}")),
        None => error.help(listed),
    })
}

/// What a context leads to.
fn place(kubeconfig: &Kubeconfig, name: &str, source: &str) -> Result<Place, Error> {
    let error = |text: String| Error::kubeconfig(format!("context `{name}` of the kubeconfig {source} {text}"));
    let context = kubeconfig.contexts.iter().find(|context| context.name == name);
    let context: &Context =
        context.and_then(|named| named.context.as_ref()).ok_or_else(|| error("says nothing".to_owned()))?;
    let cluster = kubeconfig.clusters.iter().find(|cluster| cluster.name == context.cluster);
    let cluster: &Cluster = cluster
        .and_then(|named| named.cluster.as_ref())
        .ok_or_else(|| error(format!("names the cluster `{}`, which is not there", context.cluster)))?;
    let user = context.user.clone().unwrap_or_default();
    let found = kubeconfig.auth_infos.iter().find(|known| known.name == user);
    let info: Option<&AuthInfo> = found.and_then(|named| named.auth_info.as_ref());
    if found.is_none() && !user.is_empty() {
        return Err(error(format!("names the user `{user}`, who is not there")));
    }
    let server = cluster.server.as_deref().unwrap_or_default();
    let url = address(server).ok_or_else(|| {
        error(format!("leads to no server: the cluster `{}` has no https:// address", context.cluster))
    })?;
    if cluster.proxy_url.as_deref().is_some_and(|proxy| !proxy.is_empty()) {
        let help = "plimsoll connects to API servers itself: let it run where it can reach this one";
        return Err(error("leads through a proxy (`proxy-url`)".to_owned()).help(help));
    }
    let exec = info.and_then(|info| info.exec.as_ref());
    let program = exec.and_then(|exec| Some((exec.command.clone()?, exec.install_hint.clone())));
    Ok(Place { url, context: Some(name.to_owned()), user, source: source.to_owned(), program })
}

/// Scheme, host and port of a server: an address may have a password, which nobody is to see.
fn address(server: &str) -> Option<String> {
    let uri: Uri = server.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme))?;
    let port = uri.port_u16().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{scheme}://{}{port}", uri.host().filter(|host| !host.is_empty())?))
}

/// The account of the Pod that this is.
fn in_pod() -> Result<(kube::Config, Place), Error> {
    let source = "the service account of this Pod".to_owned();
    let config =
        kube::Config::incluster().map_err(|error| Error::kubeconfig(format!("{source} cannot be used: {error}")))?;
    let url = address(&config.cluster_url.to_string()).unwrap_or_default();
    Ok((config, Place { url, source, ..Place::default() }))
}

impl Place {
    /// A kubectl command for the same cluster.
    pub(super) fn kubectl(&self, command: &str) -> String {
        match &self.context {
            Some(context) => format!("kubectl --context {context} {command}"),
            None => format!("kubectl {command}"),
        }
    }
}

/// `https://10.0.0.1:6443 (context `prod` of /home/alice/.kube/config)`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.context {
            Some(context) => write!(f, "{} (context `{context}` of {})", self.url, self.source),
            None => write!(f, "{} ({})", self.url, self.source),
        }
    }
}
