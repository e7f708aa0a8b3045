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
    use crate::value::Map;

    #[test]
    fn equal_items_are_found_whatever_they_are() {
        let list = |items: &[Value]| Value::from(items.to_vec());
        let map = |value: Value| Value::from(Map::from_iter([("a", value)]));
        let different = [1.into(), list(&[1.into()]), "1".into(), Value::Null, false.into(), map(1.into()), list(&[])];
        assert_eq!(first_repeated(&different), None);
        assert_eq!(first_repeated(&[1.into(), 2.into(), Value::Float(2.0), 1.into()]), Some((1, 2)));
        assert_eq!(first_repeated(&[map(1.into()), map(1.into())]), Some((0, 1)));
        assert_eq!(first_repeated(&[Value::Float(-0.0), Value::Int(0)]), Some((0, 1)));
    }
}
