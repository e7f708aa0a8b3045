//! What Helm puts before templates beside values: `.Chart`, `.Files`, `.Capabilities`, and the methods of `.Values`.

use std::any::Any as StdAny;
use std::rc::Rc;

use super::any::{Any, List, Map, MapType, Method, Object, Text};
use super::functions::{Failure, Host, Type, find};
use super::{Release, glob};
use crate::chart::{self, Chart, Content, Dependency, Metadata};
use crate::value::Value;

/// `.Release`.
pub fn release(release: &Release) -> Any {
    let text = |text: &str| Any::String(text.into());
    Any::Map(Map::from_iter([
        ("Name", text(&release.name)),
        ("Namespace", text(&release.namespace)),
        ("IsUpgrade", Any::Bool(release.is_upgrade)),
        ("IsInstall", Any::Bool(!release.is_upgrade)),
        ("Revision", Any::Int(release.revision)),
        ("Service", text("Helm")),
    ]))
}

/// `.Chart`: Helm turns the structs of its metadata into maps whose keys are the names of Go's fields.
pub fn chart(metadata: &Metadata, is_root: bool) -> Any {
    let text = |text: &str| Any::String(text.into());
    let texts = |texts: &[String]| Any::List(List::new(texts.iter().map(|item| text(item)).collect()));
    let maintainers = metadata.maintainers.iter().map(|person| {
        Any::Map(Map::from_iter([
            ("Name", text(&person.name)),
            ("Email", text(&person.email)),
            ("URL", text(&person.url)),
        ]))
    });
    let dependency = |dependency: &Dependency| {
        Any::Map(Map::from_iter([
            ("Name", text(&dependency.name)),
            ("Version", text(&dependency.version)),
            ("Repository", text(&dependency.repository)),
            ("Condition", text(&dependency.condition)),
            ("Tags", texts(&dependency.tags)),
            ("Enabled", Any::Bool(dependency.enabled)),
            ("ImportValues", Any::List(List::new(dependency.import_values.iter().map(Any::from).collect()))),
            ("Alias", text(&dependency.alias)),
        ]))
    };
    let mut annotations: Map =
        metadata.annotations.iter().map(|(key, value)| (key.clone(), Any::String(value.clone().into()))).collect();
    annotations.of = MapType::String;
    annotations.nil = annotations.is_empty();
    Any::Map(Map::from_iter([
        ("Name", text(&metadata.name)),
        ("Home", text(&metadata.home)),
        ("Sources", texts(&metadata.sources)),
        ("Version", text(&metadata.version)),
        ("Description", text(&metadata.description)),
        ("Keywords", texts(&metadata.keywords)),
        ("Maintainers", Any::List(List::new(maintainers.collect()))),
        ("Icon", text(&metadata.icon)),
        ("APIVersion", text(&metadata.api_version)),
        ("Condition", text(&metadata.condition)),
        ("Tags", text(&metadata.tags)),
        ("AppVersion", text(&metadata.app_version)),
        ("Deprecated", Any::Bool(metadata.deprecated)),
        ("Annotations", Any::Map(annotations)),
        ("KubeVersion", text(&metadata.kube_version)),
        ("Dependencies", Any::List(List::new(metadata.dependencies.iter().map(dependency).collect()))),
        ("Type", text(&metadata.kind)),
        ("IsRoot", Any::Bool(is_root)),
    ]))
}

/// `.Files` of a chart.
pub fn files(chart: &Chart) -> Any {
    Files::object(chart.files.iter().map(|file| {
        let content = match &file.content {
            Content::Text(source) => Text::from(source.text.clone()),
            Content::Binary(bytes) => Text::from(bytes.clone()),
        };
        (Text::from(file.name.clone()), Any::Bytes(content))
    }))
}

/// `.Capabilities`.
pub fn capabilities(capabilities: &chart::Capabilities) -> Any {
    Any::Object(Rc::new(Capabilities(capabilities.clone())))
}

/// A method of a map with a Go type name (`common.Values`).
#[derive(Clone, Copy)]
pub struct MapMethod {
    /// Its parameters, which the caller checks before the call.
    pub params: &'static [Type],
    /// The method itself: receiver, arguments and what functions ask.
    pub call: fn(&Map, &[Any], &mut dyn Host) -> Result<Any, Failure>,
}

/// The methods of `common.Values`. Source: Helm's `pkg/chart/common/values.go`.
pub fn map_method(name: &str) -> Option<MapMethod> {
    Some(match name {
        "AsMap" => MapMethod { params: &[], call: |map, _, _| Ok(Any::Map(map.as_type(MapType::Interface))) },
        "YAML" => MapMethod {
            params: &[],
            call: |map, _, host| {
                let yaml = to_yaml(&Any::Map(map.clone()), host)?;
                Ok(Any::String([yaml.as_bytes(), b"\n"].concat().into()))
            },
        },
        "Table" => MapMethod { params: &[Type::String], call: |map, args, _| table(map, &first(args)).map(Any::Map) },
        "PathValue" => MapMethod { params: &[Type::String], call: |map, args, _| path_value(map, &first(args)) },
        _ => return None,
    })
}

fn first(args: &[Any]) -> String {
    match args.first() {
        Some(Any::String(text)) => text.to_str().into_owned(),
        _ => String::new(),
    }
}

/// The map at a dotted path.
pub fn table(map: &Map, path: &str) -> Result<Map, Failure> {
    path.split('.').try_fold(map.as_type(MapType::Values), |map, key| match map.get(key.as_bytes()) {
        Some(Any::Map(inner)) if inner.of.holds_interfaces() => Ok(inner.as_type(MapType::Values)),
        _ => Err(Failure::new(format!("{key:?} is not a table"))),
    })
}

fn path_value(map: &Map, path: &str) -> Result<Any, Failure> {
    if path.is_empty() {
        return Err(Failure::new("YAML path cannot be empty"));
    }
    let (parent, key) = match path.rsplit_once('.') {
        Some((parent, key)) => (table(map, parent), key),
        None => (Ok(map.clone()), path),
    };
    match parent.ok().and_then(|map| map.get(key.as_bytes())) {
        Some(value) if !matches!(&value, Any::Map(inner) if inner.of == MapType::Interface) => Ok(value),
        _ => Err(Failure::new(format!("{key:?} is not a value"))),
    }
}

fn to_yaml(value: &Any, host: &mut dyn Host) -> Result<Text, Failure> {
    let row = find("toYaml").ok_or_else(|| Failure::new("there is no toYaml"))?;
    match (row.call)(host, std::slice::from_ref(value))? {
        Any::String(text) => Ok(text),
        _ => Err(Failure::new("toYaml gave no text")),
    }
}

/// `engine.files`: paths and contents.
struct Files(Map);

impl Files {
    fn object(files: impl Iterator<Item = (Text, Any)>) -> Any {
        let mut map: Map = files.collect();
        map.of = MapType::Bytes;
        Any::Object(Rc::new(Self(map)))
    }

    fn bytes(&self, name: &str) -> Option<Text> {
        match self.0.get(name.as_bytes()) {
            Some(Any::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The last parts of the paths, and what `value` makes of the contents, as YAML.
    fn data(&self, value: fn(&Text) -> Value) -> Result<Any, Failure> {
        let entries = self.0.entries.borrow();
        let data: crate::value::Map = entries
            .iter()
            .filter_map(|(path, content)| match content {
                Any::Bytes(bytes) => {
                    let path = path.to_str();
                    Some((path.rsplit('/').next().unwrap_or_default().to_owned(), value(bytes)))
                }
                _ => None,
            })
            .collect();
        let yaml = crate::yaml::to_yaml(&Value::from(data)).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Any::String(yaml.strip_suffix('\n').unwrap_or(&yaml).into()))
    }
}

/// Source: Helm's `pkg/engine/files.go`.
impl Object for Files {
    fn type_name(&self) -> &'static str {
        "engine.files"
    }

    fn kind(&self) -> &'static str {
        "map"
    }

    fn method(&self, name: &str) -> Option<Method> {
        fn files(object: &dyn Object) -> Result<&Files, Failure> {
            object.as_any().downcast_ref().ok_or_else(|| Failure::new("the receiver is no engine.files"))
        }
        let one = &[Type::String];
        Some(match name {
            "Get" => Method {
                params: one,
                call: |object, args| Ok(Any::String(files(object)?.bytes(&first(args)).unwrap_or_default())),
            },
            "GetBytes" => Method {
                params: one,
                call: |object, args| Ok(Any::Bytes(files(object)?.bytes(&first(args)).unwrap_or_default())),
            },
            "Glob" => Method {
                params: one,
                call: |object, args| {
                    let pattern = glob::regex(&first(args)).ok();
                    let entries = files(object)?.0.entries.borrow();
                    let hit = |path: &Text| pattern.as_ref().is_none_or(|pattern| pattern.is_match(&path.to_str()));
                    Ok(Files::object(entries.iter().filter(|(path, _)| hit(path)).map(|(k, v)| (k.clone(), v.clone()))))
                },
            },
            "Lines" => Method {
                params: one,
                call: |object, args| {
                    let Some(content) = files(object)?.bytes(&first(args)) else {
                        return Ok(Any::List(List::strings::<Text>([])));
                    };
                    let bytes = content.as_bytes();
                    if bytes.is_empty() {
                        return Err(Failure::new("runtime error: index out of range [-1]"));
                    }
                    let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n');
                    Ok(Any::List(List::strings(lines)))
                },
            },
            "AsConfig" => Method {
                params: &[],
                call: |object, _| files(object)?.data(|bytes| Value::from(bytes.to_str().into_owned())),
            },
            "AsSecrets" => Method {
                params: &[],
                call: |object, _| files(object)?.data(|bytes| Value::from(super::functions::base64(bytes.as_bytes()))),
            },
            _ => return None,
        })
    }

    fn underlying(&self) -> Option<Any> {
        Some(Any::Map(self.0.clone()))
    }

    fn print(&self) -> Text {
        Text::default()
    }

    fn to_value(&self) -> Value {
        let entries = self.0.entries.borrow();
        let data: crate::value::Map = entries
            .iter()
            .map(|(path, content)| {
                let text = match content {
                    Any::Bytes(bytes) => super::functions::base64(bytes.as_bytes()),
                    _ => String::new(),
                };
                (path.to_str().into_owned(), Value::from(text))
            })
            .collect();
        Value::from(data)
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

/// `*common.Capabilities`.
struct Capabilities(chart::Capabilities);

/// `common.KubeVersion`.
struct KubeVersion(chart::KubeVersion);

/// `common.VersionSet`.
struct VersionSet(Vec<String>);

/// `version.BuildInfo`.
struct BuildInfo(chart::HelmVersion);

fn text(text: &str) -> Any {
    Any::String(text.into())
}

fn object_value<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::from(crate::value::Map::of_struct(fields))
}

impl Object for Capabilities {
    fn type_name(&self) -> &'static str {
        "*common.Capabilities"
    }

    fn kind(&self) -> &'static str {
        "ptr"
    }

    fn field(&self, name: &str) -> Option<Any> {
        Some(Any::Object(match name {
            "KubeVersion" => Rc::new(KubeVersion(self.0.kube_version.clone())),
            "APIVersions" => Rc::new(VersionSet(self.0.api_versions.clone())),
            "HelmVersion" => Rc::new(BuildInfo(self.0.helm_version.clone())),
            _ => return None,
        }))
    }

    fn print(&self) -> Text {
        format!("&{}", self.print_addressed().to_str()).into()
    }

    fn print_addressed(&self) -> Text {
        let kube = KubeVersion(self.0.kube_version.clone()).print();
        let helm = BuildInfo(self.0.helm_version.clone()).print();
        format!("{{{} [{}] {}}}", kube.to_str(), self.0.api_versions.join(" "), helm.to_str()).into()
    }

    fn to_value(&self) -> Value {
        object_value([
            ("KubeVersion", KubeVersion(self.0.kube_version.clone()).to_value()),
            ("APIVersions", VersionSet(self.0.api_versions.clone()).to_value()),
            ("HelmVersion", BuildInfo(self.0.helm_version.clone()).to_value()),
        ])
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        "common.KubeVersion"
    }

    fn field(&self, name: &str) -> Option<Any> {
        Some(text(match name {
            "Version" => &self.0.version,
            "Major" => &self.0.major,
            "Minor" => &self.0.minor,
            _ => return None,
        }))
    }

    fn method(&self, name: &str) -> Option<Method> {
        let call: fn(&dyn Object, &[Any]) -> Result<Any, Failure> = match name {
            "GitVersion" => |object, _| Ok(object.field("Version").unwrap_or_default()),
            "String" => |object, _| Ok(Any::String(object.print_addressed())),
            _ => return None,
        };
        Some(Method { params: &[], call })
    }

    fn print(&self) -> Text {
        let version = &self.0;
        format!("{{{} {} {} {}}}", version.version, version.normalized, version.major, version.minor).into()
    }

    fn print_addressed(&self) -> Text {
        self.0.effective().into()
    }

    fn to_value(&self) -> Value {
        object_value([
            ("Version", Value::from(self.0.version.as_str())),
            ("Major", Value::from(self.0.major.as_str())),
            ("Minor", Value::from(self.0.minor.as_str())),
        ])
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

impl Object for VersionSet {
    fn type_name(&self) -> &'static str {
        "common.VersionSet"
    }

    fn kind(&self) -> &'static str {
        "slice"
    }

    fn method(&self, name: &str) -> Option<Method> {
        let has = Method {
            params: &[Type::String],
            call: |object, args| {
                let set: Option<&VersionSet> = object.as_any().downcast_ref();
                let wanted = first(args);
                Ok(Any::Bool(set.is_some_and(|set| set.0.contains(&wanted))))
            },
        };
        (name == "Has").then_some(has)
    }

    fn underlying(&self) -> Option<Any> {
        Some(Any::List(List::strings(self.0.iter().map(String::as_str))))
    }

    fn print(&self) -> Text {
        format!("[{}]", self.0.join(" ")).into()
    }

    fn to_value(&self) -> Value {
        Value::from(self.0.iter().map(|version| Value::from(version.as_str())).collect::<Vec<_>>())
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

impl Object for BuildInfo {
    fn type_name(&self) -> &'static str {
        "version.BuildInfo"
    }

    fn field(&self, name: &str) -> Option<Any> {
        Some(text(match name {
            "Version" => &self.0.version,
            "GitCommit" => &self.0.git_commit,
            "GitTreeState" => &self.0.git_tree_state,
            "GoVersion" => &self.0.go_version,
            "KubeClientVersion" => &self.0.kube_client_version,
            _ => return None,
        }))
    }

    fn print(&self) -> Text {
        let info = &self.0;
        let parts =
            [&info.version, &info.git_commit, &info.git_tree_state, &info.go_version, &info.kube_client_version];
        format!("{{{}}}", parts.map(String::as_str).join(" ")).into()
    }

    fn to_value(&self) -> Value {
        object_value([
            ("version", Value::from(self.0.version.as_str())),
            ("git_commit", Value::from(self.0.git_commit.as_str())),
            ("git_tree_state", Value::from(self.0.git_tree_state.as_str())),
            ("go_version", Value::from(self.0.go_version.as_str())),
            ("kube_client_version", Value::from(self.0.kube_client_version.as_str())),
        ])
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}
