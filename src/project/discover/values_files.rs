//! Values files in the places where people put them, for charts that nothing deploys.

use std::collections::BTreeMap;

use super::{Discovery, Draft, Repository, is_below, join, name, parent};
use crate::render::is_label;
use crate::value::Value;

/// The longest release name and namespace that is made of a file's.
const MAX_NAME: usize = 53;

/// A release for each file of sibling folders: `tenants/*/values.yaml`.
pub(super) fn siblings(repository: &Repository<'_>, found: &mut Discovery) {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in repository.files.iter().filter(|path| name(path) == "values.yaml") {
        let folder = parent(path);
        let in_chart = found.charts.iter().any(|chart| chart != "." && is_below(folder, chart));
        // Folders of the root have little in common.
        if parent(folder) != "." && folder != "." && !in_chart {
            groups.entry(parent(folder)).or_default().push(path);
        }
    }
    for (folder, files) in groups.into_iter().filter(|(_, files)| files.len() > 1) {
        if files.iter().any(|file| found.releases.iter().any(|release| release.values.iter().any(|own| own == file))) {
            continue;
        }
        let glob = format!("{folder}/*/values.yaml");
        let fitting: Vec<&String> =
            found.charts.iter().filter(|chart| files.iter().all(|file| fits(repository, file, chart))).collect();
        let [chart] = fitting[..] else {
            let charts = found.charts.join(", ");
            found
                .notes
                .push(format!("{glob} are values of which chart? There are {charts}; forEach makes releases of them"));
            continue;
        };
        if !files.iter().all(|file| is_label(name(parent(file)).as_bytes())) {
            found.notes.push(format!("{glob}: the folders' names are no namespaces; forEach makes releases of them"));
            continue;
        }
        let draft = Draft {
            for_each: Some(glob),
            name: chart_name(repository, chart),
            namespace: format!("{{{{ path[{}] }}}}", folder.split('/').count()),
            chart: chart.clone(),
            ..Draft::default()
        };
        found.releases.push(draft);
    }
}

/// The releases of a chart by the values files that are beside it; with none, that of its own values.
pub(super) fn releases(repository: &Repository<'_>, chart: &str, found: &mut Discovery) {
    let own = chart_name(repository, chart);
    let is_only = found.charts.len() == 1;
    let before = found.releases.len();
    for path in &repository.files {
        let Some(rest) = path.strip_suffix(".yaml").or_else(|| path.strip_suffix(".yml")) else { continue };
        let inside = match chart {
            "." => Some(rest),
            _ => rest.strip_prefix(chart).and_then(|rest| rest.strip_prefix('/')),
        };
        let outside = (inside.is_none() && is_only).then_some(rest);
        let variant = inside.or(outside).and_then(variant).or_else(|| for_chart(rest, &own));
        let Some(variant) = variant.map(label).filter(|variant| !variant.is_empty()) else { continue };
        if is_values(repository, path) {
            found.releases.push(Draft {
                name: own.clone(),
                namespace: variant,
                chart: chart.to_owned(),
                values: vec![path.clone()],
                ..Draft::default()
            });
        }
    }
    if found.releases.len() == before {
        let namespace = "default".to_owned();
        found.releases.push(Draft { name: own, namespace, chart: chart.to_owned(), ..Draft::default() });
    }
}

/// What a file without its ending is a variant for, by where it is: `values-prod`, `values/prod`,
/// `environments/prod/values`, `ci/tls-values`, `examples/large`.
fn variant(path: &str) -> Option<&str> {
    match path.split('/').collect::<Vec<_>>()[..] {
        [file] => ["values-", "values.", "values_"].iter().find_map(|start| file.strip_prefix(start)),
        ["values" | "examples" | "environments" | "envs", file] => Some(file),
        ["ci", file] => file.strip_suffix("-values").or_else(|| file.strip_prefix("values-")),
        ["values" | "environments" | "envs", folder, "values"] => Some(folder),
        _ => None,
    }
}

/// The same of a file that names the chart: `values/prod/web`, `environments/prod/web`.
fn for_chart<'p>(path: &'p str, chart: &str) -> Option<&'p str> {
    match path.split('/').collect::<Vec<_>>()[..] {
        ["values" | "environments" | "envs", folder, file] if file == chart => Some(folder),
        ["values", file] if file == chart => Some("default"),
        _ => None,
    }
}

/// Whether a file is a mapping and no manifest.
fn is_values(repository: &Repository<'_>, path: &str) -> bool {
    repository.document(path).is_ok_and(|value| {
        value.as_map().is_some() && (value.get("apiVersion").is_none() || value.get("kind").is_none())
    })
}

/// Whether a chart's values have all keys of a file.
fn fits(repository: &Repository<'_>, file: &str, chart: &str) -> bool {
    let values = |path: &str| repository.document(path).ok();
    let (Some(file), Some(own)) = (values(file), values(&join(chart, "values.yaml"))) else { return false };
    file.as_map().is_some_and(|map| map.iter().all(|(key, _)| &**key == "global" || own.get(key).is_some()))
}

/// A chart's name, as a release may have it.
fn chart_name(repository: &Repository<'_>, chart: &str) -> String {
    let metadata = repository.document(&join(chart, "Chart.yaml")).unwrap_or_default();
    label(metadata.get("name").and_then(Value::as_str).unwrap_or_default())
}

/// A text as a DNS label; empty where nothing of it can be one.
pub(super) fn label(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let label: String = text.chars().map(plain).skip_while(|c| *c == '-').take(MAX_NAME).collect();
    label.trim_end_matches('-').to_owned()
}
