//! The template of a location: from a kind to the path of its file.

use std::any::Any as StdAny;
use std::rc::Rc;

use crate::render::any::{Any, Object, Text};
use crate::render::gotemplate::render_text;
use crate::render::host::Source;
use crate::schema::{Error, Minor};
use crate::value::Value;

/// How files lie in kubeconform's collection of Kubernetes' schemas.
const LAYOUT: &str = "/{{ .NormalizedKubernetesVersion }}-standalone{{ .StrictSuffix }}\
                      /{{ .ResourceKind }}{{ .KindSuffix }}.json";

/// The longest name of a kind, group or version; Kubernetes has no longer one.
const MAX_NAME: usize = 253;

/// A Go template of paths.
#[derive(Debug)]
pub(super) struct Template {
    text: String,
}

/// What the template sees: Go's struct of `schemaPath`.
struct Fields([(&'static str, String); 6]);

impl Template {
    /// Reads a template and executes it once, as kubeconform does to see whether it can be.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let layout = if text.ends_with("json") { "" } else { LAYOUT };
        let template = Self { text: format!("{text}{layout}") };
        template.path("Deployment", "v1", Minor(0))?;
        Ok(template)
    }

    /// The folder that all its paths are in: the text before the first action, up to a slash.
    pub fn base(&self) -> &str {
        let fixed = self.text.find("{{").and_then(|at| self.text.get(..at)).unwrap_or(&self.text);
        fixed.rfind('/').and_then(|at| fixed.get(..=at)).unwrap_or_default()
    }

    /// The path of a kind's file; `None` for what cannot be the name of a kind: it could lead anywhere.
    pub fn path(&self, kind: &str, api_version: &str, version: Minor) -> Result<Option<String>, Error> {
        if !is_name(kind) || !api_version.split('/').all(is_name) {
            return Ok(None);
        }
        let dot = || Any::Object(Rc::new(Fields::of(kind, api_version, version)));
        render_text("schema-location", &self.text, dot, Source::reproducible(0)).map(Some).map_err(|error| {
            let reason = error.failures.into_iter().next().map(|failure| failure.reason).unwrap_or_default();
            Error::unusable(format!("the schema location {}: {reason}", self.text))
        })
    }
}

fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    text.len() <= MAX_NAME && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_part)
}

impl Fields {
    /// Source: kubeconform's `schemaPath`. Of a version without a group, that is the group too.
    fn of(kind: &str, api_version: &str, version: Minor) -> Self {
        let parts: Vec<&str> = api_version.split('/').collect();
        let group = parts.first().copied().unwrap_or_default();
        let mut suffix = format!("-{}", group.split('.').next().unwrap_or_default().to_lowercase());
        if let Some(version) = parts.get(1) {
            suffix.push('-');
            suffix.push_str(&version.to_lowercase());
        }
        Self([
            ("NormalizedKubernetesVersion", format!("v{version}.0")),
            ("StrictSuffix", "-strict".to_owned()),
            ("ResourceKind", kind.to_lowercase()),
            ("ResourceAPIVersion", parts.last().copied().unwrap_or_default().to_owned()),
            ("Group", group.to_owned()),
            ("KindSuffix", suffix),
        ])
    }
}

impl Object for Fields {
    fn type_name(&self) -> &'static str {
        "struct { NormalizedKubernetesVersion string; StrictSuffix string; ResourceKind string; \
         ResourceAPIVersion string; Group string; KindSuffix string }"
    }

    fn field(&self, name: &str) -> Option<Any> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(Any::String(value.as_str().into()))
    }

    fn print(&self) -> Text {
        let values: Vec<&str> = self.0.iter().map(|(_, value)| value.as_str()).collect();
        format!("{{{}}}", values.join(" ")).into()
    }

    fn to_value(&self) -> Value {
        self.0.iter().map(|(name, value)| (*name, value.as_str().into())).collect::<crate::value::Map>().into()
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}
