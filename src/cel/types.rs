//! The types of expressions, as cel-go's checker has them, and the signatures of functions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::value::{Data, Val};

/// The type of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Any type: only the data can tell
    Dyn,
    /// Unknown after a mistake
    Error,
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `google.protobuf.Duration`
    Duration,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// A list of elements of a type
    List(Arc<Type>),
    /// A map of keys of a type to values of a type
    Map(Arc<(Type, Type)>),
    /// `optional_type` of a type
    Optional(Arc<Type>),
    /// A type as a value; of which type it is where that is known
    Type(Option<Arc<Type>>),
    /// A type that has a name, and fields if `declarations::field` knows any
    Object(&'static str),
    /// An object whose fields a schema declares
    Struct(Arc<Struct>),
    /// A type that is to be found out: a variable of the checker, or of a signature
    Var(usize),
}

/// A type that a schema declares: an object with these fields and no others.
#[derive(Debug)]
pub struct Struct {
    /// What tells it from others: the way to it, such as `self.spec.ports.@idx`.
    pub name: Arc<str>,
    /// The fields, under the names that expressions have for them.
    pub fields: BTreeMap<Arc<str>, Type>,
}

/// Types of one name are the same: no schema has two.
impl PartialEq for Struct {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Struct {}

impl Type {
    /// The deepest nesting that a variable's type keeps: below it everything is [`Type::Dyn`].
    const DEPTH: usize = 16;

    /// A list of elements of a type.
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// A map. Keys cannot be maps, and are not looked into: types that double with each map would be endless work.
    pub fn map(key: Self, value: Self) -> Self {
        let key = if key.is_nested() { Self::Dyn } else { key };
        Self::Map(Arc::new((key, value)))
    }

    fn is_nested(&self) -> bool {
        match self {
            Self::List(inner) | Self::Optional(inner) | Self::Type(Some(inner)) => {
                matches!(**inner, Self::List(_) | Self::Optional(_) | Self::Type(_) | Self::Map(_))
            }
            Self::Map(_) => true,
            _ => false,
        }
    }

    /// The type of a constant.
    pub fn of(value: &Val) -> Self {
        match &value.data {
            Data::Null => Self::Null,
            Data::Bool(_) => Self::Bool,
            Data::Int(_) => Self::Int,
            Data::Uint(_) => Self::Uint,
            Data::Double(_) => Self::Double,
            Data::String(_) => Self::String,
            Data::Bytes(_) => Self::Bytes,
            _ => Self::Dyn,
        }
    }

    /// The type that a name in an expression stands for.
    pub fn named(name: &str) -> Option<Self> {
        const OBJECTS: [&str; 6] = [
            "kubernetes.NamedFormat",
            "kubernetes.Quantity",
            "kubernetes.Semver",
            "kubernetes.URL",
            "net.CIDR",
            "net.IP",
        ];
        Some(match name {
            "bool" => Self::Bool,
            "bytes" => Self::Bytes,
            "double" => Self::Double,
            "google.protobuf.Duration" => Self::Duration,
            "google.protobuf.Timestamp" => Self::Timestamp,
            "int" => Self::Int,
            "list" => Self::list(Self::Dyn),
            "map" => Self::map(Self::Dyn, Self::Dyn),
            "null_type" => Self::Null,
            "optional_type" => Self::Optional(Arc::new(Self::Dyn)),
            "string" => Self::String,
            "type" => Self::Type(None),
            "uint" => Self::Uint,
            _ => Self::Object(OBJECTS.into_iter().find(|known| *known == name)?),
        })
    }

    /// The type that a policy's variable is declared with where its expression has this one: what is neither plain nor a
    /// list or map is forgotten (`convertCelTypeToDeclType` in the API server).
    pub fn declared(&self) -> Self {
        self.declared_within(Self::DEPTH)
    }

    fn declared_within(&self, depth: usize) -> Self {
        match (self, depth.checked_sub(1)) {
            (Self::List(inner), Some(deeper)) => Self::list(inner.declared_within(deeper)),
            (Self::Map(inner), Some(deeper)) => {
                Self::map(inner.0.declared_within(deeper), inner.1.declared_within(deeper))
            }
            (
                Self::Null
                | Self::Bool
                | Self::Int
                | Self::Uint
                | Self::Double
                | Self::String
                | Self::Bytes
                | Self::Duration
                | Self::Timestamp,
                _,
            ) => self.clone(),
            _ => Self::Dyn,
        }
    }

    /// The type's name without what it is of, as `type()` prints it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dyn | Self::Var(_) => "dyn",
            Self::Error => "error",
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Duration => "google.protobuf.Duration",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::List(_) => "list",
            Self::Map(_) | Self::Struct(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Object(name) => name,
        }
    }

    /// Whether `null` is a value of it.
    pub fn is_nullable(&self) -> bool {
        matches!(
            self,
            Self::Null | Self::Optional(_) | Self::Object(_) | Self::Struct(_) | Self::Duration | Self::Timestamp
        )
    }

    /// The type with its own variables in place of the ones it names.
    pub fn instantiate(&self, variable: &impl Fn(usize) -> Self) -> Self {
        match self {
            Self::Var(index) => variable(*index),
            Self::List(inner) => Self::list(inner.instantiate(variable)),
            Self::Optional(inner) => Self::Optional(Arc::new(inner.instantiate(variable))),
            Self::Type(Some(inner)) => Self::Type(Some(Arc::new(inner.instantiate(variable)))),
            Self::Map(inner) => Self::map(inner.0.instantiate(variable), inner.1.instantiate(variable)),
            _ => self.clone(),
        }
    }
}

/// As cel-go's errors print types.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error => f.write_str("!error!"),
            Self::Null => f.write_str("null"),
            Self::Duration => f.write_str("duration"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::List(inner) => write!(f, "list({inner})"),
            Self::Map(inner) => write!(f, "map({}, {})", inner.0, inner.1),
            Self::Struct(of) => f.write_str(&of.name),
            Self::Optional(inner) => write!(f, "optional_type({inner})"),
            Self::Type(Some(inner)) => write!(f, "type({inner})"),
            _ => f.write_str(self.name()),
        }
    }
}

/// What a function takes and gives.
#[derive(Debug)]
pub struct Signature {
    /// The arguments, the receiver first.
    pub args: Vec<Type>,
    /// The result.
    pub result: Type,
    /// The number of its variables: `A` is 0, `B` is 1.
    pub variables: usize,
}

impl Signature {
    /// Reads `(list(A), A) -> int`. What it cannot read it takes for `dyn`.
    pub fn read(text: &'static str) -> Self {
        let mut reader = Reader { rest: text, variables: 0 };
        let mut args = Vec::new();
        reader.accept("(");
        while !reader.accept(")") && !reader.rest.is_empty() {
            args.push(reader.read());
            reader.accept(", ");
        }
        reader.accept(" -> ");
        let result = reader.read();
        Self { args, result, variables: reader.variables }
    }
}

/// Reads a type as signatures have it.
pub fn read(text: &'static str) -> Type {
    Reader { rest: text, variables: 0 }.read()
}

struct Reader {
    rest: &'static str,
    variables: usize,
}

impl Reader {
    fn accept(&mut self, sign: &str) -> bool {
        let after = self.rest.strip_prefix(sign);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn read(&mut self) -> Type {
        let end = self.rest.find(['(', ')', ',', ' ']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        match name {
            "A" | "B" => {
                let index = usize::from(name == "B");
                self.variables = self.variables.max(index + 1);
                return Type::Var(index);
            }
            "dyn" => return Type::Dyn,
            "duration" => return Type::Duration,
            "timestamp" => return Type::Timestamp,
            _ => {}
        }
        if !self.accept("(") {
            return Type::named(name).unwrap_or(Type::Object(name));
        }
        let first = self.read();
        let read = match name {
            "list" => Type::list(first),
            "optional_type" => Type::Optional(Arc::new(first)),
            "type" => Type::Type(Some(Arc::new(first))),
            _ => {
                self.accept(", ");
                Type::map(first, self.read())
            }
        };
        self.accept(")");
        read
    }
}
