//! The schemas of Kubernetes that the binary carries: `schemas/kubernetes.bundle`, which `schemas/make.py` makes and
//! describes.

use std::io::Read as _;
use std::ops::Range;
use std::sync::OnceLock;

use flate2::bufread::ZlibDecoder;
use serde_json::Value;

use super::{Error, ErrorKind, Minor};

/// What the binary carries.
const EMBEDDED: &[u8] = include_bytes!("../../schemas/kubernetes.bundle");

/// The block of the kinds of objects.
const KINDS: &str = "kinds";

/// The schemas of several versions of Kubernetes. Each block is inflated when it is first needed, and then kept.
#[derive(Debug)]
pub struct Bundle {
    data: &'static [u8],
    versions: Vec<Minor>,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    name: &'static str,
    /// Its bytes in the data.
    range: Range<usize>,
    text: OnceLock<Result<String, Error>>,
}

/// A kind of object that a version of Kubernetes has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind<'a> {
    /// `apps/v1`, `v1`.
    pub api_version: &'a str,
    /// `Deployment`
    pub kind: &'a str,
    /// The name of its definition: `io.k8s.api.apps.v1.Deployment`.
    pub definition: &'a str,
}

impl Bundle {
    /// The bundle that the binary carries.
    ///
    /// # Errors
    /// It is broken.
    pub fn embedded() -> Result<&'static Self, Error> {
        static BUNDLE: OnceLock<Result<Bundle, Error>> = OnceLock::new();
        BUNDLE.get_or_init(|| Self::open(EMBEDDED)).as_ref().map_err(Clone::clone)
    }

    /// Reads the head of a bundle.
    ///
    /// # Errors
    /// It is not one.
    pub fn open(data: &'static [u8]) -> Result<Self, Error> {
        let end = data.windows(2).position(|two| two == b"\n\n").ok_or_else(|| broken("its head has no end"))?;
        let head = data.get(..end).and_then(|head| std::str::from_utf8(head).ok());
        let head = head.ok_or_else(|| broken("its head is no text"))?;
        let mut bundle = Self { data, versions: Vec::new(), blocks: Vec::new() };
        let mut start = end + 2;
        for line in head.lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("block"), Some(name), Some(length)) => {
                    let length: Option<usize> = length.parse().ok();
                    let end = length.and_then(|length| start.checked_add(length)).filter(|&end| end <= data.len());
                    let end = end.ok_or_else(|| broken(format!("it ends before its block {name}")))?;
                    bundle.blocks.push(Block { name, range: start..end, text: OnceLock::new() });
                    start = end;
                }
                (Some("versions"), ..) => {
                    let versions: Result<_, _> = line.split(' ').skip(1).map(str::parse).collect();
                    bundle.versions = versions.map_err(broken)?;
                }
                _ => {}
            }
        }
        if start != data.len() {
            return Err(broken("bytes follow its last block"));
        }
        if !(1..=u32::BITS as usize).contains(&bundle.versions.len()) || !bundle.versions.is_sorted() {
            return Err(broken("its head does not name its versions"));
        }
        Ok(bundle)
    }

    /// The versions of Kubernetes that it has, oldest first; at least one.
    pub fn versions(&self) -> &[Minor] {
        &self.versions
    }

    /// The newest version that it has.
    pub fn newest(&self) -> Minor {
        self.versions.last().copied().unwrap_or(Minor(0))
    }

    /// The name of the definition of a kind in a version of Kubernetes, or nothing where that version has no such kind:
    /// `io.k8s.api.apps.v1.Deployment` for `apps/v1` and `Deployment`.
    ///
    /// # Errors
    /// The bundle does not have the version, or is broken.
    pub fn definition(&self, version: Minor, api_version: &str, kind: &str) -> Result<Option<&str>, Error> {
        Ok(find(self.text(KINDS)?, &format!("{api_version} {kind}"), self.bit(version)?))
    }

    /// The kinds of objects that a version of Kubernetes has, in alphabetic order of their versions.
    ///
    /// # Errors
    /// The bundle does not have the version, or is broken.
    pub fn kinds(&self, version: Minor) -> Result<impl Iterator<Item = Kind<'_>>, Error> {
        let bit = self.bit(version)?;
        Ok(self.text(KINDS)?.lines().filter_map(move |line| {
            let (api_version, rest) = line.split_once(' ')?;
            let (kind, rest) = rest.split_once(' ')?;
            Some(Kind { api_version, kind, definition: held(rest, bit)? })
        }))
    }

    /// The JSON Schema (draft 2020-12) of a definition in a version of Kubernetes: its references are `#/$defs/<name>` of other
    /// definitions. No object in it takes other fields than it names.
    ///
    /// # Errors
    /// The bundle has no such version or definition, or is broken.
    pub fn schema(&self, version: Minor, name: &str) -> Result<Value, Error> {
        let text = find(self.text(block_of(name))?, name, self.bit(version)?);
        let text = text.ok_or_else(|| broken(format!("Kubernetes {version} has no {name}")))?;
        let mut schema = serde_json::from_str(text).map_err(|error| broken(format!("{name}: {error}")))?;
        make_strict(&mut schema);
        Ok(schema)
    }

    /// The bit that stands for a version.
    fn bit(&self, version: Minor) -> Result<u32, Error> {
        let at = self.versions.iter().position(|&one| one == version);
        at.and_then(|at| 1_u32.checked_shl(u32::try_from(at).ok()?)).ok_or_else(|| Error {
            kind: ErrorKind::UnknownVersion {
                version,
                oldest: self.versions.first().copied().unwrap_or(version),
                newest: self.newest(),
            },
            location: None,
        })
    }

    /// The text of a block: lines of a key, versions and a value, in the order of their keys.
    fn text(&self, name: &str) -> Result<&str, Error> {
        let block = self.blocks.iter().find(|block| block.name == name);
        let block = block.ok_or_else(|| broken(format!("it has no block {name}")))?;
        let text = block.text.get_or_init(|| {
            let deflated = self.data.get(block.range.clone()).unwrap_or_default();
            let mut text = String::new();
            match ZlibDecoder::new(deflated).read_to_string(&mut text) {
                Ok(_) => Ok(text),
                Err(error) => Err(broken(format!("block {name}: {error}"))),
            }
        });
        text.as_deref().map_err(Clone::clone)
    }
}

/// The block of a definition: `io.k8s.api.apps` of `io.k8s.api.apps.v1.Deployment`.
fn block_of(definition: &str) -> &str {
    definition.rsplitn(3, '.').nth(2).unwrap_or_default()
}

/// The value of a key that holds for the version of a bit, in sorted lines.
fn find<'a>(text: &'a str, key: &str, bit: u32) -> Option<&'a str> {
    // Bisection: the first line that is not less than the key lies in low..=high, which are starts of lines.
    let (mut low, mut high) = (0, text.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = text.get(low..middle)?.rfind('\n').map_or(low, |at| low + at + 1);
        let line = text.get(start..)?.lines().next()?;
        match of_key(line, key) {
            Err(true) => low = start + line.len() + 1,
            _ => high = start,
        }
    }
    let lines = text.get(low..)?.lines();
    lines.map_while(|line| of_key(line, key).ok()).find_map(|rest| held(rest, bit))
}

/// What follows a key in its line; whether the line comes before those of the key where it is of another.
fn of_key<'a>(line: &'a str, key: &str) -> Result<&'a str, bool> {
    let rest = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(' '));
    rest.ok_or_else(|| line.bytes().lt(key.bytes().chain([b' '])))
}

/// The value of `ff <value>`, if it holds for the version of a bit.
fn held(rest: &str, bit: u32) -> Option<&str> {
    let (versions, value) = rest.split_once(' ')?;
    (u32::from_str_radix(versions, 16).ok()? & bit != 0).then_some(value)
}

/// Lets an object have no other fields than its schema names, as kubeconform's strict schemas do.
fn make_strict(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    for keyword in ["items", "additionalProperties"] {
        schema.get_mut(keyword).into_iter().for_each(make_strict);
    }
    if let Some(Value::Array(choices)) = schema.get_mut("oneOf") {
        choices.iter_mut().for_each(make_strict);
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(make_strict);
        schema.insert("additionalProperties".into(), false.into());
    }
}

fn broken(what: impl Into<String>) -> Error {
    Error { kind: ErrorKind::Bundle(what.into()), location: None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, json};

    use super::*;

    fn bundle() -> &'static Bundle {
        Bundle::embedded().unwrap()
    }

    /// The definitions that a schema refers to.
    fn references(schema: &Value) -> Vec<String> {
        match schema {
            Value::Object(keywords) => {
                let inner = keywords.values().flat_map(references);
                let own = keywords.get("$ref").and_then(|name| name.as_str()?.strip_prefix("#/$defs/"));
                own.map(str::to_owned).into_iter().chain(inner).collect()
            }
            Value::Array(items) => items.iter().flat_map(references).collect(),
            _ => Vec::new(),
        }
    }

    /// A definition as a document: a `$ref` to it, and `$defs` of all that it reaches.
    fn whole(bundle: &Bundle, version: Minor, definition: &str) -> Result<Value, Error> {
        let mut definitions = Map::new();
        let mut wanted = BTreeSet::from([definition.to_owned()]);
        while let Some(name) = wanted.pop_first() {
            let schema = bundle.schema(version, &name)?;
            wanted.extend(references(&schema).into_iter().filter(|name| !definitions.contains_key(name)));
            wanted.remove(&name);
            definitions.insert(name, schema);
        }
        Ok(json!({ "$ref": format!("#/$defs/{definition}"), "$defs": definitions }))
    }

    /// The lines of a block that hold for the version of a bit, as pairs of key and value.
    fn lines<'a>(bundle: &'a Bundle, block: &str, bit: u32) -> Vec<(&'a str, &'a str)> {
        let words = if block == KINDS { 2 } else { 1 };
        let lines = bundle.text(block).unwrap().lines().map(|line| {
            let (at, _) = line.match_indices(' ').nth(words - 1).unwrap();
            (&line[..at], &line[at + 1..])
        });
        lines.filter_map(|(key, rest)| Some((key, held(rest, bit)?))).collect()
    }

    #[test]
    fn the_bundle_is_of_the_package_that_its_recipe_pins() {
        let recipe = include_str!("../../schemas/make.py");
        let pinned = |name: &str| {
            let line = recipe.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            line.unwrap().trim_matches('"')
        };
        let head =
            format!("package {} {}\nsha256 {}\nversions ", pinned("PACKAGE"), pinned("VERSION"), pinned("SHA256"));
        assert!(EMBEDDED.starts_with(head.as_bytes()), "run schemas/make.py");
        assert_eq!(bundle().versions().len().to_string(), pinned("VERSIONS"));
        assert_eq!(pinned("VERSION"), format!("{}.0", bundle().newest()));
        assert!(bundle().versions().windows(2).all(|two| two[0].0 + 1 == two[1].0));
    }

    #[test]
    fn every_reference_of_every_version_resolves_and_lines_are_sorted_and_found() {
        let bundle = bundle();
        for version in bundle.versions() {
            let bit = bundle.bit(*version).unwrap();
            let mut definitions = 0;
            for block in &bundle.blocks {
                let lines = lines(bundle, block.name, bit);
                assert!(lines.windows(2).all(|two| two[0].0 < two[1].0), "{version} {}", block.name);
                for (key, value) in lines {
                    assert_eq!(find(bundle.text(block.name).unwrap(), key, bit), Some(value), "{version} {key}");
                    if block.name == KINDS {
                        assert!(find(bundle.text(block_of(value)).unwrap(), value, bit).is_some(), "{key}");
                        continue;
                    }
                    definitions += 1;
                    let references = references(&serde_json::from_str(value).unwrap());
                    assert_eq!(references.len(), value.matches("#/$defs/").count(), "{key}");
                    for reference in references {
                        let text = bundle.text(block_of(&reference)).unwrap();
                        assert!(find(text, &reference, bit).is_some(), "{version} {key}: {reference}");
                    }
                }
            }
            assert!(definitions > 600, "{version}: {definitions}");
        }
    }

    #[test]
    fn each_kind_is_one_definition_that_says_so() {
        for version in bundle().versions() {
            let kinds: Vec<_> = bundle().kinds(*version).unwrap().collect();
            assert!(kinds.len() > 140, "{version}: {}", kinds.len());
            for kind in kinds {
                let definition = bundle().definition(*version, kind.api_version, kind.kind).unwrap();
                assert_eq!(definition, Some(kind.definition));
                let text = bundle().text(block_of(kind.definition)).unwrap();
                let text = find(text, kind.definition, bundle().bit(*version).unwrap()).unwrap();
                let schema: Value = serde_json::from_str(text).unwrap();
                assert_eq!(schema["properties"]["apiVersion"]["enum"], json!([kind.api_version]));
                assert_eq!(schema["properties"]["kind"]["enum"], json!([kind.kind]));
            }
        }
    }

    #[test]
    fn a_document_has_all_that_it_reaches_and_is_strict() {
        let newest = bundle().newest();
        let name = bundle().definition(newest, "apps/v1", "Deployment").unwrap().unwrap();
        let document = whole(bundle(), newest, name).unwrap();
        let definitions = document["$defs"].as_object().unwrap();
        assert_eq!(document["$ref"], "#/$defs/io.k8s.api.apps.v1.Deployment");
        assert!(definitions.len() > 100);
        assert_eq!(definitions["io.k8s.api.apps.v1.DeploymentSpec"]["additionalProperties"], false);
        let selector = &definitions["io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"];
        assert_eq!(
            selector["properties"]["matchLabels"]["additionalProperties"],
            json!({ "type": ["string", "null"] })
        );
        // A property of this name is no keyword.
        let name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
        let document = whole(bundle(), newest, name).unwrap();
        let properties = &document["$defs"][name]["properties"];
        assert_eq!(properties["items"]["$ref"], format!("#/$defs/{name}OrArray"));
        assert_eq!(properties["enum"]["type"], json!(["array", "null"]));
    }

    #[test]
    fn kinds_come_and_go() {
        let definition = |minor, api_version, kind| bundle().definition(Minor(minor), api_version, kind).unwrap();
        assert!(definition(31, "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema").is_some());
        assert_eq!(definition(32, "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"), None);
        assert_eq!(definition(32, "apps/v1", "deployment"), None);
        assert_eq!(definition(32, "apps/v1", "Deploy"), None);
        assert_eq!(definition(32, "apps/v1 Deployment", ""), None);
        assert_eq!(definition(32, "v1", "List"), None);
        assert_eq!(definition(32, "v1", "Status"), None);
        let error = bundle().definition(Minor(29), "v1", "Pod").unwrap_err().to_string();
        let wanted = "there are no schemas of Kubernetes 1.29 in this binary, which has those of 1.30 to 1.37: ";
        assert!(error.starts_with(wanted), "{error}");
    }

    #[test]
    fn what_is_broken_is_an_error() {
        let open = |data: Vec<u8>| Bundle::open(data.leak());
        let newest = bundle().newest();
        let message = |data: Vec<u8>| match open(data) {
            Ok(bundle) => match whole(&bundle, newest, "io.k8s.api.apps.v1.Deployment") {
                Ok(_) => "whole".to_owned(),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        assert_eq!(message(EMBEDDED.to_vec()), "whole");
        let says = |data: Vec<u8>, what: &str| {
            let message = message(data);
            assert!(message.contains("in this binary are broken: ") && message.contains(what), "{message}");
        };
        says(Vec::new(), "its head has no end");
        says(b"\xff\n\n".to_vec(), "its head is no text");
        says(b"package a 1\n\n".to_vec(), "its head does not name its versions");
        says(b"versions 2.1\n\n".to_vec(), "expected a version of Kubernetes such as 1.34");
        says(EMBEDDED[..EMBEDDED.len() - 1].to_vec(), "it ends before its block kinds");
        says([EMBEDDED, b"!"].concat(), "bytes follow its last block");
        says(b"versions 1.37\n\n".to_vec(), "it has no block io.k8s.api.apps");
        for flip in [0, 10, 1370] {
            let mut data = EMBEDDED.to_vec();
            let apps = bundle().blocks.iter().find(|block| block.name == "io.k8s.api.apps").unwrap();
            data[apps.range.start + flip] ^= 1;
            says(data, "block io.k8s.api.apps: ");
        }
        let error = whole(bundle(), newest, "io.k8s.api.apps.v1.Nothing").unwrap_err().to_string();
        assert!(error.contains("Kubernetes 1.37 has no io.k8s.api.apps.v1.Nothing"), "{error}");
    }
}
