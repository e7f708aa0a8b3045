//! Chart.yaml, and Chart.lock.
//!
//! Source: Helm's `pkg/chart/v2/metadata.go` and `dependency.go`.

use std::collections::HashSet;
use std::sync::Arc;

use crate::number;
use crate::semver::Version;
use crate::value::{Path, Step, Value};

/// What Chart.yaml says about a chart. What it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// `name`
    pub name: String,
    /// `home`: a web page
    pub home: String,
    /// `sources`: addresses of source code
    pub sources: Vec<String>,
    /// `version`: a semantic version, perhaps with a leading `v`
    pub version: String,
    /// `description`
    pub description: String,
    /// `keywords`
    pub keywords: Vec<String>,
    /// `maintainers`
    pub maintainers: Vec<Maintainer>,
    /// `icon`: an address
    pub icon: String,
    /// `apiVersion`: `v1` or `v2`
    pub api_version: String,
    /// `condition`
    pub condition: String,
    /// `tags`
    pub tags: String,
    /// `appVersion`
    pub app_version: String,
    /// `deprecated`
    pub deprecated: bool,
    /// `annotations`, sorted
    pub annotations: Vec<(Arc<str>, Arc<str>)>,
    /// `kubeVersion`: a constraint
    pub kube_version: String,
    /// `dependencies`, or those of a version 1 chart's requirements.yaml
    pub dependencies: Vec<Dependency>,
    /// `type`: empty, `application` or `library`
    pub kind: String,
}

/// A person who looks after a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// `name`
    pub name: String,
    /// `email`
    pub email: String,
    /// `url`
    pub url: String,
}

/// A chart that another one needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dependency {
    /// `name`, as in the dependency's own Chart.yaml
    pub name: String,
    /// `version`: a constraint, in a lock file one version
    pub version: String,
    /// `repository`: an address
    pub repository: String,
    /// `condition`: comma-separated values paths, the first that is a boolean decides
    pub condition: String,
    /// `tags`
    pub tags: Vec<String>,
    /// `enabled`
    pub enabled: bool,
    /// `import-values`: strings, or maps with `child` and `parent`
    pub import_values: Vec<Value>,
    /// `alias`
    pub alias: String,
}

/// What Chart.lock says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    /// `generated`: when
    pub generated: String,
    /// `digest` of the dependencies
    pub digest: String,
    /// `dependencies`, each with its exact version
    pub dependencies: Vec<Dependency>,
}

/// What Helm refuses in a Chart.yaml, requirements.yaml or Chart.lock. The texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A value that is missing or not allowed.
    #[error("validation: {message}")]
    Invalid {
        /// What Helm says.
        message: String,
        /// The way to it.
        path: Path,
    },
    /// A value of the wrong type.
    #[error(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go {target} of type {wanted}"
    )]
    Type {
        /// What it is, in JSON's words.
        found: &'static str,
        /// The field, in Go's words.
        target: String,
        /// What it should be, in Go's words.
        wanted: &'static str,
        /// The way to it.
        path: Path,
    },
}

impl MetadataError {
    /// The way to the wrong value; where it is missing, that to what it is missing from.
    pub fn path(&self) -> &Path {
        match self {
            Self::Invalid { path, .. } | Self::Type { path, .. } => path,
        }
    }
}

impl Metadata {
    /// Sets what a document has, and keeps the rest: requirements.yaml is read over Chart.yaml.
    ///
    /// Keys are found whatever their case, numbers and booleans become text where text is wanted, null changes nothing:
    /// so does Go's `encoding/json` below sigs.k8s.io/yaml.
    pub(super) fn apply(&mut self, document: &Value) -> Result<(), MetadataError> {
        Reader::root("Metadata", document).fields("loader.chartBase", |field, name| match name {
            "name" => field.text(&mut self.name),
            "home" => field.text(&mut self.home),
            "sources" => field.texts(&mut self.sources),
            "version" => field.text(&mut self.version),
            "description" => field.text(&mut self.description),
            "keywords" => field.texts(&mut self.keywords),
            "maintainers" => field.items("[]*v2.Maintainer", &mut self.maintainers, Maintainer::read),
            "icon" => field.text(&mut self.icon),
            "apiversion" => field.text(&mut self.api_version),
            "condition" => field.text(&mut self.condition),
            "tags" => field.text(&mut self.tags),
            "appversion" => field.text(&mut self.app_version),
            "deprecated" => field.boolean(&mut self.deprecated),
            "annotations" => field.text_map(&mut self.annotations),
            "kubeversion" => field.text(&mut self.kube_version),
            "dependencies" => field.items("[]*v2.Dependency", &mut self.dependencies, Dependency::read),
            "type" => field.text(&mut self.kind),
            _ => Ok(()),
        })
    }

    /// Cleans texts of what cannot be printed, and checks what Helm checks when it loads a chart.
    pub(super) fn validate(&mut self) -> Result<(), MetadataError> {
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(text);
        }
        self.sources.iter_mut().chain(&mut self.keywords).for_each(sanitize);
        let root = Path::default();
        let missing = |key: &str| {
            Err(MetadataError::Invalid { message: format!("chart.metadata.{key} is required"), path: root.clone() })
        };
        let invalid = |key: &str, problem: String| {
            Err(MetadataError::Invalid { message: format!("chart.metadata.{key} {problem}"), path: root.key(key) })
        };
        if self.api_version.is_empty() {
            return missing("apiVersion");
        }
        if self.name.is_empty() {
            return missing("name");
        }
        if self.name == "." || self.name == ".." {
            return invalid("name", format!("{:?} is not allowed", self.name));
        }
        if self.name.contains('/') {
            return invalid("name", format!("{:?} is invalid", self.name));
        }
        if self.version.is_empty() {
            return missing("version");
        }
        if self.version.parse::<Version>().is_err() {
            return invalid("version", format!("{:?} is invalid", self.version));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return invalid("type", "must be application or library".into());
        }
        for maintainer in &mut self.maintainers {
            [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url].into_iter().for_each(sanitize);
        }
        let mut names = HashSet::new();
        for (i, dependency) in self.dependencies.iter_mut().enumerate() {
            let refuse = |message| Err(MetadataError::Invalid { message, path: root.key("dependencies").index(i) });
            dependency.sanitize();
            if !dependency.alias.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
                return refuse(format!("dependency {:?} has disallowed characters in the alias", dependency.name));
            }
            let name = dependency.effective_name();
            if !names.insert(name) {
                return refuse(format!("more than one dependency with name or alias {name:?}"));
            }
        }
        Ok(())
    }
}

impl Maintainer {
    fn read(item: &Reader) -> Result<Self, MetadataError> {
        item.not_null("maintainers")?;
        let mut maintainer = Self::default();
        item.within("Maintainer").fields("v2.Maintainer", |field, name| match name {
            "name" => field.text(&mut maintainer.name),
            "email" => field.text(&mut maintainer.email),
            "url" => field.text(&mut maintainer.url),
            _ => Ok(()),
        })?;
        Ok(maintainer)
    }
}

impl Dependency {
    /// The name that the subchart has in a release.
    pub fn effective_name(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }

    fn read(item: &Reader) -> Result<Self, MetadataError> {
        item.not_null("dependencies")?;
        let mut dependency = Self::default();
        item.within("Dependency").fields("v2.Dependency", |field, name| match name {
            "name" => field.text(&mut dependency.name),
            "version" => field.text(&mut dependency.version),
            "repository" => field.text(&mut dependency.repository),
            "condition" => field.text(&mut dependency.condition),
            "tags" => field.texts(&mut dependency.tags),
            "enabled" => field.boolean(&mut dependency.enabled),
            "import-values" => {
                field.items("[]interface {}", &mut dependency.import_values, |item| Ok(item.value.clone()))
            }
            "alias" => field.text(&mut dependency.alias),
            _ => Ok(()),
        })?;
        Ok(dependency)
    }

    fn sanitize(&mut self) {
        [&mut self.name, &mut self.version, &mut self.repository, &mut self.condition].into_iter().for_each(sanitize);
        self.tags.iter_mut().for_each(sanitize);
    }
}

impl Lock {
    /// Reads a document.
    pub(super) fn read(document: &Value) -> Result<Self, MetadataError> {
        let mut lock = Self::default();
        Reader::root("Lock", document).fields("v2.Lock", |field, name| match name {
            "generated" => field.text(&mut lock.generated),
            "digest" => field.text(&mut lock.digest),
            "dependencies" => field.items("[]*v2.Dependency", &mut lock.dependencies, Dependency::read),
            _ => Ok(()),
        })?;
        Ok(lock)
    }
}

/// A value on its way into a Go struct.
struct Reader<'a> {
    value: &'a Value,
    /// The innermost struct around it.
    within: &'static str,
    /// The names of the fields that lead to it.
    fields: String,
    path: Path,
}

impl<'a> Reader<'a> {
    fn root(within: &'static str, value: &'a Value) -> Self {
        Self { value, within, fields: String::new(), path: Path::default() }
    }

    /// The same value, with its fields in another struct.
    fn within(&self, within: &'static str) -> Self {
        Self { value: self.value, within, fields: self.fields.clone(), path: self.path.clone() }
    }

    /// Hands over every key of a mapping with its name in lower case. `go_type` is what the whole is to become.
    fn fields(
        &self,
        go_type: &'static str,
        mut set: impl FnMut(&Reader, &str) -> Result<(), MetadataError>,
    ) -> Result<(), MetadataError> {
        match self.value {
            Value::Null => Ok(()),
            Value::Map(map) => map.iter().try_for_each(|(key, value)| {
                let fields = if self.fields.is_empty() { key.to_string() } else { format!("{}.{key}", self.fields) };
                let field = Reader { value, within: self.within, fields, path: self.path.key(key.clone()) };
                set(&field, &key.to_ascii_lowercase())
            }),
            _ => Err(self.mismatch(go_type)),
        }
    }

    fn not_null(&self, list: &str) -> Result<(), MetadataError> {
        if matches!(self.value, Value::Null) {
            let message = format!("{list} must not contain empty or null nodes");
            return Err(MetadataError::Invalid { message, path: self.path.clone() });
        }
        Ok(())
    }

    fn text(&self, target: &mut String) -> Result<(), MetadataError> {
        match self.value {
            Value::Null => {}
            Value::Bool(value) => *target = value.to_string(),
            Value::Int(value) => *target = value.to_string(),
            Value::Float(value) => *target = number::general32(*value),
            Value::String(text) => *target = text.to_string(),
            Value::List(_) | Value::Map(_) => return Err(self.mismatch("string")),
        }
        Ok(())
    }

    fn boolean(&self, target: &mut bool) -> Result<(), MetadataError> {
        match self.value {
            Value::Null => {}
            Value::Bool(value) => *target = *value,
            _ => return Err(self.mismatch("bool")),
        }
        Ok(())
    }

    fn texts(&self, target: &mut Vec<String>) -> Result<(), MetadataError> {
        self.items("[]string", target, |item| {
            let mut text = String::new();
            item.text(&mut text).map(|()| text)
        })
    }

    fn items<T>(
        &self,
        go_type: &'static str,
        target: &mut Vec<T>,
        read: impl Fn(&Reader) -> Result<T, MetadataError>,
    ) -> Result<(), MetadataError> {
        match self.value {
            Value::Null => {}
            Value::List(items) => {
                let item = |(i, value)| {
                    read(&Reader { value, within: self.within, fields: self.fields.clone(), path: self.path.index(i) })
                };
                *target = items.iter().enumerate().map(item).collect::<Result<_, _>>()?;
            }
            _ => return Err(self.mismatch(go_type)),
        }
        Ok(())
    }

    fn text_map(&self, target: &mut Vec<(Arc<str>, Arc<str>)>) -> Result<(), MetadataError> {
        let mut read = Vec::new();
        self.fields("map[string]string", |field, _| {
            let mut text = String::new();
            field.text(&mut text)?;
            if let Some(Step::Key(key)) = field.path.0.last() {
                read.push((key.clone(), text.into()));
            }
            Ok(())
        })?;
        if !matches!(self.value, Value::Null) {
            *target = read;
        }
        Ok(())
    }

    fn mismatch(&self, wanted: &'static str) -> MetadataError {
        let found = match self.value.type_name() {
            "boolean" => "bool",
            name => name,
        };
        let target = match self.fields.as_str() {
            "" => "value".to_string(),
            fields => format!("struct field {}.{fields}", self.within),
        };
        MetadataError::Type { found, target, wanted, path: self.path.clone() }
    }
}

/// Turns every kind of space into a space and drops what cannot be printed.
fn sanitize(text: &mut String) {
    if !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        *text = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_printable(*c)).collect();
    }
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the space.
fn is_printable(c: char) -> bool {
    // Debug output escapes exactly the others; the letter before keeps marks from being escaped.
    c.is_ascii_graphic() || c == ' ' || !c.is_ascii() && String::from_iter(['a', c]).escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;

    fn map(entries: &[(&str, Value)]) -> Value {
        Map::from_iter(entries.iter().map(|(key, value)| (*key, value.clone()))).into()
    }

    fn read(entries: &[(&str, Value)]) -> Result<Metadata, String> {
        let mut metadata =
            Metadata { api_version: "v2".into(), name: "c".into(), version: "1.0.0".into(), ..Default::default() };
        metadata.apply(&map(entries)).and_then(|()| metadata.validate()).map_err(|error| error.to_string())?;
        Ok(metadata)
    }

    #[test]
    fn numbers_and_booleans_become_text() {
        for (value, text) in [(Value::Int(20_231_015), "20231015"), (1.1.into(), "1.1"), (true.into(), "true")] {
            assert_eq!(read(&[("appVersion", value)]).unwrap().app_version, text);
        }
        assert_eq!(read(&[("APPVERSION", "x".into())]).unwrap().app_version, "x");
        assert_eq!(read(&[("name", Value::Null)]).unwrap().name, "c");
    }

    #[test]
    fn wrong_metadata_is_refused_with_helms_texts() {
        let dependency = |alias: &str| map(&[("name", "d".into()), ("alias", alias.into())]);
        for (key, value, error) in [
            ("name", "".into(), "validation: chart.metadata.name is required"),
            ("name", "..".into(), "validation: chart.metadata.name \"..\" is not allowed"),
            ("name", "a/b".into(), "validation: chart.metadata.name \"a/b\" is invalid"),
            ("version", "".into(), "validation: chart.metadata.version is required"),
            ("version", "x".into(), "validation: chart.metadata.version \"x\" is invalid"),
            ("type", "lib".into(), "validation: chart.metadata.type must be application or library"),
            ("maintainers", vec![Value::Null].into(), "validation: maintainers must not contain empty or null nodes"),
            ("dependencies", vec![Value::Null].into(), "validation: dependencies must not contain empty or null nodes"),
            (
                "dependencies",
                vec![dependency("a"), dependency("a")].into(),
                "validation: more than one dependency with name or alias \"a\"",
            ),
            (
                "dependencies",
                vec![dependency("a.b")].into(),
                "validation: dependency \"d\" has disallowed characters in the alias",
            ),
            (
                "dependencies",
                vec![map(&[("name", vec![].into())])].into(),
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field \
                 Dependency.dependencies.name of type string",
            ),
            (
                "deprecated",
                "yes".into(),
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field \
                 Metadata.deprecated of type bool",
            ),
        ] {
            assert_eq!(read(&[(key, value)]).unwrap_err(), error);
        }
    }

    #[test]
    fn texts_are_cleaned() {
        let description = "a\tb\u{7}c\u{a0}d\u{200b}e\u{301}é";
        assert_eq!(read(&[("description", description.into())]).unwrap().description, "a bc de\u{301}é");
    }
}
