//! The types that a value may have.

use std::ops::{BitOr, BitOrAssign};

use crate::value::Value;

/// A set of JSON Schema's types; the empty set says nothing, and allows all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Types(u8);

impl Types {
    pub const NULL: Self = Self(1);
    pub const BOOLEAN: Self = Self(2);
    pub const INTEGER: Self = Self(4);
    /// Integers are numbers.
    pub const NUMBER: Self = Self(8 | 4);
    pub const STRING: Self = Self(16);
    pub const ARRAY: Self = Self(32);
    pub const OBJECT: Self = Self(64);

    /// What a scalar can be that templates print.
    pub const PRINTED: Self = Self(2 | 8 | 4 | 16);

    /// In the order in which people list them.
    const NAMES: [(&'static str, Self); 7] = [
        ("boolean", Self::BOOLEAN),
        ("integer", Self::INTEGER),
        ("number", Self::NUMBER),
        ("string", Self::STRING),
        ("array", Self::ARRAY),
        ("object", Self::OBJECT),
        ("null", Self::NULL),
    ];

    /// The type of a value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Int(_) => Self::INTEGER,
            Value::Float(number) if number.fract() == 0.0 => Self::INTEGER,
            Value::Float(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::List(_) => Self::ARRAY,
            Value::Map(_) => Self::OBJECT,
        }
    }

    /// The types that words of a comment name: `int`, `string or list`, `[]string`, `tpl/object`. `None` where a word
    /// is no type (`k8s/storage/volume`, `optional`): then it is the author's own.
    pub fn named(words: &str) -> Option<Self> {
        let words = words.split([' ', ',', '|', '/']).filter(|word| !matches!(*word, "" | "or" | "and"));
        let mut types = words.map(Self::word);
        let first = types.next()??;
        types.try_fold(first, |all, next| Some(all | next?))
    }

    fn word(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "bool" | "boolean" => Self::BOOLEAN,
            "int" | "integer" => Self::INTEGER,
            "float" | "number" => Self::NUMBER,
            // What is rendered by `tpl` is text in the values.
            "string" | "str" | "tpl" => Self::STRING,
            "list" | "array" => Self::ARRAY,
            "object" | "map" | "dict" => Self::OBJECT,
            "null" | "nil" => Self::NULL,
            word if word.starts_with("[]") => Self::ARRAY,
            word if word.starts_with("map[") => Self::OBJECT,
            _ => return None,
        })
    }

    /// Whether all types of the other set are in this one.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is said.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names, as in a schema.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let number = self.has(Self::NUMBER);
        Self::NAMES
            .into_iter()
            .filter(move |(_, types)| self.has(*types) && !(number && *types == Self::INTEGER))
            .map(|(name, _)| name)
    }
}

impl BitOr for Types {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Types {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_comments_name_types() {
        for (words, names) in [
            ("int", Some("integer")),
            ("float", Some("number")),
            ("int or float", Some("number")),
            ("string or int", Some("integer string")),
            ("bool|null", Some("boolean null")),
            ("tpl/object", Some("string object")),
            ("[]string", Some("array")),
            ("map[string]string", Some("object")),
            ("List", Some("array")),
            ("k8s/storage/volume", None),
            ("optional", None),
            ("", None),
        ] {
            let found = Types::named(words).map(|types| types.names().collect::<Vec<_>>().join(" "));
            assert_eq!(found.as_deref(), names, "{words}");
        }
    }
}
