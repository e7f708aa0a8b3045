//! The names in a template's scope.

use std::fmt;
use std::sync::Arc;

use super::Scope;
use super::functions::failed;
use super::session::Session;
use super::value::{from_any, scope};
use crate::chart::{Content, File, Metadata};
use crate::render::any::{Any, Map as AnyMap};
use crate::render::functions::{Failure, find};
use crate::render::glob;
use crate::value::{Map, Value};
use minijinja::value::{Enumerator, Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value as Jinja};

/// The scope of one render, but for `template`.
pub struct Globals {
    /// The data in it, by name.
    pub data: Vec<(&'static str, Value)>,
    objects: Vec<(&'static str, Jinja)>,
    chart: String,
}

/// `capabilities.apiVersions`.
#[derive(Debug)]
struct ApiVersions(Vec<Value>);

/// `files`, and what `files.glob` finds.
struct Files {
    /// All files of the chart.
    all: Arc<[File]>,
    /// Those that are meant, as indices.
    chosen: Vec<usize>,
}

/// Makes the scope.
pub fn globals(given: &Scope<'_>) -> Globals {
    let release = given.release;
    let version = &given.capabilities.kube_version;
    let data = vec![
        ("values", given.values.clone()),
        (
            "release",
            map([
                ("name", release.name.as_str().into()),
                ("namespace", release.namespace.as_str().into()),
                ("service", "Helm".into()),
                ("revision", release.revision.into()),
                ("isInstall", (!release.is_upgrade).into()),
                ("isUpgrade", release.is_upgrade.into()),
            ]),
        ),
        ("chart", chart(given.chart)),
    ];
    let mut objects: Vec<_> = data.iter().map(|(name, value)| (*name, scope(name, value))).collect();
    let versions = given.capabilities.api_versions.iter().map(|version| version.as_str().into()).collect();
    let kube = map([
        ("version", version.version.as_str().into()),
        ("major", version.major.as_str().into()),
        ("minor", version.minor.as_str().into()),
    ]);
    objects.push((
        "capabilities",
        Jinja::from_pairs([
            ("kubeVersion", scope("capabilities.kubeVersion", &kube)),
            ("apiVersions", Jinja::from_object(ApiVersions(versions))),
        ]),
    ));
    let files = Files { all: given.files.clone(), chosen: (0..given.files.len()).collect() };
    objects.push(("files", Jinja::from_object(files)));
    Globals { data, objects, chart: given.chart.name.clone() }
}

impl Globals {
    /// A scope of nothing but data.
    pub fn of(data: Vec<(&'static str, Value)>) -> Self {
        let objects = data.iter().map(|(name, value)| (*name, scope(name, value))).collect();
        Self { data, objects, chart: String::new() }
    }

    /// The scope of one template.
    pub fn for_template(&self, name: &str) -> Jinja {
        let base = name
            .split_once("/templates/")
            .map_or_else(|| format!("{}/templates", self.chart), |(chart, _)| format!("{chart}/templates"));
        let template = map([("name", name.into()), ("basePath", base.into())]);
        let template = ("template", scope("template", &template));
        Jinja::from_pairs(self.objects.iter().cloned().chain([template]))
    }
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().collect::<Map>().into()
}

/// Chart.yaml as its own keys name it; what it does not say is empty, as in Helm.
fn chart(metadata: &Metadata) -> Value {
    let strings = |list: &[String]| Value::from(list.iter().map(|text| text.as_str().into()).collect::<Vec<Value>>());
    let annotations: Map = metadata.annotations.iter().map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect();
    let maintainers = metadata.maintainers.iter().map(|person| {
        map([
            ("name", person.name.as_str().into()),
            ("email", person.email.as_str().into()),
            ("url", person.url.as_str().into()),
        ])
    });
    map([
        ("name", metadata.name.as_str().into()),
        ("version", metadata.version.as_str().into()),
        ("appVersion", metadata.app_version.as_str().into()),
        ("apiVersion", metadata.api_version.as_str().into()),
        ("description", metadata.description.as_str().into()),
        ("type", metadata.kind.as_str().into()),
        ("home", metadata.home.as_str().into()),
        ("icon", metadata.icon.as_str().into()),
        ("kubeVersion", metadata.kube_version.as_str().into()),
        ("deprecated", metadata.deprecated.into()),
        ("keywords", strings(&metadata.keywords)),
        ("sources", strings(&metadata.sources)),
        ("annotations", annotations.into()),
        ("maintainers", maintainers.collect::<Vec<_>>().into()),
    ])
}

impl Object for ApiVersions {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.0.get(key.as_usize()?).map(|version| scope("capabilities.apiVersions", version))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, name: &str, args: &[Jinja]) -> Result<Jinja, Error> {
        match name {
            "has" => {
                let (version,): (&str,) = from_args(args)?;
                Ok(self.0.iter().any(|known| known.as_str() == Some(version)).into())
            }
            _ => Err(Error::new(ErrorKind::UnknownMethod, format!("apiVersions has no method {name}"))),
        }
    }
}

impl Files {
    fn chosen(&self) -> impl Iterator<Item = &File> {
        self.chosen.iter().filter_map(|&index| self.all.get(index))
    }

    fn text(&self, name: &str) -> String {
        let file = self.chosen().find(|file| &*file.name == name);
        file.map(|file| String::from_utf8_lossy(file.bytes()).into_owned()).unwrap_or_default()
    }

    fn glob(&self, pattern: &str) -> Result<Self, Error> {
        let pattern = glob::regex(pattern).map_err(|message| failed("glob", Failure::new(message)))?;
        let matching = self.chosen.iter().copied();
        let chosen = matching.filter(|&index| self.all.get(index).is_some_and(|file| pattern.is_match(&file.name)));
        Ok(Self { all: self.all.clone(), chosen: chosen.collect() })
    }

    /// A ConfigMap's or a Secret's data: the last part of each path, and the content as `value` makes it.
    fn data(&self, value: impl Fn(&File) -> Result<Any, Error>) -> Result<Jinja, Error> {
        let entries = self.chosen().map(|file| {
            let base = file.name.rsplit('/').next().unwrap_or(&file.name);
            Ok((base, value(file)?))
        });
        let map: AnyMap = entries.collect::<Result<Vec<_>, Error>>()?.into_iter().collect();
        shared("toYaml", Any::Map(map)).map(|yaml| from_any(&yaml))
    }
}

/// Calls a function of the shared rows.
fn shared(name: &str, argument: Any) -> Result<Any, Error> {
    let row = find(name).ok_or_else(|| Error::new(ErrorKind::UnknownFunction, format!("{name} is unknown")))?;
    Session::with(|session| (row.call)(&mut *session.host, &[argument]))
        .unwrap_or_else(|| Err(Failure::new("called outside a render")))
        .map_err(|failure| failed(name, failure))
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.chosen().map(|file| &file.name)).finish()
    }
}

/// A map from path to text, with Helm's methods.
impl Object for Files {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let name = key.as_str()?;
        let file = self.chosen().find(|file| &*file.name == name)?;
        Some(match &file.content {
            Content::Text(source) => Jinja::from(source.text.clone()),
            Content::Binary(bytes) => Jinja::from_bytes(bytes.to_vec()),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.chosen().map(|file| Jinja::from(file.name.clone())).collect())
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, name: &str, args: &[Jinja]) -> Result<Jinja, Error> {
        match name {
            "get" => from_args(args).map(|(name,): (&str,)| Jinja::from(self.text(name))),
            "lines" => from_args(args).map(|(name,): (&str,)| {
                let text = self.text(name);
                let mut lines: Vec<&str> = text.split('\n').collect();
                lines.pop_if(|last| last.is_empty());
                Jinja::from_iter(lines)
            }),
            "glob" => {
                let (pattern,): (&str,) = from_args(args)?;
                self.glob(pattern).map(Jinja::from_object)
            }
            "asConfig" => from_args(args).and_then(|()| self.data(|file| Ok(Any::String(file.bytes().into())))),
            "asSecrets" => {
                from_args(args).and_then(|()| self.data(|file| shared("b64enc", Any::String(file.bytes().into()))))
            }
            _ => Err(Error::new(ErrorKind::UnknownMethod, format!("files has no method {name}"))),
        }
    }
}
