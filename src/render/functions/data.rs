//! YAML and JSON, read and written.

use super::args::Args;
use super::convert::{Nils, to_value};
use super::strings::text;
use super::{Failure, Host, Row, Type};
use crate::render::any::{Any, Elem, List, Map};
use crate::value::{Numbers, Value};
use crate::{json, yaml};

pub(super) const ROWS: &[Row] = &[
    // In Helm a failure of these is an empty text.
    Row::new("toYaml", &[Type::Any], |_, args| Ok(to_yaml(args.any(0)?).unwrap_or_else(|_| empty()))),
    Row::new("toYamlPretty", &[Type::Any], |_, args| Ok(to_yaml_pretty(args.any(0)?).unwrap_or_else(|_| empty()))),
    Row::new("toJson", &[Type::Any], |_, args| Ok(to_json(args.any(0)?, json::to_json).unwrap_or_else(|_| empty()))),
    Row::new("toPrettyJson", &[Type::Any], |_, args| {
        Ok(to_json(args.any(0)?, json::to_json_pretty).unwrap_or_else(|_| empty()))
    }),
    Row::new("mustToYaml", &[Type::Any], |_, args| to_yaml(args.any(0)?)),
    Row::new("mustToJson", &[Type::Any], |_, args| to_json(args.any(0)?, json::to_json)),
    Row::new("mustToPrettyJson", &[Type::Any], |_, args| to_json(args.any(0)?, json::to_json_pretty)),
    Row::new("toRawJson", &[Type::Any], |_, args| to_json(args.any(0)?, json::to_json_raw)),
    Row::new("mustToRawJson", &[Type::Any], |_, args| to_json(args.any(0)?, json::to_json_raw)),
    // These put the reason of a failure into their result.
    Row::new("fromYaml", &[Type::String], from_yaml),
    Row::new("fromYamlArray", &[Type::String], from_yaml_array),
    Row::new("fromJson", &[Type::String], from_json),
    Row::new("fromJsonArray", &[Type::String], from_json_array),
    Row::new("mustFromJson", &[Type::String], |_, args| {
        json::parse(args.text(0)?.as_bytes(), Numbers::Floats)
            .map(|value| Any::from(&value))
            .map_err(|error| Failure::new(error.to_string()))
    }),
];

fn empty() -> Any {
    Any::String("".into())
}

fn to_yaml(value: &Any) -> Result<Any, Failure> {
    let written = to_value(value, Nils::Null)
        .map_err(|failure| Failure::new(format!("error marshaling into JSON: {}", failure.message)))?;
    let written = yaml::to_yaml(&written).map_err(|error| Failure::new(error.to_string()))?;
    text(written.strip_suffix('\n').unwrap_or(&written))
}

fn to_yaml_pretty(value: &Any) -> Result<Any, Failure> {
    let written =
        yaml::to_yaml_pretty(&to_value(value, Nils::Empty)?).map_err(|error| Failure::new(error.to_string()))?;
    text(written.strip_suffix('\n').unwrap_or(&written))
}

fn to_json(value: &Any, write: fn(&Value) -> Result<String, json::Error>) -> Result<Any, Failure> {
    text(write(&to_value(value, Nils::Null)?).map_err(|error| Failure::new(error.to_string()))?)
}

/// `{"Error": reason}`
pub(super) fn error_map(reason: &str) -> Any {
    Any::Map([("Error", Any::String(reason.into()))].into_iter().collect())
}

fn error_list(reason: &str) -> Any {
    Any::List(List::new(vec![Any::String(reason.into())]))
}

const FLOATS: yaml::Options = yaml::Options { strict: false, numbers: Numbers::Floats };

fn from_yaml(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    Ok(match yaml::parse_map(&args.text(0)?.to_str(), FLOATS) {
        Ok(map) => Any::from(&Value::from(map)),
        Err(error) => error_map(&error.to_string()),
    })
}

fn from_yaml_array(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    Ok(match yaml::parse_list(&args.text(0)?.to_str(), FLOATS) {
        Ok(items) => Any::from(&Value::from(items)),
        Err(error) => error_list(&error.to_string()),
    })
}

fn from_json(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    Ok(match json::parse_map(args.text(0)?.as_bytes(), Numbers::Floats) {
        Ok(Some(map)) => Any::from(&Value::from(map)),
        Ok(None) => Any::Map(Map::none()),
        Err(error) => error_map(&error.to_string()),
    })
}

fn from_json_array(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    Ok(match json::parse_list(args.text(0)?.as_bytes(), Numbers::Floats) {
        Ok(Some(items)) => Any::from(&Value::from(items)),
        Ok(None) => Any::List(List::none(Elem::Interface)),
        Err(error) => error_list(&error.to_string()),
    })
}
