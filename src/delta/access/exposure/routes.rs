//! Hosts and paths at which something is reached: Ingresses, the Gateway API, OpenShift's routes.

use super::extent::{self, Extent};
use super::{Error, Object, Phrase, Said, Severity, Ways};
use crate::policy::reach::At;

/// Annotations by which a controller asks who is there: those that the policy `network/ingress-authentication` knows.
const SIGN_IN: [(&[&str], &[&str]); 5] = [
    (
        &["nginx.ingress.kubernetes.io", "ingress.kubernetes.io", "haproxy-ingress.github.io"],
        &["auth-url", "auth-type", "auth-secret", "auth-tls-secret"],
    ),
    (&["nginx.org", "nginx.com"], &["basic-auth-secret", "jwt-key", "policies"]),
    (&["traefik.ingress.kubernetes.io"], &["router.middlewares"]),
    (&["haproxy.org", "alb.ingress.kubernetes.io"], &["auth-type"]),
    (&["konghq.com"], &["plugins"]),
];

/// Annotations that name the only networks that are let in.
const SOURCES: [&str; 6] = [
    "nginx.ingress.kubernetes.io/whitelist-source-range",
    "nginx.ingress.kubernetes.io/allowlist-source-range",
    "haproxy-ingress.github.io/allowlist-source-range",
    "haproxy.org/allow-list",
    "alb.ingress.kubernetes.io/inbound-cidrs",
    "haproxy.router.openshift.io/ip_whitelist",
];

/// What a controller is told about all sites of an object.
struct Door<'v> {
    /// Whether somebody is asked who is there.
    has_sign_in: bool,
    /// Who is let in.
    sources: Vec<Extent<'v>>,
    /// Whether plain HTTP is served where there is TLS, too.
    is_plain: bool,
}

impl<'v> Door<'v> {
    fn read(root: &At<'_, 'v>) -> Result<Self, Error> {
        let metadata = root.get("metadata")?;
        let annotations = metadata.get("annotations")?;
        let mut door = Self { has_sign_in: false, sources: Vec::new(), is_plain: false };
        for (prefixes, names) in SIGN_IN {
            for key in annotations.keys()? {
                let is_known =
                    key.split_once('/').is_some_and(|(of, name)| prefixes.contains(&of) && names.contains(&name));
                door.has_sign_in |= is_known && !["", "none"].contains(&annotations.text_of(key)?);
            }
        }
        for key in SOURCES {
            let listed = annotations.text_of(key)?.split([',', ' ']).map(str::trim).filter(|text| !text.is_empty());
            door.sources.extend(listed.map(|text| Extent::network(text, &[])));
        }
        if door.sources.is_empty() {
            door.sources.push(Extent::All("everywhere"));
        }
        door.is_plain = annotations.text_of("nginx.ingress.kubernetes.io/ssl-redirect")? == "false";
        Ok(door)
    }

    /// Adds what is said of one site.
    fn open(
        &self,
        ways: &mut Ways<'_, 'v>,
        object: &'v Object<'v>,
        site: &Extent<'v>,
        has_tls: bool,
        at: &At<'_, 'v>,
    ) -> Result<(), Error> {
        for source in &self.sources {
            let said = Said::new(Severity::Warning, Phrase::new("can be reached at ", " from ", ""));
            ways.add(object, ("", "sites"), [site.clone(), source.clone()], said, at)?;
        }
        if !self.has_sign_in {
            let said = Said::new(Severity::Warning, Phrase::new("asks nobody to sign in at ", "", ""));
            ways.add(object, ("", "open sites"), [site.clone(), Extent::Nothing], said, at)?;
        }
        if self.is_plain || !has_tls {
            let said = Said::new(Severity::Warning, Phrase::new("answers without TLS at ", "", ""));
            ways.add(object, ("", "plain sites"), [site.clone(), Extent::Nothing], said, at)?;
        }
        Ok(())
    }
}

pub(super) fn ingress<'v>(ways: &mut Ways<'_, 'v>, object: &'v Object<'v>, root: &At<'_, 'v>) -> Result<(), Error> {
    let door = Door::read(root)?;
    let spec = root.get("spec")?;
    let mut secured = Vec::new();
    for tls in spec.items("tls")? {
        let hosts = tls.texts("hosts")?;
        secured.extend(if hosts.is_empty() { vec![""] } else { hosts });
    }
    let secured: Vec<Extent<'_>> = secured.into_iter().map(|host| site(host, "/", true)).collect();
    let has_tls = |site: &Extent<'_>| secured.iter().any(|secured| secured.covers(site));
    for backend in ["defaultBackend", "backend"] {
        let backend = spec.get(backend)?;
        if backend.exists() {
            let all = site("", "/", true);
            door.open(ways, object, &all, has_tls(&all), &backend)?;
        }
    }
    for rule in spec.items("rules")? {
        let host = rule.text_of("host")?;
        let http = rule.get("http")?;
        if !http.exists() {
            let all = site(host, "/", true);
            door.open(ways, object, &all, has_tls(&all), &rule)?;
        }
        for path in http.items("paths")? {
            let is_prefix = path.text_of("pathType")? != "Exact";
            let one = site(host, path.text_of("path")?, is_prefix);
            let at = if path.get("path")?.exists() { path.get("path")? } else { path };
            door.open(ways, object, &one, has_tls(&one), &at)?;
        }
    }
    Ok(())
}

pub(super) fn openshift<'v>(ways: &mut Ways<'_, 'v>, object: &'v Object<'v>, root: &At<'_, 'v>) -> Result<(), Error> {
    let spec = root.get("spec")?;
    let tls = spec.get("tls")?;
    let is_plain = tls.text_of("insecureEdgeTerminationPolicy")? == "Allow";
    // A router asks nobody: what is said of sign-ins would be so of every route.
    let door = Door { is_plain, has_sign_in: true, ..Door::read(root)? };
    let one = site(spec.text_of("host")?, spec.text_of("path")?, true);
    door.open(ways, object, &one, tls.exists(), &spec.get("host")?)
}

pub(super) fn gateway<'v>(ways: &mut Ways<'_, 'v>, object: &'v Object<'v>, root: &At<'_, 'v>) -> Result<(), Error> {
    for listener in root.get("spec")?.items("listeners")? {
        let protocol = listener.text_of("protocol")?;
        let name = listener.text_of("name")?;
        let hosts = site(listener.text_of("hostname")?, "", true);
        let said = Said::new(Severity::Warning, Phrase::new("listens for ", " on ", ""));
        ways.add(object, (name, "listener"), [hosts, extent::port(&listener, "port")?], said, &listener)?;
        let routes = listener.get("allowedRoutes")?;
        let namespaces = routes.get("namespaces")?;
        let from = match namespaces.text_of("from")? {
            "All" => Extent::All("every namespace"),
            "Selector" => {
                let selector = crate::policy::reach::Labels::read(&namespaces.get("selector")?)?;
                if selector.is_empty() {
                    Extent::All("every namespace")
                } else {
                    Extent::Named(format!("namespaces {selector}"))
                }
            }
            _ => continue,
        };
        let phrase = Phrase::new(format!("takes routes for listener {name} ({protocol}) from "), "", "");
        let said = Said::new(Severity::Warning, phrase);
        ways.add(object, (name, "routes"), [Extent::Nothing, from], said, &namespaces)?;
    }
    Ok(())
}

pub(super) fn gateway_route<'v>(
    ways: &mut Ways<'_, 'v>,
    object: &'v Object<'v>,
    root: &At<'_, 'v>,
) -> Result<(), Error> {
    let spec = root.get("spec")?;
    let mut hosts = spec.texts("hostnames")?;
    if hosts.is_empty() {
        hosts.push("");
    }
    let mut paths = Vec::new();
    for rule in spec.items("rules")? {
        let mut is_bounded = false;
        for found in rule.items("matches")? {
            let path = found.get("path")?;
            if object.kind == "HTTPRoute" && path.exists() {
                is_bounded = true;
                paths.push((path.text_of("value")?, path.text_of("type")? != "Exact"));
            } else {
                is_bounded = object.kind != "HTTPRoute";
            }
        }
        if !is_bounded {
            paths.push(("/", true));
        }
    }
    for parent in spec.items("parentRefs")? {
        let kind = match parent.text_of("kind")? {
            "" => "Gateway",
            kind => kind,
        };
        let namespace = match parent.text_of("namespace")? {
            "" => object.namespace,
            namespace => namespace,
        };
        let listener = match parent.text_of("sectionName")? {
            "" => String::new(),
            name => format!(" (listener {name})"),
        };
        let gateway = format!("{kind} {namespace}/{}{listener}", parent.text_of("name")?);
        for host in &hosts {
            for (path, is_prefix) in &paths {
                let said = Said::new(Severity::Warning, Phrase::new("can be reached at ", " through ", ""));
                let extents = [site(host, path, *is_prefix), Extent::Named(gateway.clone())];
                ways.add(object, ("", "sites"), extents, said, &parent)?;
            }
        }
    }
    Ok(())
}

fn site<'v>(host: &str, path: &str, is_prefix: bool) -> Extent<'v> {
    let path = if path.is_empty() && is_prefix { "/" } else { path };
    Extent::Site { host: host.to_ascii_lowercase(), path: path.to_owned(), is_prefix }
}
