//! The shared functions in templates, each as a function and as a filter.
//!
//! As a function it takes its arguments in Helm's order; as a filter the piped value goes last, as in Helm's
//! pipelines: `values.name | default("x")` is `default("x", values.name)`.

use minijinja::value::Rest;
use minijinja::{Environment, Error, ErrorKind, Value as Jinja};

use super::session::Session;
use super::value::{describe, from_any, to_any};
use crate::render::any::{Any, List, Text};
use crate::render::functions::{self, Failure, Row, Type};
use crate::render::print;

/// The functions that may be given an undefined value, since that is what they are for.
const TAKE_UNDEFINED: &[&str] = &["coalesce", "default", "empty", "required"];

/// Filters and functions of minijinja that the dialect leaves out: they escape, or print what differs between runs.
const LEFT_OUT: &[&str] = &["debug", "e", "escape", "pprint", "safe"];

/// Functions of the rows that keep their meaning only as a filter, since the scope has that name.
const SCOPE: &[&str] = &["values"];

/// Functions that Helm's engine has beside the shared ones, and that mean the same here.
const ENGINE: &[Row] = &[
    Row {
        name: "fail",
        params: &[Type::String],
        variadic: None,
        call: |_, args| match args {
            [Any::String(message)] => Err(Failure::new(message.to_str())),
            _ => Err(Failure::new("takes a message")),
        },
    },
    Row {
        name: "required",
        params: &[Type::String, Type::Any],
        variadic: None,
        call: |_, args| match args {
            [Any::String(message), Any::Nil] => Err(Failure::new(message.to_str())),
            [Any::String(message), Any::String(value)] if value.as_bytes().is_empty() => {
                Err(Failure::new(message.to_str()))
            }
            [_, value] => Ok(value.clone()),
            _ => Err(Failure::new("takes a message and a value")),
        },
    },
    Row {
        name: "printf",
        params: &[Type::String],
        variadic: Some(Type::Any),
        call: |_, args| match args {
            [Any::String(format), rest @ ..] => print::sprintf(format.as_bytes(), rest)
                .map(Any::String)
                .map_err(|error| Failure::new(error.to_string())),
            _ => Err(Failure::new("takes a format")),
        },
    },
];

/// A function's failure on its way through minijinja's error.
#[derive(Debug, thiserror::Error)]
#[error("{function}: {message}")]
pub struct Failed {
    /// The function.
    pub function: String,
    /// Why.
    pub message: String,
    /// The way out, where the function knows one.
    pub help: Option<String>,
}

/// Registers every row. Where minijinja has a filter of the same name, the row takes its place.
pub fn register(env: &mut Environment<'_>) {
    for name in LEFT_OUT {
        env.remove_filter(name);
        env.remove_global(name);
    }
    for row in functions::all().chain(ENGINE) {
        env.add_filter(row.name, move |Rest(mut args): Rest<Jinja>| {
            let piped = args.len().min(1);
            args.rotate_left(piped);
            call(row, &args)
        });
        if !SCOPE.contains(&row.name) {
            env.add_function(row.name, move |Rest(args): Rest<Jinja>| call(row, &args));
        }
    }
}

fn call(row: &Row, args: &[Jinja]) -> Result<Jinja, Error> {
    let args = arguments(row.name, row.params, row.variadic, args)?;
    let result = Session::with(|session| (row.call)(&mut *session.host, &args));
    match result {
        Some(Ok(value)) => Ok(from_any(&value)),
        Some(Err(failure)) => Err(failed(row.name, failure)),
        None => Err(Error::new(ErrorKind::InvalidOperation, "called outside a render")),
    }
}

/// Checks arguments against declared parameters and converts them.
pub fn arguments(function: &str, params: &[Type], variadic: Option<Type>, args: &[Jinja]) -> Result<Vec<Any>, Error> {
    if args.len() < params.len() || (variadic.is_none() && args.len() > params.len()) {
        let least = if variadic.is_some() { "at least " } else { "" };
        let plural = if params.len() == 1 { "" } else { "s" };
        let message = format!("takes {least}{} argument{plural}, not {}", params.len(), args.len());
        return Err(failed(function, Failure::new(message)));
    }
    let types = params.iter().copied().chain(std::iter::repeat(variadic.unwrap_or(Type::Any)));
    args.iter()
        .zip(types)
        .enumerate()
        .map(|(index, (arg, of))| {
            if arg.is_kwargs() {
                return Err(failed(function, Failure::new("takes no named arguments")));
            }
            if arg.is_undefined() && !TAKE_UNDEFINED.contains(&function) {
                return Err(ErrorKind::UndefinedError.into());
            }
            let value = to_any(arg).map_err(|error| {
                failed(function, Failure::new(error.detail().unwrap_or("cannot take the value").to_owned()))
            })?;
            typed(value, of).ok_or_else(|| {
                let message = format!("argument {} must be {}, not {}", index + 1, name(of), describe(arg));
                failed(function, Failure::new(message))
            })
        })
        .collect()
}

/// The value as the declared type, where it is one. Whole numbers pass for every numeric type.
fn typed(value: Any, of: Type) -> Option<Any> {
    Some(match (of, value) {
        (Type::Any, value) => value,
        (Type::String, value @ Any::String(_)) => value,
        (Type::Bool, value @ Any::Bool(_)) => value,
        (Type::Int, Any::Int(value) | Any::Int64(value)) => Any::Int(value),
        (Type::Int64, Any::Int(value) | Any::Int64(value)) => Any::Int64(value),
        (Type::Uint32, Any::Int(value) | Any::Int64(value)) => Any::Int64(u32::try_from(value).ok()?.into()),
        (Type::Float64, Any::Int(value) | Any::Int64(value)) => Any::Float64(value as f64),
        (Type::Float64, value @ Any::Float64(_)) => value,
        (Type::List, value @ Any::List(_)) => value,
        (Type::Strings, Any::List(list)) => {
            let strings = list.items.iter().map(|item| match item {
                Any::String(text) => Some(text.clone()),
                _ => None,
            });
            Any::List(List::strings(strings.collect::<Option<Vec<Text>>>()?))
        }
        (Type::Map, value @ Any::Map(_)) => value,
        (Type::Time | Type::Version | Type::Certificate, value @ Any::Object(_)) => value,
        _ => return None,
    })
}

fn name(of: Type) -> &'static str {
    match of {
        Type::Any => "anything",
        Type::String => "a string",
        Type::Bool => "a boolean",
        Type::Int | Type::Int64 => "an integer",
        Type::Uint32 => "an integer from 0 to 4294967295",
        Type::Float64 => "a number",
        Type::List => "a list",
        Type::Strings => "a list of strings",
        Type::Map => "a map",
        Type::Time => "a time",
        Type::Version => "a version",
        Type::Certificate => "a certificate",
    }
}

/// A function's failure as minijinja's error.
pub fn failed(function: &str, failure: Failure) -> Error {
    let failed = Failed { function: function.to_owned(), message: failure.message, help: failure.help };
    Error::new(ErrorKind::InvalidOperation, failed.to_string()).with_source(failed)
}
