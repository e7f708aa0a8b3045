//! What templates do with the values at one place, as far as it tells of their types.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::types::Types;
use crate::usage::{Read, Step, Usage, Use};
use crate::value::Value;

/// The reads of a chart, by the steps of their paths.
#[derive(Default)]
pub(super) struct Uses<'u> {
    keys: BTreeMap<Arc<str>, Uses<'u>>,
    each: Option<Box<Uses<'u>>>,
    reads: Vec<&'u Read>,
}

impl<'u> Uses<'u> {
    pub fn of(usage: &'u Usage) -> Self {
        let mut root = Self::default();
        for read in &usage.reads {
            let mut at = &mut root;
            for step in &read.path.0 {
                at = match step {
                    Step::Key(key) => at.keys.entry(key.clone()).or_default(),
                    Step::Each => at.each.get_or_insert_default(),
                };
            }
            at.reads.push(read);
        }
        root
    }
}

/// All that is read of one place.
#[derive(Clone, Default)]
pub(super) struct Place<'u> {
    /// What reads it by its name.
    named: Vec<&'u Uses<'u>>,
    /// What reads it among others, by a name that is only known at run time.
    general: Vec<&'u Uses<'u>>,
    /// Whether something around it is given away as a whole: then it may be anything that fits there.
    inside_whole: bool,
}

impl<'u> Place<'u> {
    /// The place of all values.
    pub fn root(uses: &'u Uses<'u>) -> Self {
        Self { named: vec![uses], ..Self::default() }
    }

    /// The place of a key.
    pub fn key(&self, key: &str) -> Self {
        let each = |uses: &&'u Uses<'u>| uses.each.as_deref();
        let key = |uses: &&'u Uses<'u>| uses.keys.get(key);
        let general =
            self.named.iter().chain(&self.general).filter_map(each).chain(self.general.iter().filter_map(key));
        Self {
            named: self.named.iter().filter_map(key).collect(),
            general: general.collect(),
            inside_whole: self.is_whole(),
        }
    }

    /// The place of all elements.
    pub fn each(&self) -> Self {
        let each = |uses: &&'u Uses<'u>| uses.each.as_deref();
        Self {
            named: self.named.iter().filter_map(each).collect(),
            general: self.general.iter().filter_map(each).collect(),
            inside_whole: self.is_whole(),
        }
    }

    /// The keys that are read by name.
    pub fn keys(&self) -> Vec<Arc<str>> {
        let mut keys: Vec<_> = self.named.iter().flat_map(|uses| uses.keys.keys().cloned()).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    fn reads(&self) -> impl Iterator<Item = &'u Read> {
        self.named.iter().chain(&self.general).flat_map(|uses| uses.reads.iter().copied())
    }

    /// Whether something around it is given away as a whole.
    pub fn is_inside_whole(&self) -> bool {
        self.inside_whole
    }

    /// Whether it is given away as a whole, or something around it.
    pub fn is_whole(&self) -> bool {
        self.inside_whole || self.reads().any(|read| read.whole)
    }

    /// Whether elements of it are read without knowing their names.
    pub fn is_ranged(&self) -> bool {
        self.named.iter().chain(&self.general).any(|uses| uses.each.is_some())
            || self.reads().any(|read| read.how == Use::Ranged)
    }

    /// Whether no template renders without it.
    pub fn is_required(&self) -> bool {
        let always = |read: &Read| read.guards.as_ref().is_some_and(|guards| guards.is_empty());
        self.reads().any(|read| read.how == Use::Required && always(read))
    }

    /// Whether `tpl` renders it: then it can be text, whatever else it is.
    pub fn is_template(&self) -> bool {
        self.reads().any(|read| read.how == Use::Template)
    }

    /// The types that templates can do something with: of nothing where they tell nothing, or take everything.
    pub fn types(&self) -> Types {
        if self.inside_whole || !self.general.is_empty() {
            return Types::default();
        }
        let mut types = Types::default();
        let mut printed = Types::default();
        if self.named.iter().any(|uses| !uses.keys.is_empty()) {
            types |= Types::OBJECT;
        }
        if self.is_ranged() {
            types |= Types::ARRAY | Types::OBJECT;
        }
        for read in self.reads() {
            match of_use(&read.how) {
                // Anything can be printed: what else is done with it tells more.
                Some(Types::PRINTED) => printed = Types::PRINTED,
                Some(taken) => types |= taken,
                None => return Types::default(),
            }
        }
        if types.is_empty() { printed } else { types }
    }
}

/// The types that a use takes: of nothing where it takes them all the same; `None` where it is not known.
fn of_use(how: &Use) -> Option<Types> {
    Some(match how {
        Use::Condition | Use::Tested | Use::Required | Use::Default(None) | Use::Compared(None) => Types::default(),
        Use::Compared(Some(Value::Null)) | Use::Default(Some(Value::Null)) => Types::default(),
        Use::Compared(Some(literal)) | Use::Default(Some(literal)) => literal_types(literal),
        Use::Ranged => Types::ARRAY | Types::OBJECT,
        Use::Printed => Types::PRINTED,
        Use::Template => Types::STRING,
        Use::Call(name) => return of_function(name),
        Use::Unknown => return None,
    })
}

/// An empty text stands for "not given".
fn literal_types(literal: &Value) -> Types {
    match literal {
        Value::String(text) if text.is_empty() => Types::PRINTED,
        // `eq` of a values file's number and a template's integer is an error in Helm: both are floats.
        other => Types::of(other),
    }
}

fn of_function(name: &str) -> Option<Types> {
    Some(match name {
        "quote" | "squote" | "toString" | "print" | "println" | "printf" | "cat" => Types::PRINTED,
        "int" | "int64" | "float64" | "add" | "add1" | "sub" | "mul" | "div" | "mod" | "max" | "min" | "ceil"
        | "floor" | "round" | "until" => Types::NUMBER,
        "trunc"
        | "trim"
        | "trimAll"
        | "trimSuffix"
        | "trimPrefix"
        | "upper"
        | "lower"
        | "title"
        | "untitle"
        | "replace"
        | "contains"
        | "hasPrefix"
        | "hasSuffix"
        | "split"
        | "splitList"
        | "splitn"
        | "b64enc"
        | "b64dec"
        | "sha256sum"
        | "sha1sum"
        | "indent"
        | "nindent"
        | "regexMatch"
        | "regexReplaceAll"
        | "regexFind"
        | "regexReplaceAllLiteral"
        | "camelcase"
        | "kebabcase"
        | "snakecase"
        | "htpasswd"
        | "bcrypt"
        | "urlParse"
        | "semver"
        | "semverCompare"
        | "fromYaml"
        | "fromJson"
        | "fromYamlArray"
        | "nospace"
        | "substr"
        | "abbrev" => Types::STRING,
        "len" | "join" | "toYaml" | "toJson" => return None,
        "keys" | "values" | "pick" | "omit" | "hasKey" => Types::OBJECT,
        "first" | "last" | "rest" | "initial" | "uniq" | "sortAlpha" | "has" | "without" | "compact" | "concat" => {
            Types::ARRAY
        }
        _ => return None,
    })
}
