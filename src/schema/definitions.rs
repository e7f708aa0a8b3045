//! Kubernetes' own schemas, compiled one definition at a time, when an object first reaches it, and once a process: the
//! fields of a Pod alone have 139 definitions, of which few objects use twenty.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::{Draft, Keyword, ValidationError};
use serde_json::{Value as Document, json};

use super::bundle::Bundle;
use super::validate::{self, Options, Validator};
use super::{Error, Head, Minor, Problem};
use crate::json_schema::Values;
use crate::value::Value;

/// The keyword that stands for a reference to another definition, by its name.
pub(super) const KEYWORD: &str = "definition";

/// The definitions of one version of Kubernetes.
pub struct Definitions {
    version: Minor,
    options: OnceLock<Options>,
    known: Mutex<HashMap<String, Arc<Definition>>>,
}

/// One of them.
pub(super) struct Definition {
    name: String,
    of: &'static Definitions,
    compiled: OnceLock<Result<Validator, Error>>,
}

/// What is wrong with an object of a kind that a version of Kubernetes has; `None` where it has no such kind.
///
/// # Errors
/// The bundle does not have the version, or is broken.
pub(super) fn problems(object: &Value, head: Head<'_>, version: Minor) -> Result<Option<Vec<Problem>>, Error> {
    let name = Bundle::embedded()?.definition(version, head.api_version, head.kind)?;
    let found = name.and_then(|name| Some((name, Definitions::of(version).transpose()?)));
    found.map(|(name, definitions)| definitions?.get(name).validator()?.problems(object)).transpose()
}

impl fmt::Debug for Definitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Definitions({})", self.version)
    }
}

impl Definitions {
    /// Those of a version that the bundle has; `None` of any other.
    ///
    /// # Errors
    /// The bundle is broken.
    pub fn of(version: Minor) -> Result<Option<&'static Self>, Error> {
        static ALL: OnceLock<Vec<Definitions>> = OnceLock::new();
        let bundle = Bundle::embedded()?;
        let empty = |version: &Minor| Self { version: *version, options: OnceLock::new(), known: Mutex::default() };
        let all = ALL.get_or_init(|| bundle.versions().iter().map(empty).collect());
        Ok(all.iter().find(|definitions| definitions.version == version))
    }

    /// The definition of a name, compiled.
    pub(super) fn get(&'static self, name: &str) -> Arc<Definition> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(definition) = known.get(name) {
            return definition.clone();
        }
        let definition = Arc::new(Definition { name: name.to_owned(), of: self, compiled: OnceLock::new() });
        known.insert(name.to_owned(), definition.clone());
        definition
    }

    fn options(&'static self) -> &'static Options {
        self.options.get_or_init(|| self.referred(validate::options().with_draft(Draft::Draft4)))
    }

    /// Lets schemas refer to these definitions.
    pub(super) fn referred(&'static self, options: Options) -> Options {
        options.with_keyword(KEYWORD, |_, name, _| {
            let definition = self.get(name.as_str().unwrap_or_default());
            Ok(Box::new(Reference(definition)) as Box<dyn for<'i> Keyword<'i, Values>>)
        })
    }
}

impl Definition {
    /// What holds a value to it.
    ///
    /// # Errors
    /// The bundle is broken.
    pub(super) fn validator(&self) -> Result<&Validator, Error> {
        let compile = || {
            let mut schema = Bundle::embedded()?.schema(self.of.version, &self.name)?;
            adapt(&mut schema, &self.name);
            Validator::of_definition(self.of.options(), schema, self.of)
        };
        self.compiled.get_or_init(compile).as_ref().map_err(Clone::clone)
    }
}

/// A reference to a definition.
struct Reference(Arc<Definition>);

impl<'i> Keyword<'i, Values> for Reference {
    /// The error has the name of the definition, which says what is wrong.
    fn validate(&self, part: &'i Value) -> Result<(), ValidationError<'i>> {
        let good = Keyword::is_valid(self, part);
        if good { Ok(()) } else { Err(ValidationError::custom(self.0.name.as_str())) }
    }

    fn is_valid(&self, part: &'i Value) -> bool {
        self.0.validator().is_ok_and(|validator| validator.is_valid(part))
    }
}

/// Makes references to definitions lazy, and of the types that read themselves in Go what their code takes: the OpenAPI
/// document says less of them. Of null it says that it is of two types at once, so it is refused.
fn adapt(schema: &mut Document, name: &str) {
    match name.rsplit_once("apimachinery.pkg.").map(|(_, name)| name) {
        Some("api.resource.Quantity") => *schema = json!({ "type": ["string", "number"], "format": "quantity" }),
        Some("util.intstr.IntOrString") => {
            *schema = json!({ "type": ["string", "integer"], "format": "int-or-string" });
        }
        Some("apis.meta.v1.Time") => *schema = json!({ "type": ["string", "null"], "format": "kubernetes-time" }),
        Some("apis.meta.v1.MicroTime") => {
            *schema = json!({ "type": ["string", "null"], "format": "kubernetes-micro-time" });
        }
        _ => {}
    }
    adapt_part(schema);
}

fn adapt_part(schema: &mut Document) {
    let Document::Object(keywords) = schema else { return };
    if let Some(Document::String(reference)) = keywords.remove("$ref") {
        keywords.insert(KEYWORD.to_owned(), reference.trim_start_matches("#/$defs/").into());
    }
    // The range of Go's type. That of int64 is the range of our integers; beyond are floats.
    let range = match keywords.get("format").and_then(Document::as_str) {
        Some("int32" | "int-or-string") => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
        Some("int64") => Some((i64::MIN, i64::MAX)),
        _ => None,
    };
    if let Some((least, most)) = range {
        keywords.insert("minimum".to_owned(), least.into());
        keywords.insert("maximum".to_owned(), most.into());
    }
    for keyword in ["items", "additionalProperties"] {
        keywords.get_mut(keyword).into_iter().for_each(adapt_part);
    }
    if let Some(Document::Object(properties)) = keywords.get_mut("properties") {
        properties.values_mut().for_each(adapt_part);
    }
}
