//! Which subcharts a release has, and what they give their parents.
//!
//! Source: Helm's `pkg/chart/v2/util/dependencies.go`.

use std::collections::HashSet;
use std::sync::Arc;

use super::coalesce::{CoalesceError, Warnings, coalesce, merge_tables, merged};
use super::table::{Node, Table};
use crate::chart::{Chart, Dependency};
use crate::semver::{Constraint, Version};
use crate::value::{MAX_DEPTH, Map, Value};

/// The chart as a release sees it: disabled subcharts taken out, aliases applied, values imported.
pub(super) fn process(chart: &Chart, values: &Value, warnings: &mut Warnings) -> Result<Chart, CoalesceError> {
    let mut chart = enabled(chart, values, "", warnings)?;
    import_values(&mut chart, warnings)?;
    Ok(chart)
}

/// The chart with every subchart, enabled or not, under the names that Chart.yaml gives them, and what they import.
pub(super) fn all(chart: &Chart, warnings: &mut Warnings) -> Result<Chart, CoalesceError> {
    let mut chart = aliased(chart);
    import_values(&mut chart, warnings)?;
    Ok(chart)
}

fn aliased(chart: &Chart) -> Chart {
    let mut chart = chart.clone();
    if !chart.metadata.dependencies.is_empty() {
        let metadata = Arc::make_mut(&mut chart.metadata);
        chart.dependencies = named(&chart.dependencies, &metadata.dependencies);
        for dependency in &mut metadata.dependencies {
            dependency.name = dependency.effective_name().to_string();
        }
    }
    chart.dependencies.iter_mut().for_each(|subchart| *subchart = Arc::new(aliased(subchart)));
    chart
}

fn enabled(chart: &Chart, values: &Value, path: &str, warnings: &mut Warnings) -> Result<Chart, CoalesceError> {
    let mut chart = chart.clone();
    if chart.metadata.dependencies.is_empty() {
        return Ok(chart);
    }
    let metadata = Arc::make_mut(&mut chart.metadata);
    chart.dependencies = named(&chart.dependencies, &metadata.dependencies);
    for dependency in &mut metadata.dependencies {
        dependency.name = dependency.effective_name().to_string();
        dependency.enabled = true;
    }
    let values = coalesce(&chart, values, warnings)?;

    let metadata = Arc::make_mut(&mut chart.metadata);
    for dependency in &mut metadata.dependencies {
        apply_tags(dependency, &values, warnings);
        apply_conditions(dependency, &values, path, warnings);
    }
    let disabled: HashSet<String> =
        metadata.dependencies.iter().filter(|dependency| !dependency.enabled).map(|d| d.name.clone()).collect();
    metadata.dependencies.retain(|dependency| !disabled.contains(&dependency.name));
    chart.dependencies.retain(|subchart| !disabled.contains(subchart.name()));
    for subchart in &mut chart.dependencies {
        let path = format!("{path}{}.", subchart.name());
        *subchart = Arc::new(enabled(subchart, &values, &path, warnings)?);
    }
    Ok(chart)
}

/// Subcharts that Chart.yaml does not name, then those that it names, under the names that it gives them.
fn named(subcharts: &[Arc<Chart>], wanted: &[Dependency]) -> Vec<Arc<Chart>> {
    let wanted: Vec<(&Dependency, Option<Constraint>)> =
        wanted.iter().map(|dependency| (dependency, dependency.version.parse().ok())).collect();
    let versions: Vec<Option<Version>> = subcharts.iter().map(|chart| chart.metadata.version.parse().ok()).collect();
    let fits = |chart: &Chart, version: &Option<Version>, dependency: &Dependency, constraint: &Option<Constraint>| {
        chart.name() == dependency.name
            && matches!((constraint, version), (Some(constraint), Some(version)) if constraint.allows(version))
    };
    let mut found: Vec<Arc<Chart>> = Vec::new();
    for (chart, version) in subcharts.iter().zip(&versions) {
        if !wanted.iter().any(|(dependency, constraint)| fits(chart, version, dependency, constraint)) {
            found.push(chart.clone());
        }
    }
    for (dependency, constraint) in &wanted {
        let mut candidates = subcharts.iter().zip(&versions);
        let Some((chart, _)) = candidates.find(|(chart, version)| fits(chart, version, dependency, constraint)) else {
            continue;
        };
        let mut chart = chart.clone();
        if !dependency.alias.is_empty() {
            Arc::make_mut(&mut Arc::make_mut(&mut chart).metadata).name.clone_from(&dependency.alias);
        }
        found.push(chart);
    }
    found
}

/// A dependency with tags is off where tags of it are false and none is true.
fn apply_tags(dependency: &mut Dependency, values: &Value, warnings: &mut Warnings) {
    let Some(tags @ Value::Map(_)) = values.get("tags") else { return };
    let (mut any_true, mut any_false) = (false, false);
    for tag in &dependency.tags {
        match tags.get(tag) {
            None => {}
            Some(Value::Bool(true)) => any_true = true,
            Some(Value::Bool(false)) => any_false = true,
            Some(_) => warnings.add(format!("returned non-bool value tag={tag} chart={}", dependency.name)),
        }
    }
    dependency.enabled = any_true || !any_false;
}

/// The first condition that is a boolean decides.
fn apply_conditions(dependency: &mut Dependency, values: &Value, path: &str, warnings: &mut Warnings) {
    for condition in dependency.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
        match values.at(format!("{path}{condition}").split('.')) {
            Some(Value::Bool(value)) => {
                dependency.enabled = *value;
                break;
            }
            None | Some(Value::Map(_)) => {}
            Some(_) => {
                warnings.add(format!("returned non-bool value path={condition} chart={}", dependency.name));
            }
        }
    }
}

/// Brings `import-values` from subcharts into the values of their parents, the innermost first.
///
/// Helm does so with its maps in place: where two imports go to one key, the first subchart gets what the second has.
fn import_values(chart: &mut Chart, warnings: &mut Warnings) -> Result<(), CoalesceError> {
    for subchart in &mut chart.dependencies {
        import_values(Arc::make_mut(subchart), warnings)?;
    }
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let values = merged(chart, warnings)?;
    let imported = Table::default();
    for dependency in &mut Arc::make_mut(&mut chart.metadata).dependencies {
        let mut normalized = Vec::new();
        for import in &dependency.import_values {
            let (child, parent) = match import {
                Value::Map(map) => {
                    let print =
                        |key| map.get(key).map_or_else(|| "<nil>".to_string(), |value| Node::from(value).print());
                    (print("child"), print("parent"))
                }
                Value::String(name) => (format!("exports.{name}"), ".".to_string()),
                _ => continue,
            };
            match find(&values, &format!("{}.{child}", dependency.name)) {
                // Of an empty map Helm takes a new one, not the same.
                Ok(table) if table.entries().is_empty() => {
                    merge_tables(&imported, &nested(&parent, Table::default())?, warnings)?;
                }
                Ok(table) => merge_tables(&imported, &nested(&parent, table)?, warnings)?,
                Err(key) => {
                    let what = if matches!(import, Value::Map(_)) {
                        format!("ImportValues missing table from chart chart={}", dependency.name)
                    } else {
                        "ImportValues missing table".to_string()
                    };
                    warnings.add(format!("{what} error=\"{key:?} is not a table\""));
                }
            }
            normalized.push(Map::from_iter([("child", child.into()), ("parent", Value::from(parent))]).into());
        }
        dependency.import_values = normalized;
    }
    let values = Table::from(&values.freeze()?);
    merge_tables(&values, &imported, warnings)?;
    chart.values = Value::Map(values.freeze()?);
    Ok(())
}

/// Follows a dotted path; the key that is no table otherwise.
fn find<'a>(values: &Table, path: &'a str) -> Result<Table, &'a str> {
    path.split('.').try_fold(values.clone(), |table, key| match table.get(key) {
        Some(Node::Table(table)) => Ok(table),
        _ => Err(key),
    })
}

/// Puts a table where a dotted path says; `.` is the root.
fn nested(path: &str, table: Table) -> Result<Table, CoalesceError> {
    if path == "." {
        return Ok(table);
    }
    if path.split('.').count() > MAX_DEPTH {
        return Err(CoalesceError::TooDeep);
    }
    Ok(path.rsplit('.').fold(table, |table, key| {
        let outer = Table::default();
        outer.set(key, Node::Table(table));
        outer
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::load;

    /// `c` with a subchart `sub`, both with values, and what `c` imports.
    fn process_chart(imports: &str, values: &str, sub_values: &str) -> Result<Chart, CoalesceError> {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("charts/sub")).unwrap();
        let dependencies = format!("dependencies: [{{name: sub, version: 1.x, import-values: {imports}}}]");
        std::fs::write(at("Chart.yaml"), format!("apiVersion: v2\nname: c\nversion: 1.0.0\n{dependencies}\n")).unwrap();
        std::fs::write(at("values.yaml"), values).unwrap();
        std::fs::write(at("charts/sub/Chart.yaml"), "apiVersion: v2\nname: sub\nversion: 1.2.3\n").unwrap();
        std::fs::write(at("charts/sub/values.yaml"), sub_values).unwrap();
        let chart = load(folder.path()).unwrap();
        super::process(&chart, &Value::default(), &mut Warnings::default())
    }

    #[test]
    fn a_map_inside_itself_is_an_error() {
        let imports = "[d, {child: exports.d, parent: b}]";
        let error = process_chart(imports, "", "exports: {d: {b: {x: {}}}}").unwrap_err();
        assert_eq!(error, CoalesceError::TooDeep);
        let path = vec!["a"; 100_000].join(".");
        let error = process_chart(&format!("[{{child: conf, parent: {path}}}]"), "", "conf: {}").unwrap_err();
        assert_eq!(error, CoalesceError::TooDeep);
    }

    #[test]
    fn the_first_map_imported_to_a_key_gets_what_the_second_has() {
        let imports = "[{child: one, parent: p}, {child: two, parent: p}]";
        let values = process_chart(imports, "", "one: {a: 1}\ntwo: {b: 2}").unwrap().values;
        assert_eq!(values.at(["sub", "one", "b"]), Some(&Value::Float(2.0)));
        let values = process_chart(imports, "", "one: {}\ntwo: {b: 2}").unwrap().values;
        assert_eq!(values.at(["sub", "one", "b"]), None);
        assert_eq!(values.at(["p", "b"]), Some(&Value::Float(2.0)));
    }
}
