//! From what the validator says to problems that people can mend.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value as Document;

use super::definitions;
use super::elsewhere::Elsewhere;
use super::validate::Validator;
use super::words::{self, Hint, Words};
use super::{Check, Error, Problem};
use crate::json_schema::{self, tokens};
use crate::suggest::nearest;
use crate::value::{Path, Value};

/// The most fields of one object that a name is suggested for: each is compared with all that there are.
const MAX_SUGGESTIONS: usize = 50;

/// Collects what is wrong with one object.
pub(super) struct Explainer<'o> {
    words: Words<'o>,
    elsewhere: Elsewhere<'o>,
    problems: Vec<Problem>,
    suggestions: usize,
}

/// An error, with what it is about.
struct Fault<'e> {
    error: &'e ValidationError<'e>,
    validator: &'e Validator,
    /// The way from the object to the part that the validator was given.
    base: &'e Path,
    part: &'e Value,
}

impl<'o> Explainer<'o> {
    pub(super) fn new(object: &'o Value, elsewhere: Elsewhere<'o>) -> Self {
        Self { words: Words::new(object), elsewhere, problems: Vec::new(), suggestions: 0 }
    }

    /// The problems, in the order of their places.
    pub(super) fn problems(mut self) -> Vec<Problem> {
        self.problems.sort_by(|a, b| (&a.path, a.check, &a.message).cmp(&(&b.path, b.check, &b.message)));
        self.problems.dedup();
        self.problems
    }

    /// Adds what a validator finds in a part of the object.
    pub(super) fn explain(&mut self, validator: &Validator, part: &Value, base: &Path) -> Result<(), Error> {
        for error in validator.errors(part) {
            self.fault(&Fault { error: &error, validator, base, part })?;
        }
        Ok(())
    }

    fn fault(&mut self, fault: &Fault) -> Result<(), Error> {
        let at = fault.path();
        let value = fault.value();
        match fault.error.kind() {
            Kind::Custom { keyword, message } if keyword == definitions::KEYWORD => {
                if let (Some(definitions), Some(value)) = (fault.validator.definitions(), value) {
                    let definition = definitions.get(message);
                    self.explain(definition.validator()?, value, &at)?;
                }
            }
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                unexpected.iter().for_each(|name| self.unknown_field(fault, &at, name));
            }
            // A schema that takes no field at all.
            Kind::FalseSchema if fault.keyword() == "additionalProperties" => {
                let names = value.and_then(Value::as_map).into_iter().flat_map(|map| map.iter());
                names.for_each(|(name, _)| self.unknown_field(fault, &at, name));
            }
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                self.missing_field(fault, &at, name);
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.choice(fault, &at, context)?,
            Kind::OneOfMultipleValid { context } => {
                let message = match value {
                    Some(Value::Null) => self.words.not_null(&at),
                    _ => self.words.several_forms(&at, &both(fault, context)),
                };
                self.push(Check::InvalidValue, at, message);
            }
            Kind::PropertyNames { error } => {
                let name = error.instance().as_str().unwrap_or_default().to_owned();
                let at = at.key(name.as_str());
                let message = self.words.wrong_key(&name, error, fault.schema());
                self.push(Check::InvalidValue, at, message);
            }
            Kind::UniqueItems => {
                let items = value.and_then(Value::as_list).unwrap_or_default();
                let (before, again) = json_schema::first_repeated(items).unwrap_or_default();
                let message = self.words.repeated(&at.index(again), &at.index(before));
                self.push(Check::InvalidValue, at.index(again), message);
            }
            _ => {
                let message = self.words.wrong_value(&at, value.unwrap_or(&Value::Null), fault.error, fault.schema());
                self.push(Check::InvalidValue, at, message);
            }
        }
        Ok(())
    }

    fn push(&mut self, check: Check, path: Path, message: String) {
        self.problems.push(Problem { check, path, message });
    }

    fn unknown_field(&mut self, fault: &Fault, parent: &Path, name: &str) {
        let known = fault.schema().and_then(|schema| schema.get("properties")).and_then(Document::as_object);
        let names: Vec<&str> = known.into_iter().flat_map(|known| known.keys().map(String::as_str)).collect();
        self.suggestions += 1;
        let hint = match nearest(name, names.iter().copied()) {
            _ if self.suggestions > MAX_SUGGESTIONS => Hint::None,
            Some(meant) => Hint::Meant(meant),
            None => {
                let place = fault.schema().and_then(|schema| self.elsewhere.find(name, parent, schema));
                place.map_or(Hint::Known(&names), Hint::Elsewhere)
            }
        };
        let path = parent.key(name);
        let message = self.words.unknown_field(&path, &hint);
        self.push(Check::UnknownField, path, message);
    }

    fn missing_field(&mut self, fault: &Fault, parent: &Path, name: &str) {
        let path = parent.key(name);
        let because = match fault.keyword() {
            "dependentRequired" | "dependencies" => fault.dependent_on(name),
            _ => None,
        };
        let message = self.words.missing_field(&path, because);
        self.push(Check::MissingField, path, message);
    }

    /// None of several schemas takes a value: says what is wrong by the one that was meant, where that can be told.
    fn choice(&mut self, fault: &Fault, at: &Path, context: &[Vec<ValidationError<'static>>]) -> Result<(), Error> {
        let here = fault.error.instance_path();
        let of_type = |errors: &&Vec<ValidationError>| {
            !errors.iter().any(|error| error.instance_path() == here && matches!(error.kind(), Kind::Type { .. }))
        };
        let of_kind = |errors: &&&Vec<ValidationError>| {
            !errors.iter().any(|error| matches!(error.kind(), Kind::Constant { .. } | Kind::Enum { .. }))
        };
        let fitting: Vec<&Vec<ValidationError>> = context.iter().filter(of_type).collect();
        let of_kind: Vec<&Vec<ValidationError>> = fitting.iter().filter(of_kind).copied().collect();
        let meant = match (fitting.as_slice(), of_kind.as_slice()) {
            ([one], _) | (_, [one]) => Some(*one),
            _ => None,
        };
        if let Some(errors) = meant {
            return errors.iter().try_for_each(|error| self.fault(&Fault { error, ..*fault }));
        }
        let missing: Option<Vec<&str>> = fitting.iter().map(|errors| only_missing(errors, here.as_str())).collect();
        let value = fault.value().unwrap_or(&Value::Null);
        match missing {
            Some(names) if !names.is_empty() => {
                let message = self.words.needs_one_of(at, &names);
                self.push(Check::MissingField, names.first().map_or_else(|| at.clone(), |name| at.key(*name)), message);
            }
            _ if fitting.is_empty() => {
                let types = context.iter().flatten().map(ValidationError::kind);
                let message = self.words.wrong_type_of_all(at, value, types);
                self.push(Check::InvalidValue, at.clone(), message);
            }
            _ => {
                let mut reasons = Vec::new();
                for errors in fitting.iter().take(words::MAX_LISTED) {
                    let mut inner = Explainer { words: self.words.clone(), problems: Vec::new(), ..*self };
                    if let Some(error) = errors.first() {
                        inner.fault(&Fault { error, ..*fault })?;
                    }
                    reasons.extend(inner.problems.into_iter().next().map(|problem| problem.message));
                }
                let message = self.words.no_form(at, context.len(), &reasons);
                self.push(Check::InvalidValue, at.clone(), message);
            }
        }
        Ok(())
    }
}

impl Fault<'_> {
    /// The way to the value at fault.
    fn path(&self) -> Path {
        self.base.join(&self.inner_path())
    }

    fn inner_path(&self) -> Path {
        json_schema::path(&tokens(self.error.instance_path().as_str()), self.part)
    }

    fn value(&self) -> Option<&Value> {
        self.part.follow(&self.inner_path())
    }

    /// The keyword that is not met.
    fn keyword(&self) -> &str {
        let keywords = self.error.schema_path().as_str();
        let last = |path: &'_ str| path.rsplit_once('/').map_or("", |(_, last)| last).to_owned();
        match last(keywords).as_str() {
            "additionalProperties" => "additionalProperties",
            "dependentRequired" => "dependentRequired",
            _ if keywords.contains("/dependencies") => "dependencies",
            _ => "",
        }
    }

    /// The schema that has the keyword.
    fn schema(&self) -> Option<&Document> {
        let (schema, _) = self.error.schema_path().as_str().rsplit_once('/')?;
        self.validator.schema(schema)
    }

    /// The field that is there and needs another one.
    fn dependent_on(&self, name: &str) -> Option<&str> {
        let needs = |keyword: &str| {
            let needed = self.schema()?.get(keyword)?.as_object()?;
            let there = self.value()?;
            needed.iter().find_map(|(field, names)| {
                let needs = names.as_array()?.iter().any(|needed| needed == name);
                (needs && there.get(field).is_some()).then_some(field.as_str())
            })
        };
        needs("dependentRequired").or_else(|| needs("dependencies"))
    }
}

/// The field that is missing, where that is all that is wrong.
fn only_missing<'e>(errors: &'e [ValidationError], here: &str) -> Option<&'e str> {
    match errors {
        [error] if error.instance_path().as_str() == here => match error.kind() {
            Kind::Required { property } => property.as_str(),
            _ => None,
        },
        _ => None,
    }
}

/// The fields that each of the schemas that are met together needs.
fn both<'e>(fault: &'e Fault, context: &[Vec<ValidationError<'static>>]) -> Vec<&'e str> {
    let schemas = fault.validator.schema(fault.error.schema_path().as_str()).and_then(Document::as_array);
    let met = schemas.into_iter().flatten().zip(context).filter(|(_, errors)| errors.is_empty());
    met.filter_map(|(schema, _)| schema.get("required")?.as_array()?.first()?.as_str()).collect()
}
