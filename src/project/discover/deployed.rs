//! What deploys charts of the repository: Argo CD's Applications, Flux's HelmReleases, helmfile.

use super::{Discovery, Draft, Repository, name, parent, resolve};
use crate::value::Value;
use crate::values::set_text;
use crate::yaml;

/// Takes the releases of a file, if it has any.
pub(super) fn read(repository: &Repository<'_>, path: &str, found: &mut Discovery) {
    if !path.ends_with(".yaml") && !path.ends_with(".yml") {
        return;
    }
    let Ok(text) = repository.text(path) else { return };
    let is_helmfile = matches!(name(path), "helmfile.yaml" | "helmfile.yml");
    let says_more = ["argoproj.io/", "helm.toolkit.fluxcd.io/"].iter().any(|group| text.contains(group));
    if !is_helmfile && !says_more {
        return;
    }
    let documents = match yaml::parse_stream(&text, yaml::Options::default()) {
        Ok(documents) => documents,
        Err(_) => return found.notes.push(format!("{path} was left out: it is no plain YAML")),
    };
    for document in documents {
        let value = &document.value;
        match (text_at(value, &["apiVersion"]).split('/').next(), text_at(value, &["kind"])) {
            (Some("argoproj.io"), "Application") => application(repository, path, value, found),
            (Some("argoproj.io"), "ApplicationSet") => {
                found.notes.push(format!("{path} is an ApplicationSet: list its releases here, or use forEach"));
            }
            (Some("helm.toolkit.fluxcd.io"), "HelmRelease") => helm_release(repository, path, value, found),
            _ if is_helmfile => helmfile(repository, path, value, found),
            _ => {}
        }
    }
}

fn application(repository: &Repository<'_>, path: &str, value: &Value, found: &mut Discovery) {
    let spec = value.get("spec").unwrap_or(&Value::Null);
    let sources = spec.get("sources").and_then(Value::as_list).unwrap_or_default();
    for source in spec.get("source").into_iter().chain(sources) {
        let Some(chart) = resolve(".", text_at(source, &["path"])).filter(|chart| found.charts.contains(chart)) else {
            continue;
        };
        // Without a path it would be the repository's root, which may be a chart.
        if source.get("path").is_none() {
            continue;
        }
        let helm = source.get("helm").unwrap_or(&Value::Null);
        let mut draft = Draft {
            name: first([text_at(helm, &["releaseName"]), text_at(value, &["metadata", "name"])]),
            namespace: first([text_at(spec, &["destination", "namespace"]), "default"]),
            ..Draft::new(path, &chart)
        };
        for file in texts(helm, "valueFiles") {
            // `$name/…` begins at the root of the source with that name; which is most often this repository.
            let (folder, file) = match file.strip_prefix('$').and_then(|file| file.split_once('/')) {
                Some((_, file)) => (".", file),
                None => (chart.as_str(), file),
            };
            draft.add_values(repository, folder, file);
        }
        for parameter in helm.get("parameters").and_then(Value::as_list).unwrap_or_default() {
            let is_text = parameter.get("forceString").and_then(Value::as_bool) == Some(true);
            draft.add_set(parameter, is_text);
        }
        if ["values", "valuesObject"].iter().any(|key| helm.get(key).is_some()) {
            draft.notes.push("its inline values are not taken: move them to a file".into());
        }
        found.releases.push(draft);
    }
}

fn helm_release(repository: &Repository<'_>, path: &str, value: &Value, found: &mut Discovery) {
    let spec = value.get("spec").unwrap_or(&Value::Null);
    let chart = spec.at(["chart", "spec"]).unwrap_or(&Value::Null);
    let folder = resolve(".", text_at(chart, &["chart"])).filter(|folder| found.charts.contains(folder));
    let (Some(folder), true) = (folder, text_at(chart, &["sourceRef", "kind"]) == "GitRepository") else { return };
    let (own, target) = (text_at(value, &["metadata", "name"]), text_at(spec, &["targetNamespace"]));
    let composed = if target.is_empty() { own.to_owned() } else { format!("{target}-{own}") };
    let mut draft = Draft {
        name: first([text_at(spec, &["releaseName"]), &composed]),
        namespace: first([target, text_at(value, &["metadata", "namespace"]), "default"]),
        ..Draft::new(path, &folder)
    };
    for file in texts(chart, "valuesFiles") {
        draft.add_values(repository, ".", file);
    }
    if spec.get("values").is_some() {
        draft.notes.push("its inline values are not taken: move them to a file".into());
    }
    if spec.get("valuesFrom").is_some() {
        draft.notes.push("its valuesFrom is not taken: it is in the cluster".into());
    }
    found.releases.push(draft);
}

fn helmfile(repository: &Repository<'_>, path: &str, value: &Value, found: &mut Discovery) {
    let folder = parent(path);
    for release in value.get("releases").and_then(Value::as_list).unwrap_or_default() {
        let text = text_at(release, &["chart"]);
        let Some(chart) = resolve(folder, text).filter(|chart| !text.is_empty() && found.charts.contains(chart)) else {
            continue;
        };
        let mut draft = Draft {
            name: text_at(release, &["name"]).to_owned(),
            namespace: first([text_at(release, &["namespace"]), "default"]),
            ..Draft::new(path, &chart)
        };
        for values in release.get("values").and_then(Value::as_list).unwrap_or_default() {
            match values.as_str() {
                Some(file) => draft.add_values(repository, folder, file),
                None => draft.notes.push("its inline values are not taken: move them to a file".into()),
            }
        }
        for set in release.get("set").and_then(Value::as_list).unwrap_or_default() {
            draft.add_set(set, false);
        }
        found.releases.push(draft);
    }
}

impl Draft {
    fn new(source: &str, chart: &str) -> Self {
        Self { source: Some(source.to_owned()), chart: chart.to_owned(), ..Self::default() }
    }

    fn add_values(&mut self, repository: &Repository<'_>, folder: &str, file: &str) {
        match resolve(folder, file).filter(|file| repository.has(file)) {
            Some(file) => self.values.push(file),
            None => self.notes.push(format!("its values file {file} is not in this repository")),
        }
    }

    /// `{name: image.tag, value: "1.2"}`
    fn add_set(&mut self, set: &Value, is_text: bool) {
        let value = match set.get("value") {
            Some(Value::String(text)) => text.to_string(),
            Some(Value::Null | Value::List(_) | Value::Map(_)) | None => {
                return self.notes.push(format!("what sets {} is not taken", text_at(set, &["name"])));
            }
            Some(other) => crate::json::to_json(other).unwrap_or_default(),
        };
        let into = if is_text { &mut self.set_string } else { &mut self.set };
        into.push(set_text::pair(text_at(set, &["name"]), &value));
    }
}

/// The text below keys; empty where there is none.
fn text_at<'v>(value: &'v Value, keys: &[&str]) -> &'v str {
    value.at(keys.iter().copied()).and_then(Value::as_str).unwrap_or_default()
}

fn texts<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    value.get(key).and_then(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_str)
}

/// The first of them that says anything.
fn first<const N: usize>(texts: [&str; N]) -> String {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}
