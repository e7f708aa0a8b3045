//! The requests that are made: read, list, write, delete. Nothing else talks to the server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::http::response::Parts;
use kube::client::Body;
use tokio::sync::watch;
use tokio::time::timeout;

use super::kubeconfig::Place;
use super::{Error, Reason, Resource, Resources, status, transport};
use crate::chart::KubeVersion;
use crate::json;
use crate::value::{Map, Numbers, Value};

/// The name under which the fields that plimsoll applies are owned.
pub const FIELD_MANAGER: &str = "plimsoll";

const JSON: &str = "application/json";

/// The most bytes of one answer.
const MAX_BODY: usize = 256 << 20;

/// The API of a cluster; clones share the connection.
#[derive(Clone)]
pub struct Api {
    client: kube::Client,
    place: Arc<Place>,
    timeout: Option<Duration>,
    default_namespace: Arc<str>,
    resources: Arc<Mutex<Arc<Resources>>>,
    warnings: Arc<Mutex<Vec<String>>>,
    interrupts: watch::Receiver<bool>,
}

/// How an object is applied.
#[derive(Debug, Clone, Copy)]
pub struct Patch {
    /// Whether the server only says what it would store.
    pub dry_run: bool,
    /// Whether fields are taken from other managers.
    pub force: bool,
    /// Who owns the fields: [`FIELD_MANAGER`], unless they are of no chart.
    pub manager: &'static str,
}

impl Default for Patch {
    fn default() -> Self {
        Self { dry_run: false, force: false, manager: FIELD_MANAGER }
    }
}

/// How an object is deleted: the one that was seen, and no other of its name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delete<'a> {
    /// Whether the server only says whether it would.
    pub dry_run: bool,
    /// `metadata.uid` of what was seen.
    pub uid: Option<&'a str>,
    /// `metadata.resourceVersion` of what was seen, where it must not have changed either.
    pub version: Option<&'a str>,
}

impl Api {
    /// Opens a connection, and asks for the resources that the server has.
    pub(super) async fn open(
        mut config: kube::Config,
        place: Place,
        timeout: Option<Duration>,
        interrupts: watch::Receiver<bool>,
    ) -> Result<Self, Error> {
        // Each request has one deadline for all of it; and what may be asked again only those know who ask.
        (config.read_timeout, config.write_timeout) = (None, None);
        config.connect_timeout = config.connect_timeout.filter(|_| timeout.is_none());
        config.default_retry = false;
        let default_namespace = config.default_namespace.as_str().into();
        let client = kube::Client::try_from(config).map_err(|error| transport::client(&place, &error))?;
        let (place, resources, warnings) = (Arc::new(place), Arc::default(), Arc::default());
        let api = Self { client, place, timeout, default_namespace, resources, warnings, interrupts };
        api.refresh().await?;
        Ok(api)
    }

    /// The namespace of those who name none: that of the context.
    pub fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    /// What is to be said where a server does not list its resources as it should.
    pub(super) fn too_old(&self) -> Error {
        let message = format!("{} does not list its resources as API servers do since Kubernetes 1.30", self.place);
        Error::new(message, Reason::Malformed).help("is it an API server, and how old is it?")
    }

    /// The server's version.
    pub(super) async fn version(&self) -> Result<KubeVersion, Error> {
        let found = self.read("/version", JSON).await?;
        let text = |key| found.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let version = text("gitVersion");
        Ok(KubeVersion { normalized: String::new(), version, major: text("major"), minor: text("minor") })
    }

    /// Whether Ctrl-C was pressed: then no new work begins.
    pub fn is_interrupted(&self) -> bool {
        *self.interrupts.borrow()
    }

    /// Waits for Ctrl-C.
    pub async fn interrupted(&self) {
        let mut interrupts = self.interrupts.clone();
        if interrupts.wait_for(|is_interrupted| *is_interrupted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What the server has warned of since this was last asked, each once.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The resources that the server had when it was last asked.
    pub fn resources(&self) -> Arc<Resources> {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for the resources that the server has now: CRDs add some.
    pub async fn refresh(&self) -> Result<(), Error> {
        let found = Arc::new(Resources::read(self).await?);
        *self.resources.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    /// An object, if it is there.
    pub async fn get(&self, resource: &Resource, namespace: Option<&str>, name: &str) -> Result<Option<Value>, Error> {
        match self.request("GET", &resource.path(namespace, Some(name)), None).await {
            Err(error) if error.is_not_found() => Ok(None),
            found => found.map(Some),
        }
    }

    /// The objects of a resource with these labels (a selector as kubectl takes it; empty for all), in a namespace or in all.
    pub async fn list(&self, resource: &Resource, namespace: Option<&str>, labels: &str) -> Result<Vec<Value>, Error> {
        let mut objects = Vec::new();
        let mut next = String::new();
        loop {
            let query = [("labelSelector", labels), ("limit", "500"), ("continue", next.as_str())];
            let page = self.request("GET", &with_query(&resource.path(namespace, None), &query), None).await?;
            // Items of a list say neither their version nor their kind.
            let items = page.get("items").and_then(Value::as_list).unwrap_or_default();
            objects.extend(items.iter().map(|item| resource.with_type(item)));
            next = page.at(["metadata", "continue"]).and_then(Value::as_str).unwrap_or_default().to_owned();
            if next.is_empty() {
                return Ok(objects);
            }
        }
    }

    /// Applies an object, server-side, and returns what is stored, or with `dry_run` what would be.
    pub async fn apply(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        object: &Value,
        patch: Patch,
    ) -> Result<Value, Error> {
        let query = [
            ("fieldManager", patch.manager),
            ("fieldValidation", "Strict"),
            ("force", if patch.force { "true" } else { "" }),
            ("dryRun", if patch.dry_run { "All" } else { "" }),
        ];
        let path = with_query(&resource.path(namespace, Some(name)), &query);
        self.request("PATCH", &path, Some(("application/apply-patch+yaml", object))).await
    }

    /// Creates an object; with `dry_run` only says what would be stored.
    pub async fn create(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        object: &Value,
        dry_run: bool,
    ) -> Result<Value, Error> {
        let query = [("fieldManager", FIELD_MANAGER), ("dryRun", if dry_run { "All" } else { "" })];
        let path = with_query(&resource.path(namespace, None), &query);
        self.request("POST", &path, Some((JSON, object))).await
    }

    /// Replaces an object that has not changed since it was read (by its `metadata.resourceVersion`).
    pub async fn replace(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        object: &Value,
    ) -> Result<Value, Error> {
        let path = with_query(&resource.path(namespace, Some(name)), &[("fieldManager", FIELD_MANAGER)]);
        self.request("PUT", &path, Some((JSON, object))).await
    }

    /// Deletes an object, and in the background what it owns. One that is gone is as good as deleted: then this is false.
    pub async fn delete(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        delete: Delete<'_>,
    ) -> Result<bool, Error> {
        let mut options = vec![
            ("apiVersion", Value::from("v1")),
            ("kind", "DeleteOptions".into()),
            ("propagationPolicy", "Background".into()),
        ];
        let seen = [("uid", delete.uid), ("resourceVersion", delete.version)];
        let seen: Map = seen.into_iter().filter_map(|(key, value)| Some((key, value?.into()))).collect();
        if !seen.is_empty() {
            options.push(("preconditions", seen.into()));
        }
        if delete.dry_run {
            options.push(("dryRun", vec![Value::from("All")].into()));
        }
        let options = options.into_iter().collect::<Map>().into();
        let path = resource.path(namespace, Some(name));
        match self.request("DELETE", &path, Some((JSON, &options))).await {
            Err(error) if error.is_not_found() => Ok(false),
            outcome => outcome.map(|_| true),
        }
    }

    /// Who the server takes us for, where it says so.
    pub(super) async fn user(&self) -> Option<String> {
        let (version, kind) = ("authentication.k8s.io/v1", "SelfSubjectReview");
        let review: Map = [("apiVersion", version.into()), ("kind", kind.into())].into_iter().collect();
        let reviewed =
            self.create(self.resources().need(version, kind).ok()?, None, &review.into(), false).await.ok()?;
        reviewed.at(["status", "userInfo", "username"]).and_then(Value::as_str).map(ToOwned::to_owned)
    }

    /// Whether the server has finished to start, if it says so: this too it may refuse to whom it does not know yet.
    pub(super) async fn is_ready(&self) -> Option<bool> {
        match self.read("/readyz", "*/*").await {
            // The answer is `ok`, which is no object.
            Err(error) if error.reason == Reason::Malformed => Some(true),
            Err(error) if matches!(error.code(), Some(401 | 403 | 404)) => None,
            answer => Some(answer.is_ok()),
        }
    }

    /// Reads something that is no object: `/version`, `/apis`.
    pub(super) async fn read(&self, path: &str, accept: &str) -> Result<Value, Error> {
        self.send(http_request("GET", path).header("Accept", accept), path, Vec::new()).await.map(|(value, _)| value)
    }

    /// Reads what is at a path, and says how many bytes it was.
    pub(super) async fn read_sized(&self, path: &str) -> Result<(Value, usize), Error> {
        self.send(http_request("GET", path).header("Accept", JSON), path, Vec::new()).await
    }

    async fn request(&self, method: &str, path: &str, body: Option<(&str, &Value)>) -> Result<Value, Error> {
        let mut request = http_request(method, path).header("Accept", JSON);
        let mut bytes = Vec::new();
        if let Some((kind, value)) = body {
            request = request.header("Content-Type", kind);
            bytes = json::to_json_raw(value).map_err(|error| Error::malformed(path, &error))?.into_bytes();
        }
        self.send(request, path, bytes).await.map(|(value, _)| value)
    }

    async fn send(
        &self,
        request: hyper::http::request::Builder,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(Value, usize), Error> {
        let request = request.body(Body::from(body)).map_err(|error| Error::malformed(path, &error))?;
        let answer = self.answer(request);
        let (head, text) = match self.timeout {
            Some(after) => {
                timeout(after, answer).await.unwrap_or_else(|_| Err(transport::timed_out(&self.place, after)))?
            }
            None => answer.await?,
        };
        self.note_warnings(&head.headers);
        if !head.status.is_success() {
            let seconds = head.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            let retry_after = seconds.map(Duration::from_secs);
            return Err(status::error(&self.place, path, head.status.as_u16(), retry_after, &text));
        }
        let value = json::parse(&text, Numbers::Exact).map_err(|error| {
            Error::malformed(&format!("what {} answered {path} with is no JSON", self.place), &error)
        })?;
        Ok((value, text.len()))
    }

    /// The whole answer, whatever it says.
    async fn answer(&self, request: hyper::Request<Body>) -> Result<(Parts, String), Error> {
        let failed = |error: &(dyn std::error::Error + 'static)| transport::failed(&self.place, error);
        let (head, body) = self.client.send(request).await.map_err(|error| failed(&error))?.into_parts();
        let bytes = Limited::new(body, MAX_BODY).collect().await.map_err(|error| failed(&*error))?;
        Ok((head, String::from_utf8_lossy(&bytes.to_bytes()).into_owned()))
    }

    /// Keeps the texts of `Warning: 299 - "text"`.
    fn note_warnings(&self, headers: &hyper::HeaderMap) {
        let texts = headers.get_all("warning").iter().filter_map(|header| {
            let (_, quoted) = header.to_str().ok()?.split_once(" \"")?;
            Some(quoted.strip_suffix('"')?.replace("\\\"", "\"").replace("\\\\", "\\"))
        });
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for text in texts {
            if !warnings.contains(&text) {
                warnings.push(text);
            }
        }
    }
}

fn http_request(method: &str, path: &str) -> hyper::http::request::Builder {
    hyper::Request::builder().method(method).uri(path)
}

/// A path with those parameters that have a value.
fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut path = path.to_owned();
    let mut separator = '?';
    for (key, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        path.push(separator);
        path.push_str(key);
        path.push('=');
        path.push_str(&super::resources::escape(value));
        separator = '&';
    }
    path
}
