//! Chart.lock: its digest, and how it is written.
//!
//! Source: Helm's `internal/resolver/resolver.go` (`HashReq`, `HashV2Req`) and `pkg/downloader/manager.go`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Digest;
use crate::chart::{Dependency, Lock};
use crate::number;
use crate::value::{Map, Value};

/// Helm's digest of what is wanted and what it came to.
pub fn digest(wanted: &[Dependency], locked: &[Dependency]) -> String {
    let mut json = String::from("[");
    write_dependencies(wanted, &mut json);
    json.push(',');
    write_dependencies(locked, &mut json);
    json.push(']');
    Digest::of(json.as_bytes()).to_string()
}

/// The digest that Helm 2 wrote into requirements.lock.
pub(super) fn digest_of_helm_2(wanted: &[Dependency]) -> String {
    let mut json = String::from("{\"dependencies\":");
    write_dependencies(wanted, &mut json);
    json.push('}');
    Digest::of(json.as_bytes()).to_string()
}

/// A lock file as a value: with its keys sorted, as `sigs.k8s.io/yaml` writes it.
pub(super) fn to_value(lock: &Lock) -> Value {
    let dependencies: Vec<Value> = lock.dependencies.iter().map(dependency_to_value).collect();
    Map::from_iter([
        ("dependencies", Value::from(dependencies)),
        ("digest", lock.digest.as_str().into()),
        ("generated", lock.generated.as_str().into()),
    ])
    .into()
}

/// A dependency as a value, without what is empty. Source: the tags in Helm's `pkg/chart/v2/dependency.go`.
pub(super) fn dependency_to_value(dependency: &Dependency) -> Value {
    let mut map = Map::default();
    map.insert("name", dependency.name.as_str().into());
    map.insert("repository", dependency.repository.as_str().into());
    for (key, text) in
        [("version", &dependency.version), ("condition", &dependency.condition), ("alias", &dependency.alias)]
    {
        if !text.is_empty() {
            map.insert(key, text.as_str().into());
        }
    }
    if !dependency.tags.is_empty() {
        map.insert("tags", dependency.tags.iter().map(|tag| tag.as_str().into()).collect::<Vec<Value>>().into());
    }
    if dependency.enabled {
        map.insert("enabled", true.into());
    }
    if !dependency.import_values.is_empty() {
        map.insert("import-values", dependency.import_values.clone().into());
    }
    map.into()
}

/// A time as Go's `time.Time` writes itself into JSON, in UTC: `2026-11-21T22:29:07.123456789Z`.
pub(super) fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Howard Hinnant's days_from_civil, backwards: years begin in March, eras have 400 of them.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = format!(".{:09}", since.subsec_nanos());
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Go's `json.Marshal` of a list of dependencies: fields in the order of the struct.
fn write_dependencies(dependencies: &[Dependency], json: &mut String) {
    write_list(dependencies, json, |dependency, json| {
        json.push_str("{\"name\":");
        write_string(&dependency.name, json);
        if !dependency.version.is_empty() {
            json.push_str(",\"version\":");
            write_string(&dependency.version, json);
        }
        json.push_str(",\"repository\":");
        write_string(&dependency.repository, json);
        if !dependency.condition.is_empty() {
            json.push_str(",\"condition\":");
            write_string(&dependency.condition, json);
        }
        if !dependency.tags.is_empty() {
            json.push_str(",\"tags\":");
            write_list(&dependency.tags, json, |tag, json| write_string(tag, json));
        }
        if dependency.enabled {
            json.push_str(",\"enabled\":true");
        }
        if !dependency.import_values.is_empty() {
            json.push_str(",\"import-values\":");
            write_list(&dependency.import_values, json, write_value);
        }
        if !dependency.alias.is_empty() {
            json.push_str(",\"alias\":");
            write_string(&dependency.alias, json);
        }
        json.push('}');
    });
}

fn write_list<T>(items: &[T], json: &mut String, write: impl Fn(&T, &mut String)) {
    json.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            json.push(',');
        }
        write(item, json);
    }
    json.push(']');
}

/// Values come from YAML with a bounded depth.
fn write_value(value: &Value, json: &mut String) {
    match value {
        Value::Null => json.push_str("null"),
        Value::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        // Go reads all numbers of `import-values` as floats.
        Value::Int(value) => json.push_str(&number::json(*value as f64)),
        Value::Float(value) => json.push_str(&number::json(*value)),
        Value::String(text) => write_string(text, json),
        Value::List(items) => write_list(items, json, write_value),
        Value::Map(map) => {
            json.push('{');
            for (i, (key, value)) in map.iter().enumerate() {
                if i > 0 {
                    json.push(',');
                }
                write_string(key, json);
                json.push(':');
                write_value(value, json);
            }
            json.push('}');
        }
    }
}

/// A string as Go's `encoding/json` writes it by default: safe inside HTML.
fn write_string(text: &str, json: &mut String) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                json.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            character => json.push(character),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dependencies_are_written_as_go_does() {
        let dependency = Dependency {
            name: "common".into(),
            version: ">=1.2 <2".into(),
            repository: "https://example.com/?a&b".into(),
            condition: "common.enabled".into(),
            tags: vec!["a".into(), "b".into()],
            enabled: true,
            import_values: vec![
                "data".into(),
                Map::from_iter([("parent", Value::from("\u{2028}é\"")), ("child", Value::Int(1))]).into(),
            ],
            alias: "c".into(),
        };
        let mut json = String::new();
        write_dependencies(&[dependency, Dependency { name: "b".into(), ..Dependency::default() }], &mut json);
        assert_eq!(
            json,
            r#"[{"name":"common","version":"\u003e=1.2 \u003c2","repository":"https://example.com/?a\u0026b","condition":"common.enabled","tags":["a","b"],"enabled":true,"import-values":["data",{"child":1,"parent":"\u2028é\""}],"alias":"c"},{"name":"b","repository":""}]"#
        );
    }

    #[test]
    fn times_are_written_as_go_does() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_399, 0, "2000-02-28T23:59:59Z"),
            (951_782_400, 120_000_000, "2000-02-29T00:00:00.12Z"),
            (951_868_800, 1, "2000-03-01T00:00:00.000000001Z"),
            (4_102_444_799, 0, "2099-12-31T23:59:59Z"),
        ] {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::new(seconds, nanoseconds)), text);
        }
    }
}
