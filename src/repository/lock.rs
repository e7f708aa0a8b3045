//! Chart.lock: its digest, and how it is written.
//!
//! Source: Helm's `internal/resolver/resolver.go` (`HashReq`, `HashV2Req`) and `pkg/downloader/manager.go`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Digest;
use crate::chart::{Dependency, Lock};
use crate::json;
use crate::value::{Map, Value};

/// Helm's digest of what is wanted and what it came to.
///
/// # Errors
///
/// JSON has no words for an infinity in `import-values`.
pub(super) fn digest(wanted: &[Dependency], locked: &[Dependency]) -> Result<String, json::Error> {
    let json = format!("[{},{}]", to_json(wanted)?, to_json(locked)?);
    Ok(Digest::of(json.as_bytes()).to_string())
}

/// The digest that Helm 2 wrote into requirements.lock.
pub(super) fn digest_of_helm_2(wanted: &[Dependency]) -> Result<String, json::Error> {
    let json = format!("{{\"dependencies\":{}}}", to_json(wanted)?);
    Ok(Digest::of(json.as_bytes()).to_string())
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

/// Go's `json.Marshal` of a list of dependencies: fields in the order of the struct, not in that of their names.
fn to_json(dependencies: &[Dependency]) -> Result<String, json::Error> {
    let items: Vec<String> = dependencies.iter().map(dependency_to_json).collect::<Result<_, _>>()?;
    Ok(format!("[{}]", items.join(",")))
}

fn dependency_to_json(dependency: &Dependency) -> Result<String, json::Error> {
    let value = dependency_to_value(dependency);
    let order = ["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];
    let fields = order.into_iter().filter_map(|key| value.get(key).map(|value| (key, value)));
    let fields: Vec<String> =
        fields.map(|(key, value)| Ok(format!("\"{key}\":{}", json::to_json(value)?))).collect::<Result<_, _>>()?;
    Ok(format!("{{{}}}", fields.join(",")))
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
        let other = Dependency { name: "b".into(), ..Dependency::default() };
        assert_eq!(
            to_json(&[dependency, other]).unwrap(),
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
