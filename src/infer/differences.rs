//! Where a schema on disk is not the one that is inferred.

use crate::json;
use crate::value::{Numbers, Path, Value};

/// The most differences that are listed.
const MAX_LISTED: usize = 20;
/// The longest text of a value, in characters.
const MAX_SHOWN: usize = 60;

/// Lists where two schemas differ, a line each.
pub fn differences(found: &[u8], inferred: &str) -> String {
    let (Ok(found), Ok(inferred)) = (json::parse(found, Numbers::Exact), json::parse(inferred, Numbers::Exact)) else {
        return "  it is no JSON".to_owned();
    };
    let mut lines = Vec::new();
    compare(&Path::default(), Some(&found), Some(&inferred), &mut lines);
    if lines.is_empty() {
        return "  it says the same, but in another order or with other blanks".to_owned();
    }
    let more = lines.len().saturating_sub(MAX_LISTED);
    lines.truncate(MAX_LISTED);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}

fn compare(path: &Path, found: Option<&Value>, inferred: Option<&Value>, lines: &mut Vec<String>) {
    match (found, inferred) {
        (Some(Value::Map(a)), Some(Value::Map(b))) => {
            let missing = b.iter().map(|(key, _)| key).filter(|key| a.get(key).is_none());
            for key in a.iter().map(|(key, _)| key).chain(missing) {
                compare(&path.key(key.clone()), a.get(key), b.get(key), lines);
            }
        }
        (a, b) if a == b => {}
        (Some(a), Some(b)) => lines.push(format!("  {path} is {}, and would be {}", show(a), show(b))),
        (Some(a), None) => lines.push(format!("  {path} is {}, and would not be there", show(a))),
        (None, Some(b)) => lines.push(format!("  {path} is missing, and would be {}", show(b))),
        (None, None) => {}
    }
}

fn show(value: &Value) -> String {
    let text = json::to_json_raw(value).unwrap_or_default();
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_named() {
        let listed = differences(
            br#"{"type":"object","properties":{"a":{"type":"string"},"b":true}}"#,
            r#"{"type":"object","properties":{"a":{"type":"integer"},"c":{"d":1}}}"#,
        );
        let expected = [
            "  properties.a.type is \"string\", and would be \"integer\"",
            "  properties.b is true, and would not be there",
            "  properties.c is missing, and would be {\"d\":1}",
        ];
        assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
        assert!(differences(b"{\"a\": 1}", "{\"a\":1}").contains("another order"));
        assert!(differences(b"{", "{}").contains("no JSON"));
        let keys = |value| format!("{{{}}}", (0..30).map(|i| format!("\"{i}\":{value}")).collect::<Vec<_>>().join(","));
        assert!(differences(keys(1).as_bytes(), &keys(2)).ends_with("and 10 more"));
    }
}
