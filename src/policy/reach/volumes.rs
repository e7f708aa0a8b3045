//! The volumes of a pod: which Secrets they hold, under which file names, and whose they are to read.

use std::collections::HashMap;

use super::field::{At, Field};
use super::pods::Reference;
use super::{Error, Via};

/// The volumes of a pod by name.
pub(super) struct Volumes<'a> {
    by_name: HashMap<&'a str, Volume<'a>>,
    names: Vec<&'a str>,
}

#[derive(Default)]
pub(super) struct Volume<'a> {
    secrets: Vec<Held<'a>>,
    /// The path of a ServiceAccount token for the API server.
    token: Option<(&'a str, Field<'a>)>,
    /// The folder of the node that it is.
    pub host_path: Option<(&'a str, Field<'a>)>,
    /// What the driver of the volume is given; containers do not see it.
    used: Vec<Reference<'a>>,
}

/// A Secret in a volume.
struct Held<'a> {
    name: &'a str,
    field: Field<'a>,
    /// Keys and their paths; all keys under their own names where there are none.
    items: Vec<(&'a str, &'a str)>,
}

/// Audiences of tokens that no API server takes, being those of other services.
const FOREIGN_AUDIENCES: [&str; 6] =
    ["sts.amazonaws.com", "api://AzureADTokenExchange", "vault", "istio-ca", "sigstore", "conjur"];

/// Sources whose drivers log in with a Secret, and where its name stands.
const DRIVERS: [(&str, &[&str]); 9] = [
    ("azureFile", &["secretName"]),
    ("cephfs", &["secretRef", "name"]),
    ("cinder", &["secretRef", "name"]),
    ("csi", &["nodePublishSecretRef", "name"]),
    ("flexVolume", &["secretRef", "name"]),
    ("iscsi", &["secretRef", "name"]),
    ("rbd", &["secretRef", "name"]),
    ("scaleIO", &["secretRef", "name"]),
    ("storageos", &["secretRef", "name"]),
];

impl<'a> Volumes<'a> {
    pub(super) fn read(spec: &At<'_, 'a>) -> Result<Self, Error> {
        let mut volumes = Self { by_name: HashMap::new(), names: Vec::new() };
        for at in spec.items("volumes")? {
            let name = at.text_of("name")?;
            if volumes.by_name.insert(name, Volume::read(&at)?).is_none() {
                volumes.names.push(name);
            }
        }
        Ok(volumes)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Volume<'a>> {
        self.by_name.get(name)
    }

    /// What drivers use, in the order of the volumes.
    pub(super) fn used(&self) -> impl Iterator<Item = Reference<'a>> {
        let volumes = self.names.iter().filter_map(|name| self.by_name.get(name));
        volumes.flat_map(|volume| volume.used.iter().cloned())
    }
}

impl<'a> Volume<'a> {
    fn read(at: &At<'_, 'a>) -> Result<Self, Error> {
        let mut volume = Self::default();
        let secret = at.get("secret")?;
        volume.hold(&secret, "secretName")?;
        for source in at.get("projected")?.items("sources")? {
            volume.hold(&source.get("secret")?, "name")?;
            let token = source.get("serviceAccountToken")?;
            let is_for_api = !FOREIGN_AUDIENCES.contains(&token.text_of("audience")?);
            if token.exists() && is_for_api && volume.token.is_none() {
                volume.token = Some((token.text_of("path")?, token.get("path")?.field()));
            }
        }
        let host = at.get("hostPath")?;
        if host.exists() {
            volume.host_path = Some((host.text_of("path")?, host.get("path")?.field()));
        }
        for (source, way) in DRIVERS {
            let source = at.get(source)?;
            let namespace = source.text_of("secretNamespace").ok().filter(|name| !name.is_empty());
            source.descend(way, &mut |name| {
                if !name.text()?.is_empty() {
                    let reference = Reference::new(name.text()?, Vec::new(), Via::Driver, vec![name.field()]);
                    volume.used.push(Reference { namespace, ..reference });
                }
                Ok(())
            })?;
        }
        Ok(volume)
    }

    fn hold(&mut self, secret: &At<'_, 'a>, key: &'a str) -> Result<(), Error> {
        let name = secret.get(key)?;
        if name.text()?.is_empty() {
            return Ok(());
        }
        let mut items = Vec::new();
        for item in secret.items("items")? {
            items.push((item.text_of("key")?, item.text_of("path")?));
        }
        self.secrets.push(Held { name: name.text()?, field: name.field(), items });
        Ok(())
    }

    /// What a mount of a part of the volume shows; all of it where `part` is empty.
    pub(super) fn references(&self, part: &'a str, mount: &Field<'a>) -> impl Iterator<Item = Reference<'a>> {
        let part = part.trim_matches('/');
        self.secrets.iter().filter_map(move |held| {
            let keys = match (part, held.items.as_slice()) {
                ("", items) => items.iter().map(|(key, _)| *key).collect(),
                (part, []) => vec![part.split('/').next().unwrap_or(part)],
                (part, items) => {
                    let shown = items.iter().filter(|(_, path)| is_within(path, part));
                    let keys: Vec<&str> = shown.map(|(key, _)| *key).collect();
                    if keys.is_empty() {
                        return None;
                    }
                    keys
                }
            };
            let fields = vec![mount.clone(), held.field.clone()];
            Some(Reference::new(held.name, keys, Via::Volume, fields))
        })
    }

    /// The field that puts a token into a part of the volume.
    pub(super) fn token(&self, part: &str) -> Option<&Field<'a>> {
        let part = part.trim_matches('/');
        self.token.as_ref().filter(|(path, _)| part.is_empty() || is_within(path, part)).map(|(_, field)| field)
    }
}

/// Whether a file is a part of a volume, or in it.
fn is_within(path: &str, part: &str) -> bool {
    let path = path.trim_matches('/');
    path == part || path.strip_prefix(part).is_some_and(|rest| rest.starts_with('/'))
}
