//! What stands in a list twice.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::value::Value;

/// The first item that is equal to one before it, as the indices of both. Linear, unlike comparing each with each.
pub fn first_repeated(items: &[Value]) -> Option<(usize, usize)> {
    let mut seen: HashMap<u64, Vec<usize>> = HashMap::new();
    items.iter().enumerate().find_map(|(index, item)| {
        let mut hasher = DefaultHasher::new();
        feed(item, &mut hasher);
        let alike = seen.entry(hasher.finish()).or_default();
        let before = alike.iter().copied().find(|before| items.get(*before) == Some(item));
        alike.push(index);
        before.map(|before| (before, index))
    })
}

/// Gives a hasher what values that are equal have in common.
fn feed(value: &Value, hasher: &mut DefaultHasher) {
    value.type_name().hash(hasher);
    match value {
        Value::Null => {}
        Value::Bool(value) => value.hash(hasher),
        Value::Int(value) => (*value as f64).to_bits().hash(hasher),
        // Zero has two signs.
        Value::Float(value) => (value + 0.0).to_bits().hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::List(items) => items.iter().for_each(|item| feed(item, hasher)),
        Value::Map(map) => map.iter().for_each(|(key, item)| {
            key.hash(hasher);
            feed(item, hasher);
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn value(text: &str) -> Value {
        yaml::parse(text, yaml::Options::default()).unwrap()
    }

    #[test]
    fn equal_items_are_found_whatever_they_are() {
        let list = |texts: &[&str]| -> Vec<Value> { texts.iter().map(|text| value(text)).collect() };
        assert_eq!(first_repeated(&list(&["1", "[1]", "\"1\"", "null", "false", "{}", "[]"])), None);
        assert_eq!(first_repeated(&list(&["1", "2", "2.0", "1"])), Some((1, 2)));
        assert_eq!(first_repeated(&list(&["{\"a\": [1]}", "{\"a\": [1]}"])), Some((0, 1)));
        assert_eq!(first_repeated(&[Value::Float(-0.0), Value::Int(0)]), Some((0, 1)));
    }
}
